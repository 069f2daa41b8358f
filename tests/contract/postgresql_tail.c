/* Tails on PostgreSQL, what only a server does: transactions that are open side by side and commit in any order, ids out of order, connections
 * that are ended. Needs a server in TEST_EVENTS_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <unistd.h>

#define NOW 1                   /* milliseconds */

typedef struct tail {
    gavat *g;
    gavat_filter filter;
    char cursor[4000];
    gavat_op *op;               /* under way */
} tail;

static void ask(tail *t, uint32_t timeout)
{
    t->filter.cursor = *t->cursor ? t->cursor : NULL;
    t->op = held(t->g);
    gavat_op_set_timeout(t->op, timeout);
    gavat_tail_events(t->op, &t->filter);
}

/* Messages of the answer, a blank between; how many there were. */
static size_t take(tail *t, char *out, size_t room)
{
    expect_status(t->op, GAVAT_OK, __FILE__, __LINE__);
    size_t count = gavat_op_count(t->op);
    *out = '\0';
    for (size_t i = 0; i < count; i++)
        snprintf(out + strlen(out), room - strlen(out), "%s%s", i ? " " : "", gavat_op_event(t->op, i)->message);
    assert_true(strlen(gavat_op_cursor(t->op)) < sizeof t->cursor);
    strcpy(t->cursor, gavat_op_cursor(t->op));
    gavat_op_unref(t->op);
    return count;
}

static tail begin(gavat *g)
{
    tail t = {.g = g, .filter = gavat_filter_init()};
    char none[10];
    ask(&t, NOW);
    assert_int_equal(take(&t, none, sizeof none), 0);
    return t;
}

static void expect(tail *t, uint32_t timeout, const char *wanted, int line)
{
    char got[1000];
    ask(t, timeout);
    take(t, got, sizeof got);
    if (strcmp(got, wanted) != 0)
        fail_msg("line %d: \"%s\" instead of \"%s\"", line, got, wanted);
}
#define assert_next(t, wanted) expect(t, *(wanted) ? 5000 : NOW, wanted, __LINE__)

static void insert(visitor *by, const char *message)
{
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO event_logs (user_id, event_type, message) VALUES ('v', 'note', '%s')", message);
    visitor_does(by, sql);
}

static const char *url_of(void **state)
{
    return ((fresh *)*state)->url;
}

static void commits_out_of_order_come_as_they_are_committed(void **state)
{
    tail t = begin(client_of(state)), late = t;
    visitor *a = visit_server(url_of(state)), *b = visit_server(url_of(state)), *c = visit_server(url_of(state));
    visitor_does(a, "BEGIN");
    insert(a, "a1");
    visitor_does(b, "BEGIN");
    insert(b, "b1");
    insert(c, "c1");
    assert_next(&t, "c1");
    insert(a, "a2");
    tail between = t;
    assert_next(&t, "");
    visitor_does(b, "COMMIT");
    insert(c, "c2");
    assert_next(&t, "b1 c2");
    visitor_does(a, "COMMIT");
    assert_next(&t, "a1 a2");
    assert_next(&t, "");
    assert_next(&between, "a1 a2 b1 c2");
    assert_next(&late, "a1 a2 b1 c1 c2");
    visitor_leaves(a);
    visitor_leaves(b);
    visitor_leaves(c);
}

/* The page ends in the middle of what was open: its cursor is good for the rest, in another client too. */
static void a_page_ends_anywhere(void **state)
{
    gavat *g = client_of(state);
    tail t = begin(g);
    visitor *a = visit_server(url_of(state)), *b = visit_server(url_of(state));
    visitor_does(a, "BEGIN");
    insert(a, "a1");
    visitor_does(b, "BEGIN");
    insert(b, "b1");
    insert(b, "b2");
    insert(a, "a2");
    log_one(g, "u", "u1", 1);
    t.filter.limit = 1;
    assert_next(&t, "u1");
    visitor_does(b, "COMMIT");
    visitor_does(a, "COMMIT");
    log_one(g, "u", "u2", 2);
    static const char *const wanted[] = {"a1", "a2", "b1", "b2", "u2", "u3", ""};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_next(&t, wanted[i]);
        if (i == 1)
            log_one(g, "u", "u3", 3);
        if (i == 2)
            t.g = reopen(state, NULL);
    }
    visitor_leaves(a);
    visitor_leaves(b);
}

