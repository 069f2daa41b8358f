/* sqlite.c: the events area on SQLite beside the driver alone.
 *     bench-sqlite FOLDER ROWS */
#include "figures.h"
#include "ours.h"
#include "raw.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 5                 /* of a file */
#define FILES 3                 /* that small ones are written anew, so that a moment of the disk is one turn among fifteen */
#define LARGE 500000            /* rows that one file is enough for */
#define TURNS_INDEXED 3

typedef struct bench {
    const char *folder;
    size_t rows;
    sample ours_sample, raw_sample;
    ours ours;
    raw raw;
    double plain;               /* our rate without the search index, at full size */
} bench;

static const char *path_in(const bench *self, const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", self->folder, name);
    return path;
}

static void open_pair(bench *self, const char *ours_name, const char *raw_name, bool with_index)
{
    ours_open(&self->ours, path_in(self, ours_name), with_index, &self->ours_sample);
    raw_open(&self->raw, path_in(self, raw_name), with_index, &self->raw_sample);
}

static double rate(double start, size_t count)
{
    return (double)count / (bench_now() - start);
}

typedef struct writes {
    bench_figure rates;
    bench_figure processor;     /* microseconds a row of the one thread that writes: what a busy machine moves less */
} writes;

typedef struct wrote {
    double rate, processor;
} wrote;

static wrote write_ours(bench *self, size_t count)
{
    double start = bench_now(), before = bench_thread("gavat-writer");
    ours_write(&self->ours, count);
    wrote done = {rate(start, count), (bench_thread("gavat-writer") - before) * 1e6 / (double)count};
    return done;
}

static wrote write_raw(bench *self, size_t count)
{
    double start = bench_now(), before = bench_thread(NULL);
    raw_write(&self->raw, count, RAW_BATCH);
    wrote done = {rate(start, count), (bench_thread(NULL) - before) * 1e6 / (double)count};
    return done;
}

/* Both files grow in turns, so they are always of one size when they are compared. The second of a turn finds the disk busy with what
 * the first one left to it, so they change places. */
static void write_turns(bench *self, writes *many, size_t count)
{
    for (size_t i = 0; i < TURNS; i++) {
        wrote raw = {0}, ours;
        if (i % 2)
            raw = write_raw(self, count);
        ours = write_ours(self, count);
        if (i % 2 == 0)
            raw = write_raw(self, count);
        bench_add(&many->rates, ours.rate, raw.rate);
        bench_add(&many->processor, ours.processor, raw.processor);
    }
}

/* The same rows, each committed on its own. */
static void write_singly(bench *self, const bench_figure *many, size_t count)
{
    raw single;
    bench_figure figure = {.count = 0};
    raw_open(&single, path_in(self, "single.db"), false, &self->raw_sample);
    for (size_t i = 0; i < many->count; i++) {
        double start = bench_now();
        raw_write(&single, count, 1);
        bench_add(&figure, many->ours[i], rate(start, count));
    }
    raw_close(&single);
    bench_print("sqlite.write.many_beside_one_a_commit", &figure, "/s", BENCH_RATIO_LEAST, 8);
}

static double ours_alone(bench *self, size_t count)
{
    double start = bench_now();
    ours_write_alone(&self->ours, count);
    return (bench_now() - start) * 1e6 / (double)count;
}

static double raw_alone(bench *self, size_t count)
{
    double start = bench_now();
    raw_write(&self->raw, count, 1);
    return (bench_now() - start) * 1e6 / (double)count;
}

static void write_alone(bench *self, const char *name, size_t count)
{
    bench_figure figure = {.count = 0};
    for (size_t i = 0; i < 2 * TURNS; i++) {
        double raw = i % 2 ? raw_alone(self, count) : 0, ours = ours_alone(self, count);
        bench_add(&figure, ours, i % 2 ? raw : raw_alone(self, count));
    }
    bench_print(name, &figure, "us", BENCH_RATIO_MOST, 1.25);
}

static double read_raw_pages(bench *self, size_t count)
{
    double start = bench_now();
    for (size_t k = 0; k < count; k++)
        raw_read_page(&self->raw, sample_user(&self->raw_sample));
    return rate(start, count);
}

static void read_pages(bench *self, size_t count)
{
    bench_figure many = {.count = 0}, alone = {.count = 0};
    ours_read_pages(&self->ours, 3 * count);    /* until the caches hold what they can */
    read_raw_pages(self, 3 * count);
    for (size_t i = 0; i < TURNS; i++) {
        double start = bench_now();
        ours_read_pages(&self->ours, count);
        double ours_rate = rate(start, count);
        bench_add(&many, ours_rate, read_raw_pages(self, count));
        start = bench_now();
        for (size_t k = 0; k < count; k++)
            ours_read_page(&self->ours, sample_user(&self->ours_sample));
        ours_rate = rate(start, count);
        bench_add(&alone, ours_rate, read_raw_pages(self, count));
    }
    bench_print("sqlite.read.newest_100_of_a_user", &many, "/s", BENCH_RATIO_LEAST, 0.8);
    bench_print("sqlite.read.newest_100_of_a_user.one_caller_alone", &alone, "/s", BENCH_NONE, 0);
}

