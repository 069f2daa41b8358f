#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../../lib/base/json_change.h"
#include "../../lib/base/memory.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define UNSET_MOST 8

/* Patches document; unset: paths with blanks between them. False: why says why not. */
static bool patch(const char *document, const char *set, const char *unset, gv_text *out, char why[GV_JSON_WHY])
{
    gv_slice paths[UNSET_MOST];
    size_t count = 0;
    gv_arena arena = {0};
    gv_json_changes changes;
    while (*unset && count < UNSET_MOST) {
        size_t length = strcspn(unset, " ");
        paths[count++] = (gv_slice){unset, length};
        unset += length + (unset[length] == ' ');
    }
    assert_null(gv_json_check(gv_slice_of(document), GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL));
    bool done = gv_json_read_patch(&arena, gv_slice_of(*set ? set : NULL), paths, count, &changes, why) &&
        gv_json_apply(out, gv_slice_of(document), changes, why);
    gv_arena_free(&arena);
    return done;
}

static void becomes(const char *document, const char *set, const char *unset, const char *expected)
{
    gv_text out = {0};
    char why[GV_JSON_WHY];
    if (!patch(document, set, unset, &out, why))
        fail_msg("%s", why);
    assert_string_equal(gv_text_get(&out), expected);
    assert_null(gv_json_check(gv_slice_of(expected), GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL));
    gv_text_free(&out);
}

static void refuses(const char *document, const char *set, const char *unset, const char *expected)
{
    gv_text out = {0};
    char why[GV_JSON_WHY];
    assert_false(patch(document, set, unset, &out, why));
    assert_string_equal(why, expected);
    gv_text_free(&out);
}

#define PROFILE \
    "{\n  \"username\": \"bot\304\261\",\n  \"n\": 1.50,\n  \"big\": 12345678901234567890123,\n" \
    "  \"gpt\": {\n    \"model\": \"gpt-4\",\n    \"temperature\": 0.70\n  },\n  \"tags\": [\n    \"a\",\n    \"b\"\n  ],\n" \
    "  \"empty\": {},\n  \"x\": NaN\n}"

static void setting_a_member_leaves_every_other_byte(void **state)
{
    (void)state;
    becomes(PROFILE, "{\"gpt.temperature\": 1e-1}", "",
        "{\n  \"username\": \"bot\304\261\",\n  \"n\": 1.50,\n  \"big\": 12345678901234567890123,\n"
        "  \"gpt\": {\n    \"model\": \"gpt-4\",\n    \"temperature\": 1e-1\n  },\n  \"tags\": [\n    \"a\",\n    \"b\"\n  ],\n"
        "  \"empty\": {},\n  \"x\": NaN\n}");
    becomes("  {\"a\" :1 ,\r\n\t\"b\": [1 , 2] }\n", "{\"a\":2}", "", "  {\"a\" :2 ,\r\n\t\"b\": [1 , 2] }\n");
    becomes("{\"\\u0061\": 1, \"b\": \"\\u0131\"}", "{\"a\": \"\\u0131\"}", "", "{\"\\u0061\": \"\304\261\", \"b\": \"\\u0131\"}");
    becomes("{\"a\": 1}", "{\"\\u0061\": 2}", "", "{\"a\": 2}");
    becomes("{\"a\": 1}", "{}", "", "{\"a\": 1}");
    becomes(" { \n } ", "{}", "x", " { \n } ");
    becomes("{\"a\": [ ], \"b\": {\n}}", "", "a.0 b.x", "{\"a\": [ ], \"b\": {\n}}");
}

