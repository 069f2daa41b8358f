/* text.h: a slice of text, and a buffer that grows. A failed append (no memory, or past the limit) sticks: append on,
 * check `failed` once at the end. */
#ifndef GV_BASE_TEXT_H
#define GV_BASE_TEXT_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct gv_slice {       /* borrowed, not ended by NUL; data NULL: not there */
    const char *data;
    size_t length;
} gv_slice;

static inline gv_slice gv_slice_of(const char *text)
{
    gv_slice slice = {text, text ? strlen(text) : 0};
    return slice;
}
bool gv_slice_is(gv_slice slice, const char *text);
int gv_slice_compare(gv_slice a, gv_slice b);   /* as memcmp; the shorter one first; neither is NULL */
uint64_t gv_slice_hash(gv_slice slice);         /* FNV-1a: spreads over a table, keeps no secret */
#define GV_HASH_START UINT64_C(14695981039346656037)
uint64_t gv_slice_hash_on(uint64_t hash, gv_slice slice);       /* the same piece by piece, from GV_HASH_START on */

typedef struct gv_text {        /* all zero: empty, without limit */
    char *data;                 /* ended by NUL once something was appended; NULL before */
    size_t length, room;
    size_t limit;               /* most bytes; 0: none */
    bool failed;
} gv_text;

void gv_text_free(gv_text *text);                                               /* empty again; the limit stays */
void gv_text_clear(gv_text *text);                                              /* keeps the memory */
void gv_text_add(gv_text *text, const char *data, size_t length);
void gv_text_adds(gv_text *text, const char *string);
void gv_text_addc(gv_text *text, char c);
void gv_text_addf(gv_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gv_text_addv(gv_text *text, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* A JSON string with its quotes: raw UTF-8, control bytes below 0x20 escaped, each bad byte as U+FFFD. */
void gv_text_add_json(gv_text *text, const char *data, size_t length);
const char *gv_text_get(const gv_text *text);                                   /* "" for an empty one; never NULL */
/* The bytes now belong to the caller (gv_free), "" for an empty one; NULL when failed. The buffer is empty again. */
char *gv_text_take(gv_text *text, size_t *length);
#endif
