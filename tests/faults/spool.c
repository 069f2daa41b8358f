/* spool.c: PostgreSQL goes away behind a proxy, and writes wait in the spool: each acknowledged one lands, once, in its order, whoever brings it
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "proxy.h"
#include "server.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct outage {         /* a client of its own, behind a proxy; the case's reaches the server directly */
    fresh *f;
    proxy *wire;
    char url[600], spool[300];
    gavat *g;
} outage;

static outage begin(void **state, const char *const *settings)
{
    static const char *const alone[] = {"GAVAT_EVENTS_SPOOL", "off", NULL};
    outage o = {.f = *state};
    reopen(state, alone);
    o.wire = start_proxy_for(o.f->url, 5432, o.url, sizeof o.url);
    snprintf(o.spool, sizeof o.spool, "%s/spool.db", o.f->folder);
    o.g = open_client(o.url, settings);
    gavat_set_log(o.g, GAVAT_LOG_ERROR, NULL, NULL);
    return o;
}

static void end(outage *o)
{
    close_client(o->g);
    stop_proxy(o->wire);
}

static void go_away(outage *o)
{
    proxy_set(o->wire, PROXY_REFUSE);
    proxy_drop(o->wire, true);
}

static void reopen_it(outage *o, const char *const *settings)
{
    close_client(o->g);
    o->g = open_client(o->url, settings);
    gavat_set_log(o->g, GAVAT_LOG_ERROR, NULL, NULL);
}

static void expect_reached(gavat_op *op, gavat_reached reached)
{
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_reached(op), reached);
    gavat_op_unref(op);
}

static void log_note(gavat *g, const char *message, int64_t second, gavat_reached reached)
{
    gavat_event event = an_event("u", "note", message, second);
    gavat_op *op = held(g);
    gavat_log_event(op, &event);
    expect_reached(op, reached);
}

