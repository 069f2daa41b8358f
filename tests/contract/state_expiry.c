/* Expiry: to the microsecond, in the same step, whatever the clock does, and removed without anybody reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include <sqlite3.h>
#include <stdatomic.h>

static _Atomic gavat_time now_is;

static gavat_time tell_time(void *user)
{
    (void)user;
    return atomic_load(&now_is);
}

/* The case's client again, on the settable clock. */
static gavat *on_clock(void **state)
{
    atomic_store(&now_is, T0);
    set_clock_of_next(tell_time);
    return reopen(state, NULL);
}

static void expect_left(gavat *g, const char *key, int64_t ms, const char *file, int line)
{
    gavat_op *op = held(g);
    gavat_get_state(op, "u", key);
    expect_status(op, GAVAT_OK, file, line);
    _assert_int_equal((LargestIntegralType)gavat_op_state(op, 0)->expire_ms, (LargestIntegralType)ms, file, line);
    gavat_op_unref(op);
}
#define assert_left(g, key, ms) expect_left(g, key, ms, __FILE__, __LINE__)

static void expect_number(gavat_op *op, int64_t number, const char *file, int line)
{
    expect_status(op, GAVAT_OK, file, line);
    _assert_int_equal((LargestIntegralType)gavat_op_number(op), (LargestIntegralType)number, file, line);
    gavat_op_unref(op);
}
#define NUMBER(g, number, name, ...)                                                             \
    do {                                                                                         \
        gavat_op *number_op = held(g);                                                           \
        gavat_##name(number_op, __VA_ARGS__);                                                    \
        expect_number(number_op, number, __FILE__, __LINE__);                                    \
    } while (0)

static void a_key_is_there_until_the_last_microsecond(void **state)
{
    gavat *g = on_clock(state);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 1000);
    assert_left(g, "k", 1000);
    atomic_store(&now_is, T0 + 1);
    assert_left(g, "k", 1000);
    atomic_store(&now_is, T0 + 1000);
    assert_left(g, "k", 999);
    atomic_store(&now_is, T0 + 1000000 - 1);
    assert_left(g, "k", 1);
    atomic_store(&now_is, T0 + 1000000);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
}

/* No call may see it: each on an expired key of its own. */
static void what_has_expired_is_not_there_for_any_call(void **state)
{
    gavat *g = on_clock(state);
    static const char *const keys[] = {"get", "delete", "compare", "list"};
    for (size_t i = 0; i < 4; i++)
        DO(g, GAVAT_OK, set_state, "u", keys[i], "v", 1);
    DO(g, GAVAT_OK, add_counter, "u", "n", 5, 1);
    DO(g, GAVAT_OK, add_counter, "u", "m", 5, 1);
    DO(g, GAVAT_OK, set_cooldown, "u", "a", 1);
    DO(g, GAVAT_OK, set_cooldown, "u", "b", 1);
    DO(g, GAVAT_OK, set_cooldown, "u", "c", 1);
    atomic_store(&now_is, T0 + 1000);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "get");
    DO(g, GAVAT_ENOTFOUND, delete_state, "u", "delete");
    DO(g, GAVAT_ECONFLICT, compare_and_set_state, "u", "compare", "v", "w", 0);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "compare", NULL, "w", 0);
    NUMBER(g, 0, get_counter, "u", "n");
    NUMBER(g, 2, add_counter, "u", "n", 2, 0);
    NUMBER(g, 0, reset_counter, "u", "m");
    NUMBER(g, 0, check_cooldown, "u", "a");
    NUMBER(g, 0, clear_cooldown, "u", "b");
    gavat_op *try = held(g), *list = held(g), *scan = held(g);
    RUN(try, try_cooldown, "u", "c", 10);
    assert_int_equal(gavat_op_decision(try)->allowed, 1);
    RUN(list, list_state, "u");
    assert_int_equal(gavat_op_count(list), 3);  /* compare, the counter n, the cooldown c */
    RUN(scan, scan_state, 0, NULL);
    assert_int_equal(gavat_op_count(scan), 3);
    NUMBER(g, 3, clear_state, "u");
    gavat_op_unref(try);
    gavat_op_unref(list);
    gavat_op_unref(scan);
}

