/* Fuzz target: conditions on documents. A NUL byte, never part of JSON, splits the input into document and where.
 * Whatever they are, nothing reads outside; each member of a document equals itself; = and != say the opposite. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/json_number.h"
#include "../../lib/base/json_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

/* 1, 0; -1: refused. */
static int match(gv_slice document, const gv_text *where)
{
    gv_arena arena = {0};
    gv_json_query query;
    char why[GV_JSON_WHY];
    int found = -1;
    if (gv_json_read_query(&arena, (gv_slice){gv_text_get(where), where->length}, &query, why))
        found = gv_json_match(document, query);
    else
        EXPECT(why[0] && strlen(why) < GV_JSON_WHY);
    gv_arena_free(&arena);
    return found;
}

static int match_operator(gv_slice document, gv_slice key, gv_slice value, const char *is)
{
    gv_text where = {0};
    gv_text_addc(&where, '{');
    gv_text_add(&where, key.data, key.length);
    gv_text_addf(&where, ":{\"%s\":", is);
    gv_text_add(&where, value.data, value.length);
    gv_text_adds(&where, "}}");
    int found = match(document, &where);
    gv_text_free(&where);
    return found;
}

static void try_member(gv_slice document, gv_slice key, gv_slice value)
{
    bool plain = !memchr(key.data, '.', key.length) && !memchr(key.data, '\\', key.length);
    if (!plain || gv_json_check(value, GV_JSON_DEPTH - 3, 0, NULL))
        return;
    int same = match_operator(document, key, value, "="), other = match_operator(document, key, value, "!=");
    EXPECT(same == -1 ? other == -1 : same + other == 1);
    gv_slice last = gv_json_member(document, key.data + 1, key.length - 2);
    EXPECT(last.data && (same != 0 || last.data != value.data));
    gv_json_type type = gv_json_type_of(value);
    if (same == -1 || (type != GV_JSON_NUMBER && type != GV_JSON_STRING) || last.data != value.data)
        return;
    EXPECT(match_operator(document, key, value, "<=") == 1 && match_operator(document, key, value, ">=") == 1);
    EXPECT(match_operator(document, key, value, "<") == 0 && match_operator(document, key, value, ">") == 0);
}

static void try_numbers(gv_slice a, gv_slice b)
{
    int order, back, self;
    if (gv_json_type_of(a) != GV_JSON_NUMBER || gv_json_type_of(b) != GV_JSON_NUMBER)
        return;
    if (!gv_json_number_compare(a, b, &order))
        return;
    EXPECT(gv_json_number_compare(b, a, &back) && (order > 0) == (back < 0) && (order == 0) == (back == 0));
    EXPECT(gv_json_number_compare(a, a, &self) && self == 0);
    char one[40] = "", two[40] = "";
    if (a.length < sizeof one && b.length < sizeof two) {
        memcpy(one, a.data, a.length);
        memcpy(two, b.data, b.length);
        double x = strtod(one, NULL), y = strtod(two, NULL);
        EXPECT(!(x < y && order >= 0) && !(x > y && order <= 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *nul = size ? memchr(data, '\0', size) : NULL;
    if (!nul)
        return 0;
    gv_slice document = {text, (size_t)(nul - text)}, key, item, before = {NULL, 0};
    gv_text where = {0};
    gv_text_add(&where, nul + 1, size - document.length - 1);
    if (!gv_json_check(document, GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL)) {
        match(document, &where);
        gv_json_walk walk = gv_json_enter(document);
        for (int i = 0; i < 16 && walk.object && gv_json_next(&walk, &key, &item); i++) {
            try_member(document, key, item);
            try_numbers(before, item);
            before = item;
        }
    }
    gv_text_free(&where);
    return 0;
}
