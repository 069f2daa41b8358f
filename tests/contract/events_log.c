/* Events: what is stored is what comes back, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <pthread.h>

#define V4 "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

static void an_event_comes_back_with_every_field(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("user123", "dm_received", "Mesaj alındı 🎉", 1);
    event.username = "ayşe";
    event.level = "WARNING";
    event.context = "{\"group_id\": -1001234567890, \"ad\": \"İrem\"}";
    gavat_op *logged = held(g), *op = held(g);
    RUN(logged, log_event, &event);
    assert_int_equal(gavat_op_reached(logged), GAVAT_REACHED_STORE);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    const gavat_event *got = gavat_op_event(op, 0);
    assert_string_equal(got->user_id, "user123");
    assert_string_equal(got->type, "dm_received");
    assert_string_equal(got->message, "Mesaj alındı 🎉");
    assert_string_equal(got->username, "ayşe");
    assert_string_equal(got->level, "WARNING");
    assert_string_equal(got->context, "{\"group_id\": -1001234567890, \"ad\": \"\\u0130rem\"}");
    assert_string_equal(got->uid, gavat_op_uid(logged));
    assert_int_equal(got->timestamp, T0 + SECOND);
    assert_true(got->id > 0);
    assert_int_equal(got->size, 0);
    gavat_op_unref(logged);
    gavat_op_unref(op);
}

static void what_is_not_given_gets_its_default(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = gavat_event_init();
    event.user_id = "u";
    event.type = "t";
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, log_event, &event);
    RUN(op, get_events, NULL);
    const gavat_event *got = gavat_op_event(op, 0);
    assert_string_equal(got->level, "INFO");
    assert_string_equal(got->context, "{}");
    assert_null(got->username);
    assert_null(got->message);
    assert_non_null(got->uid);
    gavat_op_unref(op);
}

static void an_empty_message_is_not_a_missing_one(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "", 1);
    event.username = "";
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, log_event, &event);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->message, "");
    assert_string_equal(gavat_op_event(op, 0)->username, "");
    gavat_op_unref(op);
}

static void the_uid_is_known_when_the_call_returns_and_gives_the_time(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 0);
    event.timestamp = 0;
    gavat_op *logged = held(g), *again = held(g), *op = held(g);
    gavat_log_event(logged, &event);
    char uid[64];
    snprintf(uid, sizeof uid, "%s", gavat_op_uid(logged));
    assert_int_equal(strlen(uid), 36);
    assert_int_equal(gavat_op_wait(logged), GAVAT_OK);
    event.uid = uid;            /* the time comes out of the uid: the same record */
    RUN(again, log_event, &event);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_string_equal(gavat_op_event(op, 0)->uid, uid);
    gavat_op_unref(logged);
    gavat_op_unref(again);
    gavat_op_unref(op);
}

static void the_same_uid_and_time_land_once(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "first", 5);
    event.uid = V4;
    DO(g, GAVAT_OK, log_event, &event);
    event.message = "second";
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "first");
    gavat_op_unref(op);
}

static void another_user_or_time_makes_another_record(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "a", 5);
    event.uid = V4;
    DO(g, GAVAT_OK, log_event, &event);
    event.user_id = "v";
    event.message = "b";
    event.timestamp++;
    DO(g, GAVAT_OK, log_event, &event);
    event.user_id = "u";
    event.message = "c";
    event.timestamp++;
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "c b a");
    gavat_op_unref(op);
}

static void a_uid_in_capitals_is_the_same_uid(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "first", 5);
    event.uid = V4;
    DO(g, GAVAT_OK, log_event, &event);
    event.uid = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_string_equal(gavat_op_event(op, 0)->uid, V4);
    gavat_op_unref(op);
}

#define THREADS 8
#define EACH 25

typedef struct sender {
    gavat *g;
    pthread_t thread;
    int good;
} sender;

/* Every thread sends the same EACH records. */
static void *send_all(void *user)
{
    sender *s = user;
    for (int i = 0; i < EACH; i++) {
        char uid[64];
        snprintf(uid, sizeof uid, "3f2504e0-4f89-41d3-9a0c-0305e82c33%02d", i);
        gavat_event event = an_event("u", "t", "m", i);
        event.uid = uid;
        gavat_op *op = gavat_op_new_held(s->g);
        gavat_log_event(op, &event);
        s->good += gavat_op_wait(op) == GAVAT_OK;
        gavat_op_unref(op);
    }
    return NULL;
}

static void eight_threads_that_send_the_same_records_store_each_once(void **state)
{
    gavat *g = client_of(state);
    sender senders[THREADS];
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (sender){.g = g};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_int_equal(senders[i].good, EACH);
    }
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), EACH);
    gavat_op_unref(op);
}

static void ops_of_one_thread_on_one_user_apply_in_order(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 30; i++) {
        char message[16];
        snprintf(message, sizeof message, "m%d", i);
        gavat_event event = an_event("u", "t", message, i);
        gavat_filter filter = gavat_filter_init();
        filter.user_id = "u";
        filter.limit = 1;
        gavat_log_event(gavat_op_new(g, NULL, NULL), &event);   /* nobody waits for it */
        gavat_op *op = held(g);
        RUN(op, get_events, &filter);
        assert_records(op, message);
        gavat_op_unref(op);
    }
}

static void a_search_sees_what_the_same_thread_logged_before_it(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 20; i++) {
        char message[32];
        snprintf(message, sizeof message, "kelime%d.", i);
        gavat_event event = an_event("u", "t", message, i);
        gavat_log_event(gavat_op_new(g, NULL, NULL), &event);
        gavat_op *op = held(g);
        RUN(op, search_events, message, NULL);
        assert_records(op, message);
        gavat_op_unref(op);
    }
}

