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
    "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
    "(SELECT n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm' AND NOT EXISTS "
    "(SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid))), "
    "(SELECT count(*) FILTER (WHERE substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \\(''([^'']+)''\\)')::timestamptz > now()) "
    "FROM pg_class AS p JOIN pg_inherits AS i ON i.inhparent = p.oid JOIN pg_class AS c ON c.oid = i.inhrelid "
    "WHERE p.oid = to_regclass('event_logs') AND p.relkind = 'p' HAVING count(*) > 0), i.name, i.used "
    "FROM pg_database LEFT JOIN pg_stat_ssl AS s ON s.pid = pg_backend_pid() "
    /* The table that has used most of its ids. */
    "LEFT JOIN (SELECT c.relname AS name, (100::numeric * pg_sequence_last_value(s.seqrelid) / least(s.seqmax, "
    "CASE a.atttypid WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END))::int8 AS used FROM pg_attribute AS a "
    "JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_depend AS d ON d.refobjid = c.oid AND d.refobjsubid = a.attnum "
    "AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') JOIN pg_sequence AS s ON s.seqrelid = d.objid "
    "WHERE a.attname = 'id' AND c.oid IN (to_regclass('event_logs'), to_regclass('sale_logs'), to_regclass('message_records'), "
    "to_regclass('user_sessions')) AND CASE WHEN has_sequence_privilege(s.seqrelid, 'SELECT') THEN pg_sequence_last_value(s.seqrelid) END "
    "IS NOT NULL ORDER BY 2 DESC LIMIT 1) AS i ON true WHERE datname = current_database()";

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
    else if (!gv_pg_is_null(result, 0, 12))
        gv_check_add(op, "search index", "warn", gv_pg_string(result, 0, 12),
                     "searches read every event: pg_trgm lies in that schema; add it to the search_path in the URL, then run gavatctl init");
    else if (gv_pg_integer(result, 0, 8))
        gv_check_add(op, "search index", "warn", "none", "searches read every event: run gavatctl init");
    else
        gv_check_add(op, "search index", "warn", "pg_trgm is missing",
                     "searches read every event: as a superuser run CREATE EXTENSION pg_trgm, then gavatctl init");
}

static void check_months(gavat_op *op, const PGresult *result)
{
    char figure[80];
    int64_t months = gv_pg_integer(result, 0, 13), used = gv_pg_integer(result, 0, 15);
    if (!gv_pg_is_null(result, 0, 13)) {
        snprintf(figure, sizeof figure, "%lld months ahead", (long long)months);
        gv_check_add(op, "partitions", months < 1 ? "warn" : "ok", figure,
                     months < 1 ? "run gavatctl init as the owner of the tables" : "");
    }
    if (gv_pg_is_null(result, 0, 14))
        return;
    snprintf(figure, sizeof figure, "%lld %% used in %s", (long long)used, gv_pg_string(result, 0, 14));
    gv_check_add(op, "ids", used >= 50 ? "warn" : "ok", figure,
                 used >= 50 ? "make its id and its sequence bigint before they run out; that rewrites the table, so plan for it" : "");
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
    check_months(op, result);
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
