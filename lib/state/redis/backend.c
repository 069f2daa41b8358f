/* backend.c: the door: settings, opening and closing, and the turns of the loop. */
#include "redis.h"
#include "../../base/url.h"
#include <stdio.h>
#include <stdlib.h>

#define TICK 100                /* milliseconds */
#define SILENCE UINT64_C(1700000000)    /* nanoseconds without a word on what was asked: the link is dead */
#define MARKER_EVERY UINT64_C(5000000000)
#define RETRIES 1000            /* reads that may be sent once more, before as many have gone well */
#define PORT 6379

static const char *const schemes[] = {"redis", NULL};

/* --- settings --- */

static bool read_database(const char *path, int *database)
{
    char *end;
    *database = 0;
    if (!*path)
        return true;
    if (*path < '0' || *path > '9' || strlen(path) > 6)
        return false;
    *database = (int)strtol(path, &end, 10);
    return !*end;
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_redis *self = own;
    gv_url url;
    const char *key = gv_settings[gv_areas[GV_STATE].setting].key, *wrong = gv_url_parse(&store->arena, store->url, &url);
    self->store = store;
    if (wrong)
        return gv_config_fail(cfg, strcmp(wrong, GV_MEMORY_IS_OUT) == 0 ? GAVAT_ENOMEM : GAVAT_EINVAL, "%s: %s", key, wrong);
    if (url.host_count != 1 || strlen(url.hosts[0].name) >= sizeof self->node.host)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s names no host, or several: write redis://user:password@host:6379/0", key);
    if (!read_database(url.path, &self->database))
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: behind the host comes the number of the database: redis://host:6379/0", key);
    self->user = url.user && *url.user ? url.user : NULL;
    self->password = url.password;
    self->retries = RETRIES;
    gv_redis_node *node = &self->node;
    node->self = self;
    snprintf(node->host, sizeof node->host, "%s", url.hosts[0].name);
    node->port = url.hosts[0].port ? url.hosts[0].port : PORT;
    gv_list_init(&node->waiting);
    gv_list_init(&node->again);
    gv_list_init(&node->sent);
    gv_list_init(&self->held);
    gv_list_init(&self->slow);
    gv_list_init(&self->parked);
    return GAVAT_OK;
}

uint64_t gv_redis_clock(gv_redis *self)
{
    gavat *g = self->store->client;
    return atomic_load(&g->clock) ? (uint64_t)gv_now(g) : 0;
}

/* --- calls --- */

gv_redis_call *gv_redis_call_new(gv_redis *self, const gv_redis_kind *kind, gavat_op *op, size_t more)
{
    size_t head = (sizeof(gv_redis_call) + 15) & ~(size_t)15;
    gv_redis_call *call = gv_alloc_zero(head + more);
    if (call) {
        call->kind = kind;
        call->self = self;
        call->op = op;
        call->more = more ? (char *)call + head : NULL;
    } else if (op) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "state: no memory to ask the store");
        gv_op_finish(op);
    }
    return call;
}

void gv_redis_call_free(gv_redis_call *call)
{
    gv_free(call);
}

void gv_redis_finish(gv_redis_call *call)
{
    gv_redis *self = call->self;
    gv_op_finish(call->op);
    if (call->slow.next) {      /* those that waited for it look again, before all others */
        gv_list_remove(&call->slow);
        gv_list_move(&self->parked, &self->node.waiting);
        gv_list_move(&self->node.waiting, &self->parked);
        gv_redis_hand_out(self);
    }
    gv_redis_call_free(call);
}

void gv_redis_submit(gv_redis_call *call)
{
    gv_list_append(&call->self->node.waiting, &call->link);
    gv_redis_hand_out(call->self);
}

void gv_redis_resubmit(gv_redis_call *call)
{
    call->sent_at = 0;
    gv_list_append(&call->self->node.again, &call->link);
    gv_redis_hand_out(call->self);
}

