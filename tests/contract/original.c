/* The original's own database: opened as it is, read fully, and written so that the original reads on. Its rows are
 * compared with a dump of the same data set, but for the times: each store was filled at its own moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "dump.h"
#include <sqlite3.h>

typedef struct original {
    gavat *g;
    sqlite3 *plain;             /* as another program has it */
    char folder[256], path[300];
} original;

static original own;

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    size_t length;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (!in || !out)
        fail_msg("%s cannot be copied", from);
    while ((length = fread(buffer, 1, sizeof buffer, in)) > 0)
        assert_int_equal(fwrite(buffer, 1, length, out), length);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void data_path(char out[500], const char *name)
{
    const char *source = getenv("TEST_SOURCE_DIR");
    snprintf(out, 500, "%s/tests/data/original/%s", source ? source : ".", name);
}

static int open_original(void **state)
{
    char from[500], url[400];
    (void)state;
    make_folder(own.folder);
    snprintf(own.path, sizeof own.path, "%s/gavatcore.db", own.folder);
    snprintf(url, sizeof url, "sqlite:///%s", own.path);
    data_path(from, "gavatcore.db");
    copy_file(from, own.path);
    own.g = open_client(url, NULL);
    assert_int_equal(sqlite3_open(own.path, &own.plain), SQLITE_OK);
    sqlite3_busy_timeout(own.plain, 5000);
    return 0;
}

static int close_original(void **state)
{
    (void)state;
    sqlite3_close(own.plain);
    close_client(own.g);
    drop_folder(own.folder);
    return 0;
}

static void run(const char *sql)
{
    char *wrong = NULL;
    if (sqlite3_exec(own.plain, sql, NULL, NULL, &wrong) != SQLITE_OK)
        fail_msg("%s: %s", sql, wrong);
}

/* The first value of the first row, as text; "NULL" for none. */
static const char *ask(const char *sql)
{
    static char answer[2000];
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(own.plain, sql, -1, &row, NULL) != SQLITE_OK || sqlite3_step(row) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(own.plain));
    const char *text = (const char *)sqlite3_column_text(row, 0);
    snprintf(answer, sizeof answer, "%s", text ? text : "NULL");
    sqlite3_finalize(row);
    return answer;
}

/* The fields of one record in the order of the dump's columns; "\1" stands for a time. Flags as the dump has them. */
static size_t fields_of(const gavat_op *op, size_t i, int64_t *id, const char *fields[DUMP_COLUMNS])
{
    const gavat_event *event = gavat_op_event(op, i);
    const gavat_sale *sale = gavat_op_sale(op, i);
    const gavat_message *message = gavat_op_message(op, i);
    const gavat_session *session = gavat_op_session(op, i);
    static char number[24];
    if (event) {
        const char *all[] = {event->user_id, event->username, event->type, event->message, event->context, event->level,
                             "\1"};
        memcpy(fields, all, sizeof all);
        *id = event->id;
        return 7;
    }
    if (sale) {
        const char *all[] = {sale->user_id, sale->customer_id, sale->bot_username, sale->product_type,
                             sale->product_name, sale->amount, sale->currency, sale->payment_method,
                             sale->payment_status, sale->payment_reference, sale->notes, sale->extra_data, "\1", "\1"};
        memcpy(fields, all, sizeof all);
        *id = sale->id;
        return 14;
    }
    if (message) {
        const char *success = message->success > 0 ? "true" : message->success < 0 ? "false" : NULL;
        snprintf(number, sizeof number, "%lld", (long long)(message->response_time_ms > 0
                                                            ? message->response_time_ms : 0));
        const char *all[] = {message->bot_username, message->message_type, message->target_type, message->target_id,
                             message->target_name, message->message_content, message->message_id, success,
                             message->error_message, message->response_time_ms ? number : NULL, message->extra_data, "\1"};
        memcpy(fields, all, sizeof all);
        *id = message->id;
        return 12;
    }
    const char *active = session->is_active > 0 ? "true" : session->is_active < 0 ? "false" : NULL;
    const char *all[] = {session->user_id, session->username, session->session_token, session->bot_type, active, "\1",
                         "\1", session->extra_data};
    memcpy(fields, all, sizeof all);
    *id = session->id;
    return 8;
}

