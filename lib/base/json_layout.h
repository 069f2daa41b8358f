/* json_layout.h: how the parts of a JSON object or array are laid out, so that new ones can be written as those that are
 * there. Any thread. */
#ifndef GV_BASE_JSON_LAYOUT_H
#define GV_BASE_JSON_LAYOUT_H
#include "arena.h"
#include "json_indent.h"

/* An object or array: how its parts are laid out, and where they begin and end. */
typedef struct gv_json_layout {
    gv_json_style style;        /* its margin is that of the parts */
    gv_slice lead;              /* in front of the first part; empty when there is none */
    gv_slice next;              /* what separates two parts, from the comma on */
    gv_slice tail;              /* between the last part and the closing bracket */
    const char *inner;          /* behind the opening bracket */
    size_t count;
} gv_json_layout;

/* Of an object or array, as its last part is; around: of the line on which it begins. Points into value, around and
 * arena. False: no memory. */
bool gv_json_lay_out(gv_arena *arena, gv_json_layout *l, gv_slice value, const gv_json_style *around);
/* Of one that has no parts yet: as the text around it. */
bool gv_json_lay_out_empty(gv_arena *arena, gv_json_layout *l, const gv_json_style *around);
#endif
