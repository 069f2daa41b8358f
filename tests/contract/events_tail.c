/* Tails: every committed row exactly once, whoever wrote it and in whatever order writers commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NOW 1                   /* milliseconds: what is there, without waiting for more */
#define LONG 20000

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_server(void **state)
{
    return strncmp(((fresh *)*state)->url, "postgres", 8) == 0;
}

static void foreign_sql(void **state, const char *sql)
{
    beside_store(((fresh *)*state)->url, sql);
}

static void foreign_insert(void **state, const char *message)
{
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO event_logs (user_id, event_type, message) VALUES ('foreign', 'note', '%s')", message);
    foreign_sql(state, sql);
}

typedef struct place {          /* where a tail is */
    char cursor[4000];
    gavat_filter filter;
} place;

static gavat_op *ask(gavat *g, place *at, uint32_t timeout)
{
    gavat_op *op = held(g);
    at->filter.cursor = *at->cursor ? at->cursor : NULL;
    gavat_op_set_timeout(op, timeout);
    gavat_tail_events(op, &at->filter);
    return op;
}

static void keep(place *at, const gavat_op *op)
{
    assert_non_null(gavat_op_cursor(op));
    assert_true(strlen(gavat_op_cursor(op)) < sizeof at->cursor);
    snprintf(at->cursor, sizeof at->cursor, "%s", gavat_op_cursor(op));
}

static place begin(gavat *g)
{
    place at = {"", gavat_filter_init()};
    gavat_op *op = ask(g, &at, NOW);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    keep(&at, op);
    gavat_op_unref(op);
    return at;
}

/* All that comes until `count` are there, by their messages. */
static void expect_tail(gavat *g, place *at, size_t count, const char *wanted, const char *file, int line)
{
    char got[2000] = "";
    for (size_t seen = 0; seen < count;) {
        gavat_op *op = ask(g, at, 5000);
        expect_status(op, GAVAT_OK, file, line);
        size_t some = gavat_op_count(op);
        for (size_t i = 0; i < some; i++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", *got ? " " : "", gavat_op_event(op, i)->message);
        keep(at, op);
        gavat_op_unref(op);
        seen += some;
        if (!some)
            break;
    }
    gavat_op *op = ask(g, at, NOW);
    expect_status(op, GAVAT_OK, file, line);
    if (strcmp(got, wanted) != 0 || gavat_op_count(op)) {
        print_error("%s:%d: \"%s\" and %zu more instead of \"%s\"\n", file, line, got, gavat_op_count(op), wanted);
        fail();
    }
    keep(at, op);
    gavat_op_unref(op);
}
#define assert_tail(g, at, count, wanted) expect_tail(g, at, count, wanted, __FILE__, __LINE__)

static void nothing_new_ends_well_at_the_timeout(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "old", 1);
    place at = begin(g);
    double before = seconds();
    gavat_op *op = ask(g, &at, 300);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_true(seconds() - before >= 0.29 && seconds() - before < 1);
    assert_int_equal(gavat_op_count(op), 0);
    assert_non_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}

static void each_event_comes_once_in_order(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "before", 1);
    place at = begin(g), early = at;
    log_one(g, "u", "a", 5);
    log_one(g, "v", "b", 4);            /* by when they were stored, not by their times */
    assert_tail(g, &at, 2, "a b");
    log_one(g, "u", "c", 3);
    assert_tail(g, &at, 1, "c");
    assert_tail(g, &early, 3, "a b c");
}

static void who_waits_is_woken(void **state)
{
    gavat *g = client_of(state);
    place first = begin(g), second = first;
    double before = seconds();
    gavat_op *one = ask(g, &first, LONG), *two = ask(g, &second, LONG);
    gavat *other = open_client(((fresh *)*state)->url, NULL);
    log_one(other, "u", "news", 1);
    expect_status(one, GAVAT_OK, __FILE__, __LINE__);
    expect_status(two, GAVAT_OK, __FILE__, __LINE__);
    assert_true(seconds() - before < 5);
    assert_records(one, "news");
    assert_records(two, "news");
    assert_json(one, 0, "user_id", "u");
    gavat_op_unref(one);
    gavat_op_unref(two);
    close_client(other);
}