static void close_pair(bench *self)
{
    ours_close(&self->ours);
    raw_close(&self->raw);
}

/* The last pair of files stays open. */
static void write_many(bench *self, writes *many)
{
    size_t files = self->rows > LARGE ? 1 : FILES;
    for (size_t i = 0; i < files; i++) {
        char ours[40], raw[40];
        snprintf(ours, sizeof ours, "ours-%zu.db", i);
        snprintf(raw, sizeof raw, "raw-%zu.db", i);
        open_pair(self, ours, raw, false);
        write_turns(self, many, self->rows / TURNS);
        if (i + 1 < files)
            close_pair(self);
    }
}

static void without_index(bench *self)
{
    writes many = {.rates.count = 0}, large = {.rates.count = 0};
    size_t few = self->rows / 1000;
    write_many(self, &many);
    bench_print("sqlite.write.many", &many.rates, "/s", BENCH_RATIO_LEAST, 0.95);
    bench_print("sqlite.write.many.writer_processor", &many.processor, "us", BENCH_NONE, 0);
    write_singly(self, &many.rates, few);
    write_turns(self, &large, self->rows / (self->rows > LARGE ? 20 : 5));
    bench_print("sqlite.write.many.at_full_size", &large.rates, "/s", BENCH_RATIO_LEAST, 0.95);
    bench_print("sqlite.write.many.at_full_size.writer_processor", &large.processor, "us", BENCH_NONE, 0);
    self->plain = bench_median(large.rates.ours, large.rates.count);
    write_alone(self, "sqlite.write.one_caller_alone", few);
    read_pages(self, few < 1000 ? 1000 : few);
    close_pair(self);
}

static void write_indexed(bench *self, size_t count)
{
    bench_figure acknowledged = {.count = 0}, drained = {.count = 0}, lag = {.count = 0}, share = {.count = 0};
    for (size_t i = 0; i < TURNS_INDEXED; i++) {
        double start = bench_now();
        ours_write(&self->ours, count);
        double ours_rate = rate(start, count);
        bench_add(&lag, (double)ours_lag(&self->ours), 0);
        ours_drain(&self->ours);
        double ours_drained = rate(start, count);
        start = bench_now();
        raw_write(&self->raw, count, RAW_BATCH);
        double raw_rate = rate(start, count);
        bench_add(&acknowledged, ours_rate, raw_rate);
        bench_add(&drained, ours_drained, raw_rate);
        bench_add(&share, ours_rate, self->plain);
    }
    bench_print("sqlite.write.many.with_search_index", &acknowledged, "/s", BENCH_RATIO_LEAST, 0.9);
    bench_print("sqlite.write.many.with_search_index_drained", &drained, "/s", BENCH_NONE, 0);
    bench_print("sqlite.write.search_lag_at_the_end", &lag, "rows", BENCH_NONE, 0);
    bench_print("sqlite.write.with_search_index_beside_without", &share, "/s", BENCH_RATIO_LEAST, 0.5);
}

static void search(bench *self, const char *name, const char *keyword, double most)
{
    bench_figure figure = {.count = 0};
    size_t found = 0, raw_found = 0;
    for (size_t i = 0; i < 3; i++) {
        double ours_time = ours_search(&self->ours, keyword, &found);
        bench_add(&figure, ours_time, raw_search(self->ours.path, self->ours.index_path, keyword, &raw_found));
    }
    bench_need(found == raw_found, "a search does not find what FTS5 finds");
    bench_print(name, &figure, "ms", BENCH_OURS_MOST, most);
}

static void with_index(bench *self)
{
    open_pair(self, "ours-indexed.db", "raw-indexed.db", true);
    write_indexed(self, self->rows / TURNS_INDEXED);
    search(self, "sqlite.search.rare", "zumruduanka", 20);
    search(self, "sqlite.search.common", SAMPLE_COMMON, 200);
    search(self, "sqlite.search.common_trigrams_no_match", SAMPLE_NOWHERE, 200);
    raw_close(&self->raw);      /* again without its index: what is one commit more, in a file as large as ours */
    raw_open(&self->raw, path_in(self, "raw-indexed.db"), false, &self->raw_sample);
    write_alone(self, "sqlite.write.one_caller_alone.with_search_index", self->rows / 1000);
    close_pair(self);
}

int main(int argc, char **argv)
{
    static bench self;
    bench_need(argc == 3, "bench-sqlite FOLDER ROWS; it is run by tests/bench/run.sh");
    self.folder = argv[1];
    self.rows = strtoul(argv[2], NULL, 10);
    sample_init(&self.ours_sample, 1);
    sample_init(&self.raw_sample, 1);
    without_index(&self);
    with_index(&self);
    sample_free(&self.ours_sample);
    sample_free(&self.raw_sample);
    return bench_end();
}
