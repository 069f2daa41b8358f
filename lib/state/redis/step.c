/* step.c: a rule over keys of one user. A rule that has a script is run where the keys are, and written there, in one trip; the answer is
 * made here, by the same rule, from the values as the script found them. Where the script leaves it to us (a value in a form of somebody else,
 * a refusal), and for a rule without one, the rule says here what is to be written, and that is stored if nobody was there meanwhile; else the
 * rule is asked again. */
#include "redis.h"
#include "../give.h"
#include <stdlib.h>

typedef struct swap {           /* what is to be stored, once the values are found as they were */
    gv_arena arena;
    gv_step_key keys[GV_STEP_KEYS];
} swap;

static swap *swap_of(const gv_redis_call *call)
{
    return *(swap **)call->more;
}

static void drop_swap(gv_redis_call *call)
{
    swap *s = swap_of(call);
    if (!s)
        return;
    gv_arena_free(&s->arena);
    gv_free(s);
    *(swap **)call->more = NULL;
}

/* --- out --- */

static void add_word(void *to, const char *data, size_t length)
{
    gv_redis_add(to, data, length);
}

static void write_swap(const swap *s, size_t count, gv_redis_words *words)
{
    for (size_t i = 0; i < count; i++) {
        const gv_step_key *key = &s->keys[i];
        gv_redis_adds(words, key->value ? "1" : "0");
        gv_redis_add(words, key->value ? key->value : "", key->length);
        gv_redis_adds(words, !key->write ? "leave" : !key->put ? "drop" : key->keep_expiry ? "keep" : "put");
        gv_redis_add(words, key->put ? key->put : "", key->put ? key->put_length : 0);
        gv_redis_add_number(words, key->put_expire_ms);
    }
}

static void write_call(gv_redis_call *call, gv_redis_words *words)
{
    const gv_step_request *request = call->op->request;
    const gv_step_rule *rule = request->rule;
    const swap *s = swap_of(call);
    const gv_step_script *script = rule->script;
    const gv_step_words to = {add_word, words};
    if (s) {
        gv_redis_add_script(words, call, gv_redis_swap, request->user, request->keys, rule->count);
        write_swap(s, rule->count, words);
        return;
    }
    bool runs = script && (!script->fits || script->fits(request->arguments));
    gv_redis_add_script(words, call, runs ? script->source : gv_redis_look, request->user, request->keys, rule->count);
    if (runs && script->ask)
        script->ask(request->arguments, &to);
}

bool gv_redis_is_slow(const gv_redis_call *call)
{
    if (call->kind != &gv_redis_step || !(call->op->kind->flags & GV_WRITE))
        return false;
    const gv_step_request *request = call->op->request;
    const gv_step_script *script = request->rule->script;
    return !script || (script->fits && !script->fits(request->arguments));
}

static const char *user_of(const gavat_op *op)
{
    switch (*(const gv_state_verb *)op->request) {
    case GV_STATE_STEP: return ((const gv_step_request *)op->request)->user;
    case GV_STATE_SCAN: case GV_STATE_WALK: return NULL;
    default: return ((const gv_state_request *)op->request)->user;
    }
}

bool gv_redis_must_wait(const gv_redis_call *call)
{
    const gv_list *slow = &call->self->slow;
    if (gv_list_empty(slow) || call->slow.next || !call->op || call->op->kind->place == GV_CHECK_STATE
        || call->op->kind->place == GV_SCHEMA_STATE)
        return false;
    const char *user = user_of(call->op);
    for (const gv_link *link = slow->head.next; user && link != &slow->head; link = link->next) {
        const gv_redis_call *other = GV_CONTAINER(link, gv_redis_call, slow);
        if (strcmp(user_of(other->op), user) == 0)
            return true;
    }
    return false;
}

/* --- in --- */

