/* submit.c: an op's way through the client: in, to its store, to its end. */
#include "../base/clock.h"
#include "../base/memory.h"
#include "client.h"
#include <string.h>

/* Everything that ends an op meets here. */
void gv_op_end_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released)
{
    gv_list_remove(&op->deadline.link);
    gv_list_remove(&op->ended);         /* of the progress list */
    const gavat_error *error = &op->outcome->error;
    unsigned area = op->kind->area, place = op->kind->place;
    if (!op->internal && place < GV_PLACES) {
        if (!g->metrics[area][place])
            g->metrics[area][place] = gv_alloc_zero(sizeof(gv_metric));
        g->metric_kinds[area][place] = op->kind;
        if (g->metrics[area][place])
            gv_metric_count(g->metrics[area][place], error, now > op->submitted ? (now - op->submitted) / 1000 : 0);
    }
    if (op->kind->flags & GV_WRITE && !op->internal) {
        if (error->status == GAVAT_OK)
            *(op->outcome->reached == GAVAT_REACHED_LOCAL ? &g->spooled : &g->committed) += 1;
        else
            *(error->flags & GAVAT_ERROR_MAYBE_APPLIED ? &g->unknown : &g->failed) += 1;
    }
    atomic_store_explicit(&op->phase, GV_PHASE_ENDED, memory_order_release);
    gv_flush_ended_locked(g, op, now, released);
    if (op->done || op->progress) {     /* progress under way ends before a wait does */
        gv_list_append(&g->ending, &op->ended);
        gv_wake_locked(g);
    } else {
        gv_op_done_locked(op);
        gv_list_append(released, &op->ended);
    }
}

void gv_unlock_released(gavat *g, gv_list *released)
{
    if (g->places_free)
        atomic_fetch_sub(&g->live, g->places_free);
    g->places_free = 0;
    if (gv_room_wanted(g))
        gv_room_locked(g);
    gv_waiter *waking = g->waking;
    g->waking = NULL;
    pthread_mutex_unlock(&g->lock);
    gv_waiters_wake(waking);
    gv_ops_unref(g, released);
}

void gv_op_end(gavat_op *op, gavat_status status, uint32_t flags, const char *message, gv_result *result)
{
    gavat *g = op->client;
    gv_list released;
    gv_list_init(&released);
    pthread_mutex_lock(&g->lock);
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED) {
        gavat_error error = {status, flags, gv_op_backend(op), "", message};
        op->imposed = (gv_outcome){error, GAVAT_REACHED_NONE, 0, result};
        op->outcome = &op->imposed;
        if (result)
            gv_result_charge(g, result);
        result = NULL;
        gv_op_end_locked(g, op, gv_clock_steady(), &released);
    }
    gv_unlock_released(g, &released);
    gv_result_free(result);
}

/* The store's word becomes the outcome, unless the op has ended without it, or is about to. Lock held. */
static void accept_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released)
{
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) != GV_PHASE_SUBMITTED
        || atomic_load_explicit(&op->claim, memory_order_relaxed) == GV_CLAIM_WITHDRAWN)
        return;
    gv_op_charge(op);
    op->outcome = &op->staged;
    gv_op_end_locked(g, op, now, released);
}

#define AT_ONCE 128             /* ended under one lock: submitters wait for it */

void gv_ops_finish(gavat *g, gv_list *ops)
{
    uint64_t now = gv_clock_steady();
    while (!gv_list_empty(ops)) {
        gv_list some, released;
        gv_list_init(&some);
        gv_list_init(&released);
        gv_link *link;
        pthread_mutex_lock(&g->lock);
        for (unsigned i = 0; i < AT_ONCE && (link = gv_list_take(ops)); i++) {
            gv_prefetch(ops->head.next->next, GV_OP_HOT);       /* one ahead is too late: an op is soon ended */
            gv_list_append(&some, link);
            accept_locked(g, GV_CONTAINER(link, gavat_op, link), now, &released);
        }
        gv_unlock_released(g, &released);
        while ((link = gv_list_take(&some)))    /* the store's references */
            gavat_op_unref(GV_CONTAINER(link, gavat_op, link));
    }
}

void gv_op_finish(gavat_op *op)
{
    gavat *g = op->client;
    gv_list ops;
    if (gv_on_loop(g) && g->routing) {
        gv_list_append(&g->finished, &op->link);
        return;
    }
    gv_list_init(&ops);
    gv_list_append(&ops, &op->link);
    gv_ops_finish(g, &ops);
}

