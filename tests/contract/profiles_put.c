/* profiles_put.c: documents put, read and deleted by name, one and many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"

static void what_is_put_is_read_back(void **state)
{
    gavat *g = client_of(state);
    gavat_time before = INT64_C(0);
    put_profile(g, "bot1", "{\"z\": 1.50, \"type\":\"bot\",\"big\":9223372036854775807,"
                           "\"a\":{\"ş\":[1e5,-0,null]},\"text\":\"İ \\u0131 \\\" \\n\"}");
    gavat_op *op = get_profile(g, "bot1");
    assert_int_equal(gavat_op_status(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), 1);
    const gavat_profile *profile = gavat_op_profile(op, 0);
    assert_string_equal(profile->username, "bot1");
    assert_int_equal(profile->revision, 1);
    assert_int_equal(strlen(profile->json), profile->json_length);
    assert_true(profile->created_at > before && profile->created_at == profile->updated_at);
    assert_null(gavat_op_profile(op, 1));
    assert_json(op, 0, "username", "bot1");
    assert_json(op, 0, "z", keeps_digits(state) ? "1.50" : "1.5");
    assert_json(op, 0, "big", "9223372036854775807");
    assert_json(op, 0, "a.ş.0", keeps_digits(state) ? "1e5" : "100000.0");
    assert_json(op, 0, "a.ş.1", keeps_digits(state) ? "-0" : "0");
    assert_json(op, 0, "text", "İ ı \" \n");
    assert_json(op, 0, "revision", "1");
    const char *json = gavat_op_json(op, 0, NULL);
    assert_non_null(strstr(json, "{\"username\":\"bot1\",\"z\":1.5"));
    assert_non_null(strstr(json, ",\"type\":\"bot\",\"big\""));
    assert_null(strstr(json, "revised_at"));
    assert_null(strchr(json, '\n'));
    gavat_op_unref(op);
}

static void a_second_put_keeps_created_at_and_counts(void **state)
{
    gavat *g = client_of(state);
    assert_int_equal(put_profile(g, "bot1", "{\"type\":\"bot\",\"gone\":1}"), 1);
    gavat_op *first = get_profile(g, "bot1");
    assert_int_equal(put_profile(g, "bot1", "{\"type\":\"user\",\"created_at\":\"2001-01-01T00:00:00\",\"revision\":77,\"username\":\"other\"}"), 2);
    gavat_op *second = get_profile(g, "bot1");
    const gavat_profile *a = gavat_op_profile(first, 0), *b = gavat_op_profile(second, 0);
    assert_int_equal(a->created_at, b->created_at);
    assert_true(b->updated_at > a->updated_at);
    assert_int_equal(b->revision, 2);
    assert_json(second, 0, "username", "bot1");
    assert_json(second, 0, "type", "user");
    assert_json(second, 0, "revision", "2");
    assert_null(gavat_json_find(b->json, "gone", NULL));
    gavat_op_unref(first);
    gavat_op_unref(second);
}

static void created_at_of_a_new_document_is_taken_over(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{\"created_at\":\"2025-05-25T10:00:00Z\"}");
    gavat_op *op = get_profile(g, "bot1");
    assert_json(op, 0, "created_at", "2025-05-25T10:00:00.000000Z");
    assert_int_equal(gavat_op_profile(op, 0)->created_at, INT64_C(1748167200000000));
    gavat_op_unref(op);
}

static void expect_conflict(gavat *g, const char *name, int64_t revision, int64_t stored)
{
    gavat_op *op = held(g);
    gavat_put_profile_if_revision(op, name, "{\"lost\":true}", revision);
    expect_status(op, GAVAT_ECONFLICT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), stored);
    gavat_op_unref(op);
}

static void a_revision_guards_a_put(void **state)
{
    gavat *g = client_of(state);
    gavat_op *op = held(g);
    expect_conflict(g, "bot1", 0, -1);
    expect_conflict(g, "bot1", 1, -1);
    RUN(op, put_profile_if_revision, "bot1", "{\"a\":1}", -1);
    assert_int_equal(gavat_op_number(op), 1);
    gavat_op_unref(op);
    expect_conflict(g, "bot1", -1, 1);
    expect_conflict(g, "bot1", 2, 1);
    op = held(g);
    RUN(op, put_profile_if_revision, "bot1", "{\"a\":2}", 1);
    assert_int_equal(gavat_op_number(op), 2);
    gavat_op_unref(op);
    expect_conflict(g, "bot1", 1, 2);
    op = get_profile(g, "bot1");
    assert_json(op, 0, "a", "2");
    gavat_op_unref(op);
}

static void a_deleted_profile_is_gone(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{}");
    DO(g, GAVAT_OK, delete_profile, "bot1");
    DO(g, GAVAT_ENOTFOUND, delete_profile, "bot1");
    DO(g, GAVAT_ENOTFOUND, get_profile, "bot1");
    DO(g, GAVAT_ENOTFOUND, get_profile, "never");
    assert_int_equal(put_profile(g, "bot1", "{}"), 1);
}

static const char *const names[] = {"bo şluk", "@et", "nokta.li", "tire-li", "İpek", "ŞenBot", "şenbot", "a/b", "../x", ".hidden", "100%", "a%2F",
                                    "a%2Fb", "%", "con", "x.json", "😀", "\"quoted\"", "-rf", "line\nbreak", "a\\b"};
#define NAMES (sizeof names / sizeof *names)

static void any_name_is_a_profile_of_its_own(void **state)
{
    gavat *g = client_of(state);
    char json[40], *ascii = repeat("a", 100), *wide = repeat("😀", 100);
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(json, sizeof json, "{\"n\":%zu}", i);
        put_profile(g, names[i], json);
    }
    put_profile(g, ascii, "{\"n\":1000}");
    put_profile(g, wide, "{\"n\":1001}");
    g = reopen(state, NULL);
    for (size_t i = 0; i < NAMES + 2; i++) {
        const char *name = i < NAMES ? names[i] : i == NAMES ? ascii : wide;
        snprintf(json, sizeof json, "%zu", i < NAMES ? i : 1000 + i - NAMES);
        gavat_op *op = get_profile(g, name);
        assert_int_equal(gavat_op_status(op), GAVAT_OK);
        assert_string_equal(gavat_op_profile(op, 0)->username, name);
        assert_json(op, 0, "username", name);
        assert_json(op, 0, "n", json);
        gavat_op_unref(op);
    }
    gavat_op *op = held(g);
    RUN(op, get_profiles, NULL);
    assert_int_equal(gavat_op_count(op), NAMES + 2);
    assert_null(gavat_op_rejected(op, 0, NULL));
    for (size_t i = 1; i < gavat_op_count(op); i++)
        assert_true(strcmp(gavat_op_profile(op, i - 1)->username, gavat_op_profile(op, i)->username) < 0);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, delete_profile, wide);
    DO(g, GAVAT_ENOTFOUND, get_profile, wide);
    free(ascii);
    free(wide);
}

static void fields_that_the_library_keeps_cannot_be_given(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{\"\\u0075sername\":\"x\",\"\\u0072evision\":9,\"updated_at\":1,\"revised_at\":2}");
    gavat_op *op = get_profile(g, "bot1");
    assert_json(op, 0, "username", "bot1");
    assert_json(op, 0, "revision", "1");
    assert_int_equal(gavat_op_profile(op, 0)->revision, 1);
    assert_null(strstr(strstr(gavat_op_json(op, 0, NULL), "revision") + 1, "revision"));
    gavat_op_unref(op);
}

static void bad_names_are_refused(void **state)
{
    gavat *g = client_of(state);
    char *longer = repeat("ş", 101);
    REFUSE(g, "username is required", put_profile, NULL, "{}");
    REFUSE(g, "username is required", put_profile, "", "{}");
    REFUSE(g, "username is not valid UTF-8", put_profile, "a\xff", "{}");
    REFUSE(g, "longer than 100 characters", put_profile, longer, "{}");
    REFUSE(g, "username is required", get_profile, NULL);
    REFUSE(g, "username is required", delete_profile, "");
    REFUSE(g, "revision must be", put_profile_if_revision, "a", "{}", -2);
    DO(g, GAVAT_ENOTFOUND, get_profile, longer);
    free(longer);
}

/* An object with so many objects in it. */
static char *nested(size_t depth)
{
    char *open = repeat("{\"a\":", depth - 1), *close = repeat("}", depth - 1), *all = malloc(depth * 6 + 10);
    assert_non_null(all);
    sprintf(all, "%s{}%s", open, close);
    free(open);
    free(close);
    return all;
}