static void what_is_rolled_back_never_comes(void **state)
{
    tail t = begin(client_of(state));
    visitor *a = visit_server(url_of(state)), *b = visit_server(url_of(state));
    visitor_does(a, "BEGIN");
    insert(a, "no");
    visitor_does(b, "BEGIN");
    visitor_does(b, "SAVEPOINT s");
    insert(b, "no");
    visitor_does(b, "ROLLBACK TO s");
    insert(b, "yes");
    visitor_does(b, "SAVEPOINT s");
    insert(b, "inner");
    visitor_does(b, "RELEASE s");
    visitor_does(a, "ROLLBACK");
    visitor_does(b, "COMMIT");
    assert_next(&t, "yes inner");
    assert_next(&t, "");
    visitor_leaves(a);
    visitor_leaves(b);
}

static void ids_say_nothing(void **state)
{
    tail t = begin(client_of(state));
    visitor *a = visit_server(url_of(state));
    visitor_does(a, "ALTER TABLE event_logs ALTER COLUMN id SET CACHE 20");
    visitor *b = visit_server(url_of(state)), *c = visit_server(url_of(state));
    insert(b, "b1");                    /* has taken 20 numbers */
    insert(c, "c1");
    assert_next(&t, "b1 c1");
    insert(b, "b2");
    visitor_does(a, "INSERT INTO event_logs (id, user_id, event_type, message) VALUES (-5, 'v', 'note', 'low')");
    assert_next(&t, "b2 low");
    visitor_does(a, "INSERT INTO event_logs (id, user_id, event_type, message) SELECT 9000 - i, 'v', 'note', i::text FROM generate_series(1, 3) i");
    assert_next(&t, "3 2 1");
    assert_next(&t, "");
    visitor_leaves(a);
    visitor_leaves(b);
    visitor_leaves(c);
}

/* A transaction of another database of the server, or of a table that has nothing to do with events, holds up nobody. */
static void what_stays_open_holds_up_nobody(void **state)
{
    gavat *g = client_of(state);
    visitor *a = visit_server(url_of(state));
    visitor_does(a, "CREATE TABLE other (x int); BEGIN; INSERT INTO other VALUES (1)");
    tail t = begin(g);
    insert(a, "a1");
    for (int i = 0; i < 5; i++) {
        char message[8];
        snprintf(message, sizeof message, "m%d", i);
        log_one(g, "u", message, i);
        assert_next(&t, message);
    }
    visitor_does(a, "COMMIT");
    assert_next(&t, "a1");
    visitor_leaves(a);
}

static void it_outlives_its_connections(void **state)
{
    tail t = begin(client_of(state));
    visitor *a = visit_server(url_of(state));
    for (int i = 0; i < 5; i++) {
        char message[8];
        snprintf(message, sizeof message, "m%d", i);
        ask(&t, 20000);
        usleep(100000);                 /* it waits, or is just asking */
        visitor_does(a, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'gavatcore'");
        insert(a, message);
        char got[100];
        assert_int_equal(take(&t, got, sizeof got), 1);
        assert_string_equal(got, message);
    }
    assert_next(&t, "");
    visitor_leaves(a);
}

static void a_cursor_that_is_ahead_is_told(void **state)
{
    static const char ahead[] = "cDEgMSByIDk5OTk5OTk5OTo5OTk5OTk5OTk6AA";     /* p1 1 r 999999999:999999999: */
    gavat_filter filter = gavat_filter_init();
    filter.cursor = ahead;
    DO(client_of(state), GAVAT_ENOTFOUND, tail_events, &filter);
}

/* An adopted table whose column is missing yet: all else goes on, and the error says what to do. */
static void without_its_column_the_error_says_what_to_do(void **state)
{
    gavat *g = client_of(state);
    on_server(url_of(state), "ALTER TABLE event_logs DROP COLUMN xact", NULL, 0);
    log_one(g, "u", "a", 1);
    gavat_filter filter = gavat_filter_init();
    filter.since = T0;
    gavat_op *op = held(g);
    gavat_tail_events(op, &filter);
    expect_status(op, GAVAT_ESCHEMA, __FILE__, __LINE__);
    expect_words(op, "gavatctl init", __FILE__, __LINE__);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, upgrade_schema, 0);
    tail t = {.g = g, .filter = gavat_filter_init()};
    t.filter.since = T0;
    assert_next(&t, "a");
    log_one(g, "u", "b", 1);
    assert_next(&t, "b");
}

