/* slow.c: long work on the writer's thread, a slice at a time between two commits. */
#include "sqlite.h"
#include "../../base/clock.h"

#define SLICE 5000

/* One slice of a prune: how many rows went, -1: *code says why not. */
static int64_t prune_slice(gv_sqlite *self, gavat_time before, int *code)
{
    char text[27];
    gv_time_to_sql_bound(before, text);
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db,
        "DELETE FROM event_logs WHERE id IN (SELECT id FROM event_logs WHERE timestamp < ?1 ORDER BY timestamp LIMIT ?2)", code);
    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, SLICE);
    *code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return *code == SQLITE_DONE ? sqlite3_changes(self->own.db.handle) : -1;
}

static int64_t count_older(gv_sqlite *self, gavat_time before)
{
    char text[27];
    int code;
    int64_t count = 0;
    gv_time_to_sql_bound(before, text);
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db, "SELECT count(*) FROM event_logs WHERE timestamp < ?1", &code);
    if (!statement)
        return 0;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return count;
}

static bool prune(gv_sqlite *self, gavat_op *op)
{
    gavat_time before = ((const gv_prune_request *)op->request)->before;
    if (!gv_op_wanted(op)) {
        gv_op_fail(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED, "", "cancelled: %lld events were deleted before that",
                   (long long)op->staged.number);
        return true;
    }
    int code;
    if (op->staged.number == 0)
        gv_op_report(op, 0, (uint64_t)count_older(self, before), 0, "event_logs");
    int64_t gone = prune_slice(self, before, &code);
    if (gone < 0 && (code & 0xff) == SQLITE_BUSY)
        return false;           /* another process writes: again after the next batch */
    if (gone < 0) {
        gv_sqlite_fail(op, &self->own.db, code, GAVAT_ERROR_MAYBE_APPLIED, "deleting from");
        gv_writer_distrust(&self->writing, code);
        return true;
    }
    op->staged.number += gone;
    gv_op_report(op, (uint64_t)op->staged.number, (uint64_t)(op->staged.number + count_older(self, before)), 0, "event_logs");
    if (gone == SLICE)
        return false;
    gv_op_succeed(op, GAVAT_REACHED_STORE);
    return true;
}

static bool upgrade(gv_sqlite *self, gavat_op *op)
{
    const gv_upgrade_request *request = op->request;
    int code = gv_sqlite_upgrade(self, op, request->dry_run != 0);
    if ((code & 0xff) == SQLITE_BUSY && gv_op_wanted(op))
        return false;
    if (code == SQLITE_OK)
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    else if (op->staged.error.status == GAVAT_OK)
        gv_sqlite_fail(op, &self->own.db, code, 0, "upgrading");
    if (code != SQLITE_OK)
        gv_writer_distrust(&self->writing, code);
    return true;
}

bool gv_sqlite_work_on(gv_sqlite *self, gavat_op *op)
{
    return op->kind->place == GV_PRUNE ? prune(self, op) : upgrade(self, op);
}
