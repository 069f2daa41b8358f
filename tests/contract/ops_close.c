/* ops_close.c: the end of a client: its last callback, its counts, its time, and what still works afterwards; opening
 * more than once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"

typedef struct ending {
    seen close;
    unsigned calls_before;      /* of the ops, when close called back */
    seen ops;
    char text[200];
} ending;

static void on_closed(gavat_op *op, void *user)
{
    ending *e = user;
    e->calls_before = atomic_load(&e->ops.calls);
    snprintf(e->text, sizeof e->text, "%s", gavat_op_text(op, NULL));
    on_done(op, &e->close);
}

static void give_up(box *b)
{
    gavat_close_wait(b->g, 5000);
    gavat_unref(b->g);
    b->g = NULL;
}

static void close_is_the_last_callback_and_counts(void **state)
{
    box *b = *state;
    ending e = {0};
    for (unsigned i = 0; i < 3; i++)
        submit(gavat_op_new(b->g, on_done, &e.ops), &keep_kind);
    gavat_op *first = wait_kept();
    assert_true(gv_op_take(first));
    finish_kept(first);
    gavat_op *second = wait_kept();
    assert_true(gv_op_take(second));
    gv_op_fail(second, GAVAT_EREJECTED, 0, "", "no");
    gv_op_finish(second);
    gavat_close(b->g, on_closed, &e, 5000);
    gavat_close(b->g, on_closed, &e, 1);        /* does nothing */
    finish_kept(wait_kept());
    assert_int_equal(gavat_close_wait(b->g, 1), GAVAT_OK);
    assert_int_equal(atomic_load(&e.close.calls), 1);
    assert_int_equal(atomic_load(&e.close.status), GAVAT_OK);
    assert_int_equal(e.calls_before, 3);
    assert_string_equal(e.text, "{\"committed\":2,\"spooled\":0,\"failed\":1,\"unknown\":0}");
}

static void close_ends_in_time_with_a_store_that_is_stuck(void **state)
{
    box *b = *state;
    ending e = {0};
    gavat_op *taken = held(b->g), *free_one = held(b->g);
    submit(taken, &keep_kind);
    submit(free_one, &keep_kind);
    gavat_op *stuck = wait_kept(), *other = wait_kept();
    assert_true(gv_op_take(stuck));
    uint64_t began = clock_ms();
    gavat_close(b->g, on_closed, &e, 300);
    assert_int_equal(gavat_close_wait(b->g, 300), GAVAT_ETIMEDOUT);
    assert_in_range(clock_ms() - began, 200, 3000);
    assert_int_equal(gavat_op_status(taken), GAVAT_ECLOSED);
    assert_int_equal(gavat_op_error(taken)->flags, GAVAT_ERROR_MAYBE_APPLIED);
    assert_int_equal(gavat_op_status(free_one), GAVAT_ECLOSED);
    assert_int_equal(gavat_op_error(free_one)->flags, 0);
    assert_string_equal(e.text, "{\"committed\":0,\"spooled\":0,\"failed\":1,\"unknown\":1}");
    finish_kept(stuck);         /* long after: nobody listens, nothing breaks */
    gv_op_finish(other);
    assert_int_equal(gavat_op_status(taken), GAVAT_ECLOSED);
    gavat_op_unref(taken);
    gavat_op_unref(free_one);
}

static void ops_that_wait_for_an_open_that_never_came_end_at_once(void **state)
{
    box *b = *state;
    gavat_event event = an_event("u1", "note", "early", 0);
    gavat_op *op = held(b->g);
    gavat_log_event(op, &event);
    uint64_t began = clock_ms();
    assert_int_equal(gavat_close_wait(b->g, 20000), GAVAT_OK);
    assert_in_range(clock_ms() - began, 0, 5000);
    assert_int_equal(gavat_op_wait(op), GAVAT_ECLOSED);
    assert_int_equal(gavat_op_error(op)->flags, 0);
    gavat_op_unref(op);
}