static void storing_again_sets_the_expiry_anew_or_drops_it(void **state)
{
    gavat *g = on_clock(state);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 1000);
    atomic_store(&now_is, T0 + 500000);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 1000);
    assert_left(g, "k", 1000);
    DO(g, GAVAT_OK, compare_and_set_state, "u", "k", "v", "w", 300);
    assert_left(g, "k", 300);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 0);
    assert_left(g, "k", 0);
    atomic_store(&now_is, T0 + 400 * DAY);
    assert_left(g, "k", 0);
}

static void a_counter_expires_from_the_add_that_made_it(void **state)
{
    gavat *g = on_clock(state);
    NUMBER(g, 1, add_counter, "u", "n", 1, 1000);
    atomic_store(&now_is, T0 + 900000);
    NUMBER(g, 2, add_counter, "u", "n", 1, 1000);
    NUMBER(g, 3, add_counter, "u", "n", 1, 0);
    atomic_store(&now_is, T0 + 999999);
    NUMBER(g, 4, add_counter, "u", "n", 1, 5000);
    atomic_store(&now_is, T0 + 1000000);
    NUMBER(g, 1, add_counter, "u", "n", 1, 0);
    atomic_store(&now_is, T0 + 100 * DAY);
    NUMBER(g, 2, add_counter, "u", "n", 1, 1000);
    atomic_store(&now_is, T0 + 200 * DAY);
    NUMBER(g, 2, get_counter, "u", "n");
}

static void a_cooldown_counts_down_and_is_free_at_its_end(void **state)
{
    gavat *g = on_clock(state);
    DO(g, GAVAT_OK, set_cooldown, "u", "dm", GAVAT_SECONDS(300));
    NUMBER(g, 300000, check_cooldown, "u", "dm");
    atomic_store(&now_is, T0 + 1500);
    NUMBER(g, 299999, check_cooldown, "u", "dm");
    atomic_store(&now_is, T0 + 300 * SECOND - 1);
    gavat_op *refused = held(g), *taken = held(g);
    RUN(refused, try_cooldown, "u", "dm", GAVAT_SECONDS(300));
    assert_int_equal(gavat_op_decision(refused)->allowed, 0);
    assert_int_equal(gavat_op_decision(refused)->reason, GAVAT_REASON_COOLDOWN);
    assert_int_equal(gavat_op_decision(refused)->retry_after_ms, 1);
    atomic_store(&now_is, T0 + 300 * SECOND);
    NUMBER(g, 0, check_cooldown, "u", "dm");
    RUN(taken, try_cooldown, "u", "dm", 50);
    assert_int_equal(gavat_op_decision(taken)->allowed, 1);
    NUMBER(g, 50, check_cooldown, "u", "dm");
    gavat_op_unref(refused);
    gavat_op_unref(taken);
}

/* The clock was ahead when it was stored, and is set right: nobody waits longer than the whole span. */
static void a_clock_that_was_ahead_blocks_nobody_for_longer_than_the_span(void **state)
{
    gavat *g = on_clock(state);
    atomic_store(&now_is, T0 + 365 * DAY);
    DO(g, GAVAT_OK, set_cooldown, "u", "a", 1000);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 1000);
    NUMBER(g, 5, add_counter, "u", "n", 5, 1000);
    gavat_op *limit = held(g);
    RUN(limit, try_limit, "u", "l", 1, 1000, 1);
    gavat_op_unref(limit);
    atomic_store(&now_is, T0);
    NUMBER(g, 1000, check_cooldown, "u", "a");
    assert_left(g, "k", 1000);
    for (int i = 0; i < 2; i++) {       /* the first try settles it at now + span */
        gavat_op *cooldown = held(g);
        RUN(cooldown, try_cooldown, "u", "a", 77);
        assert_int_equal(gavat_op_decision(cooldown)->allowed, 0);
        assert_int_equal(gavat_op_decision(cooldown)->retry_after_ms, i ? 600 : 1000);
        gavat_op_unref(cooldown);
        limit = held(g);
        RUN(limit, try_limit, "u", "l", 1, 1000, 1);
        assert_int_equal(gavat_op_decision(limit)->retry_after_ms, i ? 600 : 1000);
        gavat_op_unref(limit);
        NUMBER(g, 6 + i, add_counter, "u", "n", 1, 0);
        atomic_store(&now_is, T0 + 400000);
    }
    atomic_store(&now_is, T0 + 1000000);
    NUMBER(g, 0, check_cooldown, "u", "a");
    NUMBER(g, 0, get_counter, "u", "n");
    limit = held(g);
    RUN(limit, try_limit, "u", "l", 1, 1000, 1);
    assert_int_equal(gavat_op_decision(limit)->allowed, 1);
    gavat_op_unref(limit);
}

