#include "../../lib/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/base/clock.h"
#include "../../lib/base/files.h"
#include "../../lib/base/memory.h"

static gv_arena arena;

static int free_arena(void **state)
{
    (void)state;
    gv_arena_free(&arena);
    return 0;
}

static int64_t at(const char *time)
{
    int64_t microseconds;
    assert_true(gv_time_parse(gv_slice_of(time), &microseconds));
    return microseconds / 1000000;
}

static const gv_zone *load(const char *name)
{
    const gv_zone *zone = NULL;
    assert_int_equal(gv_zone_load(&arena, name, &zone), 0);
    assert_non_null(zone);
    return zone;
}

static void check(const gv_zone *zone, const char *time, int64_t offset)
{
    assert_int_equal(gv_zone_offset(zone, at(time)), offset);
}

static void istanbul_stopped_changing_its_clocks(void **state)
{
    (void)state;
    const gv_zone *zone = load("Europe/Istanbul");
    check(zone, "2015-01-15T12:00:00", 2 * 3600);
    check(zone, "2015-03-29T00:59:59", 2 * 3600);
    check(zone, "2015-03-29T01:00:00", 3 * 3600);
    check(zone, "2015-11-08T00:59:59", 3 * 3600);
    check(zone, "2015-11-08T01:00:00", 2 * 3600);
    check(zone, "2016-12-01T00:00:00", 3 * 3600);
    check(zone, "2026-01-15T12:00:00", 3 * 3600);
    check(zone, "2026-07-15T12:00:00", 3 * 3600);
    check(zone, "2100-01-15T12:00:00", 3 * 3600);
}

static void new_york_changes_twice_a_year(void **state)
{
    (void)state;
    const gv_zone *zone = load("America/New_York");
    check(zone, "2026-03-08T06:59:59", -5 * 3600);
    check(zone, "2026-03-08T07:00:00", -4 * 3600);
    check(zone, "2026-11-01T05:59:59", -4 * 3600);
    check(zone, "2026-11-01T06:00:00", -5 * 3600);
}

static void times_beyond_the_table_follow_its_rule(void **state)
{
    (void)state;
    const gv_zone *zone = load("America/New_York");
    check(zone, "2060-03-14T06:59:59", -5 * 3600);
    check(zone, "2060-03-14T07:00:00", -4 * 3600);
    check(zone, "2060-11-07T05:59:59", -4 * 3600);
    check(zone, "2060-11-07T06:00:00", -5 * 3600);
    check(zone, "2400-02-29T12:00:00", -5 * 3600);
    check(zone, "9999-07-01T00:00:00", -4 * 3600);
}

static void south_of_the_equator_the_year_begins_in_summer(void **state)
{
    (void)state;
    const gv_zone *zone = load("Australia/Sydney");
    check(zone, "2050-01-01T00:00:00", 11 * 3600);
    check(zone, "2050-04-02T15:59:59", 11 * 3600);
    check(zone, "2050-04-02T16:00:00", 10 * 3600);
    check(zone, "2050-12-31T23:59:59", 11 * 3600);
}

static void times_before_the_table_have_the_first_offset(void **state)
{
    (void)state;
    check(load("Europe/Istanbul"), "1850-01-01T00:00:00", 6952);
    check(load("America/New_York"), "1800-01-01T00:00:00", -17762);
}

static void utc_is_always_zero(void **state)
{
    (void)state;
    const gv_zone *zone = load("UTC");
    check(zone, "0001-01-01T00:00:00", 0);
    check(zone, "2026-07-15T12:00:00", 0);
    assert_int_equal(gv_zone_offset(zone, INT64_MAX), 0);
    assert_int_equal(gv_zone_offset(zone, INT64_MIN), 0);
}

static void any_second_can_be_asked_for(void **state)
{
    (void)state;
    const gv_zone *zone = load("America/New_York");
    int64_t last = gv_zone_offset(zone, INT64_MAX);
    assert_true(last == -4 * 3600 || last == -5 * 3600);
    assert_int_equal(gv_zone_offset(zone, INT64_MIN), -17762);
}

static void what_is_no_zone_is_refused(void **state)
{
    (void)state;
    static const char *const missing[] = {"Europe/Atlantis", "../../../etc/passwd", "/etc/localtime", "Europe/", "a b",
                                          "UTC/x", "Europe/Istanbul/", "\xc4\xb0stanbul"};
    static const char *const other[] = {"Europe", "zone.tab"};
    const gv_zone *zone = NULL;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_int_equal(gv_zone_load(&arena, missing[i], &zone), -ENOENT);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_int_equal(gv_zone_load(&arena, other[i], &zone), -EBADMSG);
    char name[400];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(gv_zone_load(&arena, name, &zone), -ENOENT);
    assert_null(zone);
}

static void without_a_name_it_is_the_systems_zone(void **state)
{
    (void)state;
    const gv_zone *unnamed = load(NULL), *empty = load("");
    int64_t now = at("2026-07-15T12:00:00");
    assert_int_equal(gv_zone_offset(unnamed, now), gv_zone_offset(empty, now));
}

static gv_file_calls system_calls;

static int refuse_to_open(const char *path, int flags, mode_t mode)
{
    (void)path;
    (void)flags;
    (void)mode;
    errno = ENOENT;
    return -1;
}

static int restore_calls(void **state)
{
    gv_file_hook = system_calls;
    return free_arena(state);
}

static void without_a_system_zone_it_is_utc(void **state)
{
    (void)state;
    gv_file_hook.open = refuse_to_open;
    check(load(NULL), "2026-07-15T12:00:00", 0);
    const gv_zone *zone = NULL;
    assert_int_equal(gv_zone_load(&arena, "Europe/Istanbul", &zone), -ENOENT);
}

