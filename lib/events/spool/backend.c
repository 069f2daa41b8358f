/* backend.c: the door, the thread, and what the store of the events area asks. */
#include "../../base/clock.h"
#include "../../base/files.h"
#include "spool.h"
#include <stdio.h>
#include <unistd.h>

#define COMMIT_MOST 4000        /* ops in one commit */

static gv_spool *spool_of(const gavat *g)
{
    const gv_store *store = &g->stores[GV_SPOOL];
    return store->backend ? store->self : NULL;
}

/* --- for the store --- */

gv_spool_state gv_spool_state_of(gavat *g)
{
    gv_spool *self = spool_of(g);
    return self ? (gv_spool_state)atomic_load(&self->state) : GV_SPOOL_OFF;
}

bool gv_spool_is_first(const gavat *g)
{
    const gv_spool *self = spool_of(g);
    return self && self->first;
}

bool gv_spool_is_busy(gavat *g)
{
    gv_spool *self = spool_of(g);
    return self && (atomic_load(&self->entering) || atomic_load(&self->depth));
}

bool gv_spool_keeps(const gavat_op *op)
{
    if (!spool_of(op->client) || op->kind->area != GV_EVENTS)
        return false;
    switch (op->kind->place) {
    case GV_LOG_EVENT: case GV_LOG_SALE: case GV_LOG_MESSAGE: case GV_SET_SESSION: case GV_UPDATE_SALE: case GV_CLOSE_SESSION:
    case GV_EXPIRE_SESSIONS: case GV_COMMIT:
        return true;
    default:
        return false;
    }
}

void gv_spool_pass(gavat_op *op, bool doubtful)
{
    gv_spool *self = spool_of(op->client);
    op->doubtful = op->doubtful || doubtful;
    gv_op_drop_result(op);      /* what its store may have staged */
    op->staged = (gv_outcome){0};
    atomic_fetch_add(&self->entering, 1);
    gv_op_pass(op, GV_SPOOL);
}

void gv_spool_record(gavat_op *op)
{
    gv_op_pass(op, GV_SPOOL);
}

void gv_spool_wake(gavat *g)
{
    gv_spool *self = spool_of(g);
    if (!self || !self->started)
        return;
    atomic_store(&self->store_up, true);
    gv_worker_poke(&self->worker);
}

/* --- the thread: writing --- */

static int adopt(void *own, gavat_op *op)
{
    gv_spool *self = own;
    self->known = false;
    self->openings++;
    int code = gv_schema_upgrade(&self->db, &gv_spool_schema, self->store, op, false);
    return code == SQLITE_OK ? gv_spool_read_totals(self, &self->totals) : code;
}

static int apply(void *own, gavat_op *op)
{
    return gv_spool_append(own, op);
}

/* Both places that could have taken it are named. */
static void explain(gavat_op *op)
{
    gavat_error error = op->staged.error;
    if (error.status != GAVAT_OK && atomic_load(&op->claim) != GV_CLAIM_WITHDRAWN)
        gv_op_fail(op, error.status, error.flags, error.native, "events: the write reached neither the store nor the spool: %s", error.message);
}

static void finish(void *own, gv_list *ops, bool committed)
{
    gv_spool *self = own;
    size_t count = 0;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next, count++)
        explain(GV_CONTAINER(link, gavat_op, link));
    self->known = false;
    if (!committed && self->db.handle)
        gv_spool_read_totals(self, &self->totals);
    gv_spool_publish(self);
    atomic_fetch_sub(&self->entering, count);   /* after depth: it never looks empty in between */
    gv_ops_finish(self->store->client, ops);
}

static void append_all(gv_spool *self)
{
    if (gv_spool_open(self, true))
        gv_writer_batch(&self->writing);
    else
        gv_writer_fail_queue(&self->writing);
}