static void new_members_are_laid_out_as_those_beside_them(void **state)
{
    (void)state;
    becomes("{\n  \"a\": 1\n}", "{\"b\":{\"c\":[1,{}]},\"d\":2}", "",
        "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      {}\n    ]\n  },\n  \"d\": 2\n}");
    becomes("{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}", "{\"a.c\":[1]}", "", "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": [\n\t\t\t1\n\t\t]\n\t}\n}");
    becomes("{\r\n    \"a\": {}\r\n}", "{\"a.b\":1,\"c\":2}", "",
        "{\r\n    \"a\": {\n        \"b\": 1\n    },\r\n    \"c\": 2\r\n}");
    becomes("{\"a\": 1}", "{\"b\":{\"c\":[1,2]}}", "", "{\"a\": 1, \"b\": {\"c\": [1, 2]}}");
    becomes("{\"a\":1}", "{\"b\": {\"c\": [1, 2]}}", "", "{\"a\":1,\"b\":{\"c\":[1,2]}}");
    becomes("{\"a\":1, \"b\":2}", "{\"c\": 3}", "", "{\"a\":1, \"b\":2, \"c\":3}");
    becomes("{ \"a\" : 1 }", "{\"b\": 2}", "", "{ \"a\" : 1, \"b\" : 2 }");
    becomes("{\n \"a\":1\n, \"b\":[1]\n}", "{\"c\":{\"d\":1}}", "a", "{\n \"b\":[1]\n, \"c\":{\n  \"d\":1\n}\n}");
    becomes("{\n  \"a\": 1,\n\n\n  \"b\": 2\n}", "{\"c\": 3}", "", "{\n  \"a\": 1,\n\n\n  \"b\": 2,\n  \"c\": 3\n}");
    becomes("{}", "{\"a\": 1, \"b.c\": 2}", "", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n  }\n}");
    becomes("{ }", "{\"a\": 1}", "", "{\n  \"a\": 1\n}");
    becomes("{\"a\": {}, \"b\": []}", "{\"a.x\": 1, \"b.0\": 2}", "", "{\"a\": {\"x\": 1}, \"b\": [2]}");
    becomes("{\n  \"a\": []\n}", "{\"a.0\": 1, \"a.1\": {}}", "", "{\n  \"a\": [\n    1,\n    {}\n  ]\n}");
    becomes("{\n  \"a\": [1, 2]\n}", "{\"a.2\": {\"x\": 3}}", "", "{\n  \"a\": [1, 2, {\"x\": 3}]\n}");
}

static void missing_parents_become_objects_in_the_order_given(void **state)
{
    (void)state;
    becomes("{\"z\": 0}", "{\"q.b\": 1, \"p\": 2, \"q.a.0\": 3}", "", "{\"z\": 0, \"q\": {\"b\": 1, \"a\": {\"0\": 3}}, \"p\": 2}");
    becomes("{\"a\": [{}]}", "{\"a.0.b.c\": 1, \"a.1.d\": 2}", "", "{\"a\": [{\"b\": {\"c\": 1}}, {\"d\": 2}]}");
}

static void unset_takes_members_away_and_nulls_items(void **state)
{
    (void)state;
    becomes("{\"a\": 1, \"b\": 2, \"c\": 3}", "", "a", "{\"b\": 2, \"c\": 3}");
    becomes("{\"a\": 1, \"b\": 2, \"c\": 3}", "", "b", "{\"a\": 1, \"c\": 3}");
    becomes("{\"a\": 1, \"b\": 2, \"c\": 3}", "", "c", "{\"a\": 1, \"b\": 2}");
    becomes("{\"a\": 1, \"b\": 2, \"c\": 3}", "", "a c", "{\"b\": 2}");
    becomes("{\n  \"a\": 1,\n  \"b\": 2\n}", "", "a b", "{}");
    becomes("{\n  \"a\": 1,\n  \"b\": 2\n}", "", "b", "{\n  \"a\": 1\n}");
    becomes("{\n  \"a\": 1,\n  \"b\": 2\n}", "{\"c\": 3}", "a b", "{\n  \"c\": 3\n}");
    becomes("{\"a\": [1, 2, 3]}", "", "a.1", "{\"a\": [1, null, 3]}");
    becomes("{\"a\": [{\"b\": 1, \"c\": 2}]}", "", "a.0.b", "{\"a\": [{\"c\": 2}]}");
    becomes("{\"a\": 1, \"b\": 2, \"a\": 3}", "", "a", "{\"b\": 2}");
    becomes("{\"a\": {\"b\": 1}}", "", "a.b", "{\"a\": {}}");
    /* What is not there stays so, and no parent appears. */
    becomes("{\"a\": [1], \"s\": 5, \"n\": null}", "", "x x2.y a.7 a.x a.0.x s.t n.t", "{\"a\": [1], \"s\": 5, \"n\": null}");
}

