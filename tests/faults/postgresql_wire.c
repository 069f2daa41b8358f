/* Events on PostgreSQL over a wire that breaks: cut at each byte in turn, silent, stalled, slow, refused. What was acknowledged is there once,
 * nothing is there twice, and no call outlives its deadline. Needs a server in TEST_EVENTS_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "proxy.h"
#include "server.h"
#include <string.h>
#include <time.h>

#define LINES 16                /* clients, each with a wire of its own, that are cut at the same time */
#define BATCH 10                /* events at once */
#define OPS (BATCH + 2)

typedef struct line {
    proxy *wire;
    gavat *g;
    char url[600], user[16];
    int sent;
} line;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static long long number(void **state, const char *statement)
{
    char text[100];
    on_server(((fresh *)*state)->url, statement, text, sizeof text);
    return strtoll(text, NULL, 10);
}

/* What is asked is how the connection behaves; a spool would take what it loses. */
#define NO_SPOOL "GAVAT_EVENTS_SPOOL", "off"

static void begin_line(void **state, line *l, int index, const char *const *settings)
{
    static const char *const one[] = {"GAVAT_POSTGRES_CONNECTIONS", "1", NO_SPOOL, NULL};
    memset(l, 0, sizeof *l);
    snprintf(l->user, sizeof l->user, "u%d", index);
    l->wire = start_proxy_for(((fresh *)*state)->url, 5432, l->url, sizeof l->url);
    l->g = open_client(l->url, settings ? settings : one);
    gavat_set_log(l->g, GAVAT_LOG_ERROR, NULL, NULL);
}

static void end_line(line *l)
{
    close_client(l->g);
    stop_proxy(l->wire);
}

static gavat_op *begin_event(line *l, uint32_t timeout)
{
    char message[40];
    snprintf(message, sizeof message, "row %d", l->sent);
    gavat_event event = an_event(l->user, "note", message, l->sent++);
    gavat_op *op = held(l->g);
    gavat_op_set_timeout(op, timeout);
    gavat_log_event(op, &event);
    return op;
}

/* Ends in time; gives its status and its reference away. */
static gavat_status end_op(gavat_op *op, double deadline)
{
    gavat_status status = gavat_op_wait(op);
    gavat_op_unref(op);
    if (now() > deadline + 0.5)
        fail_msg("an op ended %.1f s past its deadline", now() - deadline);
    return status;
}

/* --- cut at every byte --- */

typedef struct exchange {
    gavat_op *ops[OPS];
    double deadline;
} exchange;

/* One event alone, then many at once, then a page. */
static void begin_exchange(line *l, exchange *of)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = l->user;
    filter.limit = 5;
    of->deadline = now() + 10;
    for (int i = 0; i < OPS - 1; i++)
        of->ops[i] = begin_event(l, 10000);
    of->ops[OPS - 1] = held(l->g);
    gavat_op_set_timeout(of->ops[OPS - 1], 10000);
    gavat_get_events(of->ops[OPS - 1], &filter);
}

static void end_exchange(line *l, exchange *of, const char *when)
{
    char newest[40];
    snprintf(newest, sizeof newest, "row %d", l->sent - 1);
    for (int i = 0; i < OPS; i++) {
        if (gavat_op_wait(of->ops[i]) != GAVAT_OK)
            fail_msg("%s: op %d: %s", when, i, gavat_op_error(of->ops[i])->message);
        if (i == OPS - 1)
            assert_string_equal(gavat_op_event(of->ops[i], 0)->message, newest);
        assert_int_equal(end_op(of->ops[i], of->deadline), GAVAT_OK);
    }
}

/* Bytes of an exchange that begins with connecting. */
static uint64_t measure(line *l, proxy_way way)
{
    exchange of;
    proxy_drop(l->wire, false);
    uint64_t before = proxy_bytes(l->wire, way);
    begin_exchange(l, &of);
    end_exchange(l, &of, "without a cut");
    return proxy_bytes(l->wire, way) - before;
}

