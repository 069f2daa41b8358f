/* ops.c: the plain operations: a command out of a request, an outcome out of a reply. */
#include "redis.h"
#include "../give.h"
#include <inttypes.h>
#include <stdlib.h>

/* --- out --- */

static void write_user(gv_redis_call *call, gv_redis_words *words, const char *source)
{
    const gv_state_request *request = call->op->request;
    gv_redis_add_script(words, call, source, request->user, NULL, 0);
    gv_redis_add_prefix(words, request->user);
}

static void write_call(gv_redis_call *call, gv_redis_words *words)
{
    const gv_state_request *request = call->op->request;
    const char *user = request->user, *const *key = &request->key;
    switch (request->verb) {
    case GV_STATE_PUT:
        gv_redis_add_script(words, call, gv_redis_put, user, key, 1);
        gv_redis_add(words, request->value, request->length);
        gv_redis_add_number(words, request->expire_ms);
        break;
    case GV_STATE_READ:
        gv_redis_add_script(words, call, gv_redis_get, user, key, 1);
        break;
    case GV_STATE_REMOVE:
        gv_redis_add_script(words, call, gv_redis_remove, user, key, 1);
        break;
    case GV_STATE_ALL:
        write_user(call, words, gv_redis_all);
        break;
    case GV_STATE_CLEAR:
        write_user(call, words, gv_redis_clear);
        break;
    case GV_STATE_PUSH:
        gv_redis_add_script(words, call, gv_redis_push, user, key, 1);
        gv_redis_add(words, request->value, request->length);
        gv_redis_add_number(words, request->most);
        break;
    default:
        gv_redis_add_script(words, call, gv_redis_range, user, key, 1);
        gv_redis_add_number(words, request->start);
        gv_redis_add_number(words, request->stop);
        break;
    }
}

/* --- in --- */

static int64_t number_of(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_INTEGER)
        return reply->integer;
    return reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
}

static bool is_array(const redisReply *reply, size_t least)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

static int64_t to_ms(int64_t microseconds)
{
    return (microseconds + 999) / 1000;
}

static void take_value(gavat_op *op, const redisReply *reply)
{
    const gv_state_request *request = op->request;
    if (!is_array(reply, 2)) {
        gv_state_refuse_none(op);
        return;
    }
    const redisReply *value = reply->element[0];
    if (!gv_state_give_one(op, request->user, request->key, value->str, value->len, to_ms(number_of(reply->element[1]))))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the value");
}

static void take_range(gavat_op *op, const redisReply *reply)
{
    const gv_state_request *request = op->request;
    if (!is_array(reply, 2) || !is_array(reply->element[1], 0))
        return;
    const redisReply *items = reply->element[1];
    op->staged.number = number_of(reply->element[0]);
    for (size_t i = 0; i < items->elements; i++)
        if (!gv_state_give(op, request->user, request->key, items->element[i]->str, items->element[i]->len, 0))
            return;
}

typedef struct item {           /* of all of a user */
    const redisReply *key, *left, *value;
} item;

static int order(const void *a, const void *b)
{
    const item *one = a, *two = b;
    return gv_slice_compare((gv_slice){one->key->str, one->key->len}, (gv_slice){two->key->str, two->key->len});
}

bool gv_redis_give(gavat_op *op, const char *user, const char *key, const redisReply *value, int64_t left)
{
    gv_text array = {.limit = op->client->most_bytes};
    if (value->type != REDIS_REPLY_ARRAY)
        return gv_state_give(op, user, key, value->str, value->len, to_ms(left));
    for (size_t i = 0; i < value->elements; i++) {
        gv_text_adds(&array, i ? ", " : "[");
        gv_text_add_json(&array, value->element[i]->str, value->element[i]->len);
    }
    gv_text_adds(&array, value->elements ? "]" : "[]");
    bool given = !array.failed && gv_state_give(op, user, key, gv_text_get(&array), array.length, to_ms(left));
    if (array.failed)
        gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "state: the list %s is longer than GAVAT_MAX_BYTES allows: read it in parts with "
                   "gavat_get_list", key);
    gv_text_free(&array);
    return given;
}

static void take_all(gavat_op *op, const redisReply *reply)
{
    const gv_state_request *request = op->request;
    size_t count = reply->type == REDIS_REPLY_ARRAY ? reply->elements / 3 : 0;
    item *items = count ? gv_alloc(count * sizeof *items) : NULL;
    if (count && !items) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the result");
        return;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (item){reply->element[3 * i], reply->element[3 * i + 1], reply->element[3 * i + 2]};
    if (count)
        qsort(items, count, sizeof *items, order);
    for (size_t i = 0; i < count; i++)
        if (!gv_redis_give(op, request->user, items[i].key->str, items[i].value, number_of(items[i].left)))
            break;
    gv_free(items);
}

static void take(gavat_op *op, const redisReply *reply)
{
    const gv_state_request *request = op->request;
    if (reply->type == REDIS_REPLY_ERROR) {
        if (request->verb == GV_STATE_PUSH || request->verb == GV_STATE_RANGE)
            gv_state_refuse_text(op);
        else
            gv_state_refuse_list(op);
        return;
    }
    switch (request->verb) {
    case GV_STATE_READ:
        take_value(op, reply);
        break;
    case GV_STATE_REMOVE:
        op->staged.number = request->number ? number_of(reply) : 0;
        if (!number_of(reply) && !request->number)
            gv_state_refuse_none(op);
        break;
    case GV_STATE_ALL:
        take_all(op, reply);
        break;
    case GV_STATE_CLEAR: case GV_STATE_PUSH:
        op->staged.number = number_of(reply);
        break;
    case GV_STATE_RANGE:
        take_range(op, reply);
        break;
    default:
        break;
    }
}

static void take_reply(gv_redis_call *call, const redisReply *reply)
{
    gavat_op *op = call->op;
    bool writes = op->kind->flags & GV_WRITE;
    if (gv_op_wanted(op)) {
        if (writes || gv_op_fits(op))
            take(op, reply);
        if (op->staged.error.status == GAVAT_OK)
            gv_op_succeed(op, writes ? GAVAT_REACHED_STORE : GAVAT_REACHED_NONE);
    }
    gv_redis_finish(call);
}

static const gv_redis_kind plain = {write_call, take_reply, gv_redis_fail_call};

/* --- which --- */

void gv_redis_start(gv_redis *self, gavat_op *op)
{
    gv_state_verb verb = *(const gv_state_verb *)op->request;
    if ((verb == GV_STATE_ALL || verb == GV_STATE_CLEAR) && !self->adopted) {
        gv_list_append(&self->held, &op->link);
        gv_redis_hand_out(self);
    } else if (verb == GV_STATE_SCAN) {
        gv_redis_start_page(self, op);
    } else if (verb == GV_STATE_WALK) {
        gv_redis_start_walk(self, op);
    } else {
        bool step = verb == GV_STATE_STEP;
        gv_redis_call *call = gv_redis_call_new(self, step ? &gv_redis_step : &plain, op, step ? sizeof(void *) : 0);
        if (call)
            gv_redis_submit(call);
    }
}
