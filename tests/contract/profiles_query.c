/* profiles_query.c: pages, filters, searches, totals, and profiles found by user_id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"

static void expect_list(gavat *g, const gavat_profile_filter *filter, const char *wanted, const char *file, int line)
{
    gavat_op *op = held(g);
    gavat_get_profiles(op, filter);
    expect_status(op, GAVAT_OK, file, line);
    expect_names(op, wanted, file, line);
    assert_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}
#define assert_list(g, filter, wanted) expect_list(g, filter, wanted, __FILE__, __LINE__)

static void expect_search(gavat *g, const char *keyword, const char *wanted, const char *file, int line)
{
    gavat_op *op = held(g);
    gavat_search_profiles(op, keyword, NULL);
    expect_status(op, GAVAT_OK, file, line);
    expect_names(op, wanted, file, line);
    gavat_op_unref(op);
}
#define assert_search(g, keyword, wanted) expect_search(g, keyword, wanted, __FILE__, __LINE__)

static void an_empty_store_has_an_empty_page(void **state)
{
    gavat *g = client_of(state);
    assert_list(g, NULL, "");
    assert_search(g, "x", "");
    gavat_op *op = held(g);
    gavat_get_profile_stats(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    DO(g, GAVAT_ENOTFOUND, get_profile_by_user_id, "1");
}

static void pages_come_by_username_and_go_on_where_they_ended(void **state)
{
    gavat *g = client_of(state);
    char name[16], cursor[300] = "";
    size_t seen = 0, pages = 0;
    for (size_t i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "p%02zu", (i * 7) % 25);
        put_profile(g, name, "{}");
    }
    for (bool more = true; more; pages++) {
        gavat_profile_filter filter = gavat_profile_filter_init();
        gavat_op *op = held(g);
        filter.limit = 10;
        filter.cursor = *cursor ? cursor : NULL;
        RUN(op, get_profiles, &filter);
        for (size_t i = 0; i < gavat_op_count(op); i++, seen++) {
            snprintf(name, sizeof name, "p%02zu", seen);
            assert_string_equal(gavat_op_profile(op, i)->username, name);
        }
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
        if (pages == 0) {       /* what comes between two pages is seen where it lies */
            put_profile(g, "p095", "{}");
            DO(g, GAVAT_OK, delete_profile, "p095");
            DO(g, GAVAT_OK, delete_profile, "p03");
            put_profile(g, "p01", "{}");
        }
    }
    assert_int_equal(seen, 25);
    assert_int_equal(pages, 3);
}

static void a_page_ends_at_its_bytes(void **state)
{
    gavat *g = client_of(state);
    gavat_profile_filter filter = gavat_profile_filter_init();
    char *text = repeat("x", 3000), json[3100];
    snprintf(json, sizeof json, "{\"t\":\"%s\"}", text);
    put_profile(g, "a", json);
    put_profile(g, "b", json);
    filter.max_bytes = 100;
    gavat_op *op = held(g);
    RUN(op, get_profiles, &filter);
    assert_names(op, "a");
    assert_non_null(gavat_op_cursor(op));
    filter.cursor = gavat_op_cursor(op);
    gavat_op *next = held(g);
    RUN(next, get_profiles, &filter);
    assert_names(next, "b");
    assert_null(gavat_op_cursor(next));
    gavat_op_unref(op);
    gavat_op_unref(next);
    free(text);
}

static void fill(gavat *g)
{
    put_profile(g, "a", "{\"type\":\"bot\",\"is_active\":true,\"autospam\":true,\"display_name\":\"Işık Şahin\",\"user_id\":\"5019\"}");
    put_profile(g, "b", "{\"type\":\"bot\",\"is_active\":false,\"autospam\":true,\"telegram_handle\":\"@ISIK_bot\",\"user_id\":5020}");
    put_profile(g, "c", "{\"type\":\"user\",\"is_active\":true,\"autospam\":false,\"display_name\":\"100% x_y\",\"user_id\":-7}");
    put_profile(g, "ısık", "{\"is_active\":1,\"bio\":\"nothing here\",\"user_id\":\"ı\\\"d\"}");
}

