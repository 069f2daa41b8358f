/* What may come in as a record, and what is said about what may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "records_bench.h"

static void a_record_without_size_is_refused_and_told_how_to_make_one(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.size = 0;
    refuse_take(&gv_events_kind, &event, "the event has size 0: make it with gavat_event_init(), or out of a result "
                                         "with gavat_event_copy()");
    refuse_take(&gv_sales_kind, NULL, "the sale is NULL: make one with gavat_sale_init()");
}

static void what_an_older_header_did_not_have_counts_as_not_given(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.level = "ERROR";
    event.size = offsetof(gavat_event, level);
    take(&gv_events_kind, &event);
    assert_string_equal(in.own.event.level, "INFO");
    assert_string_equal(in.own.event.type, "login");
}

static void what_a_newer_header_has_more_is_left_alone(void **state)
{
    (void)state;
    struct {
        gavat_event event;
        const char *newer;
    } larger = {an_event(), "x"};
    larger.event.size = sizeof larger;
    take(&gv_events_kind, &larger);
    assert_string_equal(in.own.event.type, "login");
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    gavat_event event = an_event();
    take(&gv_events_kind, &event);
    assert_string_equal(in.own.event.level, "INFO");
    assert_string_equal(in.own.event.context, "{}");
    assert_null(in.own.event.message);
    gavat_sale sale = a_sale();
    take(&gv_sales_kind, &sale);
    assert_string_equal(in.own.sale.currency, "TRY");
    assert_string_equal(in.own.sale.payment_status, "pending");
    assert_string_equal(in.own.sale.extra_data, "{}");
    gavat_message message = a_message();
    take(&gv_messages_kind, &message);
    assert_int_equal(in.own.message.success, 1);
    message.success = -1;
    take(&gv_messages_kind, &message);
    assert_int_equal(in.own.message.success, -1);
}

static void a_session_keeps_what_is_not_given_open(void **state)
{
    (void)state;
    gavat_session session = gavat_session_init();
    session.user_id = "42";
    session.is_active = -1;
    session.id = 7;
    take(&gv_sessions_kind, &session);
    assert_null(in.own.session.extra_data);
    assert_int_equal(in.own.session.last_activity, 0);
    assert_int_equal(in.own.session.created_at, 0);
    assert_int_equal(in.own.session.is_active, 0);
    assert_int_equal(in.own.session.id, 0);
    session.extra_data = "[1]";
    gv_incoming_free(&in);
    assert_false(gv_incoming_take(&in, &client, &gv_sessions_kind, &session, true));
    assert_string_equal(in.why, "extra_data must be a JSON object such as {\"key\": 1}");
}

static void what_only_a_store_sets_is_not_taken(void **state)
{
    (void)state;
    gavat_sale sale = a_sale();
    sale.id = 7;
    sale.updated_at = NOW;
    take(&gv_sales_kind, &sale);
    assert_int_equal(in.own.sale.id, 0);
    assert_int_equal(in.own.sale.updated_at, 0);
    assert_int_equal(in.own.sale.size, 0);
}

static void a_new_uid_carries_the_time_of_the_record(void **state)
{
    (void)state;
    gavat_event event = an_event();
    take(&gv_events_kind, &event);
    int64_t time;
    assert_ptr_equal(in.own.event.uid, in.uid);
    assert_true(gv_uuid_time(in.uid, &time));
    assert_int_equal(time, in.own.event.timestamp);
    assert_true(time - NOW >= 0 && time - NOW < 1000000);
}

static void a_given_time_stays_beside_a_new_uid(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.timestamp = 1;
    take(&gv_events_kind, &event);
    assert_int_equal(in.own.event.timestamp, 1);
    assert_int_equal(strlen(in.uid), 36);
}

static void a_given_uid_gives_its_time_and_is_made_canonical(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.uid = "0193A5C2-7F10-7ABC-8DEF-0123456789AB";
    int64_t time;
    assert_true(gv_uuid_time(V7, &time));
    take(&gv_events_kind, &event);
    assert_string_equal(in.own.event.uid, V7);
    assert_int_equal(in.own.event.timestamp, time);
    event.timestamp = NOW;
    take(&gv_events_kind, &event);
    assert_int_equal(in.own.event.timestamp, NOW);
}

static void a_uid_without_a_time_of_its_own_needs_one(void **state)
{
    (void)state;
    gavat_sale sale = a_sale();
    sale.uid = V4;
    refuse_take(&gv_sales_kind, &sale, "uid is not of version 7 and carries no time: give created_at with it");
    sale.created_at = NOW;
    take(&gv_sales_kind, &sale);
    assert_string_equal(in.own.sale.uid, V4);
    sale.uid = "42";
    refuse_take(&gv_sales_kind, &sale, "uid is not a UUID such as 0193a5c2-7f10-7abc-8def-0123456789ab");
}

static void times_lie_between_1970_and_tomorrow(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.timestamp = NOW + DAY;
    take(&gv_events_kind, &event);
    static const int64_t bad[] = {NOW + DAY + 1, -1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        event.timestamp = bad[i];
        refuse_take(&gv_events_kind, &event, "timestamp is outside 1970 .. tomorrow");
    }
    event.timestamp = 0;
    event.uid = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    refuse_take(&gv_events_kind, &event, "timestamp is outside 1970 .. tomorrow");
    gavat_session session = gavat_session_init();
    session.user_id = "42";
    session.created_at = -1;
    refuse_take(&gv_sessions_kind, &session, "created_at is outside 1970 .. tomorrow");
}

static void required_fields_are_required(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.user_id = NULL;
    refuse_take(&gv_events_kind, &event, "user_id is required");
    event.user_id = "";
    refuse_take(&gv_events_kind, &event, "user_id is required and must not be empty");
    gavat_sale sale = a_sale();
    sale.amount = NULL;
    refuse_take(&gv_sales_kind, &sale, "amount is required");
    gavat_message message = a_message();
    message.message_type = NULL;
    refuse_take(&gv_messages_kind, &message, "message_type is required");
}

/* By its table, each text: as many characters as it may have, then one more. The letter takes two bytes. */
static void lengths_count_characters(void **state)
{
    (void)state;
    char text[500], why[100];
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < kinds[k]->count; i++) {
            const gv_field *field = &kinds[k]->fields[i];
            if (field->type != GV_FIELD_TEXT || !field->most || strcmp(field->name, "payment_status") == 0)
                continue;
            gavat_event event = an_event();
            gavat_sale sale = a_sale();
            gavat_message message = a_message();
            gavat_session session = gavat_session_init();
            session.user_id = "42";
            void *const records[] = {&event, &sale, &message, &session};
            for (size_t n = 0; n <= field->most; n++)
                memcpy(text + 2 * n, "ş", 3);
            *(const char **)gv_field_at(records[k], field) = text + 2;
            take(kinds[k], records[k]);
            *(const char **)gv_field_at(records[k], field) = text;
            snprintf(why, sizeof why, "%s is longer than %u characters", field->name, field->most);
            refuse_take(kinds[k], records[k], why);
        }
}

