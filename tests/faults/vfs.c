/* vfs.c: every file call of SQLite failing in turn, once or from then on, while a client opens, writes, searches and closes. What was
 * acknowledged stays, what was refused stays away or was said to be in doubt, also for whoever finds the files as they lie after a
 * crash at that moment; and once the fault is gone the same client works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "ledger.h"
#include "shim.h"
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOGETHER 60             /* ops in flight at once */
#define STEPS 12                /* of each fault, at a tenth of the full scale */

typedef struct stage {
    char folder[256], path[300], url[320];
    ledger book;
    bool failed;                /* gavat_open */
} stage;

static void say_nothing(int32_t level, const char *area, const char *text, void *user)
{
    (void)level;
    (void)area;
    (void)text;
    (void)user;
}

static gavat *try_client(stage *s)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", s->url);
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "8s");
    gavat_config_set(cfg, "GAVAT_EVENTS_READERS", "1");
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    gavat_op *op = held(g);
    gavat_open(op);
    s->failed = gavat_op_wait(op) != GAVAT_OK;
    gavat_op_unref(op);
    return g;
}

/* A refusal by the disk names the file, SQLite's code and what to do, and is neither taken for damage nor for a foreign file. */
static void check_error(stage *s, const gavat_op *op)
{
    const gavat_error *error = gavat_op_error(op);
    if (error->status == GAVAT_OK)
        return;
    if ((error->status != GAVAT_EIO && error->status != GAVAT_EUNAVAIL) || !strstr(error->message, s->path)
        || strncmp(error->native, "SQLITE_", 7) != 0)
        fail_msg("%s %s: %s", gavat_status_name(error->status), error->native, error->message);
}

static void note(stage *s, gavat_op *op, size_t place)
{
    s->book.entries[place].status = gavat_op_wait(op);
    s->book.entries[place].flags |= gavat_op_error(op)->flags;
    check_error(s, op);
    gavat_op_unref(op);
}

static void write_alone(stage *s, gavat *g, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = held(g);
        send_entry(op, ledger_add(&s->book, "esmn"[i % 4], NULL, "user"));
        note(s, op, s->book.count - 1);
    }
}

static void write_together(stage *s, gavat *g)
{
    gavat_op *ops[TOGETHER];
    size_t first = s->book.count;
    for (size_t i = 0; i < TOGETHER; i++) {
        ops[i] = held(g);
        send_entry(ops[i], ledger_add(&s->book, "eeem"[i % 4], NULL, "group"));
    }
    for (size_t i = 0; i < TOGETHER; i++)
        note(s, ops[i], first + i);
}

static void search(stage *s, gavat *g)
{
    for (size_t i = 0; i < s->book.count; i++) {
        const entry *row = &s->book.entries[i];
        if (row->kind != 'e' || row->status != GAVAT_OK)
            continue;
        gavat_op *op = held(g);
        gavat_search_events(op, row->uid, NULL);
        if (gavat_op_wait(op) == GAVAT_OK)
            assert_int_equal(gavat_op_count(op), 1);
        check_error(s, op);
        gavat_op_unref(op);
        return;
    }
}

static void checkpoint(const stage *s)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(db);
}

static void work(stage *s, gavat *g)
{
    write_alone(s, g, 6);
    write_together(s, g);
    search(s, g);
    checkpoint(s);
    write_alone(s, g, 2);
    write_together(s, g);
    search(s, g);
}

extern char **environ;

static void copy_file(const char *from, const char *to)
{
    pid_t child;
    int status;
    char *argv[] = {(char *)(uintptr_t)"cp", (char *)(uintptr_t)from, (char *)(uintptr_t)to, NULL};
    assert_int_equal(posix_spawnp(&child, "cp", NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

/* The files as they lie, without the memory that the processes share: what a recovery would make of them. */
static void check_after_crash(const stage *s)
{
    char copy[320], from[320], to[340];
    static const char *const ends[] = {"", "-wal"};
    if (access(s->path, F_OK) != 0)
        return;
    snprintf(copy, sizeof copy, "%s/crash.db", s->folder);
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", s->path, ends[i]);
        snprintf(to, sizeof to, "%s%s", copy, ends[i]);
        unlink(to);
        if (access(from, F_OK) == 0)
            copy_file(from, to);
    }
    snprintf(to, sizeof to, "%s-shm", copy);
    unlink(to);
    bool made = s->book.count && ask_file(copy, "SELECT count(*) FROM sqlite_master WHERE name = 'user_sessions'");
    if (made)
        check_ledger(copy, &s->book, false);
}

/* How many faults there were. */
static unsigned long run_once(const shim_fault *fault)
{
    stage s = {0};
    make_folder(s.folder);
    snprintf(s.path, sizeof s.path, "%s/events.db", s.folder);
    snprintf(s.url, sizeof s.url, "sqlite:///%s", s.path);
    shim_arm(fault);
    gavat *g = try_client(&s);
    work(&s, g);
    check_after_crash(&s);
    unsigned long faults = fault->on_and_on ? shim_heal() : 0;
    entry *last = ledger_add(&s.book, 'e', NULL, "afterwards");
    if (fault->at && !send_until_ok(g, last, 5))
        fail_msg("the client does not recover");
    close_client(g);
    faults += shim_heal();
    check_ledger(s.path, &s.book, false);
    g = try_client(&s);
    assert_false(s.failed);
    search(&s, g);
    close_client(g);
    check_ledger(s.path, &s.book, false);
    ledger_free(&s.book);
    drop_folder(s.folder);
    return faults;
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

int main(void)
{
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
    return cmocka_run_group_tests_name("vfs", cases, NULL, NULL);
}
