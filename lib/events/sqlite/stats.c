/* stats.c: totals over all that a filter selects. Counting is SQLite's, sums of money are ours: exact, whatever the column is. */
#include "page.h"
#include "../../base/clock.h"
#include "../totals.h"
#include <string.h>

#define TIMED "typeof(response_time_ms) = 'integer' AND response_time_ms >= 0"

enum { BOUND_BY = 10, BOUND_FLAG = 20 };

static void add_conditions(gv_text *sql, const gv_query *query)
{
    gv_text_addf(sql, " FROM %s WHERE 1", query->kind->table);
    if (query->since)
        gv_text_addf(sql, " AND %s >= ?2", query->kind->time->name);
    if (query->until)
        gv_text_addf(sql, " AND %s < ?3", query->kind->time->name);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        if (query->by[by])
            gv_text_addf(sql, " AND %s = ?%u", gv_filter_field(query->kind, by)->name, BOUND_BY + by);
    if (query->flag)
        gv_text_addf(sql, " AND success = ?%d", BOUND_FLAG);
}

/* SELECT `what` of all that the query selects, then `rest`. */
static sqlite3_stmt *start(gv_reader *reader, const gv_query *query, const char *what, const char *rest, int *code)
{
    gv_text sql = {0};
    gv_text_addf(&sql, "SELECT %s", what);
    add_conditions(&sql, query);
    gv_text_adds(&sql, rest);
    *code = SQLITE_NOMEM;
    sqlite3_stmt *row = sql.failed ? NULL : gv_database_prepare(&reader->own.db, gv_text_get(&sql), code);
    gv_text_free(&sql);
    if (!row)
        return NULL;
    char text[27];
    int bound = SQLITE_OK;
    if (query->since) {
        gv_time_to_sql_bound(query->since, text);
        bound |= sqlite3_bind_text(row, 2, text, -1, SQLITE_TRANSIENT);
    }
    if (query->until) {
        gv_time_to_sql_bound(query->until, text);
        bound |= sqlite3_bind_text(row, 3, text, -1, SQLITE_TRANSIENT);
    }
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        if (query->by[by])
            sqlite3_bind_text(row, (int)(BOUND_BY + by), query->by[by], -1, SQLITE_STATIC);
    if (query->flag)
        sqlite3_bind_int(row, BOUND_FLAG, query->flag > 0);
    if (bound != SQLITE_OK) {
        *code = SQLITE_NOMEM;
        return NULL;
    }
    return row;
}

static const char *column_text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static gavat_time column_time(sqlite3_stmt *row, int column)
{
    gavat_time time;
    const char *text = column_text(row, column);
    return text && gv_time_parse(gv_slice_of(text), &time) ? time : GV_NO_TIME;
}

/* --- events --- */

typedef struct gv_grouping {
    const char *name, *what, *rest;
} gv_grouping;

static const gv_grouping groupings[] = {
    {"type", "event_type, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"level", "level, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"user", "user_id, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"hour", "substr(timestamp, 1, 10) || 'T' || substr(timestamp, 12, 2) || ':00:00Z', count(*), min(timestamp), max(timestamp)",
     " GROUP BY 1 ORDER BY 1"},
    {"day", "substr(timestamp, 1, 10), count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 1"},
};

