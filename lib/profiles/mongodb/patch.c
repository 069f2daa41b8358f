/* patch.c: a patch applied to a document here. $set adds new members sorted by their names, not in the order in which they were given; where that
 * makes a difference the whole document is written instead. What the patch does not name is copied as it is, type by type. Any thread. */
#include "mongodb.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct patching {
    bool sorts;                 /* the server's $set would put new members elsewhere */
    char *why;
} patching;

static bool apply(patching *p, bson_t *out, bson_iter_t *stored, gv_json_changes changes);

static const gv_json_change *change_of(gv_json_changes changes, const char *key, size_t length)
{
    for (size_t i = 0; i < changes.count; i++) {
        gv_slice own = changes.list[i].key;
        if (own.length == length && memcmp(own.data, key, length) == 0)
            return &changes.list[i];
    }
    return NULL;
}

/* Changes inside an array: the places that there are, then null up to those beyond them. */
static bool apply_array(patching *p, bson_t *out, bson_iter_t *stored, gv_json_changes changes)
{
    uint32_t place = 0, last = 0;
    char digits[16];
    const char *key;
    bool good = true;
    for (size_t i = 0; i < changes.count; i++) {
        uint32_t own = (uint32_t)strtoul(changes.list[i].key.data, NULL, 10) + 1;
        last = changes.list[i].adds && own > last ? own : last;
    }
    for (bool more = bson_iter_next(stored); good && (more || place < last); place++) {
        size_t length = bson_uint32_to_string(place, &key, digits, sizeof digits);
        const gv_json_change *change = change_of(changes, key, length);
        bson_t child;
        bson_iter_t inside;
        bool into = change && change->deed == GV_JSON_INTO && more && bson_iter_recurse(stored, &inside);
        if (change && change->deed == GV_JSON_SET) {
            good = gv_bson_append_json(out, key, length, change->value, p->why);
        } else if (into && BSON_ITER_HOLDS_ARRAY(stored)) {
            good = bson_append_array_begin(out, key, (int)length, &child) && apply_array(p, &child, &inside, change->inside);
            good = bson_append_array_end(out, &child) && good;
        } else if (into || (change && change->deed == GV_JSON_INTO && change->adds)) {
            good = bson_append_document_begin(out, key, (int)length, &child) && apply(p, &child, into ? &inside : NULL, change->inside);
            good = bson_append_document_end(out, &child) && good;
        } else if (more && !(change && change->deed == GV_JSON_UNSET)) {
            good = bson_append_iter(out, key, (int)length, stored);
        } else {
            good = bson_append_null(out, key, (int)length);
        }
        more = more && bson_iter_next(stored);
    }
    return good;
}

/* A member that is there. */
static bool apply_member(patching *p, bson_t *out, const bson_iter_t *stored, const gv_json_change *change)
{
    bson_iter_t inside;
    bson_t child;
    const char *key = bson_iter_key(stored);
    int length = (int)bson_iter_key_len(stored);
    bool good;
    if (!change)
        return bson_append_iter(out, NULL, 0, stored);
    if (change->deed == GV_JSON_SET)
        return gv_bson_append_json(out, key, (size_t)length, change->value, p->why);
    if (change->deed == GV_JSON_UNSET)
        return true;
    if (!bson_iter_recurse(stored, &inside))
        return bson_append_iter(out, NULL, 0, stored);  /* nothing is unset inside a text */
    if (BSON_ITER_HOLDS_ARRAY(stored)) {
        good = bson_append_array_begin(out, key, length, &child) && apply_array(p, &child, &inside, change->inside);
        return bson_append_array_end(out, &child) && good;
    }
    good = bson_append_document_begin(out, key, length, &child) && apply(p, &child, &inside, change->inside);
    return bson_append_document_end(out, &child) && good;
}

static bool is_there(const bson_t *out, const gv_json_change *change)
{
    bson_iter_t at;
    return bson_iter_init(&at, out) && bson_iter_find_w_len(&at, change->key.data, (int)change->key.length);
}

/* Members that were not there, in the order in which they were given. */
static bool add_new(patching *p, bson_t *out, gv_json_changes changes)
{
    size_t least = 0, added = 0;
    for (;;) {
        const gv_json_change *next = NULL;
        for (size_t i = 0; i < changes.count; i++) {
            const gv_json_change *change = &changes.list[i];
            if (change->adds && change->order >= least && (!next || change->order < next->order) && !is_there(out, change))
                next = change;
        }
        if (!next)
            break;
        bson_t child;
        bool good;
        if (next->deed == GV_JSON_SET) {
            good = gv_bson_append_json(out, next->key.data, next->key.length, next->value, p->why);
        } else {
            good = bson_append_document_begin(out, next->key.data, (int)next->key.length, &child) && apply(p, &child, NULL, next->inside);
            good = bson_append_document_end(out, &child) && good;
        }
        if (!good)
            return false;
        least = next->order;
        added++;
    }
    p->sorts = p->sorts || added > 1;
    return true;
}

static bool apply(patching *p, bson_t *out, bson_iter_t *stored, gv_json_changes changes)
{
    while (stored && bson_iter_next(stored)) {
        const gv_json_change *change = change_of(changes, bson_iter_key(stored), bson_iter_key_len(stored));
        if (!apply_member(p, out, stored, change))
            return false;
    }
    return add_new(p, out, changes);
}

static bool is_counted(const char *key)
{
    return strcmp(key, "updated_at") == 0 || strcmp(key, "revision") == 0 || strcmp(key, "revised_at") == 0;
}

/* What is counted goes in its place, or behind all else. */
static bool count(bson_t *out, const bson_t *patched, int64_t revision, gavat_time now)
{
    static const char *const keys[] = {"updated_at", "revision", "revised_at"};
    bson_iter_t at;
    bool good = bson_iter_init(&at, patched);
    bool done[3] = {false};
    for (bool more = good && bson_iter_next(&at); good && more; more = bson_iter_next(&at)) {
        const char *key = bson_iter_key(&at);
        if (!is_counted(key)) {
            good = bson_append_iter(out, NULL, 0, &at);
            continue;
        }
        size_t which = strcmp(key, keys[0]) == 0 ? 0 : strcmp(key, keys[1]) == 0 ? 1 : 2;
        good = which == 1 ? gv_bson_append_revision(out, revision) : gv_bson_append_time(out, key, now);
        done[which] = true;
    }
    for (size_t i = 0; good && i < 3; i++)
        if (!done[i])
            good = i == 1 ? gv_bson_append_revision(out, revision) : gv_bson_append_time(out, keys[i], now);
    return good;
}

bool gv_bson_patched(bson_t *out, const bson_t *stored, gv_json_changes changes, int64_t revision, gavat_time now, bool *sorts,
                     char why[GV_JSON_WHY])
{
    bson_iter_t at;
    bson_t patched = BSON_INITIALIZER;
    patching p = {.why = why};
    why[0] = '\0';
    bool good = bson_iter_init(&at, stored) && apply(&p, &patched, &at, changes);
    bool counted = bson_has_field(stored, "updated_at") && bson_has_field(stored, "revision") && bson_has_field(stored, "revised_at");
    *sorts = p.sorts || !counted;
    good = good && (!*sorts || count(out, &patched, revision, now));
    bson_destroy(&patched);
    return good;
}
