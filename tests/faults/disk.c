#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "disk.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS 12                /* of each fault, at a tenth of the full scale */

static void (*run_once)(const shim_fault *fault);

extern char **environ;

static void copy_file(const char *from, const char *to)
{
    pid_t child;
    int status;
    char *argv[] = {(char *)(uintptr_t)"cp", (char *)(uintptr_t)from, (char *)(uintptr_t)to, NULL};
    assert_int_equal(posix_spawnp(&child, "cp", NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

bool disk_crash(const char *path, const char *folder, char copy[320])
{
    char from[340], to[340];
    static const char *const ends[] = {"-wal", ""};         /* the log first: what goes from it into the file meanwhile is then in both */
    if (access(path, F_OK) != 0)
        return false;
    snprintf(copy, 320, "%s/crash.db", folder);
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", path, ends[i]);
        snprintf(to, sizeof to, "%s%s", copy, ends[i]);
        unlink(to);
        if (access(from, F_OK) == 0)
            copy_file(from, to);
    }
    snprintf(to, sizeof to, "%s-shm", copy);
    unlink(to);
    return true;
}

void disk_check_error(const gavat_op *op, const char *path)
{
    const gavat_error *error = gavat_op_error(op);
    if (error->status == GAVAT_OK)
        return;
    if ((error->status != GAVAT_EIO && error->status != GAVAT_EUNAVAIL) || !strstr(error->message, path)
        || strncmp(error->native, "SQLITE_", 7) != 0)
        fail_msg("%s %s: %s", gavat_status_name(error->status), error->native, error->message);
}

/* How many such calls a run without faults makes. */
static unsigned long count_calls(unsigned calls)
{
    shim_fault none = {.calls = calls, .at = UINT32_MAX};
    run_once(&none);
    return shim_counted();
}

static void run_all(shim_fault fault)
{
    unsigned long most = count_calls(fault.calls), step = most / at_scale(STEPS * 10) + 1;
    assert_true(most > 0);
    print_message("# %lu calls\n", most);
    for (fault.at = 1 + most % step; fault.at <= most; fault.at += step)
        run_once(&fault);
}

static void a_disk_that_is_full_for_once(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_WRITE, .full = true};
    run_all(fault);
}

static void a_disk_that_is_full_for_a_while(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_WRITE, .full = true, .on_and_on = true};
    run_all(fault);
}

static void a_write_that_is_cut_short(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_WRITE, .full = true, .leaves = SHIM_HALF};
    run_all(fault);
}

static void a_page_that_is_torn(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_WRITE, .leaves = SHIM_HALF};
    run_all(fault);
}

static void a_write_that_arrives_and_still_fails(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_WRITE, .leaves = SHIM_WHOLE};
    run_all(fault);
}

static void any_call_that_fails_once(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_ALL};
    run_all(fault);
}

static void any_call_and_all_after_it(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_ALL, .on_and_on = true};
    run_all(fault);
}

static void a_sync_that_fails(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_SYNC | SHIM_TRUNCATE | SHIM_DELETE};
    run_all(fault);
}

static void locks_and_shared_memory_that_fail(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_LOCK | SHIM_SHARED};
    run_all(fault);
}

static void files_that_do_not_open(void **state)
{
    (void)state;
    shim_fault fault = {.calls = SHIM_OPEN | SHIM_SIZE};
    run_all(fault);
}

int disk_run(const char *name, void (*once)(const shim_fault *fault))
{
    run_once = once;
    shim_install();
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_disk_that_is_full_for_once),
        cmocka_unit_test(a_disk_that_is_full_for_a_while),
        cmocka_unit_test(a_write_that_is_cut_short),
        cmocka_unit_test(a_page_that_is_torn),
        cmocka_unit_test(a_write_that_arrives_and_still_fails),
        cmocka_unit_test(any_call_that_fails_once),
        cmocka_unit_test(any_call_and_all_after_it),
        cmocka_unit_test(a_sync_that_fails),
        cmocka_unit_test(locks_and_shared_memory_that_fail),
        cmocka_unit_test(files_that_do_not_open),
    };
    return _cmocka_run_group_tests(name, cases, sizeof cases / sizeof *cases, NULL, NULL);
}
