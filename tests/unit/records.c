/* The four kinds of records: what their tables say, what may come in, what is copied, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/base/clock.h"
#include "../../lib/base/json.h"
#include "../../lib/base/memory.h"
#include "../../lib/base/uuid.h"
#include "../../lib/core/client.h"
#include "../../lib/events/records.h"
#include "../../lib/events/requests.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795448220123456)           /* 2026-11-23T15:37:00.123456Z */
#define DAY (INT64_C(86400) * 1000000)
#define V7 "0193a5c2-7f10-7abc-8def-0123456789ab"
#define V4 "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define MOST ((size_t)4096)

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};
static gavat client;            /* no more of it than a check asks for: its clock and a bound */
static gv_incoming in;

static gavat_time tell_time(void *user)
{
    (void)user;
    return NOW;
}

static int begin(void **state)
{
    (void)state;
    client.most_record = MOST;
    atomic_store(&client.clock, tell_time);
    return 0;
}

static int end(void **state)
{
    (void)state;
    gv_incoming_free(&in);
    return 0;
}

static gavat_event an_event(void)
{
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    event.type = "login";
    return event;
}

static gavat_sale a_sale(void)
{
    gavat_sale sale = gavat_sale_init();
    sale.user_id = "42";
    sale.product_type = "vip";
    sale.amount = "149.90";
    return sale;
}

static gavat_message a_message(void)
{
    gavat_message message = gavat_message_init();
    message.bot_username = "lara";
    message.message_type = "dm";
    return message;
}

static void take(const gv_record_kind *kind, const void *record)
{
    gv_incoming_free(&in);
    if (!gv_incoming_take(&in, &client, kind, record, false))
        fail_msg("refused: %s", in.why);
}

static void refuse_take(const gv_record_kind *kind, const void *record, const char *why)
{
    gv_incoming_free(&in);
    assert_false(gv_incoming_take(&in, &client, kind, record, false));
    assert_string_equal(in.why, why);
    assert_int_equal(in.status, GAVAT_EINVAL);
}

static void read_json(const gv_record_kind *kind, const char *json)
{
    gv_incoming_free(&in);
    assert_null(gv_json_check(gv_slice_of(json), GV_JSON_DEPTH + 1, 0, NULL));
    if (!gv_incoming_read(&in, &client, kind, gv_slice_of(json)))
        fail_msg("refused: %s", in.why);
}

static void refuse_json(const gv_record_kind *kind, const char *json, const char *why)
{
    gv_incoming_free(&in);
    assert_null(gv_json_check(gv_slice_of(json), GV_JSON_DEPTH + 1, 0, NULL));
    assert_false(gv_incoming_read(&in, &client, kind, gv_slice_of(json)));
    assert_string_equal(in.why, why);
    assert_int_equal(in.status, GAVAT_EINVAL);
}

static void check_print(const gv_record_kind *kind, const void *record, const char *json)
{
    gv_text out = {0};
    gv_record_print(kind, record, &out);
    assert_string_equal(gv_text_get(&out), json);
    assert_null(gv_json_check(gv_slice_of(gv_text_get(&out)), GV_JSON_DEPTH_MOST, GV_JSON_SURROGATES, NULL));
    gv_text_free(&out);
}

/* --- tables --- */

static void the_columns_stand_in_the_order_of_the_tables(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "id,user_id,username,event_type,message,context,level,timestamp,uid,",
        "id,user_id,customer_id,bot_username,product_type,product_name,amount,currency,payment_method,payment_status,"
        "payment_reference,notes,extra_data,created_at,updated_at,uid,",
        "id,bot_username,message_type,target_type,target_id,target_name,message_content,message_id,success,error_message,"
        "response_time_ms,extra_data,timestamp,uid,",
        "id,user_id,username,session_token,bot_type,is_active,last_activity,created_at,extra_data,",
    };
    for (size_t k = 0; k < 4; k++) {
        gv_text list = {0};
        for (size_t i = 0; i < kinds[k]->count; i++)
            gv_text_addf(&list, "%s,", kinds[k]->fields[i].name);
        assert_string_equal(gv_text_get(&list), columns[k]);
        gv_text_free(&list);
    }
}

