#include "op.h"
#include "../base/clock.h"
#include "../base/memory.h"
#include "batch.h"
#include "client.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- admission and references --- */

static gavat_op *make(gavat *g, gavat_done_fn done, void *user)
{
    gavat_op *op = gv_alloc(sizeof *op);
    if (!op)
        return NULL;
    memset(op, 0, offsetof(gavat_op, memory));
    atomic_store_explicit(&op->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&g->bytes, sizeof *op, memory_order_relaxed);
    op->client = g;
    op->done = done;
    op->user = user;
    op->bytes = sizeof *op;
    return op;
}

gavat_op *gv_op_new_internal(gavat *g, gavat_done_fn done, void *user)
{
    gavat_op *op = make(g, done, user);
    if (op)
        op->internal = true;
    return op;
}

static void count_refusal(gavat *g)
{
    atomic_store(&g->refused, true);
    pthread_mutex_lock(&g->lock);
    g->refusals++;
    if (!g->closing)
        gv_wake_locked(g);      /* the loop logs a line a second */
    pthread_mutex_unlock(&g->lock);
}

static bool admit(gavat *g)
{
    if (atomic_load_explicit(&g->bytes, memory_order_relaxed) >= g->most_bytes)
        return false;
    if (atomic_fetch_add_explicit(&g->live, 1, memory_order_relaxed) < g->most_ops)
        return true;
    atomic_fetch_sub_explicit(&g->live, 1, memory_order_relaxed);
    return false;
}

static bool is_closing(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    bool closing = g->closing;
    pthread_mutex_unlock(&g->lock);
    return closing;
}

gavat_op *gavat_op_new(gavat *g, gavat_done_fn done, void *user)
{
    if (!g || is_closing(g))
        return NULL;
    if (!admit(g)) {
        count_refusal(g);
        return NULL;
    }
    gavat_op *op = make(g, done, user);
    if (!op) {
        atomic_fetch_sub(&g->live, 1);
        count_refusal(g);
    }
    return op;
}

gavat_op *gavat_op_new_held(gavat *g)
{
    gavat_op *op = gavat_op_new(g, NULL, NULL);
    if (op)
        op->held = true;
    return op;
}

gavat_op *gavat_op_new_reserved(gavat *g, gavat_done_fn done, void *user)
{
    if (!g || is_closing(g))
        return NULL;
    gavat_op *op = NULL;
    if (atomic_fetch_add(&g->reserved, 1) < GV_RESERVED_OPS)
        op = make(g, done, user);
    if (!op)
        atomic_fetch_sub(&g->reserved, 1);
    else
        op->reserved = true;
    return op;
}

gavat_op *gavat_op_new_wait(gavat *g, gavat_done_fn done, void *user, uint32_t timeout_ms)
{
    if (!g || gv_on_loop(g))
        return NULL;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;

    pthread_mutex_lock(&g->lock);
    g->waiting_for_room++;
    int waited = 0;
    while (!g->closing && waited == 0
           && (atomic_load(&g->live) >= g->most_ops || atomic_load(&g->bytes) > g->most_bytes / 2))
        waited = pthread_cond_timedwait(&g->room, &g->lock, &until);
    g->waiting_for_room--;
    pthread_mutex_unlock(&g->lock);
    return gavat_op_new(g, done, user);
}

gavat_op *gavat_op_ref(gavat_op *op)
{
    if (op)
        atomic_fetch_add_explicit(&op->refs, 1, memory_order_relaxed);
    return op;
}

/* Half of the bounds is free again: tell those who were refused. */
static void offer_room(gavat *g)
{
    if (atomic_load_explicit(&g->live, memory_order_relaxed) > g->most_ops / 2
        || atomic_load_explicit(&g->bytes, memory_order_relaxed) > g->most_bytes / 2)
        return;
    pthread_mutex_lock(&g->lock);
    if (g->waiting_for_room)
        pthread_cond_broadcast(&g->room);
    if (atomic_exchange(&g->refused, false) && g->room_fn) {
        g->room_due = true;
        gv_wake_locked(g);
    }
    pthread_mutex_unlock(&g->lock);
}

