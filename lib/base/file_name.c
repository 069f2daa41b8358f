#include "file_name.h"

#include "sha256.h"

#define BEGINNING 120           /* bytes of the text that a long stem shows at most */
#define LONG_TAIL (2 + GV_SHA256_TEXT)

static bool starts(const char *at, const char *end, const char *with)
{
    size_t length = strlen(with);
    return (size_t)(end - at) >= length && memcmp(at, with, length) == 0;
}

/* "~" and 64 hexadecimal digits up to the end, what follows the '%' of a long stem. */
static bool is_long_tail(const char *at, const char *end)
{
    if (end - at != LONG_TAIL - 1 || *at != '~')
        return false;
    while (++at < end) {
        if (!(*at >= '0' && *at <= '9') && !(*at >= 'a' && *at <= 'f'))
            return false;
    }
    return true;
}

/* Whether a '%' in front of at reads as an encoding, or would once the '%' of each "25" is decoded. So exactly those
 * get one more "25", and the pairing stays one to one. first: the '%' begins the text. */
static bool is_reserved(const char *at, const char *end, bool first)
{
    while (starts(at, end, "25"))
        at += 2;
    if (starts(at, end, "2F") || starts(at, end, "00") || is_long_tail(at, end))
        return true;
    return first && (at == end || starts(at, end, "2E"));
}

/* What stands for the byte at at; NULL: itself. */
static const char *encoding_of(const char *at, const char *end, bool first)
{
    switch (*at) {
    case '/': return "%2F";
    case '\0': return "%00";
    case '.': return first ? "%2E" : NULL;
    case '%': return is_reserved(at + 1, end, first) ? "%25" : NULL;
    default: return NULL;
    }
}

/* Adds the stem of text in its plain form while it has at most `most` bytes; false: there is more. A character is
 * never cut. */
static bool add_plain(gv_text *out, gv_slice text, size_t most)
{
    const char *start = text.data, *end = start + text.length;
    size_t room = most;
    for (const char *at = start; at < end;) {
        const char *encoding = encoding_of(at, end, at == start), *next = at + 1;
        while (next < end && ((unsigned char)*next & 0xc0) == 0x80 && next - at < 4)
            next++;
        if (encoding)
            next = at + 1;
        size_t length = encoding ? strlen(encoding) : (size_t)(next - at);
        if (length > room)
            return false;
        gv_text_add(out, encoding ? encoding : at, length);
        room -= length;
        at = next;
    }
    return true;
}

void gv_file_name_encode(gv_text *out, gv_slice text)
{
    size_t before = out->length;
    char digest[GV_SHA256_TEXT + 1];
    if (text.length == 0) {
        gv_text_addc(out, '%');
        return;
    }
    if (add_plain(out, text, GV_FILE_NAME_MOST) || out->failed)
        return;
    out->length = before;
    add_plain(out, text, BEGINNING);
    gv_sha256_text(text, digest);
    gv_text_adds(out, "%~");
    gv_text_adds(out, digest);
}

gv_file_name gv_file_name_decode(gv_text *out, gv_slice stem)
{
    const char *at = stem.data, *end = at + stem.length;
    if (stem.length == 0 || stem.length > GV_FILE_NAME_MOST || *at == '.' || memchr(at, '/', stem.length) ||
        memchr(at, '\0', stem.length))
        return GV_FILE_NAME_NONE;
    if (stem.length >= LONG_TAIL && end[-LONG_TAIL] == '%' && is_long_tail(end - LONG_TAIL + 1, end))
        return GV_FILE_NAME_LONG;
    if (stem.length == 1 && *at == '%')
        return GV_FILE_NAME_TEXT;
    while (at < end) {
        bool first = at == stem.data;
        const char *behind = at + 1;
        char c = *at;
        if (c != '%' || starts(behind, end, "25")) {
            at += c == '%' && is_reserved(at + 3, end, first) ? 3 : 1;
        } else if (starts(behind, end, "2F") || starts(behind, end, "00")) {
            c = at[1] == '2' ? '/' : '\0';
            at += 3;
        } else if (first && starts(behind, end, "2E")) {
            c = '.';
            at += 3;
        } else {
            at++;
        }
        gv_text_addc(out, c);
    }
    return GV_FILE_NAME_TEXT;
}
