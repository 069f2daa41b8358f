/* close.c: the end of a client, in steps on the loop's thread: drain what is under way, cut the rest, close the stores, close the
 * handles, call back. Each step has its time; none can be held up by a store that is stuck. */
#include "../base/clock.h"
#include "../base/memory.h"
#include "client.h"
#include <inttypes.h>
#include <stdio.h>

#define DEFAULT_MS 10000
#define STORE_SHARE 5           /* a fifth of the time, at least, is kept for the stores */
#define TEXT_ROOM 160

static const gv_kind close_kind = {"close", GV_CORE, GV_PLACES, 0, NULL};

gavat_op *gv_close_make(gavat *g)
{
    gavat_op *op = gv_op_new_internal(g, NULL, NULL);
    gv_result *result = op ? gv_op_result(op) : NULL;
    char *text = result ? gv_arena_alloc(&result->arena, TEXT_ROOM) : NULL;
    if (!text) {
        gavat_op_unref(op);
        return NULL;
    }
    result->text = text;
    op->kind = &close_kind;
    return op;
}

void gavat_close(gavat *g, gavat_done_fn done, void *user, uint32_t timeout_ms)
{
    if (!g)
        return;
    uint64_t timeout = UINT64_C(1000000) * (timeout_ms ? timeout_ms : DEFAULT_MS);
    pthread_mutex_lock(&g->lock);
    if (!atomic_load(&g->closing)) {
        uint64_t now = gv_clock_steady();
        atomic_store(&g->closing, true);
        g->close_until = now + timeout;
        g->drain_until = now + timeout - timeout / STORE_SHARE;
        g->close_op->done = done;
        g->close_op->user = user;
        pthread_cond_broadcast(&g->room);
        gv_wake_locked(g);
    }
    pthread_mutex_unlock(&g->lock);
}

/* End everything that has no outcome yet. */
static void cut(gavat *g)
{
    for (;;) {
        gavat_op *rest[64];
        size_t count = 0;
        pthread_mutex_lock(&g->lock);
        gv_deadlines_take_all(&g->deadlines, &g->due);
        gv_link *link;
        while (count < 64 && (link = gv_list_take(&g->due)))
            rest[count++] = gavat_op_ref(GV_CONTAINER(link, gavat_op, deadline.link));
        pthread_mutex_unlock(&g->lock);
        if (!count)
            return;
        for (size_t i = 0; i < count; i++) {
            bool withdrawn = gv_op_withdraw(rest[i]);
            if (!rest[i]->internal)
                g->close_status = GAVAT_ETIMEDOUT;
            gv_op_end(rest[i], GAVAT_ECLOSED, gv_op_doubt(rest[i], withdrawn),
                      withdrawn ? "the client was closed before the store could begin: nothing was done"
                                : "the client was closed while the store was at work", NULL);
            gavat_op_unref(rest[i]);
        }
    }
}

static void drop_waiting(gv_store *store)
{
    gv_link *link;
    while ((link = gv_list_take(&store->waiting))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_op_fail(op, GAVAT_ECLOSED, 0, "", "the client was closed before the store was open: nothing was done");
        gv_op_finish(op);
    }
}

/* Nobody can open these stores any more. */
static void drop_unopened(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    bool more = !gv_list_empty(&g->queue) || !gv_list_empty(&g->intake);
    pthread_mutex_unlock(&g->lock);
    for (unsigned area = 0; !more && area < GV_AREA_COUNT; area++)
        if (g->stores[area].state == GV_STORE_NEW)
            drop_waiting(&g->stores[area]);
}

static void close_stores(gavat *g)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        drop_waiting(store);
        if (!store->backend)
            continue;
        store->state = GV_STORE_CLOSING;
        store->backend->close(store->self);
    }
}

void gv_store_closed(gv_store *store)
{
    gavat *g = store->client;
    pthread_mutex_lock(&g->lock);
    store->closed = true;
    gv_wake_locked(g);
    pthread_mutex_unlock(&g->lock);
}

/* True: no store runs any more, or those that do have been given up. */
static bool stores_closed(gavat *g, bool late)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        pthread_mutex_lock(&g->lock);
        bool open = store->backend && !store->closed;
        store->closed = store->closed || late;
        pthread_mutex_unlock(&g->lock);
        if (open && !late)
            return false;
        if (open) {
            g->close_status = GAVAT_ETIMEDOUT;
            gv_log(g, GAVAT_LOG_ERROR, gv_areas[area].name, "the %s store did not stop in time: its threads are left behind",
                   store->backend->name);
        }
    }
    return true;
}