static void an_op_made_before_close_and_submitted_after_ends_closed(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_op *during = gavat_op_ref(gavat_op_new(b->g, on_done, &s)), *after = held(b->g), *kept_op = held(b->g);
    submit(kept_op, &keep_kind);
    gavat_op *kept = wait_kept();
    gavat_close(b->g, NULL, NULL, 5000);
    assert_null(gavat_op_new(b->g, NULL, NULL));
    assert_null(gavat_op_new_reserved(b->g, NULL, NULL));
    submit(during, &nothing_kind);
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_ECLOSED);
    finish_kept(kept);
    assert_int_equal(gavat_close_wait(b->g, 5000), GAVAT_OK);
    submit(after, &nothing_kind);
    assert_int_equal(gavat_op_wait(after), GAVAT_ECLOSED);
    assert_string_not_equal(gavat_op_error(after)->message, "");
    gavat_op_unref(during);
    gavat_op_unref(after);
    gavat_op_unref(kept_op);
    assert_true(is_balanced(b->g));
}

static void accessors_and_unref_work_when_the_client_is_gone(void **state)
{
    box *b = *state;
    gavat_op *op = held(b->g), *unused = held(b->g);
    gavat_get_settings(op);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    give_up(b);
    assert_true(gavat_op_count(op) > 5);
    assert_non_null(gavat_op_json(op, 0, NULL));
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_wait(unused), GAVAT_EINVAL);
    gavat_op_cancel(unused);
    gavat_op_unref(op);
    gavat_op_unref(unused);
}

static gavat_op *kept_close;
static void keep_close(gavat_op *op, void *user)
{
    kept_close = gavat_op_ref(op);
    on_done(op, user);
}

static void the_closing_op_may_be_kept_too(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_close(b->g, keep_close, &s, 1000);
    give_up(b);
    assert_int_equal(gavat_op_wait(kept_close), GAVAT_OK);
    assert_non_null(strstr(gavat_op_text(kept_close, NULL), "\"committed\":0"));
    gavat_op_unref(kept_close);
}

static void the_last_unref_closes_a_client_that_was_left_open(void **state)
{
    box *b = *state;
    gavat_op *op = held(b->g);
    submit(op, &nothing_kind);
    gavat_op_wait(op);
    gavat_set_log(b->g, -1, NULL, NULL);        /* it is an error, and logged as one */
    gavat *g = b->g;
    b->g = NULL;
    gavat_unref(g);
    for (int i = 0; i < 5000 && !atomic_load(&g->gone); i++)    /* op holds it */
        usleep(1000);
    assert_true(atomic_load(&g->gone));
    gavat_op_unref(op);
}

static void *close_it(void *g)
{
    return gavat_close_wait(g, 5000) == GAVAT_OK ? g : NULL;
}

static void many_threads_may_close_at_once(void **state)
{
    box *b = *state;
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, close_it, b->g), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, b->g);
    }
    pthread_t again;            /* a new thread may get the number of the loop's */
    void *result;
    assert_int_equal(pthread_create(&again, NULL, close_it, b->g), 0);
    pthread_join(again, &result);
    assert_ptr_equal(result, b->g);
}

/* --- opening --- */

static void two_opens_at_once_hear_the_same(void **state)
{
    box *b = *state;
    gavat_op *ops[4];
    for (unsigned i = 0; i < 4; i++)
        ops[i] = held(b->g);
    for (unsigned i = 0; i < 4; i++)
        gavat_open(ops[i]);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(gavat_op_wait(ops[i]), GAVAT_OK);
        assert_string_equal(gavat_op_text(ops[i], NULL), "{\"events\":\"up\"}");
        gavat_op_unref(ops[i]);
    }
    log_one(b->g, "u1", "open", 0);
}

static void an_open_that_fails_is_not_well_the_second_time(void **state)
{
    box *b = *state;
    char path[300];
    snprintf(path, sizeof path, "%s/events.db", b->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    gavat_set_log(b->g, -1, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        gavat_op *op = held(b->g);
        gavat_open(op);
        assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
        assert_string_not_equal(gavat_op_error(op)->message, "");
        gavat_op_unref(op);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(close_is_the_last_callback_and_counts),
        CASE(close_ends_in_time_with_a_store_that_is_stuck),
        CASE(ops_that_wait_for_an_open_that_never_came_end_at_once),
        CASE(an_op_made_before_close_and_submitted_after_ends_closed),
        CASE(accessors_and_unref_work_when_the_client_is_gone),
        CASE(the_closing_op_may_be_kept_too),
        CASE(the_last_unref_closes_a_client_that_was_left_open),
        CASE(many_threads_may_close_at_once),
        CASE(two_opens_at_once_hear_the_same),
        CASE(an_open_that_fails_is_not_well_the_second_time),
    };
    return cmocka_run_group_tests_name("ops_close", cases, NULL, NULL);
}
