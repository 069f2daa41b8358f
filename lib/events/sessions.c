/* sessions.c: the public calls for sessions. */
#include "calls.h"
#include "../base/json.h"
#include "../base/utf8.h"
#include "../core/client.h"

extern const gv_batch_kind gv_batch_session;

void gavat_set_session(gavat_op *op, const gavat_session *session)
{
    gv_call_store(op, GV_SET_SESSION, &gv_sessions_kind, session);
}

void gavat_get_sessions(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_GET_SESSIONS, &gv_sessions_kind, filter, NULL, NULL);
}

/* Of one user. No limit of length: other writers may have stored a longer id. */
static void submit_user(gavat_op *op, gv_events_place place, const char *user_id)
{
    if (!gv_op_begin(op, &gv_events_ops[place]))
        return;
    if (!user_id || !*user_id) {
        gv_op_refuse(op, GAVAT_EINVAL, "user_id is required and must not be empty");
        return;
    }
    if (!gv_utf8_valid(user_id, strlen(user_id))) {
        gv_op_refuse(op, GAVAT_EINVAL, "user_id is not valid UTF-8");
        return;
    }
    gv_session_request *request = gv_op_request(op, gv_call_sum(sizeof *request, gv_call_room(user_id)));
    if (!request)
        return;
    char *at = (char *)(request + 1);
    request->user_id = gv_call_put(&at, user_id);
    request->now = gv_now(op->client);
    gv_op_submit(op);
}

void gavat_get_session(gavat_op *op, const char *user_id)
{
    submit_user(op, GV_GET_SESSION, user_id);
}

void gavat_close_session(gavat_op *op, const char *user_id)
{
    submit_user(op, GV_CLOSE_SESSION, user_id);
}

void gavat_expire_sessions(gavat_op *op, int64_t idle_ms)
{
    if (!gv_op_begin(op, &gv_events_ops[GV_EXPIRE_SESSIONS]))
        return;
    if (idle_ms <= 0) {
        gv_op_refuse(op, GAVAT_EINVAL, "idle_ms must be above 0");
        return;
    }
    gv_session_request *request = gv_op_request(op, sizeof *request);
    if (!request)
        return;
    request->now = gv_now(op->client);
    int64_t idle;
    bool longer = __builtin_mul_overflow(idle_ms, 1000, &idle) || idle >= request->now;
    request->before = longer ? 1 : request->now - idle;         /* since before 1970: of nobody */
    gv_op_submit(op);
}

const gavat_session *gavat_op_session(const gavat_op *op, size_t i)
{
    return gv_call_record(op, &gv_sessions_kind, i);
}

gavat_status gavat_batch_add_session(gavat_batch *batch, const gavat_session *session)
{
    return gv_call_add(batch, &gv_sessions_kind, session);
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    return gv_call_add_json(batch, &gv_sessions_kind, object);
}

const gv_batch_kind gv_batch_session = {"session", GV_EVENTS, add_json};

bool gv_session_merge_extra(gv_text *out, const char *stored, const char *given)
{
    if (!given && !stored)
        gv_text_adds(out, "{}");
    else if (!given)
        gv_text_adds(out, stored);
    else {
        gv_slice base = gv_slice_of(stored ? stored : "{}");
        if (gv_json_check(base, GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL))
            base = gv_slice_of("{}");
        gv_json_merge(out, base, gv_slice_of(given));
    }
    return !out->failed;
}