static void no_two_fields_of_a_kind_share_a_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < kinds[k]->count; i++) {
            const gv_field *field = &kinds[k]->fields[i];
            assert_true(field->offset + (field->type == GV_FIELD_FLAG ? 4u : 8u) <= kinds[k]->size);
            for (size_t j = 0; j < i; j++)
                assert_int_not_equal(field->offset, kinds[k]->fields[j].offset);
        }
}

static void the_identity_is_owner_time_and_uid(void **state)
{
    (void)state;
    static const char *const names[][3] = {
        {"user_id", "timestamp", "uid"}, {"user_id", "created_at", "uid"}, {"bot_username", "timestamp", "uid"},
        {"user_id", "last_activity", NULL},
    };
    for (size_t k = 0; k < 4; k++) {
        assert_string_equal(kinds[k]->owner->name, names[k][0]);
        assert_string_equal(kinds[k]->time->name, names[k][1]);
        if (names[k][2])
            assert_string_equal(kinds[k]->uid->name, names[k][2]);
        else
            assert_null(kinds[k]->uid);
    }
}

static void filters_reach_the_columns_of_their_kind(void **state)
{
    (void)state;
    static const char *const names[][GV_BY_COUNT] = {
        {"user_id", "username", "event_type", "level", NULL, NULL},
        {"user_id", NULL, "product_type", NULL, "payment_status", "bot_username"},
        {"target_id", NULL, "message_type", NULL, NULL, "bot_username"},
        {"user_id", "username", "bot_type", NULL, NULL, NULL},
    };
    for (size_t k = 0; k < 4; k++)
        for (unsigned by = 0; by < GV_BY_COUNT; by++) {
            const gv_field *field = gv_filter_field(kinds[k], by);
            if (names[k][by])
                assert_string_equal(field->name, names[k][by]);
            else
                assert_null(field);
        }
    assert_null(gv_filter_field(&gv_events_kind, GV_BY_COUNT));
}

static void a_sale_goes_only_the_legal_steps(void **state)
{
    (void)state;
    static const char *const words[] = {"pending", "completed", "failed", "refunded", "gifted"};
    static const char *const legal[] = {"1110", "0101", "1010", "0001", "1111"};
    for (size_t from = 0; from < 5; from++)
        for (size_t to = 0; to < 4; to++)
            assert_int_equal(gv_sale_step_legal(words[from], words[to]), legal[from][to] == '1');
    assert_false(gv_sale_step_legal("pending", "gifted"));
    assert_false(gv_sale_step_legal("gifted", "gifted"));
    assert_true(gv_sale_step_legal(NULL, "failed"));
    assert_false(gv_sale_status_known("Pending"));
    assert_false(gv_sale_status_known(NULL));
}

/* --- what comes as a struct --- */

