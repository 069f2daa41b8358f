/* writer.c: the one thread that writes. It takes the lock of the file before it takes ops from the queue: while another process
 * holds that lock, ops go on gathering, and those whose time is up are known not to be applied. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include <string.h>

#define SECOND UINT64_C(1000000000)

static void fail_all(gv_sqlite *self, gv_list *ops, int code, const char *doing)
{
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        gv_sqlite_fail(GV_CONTAINER(link, gavat_op, link), &self->db, code, 0, doing);
}

/* Ops leave the writer: their callers hear, and reads that waited for them may go. */
static void finish(gv_sqlite *self, gv_list *ops)
{
    uint64_t sequence = 0;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        sequence = GV_CONTAINER(link, gavat_op, link)->sequence;
    gv_ops_finish(self->store->client, ops);
    gv_sqlite_committed(self, sequence, self->inserted_id);
}

static void note_opened(gv_sqlite *self, int code)
{
    char reason[200];
    self->open_code = code;
    if (code == SQLITE_OK) {
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
        return;
    }
    snprintf(reason, sizeof reason, "%s", gv_sqlite_advice(code));
    self->unwell = true;
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, reason);
}

static void note_well(gv_sqlite *self)
{
    if (!self->unwell)
        return;
    self->unwell = false;
    gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
}

/* Open the file and bring its tables up to date. */
static int open_file(gv_sqlite *self, gavat_op *op)
{
    self->opened_at = gv_clock_steady();
    int made = gv_file_make_parents(self->path);
    gv_database_options options = self->options;
    options.create = true;
    int code = made ? SQLITE_CANTOPEN : gv_database_open(&self->db, self->path, &options);
    if (code == SQLITE_OK) {
        code = gv_sqlite_upgrade(self, op, false);
        if (code != SQLITE_OK)
            gv_database_close(&self->db);
    }
    if (code == SQLITE_OK)
        gv_sqlite_committed(self, 0, gv_database_number(&self->db, "SELECT max(id) FROM event_logs", 0));
    return code;
}

/* gavat_open: while the file is locked by somebody else, it tries again until the op's deadline. */
static void open_first(gv_sqlite *self)
{
    gavat_op *op = self->opening;
    int code;
    do
        code = open_file(self, op);
    while ((code & 0xff) == SQLITE_BUSY && gv_op_wanted(op) && !gv_worker_stopping(&self->writer));
    note_opened(self, code);
    if (code == SQLITE_OK)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else if (op->staged.error.status == GAVAT_OK)
        gv_sqlite_fail(op, &self->db, code, 0, "opening");
    self->opening = NULL;
    gv_op_finish(op);
}

/* Later attempts, once a second at most. */
static bool is_open(gv_sqlite *self)
{
    if (self->db.handle)
        return true;
    if (gv_clock_steady() - self->opened_at < SECOND)
        return false;
    note_opened(self, open_file(self, NULL));
    return self->db.handle != NULL;
}

/* BEGIN IMMEDIATE, for as long as it takes: each try waits busy_ms. False: closing, or an error that waiting does not mend (*code). */
static bool begin(gv_sqlite *self, int *code)
{
    for (;;) {
        *code = gv_database_run(&self->db, "BEGIN IMMEDIATE");
        if (*code == SQLITE_OK)
            return true;
        if ((*code & 0xff) != SQLITE_BUSY || gv_worker_stopping(&self->writer))
            return false;
        gv_store_set_health(self->store, GAVAT_HEALTH_DEGRADED, "the database is locked by another process");
        self->unwell = true;
        gv_worker_drop_unwanted(&self->writer);
        gv_sqlite_committed(self, 0, 0);        /* parked reads that nobody wants any more */
        if (!gv_worker_wait(&self->writer, 0))
            return false;
    }
}

/* What the batch wrote is undone: those that had gone well have not. */
static void undo(gv_sqlite *self, gv_list *done, int code, uint32_t flags)
{
    for (gv_link *link = gv_list_first(done); link && link != &done->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->staged.error.status == GAVAT_OK)
            gv_sqlite_fail(op, &self->db, code, flags, "committing to");
    }
    if (!sqlite3_get_autocommit(self->db.handle))
        gv_database_run(&self->db, "ROLLBACK");
}

/* After a disk error the connection starts anew: what it had in memory is not to be trusted. A full disk is no such error. */
static void drop_after(gv_sqlite *self, int code)
{
    gavat_status status = gv_sqlite_status(code);
    if (status != GAVAT_EIO && status != GAVAT_ECORRUPT && status != GAVAT_EUNAVAIL)
        return;
    char reason[200];
    snprintf(reason, sizeof reason, "%s", gv_sqlite_advice(code));
    self->unwell = true;
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, reason);
    if ((code & 0xff) != SQLITE_FULL)
        gv_database_close(&self->db);
}

