#include "client.h"
#include "../base/clock.h"
#include "../base/memory.h"
#include "../base/url.h"
#include <stdio.h>
#include <string.h>

static const gv_backend *find_backend(gv_area area, const char *scheme)
{
    for (size_t i = 0; gv_backends[i]; i++) {
        const gv_backend *backend = gv_backends[i];
        if (backend->area != area)
            continue;
        if (!backend->schemes)
            return backend;
        for (size_t k = 0; scheme && backend->schemes[k]; k++)
            if (strcmp(backend->schemes[k], scheme) == 0)
                return backend;
    }
    return NULL;
}

static bool area_has_urls(gv_area area)
{
    for (size_t i = 0; gv_backends[i]; i++)
        if (gv_backends[i]->area == area && gv_backends[i]->schemes)
            return true;
    return false;
}

static gavat_status prepare_store(gavat *g, gv_area area, gavat_config *cfg)
{
    gv_store *store = &g->stores[area];
    const char *text = gv_config_text(g->config, gv_areas[area].setting), *key = gv_settings[gv_areas[area].setting].key;
    store->client = g;
    store->health = GAVAT_HEALTH_DOWN;
    gv_list_init(&store->waiting);
    if (!*text || strcmp(text, GV_STORE_OFF) == 0)
        return GAVAT_OK;
    gv_url url = {0};
    const char *wrong = area_has_urls(area) ? gv_url_parse(&store->arena, text, &url) : NULL;
    if (wrong && strcmp(wrong, GV_MEMORY_IS_OUT) == 0)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the %s store", gv_areas[area].name);
    if (wrong)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s is not a store URL: %s; the default is %s", key, wrong,
                              gv_settings[gv_areas[area].setting].fallback);
    const gv_backend *backend = find_backend(area, url.scheme);
    if (!backend)
        return gv_config_fail(cfg, GAVAT_ENOTSUP, "%s: this build has no backend for %s URLs; with no server at all use %s", key,
                              strstr(text, "://") ? url.scheme : "such", gv_settings[gv_areas[area].setting].fallback);
    gv_text shown = {0};
    gv_url_redact(&shown, text);
    store->url = text;
    store->shown = shown.failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&shown));
    gv_text_free(&shown);
    store->self = gv_alloc_zero(backend->size);
    if (!store->shown || !store->self)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the %s store", gv_areas[area].name);
    store->backend = backend;
    gavat_status status = backend->prepare(store->self, store, cfg);
    if (status != GAVAT_OK)
        store->backend = NULL;
    return status;
}

static void init_locks(gavat *g)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutexattr_t adaptive;       /* it is held for so short a time that sleeping costs more than looking again */
    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&g->lock, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
    pthread_cond_init(&g->room, &attributes);
    pthread_cond_init(&g->closed, &attributes);
    pthread_condattr_destroy(&attributes);
    gv_list *lists[] = {&g->queue, &g->ending, &g->flushes, &g->due, &g->progressing, &g->logs, &g->intake, &g->callbacks,
                        &g->finished};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        gv_list_init(lists[i]);
    gv_spares_init(&g->spares);
    gv_deadlines_init(&g->deadlines, gv_clock_steady());
    g->armed = UINT64_MAX;
}

static void read_settings(gavat *g)
{
    g->most_ops = (size_t)gv_config_number(g->config, GV_SET_MAX_OPS);
    g->most_bytes = (size_t)gv_config_number(g->config, GV_SET_MAX_BYTES);
    g->most_record = (size_t)gv_config_number(g->config, GV_SET_MAX_RECORD);
    g->page_bytes = (size_t)gv_config_number(g->config, GV_SET_PAGE_BYTES);
    g->timeout_ms = (uint32_t)gv_config_number(g->config, GV_SET_TIMEOUT);
}

static void free_client(gavat *g)
{
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_free(g->stores[area].self);
        gv_arena_free(&g->stores[area].arena);
    }
    for (unsigned area = 0; area <= GV_AREA_COUNT; area++)
        for (unsigned place = 0; place < GV_PLACES; place++)
            gv_free(g->metrics[area][place]);
    gv_link *link;
    while ((link = gv_list_take(&g->logs)))
        gv_free(GV_CONTAINER(link, gv_log_line, link));
    gv_spares_free(&g->spares);
    pthread_cond_destroy(&g->room);
    pthread_cond_destroy(&g->closed);
    pthread_mutex_destroy(&g->lock);
    gavat_config_free(g->config);
    gv_free(g);
}

