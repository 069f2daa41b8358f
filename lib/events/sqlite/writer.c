/* writer.c: the one thread that writes. It takes the lock of the file before it takes ops from the queue: while another process
 * holds that lock, ops go on gathering, and those whose time is up are known not to be applied. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include <string.h>

#define REOPEN UINT64_C(200000000)      /* nanoseconds between two attempts to open the file again */

static void fail_all(gv_sqlite *self, gv_list *ops, int code, const char *doing)
{
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        gv_sqlite_fail(GV_CONTAINER(link, gavat_op, link), &self->own.db, code, 0, doing);
}

/* Ops leave the writer: their callers hear, and reads that waited for them may go. */
static void finish(gv_sqlite *self, gv_list *ops, int64_t newest_id)
{
    uint64_t sequence = 0;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        sequence = GV_CONTAINER(link, gavat_op, link)->sequence;
    gv_ops_finish(self->store->client, ops);
    gv_sqlite_committed(self, sequence, newest_id);
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
    int code = made ? SQLITE_CANTOPEN : gv_database_open(&self->own.db, self->path, &options);
    if (code == SQLITE_OK) {
        code = gv_sqlite_upgrade(self, op, false);
        if (code != SQLITE_OK)
            gv_database_close(&self->own.db);
    }
    if (code != SQLITE_OK)
        return code;
    int64_t newest = gv_database_number(&self->own.db, "SELECT max(id) FROM event_logs", 0);
    pthread_mutex_lock(&self->lock);
    self->newest_id = newest;
    self->commits++;
    pthread_mutex_unlock(&self->lock);
    gv_sqlite_want_index(self);
    return SQLITE_OK;
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
        gv_sqlite_fail(op, &self->own.db, code, 0, "opening");
    self->opening = NULL;
    gv_op_finish(op);
}

void gv_sqlite_distrust(gv_sqlite *self, int code)
{
    gavat_status status = code == SQLITE_OK ? GAVAT_OK : gv_sqlite_status(code);
    if (status != GAVAT_EIO && status != GAVAT_ECORRUPT && status != GAVAT_EUNAVAIL && status != GAVAT_ESCHEMA)
        return;
    char reason[200];
    snprintf(reason, sizeof reason, "%s", gv_sqlite_advice(code));
    self->unwell = true;
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, reason);
    if ((code & 0xff) == SQLITE_FULL)   /* what is in memory is good: it goes on when there is space */
        return;
    gv_database_close(&self->own.db);
    self->open_code = code;
}

/* Later attempts, five a second at most. */
static bool is_open(gv_sqlite *self)
{
    if (self->own.db.handle)
        return true;
    if (gv_clock_steady() - self->opened_at < REOPEN)
        return false;
    note_opened(self, open_file(self, NULL));
    return self->own.db.handle != NULL;
}

static bool any_wanted(const gv_list *ops)
{
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        if (gv_op_wanted(GV_CONTAINER(link, gavat_op, link)))
            return true;
    return false;
}

/* BEGIN IMMEDIATE, for as long as it takes: each try waits busy_ms. held: ops that were taken from the queue already. False: closing,
 * nobody is left to wait for, or an error that waiting does not mend (*code). */
static bool begin(gv_sqlite *self, const gv_list *held, int *code)
{
    for (;;) {
        self->inserted_id = 0;
        *code = gv_database_do(&self->own.db, "BEGIN IMMEDIATE");
        if (*code == SQLITE_OK)
            return true;
        if ((*code & 0xff) != SQLITE_BUSY || gv_worker_stopping(&self->writer))
            return false;
        gv_store_set_health(self->store, GAVAT_HEALTH_DEGRADED, "the database is locked by another process");
        self->unwell = true;
        gv_worker_drop_unwanted(&self->writer);
        gv_sqlite_committed(self, 0, 0);        /* parked reads that nobody wants any more */
        if (gv_list_empty(held))
            gv_sqlite_settled(self);
        if (!any_wanted(held) && !gv_worker_wait(&self->writer, 0))
            return false;
    }
}

/* What the batch wrote is undone: those that had gone well have not. */
static void undo(gv_sqlite *self, gv_list *done, int code, uint32_t flags)
{
    for (gv_link *link = gv_list_first(done); link && link != &done->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->staged.error.status == GAVAT_OK)
            gv_sqlite_fail(op, &self->own.db, code, flags, "committing to");
    }
    gv_database_undo(&self->own.db);
}