static int64_t entries(gavat *g)
{
    gavat_op *op = held(g);
    gavat_get_spool(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    int64_t count = gavat_op_number(op);
    gavat_op_unref(op);
    return count;
}

static int64_t number(const outage *o, const char *sql)
{
    char text[40];
    on_server(o->f->url, sql, text, sizeof text);
    return atoll(text);
}

static void flush(gavat *g)
{
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 20000);
    gavat_flush_spool(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    assert_int_equal(entries(g), 0);
}

/* --- away and back --- */

static void what_is_written_while_it_is_away_lands_once(void **state)
{
    outage o = begin(state, NULL);
    gavat_sale sale = a_sale("u", "vip", "149.90", 4);
    gavat_message message = a_message("bot", "dm", "selam", 5);
    gavat_session session = a_session("u");
    gavat_op *first = held(o.g), *op = held(o.g), *page = held(o.f->g);
    char uid[37];
    log_note(o.g, "before", 1, GAVAT_REACHED_STORE);
    assert_int_equal(access(o.spool, F_OK), -1);        /* made when it is needed */
    go_away(&o);
    log_note(o.g, "away", 2, GAVAT_REACHED_LOCAL);
    log_note(o.g, "still \"away\" \xc5\x9f\n", 3, GAVAT_REACHED_LOCAL);
    gavat_log_sale(first, &sale);
    snprintf(uid, sizeof uid, "%s", gavat_op_uid(first));
    gavat_op_wait(first);
    expect_reached(first, GAVAT_REACHED_LOCAL);
    session.extra_data = "{\"a\": 1}";
    DO(o.g, GAVAT_OK, log_message, &message);
    DO(o.g, GAVAT_OK, set_session, &session);
    session.extra_data = "{\"b\": 2}";
    DO(o.g, GAVAT_OK, set_session, &session);
    DO(o.g, GAVAT_OK, update_sale_status, uid, "completed", "ödendi");
    assert_int_equal(entries(o.g), 7);
    gavat_get_events(op, NULL);
    expect_status(op, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs"), 1);
    proxy_set(o.wire, PROXY_PASS);
    flush(o.g);
    RUN(page, get_events, NULL);
    assert_records(page, "still \"away\" \xc5\x9f\n away before");
    assert_int_equal(number(&o, "SELECT count(*) FROM sale_logs WHERE payment_status = 'completed' AND amount_text = '149.90'"), 1);
    assert_int_equal(number(&o, "SELECT count(*) FROM message_records"), 1);
    assert_int_equal(number(&o, "SELECT count(*) FROM user_sessions WHERE is_active AND extra_data::text = '{\"a\": 1, \"b\": 2}'"), 1);
    log_note(o.g, "after", 6, GAVAT_REACHED_STORE);
    gavat_op_unref(op);
    gavat_op_unref(page);
    end(&o);
}

static void one_that_is_away_at_opening_is_covered(void **state)
{
    outage o = begin(state, NULL);
    char sql[200];
    close_client(o.g);
    close_client(o.f->g);
    o.f->g = NULL;
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE; CREATE SCHEMA %s", o.f->name, o.f->name);
    on_server(o.f->url, sql, NULL, 0);
    go_away(&o);
    o.g = open_client(o.url, NULL);
    gavat_op *health = held(o.g);
    gavat_get_health(health);
    expect_status(health, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(health), GAVAT_HEALTH_DEGRADED);
    gavat_op_unref(health);
    log_note(o.g, "into an empty database", 1, GAVAT_REACHED_LOCAL);
    DO(o.g, GAVAT_EUNAVAIL, get_events, NULL);
    gavat_op *early = held(o.g);
    gavat_flush_spool(early);
    expect_status(early, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    gavat_op_unref(early);
    proxy_set(o.wire, PROXY_PASS);
    bool landed = false;
    for (int i = 0; i < 200 && !landed; i++) {
        gavat_op *op = held(o.g);
        gavat_flush_spool(op);
        landed = gavat_op_wait(op) == GAVAT_OK;
        gavat_op_unref(op);
        usleep(landed ? 0 : 50000);
    }
    assert_true(landed);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs"), 1);
    log_note(o.g, "after", 2, GAVAT_REACHED_STORE);
    end(&o);
}

static void a_server_that_is_silent_costs_a_write_part_of_its_time(void **state)
{
    outage o = begin(state, NULL);
    gavat_event event = an_event("u", "note", "silent", 1);
    gavat_session session = a_session("u");
    gavat_op *op = held(o.g), *merge = held(o.g);
    log_note(o.g, "before", 0, GAVAT_REACHED_STORE);
    proxy_set(o.wire, PROXY_STALL);
    gavat_op_set_timeout(op, 3000);
    gavat_op_set_timeout(merge, 3000);
    gavat_log_event(op, &event);
    session.extra_data = "{\"n\": 1}";
    gavat_set_session(merge, &session);
    gavat_op_wait(op);
    expect_reached(op, GAVAT_REACHED_LOCAL);
    gavat_op_wait(merge);
    expect_reached(merge, GAVAT_REACHED_LOCAL);
    log_note(o.g, "at once", 2, GAVAT_REACHED_LOCAL);   /* it is known to be silent */
    proxy_set(o.wire, PROXY_PASS);
    flush(o.g);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs"), 3);
    assert_int_equal(number(&o, "SELECT count(*) FROM user_sessions"), 1);
    assert_int_equal(number(&o, "SELECT count(DISTINCT uid) FROM event_logs"), 3);
    end(&o);
}

static void leftovers_are_forwarded_by_the_next_one(void **state)
{
    outage o = begin(state, NULL);
    go_away(&o);
    log_note(o.g, "left", 1, GAVAT_REACHED_LOCAL);
    proxy_set(o.wire, PROXY_PASS);
    proxy_set(o.wire, PROXY_REFUSE);
    reopen_it(&o, NULL);
    assert_int_equal(entries(o.g), 1);
    proxy_set(o.wire, PROXY_PASS);
    flush(o.g);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs"), 1);
    end(&o);
}

/* It shares the file, and its way is not cut. */
static void a_neighbour_forwards_them_too(void **state)
{
    outage o = begin(state, NULL);
    gavat *neighbour = open_client(o.f->url, NULL);
    go_away(&o);
    log_note(o.g, "for the neighbour", 1, GAVAT_REACHED_LOCAL);
    for (int i = 0; i < 400 && entries(o.g); i++)
        usleep(25000);
    assert_int_equal(entries(o.g), 0);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs"), 1);
    close_client(neighbour);
    end(&o);
}

/* The new file counts its writes from the start: they are not those that were under way. */
static void a_file_replaced_under_a_forward_loses_nothing_new(void **state)
{
    static const char *const spool_first[] = {"GAVAT_EVENTS_ACK", "spool", NULL};
    outage o = begin(state, spool_first);
    char away[320];
    go_away(&o);
    for (int i = 0; i < 50; i++)
        log_note(o.g, "old file", i, GAVAT_REACHED_LOCAL);
    visitor *v = visit_server(o.f->url);
    visitor_does(v, "BEGIN; LOCK TABLE event_logs IN ACCESS EXCLUSIVE MODE");
    proxy_set(o.wire, PROXY_PASS);
    for (int i = 0; i < 400 && !number(&o, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'event_logs'::regclass"); i++)
        usleep(25000);                  /* the forward waits for the table */
    assert_int_not_equal(number(&o, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'event_logs'::regclass"), 0);
    snprintf(away, sizeof away, "%s.away", o.spool);
    assert_int_equal(rename(o.spool, away), 0);
    log_note(o.g, "new file", 1000, GAVAT_REACHED_LOCAL);
    assert_int_equal(access(o.spool, F_OK), 0);
    visitor_does(v, "COMMIT");
    visitor_leaves(v);
    for (int i = 0; i < 400 && entries(o.g); i++)
        usleep(25000);
    assert_int_equal(entries(o.g), 0);
    assert_int_equal(number(&o, "SELECT count(*) FROM event_logs WHERE message = 'new file'"), 1);
    assert_int_equal(number(&o, "SELECT count(*) - count(DISTINCT uid) FROM event_logs"), 0);
    end(&o);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_written_while_it_is_away_lands_once),
        cmocka_unit_test(one_that_is_away_at_opening_is_covered),
        cmocka_unit_test(a_server_that_is_silent_costs_a_write_part_of_its_time),
        cmocka_unit_test(leftovers_are_forwarded_by_the_next_one),
        cmocka_unit_test(a_neighbour_forwards_them_too),
        cmocka_unit_test(a_file_replaced_under_a_forward_loses_nothing_new),
    };
    return run_on_postgresql("spool", cases, sizeof cases / sizeof *cases);
}