/* Of amounts a double's fifteen digits. */
static bool same(const char *got, const char *wanted, bool money)
{
    char a[40], b[40];
    if (got && strcmp(got, "\1") == 0)
        return true;
    if (!got || !wanted)
        return got == wanted;
    if (!money)
        return strcmp(got, wanted) == 0;
    snprintf(a, sizeof a, "%.15g", strtod(got, NULL));
    snprintf(b, sizeof b, "%.15g", strtod(wanted, NULL));
    return strcmp(a, b) == 0;
}

static void compare_row(const dump *all, const char *table, const gavat_op *op, size_t i)
{
    int64_t id = 0;
    const char *fields[DUMP_COLUMNS];
    size_t count = fields_of(op, i, &id, fields);
    const dump_row *row = dump_find(all, table, id);
    if (!row)
        fail_msg("%s %lld is not in the dump", table, (long long)id);
    assert_int_equal(row->count, count + 1);
    for (size_t k = 0; k < count; k++)
        if (!same(fields[k], row->values[k + 1], gavat_op_sale(op, i) && k == 5))
            fail_msg("%s %lld, column %zu: \"%s\" instead of \"%s\"", table, (long long)id, k + 2, fields[k]
                     ? fields[k] : "NULL",
                     row->values[k + 1] ? row->values[k + 1] : "NULL");
}

typedef void query_fn(gavat_op *op, const gavat_filter *filter);

static void compare_table(const dump *all, const char *table, query_fn *query, size_t count)
{
    size_t found = 0;
    char cursor[500];
    gavat_filter filter = gavat_filter_init();
    filter.limit = 37;
    for (bool more = true; more;) {
        gavat_op *op = held(own.g);
        query(op, &filter);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        for (size_t i = 0; i < gavat_op_count(op); i++, found++)
            compare_row(all, table, op, i);
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        filter.cursor = cursor;
        gavat_op_unref(op);
    }
    assert_int_equal(found, count);
    assert_int_equal(dump_count(all, table), count);
}

static void every_row_and_value_is_as_in_the_dump(void **state)
{
    char path[500];
    (void)state;
    data_path(path, "postgresql.sql");
    dump *all = dump_read(path);
    compare_table(all, "event_logs", gavat_get_events, 600);
    compare_table(all, "sale_logs", gavat_get_sales, 80);
    compare_table(all, "message_records", gavat_get_messages, 195);
    compare_table(all, "user_sessions", gavat_get_sessions, 34);
    dump_free(all);
}

__extension__ typedef __int128 wide;

/* In hundred-millionths. */
static wide units_of(const char *text)
{
    wide units = 0;
    int digits = -1;
    bool negative = *text == '-';
    for (text += negative; *text; text++) {
        assert_true((*text >= '0' && *text <= '9') || *text == '.');
        if (*text == '.') {
            digits = 0;
            continue;
        }
        units = units * 10 + (*text - '0');
        digits += digits >= 0;
    }
    for (digits = digits < 0 ? 0 : digits; digits < 8; digits++)
        units *= 10;
    return negative ? -units : units;
}

static void sums_of_the_amounts_are_exact(void **state)
{
    char path[500], currency[20], text[60];
    (void)state;
    data_path(path, "postgresql.sql");
    dump *all = dump_read(path);
    gavat_op *op = held(own.g);
    RUN(op, get_sale_stats, NULL);
    size_t counted = 0;
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        wide sum = 0;
        gavat_json_copy(gavat_op_json(op, i, NULL), "currency", currency, sizeof currency);
        for (size_t k = 0; k < all->count; k++) {
            const dump_row *row = &all->rows[k];
            if (strcmp(row->table, "sale_logs") != 0 || strcmp(row->values[7] ? row->values[7] : "null", currency) != 0)
                continue;
            snprintf(text, sizeof text, "%.8f", strtod(row->values[6], NULL));
            sum += units_of(text);
            counted++;
        }
        gavat_json_copy(gavat_op_json(op, i, NULL), "amount", text, sizeof text);
        assert_true(units_of(text) == sum);
    }
    assert_int_equal(counted, 80);
    gavat_op_unref(op);
    dump_free(all);
}