static void a_record_without_size_is_refused_and_told_how_to_make_one(void **state)
{
    (void)state;
    gavat_event event = an_event();
    event.size = 0;
    refuse_take(&gv_events_kind, &event, "the event has size 0: make it with gavat_event_init(), or out of a result with "
                                         "gavat_event_copy()");
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
    static const char *const bad[] = {"", "1e5", "1,5", ".5", "1.", "NaN", " 1", "1 TL", "1.123456789", "1000000000000000000"};
    gavat_sale sale = a_sale();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        sale.amount = good[i];
        take(&gv_sales_kind, &sale);
        assert_string_equal(in.own.sale.amount, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sale.amount = bad[i];
        refuse_take(&gv_sales_kind, &sale, *bad[i] ? "amount must be a decimal number such as \"149.90\", with up to 18 digits "
                                                     "before the point and 8 after it"
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
    static const int64_t bad[] = {-1, INT64_C(2147483648)};
    for (size_t i = 0; i < 2; i++) {
        message.response_time_ms = bad[i];
        refuse_take(&gv_messages_kind, &message, "response_time_ms must be a whole number from 0 to 2147483647");
    }
    message.response_time_ms = 2147483647;
    take(&gv_messages_kind, &message);
}

/* --- what comes as JSON --- */

static void a_whole_object_is_read(void **state)
{
    (void)state;
    read_json(&gv_messages_kind,
              "{\"id\":9,\"uid\":\"" V7 "\",\"bot_username\":\"lara\",\"message_type\":\"dm\",\"target_id\":-1001234567890123,"
              "\"message_content\":\"sel\\u00e2m\\n\",\"success\":false,\"response_time_ms\":12,\"error_message\":null,"
              "\"extra_data\":[1, 2],\"timestamp\":\"2026-11-23T18:37:00.5+03:00\"}");
    const gavat_message *message = &in.own.message;
    assert_int_equal(message->id, 0);
    assert_string_equal(message->uid, V7);
    assert_string_equal(message->target_id, "-1001234567890123");
    assert_string_equal(message->message_content, "selâm\n");
    assert_int_equal(message->success, -1);
    assert_int_equal(message->response_time_ms, 12);
    assert_null(message->error_message);
    assert_string_equal(message->extra_data, "[1, 2]");
    assert_int_equal(message->timestamp, NOW - 123456 + 500000);
}

static void of_duplicate_keys_the_last_counts(void **state)
{
    (void)state;
    read_json(&gv_events_kind, "{\"user_id\":{},\"event_type\":\"a\",\"user_id\":7,\"event_type\":\"b\",\"l\\u0065vel\":\"WARN\"}");
    assert_string_equal(in.own.event.user_id, "7");
    assert_string_equal(in.own.event.type, "b");
    assert_string_equal(in.own.event.level, "WARN");
}

static void amounts_keep_their_digits(void **state)
{
    (void)state;
    read_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":149.90}");
    assert_string_equal(in.own.sale.amount, "149.90");
    read_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":\"149.900\",\"updated_at\":\"long ago\"}");
    assert_string_equal(in.own.sale.amount, "149.900");
    refuse_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":1e3}",
                "amount must be a decimal number such as \"149.90\", with up to 18 digits before the point and 8 after it");
    refuse_json(&gv_sales_kind, "{\"amount\":true}", "amount must be a number, or a decimal number in a string");
}

