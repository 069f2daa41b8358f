/* memory.c: every allocation of the library and of SQLite failing in turn, once or it and all after it, over scenarios that
 * between them make every public call. Each op ends, well or with a clear error; nothing acknowledged is missing afterwards; nothing leaks; and
 * with memory back the same client works again. libuv keeps its own allocator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "ledger.h"
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

typedef struct stage {
    gavat *g;
    char folder[256], path[300], url[320];
    ledger book;
    long callbacks, submitted;  /* of ops with a callback; the loop's thread counts, read after close */
} stage;

/* --- ops --- */

/* Out of memory is said in few ways; nothing else is wrong here. */
static gavat_status finish(gavat_op *op)
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

#define TRY(s, name, ...)                                                    \
    do {                                                                     \
        gavat_op *own_op = gavat_op_new_held((s)->g);                        \
        gavat_##name(own_op, __VA_ARGS__);                                   \
        finish(own_op);                                                      \
    } while (0)

static void on_done(gavat_op *op, void *user)
{
    stage *s = user;
    assert_int_not_equal(gavat_op_status(op), GAVAT_PENDING);
    s->callbacks++;
}

static void put(stage *s, char kind)
{
    entry *row = ledger_add(&s->book, kind, NULL, "user");
    send_and_note(s->g, row);
}

/* All or nothing, or each on its own; acknowledged only when OK. */
static void put_batch(stage *s, bool unit)
{
    size_t first = s->book.count;
    gavat_batch *batch = gavat_batch_new(s->g);
    for (int i = 0; i < 5; i++) {
        entry *row = ledger_add(&s->book, 'e', NULL, "batch");
        gavat_event event = gavat_event_init();
        event.uid = row->uid;
        event.user_id = row->user;
        event.type = "note";
        event.context = "{\"a\": [1, 2, {\"ş\": null}]}";
        row->status = gavat_batch_add_event(batch, &event) == GAVAT_OK ? GAVAT_PENDING : GAVAT_ENOMEM;
    }
    const char *json = "{\"user_id\": \"j\", \"event_type\": \"note\", \"message\": \"satır\"}";
    (void)(gavat_batch_add_json(batch, "event", json, strlen(json)) == GAVAT_OK);
    gavat_op *op = gavat_op_new_held(s->g);
    if (unit)
        gavat_commit_batch(op, batch);
    else
        gavat_import_batch(op, batch);
    gavat_status status = gavat_op_wait(op);
    uint32_t flags = gavat_op_error(op)->flags;
    finish(op);
    for (size_t i = first; i < s->book.count; i++)
        if (s->book.entries[i].status == GAVAT_PENDING) {
            s->book.entries[i].status = status;
            s->book.entries[i].flags = flags;
        }
    gavat_batch_free(batch);
}

static void read_all(const gavat_op *op)
{
    for (size_t i = 0; i < gavat_op_count(op); i++)
        (void)gavat_op_json(op, i, NULL);
}

/* --- scenarios --- */

static void open_it(stage *s)
{
    gavat_config *cfg = gavat_config_new();
    if (!cfg)                   /* no settings would mean the defaults */
        return;
    gavat_config_set(cfg, "POSTGRES_URL", s->url);
    gavat_config_set(cfg, "GAVAT_TEXT_LOG_DIR", s->folder);
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "10s");
    gavat_config_set(cfg, "GAVAT_EVENTS_READERS", "1");
    gavat_status status = gavat_new(&s->g, NULL, cfg);
    if (status != GAVAT_OK && (status != GAVAT_ENOMEM || s->g))
        fail_msg("gavat_new: %s: %s", gavat_status_name(status), gavat_config_error(cfg));
    gavat_config_free(cfg);
    if (!s->g)
        return;
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_open(op);
    finish(op);
}

static void close_it(stage *s)
{
    if (s->g && gavat_close_wait(s->g, 20000) != GAVAT_OK)
        fail_msg("the client did not close in time");
    gavat_unref(s->g);
    s->g = NULL;
}

static void live_and_die(stage *s)
{
    close_it(s);
    open_it(s);
    if (s->g)
        put(s, 'e');
    close_it(s);
}

static void write_records(stage *s)
{
    put(s, 'e');
    put(s, 's');
    put(s, 'm');
    put(s, 'n');
    gavat_session session = gavat_session_init();
    session.user_id = "merged";
    session.extra_data = "{\"more\": \"é\"}";
    TRY(s, set_session, &session);
    TRY(s, close_session, "merged");
    TRY(s, set_session, &session);
    TRY(s, expire_sessions, 86400000);
    for (int i = 0; i < 5; i++) {
        gavat_op *op = gavat_op_new(s->g, on_done, s);
        s->submitted += op != NULL;
        send_entry(op, ledger_add(&s->book, 'e', NULL, "group"));
        s->book.entries[s->book.count - 1].flags = GAVAT_ERROR_MAYBE_APPLIED;   /* its callback is counted, no more */
    }
    gavat_op *flush = gavat_op_new_reserved(s->g, NULL, NULL);
    gavat_flush(gavat_op_ref(flush));
    if (flush)
        finish(flush);
}

static void write_batches(stage *s)
{
    put_batch(s, true);
    put_batch(s, false);
    TRY(s, update_sale_status, "1", "completed", "ödendi");
    TRY(s, prune_events, 1000);
}

