/* json_patch.c: reads what to change: paths with values, defaults, members. The tree of changes comes out of the paths
 * in their order: those that go the same way lie together. */
#include <stdio.h>
#include <stdlib.h>

#include "json_change.h"
#include "memory.h"

typedef struct entry {
    gv_slice path, value;       /* value.data NULL: unset */
    size_t order;
} entry;

/* With the dot below every other byte, paths that begin with the same parts follow each other, and the parts of one
 * level come in the order of their bytes. */
static int compare_paths(const void *a, const void *b)
{
    gv_slice one = ((const entry *)a)->path, two = ((const entry *)b)->path;
    size_t shorter = one.length < two.length ? one.length : two.length;
    for (size_t i = 0; i < shorter; i++) {
        unsigned char x = (unsigned char)one.data[i], y = (unsigned char)two.data[i];
        if (x != y)
            return x == '.' ? -1 : y == '.' ? 1 : x < y ? -1 : 1;
    }
    return (one.length > two.length) - (one.length < two.length);
}

/* Entries in order; no path lies inside another. */
static bool check_overlap(const entry *entries, size_t count, char why[GV_JSON_WHY])
{
    for (size_t i = 1; i < count; i++) {
        gv_slice outer = entries[i - 1].path, inner = entries[i].path;
        if (inner.length < outer.length || memcmp(inner.data, outer.data, outer.length) != 0)
            continue;
        if (inner.length == outer.length)
            return gv_json_path_refuse(inner, "is given twice", why);
        if (inner.data[outer.length] == '.')
            return gv_json_path_refuse(inner, "lies inside another path that is given", why);
    }
    return true;
}

/* How many entries from the first on go through the same part. */
static size_t run_of(const entry *entries, size_t count, size_t skip)
{
    size_t run = 1;
    gv_slice part = gv_json_path_part(entries[0].path, skip);
    while (run < count && gv_slice_compare(part, gv_json_path_part(entries[run].path, skip)) == 0)
        run++;
    return run;
}

/* The entries share the first skip bytes of their paths. As deep as the paths. */
static bool build(gv_arena *arena, const entry *entries, size_t count, size_t skip, gv_json_changes *changes)
{
    size_t parts = 0, size;
    for (size_t i = 0; i < count; i += run_of(entries + i, count - i, skip))
        parts++;
    gv_json_change *list = gv_multiply_size(parts, sizeof *list, &size) ? gv_arena_alloc(arena, size) : NULL;
    if (!list)
        return false;
    *changes = (gv_json_changes){list, parts};
    for (gv_json_change *change = list; count > 0; change++) {
        size_t run = run_of(entries, count, skip);
        change->key = gv_json_path_part(entries->path, skip);
        change->order = entries->order;
        if (skip + change->key.length < entries->path.length) {
            if (!build(arena, entries, run, skip + change->key.length + 1, &change->inside))
                return false;
            for (size_t i = 0; i < change->inside.count; i++) {
                const gv_json_change *inner = &change->inside.list[i];
                change->adds = change->adds || inner->adds;
                change->order = inner->order < change->order ? inner->order : change->order;
            }
        } else {
            change->value = entries->value;
            change->adds = entries->value.data != NULL;
            change->deed = change->adds ? GV_JSON_SET : GV_JSON_UNSET;
        }
        entries += run;
        count -= run;
    }
    return true;
}

static size_t count_parts(gv_slice value)
{
    gv_slice key, item;
    size_t count = 0;
    for (gv_json_walk walk = gv_json_enter(value); gv_json_next(&walk, &key, &item);)
        count++;
    return count;
}

static bool check_set(gv_slice set, char why[GV_JSON_WHY])
{
    size_t at = 0;
    const char *wrong = gv_json_check(set, GV_JSON_DEPTH, 0, &at);
    if (wrong)
        snprintf(why, GV_JSON_WHY, "set is not JSON at byte %zu: %s", at, wrong);
    else if (gv_json_type_of(set) != GV_JSON_OBJECT)
        snprintf(why, GV_JSON_WHY, "set must be a JSON object of paths and values such as {\"gpt.temperature\": 0.7}");
    else
        return true;
    return false;
}

