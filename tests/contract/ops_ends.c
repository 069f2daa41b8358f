/* ops_ends.c: how ops end without or against their store: deadlines, cancelling, and what is then known of the
 * outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"
#include <sqlite3.h>

static gavat_op *submit_held(gavat *g, const gv_kind *kind, uint32_t timeout_ms)
{
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, timeout_ms);
    submit(op, kind);
    return op;
}

static void expect_end(gavat_op *op, gavat_status status, uint32_t flags)
{
    assert_int_equal(gavat_op_wait(op), status);
    assert_int_equal(gavat_op_error(op)->flags, flags);
    assert_true(gavat_op_error(op)->message[0] != '\0' || status == GAVAT_OK);
    gavat_op_unref(op);
}

/* --- deadlines --- */

static void a_deadline_ends_an_op_that_its_store_has_not_begun(void **state)
{
    box *b = *state;
    seen s = {0};
    uint64_t began = clock_ms();
    gavat_op *op = gavat_op_new(b->g, on_done, &s);
    gavat_op_set_timeout(op, 100);
    submit(op, &keep_kind);
    gavat_op *kept = wait_kept();
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_ETIMEDOUT);
    assert_in_range(clock_ms() - began, 99, 5000);
    assert_int_equal(gavat_op_error(kept)->flags, GAVAT_ERROR_RETRY);
    assert_false(gv_op_take(kept));
    gv_op_finish(kept);
    expect_calls(&s, 1);
}

static void a_write_that_its_store_has_begun_may_be_applied(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_kind, 1500), *kept = wait_kept();
    assert_true(gv_op_take(kept));
    assert_true(gv_op_wanted(kept));
    assert_int_equal(gavat_op_wait(op), GAVAT_ETIMEDOUT);
    assert_false(gv_op_wanted(kept));
    finish_kept(kept);          /* too late: the outcome stays */
    expect_end(op, GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY | GAVAT_ERROR_MAYBE_APPLIED);
}

static void a_read_is_never_in_doubt(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_read_kind, 1500), *kept = wait_kept();
    assert_true(gv_op_take(kept));
    expect_end(op, GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY);
    gv_op_finish(kept);
}

static void long_work_has_no_deadline_unless_set(void **state)
{
    box *b = *state;
    const char *const soon[] = {"GAVAT_TIMEOUT", "100ms", NULL};
    gavat *g = bare_client(b->folder, soon, NULL);
    gavat_op *bounded = submit_held(g, &keep_kind, 0), *work = submit_held(g, &keep_long_kind, 0);
    gavat_op *first = wait_kept(), *second = wait_kept();
    assert_int_equal(gavat_op_wait(bounded), GAVAT_ETIMEDOUT);
    usleep(100000);
    assert_int_equal(gavat_op_status(work), GAVAT_PENDING);
    gv_op_finish(first);
    finish_kept(second);
    expect_end(work, GAVAT_OK, 0);
    gavat_op_unref(bounded);
    close_client(g);
}

static sqlite3 *lock_file(const char *folder)
{
    char path[300];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/events.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void deadlines_hold_while_another_process_holds_the_file(void **state)
{
    enum { OPS = 20 };
    box *b = *state;
    gavat_op *ops[OPS];
    seen seen_by[OPS] = {0};
    gavat_op *opening = held(b->g);
    gavat_open(opening);
    expect_end(opening, GAVAT_OK, 0);
    sqlite3 *db = lock_file(b->folder);
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < OPS; i++) {
        gavat_event event = an_event("u1", "note", "held up", (int64_t)i);
        ops[i] = gavat_op_ref(gavat_op_new(b->g, on_done, &seen_by[i]));
        gavat_op_set_timeout(ops[i], 200 + 20 * i);
        gavat_log_event(ops[i], &event);
    }
    for (unsigned i = 0; i < OPS; i++) {
        assert_int_equal(gavat_op_wait(ops[i]), GAVAT_ETIMEDOUT);
        assert_in_range(clock_ms() - began, 199 + 20 * i, 199 + 20 * i + 2000);
        assert_int_equal(gavat_op_error(ops[i])->flags, GAVAT_ERROR_RETRY);
        assert_string_equal(gavat_op_error(ops[i])->backend, "sqlite");
        assert_int_equal(atomic_load(&seen_by[i].calls), 1);
        gavat_op_unref(ops[i]);
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    log_one(b->g, "u1", "let through", 100);
    gavat_filter filter = gavat_filter_init();
    gavat_op *op = held(b->g);
    filter.user_id = "u1";
    RUN(op, get_events, &filter);
    assert_records(op, "let through");
    gavat_op_unref(op);
}

static void an_op_on_a_client_never_opened_says_so(void **state)
{
    box *b = *state;
    gavat_event event = an_event("u1", "note", "early", 0);
    gavat_op *op = held(b->g);
    gavat_op_set_timeout(op, 50);
    gavat_log_event(op, &event);
    assert_int_equal(gavat_op_wait(op), GAVAT_ETIMEDOUT);
    expect_words(op, "call gavat_open first", __FILE__, __LINE__);
    expect_end(op, GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY);
}

/* --- cancelling --- */

static void cancel_before_submit_ends_it_at_the_submit(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_op *op = gavat_op_new(b->g, on_done, &s);
    gavat_op_cancel(op);
    submit(op, &keep_kind);
    expect_calls(&s, 1);
    assert_int_equal(atomic_load(&s.status), GAVAT_ECANCELED);
    assert_null(take_kept());
}

static void cancel_before_the_store_begins_is_no_doubt(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_kind, 0), *kept = wait_kept();
    gavat_op_cancel(op);
    gavat_op_cancel(op);
    assert_false(gv_op_take(kept));
    gv_op_finish(kept);
    expect_end(op, GAVAT_ECANCELED, 0);
}

