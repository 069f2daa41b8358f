/* Totals: counts, exact sums, percentiles at the nearest rank, of what a filter selects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

#define HOUR INT64_C(3600)

static void log_some(gavat *g)
{
    static const struct { const char *user, *type, *level; int64_t second; } rows[] = {
        {"u1", "dm", "INFO", 0}, {"u1", "dm", "INFO", 10}, {"u1", "spam", "ERROR", HOUR}, {"u2", "dm", "WARNING",
            HOUR + 1},
        {"u2", "spam", "INFO", 24 * HOUR}, {"u3", "dm", "INFO", 25 * HOUR + 59},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gavat_event event = an_event(rows[i].user, rows[i].type, "m", rows[i].second);
        event.level = rows[i].level;
        DO(g, GAVAT_OK, log_event, &event);
    }
}

static void one_total_of_events(void **state)
{
    gavat *g = client_of(state);
    gavat_op *none = held(g), *op = held(g);
    RUN(none, get_event_stats, NULL, NULL);
    assert_int_equal(gavat_op_count(none), 1);
    assert_json(none, 0, "total", "0");
    assert_json(none, 0, "first", "null");
    log_some(g);
    RUN(op, get_event_stats, NULL, NULL);
    assert_json(op, 0, "total", "6");
    assert_json(op, 0, "users", "3");
    assert_json(op, 0, "first", "2026-01-01T00:00:00.000000Z");
    assert_json(op, 0, "last", "2026-01-02T01:00:59.000000Z");
    gavat_op_unref(none);
    gavat_op_unref(op);
}

static void expect_groups(gavat *g, const char *by, const char *key, const char *const (*wanted)[2], size_t count)
{
    gavat_op *op = held(g);
    RUN(op, get_event_stats, by, NULL);
    assert_int_equal(gavat_op_count(op), count);
    for (size_t i = 0; i < count; i++) {
        assert_json(op, i, key, wanted[i][0]);
        assert_json(op, i, "count", wanted[i][1]);
    }
    gavat_op_unref(op);
}

static void events_are_counted_by_what_is_asked(void **state)
{
    static const char *const types[][2] = {{"dm", "4"}, {"spam", "2"}};
    static const char *const levels[][2] = {{"INFO", "4"}, {"ERROR", "1"}, {"WARNING", "1"}};
    static const char *const users[][2] = {{"u1", "3"}, {"u2", "2"}, {"u3", "1"}};
    static const char *const hours[][2] = {{"2026-01-01T00:00:00Z", "2"}, {"2026-01-01T01:00:00Z", "2"},
                                           {"2026-01-02T00:00:00Z", "1"}, {"2026-01-02T01:00:00Z", "1"}};
    static const char *const days[][2] = {{"2026-01-01", "4"}, {"2026-01-02", "2"}};
    gavat *g = client_of(state);
    log_some(g);
    expect_groups(g, "type", "event_type", types, 2);
    expect_groups(g, "level", "level", levels, 3);
    expect_groups(g, "user", "user_id", users, 3);
    expect_groups(g, "hour", "hour", hours, 4);
    expect_groups(g, "day", "day", days, 2);
    REFUSE(g, "by", get_event_stats, "week", NULL);
    REFUSE(g, "by", get_event_stats, "", NULL);
}

static void totals_are_of_what_the_filter_selects(void **state)
{
    gavat *g = client_of(state);
    gavat_filter filter = gavat_filter_init();
    gavat_op *user = held(g), *range = held(g);
    log_some(g);
    filter.user_id = "u1";
    filter.limit = 1;           /* of a page, not of totals */
    RUN(user, get_event_stats, NULL, &filter);
    assert_json(user, 0, "total", "3");
    filter.since = T0 + 10 * SECOND;
    filter.until = T0 + HOUR * SECOND;
    RUN(range, get_event_stats, NULL, &filter);
    assert_json(range, 0, "total", "1");
    gavat_op_unref(user);
    gavat_op_unref(range);
}

static void sales_are_summed_by_currency_status_and_type(void **state)
{
    static const char *const rows[][4] = {
        {"TRY", "pending", "vip", "149.90"}, {"TRY", "completed", "vip", "0.10"}, {"TRY", "completed", "show", "0.20"},
        {"EUR", "completed", "vip", "19.99"}, {"EUR", "refunded", "vip", "-19.99"}, {"TRY", "pending", "vip", "149.9"},
    };
    gavat *g = client_of(state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gavat_sale sale = a_sale(i < 3 ? "u" : "v", rows[i][2], rows[i][3], (int64_t)i);
        sale.currency = rows[i][0];
        sale.payment_status = rows[i][1];
        DO(g, GAVAT_OK, log_sale, &sale);
    }
    gavat_op *op = held(g), *one = held(g), *none = held(g);
    RUN(op, get_sale_stats, NULL);
    assert_int_equal(gavat_op_count(op), 2);
    assert_json(op, 0, "currency", "EUR");
    assert_json(op, 0, "count", "2");
    assert_json(op, 0, "amount", "0.00");
    assert_json(op, 0, "by_status.completed.amount", "19.99");
    assert_json(op, 0, "by_status.refunded.amount", "-19.99");
    assert_json(op, 1, "currency", "TRY");
    assert_json(op, 1, "count", "4");
    assert_json(op, 1, "amount", "300.10");
    assert_json(op, 1, "by_status.pending.count", "2");
    assert_json(op, 1, "by_status.pending.amount", "299.80");
    assert_json(op, 1, "by_status.completed.amount", "0.30");
    assert_json(op, 1, "by_type.vip.amount", "299.90");
    assert_json(op, 1, "by_type.show.count", "1");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "u";
    filter.status = "completed";
    RUN(one, get_sale_stats, &filter);
    assert_int_equal(gavat_op_count(one), 1);
    assert_json(one, 0, "amount", "0.30");
    filter.user_id = "nobody";
    RUN(none, get_sale_stats, &filter);
    assert_int_equal(gavat_op_count(none), 0);
    gavat_op_unref(op);
    gavat_op_unref(one);
    gavat_op_unref(none);
}

