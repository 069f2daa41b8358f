#include "../../lib/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define TIME_MIN INT64_C(-62135596800000000)

static void both_forms_are_printed(void **state)
{
    (void)state;
    char rfc[28], sql[27];
    gv_time_to_rfc(INT64_C(1795448220123456), rfc);
    gv_time_to_sql(INT64_C(1795448220123456), sql);
    assert_string_equal(rfc, "2026-11-23T15:37:00.123456Z");
    assert_string_equal(sql, "2026-11-23 15:37:00.123456");
}

static const struct {
    int64_t time;
    const char *text;
} prints[] = {
    {0, "1970-01-01T00:00:00.000000Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
    {1, "1970-01-01T00:00:00.000001Z"},
    {TIME_MIN, "0001-01-01T00:00:00.000000Z"},
    {TIME_MIN - 1, "0001-01-01T00:00:00.000000Z"},
    {INT64_MIN, "0001-01-01T00:00:00.000000Z"},
    {GV_TIME_MAX, "9999-12-31T23:59:59.999999Z"},
    {GV_TIME_MAX + 1, "9999-12-31T23:59:59.999999Z"},
    {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    {INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
    {INT64_C(951868800000000), "2000-03-01T00:00:00.000000Z"},
    {INT64_C(-2203977600000000), "1900-02-28T00:00:00.000000Z"},
    {INT64_C(-2203891200000000), "1900-03-01T00:00:00.000000Z"},
    {INT64_C(4107542399999999), "2100-02-28T23:59:59.999999Z"},
    {INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
};

static void edges_print_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        char out[28];
        int64_t back;
        gv_time_to_rfc(prints[i].time, out);
        assert_string_equal(out, prints[i].text);
        assert_true(gv_time_parse(gv_slice_of(out), &back));
        if (prints[i].time >= TIME_MIN && prints[i].time <= GV_TIME_MAX)
            assert_int_equal(back, prints[i].time);
    }
}

static const struct {
    const char *text;
    int64_t time;
} reads[] = {
    {"1970-01-01", 0},
    {"1970-01-02", INT64_C(86400000000)},
    {"1970-01-01Z", 0},
    {"1970-01-01+01", INT64_C(-3600000000)},
    {"1970-01-01 00:01", 60000000},
    {"1970-01-01T00:00:01", 1000000},
    {"1970-01-01T00:00:01.", 1000000},
    {"1970-01-01T00:00:01.5", 1500000},
    {"1970-01-01T00:00:01.05", 1050000},
    {"1970-01-01T00:00:01.005", 1005000},
    {"1970-01-01T00:00:01.0005", 1000500},
    {"1970-01-01T00:00:01.00005", 1000050},
    {"1970-01-01T00:00:01.000005", 1000005},
    {"1970-01-01T00:00:01.0000059", 1000005},
    {"1970-01-01T00:00:01.00000599", 1000005},
    {"1970-01-01T00:00:01.999999999Z", 1999999},
    {"1969-12-31T23:59:59.9999999", -1},
    {"1970-01-01T03:00:00+03", 0},
    {"1970-01-01T03:30:00+0330", 0},
    {"1970-01-01T03:30:00.25+03:30", 250000},
    {"1969-12-31T19:00-05:00", 0},
    {"1970-01-01T00:00-00:00", 0},
    {"1970-01-01T23:59+23:59", 0},
    {"2016-12-31T23:59:60Z", INT64_C(1483228799999999)},
    {"2016-12-31T23:59:60.25Z", INT64_C(1483228799999999)},
    {"2024-02-29", INT64_C(1709164800000000)},
    {"2000-02-29", INT64_C(951782400000000)},
    {"0001-01-01", TIME_MIN},
    {"0001-01-01T00:00-01:00", TIME_MIN + INT64_C(3600000000)},
    {"9999-12-31T23:59:59.999999999", GV_TIME_MAX},
};

static void valid_times_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        int64_t time = 42;
        if (!gv_time_parse(gv_slice_of(reads[i].text), &time) || time != reads[i].time)
            fail_msg("%s gives %" PRId64 ", not %" PRId64, reads[i].text, time, reads[i].time);
    }
}

static void what_is_not_a_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "2026", "2026-11", "2026-11-", "2026-1-01", "26-11-23", "2026/11/23", "2026-13-01", "2026-00-01",
        "2026-01-00",
        "2026-01-32", "2026-04-31", "2023-02-29", "1900-02-29", "2100-02-29", "0000-01-01", "-001-01-01", " 2026-11-23",
        "2026-11-23 ", "2026-11-23T", "2026-11-23T1", "2026-11-23T15", "2026-11-23T15:", "2026-11-23T15:3",
        "2026-11-23t15:37",
        "2026-11-23T24:00", "2026-11-23T15:60", "2026-11-23T15:37:61", "2026-11-23T15:37:", "2026-11-23T15:37:0",
        "2026-11-23T15:37:00.1234567890", "2026-11-23T15:37:00,5", "2026-11-23T15:37.5", "2026-11-23T15:37:00z",
        "2026-11-23T15:37:00ZZ", "2026-11-23T15:37:00 Z", "2026-11-23T15:37:00+", "2026-11-23T15:37:00+3",
        "2026-11-23T15:37:00+03:", "2026-11-23T15:37:00+03:0", "2026-11-23T15:37:00+030", "2026-11-23T15:37:00+03000",
        "2026-11-23T15:37:00+24:00", "2026-11-23T15:37:00+03:60", "2026-11-23T15:37:00+03Z", "0001-01-01T00:00+00:01",
        "9999-12-31T23:59:59-00:01", "now", "2026-11-23\xc2\xa0" "15:37",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t time = 42;
        if (gv_time_parse(gv_slice_of(texts[i]), &time))
            fail_msg("'%s' was read", texts[i]);
        assert_int_equal(time, 42);
    }
    int64_t time;
    gv_slice none = {NULL, 0}, nul = {"2026-11-23\0", 11};
    assert_false(gv_time_parse(none, &time));
    assert_false(gv_time_parse(nul, &time));
}

