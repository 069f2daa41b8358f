/* json_indent.h: JSON text laid out anew, token by token: numbers, key order and duplicate keys stay as they came,
 * strings come as Python's json.dumps(ensure_ascii=False) writes them: raw UTF-8, escapes only where they must be (a
 * lone surrogate stays its escape). Text must have passed gv_json_check. Any thread. */
#ifndef GV_BASE_JSON_INDENT_H
#define GV_BASE_JSON_INDENT_H
#include "json.h"

/* {} and [] are always compact. */
typedef struct gv_json_style {
    bool lines;         /* a member or item a line; else all on one line */
    gv_slice margin;    /* on lines: the indentation of the line on which the value begins */
    gv_slice unit;      /* on lines: what each level adds */
    gv_slice comma;     /* on one line: ", " or "," */
    gv_slice colon;     /* ": " or ":" */
} gv_json_style;

/* json.dumps(indent=2, ensure_ascii=False): what the original's profile files are written by. */
extern const gv_json_style gv_json_indent_2;

/* Adds to out. On lines a deeply nested text grows manifold: bound it by out->limit. */
void gv_json_print(gv_text *out, gv_slice value, const gv_json_style *style);
#endif
