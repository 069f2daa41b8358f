/* gavat_config: which of several values counts, what is shown of it, the first error, copies, and failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_bench.h"
#include "../../lib/base/memory.h"

static void a_url_is_kept_whole_and_shown_redacted(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", URL_A), GAVAT_OK);
    assert_string_equal(gv_config_text(b->cfg, GV_SET_EVENTS_URL), URL_A);
    assert_string_equal(gv_config_shown(b->cfg, GV_SET_EVENTS_URL), "postgresql://ada:***@db1.example/gavat");
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), "postgresql://ada:***@db1.example/gavat");
}

static void a_bad_url_is_refused_without_showing_it(void **state)
{
    bench *b = *state;
    static const char *const bad[] = {"", "/ada:hunter2@db1", "postgresql://ada:hunter2@db1:notaport/x",
                                      "host=db1 password=hunter2", "://hunter2@x",
                                      "postgresql://ada:hunter2@db1:70000/x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gavat_config *cfg = gavat_config_new();
        assert_int_equal(gavat_config_set(cfg, "DATABASE_URL", bad[i]), GAVAT_EINVAL);
        const char *error = gavat_config_error(cfg);
        assert_ptr_equal(strstr(error, "DATABASE_URL: this is not a store URL: "), error);
        assert_non_null(strstr(error, "; write one such as " FALLBACK_URL));
        assert_null(strstr(error, SECRET));
        assert_string_equal(gavat_config_get(cfg, "DATABASE_URL"), FALLBACK_URL);
        gavat_config_free(cfg);
    }
    assert_string_equal(gavat_config_error(b->cfg), "");
}

static void a_url_of_an_odd_shape_is_shown_without_its_password(void **state)
{
    bench *b = *state;
    static const char *const odd[] = {"ada:hunter2@db1", "postgresql:/ada:hunter2@db1",
                                      "postgresql://db1/x?password=hunter2", "postgresql://ada:a@hunter2@db1/x"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", odd[i]), GAVAT_OK);
        assert_null(strstr(gavat_config_get(b->cfg, "POSTGRES_URL"), SECRET));
    }
}

static void a_url_in_the_wrong_setting_is_quoted_redacted(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", URL_A), GAVAT_EINVAL);
    assert_non_null(strstr(gavat_config_error(b->cfg), "postgresql://ada:***@db1.example/gavat"));
    assert_null(strstr(gavat_config_error(b->cfg), SECRET));
}

static void a_path_is_shown_whole_and_a_url_in_its_place_is_not(void **state)
{
    bench *b = *state;
    gavat_config *cfg = gavat_config_new();
    assert_int_equal(gavat_config_load_file(cfg, URL_A), GAVAT_EIO);
    assert_null(strstr(gavat_config_error(cfg), SECRET));
    gavat_config_free(cfg);
    assert_int_equal(gavat_config_load_file(b->cfg, "/nowhere/ada:x@y/a=b"), GAVAT_EIO);
    assert_non_null(strstr(gavat_config_error(b->cfg), "\"/nowhere/ada:x@y/a=b\": there is no such file"));
}

static void the_key_beats_its_alias_in_any_order(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "DATABASE_URL", "sqlite:///b"), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), "sqlite:///b");
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", "sqlite:///a"), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "DATABASE_URL"), "sqlite:///a");
    assert_int_equal(gavat_config_set(b->cfg, "DATABASE_URL", "sqlite:///c"), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "DATABASE_URL"), "sqlite:///a");
}

static void taking_the_key_away_uncovers_the_alias(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", "sqlite:///a"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "DATABASE_URL", "sqlite:///b"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", NULL), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), "sqlite:///b");
    assert_int_equal(gavat_config_set(b->cfg, "DATABASE_URL", NULL), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), FALLBACK_URL);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_EVENTS_URL), "default");
}

static void a_later_value_replaces_an_earlier_one(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "1s"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "2s"), GAVAT_OK);
    assert_int_equal(gv_config_number(b->cfg, GV_SET_TIMEOUT), 2000);
    assert_string_equal(gv_config_text(b->cfg, GV_SET_TIMEOUT), "2s");
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), "set");
}

static void null_goes_back_to_the_default(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "1s"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", NULL), GAVAT_OK);
    assert_int_equal(gv_config_number(b->cfg, GV_SET_TIMEOUT), 10000);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), "default");
}

static void an_empty_text_is_a_value(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", "logs"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", ""), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), "");
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TEXT_LOG_DIR), "set");
}

static void a_value_that_was_read_can_be_set_again(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", "logs"), GAVAT_OK);
    const char *value = gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR");
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", value), GAVAT_OK);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), "logs");
}

static void a_bad_value_leaves_the_one_before(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "3s"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "soon"), GAVAT_EINVAL);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TIMEOUT"), "3s");
}

static void the_first_error_stays_while_each_call_has_its_own_status(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "soon"), GAVAT_EINVAL);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "3s"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_MAX_OPS", "few"), GAVAT_EINVAL);
    assert_int_equal(gavat_config_load_file(b->cfg, "/nowhere/x.env"), GAVAT_EIO);
    assert_int_equal(gv_config_status(b->cfg), GAVAT_EINVAL);
    assert_non_null(strstr(gavat_config_error(b->cfg), "\"soon\""));
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TIMEOUT"), "3s");
}

static void a_missing_key_or_path_is_refused(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_load_file(b->cfg, NULL), GAVAT_EINVAL);
    assert_non_null(strstr(gavat_config_error(b->cfg), "path is NULL"));
    assert_int_equal(gavat_config_set(b->cfg, NULL, "1"), GAVAT_EINVAL);
}

static void no_config_reads_as_the_defaults_and_refuses_the_rest(void **state)
{
    (void)state;
    assert_int_equal(gavat_config_set(NULL, "GAVAT_TIMEOUT", "1s"), GAVAT_EINVAL);
    assert_int_equal(gavat_config_load_env(NULL), GAVAT_EINVAL);
    assert_int_equal(gavat_config_load_file(NULL, "x"), GAVAT_EINVAL);
    assert_string_equal(gavat_config_error(NULL), "");
    assert_int_equal(gv_config_status(NULL), GAVAT_OK);
    assert_null(gv_config_ignored(NULL, 0));
    assert_int_equal(gv_config_fail(NULL, GAVAT_ENOTSUP, "x"), GAVAT_ENOTSUP);
    gavat_config_free(NULL);
}

static void an_error_of_the_client_is_kept_unless_there_is_one(void **state)
{
    bench *b = *state;
    assert_int_equal(gv_config_fail(b->cfg, GAVAT_ENOTSUP, "no driver %d", 7), GAVAT_ENOTSUP);
    assert_int_equal(gv_config_fail(b->cfg, GAVAT_EINVAL, "later"), GAVAT_EINVAL);
    assert_string_equal(gavat_config_error(b->cfg), "no driver 7");
    assert_int_equal(gv_config_status(b->cfg), GAVAT_ENOTSUP);
}

static void a_sentence_about_memory_is_kept_too(void **state)
{
    bench *b = *state;
    assert_int_equal(gv_config_fail(b->cfg, GAVAT_ENOMEM, "no memory for a client"), GAVAT_ENOMEM);
    assert_string_equal(gavat_config_error(b->cfg), "no memory for a client");
    assert_int_equal(gv_config_status(b->cfg), GAVAT_ENOMEM);
}

static void a_copy_has_everything_and_lives_on_its_own(void **state)
{
    bench *b = *state;
    assert_int_equal(load_text(b, "BOT_NAME=x\nGAVAT_TIMEOUT=1m\nGAVAT_MAX_OPS=few\n"), GAVAT_EINVAL);
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", URL_A), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "DATABASE_URL", URL_B), GAVAT_OK);
    char *error = strdup(gavat_config_error(b->cfg));
    gavat_config *copy = gv_config_copy(b->cfg);
    gavat_config_free(b->cfg);
    b->cfg = copy;
    assert_non_null(copy);
    assert_string_equal(gavat_config_error(copy), error);
    assert_int_equal(gv_config_status(copy), GAVAT_EINVAL);
    assert_int_equal(gv_config_number(copy, GV_SET_TIMEOUT), 60000);
    assert_non_null(strstr(gv_config_source(copy, GV_SET_TIMEOUT), "config_db.env:2"));
    assert_string_equal(gv_config_ignored(copy, 0), "BOT_NAME");
    assert_null(gv_config_ignored(copy, 1));
    assert_string_equal(gv_config_text(copy, GV_SET_EVENTS_URL), URL_A);
    assert_string_equal(gavat_config_get(copy, "POSTGRES_URL"), "postgresql://ada:***@db1.example/gavat");
    assert_int_equal(gavat_config_set(copy, "POSTGRES_URL", NULL), GAVAT_OK);
    assert_string_equal(gv_config_text(copy, GV_SET_EVENTS_URL), URL_B);
    free(error);
}

static void a_copy_of_nothing_is_the_defaults(void **state)
{
    (void)state;
    gavat_config *copy = gv_config_copy(NULL);
    assert_non_null(copy);
    assert_string_equal(gavat_config_get(copy, "GAVAT_TIMEOUT"), "10s");
    gavat_config_free(copy);
}

static gv_memory real_memory;
static long allocations, failing;       /* failing: the place of the one that fails, from 1; 0: none */
static long blocks;

