/* The text log when memory runs out, and when each file call in turn fails: events go on, readings say so. */
#include "../contract/textlog_bench.h"

#include <errno.h>
#include <stdatomic.h>

#include "../../lib/base/memory.h"

static gv_memory system_memory;
static atomic_int memory_left = -1, files_left = -1;    /* calls until the one that fails; negative: none does */

static bool is_due(atomic_int *left)
{
    return atomic_load(left) >= 0 && atomic_fetch_sub(left, 1) == 0;
}

static bool fails(void)
{
    return is_due(&files_left);
}

static void *resize(void *old, size_t size)
{
    return is_due(&memory_left) ? NULL : system_memory.resize(old, size);
}

static int fail_open(const char *path, int flags, mode_t mode)
{
    errno = EMFILE;
    return fails() ? -1 : system_calls.open(path, flags, mode);
}

static ssize_t fail_read(int fd, void *data, size_t length)
{
    errno = EIO;
    return fails() ? -1 : system_calls.read(fd, data, length);
}

static ssize_t fail_write(int fd, const void *data, size_t length)
{
    errno = ENOSPC;
    return fails() ? -1 : system_calls.write(fd, data, length);
}

static int fail_rename(const char *from, const char *to)
{
    errno = EACCES;
    return fails() ? -1 : system_calls.rename(from, to);
}

static int fail_unlink(const char *path)
{
    errno = EACCES;
    return fails() ? -1 : system_calls.unlink(path);
}

static int fail_mkdir(const char *path, mode_t mode)
{
    errno = EROFS;
    return fails() ? -1 : system_calls.mkdir(path, mode);
}

static int enter_failing(void **state)
{
    int entered = enter(state);
    gv_file_hook.open = fail_open;
    gv_file_hook.read = fail_read;
    gv_file_hook.write = fail_write;
    gv_file_hook.rename = fail_rename;
    gv_file_hook.unlink = fail_unlink;
    gv_file_hook.mkdir = fail_mkdir;
    return entered;
}

static size_t count_events(gavat *g)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = 10000;
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_events(op, &filter);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    size_t count = gavat_op_count(op);
    gavat_op_unref(op);
    return count;
}

enum { CALLS = 12 };

/* Any call of the mirror's own that fails costs at most lines: each event is in its store. */
static void a_file_call_that_fails_loses_no_event(void **state)
{
    (void)state;
    gavat *g = start();
    for (int i = 0; i < CALLS; i++) {
        char user[16];
        (void)snprintf(user, sizeof user, "u%d", i);
        put_file(in_folder("logs/%s.log", user), "x", 1);
        assert_int_equal(truncate(in_folder("logs/%s.log", user), 5 * 1024 * 1024), 0);
        atomic_store(&files_left, i);
        assert_int_equal(log_line(g, user, "2025-05-25T09:00:00", NULL, "bir"), GAVAT_OK);
        atomic_store(&files_left, -1);
        assert_int_equal(log_line(g, user, "2025-05-25T09:00:00", NULL, "iki"), GAVAT_OK);
        assert_int_equal(count_events(g), (size_t)(i + 1) * 2);
        gavat_op *op = gavat_op_new_held(g);
        gavat_get_text_log(op, user, "iki", 1);
        assert_int_equal(gavat_op_wait(op), GAVAT_OK);
        assert_int_equal(gavat_op_count(op), 1);
        gavat_op_unref(op);
    }
    stop(g);
}

static void a_reading_whose_file_fails_says_so(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    int failed = 0;
    for (int i = 0; i < CALLS; i++) {
        gavat_op *op = gavat_op_new_held(g);
        atomic_store(&files_left, i);
        gavat_get_text_log(op, "12345", NULL, 100);
        gavat_status status = gavat_op_wait(op);
        atomic_store(&files_left, -1);
        assert_true(status == GAVAT_OK || status == GAVAT_EIO);
        assert_int_equal(gavat_op_count(op), status == GAVAT_OK ? 50 : 0);
        if (status == GAVAT_EIO) {
            const gavat_error *error = gavat_op_error(op);
            failed++;
            assert_non_null(strstr(error->message, "12345.log"));
            assert_true(strcmp(error->native, "EIO") == 0 || strcmp(error->native, "EMFILE") == 0);
        }
        gavat_op_unref(op);
    }
    assert_int_equal(failed, 4);        /* two files, each opened and read */
    stop(g);
}

static bool is_memory(gavat_status status)
{
    return status == GAVAT_OK || status == GAVAT_ENOMEM || status == GAVAT_EBUSY;       /* EBUSY: not even an op */
}

static gavat_status read_with(gavat *g, bool stats)
{
    gavat_op *op = gavat_op_new_held(g);
    if (stats)
        gavat_get_text_log_stats(op, "12345");
    else
        gavat_get_text_log(op, "12345", "a", 100);
    return finish(op);
}

static void a_reading_without_memory_ends(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    for (int stats = 0; stats < 2; stats++) {
        int good = 0, bad = 0;
        for (int i = 0; good < 3; i++) {
            assert_true(i < 1000);
            atomic_store(&memory_left, i);
            gavat_status status = read_with(g, stats);
            int left = atomic_exchange(&memory_left, -1);
            assert_true(is_memory(status));
            good += left >= 0;          /* so many allocations are not needed */
            bad += status != GAVAT_OK;
        }
        assert_true(bad > 0);
        assert_int_equal(read_with(g, stats), GAVAT_OK);
    }
    stop(g);
}

/* A client that starts without memory for one thing or another is refused, or works. */
static void a_client_without_memory_starts_or_is_refused(void **state)
{
    (void)state;
    int refused = 0, started = 0;
    for (int i = 0; started < 3; i++) {
        assert_true(i < 1000);
        gavat *g = NULL;
        gavat_config *cfg = settings("events.db");
        atomic_store(&memory_left, i);
        gavat_status status = gavat_new(&g, NULL, cfg);
        int left = atomic_exchange(&memory_left, -1);
        assert_true(status == GAVAT_OK || strstr(gavat_config_error(cfg), "memory"));
        gavat_config_free(cfg);
        refused += status != GAVAT_OK;
        started += left >= 0;
        if (g)
            stop(g);
    }
    assert_true(refused > 0);
}

#define CASE(name, setup) cmocka_unit_test_setup_teardown(name, setup, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_file_call_that_fails_loses_no_event, enter_failing),
        CASE(a_reading_whose_file_fails_says_so, enter_failing),
        CASE(a_reading_without_memory_ends, enter),
        CASE(a_client_without_memory_starts_or_is_refused, enter),
    };
    system_memory = gv_memory_hook;
    gv_memory_hook.resize = resize;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
