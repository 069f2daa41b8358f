/* state.c: the state area on an SQLite file and in memory beside the driver alone.
 *     bench-state FOLDER OPS */
#include "figures.h"
#include "raw_state.h"
#include "../../include/gavatcore.h"
#include "../../lib/state/sqlite/sqlite.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 5
#define USERS 10000

typedef struct bench {
    size_t ops;
    char users[USERS][16];
    gavat *client;
    raw_state raw;
    atomic_size_t failed;
} bench;

/* The same keys for both: the n-th op of a verb. */
typedef struct draw {
    uint64_t state;
    const char *user;
    char name[16];
} draw;

static void draw_next(const bench *self, draw *d, state_verb verb)
{
    d->state = d->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    d->user = self->users[(d->state >> 33) % USERS];
    if (verb == STATE_TRY)      /* about half of them run already */
        snprintf(d->name, sizeof d->name, "a%u", (unsigned)((d->state >> 50) % (self->ops / USERS + 1)));
    else
        memcpy(d->name, "conversation", sizeof "conversation");
}

static gavat *open_ours(const char *url)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "off");
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", url);
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "10m");
    gavat_config_set(cfg, "GAVAT_DM_COOLDOWN", "0");    /* every permit is given, and its log stays as short as the raw loop's */
    gavat_config_set(cfg, "GAVAT_DM_WINDOW", "1ms");
    gavat_config_set(cfg, "GAVAT_DM_WINDOW_MESSAGES", "1000");
    gavat_config_set(cfg, "GAVAT_DM_GRACE", "0");
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fprintf(stderr, "bench: %s\n", gavat_config_error(cfg));
    bench_need(g, "no client");
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);      /* that it refuses is wanted here */
    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK, "the store does not open");
    gavat_op_unref(op);
    return g;
}

static void close_ours(gavat *g)
{
    gavat_close_wait(g, 60000);
    gavat_unref(g);
}

static bool is_good(const gavat_op *op)
{
    return gavat_op_status(op) == GAVAT_OK || gavat_op_status(op) == GAVAT_ENOTFOUND;
}

static void on_done(gavat_op *op, void *user)
{
    bench *self = user;
    if (!is_good(op))
        atomic_fetch_add(&self->failed, 1);
}

static void submit(gavat_op *op, state_verb verb, const draw *d)
{
    switch (verb) {
    case STATE_SET:
        gavat_set_state(op, d->user, d->name, STATE_VALUE, STATE_SPAN_MS);
        break;
    case STATE_GET:
        gavat_get_state(op, d->user, d->name);
        break;
    case STATE_ADD:
        gavat_add_counter(op, d->user, d->name, 1, 0);
        break;
    case STATE_TRY:
        gavat_try_cooldown(op, d->user, d->name, STATE_SPAN_MS);
        break;
    case STATE_APPLY:
        gavat_apply_conversation(op, "bot", d->user, GAVAT_BOT_SENT);
        break;
    case STATE_PERMIT:
        gavat_permit_message(op, "bot", d->user);
        break;
    }
}

/* As many in flight as the client admits; until all have ended. */
static void ours_many(bench *self, state_verb verb, draw *d, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = gavat_op_new(self->client, on_done, self);
        if (!op)
            op = gavat_op_new_wait(self->client, on_done, self, 600000);
        draw_next(self, d, verb);
        submit(op, verb, d);
    }
    gavat_op *op = gavat_op_new_wait(self->client, NULL, NULL, 60000);
    gavat_op_ref(op);
    gavat_flush(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK && !atomic_load(&self->failed), "a call failed");
    gavat_op_unref(op);
}

static void ours_alone(bench *self, state_verb verb, draw *d, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = gavat_op_new_held(self->client);
        draw_next(self, d, verb);
        submit(op, verb, d);
        gavat_op_wait(op);
        bench_need(is_good(op), "a call failed");
        gavat_op_unref(op);
    }
}