static void cancel_after_the_store_has_begun_is_doubt(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_kind, 0), *kept = wait_kept();
    assert_true(gv_op_take(kept));
    gavat_op_cancel(op);
    finish_kept(kept);
    expect_end(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED);
}

static void cancel_of_long_work_is_heard_by_its_store(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_long_kind, 0), *kept = wait_kept();
    assert_true(gv_op_take(kept));
    gavat_op_cancel(op);
    assert_int_equal(gavat_op_status(op), GAVAT_PENDING);
    assert_false(gv_op_wanted(kept));
    gv_op_fail(kept, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED, "", "stopped after 3");
    gv_op_finish(kept);
    expect_end(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED);
}

static void cancel_after_the_end_changes_nothing(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &nothing_kind, 0);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_cancel(op);
    expect_end(op, GAVAT_OK, 0);
}

/* A store that hands back a withdrawn op as it is must not make it look done. */
static void *cancel_it(void *op)
{
    gavat_op_cancel(op);
    gavat_op_unref(op);
    return NULL;
}

static void a_withdrawn_op_never_ends_well(void **state)
{
    box *b = *state;
    for (size_t i = 0; i < at_scale(5000); i++) {
        pthread_t other;
        gavat_op *op = submit_held(b->g, &keep_kind, 0), *kept = wait_kept();
        assert_int_equal(pthread_create(&other, NULL, cancel_it, gavat_op_ref(op)), 0);
        bool taken = false;
        for (unsigned spin = 0; spin < i % 64 * 100 && !(taken = atomic_load(&op->claim) != GV_CLAIM_FREE); spin++)
            ;
        taken = gv_op_take(kept);
        if (taken)
            finish_kept(kept);
        else
            gv_op_finish(kept);
        gavat_status status = gavat_op_wait(op);
        assert_true(status == GAVAT_ECANCELED || (taken && status == GAVAT_OK));
        pthread_join(other, NULL);
        gavat_op_unref(op);
    }
}

/* --- flush, whose place is the client's own lists --- */

static void a_flush_cancelled_in_the_queue_leaves_nothing(void **state)
{
    box *b = *state;
    seen s = {0};
    gavat_op *kept_op = submit_held(b->g, &keep_kind, 0);
    for (unsigned i = 0; i < 200; i++) {
        gavat_op *op = gavat_op_ref(gavat_op_new(b->g, on_done, &s));
        gavat_flush(op);
        if (i % 3 == 0)
            usleep(100);
        gavat_op_cancel(op);
        gavat_op_unref(op);
    }
    finish_kept(wait_kept());
    expect_end(kept_op, GAVAT_OK, 0);
    while (atomic_load(&s.calls) < 200)
        usleep(1000);
    assert_true(wait_until(is_balanced, b->g));
}

static void a_flush_ends_after_all_before_it(void **state)
{
    box *b = *state;
    gavat_op *one = submit_held(b->g, &keep_kind, 0), *two = submit_held(b->g, &keep_kind, 0);
    gavat_op *fence = held(b->g);
    gavat_flush(fence);
    gavat_op *first = wait_kept(), *second = wait_kept();
    finish_kept(second);
    usleep(50000);
    assert_int_equal(gavat_op_status(fence), GAVAT_PENDING);
    gavat_op *later = submit_held(b->g, &keep_kind, 0);
    finish_kept(first);
    expect_end(fence, GAVAT_OK, 0);
    assert_int_equal(gavat_op_status(later), GAVAT_PENDING);
    assert_int_equal(gavat_op_status(one), GAVAT_OK);
    finish_kept(wait_kept());
    expect_end(one, GAVAT_OK, 0);
    expect_end(two, GAVAT_OK, 0);
    expect_end(later, GAVAT_OK, 0);
}

static void a_flush_has_a_deadline_too(void **state)
{
    box *b = *state;
    gavat_op *op = submit_held(b->g, &keep_kind, 0), *fence = held(b->g);
    gavat_op_set_timeout(fence, 50);
    gavat_flush(fence);
    expect_end(fence, GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY);
    finish_kept(wait_kept());
    expect_end(op, GAVAT_OK, 0);
    assert_true(wait_until(is_balanced, b->g));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(a_deadline_ends_an_op_that_its_store_has_not_begun),
        CASE(a_write_that_its_store_has_begun_may_be_applied),
        CASE(a_read_is_never_in_doubt),
        CASE(long_work_has_no_deadline_unless_set),
        CASE(deadlines_hold_while_another_process_holds_the_file),
        CASE(an_op_on_a_client_never_opened_says_so),
        CASE(cancel_before_submit_ends_it_at_the_submit),
        CASE(cancel_before_the_store_begins_is_no_doubt),
        CASE(cancel_after_the_store_has_begun_is_doubt),
        CASE(cancel_of_long_work_is_heard_by_its_store),
        CASE(cancel_after_the_end_changes_nothing),
        CASE(a_withdrawn_op_never_ends_well),
        CASE(a_flush_cancelled_in_the_queue_leaves_nothing),
        CASE(a_flush_ends_after_all_before_it),
        CASE(a_flush_has_a_deadline_too),
    };
    return cmocka_run_group_tests_name("ops_ends", cases, NULL, NULL);
}
