/* ops_kinds.h: what the tests of the op contract share: a client and a callback that notes what it saw, and kinds of
 * operations that only they have: one that does nothing, and some whose store is the test itself, which decides when
 * to take and to finish them. Included by one file of a program. */
#ifndef GAVATCORE_TEST_OPS_KINDS_H
#define GAVATCORE_TEST_OPS_KINDS_H
#include "client.h"
#include "core/client.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static inline void run_nothing(gavat *g, gavat_op *op)
{
    (void)g;
    gv_op_succeed(op, GAVAT_REACHED_MEMORY);
    gv_op_finish(op);
}

/* Ops that came to the test's own store, in order; whoever takes one off has the store's reference. */
typedef struct desk {
    pthread_mutex_t lock;
    gv_list ops;
} desk;
static desk the_desk = {PTHREAD_MUTEX_INITIALIZER, {{&the_desk.ops.head, &the_desk.ops.head}}};

static inline void run_keep(gavat *g, gavat_op *op)
{
    (void)g;
    pthread_mutex_lock(&the_desk.lock);
    gv_list_append(&the_desk.ops, &op->link);
    pthread_mutex_unlock(&the_desk.lock);
}

static inline gavat_op *take_kept(void)
{
    pthread_mutex_lock(&the_desk.lock);
    gv_link *link = gv_list_take(&the_desk.ops);
    pthread_mutex_unlock(&the_desk.lock);
    return link ? GV_CONTAINER(link, gavat_op, link) : NULL;
}

static inline gavat_op *wait_kept(void)
{
    gavat_op *op = NULL;
    for (int i = 0; i < 5000 && !(op = take_kept()); i++)
        usleep(1000);
    if (!op)
        fail_msg("no op came to the test's store within 5 s");
    return op;
}

static inline void finish_kept(gavat_op *op)
{
    gv_op_succeed(op, GAVAT_REACHED_STORE);
    gv_op_finish(op);
}

static const gv_kind nothing_kind = {"nothing", GV_CORE, 31, 0, run_nothing};
static const gv_kind keep_kind = {"keep", GV_CORE, 30, GV_WRITE, run_keep};
static const gv_kind keep_read_kind = {"keep_read", GV_CORE, 29, 0, run_keep};
static const gv_kind keep_long_kind = {"keep_long", GV_CORE, 28, GV_WRITE | GV_LONG, run_keep};

static inline void submit(gavat_op *op, const gv_kind *kind)
{
    if (gv_op_begin(op, kind))
        gv_op_submit(op);
}

/* A client that no store has been opened for, in a fresh folder. */
static inline gavat *bare_client(const char *folder, const char *const *settings, struct uv_loop_s *loop)
{
    gavat *g = NULL;
    char url[400];
    gavat_config *cfg = gavat_config_new();
    snprintf(url, sizeof url, "sqlite:///%s/events.db", folder);
    gavat_config_set(cfg, "POSTGRES_URL", url);
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", "off");
    for (; settings && *settings; settings += 2)
        gavat_config_set(cfg, settings[0], settings[1]);
    if (gavat_new(&g, loop, cfg) != GAVAT_OK)
        fail_msg("gavat_new: %s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    return g;
}

static inline uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Nothing is counted any more; the bytes are those of the op that close has in reserve, before it. */
static inline bool is_balanced(void *user)
{
    gavat *g = user;
    return atomic_load(&g->live) == 0 && atomic_load(&g->reserved) == 0
           && atomic_load(&g->bytes) == (atomic_load(&g->gone) ? 0 : sizeof(gavat_op));
}
/* A case's client. */
typedef struct box {
    char folder[256];
    gavat *g;
} box;

static inline int set_up(void **state)
{
    box *b = calloc(1, sizeof *b);
    make_folder(b->folder);
    b->g = bare_client(b->folder, NULL, NULL);
    *state = b;
    return 0;
}

static inline int tear_down(void **state)
{
    box *b = *state;
    if (b->g)                   /* a case may have closed it, with its own outcome */
        gavat_close_wait(b->g, 30000);
    gavat_unref(b->g);
    drop_folder(b->folder);
    free(b);
    return 0;
}

/* What a callback saw. */
typedef struct seen {
    atomic_uint calls;
    atomic_int status;
    pthread_t thread;
    atomic_bool inside, was_inside;     /* of the submitting call */
    unsigned sleep_ms;
    unsigned order[64];
} seen;

static inline void on_done(gavat_op *op, void *user)
{
    seen *s = user;
    s->thread = pthread_self();
    if (atomic_load(&s->inside))
        atomic_store(&s->was_inside, true);
    if (s->sleep_ms)
        usleep(s->sleep_ms * 1000);
    atomic_store(&s->status, gavat_op_status(op));
    atomic_fetch_add(&s->calls, 1);
}

static inline bool was_called(void *user)
{
    return atomic_load(&((seen *)user)->calls) > 0;
}

static inline void expect_calls(seen *s, unsigned calls)
{
    if (calls)
        assert_true(wait_until(was_called, s));
    usleep(20000);
    assert_int_equal(atomic_load(&s->calls), calls);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#endif