static void a_cursor_goes_on_in_another_client(void **state)
{
    gavat *g = client_of(state);
    place at = begin(g);
    log_one(g, "u", "a", 1);
    log_one(g, "u", "b", 2);
    at.filter.limit = 1;
    gavat_op *op = ask(g, &at, 5000);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_records(op, "a");
    keep(&at, op);
    gavat_op_unref(op);
    log_one(g, "u", "c", 3);
    g = reopen(state, NULL);
    log_one(g, "u", "d", 4);
    assert_tail(g, &at, 3, "b c d");
}

static void rows_of_other_programs_come_too(void **state)
{
    gavat *g = client_of(state);
    place at = begin(g);
    foreign_insert(state, "x");
    log_one(g, "u", "y", 1);
    foreign_insert(state, "z");
    assert_tail(g, &at, 3, "x y z");
    foreign_sql(state, "UPDATE event_logs SET message = 'changed' WHERE message = 'x'");
    foreign_sql(state, "DELETE FROM event_logs WHERE message = 'y'");
    log_one(g, "u", "end", 1);
    assert_tail(g, &at, 1, "end");
}

static void filters_narrow_it(void **state)
{
    gavat *g = client_of(state);
    place all = begin(g), at = all;
    gavat_event event = an_event("u", "login", "a", 1);
    event.level = "ERROR";
    event.username = "ali";
    DO(g, GAVAT_OK, log_event, &event);
    event = an_event("v", "login", "b", 2);
    DO(g, GAVAT_OK, log_event, &event);
    log_one(g, "u", "c", 3);
    at.filter.user_id = "u";
    place by_user = at;
    assert_tail(g, &by_user, 2, "a c");
    at.filter.type = "login";
    place by_both = at;
    assert_tail(g, &by_both, 1, "a");
    at.filter = gavat_filter_init();
    at.filter.level = "ERROR";
    at.filter.username = "ali";
    assert_tail(g, &at, 1, "a");
    at.filter.level = "DEBUG";
    assert_tail(g, &at, 0, "");
    assert_tail(g, &all, 3, "a b c");
    at.filter.status = "pending";
    REFUSE(g, "status", tail_events, &at.filter);
    at.filter = gavat_filter_init();
    at.filter.until = T0;
    REFUSE(g, "until", tail_events, &at.filter);
}

static void pages_are_bounded(void **state)
{
    gavat *g = client_of(state);
    place at = begin(g);
    char *large = repeat("x", 1000);
    for (int i = 0; i < 25; i++)
        log_one(g, "u", large, i);
    at.filter.limit = 10;
    size_t counts[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        gavat_op *op = ask(g, &at, NOW);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        counts[i] = gavat_op_count(op);
        keep(&at, op);
        gavat_op_unref(op);
    }
    assert_int_equal(counts[0], 10);
    assert_int_equal(counts[1], 10);
    assert_int_equal(counts[2], 5);
    assert_int_equal(counts[3], 0);
    at.filter.limit = 0;
    at.filter.max_bytes = 5000;
    for (int i = 0; i < 25; i++)
        log_one(g, "u", large, 100 + i);
    for (size_t i = 0; i < 25;) {
        gavat_op *op = ask(g, &at, NOW);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        assert_in_range(gavat_op_count(op), 1, 6);
        i += gavat_op_count(op);
        keep(&at, op);
        gavat_op_unref(op);
    }
    free(large);
    at.filter.max_bytes = 0;
    assert_tail(g, &at, 0, "");
}

static void it_begins_at_a_time(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 10);
    log_one(g, "v", "e", 50);
    log_one(g, "u", "b", 20);
    log_one(g, "u", "c", 30);
    log_one(g, "u", "d", 30);
    place at = {"", gavat_filter_init()};
    at.filter.since = T0 + 20 * SECOND;
    at.filter.limit = 2;
    place user = at;
    gavat_op *op = ask(g, &at, LONG);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_records(op, "b c");
    keep(&at, op);
    gavat_op_unref(op);
    log_one(g, "u", "late", 5);         /* an older time, but stored later */
    assert_tail(g, &at, 3, "d e late");
    user.filter.user_id = "u";
    user.filter.limit = 0;
    assert_tail(g, &user, 3, "b c d");
}

