/* Fuzz target: the JSON text layer. Whatever the bytes are, nothing reads or writes outside; what the check accepts
 * keeps the promises of json.h. A NUL byte, never part of JSON, splits the input into the two objects of a merge. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/json.h"
#include "../../lib/base/json_indent.h"
#include "../../lib/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static bool accepted(gv_slice text, unsigned flags)
{
    return !gv_json_check(text, GV_JSON_DEPTH, flags, NULL);
}

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

static void try_unescape(gv_slice raw, bool sound)
{
    size_t length = gv_json_unescape(raw, NULL, 0);
    for (size_t room = length / 2; room <= length + 1; room += length / 2 + 1) {
        char *out = malloc(room + 1);
        EXPECT(out);
        out[room] = '#';
        EXPECT(gv_json_unescape(raw, out, room) == length);
        EXPECT(out[room] == '#');
        if (sound && room >= length)
            EXPECT(gv_utf8_valid(out, length));
        free(out);
    }
}

static bool inside(gv_slice part, gv_slice whole)
{
    return part.data >= whole.data && part.data + part.length <= whole.data + whole.length;
}

/* Everything below value; sound: the text was accepted, so each part is a value and the walk ends at
 * the last bracket. */
static void walk_all(gv_slice value, bool sound, unsigned levels)
{
    gv_slice key, item;
    gv_json_type type = gv_json_type_of(value);
    if (type == GV_JSON_STRING)
        try_unescape(gv_json_trim(value), sound);
    if (sound)
        EXPECT(type != GV_JSON_NONE);
    gv_json_walk walk = gv_json_enter(value);
    while (gv_json_next(&walk, &key, &item)) {
        EXPECT(inside(item, value));
        if (walk.object) {
            EXPECT(inside(key, value));
            try_unescape(key, sound);
        }
        if (sound)
            EXPECT(item.length > 0 && (!walk.object || accepted(key, GV_JSON_SURROGATES)));
        if (levels > 0)
            walk_all(item, sound, levels - 1);
    }
    if (sound && walk.at)
        EXPECT(walk.at + 1 == walk.end && (*walk.at == '}' || *walk.at == ']'));
}

/* Each member that is found by its key is the last one of that key. */
static void find_members(gv_slice object)
{
    gv_slice key, item;
    gv_json_walk walk = gv_json_enter(object);
    for (int i = 0; i < 8 && walk.object && gv_json_next(&walk, &key, &item); i++) {
        size_t length = gv_json_unescape(key, NULL, 0);
        char *name = malloc(length + 1);
        EXPECT(name);
        gv_json_unescape(key, name, length);
        name[length] = '\0';
        gv_slice found = gv_json_member(object, name, length);
        EXPECT(!found.data || inside(found, object));
        EXPECT(!accepted(object, GV_JSON_NAN) || (found.data && found.data >= item.data));
        if (strlen(name) == length && length > 0 && !strchr(name, '.'))
            EXPECT(gv_json_at(object, name).data == found.data);
        free(name);
    }
}

/* The pairs that the check gives are those of a walk. */
static void compare_pairs(gv_slice text)
{
    gv_json_pair list[8];
    gv_json_pairs pairs = {list, 8, 0};
    gv_slice key, item;
    size_t count = 0;
    EXPECT(!gv_json_check_pairs(text, GV_JSON_DEPTH, GV_JSON_NAN | GV_JSON_SURROGATES, NULL, &pairs));
    gv_json_walk walk = gv_json_enter(text);
    while (walk.object && gv_json_next(&walk, &key, &item)) {
        if (count < 8)
            EXPECT(list[count].key.data == key.data && list[count].key.length == key.length &&
                list[count].value.data == item.data && list[count].value.length == item.length);
        count++;
    }
    EXPECT(pairs.count == count);
}

static void rewrite(gv_slice text, unsigned flags)
{
    gv_text once = {0}, twice = {0}, compact = {0};
    gv_json_to_ascii(&once, text);
    EXPECT(!once.failed && accepted(slice_of(&once), flags));
    for (size_t i = 0; i < once.length; i++)
        EXPECT(once.data[i] >= 0x20 && once.data[i] < 0x7f);
    gv_json_to_ascii(&twice, slice_of(&once));
    EXPECT(twice.length == once.length && memcmp(twice.data, once.data, once.length) == 0);
    gv_json_to_compact(&compact, text);
    EXPECT(compact.length <= text.length && accepted(slice_of(&compact), flags));
    gv_text_clear(&twice);
    gv_json_to_ascii(&twice, slice_of(&compact));
    EXPECT(twice.length == once.length && memcmp(twice.data, once.data, once.length) == 0);
    gv_text_free(&once);
    gv_text_free(&twice);
    gv_text_free(&compact);
}

/* Laid out anew it is the same value, and laid out once more the same text. */
static void indent(gv_slice text, unsigned flags)
{
    gv_text once = {0}, twice = {0}, ascii = {0}, other = {0};
    gv_json_print(&once, text, &gv_json_indent_2);
    EXPECT(!once.failed && accepted(slice_of(&once), flags));
    gv_json_print(&twice, slice_of(&once), &gv_json_indent_2);
    EXPECT(twice.length == once.length && memcmp(twice.data, once.data, once.length) == 0);
    gv_json_to_ascii(&ascii, text);
    gv_json_to_ascii(&other, slice_of(&once));
    EXPECT(other.length == ascii.length && memcmp(other.data, ascii.data, ascii.length) == 0);
    gv_text_free(&once);
    gv_text_free(&twice);
    gv_text_free(&ascii);
    gv_text_free(&other);
}

static void merge(gv_slice base, gv_slice over, unsigned flags)
{
    gv_text merged = {0}, again = {0};
    gv_json_merge(&merged, base, over);
    EXPECT(!merged.failed && accepted(slice_of(&merged), flags));
    gv_json_merge(&again, slice_of(&merged), over);
    EXPECT(again.length == merged.length && memcmp(again.data, merged.data, merged.length) == 0);
    gv_text_free(&merged);
    gv_text_free(&again);
}

static void rewrite_unsound(gv_slice text)
{
    gv_text out = {0};
    gv_json_to_ascii(&out, text);
    gv_json_to_compact(&out, text);
    gv_json_merge(&out, text, text);
    gv_json_print(&out, text, &gv_json_indent_2);
    EXPECT(!out.failed);
    gv_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gv_slice text = {(const char *)data, size};
    const unsigned all = GV_JSON_NAN | GV_JSON_SURROGATES;
    size_t at = 0;
    if (size == 0)
        return 0;
    const char *why = gv_json_check(text, GV_JSON_DEPTH, all, &at);
    EXPECT(at <= size && (why || at == size));
    bool strict = accepted(text, 0), sound = !why;
    EXPECT(!strict || sound);
    walk_all(text, sound, sound ? GV_JSON_DEPTH : 3);
    find_members(text);
    if (sound) {
        rewrite(text, strict ? 0 : all);
        indent(text, strict ? 0 : all);
        compare_pairs(text);
        merge(text, text, all);
    } else {
        rewrite_unsound(text);
    }
    const char *nul = memchr(data, 0, size);
    if (nul) {
        gv_slice base = {text.data, (size_t)(nul - text.data)}, over = {nul + 1, size - base.length - 1};
        if (accepted(base, all) && accepted(over, all))
            merge(base, over, all);
    }
    return 0;
}