static void release(gavat_op *op)
{
    gavat *g = op->client;
    bool never_submitted = atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_NEW;
    size_t charged = op->bytes;
    if (op->staged.result)
        charged += op->staged.result->charged;
    if (op->outcome.result)
        charged += op->outcome.result->charged;
    gv_result_free(op->staged.result);
    gv_result_free(op->outcome.result);
    gavat_batch_free(op->batch);
    if (op->request != op->memory)
        gv_free(op->request);
    if (never_submitted && op->reserved)
        atomic_fetch_sub(&g->reserved, 1);
    else if (never_submitted && !op->internal)
        atomic_fetch_sub(&g->live, 1);
    gv_free(op);
    atomic_fetch_sub(&g->bytes, charged);
    if (atomic_load_explicit(&g->refused, memory_order_relaxed) || g->waiting_for_room)
        offer_room(g);
    gv_client_unref(g);
}

void gavat_op_unref(gavat_op *op)
{
    if (op && atomic_fetch_sub_explicit(&op->refs, 1, memory_order_acq_rel) == 1)
        release(op);
}

/* --- before submit --- */

void gavat_op_set_timeout(gavat_op *op, uint32_t timeout_ms)
{
    if (!op)
        return;
    op->timeout_ms = timeout_ms;
    op->timeout_given = timeout_ms != 0;
}

void gavat_op_set_progress(gavat_op *op, gavat_progress_fn fn, void *user)
{
    if (!op)
        return;
    op->progress = fn;
    op->progress_user = user;
}

bool gv_op_begin(gavat_op *op, const gv_kind *kind)
{
    if (!op)
        return false;
    if (op->kind) {
        gv_log(op->client, GAVAT_LOG_ERROR, "op", "an op was submitted twice (%s, then %s): the second call is ignored",
               op->kind->name, kind->name);
        return false;
    }
    op->kind = kind;
    if (kind->area != GV_CORE) {
        gv_store *store = &op->client->stores[kind->area];
        op->store = store->front ? store->front : store;
    }
    return true;
}

void *gv_op_request(gavat_op *op, size_t size)
{
    gavat *g = op->client;
    op->request_bytes = size;
    if (size <= sizeof op->memory) {
        memset(op->memory, 0, size);
        op->request = op->memory;
        return op->request;
    }
    if (atomic_fetch_add(&g->bytes, size) + size > g->most_bytes) {
        atomic_fetch_sub(&g->bytes, size);
        count_refusal(g);
        gv_op_refuse(op, GAVAT_EBUSY, "the byte bound (GAVAT_MAX_BYTES, %zu) is reached; wait for earlier calls to end, then try again",
                     g->most_bytes);
        return NULL;
    }
    op->request = gv_alloc_zero(size);
    if (!op->request) {
        atomic_fetch_sub(&g->bytes, size);
        gv_op_refuse(op, GAVAT_ENOMEM, "no memory for the call's arguments");
        return NULL;
    }
    op->bytes += size;
    return op->request;
}

void gv_op_refuse(gavat_op *op, gavat_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gv_op_fail(op, status, status == GAVAT_EBUSY || status == GAVAT_ENOMEM ? GAVAT_ERROR_RETRY : 0, "", "%s", text);
    gv_op_submit(op);
}

/* --- results --- */

const gavat_error *gavat_op_error(const gavat_op *op)
{
    static const gavat_error refused = {GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "",
                                        "the call was not admitted: the bounds of the client are reached, or it is closed"};
    static const gavat_error pending = {GAVAT_PENDING, 0, "", "", "the operation has not ended yet"};
    if (!op)
        return &refused;
    return atomic_load_explicit(&op->phase, memory_order_acquire) >= GV_PHASE_ENDED ? &op->outcome.error : &pending;
}

gavat_status gavat_op_status(const gavat_op *op)
{
    return gavat_op_error(op)->status;
}

static const gv_outcome *outcome_of(const gavat_op *op)
{
    return op && atomic_load_explicit(&op->phase, memory_order_acquire) >= GV_PHASE_ENDED ? &op->outcome : NULL;
}

static const gv_result *result_of(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->result : NULL;
}

gavat_reached gavat_op_reached(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->reached : GAVAT_REACHED_NONE;
}

gavat *gavat_op_client(const gavat_op *op)
{
    return op ? op->client : NULL;
}

int64_t gavat_op_number(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->number : 0;
}

