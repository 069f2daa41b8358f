#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/memory.h"
#include "../../lib/base/text.h"
#include "../../lib/base/utf8.h"

static void *no_memory(void *old, size_t size)
{
    (void)old;
    (void)size;
    return NULL;
}

static void a_slice_is_its_text(void **state)
{
    (void)state;
    assert_true(gv_slice_is(gv_slice_of("abc"), "abc"));
    assert_false(gv_slice_is(gv_slice_of("abc"), "ab"));
    assert_false(gv_slice_is(gv_slice_of("ab"), "abc"));
    assert_true(gv_slice_is((gv_slice){"abcdef", 3}, "abc"));
    assert_true(gv_slice_is(gv_slice_of(""), ""));
    assert_false(gv_slice_is(gv_slice_of(NULL), ""));
    assert_true(gv_slice_is(gv_slice_of(NULL), NULL));
}

static void an_empty_text_reads_as_empty(void **state)
{
    (void)state;
    gv_text text = {0};
    assert_string_equal(gv_text_get(&text), "");
    size_t length = 9;
    char *taken = gv_text_take(&text, &length);
    assert_string_equal(taken, "");
    assert_int_equal(length, 0);
    gv_free(taken);
}

static void appending_grows_and_ends_in_nul(void **state)
{
    (void)state;
    gv_text text = {0};
    for (int i = 0; i < 1000; i++) {
        gv_text_adds(&text, "ab");
        gv_text_addc(&text, 'c');
        gv_text_add(&text, "\0d", 2);
        assert_int_equal(text.data[text.length], 0);
    }
    assert_int_equal(text.length, 5000);
    assert_memory_equal(text.data + 4995, "abc\0d", 6);
    gv_text_clear(&text);
    assert_int_equal(text.length, 0);
    assert_true(text.room > 5000);
    assert_string_equal(gv_text_get(&text), "");
    gv_text_free(&text);
    assert_null(text.data);
}

static void formatted_text_may_be_long(void **state)
{
    (void)state;
    gv_text text = {0};
    gv_text_addf(&text, "%d-%s;", 42, "x");
    gv_text_addf(&text, "%0*d", 5000, 1);
    gv_text_addf(&text, "%s", "");
    assert_int_equal(text.length, 5 + 5000);
    assert_memory_equal(text.data, "42-x;000", 8);
    assert_string_equal(text.data + 5004, "1");
    gv_text_free(&text);
}

static void formatted_text_of_the_stack_buffers_size_is_whole(void **state)
{
    (void)state;
    for (int width = 250; width < 260; width++) {
        gv_text text = {0};
        gv_text_addf(&text, "%0*d", width, 7);
        assert_int_equal(text.length, width);
        assert_int_equal(text.data[width - 1], '7');
        gv_text_free(&text);
    }
}

static void the_limit_is_exact_and_failure_sticks(void **state)
{
    (void)state;
    gv_text text = {.limit = 5};
    gv_text_adds(&text, "abcde");
    assert_false(text.failed);
    gv_text_addc(&text, 'f');
    assert_true(text.failed);
    assert_string_equal(gv_text_get(&text), "abcde");
    gv_text_add(&text, "", 0);
    size_t length = 9;
    assert_null(gv_text_take(&text, &length));
    assert_int_equal(length, 0);
    assert_false(text.failed);
    assert_int_equal(text.limit, 5);
    gv_text_addf(&text, "%0300d", 1);
    assert_true(text.failed);
    gv_text_clear(&text);
    gv_text_adds(&text, "ok");
    assert_string_equal(gv_text_get(&text), "ok");
    gv_text_free(&text);
}

static void lost_memory_sticks(void **state)
{
    (void)state;
    gv_memory kept = gv_memory_hook;
    gv_text text = {0};
    gv_text_adds(&text, "first");
    gv_memory_hook.resize = no_memory;
    gv_text_addf(&text, "%0*d", 100, 1);
    gv_memory_hook = kept;
    assert_true(text.failed);
    gv_text_adds(&text, "x");
    assert_string_equal(gv_text_get(&text), "first");
    assert_null(gv_text_take(&text, NULL));
}

