/* prune.c: long work, a slice at a time, each of them committed. */
#include "postgresql.h"
#include <stdlib.h>

#define SLICE 5000

typedef struct gv_pg_prune {
    gv_pg_job job;
    gavat_op *op;
    bool counted;
    int64_t gone, total;
} gv_pg_prune;

static void finish(gv_pg_prune *prune)
{
    gavat_op *op = prune->op;
    gv_pg *self = prune->job.self;
    gv_free(prune);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_prune *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    gv_pg_fail(prune->op, failure, job->sent ? GAVAT_ERROR_MAYBE_APPLIED : 0, "deleting from");
    finish(prune);
}

static void begin(gv_pg_job *job)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    gv_pg_params params = {0};
    gv_pg_add_time(&params, ((const gv_prune_request *)prune->op->request)->before);
    if (!prune->counted)
        gv_pg_send(job, "SELECT count(*) FROM event_logs WHERE timestamp < $1", &params, 0);
    else
        gv_pg_send(job, "DELETE FROM event_logs WHERE id IN (SELECT id FROM event_logs WHERE timestamp < $1 ORDER BY timestamp LIMIT 5000)",
                   &params, 1);
    gv_pg_sync(job);
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    if (tag == 0)
        prune->total = gv_pg_integer(result, 0, 0);
    else
        prune->gone = strtoll(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    gavat_op *op = prune->op;
    if (failure && gv_pg_again(job, failure, true)) {   /* what is gone stays so; a slice that was lost may be missing in the count */
        if (job->on)
            begin(job);
        else
            gv_pg_queue_read(job->self, job);
        return;
    }
    if (failure) {
        drop(job, failure);
        return;
    }
    bool last = prune->counted && prune->gone < SLICE;
    op->staged.number += prune->counted ? prune->gone : 0;
    prune->counted = true;
    gv_op_report(op, (uint64_t)op->staged.number, (uint64_t)(prune->total > op->staged.number ? prune->total : op->staged.number), 0,
                 "event_logs");
    job->tries = 0;
    if (last) {
        gv_op_succeed(op, GAVAT_REACHED_STORE);
        finish(prune);
    } else if (!is_wanted(job)) {
        gv_op_fail(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED, "", "cancelled: %lld events were deleted before that",
                   (long long)op->staged.number);
        finish(prune);
    } else {
        gv_pg_queue_read(job->self, job);       /* others first */
    }
}

bool gv_pg_start_prune(gv_pg *self, gavat_op *op)
{
    gv_pg_prune *prune = gv_pg_job_new(self, sizeof *prune, op);
    if (!prune)
        return false;
    prune->op = op;
    prune->job.begin = begin;
    prune->job.result = take;
    prune->job.ended = ended;
    prune->job.wanted = is_wanted;
    prune->job.drop = drop;
    prune->job.heavy = true;
    gv_pg_queue_read(self, &prune->job);
    return true;
}