/* A copy without a byte behind it, so that a sanitizer sees a read past the end. */
static int parse(const char *data, size_t length, const gv_zone **zone)
{
    char *copy = gv_alloc(length);
    assert_non_null(copy);
    memcpy(copy, data, length);
    int status = gv_zone_parse(&arena, copy, length, zone);
    gv_free(copy);
    return status;
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Istanbul", "America/New_York", "UTC"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64] = "/usr/share/zoneinfo/";
        gv_text data = {0};
        strcat(path, names[i]);
        assert_int_equal(gv_file_read_all(path, 100000, &data), 0);
        const gv_zone *zone = NULL;
        for (size_t length = 0; length < data.length; length++) {
            assert_int_equal(parse(data.data, length, &zone), -EBADMSG);
            gv_arena_free(&arena);
        }
        assert_int_equal(parse(data.data, data.length, &zone), 0);
        gv_text_free(&data);
    }
}

static void a_file_with_any_byte_changed_does_no_harm(void **state)
{
    (void)state;
    gv_text data = {0};
    assert_int_equal(gv_file_read_all("/usr/share/zoneinfo/Europe/Istanbul", 100000, &data), 0);
    size_t read = 0;
    for (size_t i = 0; i < data.length; i++) {
        static const char changes[] = {'\0', '\x7f', '\xff', '9', ','};
        char before = data.data[i];
        for (size_t k = 0; k < sizeof changes; k++) {
            const gv_zone *zone = NULL;
            data.data[i] = changes[k];
            int status = parse(data.data, data.length, &zone);
            assert_true(status == 0 || status == -EBADMSG);
            if (status == 0 && gv_zone_offset(zone, at("2090-07-01T00:00:00")) <= 2 * 86400)
                read++;
            gv_arena_free(&arena);
        }
        data.data[i] = before;
    }
    assert_true(read > 0);
    gv_text_free(&data);
}

/* One type, no transitions, and the rule given. */
static int parse_rule(const char *rule, const gv_zone **zone)
{
    static const char counts[24] = {[19] = 1, [23] = 4};        /* one type, four letters */
    gv_text data = {0};
    for (int block = 0; block < 2; block++) {
        gv_text_adds(&data, "TZif2");
        gv_text_add(&data, (const char[15]){0}, 15);
        gv_text_add(&data, counts, sizeof counts);
        gv_text_add(&data, "\0\0\0\0\0\0UTC", 10);
    }
    gv_text_addf(&data, "\n%s\n", rule);
    int status = parse(data.data, data.length, zone);
    gv_text_free(&data);
    return status;
}

static void every_form_of_rule_is_read(void **state)
{
    (void)state;
    const gv_zone *zone = NULL;
    assert_int_equal(parse_rule("<-0330>3:30<-0230>,J60/-1:30,300/26", &zone), 0);
    check(zone, "2024-03-01T01:59:59", -12600);         /* J60 is the first of March in every year */
    check(zone, "2024-03-01T02:00:00", -9000);
    check(zone, "2025-03-01T01:59:59", -12600);
    check(zone, "2025-03-01T02:00:00", -9000);
    check(zone, "2024-10-28T04:29:59", -9000);          /* day 300 of a leap year, counted from 0, and 26 hours */
    check(zone, "2024-10-28T04:30:00", -12600);
    assert_int_equal(parse_rule("IST-1GMT0,M10.5.0,M3.5.0/1", &zone), 0);
    check(zone, "2050-01-01T00:00:00", 0);
    check(zone, "2050-07-01T00:00:00", 3600);
    assert_int_equal(parse_rule("XXX3EDT4,0/0,J365/23", &zone), 0);     /* summer time that never ends */
    check(zone, "2050-12-31T23:59:59", -4 * 3600);
    check(zone, "2051-01-01T02:59:59", -4 * 3600);
    check(zone, "2051-01-01T03:00:00", -4 * 3600);
    assert_int_equal(parse_rule("", &zone), 0);
    check(zone, "2050-07-01T00:00:00", 0);
}

static void rules_of_no_form_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"X", "XX3", "<+03-3", "EST", "EST25", "EST5EDT", "EST5EDT,", "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J0,J365", "EST5EDT,0,366", "EST5EDT,0/168,1", "EST5EDT,0,1x", "EST5:60",
                                      "EST99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const gv_zone *zone = NULL;
        assert_int_equal(parse_rule(bad[i], &zone), -EBADMSG);
        assert_null(zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(istanbul_stopped_changing_its_clocks, free_arena),
        cmocka_unit_test_teardown(new_york_changes_twice_a_year, free_arena),
        cmocka_unit_test_teardown(times_beyond_the_table_follow_its_rule, free_arena),
        cmocka_unit_test_teardown(south_of_the_equator_the_year_begins_in_summer, free_arena),
        cmocka_unit_test_teardown(times_before_the_table_have_the_first_offset, free_arena),
        cmocka_unit_test_teardown(utc_is_always_zero, free_arena),
        cmocka_unit_test_teardown(any_second_can_be_asked_for, free_arena),
        cmocka_unit_test_teardown(what_is_no_zone_is_refused, free_arena),
        cmocka_unit_test_teardown(without_a_name_it_is_the_systems_zone, free_arena),
        cmocka_unit_test_teardown(without_a_system_zone_it_is_utc, restore_calls),
        cmocka_unit_test_teardown(a_file_cut_at_any_byte_is_refused, free_arena),
        cmocka_unit_test_teardown(a_file_with_any_byte_changed_does_no_harm, free_arena),
        cmocka_unit_test_teardown(every_form_of_rule_is_read, free_arena),
        cmocka_unit_test_teardown(rules_of_no_form_are_refused, free_arena),
    };
    system_calls = gv_file_hook;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
