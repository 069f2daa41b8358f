/* files.c: profiles as JSON files beside plain file calls.
 *     bench-files FOLDER ROWS */
#include "figures.h"
#include "../../include/gavatcore.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURNS 5
#define MANY 100000             /* profiles that are listed and searched */
#define BATCH 256               /* documents between two syncs of the folder, as the library at its busiest */
#define GETS_IN_FLIGHT 2048
#define MIB (1024.0 * 1024.0)

typedef struct bench {
    char ours_folder[400], raw_folder[400];
    gavat *client;
    size_t puts, gets;          /* of a turn */
    size_t among;               /* profiles that gets choose from */
    uint64_t random;
    atomic_size_t failed, done;
} bench;

static size_t below(bench *self, size_t bound)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(self->random >> 33) % bound;
}

/* As the original's files are: about 800 bytes, indented. */
static size_t make_document(size_t i, bool stored, char out[2000])
{
    static const char body[] =
        "{\n  \"username\": \"bot%06zu\",\n  \"display_name\": \"%s Bot %zu\",\n  \"user_id\": %zu,\n  \"type\": \"%s\",\n"
        "  \"is_active\": %s,\n  \"autospam\": %s,\n  \"reply_mode\": \"hybrid\",\n  \"gpt\": {\n    \"model\": \"gpt-4o\",\n"
        "    \"temperature\": 0.7,\n    \"max_tokens\": 300\n  },\n  \"engaging_messages\": [\n    \"Selam can\304\261m, nas\304\261ls\304\261n?\",\n"
        "    \"Bug\303\274n neler yapt\304\261n?\",\n    \"Beni \303\266zledin mi?\"\n  ],\n  \"services_menu\": \"\305\236ov, sohbet, "
        "g\303\266r\303\274nt\303\274l\303\274 arama; fiyat listesi i\303\247in yaz\304\261n\304\261z\",\n  \"manualplus_timeout_sec\": 180";
    static const char kept[] =
        ",\n  \"created_at\": \"2025-06-01T12:00:00.000000\",\n  \"updated_at\": \"2025-06-01T12:00:00.000000\",\n  \"revision\": 1,\n"
        "  \"revised_at\": \"2025-06-01T12:00:00.000000\"";
    int length = snprintf(out, 2000, body, i, i == MANY / 2 ? "Z\303\274mr\303\274d\303\274" : "Lara", i, 1000000 + i,
                          i % 3 ? "bot" : "user", i % 2 ? "true" : "false", i % 5 ? "false" : "true");
    length += snprintf(out + length, 2000 - (size_t)length, "%s\n}", stored ? kept : "");
    return (size_t)length;
}

/* --- the raw way --- */

static void write_raw(const char *folder, const char *name, size_t i, bool durable)
{
    char own[500], path[500], text[2000];
    size_t length = make_document(i, true, text);
    snprintf(own, sizeof own, "%s/.new", folder);
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    int fd = open(own, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bench_need(fd >= 0 && write(fd, text, length) == (ssize_t)length && (!durable || fsync(fd) == 0), "a file cannot be written");
    close(fd);
    bench_need(rename(own, path) == 0, "a file cannot be renamed");
}

static void sync_raw(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench_need(fd >= 0 && fsync(fd) == 0, "the folder cannot be synced");
    close(fd);
}

static void put_raw_in(const bench *self, size_t count, size_t batch)
{
    char name[40];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "bot%06zu", i);
        write_raw(self->raw_folder, name, i, true);
        if (i % batch == batch - 1 || i == count - 1)
            sync_raw(self->raw_folder);
    }
}

static void put_raw(bench *self, size_t count)
{
    put_raw_in(self, count, BATCH);
}

static void put_raw_alone(bench *self, size_t count)
{
    put_raw_in(self, count, 1);
}

static size_t read_raw(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bench_need(fd >= 0, "a file cannot be opened");
    ssize_t length = read(fd, out, room);
    close(fd);
    bench_need(length > 0, "a file cannot be read");
    return (size_t)length;
}

static void get_raw(bench *self, size_t count)
{
    char path[500], text[4000];
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/bot%06zu.json", self->ours_folder, below(self, self->among));
        read_raw(path, text, sizeof text);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names, sorted, and each file read. */
static void list_raw(const bench *self)
{
    size_t count = 0, room = 0;
    char **names = NULL, path[700], text[4000];
    DIR *folder = opendir(self->ours_folder);
    bench_need(folder, "the folder cannot be read");
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == room) {
            room = room ? 2 * room : 1024;
            names = realloc(names, room * sizeof *names);
        }
        bench_need(names, "no memory");
        names[count++] = strdup(entry->d_name);
    }
    closedir(folder);
    if (count)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", self->ours_folder, names[i]);
        read_raw(path, text, sizeof text);
        free(names[i]);
    }
    free(names);
}

/* --- ours --- */

