#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/json.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const char *check(const char *text, unsigned flags, size_t *at)
{
    /* A copy of the exact size, so that a byte read past the end is seen. */
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    const char *why = gv_json_check((gv_slice){copy, length}, GV_JSON_DEPTH, flags, at);
    free(copy);
    return why;
}

static void values_of_the_grammar_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-0", "1", "-1", "10", "1.0", "0.5", "-0.0e-10", "1e5", "1E+5",
        "1e-0005", "123456789012345678901234567890", "true",
        "false", "null", "\"\"", "\"a\"", "[]", "{}", "[[]]", "[{}]", "{\"\":{}}", "[1,2]", " [ 1 , 2 ] ",
        "\t\r\n {\"a\" :\t1}\n", "{\"a\":1,\"a\":2}",
        "[true,false,null,\"x\",-1.5e3,{\"k\":[]}]", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABCD\\uabcd\"",
        "\"\\ud83d\\udd25\"", "\"\x7f\"", "\"şğıİ€🔥\"",
        "{\"\\u0061\":\"\\\\\"}", "\"\\\\\\\"\"", "[\"12345678\",\"1234567\\n\",\"123456789abcdef\"]"};
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *why = check(good[i], 0, NULL);
        if (why)
            fail_msg("%s: %s", good[i], why);
    }
}

static void what_is_not_json_is_refused_where_it_goes_wrong(void **state)
{
    (void)state;
    static const struct { const char *text; size_t at; } bad[] = {
        {"", 0}, {"  ", 2}, {"[", 1}, {"{", 1}, {"]", 0}, {"}", 0}, {"[1", 2}, {"[1,", 3}, {"[1,]", 3}, {"[,1]", 1},
        {"[1 2]", 3}, {"[1}", 2}, {"{]", 1},
        {"{\"a\"", 4}, {"{\"a\":", 5}, {"{\"a\":1", 6}, {"{\"a\":1,", 7}, {"{\"a\":1,}", 7}, {"{\"a\" 1}", 5},
        {"{\"a\",1}", 4}, {"{a:1}", 1}, {"{1:1}", 1}, {"{'a':1}", 1},
        {"{\"a\":1]", 6}, {"{\"a\"::1}", 5}, {"{,}", 1}, {"01", 0}, {"[01]", 1}, {"-01", 1}, {"00", 0}, {"-", 1},
        {"+1", 0}, {".5", 0}, {"1.", 2}, {"1.e5", 2}, {"1e", 2}, {"1e+", 3},
        {"0x10", 1}, {"1_0", 1}, {"--1", 1}, {"tru", 0}, {"True", 0}, {"truex", 4}, {"nul", 0}, {"nan", 0},
        {"NaN", 0}, {"Infinity", 0}, {"-Infinity", 1}, {"\"", 1}, {"\"abc", 4},
        {"\"\\\"", 3}, {"\"\\", 1}, {"\"\\x41\"", 1}, {"\"\\u12\"", 1}, {"\"\\u12G4\"", 1}, {"\"\\u\"", 1},
        {"\"\n\"", 1}, {"\"\t\"", 1}, {"\"12345678\x01\"", 9}, {"'a'", 0},
        {"1 2", 2}, {"[] x", 3}, {"{}{}", 2}, {"[1]]", 3}, {"\xef\xbb\xbf[]", 0}, {"\"\xff\"", 1},
        {"\"\xc0\x80\"", 1}, {"\"\xed\xa0\x80\"", 1}, {"\"\xf4\x90\x80\x80\"", 1}, {"\"\xc3", 1},
        {"\"\xe2\x82\"", 1}, {"[\xc3\xa7]", 1}, {"\"\\ud83d\"", 1}, {"\"\\udd25\"", 1}, {"\"\\ud83dx\"", 1},
        {"\"\\ud83d\\u0041\"", 1}, {"\"\\ud83d\\ud83d\"", 1}, {"/**/1", 0}, {"[1]//", 3},
        {"\xc2\xa0" "1", 0}, {"\f1", 0}, {"\v1", 0}, {"{\"a\":1 \"b\":2}", 7}, {"[\"a\" : 1]", 5}, {"\"\\\x01\"", 1},
        {"{\"a\":tru}", 5}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t at = 9999;
        if (!check(bad[i].text, 0, &at))
            fail_msg("accepted: %s", bad[i].text);
        if (at != bad[i].at)
            fail_msg("%s: told at %zu", bad[i].text, at);
    }
}

