#include "mongodb.h"

static const char *const schemes[] = {"mongodb", "mongodb+srv", NULL};

/* The last thread; one that was stuck for good and woke up later too. */
static void let_go(gv_mongo *self)
{
    if (self->pool)
        mongoc_client_pool_destroy(self->pool);
    mongoc_uri_destroy(self->uri);
    self->pool = NULL;
    self->uri = NULL;
}

static void worker_ended(gv_worker *worker)
{
    gv_mongo *self = worker->self;
    pthread_mutex_lock(&self->lock);
    bool last = --self->running == 0;
    pthread_mutex_unlock(&self->lock);
    if (!last)
        return;
    let_go(self);
    gv_store_closed(self->store);
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_mongo *self = own;
    self->store = store;
    gavat_status status = gv_mongo_prepare_uri(self, cfg);
    if (status == GAVAT_OK)
        status = gv_profile_defaults_prepare(&self->defaults, store, cfg);
    if (status != GAVAT_OK) {
        let_go(self);
        return status;
    }
    gv_list_init(&self->queue.waiting);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->ready, NULL);
    gv_worker_init(&self->names, store, "gavat-mongo", gv_mongo_work, self);
    gv_worker_init(&self->scanner, store, "gavat-scanner", gv_mongo_scan, self);
    gv_worker_init(&self->indexer, store, "gavat-indexer", gv_mongo_index, self);
    self->names.ended = self->scanner.ended = self->indexer.ended = worker_ended;
    return GAVAT_OK;
}

/* The first of the workers opens the store. */
static void open_store(void *own, gavat_op *op)
{
    gv_mongo *self = own;
    self->opening = op;
    self->running = 3;
    bool scanner = gv_worker_start(&self->scanner), indexer = scanner && gv_worker_start(&self->indexer);
    unsigned started = 0;
    for (unsigned i = 0; indexer && i < self->workers; i++)
        started += gv_worker_start(&self->names);
    for (unsigned i = 1; started && i < self->workers && i < 4; i++)
        gv_worker_start(&self->scanner);
    if (started)
        return;
    self->opening = NULL;
    pthread_mutex_lock(&self->lock);
    self->running -= 3 - (unsigned)scanner - indexer;
    pthread_mutex_unlock(&self->lock);
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "profiles: no thread could be started: check the limit of processes (ulimit -u)");
    gv_op_finish(op);
}

static void submit(void *own, gavat_op *op)
{
    gv_mongo *self = own;
    if (op->kind->place != GV_WATCH_PROFILES) {
        gv_worker_push(&self->names, op);
        return;
    }
    gv_op_fail(op, GAVAT_ENOTSUP, 0, "", "profiles on MongoDB cannot be watched yet");
    gv_op_finish(op);
}

static void close_store(void *own)
{
    gv_mongo *self = own;
    pthread_mutex_lock(&self->lock);
    bool never_ran = self->running == 0;
    pthread_mutex_unlock(&self->lock);
    gv_worker_stop(&self->names);
    gv_worker_stop(&self->scanner);
    gv_worker_stop(&self->indexer);
    if (!never_ran)
        return;
    let_go(self);
    gv_store_closed(self->store);
}

const gv_backend gv_mongodb_profiles = {
    .name = "mongodb",
    .area = GV_PROFILES,
    .schemes = schemes,
    .size = sizeof(gv_mongo),
    .any_thread = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