static void open_client(bench *self)
{
    char url[500];
    snprintf(url, sizeof url, "file://%s", self->ours_folder);
    gavat_config *cfg = gavat_config_new();
    const char *const settings[] = {"POSTGRES_URL", "off", "REDIS_URL", "off", "MONGODB_URI", url, "GAVAT_TIMEOUT", "10m"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i += 2)
        gavat_config_set(cfg, settings[i], settings[i + 1]);
    if (gavat_new(&self->client, NULL, cfg) != GAVAT_OK)
        fprintf(stderr, "bench: %s\n", gavat_config_error(cfg));
    bench_need(self->client, "no client");
    gavat_config_free(cfg);
    gavat_op *op = gavat_op_new_held(self->client);
    gavat_open(op);
    bench_need(gavat_op_wait(op) == GAVAT_OK, "the store does not open");
    gavat_op_unref(op);
}

static void on_done(gavat_op *op, void *user)
{
    bench *self = user;
    if (gavat_op_status(op) != GAVAT_OK)
        atomic_fetch_add(&self->failed, 1);
    atomic_fetch_add(&self->done, 1);
}

static gavat_op *admit(bench *self)
{
    gavat_op *op = gavat_op_new(self->client, on_done, self);
    return op ? op : gavat_op_new_wait(self->client, on_done, self, 600000);
}

static void wait_for(const bench *self, size_t count)
{
    while (atomic_load(&self->done) < count)
        usleep(50);
    bench_need(!atomic_load(&self->failed), "a call failed");
}

static void put_ours(bench *self, size_t count)
{
    char name[40], text[2000];
    atomic_store(&self->done, 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "bot%06zu", i);
        make_document(i, false, text);
        gavat_put_profile(admit(self), name, text);
    }
    wait_for(self, count);
}

static void put_alone(bench *self, size_t count)
{
    char name[40], text[2000];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "bot%06zu", i);
        make_document(i, false, text);
        gavat_op *op = gavat_op_new_held(self->client);
        gavat_put_profile(op, name, text);
        bench_need(gavat_op_wait(op) == GAVAT_OK, "a put failed");
        gavat_op_unref(op);
    }
}

/* So many in flight at once. */
static void get_ours(bench *self, size_t count)
{
    char name[40];
    atomic_store(&self->done, 0);
    for (size_t i = 0; i < count; i++) {
        while (i - atomic_load(&self->done) >= GETS_IN_FLIGHT)
            usleep(20);
        snprintf(name, sizeof name, "bot%06zu", below(self, self->among));
        gavat_get_profile(admit(self), name);
    }
    wait_for(self, count);
}

static void get_alone(bench *self, size_t count)
{
    char name[40];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "bot%06zu", below(self, self->among));
        gavat_op *op = gavat_op_new_held(self->client);
        gavat_get_profile(op, name);
        bench_need(gavat_op_wait(op) == GAVAT_OK && gavat_op_profile(op, 0), "a get failed");
        gavat_op_unref(op);
    }
}

/* A hundred by name in each call. */
static void get_named(bench *self, size_t count)
{
    char names[100][40];
    const char *users[100];
    for (size_t i = 0; i < count; i += 100) {
        for (size_t k = 0; k < 100; k++) {
            snprintf(names[k], sizeof names[k], "bot%06zu", below(self, self->among));
            users[k] = names[k];
        }
        gavat_op *op = gavat_op_new_held(self->client);
        gavat_get_named_profiles(op, users, 100);
        bench_need(gavat_op_wait(op) == GAVAT_OK && gavat_op_count(op) == 100, "a get failed");
        gavat_op_unref(op);
    }
}

