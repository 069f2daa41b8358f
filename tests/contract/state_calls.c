/* Cooldowns, counters, lists and limits: what they answer, with many callers at once too; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

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

static void cooldowns_are_taken_once_and_ended_by_clear(void **state)
{
    gavat *g = client_of(state);
    NUMBER(g, 0, check_cooldown, "u", "a");
    NUMBER(g, 0, clear_cooldown, "u", "a");
    for (int i = 0; i < 3; i++) {
        gavat_op *op = held(g);
        RUN(op, try_cooldown, "u", "a", GAVAT_SECONDS(1000));
        const gavat_decision *decision = gavat_op_decision(op);
        assert_int_equal(decision->allowed, i == 0);
        assert_int_equal(decision->reason, i == 0 ? GAVAT_REASON_NONE : GAVAT_REASON_COOLDOWN);
        assert_in_range(decision->retry_after_ms, i == 0 ? 0 : 900000, i == 0 ? 0 : 1000000);
        assert_json(op, 0, "allowed", i == 0 ? "true" : "false");
        gavat_op_unref(op);
    }
    gavat_op *check = held(g), *other = held(g), *global = held(g);
    RUN(check, check_cooldown, "u", "a");
    assert_in_range(gavat_op_number(check), 900000, 1000000);
    RUN(other, try_cooldown, "u2", "a", 1000);
    assert_int_equal(gavat_op_decision(other)->allowed, 1);
    RUN(global, try_cooldown, NULL, "a", 1000);
    assert_int_equal(gavat_op_decision(global)->allowed, 1);
    NUMBER(g, 1, clear_cooldown, "u", "a");
    NUMBER(g, 0, clear_cooldown, "u", "a");
    NUMBER(g, 0, check_cooldown, "u", "a");
    DO(g, GAVAT_OK, set_cooldown, "u", "a", 5000);
    DO(g, GAVAT_OK, set_cooldown, "u", "a", 100000);
    gavat_op *longer = held(g);
    RUN(longer, check_cooldown, "u", "a");
    assert_in_range(gavat_op_number(longer), 90000, 100000);
    gavat_op_unref(check);
    gavat_op_unref(other);
    gavat_op_unref(global);
    gavat_op_unref(longer);
}

/* What the original reads on Redis: naive UTC, 'T', six digits or none. */
static void a_cooldown_is_stored_as_the_original_does(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_cooldown, "u", "a", 5000);
    gavat_op *op = held(g);
    RUN(op, list_state, "u");
    const gavat_state *stored = gavat_op_state(op, 0);
    assert_string_equal(stored->key, "cooldown:a");
    assert_true(stored->length == 26 || stored->length == 19);
    assert_int_equal(stored->value[10], 'T');
    assert_in_range(stored->expire_ms, 1, 5000);
    gavat_op_unref(op);
}

static void counters_count_up_and_down_within_64_bits(void **state)
{
    gavat *g = client_of(state);
    NUMBER(g, 0, get_counter, "u", "n");
    NUMBER(g, 0, reset_counter, "u", "n");
    NUMBER(g, 0, add_counter, "u", "n", 0, 0);
    NUMBER(g, 5, add_counter, "u", "n", 5, 0);
    NUMBER(g, -2, add_counter, "u", "n", -7, 0);
    NUMBER(g, -2, get_counter, "u", "n");
    NUMBER(g, INT64_MAX, add_counter, "u", "m", INT64_MAX, 0);
    gavat_op *op = held(g);
    gavat_add_counter(op, "u", "m", 1, 0);
    expect_status(op, GAVAT_EINVAL, __FILE__, __LINE__);
    assert_int_equal(gavat_op_error(op)->flags, 0);
    gavat_op_unref(op);
    NUMBER(g, INT64_MAX, get_counter, "u", "m");
    NUMBER(g, -1, add_counter, "u", "m", INT64_MIN, 0);
    NUMBER(g, INT64_MIN, add_counter, "u", "m", INT64_MIN + 1, 0);
    DO(g, GAVAT_EINVAL, add_counter, "u", "m", -1, 0);
    NUMBER(g, INT64_MIN, reset_counter, "u", "m");
    NUMBER(g, 0, get_counter, "u", "m");
    NUMBER(g, 1, add_counter, NULL, "n", 1, 0);
    NUMBER(g, -2, reset_counter, "u", "n");
    NUMBER(g, 1, get_counter, NULL, "n");
}

