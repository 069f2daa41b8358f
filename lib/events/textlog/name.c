#include "textlog.h"

#include "../../base/utf8.h"

#define LONGEST 200             /* bytes of a name that is kept whole */
#define KEPT 180                /* of a longer one */
#define HASH_START UINT64_C(14695981039346656037)
#define HASH_STEP UINT64_C(1099511628211)

static uint64_t hash_on(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * HASH_STEP;
    return hash;
}

uint64_t gv_text_log_hash(const char *text, size_t length)
{
    return hash_on(HASH_START, text, length);
}

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
    uint64_t hash = HASH_START;
    for (size_t left = strlen(user); left > 0; user += taken, left -= taken) {
        char piece[4];
        size_t bytes = encode(user, left, length == 0, piece, &taken);
        hash = hash_on(hash, piece, bytes);
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