static void filters_narrow_and_all_must_match(void **state)
{
    gavat *g = client_of(state);
    gavat_profile_filter filter = gavat_profile_filter_init();
    fill(g);
    assert_list(g, &filter, "a|b|c|ısık");
    filter.type = "bot";
    assert_list(g, &filter, "a|b");
    filter.is_active = 1;
    assert_list(g, &filter, "a");
    filter.is_active = -1;
    assert_list(g, &filter, "b");
    filter.type = NULL;
    assert_list(g, &filter, "b");
    filter.is_active = 0;
    filter.autospam = -1;
    assert_list(g, &filter, "c");
    filter.autospam = 1;
    assert_list(g, &filter, "a|b");
    filter.type = "user";
    assert_list(g, &filter, "");
}

static void conditions_compare_and_reach_inside(void **state)
{
    gavat *g = client_of(state);
    gavat_profile_filter filter = gavat_profile_filter_init();
    static const char *const found[][2] = {
        {"{\"gpt.temperature\":{\">=\":0.5,\"<\":1}}", "a|b"}, {"{\"gpt.temperature\":0.5}", "a"}, {"{\"mode\":\"x\"}", "a|c"},
        {"{\"mode\":\"x\",\"gpt.temperature\":{\">\":0}}", "a"}, {"{\"mode\":{\"!=\":\"x\"}}", "b"},
        {"{\"username\":{\">\":\"a\"}}", "b|c"},
        {"{\"gpt\":null}", "c"}, {"{\"revision\":{\">=\":2}}", "b"}, {"{}", "a|b|c"},
    };
    put_profile(g, "a", "{\"mode\":\"x\",\"gpt\":{\"temperature\":0.50}}");
    put_profile(g, "b", "{}");
    put_profile(g, "b", "{\"mode\":\"y\",\"gpt\":{\"temperature\":9e-1}}");
    put_profile(g, "c", "{\"mode\":\"x\"}");
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        filter.where = found[i][0];
        assert_list(g, &filter, found[i][1]);
    }
    filter.where = "{\"a\":";
    REFUSE(g, "where is not JSON", get_profiles, &filter);
    filter.where = "[]";
    REFUSE(g, "filter: where", get_profiles, &filter);
    filter.where = "{\"a..b\":1}";
    REFUSE(g, "filter: where", search_profiles, "x", &filter);
}

static void bad_filters_are_refused(void **state)
{
    gavat *g = client_of(state);
    gavat_profile_filter filter = gavat_profile_filter_init(), none;
    memset(&none, 0, sizeof none);
    char *longer = repeat("x", 1001);
    REFUSE(g, "size 0", get_profiles, &none);
    filter.is_active = 2;
    REFUSE(g, "is_active must be", get_profiles, &filter);
    filter.is_active = 0, filter.autospam = -2;
    REFUSE(g, "autospam must be", search_profiles, "x", &filter);
    filter.autospam = 0, filter.type = "\xff";
    REFUSE(g, "type is not valid UTF-8", get_profiles, &filter);
    filter.type = NULL, filter.cursor = "xyz";
    REFUSE(g, "cursor", get_profiles, &filter);
    REFUSE(g, "keyword is NULL", search_profiles, NULL, NULL);
    REFUSE(g, "keyword is not valid UTF-8", search_profiles, "\xff", NULL);
    REFUSE(g, "keyword is longer than 1000", search_profiles, longer, NULL);
    REFUSE(g, "user_id is required", get_profile_by_user_id, "");
    REFUSE(g, "user_id is required", get_profile_by_user_id, NULL);
    REFUSE(g, "user_id is not valid UTF-8", get_profile_by_user_id, "\xff");
    free(longer);
}

