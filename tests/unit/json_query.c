#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../lib/base/json_number.h"
#include "../../lib/base/json_query.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static bool matches(const char *document, const char *where)
{
    gv_arena arena = {0};
    gv_json_query query;
    char why[GV_JSON_WHY];
    assert_null(gv_json_check(gv_slice_of(document), GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL));
    if (!gv_json_read_query(&arena, gv_slice_of(where), &query, why))
        fail_msg("%s: %s", where, why);
    bool found = gv_json_match(gv_slice_of(document), query);
    gv_arena_free(&arena);
    return found;
}

static void all_match(const char *document, const char *const *wheres, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++) {
        if (matches(document, wheres[i]) != expected)
            fail_msg("%s %s %s", document, expected ? "does not match" : "matches", wheres[i]);
    }
}

static const char profile[] =
    "{\"type\": \"bot\", \"on\": true, \"off\": false, \"none\": null, \"gpt\": {\"t\": 0.70, \"n\": 5, \"big\": 9007199254740993},"
    " \"tags\": [\"vip\", \"new\", 7, [1, 2]], \"\\u015f\": \"\\u0131\", \"rows\": [{\"a\": 1}, {\"a\": 2, \"b\": null}, 5],"
    " \"object\": {\"x\": 1, \"y\": [2.0]}, \"empty\": {}, \"nan\": NaN, \"inf\": Infinity, \"dup\": 1, \"dup\": 2}";

static void equal_values_match(void **state)
{
    (void)state;
    static const char *const wheres[] = {
        "{}", "{\"type\": \"bot\"}", "{\"type\": \"b\\u006ft\"}", "{\"type\": {\"=\": \"bot\"}}", "{\"on\": true, \"off\": false}",
        "{\"gpt.t\": 0.7}", "{\"gpt.t\": 7e-1}", "{\"gpt.n\": 5.00}", "{\"gpt.big\": 9007199254740993}", "{\"\305\237\": \"\304\261\"}",
        "{\"object\": {\"x\": 1.0, \"y\": [2]}}", "{\"empty\": {}}", "{\"dup\": 2}", "{\"inf\": {\">\": 1e308}}",
    };
    static const char *const others[] = {
        "{\"type\": \"bots\"}", "{\"type\": \"bo\"}", "{\"type\": \"Bot\"}", "{\"on\": false}", "{\"on\": 1}", "{\"on\": \"true\"}",
        "{\"gpt.t\": 0.71}", "{\"gpt.t\": \"0.7\"}", "{\"gpt.big\": 9007199254740992}", "{\"object\": {\"y\": [2], \"x\": 1}}",
        "{\"object\": {\"x\": 1}}", "{\"object\": {}}", "{\"empty\": []}", "{\"dup\": 1}", "{\"nan\": 0}", "{\"nan\": {\">=\": 0}}",
        "{\"nan\": {\"<\": 0}}", "{\"type\": \"bot\", \"on\": false}", "{\"inf\": 5}", "{\"none\": false}",
    };
    all_match(profile, wheres, COUNT(wheres), true);
    all_match(profile, others, COUNT(others), false);
}

static void null_matches_null_and_what_is_not_there(void **state)
{
    (void)state;
    static const char *const wheres[] = {
        "{\"none\": null}", "{\"missing\": null}", "{\"gpt.missing.x\": null}", "{\"type.x\": null}", "{\"none.x\": null}",
        "{\"rows.b\": null}", "{\"type\": {\"!=\": null}}", "{\"missing\": {\"!=\": 5}}",
    };
    static const char *const others[] = {
        "{\"type\": null}", "{\"tags.x\": null}", "{\"rows.a\": null}", "{\"missing\": {\"!=\": null}}", "{\"missing\": {\">\": 1}}",
        "{\"off\": null}",
    };
    all_match(profile, wheres, COUNT(wheres), true);
    all_match(profile, others, COUNT(others), false);
}

static void ranges_compare_the_same_type_only(void **state)
{
    (void)state;
    static const char *const wheres[] = {
        "{\"gpt.t\": {\">=\": 0.5, \"<\": 1}}", "{\"gpt.t\": {\">=\": 0.7, \"<=\": 0.7}}", "{\"type\": {\">\": \"bo\", \"<\": \"bou\"}}",
        "{\"gpt.n\": {\">\": -1e400}}", "{\"gpt.n\": {\"!=\": 6, \">\": 4.9999999999999999999999}}", "{\"gpt.big\": {\">\": 9007199254740992}}",
        "{\"\305\237\": {\">\": \"z\"}}",
    };
    static const char *const others[] = {
        "{\"gpt.t\": {\">\": 0.7}}", "{\"gpt.t\": {\"<\": 0.7}}", "{\"gpt.t\": {\">\": \"\"}}", "{\"type\": {\">\": 0}}", "{\"on\": {\">\": 0}}",
        "{\"none\": {\">=\": 0}}", "{\"object\": {\">\": 0}}", "{\"gpt.n\": {\"=\": 5, \"!=\": 5}}",
    };
    all_match(profile, wheres, COUNT(wheres), true);
    all_match(profile, others, COUNT(others), false);
}