static void records_survive_close_and_open(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "kept", 1);
    g = reopen(state, NULL);
    log_one(g, "u", "new", 2);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "new kept");
    gavat_op_unref(op);
}

static void what_is_not_waited_for_is_stored_at_close(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 200; i++) {
        gavat_event event = an_event("u", "t", "m", i);
        gavat_log_event(gavat_op_new(g, NULL, NULL), &event);
    }
    g = reopen(state, NULL);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 1000;
    gavat_op *op = held(g);
    RUN(op, get_events, &filter);
    assert_int_equal(gavat_op_count(op), 200);
    gavat_op_unref(op);
}

static void the_caller_may_change_his_memory_at_once(void **state)
{
    gavat *g = client_of(state);
    char user[] = "user", message[] = "mesaj", context[] = "{\"a\": 1}";
    gavat_event event = an_event(user, "t", message, 1);
    event.context = context;
    gavat_op *logged = held(g), *op = held(g);
    gavat_log_event(logged, &event);
    memset(user, 'x', 4);
    memset(message, 'x', 5);
    memset(context, 'x', 8);
    memset(&event, 0x55, sizeof event);
    assert_int_equal(gavat_op_wait(logged), GAVAT_OK);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->user_id, "user");
    assert_records(op, "mesaj");
    assert_string_equal(gavat_op_event(op, 0)->context, "{\"a\": 1}");
    gavat_op_unref(logged);
    gavat_op_unref(op);
}

static void a_record_that_was_read_must_be_copied_before_it_is_sent(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 1);
    gavat_op *op = held(g), *both = held(g);
    RUN(op, get_events, NULL);
    REFUSE(g, "gavat_event_copy", log_event, gavat_op_event(op, 0));
    gavat_event copy = gavat_event_copy(gavat_op_event(op, 0));
    copy.message = "b";
    copy.timestamp += SECOND;
    DO(g, GAVAT_OK, log_event, &copy);
    RUN(both, get_events, NULL);
    assert_records(both, "b a");
    gavat_op_unref(op);
    gavat_op_unref(both);
}

static void an_older_and_smaller_record_is_taken(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 1);
    event.level = "ERROR";
    event.context = "{\"a\": 1}";
    event.size = (uint32_t)offsetof(gavat_event, context);      /* as if the struct had ended there */
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->level, "INFO");
    assert_string_equal(gavat_op_event(op, 0)->context, "{}");
    assert_records(op, "m");
    gavat_op_unref(op);
}

static void a_newer_and_larger_record_is_taken(void **state)
{
    gavat *g = client_of(state);
    struct {
        gavat_event event;
        char later[64];
    } larger;
    memset(&larger, 0x55, sizeof larger);
    larger.event = an_event("u", "t", "m", 1);
    larger.event.size = (uint32_t)sizeof larger;
    DO(g, GAVAT_OK, log_event, &larger.event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "m");
    gavat_op_unref(op);
}

static void the_json_form_names_the_columns(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "dm", "satır\n\"2\"", 1);
    event.context = "{\"n\": 9007199254740993}";
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_json(op, 0, "user_id", "u");
    assert_json(op, 0, "event_type", "dm");
    assert_json(op, 0, "message", "satır\n\"2\"");
    assert_json(op, 0, "level", "INFO");
    assert_json(op, 0, "username", "null");
    assert_json(op, 0, "context.n", "9007199254740993");
    assert_json(op, 0, "timestamp", "2026-01-01T00:00:01.000000Z");
    assert_null(gavat_op_json(op, 1, NULL));
    gavat_op_unref(op);
}

static void accessors_of_other_kinds_and_places_give_nothing(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 1);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_non_null(gavat_op_event(op, 0));
    assert_null(gavat_op_event(op, 1));
    assert_null(gavat_op_sale(op, 0));
    assert_null(gavat_op_message(op, 0));
    assert_null(gavat_op_session(op, 0));
    assert_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}

static void a_time_is_kept_to_the_microsecond(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 0);
    event.timestamp = 1;        /* the first that there is */
    DO(g, GAVAT_OK, log_event, &event);
    event.timestamp = T0 + 999999;
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_event(op, 0)->timestamp, T0 + 999999);
    assert_int_equal(gavat_op_event(op, 1)->timestamp, 1);
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_event_comes_back_with_every_field),
        cmocka_unit_test(what_is_not_given_gets_its_default),
        cmocka_unit_test(an_empty_message_is_not_a_missing_one),
        cmocka_unit_test(the_uid_is_known_when_the_call_returns_and_gives_the_time),
        cmocka_unit_test(the_same_uid_and_time_land_once),
        cmocka_unit_test(another_user_or_time_makes_another_record),
        cmocka_unit_test(a_uid_in_capitals_is_the_same_uid),
        cmocka_unit_test(eight_threads_that_send_the_same_records_store_each_once),
        cmocka_unit_test(ops_of_one_thread_on_one_user_apply_in_order),
        cmocka_unit_test(a_search_sees_what_the_same_thread_logged_before_it),
        cmocka_unit_test(records_survive_close_and_open),
        cmocka_unit_test(what_is_not_waited_for_is_stored_at_close),
        cmocka_unit_test(the_caller_may_change_his_memory_at_once),
        cmocka_unit_test(a_record_that_was_read_must_be_copied_before_it_is_sent),
        cmocka_unit_test(an_older_and_smaller_record_is_taken),
        cmocka_unit_test(a_newer_and_larger_record_is_taken),
        cmocka_unit_test(the_json_form_names_the_columns),
        cmocka_unit_test(accessors_of_other_kinds_and_places_give_nothing),
        cmocka_unit_test(a_time_is_kept_to_the_microsecond),
    };
    return run_on_events("events_log", cases, sizeof cases / sizeof *cases);
}
