/* prune.c: long work, a step at a time, each of them committed. A month that is over as a whole goes with its partition: it is marked, detached
 * beside its readers and writers, counted and dropped; a prune that was cut off in the midst is taken up by the next one. The rest goes in
 * slices of rows. */
#include "schema.h"
#include <stdio.h>
#include <stdlib.h>

#define SLICE 5000
#define MARK "gavatcore: being pruned"  /* the comment on a table that is to go */
#define PAUSE UINT64_C(300000000)       /* nanoseconds, when a lock was not to be had */
#define TRIES 20                        /* … then rows are deleted instead */
#define CONCURRENTLY_SINCE 140000

typedef enum gv_pg_prune_stage { COUNT, FIND, MARK_IT, DETACH, FINISH_DETACH, DROP, ROWS } gv_pg_prune_stage;
typedef struct gv_pg_prune {
    gv_pg_job job;
    gavat_op *op;
    gv_pg_prune_stage stage;
    int64_t gone, total;
    unsigned tries;
    char part[200], state;      /* the partition at hand, none: ""; 'a'ttached, 'p'ending detachment, 'd'etached */
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

static void send_words(gv_pg_job *job, const char *sql)
{
    gv_pg_params none = {0};
    gv_pg_send_once(job, sql, &none, -1);
}

/* What another prune has left comes first, then the oldest month that is over. The first partition of all is never dropped: it has no month. */
static const char find_sql[] =
    "SELECT format('%I.%I', n.nspname, c.relname), "
    "CASE WHEN i.inhrelid IS NULL THEN 'd' WHEN (to_jsonb(i) ->> 'inhdetachpending')::boolean THEN 'p' ELSE 'a' END "
    "FROM pg_class AS p JOIN pg_class AS c ON c.relnamespace = p.relnamespace AND c.relkind = 'r' AND c.relname LIKE 'event\\_logs\\_%' "
    "JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid "
    "WHERE p.oid = to_regclass('event_logs') AND p.relkind = 'p' AND CASE "
    "WHEN i.inhrelid IS NULL THEN obj_description(c.oid, 'pg_class') = '" MARK "' "
    "WHEN i.inhparent = p.oid AND pg_get_expr(c.relpartbound, c.oid) NOT LIKE '%MINVALUE%' "
    "THEN substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)')::timestamptz <= $1 "
    "ELSE false END ORDER BY 2 DESC, 1 LIMIT 1";

static void send_part(gv_pg_prune *prune)
{
    char sql[500];
    const char *part = prune->part;
    if (prune->stage == DETACH || prune->stage == FINISH_DETACH) {
        snprintf(sql, sizeof sql, "ALTER TABLE event_logs DETACH PARTITION %s %s", part, prune->stage == DETACH ? "CONCURRENTLY" : "FINALIZE");
        gv_pg_send_alone(&prune->job, sql, 2);
        return;
    }
    send_words(&prune->job, GV_PG_LOCK_TIMEOUT);
    if (prune->stage == MARK_IT) {
        snprintf(sql, sizeof sql, "COMMENT ON TABLE %s IS '" MARK "'", part);
        send_words(&prune->job, sql);
        return;
    }
    gv_pg_params none = {0};
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", part);
    gv_pg_send_once(&prune->job, sql, &none, DROP);
    snprintf(sql, sizeof sql, "DROP TABLE %s", part);
    send_words(&prune->job, sql);
}

static void begin(gv_pg_job *job)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    gv_pg_params params = {0};
    gv_pg_add_time(&params, ((const gv_prune_request *)prune->op->request)->before);
    prune->gone = 0;
    if (prune->stage == COUNT)
        gv_pg_send(job, "SELECT count(*) FROM event_logs WHERE timestamp < $1", &params, COUNT);
    else if (prune->stage == FIND)
        gv_pg_send_once(job, find_sql, &params, FIND);
    else if (prune->stage == ROWS)
        gv_pg_send(job, "DELETE FROM event_logs WHERE timestamp < $1 AND (id, timestamp) IN "
                   "(SELECT id, timestamp FROM event_logs WHERE timestamp < $1 ORDER BY timestamp LIMIT 5000)", &params, ROWS);
    else
        send_part(prune);
    gv_pg_sync(job);
}

static void take_found(gv_pg_prune *prune, const PGresult *result)
{
    *prune->part = '\0';
    if (!PQntuples(result))
        return;
    snprintf(prune->part, sizeof prune->part, "%s", gv_pg_string(result, 0, 0));
    prune->state = *gv_pg_string(result, 0, 1);
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    if (tag == COUNT)
        prune->total = gv_pg_integer(result, 0, 0);
    else if (tag == FIND)
        take_found(prune, result);
    else if (tag == DROP)
        prune->gone = gv_pg_integer(result, 0, 0);
    else
        prune->gone = strtoll(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
}

static gv_pg_prune_stage stage_of_part(const gv_pg_prune *prune)
{
    if (!*prune->part)
        return ROWS;
    if (prune->state == 'd' || PQserverVersion(prune->job.on->pg) < CONCURRENTLY_SINCE)
        return DROP;
    return prune->state == 'p' ? FINISH_DETACH : MARK_IT;
}

/* A step went well. False: it was the last one. */
static bool advance(gv_pg_prune *prune)
{
    switch (prune->stage) {
    case COUNT: prune->stage = FIND; return true;
    case FIND: prune->stage = stage_of_part(prune); return true;
    case MARK_IT: prune->stage = DETACH; return true;
    case DETACH: case FINISH_DETACH: prune->stage = DROP; return true;
    case DROP: prune->stage = FIND; return true;
    default: return prune->gone == SLICE;
    }
}

/* Of a partition: it is looked at again, for others may be at it too; what cannot be dropped goes row by row. True: the job goes on. */
static bool try_otherwise(gv_pg_prune *prune, const gv_pg_failure *failure)
{
    if (failure->lost || prune->stage == COUNT || prune->stage == ROWS || !is_wanted(&prune->job))
        return false;
    prune->stage = strncmp(failure->state, "42501", 5) == 0 || ++prune->tries >= TRIES ? ROWS : FIND;
    gv_pg_queue_later(prune->job.self, &prune->job, PAUSE);
    return true;
}

static void failed(gv_pg_prune *prune, const gv_pg_failure *failure)
{
    gv_pg_job *job = &prune->job;
    if (try_otherwise(prune, failure))
        return;
    if (!gv_pg_again(job, failure, true)) {
        drop(job, failure);
        return;
    }
    if (prune->stage != COUNT && prune->stage != ROWS)
        prune->stage = FIND;
    if (job->on)
        begin(job);
    else
        gv_pg_queue_read(job->self, job);
}

/* What is gone stays so; a step whose answer was lost may be missing in the count. */
static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_prune *prune = (gv_pg_prune *)job;
    gavat_op *op = prune->op;
    if (failure) {
        failed(prune, failure);
        return;
    }
    op->staged.number += prune->gone;
    bool more = advance(prune);
    gv_op_report(op, (uint64_t)op->staged.number, (uint64_t)(prune->total > op->staged.number ? prune->total : op->staged.number), 0,
                 "event_logs");
    job->tries = 0;
    if (!more) {
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
