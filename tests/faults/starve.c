#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "starve.h"
#include "base/memory.h"
#include <pthread.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#define STEPS 40                /* of each scenario and each way to fail, at a tenth of the full scale */
#define PATIENCE 60             /* seconds for one run: then it hangs */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long counted, at, failed;
static bool on_and_on;
static long alive;              /* blocks of the library */
static sqlite3_mem_methods sqlites;

static bool fails(void)
{
    pthread_mutex_lock(&lock);
    bool hit = at && (++counted == at || (on_and_on && counted > at));
    failed += hit;
    pthread_mutex_unlock(&lock);
    return hit;
}

static void count_alive(long change)
{
    pthread_mutex_lock(&lock);
    alive += change;
    pthread_mutex_unlock(&lock);
}

static void *resize_ours(void *old, size_t size)
{
    void *block = fails() ? NULL : realloc(old, size);
    if (block && !old)
        count_alive(1);
    return block;
}

static void release_ours(void *old)
{
    count_alive(-1);
    free(old);
}

static void *make_sqlites(int size)
{
    return fails() ? NULL : sqlites.xMalloc(size);
}

static void *resize_sqlites(void *old, int size)
{
    return fails() ? NULL : sqlites.xRealloc(old, size);
}

static void arm(unsigned long n, bool all_after)
{
    pthread_mutex_lock(&lock);
    counted = failed = 0;
    at = n;
    on_and_on = all_after;
    pthread_mutex_unlock(&lock);
}

static unsigned long disarm(void)
{
    pthread_mutex_lock(&lock);
    at = 0;
    unsigned long times = failed;
    pthread_mutex_unlock(&lock);
    return times;
}

void starve_install(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites);
    sqlite3_mem_methods ours = sqlites;
    ours.xMalloc = make_sqlites;
    ours.xRealloc = resize_sqlites;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
    gv_memory memory = {resize_ours, release_ours};
    gv_memory_hook = memory;
}

gavat *starve_open(const char *const *settings)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    if (!cfg)                   /* no settings would mean the defaults */
        return NULL;
    for (; *settings; settings += 2)
        gavat_config_set(cfg, settings[0], settings[1]);
    gavat_status status = gavat_new(&g, NULL, cfg);
    if (status != GAVAT_OK && (status != GAVAT_ENOMEM || g))
        fail_msg("gavat_new: %s: %s", gavat_status_name(status), gavat_config_error(cfg));
    gavat_config_free(cfg);
    if (!g)
        return NULL;
    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    starve_finish(op);
    return g;
}

void starve_close(gavat *g)
{
    if (g && gavat_close_wait(g, 20000) != GAVAT_OK)
        fail_msg("the client did not close in time");
    gavat_unref(g);
}

gavat_status starve_finish(gavat_op *op)
{
    gavat_status status = gavat_op_wait(op);
    const gavat_error *error = gavat_op_error(op);
    bool known = status == GAVAT_OK || status == GAVAT_ENOMEM || status == GAVAT_EBUSY || status == GAVAT_EIO || status == GAVAT_EUNAVAIL
                 || status == GAVAT_ENOTFOUND;
    if (!known || !error->message || (status != GAVAT_OK && !*error->message))
        fail_msg("%s %s: %s", gavat_status_name(status), error->native, error->message);
    gavat_op_unref(op);
    return status;
}

void starve_print(const gavat_op *op)
{
    for (size_t i = 0; i < gavat_op_count(op); i++)
        (void)gavat_op_json(op, i, NULL);
}

gavat_status starve_read(gavat_op *op)
{
    gavat_op_wait(op);
    starve_print(op);
    return starve_finish(op);
}

static void nap(void)
{
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
}

/* Detached threads are in their last instructions when close has returned. */
static void check_leaks(long before, sqlite3_int64 sqlites_before)
{
    long now = 0;
    for (int i = 0; i < 3000; i++) {
        pthread_mutex_lock(&lock);
        now = alive;
        pthread_mutex_unlock(&lock);
        if (now == before && sqlite3_memory_used() == sqlites_before)
            return;
        nap();
    }
    fail_msg("%ld blocks of the library and %lld bytes of SQLite are left", now - before,
             (long long)(sqlite3_memory_used() - sqlites_before));
}

/* True: memory ran out before the scenario was through. *calls: how many allocations there were. */
static bool run_once(const starve_area *area, void (*scenario)(stage *s), unsigned long n, bool all_after, unsigned long *calls)
{
    long before = alive;
    sqlite3_int64 sqlites_before = sqlite3_memory_used();
    alarm(PATIENCE);
    stage *s = area->begin();
    arm(n, all_after);
    scenario(s);
    unsigned long times = disarm();
    *calls = counted;
    area->end(s);
    check_leaks(before, sqlites_before);
    alarm(0);
    return times > 0;
}

void starve_all(const starve_area *area, void (*scenario)(stage *s))
{
    unsigned long most, calls;
    run_once(area, scenario, UINT32_MAX, false, &most);
    print_message("# %lu allocations\n", most);
    for (int all_after = 0; all_after < 2; all_after++) {
        unsigned long step = most / (at_scale(1000) == 1000 ? most : STEPS) + 1;
        for (unsigned long n = 1; run_once(area, scenario, n, all_after, &calls); n += step)
            ;
    }
}
