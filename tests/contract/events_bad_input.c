/* Bad input: each thing once, a clear error through the op, and a client that goes on as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

static void logs_still(gavat *g)
{
    gavat_op *op = held(g);
    log_one(g, "u", "after", 1);
    RUN(op, get_events, NULL);
    assert_records(op, "after");
    gavat_op_unref(op);
}

static void what_is_required_must_be_given(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event(NULL, "t", "m", 1);
    gavat_sale sale = a_sale("u", "", "1", 1);
    gavat_message message = a_message(NULL, "dm", "m", 1);
    gavat_session session = a_session(NULL);
    REFUSE(g, "user_id", log_event, &event);
    event.user_id = "";
    REFUSE(g, "user_id", log_event, &event);
    event = an_event("u", NULL, "m", 1);
    REFUSE(g, "event_type", log_event, &event);
    REFUSE(g, "product_type", log_sale, &sale);
    REFUSE(g, "bot_username", log_message, &message);
    message = a_message("b", NULL, "m", 1);
    REFUSE(g, "message_type", log_message, &message);
    REFUSE(g, "user_id", set_session, &session);
    logs_still(g);
}

static void a_record_that_is_null_or_of_size_0_is_refused(void **state)
{
    gavat *g = client_of(state);
    gavat_event event;
    gavat_sale sale;
    gavat_message message;
    gavat_session session;
    gavat_filter filter;
    memset(&event, 0, sizeof event);
    memset(&sale, 0, sizeof sale);
    memset(&message, 0, sizeof message);
    memset(&session, 0, sizeof session);
    memset(&filter, 0, sizeof filter);
    REFUSE(g, "gavat_event_init", log_event, NULL);
    REFUSE(g, "gavat_event_init", log_event, &event);
    REFUSE(g, "gavat_sale_init", log_sale, NULL);
    REFUSE(g, "gavat_sale_init", log_sale, &sale);
    REFUSE(g, "gavat_message_init", log_message, NULL);
    REFUSE(g, "gavat_message_init", log_message, &message);
    REFUSE(g, "gavat_session_init", set_session, NULL);
    REFUSE(g, "gavat_session_init", set_session, &session);
    REFUSE(g, "gavat_filter_init", get_events, &filter);
    logs_still(g);
}

/* Take a text of most characters, each of four bytes, and refuse one more. */
static void bound_event(gavat *g, size_t at, size_t most, const char *name)
{
    char *longest = repeat("🎉", most), *longer = repeat("x", most + 1);
    gavat_event event = an_event("u", "t", "m", (int64_t)(most + at));
    memcpy((char *)&event + at, &longest, sizeof longest);
    DO(g, GAVAT_OK, log_event, &event);
    memcpy((char *)&event + at, &longer, sizeof longer);
    REFUSE(g, name, log_event, &event);
    free(longest);
    free(longer);
}

static void bound_sale(gavat *g, size_t at, size_t most, const char *name)
{
    char *longest = repeat("🎉", most), *longer = repeat("x", most + 1);
    gavat_sale sale = a_sale("u", "t", "1", (int64_t)(most + at));
    memcpy((char *)&sale + at, &longest, sizeof longest);
    DO(g, GAVAT_OK, log_sale, &sale);
    memcpy((char *)&sale + at, &longer, sizeof longer);
    REFUSE(g, name, log_sale, &sale);
    free(longest);
    free(longer);
}

static void bound_message(gavat *g, size_t at, size_t most, const char *name)
{
    char *longest = repeat("🎉", most), *longer = repeat("x", most + 1);
    gavat_message message = a_message("b", "t", "m", (int64_t)(most + at));
    memcpy((char *)&message + at, &longest, sizeof longest);
    DO(g, GAVAT_OK, log_message, &message);
    memcpy((char *)&message + at, &longer, sizeof longer);
    REFUSE(g, name, log_message, &message);
    free(longest);
    free(longer);
}

static void bound_session(gavat *g, size_t at, size_t most, const char *name)
{
    char *longest = repeat("🎉", most), *longer = repeat("x", most + 1);
    gavat_session session = a_session("u");
    memcpy((char *)&session + at, &longest, sizeof longest);
    DO(g, GAVAT_OK, set_session, &session);
    memcpy((char *)&session + at, &longer, sizeof longer);
    REFUSE(g, name, set_session, &session);
    free(longest);
    free(longer);
}