/* Their callers hear that they were refused, whatever becomes of the record of it. */
static void record_refused(gv_spool *self)
{
    gv_list refused;
    gv_list_init(&refused);
    pthread_mutex_lock(&self->lock);
    gv_list_move(&refused, &self->refused);
    pthread_mutex_unlock(&self->lock);
    if (gv_list_empty(&refused))
        return;
    int code = gv_spool_open(self, true) ? gv_database_do(&self->db, "BEGIN IMMEDIATE") : SQLITE_CANTOPEN;
    for (gv_link *link = gv_list_first(&refused); link && link != &refused.head && code == SQLITE_OK; link = link->next)
        code = gv_spool_add_reject(self, GV_CONTAINER(link, gavat_op, link));
    if (code == SQLITE_OK)
        code = gv_database_do(&self->db, "COMMIT");
    if (code != SQLITE_OK) {
        gv_database_undo(&self->db);
        gv_log(self->store->client, GAVAT_LOG_ERROR, "spool", "records that the store refused could not be kept among the rejects: %s",
               gv_sqlite_advice(code));
    }
    gv_ops_finish(self->store->client, &refused);
}

/* --- the thread: our own ops --- */

/* True: it has its outcome. */
static bool serve(gv_spool *self, gavat_op *op)
{
    switch (op->kind->place) {
    case GV_SPOOL_FLUSH:
        gv_list_append(&self->flushes, &op->link);
        return false;
    case GV_SPOOL_RETRY:
        gv_list_append(&self->retries, &op->link);
        return false;
    case GV_SPOOL_LIST:
        gv_spool_list_rejects(self, op);
        return true;
    case GV_SPOOL_EXPORT:
        gv_spool_export_rejects(self, op);
        return true;
    case GV_SPOOL_DROP:
        gv_spool_drop_rejects(self, op);
        return true;
    case GV_SPOOL_CHECK:
        gv_spool_check(self, op);
        return true;
    default:
        gv_spool_describe(self, op);
        return true;
    }
}

static void serve_asked(gv_spool *self)
{
    gv_list asked;
    gv_link *link;
    gv_list_init(&asked);
    pthread_mutex_lock(&self->lock);
    gv_list_move(&asked, &self->asked);
    pthread_mutex_unlock(&self->lock);
    while ((link = gv_list_take(&asked))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_take(op) && !serve(self, op))
            continue;
        gv_op_finish(op);
    }
}

/* A spool that cannot be used does not keep the client from opening: health, log and doctor say so, and loudly, for it may hold writes. */
static void open_file(gv_spool *self)
{
    gavat_op *op = self->opening;
    self->opening = NULL;
    bool there = access(self->path, F_OK) == 0;
    if (there && !gv_spool_open(self, false)) {
        gv_log(self->store->client, GAVAT_LOG_ERROR, "spool", "%s cannot be used (%s): %s", self->path,
               gv_sqlite_name(self->writing.open_code), gv_sqlite_advice(self->writing.open_code));
        atomic_store(&self->depth, 0);
        atomic_store(&self->state, GV_SPOOL_REFUSES);
    } else {
        gv_spool_publish(self);
    }
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
}

static bool more_asked(gv_spool *self)
{
    pthread_mutex_lock(&self->lock);
    bool more = !gv_list_empty(&self->asked) || !gv_list_empty(&self->refused);
    pthread_mutex_unlock(&self->lock);
    return more;
}

static void run(gv_worker *worker)
{
    gv_spool *self = worker->self;
    open_file(self);
    for (;;) {
        bool found = gv_worker_wait(worker, more_asked(self) ? 0 : gv_spool_pause(self));
        if (!found && gv_worker_stopping(worker) && !more_asked(self))
            break;
        if (found)
            append_all(self);
        record_refused(self);
        serve_asked(self);
        gv_spool_forward(self);
    }
    gv_spool_stop_forwarding(self);
    gv_database_close(&self->db);
}

static void ended(gv_worker *worker)
{
    gv_store_closed(worker->store);
}

/* --- the door --- */

