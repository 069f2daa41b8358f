#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "core/metrics.h"

enum { VALUES = 10000 };

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void count_ok(gv_metric *metric, uint64_t microseconds)
{
    const gavat_error none = {GAVAT_OK, 0, "", "", ""};
    gv_metric_count(metric, &none, microseconds);
}

static void a_quantile_is_right_within_a_quarter(void **state)
{
    (void)state;
    static const double parts[] = {0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999};
    uint64_t random = test_seed();
    uint64_t *values = calloc(VALUES, sizeof *values);
    assert_non_null(values);
    for (unsigned shift = 0; shift < 30; shift++) {
        gv_metric metric = {0};
        for (unsigned i = 0; i < VALUES; i++) {
            values[i] = next_random(&random) >> (63 - shift) >> below(&random, shift + 1);
            count_ok(&metric, values[i]);
        }
        qsort(values, VALUES, sizeof *values, compare);
        for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
            uint64_t right = values[(size_t)(parts[i] * VALUES)], got = gv_metric_quantile(&metric, parts[i]);
            assert_true(got >= right && got <= right + right / 4);
        }
        assert_true(gv_metric_quantile(&metric, 1) == values[VALUES - 1]);
        assert_true(metric.most_us == values[VALUES - 1]);
    }
    free(values);
}

static void nothing_counted_is_zero_and_one_value_is_itself(void **state)
{
    (void)state;
    gv_metric metric = {0};
    assert_int_equal(gv_metric_quantile(&metric, 0.5), 0);
    count_ok(&metric, 1234);
    assert_int_equal(gv_metric_quantile(&metric, 0), 1234);
    assert_int_equal(gv_metric_quantile(&metric, 0.5), 1234);
    assert_int_equal(gv_metric_quantile(&metric, 1), 1234);
}

static void even_the_longest_time_has_a_place(void **state)
{
    (void)state;
    gv_metric metric = {0};
    count_ok(&metric, UINT64_MAX / 2);
    assert_true(gv_metric_quantile(&metric, 0.5) == UINT64_MAX / 2);
}

static void each_end_is_counted_under_its_name(void **state)
{
    (void)state;
    static const gavat_status ends[] = {GAVAT_OK, GAVAT_ETIMEDOUT, GAVAT_ECANCELED, GAVAT_EINVAL, GAVAT_EBUSY, GAVAT_EIO,
                                        GAVAT_ECLOSED};
    gv_metric metric = {0};
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        gavat_error error = {ends[i], ends[i] == GAVAT_EIO ? GAVAT_ERROR_MAYBE_APPLIED : 0u, "", "", ""};
        gv_metric_count(&metric, &error, 10);
    }
    gv_text text = {0};
    gv_metric_print(&metric, &text);
    assert_string_equal(gv_text_get(&text),
                        "{\"ok\":1,\"failed\":2,\"timed_out\":1,\"cancelled\":1,\"refused\":2,\"maybe_applied\":1,\"sum_us\":70,"
                        "\"p50_us\":10,\"p95_us\":10,\"p99_us\":10,\"max_us\":10}");
    gv_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_quantile_is_right_within_a_quarter),
        cmocka_unit_test(nothing_counted_is_zero_and_one_value_is_itself),
        cmocka_unit_test(even_the_longest_time_has_a_place),
        cmocka_unit_test(each_end_is_counted_under_its_name),
    };
    return cmocka_run_group_tests_name("metrics", cases, NULL, NULL);
}