static void lengths_are_counted_in_characters(void **state)
{
    gavat *g = client_of(state);
    bound_event(g, offsetof(gavat_event, user_id), 100, "user_id");
    bound_event(g, offsetof(gavat_event, username), 100, "username");
    bound_event(g, offsetof(gavat_event, type), 50, "event_type");
    bound_event(g, offsetof(gavat_event, level), 20, "level");
    bound_sale(g, offsetof(gavat_sale, user_id), 100, "user_id");
    bound_sale(g, offsetof(gavat_sale, customer_id), 100, "customer_id");
    bound_sale(g, offsetof(gavat_sale, bot_username), 100, "bot_username");
    bound_sale(g, offsetof(gavat_sale, product_type), 50, "product_type");
    bound_sale(g, offsetof(gavat_sale, product_name), 200, "product_name");
    bound_sale(g, offsetof(gavat_sale, currency), 10, "currency");
    bound_sale(g, offsetof(gavat_sale, payment_method), 50, "payment_method");
    bound_sale(g, offsetof(gavat_sale, payment_reference), 200, "payment_reference");
    bound_message(g, offsetof(gavat_message, bot_username), 100, "bot_username");
    bound_message(g, offsetof(gavat_message, message_type), 20, "message_type");
    bound_message(g, offsetof(gavat_message, target_type), 20, "target_type");
    bound_message(g, offsetof(gavat_message, target_id), 100, "target_id");
    bound_message(g, offsetof(gavat_message, target_name), 200, "target_name");
    bound_message(g, offsetof(gavat_message, message_id), 100, "message_id");
    bound_session(g, offsetof(gavat_session, user_id), 100, "user_id");
    bound_session(g, offsetof(gavat_session, username), 100, "username");
    bound_session(g, offsetof(gavat_session, session_token), 200, "session_token");
    bound_session(g, offsetof(gavat_session, bot_type), 50, "bot_type");
}

static void a_record_is_bounded_by_the_setting(void **state)
{
    static const char *const small[] = {"GAVAT_MAX_RECORD", "4KiB", NULL};
    gavat *g = reopen(state, small);
    char *fits = repeat("x", 4000), *larger = repeat("x", 4097);
    gavat_event event = an_event("u", "t", fits, 1);
    DO(g, GAVAT_OK, log_event, &event);
    event.message = larger;
    REFUSE(g, "GAVAT_MAX_RECORD", log_event, &event);
    REFUSE(g, "GAVAT_MAX_RECORD", update_sale_status, "1", "completed", larger);
    free(fits);
    free(larger);
}

static void the_largest_record_comes_back_whole(void **state)
{
    gavat *g = client_of(state);
    char *text = repeat("ş", 500000), *larger = repeat("x", (1 << 20) + 1);
    gavat_op *op = held(g);
    log_one(g, "u", text, 1);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->message, text);
    gavat_event event = an_event("u", "t", larger, 1);
    REFUSE(g, "GAVAT_MAX_RECORD", log_event, &event);
    gavat_op_unref(op);
    free(text);
    free(larger);
}

static void what_is_not_utf8_is_refused(void **state)
{
    static const char *const bad[] = {"\xff", "a\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82", "\xf8\x88\x80\x80\x80"};
    gavat *g = client_of(state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gavat_event event = an_event("u", "t", bad[i], 1);
        gavat_sale sale = a_sale("u", "t", "1", 1);
        gavat_message message = a_message("b", "t", bad[i], 1);
        gavat_session session = a_session(bad[i]);
        gavat_filter filter = gavat_filter_init();
        sale.notes = bad[i];
        filter.user_id = bad[i];
        REFUSE(g, "UTF-8", log_event, &event);
        REFUSE(g, "UTF-8", log_sale, &sale);
        REFUSE(g, "UTF-8", log_message, &message);
        REFUSE(g, "UTF-8", set_session, &session);
        REFUSE(g, "UTF-8", get_events, &filter);
        REFUSE(g, "UTF-8", get_event_stats, NULL, &filter);
    }
    logs_still(g);
}