static void an_event_of_ours_is_a_row_of_the_originals(void **state)
{
    (void)state;
    gavat_event event = an_event("bizim", "dm", "Çığ 🎉", 1);
    event.context = "{\"ş\":[1,1.0,{\"e\":\"😀\"}]}";
    DO(own.g, GAVAT_OK, log_event, &event);
    assert_string_equal(ask("SELECT timestamp FROM event_logs WHERE user_id = 'bizim'"), "2026-01-01 00:00:01.000000");
    assert_string_equal(ask("SELECT context FROM event_logs WHERE user_id = 'bizim'"),
                        "{\"\\u015f\": [1, 1.0, {\"e\": \"\\ud83d\\ude00\"}]}");
    assert_string_equal(ask("SELECT message || '|' || level FROM event_logs WHERE user_id = 'bizim'"), "Çığ 🎉|INFO");
    assert_string_equal(ask("SELECT id FROM event_logs WHERE user_id = 'bizim'"), "601");
    assert_string_equal(ask("SELECT typeof(timestamp) || typeof(context) || typeof(username) "
                            "FROM event_logs WHERE user_id = 'bizim'"),
                        "texttextnull");
}

static void a_sale_of_ours_is_a_row_of_the_originals(void **state)
{
    (void)state;
    gavat_sale sale = a_sale("bizim", "vip", "149.90", 1);
    gavat_op *op = held(own.g);
    RUN(op, log_sale, &sale);
    assert_string_equal(ask("SELECT typeof(amount) || amount || currency || payment_status || extra_data "
                            "FROM sale_logs "
                            "WHERE user_id = 'bizim'"), "real149.9TRYpending{}");
    assert_string_equal(ask("SELECT created_at || coalesce(updated_at, '-') FROM sale_logs WHERE user_id = 'bizim'"),
                        "2026-01-01 00:00:01.000000-");
    DO(own.g, GAVAT_OK, update_sale_status, gavat_op_uid(op), "completed", NULL);
    assert_string_equal(ask("SELECT payment_status || (updated_at LIKE '____-__-__ __:__:__.______') FROM sale_logs "
                            "WHERE user_id = 'bizim'"), "completed1");
    gavat_op_unref(op);
}

static void a_message_and_a_session_of_ours_are_rows_of_the_originals(void **state)
{
    (void)state;
    gavat_message message = a_message("bizim", "dm", "m", 1);
    gavat_session session = a_session("bizim");
    DO(own.g, GAVAT_OK, log_message, &message);
    DO(own.g, GAVAT_OK, set_session, &session);
    assert_string_equal(ask("SELECT typeof(success) || success || extra_data || timestamp FROM message_records "
                            "WHERE bot_username = 'bizim'"), "integer1{}2026-01-01 00:00:01.000000");
    assert_string_equal(ask("SELECT typeof(is_active) || is_active || extra_data "
                            "FROM user_sessions WHERE user_id = 'bizim'"),
                        "integer1{}");
    assert_string_equal(ask("SELECT (last_activity LIKE '____-__-__ __:__:__.______') + (created_at = last_activity) "
                            "FROM user_sessions WHERE user_id = 'bizim'"), "2");
    DO(own.g, GAVAT_OK, close_session, "bizim");
    assert_string_equal(ask("SELECT typeof(is_active) || is_active FROM user_sessions WHERE user_id = 'bizim'"),
                        "integer0");
    assert_string_equal(ask("SELECT count(*) FROM event_logs WHERE level IS NULL"), "0");
}

