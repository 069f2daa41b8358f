/* ops.c: what every op promises: its callback, its references, waiting for it, its place in the order, its loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"
#include <uv.h>

/* --- callbacks --- */

static void a_callback_comes_once_on_the_loops_thread(void **state)
{
    box *b = *state;
    seen s = {0};
    submit(gavat_op_new(b->g, on_done, &s), &nothing_kind);
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_OK);
    assert_true(pthread_equal(s.thread, b->g->loop_thread));
    assert_false(pthread_equal(s.thread, pthread_self()));
}

static void bad_arguments_come_through_the_callback_too(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_event none = gavat_event_init();
    gavat_log_event(gavat_op_new(b->g, on_done, &s), &none);
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_EINVAL);
}

static void resubmit(gavat_op *op, void *user)
{
    seen *s = user;
    gavat *g = gavat_op_client(op);
    atomic_store(&s->inside, true);
    submit(gavat_op_new(g, on_done, s), &nothing_kind);
    gavat_op *refused = gavat_op_new(g, on_done, s);
    gavat_event none = gavat_event_init();
    gavat_log_event(refused, &none);
    atomic_store(&s->inside, false);
}

static void a_callback_never_comes_inside_the_submitting_call(void **state)
{
    box *b = *state;
    seen s = {0};
    submit(gavat_op_new(b->g, resubmit, &s), &nothing_kind);
    while (atomic_load(&s.calls) < 2)
        usleep(1000);
    expect_calls(&s, 2);
    assert_false(atomic_load(&s.was_inside));
}

static void a_second_submit_is_ignored(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_set_log(b->g, -1, NULL, NULL);        /* its line is expected */
    gavat_op *op = gavat_op_ref(gavat_op_new(b->g, on_done, &s));
    submit(op, &keep_kind);
    submit(op, &nothing_kind);
    finish_kept(wait_kept());
    expect_calls(&s, 1);
    assert_ptr_equal(op->kind, &keep_kind);
    gavat_op_unref(op);
}

static void note_order(gavat_op *op, void *user)
{
    seen *s = user;
    s->order[atomic_load(&s->calls)] = (unsigned)op->timeout_ms;
    atomic_fetch_add(&s->calls, 1);
}

static void ops_of_one_thread_keep_their_order(void **state)
{
    box *b = *state;
    seen s = {0};
    for (unsigned i = 0; i < 64; i++) {
        gavat_op *op = gavat_op_new(b->g, note_order, &s);
        gavat_op_set_timeout(op, 5000 + i);
        submit(op, &nothing_kind);
    }
    while (atomic_load(&s.calls) < 64)
        usleep(1000);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(s.order[i], 5000 + i);
}

/* --- references --- */

static void an_op_never_submitted_goes_with_its_reference(void **state)
{
    box *b = *state;
    gavat_op_unref(gavat_op_new(b->g, NULL, NULL));
    gavat_op_unref(gavat_op_new_held(b->g));
    gavat_op_unref(gavat_op_new_reserved(b->g, NULL, NULL));
    assert_true(is_balanced(b->g));
}

static void a_held_op_stays_readable_until_its_unref(void **state)
{
    box *b = *state;
    gavat_op *op = held(b->g);
    assert_int_equal(gavat_op_status(op), GAVAT_PENDING);
    submit(op, &nothing_kind);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_reached(op), GAVAT_REACHED_MEMORY);
    assert_ptr_equal(gavat_op_client(op), b->g);
    assert_int_equal(atomic_load(&b->g->live), 0);
    assert_false(is_balanced(b->g));
    gavat_op_unref(op);
    assert_true(wait_until(is_balanced, b->g));
}

static gavat_op *kept_by_callback;
static void keep_reference(gavat_op *op, void *user)
{
    kept_by_callback = gavat_op_ref(op);
    on_done(op, user);
}

static void a_callback_may_keep_its_op(void **state)
{
    box *b = *state;
    seen s = {0};
    submit(gavat_op_new(b->g, keep_reference, &s), &nothing_kind);
    expect_calls(&s, 1);
    assert_int_equal(gavat_op_wait(kept_by_callback), GAVAT_OK);
    gavat_op_unref(kept_by_callback);
    assert_true(wait_until(is_balanced, b->g));
}

