#include "writer.h"
#include "../base/clock.h"
#include "../base/files.h"
#include "../core/client.h"
#include <stdio.h>

#define REOPEN UINT64_C(200000000)      /* nanoseconds between two attempts to open the file again */

static void fail_all(gv_writer *writer, gv_list *ops, int code, const char *doing)
{
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        gv_sqlite_fail(GV_CONTAINER(link, gavat_op, link), writer->db, code, 0, doing);
}

static void lower_health(gv_writer *writer, int code)
{
    char reason[200];
    snprintf(reason, sizeof reason, "%s", gv_sqlite_advice(code));
    writer->unwell = true;
    gv_store_set_health(writer->store, GAVAT_HEALTH_DOWN, reason);
}

static void note_opened(gv_writer *writer, int code)
{
    writer->open_code = code;
    if (code == SQLITE_OK)
        gv_store_set_health(writer->store, GAVAT_HEALTH_UP, "");
    else
        lower_health(writer, code);
}

void gv_writer_well(gv_writer *writer)
{
    if (!writer->unwell)
        return;
    writer->unwell = false;
    gv_store_set_health(writer->store, GAVAT_HEALTH_UP, "");
}

static int open_file(gv_writer *writer, gavat_op *op)
{
    writer->opened_at = gv_clock_steady();
    int made = writer->path ? gv_file_make_parents(writer->path) : 0;
    gv_database_options options = writer->options;
    options.create = true;
    int code = made ? SQLITE_CANTOPEN : gv_database_open(writer->db, writer->path, &options);
    if (code != SQLITE_OK)
        return code;
    code = writer->adopt(writer->self, op);
    if (code != SQLITE_OK)
        gv_database_close(writer->db);
    return code;
}

/* While the file is locked by somebody else, it tries again until the op's deadline. */
void gv_writer_open_first(gv_writer *writer, gavat_op *op)
{
    int code;
    do
        code = open_file(writer, op);
    while ((code & 0xff) == SQLITE_BUSY && gv_op_wanted(op) && !gv_worker_stopping(writer->worker));
    note_opened(writer, code);
    if (code == SQLITE_OK)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else if (op->staged.error.status == GAVAT_OK)
        gv_sqlite_fail(op, writer->db, code, 0, "opening");
    gv_op_finish(op);
}

void gv_writer_distrust(gv_writer *writer, int code)
{
    gavat_status status = code == SQLITE_OK ? GAVAT_OK : gv_sqlite_status(code);
    if (status != GAVAT_EIO && status != GAVAT_ECORRUPT && status != GAVAT_EUNAVAIL && status != GAVAT_ESCHEMA)
        return;
    lower_health(writer, code);
    if ((code & 0xff) == SQLITE_FULL || !writer->path)  /* what is in memory is good: it goes on when there is space */
        return;
    gv_database_close(writer->db);
    writer->open_code = code;
}

/* Later attempts, five a second at most. */
bool gv_writer_ready(gv_writer *writer)
{
    gv_database_undo(writer->db);       /* what could not be rolled back for want of memory */
    if (writer->db->handle) {
        writer->open_code = sqlite3_get_autocommit(writer->db->handle) ? SQLITE_OK : SQLITE_NOMEM;
        return writer->open_code == SQLITE_OK;
    }
    if (gv_clock_steady() - writer->opened_at < REOPEN)
        return false;
    note_opened(writer, open_file(writer, NULL));
    return writer->db->handle != NULL;
}

void gv_writer_moved(gv_writer *writer)
{
    gv_database_clear_place(writer->path);
    writer->opened_at = 0;
    writer->open_code = SQLITE_CANTOPEN;
    gv_log(writer->store->client, GAVAT_LOG_ERROR, gv_areas[writer->store->backend->area].name,
           "%s was deleted or replaced while it was in use: what it held is not in the file that has this name now", writer->path);
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
static bool begin(gv_writer *writer, const gv_list *held, int *code)
{
    for (;;) {
        *code = gv_database_do(writer->db, "BEGIN IMMEDIATE");
        if (*code == SQLITE_OK)
            return true;
        if ((*code & 0xff) != SQLITE_BUSY || gv_worker_stopping(writer->worker))
            return false;
        gv_store_set_health(writer->store, GAVAT_HEALTH_DEGRADED, "the database is locked by another process");
        writer->unwell = true;
        gv_worker_drop_unwanted(writer->worker);
        if (writer->locked)
            writer->locked(writer->self, !gv_list_empty(held));
        if (!any_wanted(held) && !gv_worker_wait(writer->worker, 0))
            return false;
    }
}

/* What the batch wrote is undone: those that had gone well have not. */
static void undo(gv_writer *writer, gv_list *done, int code, uint32_t flags)
{
    for (gv_link *link = gv_list_first(done); link && link != &done->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->staged.error.status == GAVAT_OK)
            gv_sqlite_fail(op, writer->db, code, op->kind->flags & GV_WRITE ? flags : 0, "committing to");
    }
    gv_database_undo(writer->db);
}