static void a_nul_byte_is_refused_everywhere(void **state)
{
    (void)state;
    static const gv_slice bad[] = {{"\0", 1}, {"1\0", 2}, {"\"\0\"", 3}, {"[\0]", 3}, {"[1\0]", 4}, {"\"\\\0\"", 4},
        {"{\"a\"\0:1}", 8}};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(gv_json_check(bad[i], GV_JSON_DEPTH, 3, NULL));
    assert_non_null(gv_json_check((gv_slice){NULL, 0}, GV_JSON_DEPTH, 0, NULL));
}

static void reasons_are_phrases(void **state)
{
    (void)state;
    size_t at = 0;
    assert_string_equal(check("{a:1}", 0, &at), "a key must be in quotes");
    assert_string_equal(check("[\"a\"", 0, NULL), "an array is not closed");
    assert_string_equal(check("{\"a\":\"b\"", 0, NULL), "an object is not closed");
    assert_string_equal(check("\"\\udc00\"", 0, NULL), "a surrogate stands alone");
    assert_string_equal(check("[NaN]", 0, NULL), "NaN and Infinity are not JSON");
    assert_null(check(" [1] ", 0, &at));
    assert_int_equal(at, 5);
}

static void flags_accept_what_old_rows_hold(void **state)
{
    (void)state;
    static const char *const words[] = {"NaN", "Infinity", "-Infinity", "[NaN,-Infinity]", "{\"a\": NaN}"};
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_null(check(words[i], GV_JSON_NAN, NULL));
        assert_non_null(check(words[i], GV_JSON_SURROGATES, NULL));
    }
    static const char *const still_bad[] = {"-NaN", "nan", "Inf", "-Inf", "+Infinity", "NaNs", "Infinity1", "-",
        "-I"};
    for (size_t i = 0; i < COUNT(still_bad); i++)
        assert_non_null(check(still_bad[i], GV_JSON_NAN, NULL));
    static const char *const lone[] = {"\"\\ud83d\"", "\"\\udd25\"", "\"\\udd25\\ud83d\"",
        "\"\\ud83d\\ud83d\\udd25\"", "\"\\ud83d\\n\""};
    for (size_t i = 0; i < COUNT(lone); i++) {
        assert_null(check(lone[i], GV_JSON_SURROGATES, NULL));
        assert_non_null(check(lone[i], GV_JSON_NAN, NULL));
    }
    assert_non_null(check("\"\xed\xa0\x80\"", GV_JSON_SURROGATES, NULL));
}

static const char *check_nested(size_t levels, unsigned depth, const char *open, const char *close)
{
    gv_text text = {0};
    for (size_t i = 0; i < levels; i++)
        gv_text_adds(&text, open);
    gv_text_adds(&text, "1");
    for (size_t i = 0; i < levels; i++)
        gv_text_adds(&text, close);
    const char *why = gv_json_check((gv_slice){text.data, text.length}, depth, 0, NULL);
    gv_text_free(&text);
    return why;
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    assert_null(gv_json_check(gv_slice_of("1"), 0, 0, NULL));
    assert_non_null(gv_json_check(gv_slice_of("[]"), 0, 0, NULL));
    assert_null(gv_json_check(gv_slice_of("[[],{},[]]"), 2, 0, NULL));
    assert_non_null(gv_json_check(gv_slice_of("[[],[{}]]"), 2, 0, NULL));
    assert_null(check_nested(GV_JSON_DEPTH, GV_JSON_DEPTH, "[", "]"));
    assert_string_equal(check_nested(GV_JSON_DEPTH + 1, GV_JSON_DEPTH, "[", "]"), "the nesting is too deep");
    assert_null(check_nested(GV_JSON_DEPTH_MOST, 5000, "{\"a\":", "}"));
    assert_non_null(check_nested(GV_JSON_DEPTH_MOST + 1, 5000, "{\"a\":", "}"));
    assert_null(check_nested(512, 1024, "[{\"a\":", "}]"));
    assert_non_null(check_nested(65, 130, "[{\"a\":", "]}"));
}

static void a_huge_text_passes(void **state)
{
    (void)state;
    gv_text text = {0}, ascii = {0};
    gv_text_addc(&text, '[');
    for (int i = 0; i < 50000; i++)
        gv_text_addf(&text, "{\"sıra\":%d,\"metin\":\"uzun bir metin \\u015f 🔥\"},", i);
    gv_text_adds(&text, "null]");
    gv_slice slice = {text.data, text.length};
    assert_null(gv_json_check(slice, GV_JSON_DEPTH, 0, NULL));
    assert_true(gv_slice_is(gv_json_at(slice, "49999.s\xc4\xb1ra"), "49999"));
    gv_json_to_ascii(&ascii, slice);
    assert_null(gv_json_check((gv_slice){ascii.data, ascii.length}, GV_JSON_DEPTH, 0, NULL));
    assert_true(gv_slice_is(gv_json_at((gv_slice){ascii.data, ascii.length}, "50000"), "null"));
    gv_text_free(&ascii);
    gv_text_free(&text);
}