static void null_is_accepted_everywhere(void **state)
{
    (void)state;
    gavat_event event = gavat_event_init();
    assert_null(gavat_op_new(NULL, NULL, NULL));
    assert_null(gavat_op_new_held(NULL));
    assert_null(gavat_op_new_wait(NULL, NULL, NULL, 1));
    assert_null(gavat_op_new_reserved(NULL, NULL, NULL));
    assert_null(gavat_op_ref(NULL));
    gavat_op_unref(NULL);
    gavat_op_cancel(NULL);
    gavat_op_set_timeout(NULL, 1);
    gavat_op_set_progress(NULL, NULL, NULL);
    assert_int_equal(gavat_op_wait(NULL), GAVAT_EBUSY);
    assert_int_equal(gavat_op_status(NULL), GAVAT_EBUSY);
    assert_non_null(strstr(gavat_op_error(NULL)->message, "not admitted"));
    assert_int_equal(gavat_op_reached(NULL), GAVAT_REACHED_NONE);
    assert_null(gavat_op_client(NULL));
    assert_int_equal(gavat_op_number(NULL), 0);
    size_t length = 7;
    assert_string_equal(gavat_op_text(NULL, &length), "");
    assert_int_equal(length, 0);
    assert_int_equal(gavat_op_count(NULL), 0);
    assert_null(gavat_op_cursor(NULL));
    assert_null(gavat_op_json(NULL, 0, NULL));
    assert_string_equal(gavat_op_uid(NULL), "");
    assert_null(gavat_op_rejected(NULL, 0, NULL));
    gavat_flush(NULL);
    gavat_open(NULL);
    gavat_get_metrics(NULL, GAVAT_METRICS_JSON);
    gavat_get_health(NULL);
    gavat_get_settings(NULL);
    gavat_check_stores(NULL);
    gavat_prune_events(NULL, 1);
    gavat_log_event(NULL, &event);
    gavat_import_batch(NULL, NULL);
    gavat_commit_batch(NULL, NULL);
    gavat_batch_free(NULL);
    assert_null(gavat_batch_new(NULL));
    gavat_close(NULL, NULL, NULL, 0);
    assert_int_equal(gavat_close_wait(NULL, 0), GAVAT_EINVAL);
    assert_null(gavat_ref(NULL));
    gavat_unref(NULL);
    gavat_set_room(NULL, NULL, NULL);
    gavat_set_health(NULL, NULL, NULL);
    gavat_set_log(NULL, 0, NULL, NULL);
    gavat_set_clock(NULL, NULL, NULL);
    assert_int_equal(gavat_new(NULL, NULL, NULL), GAVAT_EINVAL);
}

/* --- waiting --- */

static void waiting_for_an_op_never_submitted_is_refused(void **state)
{
    box *b = *state;
    gavat_op *op = held(b->g);
    assert_int_equal(gavat_op_wait(op), GAVAT_EINVAL);
    gavat_op_unref(op);
}

static gavat_op *waited_for;
static void wait_on_the_loop(gavat_op *op, void *user)
{
    seen *s = user;
    gavat *g = gavat_op_client(op);
    atomic_store(&s->status, gavat_op_wait(waited_for));
    s->order[0] = (unsigned)gavat_close_wait(g, 1);
    s->order[1] = gavat_op_new_wait(g, NULL, NULL, 10000) == NULL;
    atomic_fetch_add(&s->calls, 1);
}

static void waiting_on_the_loops_thread_is_refused(void **state)
{
    box *b = *state;
    seen s = {0};
    waited_for = held(b->g);
    submit(waited_for, &keep_kind);
    submit(gavat_op_new(b->g, wait_on_the_loop, &s), &nothing_kind);
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_EDEADLK);
    assert_int_equal((int)s.order[0], GAVAT_EDEADLK);
    assert_int_equal(s.order[1], 1);
    finish_kept(wait_kept());
    assert_int_equal(gavat_op_wait(waited_for), GAVAT_OK);
    gavat_op_unref(waited_for);
}

static void wait_returns_when_the_callback_has_returned(void **state)
{
    box *b = *state;
    seen s = {.sleep_ms = 200};
    gavat_op *op = gavat_op_ref(gavat_op_new(b->g, on_done, &s));
    submit(op, &nothing_kind);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(atomic_load(&s.calls), 1);
    gavat_op_unref(op);
}