static void of_a_key_that_comes_twice_the_last_one_is_set(void **state)
{
    (void)state;
    becomes("{\"a\": 1, \"b\": 2, \"a\": {\"c\": 3}}", "{\"a.c\": 4}", "", "{\"a\": 1, \"b\": 2, \"a\": {\"c\": 4}}");
    becomes("{\"a\": {\"c\": 3}, \"a\": 1}", "{\"a\": 4}", "", "{\"a\": {\"c\": 3}, \"a\": 4}");
}

static void arrays_are_filled_up_with_null(void **state)
{
    (void)state;
    becomes("{\"a\": [1]}", "{\"a.3\": 9}", "", "{\"a\": [1, null, null, 9]}");
    becomes("{\"a\": []}", "{\"a.1\": 9, \"a.3.x\": 8, \"a.10\": 7}", "a.5",
        "{\"a\": [null, 9, null, {\"x\": 8}, null, null, null, null, null, null, 7]}");
    becomes("{\"a\": [1, 2, 3]}", "{\"a.2\": 9, \"a.0\": 8}", "", "{\"a\": [8, 2, 9]}");
    refuses("{\"a\": []}", "{\"a.2000000\": 9}", "", "\"a.2000000\" is too far behind the end of its array");
    refuses("{\"a\": []}", "{\"a.99999999999999999999999\": 9}", "",
        "\"a.99999999999999999999999\" cannot be set: what it is in is an array, where a path goes on with a place such as 0");
}

static void paths_that_go_nowhere_are_refused_by_name(void **state)
{
    (void)state;
    const char *text = "{\"s\": \"x\", \"n\": 1, \"z\": null, \"t\": {\"b\": true}, \"a\": [5]}";
    refuses(text, "{\"s.x\": 1}", "", "\"s\" is a text: nothing can be set inside it");
    refuses(text, "{\"n.x.y\": 1}", "", "\"n\" is a number: nothing can be set inside it");
    refuses(text, "{\"z.x\": 1}", "", "\"z\" is null: nothing can be set inside it");
    refuses(text, "{\"t.b.x\": 1}", "", "\"t.b\" is a boolean: nothing can be set inside it");
    refuses(text, "{\"a.0.x\": 1}", "", "\"a.0\" is a number: nothing can be set inside it");
    refuses(text, "{\"a.x\": 1}", "",
        "\"a.x\" cannot be set: what it is in is an array, where a path goes on with a place such as 0");
    refuses(text, "{\"a.00\": 1}", "",
        "\"a.00\" cannot be set: what it is in is an array, where a path goes on with a place such as 0");
    refuses("[1]", "{\"a\": 1}", "", "the document is not a JSON object");
}

static void patches_that_make_no_sense_are_refused_before(void **state)
{
    (void)state;
    refuses("{}", "{\"\": 1}", "", "the path \"\" is empty");
    refuses("{}", "{\"a..b\": 1}", "", "the path \"a..b\" has an empty part");
    refuses("{}", "{\".a\": 1}", "", "the path \".a\" has an empty part");
    refuses("{}", " ", "", "set is not JSON at byte 1: there is no value");
    refuses("{}", "{}", "a.", "the path \"a.\" has an empty part");
    refuses("{}", "{\"$set\": 1}", "", "the path \"$set\" has a part that begins with '$'");
    refuses("{}", "{}", "a.$b", "the path \"a.$b\" has a part that begins with '$'");
    refuses("{}", "{\"a\": 1, \"b\": 1, \"a\": 2}", "", "the path \"a\" is given twice");
    refuses("{}", "{\"a\": 1, \"a!\": 1, \"a.b.c\": 2}", "", "the path \"a.b.c\" lies inside another path that is given");
    refuses("{}", "{\"a.b\": 1}", "a", "the path \"a.b\" lies inside another path that is given");
    refuses("{}", "{\"a\": 1}", "a", "the path \"a\" is given twice");
    refuses("{}", "[]", "", "set must be a JSON object of paths and values such as {\"gpt.temperature\": 0.7}");
    refuses("{}", "{\"a\": NaN}", "", "set is not JSON at byte 6: NaN and Infinity are not JSON");
    refuses("{}", "{\"a\\u0000\": 1}", "", "the path \"a\" has a NUL in it");
    becomes("{}", "{\"a.b\": 1, \"a!\": 2, \"a.c\": 3}", "ab", "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": 3\n  },\n  \"a!\": 2\n}");
}

