/* json_path.h: dotted paths into JSON, "gpt.models.0", as texts with a length. Any thread. */
#ifndef GV_BASE_JSON_PATH_H
#define GV_BASE_JSON_PATH_H
#include "arena.h"
#include "json.h"

#define GV_JSON_WHY 256         /* room for a sentence that says why not */

/* False: why says what is wrong with it: empty, an empty part, a part that begins with '$', a NUL, more than so many
 * parts. */
bool gv_json_path_check(gv_slice path, unsigned most_parts, char why[GV_JSON_WHY]);
/* why: the path "…" and what; a long path is cut. Returns false. */
bool gv_json_path_refuse(gv_slice path, const char *what, char why[GV_JSON_WHY]);
/* The part that begins at byte skip. */
gv_slice gv_json_path_part(gv_slice path, size_t skip);
/* A part as a place in an array: digits without leading zeros. */
bool gv_json_path_place(gv_slice part, size_t *place);
/* A raw key without quotes and escapes: a piece of raw, or in the arena. False: no memory. */
bool gv_json_path_key(gv_arena *arena, gv_slice raw, gv_slice *key);
#endif
