/* Units of work: all of the records or none of them, wherever in the unit something fails, and what is said where that is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <sqlite3.h>
#include <unistd.h>

static bool is_server(void **state)
{
    return strncmp(((fresh *)*state)->url, "postgres", 8) == 0;
}

static const struct place {
    const char *table, *column;         /* the value "refused" there is refused */
    bool update;
} places[] = {
    {"event_logs", "message", false},
    {"sale_logs", "notes", false},
    {"message_records", "message_content", false},
    {"user_sessions", "username", false},       /* a new one */
    {"user_sessions", "username", true},        /* one that is merged into */
};
#define PLACES (sizeof places / sizeof *places)

/* An administrator's rule. */
static void make_rules(void **state)
{
    char sql[400];
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *at = &places[i];
        if (!is_server(state))
            snprintf(sql, sizeof sql, "CREATE TRIGGER rule%zu BEFORE %s ON %s WHEN NEW.%s = 'refused' BEGIN SELECT RAISE(ABORT, 'no'); END", i,
                     at->update ? "UPDATE" : "INSERT", at->table, at->column);
        else
            snprintf(sql, sizeof sql, "ALTER TABLE %s ADD CONSTRAINT rule%zu CHECK (%s <> 'refused')", at->table, i, at->column);
        beside_store(((fresh *)*state)->url, sql);
    }
}

/* bad: the place of the one that is refused; PLACES: none. sessions: with them. */
static gavat_batch *make_unit(gavat *g, size_t bad, bool sessions)
{
    static const char no[] = "refused";
    gavat_batch *batch = gavat_batch_new(g);
    gavat_event event = an_event("u", "t", bad == 0 ? no : "m", 1);
    gavat_sale sale = a_sale("u", "vip", "149.90", 1);
    gavat_message message = a_message("b", "dm", bad == 2 ? no : "m", 1);
    gavat_session fresh_one = a_session("new"), old = a_session("old");
    sale.notes = bad == 1 ? no : "n";
    fresh_one.username = bad == 3 ? no : "n";
    old.username = bad == 4 ? no : "n";
    old.extra_data = "{\"more\": 1}";
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    assert_int_equal(gavat_batch_add_sale(batch, &sale), GAVAT_OK);
    assert_int_equal(gavat_batch_add_message(batch, &message), GAVAT_OK);
    if (sessions) {
        assert_int_equal(gavat_batch_add_session(batch, &fresh_one), GAVAT_OK);
        assert_int_equal(gavat_batch_add_session(batch, &old), GAVAT_OK);
    }
    return batch;
}

static void make_old_session(gavat *g)
{
    gavat_session old = a_session("old");
    old.username = "before";
    old.extra_data = "{\"first\": 1}";
    DO(g, GAVAT_OK, set_session, &old);
}

static size_t count_of(gavat *g, void (*get)(gavat_op *, const gavat_filter *))
{
    gavat_op *op = held(g);
    get(op, NULL);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    size_t count = gavat_op_count(op);
    gavat_op_unref(op);
    return count;
}

/* All of the unit is there, or nothing of it. */
static void expect_all(gavat *g, bool all, bool sessions, int line)
{
    size_t wanted = all ? 1 : 0;
    gavat_op *op = held(g);
    RUN(op, get_session, "old");
    const gavat_session *old = gavat_op_session(op, 0);
    bool merged = strcmp(old->username, "n") == 0;
    bool good = count_of(g, gavat_get_events) == wanted && count_of(g, gavat_get_sales) == wanted && count_of(g, gavat_get_messages) == wanted
                && count_of(g, gavat_get_sessions) == (all && sessions ? 2 : 1) && merged == (all && sessions)
                && strcmp(old->extra_data, all && sessions ? "{\"first\": 1, \"more\": 1}" : "{\"first\": 1}") == 0;
    if (!good)
        fail_msg("line %d: not %s of it is there: %zu, %zu, %zu, %zu, %s", line, all ? "all" : "nothing", count_of(g, gavat_get_events),
                 count_of(g, gavat_get_sales), count_of(g, gavat_get_messages), count_of(g, gavat_get_sessions), old->extra_data);
    gavat_op_unref(op);
}

static void whichever_is_refused_nothing_is_written(void **state)
{
    gavat *g = client_of(state);
    make_rules(state);
    make_old_session(g);
    for (size_t bad = 0; bad < PLACES; bad++) {
        uint64_t index = 99;
        gavat_batch *batch = make_unit(g, bad, true);
        gavat_op *op = held(g);
        gavat_commit_batch(op, batch);
        expect_status(op, GAVAT_EREJECTED, __FILE__, __LINE__);
        assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
        assert_int_equal(gavat_op_number(op), 0);
        assert_non_null(gavat_op_rejected(op, 0, &index));
        assert_int_equal(index, bad);
        gavat_op_unref(op);
        gavat_batch_free(batch);
        expect_all(g, false, true, __LINE__);
    }
    gavat_batch *batch = make_unit(g, PLACES, true);
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_batch_free(batch);
    expect_all(g, true, true, __LINE__);
}

