/* Keys of the state area: set, get, delete, list, clear, scan, compare-and-set, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include <inttypes.h>

static void expect_stored(gavat *g, const char *user, const char *key, const char *value, const char *file, int line)
{
    gavat_op *op = held(g);
    gavat_get_state(op, user, key);
    expect_status(op, GAVAT_OK, file, line);
    _assert_string_equal(gavat_op_text(op, NULL), value, file, line);
    assert_int_equal(gavat_op_count(op), 1);
    const gavat_state *state = gavat_op_state(op, 0);
    _assert_string_equal(state->value, value, file, line);
    _assert_string_equal(state->key, key, file, line);
    assert_int_equal(state->length, strlen(value));
    gavat_op_unref(op);
}
#define assert_value(g, user, key, value) expect_stored(g, user, key, value, __FILE__, __LINE__)

/* user/key=value with a blank between, in order. */
static void expect_keys(const gavat_op *op, const char *wanted, const char *file, int line)
{
    char got[2000] = "";
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const gavat_state *state = gavat_op_state(op, i);
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s/%s=%s", i ? " " : "", state->user ? state->user : "", state->key, state->value);
    }
    _assert_string_equal(got, wanted, file, line);
}
#define assert_keys(op, wanted) expect_keys(op, wanted, __FILE__, __LINE__)

static void a_value_comes_back_as_it_was_stored(void **state)
{
    gavat *g = client_of(state);
    static const char *const values[] = {"", "x", "01", "{\"a\":  1}", "ı\u015f\"\\\n", "[1, 2]"};
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        DO(g, GAVAT_OK, set_state, "u", "k", values[i], 0);
        assert_value(g, "u", "k", values[i]);
    }
    DO(g, GAVAT_OK, set_state, NULL, "k", "global", 0);
    assert_value(g, NULL, "k", "global");
    assert_value(g, "u", "k", "[1, 2]");
    gavat_op *op = held(g);
    RUN(op, get_state, "u", "k");
    assert_json(op, 0, "user", "u");
    assert_json(op, 0, "key", "k");
    assert_json(op, 0, "value", "[1, 2]");
    assert_json(op, 0, "expire_ms", "0");
    gavat_op_unref(op);
}

static void a_write_says_how_far_it_got(void **state)
{
    fresh *f = *state;
    gavat_op *op = held(f->g);
    RUN(op, set_state, "u", "k", "v", 0);
    assert_int_equal(gavat_op_reached(op), strcmp(f->url, "memory:") == 0 ? GAVAT_REACHED_MEMORY : GAVAT_REACHED_STORE);
    gavat_op_unref(op);
}

static void a_deleted_key_is_gone_and_once_only(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 0);
    DO(g, GAVAT_OK, set_state, "u", "other", "v", 0);
    DO(g, GAVAT_OK, delete_state, "u", "k");
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
    DO(g, GAVAT_ENOTFOUND, delete_state, "u", "k");
    assert_value(g, "u", "other", "v");
}

static void the_largest_value_is_kept_and_one_byte_more_refused(void **state)
{
    gavat *g = client_of(state);
    char *most = repeat("x", 1 << 20), *more = repeat("x", (1 << 20) + 1);
    DO(g, GAVAT_OK, set_state, "u", "k", most, 0);
    assert_value(g, "u", "k", most);
    REFUSE(g, "GAVAT_MAX_RECORD", set_state, "u", "k", more, 0);
    REFUSE(g, "GAVAT_MAX_RECORD", push_list, "u", "k", more, 0);
    assert_value(g, "u", "k", most);
    free(most);
    free(more);
}

/* Users that a prefix, a glob or a LIKE would mix up. */
static const char *const near[] = {"a", "a:b", "A", "a%", "a_", "%", "_", "*", "a*", "?", "[a]", "dm", "dm:x:y", "dm:x", "a ", "b"};
#define NEAR (sizeof near / sizeof *near)

static void list_and_clear_are_of_exactly_one_user(void **state)
{
    gavat *g = client_of(state);
    for (size_t i = 0; i < NEAR; i++) {
        DO(g, GAVAT_OK, set_state, near[i], "k", near[i], 0);
        DO(g, GAVAT_OK, add_counter, near[i], "n", 1, 0);
    }
    DO(g, GAVAT_OK, set_state, NULL, "k", "global", 0);
    for (size_t i = 0; i < NEAR; i++) {
        gavat_op *op = held(g);
        char wanted[60];
        RUN(op, list_state, near[i]);
        snprintf(wanted, sizeof wanted, "%s/counter:n=1 %s/k=%s", near[i], near[i], near[i]);
        assert_keys(op, wanted);
        gavat_op_unref(op);
    }
    for (size_t i = 0; i < NEAR; i += 2) {
        gavat_op *op = held(g), *empty = held(g);
        RUN(op, clear_state, near[i]);
        assert_int_equal(gavat_op_number(op), 2);
        RUN(empty, clear_state, near[i]);
        assert_int_equal(gavat_op_number(empty), 0);
        gavat_op_unref(op);
        gavat_op_unref(empty);
    }
    for (size_t i = 0; i < NEAR; i++)
        DO(g, i % 2 ? GAVAT_OK : GAVAT_ENOTFOUND, get_state, near[i], "k");
    assert_value(g, NULL, "k", "global");
}

