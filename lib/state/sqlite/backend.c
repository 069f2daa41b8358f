#include "sqlite.h"
#include "../../base/files.h"
#include "../../base/url.h"
#include "../../core/client.h"

static const char *const file_schemes[] = {"sqlite", NULL}, *const memory_schemes[] = {"memory", NULL};

static void worker_ended(gv_worker *worker)
{
    gv_store_closed(worker->store);
}

static void prepare(gv_state_sqlite *self, gv_store *store, const char *path)
{
    const gavat_config *settings = store->client->config;
    gv_database_options options = {.busy_ms = 100};
    options.full = gv_config_number(settings, GV_SET_SQLITE_SYNCHRONOUS) == 0;
    options.cache_bytes = gv_config_number(settings, GV_SET_SQLITE_CACHE);
    self->store = store;
    self->reached = path ? GAVAT_REACHED_STORE : GAVAT_REACHED_MEMORY;
    gv_list_init(&self->later);
    gv_state_init_writing(self, path, &options);
    gv_worker_init(&self->worker, store, "gavat-state", gv_state_work, self);
    self->worker.ended = worker_ended;
}

static gavat_status prepare_file(void *own, gv_store *store, gavat_config *cfg)
{
    const char *path;
    gavat_status status = gv_database_path(store, cfg, "use memory: for a store that is gone with its client", &path);
    if (status == GAVAT_OK)
        prepare(own, store, path);
    return status;
}

static gavat_status prepare_memory(void *own, gv_store *store, gavat_config *cfg)
{
    const char *key = gv_settings[gv_areas[GV_STATE].setting].key;
    if (strcmp(store->url, "memory:") != 0)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: the store in memory is written memory: with nothing behind it", key);
    prepare(own, store, NULL);
    return GAVAT_OK;
}

static void open_store(void *own, gavat_op *op)
{
    gv_state_sqlite *self = own;
    self->opening = op;
    self->running = gv_worker_start(&self->worker);
    if (self->running)
        return;
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "state: no thread could be started: check the limit of processes (ulimit -u)");
    gv_op_finish(op);
}

static void submit(void *own, gavat_op *op)
{
    gv_worker_push(&((gv_state_sqlite *)own)->worker, op);
}

static void close_store(void *own)
{
    gv_state_sqlite *self = own;
    gv_worker_stop(&self->worker);
    if (!self->running)
        gv_store_closed(self->store);
}

const gv_backend gv_sqlite_state = {
    .name = "sqlite",
    .area = GV_STATE,
    .schemes = file_schemes,
    .size = sizeof(gv_state_sqlite),
    .any_thread = true,
    .prepare = prepare_file,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};

const gv_backend gv_memory_state = {
    .name = "memory",
    .area = GV_STATE,
    .schemes = memory_schemes,
    .size = sizeof(gv_state_sqlite),
    .any_thread = true,
    .prepare = prepare_memory,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
