#include "match.h"
#include "../base/fold.h"
#include "../base/json.h"

/* A string's text in match->text, without escapes; data NULL: it is no string. */
static gv_slice text_of(gv_match *match, gv_slice value)
{
    gv_slice none = {NULL, 0};
    if (gv_json_type_of(value) != GV_JSON_STRING)
        return none;
    if (!memchr(value.data, '\\', value.length))
        return (gv_slice){value.data + 1, value.length - 2};
    gv_text_clear(&match->text);
    gv_text_add(&match->text, value.data, value.length);        /* room: it never grows */
    if (match->text.failed)
        return none;
    match->text.length = gv_json_unescape(value, match->text.data, match->text.length);
    return (gv_slice){match->text.data, match->text.length};
}

static gv_slice member(gv_slice document, const char *key)
{
    return gv_json_member(document, key, strlen(key));
}

static bool flag_is(gv_slice document, const char *key, int32_t wanted)
{
    return !wanted || gv_json_type_of(member(document, key)) == (wanted > 0 ? GV_JSON_TRUE : GV_JSON_FALSE);
}

static bool holds_keyword(gv_match *match, gv_slice document)
{
    static const char *const fields[] = {"username", "display_name", "telegram_handle"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        gv_slice text = text_of(match, member(document, fields[i]));
        if (text.data && gv_fold_contains(text, match->query->keyword, &match->folded))
            return true;
    }
    return false;
}

bool gv_match_query(gv_match *match, gv_slice document)
{
    const gv_profile_query *query = match->query;
    if (!flag_is(document, "is_active", query->is_active) || !flag_is(document, "autospam", query->autospam))
        return false;
    if (query->type) {
        gv_slice type = text_of(match, member(document, "type"));
        if (!type.data || !gv_slice_is(type, query->type))
            return false;
    }
    if (!gv_json_match(document, match->where))
        return false;
    return !query->keyword.data || holds_keyword(match, document);
}

bool gv_match_user_id(gv_match *match, gv_slice document, const char *user_id)
{
    gv_slice value = member(document, "user_id");
    gv_slice text = gv_json_type_of(value) == GV_JSON_NUMBER ? value : text_of(match, value);
    return text.data && gv_slice_is(text, user_id);
}

void gv_match_free(gv_match *match)
{
    gv_text_free(&match->text);
    gv_text_free(&match->folded);
}
