/* stats.c: totals over all that a filter selects. Counting is SQLite's, sums of money are ours: exact, whatever the column is. */
#include "page.h"
#include "../../base/clock.h"
#include "../../base/memory.h"
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

static void add_string(gv_text *out, const char *text)
{
    if (text)
        gv_text_add_json(out, text, strlen(text));
    else
        gv_text_adds(out, "null");
}

static const char *column_text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static void add_time(gv_text *out, const char *key, const char *text)
{
    gavat_time time;
    char rfc[28];
    gv_text_addf(out, ",\"%s\":", key);
    if (!text || !gv_time_parse(gv_slice_of(text), &time)) {
        gv_text_adds(out, "null");
        return;
    }
    gv_time_to_rfc(time, rfc);
    gv_text_addf(out, "\"%s\"", rfc);
}

/* Ends a record; false: no memory. */
static bool add_record(gavat_op *op, gv_text *json)
{
    gv_result *result = gv_op_result(op);
    bool added = result && gv_result_add_json(result, json);
    gv_text_free(json);
    return added;
}

/* --- events --- */

typedef struct gv_grouping {
    const char *name, *key, *what, *rest;
} gv_grouping;

static const gv_grouping groupings[] = {
    {"type", "event_type", "event_type, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"level", "level", "level, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"user", "user_id", "user_id, count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 2 DESC, 1"},
    {"hour", "hour", "substr(timestamp, 1, 10) || 'T' || substr(timestamp, 12, 2) || ':00:00Z', count(*), min(timestamp), max(timestamp)",
     " GROUP BY 1 ORDER BY 1"},
    {"day", "day", "substr(timestamp, 1, 10), count(*), min(timestamp), max(timestamp)", " GROUP BY 1 ORDER BY 1"},
};