static void *resize_counted(void *old, size_t size)
{
    if (++allocations == failing)
        return NULL;
    void *data = real_memory.resize(old, size);
    if (data && !old)
        blocks++;
    return data;
}

static void release_counted(void *old)
{
    if (old)
        blocks--;
    real_memory.release(old);
}

/* Runs step with the first, second, … allocation failing until one run needs no more; each failure must be ENOMEM,
 * kept as the error, and no run may leave a block behind. */
static void fail_each_allocation(bench *b, gavat_status (*step)(bench *b), gavat_status expected)
{
    gavat_config_free(b->cfg);
    b->cfg = NULL;
    real_memory = gv_memory_hook;
    gv_memory_hook = (gv_memory){resize_counted, release_counted};
    blocks = 0;
    bool failed = true;
    for (failing = 1; failed && failing < 1000; failing++) {
        long place = failing;
        allocations = failing = 0;
        b->cfg = gavat_config_new();
        assert_non_null(b->cfg);
        allocations = 0;
        failing = place;
        gavat_status status = step(b);
        failed = allocations >= place;
        assert_int_equal(status, failed ? GAVAT_ENOMEM : expected);
        assert_int_equal(gv_config_status(b->cfg), status);
        if (failed)
            assert_non_null(strstr(gavat_config_error(b->cfg), "no memory left"));
        gavat_config_free(b->cfg);
        b->cfg = NULL;
        assert_int_equal(blocks, 0);
    }
    gv_memory_hook = real_memory;
    assert_false(failed);
    assert_true(failing > 2);
}

