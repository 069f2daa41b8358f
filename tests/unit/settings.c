/* The table of settings: its rows, their names, and what each type of value accepts and says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_bench.h"
#include "../../lib/base/utf8.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (int i = 0; i < GV_SETTING_COUNT; i++) {
        const gv_setting *row = &gv_settings[i];
        gv_setting_id id = GV_SETTING_COUNT;
        bool alias = true;
        assert_true(gv_setting_find(gv_slice_of(row->key), &id, &alias));
        assert_int_equal(id, i);
        assert_false(alias);
        assert_true(strlen(row->help) > 20);
        assert_int_equal(row->help[strlen(row->help) - 1], '.');
        assert_int_equal(row->type == GV_SETTING_CHOICE, row->choices != NULL);
    }
}

static void every_default_is_a_value_that_its_own_setting_accepts(void **state)
{
    (void)state;
    for (int i = 0; i < GV_SETTING_COUNT; i++)
        check_set(gv_settings[i].key, gv_settings[i].fallback, NULL);
}

static void every_bound_is_accepted_and_one_beyond_is_not(void **state)
{
    bench *b = *state;
    for (int i = 0; i < GV_SETTING_COUNT; i++) {
        const gv_setting *row = &gv_settings[i];
        if (row->most == 0)
            continue;
        const char *unit = row->type == GV_SETTING_DURATION ? "ms" : "";
        for (int side = 0; side < 4; side++) {
            int64_t bound = side < 2 ? row->least : row->most;
            int64_t value = side == 1 ? bound - 1 : side == 3 ? bound + 1 : bound;
            char text[32];
            snprintf(text, sizeof text, "%lld%s", (long long)value, unit);
            assert_int_equal(gavat_config_set(b->cfg, row->key, text), side % 2 ? GAVAT_EINVAL : GAVAT_OK);
            assert_int_equal(gv_config_number(b->cfg, (gv_setting_id)i), bound);
        }
    }
}

static void the_defaults_are_those_of_the_reference(void **state)
{
    bench *b = *state;
    for (int round = 0; round < 2; round++) {
        const gavat_config *cfg = round ? b->cfg : NULL;
        assert_string_equal(gavat_config_get(cfg, "POSTGRES_URL"), FALLBACK_URL);
        assert_string_equal(gavat_config_get(cfg, "DATABASE_URL"), FALLBACK_URL);
        assert_string_equal(gavat_config_get(cfg, "GAVAT_TEXT_LOG_DIR"), "");
        assert_string_equal(gavat_config_get(cfg, "GAVAT_TIME_ZONE"), "");
        assert_string_equal(gavat_config_get(cfg, "GAVAT_TIMEOUT"), "10s");
        assert_int_equal(gv_config_number(cfg, GV_SET_TIMEOUT), 10000);
        assert_int_equal(gv_config_number(cfg, GV_SET_MAX_OPS), 65536);
        assert_int_equal(gv_config_number(cfg, GV_SET_MAX_BYTES), 64 << 20);
        assert_int_equal(gv_config_number(cfg, GV_SET_MAX_RECORD), 1 << 20);
        assert_int_equal(gv_config_number(cfg, GV_SET_PAGE_BYTES), 1 << 20);
        assert_int_equal(gv_config_number(cfg, GV_SET_SEARCH_INDEX), 0);
        assert_int_equal(gv_config_number(cfg, GV_SET_SEARCH_LAG), 100000);
        assert_int_equal(gv_config_number(cfg, GV_SET_READERS), 2);
        assert_int_equal(gv_config_number(cfg, GV_SET_SQLITE_SYNCHRONOUS), 0);
        assert_int_equal(gv_config_number(cfg, GV_SET_SQLITE_CACHE), 64 << 20);
        assert_int_equal(gv_config_number(cfg, GV_SET_EVENTS_URL), 0);
        for (int i = 0; i < GV_SETTING_COUNT; i++)
            assert_string_equal(gv_config_source(cfg, (gv_setting_id)i), "default");
    }
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(gv_setting_suggest(gv_slice_of("GAVAT_TIMOUT")), "GAVAT_TIMEOUT");
    assert_string_equal(gv_setting_suggest(gv_slice_of("GAVAT_TIMEOUTSSS")), "GAVAT_TIMEOUT");
    assert_string_equal(gv_setting_suggest(gv_slice_of("gavat_timeout")), "GAVAT_TIMEOUT");
    assert_string_equal(gv_setting_suggest(gv_slice_of("DATABASE_URI")), "DATABASE_URL");
    assert_string_equal(gv_setting_suggest(gv_slice_of("POSTGRESURL")), "POSTGRES_URL");
    assert_string_equal(gv_setting_suggest(gv_slice_of("GAVAT_MAX_OP")), "GAVAT_MAX_OPS");
}

static void a_name_four_letters_away_is_not_suggested(void **state)
{
    (void)state;
    assert_null(gv_setting_suggest(gv_slice_of("GAVAT_TIMEOUTSSSS")));
    assert_null(gv_setting_suggest(gv_slice_of("GAVAT_TIM")));
    assert_null(gv_setting_suggest(gv_slice_of("")));
    assert_null(gv_setting_suggest(gv_slice_of("GAVAT_")));
}

static void an_unknown_name_is_refused_with_a_suggestion(void **state)
{
    (void)state;
    check_set("GAVAT_TIMEOT", "10s", "GAVAT_TIMEOT is not a setting; did you mean GAVAT_TIMEOUT?");
    check_set("gavat_timeout", "10s", "gavat_timeout is not a setting; did you mean GAVAT_TIMEOUT?");
    check_set("COLOUR", NULL,
              "COLOUR is not a setting; the settings reference and `gavatctl config show` list all of them");
    check_set("", "1",
              "an empty name is not a setting; the settings reference and `gavatctl config show` list all of them");
}

static void a_url_in_place_of_a_name_does_not_show_its_password(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, URL_A, "x"), GAVAT_EINVAL);
    assert_null(strstr(gavat_config_error(b->cfg), SECRET));
}

static void an_unknown_name_has_no_value(void **state)
{
    bench *b = *state;
    assert_null(gavat_config_get(b->cfg, "GAVAT_TIMEOT"));
    assert_null(gavat_config_get(b->cfg, ""));
    assert_null(gavat_config_get(b->cfg, NULL));
    assert_null(gavat_config_get(NULL, "GAVAT_TIMEOT"));
}

static void a_duration_has_units_or_is_seconds(void **state)
{
    (void)state;
    check_number(GV_SET_TIMEOUT, "250ms", 250);
    check_number(GV_SET_TIMEOUT, "1m30s", 90000);
    check_number(GV_SET_TIMEOUT, "5", 5000);
    check_number(GV_SET_TIMEOUT, "24h", 86400000);
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    check_set("GAVAT_TIMEOUT", "10 parsecs",
              "GAVAT_TIMEOUT: \"10 parsecs\" is not a duration; write 10s, 1m30s or 250ms (1ms to 24h)");
    check_set("GAVAT_TIMEOUT", "25h",
              "GAVAT_TIMEOUT: \"25h\" is out of range; write 10s, 1m30s or 250ms (1ms to 24h)");
    check_set("GAVAT_TIMEOUT", "0", "GAVAT_TIMEOUT: \"0\" is out of range; write 10s, 1m30s or 250ms (1ms to 24h)");
    check_set("GAVAT_TIMEOUT", "", "GAVAT_TIMEOUT: \"\" is not a duration; write 10s, 1m30s or 250ms (1ms to 24h)");
}

static void bytes_take_units_of_1024_in_any_case(void **state)
{
    (void)state;
    check_number(GV_SET_PAGE_BYTES, "4096", 4096);
    check_number(GV_SET_PAGE_BYTES, "64k", 65536);
    check_number(GV_SET_PAGE_BYTES, "64K", 65536);
    check_number(GV_SET_PAGE_BYTES, "64KiB", 65536);
    check_number(GV_SET_PAGE_BYTES, "2mib", 2 << 20);
    check_number(GV_SET_PAGE_BYTES, "3M", 3 << 20);
    check_number(GV_SET_MAX_BYTES, "2GiB", INT64_C(2) << 30);
    check_number(GV_SET_MAX_BYTES, "64g", INT64_C(64) << 30);
}

static void what_is_no_number_of_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "k", "64 KiB", "64KB", "1.5MiB", "-4096", "+4096", "0x1000", "64KiBx",
                                      "4096 ", "64ki"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[160];
        snprintf(error, sizeof error,
                 "GAVAT_PAGE_BYTES: \"%s\" is not a number of bytes; write 4096, 64KiB, 1MiB or 2GiB (4KiB to 256MiB)",
                 bad[i]);
        check_set("GAVAT_PAGE_BYTES", bad[i], error);
    }
}

static void numbers_past_64_bits_are_out_of_range(void **state)
{
    (void)state;
    static const char *const huge[] = {"9223372036854775807", "9223372036854775808", "18446744073709551617",
                                       "99999999999999999999999999999999", "9007199254740993g", "9223372036854775807k"};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        char error[160];
        snprintf(error, sizeof error,
                 "GAVAT_PAGE_BYTES: \"%s\" is out of range; write 4096, 64KiB, 1MiB or 2GiB (4KiB to 256MiB)", huge[i]);
        check_set("GAVAT_PAGE_BYTES", huge[i], error);
    }
    check_set("GAVAT_MAX_OPS", "18446744073709551632",
              "GAVAT_MAX_OPS: \"18446744073709551632\" is out of range; write a whole number (16 to 10000000)");
    check_set("GAVAT_MAX_OPS", "-18446744073709551600",
              "GAVAT_MAX_OPS: \"-18446744073709551600\" is out of range; write a whole number (16 to 10000000)");
}

static void an_integer_is_digits_only(void **state)
{
    (void)state;
    check_number(GV_SET_READERS, "16", 16);
    check_number(GV_SET_READERS, "007", 7);
    check_set("GAVAT_EVENTS_READERS", "17",
              "GAVAT_EVENTS_READERS: \"17\" is out of range; write a whole number (1 to 16)");
    check_set("GAVAT_EVENTS_READERS", "-1",
              "GAVAT_EVENTS_READERS: \"-1\" is out of range; write a whole number (1 to 16)");
    static const char *const bad[] = {"", "-", "two", "2.0", " 2", "2 ", "1e1", "2k", "--2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[160];
        snprintf(error, sizeof error,
                 "GAVAT_EVENTS_READERS: \"%s\" is not a whole number; write a whole number (1 to 16)", bad[i]);
        check_set("GAVAT_EVENTS_READERS", bad[i], error);
    }
}

static void a_choice_is_one_of_its_words(void **state)
{
    (void)state;
    check_number(GV_SET_SEARCH_INDEX, "on", 0);
    check_number(GV_SET_SEARCH_INDEX, "off", 1);
    check_number(GV_SET_SQLITE_SYNCHRONOUS, "normal", 1);
    static const char *const bad[] = {"", "o", "onn", "of", "on|off", "|", "On", "true"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[160];
        snprintf(error, sizeof error, "GAVAT_EVENTS_SEARCH_INDEX: \"%s\" is not a choice; write on or off", bad[i]);
        check_set("GAVAT_EVENTS_SEARCH_INDEX", bad[i], error);
    }
}

static void a_time_zone_has_the_shape_of_a_tzdata_name(void **state)
{
    (void)state;
    static const char *const good[] = {"", "UTC", "Europe/Istanbul", "America/Argentina/Buenos_Aires", "Etc/GMT+3",
                                       "Etc/GMT-14"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check_set("GAVAT_TIME_ZONE", good[i], NULL);
    static const char *const bad[] = {"/etc/passwd", "..", "../x", "Europe/../x", "Europe Istanbul", ":UTC",
                                      "UTC\n", "Ş"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gavat_config *cfg = gavat_config_new();
        assert_int_equal(gavat_config_set(cfg, "GAVAT_TIME_ZONE", bad[i]), GAVAT_EINVAL);
        assert_string_equal(gavat_config_get(cfg, "GAVAT_TIME_ZONE"), "");
        assert_non_null(strstr(gavat_config_error(cfg), "write a name of tzdata such as Europe/Istanbul or UTC"));
        gavat_config_free(cfg);
    }
}

static void a_text_may_be_4096_bytes_and_no_more(void **state)
{
    bench *b = *state;
    char text[4098];
    memset(text, 'x', sizeof text);
    text[4096] = 0;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", text), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), text);
    text[4096] = 'x';
    text[4097] = 0;
    check_set("GAVAT_TEXT_LOG_DIR", text, "GAVAT_TEXT_LOG_DIR: the value has 4097 bytes; write at most 4096");
    check_set("POSTGRES_URL", text, "POSTGRES_URL: the value has 4097 bytes; write at most 4096");
}

static void a_text_must_be_utf8(void **state)
{
    (void)state;
    check_set("GAVAT_TEXT_LOG_DIR", "günlük", NULL);
    check_set("GAVAT_TEXT_LOG_DIR", "g\xfcnl\xfck", "GAVAT_TEXT_LOG_DIR: the value is not UTF-8; write it in UTF-8");
    check_set("GAVAT_TIMEOUT", "\xed\xa0\x80", "GAVAT_TIMEOUT: the value is not UTF-8; write it in UTF-8");
}

static void a_text_that_looks_like_a_path_is_shown_as_it_is(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", "/var/log/a b@c:d"), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), "/var/log/a b@c:d");
}

static void a_quoted_value_is_one_short_clean_line(void **state)
{
    bench *b = *state;
    char value[1000];
    for (size_t i = 0; i + 2 < sizeof value; i += 2)
        memcpy(value + i, "ş", 3);
    memcpy(value, "\n\x1b\xc2\x9b\x7f", 5);
    value[5] = '.';
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", value), GAVAT_EINVAL);
    const char *error = gavat_config_error(b->cfg);
    assert_non_null(strstr(error, "GAVAT_TIMEOUT: \"????.ş"));
    assert_non_null(strstr(error, "ş…\" is not a duration"));
    assert_true(gv_utf8_valid(error, strlen(error)));
    assert_true(strlen(error) < 300);
}

static void what_is_allowed_is_told_in_the_largest_units(void **state)
{
    static const struct {
        gv_setting_id id;
        const char *text;
    } rows[] = {
        {GV_SET_EVENTS_URL, "a store URL, or off"}, {GV_SET_TIME_ZONE, "text"},          {GV_SET_TIMEOUT, "1ms to 24h"},
        {GV_SET_READERS, "1 to 16"},        {GV_SET_MAX_RECORD, "1KiB to 64MiB"}, {GV_SET_SEARCH_INDEX, "on or off"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gv_text text = {0};
        gv_setting_add_allowed(&text, &gv_settings[rows[i].id]);
        assert_string_equal(gv_text_get(&text), rows[i].text);
        gv_text_free(&text);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_row_is_whole),
        CASE(every_default_is_a_value_that_its_own_setting_accepts),
        CASE(every_bound_is_accepted_and_one_beyond_is_not),
        CASE(the_defaults_are_those_of_the_reference),
        CASE(the_nearest_name_is_suggested),
        CASE(a_name_four_letters_away_is_not_suggested),
        CASE(an_unknown_name_is_refused_with_a_suggestion),
        CASE(a_url_in_place_of_a_name_does_not_show_its_password),
        CASE(an_unknown_name_has_no_value),
        CASE(a_duration_has_units_or_is_seconds),
        CASE(what_is_no_duration_is_refused),
        CASE(bytes_take_units_of_1024_in_any_case),
        CASE(what_is_no_number_of_bytes_is_refused),
        CASE(numbers_past_64_bits_are_out_of_range),
        CASE(an_integer_is_digits_only),
        CASE(a_choice_is_one_of_its_words),
        CASE(a_time_zone_has_the_shape_of_a_tzdata_name),
        CASE(a_text_may_be_4096_bytes_and_no_more),
        CASE(a_text_must_be_utf8),
        CASE(a_text_that_looks_like_a_path_is_shown_as_it_is),
        CASE(a_quoted_value_is_one_short_clean_line),
        CASE(what_is_allowed_is_told_in_the_largest_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