static void texts_are_utf8(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.message = "a\xff";
    refuse_take(&gv_events_kind, &event, "message is not valid UTF-8");
    event.message = "\xed\xa0\x80";
    refuse_take(&gv_events_kind, &event, "message is not valid UTF-8");
}

static void a_record_is_as_large_as_the_setting_allows(void **state)
{
    (void)state;
    char text[MOST + 2];
    memset(text, 'x', sizeof text);
    gavat_event event = an_event();
    event.message = text;
    for (size_t length = MOST; length <= MOST + 1; length++) {
        text[length] = '\0';
        refuse_take(&gv_events_kind, &event, "the event is larger than 4096 bytes (GAVAT_MAX_RECORD)");
        text[length] = 'x';
    }
    text[MOST - 100] = '\0';
    take(&gv_events_kind, &event);
    event.context = "{\"key\": \"so long that it does not fit beside the message, whatever else there is\"}";
    refuse_take(&gv_events_kind, &event, "the event is larger than 4096 bytes (GAVAT_MAX_RECORD)");
}

static void json_is_an_object_and_is_rewritten(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.context = " {\"b\":1.0,\"a\":[\"ş🔥\",12345678901234567890]}\n";
    take(&gv_events_kind, &event);
    assert_string_equal(in.own.event.context, "{\"b\": 1.0, \"a\": [\"\\u015f\\ud83d\\udd25\", 12345678901234567890]}");
    event.context = "[]";
    refuse_take(&gv_events_kind, &event, "context must be a JSON object such as {\"key\": 1}");
    gv_incoming_free(&in);
    assert_true(gv_incoming_take(&in, &client, &gv_events_kind, &event, true));
    event.context = "{\"a\": NaN}";
    refuse_take(&gv_events_kind, &event, "context is not JSON at byte 6: NaN and Infinity are not JSON");
}