static void expect_items(gavat *g, const char *name, int64_t start, int64_t stop, const char *wanted, int line)
{
    char got[400] = "";
    gavat_op *op = held(g);
    gavat_get_list(op, "u", name, start, stop);
    expect_status(op, GAVAT_OK, __FILE__, line);
    for (size_t i = 0; i < gavat_op_count(op); i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "", gavat_op_state(op, i)->value);
    _assert_string_equal(got, wanted, __FILE__, line);
    gavat_op_unref(op);
}

static void lists_are_read_as_redis_does(void **state)
{
    gavat *g = client_of(state);
    static const struct {
        int64_t start, stop;
        const char *wanted;
    } reads[] = {
        {0, -1, "e d c b a"}, {0, 0, "e"}, {-1, -1, "a"}, {1, 3, "d c b"}, {-3, -2, "c b"}, {-100, 1, "e d"}, {3, 100, "b a"},
        {4, 3, ""}, {5, 9, ""}, {0, -6, ""}, {-1, 0, ""}, {INT64_MIN, INT64_MAX, "e d c b a"}, {INT64_MAX, INT64_MAX, ""},
        {INT64_MIN, INT64_MIN, ""}, {2, -3, "c"},
    };
    expect_items(g, "l", 0, -1, "", __LINE__);
    for (int i = 0; i < 5; i++) {
        char value[2] = {(char)('a' + i), 0};
        NUMBER(g, i + 1, push_list, "u", "l", value, 0);
    }
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        expect_items(g, "l", reads[i].start, reads[i].stop, reads[i].wanted, __LINE__);
    NUMBER(g, 5, get_list, "u", "l", 7, 9);
    NUMBER(g, 3, push_list, "u", "l", "f", 3);
    expect_items(g, "l", 0, -1, "f e d", __LINE__);
    NUMBER(g, 1, push_list, "u", "l", "", 1);
    NUMBER(g, 1, get_list, "u", "l", 0, -1);
    NUMBER(g, 2, push_list, "u", "l", "g", 0);
    expect_items(g, "l", 0, -1, "g ", __LINE__);
    NUMBER(g, 1, clear_state, "u");
    expect_items(g, "l", 0, -1, "", __LINE__);
    NUMBER(g, 1, push_list, "u", "l", "new", 0);
    expect_items(g, "l", 0, -1, "new", __LINE__);
}

static void a_capped_list_keeps_the_newest_in_order(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 500; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        gavat_push_list(gavat_op_new(g, NULL, NULL), "u", "l", value, 50);
    }
    gavat_op *op = held(g);
    RUN(op, get_list, "u", "l", 0, -1);
    assert_int_equal(gavat_op_count(op), 50);
    for (int i = 0; i < 50; i++)
        assert_int_equal(atoi(gavat_op_state(op, (size_t)i)->value), 499 - i);
    gavat_op_unref(op);
}

static void a_limit_says_what_is_left_and_when_to_come_again(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 5; i++) {
        gavat_op *op = held(g);
        RUN(op, try_limit, "u", "a", 4, GAVAT_SECONDS(4000), 0);
        const gavat_decision *decision = gavat_op_decision(op);
        assert_int_equal(decision->allowed, i < 4);
        assert_int_equal(decision->remaining, i < 4 ? 3 - i : 0);
        assert_int_equal(decision->reason, i < 4 ? GAVAT_REASON_NONE : GAVAT_REASON_WINDOW);
        assert_in_range(decision->retry_after_ms, i < 4 ? 0 : 900000, i < 4 ? 0 : 1000000);
        gavat_op_unref(op);
    }
}

/* --- many at once --- */

#define THREADS 64

typedef struct caller {
    gavat *g;
    pthread_t thread;
    int allowed;
    int64_t sum;
} caller;

static atomic_int at_the_gate;

static void run_together(gavat *g, caller *callers, size_t count, void *(*run)(void *))
{
    atomic_store(&at_the_gate, 0);
    for (size_t i = 0; i < count; i++) {
        callers[i] = (caller){.g = g};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, run, &callers[i]), 0);
    }
    while (atomic_load(&at_the_gate) < (int)count)
        sched_yield();
    atomic_store(&at_the_gate, -1);
    for (size_t i = 0; i < count; i++)
        pthread_join(callers[i].thread, NULL);
}

static void wait_at_the_gate(void)
{
    atomic_fetch_add(&at_the_gate, 1);
    while (atomic_load(&at_the_gate) >= 0)
        sched_yield();
}

