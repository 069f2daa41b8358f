/* json.h: JSON as text: checked, walked and rewritten token by token, never parsed into values and printed again, so
 * digits, key order and duplicate keys stay as they came. RFC 8259, strict: no BOM, no [01], no raw control bytes,
 * valid UTF-8, \u surrogates only in pairs. No recursion: depth is bounded by the caller. All walking functions take
 * text that has passed gv_json_check (with or without GV_JSON_NAN); on other text they stay inside it but may return
 * nonsense. */
#ifndef GV_BASE_JSON_H
#define GV_BASE_JSON_H
#include "text.h"

enum {
    GV_JSON_NAN = 1,            /* accept NaN, Infinity, -Infinity: what Python's json writes */
    GV_JSON_SURROGATES = 2      /* accept lone \u surrogates: old rows hold some */
};
#define GV_JSON_DEPTH 100       /* nesting allowed in new data */
#define GV_JSON_DEPTH_MOST 1024 /* nesting that can be read at all: Python's json stops near 1000 */

typedef enum gv_json_type {
    GV_JSON_NONE = 0, GV_JSON_OBJECT, GV_JSON_ARRAY, GV_JSON_STRING, GV_JSON_NUMBER, GV_JSON_TRUE, GV_JSON_FALSE,
    GV_JSON_NULL
} gv_json_type;

/* NULL when text is one JSON value (white space around it is fine); else why not, a static phrase such as "a key must
 * be in quotes", and where: *at, a byte offset (may be NULL; the end when it passes). depth: most nesting, taken as
 * GV_JSON_DEPTH_MOST when larger. */
const char *gv_json_check(gv_slice text, unsigned depth, unsigned flags, size_t *at);

/* The same, and where the members of the object lie that the text is: the first room of them, as gv_json_next gives
 * them. Of anything but an object there are none. */
typedef struct gv_json_pair {
    gv_slice key, value;
} gv_json_pair;
typedef struct gv_json_pairs {
    gv_json_pair *list;
    size_t room, count;         /* count: of all, also where they are more than room */
} gv_json_pairs;
const char *gv_json_check_pairs(gv_slice text, unsigned depth, unsigned flags, size_t *at, gv_json_pairs *pairs);

gv_json_type gv_json_type_of(gv_slice value);
gv_slice gv_json_trim(gv_slice text);           /* without white space around it */

/* Walk the members of an object, or the items of an array (key is then empty):
 *     gv_json_walk walk = gv_json_enter(value);
 *     while (gv_json_next(&walk, &key, &item)) …        key: raw, with its quotes; item: raw */
typedef struct gv_json_walk {
    const char *at, *end;
    bool object;
} gv_json_walk;
gv_json_walk gv_json_enter(gv_slice value);     /* of a scalar: nothing to walk */
bool gv_json_next(gv_json_walk *walk, gv_slice *key, gv_slice *item);

/* The member of an object by its plain key (unescaped comparison; of duplicates the last, as Python reads them). data
 * NULL: no. */
gv_slice gv_json_member(gv_slice object, const char *key, size_t key_length);
/* By dotted path, numbers for places in arrays: gavat_json_find. NULL or "": the value itself. */
gv_slice gv_json_at(gv_slice value, const char *path);

/* A raw string without quotes and escapes. Writes the first room bytes at most (the cut may fall inside a character;
 * no NUL is added), returns the whole length; "\u0000" gives a NUL byte, a lone surrogate U+FFFD. Anything but a
 * string: 0. */
size_t gv_json_unescape(gv_slice string, char *out, size_t room);

/* The same value as Python's json.dumps writes it: ", " and ": ", all non-ASCII as \uXXXX; numbers as they came. Adds
 * to out. */
void gv_json_to_ascii(gv_text *out, gv_slice value);
/* The same value without white space between tokens, strings raw as they came. Adds to out. */
void gv_json_to_compact(gv_text *out, gv_slice value);

/* Two objects merged by top-level key: values of over replace those of base in place, new keys follow. In Python's
 * form. Each key comes once: of duplicates the last value in the first place, as in a Python dict. Anything but an
 * object counts as {}. */
void gv_json_merge(gv_text *out, gv_slice base, gv_slice over);
#endif
