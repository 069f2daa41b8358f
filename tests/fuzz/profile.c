/* Fuzz target: the documents of profiles as they lie in files. A NUL byte, never part of JSON, splits the input into the stored document and
 * one that is put over it. Whatever they are: damaged ones are refused with a reason; of the others callers get JSON, and what is stored
 * next is a document again, with the next revision and what it was created. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/profiles/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))
#define NOW INT64_C(1767225600000000)
enum { FLAGS = GV_JSON_NAN | GV_JSON_SURROGATES };

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

static bool is_json(const gv_text *text)
{
    return !text->failed && !gv_json_check(slice_of(text), GV_JSON_DEPTH_MOST, FLAGS, NULL);
}

static void view(const gv_document *document)
{
    gv_text out = {0}, again = {0};
    gv_document walked = *document;
    gv_document_view(&out, document, "bot\"\305\237");
    EXPECT(is_json(&out) && gv_json_type_of(slice_of(&out)) == GV_JSON_OBJECT);
    EXPECT(gv_json_member(slice_of(&out), "username", 8).data && !gv_json_member(slice_of(&out), "revised_at", 10).data);
    walked.count = SIZE_MAX;    /* the same without the pairs */
    gv_document_view(&again, &walked, "bot\"\305\237");
    EXPECT(gv_slice_compare(slice_of(&out), slice_of(&again)) == 0);
    gv_text_free(&out);
    gv_text_free(&again);
}

static void expect_next(const gv_text *text, const gv_document *stored)
{
    gv_document next;
    size_t at;
    EXPECT(is_json(text) && !gv_document_read(slice_of(text), &next, &at));
    EXPECT(next.revision == gv_document_next_revision(stored, NOW) && next.updated == NOW);
    EXPECT(!stored || next.revision > stored->counted);
    view(&next);
}

static void patch(const gv_document *stored)
{
    static const char *const paths[] = {"type", "gpt.models.0"};
    const gv_slice unset[] = {gv_slice_of(paths[0]), gv_slice_of(paths[1])};
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY];
    gv_text out = {0};
    EXPECT(gv_json_read_patch(&arena, gv_slice_of("{\"reply_mode\": \"manual\", \"gpt.t\": 0.70}"), unset, 2, &changes, why));
    if (gv_document_patch(&out, stored, changes, NOW, why)) {
        expect_next(&out, stored);
        EXPECT(gv_slice_is(gv_json_at(slice_of(&out), "gpt.t"), "0.70"));
        EXPECT(!gv_json_member(slice_of(&out), "type", 4).data);
    } else {
        EXPECT(why[0]);
    }
    gv_text_free(&out);
    gv_arena_free(&arena);
}

static void put(gv_slice json, const gv_document *stored)
{
    gv_text out = {0};
    gv_document made;
    size_t at;
    gv_document_make(&out, json, "bot", stored, NOW);
    expect_next(&out, stored);
    EXPECT(!gv_document_read(slice_of(&out), &made, &at));
    if (stored && stored->created)
        EXPECT(made.created == stored->created);
    gv_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *nul = size ? memchr(data, '\0', size) : NULL;
    gv_slice text = {(const char *)data, nul ? (size_t)(nul - (const char *)data) : size};
    gv_slice over = {nul ? nul + 1 : "{}", nul ? size - text.length - 1 : 2};
    gv_document stored;
    size_t at;
    if (size == 0)
        return 0;
    const char *wrong = gv_document_read(text, &stored, &at);
    EXPECT(!wrong || (*wrong && at <= text.length));
    if (!wrong && stored.counted == INT64_MAX / 2)      /* the next one is beyond what is taken for a count */
        return 0;
    if (!wrong) {
        view(&stored);
        patch(&stored);
    }
    if (!gv_json_check(over, GV_JSON_DEPTH, 0, NULL) && gv_json_type_of(over) == GV_JSON_OBJECT)
        put(over, wrong ? NULL : &stored);
    return 0;
}
