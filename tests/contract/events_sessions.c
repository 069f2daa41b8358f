/* Sessions: one a user, merged by every call, also by many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <pthread.h>
#include <stdatomic.h>

static const gavat_time now_is = T0 + 100 * DAY;

static gavat_time tell_time(void *user)
{
    (void)user;
    return now_is;
}

static void set_on(gavat *g, const char *user, int64_t second)
{
    gavat_session session = a_session(user);
    session.last_activity = T0 + second * SECOND;
    DO(g, GAVAT_OK, set_session, &session);
}

static void a_first_session_comes_back_with_every_field(void **state)
{
    gavat *g = client_of(state);
    gavat_session session = a_session("u");
    session.username = "ayşe";
    session.session_token = "tok-1";
    session.bot_type = "admin";
    session.extra_data = "{\"dil\": \"tr\"}";
    session.last_activity = T0 + 2 * SECOND;
    session.created_at = T0 + SECOND;
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, set_session, &session);
    RUN(op, get_session, "u");
    assert_int_equal(gavat_op_count(op), 1);
    const gavat_session *got = gavat_op_session(op, 0);
    assert_string_equal(got->user_id, "u");
    assert_string_equal(got->username, "ayşe");
    assert_string_equal(got->session_token, "tok-1");
    assert_string_equal(got->bot_type, "admin");
    assert_string_equal(got->extra_data, "{\"dil\": \"tr\"}");
    assert_int_equal(got->is_active, 1);
    assert_int_equal(got->last_activity, T0 + 2 * SECOND);
    assert_int_equal(got->created_at, T0 + SECOND);
    assert_json(op, 0, "is_active", "true");
    gavat_op_unref(op);
}

static void a_session_begins_now_unless_said(void **state)
{
    set_clock_of_next(tell_time);
    gavat *g = reopen(state, NULL);
    gavat_session session = a_session("u");
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, set_session, &session);
    RUN(op, get_session, "u");
    assert_int_equal(gavat_op_session(op, 0)->last_activity, now_is);
    assert_int_equal(gavat_op_session(op, 0)->created_at, now_is);
    assert_string_equal(gavat_op_session(op, 0)->extra_data, "{}");
    gavat_op_unref(op);
}

static void what_is_not_given_stays_what_is_given_replaces(void **state)
{
    gavat *g = client_of(state);
    gavat_session session = a_session("u");
    session.username = "eski";
    session.bot_type = "admin";
    session.created_at = T0;
    session.last_activity = T0 + SECOND;
    DO(g, GAVAT_OK, set_session, &session);
    gavat_session change = a_session("u");
    change.username = "yeni";
    change.session_token = "t";
    change.last_activity = T0 + 5 * SECOND;
    change.created_at = T0 + 9 * SECOND;
    DO(g, GAVAT_OK, set_session, &change);
    gavat_op *op = held(g);
    RUN(op, get_session, "u");
    assert_string_equal(gavat_op_session(op, 0)->username, "yeni");
    assert_string_equal(gavat_op_session(op, 0)->bot_type, "admin");
    assert_string_equal(gavat_op_session(op, 0)->session_token, "t");
    assert_int_equal(gavat_op_session(op, 0)->last_activity, T0 + 5 * SECOND);
    gavat_op_unref(op);
}

static void extra_data_merges_by_key_and_keeps_its_order(void **state)
{
    gavat *g = client_of(state);
    static const char *const steps[][2] = {
        {"{\"a\": 1, \"b\": {\"x\": 1}, \"ç\": \"ş\"}", "{\"a\": 1, \"b\": {\"x\": 1}, \"\\u00e7\": \"\\u015f\"}"},
        {NULL, "{\"a\": 1, \"b\": {\"x\": 1}, \"\\u00e7\": \"\\u015f\"}"},
        {"{\"b\": 2}", "{\"a\": 1, \"b\": 2, \"\\u00e7\": \"\\u015f\"}"},
        {"{\"ç\": 12345678901234567890123, \"yeni\": null}",
         "{\"a\": 1, \"b\": 2, \"\\u00e7\": 12345678901234567890123, \"yeni\": null}"},
        {"{}", "{\"a\": 1, \"b\": 2, \"\\u00e7\": 12345678901234567890123, \"yeni\": null}"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        gavat_session session = a_session("u");
        session.extra_data = steps[i][0];
        DO(g, GAVAT_OK, set_session, &session);
        gavat_op *op = held(g);
        RUN(op, get_session, "u");
        assert_string_equal(gavat_op_session(op, 0)->extra_data, steps[i][1]);
        gavat_op_unref(op);
    }
}

static void a_closed_session_is_active_again_once_it_is_set(void **state)
{
    gavat *g = client_of(state);
    set_on(g, "u", 1);
    gavat_op *closed = held(g), *read = held(g), *again = held(g);
    RUN(closed, close_session, "u");
    assert_int_equal(gavat_op_number(closed), 1);
    RUN(read, get_session, "u");
    assert_int_equal(gavat_op_session(read, 0)->is_active, -1);
    set_on(g, "u", 2);
    RUN(again, get_session, "u");
    assert_int_equal(gavat_op_session(again, 0)->is_active, 1);
    assert_int_equal(gavat_op_session(again, 0)->id, gavat_op_session(read, 0)->id);
    gavat_op_unref(closed);
    gavat_op_unref(read);
    gavat_op_unref(again);
}

static void a_session_that_is_not_there_is_not_found(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_ENOTFOUND, get_session, "nobody");
    DO(g, GAVAT_ENOTFOUND, close_session, "nobody");
    REFUSE(g, "user_id", get_session, "");
    REFUSE(g, "user_id", get_session, NULL);
    REFUSE(g, "user_id", close_session, NULL);
    REFUSE(g, "UTF-8", get_session, "\xc3");
}

static void active_sessions_are_listed_last_active_first(void **state)
{
    gavat *g = client_of(state);
    set_on(g, "b", 2);
    set_on(g, "a", 1);
    set_on(g, "d", 4);
    set_on(g, "c", 3);
    DO(g, GAVAT_OK, close_session, "d");
    gavat_filter filter = gavat_filter_init();
    gavat_op *all = held(g), *active = held(g), *closed = held(g), *ranged = held(g);
    RUN(all, get_sessions, NULL);
    assert_records(all, "d c b a");
    filter.is_active = 1;
    RUN(active, get_sessions, &filter);
    assert_records(active, "c b a");
    filter.is_active = -1;
    RUN(closed, get_sessions, &filter);
    assert_records(closed, "d");
    filter.is_active = 0;
    filter.since = T0 + 2 * SECOND;
    filter.until = T0 + 4 * SECOND;
    RUN(ranged, get_sessions, &filter);
    assert_records(ranged, "c b");
    gavat_op_unref(all);
    gavat_op_unref(active);
    gavat_op_unref(closed);
    gavat_op_unref(ranged);
}

static void sessions_of_one_time_are_paged_each_once(void **state)
{
    gavat *g = client_of(state);
    char got[60] = "", cursor[500];
    for (char c = 'a'; c <= 'j'; c++) {
        char user[2] = {c, 0};
        set_on(g, user, 5);
    }
    gavat_filter filter = gavat_filter_init();
    filter.limit = 3;
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        RUN(op, get_sessions, &filter);
        for (size_t i = 0; i < gavat_op_count(op); i++)
            strcat(got, gavat_op_session(op, i)->user_id);
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        filter.cursor = cursor;
        gavat_op_unref(op);
    }
    assert_string_equal(got, "jihgfedcba");
}

static void idle_sessions_expire_and_busy_ones_do_not(void **state)
{
    set_clock_of_next(tell_time);
    gavat *g = reopen(state, NULL);
    int64_t now = (now_is - T0) / SECOND;
    set_on(g, "old", now - 3601);
    set_on(g, "edge", now - 3600);
    set_on(g, "new", now - 1);
    set_on(g, "closed", now - 9999);
    DO(g, GAVAT_OK, close_session, "closed");
    gavat_op *op = held(g), *again = held(g), *active = held(g);
    RUN(op, expire_sessions, GAVAT_SECONDS(3600));
    assert_int_equal(gavat_op_number(op), 1);
    RUN(again, expire_sessions, GAVAT_SECONDS(3600));
    assert_int_equal(gavat_op_number(again), 0);
    gavat_filter filter = gavat_filter_init();
    filter.is_active = 1;
    RUN(active, get_sessions, &filter);
    assert_records(active, "new edge");
    REFUSE(g, "idle_ms", expire_sessions, 0);
    REFUSE(g, "idle_ms", expire_sessions, -5);
    DO(g, GAVAT_OK, expire_sessions, INT64_MAX);
    gavat_op_unref(op);
    gavat_op_unref(again);
    gavat_op_unref(active);
}

#define THREADS 8

typedef struct setter {
    gavat *g;
    pthread_t thread;
    int number, good;
} setter;

static atomic_int at_the_gate;

static void *set_first(void *user)
{
    setter *s = user;
    atomic_fetch_add(&at_the_gate, 1);
    while (atomic_load(&at_the_gate) < THREADS)
        sched_yield();
    for (int i = 0; i < 10; i++) {
        char name[16], extra[64];
        snprintf(name, sizeof name, "user%d", i);
        snprintf(extra, sizeof extra, "{\"t%d\": %d}", s->number, i);
        gavat_session session = a_session(name);
        session.extra_data = extra;
        gavat_op *op = gavat_op_new_held(s->g);
        gavat_set_session(op, &session);
        s->good += gavat_op_wait(op) == GAVAT_OK;
        gavat_op_unref(op);
    }
    return NULL;
}

static void first_calls_of_eight_threads_make_one_session_with_the_keys_of_all(void **state)
{
    gavat *g = client_of(state);
    setter setters[THREADS];
    atomic_store(&at_the_gate, 0);
    for (int i = 0; i < THREADS; i++) {
        setters[i] = (setter){.g = g, .number = i};
        assert_int_equal(pthread_create(&setters[i].thread, NULL, set_first, &setters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(setters[i].thread, NULL);
        assert_int_equal(setters[i].good, 10);
    }
    gavat_op *op = held(g);
    RUN(op, get_sessions, NULL);
    assert_int_equal(gavat_op_count(op), 10);
    for (size_t i = 0; i < 10; i++)
        for (int thread = 0; thread < THREADS; thread++) {
            char path[40], wanted[16];
            snprintf(path, sizeof path, "extra_data.t%d", thread);
            snprintf(wanted, sizeof wanted, "%s", gavat_op_session(op, i)->user_id + 4);
            assert_json(op, i, path, wanted);
        }
    gavat_op_unref(op);
}

static void a_token_of_another_user_is_rejected_and_harms_nothing(void **state)
{
    gavat *g = client_of(state);
    gavat_session session = a_session("a");
    session.session_token = "tok";
    DO(g, GAVAT_OK, set_session, &session);
    session.user_id = "b";
    DO(g, GAVAT_EREJECTED, set_session, &session);
    DO(g, GAVAT_ENOTFOUND, get_session, "b");
    session.user_id = "a";
    DO(g, GAVAT_OK, set_session, &session);
}

static void calls_of_one_thread_apply_in_order(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 20; i++) {
        gavat_session session = a_session("u");
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        session.username = name;
        gavat_set_session(gavat_op_new(g, NULL, NULL), &session);
        if (i % 2)
            gavat_close_session(gavat_op_new(g, NULL, NULL), "u");
        gavat_op *op = held(g);
        RUN(op, get_session, "u");
        assert_string_equal(gavat_op_session(op, 0)->username, name);
        assert_int_equal(gavat_op_session(op, 0)->is_active, i % 2 ? -1 : 1);
        gavat_op_unref(op);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_first_session_comes_back_with_every_field),
        cmocka_unit_test(a_session_begins_now_unless_said),
        cmocka_unit_test(what_is_not_given_stays_what_is_given_replaces),
        cmocka_unit_test(extra_data_merges_by_key_and_keeps_its_order),
        cmocka_unit_test(a_closed_session_is_active_again_once_it_is_set),
        cmocka_unit_test(a_session_that_is_not_there_is_not_found),
        cmocka_unit_test(active_sessions_are_listed_last_active_first),
        cmocka_unit_test(sessions_of_one_time_are_paged_each_once),
        cmocka_unit_test(idle_sessions_expire_and_busy_ones_do_not),
        cmocka_unit_test(first_calls_of_eight_threads_make_one_session_with_the_keys_of_all),
        cmocka_unit_test(a_token_of_another_user_is_rejected_and_harms_nothing),
        cmocka_unit_test(calls_of_one_thread_apply_in_order),
    };
    return run_on_events("events_sessions", cases, sizeof cases / sizeof *cases);
}