/* Whether a commit that failed may be found done all the same: by a recovery after a crash, which takes from the log what was written
 * to it in full. A full disk cuts the last frame, so that one cannot. */
static uint32_t doubt(int code)
{
    int primary = code & 0xff;
    return primary == SQLITE_FULL || primary == SQLITE_BUSY ? 0 : GAVAT_ERROR_MAYBE_APPLIED;
}

/* Inside a transaction: apply ops until all are done or the transaction was lost. */
static int apply_all(gv_sqlite *self, gv_list *ops, gv_list *done)
{
    gv_link *link;
    while ((link = gv_list_take(ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_op_prefetch(ops->head.next, sizeof *op);
        gv_list_append(done, link);
        if (op->kind->flags & GV_LONG) {
            gv_list_remove(link);
            gv_list_append(&self->slow_queue, link);
            continue;
        }
        if (!gv_op_take(op))
            continue;
        int code = gv_sqlite_apply(self, op);
        if (!self->own.db.handle || sqlite3_get_autocommit(self->own.db.handle))
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
    bool begun = begin(self, &ops, &code);
    if (!begun && (code & 0xff) == SQLITE_BUSY && !gv_worker_stopping(&self->writer))
        return;
    gv_worker_take(&self->writer, &ops, GV_SQLITE_BATCH);
    while (begun && !gv_list_empty(&ops)) {
        code = apply_all(self, &ops, &done);
        uint32_t flags = 0;
        if (code == SQLITE_OK) {
            code = gv_database_do(&self->own.db, "COMMIT");
            flags = doubt(code);
        }
        if (code != SQLITE_OK)
            undo(self, &done, code, flags);
        finish(self, &done, code == SQLITE_OK ? self->inserted_id : 0);
        if (code != SQLITE_OK)
            gv_sqlite_distrust(self, code);
        else
            note_well(self);
        begun = !gv_list_empty(&ops) && is_open(self) && begin(self, &ops, &code);
    }
    if (!gv_list_empty(&ops)) {
        fail_all(self, &ops, code == SQLITE_OK ? self->open_code : code, "writing to");
        finish(self, &ops, 0);
        gv_sqlite_distrust(self, code);
    }
}

static void fail_queue(gv_sqlite *self)
{
    gv_list ops;
    gv_list_init(&ops);
    gv_worker_take(&self->writer, &ops, SIZE_MAX);
    fail_all(self, &ops, self->open_code, "opening");
    finish(self, &ops, 0);
}

/* One slice of the long work at hand. */
static void work_slowly(gv_sqlite *self)
{
    gv_link *link = gv_list_first(&self->slow_queue);
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    bool begun = atomic_load(&op->claim) == GV_CLAIM_TAKEN || gv_op_take(op);
    if (begun && !self->own.db.handle)
        gv_sqlite_fail(op, &self->own.db, self->open_code, 0, "opening");
    else if (begun && !gv_sqlite_work_on(self, op))
        return;
    gv_list done;
    gv_list_init(&done);
    gv_list_remove(link);
    gv_list_append(&done, link);
    finish(self, &done, 0);
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

/* Once around: the writes that have gathered, then a slice of the long work. */
static void work(gv_sqlite *self, bool found)
{
    gv_sqlite_hold_files(self, &self->own);
    bool open = is_open(self);
    if (found && open)
        write_batch(self);
    else if (found)
        fail_queue(self);
    if (!gv_list_empty(&self->slow_queue))
        work_slowly(self);
    gv_sqlite_let_files_go(self);
    gv_sqlite_settled(self);
}

void gv_sqlite_write(gv_worker *worker)
{
    gv_sqlite *self = worker->self;
    gv_sqlite_join(self, &self->own);
    gv_sqlite_hold_files(self, &self->own);
    open_first(self);
    gv_sqlite_let_files_go(self);
    for (;;) {
        bool slow = !gv_list_empty(&self->slow_queue);
        bool found = gv_worker_wait(worker, slow ? 0 : UINT32_MAX);
        if (!found && !slow && gv_worker_stopping(worker))
            break;
        if (found)
            wait_for_index(self);
        if (found || slow)
            work(self, found);
    }
    gv_sqlite_leave(self, &self->own);
}