/* The values of a reply: {wrote, now, value, left, late, …}. False: it is none. */
static bool read_keys(const gv_step_request *request, const redisReply *reply, gv_step *step, bool late[GV_STEP_KEYS])
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 + 3 * request->rule->count || reply->element[1]->type != REDIS_REPLY_STRING)
        return false;
    step->now = strtoll(reply->element[1]->str, NULL, 10);
    for (size_t i = 0; i < request->rule->count; i++) {
        const redisReply *value = reply->element[2 + 3 * i], *left = reply->element[3 + 3 * i];
        gv_step_key *key = &step->keys[i];
        key->key = request->keys[i];
        late[i] = reply->element[4 + 3 * i]->integer != 0;
        if (value->type != REDIS_REPLY_STRING || left->type != REDIS_REPLY_STRING)
            continue;
        key->value = value->str;
        key->length = value->len;
        key->expire_ms = (strtoll(left->str, NULL, 10) + 999) / 1000;
    }
    return true;
}

/* A key that was given too far away is stored as it counts. */
static void settle_late(gv_step *step, const bool late[GV_STEP_KEYS])
{
    for (size_t i = 0; i < step->count; i++) {
        gv_step_key *key = &step->keys[i];
        if (!late[i] || (key->write && (!key->put || !key->keep_expiry)))
            continue;
        if (!key->write) {
            key->put = key->value;
            key->put_length = key->length;
        }
        key->write = true;
        key->keep_expiry = false;
        key->put_expire_ms = key->expire_ms;
    }
}

static bool wants_to_write(const gv_step *step)
{
    for (size_t i = 0; i < step->count; i++)
        if (step->keys[i].write)
            return true;
    return false;
}

static swap *copy_swap(const gv_step *step)
{
    swap *s = gv_alloc_zero(sizeof *s);
    bool good = s;
    for (size_t i = 0; i < step->count && good; i++) {
        const gv_step_key *from = &step->keys[i];
        gv_step_key *to = &s->keys[i];
        *to = *from;
        to->value = from->value ? gv_arena_copy(&s->arena, from->value, from->length) : NULL;
        to->put = from->write && from->put ? gv_arena_copy(&s->arena, from->put, from->put_length) : NULL;
        good = (!from->value || to->value) && (!from->write || !from->put || to->put);
    }
    if (s && !good) {
        gv_arena_free(&s->arena);
        gv_free(s);
    }
    return good ? s : NULL;
}

/* False: it has no outcome yet, and is under way once more. */
static bool decide(gv_redis_call *call, const redisReply *reply)
{
    gavat_op *op = call->op;
    const gv_step_request *request = op->request;
    gv_step_key keys[GV_STEP_KEYS] = {0};
    bool late[GV_STEP_KEYS] = {0}, wrote, writes = op->kind->flags & GV_WRITE, again = false;
    gv_arena arena = {0};
    gv_step step = {request->arguments, 0, keys, request->rule->count, &arena, op};
    if (!read_keys(request, reply, &step, late)) {
        gv_op_fail(op, GAVAT_EIO, 0, "", "state: %s gave an answer that is not understood", op->store->shown);
        return true;
    }
    wrote = reply->element[0]->integer != 0;
    if (swap_of(call) && wrote)
        return true;            /* the answer is there since the rule was asked */
    drop_swap(call);
    gv_op_drop_result(op);
    op->staged.number = 0;
    if (request->rule->decide(&step) && writes && !wrote) {
        settle_late(&step, late);
        if (wants_to_write(&step)) {
            *(swap **)call->more = copy_swap(&step);
            again = swap_of(call);
            if (!again)
                gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the step");
        }
    }
    gv_arena_free(&arena);
    if (again)
        gv_redis_resubmit(call);
    return !again;
}

static void take_reply(gv_redis_call *call, const redisReply *reply)
{
    gavat_op *op = call->op;
    bool writes = op->kind->flags & GV_WRITE;
    if (gv_op_wanted(op)) {
        if (reply->type == REDIS_REPLY_ERROR)
            gv_state_refuse_list(op);
        else if (!decide(call, reply))
            return;
        if (op->staged.error.status == GAVAT_OK)
            gv_op_succeed(op, writes ? GAVAT_REACHED_STORE : GAVAT_REACHED_NONE);
    }
    drop_swap(call);
    gv_redis_finish(call);
}

static void fail(gv_redis_call *call, const gv_redis_failure *failure)
{
    drop_swap(call);
    gv_op_drop_result(call->op);
    gv_redis_fail_call(call, failure);
}

const gv_redis_kind gv_redis_step = {write_call, take_reply, fail};
