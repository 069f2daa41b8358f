/* wait.c: those who do not leave an op to the loop: they wait for it, cancel it, or its time is up. */
#include "../base/clock.h"
#include "client.h"
#include <errno.h>
#include <semaphore.h>
#include <string.h>

struct gv_waiter {              /* on the stack of the thread that waits */
    gv_waiter *next;
    sem_t wake;                 /* posted once if it is taken off the op's list: then it must be consumed */
    atomic_bool posted;         /* set before the post */
};

void gv_op_done_locked(gavat_op *op)
{
    gavat *g = op->client;
    atomic_store_explicit(&op->phase, GV_PHASE_DONE, memory_order_release);
    for (gv_waiter *waiter = op->waiters; waiter; waiter = op->waiters) {
        op->waiters = waiter->next;
        waiter->next = g->waking;
        g->waking = waiter;
    }
    if (op->internal)
        return;
    g->outstanding--;
    if (op->reserved)
        atomic_fetch_sub(&g->reserved, 1);
    else
        g->places_free++;
    if (!g->outstanding && atomic_load_explicit(&g->closing, memory_order_relaxed))
        gv_wake_locked(g);
}

void gv_waiters_wake(gv_waiter *waiters)
{
    gv_waiter *next;
    for (; waiters; waiters = next) {
        next = waiters->next;
        atomic_store_explicit(&waiters->posted, true, memory_order_release);
        sem_post(&waiters->wake);
    }
}

/* Off the op's list, unless it is done: then the post is on its way. */
static bool withdraw_waiter(gavat_op *op, gv_waiter *waiter)
{
    pthread_mutex_lock(&op->client->lock);
    gv_waiter **place = &op->waiters;
    while (*place && *place != waiter)
        place = &(*place)->next;
    bool withdrawn = *place != NULL;
    if (withdrawn)
        *place = waiter->next;
    pthread_mutex_unlock(&op->client->lock);
    return withdrawn;
}

static bool is_done(const gavat_op *op)
{
    return atomic_load_explicit(&op->phase, memory_order_acquire) == GV_PHASE_DONE;
}

/* Wait until done, or until `until` (steady; UINT64_MAX: no limit). True: done. */
static bool wait_until(gavat_op *op, uint64_t until)
{
    gavat *g = op->client;
    gv_waiter waiter = {0};
    sem_init(&waiter.wake, 0, 0);
    pthread_mutex_lock(&g->lock);
    bool done = is_done(op);
    waiter.next = op->waiters;
    if (!done)
        op->waiters = &waiter;
    pthread_mutex_unlock(&g->lock);
    struct timespec end = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    while (!done) {             /* EINTR: again */
        int failed = until == UINT64_MAX ? sem_wait(&waiter.wake) : sem_clockwait(&waiter.wake, CLOCK_MONOTONIC, &end);
        done = !failed && atomic_load_explicit(&waiter.posted, memory_order_acquire);
        if (!failed || errno != ETIMEDOUT)
            continue;
        if (withdraw_waiter(op, &waiter))
            break;
        until = UINT64_MAX;     /* it is done: only the post is missing */
    }
    sem_destroy(&waiter.wake);
    return done;
}

#define GRACE UINT64_C(100000000)       /* for a loop that is busy when the deadline passes */

gavat_status gavat_op_wait(gavat_op *op)
{
    if (!op)
        return GAVAT_EBUSY;
    gavat *g = op->client;
    unsigned phase = atomic_load_explicit(&op->phase, memory_order_acquire);
    if (phase == GV_PHASE_DONE)
        return op->outcome->error.status;
    if (gv_on_loop(g))
        return GAVAT_EDEADLK;
    if (phase == GV_PHASE_NEW)
        return GAVAT_EINVAL;
    uint64_t due = op->deadline.due;
    if (!wait_until(op, due ? due : UINT64_MAX)) {      /* the loop may be busy or stopped: end the op from here */
        gv_op_expire(op);
        if (!wait_until(op, gv_clock_steady() + GRACE) && atomic_load(&op->phase) == GV_PHASE_CALLING)
            wait_until(op, UINT64_MAX);
    }
    return op->outcome->error.status;
}

/* True: the store has not begun, and never will. Whoever withdraws an op ends it. */
bool gv_op_withdraw(gavat_op *op)
{
    unsigned expected = GV_CLAIM_FREE;
    return atomic_compare_exchange_strong(&op->claim, &expected, GV_CLAIM_WITHDRAWN) || expected == GV_CLAIM_WITHDRAWN;
}

uint32_t gv_op_doubt(const gavat_op *op, bool withdrawn)
{
    return !withdrawn && op->kind->flags & GV_WRITE ? GAVAT_ERROR_MAYBE_APPLIED : 0;
}

void gavat_op_cancel(gavat_op *op)
{
    if (!op)
        return;
    gavat *g = op->client;
    atomic_store(&op->cancelled, true);
    pthread_mutex_lock(&g->lock);       /* a submit under way has either seen the flag or is seen here */
    bool submitted = atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED;
    pthread_mutex_unlock(&g->lock);
    if (!submitted)
        return;
    bool withdrawn = gv_op_withdraw(op);
    if (!withdrawn && op->kind->flags & GV_LONG)
        return;                 /* whoever works on it sees the flag, and ends it after the batch at hand */
    gv_op_end(op, GAVAT_ECANCELED, gv_op_doubt(op, withdrawn),
              withdrawn ? "cancelled before it reached the store: nothing was done"
                        : "cancelled while the store was at work", NULL);
}

/* Adds what ails the op's store, when it has said so: *message is then in the result. NULL: it has not, or there is
 * no memory. */
static gv_result *explain(gavat_op *op, const char **message)
{
    gavat *g = op->client;
    char reason[sizeof g->stores[0].reason] = "";
    pthread_mutex_lock(&g->lock);
    if (op->store)
        memcpy(reason, op->store->reason, sizeof reason);
    pthread_mutex_unlock(&g->lock);
    gv_result *result = reason[0] ? gv_result_new() : NULL;
    const char *longer = result ? gv_arena_printf(&result->arena, "%s (%s)", *message, reason) : NULL;
    if (longer)
        *message = longer;
    return result;
}

void gv_op_expire(gavat_op *op)
{
    gavat *g = op->client;
    bool withdrawn = gv_op_withdraw(op);
    const char *message = withdrawn ? "the deadline passed before the store could begin: nothing was done"
                                    : "the deadline passed while the store was at work";
    gv_result *result = NULL;
    pthread_mutex_lock(&g->lock);
    bool opened = g->opened, over = atomic_load_explicit(&op->phase, memory_order_relaxed) != GV_PHASE_SUBMITTED;
    pthread_mutex_unlock(&g->lock);
    if (over)
        return;
    if (op->kind->area == GV_CORE)
        message = "the deadline passed before this was done";
    else if (!opened)
        message = "the deadline passed before the store was open: call gavat_open first";
    else
        result = explain(op, &message);
    gv_op_end(op, GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY | gv_op_doubt(op, withdrawn), message, result);
}
