/* loop.c: the loop's side of a client: what a wake brings, callbacks within a budget, the timer of the deadlines. */
#include "../base/clock.h"
#include "client.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BUDGET 4096             /* ops a turn: the host's own handles get their share between turns */
#define CHUNK 32                /* callbacks between two looks at the lock */

bool gv_on_loop(const gavat *g)
{
    return pthread_equal(pthread_self(), g->loop_thread);
}

void gv_wake_locked(gavat *g)
{
    if (!g->handles_closed)
        uv_async_send(&g->wake);        /* under the lock: the handle cannot close meanwhile */
}

void gv_wake(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    gv_wake_locked(g);
    pthread_mutex_unlock(&g->lock);
}

void gv_loop_route(gavat *g, gavat_op *op)
{
    gv_store *store = op->store;
    if (op->kind->run)
        op->kind->run(g, op);
    else if (store->state == GV_STORE_OPEN || store->state >= GV_STORE_CLOSING)
        store->backend->submit(store->self, op);
    else
        gv_list_append(&store->waiting, &op->link);
}

static void route_some(gavat *g)
{
    gv_link *link;
    for (unsigned i = 0; i < BUDGET && (link = gv_list_take(&g->intake)); i++)
        gv_loop_route(g, GV_CONTAINER(link, gavat_op, link));
}

static void call_back(gavat *g)
{
    gv_list called;
    gv_list_init(&called);
    gv_link *link;
    for (unsigned i = 0; i < CHUNK && (link = gv_list_take(&g->callbacks)); i++) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, ended);
        op->done(op, op->user);
        gv_list_append(&called, &op->ended);
    }
    if (gv_list_empty(&called))
        return;
    pthread_mutex_lock(&g->lock);
    for (link = gv_list_first(&called); link && link != &called.head; link = link->next)
        gv_op_done_locked(GV_CONTAINER(link, gavat_op, ended));
    pthread_mutex_unlock(&g->lock);
    gv_ops_release(&called);
}

static void tell_progress(gavat *g)
{
    for (;;) {
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
}

static void tell_health(gavat *g)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        char reason[sizeof store->reason];
        pthread_mutex_lock(&g->lock);
        bool due = store->health_due;
        gavat_health health = store->health;
        memcpy(reason, store->reason, sizeof reason);
        store->health_due = false;
        pthread_mutex_unlock(&g->lock);
        if (due && g->health_fn)
            g->health_fn(g, gv_areas[area].name, health, reason, g->health_user);
    }
}

static void tell_room(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    bool room = g->room_due, health = g->health_due;
    g->room_due = g->health_due = false;
    uint64_t refusals = g->refusals, now = gv_clock_steady();
    pthread_mutex_unlock(&g->lock);
    if (room && g->room_fn)
        g->room_fn(g, g->room_user);
    if (health)
        tell_health(g);
    if (refusals > g->refusals_logged && now - g->refusals_logged_at > 1000000000) {
        gv_log(g, GAVAT_LOG_WARN, "op", "%llu calls were refused: the bounds of live calls (GAVAT_MAX_OPS) or bytes (GAVAT_MAX_BYTES) are reached",
               (unsigned long long)(refusals - g->refusals_logged));
        g->refusals_logged = refusals;
        g->refusals_logged_at = now;
    }
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

static void on_timer(uv_timer_t *timer);

static void set_timer(gavat *g)
{
    uint64_t now = gv_clock_steady();
    pthread_mutex_lock(&g->lock);
    uint64_t next = gv_deadlines_next(&g->deadlines);
    if (g->closing && g->life < GV_LIFE_HANDLES) {
        uint64_t step = g->life == GV_LIFE_DRAINING ? g->drain_until : g->close_until;
        next = step < next ? step : next;
    }
    bool same = next == g->armed;
    g->armed = next;
    bool closed = g->handles_closed;
    pthread_mutex_unlock(&g->lock);
    if (closed || same)
        return;
    if (next == UINT64_MAX) {
        uv_timer_stop(&g->timer);
        return;
    }
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

static void turn(gavat *g)
{
    gavat_op *close_op = g->close_op;   /* keeps the client over this turn */
    gavat_op_ref(close_op);
    pthread_mutex_lock(&g->lock);
    gv_list_move(&g->intake, &g->queue);
    gv_list_move(&g->callbacks, &g->ending);
    pthread_mutex_unlock(&g->lock);

    route_some(g);
    for (unsigned i = 0; i < BUDGET / CHUNK && !gv_list_empty(&g->callbacks); i++)
        call_back(g);
    tell_progress(g);
    tell_room(g);
    open_direct_ways(g);
    gv_logs_write(g);
    if (!gv_list_empty(&g->intake) || !gv_list_empty(&g->callbacks))
        gv_wake(g);
    gv_close_step(g, gv_clock_steady());
    set_timer(g);
    gavat_op_unref(close_op);
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
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    gv_client_unref(g);
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
    if (failed)
        return failed;
    uv_timer_init(g->loop, &g->timer);
    g->wake.data = g->timer.data = g;
    g->open_handles = 2;
    atomic_fetch_add(&g->refs, 1);      /* the loop's */
    failed = g->own_loop ? start_thread(g) : 0;
    if (failed) {
        uv_close((uv_handle_t *)&g->wake, NULL);
        uv_close((uv_handle_t *)&g->timer, NULL);
        uv_run(g->loop, UV_RUN_DEFAULT);
        uv_loop_close(g->loop);
    }
    return failed;
}