static void cut_lines(line *lines, proxy_way way, uint64_t from, uint64_t step, uint64_t *seed)
{
    exchange of[LINES];
    char when[100];
    bool reset = below(seed, 2);
    for (int i = 0; i < LINES; i++) {
        proxy_drop(lines[i].wire, reset);
        proxy_cut(lines[i].wire, way, from + step * (uint64_t)i, reset);
        begin_exchange(&lines[i], &of[i]);
    }
    for (int i = 0; i < LINES; i++) {
        snprintf(when, sizeof when, "cut after %llu bytes %s", (unsigned long long)(from + step * (uint64_t)i), way == PROXY_UP ? "up" : "down");
        end_exchange(&lines[i], &of[i], when);
        proxy_forget_cut(lines[i].wire);
    }
}

static void cut_at_any_byte_nothing_is_lost_or_there_twice(void **state)
{
    static line lines[LINES];
    uint64_t seed = test_seed(), step = at_scale(10) == 10 ? 1 : 10, cuts = 0;
    long long sent = 0;
    for (int i = 0; i < LINES; i++)
        begin_line(state, &lines[i], i, NULL);
    for (int way = 0; way < 2; way++) {
        uint64_t bytes = measure(&lines[0], (proxy_way)way);
        for (uint64_t at = below(&seed, step); at <= bytes; at += step * LINES)
            cut_lines(lines, (proxy_way)way, at, step, &seed);
    }
    for (int i = 0; i < LINES; i++) {
        sent += lines[i].sent;
        cuts += proxy_cuts(lines[i].wire);
        end_line(&lines[i]);
    }
    print_message("# cut at %llu places, %lld events\n", (unsigned long long)cuts, sent);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), sent);
    assert_int_equal(number(state, "SELECT count(DISTINCT uid) FROM event_logs"), sent);
}

/* --- silence --- */

/* Its wire is dead, and nobody says so; new connections go through. */
static void make_half_open(line *l)
{
    proxy_set(l->wire, PROXY_BLACK_HOLE);
    proxy_set(l->wire, PROXY_PASS);
}

static void a_half_open_connection_is_noticed_within_2_s_of_a_deadline(void **state)
{
    line l;
    begin_line(state, &l, 0, NULL);
    assert_int_equal(end_op(begin_event(&l, 5000), now() + 5), GAVAT_OK);
    make_half_open(&l);
    double deadline = now() + 0.3;
    assert_int_equal(end_op(begin_event(&l, 300), deadline), GAVAT_ETIMEDOUT);
    assert_int_equal(end_op(begin_event(&l, 10000), now() + 10), GAVAT_OK);
    if (now() > deadline + 2)
        fail_msg("it took %.1f s", now() - deadline);
    gavat_op *read = held(l.g);
    make_half_open(&l);
    gavat_op_set_timeout(read, 300);
    gavat_get_events(read, NULL);
    deadline = now() + 0.3;
    assert_int_equal(end_op(read, deadline), GAVAT_ETIMEDOUT);
    DO(l.g, GAVAT_OK, get_events, NULL);
    assert_true(now() < deadline + 2);
    end_line(&l);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), 2);
}

/* Users of two lanes: an op of the second one is done while the first one's connection is dead. */
static void a_dead_connection_holds_up_its_own_ops_only(void **state)
{
    static const char *const four[] = {"GAVAT_POSTGRES_CONNECTIONS", "4", NO_SPOOL, NULL};
    line l;
    int done = 0;
    begin_line(state, &l, 0, four);
    assert_int_equal(end_op(begin_event(&l, 5000), now() + 5), GAVAT_OK);
    make_half_open(&l);
    gavat_op *late = begin_event(&l, 1000);
    for (int i = 1; i < 8; i++) {
        snprintf(l.user, sizeof l.user, "u%d", i);
        gavat_status status = end_op(begin_event(&l, 250), now() + 0.25);
        assert_true(status == GAVAT_OK || status == GAVAT_ETIMEDOUT);
        done += status == GAVAT_OK;
    }
    assert_true(done > 0);
    end_op(late, now() + 2);
    end_line(&l);
}