static void types_are_told_by_the_first_byte(void **state)
{
    (void)state;
    static const struct { const char *text; gv_json_type type; } types[] = {
        {" {} ", GV_JSON_OBJECT}, {"[]", GV_JSON_ARRAY}, {"\n\"\"", GV_JSON_STRING}, {"-1", GV_JSON_NUMBER},
        {"0", GV_JSON_NUMBER}, {"NaN", GV_JSON_NUMBER},
        {"-Infinity", GV_JSON_NUMBER}, {"true", GV_JSON_TRUE}, {"false", GV_JSON_FALSE}, {"null", GV_JSON_NULL},
        {"", GV_JSON_NONE}, {" ", GV_JSON_NONE}};
    for (size_t i = 0; i < COUNT(types); i++)
        assert_int_equal(gv_json_type_of(gv_slice_of(types[i].text)), types[i].type);
    assert_int_equal(gv_json_type_of((gv_slice){NULL, 0}), GV_JSON_NONE);
    assert_null(gv_json_trim((gv_slice){NULL, 0}).data);
    assert_true(gv_slice_is(gv_json_trim(gv_slice_of("\r\n\t 1 2 \n")), "1 2"));
}

static void members_are_walked_in_order(void **state)
{
    (void)state;
    gv_slice key, item;
    gv_json_walk walk = gv_json_enter(gv_slice_of(
        " { \"a\" : 1 , \"b]\":[1,\"]\",{}] ,\"c\\\"\":\"x,}\",\"d\":{\"e\":{}}, \"f\" : null } "));
    static const char *const keys[] = {"\"a\"", "\"b]\"", "\"c\\\"\"", "\"d\"", "\"f\""};
    static const char *const items[] = {"1", "[1,\"]\",{}]", "\"x,}\"", "{\"e\":{}}", "null"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        assert_true(gv_json_next(&walk, &key, &item));
        assert_true(gv_slice_is(key, keys[i]));
        assert_true(gv_slice_is(item, items[i]));
    }
    assert_false(gv_json_next(&walk, &key, &item));
    assert_false(gv_json_next(&walk, &key, &item));
}

static void items_are_walked_without_keys(void **state)
{
    (void)state;
    gv_slice key, item;
    gv_json_walk walk = gv_json_enter(gv_slice_of("[1 ,[ ], -2e5]"));
    static const char *const items[] = {"1", "[ ]", "-2e5"};
    for (size_t i = 0; i < COUNT(items); i++) {
        assert_true(gv_json_next(&walk, &key, &item));
        assert_int_equal(key.length, 0);
        assert_true(gv_slice_is(item, items[i]));
    }
    assert_false(gv_json_next(&walk, &key, &item));
    static const char *const nothing[] = {"[]", "{ }", "1", "\"[1]\"", "null", ""};
    for (size_t i = 0; i < COUNT(nothing); i++) {
        walk = gv_json_enter(gv_slice_of(nothing[i]));
        assert_false(gv_json_next(&walk, &key, &item));
    }
}

static void walking_what_was_not_checked_ends(void **state)
{
    (void)state;
    static const char *const bad[] = {"{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[,,]", "{,}", "[[", "[\"\\",
        "{\"a\":}", "[}", "{]", "[1 1 1", "{\"a\\", "{:::"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t length = strlen(bad[i]), steps = 0;
        char *copy = malloc(length);
        assert_non_null(copy);
        memcpy(copy, bad[i], length);
        gv_slice key, item;
        gv_json_walk walk = gv_json_enter((gv_slice){copy, length});
        while (gv_json_next(&walk, &key, &item))
            assert_true(++steps <= length);
        free(copy);
    }
}

static void is_member(const char *object, const char *key, const char *expected)
{
    if (!gv_slice_is(gv_json_member(gv_slice_of(object), key, strlen(key)), expected))
        fail_msg("%s: %s", object, key);
}