static void what_is_no_cursor_is_refused(void **state)
{
    gavat *g = client_of(state);
    place at = begin(g);
    gavat_filter filter = gavat_filter_init();
    log_one(g, "u", "a", 1);
    log_one(g, "u", "b", 2);
    gavat_op *page = held(g);
    filter.limit = 1;
    RUN(page, get_events, &filter);
    const char *const bad[] = {"x", "", "czE", "!!", gavat_op_cursor(page), "cDEgMSByIDE6Mjo1AA", "czEgMDAgMSAxIHgA"};
    filter = gavat_filter_init();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_non_null(bad[i]);
        filter.cursor = bad[i];
        REFUSE(g, "cursor", tail_events, &filter);
    }
    filter.cursor = at.cursor;
    REFUSE(g, "cursor", get_events, &filter);
    gavat_op_unref(page);
}

static void a_cursor_of_another_store_is_told(void **state)
{
    void *other = NULL;
    place at = begin(client_of(state));
    open_fresh(&other);
    gavat_filter filter = gavat_filter_init();
    filter.cursor = at.cursor;
    DO(((fresh *)other)->g, GAVAT_ENOTFOUND, tail_events, &filter);
    close_fresh(&other);
}

static void nobody_waits_for_who_waits(void **state)
{
    gavat *g = client_of(state);
    double before = seconds();
    place at = begin(g);
    gavat_op *waiting = ask(g, &at, LONG), *cancelled = ask(g, &at, LONG), *flush = held(g);
    gavat_flush(flush);
    expect_status(flush, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(flush);
    gavat_op_cancel(cancelled);
    expect_status(cancelled, GAVAT_ECANCELED, __FILE__, __LINE__);
    gavat_op_unref(cancelled);
    place here = begin(g);              /* the others have been asked about before: their wait has begun */
    (void)here;
    g = reopen(state, NULL);
    expect_status(waiting, GAVAT_OK, __FILE__, __LINE__);
    keep(&at, waiting);
    gavat_op_unref(waiting);
    assert_true(seconds() - before < 10);
    log_one(g, "u", "after", 1);
    assert_tail(g, &at, 1, "after");
}

/* Those that stand at one place are read for together; what one of them does is nothing to the others. */
static void many_at_one_place_get_all_of_it(void **state)
{
    enum { MANY = 12 };
    gavat *g = client_of(state);
    place at[MANY], start = begin(g);
    gavat_op *ops[MANY];
    for (int i = 0; i < MANY; i++) {
        at[i] = start;
        at[i].filter.limit = i % 4 == 3 ? 1 : 0;
        at[i].filter.user_id = i % 4 == 2 ? "u" : NULL;
        ops[i] = ask(g, &at[i], i == 1 ? 400 : LONG);
    }
    gavat_op *late = ask(g, &start, 300);
    expect_status(late, GAVAT_OK, __FILE__, __LINE__);  /* all of them have been asked about by now */
    gavat_op_unref(late);
    gavat_batch *batch = gavat_batch_new(g);
    const char *const users[] = {"u", "v", "u"}, *const messages[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        gavat_event event = an_event(users[i], "note", messages[i], i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_batch_free(batch);
    gavat_op_cancel(ops[0]);
    gavat_op_wait(ops[0]);
    gavat_op_unref(ops[0]);
    for (int i = 1; i < MANY; i++) {
        expect_status(ops[i], GAVAT_OK, __FILE__, __LINE__);
        keep(&at[i], ops[i]);
        bool came = gavat_op_count(ops[i]);
        assert_true(came || i == 1);    /* that one's time may have been over before */
        if (came)
            assert_records(ops[i], i % 4 == 3 ? "a" : i % 4 == 2 ? "a c" : "a b c");
        gavat_op_unref(ops[i]);
        at[i].filter.limit = 0;
        if (!came)
            assert_tail(g, &at[i], 3, "a b c");
        else if (i % 4 == 3)
            assert_tail(g, &at[i], 2, "b c");
        else
            assert_tail(g, &at[i], 0, "");
    }
}

/* --- in a stream --- */

enum { WRITERS = 4, EACH = 300 };
typedef struct writer {
    gavat *g;
    unsigned number;
    pthread_t thread;
} writer;

static void *write_all(void *user)
{
    const writer *w = user;
    gavat_op *ops[EACH];
    for (unsigned i = 0; i < EACH; i++) {
        char message[16], id[8];
        snprintf(message, sizeof message, "%u", w->number * EACH + i);
        snprintf(id, sizeof id, "u%u", i % 7);
        gavat_event event = an_event(id, "note", message, (int64_t)(w->number * EACH + i));
        ops[i] = gavat_op_new_held(w->g);
        gavat_log_event(ops[i], &event);
        if (i % 10 == 9)
            gavat_op_wait(ops[i]);
    }
    for (unsigned i = 0; i < EACH; i++) {
        gavat_op_wait(ops[i]);
        gavat_op_unref(ops[i]);
    }
    return NULL;
}

static void no_event_is_missed_in_a_stream(void **state)
{
    static writer writers[WRITERS];
    static unsigned seen[WRITERS * EACH];
    gavat *g = client_of(state);
    place at = begin(g);
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.g = i % 2 ? g : open_client(((fresh *)*state)->url, NULL), .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
    }
    at.filter.limit = 37;
    for (size_t missing = WRITERS * EACH; missing;) {
        gavat_op *op = ask(g, &at, 5000);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        assert_true(gavat_op_count(op) > 0);
        for (size_t i = 0; i < gavat_op_count(op); i++, missing--)
            assert_int_equal(seen[atoi(gavat_op_event(op, i)->message)]++, 0);
        keep(&at, op);
        gavat_op_unref(op);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        if (i % 2 == 0)
            close_client(writers[i].g);
    }
    assert_tail(g, &at, 0, "");
}

/* --- SQLite: ids that are given again --- */

static void ids_that_are_given_again_are_seen(void **state)
{
    gavat *g = client_of(state);
    if (is_server(state))
        skip();
    log_one(g, "u", "a", 1);
    log_one(g, "u", "b", 2);
    log_one(g, "u", "c", 3);
    place at = begin(g), early = at;
    foreign_sql(state, "DELETE FROM event_logs WHERE id >= 2");
    log_one(g, "u", "d", 4);            /* id 2 */
    assert_tail(g, &at, 1, "d");
    log_one(g, "u", "e", 5);
    log_one(g, "u", "f", 6);
    log_one(g, "u", "g", 7);
    assert_tail(g, &at, 3, "e f g");
    DO(g, GAVAT_OK, prune_events, T0 + DAY);
    log_one(g, "u", "h", 8);            /* id 1 */
    assert_tail(g, &at, 1, "h");
    assert_tail(g, &early, 1, "h");
    foreign_sql(state, "DELETE FROM event_logs");
    foreign_insert(state, "i");
    foreign_insert(state, "j");
    assert_tail(g, &at, 2, "i j");
}

/* Old rows go, and the one that the cursor stands on with them: nothing comes twice. */
static void pruning_does_not_move_a_cursor(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 1);
    log_one(g, "u", "keep", 5000);
    log_one(g, "u", "b", 2);
    place at = begin(g);
    log_one(g, "u", "c", 6000);
    DO(g, GAVAT_OK, prune_events, T0 + 100 * SECOND);
    assert_tail(g, &at, 1, "c");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nothing_new_ends_well_at_the_timeout),
        cmocka_unit_test(each_event_comes_once_in_order),
        cmocka_unit_test(who_waits_is_woken),
        cmocka_unit_test(a_cursor_goes_on_in_another_client),
        cmocka_unit_test(rows_of_other_programs_come_too),
        cmocka_unit_test(filters_narrow_it),
        cmocka_unit_test(pages_are_bounded),
        cmocka_unit_test(it_begins_at_a_time),
        cmocka_unit_test(what_is_no_cursor_is_refused),
        cmocka_unit_test(a_cursor_of_another_store_is_told),
        cmocka_unit_test(nobody_waits_for_who_waits),
        cmocka_unit_test(many_at_one_place_get_all_of_it),
        cmocka_unit_test(no_event_is_missed_in_a_stream),
        cmocka_unit_test(ids_that_are_given_again_are_seen),
        cmocka_unit_test(pruning_does_not_move_a_cursor),
    };
    return run_on_events("events_tail", cases, sizeof cases / sizeof *cases);
}
