#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base/json_indent.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void prints(const char *text, const gv_json_style *style, const char *expected)
{
    gv_text out = {0}, again = {0};
    assert_null(gv_json_check(gv_slice_of(text), GV_JSON_DEPTH, GV_JSON_NAN | GV_JSON_SURROGATES, NULL));
    gv_json_print(&out, gv_slice_of(text), style);
    assert_string_equal(gv_text_get(&out), expected);
    gv_json_print(&again, gv_slice_of(gv_text_get(&out)), style);
    assert_string_equal(gv_text_get(&again), expected);
    gv_text_free(&out);
    gv_text_free(&again);
}

/* Made by json.dumps(…, indent=2, ensure_ascii=False) of Python 3.11, numbers apart, whose digits stay. */
static void indented_is_what_python_writes(void **state)
{
    (void)state;
    static const struct { const char *text, *printed; } cases[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"3", "3"},
        {"\"x\"", "\"x\""},
        {"{\"a\":1}", "{\n  \"a\": 1\n}"},
        {"{\"a\":[],\"b\":{ },\"c\":[{}],\"d\":[1,[2]]}",
        "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    {}\n  ],\n  \"d\": [\n    1,\n    [\n      2\n    ]\n  ]\n}"},
        {"[1.50,-0.0,1E400,12345678901234567890123,NaN,-Infinity,true,null]",
        "[\n  1.50,\n  -0.0,\n  1E400,\n  12345678901234567890123,\n  NaN,\n  -Infinity,\n  true,\n  null\n]"},
        {"{\"\\u015fa\\u011f\": \"a\\/b\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f\\u00e7\\ud83d\\ude00\"}",
        "{\n  \"\305\237a\304\237\": \"a/b\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\177\303\247\360\237\230\200\"\n}"},
        {"\"\305\237 , : [ ] { }\"", "\"\305\237 , : [ ] { }\""},
        {"{\"a\":1,\"a\":2}", "{\n  \"a\": 1,\n  \"a\": 2\n}"},
        {"\"\\uD800x\\\\u0041\"", "\"\\ud800x\\\\u0041\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        prints(cases[i].text, &gv_json_indent_2, cases[i].printed);
}

static void other_styles_follow_margin_unit_and_marks(void **state)
{
    (void)state;
    const gv_json_style tabs = {true, {"  ", 2}, {"\t", 1}, {",", 1}, {" : ", 3}};
    const gv_json_style line = {false, {"", 0}, {"", 0}, {", ", 2}, {": ", 2}};
    const gv_json_style tight = {false, {"", 0}, {"", 0}, {",", 1}, {":", 1}};
    const char *text = "{\"a\" : [1,\n2, {}], \"b\":\"x\"}";
    prints(text, &tabs, "{\n  \t\"a\" : [\n  \t\t1,\n  \t\t2,\n  \t\t{}\n  \t],\n  \t\"b\" : \"x\"\n  }");
    prints(text, &line, "{\"a\": [1, 2, {}], \"b\": \"x\"}");
    prints(text, &tight, "{\"a\":[1,2,{}],\"b\":\"x\"}");
}

static void printing_adds_to_what_is_there(void **state)
{
    (void)state;
    gv_text out = {0};
    gv_text_adds(&out, "x=");
    gv_json_print(&out, gv_slice_of("[1]"), &gv_json_indent_2);
    assert_string_equal(gv_text_get(&out), "x=[\n  1\n]");
    gv_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indented_is_what_python_writes),
        cmocka_unit_test(other_styles_follow_margin_unit_and_marks),
        cmocka_unit_test(printing_adds_to_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