static void say_goodbye(gavat *g)
{
    gavat_op *op = g->close_op;
    gv_result *result = op->staged.result;
    pthread_mutex_lock(&g->lock);
    int length = snprintf((char *)(uintptr_t)result->text, TEXT_ROOM,
                          "{\"committed\":%" PRIu64 ",\"spooled\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"unknown\":%" PRIu64 "}",
                          g->committed, g->spooled, g->failed, g->unknown);
    result->text_length = length < 0 ? 0 : (size_t)length;
    gavat_error error = {g->close_status, 0, "", "", g->close_status ? "work was cut off when the time was up" : ""};
    op->staged.error = error;
    op->outcome = &op->staged;
    atomic_store_explicit(&op->phase, GV_PHASE_CALLING, memory_order_release);
    pthread_mutex_unlock(&g->lock);
    if (op->done)
        op->done(op, op->user);
    gv_list none;
    gv_list_init(&none);
    pthread_mutex_lock(&g->lock);
    gv_op_done_locked(op);
    g->life = GV_LIFE_CLOSED;
    atomic_store(&g->gone, true);
    pthread_cond_broadcast(&g->closed);
    gv_unlock_released(g, &none);
}

static void on_handle_closed(uv_handle_t *handle)
{
    gavat *g = handle->data;
    if (--g->open_handles)
        return;
    gavat_op *op = g->close_op;
    bool own = g->own_loop;
    say_goodbye(g);
    gavat_op_unref(op);
    if (!own)
        gv_client_unref(g, 1);     /* the loop's; a thread of our own drops it at its end */
}

/* True: every callback has returned and none will come. No wake from here on. */
static bool seal(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    bool quiet = !g->outstanding && gv_list_empty(&g->ending) && gv_list_empty(&g->callbacks) && gv_list_empty(&g->queue)
                 && gv_list_empty(&g->intake);
    g->handles_closed = quiet;
    pthread_mutex_unlock(&g->lock);
    return quiet;
}

static void enter(gavat *g, gv_life life)
{
    pthread_mutex_lock(&g->lock);
    g->life = life;
    pthread_mutex_unlock(&g->lock);
}

static bool is_drained(gavat *g)
{
    pthread_mutex_lock(&g->lock);
    bool drained = g->outstanding == 0;
    pthread_mutex_unlock(&g->lock);
    return drained;
}

void gv_close_step(gavat *g, uint64_t now)
{
    if (!atomic_load(&g->closing))
        return;
    if (g->life == GV_LIFE_OPEN)
        enter(g, GV_LIFE_DRAINING);
    if (g->life == GV_LIFE_DRAINING) {
        drop_unopened(g);
        if (!is_drained(g) && now < g->drain_until)
            return;
        cut(g);
        enter(g, GV_LIFE_STORES);
        close_stores(g);
    }
    if (g->life == GV_LIFE_STORES) {
        if (!stores_closed(g, now >= g->close_until))
            return;
        gv_refusals_log(g, now, true);
        if (!seal(g))
            return;
        enter(g, GV_LIFE_HANDLES);
        gv_logs_write(g);
        uv_close((uv_handle_t *)&g->timer, on_handle_closed);
        uv_close((uv_handle_t *)&g->wake, on_handle_closed);
    }
}

gavat_status gavat_close_wait(gavat *g, uint32_t timeout_ms)
{
    if (!g)
        return GAVAT_EINVAL;
    if (gv_on_loop(g))
        return GAVAT_EDEADLK;
    gavat_close(g, NULL, NULL, timeout_ms);
    pthread_mutex_lock(&g->lock);
    uint64_t until = g->close_until + UINT64_C(2000000000);     /* the caller's own loop may not be running */
    struct timespec end = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    int waited = 0;
    while (g->life != GV_LIFE_CLOSED && !waited)
        waited = pthread_cond_timedwait(&g->closed, &g->lock, &end);
    bool closed = g->life == GV_LIFE_CLOSED, join = closed && g->own_loop && !g->thread_joined;
    gavat_status status = closed ? g->close_status : GAVAT_ETIMEDOUT;
    if (join)
        g->thread_joined = true;
    pthread_mutex_unlock(&g->lock);
    if (join)
        pthread_join(g->loop_thread, NULL);
    return status;
}
