/* The pure parts of the state area: GCRA, the page of a walk, cursors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "state/limits.h"
#include "state/walk.h"
#include "client.h"
#include <inttypes.h>

#define MS INT64_C(1000)

static gv_limit limit_of(uint32_t count, int64_t period_ms, uint32_t burst)
{
    gv_limit limit;
    assert_true(gv_limit_init(&limit, count, period_ms, burst));
    return limit;
}

static void a_full_limit_gives_its_burst_at_once_and_then_one_after_another(void **state)
{
    (void)state;
    gv_limit limit = limit_of(3, 3600 * 1000, 0);
    gavat_time now = T0, earned = 0;
    for (int i = 0; i < 3; i++) {
        gavat_decision decision = gv_limit_take(&limit, now, &earned);
        assert_int_equal(decision.allowed, 1);
        assert_int_equal(decision.remaining, 2 - i);
        assert_int_equal(decision.retry_after_ms, 0);
    }
    gavat_time before = earned;
    gavat_decision decision = gv_limit_take(&limit, now, &earned);
    assert_int_equal(decision.allowed, 0);
    assert_int_equal(decision.reason, GAVAT_REASON_WINDOW);
    assert_int_equal(decision.remaining, 0);
    assert_int_equal(decision.retry_after_ms, 1200 * 1000);
    assert_int_equal(earned, before);
    assert_int_equal(gv_limit_take(&limit, now + 1200 * 1000 * MS - 1, &earned).allowed, 0);
    assert_int_equal(gv_limit_take(&limit, now + 1200 * 1000 * MS, &earned).allowed, 1);
    assert_int_equal(gv_limit_take(&limit, now + 1200 * 1000 * MS, &earned).allowed, 0);
    assert_int_equal(gv_limit_take(&limit, now + 4800 * 1000 * MS, &earned).remaining, 2);
}

static void burst_is_what_may_be_taken_at_once(void **state)
{
    (void)state;
    for (uint32_t burst = 1; burst < 9; burst++) {
        gv_limit limit = limit_of(4, 1000, burst);
        gavat_time earned = 0;
        for (uint32_t i = 0; i < burst; i++)
            assert_int_equal(gv_limit_take(&limit, T0, &earned).allowed, 1);
        assert_int_equal(gv_limit_take(&limit, T0, &earned).allowed, 0);
    }
}

/* Whatever the calls, in every period there are at most burst + count - 1. */
static void no_period_sees_more_than_it_may(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)below(&seed, 9) + 1, burst = (uint32_t)below(&seed, 6);
        int64_t period = (int64_t)below(&seed, 1000) + 1;
        gv_limit limit = limit_of(count, period, burst);
        gavat_time given[600], now = T0, earned = 0;
        size_t n = 0, most = (burst ? burst : count) + count - 1;
        for (int i = 0; i < 600; i++) {
            now += (int64_t)below(&seed, (size_t)(period * MS / count) + 2);
            if (gv_limit_take(&limit, now, &earned).allowed)
                given[n++] = now;
        }
        assert_true(n > 0);
        for (size_t i = 0; i + most < n; i++)
            assert_true(given[i + most] - given[i] >= period * MS);
    }
}

static void a_refusal_says_when_to_come_again(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int round = 0; round < 2000; round++) {
        gv_limit limit = limit_of((uint32_t)below(&seed, 9) + 1, (int64_t)below(&seed, 100000) + 1, (uint32_t)below(&seed, 6));
        gavat_time earned = 0, now = T0;
        gavat_decision decision = {.allowed = 1};
        while (decision.allowed)
            decision = gv_limit_take(&limit, now += (gavat_time)below(&seed, 50), &earned);
        gavat_time kept = earned;
        if (decision.retry_after_ms > 1)
            assert_int_equal(gv_limit_take(&limit, now + (decision.retry_after_ms - 1) * MS, &earned).allowed, 0);
        earned = kept;
        assert_int_equal(gv_limit_take(&limit, now + decision.retry_after_ms * MS, &earned).allowed, 1);
    }
}

static void a_time_from_a_clock_that_was_ahead_counts_as_the_span(void **state)
{
    (void)state;
    gv_limit limit = limit_of(3, 3000, 0);
    gavat_time earned = T0 + 400 * DAY;
    gavat_decision decision = gv_limit_take(&limit, T0, &earned);
    assert_int_equal(decision.allowed, 0);
    assert_int_equal(decision.retry_after_ms, 1000);
    assert_int_equal(earned, T0 + 3000 * MS);
}

