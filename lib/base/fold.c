#include "fold.h"

#include "fold_table.h"
#include "utf8.h"

enum { CHUNK = 512 };

/* Folds whole words of ASCII; how many bytes it did. */
static size_t fold_ascii(const char *data, size_t length, char *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    size_t at = 0;
    for (; length - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, data + at, 8);
        if (word & high)
            break;
        /* In each byte the high bit says: 'A' or above, and not above 'Z'. Bytes below 0x80 cannot carry. */
        uint64_t upper = (word + ones * (0x80 - 'A')) & ~(word + ones * (0x7f - 'Z')) & high;
        word |= upper >> 2;
        memcpy(out + at, &word, 8);
    }
    return at;
}

static size_t fold_code(uint32_t code, const char *data, size_t length, char *out)
{
    unsigned place = 0;
    if (code < gv_fold_limit)
        place = gv_fold_places[gv_fold_blocks[code >> GV_FOLD_SHIFT]][code % GV_FOLD_BLOCK];
    if (place == 0) {
        memcpy(out, data, length);
        return length;
    }
    const uint8_t *bytes = gv_fold_bytes + place;
    for (size_t i = 0; i < bytes[0]; i++)
        out[i] = (char)bytes[1 + i];
    return bytes[0];
}

size_t gv_fold(const char *data, size_t length, char *out)
{
    const char *start = out;
    size_t at = 0;
    while (at < length) {
        unsigned char byte = (unsigned char)data[at];
        if (byte < 0x80) {
            size_t words = fold_ascii(data + at, length - at, out);
            at += words;
            out += words;
            for (; at < length && (byte = (unsigned char)data[at]) < 0x80; at++)
                *out++ = (char)(byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte);
            continue;
        }
        uint32_t code;
        size_t bytes = gv_utf8_decode(data + at, length - at, &code);
        if (bytes == 0) {
            *out++ = data[at++];
            continue;
        }
        out += fold_code(code, data + at, bytes, out);
        at += bytes;
    }
    return (size_t)(out - start);
}

/* The most that can be folded at once without cutting a character: up to three bytes less when the cut falls inside
 * one. After four continuation bytes in a row there is no character that it could fall into. */
static size_t whole_length(const char *data, size_t length)
{
    if (length <= CHUNK)
        return length;
    size_t cut = CHUNK;
    while (cut >= CHUNK - 3 && ((unsigned char)data[cut] & 0xc0) == 0x80)
        cut--;
    return cut >= CHUNK - 3 ? cut : CHUNK;
}

void gv_fold_add(gv_text *out, gv_slice text)
{
    char folded[CHUNK * GV_FOLD_GROWTH];
    const char *data = text.data;
    size_t left = data ? text.length : 0;
    while (left > 0 && !out->failed) {
        size_t count = whole_length(data, left);
        gv_text_add(out, folded, gv_fold(data, count, folded));
        data += count;
        left -= count;
    }
}

bool gv_fold_contains(gv_slice text, gv_slice needle, gv_text *scratch)
{
    gv_text_clear(scratch);
    if (!needle.data || needle.length == 0)
        return true;
    gv_fold_add(scratch, text);
    if (scratch->failed || scratch->length < needle.length)
        return false;
    return memmem(scratch->data, scratch->length, needle.data, needle.length) != NULL;
}
