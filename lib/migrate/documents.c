/* documents.c: data/profiles/NAME.json and data/personas/NAME.json: a profile each, by the name of its file. A persona whose name a
 * profile has too is read with it: its fields fill in what the profile lacks. */
#include "reading.h"
#include "../base/json.h"
#include "../profiles/document.h"
#include <errno.h>

#define DEPTH 200

/* Duplicate keys of the document itself are taken as Python takes them: the last value counts. */
static bool has_key_twice(gv_slice object)
{
    gv_slice key, item, other, ignored;
    for (gv_json_walk walk = gv_json_enter(object); gv_json_next(&walk, &key, &item);)
        for (gv_json_walk rest = walk; gv_json_next(&rest, &other, &ignored);)
            if (other.length == key.length && memcmp(other.data, key.data, key.length) == 0)
                return true;
    return false;
}

/* NULL, or why the text is no document. */
static const char *look(gv_slice object)
{
    if (gv_json_check(object, DEPTH, 0, NULL))
        return gv_json_check(object, DEPTH, GV_JSON_NAN | GV_JSON_SURROGATES, NULL) ? "it is not JSON"
                                                                                     : "it holds NaN, Infinity or half a surrogate pair, which are no JSON";
    return gv_json_type_of(object) == GV_JSON_OBJECT ? NULL : "it is no object";
}

/* The source of this kind and name that is read too; NULL: none. */
static gv_source *find(gv_reading *r, gv_source_kind kind, const char *name)
{
    for (size_t i = 0; i < r->count && r->only & 1u << kind; i++)
        if (r->sources[i].kind == kind && strcmp(r->sources[i].stream, name) == 0)
            return &r->sources[i];
    return NULL;
}

/* What the file holds in out, an object with each key once. False: rejected, or stopped. */
static bool load(gv_reading *r, gv_source *source, gv_text *out, bool *go_on)
{
    if (!gv_reading_load(r, source, out, go_on)) {
        if (*go_on && source->odd[GV_ODD_EMPTY])
            *go_on = gv_found_reject(r, source, 0, "it is empty");
        return false;
    }
    const char *wrong = look((gv_slice){out->data, out->length});
    if (wrong)
        *go_on = gv_found_reject(r, source, 0, "%s", wrong);
    else if (has_key_twice((gv_slice){out->data, out->length}))
        gv_reading_odd(source, GV_ODD_KEY_TWICE);
    return !wrong;
}

/* The fields of under that over lacks join it. Keys that stand twice in either come once then. */
static bool merge(gv_reading *r, gv_text *over, gv_slice under)
{
    gv_text both = {0};
    gv_json_merge(&both, under, (gv_slice){over->data, over->length});
    gv_text_free(over);
    *over = both;
    if (both.failed)
        r->failed = -ENOMEM;
    return !both.failed;
}

static bool fill_from_persona(gv_reading *r, gv_source *source, gv_text *text)
{
    gv_source *persona = source->kind == GV_SOURCE_PROFILES ? find(r, GV_SOURCE_PERSONAS, source->stream) : NULL;
    gv_text under = {0};
    bool go_on = true;
    if (persona && load(r, persona, &under, &go_on)) {
        gv_reading_odd(source, GV_ODD_MERGED);
        merge(r, text, (gv_slice){under.data, under.length});
    } else if (go_on && source->odd[GV_ODD_KEY_TWICE]) {
        merge(r, text, gv_slice_of("{}"));
    }
    gv_text_free(&under);
    return go_on && !r->failed;
}

static bool tell(gv_reading *r, gv_source *source, gv_text *text)
{
    gv_document document;
    gv_text view = {0}, name = {0};
    size_t at;
    if (gv_document_read((gv_slice){text->data, text->length}, &document, &at))
        return gv_found_reject(r, source, 0, "it is no document");
    gv_text_add_json(&name, source->stream, strlen(source->stream));
    if (document.username.data && !gv_slice_is(document.username, gv_text_get(&name)))
        gv_reading_odd(source, GV_ODD_OTHER_NAME);
    gv_document_view(&view, &document, source->stream);
    gv_text_clear(&r->json);
    gv_text_add(&r->json, gv_text_get(&view), view.length ? view.length - 1 : 0);      /* without its brace: gv_found_end adds one */
    if (view.failed || name.failed)
        r->failed = -ENOMEM;
    gv_text_free(&view);
    gv_text_free(&name);
    return !r->failed && gv_found_end(r, source, 0, "profile", 0, (gv_slice){NULL, 0});
}

bool gv_read_document(gv_reading *reading, gv_source *source)
{
    gv_text text = {0};
    bool go_on;
    if (source->kind == GV_SOURCE_PERSONAS && find(reading, GV_SOURCE_PROFILES, source->stream))
        return true;            /* it comes with its profile */
    if (load(reading, source, &text, &go_on))
        go_on = fill_from_persona(reading, source, &text) && tell(reading, source, &text);
    gv_text_free(&text);
    return go_on;
}
