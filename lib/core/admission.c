/* admission.c: how many ops and bytes a client takes on, who is refused, and who hears that there is room again.
 *
 * Counters go down without the lock. So whoever waits says so first (waiting_for_room, refused) and looks at the
 * counters then, and whoever lowers a counter does it first and looks for them then: one of the two sees the other. */
#include "../base/memory.h"
#include "client.h"
#include <string.h>

static gavat_op *make(gavat *g, gavat_done_fn done, void *user)
{
    gavat_op *op = gv_spares_take(&g->spares, GV_OP_HOT);
    if (!op)
        op = gv_alloc(sizeof *op);
    if (!op)
        return NULL;
    memset(op, 0, offsetof(gavat_op, uid) + 1);
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

/* One place, or none: never above the bound, not even for a moment, or others would be refused for nothing. */
static bool admit(gavat *g)
{
    if (atomic_load(&g->bytes) >= g->most_bytes)
        return false;
    size_t live = atomic_load(&g->live);
    do
        if (live >= g->most_ops)
            return false;
    while (!atomic_compare_exchange_weak(&g->live, &live, live + 1));
    return true;
}

static bool half_of_bytes_is_free(gavat *g)
{
    return atomic_load(&g->bytes) <= g->most_bytes / 2;
}

/* In the midst of a turn those who wait are woken for some places together: the end of the turn does it for any. */
void gv_room_locked(gavat *g)
{
    bool bytes = half_of_bytes_is_free(g);
    size_t live = atomic_load(&g->live);
    if (bytes && atomic_load(&g->waiting_for_room) && (!g->turning || live <= g->most_ops - g->most_ops / 8))
        pthread_cond_broadcast(&g->room);
    if (!bytes || live > g->most_ops / 2 || !atomic_exchange(&g->refused, false) || !g->room_fn)
        return;
    g->room_due = true;
    gv_wake_locked(g);
}

void gv_room_bytes(gavat *g, size_t bytes, bool place)
{
    size_t half = g->most_bytes / 2, before = atomic_fetch_sub(&g->bytes, bytes);
    bool crossed = before > half && before - bytes <= half;
    if ((!crossed && !place) || (!atomic_load(&g->waiting_for_room) && !atomic_load(&g->refused)))
        return;
    pthread_mutex_lock(&g->lock);
    gv_room_locked(g);
    pthread_mutex_unlock(&g->lock);
}

void gv_room_refuse(gavat *g)
{
    atomic_fetch_add_explicit(&g->refusals, 1, memory_order_relaxed);
    if (atomic_load(&g->refused) || atomic_exchange(&g->refused, true))
        return;                 /* the word of room that is due is for this one too */
    pthread_mutex_lock(&g->lock);
    gv_wake_locked(g);          /* the loop logs a line a second */
    gv_room_locked(g);
    pthread_mutex_unlock(&g->lock);
}

static gavat_op *make_admitted(gavat *g, gavat_done_fn done, void *user)
{
    gavat_op *op = make(g, done, user);
    if (op)
        return op;
    atomic_fetch_sub(&g->live, 1);
    gv_room_bytes(g, 0, true);
    gv_room_refuse(g);
    return NULL;
}

gavat_op *gavat_op_new(gavat *g, gavat_done_fn done, void *user)
{
    if (!g || atomic_load(&g->closing))
        return NULL;
    if (admit(g))
        return make_admitted(g, done, user);
    gv_room_refuse(g);
    return NULL;
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
    if (!g || atomic_load(&g->closing))
        return NULL;
    gavat_op *op = NULL;
    if (atomic_fetch_add(&g->reserved, 1) < GV_RESERVED_OPS)
        op = make(g, done, user);
    if (op)
        op->reserved = true;
    else
        atomic_fetch_sub(&g->reserved, 1);
    return op;
}

/* Wait for a place and half of the bytes; when the time is up, a place alone will do. */
static bool wait_for_room(gavat *g, uint32_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;

    bool admitted = false;
    int waited = 0;
    pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->waiting_for_room, 1);
    while (!atomic_load(&g->closing) && !admitted && !waited) {
        admitted = half_of_bytes_is_free(g) && admit(g);
        if (!admitted)
            waited = pthread_cond_timedwait(&g->room, &g->lock, &until);
    }
    if (!admitted && !atomic_load(&g->closing))
        admitted = admit(g);
    atomic_fetch_sub(&g->waiting_for_room, 1);
    pthread_mutex_unlock(&g->lock);
    return admitted;
}

gavat_op *gavat_op_new_wait(gavat *g, gavat_done_fn done, void *user, uint32_t timeout_ms)
{
    if (!g || gv_on_loop(g) || atomic_load(&g->closing))
        return NULL;
    if ((half_of_bytes_is_free(g) && admit(g)) || wait_for_room(g, timeout_ms))
        return make_admitted(g, done, user);
    if (!atomic_load(&g->closing))
        gv_room_refuse(g);
    return NULL;
}