static void wrong_types_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } bad[] = {
        {"{\"nam\\u0065\":1}", "a record of kind message has no field \"nam\\u0065\""},
        {"{\"\":1}", "a record of kind message has no field \"\""},
        {"{\"bot_usernames\":1}", "a record of kind message has no field \"bot_usernames\""},
        {"{\"bot_username\":1.5}", "bot_username must be a string"},
        {"{\"bot_username\":true}", "bot_username must be a string"},
        {"{\"uid\":12}", "uid must be a string"},
        {"{\"bot_username\":\"a\\u0000b\"}", "bot_username must not hold the character \\u0000"},
        {"{\"success\":1}", "success must be true, false or null"},
        {"{\"response_time_ms\":-1}", "response_time_ms must be a whole number from 0 to 2147483647"},
        {"{\"response_time_ms\":1.0}", "response_time_ms must be a whole number from 0 to 2147483647"},
        {"{\"response_time_ms\":99999999999}", "response_time_ms must be a whole number from 0 to 2147483647"},
        {"{\"response_time_ms\":\"1\"}", "response_time_ms must be a whole number from 0 to 2147483647"},
        {"{\"timestamp\":1700000000}", "timestamp must be a time such as \"2026-11-23T15:37:00.123456Z\""},
        {"{\"timestamp\":\"yesterday\"}", "timestamp must be a time such as \"2026-11-23T15:37:00.123456Z\""},
        {"{\"timestamp\":\"1970-01-01\"}", "timestamp must be later than 1970-01-01T00:00:00Z"},
        {"{\"message_type\":\"dm\"}", "bot_username is required"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse_json(&gv_messages_kind, bad[i].json, bad[i].why);
    refuse_json(&gv_sessions_kind, "{\"user_id\":1,\"extra_data\":3}", "extra_data must be a JSON object such as {\"key\": 1}");
}

static void a_long_unknown_key_is_cut_between_characters(void **state)
{
    (void)state;
    char json[200] = "{\"x";
    for (int i = 0; i < 60; i++)
        strcat(json, "ş");
    strcat(json, "\":1}");
    gv_incoming_free(&in);
    assert_false(gv_incoming_read(&in, &client, &gv_events_kind, gv_slice_of(json)));
    assert_int_equal(strlen(in.why), strlen("a record of kind event has no field \"\"") + 59);
    assert_string_equal(in.why + strlen(in.why) - 3, "ş\"");
}

/* --- copies and prints --- */

static void a_copy_is_one_piece_of_memory(void **state)
{
    (void)state;
    gavat_sale sale = a_sale();
    char notes[] = "iki kişi";
    sale.notes = notes;
    take(&gv_sales_kind, &sale);
    size_t size = gv_record_measure(&gv_sales_kind, &in.own);
    assert_int_equal(size, sizeof sale + 37 + 3 + 4 + 7 + 4 + 8 + sizeof notes + 3);
    gavat_sale *copy = malloc(size);
    assert_non_null(copy);
    gv_record_copy(&gv_sales_kind, copy, &in.own);
    notes[0] = 'I';
    assert_string_equal(copy->notes, "iki kişi");
    assert_string_equal(copy->uid, in.uid);
    assert_ptr_not_equal(copy->uid, in.uid);
    assert_null(copy->customer_id);
    assert_int_equal(copy->created_at, in.own.sale.created_at);
    assert_true((const char *)copy->notes > (const char *)copy && (const char *)copy->notes < (const char *)copy + size);
    free(copy);
}

static void a_record_is_printed_in_order_with_uid_behind_id(void **state)
{
    (void)state;
    gavat_event event = {0};
    check_print(&gv_events_kind, &event,
                "{\"id\":null,\"uid\":null,\"user_id\":null,\"username\":null,\"event_type\":null,\"message\":null,"
                "\"context\":null,\"level\":null,\"timestamp\":null}");
    event = an_event();
    event.id = 5;
    event.uid = V7;
    event.message = "\"ş\"\n\xff";
    event.context = "{\"a\": 1}";
    event.timestamp = NOW;
    check_print(&gv_events_kind, &event,
                "{\"id\":5,\"uid\":\"" V7 "\",\"user_id\":\"42\",\"username\":null,\"event_type\":\"login\","
                "\"message\":\"\\\"ş\\\"\\n\xef\xbf\xbd\",\"context\":{\"a\": 1},\"level\":null,"
                "\"timestamp\":\"2026-11-23T15:37:00.123456Z\"}");
    gavat_session session = {.user_id = "7", .is_active = -1, .created_at = 1};
    check_print(&gv_sessions_kind, &session,
                "{\"id\":null,\"user_id\":\"7\",\"username\":null,\"session_token\":null,\"bot_type\":null,\"is_active\":false,"
                "\"last_activity\":null,\"created_at\":\"1970-01-01T00:00:00.000001Z\",\"extra_data\":null}");
}

/* The value of one key in the print of a record. */
static void check_value(const gv_record_kind *kind, const void *record, const char *key, const char *value)
{
    gv_text out = {0};
    gv_record_print(kind, record, &out);
    gv_slice found = gv_json_member(gv_slice_of(gv_text_get(&out)), key, strlen(key));
    assert_int_equal(found.length, strlen(value));
    assert_memory_equal(found.data, value, found.length);
    assert_null(strchr(gv_text_get(&out), '\n'));
    gv_text_free(&out);
}

static void what_is_not_json_in_old_rows_is_printed_as_a_string(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"{\"a\": NaN}", "\"{\\\"a\\\": NaN}\""}, {"", "\"\""}, {"{", "\"{\""}, {"{\"a\": 1}", "{\"a\": 1}"}, {"null", "null"},
        {"[1,2]", "[1,2]"}, {"\"\\ud83d\"", "\"\\ud83d\""}, {"\"\xff\"", "\"\\\"\xef\xbf\xbd\\\"\""},
        {"{\n  \"a\": 1\n}", "{\"a\":1}"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gavat_event event = an_event();
        event.context = texts[i][0];
        check_value(&gv_events_kind, &event, "context", texts[i][1]);
    }
}