static void a_slice_is_not_read_past_its_end(void **state)
{
    (void)state;
    int64_t time;
    gv_slice slice = {"1970-01-0212:00", 10};
    assert_true(gv_time_parse(slice, &time));
    assert_int_equal(time, INT64_C(86400000000));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_times_go_round_and_agree_with_gmtime(void **state)
{
    (void)state;
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 100000; i++) {
        int64_t back, time = TIME_MIN + (int64_t)(next_random(&seed) % (uint64_t)(GV_TIME_MAX - TIME_MIN + 1));
        char out[28], sql[27];
        gv_time_to_rfc(time, out);
        gv_time_to_sql(time, sql);
        assert_true(gv_time_parse(gv_slice_of(out), &back));
        assert_int_equal(back, time);
        assert_true(gv_time_parse(gv_slice_of(sql), &back));
        assert_int_equal(back, time);

        int64_t micros = (time % 1000000 + 1000000) % 1000000;
        time_t seconds = (time_t)((time - micros) / 1000000);
        struct tm parts;
        char expect[128];
        assert_non_null(gmtime_r(&seconds, &parts));
        (void)snprintf(expect, sizeof expect, "%04d-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, micros);
        assert_string_equal(out, expect);
    }
}

static void every_day_of_1600_to_2401_follows_the_one_before(void **state)
{
    (void)state;
    int64_t day, end;
    assert_true(gv_time_parse(gv_slice_of("1600-01-01"), &day));
    assert_true(gv_time_parse(gv_slice_of("2401-01-01"), &end));
    for (; day <= end; day += INT64_C(86400000000)) {
        char out[28];
        int64_t back;
        gv_time_to_rfc(day, out);
        gv_slice date = {out, 10};
        assert_true(gv_time_parse(date, &back));
        assert_int_equal(back, day);
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unit, expect;
    } rows[] = {
        {"90s", 0, 90000}, {"15m", 0, 900000}, {"24h", 0, 86400000}, {"7d", 0, 604800000}, {"250ms", 0, 250},
        {"2w", 0, 1209600000}, {"1h30m", 0, 5400000}, {"1w2d3h4m5s6ms", 0, 788645006}, {"1m500ms", 0, 60500},
        {"0s", 0, 0},
        {"0", 1000, 0}, {"5", 1000, 5000}, {"5", 1, 5}, {"007s", 0, 7000}, {"5s", 1, 5000},
        {"9223372036854775807ms", 0, INT64_MAX}, {"9223372036854775807", 1, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = -1;
        if (!gv_duration_parse(gv_slice_of(rows[i].text), rows[i].unit, &got) || got != rows[i].expect)
            fail_msg("%s gives %" PRId64, rows[i].text, got);
    }
}

static void what_is_not_a_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "s", "ms", "5", "-5s", "+5s", " 5s", "5s ", "5 s", "1.5h", "5S", "5M", "5x", "5sec", "1h30", "30m1h",
        "1m1m",
        "1ms1s", "9223372036854775808ms", "9223372036854775807s", "99999999999999999999s", "15250284452472w",
        "9223372036854775s808ms", "0x5s",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t got = 42;
        if (gv_duration_parse(gv_slice_of(texts[i]), 0, &got))
            fail_msg("'%s' was read", texts[i]);
        assert_int_equal(got, 42);
    }
    int64_t got;
    gv_slice none = {NULL, 0};
    assert_false(gv_duration_parse(none, 1000, &got));
    assert_false(gv_duration_parse(gv_slice_of("9223372036854776"), 1000, &got));
}

static void the_wall_clock_agrees_with_time(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL), now = gv_clock_wall() / 1000000, after = (int64_t)time(NULL);
    assert_true(now >= before - 1 && now <= after + 1);
}

static void the_steady_clock_goes_forward_in_nanoseconds(void **state)
{
    (void)state;
    struct timespec pause = {0, 2000000};
    uint64_t before = gv_clock_steady();
    nanosleep(&pause, NULL);
    uint64_t after = gv_clock_steady();
    assert_true(after - before >= 2000000);
    assert_true(after - before < UINT64_C(60000000000));
}

static void a_bound_has_no_zeros_behind_it(void **state)
{
    static const struct { int64_t time; const char *text; } bounds[] = {
        {INT64_C(1795448220123456), "2026-11-23 15:37:00.123456"}, {INT64_C(1795448220120000), "2026-11-23 15:37:00.12"},
        {INT64_C(1795448220000001), "2026-11-23 15:37:00.000001"}, {INT64_C(1795448220000000), "2026-11-23 15:37:00"},
        {0, "1970-01-01 00:00:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        char text[27];
        gv_time_to_sql_bound(bounds[i].time, text);
        assert_string_equal(text, bounds[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_has_no_zeros_behind_it),
        cmocka_unit_test(both_forms_are_printed),
        cmocka_unit_test(edges_print_and_read_back),
        cmocka_unit_test(valid_times_are_read),
        cmocka_unit_test(what_is_not_a_time_is_refused),
        cmocka_unit_test(a_slice_is_not_read_past_its_end),
        cmocka_unit_test(random_times_go_round_and_agree_with_gmtime),
        cmocka_unit_test(every_day_of_1600_to_2401_follows_the_one_before),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_is_not_a_duration_is_refused),
        cmocka_unit_test(the_wall_clock_agrees_with_time),
        cmocka_unit_test(the_steady_clock_goes_forward_in_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
