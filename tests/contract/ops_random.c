/* ops_random.c: eight threads submit, cancel, wait, keep, let go, flush and close at random, by seed; then everything
 * must balance: one callback for each op, nothing live, no byte counted. For TSan and ASan above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"

enum { THREADS = 8, KEPT = 16, STEPS = 400 };

typedef struct game {
    gavat *g;
    uint64_t seed;
    bool opens, closes;         /* closes: in the middle of it */
    atomic_bool over;
    atomic_size_t steps, submitted, calls, rooms, lines;
} game;

typedef struct mark {           /* of one op: its callback must find it untouched */
    game *of;
    atomic_uint calls;
} mark;

typedef struct player {
    pthread_t thread;
    game *of;
    uint64_t random;
    gavat_op *kept[KEPT];
} player;

static void on_end(gavat_op *op, void *user)
{
    mark *m = user;
    gavat_status status = gavat_op_status(op);
    if (status == GAVAT_PENDING || status == GAVAT_EDEADLK || !gavat_op_error(op)->message || !gavat_op_error(op)->backend)
        abort();
    if (atomic_fetch_add(&m->calls, 1) != 0)
        abort();
    atomic_fetch_add(&m->of->calls, 1);
    free(m);
}

static void submit_one(player *p, gavat_op *op)
{
    static const gv_kind *const kinds[] = {&nothing_kind, &keep_kind, &keep_read_kind, &keep_long_kind};
    gavat_event event = an_event("u1", "note", "random", 1);
    size_t way = below(&p->random, 10);
    if (way < 4)
        submit(op, kinds[way]);
    else if (way < 7)
        gavat_log_event(op, &event);
    else if (way == 7)
        gavat_flush(op);
    else if (way == 8)
        gavat_get_metrics(op, GAVAT_METRICS_JSON);
    else
        gavat_check_stores(op);
}

static gavat_op *make_one(player *p)
{
    game *of = p->of;
    if (below(&p->random, 4) == 0)
        return gavat_op_new_held(of->g);
    mark *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->of = of;
    size_t way = below(&p->random, 8);
    gavat_op *op = way == 0   ? gavat_op_new_wait(of->g, on_end, m, (uint32_t)below(&p->random, 20))
                   : way == 1 ? gavat_op_new_reserved(of->g, on_end, m)
                              : gavat_op_new(of->g, on_end, m);
    if (op)
        atomic_fetch_add(&of->submitted, 1);
    else
        free(m);
    return op;
}

static void play(player *p)
{
    size_t slot = below(&p->random, KEPT);
    gavat_op *op = p->kept[slot];
    if (op) {
        size_t what = below(&p->random, 4);
        if (what == 0)
            gavat_op_cancel(op);
        if (what == 1 && gavat_op_wait(op) == GAVAT_PENDING)
            abort();
        gavat_op_unref(op);
        p->kept[slot] = NULL;
        return;
    }
    op = make_one(p);
    if (!op)
        return;
    if (!p->of->opens || below(&p->random, 3) == 0)
        gavat_op_set_timeout(op, 1 + (uint32_t)below(&p->random, 30));
    else
        gavat_op_set_timeout(op, 2000);
    bool own = op->held;
    p->kept[slot] = own ? op : below(&p->random, 2) ? gavat_op_ref(op) : NULL;
    submit_one(p, op);
}

static void *play_on(void *user)
{
    player *p = user;
    game *of = p->of;
    for (unsigned i = 0; i < STEPS; i++) {
        play(p);
        if (atomic_fetch_add(&of->steps, 1) == THREADS * STEPS / 2 && of->closes)
            gavat_close(of->g, NULL, NULL, 2000);
    }
    for (unsigned i = 0; i < KEPT; i++) {
        if (p->kept[i] && i % 2)
            gavat_op_wait(p->kept[i]);
        gavat_op_unref(p->kept[i]);
    }
    return NULL;
}