static void documents_that_a_store_could_not_hold_are_refused(void **state)
{
    gavat *g = client_of(state);
    char *deep = nested(101), *fine = nested(100);
    REFUSE(g, "json is NULL", put_profile, "a", NULL);
    REFUSE(g, "not JSON at byte 0", put_profile, "a", "");
    REFUSE(g, "not JSON at byte 5", put_profile, "a", "{\"a\":}");
    REFUSE(g, "not JSON", put_profile, "a", "{\"a\":NaN}");
    REFUSE(g, "not JSON", put_profile, "a", "{\"a\":-Infinity}");
    REFUSE(g, "not JSON", put_profile, "a", "{\"a\":\"\\ud800\"}");
    REFUSE(g, "must be a JSON object", put_profile, "a", "[1]");
    REFUSE(g, "must be a JSON object", put_profile, "a", " null ");
    REFUSE(g, "not JSON", put_profile, "a", deep);
    REFUSE(g, "gpt.a.b: a key must not hold a '.'", put_profile, "a", "{\"gpt\":{\"a.b\":1}}");
    REFUSE(g, "list.1.$set: a key must not begin with '$'", put_profile, "a", "{\"list\":[0,{\"$set\":1}]}");
    REFUSE(g, "must not begin with '$'", put_profile, "a", "{\"\\u0024set\":1}");
    REFUSE(g, "must not hold a NUL", put_profile, "a", "{\"a\\u0000b\":1}");
    REFUSE(g, "the key \"a\" comes twice", put_profile, "a", "{\"a\":1,\"b\":2,\"\\u0061\":3}");
    REFUSE(g, "x: the key \"t\" comes twice", put_profile, "a", "{\"x\":{\"t\":1,\"t\":1}}");
    REFUSE(g, "x.2: a whole number must fit 64 bits", put_profile, "a", "{\"x\":[1,2,9223372036854775808]}");
    REFUSE(g, "y: a whole number must fit 64 bits", put_profile, "a", "{\"y\":-9223372036854775809}");
    DO(g, GAVAT_OK, put_profile, "a", fine);
    DO(g, GAVAT_OK, put_profile, "a", " {\"a\":[1.5e400,12345678901234567890.5,1234567890123456789e9,-9223372036854775808,{\"\":0}]} ");
    free(deep);
    free(fine);
}