void gv_redis_fail_call(gv_redis_call *call, const gv_redis_failure *failure)
{
    gv_redis *self = call->self;
    gavat_op *op = call->op;
    bool writes = op->kind->flags & (GV_WRITE | GV_LONG);
    if (failure->lost && !self->closing && !self->broken && !writes && self->retries && ++call->tries < 3 && gv_op_wanted(op)) {
        self->retries--;
        gv_redis_resubmit(call);
        return;
    }
    gv_redis_fail(op, failure, writes && failure->lost && call->sent_at ? GAVAT_ERROR_MAYBE_APPLIED : 0);
    gv_redis_finish(call);
}

static void fail_list(gv_list *calls, const gv_redis_failure *failure)
{
    gv_link *link;
    gv_list all;
    gv_list_init(&all);
    gv_list_move(&all, calls);
    while ((link = gv_list_take(&all))) {
        gv_redis_call *call = GV_CONTAINER(link, gv_redis_call, link);
        call->tries = 9;
        call->kind->fail(call, failure);
    }
}

void gv_redis_fail_waiting(gv_redis *self, const gv_redis_failure *failure)
{
    gv_link *link;
    fail_list(&self->parked, failure);
    fail_list(&self->node.again, failure);
    fail_list(&self->node.waiting, failure);
    while ((link = gv_list_take(&self->held))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_redis_fail(op, failure, 0);
        gv_op_finish(op);
    }
}

/* --- a turn --- */

static void on_timer(uv_timer_t *timer);

static void hand_out(gv_redis *self)
{
    gv_redis_node *node = &self->node;
    if (node->doomed) {
        gv_redis_failure why = node->why;
        gv_redis_lose(node, &why);
    }
    if (self->broken)
        gv_redis_fail_waiting(self, &self->why);
    if (self->opening || !gv_list_empty(&node->waiting) || !gv_list_empty(&node->again))
        gv_redis_want(node);
    if (node->state == GV_REDIS_READY && node->unread)
        gv_redis_take_replies(node);
    if (node->state == GV_REDIS_READY && !node->doomed)
        gv_redis_write(node);
}

static void on_turn(uv_prepare_t *turn)
{
    gv_redis *self = turn->data;
    self->due = false;
    if (!self->closing)
        hand_out(self);
    if (!self->due)
        uv_prepare_stop(turn);
    if (!self->closing && (self->due || !uv_is_active((uv_handle_t *)&self->timer)))
        uv_timer_start(&self->timer, on_timer, self->due ? 0 : TICK, TICK);
}

void gv_redis_hand_out(gv_redis *self)
{
    if (!self->started || self->closing)
        return;
    self->due = true;
    uv_prepare_start(&self->turn, on_turn);
}

/* --- the clock --- */

static void sweep(gv_list *calls)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(calls); link && link != &calls->head; link = next) {
        next = link->next;
        gv_redis_call *call = GV_CONTAINER(link, gv_redis_call, link);
        if (!call->op || gv_op_wanted(call->op))
            continue;
        gv_list_remove(link);
        gv_redis_failure late = {.status = GAVAT_ETIMEDOUT, .text = "nobody waits for it any more"};
        call->kind->fail(call, &late);
    }
}

static void sweep_held(gv_redis *self)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->held); link && link != &self->held.head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_wanted(op))
            continue;
        gv_list_remove(link);
        gv_op_finish(op);
    }
}

/* What was asked longest ago has had no answer, and nothing else was heard since. */
static bool is_silent(const gv_redis_node *node, uint64_t now)
{
    gv_link *link = gv_list_first(&node->sent);
    if (!link)
        return false;
    uint64_t asked = GV_CONTAINER(link, gv_redis_call, link)->sent_at, heard = node->heard_at > asked ? node->heard_at : asked;
    return now > heard && now - heard > SILENCE;
}

static bool is_idle(const gv_redis *self)
{
    const gv_redis_node *node = &self->node;
    return !self->opening && !self->down_since && !self->adopting && !node->sent_count && gv_list_empty(&node->waiting)
           && gv_list_empty(&node->again) && gv_list_empty(&self->held);
}