static int group_events(gv_reader *reader, gavat_op *op, const gv_query *query, const gv_grouping *grouping)
{
    int code;
    sqlite3_stmt *row = start(reader, query, grouping->what, grouping->rest, &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        gv_event_group group = {column_text(row, 0), sqlite3_column_int64(row, 1), column_time(row, 2), column_time(row, 3)};
        if (!gv_add_event_group(op, query->group, &group)) {
            code = SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_reset(row);
    return code;
}

static int total_events(gv_reader *reader, gavat_op *op, const gv_query *query)
{
    int code;
    sqlite3_stmt *row = start(reader, query, "count(*), count(DISTINCT user_id), min(timestamp), max(timestamp)", "", &code);
    if (!row)
        return code;
    code = sqlite3_step(row);
    if (code == SQLITE_ROW)
        code = gv_add_event_total(op, sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1), column_time(row, 2), column_time(row, 3))
                   ? SQLITE_DONE : SQLITE_NOMEM;
    int text = sqlite3_reset(row);      /* a text that there was no memory for */
    return code == SQLITE_DONE && text != SQLITE_OK ? text : code;
}

static int event_stats(gv_reader *reader, gavat_op *op, const gv_query *query)
{
    for (size_t i = 0; query->group && i < sizeof groupings / sizeof *groupings; i++)
        if (strcmp(groupings[i].name, query->group) == 0)
            return group_events(reader, op, query, &groupings[i]);
    return total_events(reader, op, query);
}

/* --- sales --- */

/* Rows of the same words and amount come as one, with their count. */
static int sale_stats(gv_reader *reader, gavat_op *op, const gv_query *query)
{
    int code;
    char text[GV_DECIMAL_ROOM];
    gv_sale_totals totals = {0};
    sqlite3_stmt *row = start(reader, query, "currency, payment_status, product_type, amount, amount_text, count(*)",
                              " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3", &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *money = gv_sqlite_money(row, 3, text);
        if (!gv_count_sales(&totals, column_text(row, 0), column_text(row, 1), column_text(row, 2), money, sqlite3_column_int64(row, 5))) {
            code = SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_reset(row);
    if (code == SQLITE_DONE && !gv_add_sale_totals(op, &totals))
        code = SQLITE_NOMEM;
    gv_free_sale_totals(&totals);
    return code;
}

/* --- messages --- */

/* The value at a rank, from 0, of the times that are known. */
static int64_t timed_at(gv_reader *reader, const gv_query *query, int64_t rank, int *code)
{
    int64_t value = 0;
    char rest[120];
    snprintf(rest, sizeof rest, " AND " TIMED " ORDER BY 1 LIMIT 1 OFFSET %lld", (long long)rank);
    sqlite3_stmt *row = start(reader, query, "response_time_ms", rest, code);
    if (!row)
        return 0;
    *code = sqlite3_step(row);
    if (*code == SQLITE_ROW)
        value = sqlite3_column_int64(row, 0);
    sqlite3_reset(row);
    return value;
}

static int count_messages(gv_reader *reader, const gv_query *query, gv_message_totals *totals)
{
    int code;
    sqlite3_stmt *row = start(reader, query, "message_type, target_type, success, count(*), sum(" TIMED ")",
                              " GROUP BY 1, 2, 3 ORDER BY 1, 2", &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        bool known = sqlite3_column_type(row, 2) != SQLITE_NULL, success = sqlite3_column_int64(row, 2) != 0;
        if (!gv_count_messages(totals, column_text(row, 0), column_text(row, 1), known ? success ? 1 : -1 : 0, sqlite3_column_int64(row, 3),
                               sqlite3_column_int64(row, 4))) {
            code = SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_reset(row);
    return code;
}

static int message_stats(gv_reader *reader, gavat_op *op, const gv_query *query)
{
    gv_message_totals totals = {0};
    int64_t times[2] = {0};
    int code = count_messages(reader, query, &totals);
    for (int i = 0; i < 2 && totals.timed && (code == SQLITE_DONE || code == SQLITE_ROW); i++)
        times[i] = timed_at(reader, query, gv_rank_of(totals.timed, i ? 95 : 50), &code);
    if (code == SQLITE_DONE || code == SQLITE_ROW)
        code = gv_add_message_totals(op, &totals, times) ? SQLITE_DONE : SQLITE_NOMEM;
    gv_free_message_totals(&totals);
    return code;
}

void gv_sqlite_stats(gv_reader *reader, gavat_op *op)
{
    const gv_query *query = op->request;
    int code;
    if (op->kind->place == GV_EVENT_STATS)
        code = event_stats(reader, op, query);
    else if (op->kind->place == GV_SALE_STATS)
        code = sale_stats(reader, op, query);
    else
        code = message_stats(reader, op, query);
    gv_sqlite_end_read(reader, op, code == SQLITE_DONE ? SQLITE_OK : code);
}