static void what_is_not_a_json_object_is_refused(void **state)
{
    static const char *const bad[] = {"", "x", "{", "{\"a\":}", "{'a':1}", "[1]", "1", "null", "\"a\"", "{} x",
                                      "{\"a\":1,}", "{\"a\":01}",
                                      "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-Infinity}", "{\"a\":\"\xff\"}",
                                          "{\"a\":\"\\ud800\"}",
                                      "{\"a\":\"\\x\"}", "{\"a\":\"\n\"}", "{\"a\" 1}", "{a:1}", "{\"a\":.5}",
                                          "{\"a\":1.}", "{\"a\":+1}"};
    gavat *g = client_of(state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gavat_event event = an_event("u", "t", "m", 1);
        gavat_session session = a_session("u");
        event.context = bad[i];
        session.extra_data = bad[i];
        REFUSE(g, "context", log_event, &event);
        REFUSE(g, "extra_data", set_session, &session);
    }
    logs_still(g);
}

static void a_nul_in_json_is_kept_or_refused_never_cut(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 1);
    gavat_op *op = held(g), *read = held(g);
    event.context = "{\"a\": \"x\\u0000y\", \"b\": 1}";
    gavat_log_event(op, &event);
    gavat_status status = gavat_op_wait(op);
    assert_true(status == GAVAT_OK || status == GAVAT_EINVAL);
    RUN(read, get_events, NULL);
    assert_int_equal(gavat_op_count(read), status == GAVAT_OK);
    if (status == GAVAT_OK)
        assert_string_equal(gavat_op_event(read, 0)->context, event.context);
    gavat_op_unref(op);
    gavat_op_unref(read);
}

static void json_may_be_a_hundred_deep_and_no_deeper(void **state)
{
    gavat *g = client_of(state);
    for (size_t depth = 100; depth <= 101; depth++) {
        char *open = repeat("[", depth - 1), *shut = repeat("]", depth - 1), text[300];
        snprintf(text, sizeof text, "{\"a\": %s%s}", open, shut);
        gavat_event event = an_event("u", "t", "m", 1);
        event.context = text;
        if (depth == 100)
            DO(g, GAVAT_OK, log_event, &event);
        else
            REFUSE(g, "context", log_event, &event);
        free(open);
        free(shut);
    }
    char *deep = repeat("[", 500000);
    gavat_event event = an_event("u", "t", "m", 1);
    event.context = deep;
    REFUSE(g, "context", log_event, &event);
    free(deep);
}

static void huge_integers_keep_their_digits(void **state)
{
    static const char context[] = "{\"a\": 123456789012345678901234567890123456789012345678901234567890, "
                                  "\"b\": -9223372036854775809, "
                                  "\"c\": 1.0, \"d\": 0.1000, \"e\": 1e400, \"f\": -0}";
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 1);
    gavat_op *op = held(g);
    event.context = context;
    DO(g, GAVAT_OK, log_event, &event);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->context, context);
    gavat_op_unref(op);
}

static void times_outside_1970_to_tomorrow_are_refused(void **state)
{
    gavat *g = client_of(state);
    char uid[37];
    gavat_event event = an_event("u", "t", "m", 1);
    event.timestamp = -1;
    REFUSE(g, "timestamp", log_event, &event);
    event.timestamp = INT64_MIN;
    REFUSE(g, "timestamp", log_event, &event);
    event.timestamp = INT64_MAX;
    REFUSE(g, "timestamp", log_event, &event);
    gavat_sale sale = a_sale("u", "t", "1", 1);
    sale.created_at = INT64_C(4102444800000000);        /* 2100 */
    REFUSE(g, "created_at", log_sale, &sale);
    gavat_session session = a_session("u");
    session.last_activity = INT64_C(4102444800000000);
    REFUSE(g, "last_activity", set_session, &session);
    session.last_activity = -1;
    REFUSE(g, "last_activity", set_session, &session);
    gavat_make_uid(uid);        /* carries this very moment */
    event.uid = uid;
    event.timestamp = 0;
    DO(g, GAVAT_OK, log_event, &event);
}

static void a_bad_uid_is_refused(void **state)
{
    static const char *const bad[] = {"", "x", "0193a5c2-7f10-7abc-8def-0123456789a",
                                      "0193a5c2-7f10-7abc-8def-0123456789abc",
                                      "0193a5c27f107abc8def0123456789ab", "0193a5c2-7f10-7abc-8def-0123456789ag",
                                      "{193a5c2-7f10-7abc-8def-0123456789ab", "0193a5c2_7f10_7abc_8def_0123456789ab"};
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        event.uid = bad[i];
        REFUSE(g, "UUID", log_event, &event);
    }
    event.uid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    event.timestamp = 0;
    REFUSE(g, "version 7", log_event, &event);
}