static void on_timer(uv_timer_t *timer)
{
    gv_redis *self = timer->data;
    gv_redis_node *node = &self->node;
    uint64_t now = gv_clock_steady();
    gv_redis_failure failure = {.status = GAVAT_EUNAVAIL, .flags = GAVAT_ERROR_RETRY, .text = "the server does not answer"};
    if (node->state == GV_REDIS_READY && is_silent(node, now))
        gv_redis_receive(node);         /* it may be us who did not listen: a callback that took long */
    if (gv_redis_connecting_late(node, now))
        gv_redis_give_up(node);
    else if (node->state == GV_REDIS_READY && is_silent(node, now))
        gv_redis_lose(node, &failure);
    sweep(&node->waiting);
    sweep(&node->again);
    sweep(&self->parked);
    sweep_held(self);
    if (self->down_since)
        gv_redis_want(node);
    if (self->retries < RETRIES && node->state == GV_REDIS_READY)
        self->retries++;
    if (is_idle(self))
        uv_timer_stop(timer);
    else if (node->state == GV_REDIS_READY && now - self->marker_at > MARKER_EVERY)
        gv_redis_look_for_marker(self);
    gv_redis_hand_out(self);
}

/* --- the door --- */

void gv_redis_opened(gv_redis *self, const gv_redis_failure *failure)
{
    gavat_op *op = self->opening;
    self->opening = NULL;
    if (failure)
        gv_redis_fail(op, failure, 0);
    else
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    gv_op_finish(op);
}

static void open_store(void *own, gavat_op *op)
{
    gv_redis *self = own;
    uv_loop_t *loop = self->store->client->loop;
    uv_prepare_init(loop, &self->turn);
    uv_timer_init(loop, &self->timer);
    self->turn.data = self->timer.data = self;
    self->handles = 2;
    self->started = true;
    self->opening = op;
    gv_redis_hand_out(self);
}

static void submit(void *own, gavat_op *op)
{
    gv_redis *self = own;
    if (self->closing || !self->started) {
        gv_op_fail(op, GAVAT_ECLOSED, 0, "", "the store is closed: nothing was done");
        gv_op_finish(op);
    } else if (op->kind->place == GV_CHECK_STATE) {
        gv_redis_start_check(self, op);
    } else if (op->kind->place == GV_SCHEMA_STATE || op->kind->place == GV_UPGRADE_STATE) {
        gv_redis_start_schema(self, op);
    } else if (self->broken) {
        gv_redis_fail(op, &self->why, 0);
        gv_op_finish(op);
        gv_redis_hand_out(self);
    } else {
        gv_redis_start(self, op);
    }
}

void gv_redis_handle_closed(gv_redis *self)
{
    if (--self->handles || !self->closing)
        return;
    gv_text_free(&self->scratch);
    gv_store_closed(self->store);
}

static void on_handle_closed(uv_handle_t *handle)
{
    gv_redis_handle_closed(handle->data);
}

static void close_store(void *own)
{
    gv_redis *self = own;
    gv_redis_failure failure = {.status = GAVAT_ECLOSED, .lost = true, .text = "the client is being closed"};
    self->closing = true;
    gv_redis_close_node(&self->node);
    gv_redis_fail_waiting(self, &failure);
    if (self->opening)
        gv_redis_opened(self, &failure);
    if (self->upgrading) {
        gv_redis_fail(self->upgrading, &failure, 0);
        gv_op_finish(self->upgrading);
        self->upgrading = NULL;
    }
    if (self->started) {
        uv_close((uv_handle_t *)&self->turn, on_handle_closed);
        uv_close((uv_handle_t *)&self->timer, on_handle_closed);
        return;
    }
    self->handles = 1;
    gv_redis_handle_closed(self);
}

const gv_backend gv_redis_state = {
    .name = "redis",
    .area = GV_STATE,
    .schemes = schemes,
    .size = sizeof(gv_redis),
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
