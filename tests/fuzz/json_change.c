/* Fuzz target: changes to members of documents. NUL bytes, never part of JSON, split the input into document, set, and
 * paths to unset. Whatever they are, nothing reads or writes outside; a patch that is applied does what it says and
 * leaves a document behind; defaults win over nothing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/json_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))
#define UNSET_MOST 8
enum { ALL = GV_JSON_NAN | GV_JSON_SURROGATES };

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

/* Up to the next NUL. */
static gv_slice cut(gv_slice *rest)
{
    const char *nul = memchr(rest->data, '\0', rest->length);
    gv_slice part = {rest->data, nul ? (size_t)(nul - rest->data) : rest->length};
    rest->data += part.length + (nul != NULL);
    rest->length -= part.length + (nul != NULL);
    return part;
}

static bool same_value(gv_slice a, gv_slice b)
{
    gv_text one = {0}, two = {0};
    gv_json_to_ascii(&one, a);
    gv_json_to_ascii(&two, b);
    bool same = gv_slice_compare(slice_of(&one), slice_of(&two)) == 0;
    gv_text_free(&one);
    gv_text_free(&two);
    return same;
}

/* gv_json_at needs a text that ends in NUL. */
static gv_slice value_at(gv_slice document, gv_slice path)
{
    char *copy = malloc(path.length + 1);
    EXPECT(copy);
    if (path.length)
        memcpy(copy, path.data, path.length);
    copy[path.length] = '\0';
    gv_slice found = gv_json_at(document, copy);
    free(copy);
    return found;
}

static void expect_set(gv_slice document, gv_slice set)
{
    gv_slice key, item;
    for (gv_json_walk walk = gv_json_enter(set); gv_json_next(&walk, &key, &item);) {
        char *path = malloc(key.length * 2);
        EXPECT(path);
        size_t length = gv_json_unescape(key, path, key.length * 2);
        gv_slice found = value_at(document, (gv_slice){path, length});
        EXPECT(found.data && same_value(found, item));
        free(path);
    }
}

static void try_patch(gv_slice document, gv_slice set, const gv_slice *unset, size_t count)
{
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY];
    gv_text out = {.limit = 10000000}, again = {.limit = 10000000};
    if (!gv_json_read_patch(&arena, set, unset, count, &changes, why)) {
        EXPECT(why[0] && strlen(why) < GV_JSON_WHY);
    } else if (!gv_json_apply(&out, document, changes, why)) {
        EXPECT(why[0] || out.failed);
    } else {
        EXPECT(!gv_json_check(slice_of(&out), GV_JSON_DEPTH_MOST, ALL, NULL));
        expect_set(slice_of(&out), set);
        for (size_t i = 0; i < count; i++) {
            gv_slice left = value_at(slice_of(&out), unset[i]);
            EXPECT(!left.data || gv_json_type_of(left) == GV_JSON_NULL);
        }
        EXPECT(gv_json_apply(&again, slice_of(&out), changes, why));
        EXPECT(same_value(slice_of(&again), slice_of(&out)));
    }
    gv_text_free(&out);
    gv_text_free(&again);
    gv_arena_free(&arena);
}

static void try_defaults(gv_slice document, gv_slice defaults)
{
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY];
    gv_slice key, item;
    gv_text out = {0}, again = {0};
    bool object = gv_json_type_of(document) == GV_JSON_OBJECT;
    if (gv_json_read_defaults(&arena, defaults, &changes, why) && object) {
        EXPECT(gv_json_apply(&out, document, changes, why));
        EXPECT(!gv_json_check(slice_of(&out), GV_JSON_DEPTH_MOST, ALL, NULL));
        for (gv_json_walk walk = gv_json_enter(defaults); gv_json_next(&walk, &key, &item);) {
            char *name = malloc(key.length * 2);
            EXPECT(name);
            size_t length = gv_json_unescape(key, name, key.length * 2);
            gv_slice before = gv_json_member(document, name, length), after = gv_json_member(slice_of(&out), name, length);
            EXPECT(after.data);
            EXPECT(!before.data || gv_json_type_of(before) == GV_JSON_OBJECT || same_value(before, after));
            free(name);
        }
        EXPECT(gv_json_apply(&again, slice_of(&out), changes, why));
        EXPECT(gv_slice_compare(slice_of(&again), slice_of(&out)) == 0);
    }
    gv_text_free(&out);
    gv_text_free(&again);
    gv_arena_free(&arena);
}

/* An empty patch and members that are not there change no byte. */
static void try_nothing(gv_slice document)
{
    const gv_json_member_value gone = {"\tnot there", {NULL, 0}};
    gv_text out = {0};
    gv_json_set_members(&out, document, &gone, 1);
    EXPECT(!out.failed && (gv_json_type_of(document) != GV_JSON_OBJECT || gv_slice_compare(slice_of(&out), document) == 0));
    gv_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gv_slice rest = {(const char *)data, size}, unset[UNSET_MOST];
    size_t count = 0;
    if (size == 0)
        return 0;
    gv_slice document = cut(&rest), set = cut(&rest);
    while (rest.length > 0 && count < UNSET_MOST)
        unset[count++] = cut(&rest);
    if (gv_json_check(document, GV_JSON_DEPTH_MOST, ALL, NULL))
        return 0;
    try_nothing(document);
    try_patch(document, set, unset, count);
    if (!gv_json_check(set, GV_JSON_DEPTH, 0, NULL))
        try_defaults(document, set);
    return 0;
}
