#include "textlog.h"

#include "../../base/utf8.h"

#define LONGEST 200             /* bytes of a name that is kept whole */
#define KEPT 180                /* of a longer one */

/* How the next character of a user's name stands in the file's: piece gets its bytes, *taken what it was in the name.
 * Returns how many bytes there are; 0: it is dropped. */
static size_t encode(const char *at, size_t left, bool first, char piece[4], size_t *taken)
{
    uint32_t code;
    *taken = 1;
    if (*at == '@')
        return 0;
    const char *escape = *at == '/' ? "%2F" : *at == '%' ? "%25" : first && *at == '.' ? "%2E" : NULL;
    if (escape) {
        memcpy(piece, escape, 3);
        return 3;
    }
    size_t bytes = gv_utf8_decode(at, left, &code);
    *taken = bytes ? bytes : 1;
    memcpy(piece, at, *taken);
    return *taken;
}

void gv_text_log_name(const char *user, char out[GV_TEXT_LOG_NAME])
{
    static const char hex[] = "0123456789abcdef";
    size_t length = 0, kept = 0, taken;
    uint64_t hash = GV_HASH_START;
    for (size_t left = strlen(user); left > 0; user += taken, left -= taken) {
        char piece[4];
        size_t bytes = encode(user, left, length == 0, piece, &taken);
        hash = gv_slice_hash_on(hash, (gv_slice){piece, bytes});
        if (length + bytes <= LONGEST)
            memcpy(out + length, piece, bytes);
        length += bytes;
        if (length <= KEPT)
            kept = length;
    }
    if (length == 0)
        out[length++] = '%';
    if (length > LONGEST) {
        length = kept;
        out[length++] = '~';
        for (unsigned shift = 64; shift > 0; shift -= 4)
            out[length++] = hex[hash >> (shift - 4) & 15];
    }
    out[length] = '\0';
}