/* Inside a transaction: apply ops until all are done or the transaction was lost. */
static int apply_all(gv_sqlite *self, gv_list *ops, gv_list *done)
{
    gv_link *link;
    while ((link = gv_list_take(ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_list_append(done, link);
        if (op->kind->flags & GV_LONG) {
            gv_list_remove(link);
            gv_list_append(&self->slow_queue, link);
            continue;
        }
        if (!gv_op_take(op))
            continue;
        int code = gv_sqlite_apply(self, op);
        if (sqlite3_get_autocommit(self->db.handle))
            return code == SQLITE_OK ? SQLITE_ABORT : code;     /* the statement took the whole transaction with it */
    }
    return SQLITE_OK;
}

/* One batch, in one transaction if all goes well. */
static void write_batch(gv_sqlite *self)
{
    int code = SQLITE_OK;
    gv_list ops, done;
    gv_list_init(&ops);
    gv_list_init(&done);
    bool begun = begin(self, &code);
    if (!begun && (code & 0xff) == SQLITE_BUSY && !gv_worker_stopping(&self->writer))
        return;
    gv_worker_take(&self->writer, &ops, GV_SQLITE_BATCH);
    while (begun && !gv_list_empty(&ops)) {
        code = apply_all(self, &ops, &done);
        uint32_t doubt = 0;
        if (code == SQLITE_OK) {
            code = gv_database_run(&self->db, "COMMIT");
            /* A frame may lie in the log although its sync failed: recovery after a crash would find it. */
            doubt = (code & 0xff) == SQLITE_IOERR ? GAVAT_ERROR_MAYBE_APPLIED : 0;
        }
        if (code != SQLITE_OK)
            undo(self, &done, code, doubt);
        finish(self, &done);
        if (code != SQLITE_OK)
            drop_after(self, code);
        else
            note_well(self);
        begun = !gv_list_empty(&ops) && is_open(self) && begin(self, &code);
    }
    if (!gv_list_empty(&ops)) {
        fail_all(self, &ops, code == SQLITE_OK ? self->open_code : code, "writing to");
        finish(self, &ops);
        drop_after(self, code);
    }
}

static void fail_queue(gv_sqlite *self)
{
    gv_list ops;
    gv_list_init(&ops);
    gv_worker_take(&self->writer, &ops, SIZE_MAX);
    fail_all(self, &ops, self->open_code, "opening");
    finish(self, &ops);
}

/* One slice of the long work at hand. */
static void work_slowly(gv_sqlite *self)
{
    gv_link *link = gv_list_first(&self->slow_queue);
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    bool begun = atomic_load(&op->claim) == GV_CLAIM_TAKEN || gv_op_take(op);
    if (begun && !self->db.handle)
        gv_sqlite_fail(op, &self->db, self->open_code, 0, "opening");
    else if (begun && !gv_sqlite_work_on(self, op))
        return;
    gv_list done;
    gv_list_init(&done);
    gv_list_remove(link);
    gv_list_append(&done, link);
    finish(self, &done);
}

/* The search index may be behind by so many rows, no more: its thread gets the time that it needs. */
static void wait_for_index(gv_sqlite *self)
{
    if (!self->search_index)
        return;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);        /* a step of the clock costs one short wait at most */
    end.tv_nsec += 50000000;
    if (end.tv_nsec >= 1000000000)
        end.tv_sec++, end.tv_nsec -= 1000000000;
    pthread_mutex_lock(&self->lock);
    int waited = 0;
    while (!self->closing && !waited && self->indexing && self->newest_id - self->indexed_id > self->search_lag)
        waited = pthread_cond_timedwait(&self->indexed, &self->lock, &end);
    pthread_mutex_unlock(&self->lock);
}

void gv_sqlite_write(gv_worker *worker)
{
    gv_sqlite *self = worker->self;
    open_first(self);
    for (;;) {
        bool slow = !gv_list_empty(&self->slow_queue);
        if (gv_worker_wait(worker, slow ? 0 : UINT32_MAX)) {
            wait_for_index(self);
            if (is_open(self))
                write_batch(self);
            else
                fail_queue(self);
        } else if (gv_worker_stopping(worker) && !slow) {
            break;
        }
        if (!gv_list_empty(&self->slow_queue))
            work_slowly(self);
    }
    gv_database_close(&self->db);
}