/* All pages; how many profiles there were. keyword NULL: a list. */
static size_t read_pages(bench *self, const char *keyword)
{
    char cursor[600] = "";
    size_t count = 0;
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.limit = 1000;
    do {
        filter.cursor = cursor[0] ? cursor : NULL;
        gavat_op *op = gavat_op_new_held(self->client);
        gavat_op_set_timeout(op, 600000);
        if (keyword)
            gavat_search_profiles(op, keyword, &filter);
        else
            gavat_get_profiles(op, &filter);
        bench_need(gavat_op_wait(op) == GAVAT_OK, "a page failed");
        count += gavat_op_count(op);
        snprintf(cursor, sizeof cursor, "%s", gavat_op_cursor(op) ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    } while (cursor[0]);
    return count;
}

/* --- figures --- */

typedef void way(bench *self, size_t count);

/* In seconds. */
static double time_of(bench *self, way *run, size_t count)
{
    double start = bench_now();
    run(self, count);
    return bench_now() - start;
}

/* Who comes first changes from turn to turn. */
static void compare(bench *self, bench_figure *figure, way *ours, way *raw, size_t count, bool as_rate)
{
    bool first = figure->count % 2 == 0;
    double before = first ? 0 : time_of(self, raw, count), spent = time_of(self, ours, count);
    double other = first ? time_of(self, raw, count) : before;
    if (as_rate)
        bench_add(figure, (double)count / spent, (double)count / other);
    else
        bench_add(figure, spent * 1e6 / (double)count, other * 1e6 / (double)count);
}

static void measure_puts(bench *self)
{
    bench_figure many = {.count = 0}, alone = {.count = 0};
    for (size_t i = 0; i < TURNS; i++)
        compare(self, &many, put_ours, put_raw, self->puts, true);
    bench_print("files.put.many", &many, "/s", BENCH_RATIO_LEAST, 0.8);
    for (size_t i = 0; i < 2 * TURNS; i++)
        compare(self, &alone, put_alone, put_raw_alone, self->puts / 10, false);
    bench_print("files.put.one_caller_alone", &alone, "us", BENCH_RATIO_MOST, 1.25);
}

static void measure_gets(bench *self)
{
    bench_figure many = {.count = 0}, alone = {.count = 0}, named = {.count = 0};
    self->among = self->puts;
    sleep(4);                   /* so that they were not written lately, as most are: then the library may keep what it read */
    get_ours(self, self->gets);
    for (size_t i = 0; i < TURNS; i++) {
        compare(self, &many, get_ours, get_raw, self->gets, false);
        compare(self, &named, get_named, get_raw, self->gets, false);
        compare(self, &alone, get_alone, get_raw, self->gets, false);
    }
    bench_print("files.get.many", &many, "us", BENCH_RATIO_MOST, 1.5);
    bench_print("files.get.a_hundred_by_name", &named, "us", BENCH_RATIO_MOST, 1.5);
    bench_print("files.get.one_caller_alone", &alone, "us", BENCH_NONE, 0);
}

/* Of this process, in MiB: VmRSS, VmHWM. */
static double memory_of(const char *key)
{
    char line[200];
    double found = 0;
    FILE *file = fopen("/proc/self/status", "r");
    bench_need(file, "/proc/self/status cannot be read");
    while (fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            found = strtod(line + strlen(key) + 1, NULL) * 1024 / MIB;
    fclose(file);
    return found;
}

static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    bench_need(file && fputs("5", file) >= 0 && fclose(file) == 0, "the peak of memory cannot be set back");
}

/* Files as another program would write them: quickly, without a sync. */
static void make_many(const bench *self)
{
    char name[40];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "bot%06zu", i);
        write_raw(self->ours_folder, name, i, false);
    }
    sync_raw(self->ours_folder);
}

/* Far more profiles than the library keeps. */
static void measure_misses(bench *self)
{
    bench_figure many = {.count = 0}, named = {.count = 0};
    self->among = MANY;
    get_raw(self, self->gets);
    for (size_t i = 0; i < TURNS; i++) {
        compare(self, &many, get_ours, get_raw, self->gets, false);
        compare(self, &named, get_named, get_raw, self->gets, false);
    }
    bench_print("files.get.many.of_100000", &many, "us", BENCH_RATIO_MOST, 1.5);
    bench_print("files.get.a_hundred_by_name.of_100000", &named, "us", BENCH_RATIO_MOST, 1.5);
}

static void measure_pages(bench *self, size_t turns)
{
    bench_figure list = {.count = 0}, rare = {.count = 0}, common = {.count = 0}, memory = {.count = 0};
    make_many(self);
    measure_misses(self);
    double before = memory_of("VmRSS");
    forget_peak();
    for (size_t i = 0; i < turns; i++) {
        double start = bench_now();
        bench_need(read_pages(self, NULL) == MANY, "the list is not whole");
        double ours = MANY / (bench_now() - start);
        start = bench_now();
        bench_need(read_pages(self, "zumrudu") == 1, "the search does not find it");
        double found = (bench_now() - start) * 1e3;
        start = bench_now();
        bench_need(read_pages(self, "BOT 9999") == 11, "the search does not find them all");
        bench_add(&common, (bench_now() - start) * 1e3, 0);
        bench_add(&memory, memory_of("VmHWM") - before, 0);
        start = bench_now();
        list_raw(self);
        double raw = bench_now() - start;
        bench_add(&list, ours, (double)MANY / raw);
        bench_add(&rare, found, raw * 1e3);
    }
    bench_print("files.list.100000", &list, "/s", BENCH_NONE, 0);
    bench_print("files.search.100000_beside_reading_them", &rare, "ms", BENCH_NONE, 0);
    bench_print("files.search.100000_eleven_found", &common, "ms", BENCH_NONE, 0);
    bench_print("files.list_and_search.memory", &memory, "MiB", BENCH_OURS_MOST, 32);
}

int main(int argc, char **argv)
{
    bench_need(argc == 3, "bench-files FOLDER ROWS; it is run by tests/bench/run.sh");
    static bench self;
    size_t rows = strtoul(argv[2], NULL, 10);
    self.puts = rows / 300;
    self.gets = rows / 10;
    self.random = 42;
    snprintf(self.ours_folder, sizeof self.ours_folder, "%s/ours", argv[1]);
    snprintf(self.raw_folder, sizeof self.raw_folder, "%s/raw", argv[1]);
    bench_need(mkdir(self.raw_folder, 0777) == 0, "the folder cannot be made");
    open_client(&self);
    measure_puts(&self);
    measure_gets(&self);
    measure_pages(&self, rows < 1000000 ? 1 : 3);
    gavat_close_wait(self.client, 60000);
    gavat_unref(self.client);
    return bench_end();
}