bool gv_json_read_patch(gv_arena *arena, gv_slice set, const gv_slice *unset, size_t unset_count,
                        gv_json_changes *changes, char why[GV_JSON_WHY])
{
    gv_slice key, item;
    size_t count = 0, size;
    why[0] = '\0';
    *changes = (gv_json_changes){NULL, 0};
    if (set.data && !check_set(set, why))
        return false;
    if (!gv_add_size(unset_count, set.data ? count_parts(set) : 0, &size) ||
        !gv_multiply_size(size, sizeof(entry), &size))
        return false;
    entry *entries = gv_arena_alloc(arena, size);
    if (!entries)
        return false;
    gv_json_walk walk = gv_json_enter(set);
    while (gv_json_next(&walk, &key, &item)) {
        entry *e = &entries[count];
        *e = (entry){.value = item, .order = count};
        count++;
        if (!gv_json_path_key(arena, key, &e->path) || !gv_json_path_check(e->path, GV_JSON_DEPTH, why))
            return false;
    }
    for (size_t i = 0; i < unset_count; i++) {
        entries[count] = (entry){.path = unset[i], .order = count};
        count++;
        if (!gv_json_path_check(unset[i], GV_JSON_DEPTH, why))
            return false;
    }
    qsort(entries, count, sizeof *entries, compare_paths);
    return check_overlap(entries, count, why) && (count == 0 || build(arena, entries, count, 0, changes));
}

static int compare_changes(const void *a, const void *b)
{
    return gv_slice_compare(((const gv_json_change *)a)->key, ((const gv_json_change *)b)->key);
}

/* As deep as the text, which is bounded. */
bool gv_json_read_defaults(gv_arena *arena, gv_slice defaults, gv_json_changes *changes, char why[GV_JSON_WHY])
{
    gv_slice key, item;
    size_t count = 0, kept = 0, size;
    why[0] = '\0';
    *changes = (gv_json_changes){NULL, 0};
    if (gv_json_type_of(defaults) != GV_JSON_OBJECT) {
        snprintf(why, GV_JSON_WHY, "the defaults must be a JSON object");
        return false;
    }
    if (!gv_multiply_size(count_parts(defaults), sizeof(gv_json_change), &size))
        return false;
    gv_json_change *list = gv_arena_alloc(arena, size);
    if (!list)
        return false;
    gv_json_walk walk = gv_json_enter(defaults);
    while (gv_json_next(&walk, &key, &item)) {
        gv_json_change *change = &list[count];
        *change = (gv_json_change){.value = item, .order = count++, .deed = GV_JSON_DEFAULT};
        if (!gv_json_path_key(arena, key, &change->key))
            return false;
        if (gv_json_type_of(item) == GV_JSON_OBJECT && !gv_json_read_defaults(arena, item, &change->inside, why))
            return false;
    }
    /* Of a key that comes twice the last one counts. */
    qsort(list, count, sizeof *list, compare_changes);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_changes(&list[kept - 1], &list[i]) == 0) {
            if (list[kept - 1].order < list[i].order)
                list[kept - 1] = list[i];
        } else {
            list[kept++] = list[i];
        }
    }
    *changes = (gv_json_changes){list, kept};
    return true;
}

void gv_json_set_members(gv_text *out, gv_slice document, const gv_json_member_value *members, size_t count)
{
    enum { MOST = 16 };
    gv_json_change list[MOST];
    char why[GV_JSON_WHY];
    size_t used = count < MOST ? count : MOST;
    for (size_t i = 0; i < used; i++) {
        bool adds = members[i].value.data != NULL;
        list[i] = (gv_json_change){.key = gv_slice_of(members[i].key), .value = members[i].value, .order = i,
            .deed = adds ? GV_JSON_SET : GV_JSON_UNSET, .adds = adds};
    }
    qsort(list, used, sizeof *list, compare_changes);
    if (gv_json_type_of(document) != GV_JSON_OBJECT)
        document = gv_slice_of("{}");
    if (!gv_json_apply(out, document, (gv_json_changes){list, used}, why))
        out->failed = true;
}