static void rows_that_the_original_inserts_later_are_read(void **state)
{
    (void)state;
    run("INSERT INTO event_logs (user_id, username, event_type, message, context, level) "
        "VALUES ('onun', NULL, 'dm', 'eski usul', '{}', 'INFO')");
    run("INSERT INTO event_logs (user_id, event_type, message, context, level, timestamp) "
        "VALUES ('onun', 'dm', 'saatli', '{\"a\": 1}', 'INFO', '2026-01-01 00:00:01.000000')");
    run("INSERT INTO sale_logs (user_id, product_type, amount, currency, payment_status, extra_data) "
        "VALUES ('onun', 'vip', 0.1, 'TRY', 'pending', '{}')");
    run("INSERT INTO message_records (bot_username, message_type, success, extra_data) VALUES ('onun', 'dm', 0, '{}')");
    run("INSERT INTO user_sessions (user_id, is_active, extra_data) VALUES ('onun', 1, '{\"k\": 1}')");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "onun";
    gavat_op *events = held(own.g), *sales = held(own.g), *messages = held(own.g), *session = held(own.g);
    RUN(events, get_events, &filter);
    assert_records(events, "eski usul saatli");
    assert_null(gavat_op_event(events, 0)->uid);
    assert_true(gavat_op_event(events, 0)->timestamp > T0);
    assert_int_equal(gavat_op_event(events, 1)->timestamp, T0 + SECOND);
    RUN(sales, get_sales, &filter);
    assert_string_equal(gavat_op_sale(sales, 0)->amount, "0.10");
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)gavat_op_sale(sales, 0)->id);
    DO(own.g, GAVAT_OK, update_sale_status, id, "completed", NULL);
    assert_string_equal(ask("SELECT payment_status FROM sale_logs WHERE user_id = 'onun'"), "completed");
    filter.user_id = NULL;
    filter.bot_username = "onun";
    RUN(messages, get_messages, &filter);
    assert_int_equal(gavat_op_message(messages, 0)->success, -1);
    gavat_session more = a_session("onun");
    more.extra_data = "{\"y\": 2}";
    DO(own.g, GAVAT_OK, set_session, &more);
    RUN(session, get_session, "onun");
    assert_string_equal(gavat_op_session(session, 0)->extra_data, "{\"k\": 1, \"y\": 2}");
    gavat_op_unref(events);
    gavat_op_unref(sales);
    gavat_op_unref(messages);
    gavat_op_unref(session);
}

static void times_are_read_in_every_form(void **state)
{
    static const struct { const char *text; gavat_time time; } forms[] = {
        {"2026-01-01 00:00:01", T0 + SECOND}, {"2026-01-01 00:00:01.5", T0 + SECOND + 500000},
        {"2026-01-01T00:00:01.000001", T0 + SECOND + 1}, {"2026-01-01T00:00:01Z", T0 + SECOND},
        {"2026-01-01 03:00:01+03:00", T0 + SECOND}, {"2026-01-01T00:00:01.123456789Z", T0 + SECOND + 123457},
        {"yesterday", 0}, {"", 0}, {"2026-13-45 99:99:99", 0}, {"12345", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 "INSERT INTO event_logs (user_id, event_type, message, timestamp) VALUES ('zaman', 't', '%zu', '%s')",
                 i, forms[i].text);
        run(sql);
    }
    run("INSERT INTO event_logs (user_id, event_type, message, timestamp) VALUES ('zaman', 't', '10', NULL)");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "zaman";
    gavat_op *op = held(own.g);
    RUN(op, get_events, &filter);
    assert_int_equal(gavat_op_count(op), 11);
    for (size_t i = 0; i < 11; i++) {
        size_t n = strtoul(gavat_op_event(op, i)->message, NULL, 10);
        gavat_time time = gavat_op_event(op, i)->timestamp, wanted = n < 10 ? forms[n].time : 0;
        if (time != wanted && time + 1 != wanted)       /* nine digits are cut or rounded */
            fail_msg("form %zu was read as %lld", n, (long long)time);
    }
    gavat_op_unref(op);
}

static void a_range_takes_times_with_and_without_a_fraction(void **state)
{
    (void)state;
    run("INSERT INTO event_logs (user_id, event_type, message, timestamp) "
        "VALUES ('aralik', 't', 'a', '2026-01-01 00:00:01')");
    run("INSERT INTO event_logs (user_id, event_type, message, timestamp) "
        "VALUES ('aralik', 't', 'b', '2026-01-01 00:00:02')");
    run("INSERT INTO event_logs (user_id, event_type, message, timestamp) "
        "VALUES ('aralik', 't', 'c', '2026-01-01 00:00:02.500000')");
    run("INSERT INTO event_logs (user_id, event_type, message, timestamp) "
        "VALUES ('aralik', 't', 'd', '2026-01-01 00:00:03')");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "aralik";
    filter.since = T0 + 2 * SECOND;
    filter.until = T0 + 3 * SECOND;
    gavat_op *op = held(own.g), *total = held(own.g), *pruned = held(own.g);
    RUN(op, get_events, &filter);
    assert_records(op, "c b");
    RUN(total, get_event_stats, NULL, &filter);
    assert_json(total, 0, "total", "2");
    RUN(pruned, prune_events, T0 + 2 * SECOND);
    assert_string_equal(ask("SELECT group_concat(message, '') FROM event_logs WHERE user_id = 'aralik'"), "bcd");
    gavat_op_unref(op);
    gavat_op_unref(total);
    gavat_op_unref(pruned);
}

