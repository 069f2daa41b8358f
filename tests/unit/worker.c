#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../contract/ops_kinds.h"
#include "core/worker.h"
#include <signal.h>

/* Ops reach the worker through a kind whose run, on the loop, puts them there. */
static gv_worker *the_worker;

static void run_push(gavat *g, gavat_op *op)
{
    (void)g;
    gv_worker_push(the_worker, op);
}

static const gv_kind push_kind = {"push", GV_CORE, 27, 0, run_push};

typedef struct shop {
    box *b;
    gv_worker worker;
    atomic_uint waits, taken, signals_open, ended;
    atomic_bool slow;
} shop;

static void work(gv_worker *worker)
{
    shop *s = worker->self;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP && !sigismember(&mask, number))
            atomic_fetch_add(&s->signals_open, 1);
    for (;;) {
        gv_list ops;
        gv_link *link;
        gv_list_init(&ops);
        bool found = gv_worker_wait(worker, UINT32_MAX);
        atomic_fetch_add(&s->waits, 1);
        if (!found && gv_worker_stopping(worker))
            return;
        gv_worker_take(worker, &ops, 3);
        while ((link = gv_list_take(&ops))) {
            gavat_op *op = GV_CONTAINER(link, gavat_op, link);
            if (atomic_load(&s->slow))
                usleep(1000);
            if (gv_op_take(op))
                gv_op_succeed(op, GAVAT_REACHED_MEMORY);
            atomic_fetch_add(&s->taken, 1);         /* before whoever waits for the op can look at it */
            gv_op_finish(op);
        }
    }
}

static void note_ended(gv_worker *worker)
{
    atomic_fetch_add(&((shop *)worker->self)->ended, 1);
}

static int open_shop(void **state)
{
    void *inner;
    set_up(&inner);
    shop *s = calloc(1, sizeof *s);
    s->b = inner;
    gv_worker_init(&s->worker, &s->b->g->stores[GV_EVENTS], "test-worker", work, s);
    s->worker.ended = note_ended;
    the_worker = &s->worker;
    *state = s;
    return 0;
}

static bool has_ended(void *user)
{
    return atomic_load(&((shop *)user)->ended) == 1;
}

static int close_shop(void **state)
{
    shop *s = *state;
    void *inner = s->b;
    gv_worker_stop(&s->worker);
    bool ran = atomic_load(&s->waits) > 0;
    bool ended = !ran || wait_until(has_ended, s);
    tear_down(&inner);
    free(s);
    return ended ? 0 : 1;
}

static void each_op_is_worked_on_once_by_several_threads(void **state)
{
    shop *s = *state;
    seen calls = {0};
    for (unsigned i = 0; i < 3; i++)
        assert_true(gv_worker_start(&s->worker));
    for (unsigned i = 0; i < 2000; i++)
        submit(gavat_op_new(s->b->g, on_done, &calls), &push_kind);
    while (atomic_load(&calls.calls) < 2000)
        usleep(1000);
    assert_int_equal(atomic_load(&s->taken), 2000);
    assert_int_equal(s->worker.count, 0);
    assert_int_equal(atomic_load(&s->signals_open), 0);
}

static void what_waits_when_it_stops_is_still_done_and_what_comes_later_is_not(void **state)
{
    shop *s = *state;
    gavat_op *ops[20], *late = held(s->b->g);
    atomic_store(&s->slow, true);
    assert_true(gv_worker_start(&s->worker));
    for (unsigned i = 0; i < 20; i++) {
        ops[i] = held(s->b->g);
        submit(ops[i], &push_kind);
    }
    gavat_op *fence = held(s->b->g);
    submit(fence, &nothing_kind);       /* the loop has pushed all before it */
    gavat_op_wait(fence);
    gv_worker_stop(&s->worker);
    submit(late, &push_kind);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(gavat_op_wait(ops[i]), GAVAT_OK);
        gavat_op_unref(ops[i]);
    }
    assert_int_equal(gavat_op_wait(late), GAVAT_ECLOSED);
    gavat_op_unref(late);
    gavat_op_unref(fence);
}

static void before_it_is_started_nothing_is_taken_in(void **state)
{
    shop *s = *state;
    gavat_op *op = held(s->b->g);
    submit(op, &push_kind);
    assert_int_equal(gavat_op_wait(op), GAVAT_ECLOSED);
    gavat_op_unref(op);
}

static bool has_waited(void *user)
{
    return atomic_load(&((shop *)user)->waits) > 0;
}

static void a_poke_ends_a_wait_without_ops(void **state)
{
    shop *s = *state;
    assert_true(gv_worker_start(&s->worker));
    gv_worker_poke(&s->worker);
    assert_true(wait_until(has_waited, s));
    assert_int_equal(atomic_load(&s->taken), 0);
}

static void a_wait_ends_when_its_time_is_up(void **state)
{
    shop *s = *state;
    uint64_t began = clock_ms();
    assert_false(gv_worker_wait(&s->worker, 50));
    assert_in_range(clock_ms() - began, 49, 5000);
}

#define SHOP(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest cases[] = {
        SHOP(each_op_is_worked_on_once_by_several_threads),
        SHOP(what_waits_when_it_stops_is_still_done_and_what_comes_later_is_not),
        SHOP(before_it_is_started_nothing_is_taken_in),
        SHOP(a_poke_ends_a_wait_without_ops),
        SHOP(a_wait_ends_when_its_time_is_up),
    };
    return cmocka_run_group_tests_name("worker", cases, NULL, NULL);
}