static void read_pages(stage *s)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = 3;
    filter.since = 1000;
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_events(op, &filter);
    gavat_status status = gavat_op_wait(op);
    if (status == GAVAT_OK && gavat_op_count(op) != 3)
        fail_msg("a page of %zu rows instead of 3 is called good", gavat_op_count(op));
    read_all(op);
    filter.cursor = gavat_op_cursor(op);
    TRY(s, get_events, &filter);
    finish(op);
    TRY(s, get_sales, NULL);
    TRY(s, get_messages, NULL);
    TRY(s, get_sessions, NULL);
    TRY(s, get_session, "merged");
}

static void search_and_count(stage *s)
{
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_search_events(op, "ROW 01", NULL);
    gavat_status status = gavat_op_wait(op);
    if (status == GAVAT_OK && gavat_op_count(op) != 6)
        fail_msg("a search that finds %zu rows instead of 6 is called good", gavat_op_count(op));
    read_all(op);
    finish(op);
    TRY(s, search_events, "r", NULL);
    TRY(s, get_event_stats, "type", NULL);
    TRY(s, get_event_stats, NULL, NULL);
    TRY(s, get_sale_stats, NULL);
    TRY(s, get_message_stats, NULL);
    TRY(s, get_text_log, "user", "row", 10);
    TRY(s, get_text_log_stats, "user");
}

static void look_after(stage *s)
{
    TRY(s, get_metrics, GAVAT_METRICS_JSON);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_health(op);
    finish(op);
    op = gavat_op_new_held(s->g);
    gavat_check_stores(op);
    gavat_op_wait(op);
    read_all(op);
    finish(op);
    op = gavat_op_new_held(s->g);
    gavat_get_settings(op);
    finish(op);
    op = gavat_op_new_held(s->g);
    gavat_get_schema(op);
    finish(op);
    op = gavat_op_new_held(s->g);
    gavat_get_schema_sql(op);
    finish(op);
    TRY(s, upgrade_schema, 1);
    TRY(s, upgrade_schema, 0);
}

/* --- runs --- */

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

static void prepare(stage *s)
{
    make_folder(s->folder);
    snprintf(s->path, sizeof s->path, "%s/events.db", s->folder);
    snprintf(s->url, sizeof s->url, "sqlite:///%s", s->path);
    open_it(s);
    for (int i = 0; i < 6; i++)
        put(s, 'e');
    put(s, 's');
    put(s, 'm');
    gavat_session session = gavat_session_init();
    session.user_id = "merged";
    session.extra_data = "{\"kept\": 1}";
    TRY(s, set_session, &session);
}

/* True: memory ran out before the scenario was through. *calls: how many allocations there were. */
static bool run_once(void (*scenario)(stage *), unsigned long n, bool all_after, unsigned long *calls)
{
    stage s = {0};
    long before = alive;
    sqlite3_int64 sqlites_before = sqlite3_memory_used();
    alarm(PATIENCE);
    prepare(&s);
    arm(n, all_after);
    scenario(&s);
    unsigned long times = disarm();
    *calls = counted;
    if (!s.g)
        open_it(&s);
    entry *last = ledger_add(&s.book, 'e', NULL, "afterwards");
    if (!send_until_ok(s.g, last, 5))
        fail_msg("the client does not recover");
    gavat_session session = gavat_session_init();
    session.user_id = "merged";
    TRY(&s, set_session, &session);
    close_it(&s);
    assert_int_equal(s.callbacks, s.submitted);
    check_ledger(s.path, &s.book, false);
    assert_int_equal(ask_file(s.path, "SELECT count(*) FROM user_sessions WHERE user_id = 'merged' AND extra_data LIKE '%\"kept\": 1%' "
                              "AND last_activity IS NOT NULL AND is_active = 1"), 1);
    ledger_free(&s.book);
    drop_folder(s.folder);
    check_leaks(before, sqlites_before);
    alarm(0);
    return times > 0;
}

static void run_all(void (*scenario)(stage *))
{
    unsigned long most, calls;
    run_once(scenario, UINT32_MAX, false, &most);
    print_message("# %lu allocations\n", most);
    for (int all_after = 0; all_after < 2; all_after++) {
        unsigned long step = most / (at_scale(1000) == 1000 ? most : STEPS) + 1;
        for (unsigned long n = 1; run_once(scenario, n, all_after, &calls); n += step)
            ;
    }
}

#define SCENARIO(name, scenario)                                             \
    static void name(void **state)                                           \
    {                                                                        \
        (void)state;                                                         \
        run_all(scenario);                                                   \
    }

SCENARIO(out_of_memory_while_opening_and_closing, live_and_die)
SCENARIO(out_of_memory_while_writing, write_records)
SCENARIO(out_of_memory_in_batches, write_batches)
SCENARIO(out_of_memory_while_reading_pages, read_pages)
SCENARIO(out_of_memory_while_searching_and_counting, search_and_count)
SCENARIO(out_of_memory_while_looking_after_the_store, look_after)

int main(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites);
    sqlite3_mem_methods ours = sqlites;
    ours.xMalloc = make_sqlites;
    ours.xRealloc = resize_sqlites;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
    gv_memory memory = {resize_ours, release_ours};
    gv_memory_hook = memory;
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(out_of_memory_while_opening_and_closing),
        cmocka_unit_test(out_of_memory_while_writing),
        cmocka_unit_test(out_of_memory_in_batches),
        cmocka_unit_test(out_of_memory_while_reading_pages),
        cmocka_unit_test(out_of_memory_while_searching_and_counting),
        cmocka_unit_test(out_of_memory_while_looking_after_the_store),
    };
    return cmocka_run_group_tests_name("memory", cases, NULL, NULL);
}