static void *try_once(void *user)
{
    caller *c = user;
    wait_at_the_gate();
    gavat_op *limit = gavat_op_new_held(c->g), *cooldown = gavat_op_new_held(c->g);
    gavat_try_limit(limit, "u", "many", 3, GAVAT_SECONDS(3600), 0);
    gavat_try_cooldown(cooldown, "u", "many", GAVAT_SECONDS(3600));
    if (gavat_op_wait(limit) == GAVAT_OK)
        c->allowed += gavat_op_decision(limit)->allowed;
    if (gavat_op_wait(cooldown) == GAVAT_OK)
        c->sum += gavat_op_decision(cooldown)->allowed;
    gavat_op_unref(limit);
    gavat_op_unref(cooldown);
    return NULL;
}

static void of_a_hundred_callers_three_get_the_three_permits_and_one_the_cooldown(void **state)
{
    static caller callers[100];
    int allowed = 0;
    int64_t cooldowns = 0;
    run_together(client_of(state), callers, 100, try_once);
    for (int i = 0; i < 100; i++) {
        allowed += callers[i].allowed;
        cooldowns += callers[i].sum;
    }
    assert_int_equal(allowed, 3);
    assert_int_equal(cooldowns, 1);
}

static void *add_many(void *user)
{
    caller *c = user;
    wait_at_the_gate();
    for (int i = 0; i < 20; i++) {
        gavat_op *op = gavat_op_new_held(c->g);
        gavat_add_counter(op, "u", "many", 1, 0);
        if (gavat_op_wait(op) == GAVAT_OK)
            c->sum += gavat_op_number(op);
        gavat_op_unref(op);
    }
    return NULL;
}

/* Each value is given once: their sum is that of 1 … 1280. */
static void sixty_four_threads_on_one_counter_lose_nothing(void **state)
{
    static caller callers[THREADS];
    int64_t sum = 0, count = THREADS * 20;
    run_together(client_of(state), callers, THREADS, add_many);
    for (int i = 0; i < THREADS; i++)
        sum += callers[i].sum;
    NUMBER(client_of(state), count, get_counter, "u", "many");
    assert_true(sum == count * (count + 1) / 2);
}

static void *swap_many(void *user)
{
    caller *c = user;
    wait_at_the_gate();
    for (int done = 0; done < 10;) {
        char next[24], was[24];
        gavat_op *read = gavat_op_new_held(c->g), *write = gavat_op_new_held(c->g);
        gavat_get_state(read, "u", "swap");
        bool there = gavat_op_wait(read) == GAVAT_OK;
        snprintf(was, sizeof was, "%s", there ? gavat_op_text(read, NULL) : "0");
        snprintf(next, sizeof next, "%d", atoi(was) + 1);
        gavat_compare_and_set_state(write, "u", "swap", there ? was : NULL, next, 0);
        done += gavat_op_wait(write) == GAVAT_OK;
        gavat_op_unref(read);
        gavat_op_unref(write);
    }
    return NULL;
}

static void compare_and_set_loses_no_update(void **state)
{
    static caller callers[16];
    run_together(client_of(state), callers, 16, swap_many);
    gavat_op *op = held(client_of(state));
    RUN(op, get_state, "u", "swap");
    assert_string_equal(gavat_op_text(op, NULL), "160");
    gavat_op_unref(op);
}

/* --- what is refused --- */

