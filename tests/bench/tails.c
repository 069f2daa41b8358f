#include "tails.h"
#include "figures.h"
#include "../../include/gavatcore.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RATE 2000               /* events a second */
#define TAILS 16
#define TURNS 8

static struct written {
    double began, took;
} writes[RATE];
static atomic_size_t pending, failed, seen;
static atomic_bool stopping;

static gavat *open_client(const char *url)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", url);
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", "off");
    gavat_config_set(cfg, "GAVAT_EVENTS_SEARCH_INDEX", "off");
    bench_need(gavat_new(&g, NULL, cfg) == GAVAT_OK, gavat_config_error(cfg));
    gavat_config_free(cfg);
    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK, "the store does not open");
    gavat_op_unref(op);
    return g;
}

static void close_client(gavat *g)
{
    gavat_close_wait(g, 10000);
    gavat_unref(g);
}

static void on_written(gavat_op *op, void *user)
{
    struct written *of = user;
    of->took = bench_now() - of->began;
    atomic_fetch_add(&failed, gavat_op_status(op) != GAVAT_OK);
    atomic_fetch_sub(&pending, 1);
}

static void on_news(gavat_op *op, void *user)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = 1000;
    filter.cursor = gavat_op_cursor(op);
    atomic_fetch_add(&seen, gavat_op_count(op));
    bench_need(gavat_op_status(op) == GAVAT_OK, gavat_op_error(op)->message);
    if (!atomic_load(&stopping))
        gavat_tail_events(gavat_op_new(gavat_op_client(op), on_news, user), &filter);
}

/* A second of writes; the median of their times, in microseconds. */
static double write_second(gavat *g)
{
    static double times[RATE];
    double start = bench_now();
    for (size_t i = 0; i < RATE; i++) {
        double due = start + (double)i / RATE, now = bench_now();
        if (due > now) {
            struct timespec pause = {0, (long)((due - now) * 1e9)};
            nanosleep(&pause, NULL);
        }
        char user[20];
        snprintf(user, sizeof user, "user%zu", i % 100);
        gavat_event event = gavat_event_init();
        event.user_id = user;
        event.type = "dm_received";
        event.message = "a message of a length that is usual here";
        atomic_fetch_add(&pending, 1);
        writes[i].began = bench_now();
        gavat_log_event(gavat_op_new_wait(g, on_written, &writes[i], 10000), &event);
    }
    while (atomic_load(&pending)) {
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < RATE; i++)
        times[i] = writes[i].took * 1e6;
    return bench_median(times, RATE);
}

static double with_tails(gavat *writer, const char *url)
{
    gavat *g = open_client(url);
    atomic_store(&stopping, false);
    atomic_store(&seen, 0);
    for (int i = 0; i < TAILS; i++)
        gavat_tail_events(gavat_op_new(g, on_news, NULL), NULL);
    struct timespec pause = {0, 300000000};     /* they have begun */
    nanosleep(&pause, NULL);
    double time = write_second(writer);
    for (int i = 0; i < 300 && atomic_load(&seen) < (size_t)TAILS * RATE; i++) {
        pause.tv_nsec = 10000000;
        nanosleep(&pause, NULL);
    }
    bench_need(atomic_load(&seen) == (size_t)TAILS * RATE, "a tail has missed an event, or seen one twice");
    atomic_store(&stopping, true);
    close_client(g);
    return time;
}

void bench_tails(const char *url)
{
    bench_figure figure = {.count = 0};
    gavat *writer = open_client(url);
    write_second(writer);
    for (int i = 0; i < TURNS; i++) {
        double time = with_tails(writer, url);
        bench_add(&figure, time, write_second(writer));
    }
    bench_need(!atomic_load(&failed), "a write failed");
    close_client(writer);
    bench_print("postgresql.write.p50_beside_16_tails", &figure, "us", BENCH_RATIO_MOST, 1.1);
}
