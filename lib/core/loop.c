/* loop.c: the loop's side of a client: what a wake brings, callbacks within a budget, the timer of the deadlines. */
#include "../base/clock.h"
#include "client.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BUDGET 4096             /* ops a turn: the host's own handles get their share between turns */
#define CHUNK 64                /* ops between two looks at the lock */
#define SECOND UINT64_C(1000000000)

bool gv_on_loop(const gavat *g)
{
    return pthread_equal(pthread_self(), g->loop_thread) && !atomic_load_explicit(&g->gone, memory_order_relaxed);
}

/* One write for all that gathers while the loop sleeps or works. */
void gv_wake_locked(gavat *g)
{
    if (g->wake_due || g->handles_closed)
        return;
    g->wake_due = true;
    if (!g->turning)
        uv_async_send(&g->wake);        /* under the lock: the handle cannot close meanwhile */
}

void gv_wake(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    gv_wake_locked(g);
    pthread_mutex_unlock(&g->lock);
}

/* --- ops in, callbacks out --- */

static void take_locked(gavat *g)
{
    gv_list_move(&g->intake, &g->queue);
    gv_list_move(&g->callbacks, &g->ending);
}

void gv_loop_route(gavat *g, gavat_op *op)
{
    gv_store *store = op->store;
    if (op->kind->run) {
        op->kind->run(g, op);
    } else if (!store->backend) {
        gv_op_fail(op, GAVAT_ENOTSUP, 0, "", "%s: there is no store for this: set %s", gv_areas[op->kind->area].name,
                   gv_settings[gv_areas[op->kind->area].setting].key);
        gv_op_finish(op);
    } else if (store->state == GV_STORE_OPEN || store->state >= GV_STORE_CLOSING) {
        store->backend->submit(store->self, op);
    } else {
        gv_list_append(&store->waiting, &op->link);
    }
}

static unsigned route_some(gavat *g)
{
    gv_link *link;
    unsigned count = 0;
    g->routing = true;
    for (; count < CHUNK && (link = gv_list_take(&g->intake)); count++) {
        gv_prefetch(g->intake.head.next, GV_OP_HOT);
        gv_loop_route(g, GV_CONTAINER(link, gavat_op, link));
    }
    g->routing = false;
    if (!gv_list_empty(&g->finished))
        gv_ops_finish(g, &g->finished);
    return count;
}

/* Callbacks, up to the first one that somebody may be waiting for. */
static unsigned call_back(gavat *g)
{
    gv_list called;
    gv_list_init(&called);
    gv_link *link;
    unsigned count = 0;
    bool shared = false;
    for (; count < CHUNK && !shared && (link = gv_list_take(&g->callbacks)); count++) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, ended);
        gv_prefetch(GV_CONTAINER(g->callbacks.head.next->next, gavat_op, ended), GV_OP_HOT);
        atomic_store_explicit(&op->phase, GV_PHASE_CALLING, memory_order_relaxed);
        if (op->done)
            op->done(op, op->user);
        gv_list_append(&called, &op->ended);
        shared = atomic_load_explicit(&op->refs, memory_order_relaxed) > 1;
    }
    pthread_mutex_lock(&g->lock);
    for (link = gv_list_first(&called); link && link != &called.head; link = link->next)
        gv_op_done_locked(GV_CONTAINER(link, gavat_op, ended));
    take_locked(g);
    gv_unlock_released(g, &called);
    return count;
}

/* --- what else there is to tell --- */

static void tell_progress(gavat *g)
{
    for (unsigned i = 0; i < CHUNK; i++) {
        pthread_mutex_lock(&g->lock);
        gv_link *link = gv_list_take(&g->progressing);
        gavat_op *op = link ? gavat_op_ref(GV_CONTAINER(link, gavat_op, ended)) : NULL;
        gavat_progress progress;
        if (op)
            progress = op->progress_now;
        pthread_mutex_unlock(&g->lock);
        if (!op)
            return;
        op->progress(op, &progress, op->progress_user);
        gavat_op_unref(op);
    }
    gv_wake(g);
}

static void tell_health(gavat *g)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        char reason[sizeof store->reason];
        pthread_mutex_lock(&g->lock);
        bool due = store->health_due;
        gavat_health health = store->health;
        gavat_health_fn fn = g->health_fn;
        void *user = g->health_user;
        memcpy(reason, store->reason, sizeof reason);
        store->health_due = false;
        pthread_mutex_unlock(&g->lock);
        if (due && fn)
            fn(g, gv_areas[area].name, health, reason, user);
    }
}

static bool refusals_pending(gavat *g)
{
    return atomic_load(&g->refused) || atomic_load(&g->refusals) != g->refusals_logged;
}

/* A line a second; what is left of them at the end. */
void gv_refusals_log(gavat *g, uint64_t now, bool all)
{
    if (!refusals_pending(g) || (!all && g->refusals_looked_at && now - g->refusals_looked_at < SECOND))
        return;
    uint64_t refusals = atomic_load(&g->refusals);
    g->refusals_looked_at = now;
    if (refusals > g->refusals_logged)
        gv_log(g, GAVAT_LOG_WARN, "op",
               "%llu calls were refused: the bounds of live calls (GAVAT_MAX_OPS) or bytes (GAVAT_MAX_BYTES) are reached",
               (unsigned long long)(refusals - g->refusals_logged));
    g->refusals_logged = refusals;
}

