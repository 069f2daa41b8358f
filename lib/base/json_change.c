#include "json_change.h"

#include <stdio.h>
#include <stdlib.h>

#include "json_layout.h"

#define FILL_MOST 1500000       /* nulls that one change puts into an array: MongoDB's bound too */

typedef struct editor {
    gv_text *out;
    gv_arena scratch;
    char *why;
} editor;

typedef struct trail {          /* the way to where the editor is */
    const struct trail *up;
    gv_slice key;
} trail;

static gv_slice between(const char *from, const char *to)
{
    return (gv_slice){from, (size_t)(to - from)};
}

static void add(editor *e, gv_slice slice)
{
    gv_text_add(e->out, slice.data, slice.length);
}

static bool no_memory(editor *e)
{
    e->why[0] = '\0';
    return false;
}

/* "a.b", of a long path the end. */
static const char *say_path(const trail *at, gv_text *path)
{
    const trail *way[GV_JSON_DEPTH + 2];
    size_t count = 0, cut;
    for (; at && at->up && count < GV_JSON_DEPTH + 2; at = at->up)
        way[count++] = at;
    while (count > 0) {
        gv_text_add(path, way[count - 1]->key.data, way[count - 1]->key.length);
        if (--count > 0)
            gv_text_addc(path, '.');
    }
    cut = path->length > 100 ? path->length - 100 : 0;
    while (cut < path->length && cut > 0 && ((unsigned char)path->data[cut] & 0xc0) == 0x80)
        cut++;
    return gv_text_get(path) + cut;
}

static bool refuse(editor *e, const trail *at, const char *what)
{
    gv_text path = {0};
    const char *said = say_path(at, &path);
    snprintf(e->why, GV_JSON_WHY, "\"%s\" %s", said, what);
    gv_text_free(&path);
    return false;
}

static const char *type_phrase(gv_json_type type)
{
    switch (type) {
    case GV_JSON_STRING: return "is a text: nothing can be set inside it";
    case GV_JSON_NUMBER: return "is a number: nothing can be set inside it";
    case GV_JSON_NULL: return "is null: nothing can be set inside it";
    default: return "is a boolean: nothing can be set inside it";
    }
}