static void set_deadline(gavat *g, gavat_op *op)
{
    op->submitted = gv_clock_steady();
    uint32_t timeout = op->timeout_given ? op->timeout_ms : op->kind->flags & GV_LONG ? 0 : g->timeout_ms;
    op->deadline.due = timeout ? op->submitted + UINT64_C(1000000) * timeout : 0;
    if (timeout && op->kind->flags & GV_POLL)
        op->deadline.due += GV_POLL_GRACE;
}

/* Into the client, lock held. False: it has ended already. */
static bool enter_locked(gavat *g, gavat_op *op, gv_list *released)
{
    if (op->held)
        atomic_fetch_add_explicit(&op->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&op->phase, GV_PHASE_SUBMITTED, memory_order_release);
    op->generation = g->generation;
    if (!op->internal)
        g->outstanding++;
    if (!op->internal && !(op->kind->flags & (GV_FENCE | GV_POLL)))
        g->unended++;
    gv_deadlines_add(&g->deadlines, &op->deadline);
    if (op->deadline.due && op->deadline.due < g->armed)
        gv_wake_locked(g);      /* the loop sets its timer */
    if (op->staged.error.status != GAVAT_OK) {
        accept_locked(g, op, op->submitted, released);
        return false;
    }
    if (op->reserved && !(op->kind->flags & GV_URGENT)) {
        gavat_error error = {GAVAT_EINVAL, 0, "", "", "a reserved op serves flush, metrics and health only"};
        op->staged.error = error;
    } else if (atomic_load_explicit(&op->cancelled, memory_order_relaxed)) {
        gavat_error error = {GAVAT_ECANCELED, 0, "", "", "cancelled before it was submitted: nothing was done"};
        op->staged.error = error;
    } else if (g->closing && !op->internal) {
        gavat_error error = {GAVAT_ECLOSED, 0, "", "", "the client is closed: nothing was done"};
        op->staged.error = error;
    } else {
        return true;
    }
    accept_locked(g, op, op->submitted, released);
    return false;
}

/* Lock held: the store that takes the op on this very thread; NULL: it is in the client's queue, for the loop. */
static gv_store *goes_direct_locked(gavat *g, gavat_op *op)
{
    gavat_op_ref(op);           /* the store's, or the queue's */
    if (op->store && op->store->direct && !op->kind->run)
        return op->store;
    gv_list_append(&g->queue, &op->link);
    gv_wake_locked(g);
    return NULL;
}

void gv_op_submit(gavat_op *op)
{
    gavat *g = op->client;
    gv_list released;
    gv_list_init(&released);
    set_deadline(g, op);
    pthread_mutex_lock(&g->lock);
    if (g->handles_closed) {    /* after the last callback there is no loop: the op ends, readable, without one */
        op->done = NULL;
        op->progress = NULL;
    }
    gv_store *direct = enter_locked(g, op, &released) ? goes_direct_locked(g, op) : NULL;
    if (direct)
        gavat_op_ref(op);       /* keeps the store while this thread is in it, should the op end and the client close meanwhile */
    gv_unlock_released(g, &released);
    if (direct) {
        direct->backend->submit(direct->self, op);
        gavat_op_unref(op);
    }
}

void gv_op_pass(gavat_op *op, gv_area area)
{
    gavat *g = op->client;
    pthread_mutex_lock(&g->lock);
    op->store = &g->stores[area];
    gv_store *direct = goes_direct_locked(g, op);
    pthread_mutex_unlock(&g->lock);
    if (direct)
        direct->backend->submit(direct->self, op);
    gavat_op_unref(op);         /* the first store's */
}

#define PROGRESS_EVERY UINT64_C(200000000)      /* five times a second */

void gv_op_report(gavat_op *op, uint64_t done, uint64_t total, uint64_t rejected, const char *what)
{
    gavat *g = op->client;
    uint64_t time = op->progress ? gv_clock_steady() : 0;
    if (!op->progress || (op->progress_at && time - op->progress_at < PROGRESS_EVERY))
        return;
    op->progress_at = time;
    pthread_mutex_lock(&g->lock);
    gavat_progress now = {done, total, rejected, 0, what};
    op->progress_now = now;
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED && !op->ended.next) {
        gv_list_append(&g->progressing, &op->ended);
        gv_wake_locked(g);
    }
    pthread_mutex_unlock(&g->lock);
}