static void list_shows_every_kind_of_key_in_order(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_state, "u", "x", "1", 0);
    DO(g, GAVAT_OK, set_state, "u", "a", "2", 0);
    DO(g, GAVAT_OK, set_state, "u", "Ä", "3", 0);
    DO(g, GAVAT_OK, add_counter, "u", "n", -7, 0);
    DO(g, GAVAT_OK, push_list, "u", "l", "one", 0);
    DO(g, GAVAT_OK, push_list, "u", "l", "\"ş\"", 0);
    gavat_op *op = held(g), *none = held(g), *global = held(g);
    RUN(op, list_state, "u");
    assert_keys(op, "u/a=2 u/counter:n=-7 u/list:l=[\"\\\"ş\\\"\", \"one\"] u/x=1 u/Ä=3");
    RUN(none, list_state, "nobody");
    assert_int_equal(gavat_op_count(none), 0);
    DO(g, GAVAT_OK, set_state, NULL, "g", "4", 0);
    RUN(global, list_state, NULL);
    assert_keys(global, "/g=4");
    assert_null(gavat_op_state(global, 0)->user);
    assert_json(global, 0, "user", "null");
    gavat_op *clear = held(g);
    RUN(clear, clear_state, "u");
    assert_int_equal(gavat_op_number(clear), 5);
    gavat_op_unref(clear);
    gavat_op_unref(op);
    gavat_op_unref(none);
    gavat_op_unref(global);
}

static void scan_gives_every_key_once_in_pages(void **state)
{
    gavat *g = client_of(state);
    bool seen[40] = {false};
    char cursor[300] = "";
    for (int i = 0; i < 40; i++) {
        char user[16], key[16];
        snprintf(user, sizeof user, "u:%d", i / 3);
        snprintf(key, sizeof key, "k%d", i);
        DO(g, GAVAT_OK, set_state, i / 3 ? user : NULL, key, "v", 0);
    }
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        RUN(op, scan_state, 7, *cursor ? cursor : NULL);
        assert_in_range(gavat_op_count(op), 1, 7);
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            int number = atoi(gavat_op_state(op, i)->key + 1);
            assert_false(seen[number]);
            seen[number] = true;
        }
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    }
    for (int i = 0; i < 40; i++)
        assert_true(seen[i]);
    REFUSE(g, "cursor", scan_state, 7, "nonsense");
    REFUSE(g, "cursor", scan_state, 7, "");
}

static void compare_and_set_stores_only_over_what_was_expected(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_ECONFLICT, compare_and_set_state, "u", "k", "a", "b", 0);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", NULL, NULL, 0);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", NULL, "", 0);
    gavat_op *op = held(g);
    gavat_compare_and_set_state(op, "u", "k", NULL, "b", 0);
    expect_status(op, GAVAT_ECONFLICT, __FILE__, __LINE__);
    assert_string_equal(gavat_op_text(op, NULL), "");
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", "", "one", 0);
    DO(g, GAVAT_ECONFLICT, compare_and_set_state, "u", "k", "on", "two", 0);
    op = held(g);
    gavat_compare_and_set_state(op, "u", "k", "oneX", "two", 0);
    expect_status(op, GAVAT_ECONFLICT, __FILE__, __LINE__);
    assert_string_equal(gavat_op_text(op, NULL), "one");
    assert_string_equal(gavat_op_state(op, 0)->value, "one");
    gavat_op_unref(op);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", "one", "two", 0);
    assert_value(g, "u", "k", "two");
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", "two", NULL, 0);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
    op = held(g);
    gavat_compare_and_set_state(op, "u", "k", "two", "x", 0);
    expect_status(op, GAVAT_ECONFLICT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
}

static void results_stay_within_the_byte_bound(void **state)
{
    static const char *const settings[] = {"GAVAT_MAX_BYTES", "2MiB", NULL};
    gavat *g = reopen(state, settings);
    char *value = repeat("x", 200000);
    gavat_op *reads[40];
    size_t good = 0;
    DO(g, GAVAT_OK, set_state, "u", "k", value, 0);
    for (size_t i = 0; i < 40; i++) {
        reads[i] = gavat_op_new_held(g);
        gavat_get_state(reads[i], "u", "k");
    }
    for (size_t i = 0; i < 40; i++) {
        gavat_status status = gavat_op_wait(reads[i]);
        assert_true(status == GAVAT_OK || status == GAVAT_EBUSY);
        good += status == GAVAT_OK;
    }
    assert_in_range(good, 8, 12);
    for (size_t i = 0; i < 40; i++)
        gavat_op_unref(reads[i]);
    gavat_op *room = gavat_op_new_wait(g, NULL, NULL, 10000);   /* the store lets go of its own references a moment later */
    assert_non_null(room);
    gavat_op_unref(room);
    for (int i = 0; i < 20; i++)
        DO(g, GAVAT_OK, push_list, "u", "l", value, 0);
    DO(g, GAVAT_EBUSY, get_list, "u", "l", 0, -1);
    DO(g, GAVAT_EBUSY, list_state, "u");
    DO(g, GAVAT_OK, get_list, "u", "l", 0, 3);
    DO(g, GAVAT_OK, get_state, "u", "k");
    free(value);
}

