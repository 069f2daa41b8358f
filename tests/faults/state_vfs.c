/* state_vfs.c: every file call of SQLite failing in turn, once or from then on, while a client opens a state store, writes, reads and closes.
 * What was acknowledged stays, what was refused stays away or was said to be in doubt and is there once at most, also for whoever finds the
 * files as they lie after a crash at that moment; and once the fault is gone the same client works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "disk.h"
#include "place.h"
#include "tally.h"

#define TOGETHER 60             /* ops in flight at once */

typedef struct stage {
    place at;
    tally book;
} stage;

static gavat *try_client(const stage *s, bool *failed)
{
    gavat *g = quiet_client("REDIS_URL", s->at.url, "8s");
    gavat_op *op = held(g);
    gavat_open(op);
    *failed = gavat_op_wait(op) != GAVAT_OK;
    gavat_op_unref(op);
    return g;
}

static void note(stage *s, gavat_op *op, size_t n)
{
    note_mark(&s->book, n, op);
    disk_check_error(op, s->at.path);
    gavat_op_unref(op);
}

static void write_alone(stage *s, gavat *g, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = held(g);
        size_t n = tally_add(&s->book, "sclt"[i % 4]);
        send_mark(op, &s->book, n);
        note(s, op, n);
    }
}

static void write_together(stage *s, gavat *g)
{
    gavat_op *ops[TOGETHER];
    size_t first = s->book.count;
    for (size_t i = 0; i < TOGETHER; i++) {
        ops[i] = held(g);
        send_mark(ops[i], &s->book, tally_add(&s->book, "sclclt"[i % 6]));
    }
    for (size_t i = 0; i < TOGETHER; i++)
        note(s, ops[i], first + i);
}

static void read_back(stage *s, gavat *g)
{
    gavat_op *op = held(g);
    gavat_list_state(op, s->book.user);
    gavat_op_wait(op);
    disk_check_error(op, s->at.path);
    gavat_op_unref(op);
}

static void checkpoint(const stage *s)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(s->at.path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(db);
}

static void work(stage *s, gavat *g)
{
    write_alone(s, g, 8);
    write_together(s, g);
    read_back(s, g);
    checkpoint(s);
    write_alone(s, g, 4);
    write_together(s, g);
    read_back(s, g);
}

static void check_after_crash(const stage *s)
{
    char copy[320];
    if (disk_crash(s->at.path, s->at.folder, copy)
        && ask_file(copy, "SELECT count(*) FROM sqlite_master WHERE name = 'gavat_state_items'"))
        check_tally(copy, &s->book);
}

static void run_once(const shim_fault *fault)
{
    stage s = {.at = make_place(), .book = {.user = "user"}};
    bool failed;
    name_place(&s.at, "state.db");
    shim_arm(fault);
    gavat *g = try_client(&s, &failed);
    work(&s, g);
    check_after_crash(&s);
    if (fault->on_and_on)
        shim_heal();
    for (const char *kind = "sclt"; fault->at && *kind; kind++)
        if (!mark_until_ok(g, &s.book, *kind, 5))
            fail_msg("the client does not recover");
    close_client(g);
    shim_heal();
    check_tally(s.at.path, &s.book);
    g = try_client(&s, &failed);
    assert_false(failed);
    read_back(&s, g);
    close_client(g);
    check_tally(s.at.path, &s.book);
    tally_free(&s.book);
    drop_folder(s.at.folder);
}

int main(void)
{
    return disk_run("state_vfs", run_once);
}
