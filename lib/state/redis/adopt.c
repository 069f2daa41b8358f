/* adopt.c: keys that other programs wrote come into the index of their user: once, when a store is opened that has no marker yet, and
 * whenever the schema is upgraded. It goes in slices, other calls between them. What asks for all keys of a user waits for its end. */
#include "redis.h"
#include <inttypes.h>
#include <stdio.h>

static void write_marker(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "SET");
    gv_redis_adds(words, GV_REDIS_MARKER);
    gv_redis_adds(words, GV_REDIS_VERSION);
}

static bool add_step(gavat_op *op, const char *result_is, uint64_t found)
{
    gv_text json = {0};
    gv_result *result = gv_op_result(op);
    gv_text_addf(&json, "{\"store\":\"state\",\"step\":\"index of keys by user\",\"result\":\"%s\",\"keys\":%" PRIu64 "}", result_is, found);
    bool good = result && !json.failed && gv_result_add_json(result, &json);
    gv_text_free(&json);
    return good;
}

/* NULL: it is done. */
static void finish(gv_redis *self, const gv_redis_failure *failure)
{
    gavat_op *op = self->upgrading;
    gv_link *link;
    gv_list held;
    self->adopting = false;
    self->upgrading = NULL;
    if (op && failure)
        gv_redis_fail(op, failure, 0);
    else if (op && (!self->adoption_found || add_step(op, "done", self->adoption_found)))
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    else if (op)
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    if (op)
        gv_op_finish(op);
    if (failure)
        return;
    self->adopted = self->marked = true;
    gv_list_init(&held);
    gv_list_move(&held, &self->held);
    while ((link = gv_list_take(&held)))
        gv_redis_start(self, GV_CONTAINER(link, gavat_op, link));
}

static void take_marker(gv_redis_call *call, const redisReply *reply)
{
    gv_redis *self = call->self;
    (void)reply;
    gv_redis_call_free(call);
    finish(self, NULL);
}

static void fail_marker(gv_redis_call *call, const gv_redis_failure *failure)
{
    gv_redis *self = call->self;
    gv_redis_call_free(call);
    finish(self, failure);
}

static const gv_redis_kind marker_kind = {write_marker, take_marker, fail_marker};

static void take_key(gv_redis_scan *scan, const char *user, const char *part, const redisReply *reply)
{
    (void)user;
    (void)part;
    scan->self->adoption_found += reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
}

static void ended(gv_redis_scan *scan)
{
    gv_redis *self = scan->self;
    gv_redis_failure failure = scan->failure;
    bool failed = scan->failed;
    gv_text_free(&scan->match);
    gv_free(scan);
    gv_redis_call *call = failed ? NULL : gv_redis_call_new(self, &marker_kind, NULL, 0);
    if (!failed && !call)
        failure = (gv_redis_failure){.status = GAVAT_ENOMEM, .flags = GAVAT_ERROR_RETRY, .text = "no memory"};
    if (call)
        gv_redis_submit(call);
    else
        finish(self, &failure);
}

void gv_redis_adopt_all(gv_redis *self)
{
    if (self->adopting)
        return;
    gv_redis_scan *scan = gv_alloc_zero(sizeof *scan);
    self->adoption_found = 0;
    if (!scan) {
        gv_redis_failure failure = {.status = GAVAT_ENOMEM, .flags = GAVAT_ERROR_RETRY, .text = "no memory"};
        finish(self, &failure);
        return;
    }
    self->adopting = true;
    scan->self = self;
    scan->slice = 200;
    memcpy(scan->cursor, "0", 2);
    gv_text_adds(&scan->match, "gavatcore:*");
    scan->source = gv_redis_adopt;
    scan->take = take_key;
    scan->ended = ended;
    gv_redis_scan_next(scan);
}

void gv_redis_start_upgrade(gv_redis *self, gavat_op *op)
{
    const gv_upgrade_request *request = op->request;
    if (request->dry_run) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        if (!self->adopted && !add_step(op, "would do", 0))
            gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
        gv_op_finish(op);
    } else if (self->upgrading) {
        gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "state: another upgrade is under way");
        gv_op_finish(op);
    } else {
        self->upgrading = op;
        gv_redis_adopt_all(self);
    }
}
