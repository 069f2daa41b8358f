#include "base64.h"
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void gv_base64_encode(const unsigned char *data, size_t length, char *out)
{
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            bits |= data[i + 2];
        for (unsigned k = 0; k < (left > 2 ? 4 : left + 1); k++)
            *out++ = letters[bits >> (18 - 6 * k) & 63];
    }
    *out = '\0';
}

static bool decode_letter(char c, uint32_t *value)
{
    const char *found = c ? strchr(letters, c) : NULL;
    if (found)
        *value = (uint32_t)(found - letters);
    return found;
}

bool gv_base64_decode(const char *text, char *out, size_t *length)
{
    uint32_t bits = 0, value;
    unsigned count = 0;
    *length = 0;
    for (; *text; text++) {
        if (!decode_letter(*text, &value))
            return false;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[(*length)++] = (char)(bits >> count & 0xff);
            bits &= (1u << count) - 1;
        }
    }
    return count < 6 && bits == 0;
}