const char *gavat_op_text(const gavat_op *op, size_t *length)
{
    const gv_result *result = result_of(op);
    bool given = result && result->text;
    if (length)
        *length = given ? result->text_length : 0;
    return given ? result->text : "";
}

size_t gavat_op_count(const gavat_op *op)
{
    const gv_result *result = result_of(op);
    return result ? result->count : 0;
}

const char *gavat_op_cursor(const gavat_op *op)
{
    const gv_result *result = result_of(op);
    return result ? result->cursor : NULL;
}

const char *gavat_op_uid(const gavat_op *op)
{
    return op ? op->uid : "";
}

const char *gavat_op_rejected(const gavat_op *op, size_t i, uint64_t *index)
{
    const gv_result *result = result_of(op);
    if (!result || i >= result->rejected_count)
        return NULL;
    if (index)
        *index = result->rejected[i].index;
    return result->rejected[i].why;
}

/* Printed once, then kept: several threads may hold the op, so the printing is under the client's lock. */
const char *gavat_op_json(const gavat_op *op, size_t i, size_t *length)
{
    const gv_outcome *outcome = outcome_of(op);
    gv_result *result = outcome ? outcome->result : NULL;
    if (length)
        *length = 0;
    if (!result || !result->shape || i >= result->count)
        return NULL;
    pthread_mutex_lock(&op->client->lock);
    if (!result->json)
        result->json = gv_arena_alloc(&result->arena, result->count * sizeof *result->json);
    const char *json = result->json ? result->json[i] : NULL;
    if (result->json && !json) {
        gv_text text = {0};
        result->shape->print(result->records[i], &text);
        if (!text.failed)
            json = result->json[i] = gv_arena_copy(&result->arena, gv_text_get(&text), text.length);
        gv_text_free(&text);
    }
    pthread_mutex_unlock(&op->client->lock);
    if (json && length)
        *length = strlen(json);
    return json;
}

/* --- what stores say --- */

bool gv_op_take(gavat_op *op)
{
    unsigned expected = GV_CLAIM_FREE;
    return atomic_compare_exchange_strong(&op->claim, &expected, GV_CLAIM_TAKEN);
}

bool gv_op_wanted(const gavat_op *op)
{
    return atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED
           && !atomic_load_explicit(&op->cancelled, memory_order_relaxed);
}

void gv_op_succeed(gavat_op *op, gavat_reached reached)
{
    gavat_error none = {GAVAT_OK, 0, op->store ? op->store->backend->name : "", "", ""};
    op->staged.error = none;
    op->staged.reached = reached;
}

void gv_op_fail(gavat_op *op, gavat_status status, uint32_t flags, const char *native, const char *format, ...)
{
    const char *backend = op->store && op->store->backend ? op->store->backend->name : "";
    gavat_error error = {status, flags, backend, native ? native : "", "no memory to say what went wrong"};
    op->staged.reached = GAVAT_REACHED_NONE;
    gv_result *result = gv_op_result(op);
    if (result) {
        char text[1024];
        va_list args;
        va_start(args, format);
        int length = vsnprintf(text, sizeof text, format, args);
        va_end(args);
        const char *kept = op->mirrored ? " (the line was kept in the text log)" : "";
        char *copy = length < 0 ? NULL : gv_arena_printf(&result->arena, "%s%s", text, kept);
        if (copy)
            error.message = copy;
    }
    op->staged.error = error;
}

/* --- waiting, cancelling --- */

struct gv_waiter {
    gv_waiter *next;
    pthread_cond_t wake;
};

void gv_op_done_locked(gavat_op *op)
{
    gavat *g = op->client;
    atomic_store_explicit(&op->phase, GV_PHASE_DONE, memory_order_release);
    for (gv_waiter *waiter = op->waiters; waiter; waiter = waiter->next)
        pthread_cond_signal(&waiter->wake);
    if (op->internal)
        return;
    g->outstanding--;
    if (op->reserved)
        atomic_fetch_sub(&g->reserved, 1);
    else
        atomic_fetch_sub(&g->live, 1);
    if (g->closing && !g->outstanding)
        gv_wake_locked(g);
    if (g->waiting_for_room)
        pthread_cond_broadcast(&g->room);
}

