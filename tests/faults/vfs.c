/* vfs.c: every file call of SQLite failing in turn, once or from then on, while a client opens, writes, searches and closes. What was
 * acknowledged stays, what was refused stays away or was said to be in doubt, also for whoever finds the files as they lie after a
 * crash at that moment; and once the fault is gone the same client works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "disk.h"
#include "place.h"
#include <sqlite3.h>

#define TOGETHER 60             /* ops in flight at once */

typedef struct stage {
    char folder[256], path[300], url[320];
    ledger book;
    bool failed;                /* gavat_open */
} stage;

static gavat *try_client(stage *s)
{
    gavat *g = quiet_client("POSTGRES_URL", s->url, "8s");
    gavat_op *op = held(g);
    gavat_open(op);
    s->failed = gavat_op_wait(op) != GAVAT_OK;
    gavat_op_unref(op);
    return g;
}

static void note(stage *s, gavat_op *op, size_t at)
{
    s->book.entries[at].status = gavat_op_wait(op);
    s->book.entries[at].flags |= gavat_op_error(op)->flags;
    disk_check_error(op, s->path);
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
        disk_check_error(op, s->path);
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

static void check_after_crash(const stage *s)
{
    char copy[320];
    if (disk_crash(s->path, s->folder, copy) && s->book.count
        && ask_file(copy, "SELECT count(*) FROM sqlite_master WHERE name = 'user_sessions'"))
        check_ledger(copy, &s->book, false);
}

static void run_once(const shim_fault *fault)
{
    stage s = {0};
    make_folder(s.folder);
    snprintf(s.path, sizeof s.path, "%s/events.db", s.folder);
    snprintf(s.url, sizeof s.url, "sqlite:///%s", s.path);
    shim_arm(fault);
    gavat *g = try_client(&s);
    work(&s, g);
    check_after_crash(&s);
    if (fault->on_and_on)
        shim_heal();
    entry *last = ledger_add(&s.book, 'e', NULL, "afterwards");
    if (fault->at && !send_until_ok(g, last, 5))
        fail_msg("the client does not recover");
    close_client(g);
    shim_heal();
    check_ledger(s.path, &s.book, false);
    g = try_client(&s);
    assert_false(s.failed);
    search(&s, g);
    close_client(g);
    check_ledger(s.path, &s.book, false);
    ledger_free(&s.book);
    drop_folder(s.folder);
}

int main(void)
{
    return disk_run("vfs", run_once);
}