/* Whether a commit that failed may be found done all the same: by a recovery after a crash, which takes from the log what was written
 * to it in full. A full disk cuts the last frame, so that one cannot. */
static uint32_t doubt(int code)
{
    int primary = code & 0xff;
    return primary == SQLITE_FULL || primary == SQLITE_BUSY ? 0 : GAVAT_ERROR_MAYBE_APPLIED;
}

/* What came while those before were applied joins them. left: how many more the commit has room for. */
static bool gather(gv_writer *writer, gv_list *ops, size_t *left)
{
    if (gv_list_empty(ops) && *left)
        *left -= gv_worker_take(writer->worker, ops, *left);
    return !gv_list_empty(ops);
}

/* Inside a transaction: apply ops until none waits, the commit is full, or the transaction was lost. */
static int apply_all(gv_writer *writer, gv_list *ops, gv_list *done, size_t *left)
{
    while (gather(writer, ops, left)) {
        gv_link *link = gv_list_take(ops);
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_prefetch(ops->head.next, sizeof *op);
        if (writer->set_aside && writer->set_aside(writer->self, op))
            continue;
        gv_list_append(done, link);
        if (atomic_load(&op->claim) != GV_CLAIM_TAKEN && !gv_op_take(op))     /* another store may have had it before */
            continue;
        int code = writer->apply(writer->self, op);
        if (!writer->db->handle || sqlite3_get_autocommit(writer->db->handle))
            return code == SQLITE_OK ? SQLITE_ABORT : code;     /* the statement took the whole transaction with it */
    }
    return SQLITE_OK;
}

void gv_writer_batch(gv_writer *writer)
{
    int code = SQLITE_OK;
    gv_list ops, done;
    gv_list_init(&ops);
    gv_list_init(&done);
    bool begun = begin(writer, &ops, &code);
    if (!begun && (code & 0xff) == SQLITE_BUSY && !gv_worker_stopping(writer->worker))
        return;
    size_t left = writer->most;
    gather(writer, &ops, &left);
    while (begun && !gv_list_empty(&ops)) {
        code = apply_all(writer, &ops, &done, &left);
        uint32_t flags = 0;
        if (code == SQLITE_OK) {
            code = gv_database_do(writer->db, "COMMIT");
            flags = doubt(code);
        }
        if (code != SQLITE_OK)
            undo(writer, &done, code, flags);
        writer->finish(writer->self, &done, code == SQLITE_OK);
        if (code != SQLITE_OK)
            gv_writer_distrust(writer, code);
        else
            gv_writer_well(writer);
        begun = !gv_list_empty(&ops) && gv_writer_ready(writer) && begin(writer, &ops, &code);
    }
    if (!gv_list_empty(&ops)) {
        fail_all(writer, &ops, code == SQLITE_OK ? writer->open_code : code, "writing to");
        writer->finish(writer->self, &ops, false);
        gv_writer_distrust(writer, code);
    }
}

void gv_writer_fail_queue(gv_writer *writer)
{
    gv_list ops;
    gv_list_init(&ops);
    gv_worker_take(writer->worker, &ops, SIZE_MAX);
    fail_all(writer, &ops, writer->open_code, "opening");
    writer->finish(writer->self, &ops, false);
}

int gv_writer_unit(gv_writer *writer)
{
    return gv_database_do(writer->db, "SAVEPOINT unit");
}

int gv_writer_end_unit(gv_writer *writer, int code)
{
    if (code == SQLITE_OK)
        code = gv_database_do(writer->db, "RELEASE unit");
    if (code == SQLITE_OK || !writer->db->handle || sqlite3_get_autocommit(writer->db->handle))
        return code;
    int undone = gv_database_do(writer->db, "ROLLBACK TO unit");
    if (undone == SQLITE_OK)
        undone = gv_database_do(writer->db, "RELEASE unit");
    if (undone == SQLITE_OK)
        return code;
    gv_database_undo(writer->db);       /* half a unit must not be committed with the others: they go with it */
    return undone;
}
