/* Records out of JSON objects: which value each field takes, and what is said about others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "records_bench.h"

static void a_whole_object_is_read(void **state)
{
    (void)state;
    read_json(&gv_messages_kind,
              "{\"id\":9,\"uid\":\"" V7 "\",\"bot_username\":\"lara\",\"message_type\":\"dm\","
              "\"target_id\":-1001234567890123,\"message_content\":\"sel\\u00e2m\\n\","
              "\"success\":false,\"response_time_ms\":12,\"error_message\":null,"
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
    read_json(&gv_events_kind, "{\"user_id\":{},\"event_type\":\"a\",\"user_id\":7,"
                               "\"event_type\":\"b\",\"l\\u0065vel\":\"WARN\"}");
    assert_string_equal(in.own.event.user_id, "7");
    assert_string_equal(in.own.event.type, "b");
    assert_string_equal(in.own.event.level, "WARN");
}

static void amounts_keep_their_digits(void **state)
{
    (void)state;
    read_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":149.90}");
    assert_string_equal(in.own.sale.amount, "149.90");
    read_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":\"149.900\","
                              "\"id\":\"any\"}");
    assert_string_equal(in.own.sale.amount, "149.900");
    refuse_json(&gv_sales_kind, "{\"user_id\":\"1\",\"product_type\":\"vip\",\"amount\":1e3}",
                "amount must be a decimal number such as \"149.90\", with up to 18 digits before the point and 8 "
                "after it");
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
    refuse_json(&gv_sessions_kind, "{\"user_id\":1,\"extra_data\":3}",
                "extra_data must be a JSON object such as {\"key\": 1}");
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
        CASE(a_whole_object_is_read),
        CASE(of_duplicate_keys_the_last_counts),
        CASE(amounts_keep_their_digits),
        CASE(wrong_types_are_refused_by_name),
        CASE(a_long_unknown_key_is_cut_between_characters),
        CASE(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
