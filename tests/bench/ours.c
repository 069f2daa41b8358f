#include "ours.h"
#include "figures.h"
#include "../../lib/events/sqlite/sqlite.h"
#include <stdio.h>
#include <unistd.h>

#define PAGES 32                /* reads in flight */
#define SEARCHES 9

void ours_open(ours *self, const char *path, bool with_index, sample *source)
{
    char url[600];
    snprintf(url, sizeof url, "sqlite:///%s", path);
    ours_open_url(self, url, with_index, source);
    snprintf(self->path, sizeof self->path, "%s", path);
    snprintf(self->index_path, sizeof self->index_path, "%s.search", path);
}

void ours_open_url(ours *self, const char *url, bool with_index, sample *source)
{
    memset(self, 0, sizeof *self);
    self->sample = source;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", url);
    gavat_config_set(cfg, "GAVAT_EVENTS_SPOOL", "off");
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", "off");
    gavat_config_set(cfg, "GAVAT_EVENTS_SEARCH_INDEX", with_index ? "on" : "off");
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "10m");
    gavat_status status = gavat_new(&self->client, NULL, cfg);
    if (status != GAVAT_OK)
        fprintf(stderr, "bench: %s\n", gavat_config_error(cfg));
    bench_need(status == GAVAT_OK, "no client");
    gavat_config_free(cfg);
    gavat_set_log(self->client, GAVAT_LOG_ERROR, NULL, NULL);       /* that it refuses is wanted here */
    gavat_op *op = gavat_op_new_held(self->client);
    gavat_open(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK, "the store does not open");
    gavat_op_unref(op);
}

void ours_close(ours *self)
{
    gavat_close_wait(self->client, 60000);
    gavat_unref(self->client);
}

static void on_logged(gavat_op *op, void *user)
{
    ours *self = user;
    if (gavat_op_status(op) != GAVAT_OK)
        atomic_fetch_add(&self->failed, 1);
}

static void log_next(ours *self, gavat_op *op)
{
    gavat_event event = gavat_event_init();
    sample_next(self->sample, &event);
    gavat_log_event(op, &event);
}

static void wait_for_all(ours *self)
{
    gavat_op *op = gavat_op_new_wait(self->client, NULL, NULL, 60000);
    gavat_op_ref(op);
    gavat_op_set_timeout(op, 600000);
    gavat_flush(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK && !atomic_load(&self->failed), "a call failed");
    gavat_op_unref(op);
}

static gavat_op *admit(ours *self, gavat_done_fn done)
{
    gavat_op *op = gavat_op_new(self->client, done, self);
    return op ? op : gavat_op_new_wait(self->client, done, self, 600000);
}

void ours_write(ours *self, size_t count)
{
    for (size_t i = 0; i < count; i++)
        log_next(self, admit(self, on_logged));
    wait_for_all(self);
}

void ours_write_alone(ours *self, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = gavat_op_new_held(self->client);
        log_next(self, op);
        bench_need(gavat_op_wait(op) == GAVAT_OK, "a write failed");
        gavat_op_unref(op);
    }
}

static size_t take_rows(gavat_op *op)
{
    size_t count = gavat_op_count(op), bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += gavat_op_event(op, i)->message != NULL;
    return bytes == count ? count : 0;
}

size_t ours_read_page(ours *self, const char *user)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = user;
    gavat_op *op = gavat_op_new_held(self->client);
    gavat_get_events(op, &filter);
    bench_need(gavat_op_wait(op) == GAVAT_OK, "a read failed");
    size_t rows = take_rows(op);
    gavat_op_unref(op);
    return rows;
}

typedef struct reading {
    ours *ours;
    size_t left;                /* loop's thread, once it has begun */
    atomic_size_t done;
} reading;

static void read_next(reading *self);

static void on_page(gavat_op *op, void *user)
{
    reading *self = user;
    bench_need(gavat_op_status(op) == GAVAT_OK, "a read failed");
    atomic_fetch_add(&self->ours->records, take_rows(op));
    if (self->left)
        read_next(self);
    atomic_fetch_add(&self->done, 1);
}

static void read_next(reading *self)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = sample_user(self->ours->sample);
    self->left--;
    gavat_get_events(gavat_op_new(self->ours->client, on_page, self), &filter);
}

/* On the loop's thread, where the further ones are submitted too. */
static void on_begin(gavat_op *op, void *user)
{
    (void)op;
    reading *self = user;
    for (size_t i = 0; i < PAGES && self->left; i++)
        read_next(self);
}

void ours_read_pages(ours *self, size_t count)
{
    reading work = {.ours = self, .left = count};
    gavat_flush(gavat_op_new(self->client, on_begin, &work));
    while (atomic_load(&work.done) < count)
        usleep(200);
}

double ours_search(ours *self, const char *keyword, size_t *found)
{
    double times[SEARCHES];
    gavat_filter filter = gavat_filter_init();
    for (size_t i = 0; i < SEARCHES; i++) {
        double start = bench_now();
        *found = 0;
        char cursor[256] = "";
        do {                    /* a page may end early: until its hundred are found or the rows are at their end */
            gavat_op *op = gavat_op_new_held(self->client);
            filter.limit = 100 - (uint32_t)*found;
            filter.cursor = cursor[0] ? cursor : NULL;
            gavat_search_events(op, keyword, &filter);
            bench_need(gavat_op_wait(op) == GAVAT_OK, "a search failed");
            *found += gavat_op_count(op);
            const char *next = gavat_op_cursor(op);
            snprintf(cursor, sizeof cursor, "%s", next ? next : "");
            gavat_op_unref(op);
        } while (cursor[0] && *found < 100);
        times[i] = (bench_now() - start) * 1e3;
    }
    return bench_median(times, SEARCHES);
}

int64_t ours_lag(ours *self)
{
    gv_sqlite *store = self->client->stores[GV_EVENTS].self;
    pthread_mutex_lock(&store->lock);
    int64_t lag = store->newest_id - store->indexed_id;
    pthread_mutex_unlock(&store->lock);
    return lag;
}

void ours_drain(ours *self)
{
    double start = bench_now();
    while (ours_lag(self) > 0) {
        bench_need(bench_now() - start < 600, "the search index does not catch up");
        usleep(1000);
    }
}
