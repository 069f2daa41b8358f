#include "width.h"
#include <utf8proc.h>

int32_t ctl_decode(const char *text, size_t length, size_t *size)
{
    utf8proc_int32_t point = -1;
    utf8proc_ssize_t most = length > 4 ? 4 : (utf8proc_ssize_t)length;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text, most, &point);
    if (used <= 0 || point < 0) {
        *size = 1;
        return -1;
    }
    *size = (size_t)used;
    return point;
}

static bool is_harmful(int32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

static void add_harmless(ctl_buffer *out, int32_t point)
{
    if (point == '\n' || point == '\r' || point == '\t')
        ctl_add_format(out, "\\%c", point == '\n' ? 'n' : point == '\r' ? 'r' : 't');
    else if (point < 0x100)
        ctl_add_format(out, "\\x%02x", (unsigned)point);
    else
        ctl_add_format(out, "\\u%04x", (unsigned)point);
}

void ctl_add_shown(ctl_buffer *out, const char *text, size_t length)
{
    for (size_t i = 0, size = 1; i < length; i += size) {
        int32_t point = ctl_decode(text + i, length - i, &size);
        if (point < 0)
            ctl_add_format(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
        else if (is_harmful(point))
            add_harmless(out, point);
        else
            ctl_add(out, text + i, size);
    }
}

/* One sign: its length in bytes, its cells in *cells. */
static size_t take_sign(const char *text, size_t length, size_t *cells)
{
    utf8proc_int32_t state = 0;
    size_t used = 0, size = 0, width = 0;
    int32_t last = ctl_decode(text, length, &size);
    if (last < 0) {
        *cells = 1;
        return 1;
    }
    width = (size_t)utf8proc_charwidth(last);
    for (used = size; used < length; used += size) {
        int32_t next = ctl_decode(text + used, length - used, &size);
        if (next < 0 || utf8proc_grapheme_break_stateful(last, next, &state))
            break;
        width += next == 0xfe0f ? 1 : (size_t)utf8proc_charwidth(next);
        last = next;
    }
    *cells = width > 2 ? 2 : width;
    return used;
}

size_t ctl_fit(const char *text, size_t length, size_t cells, size_t *width)
{
    size_t used = 0, total = 0;
    while (used < length) {
        size_t wide = 0, size = 1;
        unsigned char byte = (unsigned char)text[used];
        bool alone = byte < 0x80 && (used + 1 == length || (unsigned char)text[used + 1] < 0x80);
        if (alone)
            wide = byte >= 0x20 && byte < 0x7f;
        else
            size = take_sign(text + used, length - used, &wide);
        if (total + wide > cells)
            break;
        total += wide;
        used += size;
    }
    *width = total;
    return used;
}

size_t ctl_width(const char *text, size_t length)
{
    size_t width = 0;
    ctl_fit(text, length, SIZE_MAX / 2, &width);
    return width;
}