static void arrays_match_as_a_whole_or_by_an_item(void **state)
{
    (void)state;
    static const char *const wheres[] = {
        "{\"tags\": \"vip\"}", "{\"tags\": 7.0}", "{\"tags\": [1, 2]}", "{\"tags\": [\"vip\", \"new\", 7, [1, 2]]}", "{\"tags.1\": \"new\"}",
        "{\"rows.a\": 2}", "{\"rows.1.a\": 2}", "{\"rows.a\": {\">\": 1}}", "{\"rows\": 5}", "{\"rows\": {\"a\": 1}}",
        "{\"tags\": {\">\": 6}}", "{\"tags\": {\"!=\": \"old\"}}", "{\"rows.0.a\": {\"!=\": 2}}", "{\"object.y\": 2}",
        /* Each condition by an item of its own, as in MongoDB. */
        "{\"rows.a\": {\">\": 1, \"<\": 2}}",
    };
    static const char *const others[] = {
        "{\"tags\": \"old\"}", "{\"tags\": [\"vip\"]}", "{\"tags\": [2, 1]}", "{\"tags.0\": \"new\"}", "{\"tags.01\": \"new\"}", "{\"rows.2.a\": 1}",
        "{\"tags\": {\"!=\": \"vip\"}}", "{\"rows.a\": {\">\": 2}}", "{\"rows.a\": {\"!=\": 1}}", "{\"tags\": 1}", "{\"tags.99\": 1}",
    };
    all_match(profile, wheres, COUNT(wheres), true);
    all_match(profile, others, COUNT(others), false);
}

static void refuses(const char *where, const char *expected)
{
    gv_arena arena = {0};
    gv_json_query query;
    char why[GV_JSON_WHY];
    assert_false(gv_json_read_query(&arena, gv_slice_of(where), &query, why));
    assert_string_equal(why, expected);
    gv_arena_free(&arena);
}

static void a_bad_where_is_refused_with_its_path(void **state)
{
    (void)state;
    refuses("", "where is not JSON at byte 0: there is no value");
    refuses("{\"a\": NaN}", "where is not JSON at byte 6: NaN and Infinity are not JSON");
    refuses("[]", "where must be a JSON object of paths and conditions such as {\"gpt.temperature\": {\">=\": 0.5}}");
    refuses("{\"a.b\": {\">>\": 1}}", "the path \"a.b\" has an operator that is none of =, !=, <, <=, > and >=");
    refuses("{\"a.b\": {\">\": 1, \"x\": 2}}", "the path \"a.b\" has an operator that is none of =, !=, <, <=, > and >=");
    refuses("{\"a\": {\">\": true}}",
        "the path \"a\" is compared with what is neither a number nor a text: <, <=, > and >= take nothing else");
    refuses("{\"a..b\": 1}", "the path \"a..b\" has an empty part");
    refuses("{\"\": 1}", "the path \"\" is empty");
    refuses("{\"$or\": []}", "the path \"$or\" has a part that begins with '$'");
    refuses("{\"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1\": 1}",
        "the path \"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1\" has more than 20 parts");
    gv_text many = {0};
    for (int i = 0; i <= GV_JSON_QUERY_MOST / 2; i++)
        gv_text_addf(&many, "%c\"k%d\": {\">\": 1, \"<\": 2}", i ? ',' : '{', i);
    gv_text_addc(&many, '}');
    refuses(gv_text_get(&many), "where has more than 100 conditions");
    gv_text_free(&many);
}

static void no_where_matches_everything(void **state)
{
    (void)state;
    gv_arena arena = {0};
    gv_json_query query;
    char why[GV_JSON_WHY];
    assert_true(gv_json_read_query(&arena, (gv_slice){NULL, 0}, &query, why));
    assert_true(gv_json_match(gv_slice_of("{}"), query));
}

/* In rising order; those in one row are equal. */
static void numbers_compare_by_what_they_are_worth(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        {"-Infinity"}, {"-1e999"}, {"-12345678901234567890123", "-1.2345678901234567890123e22"}, {"-2"}, {"-1.5", "-15e-1"},
        {"-1e-400"}, {"0", "-0", "0.000", "0e99"}, {"1e-999999999999999999999999"}, {"1e-400"}, {"0.07", "7E-2", "0.0700"}, {"0.1"},
        {"0.10000000000000000000000000001"}, {"1", "1.0", "10e-1", "0.01e+2"}, {"1.0000000000000000000001"}, {"9007199254740992"},
        {"9007199254740993", "9007199254740993.0"}, {"9223372036854775807"}, {"9223372036854775808"},
        {"1e400", "10e399", "0.1e401"}, {"1e999999999999999999999999"}, {"Infinity"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < COUNT(rows); k++) {
            for (size_t a = 0; a < 4 && rows[i][a]; a++) {
                for (size_t b = 0; b < 4 && rows[k][b]; b++) {
                    int order = 9;
                    assert_true(gv_json_number_compare(gv_slice_of(rows[i][a]), gv_slice_of(rows[k][b]), &order));
                    if ((order > 0) - (order < 0) != (i > k) - (i < k))
                        fail_msg("%s and %s: %d", rows[i][a], rows[k][b], order);
                }
            }
        }
    }
    int order;
    assert_false(gv_json_number_compare(gv_slice_of("NaN"), gv_slice_of("NaN"), &order));
    assert_false(gv_json_number_compare(gv_slice_of("1"), gv_slice_of("x"), &order));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_match),
        cmocka_unit_test(null_matches_null_and_what_is_not_there),
        cmocka_unit_test(ranges_compare_the_same_type_only),
        cmocka_unit_test(arrays_match_as_a_whole_or_by_an_item),
        cmocka_unit_test(a_bad_where_is_refused_with_its_path),
        cmocka_unit_test(no_where_matches_everything),
        cmocka_unit_test(numbers_compare_by_what_they_are_worth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