static void users_and_names_that_would_mix_keys_are_refused(void **state)
{
    gavat *g = client_of(state);
    static const char *const users[] = {"", "a:cooldown", "a:counter", "a:list", "a:limit", ":list", "\xc3", "dm:b:x:counter"};
    static const char *const names[] = {"", "a:b", ":", "\xff", NULL};
    char *long_user = repeat("ş", 101), *user_most = repeat("ş", 100), *long_name = repeat("ğ", 101);
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        REFUSE(g, "user", set_state, users[i], "k", "v", 0);
        REFUSE(g, "user", get_state, users[i], "k");
        REFUSE(g, "user", delete_state, users[i], "k");
        REFUSE(g, "user", list_state, users[i]);
        REFUSE(g, "user", clear_state, users[i]);
        REFUSE(g, "user", compare_and_set_state, users[i], "k", NULL, "v", 0);
        REFUSE(g, "user", set_cooldown, users[i], "k", 1);
        REFUSE(g, "user", try_cooldown, users[i], "k", 1);
        REFUSE(g, "user", check_cooldown, users[i], "k");
        REFUSE(g, "user", clear_cooldown, users[i], "k");
        REFUSE(g, "user", add_counter, users[i], "k", 1, 0);
        REFUSE(g, "user", get_counter, users[i], "k");
        REFUSE(g, "user", reset_counter, users[i], "k");
        REFUSE(g, "user", push_list, users[i], "k", "v", 0);
        REFUSE(g, "user", get_list, users[i], "k", 0, -1);
        REFUSE(g, "user", try_limit, users[i], "k", 1, 1, 1);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        REFUSE(g, "key", set_state, "u", names[i], "v", 0);
        REFUSE(g, "key", get_state, "u", names[i]);
        REFUSE(g, "key", delete_state, "u", names[i]);
        REFUSE(g, "key", compare_and_set_state, "u", names[i], NULL, "v", 0);
        REFUSE(g, "action", set_cooldown, "u", names[i], 1);
        REFUSE(g, "action", try_cooldown, "u", names[i], 1);
        REFUSE(g, "action", check_cooldown, "u", names[i]);
        REFUSE(g, "action", clear_cooldown, "u", names[i]);
        REFUSE(g, "name", add_counter, "u", names[i], 1, 0);
        REFUSE(g, "name", get_counter, "u", names[i]);
        REFUSE(g, "name", reset_counter, "u", names[i]);
        REFUSE(g, "name", push_list, "u", names[i], "v", 0);
        REFUSE(g, "name", get_list, "u", names[i], 0, -1);
        REFUSE(g, "action", try_limit, "u", names[i], 1, 1, 1);
    }
    REFUSE(g, "100", set_state, long_user, "k", "v", 0);
    REFUSE(g, "100", set_state, "u", long_name, "v", 0);
    DO(g, GAVAT_OK, set_state, user_most, "k", "v", 0);
    DO(g, GAVAT_ENOTFOUND, get_state, long_user, long_name);
    DO(g, GAVAT_OK, set_state, "x:cooldowns", "k", "v", 0);
    gavat_op *scan = held(g);
    RUN(scan, scan_state, 0, NULL);
    assert_int_equal(gavat_op_count(scan), 2);
    gavat_op_unref(scan);
    free(long_user);
    free(user_most);
    free(long_name);
}

static void values_and_spans_out_of_bounds_are_refused(void **state)
{
    gavat *g = client_of(state);
    REFUSE(g, "value", set_state, "u", "k", NULL, 0);
    REFUSE(g, "value", set_state, "u", "k", "\xc3(", 0);
    REFUSE(g, "expire_ms", set_state, "u", "k", "v", -1);
    REFUSE(g, "100 years", set_state, "u", "k", "v", INT64_MAX);
    REFUSE(g, "expire_ms", compare_and_set_state, "u", "k", NULL, "v", -1);
    REFUSE(g, "expected", compare_and_set_state, "u", "k", "\xff", "v", 0);
    REFUSE(g, "value", compare_and_set_state, "u", "k", NULL, "\xff", 0);
    REFUSE(g, "duration_ms", set_cooldown, "u", "k", 0);
    REFUSE(g, "duration_ms", set_cooldown, "u", "k", -1);
    REFUSE(g, "duration_ms", try_cooldown, "u", "k", 0);
    REFUSE(g, "duration_ms", try_cooldown, "u", "k", INT64_MAX);
    REFUSE(g, "expire_ms", add_counter, "u", "k", 1, -1);
    REFUSE(g, "value", push_list, "u", "k", NULL, 0);
    REFUSE(g, "value", push_list, "u", "k", "\xff", 0);
    REFUSE(g, "count", try_limit, "u", "k", 0, 1, 1);
    REFUSE(g, "period_ms", try_limit, "u", "k", 1, 0, 1);
    REFUSE(g, "period_ms", try_limit, "u", "k", 1, -5, 1);
    REFUSE(g, "period_ms", try_limit, "u", "k", 1, INT64_MAX, 1);
    gavat_op *scan = held(g);
    RUN(scan, scan_state, 0, NULL);
    assert_int_equal(gavat_op_count(scan), 0);
    gavat_op_unref(scan);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(cooldowns_are_taken_once_and_ended_by_clear),
        cmocka_unit_test(a_cooldown_is_stored_as_the_original_does),
        cmocka_unit_test(counters_count_up_and_down_within_64_bits),
        cmocka_unit_test(lists_are_read_as_redis_does),
        cmocka_unit_test(a_capped_list_keeps_the_newest_in_order),
        cmocka_unit_test(a_limit_says_what_is_left_and_when_to_come_again),
        cmocka_unit_test(of_a_hundred_callers_three_get_the_three_permits_and_one_the_cooldown),
        cmocka_unit_test(sixty_four_threads_on_one_counter_lose_nothing),
        cmocka_unit_test(compare_and_set_loses_no_update),
        cmocka_unit_test(users_and_names_that_would_mix_keys_are_refused),
        cmocka_unit_test(values_and_spans_out_of_bounds_are_refused),
    };
    return run_on_state("state_calls", cases, sizeof cases / sizeof *cases);
}
