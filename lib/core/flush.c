/* flush.c: gavat_flush: a fence. It counts the ops that have no outcome yet when the loop reaches it; each that ends counts it down. */
#include "../base/clock.h"
#include "client.h"

static void finish_locked(gavat *g, gavat_op *flush, uint64_t now, gv_list *released)
{
    gavat_error none = {GAVAT_OK, 0, "", "", ""};
    flush->staged.error = none;
    flush->outcome = &flush->staged;
    gv_op_end_locked(g, flush, now, released);
}

/* While it is in the queue its link is the loop's, which drops it later; in the list of flushes it is the lock's. */
static void leave_list(gavat_op *flush)
{
    if (flush->flush_waiting)
        gv_list_remove(&flush->link);
    flush->flush_waiting = 0;
}

void gv_flush_ended_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released)
{
    if (op->internal || op->kind->flags & GV_POLL)
        return;
    if (op->kind->flags & GV_FENCE) {
        leave_list(op);
        return;
    }
    g->unended--;
    gv_link *next;
    for (gv_link *link = gv_list_first(&g->flushes); link && link != &g->flushes.head; link = next) {
        next = link->next;
        gavat_op *flush = GV_CONTAINER(link, gavat_op, link);
        if (op->generation > flush->generation)
            continue;
        if (flush->flush_waiting > 1)
            flush->flush_waiting--;
        else
            finish_locked(g, flush, now, released);
    }
}

/* The list of flushes holds no reference: an op in it has not ended, so its flight's is there. */
static void run_flush(gavat *g, gavat_op *op)
{
    gv_list released;
    gv_list_init(&released);
    pthread_mutex_lock(&g->lock);
    if (atomic_load(&op->phase) == GV_PHASE_SUBMITTED) {
        op->generation = g->generation++;
        op->flush_waiting = g->unended;
        if (op->flush_waiting)
            gv_list_append(&g->flushes, &op->link);
        else
            finish_locked(g, op, gv_clock_steady(), &released);
    }
    gv_unlock_released(g, &released);
    gavat_op_unref(op);         /* the queue's */
}

static const gv_kind flush_kind = {"flush", GV_CORE, 1, GV_URGENT | GV_FENCE, run_flush};

void gavat_flush(gavat_op *op)
{
    if (gv_op_begin(op, &flush_kind))
        gv_op_submit(op);
}
