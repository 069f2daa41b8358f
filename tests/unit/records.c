/* The four kinds of records: what their tables say, what is copied, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "records_bench.h"

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
        "id,bot_username,message_type,target_type,target_id,target_name,message_content,message_id,success,"
        "error_message,response_time_ms,extra_data,timestamp,uid,",
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
    assert_true(copy->notes > (const char *)copy && copy->notes < (const char *)copy + size);
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
                "{\"id\":null,\"user_id\":\"7\",\"username\":null,\"session_token\":null,\"bot_type\":null,"
                "\"is_active\":false,\"last_activity\":null,"
                "\"created_at\":\"1970-01-01T00:00:00.000001Z\",\"extra_data\":null}");
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
        {"{\"a\": NaN}", "\"{\\\"a\\\": NaN}\""}, {"", "\"\""}, {"{", "\"{\""}, {"null", "null"},
        {"{\"a\": 1}", "{\"a\": 1}"},
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
        {"149.90", "149.90"}, {"-0.5", "-0.5"}, {"007", "7.00"}, {"+5", "5.00"},
        {"1e999", "\"1e999\""}, {"abc", "\"abc\""},
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_columns_stand_in_the_order_of_the_tables),
        CASE(no_two_fields_of_a_kind_share_a_place),
        CASE(the_identity_is_owner_time_and_uid),
        CASE(filters_reach_the_columns_of_their_kind),
        CASE(a_sale_goes_only_the_legal_steps),
        CASE(a_copy_is_one_piece_of_memory),
        CASE(a_record_is_printed_in_order_with_uid_behind_id),
        CASE(what_is_not_json_in_old_rows_is_printed_as_a_string),
        CASE(amounts_are_printed_as_numbers_with_their_digits),
        CASE(a_printed_record_is_read_as_the_same_one),
        CASE(every_kind_prints_through_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