/* In memory each client has its own; in a file they share one, also at the same time. */
static void clients_share_a_file_and_nothing_in_memory(void **state)
{
    fresh *f = *state;
    gavat *other = open_client(f->url, NULL);
    DO(f->g, GAVAT_OK, set_state, "u", "k", "v", 0);
    DO(other, strcmp(f->url, "memory:") == 0 ? GAVAT_ENOTFOUND : GAVAT_OK, get_state, "u", "k");
    close_client(other);
}

static void expect_refused(const char *url, gavat_status status, const char *words)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    assert_int_equal(gavat_config_set(cfg, "REDIS_URL", url), GAVAT_OK);
    assert_int_equal(gavat_new(&g, NULL, cfg), status);
    if (!strstr(gavat_config_error(cfg), words))
        fail_msg("no \"%s\" in \"%s\"", words, gavat_config_error(cfg));
    assert_null(strstr(gavat_config_error(cfg), "secret"));
    gavat_config_free(cfg);
}

static void urls_that_no_backend_serves_are_refused_with_advice(void **state)
{
    (void)state;
    expect_refused("redis+sentinel://:secret@localhost:6379/name", GAVAT_ENOTSUP, "sqlite:///");
    expect_refused("redis+cluster://a,b", GAVAT_ENOTSUP, "sqlite:///");
    expect_refused("sqlite:///state.db?mode=ro", GAVAT_EINVAL, "?options");
    expect_refused("sqlite://host/state.db", GAVAT_EINVAL, "three slashes");
    expect_refused("sqlite:///:memory:", GAVAT_EINVAL, "memory:");
    expect_refused("memory:///shared", GAVAT_EINVAL, "memory:");
}

static void calls_of_one_thread_apply_in_order(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 50; i++) {
        char value[16];
        snprintf(value, sizeof value, "v%d", i);
        gavat_set_state(gavat_op_new(g, NULL, NULL), "u", "k", value, 0);
        if (i % 3 == 0)
            gavat_delete_state(gavat_op_new(g, NULL, NULL), "u", "k");
        gavat_op *op = held(g);
        gavat_get_state(op, "u", "k");
        expect_status(op, i % 3 == 0 ? GAVAT_ENOTFOUND : GAVAT_OK, __FILE__, __LINE__);
        if (i % 3)
            assert_string_equal(gavat_op_text(op, NULL), value);
        gavat_op_unref(op);
    }
}

/* Enough of them that most are looked up together. */
static void many_gets_in_flight_each_get_their_own(void **state)
{
    enum { GETS = 2000, KEYS = 50 };
    static gavat_op *ops[GETS];
    gavat *g = client_of(state);
    char key[16], value[16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "%d", i);
        if (i % 5)
            DO(g, GAVAT_OK, set_state, i % 5 == 1 ? NULL : "u", key, i % 5 == 2 ? "" : value, i % 5 == 3 ? 3600000 : 0);
    }
    for (int i = 0; i < GETS; i++) {
        snprintf(key, sizeof key, "k%d", i % KEYS);
        gavat_get_state(ops[i] = held(g), i % 5 == 1 ? NULL : "u", key);
    }
    for (int i = 0; i < GETS; i++) {
        snprintf(value, sizeof value, "%d", i % KEYS);
        expect_status(ops[i], i % 5 ? GAVAT_OK : GAVAT_ENOTFOUND, __FILE__, __LINE__);
        assert_string_equal(gavat_op_text(ops[i], NULL), i % 5 == 0 || i % 5 == 2 ? "" : value);
        assert_int_equal(gavat_op_count(ops[i]), i % 5 != 0);
        if (i % 5 == 3)
            assert_in_range(gavat_op_state(ops[i], 0)->expire_ms, 3000000, 3600000);
        gavat_op_unref(ops[i]);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_value_comes_back_as_it_was_stored),
        cmocka_unit_test(a_write_says_how_far_it_got),
        cmocka_unit_test(a_deleted_key_is_gone_and_once_only),
        cmocka_unit_test(the_largest_value_is_kept_and_one_byte_more_refused),
        cmocka_unit_test(list_and_clear_are_of_exactly_one_user),
        cmocka_unit_test(list_shows_every_kind_of_key_in_order),
        cmocka_unit_test(scan_gives_every_key_once_in_pages),
        cmocka_unit_test(compare_and_set_stores_only_over_what_was_expected),
        cmocka_unit_test(results_stay_within_the_byte_bound),
        cmocka_unit_test(clients_share_a_file_and_nothing_in_memory),
        cmocka_unit_test(urls_that_no_backend_serves_are_refused_with_advice),
        cmocka_unit_test(calls_of_one_thread_apply_in_order),
        cmocka_unit_test(many_gets_in_flight_each_get_their_own),
    };
    return run_on_state("state_keys", cases, sizeof cases / sizeof *cases);
}