void gv_client_unref(gavat *g, unsigned count)
{
    if (atomic_fetch_sub_explicit(&g->refs, count, memory_order_acq_rel) != count)
        return;
    if (g->own_loop && g->life == GV_LIFE_CLOSED && !g->thread_joined) {
        if (pthread_equal(pthread_self(), g->loop_thread))
            pthread_detach(g->loop_thread);
        else
            pthread_join(g->loop_thread, NULL);
    }
    free_client(g);
}

/* Undo a gavat_new that went wrong: nothing runs yet. */
static gavat_status give_up(gavat *g, gavat_status status)
{
    if (g->close_op) {
        atomic_fetch_add(&g->refs, 1);      /* the op's does not free it yet */
        gavat_op_unref(g->close_op);
    }
    free_client(g);
    return status;
}

static gavat_status start(gavat *g, uv_loop_t *loop, gavat_config *cfg)
{
    g->config = gv_config_copy(cfg);
    g->close_op = g->config ? gv_close_make(g) : NULL;
    if (!g->close_op)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for a client");
    read_settings(g);
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gavat_status status = prepare_store(g, (gv_area)area, cfg);
        if (status != GAVAT_OK)
            return status;
    }
    g->own_loop = !loop;
    g->loop = loop ? loop : &g->own;
    int failed = g->own_loop ? uv_loop_init(g->loop) : 0;
    if (!failed)
        failed = gv_loop_start(g);
    if (failed)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "the event loop could not be started: %s", uv_strerror(failed));
    return GAVAT_OK;
}

gavat_status gavat_new(gavat **out, struct uv_loop_s *loop, const gavat_config *cfg)
{
    if (!out)
        return GAVAT_EINVAL;
    *out = NULL;
    gavat_config *errors = (gavat_config *)(uintptr_t)cfg;      /* where gavat_config_error finds the reason: the one thing written */
    if (gv_config_status(cfg) != GAVAT_OK)
        return gv_config_status(cfg);
    gavat *g = gv_alloc_zero(sizeof *g);
    if (!g)
        return gv_config_fail(errors, GAVAT_ENOMEM, "no memory for a client");
    init_locks(g);
    atomic_store(&g->users, 1);
    atomic_store(&g->refs, 1);
    atomic_store(&g->log_level, GAVAT_LOG_WARN);
    gavat_status status = start(g, loop, errors);
    if (status != GAVAT_OK)
        return give_up(g, status);
    *out = g;
    return GAVAT_OK;
}

gavat *gavat_ref(gavat *g)
{
    if (g)
        atomic_fetch_add(&g->users, 1);
    return g;
}

void gavat_unref(gavat *g)
{
    if (!g || atomic_fetch_sub(&g->users, 1) != 1)
        return;
    if (!atomic_load(&g->closing)) {
        gv_log(g, GAVAT_LOG_ERROR, "client", "the last reference went before gavat_close: closing with 5 s");
        gavat_close(g, NULL, NULL, 5000);
    }
    gv_client_unref(g, 1);
}

void gavat_set_room(gavat *g, gavat_room_fn fn, void *user)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->room_fn = fn;
    g->room_user = user;
    pthread_mutex_unlock(&g->lock);
}

void gavat_set_health(gavat *g, gavat_health_fn fn, void *user)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->health_fn = fn;
    g->health_user = user;
    pthread_mutex_unlock(&g->lock);
}

void gavat_set_clock(gavat *g, gavat_clock_fn fn, void *user)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->clock_user = user;
    atomic_store(&g->clock, fn);
    pthread_mutex_unlock(&g->lock);
}

gavat_time gv_now(gavat *g)
{
    if (!atomic_load_explicit(&g->clock, memory_order_relaxed))
        return gv_clock_wall();
    pthread_mutex_lock(&g->lock);
    gavat_clock_fn clock = atomic_load(&g->clock);
    void *user = g->clock_user;
    pthread_mutex_unlock(&g->lock);
    return clock ? clock(user) : gv_clock_wall();
}

void gv_store_set_health(gv_store *store, gavat_health health, const char *reason)
{
    gavat *g = store->client;
    gavat_time now = gv_now(g);
    pthread_mutex_lock(&g->lock);
    if (store->health != health) {
        store->since = now;
        store->health_due = g->health_due = true;
        gv_wake_locked(g);
    }
    store->health = health;
    snprintf(store->reason, sizeof store->reason, "%s", reason);
    pthread_mutex_unlock(&g->lock);
}