/* The place in changes of the one for this raw key; changes.count: none, or memory is out (then *failed). */
static size_t find(editor *e, gv_json_changes changes, gv_slice raw, bool *failed)
{
    gv_slice key;
    size_t low = 0, high = changes.count;
    if (!gv_json_path_key(&e->scratch, raw, &key)) {
        *failed = true;
        return changes.count;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gv_slice_compare(changes.list[middle].key, key);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return changes.count;
}

/* --- New members --- */

static int compare_orders(const void *a, const void *b)
{
    const gv_json_change *one = *(const gv_json_change *const *)a, *two = *(const gv_json_change *const *)b;
    return (one->order > two->order) - (one->order < two->order);
}

/* The changes that make something and have no place yet, by order, ended by NULL; NULL: no memory. found may be
 * NULL. */
static const gv_json_change **new_ones(editor *e, gv_json_changes changes, const char *const *found)
{
    const gv_json_change **list = gv_arena_alloc(&e->scratch, (changes.count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list && i < changes.count; i++) {
        const gv_json_change *change = &changes.list[i];
        if ((change->adds || change->deed == GV_JSON_DEFAULT) && !(found && found[i]))
            list[count++] = change;
    }
    if (count > 1)
        qsort(list, count, sizeof *list, compare_orders);
    return list;
}

static bool add_new_value(editor *e, const gv_json_change *change, const gv_json_style *style);

/* key: value, in the layout of the members beside it. */
static bool add_new_member(editor *e, const gv_json_change *change, const gv_json_style *style)
{
    gv_text_add_json(e->out, change->key.data, change->key.length);
    add(e, style->colon);
    return add_new_value(e, change, style);
}

/* The recursion is as deep as the path. */
static bool add_new_value(editor *e, const gv_json_change *change, const gv_json_style *style)
{
    if (change->deed != GV_JSON_INTO) {
        gv_json_print(e->out, change->value, style);
        return true;
    }
    gv_json_layout l = {0};
    const gv_json_change **list = new_ones(e, change->inside, NULL);
    if (!list || !gv_json_lay_out_empty(&e->scratch, &l, style))
        return no_memory(e);
    gv_text_addc(e->out, '{');
    add(e, l.lead);
    for (size_t i = 0; list[i]; i++) {
        if (i > 0)
            add(e, l.next);
        if (!add_new_member(e, list[i], &l.style))
            return false;
    }
    add(e, l.tail);
    gv_text_addc(e->out, '}');
    return true;
}

/* --- Editing what is there --- */

static bool edit_object(editor *e, gv_slice object, gv_json_changes changes, const gv_json_style *around,
                        const trail *at);
static bool edit_array(editor *e, gv_slice array, gv_json_changes changes, const gv_json_style *around,
                       const trail *at);

/* The value that a change finds in its place, already without those that are taken away. */
static bool edit_value(editor *e, gv_slice value, const gv_json_change *change, const gv_json_style *style,
                       const trail *at)
{
    gv_json_type type = gv_json_type_of(value);
    const trail here = {at, change->key};
    if (change->deed == GV_JSON_SET) {
        gv_json_print(e->out, change->value, style);
        return true;
    }
    if (change->deed == GV_JSON_UNSET) {        /* of an array */
        gv_text_add(e->out, "null", 4);
        return true;
    }
    if (type == GV_JSON_OBJECT)
        return edit_object(e, value, change->inside, style, &here);
    if (type == GV_JSON_ARRAY && change->deed == GV_JSON_INTO)
        return edit_array(e, value, change->inside, style, &here);
    if (change->adds)
        return refuse(e, &here, type_phrase(type));
    add(e, value);
    return true;
}

/* For each change where its member's value begins, of duplicates the last; NULL: no memory. */
static const char **find_members(editor *e, gv_slice object, gv_json_changes changes)
{
    gv_slice key, item;
    bool failed = false;
    const char **found = gv_arena_alloc(&e->scratch, (changes.count + 1) * sizeof *found);
    gv_json_walk walk = gv_json_enter(object);
    while (found && gv_json_next(&walk, &key, &item))
        found[find(e, changes, key, &failed)] = item.data;
    return failed ? NULL : found;
}

/* The members that are there; *kept: how many stay. */
static bool edit_members(editor *e, gv_slice object, gv_json_changes changes, const gv_json_layout *l,
                         const char *const *found, const trail *at, size_t *kept)
{
    gv_slice key, item;
    bool failed = false;
    gv_json_walk walk = gv_json_enter(object);
    const char *behind = l->inner;
    while (gv_json_next(&walk, &key, &item)) {
        size_t place = find(e, changes, key, &failed);
        const gv_json_change *change = place < changes.count ? &changes.list[place] : NULL;
        gv_slice lead = between(behind, key.data);
        if (failed)
            return no_memory(e);
        behind = item.data + item.length;
        if (change && change->deed == GV_JSON_UNSET)
            continue;
        add(e, (*kept)++ == 0 ? l->lead : lead);
        if (!change || found[place] != item.data) {
            add(e, between(key.data, behind));
            continue;
        }
        add(e, between(key.data, item.data));
        if (!edit_value(e, item, change, &l->style, at))
            return false;
    }
    return true;
}

static bool edit_object(editor *e, gv_slice object, gv_json_changes changes, const gv_json_style *around,
                        const trail *at)
{
    gv_json_layout l;
    size_t kept = 0;
    const char **found = find_members(e, object, changes);
    const gv_json_change **list = found ? new_ones(e, changes, found) : NULL;
    if (!list || !gv_json_lay_out(&e->scratch, &l, object, around))
        return no_memory(e);
    if (l.count == 0 && !list[0]) {
        add(e, object);
        return true;
    }
    gv_text_addc(e->out, '{');
    if (!edit_members(e, object, changes, &l, found, at, &kept))
        return false;
    for (size_t i = 0; list[i]; i++) {
        add(e, kept++ == 0 ? l.lead : l.next);
        if (!add_new_member(e, list[i], &l.style))
            return false;
    }
    if (kept > 0)
        add(e, l.tail);
    gv_text_addc(e->out, '}');
    return true;
}

/* A change of an array's item. */
typedef struct place {
    size_t index;
    const gv_json_change *change;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *one = a, *two = b;
    return (one->index > two->index) - (one->index < two->index);
}

/* The changes of an array by place; those that cannot be in it and would add nothing are left out. */
static bool read_places(editor *e, gv_json_changes changes, const trail *at, place **places, size_t *count)
{
    *count = 0;
    *places = gv_arena_alloc(&e->scratch, changes.count * sizeof **places);
    if (!*places)
        return no_memory(e);
    for (size_t i = 0; i < changes.count; i++) {
        const gv_json_change *change = &changes.list[i];
        place *p = &(*places)[*count];
        const trail here = {at, change->key};
        p->change = change;
        if (gv_json_path_place(change->key, &p->index))
            ++*count;
        else if (change->adds)
            return refuse(e, &here, "cannot be set: what it is in is an array, where a path goes on with a place "
                          "such as 0");
    }
    qsort(*places, *count, sizeof **places, compare_places);
    return true;
}

/* Items behind the last one, from the place with the number `next` on; null where no change is. */
static bool fill_array(editor *e, const place *at_place, const place *end, size_t length, const gv_json_layout *l,
                       const trail *at)
{
    for (size_t filled = 0; at_place < end; at_place++) {
        const gv_json_change *change = at_place->change;
        const trail here = {at, change->key};
        if (!change->adds)
            continue;
        for (; length < at_place->index; length++) {
            if (++filled > FILL_MOST)
                return refuse(e, &here, "is too far behind the end of its array");
            add(e, length == 0 ? l->lead : l->next);
            gv_text_add(e->out, "null", 4);
            if (e->out->failed)
                return no_memory(e);
        }
        add(e, length++ == 0 ? l->lead : l->next);
        if (!add_new_value(e, change, &l->style))
            return false;
    }
    return true;
}

static bool edit_array(editor *e, gv_slice array, gv_json_changes changes, const gv_json_style *around,
                       const trail *at)
{
    gv_json_layout l;
    place *places;
    size_t count, length = 0, used = 0;
    gv_slice key, item;
    if (!read_places(e, changes, at, &places, &count))
        return false;
    if (!gv_json_lay_out(&e->scratch, &l, array, around))
        return no_memory(e);
    size_t before = e->out->length;
    gv_text_addc(e->out, '[');
    gv_json_walk walk = gv_json_enter(array);
    for (const char *behind = l.inner; gv_json_next(&walk, &key, &item); length++) {
        add(e, between(behind, item.data));
        behind = item.data + item.length;
        if (used == count || places[used].index != length)
            add(e, item);
        else if (!edit_value(e, item, places[used++].change, &l.style, at))
            return false;
    }
    if (!fill_array(e, places + used, places + count, length, &l, at))
        return false;
    if (length == 0 && !e->out->failed && e->out->length == before + 1) {
        e->out->length = before;
        add(e, array);
        return true;
    }
    add(e, l.tail);
    gv_text_addc(e->out, ']');
    return true;
}

bool gv_json_apply(gv_text *out, gv_slice document, gv_json_changes changes, char why[GV_JSON_WHY])
{
    editor e = {.out = out, .why = why};
    const trail root = {0};
    why[0] = '\0';
    if (gv_json_type_of(document) != GV_JSON_OBJECT) {
        snprintf(why, GV_JSON_WHY, "the document is not a JSON object");
        return false;
    }
    gv_slice object = gv_json_trim(document);
    const char *behind = object.data + object.length;
    add(&e, between(document.data, object.data));
    bool done = edit_object(&e, object, changes, &gv_json_indent_2, &root);
    add(&e, between(behind, document.data + document.length));
    gv_arena_free(&e.scratch);
    return done && !out->failed;
}