static void deep_and_long_paths_are_bounded(void **state)
{
    (void)state;
    gv_text set = {0}, out = {0};
    char why[GV_JSON_WHY];
    for (int parts = 100; parts <= 101; parts++) {
        gv_text_clear(&set);
        gv_text_clear(&out);
        gv_text_adds(&set, "{\"");
        for (int i = 0; i < parts; i++)
            gv_text_addf(&set, "%sk%d", i ? "." : "", i);
        gv_text_adds(&set, "\": 1}");
        assert_int_equal(patch("{\"k0\": {}}", gv_text_get(&set), "", &out, why), parts == 100);
    }
    assert_string_equal(strstr(why, "\342\200\246"), "\342\200\246\" has more than 100 parts");
    gv_text_free(&set);
    gv_text_free(&out);
}

static void many_paths_take_one_pass(void **state)
{
    (void)state;
    gv_text set = {0}, document = {0}, expected = {0};
    for (int i = 0; i < 20000; i++) {
        gv_text_addf(&set, "%s\"k%d.v\":%d", i ? "," : "{", 20000 - i, i);
        gv_text_addf(&document, "%s\"k%d\":{}", i ? "," : "{", i * 2);
    }
    for (int i = 0; i < 20000; i++)
        gv_text_addf(&expected, i && i * 2 <= 20000 ? "%s\"k%d\":{\"v\":%d}" : "%s\"k%d\":{}", i ? "," : "{", i * 2, 20000 - i * 2);
    for (int i = 1; i < 20000; i += 2)
        gv_text_addf(&expected, ",\"k%d\":{\"v\":%d}", 20000 - i, i);
    gv_text_addc(&set, '}');
    gv_text_addc(&document, '}');
    gv_text_addc(&expected, '}');
    becomes(gv_text_get(&document), gv_text_get(&set), "", gv_text_get(&expected));
    gv_text_free(&set);
    gv_text_free(&document);
    gv_text_free(&expected);
}

static void fills(const char *document, const char *defaults, const char *expected)
{
    gv_text out = {0};
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY];
    assert_true(gv_json_read_defaults(&arena, gv_slice_of(defaults), &changes, why));
    assert_true(gv_json_apply(&out, gv_slice_of(document), changes, why));
    assert_string_equal(gv_text_get(&out), expected);
    gv_text_free(&out);
    gv_arena_free(&arena);
}

static void defaults_fill_what_is_missing(void **state)
{
    (void)state;
    fills("{\"a\": 1, \"g\": {\"x\": null}}", "{\"b\":2, \"a\":3, \"g\":{\"y\":{\"z\":[1]},\"x\":5}}",
        "{\"a\": 1, \"g\": {\"x\": null, \"y\": {\"z\": [1]}}, \"b\": 2}");
    fills("{\n  \"a\": {}\n}", "{\"a\":{\"c\":1,\"b\":2},\"d\":{}}", "{\n  \"a\": {\n    \"c\": 1,\n    \"b\": 2\n  },\n  \"d\": {}\n}");
    fills("{\"a\": 5, \"b\": [1], \"c\": null}", "{\"a\":{\"x\":1},\"b\":{\"x\":1},\"c\":{\"x\":1}}", "{\"a\": 5, \"b\": [1], \"c\": null}");
    fills("{\"a\": {\"x\": 1}}", "{\"a\":5,\"b\":[{\"c\":1}]}", "{\"a\": {\"x\": 1}, \"b\": [{\"c\": 1}]}");
    fills("{}", "{\"a\":1,\"b\":2,\"a\":3}", "{\n  \"b\": 2,\n  \"a\": 3\n}");
    fills("{\"a\": {\"q\": 0}, \"a\": {}}", "{\"a\":{\"x.y\":1}}", "{\"a\": {\"q\": 0}, \"a\": {\"x.y\": 1}}");
    fills("{\"a\": 1}", "{}", "{\"a\": 1}");
    gv_json_changes changes;
    gv_arena arena = {0};
    char why[GV_JSON_WHY];
    assert_false(gv_json_read_defaults(&arena, gv_slice_of("[1]"), &changes, why));
    assert_string_equal(why, "the defaults must be a JSON object");
}

