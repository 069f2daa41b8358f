/* json.h: looking through JSON texts without building anything: what a value's text is, what members it has, whether
 * it is JSON. */
#ifndef CTL_JSON_H
#define CTL_JSON_H
#include "buffer.h"

typedef struct ctl_slice { /* not ended by NUL */
    const char *data;
    size_t length;
} ctl_slice;

/* Members of an object, or values of an array (their key is empty). */
typedef struct ctl_walk {
    const char *at, *end;
    bool array, first;
} ctl_walk;

bool ctl_walk_begin(ctl_walk *walk, ctl_slice json);                  /* false: json is neither */
bool ctl_walk_next(ctl_walk *walk, ctl_slice *key, ctl_slice *value); /* key with its quotes */

bool ctl_json_valid(ctl_slice json); /* grammar, UTF-8, at most 200 levels */

/* Adds the text of a string without quotes and escapes, "" for null, anything else as it stands. */
void ctl_json_plain(ctl_buffer *out, ctl_slice value);

/* Adds value as the Python system writes it to files: a line for each member, two blanks a level. */
void ctl_json_indent(ctl_buffer *out, ctl_slice value, unsigned level);

/* The raw text of one member of a record; length 0: not there. */
ctl_slice ctl_json_member(const char *record, const char *key);
#endif
