#include "sqlite.h"

static const char *const schemes[] = {"sqlite", "sqlite+aiosqlite", NULL};

static void worker_ended(gv_worker *worker)
{
    gv_sqlite *self = worker->self;
    pthread_mutex_lock(&self->lock);
    bool last = --self->running == 0;
    pthread_mutex_unlock(&self->lock);
    if (last)
        gv_store_closed(self->store);
}

static gavat_status read_path(gv_sqlite *self, gavat_config *cfg)
{
    gv_store *store = self->store;
    gavat_status status = gv_database_path(store, cfg, "events need a file: use sqlite:///folder/file.db", &self->path);
    if (status != GAVAT_OK)
        return status;
    self->index_path = gv_arena_printf(&store->arena, "%s.search", self->path);
    if (!self->index_path)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", gv_settings[gv_areas[GV_EVENTS].setting].key);
    return GAVAT_OK;
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_sqlite *self = own;
    const gavat_config *settings = store->client->config;
    self->store = store;
    gavat_status status = read_path(self, cfg);
    if (status != GAVAT_OK)
        return status;
    self->options.full = gv_config_number(settings, GV_SET_SQLITE_SYNCHRONOUS) == 0;
    self->options.cache_bytes = gv_config_number(settings, GV_SET_SQLITE_CACHE);
    self->options.busy_ms = 100;
    self->search_index = gv_config_number(settings, GV_SET_SEARCH_INDEX) == 0;
    self->search_lag = gv_config_number(settings, GV_SET_SEARCH_LAG);
    self->reader_count = (unsigned)gv_config_number(settings, GV_SET_READERS);
    pthread_rwlockattr_t fair;          /* whoever must close all connections is not kept waiting by a stream of reads */
    pthread_rwlockattr_init(&fair);
    pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&self->files, &fair);
    pthread_rwlockattr_destroy(&fair);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->indexed, NULL);
    gv_list_init(&self->parked);
    gv_list_init(&self->slow_queue);
    gv_list_init(&self->connections);
    gv_sqlite_init_writing(self, &self->options);
    self->index_idle = true;
    gv_worker *workers[] = {&self->writer, &self->readers, &self->indexer, &self->tailer};
    gv_worker_init(&self->writer, store, "gavat-writer", gv_sqlite_write, self);
    gv_worker_init(&self->readers, store, "gavat-reader", gv_sqlite_read, self);
    gv_worker_init(&self->indexer, store, "gavat-indexer", gv_sqlite_index, self);
    gv_worker_init(&self->tailer, store, "gavat-tail", gv_sqlite_tail, self);
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++)
        workers[i]->ended = worker_ended;
    return GAVAT_OK;
}

/* The writer's thread opens the file; the readers find it open when their first op comes. */
static void open_store(void *own, gavat_op *op)
{
    gv_sqlite *self = own;
    unsigned readers = 0;
    self->opening = op;
    pthread_mutex_lock(&self->lock);
    self->running = self->search_index ? 3 : 2;
    pthread_mutex_unlock(&self->lock);
    while (readers < self->reader_count && gv_worker_start(&self->readers))
        readers++;
    bool indexer = readers && (!self->search_index || gv_worker_start(&self->indexer));
    if (indexer && gv_worker_start(&self->writer))
        return;
    self->opening = NULL;
    pthread_mutex_lock(&self->lock);
    self->running = (readers ? 1u : 0u) + (indexer && self->search_index ? 1u : 0u);
    pthread_mutex_unlock(&self->lock);
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no thread could be started: check the limit of processes (ulimit -u)");
    gv_op_finish(op);
}

static void submit_write(gv_sqlite *self, gavat_op *op)
{
    const char *owner = gv_events_owner(op);
    if (op->kind->flags & GV_LONG) {    /* reads do not wait for it */
        gv_worker_push(&self->writer, op);
        return;
    }
    pthread_mutex_lock(&self->lock);
    op->sequence = ++self->last;
    if (owner)
        self->buckets[gv_events_bucket(owner)] = op->sequence;
    else
        for (unsigned i = 0; i < GV_EVENTS_BUCKETS; i++)
            self->buckets[i] = op->sequence;
    gv_worker_push(&self->writer, op);
    pthread_mutex_unlock(&self->lock);
}

