/* ops_bounds.c: what a client takes on: bounds of ops and bytes, refusals and the word of room, the reserve; and what
 * it tells on the loop: log lines, health, progress; the clock that may be set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"

enum { PLACES = 16 };
static const char *const few[] = {"GAVAT_MAX_OPS", "16", NULL};
static const char *const small[] = {"GAVAT_MAX_BYTES", "1MiB", "GAVAT_MAX_RECORD", "1MiB", NULL};

static gavat *restart(box *b, const char *const *settings)
{
    close_client(b->g);
    b->g = bare_client(b->folder, settings, NULL);
    return b->g;
}

static void fill(gavat *g, gavat_op *ops[PLACES])
{
    for (unsigned i = 0; i < PLACES; i++) {
        ops[i] = held(g);
        submit(ops[i], &keep_kind);
    }
}

static void empty(gavat_op *ops[PLACES])
{
    for (unsigned i = 0; i < PLACES; i++)
        finish_kept(wait_kept());
    for (unsigned i = 0; i < PLACES; i++) {
        assert_int_equal(gavat_op_wait(ops[i]), GAVAT_OK);
        gavat_op_unref(ops[i]);
    }
}

static atomic_uint rooms;
static void on_room(gavat *g, void *user)
{
    assert_true(gv_on_loop(g));
    atomic_fetch_add((atomic_uint *)user, 1);
}

static bool was_told(void *user)
{
    return atomic_load((atomic_uint *)user) > 0;
}

static void at_the_bound_of_ops_the_next_is_refused_until_one_ends(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    gavat_set_log(g, -1, NULL, NULL);
    fill(g, ops);
    assert_null(gavat_op_new(g, NULL, NULL));
    assert_null(gavat_op_new_held(g));
    assert_null(gavat_op_new_wait(g, NULL, NULL, 30));
    assert_int_equal(atomic_load(&g->refusals), 3);
    assert_int_equal(atomic_load(&g->live), PLACES);
    finish_kept(wait_kept());
    assert_int_equal(gavat_op_wait(ops[0]), GAVAT_OK);
    gavat_op *op = held(g);
    gavat_op_unref(op);
    gavat_op_unref(ops[0]);
    ops[0] = held(g);
    submit(ops[0], &keep_kind);
    empty(ops);
    assert_true(wait_until(is_balanced, g));
}

static void room_is_told_once_when_half_is_free(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    atomic_store(&rooms, 0);
    gavat_set_log(g, -1, NULL, NULL);
    gavat_set_room(g, on_room, &rooms);
    fill(g, ops);
    assert_null(gavat_op_new(g, NULL, NULL));
    assert_null(gavat_op_new(g, NULL, NULL));
    for (unsigned i = 0; i < PLACES / 2 - 1; i++)
        finish_kept(wait_kept());
    usleep(50000);
    assert_int_equal(atomic_load(&rooms), 0);
    finish_kept(wait_kept());   /* the ops are still held: places count, not memory */
    assert_true(wait_until(was_told, &rooms));
    for (unsigned i = PLACES / 2; i < PLACES; i++)
        finish_kept(wait_kept());
    for (unsigned i = 0; i < PLACES; i++) {
        gavat_op_wait(ops[i]);
        gavat_op_unref(ops[i]);
    }
    usleep(50000);
    assert_int_equal(atomic_load(&rooms), 1);
}

typedef struct asker {
    pthread_t thread;
    gavat *g;
    gavat_op *op;
} asker;

static void *ask(void *user)
{
    asker *a = user;
    a->op = gavat_op_new_wait(a->g, NULL, NULL, 20000);
    return NULL;
}

/* Not only when half is free: each place that comes free is somebody's. */
static void whoever_waits_for_room_gets_each_place_that_comes_free(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    asker askers[4] = {0};
    uint64_t began = clock_ms();
    fill(g, ops);
    for (unsigned i = 0; i < 4; i++) {
        askers[i].g = g;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    usleep(50000);
    for (unsigned i = 0; i < 3; i++)
        finish_kept(wait_kept());
    for (unsigned i = 0; i < 3; i++)
        gavat_op_wait(ops[i]);
    for (int i = 0; i < 5000 && atomic_load(&g->waiting_for_room) > 1; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&g->waiting_for_room), 1);
    for (unsigned i = 3; i < PLACES; i++)
        finish_kept(wait_kept());
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_non_null(askers[i].op);
        gavat_op_unref(askers[i].op);
    }
    for (unsigned i = 0; i < PLACES; i++) {
        gavat_op_wait(ops[i]);
        gavat_op_unref(ops[i]);
    }
    assert_in_range(clock_ms() - began, 0, 10000);
}

