/* record.c: gavat_profile as it comes out of an op, and the cursors of its pages. */
#include "requests.h"
#include "../base/json.h"
#include "../base/utf8.h"

#define CURSOR "p1:"            /* a version, then the username as it is */

/* NaN and its like, which JSON does not know, become strings of their text. value has passed gv_json_check. Compact. */
static void print_plain(gv_slice value, gv_text *out)
{
    gv_text compact = {0};
    gv_json_to_compact(&compact, value);
    const char *text = gv_text_get(&compact), *end = text + compact.length, *from = text;
    for (const char *at = text; at < end;) {
        size_t length = 0;
        if (*at == '"')
            for (at++; at < end && *at != '"'; at++)
                at += *at == '\\';
        else if (*at == 'N' || *at == 'I' || (*at == '-' && at + 1 < end && at[1] == 'I'))
            length = strcspn(at, ",]}");
        if (!length) {
            at++;
            continue;
        }
        gv_text_add(out, from, (size_t)(at - from));
        gv_text_add_json(out, at, length);
        from = at += length;
    }
    gv_text_add(out, from, (size_t)(end - from));
    out->failed = out->failed || compact.failed;
    gv_text_free(&compact);
}

static void print_record(const void *record, gv_text *out)
{
    const gavat_profile *profile = record;
    if (!(profile->flags & GAVAT_PROFILE_DELETED)) {
        print_plain((gv_slice){profile->json, profile->json_length}, out);
        return;
    }
    gv_text_adds(out, "{\"username\":");
    gv_text_add_json(out, profile->username, strlen(profile->username));
    gv_text_adds(out, ",\"deleted\":true}");
}

const gv_shape gv_profile_shape = {"profile", print_record};

const gavat_profile *gavat_op_profile(const gavat_op *op, size_t i)
{
    if (!op || atomic_load_explicit(&op->phase, memory_order_acquire) < GV_PHASE_ENDED)
        return NULL;
    const gv_result *result = op->outcome->result;
    return result && result->shape == &gv_profile_shape && i < result->count ? result->records[i] : NULL;
}

const char *gv_profile_cursor(gv_arena *arena, const char *username)
{
    return gv_arena_printf(arena, CURSOR "%s", username);
}

const char *gv_profile_cursor_read(const char *cursor)
{
    size_t head = sizeof CURSOR - 1;
    return strncmp(cursor, CURSOR, head) == 0 && cursor[head] && gv_utf8_valid(cursor, strlen(cursor)) ? cursor + head : NULL;
}
