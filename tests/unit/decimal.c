#include "../../lib/base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Texts are built with integers only, so that the expected values do not depend on the locale either. */
static gv_decimal parse(const char *text)
{
    gv_decimal value = 0;
    if (!gv_decimal_parse(gv_slice_of(text), &value))
        fail_msg("'%s' was refused", text);
    return value;
}

static void texts_are_read_and_printed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"0", "0.00"}, {"-0", "0.00"}, {"+0.00", "0.00"}, {"1", "1.00"}, {"149.9", "149.90"}, {"149.90", "149.90"},
        {"+149.900", "149.90"}, {"-149.9", "-149.90"}, {"0.12345678", "0.12345678"}, {"0.00000001", "0.00000001"},
        {"-0.00000001", "-0.00000001"}, {"0.1000", "0.10"}, {"0.101", "0.101"}, {"007.50", "7.50"},
        {"999999999999999999.99999999", "999999999999999999.99999999"},
        {"-999999999999999999.99999999", "-999999999999999999.99999999"}, {"000000000000000001", "1.00"},
        {"1000000000000000", "1000000000000000.00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[GV_DECIMAL_ROOM];
        gv_decimal_print(parse(rows[i][0]), out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void what_is_not_a_decimal_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "-", "+", ".", "-.", ".5", "5.", "1e5", "1E5", " 1", "1 ", "1,5", "1.000000000", "0.123456789",
        "1000000000000000000", "0000000000000000001", "--1", "+-1", "1.2.3", "0x10", "NaN", "inf", "1_000", "\xd9\xa1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gv_decimal value = 42;
        if (gv_decimal_parse(gv_slice_of(texts[i]), &value))
            fail_msg("'%s' was read", texts[i]);
        assert_true(value == 42);
    }
    gv_decimal value;
    gv_slice none = {NULL, 0}, nul = {"1\0", 2};
    assert_false(gv_decimal_parse(none, &value));
    assert_false(gv_decimal_parse(nul, &value));
}

static void the_ends_of_the_range_fit_their_room(void **state)
{
    (void)state;
    char out[GV_DECIMAL_ROOM];
    gv_decimal most = (gv_decimal)(((unsigned __int128)1 << 127) - 1);
    gv_decimal_print(most, out);
    assert_string_equal(out, "1701411834604692317316873037158.84105727");
    gv_decimal_print(-most - 1, out);
    assert_string_equal(out, "-1701411834604692317316873037158.84105728");
}

static void sums_are_exact(void **state)
{
    (void)state;
    char out[GV_DECIMAL_ROOM];
    gv_decimal_print(parse("0.1") + parse("0.2"), out);
    assert_string_equal(out, "0.30");
    gv_decimal sum = 0;
    for (int i = 0; i < 1000000; i++)
        sum += parse("0.01");
    gv_decimal_print(sum, out);
    assert_string_equal(out, "10000.00");
    for (int i = 0; i < 1000000; i++)
        sum += parse("999999999999999999.99999999");
    gv_decimal_print(sum, out);
    assert_string_equal(out, "1000000000000000000009999.99");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_text(uint64_t *seed, char *out)
{
    size_t whole = 1 + next_random(seed) % 18, places = next_random(seed) % 9, length = 0;
    if (next_random(seed) % 2)
        out[length++] = '-';
    for (size_t i = 0; i < whole; i++)
        out[length++] = (char)('0' + next_random(seed) % 10);
    if (places)
        out[length++] = '.';
    for (size_t i = 0; i < places; i++)
        out[length++] = (char)('0' + next_random(seed) % 10);
    out[length] = '\0';
}

/* Under the C locale the C library's strtod is the judge. */
static void random_texts_become_the_nearest_double(void **state)
{
    (void)state;
    uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);
    assert_non_null(setlocale(LC_ALL, "C"));
    for (int i = 0; i < 200000; i++) {
        char text[32];
        random_text(&seed, text);
        double expect = strtod(text, NULL), got = gv_decimal_to_double(gv_slice_of(text));
        if (!(got <= expect && got >= expect))
            fail_msg("%s gives %.17g, not %.17g", text, got, expect);
    }
}

static const struct {
    const char *text;
    double value;
} nearest[] = {
    {"0", 0.0}, {"0.1", 0.1}, {"0.3", 0.3}, {"149.9", 149.9}, {"-149.90", -149.9}, {"0.00000001", 1e-8},
    {"1000000000000000", 1e15}, {"9007199254740992", 9007199254740992.0},
    {"9007199254740993", 9007199254740992.0},               /* a tie: to the even one */
    {"9007199254740993.00000001", 9007199254740994.0},      /* just past it */
    {"9007199254740995", 9007199254740996.0}, {"9007199254740994.99999999", 9007199254740994.0},
    {"90071992.54740993", 90071992.54740993}, {"999999999999999999.99999999", 1e18},
    {"123456789.12345678", 123456789.12345678},
};

static void check_nearest(void)
{
    for (size_t i = 0; i < sizeof nearest / sizeof nearest[0]; i++) {
        double got = gv_decimal_to_double(gv_slice_of(nearest[i].text));
        assert_memory_equal(&got, &nearest[i].value, sizeof got);
    }
}