static void an_impossible_length_fails(void **state)
{
    (void)state;
    gv_text text = {0};
    gv_text_addc(&text, 'a');
    gv_text_add(&text, "b", SIZE_MAX);
    assert_true(text.failed);
    gv_text_free(&text);
}

static void taken_text_belongs_to_the_caller(void **state)
{
    (void)state;
    gv_text text = {0};
    size_t length;
    gv_text_adds(&text, "mine");
    char *taken = gv_text_take(&text, &length);
    gv_text_adds(&text, "next");
    assert_string_equal(taken, "mine");
    assert_int_equal(length, 4);
    gv_free(taken);
    gv_text_free(&text);
}

static void prints_json(const char *data, size_t length, const char *expected)
{
    gv_text text = {0};
    gv_text_add_json(&text, data, length);
    assert_string_equal(gv_text_get(&text), expected);
    gv_text_free(&text);
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    prints_json("", 0, "\"\"");
    prints_json(NULL, 0, "\"\"");
    prints_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    prints_json("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    prints_json("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
    prints_json("Çağrı 🔥 alındı", strlen("Çağrı 🔥 alındı"), "\"Çağrı 🔥 alındı\"");
}

static void bad_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    prints_json("a\xff" "b", 3, "\"a\xef\xbf\xbd" "b\"");
    prints_json("\xc3", 1, "\"\xef\xbf\xbd\"");
    prints_json("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void json_escapes_are_found_at_every_place(void **state)
{
    (void)state;
    for (size_t place = 0; place < 24; place++) {
        char data[24], expected[32];
        memset(data, 'x', sizeof data);
        data[place] = '"';
        size_t at = 0;
        expected[at++] = '"';
        for (size_t i = 0; i < sizeof data; i++) {
            if (i == place)
                expected[at++] = '\\';
            expected[at++] = data[i];
        }
        memcpy(expected + at, "\"", 2);
        prints_json(data, sizeof data, expected);
    }
}

static void utf8_round_trips_for_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110400; code++) {
        char bytes[4];
        uint32_t back = 1;
        size_t length = gv_utf8_encode(code, bytes);
        bool scalar = code < 0xd800 || (code > 0xdfff && code < 0x110000);
        assert_int_equal(length > 0, scalar);
        if (!scalar)
            continue;
        assert_int_equal(gv_utf8_decode(bytes, length, &back), length);
        assert_int_equal(back, code);
        if (length > 1)
            assert_int_equal(gv_utf8_decode(bytes, length - 1, &back), 0);
    }
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff", "\xfe", "\xc3(", "\xe2\x82", "\xe2(\xa1", "\xf0\x9f\x94", "\xf0(\x8c\xbc"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[40] = "abcdefghij";
        memcpy(text + 10, bad[i], strlen(bad[i]) + 1);
        assert_false(gv_utf8_valid(bad[i], strlen(bad[i])));
        assert_false(gv_utf8_valid(text, strlen(text)));
        assert_true(gv_utf8_count(text, strlen(text)) == SIZE_MAX);
    }
}

static void code_points_are_counted(void **state)
{
    (void)state;
    assert_int_equal(gv_utf8_count("", 0), 0);
    assert_int_equal(gv_utf8_count("a\0b", 3), 3);
    assert_int_equal(gv_utf8_count("Çağrı 🔥 işlendi", strlen("Çağrı 🔥 işlendi")), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_is_its_text),
        cmocka_unit_test(an_empty_text_reads_as_empty),
        cmocka_unit_test(appending_grows_and_ends_in_nul),
        cmocka_unit_test(formatted_text_may_be_long),
        cmocka_unit_test(formatted_text_of_the_stack_buffers_size_is_whole),
        cmocka_unit_test(the_limit_is_exact_and_failure_sticks),
        cmocka_unit_test(lost_memory_sticks),
        cmocka_unit_test(an_impossible_length_fails),
        cmocka_unit_test(taken_text_belongs_to_the_caller),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(bad_utf8_becomes_the_replacement_character),
        cmocka_unit_test(json_escapes_are_found_at_every_place),
        cmocka_unit_test(utf8_round_trips_for_every_code_point),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(code_points_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
