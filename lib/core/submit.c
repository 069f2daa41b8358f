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
    const gavat_error *error = &op->outcome.error;
    unsigned area = op->kind->area, place = op->kind->place;
    if (!op->internal && place < GV_PLACES) {
        if (!g->metrics[area][place])
            g->metrics[area][place] = gv_alloc_zero(sizeof(gv_metric));
        g->metric_kinds[area][place] = op->kind;
        if (g->metrics[area][place])
            gv_metric_count(g->metrics[area][place], error, (now - op->submitted) / 1000);
    }
    if (op->kind->flags & GV_WRITE && !op->internal) {
        if (error->status == GAVAT_OK)
            *(op->outcome.reached == GAVAT_REACHED_LOCAL ? &g->spooled : &g->committed) += 1;
        else
            *(error->flags & GAVAT_ERROR_MAYBE_APPLIED ? &g->unknown : &g->failed) += 1;
    }
    atomic_store_explicit(&op->phase, GV_PHASE_ENDED, memory_order_release);
    gv_flush_ended_locked(g, op, now, released);
    if (op->done) {
        gv_list_append(&g->ending, &op->ended);
        gv_wake_locked(g);
    } else {
        gv_op_done_locked(op);
        gv_list_append(released, &op->ended);
    }
}

void gv_ops_release(gv_list *released)
{
    gv_link *link;
    while ((link = gv_list_take(released)))
        gavat_op_unref(GV_CONTAINER(link, gavat_op, ended));
}

void gv_op_end(gavat_op *op, gavat_status status, uint32_t flags, const char *message)
{
    gavat *g = op->client;
    gv_list released;
    gv_list_init(&released);
    gv_result *result = gv_alloc_zero(sizeof *result);
    const char *copy = result ? gv_arena_copy_text(&result->arena, message) : NULL;
    pthread_mutex_lock(&g->lock);
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED) {
        const char *backend = op->store && op->store->backend ? op->store->backend->name : "";
        gavat_error error = {status, flags, backend, "", copy ? copy : gavat_status_name(status)};
        op->outcome.error = error;
        op->outcome.result = result;
        result = NULL;
        gv_op_end_locked(g, op, gv_clock_steady(), &released);
    }
    pthread_mutex_unlock(&g->lock);
    gv_result_free(result);
    gv_ops_release(&released);
}

/* The store's word becomes the outcome, unless the op has ended without it. Lock held. */
static void accept_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released)
{
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) != GV_PHASE_SUBMITTED)
        return;
    op->outcome = op->staged;
    memset(&op->staged, 0, sizeof op->staged);
    gv_op_end_locked(g, op, now, released);
}

void gv_ops_finish(gavat *g, gv_list *ops)
{
    gv_list released;
    gv_list_init(&released);
    uint64_t now = gv_clock_steady();
    pthread_mutex_lock(&g->lock);
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        accept_locked(g, GV_CONTAINER(link, gavat_op, link), now, &released);
    pthread_mutex_unlock(&g->lock);
    gv_ops_release(&released);
    gv_link *link;
    while ((link = gv_list_take(ops)))          /* the store's references */
        gavat_op_unref(GV_CONTAINER(link, gavat_op, link));
}

void gv_op_finish(gavat_op *op)
{
    gv_list ops;
    gv_list_init(&ops);
    gv_list_append(&ops, &op->link);
    gv_ops_finish(op->client, &ops);
}

static void set_deadline(gavat *g, gavat_op *op)
{
    op->submitted = gv_clock_steady();
    uint32_t timeout = op->timeout_given ? op->timeout_ms : op->kind->flags & GV_LONG ? 0 : g->timeout_ms;
    op->deadline.due = timeout ? op->submitted + UINT64_C(1000000) * timeout : 0;
}

/* Into the client, lock held. False: it has ended already. */
static bool enter_locked(gavat *g, gavat_op *op, gv_list *released)
{
    if (op->held)
        atomic_fetch_add_explicit(&op->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&op->phase, GV_PHASE_SUBMITTED, memory_order_relaxed);
    op->generation = g->generation;
    if (!op->internal)
        g->outstanding++;
    if (!op->internal && !(op->kind->flags & GV_FENCE))
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

/* Lock held: an op that the store takes on this very thread; else it is in the client's queue, for the loop. */
static bool goes_direct_locked(gavat *g, gavat_op *op)
{
    gavat_op_ref(op);           /* the store's, or the queue's */
    if (op->store && op->store->direct && !op->kind->run)
        return true;
    gv_list_append(&g->queue, &op->link);
    gv_wake_locked(g);
    return false;
}

void gv_op_submit(gavat_op *op)
{
    gavat *g = op->client;
    gv_list released;
    gv_list_init(&released);
    set_deadline(g, op);
    pthread_mutex_lock(&g->lock);
    /* After the last callback there is no loop: the op ends, readable, without one. */
    if (g->handles_closed)
        op->done = NULL;
    bool direct = enter_locked(g, op, &released) && goes_direct_locked(g, op);
    pthread_mutex_unlock(&g->lock);
    gv_ops_release(&released);
    if (direct)
        op->store->backend->submit(op->store->self, op);
}

void gv_op_pass(gavat_op *op, gv_area area)
{
    gavat *g = op->client;
    op->store = &g->stores[area];
    pthread_mutex_lock(&g->lock);
    bool direct = goes_direct_locked(g, op);
    pthread_mutex_unlock(&g->lock);
    if (direct)
        op->store->backend->submit(op->store->self, op);
    gavat_op_unref(op);         /* the first store's */
}

void gv_op_report(gavat_op *op, uint64_t done, uint64_t total, uint64_t rejected, const char *what)
{
    gavat *g = op->client;
    if (!op->progress)
        return;
    pthread_mutex_lock(&g->lock);
    gavat_progress now = {done, total, rejected, 0, what};
    op->progress_now = now;
    if (atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED && !op->ended.next) {
        gv_list_append(&g->progressing, &op->ended);
        gv_wake_locked(g);
    }
    pthread_mutex_unlock(&g->lock);
}
