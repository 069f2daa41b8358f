/* check.c: what gavatctl doctor says of the server. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../core/check.h"
#include <stdio.h>

typedef struct gv_pg_check {
    gv_pg_job job;
    gavat_op *op;
    uint64_t started;
} gv_pg_check;

static const char sql[] =
    "SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on', "
    "current_setting('synchronous_commit'), pg_encoding_to_char(encoding), to_regclass('gavat_schema') IS NOT NULL, "
    "to_regclass('event_logs') IS NOT NULL, to_regclass('gavat_event_logs_search') IS NOT NULL, "
    "EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'), coalesce(s.ssl, false), current_setting('max_connections')::int8, "
    "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
    "FROM pg_database LEFT JOIN pg_stat_ssl AS s ON s.pid = pg_backend_pid() WHERE datname = current_database()";

static void finish(gv_pg_check *check)
{
    gavat_op *op = check->op;
    gv_pg *self = check->job.self;
    gv_free(check);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

void gv_pg_say_down(gavat_op *op, const gv_pg_failure *failure)
{
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_check_add(op, "open", "fail", op->store->shown, failure->text);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_check *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_check *check = (gv_pg_check *)job;
    gv_op_drop_result(check->op);
    check->op->staged.number = 0;
    gv_pg_say_down(check->op, failure);
    finish(check);
}

static void begin(gv_pg_job *job)
{
    gv_pg_params none = {0};
    ((gv_pg_check *)job)->started = gv_clock_steady();
    gv_pg_send_once(job, sql, &none, 0);
    gv_pg_sync(job);
}

static void check_index(gv_pg_check *check, const PGresult *result)
{
    gavat_op *op = check->op;
    if (!check->job.self->search_index)
        gv_check_add(op, "search index", "ok", "off", "");
    else if (gv_pg_integer(result, 0, 7))
        gv_check_add(op, "search index", "ok", "pg_trgm", "");
    else if (gv_pg_integer(result, 0, 8))
        gv_check_add(op, "search index", "warn", "none", "searches read every event: run gavatctl init");
    else
        gv_check_add(op, "search index", "warn", "pg_trgm is missing",
                     "searches read every event: as a superuser run CREATE EXTENSION pg_trgm, then gavatctl init");
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_check *check = (gv_pg_check *)job;
    gavat_op *op = check->op;
    char figure[80];
    (void)tag;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    snprintf(figure, sizeof figure, "PostgreSQL %s%s", gv_pg_string(result, 0, 0), gv_pg_integer(result, 0, 9) ? ", TLS" : "");
    gv_check_add(op, "open", "ok", figure, "");
    bool read_only = gv_pg_integer(result, 0, 1) || gv_pg_integer(result, 0, 2);
    gv_check_add(op, "writable", read_only ? "fail" : "ok", read_only ? "no" : "yes",
                 read_only ? "this is a standby, or the database is read-only: name the primary in the URL" : "");
    const char *commit = gv_pg_string(result, 0, 3), *encoding = gv_pg_string(result, 0, 4);
    bool lazy = strcmp(commit, "off") == 0, utf8 = strcmp(encoding, "UTF8") == 0;
    gv_check_add(op, "synchronous_commit", lazy ? "warn" : "ok", commit, lazy ? "a crash of the server loses the last commits" : "");
    gv_check_add(op, "encoding", utf8 ? "ok" : "warn", encoding, utf8 ? "" : "texts that it lacks letters for are refused: use a UTF8 database");
    bool tables = gv_pg_integer(result, 0, 5) && gv_pg_integer(result, 0, 6);
    gv_check_add(op, "schema", tables ? "ok" : "fail", tables ? "there" : "missing", tables ? "" : "run gavatctl init");
    check_index(check, result);
    int64_t most = gv_pg_integer(result, 0, 10), used = gv_pg_integer(result, 0, 11);
    snprintf(figure, sizeof figure, "%lld of %lld", (long long)used, (long long)most);
    bool full = used * 10 >= most * 9;
    gv_check_add(op, "connections", full ? "warn" : "ok", figure, full ? "raise the server's max_connections" : "");
    snprintf(figure, sizeof figure, "%.1f ms", (double)(gv_clock_steady() - check->started) / 1e6);
    gv_check_add(op, "round trip", "ok", figure, "");
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    if (!failure)
        finish((gv_pg_check *)job);
    else if (!gv_pg_again(job, failure, true))
        drop(job, failure);
    else if (job->on)
        begin(job);
    else
        gv_pg_queue_read(job->self, job);
}

bool gv_pg_start_check(gv_pg *self, gavat_op *op)
{
    gv_pg_check *check = gv_pg_job_new(self, sizeof *check, op);
    if (!check)
        return false;
    check->op = op;
    check->job.begin = begin;
    check->job.result = take;
    check->job.ended = ended;
    check->job.wanted = is_wanted;
    check->job.drop = drop;
    gv_pg_queue_read(self, &check->job);
    return true;
}
