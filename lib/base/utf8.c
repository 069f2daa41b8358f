#include "utf8.h"

#include <string.h>

static const uint64_t high_bits = UINT64_C(0x8080808080808080);

size_t gv_utf8_decode(const char *data, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)data;
    if (length == 0)
        return 0;
    if (at[0] < 0x80) {
        *code = at[0];
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size_t need = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (length < need)
        return 0;
    uint32_t value = at[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3fu);
    }
    if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return need;
}

size_t gv_utf8_encode(uint32_t code, char out[4])
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[count] | code);
    return count;
}

size_t gv_utf8_count(const char *data, size_t length)
{
    size_t count = 0, at = 0;
    while (at < length) {
        uint64_t word;
        uint32_t code;
        if (length - at >= sizeof word && (memcpy(&word, data + at, sizeof word), (word & high_bits) == 0)) {
            at += sizeof word;
            count += sizeof word;
            continue;
        }
        size_t bytes = gv_utf8_decode(data + at, length - at, &code);
        if (bytes == 0)
            return SIZE_MAX;
        at += bytes;
        count++;
    }
    return count;
}

bool gv_utf8_valid(const char *data, size_t length)
{
    return gv_utf8_count(data, length) != SIZE_MAX;
}