/* The store behind the test's own kinds. */
static void *serve(void *user)
{
    game *of = user;
    uint64_t random = of->seed ^ 77;
    for (;;) {
        gavat_op *op = take_kept();
        if (!op && atomic_load(&of->over))
            return NULL;
        if (!op) {
            usleep(200);
            continue;
        }
        if (below(&random, 8) == 0)
            usleep((useconds_t)below(&random, 3000));
        bool taken = gv_op_take(op);
        if (taken && below(&random, 8) == 0)
            usleep((useconds_t)below(&random, 3000));
        if (taken && below(&random, 5) == 0)
            gv_op_fail(op, GAVAT_ECONFLICT, 0, "7", "at random");
        else if (taken)
            gv_op_succeed(op, GAVAT_REACHED_STORE);
        gv_op_finish(op);
    }
}

static void on_room(gavat *g, void *user)
{
    (void)g;
    atomic_fetch_add(&((game *)user)->rooms, 1);
}

static void on_line(int32_t level, const char *area, const char *text, void *user)
{
    (void)level;
    (void)area;
    (void)text;
    atomic_fetch_add(&((game *)user)->lines, 1);
}

static void play_round(const char *folder, uint64_t seed)
{
    static const char *const small[] = {"GAVAT_MAX_OPS", "24", NULL};
    game of = {.seed = seed, .opens = seed % 8 != 0, .closes = seed & 1};
    player players[THREADS] = {0};
    pthread_t server;
    of.g = bare_client(folder, seed & 2 ? small : NULL, NULL);
    gavat_set_room(of.g, on_room, &of);
    gavat_set_log(of.g, GAVAT_LOG_DEBUG, on_line, &of);
    if (of.opens) {             /* else the ops wait for an open that never comes */
        gavat_op *op = held(of.g);
        gavat_open(op);
        if (seed & 4)
            assert_int_equal(gavat_op_wait(op), GAVAT_OK);
        gavat_op_unref(op);
    }
    assert_int_equal(pthread_create(&server, NULL, serve, &of), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        players[i].of = &of;
        players[i].random = seed * THREADS + i;
        assert_int_equal(pthread_create(&players[i].thread, NULL, play_on, &players[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(players[i].thread, NULL);
    gavat_ref(of.g);
    gavat_status status = gavat_close_wait(of.g, 5000);
    assert_true(status == GAVAT_OK || status == GAVAT_ETIMEDOUT);
    gavat_unref(of.g);
    atomic_store(&of.over, true);
    pthread_join(server, NULL);
    assert_int_equal(atomic_load(&of.calls), atomic_load(&of.submitted));
    if (!wait_until(is_balanced, of.g))
        fail_msg("round %llu: %zu live, %zu in reserve, %zu bytes", (unsigned long long)seed, atomic_load(&of.g->live),
                 atomic_load(&of.g->reserved), atomic_load(&of.g->bytes));
    assert_int_equal(of.g->outstanding, 0);
    assert_int_equal(of.g->unended, 0);
    gavat_unref(of.g);
}

static void every_op_ends_once_whatever_the_threads_do(void **state)
{
    (void)state;
    char folder[256];
    uint64_t seed = test_seed();
    make_folder(folder);
    for (size_t i = 0; i < at_scale(400); i++)
        play_round(folder, seed + i);
    drop_folder(folder);
}

static void a_client_may_be_opened_and_closed_again_and_again(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder);
    for (size_t i = 0; i < at_scale(1000); i++) {
        gavat *g = bare_client(folder, NULL, NULL);
        gavat_op *op = held(g);
        if (i % 3 && i % 5)
            gavat_open(op);
        else
            submit(op, &nothing_kind);
        if (i % 2)
            assert_int_equal(gavat_op_wait(op), GAVAT_OK);
        if (i % 5 == 0) {       /* the last op outlives the client's other holders */
            gavat_close(g, NULL, NULL, 1000);
            gavat_unref(g);
            gavat_op_wait(op);
            gavat_op_unref(op);
            continue;
        }
        gavat_op_unref(op);
        assert_int_equal(gavat_close_wait(g, 5000), GAVAT_OK);
        gavat_unref(g);
    }
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_op_ends_once_whatever_the_threads_do),
        cmocka_unit_test(a_client_may_be_opened_and_closed_again_and_again),
    };
    return cmocka_run_group_tests_name("ops_random", cases, NULL, NULL);
}
