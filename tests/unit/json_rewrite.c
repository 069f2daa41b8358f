#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/json.h"
#include "../../lib/base/memory.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void ascii_is_what_python_writes(void **state)
{
    (void)state;
    static const struct { const char *text, *ascii; } cases[] = {
        {"{\"a\":1}", "{\"a\": 1}"},
        {"[]", "[]"},
        {"{}", "{}"},
        {" [ 1 , 2.50 ,\n-0.0 , 1E400, 12345678901234567890123 ] ",
        "[1, 2.50, -0.0, 1E400, 12345678901234567890123]"},
        {"{\"b\":1,\"a\":[{},[],\"\",null,true,false]}", "{\"b\": 1, \"a\": [{}, [], \"\", null, true, false]}"},
        {"\"Mesaj al\304\261nd\304\261 \360\237\224\245\"", "\"Mesaj al\\u0131nd\\u0131 \\ud83d\\udd25\""},
        {"\"\\u0041\\u00e7\\/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f\"",
        "\"A\\u00e7/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\""},
        {"\"\177\"", "\"\\u007f\""},
        {"\"\\uD83D\\uDE00\\ud83d\\ude00\"", "\"\\ud83d\\ude00\\ud83d\\ude00\""},
        {"{\"\305\237\304\261\" : \"\342\202\254\"}", "{\"\\u015f\\u0131\": \"\\u20ac\"}"},
        {"[ [ [ ] , { } ] ]", "[[[], {}]]"},
        {"\"a\342\200\250b\"", "\"a\\u2028b\""},
        {"[NaN, Infinity,-Infinity]", "[NaN, Infinity, -Infinity]"},
        {"\"\\ud800x\\udc00\"", "\"\\ud800x\\udc00\""},
        {"\"\\uDBFF\\u0041\"", "\"\\udbffA\""},
        {"{\"a\" :\t\"x, y : z  [ ]\"}", "{\"a\": \"x, y : z  [ ]\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned flags = GV_JSON_NAN | GV_JSON_SURROGATES;
        assert_null(gv_json_check(gv_slice_of(cases[i].text), GV_JSON_DEPTH, flags, NULL));
        gv_text once = {0}, twice = {0};
        gv_json_to_ascii(&once, gv_slice_of(cases[i].text));
        assert_string_equal(gv_text_get(&once), cases[i].ascii);
        gv_json_to_ascii(&twice, gv_slice_of(gv_text_get(&once)));
        assert_string_equal(gv_text_get(&twice), cases[i].ascii);
        gv_text_free(&once);
        gv_text_free(&twice);
    }
}

static void rewriting_keeps_duplicates_and_adds_to_what_is_there(void **state)
{
    (void)state;
    gv_text out = {0};
    gv_text_adds(&out, "x=");
    gv_json_to_ascii(&out, gv_slice_of("{\"a\":1,\"a\":2}"));
    assert_string_equal(gv_text_get(&out), "x={\"a\": 1, \"a\": 2}");
    gv_text_free(&out);
}

static void compact_drops_white_space_between_tokens_only(void **state)
{
    (void)state;
    gv_text out = {0};
    gv_json_to_compact(&out, gv_slice_of("\n{ \"a \\u0041\" : [ 1.0 ,\t\"x , \\\" y\" ] ,\"ş\":{ } } "));
    assert_string_equal(gv_text_get(&out), "{\"a \\u0041\":[1.0,\"x , \\\" y\"],\"ş\":{}}");
    gv_text_free(&out);
}

static void merges_to(const char *base, const char *over, const char *expected)
{
    gv_text out = {0};
    gv_json_merge(&out, gv_slice_of(base), gv_slice_of(over));
    assert_string_equal(gv_text_get(&out), expected);
    gv_text_free(&out);
}

static void merging_replaces_in_place_and_appends(void **state)
{
    (void)state;
    merges_to("{\"a\":1,\"b\":2,\"c\":3}", "{\"d\":4,\"b\":{\"x\":[1,2]}}",
        "{\"a\": 1, \"b\": {\"x\": [1, 2]}, \"c\": 3, \"d\": 4}");
    merges_to("{}", "{}", "{}");
    merges_to("{\"a\":1.50}", "{}", "{\"a\": 1.50}");
    merges_to("{}", "{\"ş\":\"ı\"}", "{\"\\u015f\": \"\\u0131\"}");
    merges_to("{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}", "{\"a\": {\"y\": 2}}");
    merges_to("{\"a\":1}", "{\"\\u0061\":null}", "{\"a\": null}");
    merges_to("{\"\\ud800\":1}", "{\"\\ud801\":2}", "{\"\\ud800\": 1, \"\\ud801\": 2}");
    merges_to("{\"a\":1,\"b\":2,\"a\":3}", "{\"c\":1,\"c\":2}", "{\"a\": 3, \"b\": 2, \"c\": 2}");
    merges_to("", "{\"a\":1}", "{\"a\": 1}");
    merges_to("[1]", "null", "{}");
}

static void merging_many_keys_keeps_their_order(void **state)
{
    (void)state;
    gv_text base = {0}, over = {0}, expected = {0};
    for (int i = 0; i < 3000; i++) {
        gv_text_addf(&base, "%s\"key%d\":%d", i ? "," : "{", i, i);
        gv_text_addf(&over, "%s\"key%d\":%d", i ? "," : "{", i * 2, -i);
        gv_text_addf(&expected, "%s\"key%d\": %d", i ? ", " : "{", i, i % 2 ? i : -(i / 2));
    }
    for (int i = 1500; i < 3000; i++)
        gv_text_addf(&expected, ", \"key%d\": %d", i * 2, -i);
    gv_text_addc(&base, '}');
    gv_text_addc(&over, '}');
    gv_text_addc(&expected, '}');
    merges_to(gv_text_get(&base), gv_text_get(&over), gv_text_get(&expected));
    gv_text_free(&base);
    gv_text_free(&over);
    gv_text_free(&expected);
}

static int calls_left;

static void *failing_resize(void *old, size_t size)
{
    return calls_left-- > 0 ? realloc(old, size) : NULL;
}

static void merging_without_memory_fails_cleanly(void **state)
{
    (void)state;
    gv_memory kept = gv_memory_hook;
    bool failed = true;
    int calls = 0;
    for (; failed && calls < 10; calls++) {
        gv_text out = {0};
        calls_left = calls;
        gv_memory_hook.resize = failing_resize;
        gv_json_merge(&out, gv_slice_of("{\"a\":1}"), gv_slice_of("{\"b\":2}"));
        gv_memory_hook = kept;
        failed = out.failed;
        if (!failed)
            assert_string_equal(gv_text_get(&out), "{\"a\": 1, \"b\": 2}");
        gv_text_free(&out);
    }
    assert_false(failed);
    assert_int_equal(calls, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_is_what_python_writes),
        cmocka_unit_test(rewriting_keeps_duplicates_and_adds_to_what_is_there),
        cmocka_unit_test(compact_drops_white_space_between_tokens_only),
        cmocka_unit_test(merging_replaces_in_place_and_appends),
        cmocka_unit_test(merging_many_keys_keeps_their_order),
        cmocka_unit_test(merging_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