static void a_filter_that_the_kind_does_not_have_is_refused(void **state)
{
    gavat *g = client_of(state);
    for (int field = 0; field < 7; field++) {
        gavat_filter f = gavat_filter_init();
        f.username = field == 0 ? "x" : NULL;
        f.level = field == 1 ? "x" : NULL;
        f.status = field == 2 ? "x" : NULL;
        f.bot_username = field == 3 ? "x" : NULL;
        f.success = field == 4 ? 1 : 0;
        f.is_active = field == 5 ? -1 : 0;
        f.type = field == 6 ? "x" : NULL;
        bool events = field == 0 || field == 1 || field == 6, sales = field == 2 || field == 3 || field == 6;
        bool messages = field == 3 || field == 4 || field == 6, sessions = field == 0 || field == 5 || field == 6;
        DO(g, events ? GAVAT_OK : GAVAT_EINVAL, get_events, &f);
        DO(g, events ? GAVAT_OK : GAVAT_EINVAL, search_events, "x", &f);
        DO(g, events ? GAVAT_OK : GAVAT_EINVAL, get_event_stats, "day", &f);
        DO(g, sales ? GAVAT_OK : GAVAT_EINVAL, get_sales, &f);
        DO(g, sales ? GAVAT_OK : GAVAT_EINVAL, get_sale_stats, &f);
        DO(g, messages ? GAVAT_OK : GAVAT_EINVAL, get_messages, &f);
        DO(g, messages ? GAVAT_OK : GAVAT_EINVAL, get_message_stats, &f);
        DO(g, sessions ? GAVAT_OK : GAVAT_EINVAL, get_sessions, &f);
    }
}

static void flags_and_numbers_out_of_range_are_refused(void **state)
{
    gavat *g = client_of(state);
    gavat_message message = a_message("b", "t", "m", 1);
    gavat_filter filter = gavat_filter_init();
    message.success = 2;
    REFUSE(g, "success", log_message, &message);
    message.success = 1;
    message.response_time_ms = -2;
    REFUSE(g, "response_time_ms", log_message, &message);
    message.response_time_ms = INT64_C(2147483648);
    REFUSE(g, "response_time_ms", log_message, &message);
    message.response_time_ms = 2147483647;
    DO(g, GAVAT_OK, log_message, &message);
    filter.success = -2;
    REFUSE(g, "success", get_messages, &filter);
    filter.success = 0;
    filter.is_active = 7;
    REFUSE(g, "is_active", get_sessions, &filter);
}

static void odd_texts_are_kept_as_they_are(void **state)
{
    static const char *const texts[] = {"'; DROP TABLE event_logs; --", "%s%n%d", "\x01\x02\x1f\x7f", "\r\n\t",
                                        "\\u0000", "NULL",
                                        "\xef\xbb\xbf", "  ", "\xf4\x8f\xbf\xbf", "%", "_"};
    gavat *g = client_of(state);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gavat_event event = an_event(texts[i], texts[i], texts[i], (int64_t)i);
        gavat_filter filter = gavat_filter_init();
        gavat_op *op = held(g);
        DO(g, GAVAT_OK, log_event, &event);
        filter.user_id = texts[i];
        filter.type = texts[i];
        RUN(op, get_events, &filter);
        assert_records(op, texts[i]);
        assert_json(op, 0, "message", texts[i]);
        gavat_op_unref(op);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_required_must_be_given),
        cmocka_unit_test(a_record_that_is_null_or_of_size_0_is_refused),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(a_record_is_bounded_by_the_setting),
        cmocka_unit_test(the_largest_record_comes_back_whole),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(what_is_not_a_json_object_is_refused),
        cmocka_unit_test(a_nul_in_json_is_kept_or_refused_never_cut),
        cmocka_unit_test(json_may_be_a_hundred_deep_and_no_deeper),
        cmocka_unit_test(huge_integers_keep_their_digits),
        cmocka_unit_test(times_outside_1970_to_tomorrow_are_refused),
        cmocka_unit_test(a_bad_uid_is_refused),
        cmocka_unit_test(a_filter_that_the_kind_does_not_have_is_refused),
        cmocka_unit_test(flags_and_numbers_out_of_range_are_refused),
        cmocka_unit_test(odd_texts_are_kept_as_they_are),
    };
    return run_on_events("events_bad_input", cases, sizeof cases / sizeof *cases);
}
