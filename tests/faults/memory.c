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
#include "starve.h"

struct stage {
    gavat *g;
    char folder[256], path[300], url[320];
    ledger book;
    long callbacks, submitted;  /* of ops with a callback; the loop's thread counts, read after close */
};

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
    starve_finish(op);
    for (size_t i = first; i < s->book.count; i++)
        if (s->book.entries[i].status == GAVAT_PENDING) {
            s->book.entries[i].status = status;
            s->book.entries[i].flags = flags;
        }
    gavat_batch_free(batch);
}

/* --- scenarios --- */

static void open_it(stage *s)
{
    const char *const settings[] = {"POSTGRES_URL", s->url, "MONGODB_URI", "off", "REDIS_URL", "off", "GAVAT_TEXT_LOG_DIR", s->folder,
                                    "GAVAT_TIMEOUT", "10s", "GAVAT_EVENTS_READERS", "1", NULL};
    s->g = starve_open(settings);
}

static void close_it(stage *s)
{
    starve_close(s->g);
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
    TRY(s->g, set_session, &session);
    TRY(s->g, close_session, "merged");
    TRY(s->g, set_session, &session);
    TRY(s->g, expire_sessions, 86400000);
    for (int i = 0; i < 5; i++) {
        gavat_op *op = gavat_op_new(s->g, on_done, s);
        s->submitted += op != NULL;
        send_entry(op, ledger_add(&s->book, 'e', NULL, "group"));
        s->book.entries[s->book.count - 1].flags = GAVAT_ERROR_MAYBE_APPLIED;   /* its callback is counted, no more */
    }
    gavat_op *flush = gavat_op_new_reserved(s->g, NULL, NULL);
    gavat_flush(gavat_op_ref(flush));
    if (flush)
        starve_finish(flush);
}

static void write_batches(stage *s)
{
    put_batch(s, true);
    put_batch(s, false);
    TRY(s->g, update_sale_status, "1", "completed", "ödendi");
    TRY(s->g, prune_events, 1000);
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
    starve_print(op);
    filter.cursor = gavat_op_cursor(op);
    TRY(s->g, get_events, &filter);
    starve_finish(op);
    filter.cursor = NULL;
    gavat_op *tail = gavat_op_new_held(s->g);
    gavat_op_set_timeout(tail, 1);
    gavat_tail_events(tail, &filter);
    if (gavat_op_wait(tail) == GAVAT_OK && (gavat_op_count(tail) != 3 || !gavat_op_cursor(tail)))
        fail_msg("a tail of %zu rows instead of 3 is called good", gavat_op_count(tail));
    starve_print(tail);
    filter.cursor = gavat_op_cursor(tail);
    if (filter.cursor)
        TRY(s->g, tail_events, &filter);
    starve_finish(tail);
    TRY(s->g, get_sales, NULL);
    TRY(s->g, get_messages, NULL);
    TRY(s->g, get_sessions, NULL);
    TRY(s->g, get_session, "merged");
}

static void search_and_count(stage *s)
{
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_search_events(op, "ROW 01", NULL);
    gavat_status status = gavat_op_wait(op);
    if (status == GAVAT_OK && gavat_op_count(op) != 6)
        fail_msg("a search that finds %zu rows instead of 6 is called good", gavat_op_count(op));
    starve_read(op);
    TRY(s->g, search_events, "r", NULL);
    TRY(s->g, get_event_stats, "type", NULL);
    TRY(s->g, get_event_stats, NULL, NULL);
    TRY(s->g, get_sale_stats, NULL);
    TRY(s->g, get_message_stats, NULL);
    TRY(s->g, get_text_log, "user", "row", 10);
    TRY(s->g, get_text_log_stats, "user");
}

static void look_after(stage *s)
{
    TRY(s->g, get_metrics, GAVAT_METRICS_JSON);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_health(op);
    starve_finish(op);
    op = gavat_op_new_held(s->g);
    gavat_check_stores(op);
    starve_read(op);
    op = gavat_op_new_held(s->g);
    gavat_get_settings(op);
    starve_finish(op);
    op = gavat_op_new_held(s->g);
    gavat_get_schema(op);
    starve_finish(op);
    op = gavat_op_new_held(s->g);
    gavat_get_schema_sql(op);
    starve_finish(op);
    TRY(s->g, upgrade_schema, 1);
    TRY(s->g, upgrade_schema, 0);
}

/* --- runs --- */

static stage *begin(void)
{
    stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
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
    TRY(s->g, set_session, &session);
    return s;
}

static void end(stage *s)
{
    if (!s->g)
        open_it(s);
    entry *last = ledger_add(&s->book, 'e', NULL, "afterwards");
    if (!send_until_ok(s->g, last, 5))
        fail_msg("the client does not recover");
    gavat_session session = gavat_session_init();
    session.user_id = "merged";
    TRY(s->g, set_session, &session);
    close_it(s);
    assert_int_equal(s->callbacks, s->submitted);
    check_ledger(s->path, &s->book, false);
    assert_int_equal(ask_file(s->path, "SELECT count(*) FROM user_sessions WHERE user_id = 'merged' AND extra_data LIKE '%\"kept\": 1%' "
                              "AND last_activity IS NOT NULL AND is_active = 1"), 1);
    ledger_free(&s->book);
    drop_folder(s->folder);
    free(s);
}

static const starve_area events = {begin, end};

STARVE(out_of_memory_while_opening_and_closing, events, live_and_die)
STARVE(out_of_memory_while_writing, events, write_records)
STARVE(out_of_memory_in_batches, events, write_batches)
STARVE(out_of_memory_while_reading_pages, events, read_pages)
STARVE(out_of_memory_while_searching_and_counting, events, search_and_count)
STARVE(out_of_memory_while_looking_after_the_store, events, look_after)

int main(void)
{
    starve_install();
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