static void sums_do_not_depend_on_the_currency_names_order(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 60; i++) {
        char currency[8];
        snprintf(currency, sizeof currency, "C%d", i % 20 & 31);
        gavat_sale sale = a_sale("u", "vip", "0.01", i);
        sale.currency = currency;
        DO(g, GAVAT_OK, log_sale, &sale);
    }
    gavat_op *op = held(g);
    RUN(op, get_sale_stats, NULL);
    assert_int_equal(gavat_op_count(op), 20);
    for (size_t i = 0; i < 20; i++)
        assert_json(op, i, "amount", "0.03");
    gavat_op_unref(op);
}

static void messages_are_counted_by_outcome_type_and_target(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 10; i++) {
        gavat_message message = a_message(i < 7 ? "b" : "c", i % 2 ? "dm" : "group_reply", "m", i);
        message.success = i % 5 == 0 ? -1 : 0;
        message.target_type = i % 3 == 0 ? "group" : i % 3 == 1 ? "user" : NULL;
        DO(g, GAVAT_OK, log_message, &message);
    }
    gavat_op *op = held(g), *bot = held(g), *failed = held(g);
    RUN(op, get_message_stats, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_json(op, 0, "total", "10");
    assert_json(op, 0, "successful", "8");
    assert_json(op, 0, "failed", "2");
    assert_json(op, 0, "by_type.dm", "5");
    assert_json(op, 0, "by_type.group_reply", "5");
    assert_json(op, 0, "by_target_type.group", "4");
    assert_json(op, 0, "by_target_type.user", "3");
    assert_json(op, 0, "response_time_p50", "null");
    gavat_filter filter = gavat_filter_init();
    filter.bot_username = "b";
    RUN(bot, get_message_stats, &filter);
    assert_json(bot, 0, "total", "7");
    filter.success = -1;
    RUN(failed, get_message_stats, &filter);
    assert_json(failed, 0, "total", "2");
    assert_json(failed, 0, "successful", "0");
    gavat_op_unref(op);
    gavat_op_unref(bot);
    gavat_op_unref(failed);
}

/* times: ends at 0. The nearest rank: the value at place ceil(count * part / 100). */
static void expect_percentiles(void **state, const int64_t *times, const char *p50, const char *p95)
{
    static int64_t second;
    gavat *g = client_of(state);
    char bot[16];
    snprintf(bot, sizeof bot, "b%d", (int)(++second % 1000));
    for (; *times; times++) {
        gavat_message message = a_message(bot, "dm", "m", second++);
        message.response_time_ms = *times;
        DO(g, GAVAT_OK, log_message, &message);
    }
    gavat_message unknown = a_message(bot, "dm", "m", second++);
    DO(g, GAVAT_OK, log_message, &unknown);     /* without a time: does not count */
    gavat_filter filter = gavat_filter_init();
    filter.bot_username = bot;
    gavat_op *op = held(g);
    RUN(op, get_message_stats, &filter);
    assert_json(op, 0, "response_time_p50", p50);
    assert_json(op, 0, "response_time_p95", p95);
    gavat_op_unref(op);
}

static void percentiles_are_values_that_occur(void **state)
{
    static const int64_t one[] = {7, 0}, two[] = {10, 20, 0}, three[] = {30, 10, 20, 0};
    static const int64_t ten[] = {100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 0};
    static const int64_t twenty[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 1000, 0};
    expect_percentiles(state, one, "7", "7");
    expect_percentiles(state, two, "10", "20");
    expect_percentiles(state, three, "20", "30");
    expect_percentiles(state, ten, "50", "100");
    expect_percentiles(state, twenty, "10", "19");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_total_of_events),
        cmocka_unit_test(events_are_counted_by_what_is_asked),
        cmocka_unit_test(totals_are_of_what_the_filter_selects),
        cmocka_unit_test(sales_are_summed_by_currency_status_and_type),
        cmocka_unit_test(sums_do_not_depend_on_the_currency_names_order),
        cmocka_unit_test(messages_are_counted_by_outcome_type_and_target),
        cmocka_unit_test(percentiles_are_values_that_occur),
    };
    return run_on_events("events_stats", cases, sizeof cases / sizeof *cases);
}
