#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../contract/ops_kinds.h"
#include "sqlite/writer.h"

#define MOST 100                /* ops in a commit */
#define COMMITS 16

/* A store in memory whose writer is the one that SQLite's areas have. */
typedef struct press {
    box *b;
    gv_worker worker;
    gv_database db;
    gv_writer writing;
    atomic_uint pushed, expected;       /* ops that came to the queue; so many are to be there before the first one is applied */
    size_t commits[COMMITS];    /* how many ops each had; the writer's thread until the last op has ended */
    unsigned count;
    seen calls;
    atomic_bool ended;
} press;
static press *the_press;

static void run_push(gavat *g, gavat_op *op)
{
    (void)g;
    gv_worker_push(&the_press->worker, op);
    atomic_fetch_add(&the_press->pushed, 1);
}

static const gv_kind push_kind = {"push", GV_CORE, 27, GV_WRITE, run_push};

static int adopt(void *self, gavat_op *op)
{
    (void)op;
    return gv_database_run(&((press *)self)->db, "CREATE TABLE t (n)");
}

static bool all_are_there(void *user)
{
    press *p = user;
    return atomic_load(&p->pushed) >= atomic_load(&p->expected);
}

static int apply(void *self, gavat_op *op)
{
    press *p = self;
    if (!wait_until(all_are_there, p))
        return SQLITE_INTERRUPT;
    int code = gv_database_do(&p->db, "INSERT INTO t VALUES (1)");
    gv_op_succeed(op, GAVAT_REACHED_MEMORY);
    return code;
}

static void finish(void *self, gv_list *ops, bool committed)
{
    press *p = self;
    size_t ended = 0;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        ended++;
    if (committed && p->count < COMMITS)
        p->commits[p->count++] = ended;
    gv_ops_finish(p->b->g, ops);
}

static void work(gv_worker *worker)
{
    press *p = worker->self;
    if (!gv_writer_ready(&p->writing))
        return;
    while (gv_worker_wait(worker, UINT32_MAX) || !gv_worker_stopping(worker))
        gv_writer_batch(&p->writing);
    gv_database_close(&p->db);
}

static void note_ended(gv_worker *worker)
{
    atomic_store(&((press *)worker->self)->ended, true);
}

static bool has_ended(void *user)
{
    return atomic_load(&((press *)user)->ended);
}

static int open_press(void **state)
{
    void *inner;
    set_up(&inner);
    press *p = the_press = calloc(1, sizeof *p);
    p->b = inner;
    gv_store *store = &p->b->g->stores[GV_EVENTS];
    gv_worker_init(&p->worker, store, "test-writer", work, p);
    p->worker.ended = note_ended;
    gv_writer writing = {.store = store, .worker = &p->worker, .db = &p->db, .options = {.cache_bytes = 1 << 20}, .self = p,
                         .most = MOST, .adopt = adopt, .apply = apply, .finish = finish, .open_code = SQLITE_CANTOPEN};
    p->writing = writing;
    *state = p;
    return 0;
}

static int close_press(void **state)
{
    press *p = *state;
    void *inner = p->b;
    gv_worker_stop(&p->worker);
    bool ended = wait_until(has_ended, p);
    tear_down(&inner);
    free(p);
    return ended ? 0 : 1;
}

static bool all_have_ended(void *user)
{
    press *p = user;
    return atomic_load(&p->calls.calls) == atomic_load(&p->expected);
}

static void write_many(press *p, unsigned count)
{
    atomic_store(&p->expected, count);
    assert_true(gv_worker_start(&p->worker));
    for (unsigned i = 0; i < count; i++)
        submit(gavat_op_new(p->b->g, on_done, &p->calls), &push_kind);
    assert_true(wait_until(all_have_ended, p));
    assert_int_equal(atomic_load(&p->calls.status), GAVAT_OK);
}

/* The first one is being applied when the others come. */
static void what_comes_while_others_are_applied_is_of_the_same_commit(void **state)
{
    press *p = *state;
    write_many(p, MOST / 2);
    assert_int_equal(p->count, 1);
    assert_int_equal(p->commits[0], MOST / 2);
}

static void a_commit_takes_no_more_than_it_may(void **state)
{
    press *p = *state;
    write_many(p, 2 * MOST + MOST / 2);
    assert_int_equal(p->count, 3);
    assert_int_equal(p->commits[0], MOST);
    assert_int_equal(p->commits[1], MOST);
    assert_int_equal(p->commits[2], MOST / 2);
}

/* By its address; one that is gone meanwhile is prepared again. */
static void a_fixed_statement_is_prepared_once(void **state)
{
    (void)state;
    static const char fixed[] = "SELECT ?1";
    gv_database db;
    gv_database_options options = {.create = true, .cache_bytes = 1 << 20};
    for (unsigned round = 0; round < 2; round++) {
        int code;
        char text[sizeof fixed];
        assert_int_equal(gv_database_open(&db, NULL, &options), SQLITE_OK);
        sqlite3_stmt *first = gv_database_prepare_fixed(&db, fixed, &code);
        assert_non_null(first);
        assert_ptr_equal(gv_database_prepare_fixed(&db, fixed, &code), first);
        memcpy(text, fixed, sizeof text);
        assert_ptr_equal(gv_database_prepare(&db, text, &code), first);
        for (int i = 0; i < 2 * GV_STATEMENTS; i++) {
            char other[40];
            snprintf(other, sizeof other, "SELECT %d", i);
            assert_non_null(gv_database_prepare(&db, other, &code));
        }
        sqlite3_stmt *again = gv_database_prepare_fixed(&db, fixed, &code);
        assert_non_null(again);
        assert_string_equal(sqlite3_sql(again), fixed);
        gv_database_close(&db);
    }
}

#define PRESS(name) cmocka_unit_test_setup_teardown(name, open_press, close_press)

int main(void)
{
    const struct CMUnitTest cases[] = {
        PRESS(what_comes_while_others_are_applied_is_of_the_same_commit),
        PRESS(a_commit_takes_no_more_than_it_may),
        cmocka_unit_test(a_fixed_statement_is_prepared_once),
    };
    return cmocka_run_group_tests_name("sqlite_writer", cases, NULL, NULL);
}