static void tell(gavat *g, uint64_t now)
{
    pthread_mutex_lock(&g->lock);
    gavat_room_fn room = g->room_due ? g->room_fn : NULL;
    void *user = g->room_user;
    bool health = g->health_due, progress = !gv_list_empty(&g->progressing);
    g->room_due = g->health_due = false;
    pthread_mutex_unlock(&g->lock);
    if (progress)
        tell_progress(g);
    if (room)
        room(g, user);
    if (health)
        tell_health(g);
    gv_refusals_log(g, now, false);
    gv_logs_write(g);
}

/* Stores that are open and have nothing older waiting in the client take ops on the submitting thread from now on. */
static void open_direct_ways(gavat *g)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        if (!store->backend || !store->backend->any_thread || store->state != GV_STORE_OPEN || store->direct)
            continue;
        pthread_mutex_lock(&g->lock);
        store->direct = gv_list_empty(&g->queue) && gv_list_empty(&g->intake) && gv_list_empty(&store->waiting);
        pthread_mutex_unlock(&g->lock);
    }
}

/* --- turns --- */

static void on_timer(uv_timer_t *timer);

/* When to look at the clock again. Lock held. */
static uint64_t next_look(gavat *g)
{
    uint64_t next = gv_deadlines_next(&g->deadlines);
    if (refusals_pending(g) && g->refusals_looked_at + SECOND < next)
        next = g->refusals_looked_at + SECOND;
    if (g->trim_at && g->trim_at < next)
        next = g->trim_at;
    if (atomic_load(&g->closing) && g->life < GV_LIFE_HANDLES) {
        uint64_t step = g->life == GV_LIFE_DRAINING ? g->drain_until : g->close_until;
        next = step < next ? step : next;
    }
    return next;
}

/* From here on others wake the loop. What came during the turn, or is left over, gets a turn of its own. */
static void end_turn(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    uint64_t next = next_look(g);
    bool set = next != g->armed && !g->handles_closed;
    g->armed = next;
    g->turning = false;
    if (gv_room_wanted(g))
        gv_room_locked(g);
    bool again = g->wake_due || !gv_list_empty(&g->intake) || !gv_list_empty(&g->callbacks);
    g->wake_due = false;
    if (again)
        gv_wake_locked(g);
    pthread_mutex_unlock(&g->lock);
    if (!set)
        return;
    if (next == UINT64_MAX) {
        uv_timer_stop(&g->timer);
        return;
    }
    uint64_t now = gv_clock_steady();
    uv_update_time(g->loop);
    uv_timer_start(&g->timer, on_timer, next > now ? (next - now) / 1000000 + 1 : 0, 0);
}

static void expire_due(gavat *g)
{
    for (;;) {
        gavat_op *due[64];
        size_t count = 0;
        pthread_mutex_lock(&g->lock);
        gv_deadlines_take(&g->deadlines, gv_clock_steady(), &g->due);
        gv_link *link;
        while (count < 64 && (link = gv_list_take(&g->due)))
            due[count++] = gavat_op_ref(GV_CONTAINER(link, gavat_op, deadline.link));
        pthread_mutex_unlock(&g->lock);
        if (!count)
            return;
        for (size_t i = 0; i < count; i++) {
            gv_op_expire(due[i]);
            gavat_op_unref(due[i]);
        }
    }
}

/* Memory of ops stays warm between two bursts of work. */
static void trim_spares(gavat *g, uint64_t now)
{
    if (g->trim_at && now < g->trim_at)
        return;
    if (g->trim_at && !atomic_load(&g->live))
        gv_spares_trim(&g->spares);
    g->trim_at = gv_spares_many(&g->spares) ? now + SECOND : 0;
}

static void turn(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    g->turning = true;
    g->wake_due = false;
    take_locked(g);
    pthread_mutex_unlock(&g->lock);

    unsigned worked = 0, did;
    do {
        did = route_some(g);
        did += call_back(g);
        worked += did;
    } while (did && worked < BUDGET);
    uint64_t now = gv_clock_steady();
    tell(g, now);
    open_direct_ways(g);
    gv_close_step(g, now);
    trim_spares(g, now);
    end_turn(g);
}

static void on_wake(uv_async_t *wake)
{
    turn(wake->data);
}

static void on_timer(uv_timer_t *timer)
{
    gavat *g = timer->data;
    pthread_mutex_lock(&g->lock);
    g->armed = UINT64_MAX;
    pthread_mutex_unlock(&g->lock);
    expire_due(g);
    turn(g);
}

static void *run_loop(void *user)
{
    gavat *g = user;
    uv_loop_t *loop = g->loop;
    pthread_mutex_lock(&g->lock);       /* until loop_thread is set */
    pthread_mutex_unlock(&g->lock);
    pthread_setname_np(pthread_self(), "gavat-loop");
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    gv_client_unref(g, 1);
    return NULL;
}

static int start_thread(gavat *g)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&g->lock);
    int failed = pthread_create(&g->loop_thread, NULL, run_loop, g);
    pthread_mutex_unlock(&g->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -failed;
}

int gv_loop_start(gavat *g)
{
    g->loop_thread = pthread_self();
    int failed = uv_async_init(g->loop, &g->wake, on_wake);
    if (!failed) {
        uv_timer_init(g->loop, &g->timer);
        g->wake.data = g->timer.data = g;
        g->open_handles = 2;
        atomic_fetch_add(&g->refs, 1);      /* the loop's */
        failed = g->own_loop ? start_thread(g) : 0;
    }
    if (failed && g->own_loop) {
        if (g->open_handles) {
            uv_close((uv_handle_t *)&g->wake, NULL);
            uv_close((uv_handle_t *)&g->timer, NULL);
            uv_run(g->loop, UV_RUN_DEFAULT);
        }
        uv_loop_close(g->loop);
    }
    return failed;
}