static void late_and_cancelled_ops_free_their_places_and_nobodys_connection(void **state)
{
    static const char *const few[] = {"GAVAT_POSTGRES_CONNECTIONS", "1", "GAVAT_MAX_OPS", "16", NO_SPOOL, NULL};
    gavat_op *ops[16];
    line l;
    begin_line(state, &l, 0, few);
    assert_int_equal(end_op(begin_event(&l, 5000), now() + 5), GAVAT_OK);
    uint64_t accepted = proxy_accepted(l.wire);
    for (int round = 0; round < 3; round++) {
        proxy_set(l.wire, PROXY_STALL);
        double deadline = now() + 0.2;
        for (int i = 0; i < 16; i++)
            ops[i] = begin_event(&l, round ? 200 : 10000);
        for (int i = 0; i < 16; i++) {
            if (!round)
                gavat_op_cancel(ops[i]);
            gavat_status status = end_op(ops[i], deadline);
            assert_int_equal(status, round ? GAVAT_ETIMEDOUT : GAVAT_ECANCELED);
        }
        gavat_op *op = begin_event(&l, 10000);  /* there is a place */
        proxy_set(l.wire, PROXY_PASS);
        assert_int_equal(end_op(op, now() + 10), GAVAT_OK);
    }
    assert_int_equal(proxy_accepted(l.wire), accepted);
    end_line(&l);
    assert_int_equal(number(state, "SELECT count(*) - count(DISTINCT uid) FROM event_logs"), 0);
    assert_int_equal(number(state, "SELECT count(DISTINCT uid) FROM event_logs WHERE message IN ('row 0', 'row 17', 'row 34', 'row 51')"), 4);
}

static void a_server_that_is_gone_altogether_costs_nobody_more_than_his_deadline(void **state)
{
    static const proxy_mode modes[] = {PROXY_BLACK_HOLE, PROXY_STALL, PROXY_REFUSE};
    line l;
    int sent = 1;
    begin_line(state, &l, 0, NULL);
    assert_int_equal(end_op(begin_event(&l, 5000), now() + 5), GAVAT_OK);
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        proxy_set(l.wire, modes[m]);
        if (modes[m] != PROXY_BLACK_HOLE)
            proxy_drop(l.wire, true);
        for (int i = 0; i < 8; i++) {
            gavat_status status = end_op(begin_event(&l, 300), now() + 0.3);
            assert_true(status == GAVAT_ETIMEDOUT || status == GAVAT_EUNAVAIL);
        }
        proxy_set(l.wire, PROXY_PASS);
        double back = now();
        while (end_op(begin_event(&l, 10000), now() + 10) != GAVAT_OK)
            assert_true(now() < back + 15);
        print_message("# there again after %.1f s\n", now() - back);
        sent++;
    }
    end_line(&l);
    assert_true(number(state, "SELECT count(DISTINCT uid) FROM event_logs") >= sent);
    assert_int_equal(number(state, "SELECT count(*) - count(DISTINCT uid) FROM event_logs"), 0);
}

static void a_slow_wire_only_takes_time(void **state)
{
    line l;
    exchange of;
    begin_line(state, &l, 0, NULL);
    proxy_delay(l.wire, PROXY_UP, 20);
    proxy_delay(l.wire, PROXY_DOWN, 30);
    for (int i = 0; i < 3; i++) {
        begin_exchange(&l, &of);
        end_exchange(&l, &of, "slow");
    }
    end_line(&l);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), l.sent);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(cut_at_any_byte_nothing_is_lost_or_there_twice),
        cmocka_unit_test(a_half_open_connection_is_noticed_within_2_s_of_a_deadline),
        cmocka_unit_test(a_dead_connection_holds_up_its_own_ops_only),
        cmocka_unit_test(late_and_cancelled_ops_free_their_places_and_nobodys_connection),
        cmocka_unit_test(a_server_that_is_gone_altogether_costs_nobody_more_than_his_deadline),
        cmocka_unit_test(a_slow_wire_only_takes_time),
    };
    return run_on_postgresql("postgresql_wire", cases, sizeof cases / sizeof *cases);
}