/* A read that need not wait any longer. */
static void serve_read(gv_sqlite *self, gavat_op *op)
{
    if (op->kind->place == GV_TAIL_EVENTS)
        gv_sqlite_push_tail(self, op);
    else
        gv_worker_push(&self->readers, op);
}

static void submit_read(gv_sqlite *self, gavat_op *op)
{
    const char *owner = gv_events_owner(op);
    pthread_mutex_lock(&self->lock);
    op->sequence = owner ? self->buckets[gv_events_bucket(owner)] : self->last;
    bool ready = op->sequence <= self->committed || self->closing;
    if (!ready)
        gv_list_append(&self->parked, &op->link);
    pthread_mutex_unlock(&self->lock);
    if (ready)
        serve_read(self, op);
}

static void submit(void *own, gavat_op *op)
{
    gv_sqlite *self = own;
    if (op->kind->flags & GV_WRITE || op->kind->place == GV_UPGRADE_EVENTS)
        submit_write(self, op);
    else
        submit_read(self, op);
}

/* Parked reads that need not wait any longer, and those that nobody wants any more. Lock held. */
static void take_ready(gv_sqlite *self, gv_list *ready)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->parked); link && link != &self->parked.head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->sequence <= self->committed || !gv_op_wanted(op)) {
            gv_list_remove(link);
            gv_list_append(ready, link);
        }
    }
}

static void serve_reads(gv_sqlite *self, gv_list *ready)
{
    gv_link *link;
    while ((link = gv_list_take(ready)))
        serve_read(self, GV_CONTAINER(link, gavat_op, link));
}

void gv_sqlite_settled(gv_sqlite *self)
{
    gv_list ready;
    gv_list_init(&ready);
    pthread_mutex_lock(&self->lock);
    pthread_mutex_lock(&self->writer.lock);
    bool idle = !self->writer.count;    /* and none comes meanwhile: submit_write needs the lock */
    pthread_mutex_unlock(&self->writer.lock);
    if (idle) {
        self->committed = self->last;
        take_ready(self, &ready);
    }
    pthread_mutex_unlock(&self->lock);
    serve_reads(self, &ready);
}

void gv_sqlite_committed(gv_sqlite *self, uint64_t sequence, int64_t newest_id)
{
    gv_list ready;
    gv_list_init(&ready);
    pthread_mutex_lock(&self->lock);
    if (sequence > self->committed)
        self->committed = sequence;
    if (newest_id) {            /* the highest: SQLite gives no lower id than the table has */
        self->newest_id = newest_id;
        self->commits++;
    }
    take_ready(self, &ready);
    bool wake = self->index_idle && self->newest_id > self->indexed_id;
    pthread_mutex_unlock(&self->lock);
    if (wake)
        gv_sqlite_want_index(self);
    serve_reads(self, &ready);
}

static void close_store(void *own)
{
    gv_sqlite *self = own;
    gv_list parked;
    gv_list_init(&parked);
    pthread_mutex_lock(&self->lock);
    self->closing = true;
    bool never_ran = self->running == 0;
    gv_list_move(&parked, &self->parked);
    pthread_cond_broadcast(&self->indexed);
    pthread_mutex_unlock(&self->lock);
    gv_link *link;
    while ((link = gv_list_take(&parked)))
        serve_read(self, GV_CONTAINER(link, gavat_op, link));
    gv_worker_stop(&self->tailer);
    gv_worker_stop(&self->writer);
    gv_worker_stop(&self->readers);
    gv_worker_stop(&self->indexer);
    if (never_ran)
        gv_store_closed(self->store);
}

const gv_backend gv_sqlite_events = {
    .name = "sqlite",
    .area = GV_EVENTS,
    .schemes = schemes,
    .size = sizeof(gv_sqlite),
    .any_thread = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