/* Wait until done, or until `until` (steady; UINT64_MAX: no limit). True: done. Lock held. */
static bool wait_locked(gavat_op *op, uint64_t until)
{
    gavat *g = op->client;
    gv_waiter waiter = {op->waiters, PTHREAD_COND_INITIALIZER};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&waiter.wake, &attributes);
    pthread_condattr_destroy(&attributes);
    op->waiters = &waiter;
    struct timespec end = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    int timed_out = 0;
    while (atomic_load_explicit(&op->phase, memory_order_relaxed) != GV_PHASE_DONE && !timed_out)
        timed_out = until == UINT64_MAX ? pthread_cond_wait(&waiter.wake, &g->lock)
                                        : pthread_cond_timedwait(&waiter.wake, &g->lock, &end);
    gv_waiter **place = &op->waiters;
    while (*place != &waiter)
        place = &(*place)->next;
    *place = waiter.next;
    pthread_cond_destroy(&waiter.wake);
    return atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_DONE;
}

#define GRACE UINT64_C(100000000)       /* for a callback that is under way when the deadline passes */

gavat_status gavat_op_wait(gavat_op *op)
{
    if (!op)
        return GAVAT_EBUSY;
    gavat *g = op->client;
    if (atomic_load_explicit(&op->phase, memory_order_acquire) == GV_PHASE_DONE)
        return op->outcome.error.status;
    if (gv_on_loop(g))
        return GAVAT_EDEADLK;
    if (atomic_load(&op->phase) == GV_PHASE_NEW)
        return GAVAT_EINVAL;
    pthread_mutex_lock(&g->lock);
    uint64_t due = op->deadline.due;
    bool done = wait_locked(op, due ? due : UINT64_MAX);
    pthread_mutex_unlock(&g->lock);
    if (!done) {                /* the loop may be busy or stopped: end the op from here, its callback comes when it can */
        gv_op_expire(op);
        pthread_mutex_lock(&g->lock);
        done = wait_locked(op, gv_clock_steady() + GRACE);
        pthread_mutex_unlock(&g->lock);
    }
    return done ? op->outcome.error.status : GAVAT_ETIMEDOUT;
}

static bool withdraw(gavat_op *op)
{
    unsigned expected = GV_CLAIM_FREE;
    return atomic_compare_exchange_strong(&op->claim, &expected, GV_CLAIM_WITHDRAWN) || expected == GV_CLAIM_WITHDRAWN;
}

static uint32_t doubt(const gavat_op *op, bool withdrawn)
{
    return GAVAT_ERROR_RETRY | (!withdrawn && op->kind->flags & GV_WRITE ? (uint32_t)GAVAT_ERROR_MAYBE_APPLIED : 0);
}

void gavat_op_cancel(gavat_op *op)
{
    if (!op)
        return;
    atomic_store(&op->cancelled, true);
    if (atomic_load(&op->phase) != GV_PHASE_SUBMITTED)
        return;
    bool withdrawn = withdraw(op);
    if (!withdrawn && op->kind->flags & GV_LONG)
        return;                 /* whoever works on it sees the flag, and ends it after the batch at hand */
    gv_op_end(op, GAVAT_ECANCELED, doubt(op, withdrawn) & ~(uint32_t)GAVAT_ERROR_RETRY,
              withdrawn ? "cancelled before it reached the store: nothing was done" : "cancelled while the store was at work");
}

void gv_op_expire(gavat_op *op)
{
    bool withdrawn = withdraw(op);
    const char *message = withdrawn ? "the deadline passed before the store could begin: nothing was done"
                                    : "the deadline passed while the store was at work";
    const gv_store *store = op->store;
    char text[512];
    if (store && store->backend) {
        char reason[sizeof store->reason];
        pthread_mutex_lock(&op->client->lock);
        memcpy(reason, store->reason, sizeof reason);
        bool opened = op->client->opened;
        pthread_mutex_unlock(&op->client->lock);
        snprintf(text, sizeof text, "%s: %s%s%s%s", gv_areas[store->backend->area].name, message, reason[0] ? " (" : "", reason,
                 reason[0] ? ")" : "");
        message = opened ? text : "the deadline passed before the store was open: call gavat_open first";
    }
    gv_op_end(op, GAVAT_ETIMEDOUT, doubt(op, withdrawn), message);
}