/* An op that is never submitted gives its place back, too. */
static void a_place_given_back_unused_wakes_those_who_wait(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    asker one = {.g = g};
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < PLACES; i++)
        ops[i] = held(g);
    assert_int_equal(pthread_create(&one.thread, NULL, ask, &one), 0);
    usleep(50000);
    gavat_op_unref(ops[0]);
    pthread_join(one.thread, NULL);
    assert_non_null(one.op);
    assert_in_range(clock_ms() - began, 0, 10000);
    gavat_op_unref(one.op);
    for (unsigned i = 1; i < PLACES; i++)
        gavat_op_unref(ops[i]);
}

static void close_wakes_those_who_wait_for_room(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    asker one = {.g = g};
    for (unsigned i = 0; i < PLACES; i++)
        ops[i] = held(g);
    assert_int_equal(pthread_create(&one.thread, NULL, ask, &one), 0);
    usleep(50000);
    gavat_close(g, NULL, NULL, 1000);
    pthread_join(one.thread, NULL);
    assert_null(one.op);
    for (unsigned i = 0; i < PLACES; i++)
        gavat_op_unref(ops[i]);
}

static void an_op_that_would_pass_the_byte_bound_ends_busy(void **state)
{
    gavat *g = restart(*state, small);
    gavat_event event = gavat_event_init();
    char *text = repeat("x", 600000);
    gavat_set_log(g, -1, NULL, NULL);
    event.user_id = "u1";
    event.type = "note";
    event.message = text;
    gavat_op *first = held(g), *second = held(g);
    gavat_log_event(first, &event);
    gavat_log_event(second, &event);
    assert_int_equal(gavat_op_wait(second), GAVAT_EBUSY);
    assert_int_equal(gavat_op_error(second)->flags, GAVAT_ERROR_RETRY);
    expect_words(second, "GAVAT_MAX_BYTES", __FILE__, __LINE__);
    assert_in_range(atomic_load(&g->bytes), 600000, 650000);
    assert_int_equal(atomic_load(&g->refusals), 1);
    gavat_op *third = gavat_op_new_wait(g, NULL, NULL, 20);     /* more than half is taken: waits, then takes what there is */
    assert_non_null(third);
    gavat_op_unref(third);
    gavat_op_unref(second);
    gavat_op_cancel(first);
    gavat_op_unref(first);
    free(text);
}

static void the_reserve_serves_when_the_bounds_are_reached(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES], *reserved[GV_RESERVED_OPS];
    seen s = {0};
    fill(g, ops);
    for (unsigned i = 0; i < GV_RESERVED_OPS; i++)
        assert_non_null(reserved[i] = gavat_op_new_reserved(g, on_done, &s));
    assert_null(gavat_op_new_reserved(g, NULL, NULL));
    gavat_get_metrics(reserved[0], GAVAT_METRICS_JSON);
    gavat_get_health(reserved[1]);
    gavat_flush(reserved[2]);
    gavat_op *wrong = gavat_op_ref(reserved[3]);
    submit(reserved[3], &nothing_kind);
    assert_int_equal(gavat_op_wait(wrong), GAVAT_EINVAL);
    gavat_op_unref(wrong);
    for (unsigned i = 4; i < GV_RESERVED_OPS; i++)
        gavat_op_unref(reserved[i]);
    empty(ops);
    while (atomic_load(&s.calls) < 4)
        usleep(1000);
    assert_true(wait_until(is_balanced, g));
}

/* --- what the loop tells --- */

typedef struct lines {
    gavat *g;
    atomic_uint count;
    atomic_bool elsewhere;
    char last[300];
} lines;

static void on_line(int32_t level, const char *area, const char *text, void *user)
{
    lines *l = user;
    (void)level;
    (void)area;
    if (!gv_on_loop(l->g))
        atomic_store(&l->elsewhere, true);
    snprintf(l->last, sizeof l->last, "%s", text);
    atomic_fetch_add(&l->count, 1);
}

static bool has_lines(void *user)
{
    return atomic_load(&((lines *)user)->count) > 0;
}

static void log_lines_come_on_the_loop_up_to_their_level(void **state)
{
    box *b = *state;
    lines l = {.g = b->g};
    gavat_set_log(b->g, GAVAT_LOG_INFO, on_line, &l);
    gv_log(b->g, GAVAT_LOG_DEBUG, "test", "not this one");
    gv_log(b->g, GAVAT_LOG_INFO, "test", "number %d", 7);
    assert_true(wait_until(has_lines, &l));
    usleep(20000);
    assert_int_equal(atomic_load(&l.count), 1);
    assert_string_equal(l.last, "number 7");
    assert_false(atomic_load(&l.elsewhere));
    gavat_set_log(b->g, -1, NULL, NULL);
}