static gavat_status step_set_url(bench *b)
{
    return gavat_config_set(b->cfg, "POSTGRES_URL", URL_A);
}

static gavat_status step_set_bad(bench *b)
{
    return gavat_config_set(b->cfg, "GAVAT_TIMEOUT", URL_A);
}

static gavat_status step_set_unknown(bench *b)
{
    return gavat_config_set(b->cfg, "GAVAT_TIMEOT", "1s");
}

static gavat_status step_environment(bench *b)
{
    const char *variables[] = {"GAVAT_TIMEOUT=2m", "DATABASE_URL=" URL_B, NULL};
    return load_environment(b, variables);
}

static gavat_status step_file(bench *b)
{
    return gavat_config_load_file(b->cfg, b->path);
}

static gavat_status step_fail(bench *b)
{
    return gv_config_fail(b->cfg, GAVAT_ENOTSUP, "no driver for %s", "x");
}

static void each_failing_allocation_is_told_and_leaks_nothing(void **state)
{
    bench *b = *state;
    static const char text[] = "A=1\nGAVAT_TIMEOUT=1m\nPOSTGRES_URL=" URL_A "\nB=2\nC=\"x y\"\n";
    write_bytes(b, text, sizeof text - 1);
    fail_each_allocation(b, step_set_url, GAVAT_OK);
    fail_each_allocation(b, step_set_bad, GAVAT_EINVAL);
    fail_each_allocation(b, step_set_unknown, GAVAT_EINVAL);
    fail_each_allocation(b, step_environment, GAVAT_OK);
    fail_each_allocation(b, step_file, GAVAT_OK);
    fail_each_allocation(b, step_fail, GAVAT_ENOTSUP);
}

