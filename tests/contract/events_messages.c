/* Messages: what they carry, by whom and to whom, and how they are filtered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

static void a_message_comes_back_with_every_field(void **state)
{
    gavat *g = client_of(state);
    gavat_message message = a_message("bot_şen", "dm", "Selam 👋", 1);
    message.success = -1;
    message.response_time_ms = 250;
    message.target_type = "user";
    message.target_id = "-1001234567890";
    message.target_name = "Ayşe";
    message.message_id = "42";
    message.error_message = "FloodWait: 30s ⏳";
    message.extra_data = "{\"x\": null}";
    gavat_op *logged = held(g), *op = held(g);
    RUN(logged, log_message, &message);
    RUN(op, get_messages, NULL);
    const gavat_message *got = gavat_op_message(op, 0);
    assert_string_equal(got->uid, gavat_op_uid(logged));
    assert_string_equal(got->bot_username, "bot_şen");
    assert_string_equal(got->message_type, "dm");
    assert_string_equal(got->message_content, "Selam 👋");
    assert_int_equal(got->success, -1);
    assert_int_equal(got->response_time_ms, 250);
    assert_string_equal(got->target_type, "user");
    assert_string_equal(got->target_id, "-1001234567890");
    assert_string_equal(got->target_name, "Ayşe");
    assert_string_equal(got->message_id, "42");
    assert_string_equal(got->error_message, "FloodWait: 30s ⏳");
    assert_string_equal(got->extra_data, "{\"x\": null}");
    assert_int_equal(got->timestamp, T0 + SECOND);
    assert_json(op, 0, "success", "false");
    gavat_op_unref(logged);
    gavat_op_unref(op);
}

static void a_message_went_well_unless_said(void **state)
{
    gavat *g = client_of(state);
    gavat_message message = a_message("bot", "dm", NULL, 1);
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, log_message, &message);
    RUN(op, get_messages, NULL);
    assert_int_equal(gavat_op_message(op, 0)->success, 1);
    assert_int_equal(gavat_op_message(op, 0)->response_time_ms, 0);
    assert_string_equal(gavat_op_message(op, 0)->extra_data, "{}");
    assert_json(op, 0, "response_time_ms", "null");
    gavat_op_unref(op);
}

static void a_response_time_of_0_is_told_from_none(void **state)
{
    gavat *g = client_of(state);
    gavat_message message = a_message("bot", "dm", NULL, 1);
    gavat_op *op = held(g), *stats = held(g);
    message.response_time_ms = -1;
    DO(g, GAVAT_OK, log_message, &message);
    RUN(op, get_messages, NULL);
    assert_int_equal(gavat_op_message(op, 0)->response_time_ms, -1);
    assert_json(op, 0, "response_time_ms", "0");
    gavat_batch *batch = gavat_batch_new(g);
    const char *json = gavat_op_json(op, 0, NULL);
    assert_int_equal(gavat_batch_add_json(batch, "message", json, strlen(json)), GAVAT_OK);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    RUN(stats, get_message_stats, NULL);
    assert_json(stats, 0, "total", "1");
    assert_json(stats, 0, "response_time_p50", "0");
    gavat_op_unref(op);
    gavat_op_unref(stats);
}

static void the_same_message_lands_once(void **state)
{
    gavat *g = client_of(state);
    gavat_message message = a_message("bot", "dm", "a", 1);
    gavat_op *op = held(g);
    message.uid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    DO(g, GAVAT_OK, log_message, &message);
    message.message_content = "b";
    DO(g, GAVAT_OK, log_message, &message);
    message.bot_username = "other";
    message.message_content = "c";
    message.timestamp++;
    DO(g, GAVAT_OK, log_message, &message);
    RUN(op, get_messages, NULL);
    assert_records(op, "c a");
    gavat_op_unref(op);
}

static void messages_are_filtered(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 16; i++) {
        char content[16];
        snprintf(content, sizeof content, "%d", i);
        gavat_message message = a_message(i & 1 ? "b1" : "b0", i & 2 ? "dm" : "group", content, i);
        message.target_id = i & 4 ? "t1" : NULL;
        message.success = i & 8 ? -1 : 1;
        DO(g, GAVAT_OK, log_message, &message);
    }
    for (int given = 0; given < 16; given++) {
        char expected[200] = "";
        gavat_filter filter = gavat_filter_init();
        filter.bot_username = given & 1 ? "b1" : NULL;
        filter.type = given & 2 ? "dm" : NULL;
        filter.user_id = given & 4 ? "t1" : NULL;
        filter.success = given & 8 ? -1 : 0;
        for (int i = 15; i >= 0; i--)
            if ((i & given) == given)
                snprintf(expected + strlen(expected), 16, "%s%d", *expected ? " " : "", i);
        gavat_op *op = held(g);
        RUN(op, get_messages, &filter);
        assert_records(op, expected);
        gavat_op_unref(op);
    }
}

static void messages_are_paged_by_bot_and_by_target(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < 90; i++) {
        gavat_message message = a_message(i % 3 ? "b" : "c", "dm", "m", i / 10);
        message.target_id = i % 2 ? "t" : "s";
        assert_int_equal(gavat_batch_add_message(batch, &message), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    for (int kind = 0; kind < 3; kind++) {
        size_t found = 0;
        char cursor[500];
        int64_t seen[90] = {0};
        gavat_filter filter = gavat_filter_init();
        filter.limit = 7;
        filter.bot_username = kind == 0 || kind == 2 ? "b" : NULL;
        filter.user_id = kind >= 1 ? "t" : NULL;
        for (bool more = true; more;) {
            gavat_op *op = held(g);
            RUN(op, get_messages, &filter);
            for (size_t i = 0; i < gavat_op_count(op); i++) {
                int64_t id = gavat_op_message(op, i)->id;
                for (size_t k = 0; k < found; k++)
                    assert_int_not_equal(seen[k], id);
                seen[found++] = id;
            }
            more = gavat_op_cursor(op) != NULL;
            snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
            filter.cursor = cursor;
            gavat_op_unref(op);
        }
        assert_int_equal(found, kind == 0 ? 60 : kind == 1 ? 45 : 30);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_message_comes_back_with_every_field),
        cmocka_unit_test(a_message_went_well_unless_said),
        cmocka_unit_test(a_response_time_of_0_is_told_from_none),
        cmocka_unit_test(the_same_message_lands_once),
        cmocka_unit_test(messages_are_filtered),
        cmocka_unit_test(messages_are_paged_by_bot_and_by_target),
    };
    return run_on_events("events_messages", cases, sizeof cases / sizeof *cases);
}
