/* stats.c: totals over all that a filter selects. Counting is the server's, sums of money are ours: exact, whatever the column is. */
#include "postgresql.h"
#include "../totals.h"
#include <stdio.h>

#define C_ORDER " COLLATE \"C\" NULLS FIRST"    /* as bytes, on every server the same */

enum { BOUND_SINCE = 1, BOUND_UNTIL, BOUND_BY, BOUND_FLAG = BOUND_BY + GV_BY_COUNT };

typedef struct gv_pg_stats {
    gv_pg_job job;
    gavat_op *op;
    bool failed, ranking;       /* ranking: the second round of messages */
    gv_sale_totals sales;
    gv_message_totals messages;
    int64_t times[2];
} gv_pg_stats;

static void finish(gv_pg_stats *stats)
{
    gavat_op *op = stats->op;
    gv_pg *self = stats->job.self;
    gv_free_sale_totals(&stats->sales);
    gv_free_message_totals(&stats->messages);
    gv_free(stats);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

static void fail(gv_pg_stats *stats, const gv_pg_failure *failure)
{
    gv_op_drop_result(stats->op);
    gv_pg_fail(stats->op, failure, 0, "reading");
    finish(stats);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_stats *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    fail((gv_pg_stats *)job, failure);
}

static void add_conditions(gv_text *sql, const gv_query *query)
{
    const char *time = query->kind->time->name;
    gv_text_addf(sql, " FROM %s WHERE true", query->kind->table);
    if (query->since)
        gv_text_addf(sql, " AND %s >= $%d", time, BOUND_SINCE);
    if (query->until)
        gv_text_addf(sql, " AND %s < $%d", time, BOUND_UNTIL);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        if (query->by[by])
            gv_text_addf(sql, " AND %s = $%u", gv_filter_field(query->kind, by)->name, BOUND_BY + by);
    if (query->flag)
        gv_text_addf(sql, " AND success = $%d", BOUND_FLAG);
}

/* SELECT `what` of all that the query selects, then `rest`. */
static void ask(gv_pg_stats *stats, const char *what, const char *rest, int tag)
{
    const gv_query *query = stats->op->request;
    gv_text sql = {0};
    gv_pg_params params = {0};
    gv_text_addf(&sql, "SELECT %s", what);
    add_conditions(&sql, query);
    gv_text_adds(&sql, rest);
    gv_pg_add_time(&params, query->since);
    gv_pg_add_time(&params, query->until);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        gv_pg_add_text(&params, query->by[by]);
    gv_pg_add_flag(&params, query->flag);
    params.failed = sql.failed;
    gv_pg_send_once(&stats->job, gv_text_get(&sql), &params, tag);
    gv_text_free(&sql);
}

static void ask_events(gv_pg_stats *stats, const char *group)
{
    static const struct {
        const char *name, *what, *rest;
    } groupings[] = {
        {"type", "event_type", " GROUP BY event_type ORDER BY 2 DESC, event_type" C_ORDER},
        {"level", "level", " GROUP BY level ORDER BY 2 DESC, level" C_ORDER},
        {"user", "user_id", " GROUP BY user_id ORDER BY 2 DESC, user_id" C_ORDER},
        {"hour", "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')", " GROUP BY 1 ORDER BY 1 NULLS FIRST"},
        {"day", "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD')", " GROUP BY 1 ORDER BY 1 NULLS FIRST"},
    };
    char what[200];
    for (size_t i = 0; group && i < sizeof groupings / sizeof *groupings; i++) {
        if (strcmp(groupings[i].name, group) != 0)
            continue;
        snprintf(what, sizeof what, "%s, count(*), min(timestamp), max(timestamp)", groupings[i].what);
        ask(stats, what, groupings[i].rest, 0);
        return;
    }
    ask(stats, "count(*), count(DISTINCT user_id), min(timestamp), max(timestamp)", "", 0);
}

static void ask_ranks(gv_pg_stats *stats)
{
    char rest[120];
    for (int i = 0; i < 2; i++) {
        snprintf(rest, sizeof rest, " AND response_time_ms >= 0 ORDER BY 1 LIMIT 1 OFFSET %lld",
                 (long long)gv_rank_of(stats->messages.timed, i ? 95 : 50));
        ask(stats, "response_time_ms", rest, i);
    }
}

static void begin(gv_pg_job *job)
{
    gv_pg_stats *stats = (gv_pg_stats *)job;
    if (stats->ranking) {
        ask_ranks(stats);
    } else if (stats->op->kind->place == GV_EVENT_STATS) {
        ask_events(stats, ((const gv_query *)stats->op->request)->group);
    } else if (stats->op->kind->place == GV_SALE_STATS) {
        ask(stats, "currency, payment_status, product_type, amount, amount_text, count(*)", " GROUP BY 1, 2, 3, 4, 5 ORDER BY currency" C_ORDER
            ", payment_status" C_ORDER ", product_type" C_ORDER, 0);
    } else {
        ask(stats, "message_type, target_type, success, count(*), count(*) FILTER (WHERE response_time_ms >= 0)",
            " GROUP BY 1, 2, 3 ORDER BY message_type" C_ORDER ", target_type" C_ORDER, 0);
    }
    gv_pg_sync(job);
}

static bool take_events(gv_pg_stats *stats, const PGresult *result)
{
    const char *group = ((const gv_query *)stats->op->request)->group;
    bool good = true;
    for (int row = 0; row < PQntuples(result) && good; row++) {
        gavat_time first = gv_pg_time(result, row, 2, GV_NO_TIME), last = gv_pg_time(result, row, 3, GV_NO_TIME);
        gv_event_group of = {group ? gv_pg_string(result, row, 0) : NULL, gv_pg_integer(result, row, 1), first, last};
        good = group ? gv_add_event_group(stats->op, group, &of)
                     : gv_add_event_total(stats->op, gv_pg_integer(result, row, 0), gv_pg_integer(result, row, 1), first, last);
    }
    return good;
}

static bool take_sales(gv_pg_stats *stats, const PGresult *result)
{
    char text[GV_DECIMAL_ROOM];
    for (int row = 0; row < PQntuples(result); row++)
        if (!gv_count_sales(&stats->sales, gv_pg_string(result, row, 0), gv_pg_string(result, row, 1), gv_pg_string(result, row, 2),
                            gv_pg_money(result, row, 3, text), gv_pg_integer(result, row, 5)))
            return false;
    return true;
}

static bool take_messages(gv_pg_stats *stats, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        int32_t success = gv_pg_is_null(result, row, 2) ? 0 : gv_pg_integer(result, row, 2) ? 1 : -1;
        if (!gv_count_messages(&stats->messages, gv_pg_string(result, row, 0), gv_pg_string(result, row, 1), success,
                               gv_pg_integer(result, row, 3), gv_pg_integer(result, row, 4)))
            return false;
    }
    return true;
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_stats *stats = (gv_pg_stats *)job;
    if (stats->ranking)
        stats->times[tag] = PQntuples(result) ? gv_pg_integer(result, 0, 0) : 0;
    else if (stats->op->kind->place == GV_EVENT_STATS)
        stats->failed |= !take_events(stats, result);
    else if (stats->op->kind->place == GV_SALE_STATS)
        stats->failed |= !take_sales(stats, result);
    else
        stats->failed |= !take_messages(stats, result);
}