/* --- at random --- */

enum { VISITORS = 8, STEPS = 1500 };
typedef struct guest {
    visitor *at;
    bool open;
    int rows[200];              /* of its transaction */
    size_t count;
} guest;

static unsigned char wanted[STEPS + 1], seen[STEPS + 1];

static void leave(guest *who, bool good)
{
    visitor_does(who->at, good ? "COMMIT" : "ROLLBACK");
    for (size_t i = 0; good && i < who->count; i++)
        wanted[who->rows[i]] = 1;
    who->open = false;
    who->count = 0;
}

static size_t drain(tail *t)
{
    size_t count = 0;
    for (;;) {
        ask(t, NOW);
        expect_status(t->op, GAVAT_OK, __FILE__, __LINE__);
        size_t some = gavat_op_count(t->op);
        for (size_t i = 0; i < some; i++) {
            int row = atoi(gavat_op_event(t->op, i)->message);
            if (!wanted[row] || seen[row]++)
                fail_msg("row %d: committed %d, seen %d", row, wanted[row], seen[row]);
        }
        strcpy(t->cursor, gavat_op_cursor(t->op));
        gavat_op_unref(t->op);
        count += some;
        if (!some)
            return count;
    }
}

static void transactions_at_random_are_seen_once(void **state)
{
    guest guests[VISITORS] = {{0}};
    uint64_t seed = test_seed();
    int last = 0, steps = (int)at_scale(STEPS);
    size_t taken = 0;
    tail t = begin(client_of(state));
    memset(wanted, 0, sizeof wanted);
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < VISITORS; i++)
        guests[i].at = visit_server(url_of(state));
    for (int step = 0; step < steps; step++) {
        guest *who = &guests[below(&seed, VISITORS)];
        size_t what = below(&seed, 10);
        char message[16];
        if (!who->open) {
            visitor_does(who->at, "BEGIN");
            who->open = true;
        } else if (what < 6 && who->count < 200) {
            snprintf(message, sizeof message, "%d", ++last);
            insert(who->at, message);
            who->rows[who->count++] = last;
        } else if (what < 9) {
            leave(who, what < 8);
        }
        t.filter.limit = (uint32_t)below(&seed, 4);
        if (below(&seed, 5) == 0)
            taken += drain(&t);
    }
    for (size_t i = 0; i < VISITORS; i++) {
        if (guests[i].open)
            leave(&guests[i], true);
        visitor_leaves(guests[i].at);
    }
    taken += drain(&t);
    size_t committed = 0;
    for (int i = 0; i <= last; i++)
        committed += wanted[i];
    print_message("# %zu rows of %d were committed, %zu were seen\n", committed, last, taken);
    assert_int_equal(taken, committed);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(commits_out_of_order_come_as_they_are_committed),
        cmocka_unit_test(a_page_ends_anywhere),
        cmocka_unit_test(what_is_rolled_back_never_comes),
        cmocka_unit_test(ids_say_nothing),
        cmocka_unit_test(what_stays_open_holds_up_nobody),
        cmocka_unit_test(it_outlives_its_connections),
        cmocka_unit_test(a_cursor_that_is_ahead_is_told),
        cmocka_unit_test(without_its_column_the_error_says_what_to_do),
        cmocka_unit_test(transactions_at_random_are_seen_once),
    };
    return run_on_postgresql("postgresql_tail", cases, sizeof cases / sizeof *cases);
}