static void wait_outlasts_a_callback_that_outlasts_the_deadline(void **state)
{
    box *b = *state;
    seen s = {.sleep_ms = 600};
    gavat_op *op = gavat_op_ref(gavat_op_new(b->g, on_done, &s));
    gavat_op_set_timeout(op, 150);
    submit(op, &nothing_kind);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(atomic_load(&s.calls), 1);
    gavat_op_unref(op);
}

static void *wait_for_it(void *op)
{
    return gavat_op_wait(op) == GAVAT_OK ? op : NULL;
}

static void wait_keeps_its_own_clock_when_the_loop_stands_still(void **state)
{
    box *b = *state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    gavat *g = bare_client(b->folder, NULL, &loop);
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 200);
    submit(op, &nothing_kind);

    pthread_t other;
    uint64_t began = clock_ms();
    assert_int_equal(pthread_create(&other, NULL, wait_for_it, op), 0);
    pthread_join(other, NULL);
    assert_int_equal(gavat_op_status(op), GAVAT_ETIMEDOUT);
    assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    assert_in_range(clock_ms() - began, 195, 5000);
    gavat_op_unref(op);

    gavat_close(g, NULL, NULL, 1000);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    gavat_unref(g);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void many_threads_may_wait_for_one_op(void **state)
{
    box *b = *state;
    gavat_op *op = held(b->g);
    pthread_t threads[4];
    submit(op, &keep_kind);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, op), 0);
    usleep(20000);
    finish_kept(wait_kept());
    for (unsigned i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, op);
    }
    gavat_op_unref(op);
}

/* --- loops --- */

static void a_callers_loop_calls_back_on_its_thread_and_ends_with_close(void **state)
{
    box *b = *state;
    seen s = {0}, closed = {0};
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    gavat *g = bare_client(b->folder, NULL, &loop);
    submit(gavat_op_new(g, on_done, &s), &nothing_kind);
    assert_int_equal(atomic_load(&s.calls), 0);
    gavat_close(g, on_done, &closed, 1000);
    gavat_unref(g);             /* the client lives on until it is closed */
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(atomic_load(&s.calls), 1);
    assert_int_equal(atomic_load(&closed.calls), 1);
    assert_true(pthread_equal(s.thread, pthread_self()));
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void two_clients_share_a_loop_and_a_process(void **state)
{
    box *b = *state;
    seen one = {0}, two = {0};
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    gavat *g = bare_client(b->folder, NULL, &loop), *h = bare_client(b->folder, NULL, &loop);
    submit(gavat_op_new(g, on_done, &one), &nothing_kind);
    submit(gavat_op_new(h, on_done, &two), &nothing_kind);
    gavat_close(g, NULL, NULL, 1000);
    gavat_close(h, NULL, NULL, 1000);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(atomic_load(&one.calls), 1);
    assert_int_equal(atomic_load(&two.calls), 1);
    gavat_unref(g);
    gavat_unref(h);
    assert_int_equal(uv_loop_close(&loop), 0);
    gavat_op *op = held(b->g);  /* the third, on a thread of its own, goes on */
    submit(op, &nothing_kind);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_callback_comes_once_on_the_loops_thread),
        CASE(bad_arguments_come_through_the_callback_too),
        CASE(a_callback_never_comes_inside_the_submitting_call),
        CASE(a_second_submit_is_ignored),
        CASE(ops_of_one_thread_keep_their_order),
        CASE(an_op_never_submitted_goes_with_its_reference),
        CASE(a_held_op_stays_readable_until_its_unref),
        CASE(a_callback_may_keep_its_op),
        CASE(null_is_accepted_everywhere),
        CASE(waiting_for_an_op_never_submitted_is_refused),
        CASE(waiting_on_the_loops_thread_is_refused),
        CASE(wait_returns_when_the_callback_has_returned),
        CASE(wait_outlasts_a_callback_that_outlasts_the_deadline),
        CASE(wait_keeps_its_own_clock_when_the_loop_stands_still),
        CASE(many_threads_may_wait_for_one_op),
        CASE(a_callers_loop_calls_back_on_its_thread_and_ends_with_close),
        CASE(two_clients_share_a_loop_and_a_process),
    };
    return cmocka_run_group_tests_name("ops", cases, NULL, NULL);
}