static const struct {
    double value;
    const char *text;
} from_doubles[] = {
    {0.0, "0.00"}, {-0.0, "0.00"}, {149.9, "149.90"}, {-149.9, "-149.90"}, {0.1 + 0.2, "0.30"}, {0.1, "0.10"},
    {1.0 / 3.0, "0.33333333"},
    {2.0 / 3.0, "0.66666667"}, {1e15, "1000000000000000.00"}, {1e17, "100000000000000000.00"}, {5e-324, "0.00"},
    {-5e-324, "0.00"},
    {2.2250738585072014e-308, "0.00"}, {1e-8, "0.00000001"}, {4.9e-9, "0.00"}, {5.1e-9, "0.00000001"},
    {-5.1e-9, "-0.00000001"},
    {0.001953125, "0.00195312"}, {0.005859375, "0.00585938"},       /* ties: to the even digit */
    {1234567.125, "1234567.125"}, {9999999.99999999, "9999999.99999999"}, {9999999.999999999, "10000000.00"},
    {12345678.12345678, "12345678.1234568"}, {123456789012345.67, "123456789012346.00"},
    {999999999999999.9, "1000000000000000.00"},
    {123456789012345678.0, "123456789012346000.00"}, {999999999999999000.0, "999999999999999000.00"}, {19.99, "19.99"},
};

static void check_from_doubles(void)
{
    for (size_t i = 0; i < sizeof from_doubles / sizeof from_doubles[0]; i++) {
        char out[GV_DECIMAL_ROOM];
        assert_true(gv_decimal_from_double(from_doubles[i].value, out));
        assert_string_equal(out, from_doubles[i].text);
    }
}

static void known_values_in_both_directions(void **state)
{
    (void)state;
    check_nearest();
    check_from_doubles();
}

/* A build machine seldom has such locales: they are made in a folder of the test's own, where localedef is there. */
static void make_locales(char *folder)
{
    static const char *const locales[] = {"de_DE", "tr_TR"};
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        char command[256];
        (void)snprintf(command, sizeof command, "localedef -i %s -f UTF-8 %s/%s.UTF-8 >%s/log 2>&1", locales[i], folder,
                       locales[i], folder);
        if (system(command) != 0)
            return;
    }
    setenv("LOCPATH", folder, 1);
}

static void remove_locales(const char *folder)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void every_locale_gives_the_same(void **state)
{
    static const char *const names[] = {"tr_TR.UTF-8", "de_DE.UTF-8"};
    (void)state;
    size_t tried = 0;
    char folder[] = "/tmp/gv-locale-XXXXXX";
    assert_non_null(mkdtemp(folder));
    if (!setlocale(LC_ALL, names[0]) || !setlocale(LC_ALL, names[1]))
        make_locales(folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        tried++;
        assert_string_equal(localeconv()->decimal_point, ",");
        check_nearest();
        check_from_doubles();
        assert_non_null(setlocale(LC_ALL, "C"));
    }
    remove_locales(folder);
    if (tried == 0)
        skip();
}

static void what_has_no_decimal_text_is_refused(void **state)
{
    (void)state;
    const double values[] = {NAN, -NAN, INFINITY, -INFINITY, 1e18, -1e18, 1e22, 1.7976931348623157e308,
        999999999999999900.0};
    char out[GV_DECIMAL_ROOM] = "left alone";
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_false(gv_decimal_from_double(values[i], out));
    assert_string_equal(out, "left alone");
}

static void a_text_that_is_no_decimal_is_zero_as_a_double(void **state)
{
    (void)state;
    double zero = 0.0, got = gv_decimal_to_double(gv_slice_of("1e5"));
    assert_memory_equal(&got, &zero, sizeof got);
    got = gv_decimal_to_double(gv_slice_of("-0.00"));
    assert_memory_equal(&got, &zero, sizeof got);
}

static void money_survives_the_way_through_a_double(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 200000; i++) {
        gv_decimal cents = (gv_decimal)(next_random(&seed) % UINT64_C(1000000000000000));   /* 15 digits */
        char text[GV_DECIMAL_ROOM], back[GV_DECIMAL_ROOM];
        gv_decimal_print((next_random(&seed) % 2 ? -cents : cents) * 1000000, text);
        assert_true(gv_decimal_from_double(gv_decimal_to_double(gv_slice_of(text)), back));
        assert_string_equal(text, back);
    }
}

/* printf's own rounding to 8 places is the judge where 8 places are what counts. */
static void random_doubles_are_rounded_to_8_places(void **state)
{
    (void)state;
    uint64_t seed = 11;
    assert_non_null(setlocale(LC_ALL, "C"));
    for (int i = 0; i < 100000; i++) {
        double whole = (double)(next_random(&seed) % 10000000);
        double value = whole * (double)(next_random(&seed) >> 11) / 9007199254740992.0;
        char out[GV_DECIMAL_ROOM], expect[400];
        (void)snprintf(expect, sizeof expect, "%.8f", value);
        assert_true(gv_decimal_from_double(value, out));
        assert_true(parse(out) == parse(expect));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_and_printed),
        cmocka_unit_test(what_is_not_a_decimal_text_is_refused),
        cmocka_unit_test(the_ends_of_the_range_fit_their_room),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(random_texts_become_the_nearest_double),
        cmocka_unit_test(known_values_in_both_directions),
        cmocka_unit_test(every_locale_gives_the_same),
        cmocka_unit_test(what_has_no_decimal_text_is_refused),
        cmocka_unit_test(a_text_that_is_no_decimal_is_zero_as_a_double),
        cmocka_unit_test(money_survives_the_way_through_a_double),
        cmocka_unit_test(random_doubles_are_rounded_to_8_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