static void a_failed_set_leaves_the_value_before(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "POSTGRES_URL", URL_A), GAVAT_OK);
    real_memory = gv_memory_hook;
    gv_memory_hook = (gv_memory){resize_counted, release_counted};
    gavat_status status = GAVAT_ENOMEM;
    for (failing = 1; failing < 1000 && status != GAVAT_OK; failing++) {
        allocations = 0;
        assert_string_equal(gv_config_text(b->cfg, GV_SET_EVENTS_URL), URL_A);
        status = gavat_config_set(b->cfg, "POSTGRES_URL", URL_B);
    }
    gv_memory_hook = real_memory;
    assert_string_equal(gv_config_text(b->cfg, GV_SET_EVENTS_URL), URL_B);
}

static void a_copy_without_memory_is_null(void **state)
{
    bench *b = *state;
    assert_int_equal(load_text(b, "A=1\nGAVAT_TIMEOUT=1m\nGAVAT_MAX_OPS=few\nPOSTGRES_URL=" URL_A "\n"), GAVAT_EINVAL);
    real_memory = gv_memory_hook;
    gv_memory_hook = (gv_memory){resize_counted, release_counted};
    gavat_config *copy = NULL;
    blocks = 0;
    for (failing = 1; failing < 1000 && !copy; failing++) {
        allocations = 0;
        copy = gv_config_copy(b->cfg);
        assert_true(copy || blocks == 0);
    }
    assert_true(failing > 8);
    gavat_config_free(copy);
    gv_memory_hook = real_memory;
    assert_int_equal(blocks, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_url_is_kept_whole_and_shown_redacted),
        CASE(a_bad_url_is_refused_without_showing_it),
        CASE(a_url_of_an_odd_shape_is_shown_without_its_password),
        CASE(a_url_in_the_wrong_setting_is_quoted_redacted),
        CASE(a_path_is_shown_whole_and_a_url_in_its_place_is_not),
        CASE(the_key_beats_its_alias_in_any_order),
        CASE(taking_the_key_away_uncovers_the_alias),
        CASE(a_later_value_replaces_an_earlier_one),
        CASE(null_goes_back_to_the_default),
        CASE(an_empty_text_is_a_value),
        CASE(a_value_that_was_read_can_be_set_again),
        CASE(a_bad_value_leaves_the_one_before),
        CASE(the_first_error_stays_while_each_call_has_its_own_status),
        CASE(a_missing_key_or_path_is_refused),
        CASE(no_config_reads_as_the_defaults_and_refuses_the_rest),
        CASE(an_error_of_the_client_is_kept_unless_there_is_one),
        CASE(a_sentence_about_memory_is_kept_too),
        CASE(a_copy_has_everything_and_lives_on_its_own),
        CASE(a_copy_of_nothing_is_the_defaults),
        CASE(each_failing_allocation_is_told_and_leaks_nothing),
        CASE(a_failed_set_leaves_the_value_before),
        CASE(a_copy_without_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
