/* import.c: a batch whose records are each taken on their own: chunks of them, and sessions one by one, in their order. */
#include "postgresql.h"

typedef struct gv_pg_import {
    gv_pg_job job;              /* the barrier; never begun itself */
    gavat_op *op;
    size_t next;
    gv_pg_item items[GV_PG_BATCH];
} gv_pg_import;

static void go_on(gv_pg_import *import);

void gv_pg_reject(gavat_op *op, uint64_t index, const gv_pg_failure *failure)
{
    char why[512];
    if (op->kind->place == GV_FORWARD) {
        gv_forward_refuse(op, index, failure->state, gv_pg_reason(failure, why, sizeof why));
        return;
    }
    gv_result *result = gv_op_result(op);
    if (result)
        gv_result_reject(result, index, gv_pg_reason(failure, why, sizeof why));
}

static void finish(gv_pg_import *import)
{
    gavat_op *op = import->op;
    gv_pg_free_lane(&import->job);
    gv_free(import);
    gv_pg_finish(op);
}

static void part_done(gavat_op *op, const gv_pg_failure *failure)
{
    gv_pg *self = op->client->stores[GV_EVENTS].self;
    gv_pg_import *import = (gv_pg_import *)self->barrier;
    if (!failure) {
        go_on(import);
        return;
    }
    gv_pg_fail(op, failure, GAVAT_ERROR_MAYBE_APPLIED, "importing into");
    finish(import);
}

static void fill(gv_pg_import *import, size_t *count, const gv_pg_item **session)
{
    const gavat_batch *batch = import->op->batch;
    *count = 0;
    *session = NULL;
    while (import->next < batch->count && *count < GV_PG_BATCH) {
        const gv_batch_entry *entry = &batch->entries[import->next];
        const gv_batch_record *record = entry->record;
        bool merges = record->kind == &gv_sessions_kind;
        if (merges && *count)
            return;
        import->items[(*count)++] = (gv_pg_item){import->op, entry->index, record->kind, record->record, false};
        import->next++;
        if (merges) {
            *session = &import->items[0];
            return;
        }
    }
}

static void go_on(gv_pg_import *import)
{
    gv_pg *self = import->job.self;
    gavat_op *op = import->op;
    size_t count;
    const gv_pg_item *session;
    if (!gv_op_wanted(op)) {
        gv_op_fail(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED, "", "cancelled: %lld records were stored before that",
                   (long long)op->staged.number);
        finish(import);
        return;
    }
    fill(import, &count, &session);
    if (!count) {
        gv_op_succeed(op, GAVAT_REACHED_STORE);
        finish(import);
        return;
    }
    gv_op_report(op, import->next, op->batch->count, op->staged.result ? op->staged.result->rejected_count : 0, "records");
    bool started = session ? gv_pg_import_session(self, session, part_done) : gv_pg_import_chunk(self, import->items, count, part_done);
    if (started)
        return;
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY | GAVAT_ERROR_MAYBE_APPLIED, "", "events: no memory to ask the store");
    finish(import);
}

bool gv_pg_start_import(gv_pg *self, gavat_op *op)
{
    gv_pg_import *import = gv_pg_job_new(self, sizeof *import, op);
    if (!import)
        return false;
    import->op = op;
    self->barrier = &import->job;
    go_on(import);
    return true;
}
