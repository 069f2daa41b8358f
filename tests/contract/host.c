/* host.c: what a program that links the library may rely on: its signals, its locale, its descriptors and its memory
 * are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops_kinds.h"
#include <dirent.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1         /* what it keeps back says nothing of the library */
#else
#define OWN_ALLOCATOR 0
#endif

static gavat *opened(const char *folder, const char *const *settings)
{
    gavat *g = bare_client(folder, settings, NULL);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    return g;
}

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* The hexadecimal mask that line of /proc holds, of thread `name`. */
static unsigned long long mask_of(const char *name, const char *line)
{
    char path[300], text[200];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", name);
    FILE *file = fopen(path, "r");
    while (file && fgets(text, sizeof text, file))
        if (strncmp(text, line, strlen(line)) == 0)
            mask = strtoull(text + strlen(line), NULL, 16);
    if (file)
        fclose(file);
    return mask;
}

static void signals_are_the_programs_own(void **state)
{
    box *b = *state;
    struct sigaction before, after;
    sigset_t mask_before, mask_after;
    const unsigned long long mine = 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1) | 1ULL << (SIGPIPE - 1)
                                    | 1ULL << (SIGCHLD - 1);
    unsigned threads = 0;
    sigaction(SIGPIPE, NULL, &before);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_before);
    gavat *g = opened(b->folder, NULL);
    log_one(g, "u1", "signals", 0);
    sigaction(SIGPIPE, NULL, &after);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
    assert_true(before.sa_handler == after.sa_handler);
    for (int number = 1; number < 32; number++)
        assert_int_equal(sigismember(&mask_before, number), sigismember(&mask_after, number));

    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file) && strncmp(name, "gavat-", 6) == 0) {
            assert_true((mask_of(entry->d_name, "SigBlk:") & mine) == mine);
            threads++;
        }
        if (file)
            fclose(file);
    }
    closedir(folder);
    assert_true(threads >= 3);          /* loops, writer, readers */
    close_client(g);
}

static void the_locale_is_left_alone_and_does_not_matter(void **state)
{
    box *b = *state;
    const char *turkish = setlocale(LC_ALL, "tr_TR.UTF-8");
    if (!turkish)
        turkish = setlocale(LC_ALL, "C.UTF-8");
    char was[200];
    snprintf(was, sizeof was, "%s", setlocale(LC_ALL, NULL));
    gavat *g = opened(b->folder, NULL);
    gavat_op *op = held(g);
    gavat_sale sale = a_sale("u1", "VIP", "149.90", 1);
    DO(g, GAVAT_OK, log_sale, &sale);
    gavat_event event = an_event("u1", "INFO", "TITLE IĞDIR", 1);
    DO(g, GAVAT_OK, log_event, &event);
    RUN(op, search_events, "title ığdır", NULL);
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    assert_string_equal(setlocale(LC_ALL, NULL), was);
    close_client(g);
    setlocale(LC_ALL, "C");
}

static void no_descriptor_and_no_thread_stays_open(void **state)
{
    box *b = *state;
    size_t files = 0, threads = 0;
    for (unsigned i = 0; i < 100; i++) {
        gavat *g = opened(b->folder, NULL);
        if (i % 10 == 0)
            log_one(g, "u1", "again", (int64_t)i);
        close_client(g);
        if (i == 4) {
            usleep(50000);
            files = count_entries("/proc/self/fd");
            threads = count_entries("/proc/self/task");
        }
    }
    for (int i = 0; i < 1000 && count_entries("/proc/self/task") > threads; i++)
        usleep(1000);           /* workers are in their last instructions when close has ended */
    assert_true(count_entries("/proc/self/fd") <= files);
    assert_true(count_entries("/proc/self/task") <= threads);
}

static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    int got = fscanf(file, "%*s %lu", &pages);
    fclose(file);
    assert_int_equal(got, 1);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

typedef struct flood {
    gavat *g;
    atomic_size_t called, refused, submitted;
    atomic_bool over;
} flood;

static void on_slow(gavat_op *op, void *user)
{
    flood *f = user;
    (void)op;
    if (atomic_fetch_add(&f->called, 1) % 16 == 0)
        usleep(100);
}

static void *produce(void *user)
{
    flood *f = user;
    while (!atomic_load(&f->over)) {
        gavat_op *op = gavat_op_new(f->g, on_slow, f);
        atomic_fetch_add(op ? &f->submitted : &f->refused, 1);
        submit(op, &nothing_kind);
    }
    return NULL;
}

static void memory_stays_within_the_settings_when_the_loop_is_outrun(void **state)
{
    box *b = *state;
    const char *const bounds[] = {"GAVAT_MAX_BYTES", "8MiB", NULL};
    flood f = {0};
    pthread_t producer;
    size_t most = 0;
    f.g = bare_client(b->folder, bounds, NULL);
    gavat_set_log(f.g, -1, NULL, NULL);
    malloc_trim(0);
    size_t before = resident();
    assert_int_equal(pthread_create(&producer, NULL, produce, &f), 0);
    for (unsigned i = 0; i < 100; i++) {
        usleep(20000);
        size_t now = resident();
        most = now > most ? now : most;
    }
    atomic_store(&f.over, true);
    pthread_join(producer, NULL);
    assert_true(atomic_load(&f.refused) > atomic_load(&f.submitted));
    assert_true(OWN_ALLOCATOR || most <= before + (size_t)(8 + 16) * 1024 * 1024);
    assert_true(wait_until(is_balanced, f.g));
    assert_int_equal(atomic_load(&f.called), atomic_load(&f.submitted));
    close_client(f.g);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(signals_are_the_programs_own),
        CASE(the_locale_is_left_alone_and_does_not_matter),
        CASE(no_descriptor_and_no_thread_stays_open),
        CASE(memory_stays_within_the_settings_when_the_loop_is_outrun),
    };
    return cmocka_run_group_tests_name("host", cases, NULL, NULL);
}