static void raw_loop(bench *self, state_verb verb, draw *d, size_t count, size_t batch)
{
    for (size_t i = 0; i < count;) {
        if (batch > 1)
            raw_state_begin(&self->raw, verb != STATE_GET);
        for (size_t k = 0; k < batch && i < count; k++, i++) {
            draw_next(self, d, verb);
            if (batch == 1 && verb >= STATE_ADD)
                raw_state_begin(&self->raw, true);
            raw_state_do(&self->raw, verb, d->user, d->name);
            if (batch == 1 && verb >= STATE_ADD)
                raw_state_commit(&self->raw);
        }
        if (batch > 1)
            raw_state_commit(&self->raw);
    }
}

static void measure(bench *self, const char *store, state_verb verb)
{
    static const char *const names[] = {"set", "get", "counter_add", "try_cooldown", "conversation_apply", "permit_message"};
    bench_figure many = {.count = 0}, alone = {.count = 0}, processor = {.count = 0};
    draw ours = {.state = verb + 1}, raw = {.state = verb + 1};
    char name[80];
    size_t count = self->ops / TURNS, few = self->ops / 1000;
    for (size_t i = 0; i < TURNS; i++) {
        double start = bench_now(), before = bench_thread("gavat-state");
        ours_many(self, verb, &ours, count);
        double rate = (double)count / (bench_now() - start), worker = bench_thread("gavat-state") - before;
        start = bench_now();
        before = bench_thread(NULL);
        raw_loop(self, verb, &raw, count, GV_STATE_BATCH);
        bench_add(&many, rate, (double)count / (bench_now() - start));
        bench_add(&processor, worker * 1e9 / (double)count, (bench_thread(NULL) - before) * 1e9 / (double)count);
    }
    for (size_t i = 0; i < TURNS; i++) {
        double start = bench_now();
        ours_alone(self, verb, &ours, few);
        double time = (bench_now() - start) * 1e6 / (double)few;
        start = bench_now();
        raw_loop(self, verb, &raw, few, 1);
        bench_add(&alone, time, (bench_now() - start) * 1e6 / (double)few);
    }
    snprintf(name, sizeof name, "state.%s.%s.many", store, names[verb]);
    bench_print(name, &many, "/s", verb <= STATE_TRY ? BENCH_RATIO_LEAST : BENCH_NONE, 0.8);
    snprintf(name, sizeof name, "state.%s.%s.many.worker_processor", store, names[verb]);
    bench_print(name, &processor, "ns", BENCH_NONE, 0);
    snprintf(name, sizeof name, "state.%s.%s.one_caller_alone", store, names[verb]);
    bench_print(name, &alone, "us", BENCH_NONE, 0);
}

static void measure_all(bench *self, const char *store, const char *url, const char *raw_path, const char *like)
{
    self->client = open_ours(url);
    raw_state_open(&self->raw, raw_path, like);
    for (state_verb verb = STATE_SET; verb <= STATE_PERMIT; verb++)
        measure(self, store, verb);
    close_ours(self->client);
    raw_state_close(&self->raw);
}

int main(int argc, char **argv)
{
    static bench self;
    char ours[500], raw[500];
    bench_need(argc == 3, "bench-state FOLDER OPS; it is run by tests/bench/run.sh");
    self.ops = strtoul(argv[2], NULL, 10);
    for (unsigned i = 0; i < USERS; i++)
        snprintf(self.users[i], sizeof *self.users, "%u", 100000000 + i * 7919);
    snprintf(ours, sizeof ours, "sqlite:///%s/ours.db", argv[1]);
    snprintf(raw, sizeof raw, "%s/raw.db", argv[1]);
    const char *like = ours + strlen("sqlite:///");
    measure_all(&self, "sqlite", ours, raw, like);
    measure_all(&self, "memory", "memory:", NULL, like);
    return bench_end();
}
