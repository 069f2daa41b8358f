#include "buffer.h"
#include "width.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void give_up(void)
{
    fputs("gavatctl: out of memory\n", stderr);
    _Exit(1);
}

void *ctl_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        give_up();
    return memory;
}

void *ctl_resize(void *memory, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes))
        give_up();
    void *bigger = realloc(memory, bytes ? bytes : 1);
    if (!bigger)
        give_up();
    return bigger;
}

static void make_room(ctl_buffer *out, size_t more)
{
    size_t need = 0;
    if (__builtin_add_overflow(out->length, more, &need) || need > SIZE_MAX / 2 - 1)
        give_up();
    if (need + 1 <= out->room)
        return;
    size_t room = out->room ? out->room : 128;
    while (room < need + 1)
        room *= 2;
    out->data = ctl_resize(out->data, room, 1);
    out->room = room;
}

void ctl_add(ctl_buffer *out, const char *data, size_t length)
{
    make_room(out, length);
    if (length)
        memcpy(out->data + out->length, data, length);
    out->length += length;
    out->data[out->length] = '\0';
}

void ctl_add_text(ctl_buffer *out, const char *text)
{
    ctl_add(out, text, strlen(text));
}

void ctl_add_repeat(ctl_buffer *out, char byte, size_t count)
{
    make_room(out, count);
    memset(out->data + out->length, byte, count);
    out->length += count;
    out->data[out->length] = '\0';
}

void ctl_add_list(ctl_buffer *out, const char *format, va_list list)
{
    char *text = NULL;
    int length = vasprintf(&text, format, list);
    if (length < 0)
        give_up();
    ctl_add(out, text, (size_t)length);
    free(text);
}

void ctl_add_format(ctl_buffer *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ctl_add_list(out, format, list);
    va_end(list);
}

static void add_escaped(ctl_buffer *out, unsigned char byte)
{
    static const char letters[] = "btn\0fr";
    if (byte >= 8 && byte <= 13 && letters[byte - 8])
        ctl_add_format(out, "\\%c", letters[byte - 8]);
    else
        ctl_add_format(out, "\\u%04x", byte);
}

void ctl_add_json(ctl_buffer *out, const char *data, size_t length)
{
    ctl_add(out, "\"", 1);
    for (size_t i = 0; i < length;) {
        unsigned char byte = (unsigned char)data[i];
        size_t size = 1;
        if (byte == '"' || byte == '\\')
            ctl_add_format(out, "\\%c", byte);
        else if (byte < 0x20)
            add_escaped(out, byte);
        else if (ctl_decode(data + i, length - i, &size) < 0)
            ctl_add_text(out, "\xEF\xBF\xBD");
        else
            ctl_add(out, data + i, size);
        i += size;
    }
    ctl_add(out, "\"", 1);
}

void ctl_clear(ctl_buffer *out)
{
    out->length = 0;
    if (out->data)
        out->data[0] = '\0';
}

void ctl_free(ctl_buffer *out)
{
    free(out->data);
    *out = (ctl_buffer){0};
}