static void a_search_folds_letters_and_takes_the_keyword_as_it_is(void **state)
{
    gavat *g = client_of(state);
    fill(g);
    assert_search(g, "IŞIK", "a|b|ısık");
    assert_search(g, "isik", "a|b|ısık");
    assert_search(g, "şahin", "a");
    assert_search(g, "SAHIN", "a");
    assert_search(g, "0% X_", "c");
    assert_search(g, "%", "c");
    assert_search(g, "_", "b|c");
    assert_search(g, "nothing", "");
    assert_search(g, ".*", "");
    assert_search(g, "", "a|b|c|ısık");
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.type = "bot";
    filter.is_active = 1;
    gavat_op *op = held(g);
    RUN(op, search_profiles, "isik", &filter);
    assert_names(op, "a");
    gavat_op_unref(op);
}

static void a_user_id_is_found_as_text_and_as_number(void **state)
{
    gavat *g = client_of(state);
    static const char *const found[][2] = {{"5019", "a"}, {"5020", "b"}, {"-7", "c"}, {"ı\"d", "ısık"}};
    fill(g);
    for (size_t i = 0; i < 4; i++) {
        gavat_op *op = held(g);
        RUN(op, get_profile_by_user_id, found[i][0]);
        assert_names(op, found[i][1]);
        gavat_op_unref(op);
    }
    DO(g, GAVAT_ENOTFOUND, get_profile_by_user_id, "50");
    DO(g, GAVAT_ENOTFOUND, get_profile_by_user_id, "true");
}

static void totals_come_by_type(void **state)
{
    gavat *g = client_of(state);
    fill(g);
    gavat_op *op = held(g);
    gavat_get_profile_stats(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 4);
    assert_int_equal(gavat_op_count(op), 3);
    assert_string_equal(gavat_op_json(op, 0, NULL), "{\"type\":\"bot\",\"count\":2,\"active\":1,\"autospam\":2}");
    assert_string_equal(gavat_op_json(op, 1, NULL), "{\"type\":\"user\",\"count\":1,\"active\":1,\"autospam\":0}");
    assert_string_equal(gavat_op_json(op, 2, NULL), "{\"type\":null,\"count\":1,\"active\":0,\"autospam\":0}");
    gavat_op_unref(op);
}

static void a_query_sees_what_its_thread_wrote_before(void **state)
{
    gavat *g = client_of(state);
    enum { ROUNDS = 60 };
    gavat_op *puts[ROUNDS], *lists[ROUNDS];
    char name[16];
    for (size_t i = 0; i < ROUNDS; i++) {
        gavat_profile_filter filter = gavat_profile_filter_init();
        filter.limit = 1000;
        snprintf(name, sizeof name, "p%02zu", i);
        puts[i] = held(g);
        gavat_put_profile(puts[i], name, "{\"type\":\"x\"}");
        lists[i] = held(g);
        gavat_get_profiles(lists[i], &filter);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        expect_status(lists[i], GAVAT_OK, __FILE__, __LINE__);
        assert_true(gavat_op_count(lists[i]) >= i + 1);
        gavat_op_unref(puts[i]);
        gavat_op_unref(lists[i]);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_empty_store_has_an_empty_page),
        cmocka_unit_test(pages_come_by_username_and_go_on_where_they_ended),
        cmocka_unit_test(a_page_ends_at_its_bytes),
        cmocka_unit_test(filters_narrow_and_all_must_match),
        cmocka_unit_test(conditions_compare_and_reach_inside),
        cmocka_unit_test(bad_filters_are_refused),
        cmocka_unit_test(a_search_folds_letters_and_takes_the_keyword_as_it_is),
        cmocka_unit_test(a_user_id_is_found_as_text_and_as_number),
        cmocka_unit_test(totals_come_by_type),
        cmocka_unit_test(a_query_sees_what_its_thread_wrote_before),
    };
    return run_on_profiles("profiles_query", cases, sizeof cases / sizeof *cases);
}