static void a_document_too_large_is_refused(void **state)
{
    static const char *const small[] = {"GAVAT_MAX_RECORD", "1KiB", NULL};
    gavat *g = reopen(state, small);
    char *text = repeat("x", 1100), json[1200];
    snprintf(json, sizeof json, "{\"a\":\"%s\"}", text);
    REFUSE(g, "larger than 1024 bytes (GAVAT_MAX_RECORD)", put_profile, "a", json);
    json[1000] = '"', json[1001] = '}', json[1002] = '\0';
    DO(g, GAVAT_OK, put_profile, "a", json);
    free(text);
}

static void many_go_at_once_and_each_has_its_own_end(void **state)
{
    gavat *g = client_of(state);
    const char *const users[] = {"a", "b", "", "c", "d"}, *const jsons[] = {"{\"n\":1}", "[]", "{}", "{\"n\":3}", NULL};
    gavat_op *op = held(g);
    uint64_t index = 0;
    RUN(op, put_profiles, users, jsons, 5);
    assert_int_equal(gavat_op_number(op), 2);
    assert_non_null(strstr(gavat_op_rejected(op, 0, &index), "must be a JSON object"));
    assert_int_equal(index, 1);
    assert_non_null(strstr(gavat_op_rejected(op, 1, &index), "username is required"));
    assert_int_equal(index, 2);
    assert_non_null(gavat_op_rejected(op, 2, &index));
    assert_int_equal(index, 4);
    assert_null(gavat_op_rejected(op, 3, &index));
    gavat_op_unref(op);

    const char *const wanted[] = {"c", "b", "a", "c"};
    op = held(g);
    RUN(op, get_named_profiles, wanted, 4);
    assert_int_equal(gavat_op_count(op), 3);
    assert_int_equal(gavat_op_number(op), 3);
    assert_json(op, 0, "n", "3");
    assert_json(op, 1, "n", "1");
    assert_json(op, 2, "username", "c");
    assert_non_null(gavat_op_rejected(op, 0, &index));
    assert_int_equal(index, 1);
    assert_null(gavat_op_rejected(op, 1, &index));
    gavat_op_unref(op);

    op = held(g);
    RUN(op, delete_profiles, wanted, 4);
    assert_int_equal(gavat_op_number(op), 2);
    assert_non_null(gavat_op_rejected(op, 1, &index));
    assert_int_equal(index, 3);
    gavat_op_unref(op);
    DO(g, GAVAT_ENOTFOUND, get_profile, "a");
    DO(g, GAVAT_OK, put_profiles, NULL, NULL, 0);
    REFUSE(g, "usernames is NULL", get_named_profiles, NULL, 2);
    REFUSE(g, "jsons is NULL", put_profiles, wanted, NULL, 2);
}