static void the_last_of_many_undoes_all(void **state)
{
    enum { MANY = 1500 };
    gavat *g = client_of(state);
    make_rules(state);
    make_old_session(g);
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < MANY; i++) {
        gavat_event event = an_event("u", "t", i == MANY - 1 ? "refused" : "m", i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    log_one(g, "v", "beside", 1);
    gavat_op *op = held(g);
    gavat_commit_batch(op, batch);
    expect_status(op, GAVAT_EREJECTED, __FILE__, __LINE__);
    gavat_op_unref(op);
    gavat_batch_free(batch);
    assert_int_equal(count_of(g, gavat_get_events), 1);
}

/* Others write while it waits for a lock; its time is up before it has it. */
static void one_that_never_had_its_turn_is_not_applied(void **state)
{
    gavat *g = client_of(state);
    sqlite3 *other = NULL;
    char path[300];
    if (is_server(state))
        skip();
    make_old_session(g);
    snprintf(path, sizeof path, "%s/events.db", ((fresh *)*state)->folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    gavat_batch *batch = make_unit(g, PLACES, true);
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 500);
    gavat_commit_batch(op, batch);
    expect_status(op, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    gavat_op_unref(op);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    expect_all(g, false, true, __LINE__);
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_batch_free(batch);
    expect_all(g, true, true, __LINE__);
}

/* --- a server: the unit stands in the middle of its statements --- */

static void wait_for_lock(const char *url)
{
    char text[20] = "";
    for (int i = 0; i < 1000 && strcmp(text, "1") != 0; i++) {
        usleep(10000);
        on_server(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'gavatcore'", text,
                  sizeof text);
    }
    assert_string_equal(text, "1");
}

static void end_waiters(const char *url)
{
    on_server(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'gavatcore'",
              NULL, 0);
}

static void a_connection_lost_in_the_middle(void **state, bool sessions)
{
    gavat *g = client_of(state);
    const char *url = ((fresh *)*state)->url;
    make_old_session(g);
    visitor *other = visit_server(url);
    visitor_does(other, "BEGIN; LOCK TABLE message_records IN ACCESS EXCLUSIVE MODE");
    gavat_batch *batch = make_unit(g, PLACES, sessions);
    gavat_op *op = held(g);
    gavat_commit_batch(op, batch);
    wait_for_lock(url);                 /* the event and the sale have been executed */
    end_waiters(url);
    visitor_does(other, "COMMIT");      /* sent again, over another connection, or kept by the spool until that one is there */
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    if (gavat_op_reached(op) == GAVAT_REACHED_LOCAL) {
        gavat_op *flush = held(g);
        gavat_flush_spool(flush);
        expect_status(flush, GAVAT_OK, __FILE__, __LINE__);
        gavat_op_unref(flush);
    }
    expect_all(g, true, sessions, __LINE__);
    visitor_leaves(other);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, commit_batch, batch);       /* and it may be sent again */
    gavat_batch_free(batch);
    expect_all(g, true, sessions, __LINE__);
}

static void a_lost_connection_is_made_good_with_sessions(void **state)
{
    if (!is_server(state))
        skip();
    a_connection_lost_in_the_middle(state, true);
}

static void a_lost_connection_is_made_good_without_sessions(void **state)
{
    if (!is_server(state))
        skip();
    a_connection_lost_in_the_middle(state, false);
}

/* The answer to the commit is lost: whatever was said, it is all or nothing. */
static void one_that_is_given_up_in_the_middle_is_never_half(void **state)
{
    static const char *const no_spool[] = {"GAVAT_EVENTS_SPOOL", "off", NULL};  /* it would take what is given up */
    const char *url = ((fresh *)*state)->url;
    if (!is_server(state))
        skip();
    gavat *g = reopen(state, no_spool);
    make_old_session(g);
    visitor *other = visit_server(url);
    visitor_does(other, "BEGIN; LOCK TABLE message_records IN ACCESS EXCLUSIVE MODE");
    gavat_batch *batch = make_unit(g, PLACES, true);
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 300);
    gavat_commit_batch(op, batch);
    expect_status(op, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
    assert_true(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED);
    gavat_op_unref(op);
    visitor_does(other, "COMMIT");
    visitor_leaves(other);
    op = held(g);
    RUN(op, get_events, NULL);          /* behind it in order */
    expect_all(g, gavat_op_count(op) > 0, true, __LINE__);
    gavat_op_unref(op);
    gavat_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(whichever_is_refused_nothing_is_written),
        cmocka_unit_test(the_last_of_many_undoes_all),
        cmocka_unit_test(one_that_never_had_its_turn_is_not_applied),
        cmocka_unit_test(a_lost_connection_is_made_good_with_sessions),
        cmocka_unit_test(a_lost_connection_is_made_good_without_sessions),
        cmocka_unit_test(one_that_is_given_up_in_the_middle_is_never_half),
    };
    return run_on_events("events_units", cases, sizeof cases / sizeof *cases);
}
