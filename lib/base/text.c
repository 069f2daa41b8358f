#include "text.h"

#include <stdio.h>

#include "json_scan.h"
#include "memory.h"
#include "utf8.h"

bool gv_slice_is(gv_slice slice, const char *text)
{
    if (!slice.data || !text)
        return !slice.data && !text;
    size_t length = strlen(text);
    return slice.length == length && memcmp(slice.data, text, length) == 0;
}

int gv_slice_compare(gv_slice a, gv_slice b)
{
    int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

uint64_t gv_slice_hash_on(uint64_t hash, gv_slice slice)
{
    for (size_t i = 0; i < slice.length; i++)
        hash = (hash ^ (unsigned char)slice.data[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t gv_slice_hash(gv_slice slice)
{
    return gv_slice_hash_on(GV_HASH_START, slice);
}

void gv_text_free(gv_text *text)
{
    gv_free(text->data);
    *text = (gv_text){.limit = text->limit};
}

void gv_text_clear(gv_text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = '\0';
}

/* Room for so many more bytes and the NUL. */
static bool make_room(gv_text *text, size_t more)
{
    size_t needed, room;
    if (text->failed)
        return false;
    if (!gv_add_size(text->length, more, &needed) || (text->limit && needed > text->limit) ||
        !gv_add_size(needed, 1, &needed)) {
        text->failed = true;
        return false;
    }
    if (needed <= text->room)
        return true;
    if (!gv_multiply_size(text->room, 2, &room) || room < needed)
        room = needed < 64 ? 64 : needed;
    char *data = gv_resize(text->data, room);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void gv_text_add(gv_text *text, const char *data, size_t length)
{
    /* Most find the room there is; what failed has none to be found. */
    bool fits = length < text->room - text->length && (!text->limit || length <= text->limit - text->length) && !text->failed;
    if (!fits && !make_room(text, length))
        return;
    if (length > 0)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void gv_text_adds(gv_text *text, const char *string)
{
    gv_text_add(text, string, strlen(string));
}

void gv_text_addc(gv_text *text, char c)
{
    gv_text_add(text, &c, 1);
}

void gv_text_addf(gv_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    gv_text_addv(text, format, args);
    va_end(args);
}

void gv_text_addv(gv_text *text, const char *format, va_list args)
{
    char small[256];
    va_list again;
    if (text->failed)
        return;
    va_copy(again, args);
    int printed = vsnprintf(small, sizeof small, format, args);
    size_t length = printed < 0 ? 0 : (size_t)printed;
    if (printed < 0) {
        text->failed = true;
    } else if (length < sizeof small) {
        gv_text_add(text, small, length);
    } else if (make_room(text, length)) {
        vsnprintf(text->data + text->length, length + 1, format, again);
        text->length += length;
    }
    va_end(again);
}

/* A byte that cannot stand in a JSON string as it is, or a longer character; how many bytes were taken. */
static size_t add_json_special(gv_text *text, const char *data, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)data[0];
    uint32_t code;
    if (byte >= 0x7f) {
        size_t bytes = gv_utf8_decode(data, length, &code);
        gv_text_add(text, bytes ? data : "\xef\xbf\xbd", bytes ? bytes : 3);
        return bytes ? bytes : 1;
    }
    char letter = gv_json_letter(byte);
    if (letter) {
        gv_text_add(text, (char[]){'\\', letter}, 2);
        return 1;
    }
    gv_text_add(text, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
    return 1;
}

void gv_text_add_json(gv_text *text, const char *data, size_t length)
{
    const char *at = data, *end = length ? data + length : data;
    gv_text_addc(text, '"');
    while (at < end) {
        const char *stop = gv_json_plain(at, end);
        gv_text_add(text, at, (size_t)(stop - at));
        at = stop;
        if (at < end)
            at += add_json_special(text, at, (size_t)(end - at));
    }
    gv_text_addc(text, '"');
}

const char *gv_text_get(const gv_text *text)
{
    return text->data ? text->data : "";
}

char *gv_text_take(gv_text *text, size_t *length)
{
    gv_text_add(text, "", 0);
    char *data = text->failed ? NULL : text->data;
    if (length)
        *length = data ? text->length : 0;
    if (!data)
        gv_free(text->data);
    *text = (gv_text){.limit = text->limit};
    return data;
}