static void limits_out_of_bounds_are_refused(void **state)
{
    (void)state;
    gv_limit limit;
    assert_false(gv_limit_init(&limit, 0, 1000, 0));
    assert_false(gv_limit_init(&limit, 1, 0, 0));
    assert_false(gv_limit_init(&limit, 1, INT64_MAX, 0));
    assert_false(gv_limit_init(&limit, 1, INT64_C(36525) * 86400000, 2));
    assert_false(gv_limit_init(&limit, 1, INT64_C(36525) * 86400000, UINT32_MAX));
    assert_true(gv_limit_init(&limit, 1, INT64_C(36525) * 86400000, 1));
    assert_true(gv_limit_init(&limit, UINT32_MAX, 1, UINT32_MAX));
    assert_int_equal(limit.every, 1);
}

/* --- walks --- */

static gavat_time due_of(const void *arguments, gavat_time now, const gv_walk_item *item)
{
    (void)arguments;
    (void)now;
    return atoi(item->value);
}

static bool add(gavat_op *op, const void *arguments, gavat_time now, const gv_walk_item *item)
{
    (void)arguments;
    (void)now;
    return gv_state_add(op, item->user, "k", item->value, item->length, item->expire_ms);
}

#define ITEMS 200

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Pages of all sizes, from items in any order, put together give all of them in order. */
static void pages_by_due_time_give_every_item_once_in_order(void **state)
{
    gavat *g = *state;
    static const gv_walk_rule rule = {"due", "k", due_of, add};
    uint64_t seed = test_seed();
    char wanted[ITEMS][24];
    for (size_t i = 0; i < ITEMS; i++)
        snprintf(wanted[i], sizeof wanted[i], "%03zu u%06zu", below(&seed, 40) + 1, below(&seed, 1000000));
    qsort(wanted, ITEMS, sizeof *wanted, compare_texts);
    for (uint32_t limit = 1; limit < 60; limit += 13) {
        gv_walk_request request = {.verb = GV_STATE_WALK, .limit = limit, .max_bytes = limit == 14 ? 700 : 100000, .rule = &rule};
        char memory[200], cursor[200];
        size_t at = 0;
        for (bool more = true; more;) {
            gv_walk_page page = {.request = &request};
            size_t first = below(&seed, ITEMS);
            for (size_t i = 0; i < ITEMS; i++) {
                const char *text = wanted[(first + i * 7) % ITEMS];
                gv_walk_item item = {text + 4, text, 3, 0};
                assert_true(gv_walk_offer(&page, &item, atoi(text)));
            }
            gavat_op *op = held(g);
            assert_true(gv_walk_give(&page, op, 0));
            gv_result *result = gv_op_result(op);
            assert_in_range(result->count, 1, limit);
            for (size_t i = 0; i < result->count; i++, at++)
                assert_string_equal(((gavat_state *)result->records[i])->user, wanted[at] + 4);
            more = result->cursor;
            if (more) {
                snprintf(cursor, sizeof cursor, "%s", result->cursor);
                assert_true(gv_walk_read_cursor(cursor, memory, &request.after_user, &request.after_due));
            }
            gavat_op_unref(op);
        }
        assert_int_equal(at, ITEMS);
    }
}

static void strange_cursors_are_refused(void **state)
{
    (void)state;
    static const char *const strange[] = {"", "x", "====", "MWt1AGs", "MXc", "MXdhAA", "MXdhADEyeAA", "MXdhAAA"};
    char memory[64];
    const char *user, *key;
    gavat_time due;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_false(gv_state_read_cursor(strange[i], memory, &user, &key));
        assert_false(gv_walk_read_cursor(strange[i], memory, &user, &due));
    }
}

static int open_memory(void **state)
{
    *state = open_client("off", NULL);
    return 0;
}

static int close_memory(void **state)
{
    close_client(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_full_limit_gives_its_burst_at_once_and_then_one_after_another),
        cmocka_unit_test(burst_is_what_may_be_taken_at_once),
        cmocka_unit_test(no_period_sees_more_than_it_may),
        cmocka_unit_test(a_refusal_says_when_to_come_again),
        cmocka_unit_test(a_time_from_a_clock_that_was_ahead_counts_as_the_span),
        cmocka_unit_test(limits_out_of_bounds_are_refused),
        cmocka_unit_test_setup_teardown(pages_by_due_time_give_every_item_once_in_order, open_memory, close_memory),
        cmocka_unit_test(strange_cursors_are_refused),
    };
    return cmocka_run_group_tests_name("state_rules", cases, NULL, NULL);
}
