/* postgresql.c: the events area on PostgreSQL beside libpq alone.
 *     bench-postgresql URL ROWS        the URL without a path of schemas: they are made, and dropped at the end */
#include "figures.h"
#include "ours.h"
#include "raw_postgresql.h"
#include "tails.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 5
#define PAGES 16                /* in flight on a connection */

typedef struct bench {
    const char *url;
    size_t rows;
    sample sample;
    ours ours;
    raw raw;
} bench;

static void ignore_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static void run_sql(const bench *self, const char *sql)
{
    PGconn *pg = PQconnectdb(self->url);
    bench_need(PQstatus(pg) == CONNECTION_OK, "the server cannot be reached");
    PQsetNoticeProcessor(pg, ignore_notice, NULL);
    PGresult *result = PQexec(pg, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fprintf(stderr, "bench: %s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
}

static void make_url(const bench *self, const char *schema, char out[600])
{
    char sql[200];
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s", schema, schema);
    run_sql(self, sql);
    snprintf(out, 600, "%s?options=-csearch_path%%3D%s%%2Cpublic", self->url, schema);
}

/* Both sides get the tables that the library makes. */
static void open_pair(bench *self, bool with_index)
{
    char ours_url[600], raw_url[600];
    make_url(self, "bench_ours", ours_url);
    make_url(self, "bench_raw", raw_url);
    ours_open_url(&self->ours, raw_url, with_index, &self->sample);
    ours_close(&self->ours);
    ours_open_url(&self->ours, ours_url, with_index, &self->sample);
    raw_open(&self->raw, raw_url, with_index);
}

static void close_pair(bench *self)
{
    ours_close(&self->ours);
    raw_close(&self->raw);
    run_sql(self, "DROP SCHEMA bench_ours CASCADE; DROP SCHEMA bench_raw CASCADE");
}

static double rate(double start, size_t count)
{
    return (double)count / (bench_now() - start);
}

/* Both grow in turns, so they are always of one size when they are compared. */
static void write_turns(bench *self, bench_figure *figure)
{
    size_t count = self->rows / TURNS;
    for (size_t i = 0; i < TURNS; i++) {
        double start = bench_now();
        ours_write(&self->ours, count);
        double ours_rate = rate(start, count);
        start = bench_now();
        raw_write(&self->raw, count, RAW_BATCH, RAW_LANES);
        bench_add(figure, ours_rate, rate(start, count));
    }
}

/* The same rows by one connection, each committed on its own. */
static void write_singly(bench *self, const char *name, const bench_figure *many, double least)
{
    bench_figure figure = {.count = 0};
    size_t count = self->rows / 500;
    for (size_t i = 0; i < many->count; i++) {
        double start = bench_now();
        raw_write(&self->raw, count, 1, 1);
        bench_add(&figure, many->ours[i], rate(start, count));
    }
    bench_print(name, &figure, "/s", BENCH_RATIO_LEAST, least);
}

static void write_alone(bench *self)
{
    bench_figure figure = {.count = 0};
    size_t count = self->rows / 1000;
    for (size_t i = 0; i < 2 * TURNS; i++) {
        double start = bench_now();
        ours_write_alone(&self->ours, count);
        double ours_time = (bench_now() - start) * 1e6 / (double)count;
        start = bench_now();
        raw_write(&self->raw, count, 1, 1);
        bench_add(&figure, ours_time, (bench_now() - start) * 1e6 / (double)count);
    }
    bench_print("postgresql.write.one_caller_alone", &figure, "us", BENCH_RATIO_MOST, 1.3);
}

static void read_pages(bench *self)
{
    bench_figure figure = {.count = 0};
    size_t count = self->rows / 100;
    run_sql(self, "VACUUM ANALYZE bench_ours.event_logs");
    run_sql(self, "VACUUM ANALYZE bench_raw.event_logs");
    ours_read_pages(&self->ours, count);
    raw_read_pages(&self->raw, count, PAGES);
    for (size_t i = 0; i < TURNS; i++) {
        double start = bench_now();
        ours_read_pages(&self->ours, count);
        double ours_rate = rate(start, count);
        start = bench_now();
        raw_read_pages(&self->raw, count, PAGES);
        bench_add(&figure, ours_rate, rate(start, count));
    }
    bench_print("postgresql.read.newest_100_of_a_user", &figure, "/s", BENCH_RATIO_LEAST, 0.8);
}

static void without_index(bench *self)
{
    bench_figure many = {.count = 0};
    open_pair(self, false);
    write_turns(self, &many);
    bench_print("postgresql.write.many", &many, "/s", BENCH_RATIO_LEAST, 0.95);
    write_singly(self, "postgresql.write.many_beside_one_a_commit", &many, 10);
    write_alone(self);
    read_pages(self);
    close_pair(self);
}

static void search(bench *self, const char *name, const char *keyword, double most)
{
    bench_figure figure = {.count = 0};
    size_t found = 0, raw_found = 0;
    for (size_t i = 0; i < 3; i++) {
        double ours_time = ours_search(&self->ours, keyword, &found);
        bench_add(&figure, ours_time, raw_search(&self->raw, keyword, &raw_found));
    }
    bench_need(found && raw_found, "a search finds nothing");
    bench_print(name, &figure, "ms", most > 0 ? BENCH_OURS_MOST : BENCH_NONE, most);
}

static void with_index(bench *self)
{
    bench_figure many = {.count = 0};
    open_pair(self, true);
    write_turns(self, &many);
    bench_print("postgresql.write.many.with_search_index", &many, "/s", BENCH_RATIO_LEAST, 0.95);
    write_singly(self, "postgresql.write.many_beside_one_a_commit.with_search_index", &many, 5);
    run_sql(self, "VACUUM ANALYZE bench_ours.event_logs");
    run_sql(self, "VACUUM ANALYZE bench_raw.event_logs");
    search(self, "postgresql.search.rare", "zumruduanka", 20);
    search(self, "postgresql.search.common", SAMPLE_COMMON, 0);
    close_pair(self);
}

static void beside_tails(const bench *self)
{
    char url[600];
    make_url(self, "bench_tails", url);
    bench_tails(url);
    run_sql(self, "DROP SCHEMA bench_tails CASCADE");
}

int main(int argc, char **argv)
{
    static bench self;
    bench_need(argc == 3, "bench-postgresql URL ROWS; it is run by tests/bench/run.sh");
    self.url = argv[1];
    self.rows = strtoul(argv[2], NULL, 10);
    sample_init(&self.sample, 1);
    without_index(&self);
    with_index(&self);
    beside_tails(&self);
    sample_free(&self.sample);
    return bench_end();
}