static void a_member_is_found_by_its_plain_key(void **state)
{
    (void)state;
    is_member("{\"a\":1,\"b\":2}", "b", "2");
    is_member("{\"a\":1,\"b\":2}", "c", NULL);
    is_member("{\"ab\":1}", "a", NULL);
    is_member("{\"a\":1}", "ab", NULL);
    is_member("{\"\":1}", "", "1");
    is_member("{\"\\u015fehir\":1}", "şehir", "1");
    is_member("{\"şehir\":1}", "şehir", "1");
    is_member("{\"\\ud83d\\udd25\":1}", "🔥", "1");
    is_member("{\"a\\\"b\":1}", "a\"b", "1");
    is_member("{\"a\\\"b\":1}", "a\\\"b", NULL);
    is_member("{\"a\\/b\":1}", "a/b", "1");
    is_member("{\"\\ud83d\":1}", "\xef\xbf\xbd", NULL);
    is_member("{\"x\":{\"a\":1}}", "a", NULL);
    is_member("[\"a\",1]", "a", NULL);
    is_member("null", "a", NULL);
    assert_true(gv_slice_is(gv_json_member(gv_slice_of("{\"a\\u0000b\": 1}"), "a\0b", 3), "1"));
}

static void of_duplicate_members_the_last_counts(void **state)
{
    (void)state;
    is_member("{\"a\":1,\"b\":5,\"a\":2}", "a", "2");
    is_member("{\"a\":1,\"\\u0061\":2}", "a", "2");
    is_member("{\"\\u0061\":2,\"a\":1}", "a", "1");
}

static void is_at(const char *text, const char *path, const char *expected)
{
    if (!gv_slice_is(gv_json_at(gv_slice_of(text), path), expected))
        fail_msg("%s: %s", text, path);
}

static void a_path_leads_to_its_value(void **state)
{
    (void)state;
    const char *text = " {\"gpt\": {\"models\": [\"a\", {\"x\": [10, 20]}], \"0\": \"zero\", \"\": {\"\": 3}}} ";
    is_at(text, "gpt.models.0", "\"a\"");
    is_at(text, "gpt.models.1.x.1", "20");
    is_at(text, "gpt.0", "\"zero\"");
    is_at(text, "gpt..", "3");
    is_at("[1,2]", "", "[1,2]");
    is_at(" 5 ", NULL, "5");
    static const char *const nowhere[] = {"gpt.models.2", "gpt.models.01", "gpt.models.-1", "gpt.models.",
        "gpt.models.x", "gpt.models.0.0", "x", "gpt.x.y",
        ".gpt", "gpt.models.18446744073709551616", "gpt.models.99999999999999999999999"};
    for (size_t i = 0; i < COUNT(nowhere); i++)
        is_at(text, nowhere[i], NULL);
    is_at(text, "gpt.", "{\"\": 3}");
    is_at("", "a", NULL);
}

static void unescapes_to(const char *raw, const char *expected, size_t length)
{
    char *out = malloc(length + 1);
    assert_non_null(out);
    assert_int_equal(gv_json_unescape(gv_slice_of(raw), NULL, 0), length);
    for (size_t room = 0; room <= length; room++) {
        out[room] = '#';
        assert_int_equal(gv_json_unescape(gv_slice_of(raw), out, room), length);
        assert_memory_equal(out, expected, room);
        assert_int_equal(out[room], '#');
    }
    free(out);
}

static void strings_are_unescaped_within_the_room(void **state)
{
    (void)state;
    unescapes_to("\"\"", "", 0);
    unescapes_to("\"plain text of some length\"", "plain text of some length", 25);
    unescapes_to("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    unescapes_to("\"a\\u0000b\"", "a\0b", 3);
    unescapes_to("\"\\u015F\\u20ac\\ud83d\\udd25\"", "ş€🔥", 9);
    unescapes_to("\"ş€🔥\"", "ş€🔥", 9);
    unescapes_to("\"\\ud83d\\ud83d\\udd25\\udd25\"", "\xef\xbf\xbd🔥\xef\xbf\xbd", 10);
    unescapes_to("12", "", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_grammar_are_accepted),
        cmocka_unit_test(what_is_not_json_is_refused_where_it_goes_wrong),
        cmocka_unit_test(a_nul_byte_is_refused_everywhere),
        cmocka_unit_test(reasons_are_phrases),
        cmocka_unit_test(flags_accept_what_old_rows_hold),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_huge_text_passes),
        cmocka_unit_test(types_are_told_by_the_first_byte),
        cmocka_unit_test(members_are_walked_in_order),
        cmocka_unit_test(items_are_walked_without_keys),
        cmocka_unit_test(walking_what_was_not_checked_ends),
        cmocka_unit_test(a_member_is_found_by_its_plain_key),
        cmocka_unit_test(of_duplicate_members_the_last_counts),
        cmocka_unit_test(a_path_leads_to_its_value),
        cmocka_unit_test(strings_are_unescaped_within_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
