/* json_scan.h: what those who read and those who write JSON strings share: finding the bytes that need a look, and
 * reading escapes. Any thread; nothing is allocated. */
#ifndef GV_BASE_JSON_SCAN_H
#define GV_BASE_JSON_SCAN_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The first byte that is not printable ASCII, or is '"' or '\\'; end: none. Eight bytes at a time: a borrow or carry
 * can only mark a byte behind one that is marked rightly, so the lowest mark is always exact. */
static inline const char *gv_json_plain(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        uint64_t marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
        marks = (marks | ((word - ones * 0x20) & ~word) | word | (word + ones)) & high;
        if (marks)
            return at + (__builtin_ctzll(marks) >> 3);
        at += 8;
    }
#endif
    while (at < end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* The first '"' or '\\'; end: none. */
static inline const char *gv_json_quote(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        uint64_t marks = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
        if (marks)
            return at + (__builtin_ctzll(marks) >> 3);
        at += 8;
    }
#endif
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

static inline bool gv_json_is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *gv_json_skip_white(const char *at, const char *end)
{
    while (at < end && gv_json_is_white(*at))
        at++;
    return at;
}

/* The letter behind the backslash of a short escape as it is written; 0: this code has none. */
static inline char gv_json_letter(uint32_t code)
{
    switch (code) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

/* The UTF-16 unit of "\uXXXX" at at; false: not such an escape. */
bool gv_json_unit(const char *at, const char *end, uint32_t *unit);

/* The next code point inside a raw string (at: behind the opening quote), escapes read; a lone surrogate comes as its
 * own number, a byte that is not UTF-8 as U+FFFD. false: the closing quote or the end. */
bool gv_json_next_code(const char **at, const char *end, uint32_t *code);

/* The end of the raw string that begins at at with its quote. */
const char *gv_json_skip_string(const char *at, const char *end);
#endif