/* Odd rows by other writers: what cannot be read costs that value, never the row, never the query. */
static void odd_values_cost_one_value(void **state)
{
    (void)state;
    run("INSERT INTO event_logs (user_id, event_type, message, context, level, timestamp) "
        "VALUES ('tuhaf', 't', 'a', 'NaN', NULL, '2026-01-01 00:00:01.000000')");
    run("INSERT INTO event_logs (user_id, event_type, message, context, level, timestamp) "
        "VALUES ('tuhaf', 't', 42, '{\"x\": Infinity}', 'INFO', '2026-01-01 00:00:02.000000')");
    run("INSERT INTO event_logs (user_id, event_type, message, context, level, timestamp) "
        "VALUES ('tuhaf', 't', 'c', '{kaput', 'INFO', '2026-01-01 00:00:03.000000')");
    run("INSERT INTO sale_logs (user_id, product_type, amount, created_at) "
        "VALUES ('tuhaf', 'vip', 'bedava', '2026-01-01 00:00:01')");
    run("INSERT INTO sale_logs (user_id, product_type, amount, created_at) "
        "VALUES ('tuhaf', 'vip', 9e999, '2026-01-01 00:00:02')");
    run("INSERT INTO sale_logs (user_id, product_type, amount, created_at, payment_status) "
        "VALUES ('tuhaf', 'vip', 7, '2026-01-01 00:00:03', 'kayıp')");
    run("INSERT INTO message_records (bot_username, message_type, success, response_time_ms) "
        "VALUES ('tuhaf', 'dm', NULL, 'yavaş')");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "tuhaf";
    gavat_op *events = held(own.g), *sales = held(own.g), *messages = held(own.g);
    RUN(events, get_events, &filter);
    assert_records(events, "c 42 a");
    assert_string_equal(gavat_op_event(events, 2)->context, "NaN");
    assert_null(gavat_op_event(events, 2)->level);
    assert_string_equal(gavat_op_event(events, 1)->context, "{\"x\": Infinity}");
    assert_json(events, 0, "context", "{kaput");
    assert_json(events, 2, "context", "NaN");
    RUN(sales, get_sales, &filter);
    assert_int_equal(gavat_op_count(sales), 3);
    assert_string_equal(gavat_op_sale(sales, 0)->amount, "7.00");
    assert_string_equal(gavat_op_sale(sales, 0)->payment_status, "kayıp");
    DO(own.g, GAVAT_OK, get_sale_stats, &filter);
    filter.user_id = NULL;
    filter.bot_username = "tuhaf";
    RUN(messages, get_messages, &filter);
    assert_int_equal(gavat_op_message(messages, 0)->success, 0);
    DO(own.g, GAVAT_OK, get_message_stats, &filter);
    gavat_op_unref(events);
    gavat_op_unref(sales);
    gavat_op_unref(messages);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(every_row_and_value_is_as_in_the_dump, open_original, close_original),
        cmocka_unit_test_setup_teardown(sums_of_the_amounts_are_exact, open_original, close_original),
        cmocka_unit_test_setup_teardown(an_event_of_ours_is_a_row_of_the_originals, open_original, close_original),
        cmocka_unit_test_setup_teardown(a_sale_of_ours_is_a_row_of_the_originals, open_original, close_original),
        cmocka_unit_test_setup_teardown(a_message_and_a_session_of_ours_are_rows_of_the_originals, open_original,
                                        close_original),
        cmocka_unit_test_setup_teardown(rows_that_the_original_inserts_later_are_read, open_original, close_original),
        cmocka_unit_test_setup_teardown(times_are_read_in_every_form, open_original, close_original),
        cmocka_unit_test_setup_teardown(a_range_takes_times_with_and_without_a_fraction, open_original, close_original),
        cmocka_unit_test_setup_teardown(odd_values_cost_one_value, open_original, close_original),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