static void refusals_are_logged_a_line_a_second(void **state)
{
    gavat *g = restart(*state, few);
    gavat_op *ops[PLACES];
    lines l = {.g = g};
    gavat_set_log(g, GAVAT_LOG_WARN, on_line, &l);
    fill(g, ops);
    while (!has_lines(&l))
        if (gavat_op_new(g, NULL, NULL))
            fail_msg("a place too many");
    for (int i = 0; i < 1000; i++)
        assert_null(gavat_op_new(g, NULL, NULL));
    assert_in_range(atomic_load(&l.count), 1, 2);       /* 2: a second has passed meanwhile */
    empty(ops);
    close_client(g);
    ((box *)*state)->g = NULL;
    assert_int_equal(atomic_load(&l.count), 2);         /* the rest of them at the end */
    assert_non_null(strstr(l.last, "calls were refused"));
}

static gavat_time fixed_time(void *user)
{
    return *(gavat_time *)user;
}

static void the_clock_may_be_set(void **state)
{
    box *b = *state;
    gavat_time time = T0 + 42 * SECOND;
    gavat_set_clock(b->g, fixed_time, &time);
    assert_true(gv_now(b->g) == time);
    gavat_set_clock(b->g, NULL, NULL);
    assert_true(gv_now(b->g) > time);
}

static void on_health(gavat *g, const char *area, gavat_health health, const char *reason, void *user)
{
    seen *s = user;
    (void)g;
    (void)reason;
    if (strcmp(area, "events") != 0)
        return;
    s->order[atomic_load(&s->calls) % 64] = (unsigned)health;
    atomic_fetch_add(&s->calls, 1);
}

static void health_is_told_at_each_change(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_set_health(b->g, on_health, &s);
    expect_calls(&s, 0);
    gv_store_set_health(&b->g->stores[GV_EVENTS], GAVAT_HEALTH_DEGRADED, "for a test");
    gv_store_set_health(&b->g->stores[GV_EVENTS], GAVAT_HEALTH_DEGRADED, "for another reason");
    expect_calls(&s, 1);
    gv_store_set_health(&b->g->stores[GV_EVENTS], GAVAT_HEALTH_UP, "");
    while (atomic_load(&s.calls) < 2)
        usleep(1000);
    assert_int_equal(s.order[0], GAVAT_HEALTH_DEGRADED);
    assert_int_equal(s.order[1], GAVAT_HEALTH_UP);
}

static void on_progress(gavat_op *op, const gavat_progress *progress, void *user)
{
    seen *s = user;
    assert_true(gv_on_loop(gavat_op_client(op)));
    assert_int_equal(gavat_op_status(op), GAVAT_PENDING);
    assert_int_equal(progress->total, 10);
    s->order[0] = (unsigned)progress->done;
    atomic_fetch_add(&s->calls, 1);
}

static void progress_comes_on_the_loop_before_the_end(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_op *op = held(b->g);
    gavat_op_set_progress(op, on_progress, &s);
    submit(op, &keep_long_kind);
    gavat_op *kept = wait_kept();
    gv_op_report(kept, 3, 10, 0, "records");
    expect_calls(&s, 1);
    assert_int_equal(s.order[0], 3);
    gv_op_report(kept, 4, 10, 0, "records");
    finish_kept(kept);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    unsigned calls = atomic_load(&s.calls);
    usleep(50000);
    assert_int_equal(atomic_load(&s.calls), calls);     /* none after wait has returned */
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(at_the_bound_of_ops_the_next_is_refused_until_one_ends),
        CASE(room_is_told_once_when_half_is_free),
        CASE(whoever_waits_for_room_gets_each_place_that_comes_free),
        CASE(a_place_given_back_unused_wakes_those_who_wait),
        CASE(close_wakes_those_who_wait_for_room),
        CASE(an_op_that_would_pass_the_byte_bound_ends_busy),
        CASE(the_reserve_serves_when_the_bounds_are_reached),
        CASE(log_lines_come_on_the_loop_up_to_their_level),
        CASE(refusals_are_logged_a_line_a_second),
        CASE(the_clock_may_be_set),
        CASE(health_is_told_at_each_change),
        CASE(progress_comes_on_the_loop_before_the_end),
    };
    return cmocka_run_group_tests_name("ops_bounds", cases, NULL, NULL);
}
