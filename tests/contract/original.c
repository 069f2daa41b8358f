/* The original's own database: opened as it is, read fully, and written so that the original reads on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "original.h"
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

static int open_original(void **state)
{
    char from[500], url[400];
    (void)state;
    make_folder(own.folder);
    snprintf(own.path, sizeof own.path, "%s/gavatcore.db", own.folder);
    snprintf(url, sizeof url, "sqlite:///%s", own.path);
    original_path(from, "gavatcore.db");
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

static void every_row_and_value_is_as_in_the_dump(void **state)
{
    (void)state;
    expect_original_rows(own.g);
}

static void sums_of_the_amounts_are_exact(void **state)
{
    (void)state;
    expect_original_sums(own.g);
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