static void members_are_set_by_name(void **state)
{
    (void)state;
    gv_text out = {0};
    const gv_json_member_value members[] = {
        {"updated_at", gv_slice_of("\"2025\"")}, {"revision", gv_slice_of("2")}, {"a.b", gv_slice_of("[]")}, {"old", {NULL, 0}},
    };
    gv_json_set_members(&out, gv_slice_of("{\n  \"old\": 1,\n  \"a\": {\"b\": 1},\n  \"revision\": 1\n}"), members, COUNT(members));
    assert_string_equal(gv_text_get(&out),
        "{\n  \"a\": {\"b\": 1},\n  \"revision\": 2,\n  \"updated_at\": \"2025\",\n  \"a.b\": []\n}");
    gv_text_clear(&out);
    gv_json_set_members(&out, gv_slice_of("7"), members, 1);
    assert_string_equal(gv_text_get(&out), "{\n  \"updated_at\": \"2025\"\n}");
    gv_text_free(&out);
}

static int calls_left;

static void *failing_resize(void *old, size_t size)
{
    return calls_left-- > 0 ? realloc(old, size) : NULL;
}

static void without_memory_nothing_is_said_to_be_done(void **state)
{
    (void)state;
    gv_memory kept = gv_memory_hook;
    bool done = false;
    int calls = 0;
    for (; !done && calls < 60; calls++) {
        gv_text out = {0};
        char why[GV_JSON_WHY] = "?";
        calls_left = calls;
        gv_memory_hook.resize = failing_resize;
        gv_arena arena = {0};
        gv_json_changes changes;
        gv_slice gone = gv_slice_of("a.9"), set = gv_slice_of("{\"b\\u0063.d.e\":{\"x\":1},\"a.3.y\":2}");
        done = gv_json_read_patch(&arena, set, &gone, 1, &changes, why) &&
            gv_json_apply(&out, gv_slice_of("{\n  \"\\u0061\": [1],\n  \"bc\": {}\n}"), changes, why);
        gv_memory_hook = kept;
        assert_string_equal(why, "");
        if (done)
            assert_string_equal(gv_text_get(&out), "{\n  \"\\u0061\": [1, null, null, {\"y\": 2}],\n  \"bc\": {\n    \"d\": {\n"
                "      \"e\": {\n        \"x\": 1\n      }\n    }\n  }\n}");
        gv_text_free(&out);
        gv_arena_free(&arena);
    }
    assert_true(done);
    assert_true(calls > 3);
}

static void a_result_past_the_limit_is_not_made(void **state)
{
    (void)state;
    gv_text out = {.limit = 40};
    char why[GV_JSON_WHY];
    assert_false(patch("{\"a\": []}", "{\"a.1000000\": 1}", "", &out, why));
    assert_string_equal(why, "");
    assert_true(out.failed);
    gv_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_a_member_leaves_every_other_byte),
        cmocka_unit_test(new_members_are_laid_out_as_those_beside_them),
        cmocka_unit_test(missing_parents_become_objects_in_the_order_given),
        cmocka_unit_test(unset_takes_members_away_and_nulls_items),
        cmocka_unit_test(of_a_key_that_comes_twice_the_last_one_is_set),
        cmocka_unit_test(arrays_are_filled_up_with_null),
        cmocka_unit_test(paths_that_go_nowhere_are_refused_by_name),
        cmocka_unit_test(patches_that_make_no_sense_are_refused_before),
        cmocka_unit_test(deep_and_long_paths_are_bounded),
        cmocka_unit_test(many_paths_take_one_pass),
        cmocka_unit_test(defaults_fill_what_is_missing),
        cmocka_unit_test(members_are_set_by_name),
        cmocka_unit_test(without_memory_nothing_is_said_to_be_done),
        cmocka_unit_test(a_result_past_the_limit_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
