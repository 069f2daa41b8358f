/* Prune: what is older goes, all else stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

static void only_what_is_older_goes(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 0);
    for (int i = 1; i <= 5; i++) {
        char message[2] = {(char)('0' + i), 0};
        log_one(g, i % 2 ? "u" : "v", message, i);
    }
    DO(g, GAVAT_OK, log_sale, &sale);
    gavat_op *op = held(g), *again = held(g), *read = held(g), *sales = held(g);
    RUN(op, prune_events, T0 + 3 * SECOND);
    assert_int_equal(gavat_op_number(op), 2);
    RUN(again, prune_events, T0 + 3 * SECOND);
    assert_int_equal(gavat_op_number(again), 0);
    RUN(read, get_events, NULL);
    assert_records(read, "5 4 3");
    RUN(sales, get_sales, NULL);
    assert_int_equal(gavat_op_count(sales), 1);
    gavat_op_unref(op);
    gavat_op_unref(again);
    gavat_op_unref(read);
    gavat_op_unref(sales);
}

static void import_many(gavat *g, int count)
{
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < count; i++) {
        gavat_event event = an_event("u", "note", "m", i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
}

static uint64_t told;

static void on_progress(gavat_op *op, const gavat_progress *progress, void *user)
{
    (void)op;
    (void)user;
    assert_true(progress->done >= told && progress->done <= progress->total);
    told = progress->done;
}

static void many_go_in_slices_with_progress_while_others_write(void **state)
{
    gavat *g = client_of(state);
    import_many(g, 12000);
    gavat_op *op = held(g), *read = held(g);
    told = 0;
    gavat_op_set_progress(op, on_progress, NULL);
    gavat_prune_events(op, T0 + 11990 * SECOND);
    for (int i = 0; i < 10; i++)
        log_one(g, "w", "late", 20000 + i);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 11990);
    RUN(read, get_events, NULL);
    assert_int_equal(gavat_op_count(read), 20);
    gavat_op_unref(op);
    gavat_op_unref(read);
}

/* It is long work: reads do not wait for it, nor for anything that came before it and is done. */
static void reads_behind_a_prune_are_answered(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 50; i++) {
        log_one(g, "u", "old", 1);
        gavat_op *pruned = held(g), *op = held(g);
        gavat_prune_events(pruned, T0 + 2 * SECOND);
        RUN(op, get_events, NULL);
        assert_true(gavat_op_count(op) <= 1);
        expect_status(pruned, GAVAT_OK, __FILE__, __LINE__);
        assert_int_equal(gavat_op_number(pruned), 1);
        gavat_op_unref(pruned);
        gavat_op_unref(op);
    }
}

static void a_time_that_is_not_given_is_refused(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "kept", 1);
    REFUSE(g, "before", prune_events, 0);
    REFUSE(g, "before", prune_events, -1);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "kept");
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(only_what_is_older_goes),
        cmocka_unit_test(many_go_in_slices_with_progress_while_others_write),
        cmocka_unit_test(reads_behind_a_prune_are_answered),
        cmocka_unit_test(a_time_that_is_not_given_is_refused),
    };
    return run_on_events("events_prune", cases, sizeof cases / sizeof *cases);
}