static gavat_status read_path(gv_spool *self, gavat_config *cfg)
{
    gv_store *store = self->store;
    gv_text path = {0};
    int failed = gv_file_make_absolute(store->url, &path);
    self->path = failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&path));
    gv_text_free(&path);
    self->lock_path = self->path ? gv_arena_printf(&store->arena, "%s.lock", self->path) : NULL;
    if (!self->lock_path)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", gv_settings[GV_SET_SPOOL].key);
    store->shown = self->path;
    return GAVAT_OK;
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_spool *self = own;
    const gavat_config *settings = store->client->config;
    const gv_backend *events = store->client->stores[GV_EVENTS].backend;
    self->store = store;
    if (!events || !events->spooled) {
        store->backend = NULL;
        return GAVAT_OK;
    }
    gavat_status status = read_path(self, cfg);
    if (status != GAVAT_OK)
        return status;
    self->first = gv_config_number(settings, GV_SET_ACK) == 1;
    self->most_bytes = gv_config_number(settings, GV_SET_SPOOL_BYTES);
    self->most_age = gv_config_number(settings, GV_SET_SPOOL_AGE) * 1000;
    self->lock_fd = -1;
    self->totals.last = -1;
    self->most = 1000;
    atomic_store(&self->state, GV_SPOOL_OPENING);
    atomic_store(&self->depth, -1);
    gv_list *lists[] = {&self->asked, &self->refused, &self->flushes, &self->retries};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        gv_list_init(lists[i]);
    pthread_mutex_init(&self->lock, NULL);
    gv_worker_init(&self->worker, store, "gavat-spool", run, self);
    self->worker.ended = ended;
    gv_database_options options = {.full = true, .cache_bytes = INT64_C(4) << 20, .busy_ms = 100};
    gv_writer writing = {
        .store = store, .worker = &self->worker, .db = &self->db, .path = self->path, .options = options, .self = self, .most = COMMIT_MOST,
        .adopt = adopt, .apply = apply, .finish = finish, .open_code = SQLITE_CANTOPEN};
    self->writing = writing;
    return GAVAT_OK;
}

static void open_store(void *own, gavat_op *op)
{
    gv_spool *self = own;
    self->opening = op;
    self->started = gv_worker_start(&self->worker);
    if (self->started)
        return;
    self->opening = NULL;
    atomic_store(&self->depth, 0);
    atomic_store(&self->state, GV_SPOOL_REFUSES);
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, "the spool has no thread: check the limit of processes (ulimit -u)");
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
}

static void put_aside(gv_spool *self, gv_list *list, gavat_op *op)
{
    pthread_mutex_lock(&self->lock);
    gv_list_append(list, &op->link);
    pthread_mutex_unlock(&self->lock);
    gv_worker_poke(&self->worker);
}

static void submit(void *own, gavat_op *op)
{
    gv_spool *self = own;
    bool works = self->started && !gv_worker_stopping(&self->worker), refused = op->staged.error.status == GAVAT_EREJECTED;
    if (op->kind->area == GV_EVENTS && !refused && works) {
        gv_worker_push(&self->worker, op);
        return;
    }
    if (works) {
        put_aside(self, refused ? &self->refused : &self->asked, op);
        return;
    }
    if (op->kind->area == GV_EVENTS && !refused)
        atomic_fetch_sub(&self->entering, 1);
    if (!refused)
        gv_op_fail(op, self->started ? GAVAT_ECLOSED : GAVAT_EUNAVAIL, 0, "",
                   self->started ? "the client is closed" : "the spool has no thread, or was never opened");
    gv_op_finish(op);
}

static void close_store(void *own)
{
    gv_spool *self = own;
    bool never = !self->started;
    gv_worker_stop(&self->worker);
    if (never)
        gv_store_closed(self->store);
}

extern const gv_backend gv_spool_file;          /* backends.c */
const gv_backend gv_spool_file = {
    .name = "spool",
    .area = GV_SPOOL,
    .schemes = NULL,
    .size = sizeof(gv_spool),
    .any_thread = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