static void json_lines_are_imported(void **state)
{
    gavat *g = client_of(state);
    static const char *const lines[] = {"{\"username\":\"a\",\"type\":\"bot\",\"revision\":9}", "{\"type\":\"bot\"}",
                                        "{\"username\":\"b\",\"x\":{\"$y\":1}}", "{\"username\":\"ş\",\"created_at\":\"2025-01-01\"}"};
    static const char *const wrong[] = {"", "username is required", "x.$y: a key", ""};
    gavat_batch *batch = gavat_batch_new(g);
    for (size_t i = 0; i < 4; i++) {
        gavat_status status = gavat_batch_add_json(batch, "profile", lines[i], strlen(lines[i]));
        assert_int_equal(status, *wrong[i] ? GAVAT_EINVAL : GAVAT_OK);
        assert_non_null(strstr(gavat_batch_error(batch), wrong[i]));
    }
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 2);
    gavat_op_unref(op);
    DO(g, GAVAT_EINVAL, commit_batch, batch);
    gavat_batch_free(batch);
    op = get_profile(g, "ş");
    assert_json(op, 0, "created_at", "2025-01-01T00:00:00.000000Z");
    gavat_op_unref(op);
    op = get_profile(g, "a");
    assert_json(op, 0, "revision", "1");
    gavat_op_unref(op);
}

static void ops_of_one_thread_come_in_order(void **state)
{
    gavat *g = client_of(state);
    enum { ROUNDS = 200 };
    gavat_op *ops[ROUNDS * 2];
    char json[40], wanted[40];
    for (size_t i = 0; i < ROUNDS; i++) {
        snprintf(json, sizeof json, "{\"n\":%zu}", i);
        ops[2 * i] = held(g);
        gavat_put_profile(ops[2 * i], i % 2 ? "a" : "b", json);
        ops[2 * i + 1] = held(g);
        gavat_get_profile(ops[2 * i + 1], i % 2 ? "a" : "b");
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        snprintf(wanted, sizeof wanted, "%zu", i);
        expect_status(ops[2 * i], GAVAT_OK, __FILE__, __LINE__);
        expect_status(ops[2 * i + 1], GAVAT_OK, __FILE__, __LINE__);
        assert_int_equal(gavat_op_number(ops[2 * i]), i / 2 + 1);
        assert_json(ops[2 * i + 1], 0, "n", wanted);
        gavat_op_unref(ops[2 * i]);
        gavat_op_unref(ops[2 * i + 1]);
    }
}

#define BOTS 150

static void submit_of_all(gavat *g, gavat_op *ops[BOTS], const char *json)
{
    char name[20];
    for (size_t i = 0; i < BOTS; i++) {
        snprintf(name, sizeof name, "bot%zu", i);
        ops[i] = held(g);
        if (json)
            gavat_put_profile(ops[i], name, json);
        else
            gavat_get_profile(ops[i], name);
    }
}

/* More than one thread may serve them. */
static void gets_in_a_row_see_the_writes_before_them_and_none_behind(void **state)
{
    gavat *g = client_of(state);
    static const char *const documents[] = {"{\"n\":1}", NULL, NULL, "{\"n\":2}", NULL};
    enum { ROWS = sizeof documents / sizeof *documents };
    gavat_op *ops[ROWS][BOTS];
    for (size_t row = 0; row < ROWS; row++)
        submit_of_all(g, ops[row], documents[row]);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < BOTS; i++) {
            expect_status(ops[row][i], GAVAT_OK, __FILE__, __LINE__);
            if (!documents[row])
                assert_json(ops[row][i], 0, "n", row < 3 ? "1" : "2");
            gavat_op_unref(ops[row][i]);
        }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_put_is_read_back),
        cmocka_unit_test(a_second_put_keeps_created_at_and_counts),
        cmocka_unit_test(created_at_of_a_new_document_is_taken_over),
        cmocka_unit_test(a_revision_guards_a_put),
        cmocka_unit_test(a_deleted_profile_is_gone),
        cmocka_unit_test(any_name_is_a_profile_of_its_own),
        cmocka_unit_test(fields_that_the_library_keeps_cannot_be_given),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(documents_that_a_store_could_not_hold_are_refused),
        cmocka_unit_test(a_document_too_large_is_refused),
        cmocka_unit_test(many_go_at_once_and_each_has_its_own_end),
        cmocka_unit_test(json_lines_are_imported),
        cmocka_unit_test(ops_of_one_thread_come_in_order),
        cmocka_unit_test(gets_in_a_row_see_the_writes_before_them_and_none_behind),
    };
    return run_on_profiles("profiles_put", cases, sizeof cases / sizeof *cases);
}