static int group_events(gv_reader *reader, gavat_op *op, const gv_query *query, const gv_grouping *grouping)
{
    int code;
    sqlite3_stmt *row = start(reader, query, grouping->what, grouping->rest, &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        gv_text json = {0};
        gv_text_addf(&json, "{\"%s\":", grouping->key);
        add_string(&json, column_text(row, 0));
        gv_text_addf(&json, ",\"count\":%lld", (long long)sqlite3_column_int64(row, 1));
        add_time(&json, "first", column_text(row, 2));
        add_time(&json, "last", column_text(row, 3));
        gv_text_addc(&json, '}');
        if (!add_record(op, &json)) {
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
    if (code == SQLITE_ROW) {
        gv_text json = {0};
        gv_text_addf(&json, "{\"total\":%lld,\"users\":%lld", (long long)sqlite3_column_int64(row, 0),
                     (long long)sqlite3_column_int64(row, 1));
        add_time(&json, "first", column_text(row, 2));
        add_time(&json, "last", column_text(row, 3));
        gv_text_addc(&json, '}');
        code = add_record(op, &json) ? SQLITE_DONE : SQLITE_NOMEM;
    }
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

/* --- sums by name --- */

typedef struct gv_sum {
    char *name;                 /* NULL: SQL NULL */
    int64_t count;
    gv_decimal amount;
} gv_sum;

typedef struct gv_sums {        /* few names each: statuses, types */
    gv_sum *items;
    size_t count;
} gv_sums;

typedef struct gv_currency {
    gv_sum total;
    gv_sums by_status, by_type;
} gv_currency;

static bool same_name(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool add_sum(gv_sums *sums, const char *name, int64_t count, gv_decimal amount)
{
    size_t i = 0;
    while (i < sums->count && !same_name(sums->items[i].name, name))
        i++;
    if (i == sums->count) {
        gv_sum *items = gv_resize(sums->items, (i + 1) * sizeof *items);
        if (!items)
            return false;
        sums->items = items;
        gv_sum fresh = {gv_copy_text(name), 0, 0};
        if (name && !fresh.name)
            return false;
        items[sums->count++] = fresh;
    }
    sums->items[i].count += count;
    sums->items[i].amount += amount;
    return true;
}

static void free_sums(gv_sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        gv_free(sums->items[i].name);
    gv_free(sums->items);
}

static void add_sums(gv_text *json, const char *key, const gv_sums *sums, bool money)
{
    char amount[GV_DECIMAL_ROOM];
    gv_text_addf(json, ",\"%s\":{", key);
    for (size_t i = 0; i < sums->count; i++) {
        const gv_sum *sum = &sums->items[i];
        gv_text_adds(json, i ? "," : "");
        add_string(json, sum->name ? sum->name : "");
        if (!money) {
            gv_text_addf(json, ":%lld", (long long)sum->count);
            continue;
        }
        gv_decimal_print(sum->amount, amount);
        gv_text_addf(json, ":{\"count\":%lld,\"amount\":%s}", (long long)sum->count, amount);
    }
    gv_text_addc(json, '}');
}

/* --- sales --- */

static gv_decimal amount_of(sqlite3_stmt *row, int column)
{
    char text[GV_DECIMAL_ROOM];
    gv_decimal amount;
    const char *money = gv_sqlite_money(row, column, text);
    return money && gv_decimal_parse(gv_slice_of(money), &amount) ? amount : 0;
}

static gv_currency *currency_of(gv_currency **all, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (same_name((*all)[i].total.name, name))
            return &(*all)[i];
    gv_currency *larger = gv_resize(*all, (*count + 1) * sizeof *larger);
    if (!larger)
        return NULL;
    *all = larger;
    gv_currency *fresh = &larger[*count];
    memset(fresh, 0, sizeof *fresh);
    fresh->total.name = gv_copy_text(name);
    if (name && !fresh->total.name)
        return NULL;
    ++*count;
    return fresh;
}

static bool add_currency(gavat_op *op, const gv_currency *currency)
{
    gv_text json = {0};
    char amount[GV_DECIMAL_ROOM];
    gv_decimal_print(currency->total.amount, amount);
    gv_text_adds(&json, "{\"currency\":");
    add_string(&json, currency->total.name);
    gv_text_addf(&json, ",\"count\":%lld,\"amount\":%s", (long long)currency->total.count, amount);
    add_sums(&json, "by_status", &currency->by_status, true);
    add_sums(&json, "by_type", &currency->by_type, true);
    gv_text_addc(&json, '}');
    return add_record(op, &json);
}

/* Rows of the same words and amount come as one, with their count. */
static int sale_stats(gv_reader *reader, gavat_op *op, const gv_query *query)
{
    int code;
    gv_currency *all = NULL;
    size_t count = 0;
    sqlite3_stmt *row = start(reader, query, "currency, payment_status, product_type, amount, amount_text, count(*)",
                              " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3", &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t times = sqlite3_column_int64(row, 5);
        gv_decimal amount = amount_of(row, 3) * times;
        gv_currency *currency = currency_of(&all, &count, column_text(row, 0));
        if (!currency || !add_sum(&currency->by_status, column_text(row, 1), times, amount)
            || !add_sum(&currency->by_type, column_text(row, 2), times, amount)) {
            code = SQLITE_NOMEM;
            break;
        }
        currency->total.count += times;
        currency->total.amount += amount;
    }
    sqlite3_reset(row);
    for (size_t i = 0; i < count; i++) {
        if (code == SQLITE_DONE && !add_currency(op, &all[i]))
            code = SQLITE_NOMEM;
        free_sums(&all[i].by_status);
        free_sums(&all[i].by_type);
        gv_free(all[i].total.name);
    }
    gv_free(all);
    return code;
}

/* --- messages --- */

/* The value at the nearest rank (part of 100) of the times that are known; 0: none. */
static int64_t percentile(gv_reader *reader, const gv_query *query, int64_t known, int part, int *code)
{
    int64_t value = 0, rank = (known * part + 99) / 100;
    char rest[120];
    snprintf(rest, sizeof rest, " AND " TIMED " ORDER BY 1 LIMIT 1 OFFSET %lld", (long long)(rank > 0 ? rank - 1 : 0));
    sqlite3_stmt *row = start(reader, query, "response_time_ms", rest, code);
    if (!row)
        return 0;
    *code = sqlite3_step(row);
    if (*code == SQLITE_ROW)
        value = sqlite3_column_int64(row, 0);
    sqlite3_reset(row);
    return value;
}

typedef struct gv_message_totals {
    int64_t total, successful, failed, known;
    gv_sums by_type, by_target;
} gv_message_totals;

static int count_messages(gv_reader *reader, const gv_query *query, gv_message_totals *totals)
{
    int code;
    sqlite3_stmt *row = start(reader, query, "message_type, target_type, success, count(*), sum(" TIMED ")",
                              " GROUP BY 1, 2, 3 ORDER BY 1, 2", &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t count = sqlite3_column_int64(row, 3);
        bool known = sqlite3_column_type(row, 2) != SQLITE_NULL, success = sqlite3_column_int64(row, 2) != 0;
        totals->total += count;
        totals->successful += known && success ? count : 0;
        totals->failed += known && !success ? count : 0;
        totals->known += sqlite3_column_int64(row, 4);
        if (!add_sum(&totals->by_type, column_text(row, 0), count, 0) || !add_sum(&totals->by_target, column_text(row, 1), count, 0)) {
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
    int code = count_messages(reader, query, &totals);
    gv_text json = {0};
    if (code == SQLITE_DONE) {
        gv_text_addf(&json, "{\"total\":%lld,\"successful\":%lld,\"failed\":%lld", (long long)totals.total,
                     (long long)totals.successful, (long long)totals.failed);
        add_sums(&json, "by_type", &totals.by_type, false);
        add_sums(&json, "by_target_type", &totals.by_target, false);
        for (int part = 50; part <= 95; part += 45) {
            int64_t value = totals.known ? percentile(reader, query, totals.known, part, &code) : 0;
            gv_text_addf(&json, ",\"response_time_p%d\":", part);
            if (totals.known)
                gv_text_addf(&json, "%lld", (long long)value);
            else
                gv_text_adds(&json, "null");
        }
        gv_text_addc(&json, '}');
        if (code == SQLITE_DONE || code == SQLITE_ROW)
            code = add_record(op, &json) ? SQLITE_DONE : SQLITE_NOMEM;
    }
    gv_text_free(&json);
    free_sums(&totals.by_type);
    free_sums(&totals.by_target);
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