static void expiry_outlives_the_client(void **state)
{
    fresh *f = *state;
    gavat *g = on_clock(state);
    if (strcmp(f->url, "memory:") == 0)
        skip();
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 2000);
    DO(g, GAVAT_OK, push_list, "u", "l", "one", 0);
    DO(g, GAVAT_OK, push_list, "u", "l", "two", 0);
    set_clock_of_next(tell_time);
    g = reopen(state, NULL);
    atomic_store(&now_is, T0 + 1999999);
    assert_left(g, "k", 1);
    atomic_store(&now_is, T0 + 2000000);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
    NUMBER(g, 2, get_list, "u", "l", 0, 0);
}

static bool is_empty(void *user)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int count = -1;
    if (sqlite3_open_v2(user, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
        && sqlite3_prepare_v2(db, "SELECT count(*) FROM gavat_state", -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
        count = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return count == 0;
}

/* Seen by another program: nobody asks the store, and its clock moves alone. */
static void what_has_expired_is_removed_without_anybody_reading(void **state)
{
    fresh *f = *state;
    gavat *g = on_clock(state);
    if (strncmp(f->url, "sqlite:///", 10) != 0)
        skip();
    for (int i = 0; i < 2500; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        gavat_set_state(gavat_op_new(g, NULL, NULL), "u", key, "v", 1000 + i);
    }
    DO(g, GAVAT_OK, set_state, "u", "last", "v", 1000);
    assert_false(is_empty(f->url + 10));
    atomic_store(&now_is, T0 + 10 * SECOND);
    assert_true(wait_until(is_empty, f->url + 10));
}

static void expired_keys_make_room_for_new_ones(void **state)
{
    fresh *f = *state;
    gavat *g = on_clock(state);
    if (strncmp(f->url, "sqlite:///", 10) != 0)
        skip();
    char *value = repeat("x", 2000);
    sqlite3_int64 pages[2] = {0, 0};
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 300; i++) {
            char key[24];
            snprintf(key, sizeof key, "r%dk%d", round, i);
            gavat_set_state(gavat_op_new(g, NULL, NULL), "u", key, value, 1000);
        }
        DO(g, GAVAT_OK, set_state, "u", "last", "v", 1000);
        atomic_fetch_add(&now_is, 2 * SECOND);
        assert_true(wait_until(is_empty, f->url + 10));
        sqlite3 *db = NULL;
        sqlite3_stmt *row = NULL;
        assert_int_equal(sqlite3_open_v2(f->url + 10, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA page_count", -1, &row, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(row), SQLITE_ROW);
        pages[round > 0] = sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
        sqlite3_close(db);
    }
    assert_true(pages[1] <= pages[0] + pages[0] / 4);
    free(value);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_key_is_there_until_the_last_microsecond),
        cmocka_unit_test(what_has_expired_is_not_there_for_any_call),
        cmocka_unit_test(storing_again_sets_the_expiry_anew_or_drops_it),
        cmocka_unit_test(a_counter_expires_from_the_add_that_made_it),
        cmocka_unit_test(a_cooldown_counts_down_and_is_free_at_its_end),
        cmocka_unit_test(a_clock_that_was_ahead_blocks_nobody_for_longer_than_the_span),
        cmocka_unit_test(expiry_outlives_the_client),
        cmocka_unit_test(what_has_expired_is_removed_without_anybody_reading),
        cmocka_unit_test(expired_keys_make_room_for_new_ones),
    };
    return run_on_state("state_expiry", cases, sizeof cases / sizeof *cases);
}