static void amounts_are_printed_as_numbers_with_their_digits(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"149.90", "149.90"}, {"-0.5", "-0.5"}, {"007", "7.00"}, {"+5", "5.00"}, {"1e999", "\"1e999\""}, {"abc", "\"abc\""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gavat_sale sale = a_sale();
        sale.amount = texts[i][0];
        check_value(&gv_sales_kind, &sale, "amount", texts[i][1]);
    }
}

static void a_printed_record_is_read_as_the_same_one(void **state)
{
    (void)state;
    gavat_message message = a_message();
    message.success = -1;
    message.response_time_ms = 7;
    message.message_content = "tab\t, quote\", ş";
    message.extra_data = "{\"k\": [1.50, null]}";
    take(&gv_messages_kind, &message);
    gv_text first = {0}, second = {0};
    gv_record_print(&gv_messages_kind, &in.own, &first);
    read_json(&gv_messages_kind, gv_text_get(&first));
    gv_record_print(&gv_messages_kind, &in.own, &second);
    assert_string_equal(gv_text_get(&first), gv_text_get(&second));
    gv_text_free(&first);
    gv_text_free(&second);
}

static void every_kind_prints_through_its_shape(void **state)
{
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        gavat_sale empty = {0};         /* the largest */
        assert_true(kinds[k]->size <= sizeof empty);
        gv_text out = {0}, direct = {0};
        kinds[k]->shape.print(&empty, &out);
        gv_record_print(kinds[k], &empty, &direct);
        assert_string_equal(gv_text_get(&out), gv_text_get(&direct));
        gv_text_free(&out);
        gv_text_free(&direct);
    }
}

/* --- no memory --- */

static unsigned left;
static void *(*plain_resize)(void *old, size_t size);

static void *resize_some(void *old, size_t size)
{
    return left && left-- ? plain_resize(old, size) : NULL;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static const char json[] = "{\"user_id\":\"a\",\"event_type\":\"b\",\"message\":\"c\",\"context\":{\"k\":\"ş\"}}";
    plain_resize = gv_memory_hook.resize;
    unsigned refused = 0;
    bool read = false;
    for (unsigned most = 0; most < 100 && !read; most++) {
        gv_incoming_free(&in);
        left = most;
        gv_memory_hook.resize = resize_some;
        read = gv_incoming_read(&in, &client, &gv_events_kind, gv_slice_of(json));
        gv_memory_hook.resize = plain_resize;
        if (!read) {
            assert_int_equal(in.status, GAVAT_ENOMEM);
            refused++;
        }
    }
    assert_true(read);
    assert_true(refused > 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_columns_stand_in_the_order_of_the_tables),
        CASE(no_two_fields_of_a_kind_share_a_place),
        CASE(the_identity_is_owner_time_and_uid),
        CASE(filters_reach_the_columns_of_their_kind),
        CASE(a_sale_goes_only_the_legal_steps),
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
        CASE(a_whole_object_is_read),
        CASE(of_duplicate_keys_the_last_counts),
        CASE(amounts_keep_their_digits),
        CASE(wrong_types_are_refused_by_name),
        CASE(a_long_unknown_key_is_cut_between_characters),
        CASE(a_copy_is_one_piece_of_memory),
        CASE(a_record_is_printed_in_order_with_uid_behind_id),
        CASE(what_is_not_json_in_old_rows_is_printed_as_a_string),
        CASE(amounts_are_printed_as_numbers_with_their_digits),
        CASE(a_printed_record_is_read_as_the_same_one),
        CASE(every_kind_prints_through_its_shape),
        CASE(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