static void start_over(gv_pg_stats *stats)
{
    gv_free_sale_totals(&stats->sales);
    gv_free_message_totals(&stats->messages);
    gv_op_drop_result(stats->op);
    stats->ranking = false;
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_stats *stats = (gv_pg_stats *)job;
    gavat_op *op = stats->op;
    if (failure && gv_pg_again(job, failure, true)) {
        start_over(stats);
        if (job->on)
            begin(job);
        else
            gv_pg_queue_read(job->self, job);
        return;
    }
    if (failure) {
        fail(stats, failure);
        return;
    }
    if (op->kind->place == GV_MESSAGE_STATS && stats->messages.timed && !stats->ranking && is_wanted(job)) {
        stats->ranking = true;
        begin(job);
        return;
    }
    if (op->kind->place == GV_SALE_STATS)
        stats->failed |= !gv_add_sale_totals(op, &stats->sales);
    else if (op->kind->place == GV_MESSAGE_STATS)
        stats->failed |= !gv_add_message_totals(op, &stats->messages, stats->times);
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    if (stats->failed) {
        gv_op_drop_result(op);
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
    }
    finish(stats);
}

bool gv_pg_start_stats(gv_pg *self, gavat_op *op)
{
    gv_pg_stats *stats = gv_pg_job_new(self, sizeof *stats, op);
    if (!stats)
        return false;
    stats->op = op;
    stats->job.begin = begin;
    stats->job.result = take;
    stats->job.ended = ended;
    stats->job.wanted = is_wanted;
    stats->job.drop = drop;
    stats->job.heavy = true;
    gv_pg_queue_read(self, &stats->job);
    return true;
}