static void json_nests_a_hundred_levels(void **state)
{
    (void)state;
    char text[700] = "";
    for (int i = 0; i < GV_JSON_DEPTH; i++)
        strcat(text, "{\"a\":");
    strcat(text, "1");
    for (int i = 0; i < GV_JSON_DEPTH; i++)
        strcat(text, "}");
    gavat_event event = an_event();
    event.context = text;
    take(&gv_events_kind, &event);
    char deeper[800];
    snprintf(deeper, sizeof deeper, "{\"a\":%s}", text);
    event.context = deeper;
    gv_incoming_free(&in);
    assert_false(gv_incoming_take(&in, &client, &gv_events_kind, &event, false));
    assert_non_null(strstr(in.why, "context is not JSON at byte"));
}

static void amounts_are_decimal(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-5", "149.90", "999999999999999999.99999999"};
    static const char *const bad[] = {"", "1e5", "1,5", ".5", "1.", "NaN", " 1", "1 TL", "1.123456789",
                                      "1000000000000000000"};
    gavat_sale sale = a_sale();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        sale.amount = good[i];
        take(&gv_sales_kind, &sale);
        assert_string_equal(in.own.sale.amount, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sale.amount = bad[i];
        refuse_take(&gv_sales_kind, &sale, *bad[i] ? "amount must be a decimal number such as \"149.90\", with up to "
                                                     "18 digits before the point and 8 after it"
                                                   : "amount is required and must not be empty");
    }
}

static void words_flags_and_numbers_are_bounded(void **state)
{
    (void)state;
    gavat_sale sale = a_sale();
    sale.payment_status = "paid";
    refuse_take(&gv_sales_kind, &sale, "payment_status must be pending, completed, failed or refunded");
    gavat_message message = a_message();
    message.success = 2;
    refuse_take(&gv_messages_kind, &message, "success must be 1 (true), -1 (false) or 0 (not given)");
    message.success = 1;
    static const int64_t bad[] = {-2, INT64_C(2147483648)};
    for (size_t i = 0; i < 2; i++) {
        message.response_time_ms = bad[i];
        refuse_take(&gv_messages_kind, &message, "response_time_ms must be a whole number from 1 to 2147483647, or -1, which stands for 0");
    }
    message.response_time_ms = 2147483647;
    take(&gv_messages_kind, &message);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_without_size_is_refused_and_told_how_to_make_one),
        CASE(what_an_older_header_did_not_have_counts_as_not_given),
        CASE(what_a_newer_header_has_more_is_left_alone),
        CASE(defaults_are_filled_in),
        CASE(a_session_keeps_what_is_not_given_open),
        CASE(what_only_a_store_sets_is_not_taken),
        CASE(a_new_uid_carries_the_time_of_the_record),
        CASE(a_given_time_stays_beside_a_new_uid),
        CASE(a_given_uid_gives_its_time_and_is_made_canonical),
        CASE(a_uid_without_a_time_of_its_own_needs_one),
        CASE(times_lie_between_1970_and_tomorrow),
        CASE(required_fields_are_required),
        CASE(lengths_count_characters),
        CASE(texts_are_utf8),
        CASE(a_record_is_as_large_as_the_setting_allows),
        CASE(json_is_an_object_and_is_rewritten),
        CASE(json_nests_a_hundred_levels),
        CASE(amounts_are_decimal),
        CASE(words_flags_and_numbers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
