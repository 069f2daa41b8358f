#include "json_layout.h"

static gv_slice between(const char *from, const char *to)
{
    return (gv_slice){from, (size_t)(to - from)};
}

/* From the last line break of white on, with its carriage return; data NULL: there is none. */
static gv_slice line_break(gv_slice white)
{
    const char *end = white.data + white.length, *at = end;
    while (at > white.data && at[-1] != '\n')
        at--;
    if (at == white.data)
        return (gv_slice){NULL, 0};
    at--;
    return between(at > white.data && at[-1] == '\r' ? at - 1 : at, end);
}

/* What one level adds: the margin of the parts less that of the line on which they open. */
static gv_slice unit_of(gv_slice margin, const gv_json_style *around)
{
    size_t outer = around->margin.length;
    if (margin.length > outer && memcmp(margin.data, around->margin.data, outer) == 0)
        return between(margin.data + outer, margin.data + margin.length);
    return around->unit;
}

bool gv_json_lay_out_empty(gv_arena *arena, gv_json_layout *l, const gv_json_style *around)
{
    l->style = *around;
    if (!around->lines) {
        l->next = around->comma;
        return true;
    }
    size_t margin = around->margin.length + around->unit.length;
    char *text = gv_arena_alloc(arena, margin + 2);
    if (!text)
        return false;
    memcpy(text, ",\n", 2);
    memcpy(text + 2, around->margin.data, around->margin.length);
    memcpy(text + 2 + around->margin.length, around->unit.data, around->unit.length);
    l->next = (gv_slice){text, margin + 2};
    l->lead = (gv_slice){text + 1, margin + 1};
    l->style.margin = (gv_slice){text + 2, margin};
    l->tail = (gv_slice){text + 1, 1 + around->margin.length};
    return true;
}

/* white: what is in front of the last part, with its comma unless it is the only one. */
static bool lay_out_like(gv_arena *arena, gv_json_layout *l, gv_slice white, const gv_json_style *around)
{
    const char *comma = memchr(white.data, ',', white.length), *end = white.data + white.length;
    gv_slice line = line_break(comma ? between(comma + 1, end) : white);
    gv_slice line_before = line_break(comma ? between(white.data, comma) : between(end, end));
    l->style.lines = line.data || line_before.data;
    if (comma)
        l->next = white;
    else if (!line.data)
        l->next = l->style.comma;
    if (!l->style.lines) {
        l->style.comma = l->next;
        return true;
    }
    gv_slice last = line.data ? line : line_before;
    l->style.margin = between((const char *)memchr(last.data, '\n', last.length) + 1, last.data + last.length);
    l->style.unit = unit_of(l->style.margin, around);
    if (!line.data)             /* commas begin the lines */
        return true;
    char *text = gv_arena_alloc(arena, line.length + 1);
    if (!text)
        return false;
    text[0] = ',';
    memcpy(text + 1, line.data, line.length);
    l->next = (gv_slice){text, line.length + 1};
    return true;
}

bool gv_json_lay_out(gv_arena *arena, gv_json_layout *l, gv_slice value, const gv_json_style *around)
{
    gv_slice key, item, white = {NULL, 0};
    gv_json_walk walk = gv_json_enter(value);
    const char *behind = walk.at;
    *l = (gv_json_layout){.style = *around, .inner = walk.at};
    while (gv_json_next(&walk, &key, &item)) {
        white = between(behind, walk.object ? key.data : item.data);
        if (l->count++ == 0)
            l->lead = white;
        behind = item.data + item.length;
        if (walk.object)
            l->style.colon = between(key.data + key.length, item.data);
    }
    if (l->count == 0)
        return gv_json_lay_out_empty(arena, l, around);
    l->tail = between(behind, walk.end - 1);
    if (l->count == 1 && l->style.colon.length == 1)
        l->style.comma = gv_slice_of(",");
    return lay_out_like(arena, l, white, around);
}
