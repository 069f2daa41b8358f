/* The public calls of the events area up to their store: what they refuse, and what they ask. No client is opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../include/gavatcore.h"
#include "../../lib/core/client.h"
#include "../../lib/events/requests.h"
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795448220123456)           /* 2026-11-23T15:37:00.123456Z */
#define V7 "0193a5c2-7f10-7abc-8def-0123456789ab"

static gavat *client;

static gavat_time tell_time(void *user)
{
    (void)user;
    return NOW;
}

static int begin(void **state)
{
    (void)state;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "sqlite:///./never-opened.db");
    gavat_config_set(cfg, "GAVAT_MAX_RECORD", "64KiB");
    gavat_config_set(cfg, "GAVAT_MAX_BYTES", "1MiB");
    gavat_status status = gavat_new(&client, NULL, cfg);
    if (status != GAVAT_OK)
        print_error("%s\n", gavat_config_error(cfg));
    gavat_config_free(cfg);
    if (status != GAVAT_OK)
        return -1;
    gavat_set_clock(client, tell_time, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    gavat_close_wait(client, 5000);
    gavat_unref(client);
    return 0;
}

static gavat_op *held(void)
{
    gavat_op *op = gavat_op_new_held(client);
    assert_non_null(op);
    return op;
}

static void check_refused(gavat_op *op, const char *message)
{
    assert_int_equal(gavat_op_wait(op), GAVAT_EINVAL);
    assert_string_equal(gavat_op_error(op)->message, message);
    assert_int_equal(gavat_op_error(op)->flags, 0);
    gavat_op_unref(op);
}

#define REFUSED(message, function, ...)                                                                                \
    do {                                                                                                               \
        gavat_op *refused_op = held();                                                                                 \
        function(refused_op, __VA_ARGS__);                                                                             \
        check_refused(refused_op, message);                                                                            \
    } while (0)

/* What the store is to see; it waits for gavat_open. */
static const void *request_of(gavat_op *op, const char *name)
{
    assert_int_equal(gavat_op_status(op), GAVAT_PENDING);
    assert_string_equal(op->kind->name, name);
    assert_non_null(op->request);
    return op->request;
}

static void drop(gavat_op *op)
{
    gavat_op_cancel(op);
    gavat_op_unref(op);
}

/* --- storing --- */

static void a_record_is_copied_into_its_op(void **state)
{
    (void)state;
    char message[] = "selam";
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    event.type = "login";
    event.message = message;
    gavat_op *op = held();
    gavat_log_event(op, &event);
    memset(message, 'x', sizeof message - 1);
    const gv_log_request *request = request_of(op, "log_event");
    const gavat_event *copy = request->record;
    assert_ptr_equal(request->kind, &gv_events_kind);
    assert_int_equal(request->now, NOW);
    assert_string_equal(copy->message, "selam");
    assert_string_equal(copy->level, "INFO");
    assert_string_equal(copy->uid, gavat_op_uid(op));
    assert_int_equal(strlen(gavat_op_uid(op)), 36);
    assert_ptr_equal(op->request, op->memory);
    drop(op);
}

static void a_large_record_counts_against_the_byte_bound(void **state)
{
    (void)state;
    static char message[60000];
    memset(message, 'x', sizeof message - 1);
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    event.type = "login";
    event.message = message;
    gavat_op *ops[64], *refused = NULL;
    size_t count = 0;
    while (count < 64 && !refused) {
        gavat_op *op = gavat_op_new_held(client);
        if (!op)
            break;
        gavat_log_event(op, &event);
        ops[count++] = op;
        if (gavat_op_status(op) == GAVAT_EBUSY)
            refused = op;
    }
    assert_non_null(refused);
    assert_true(count > 10 && count < 20);
    assert_int_equal(gavat_op_error(refused)->flags, GAVAT_ERROR_RETRY);
    assert_int_equal(strlen(gavat_op_uid(refused)), 36);
    while (count)
        drop(ops[--count]);
}

static void a_bad_record_is_refused_through_its_op(void **state)
{
    (void)state;
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    REFUSED("event_type is required", gavat_log_event, &event);
    REFUSED("the sale is NULL: make one with gavat_sale_init()", gavat_log_sale, NULL);
    gavat_message message = {0};
    REFUSED("the message has size 0: make it with gavat_message_init(), or out of a result with gavat_message_copy()",
            gavat_log_message, &message);
    gavat_session session = gavat_session_init();
    REFUSED("user_id is required", gavat_set_session, &session);
}

static void a_call_without_an_op_does_nothing(void **state)
{
    (void)state;
    gavat_log_event(NULL, NULL);
    gavat_get_events(NULL, NULL);
    gavat_search_events(NULL, NULL, NULL);
    gavat_get_event_stats(NULL, "colour", NULL);
    gavat_update_sale_status(NULL, NULL, NULL, NULL);
    gavat_prune_events(NULL, 0);
    gavat_get_session(NULL, NULL);
    gavat_upgrade_schema(NULL, 1);
    assert_int_equal(gavat_op_status(NULL), GAVAT_EBUSY);
    assert_null(gavat_op_event(NULL, 0));
}

/* --- changing --- */

static void a_sale_is_named_by_uid_or_id(void **state)
{
    (void)state;
    gavat_op *op = held();
    gavat_update_sale_status(op, "0193A5C2-7F10-7ABC-8DEF-0123456789AB", "completed", NULL);
    const gv_update_request *request = request_of(op, "update_sale_status");
    assert_string_equal(request->uid, V7);
    assert_string_equal(request->status, "completed");
    assert_null(request->notes);
    assert_int_equal(request->now, NOW);
    drop(op);
    op = held();
    gavat_update_sale_status(op, "9223372036854775807", "failed", "iade");
    request = request_of(op, "update_sale_status");
    assert_null(request->uid);
    assert_int_equal(request->id, INT64_MAX);
    assert_string_equal(request->notes, "iade");
    drop(op);
}

static void a_bad_update_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {NULL, "", "0", "-1", "+1", "1 ", "9223372036854775808", "12a", V7 "0"};
    static const char why[] = "sale must be a uid, or an integer id above 0 as text";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED(why, gavat_update_sale_status, bad[i], "failed", NULL);
    REFUSED("status must be pending, completed, failed or refunded", gavat_update_sale_status, "1", "paid", NULL);
    REFUSED("status must be pending, completed, failed or refunded", gavat_update_sale_status, "1", NULL, NULL);
    REFUSED("notes are not valid UTF-8", gavat_update_sale_status, "1", "failed", "\xff");
    static char notes[70000];
    memset(notes, 'x', sizeof notes - 1);
    REFUSED("notes are longer than 65536 bytes (GAVAT_MAX_RECORD)", gavat_update_sale_status, "1", "failed", notes);
}

static void idle_sessions_are_those_before_a_time(void **state)
{
    (void)state;
    static const int64_t idle[][2] = {
        {1, NOW - 1000}, {3600000, NOW - INT64_C(3600000000)}, {INT64_MAX, 1}, {NOW / 1000 + 1, 1},
    };
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        gavat_op *op = held();
        gavat_expire_sessions(op, idle[i][0]);
        const gv_session_request *request = request_of(op, "expire_sessions");
        assert_int_equal(request->before, idle[i][1]);
        drop(op);
    }
    REFUSED("idle_ms must be above 0", gavat_expire_sessions, 0);
    REFUSED("idle_ms must be above 0", gavat_expire_sessions, -1);
}

static void a_session_needs_its_user(void **state)
{
    (void)state;
    REFUSED("user_id is required and must not be empty", gavat_get_session, NULL);
    REFUSED("user_id is required and must not be empty", gavat_close_session, "");
    REFUSED("user_id is not valid UTF-8", gavat_close_session, "\xff");
    gavat_op *op = held();
    gavat_close_session(op, "42");
    const gv_session_request *request = request_of(op, "close_session");
    assert_string_equal(request->user_id, "42");
    drop(op);
}

static void pruning_needs_a_time(void **state)
{
    (void)state;
    REFUSED("before must be a time after 1970: events older than it are deleted", gavat_prune_events, 0);
    gavat_op *op = held();
    gavat_prune_events(op, NOW);
    const gv_prune_request *request = request_of(op, "prune_events");
    assert_int_equal(request->before, NOW);
    drop(op);
}

/* --- asking --- */

static void no_filter_means_the_newest_hundred(void **state)
{
    (void)state;
    gavat_op *op = held();
    gavat_get_sales(op, NULL);
    const gv_query *query = request_of(op, "get_sales");
    assert_ptr_equal(query->kind, &gv_sales_kind);
    assert_int_equal(query->limit, 100);
    assert_int_equal(query->max_bytes, 1 << 20);
    assert_int_equal(query->after.type, 0);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        assert_null(query->by[by]);
    drop(op);
}

static void a_filter_is_copied_whole(void **state)
{
    (void)state;
    gv_arena arena = {0};
    gv_position position = {'t', "2026-11-23 15:37:00.123456", V7, 9};
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "42";
    filter.type = "dm";
    filter.bot_username = "";
    filter.success = -1;
    filter.since = 5;
    filter.until = 4;
    filter.limit = 4000000000u;
    filter.max_bytes = 77;
    filter.cursor = gv_position_print(&arena, &gv_messages_kind, &position);
    gavat_op *op = held();
    gavat_get_messages(op, &filter);
    gv_arena_free(&arena);
    const gv_query *query = request_of(op, "get_messages");
    assert_string_equal(query->by[GV_BY_USER], "42");
    assert_string_equal(query->by[GV_BY_TYPE], "dm");
    assert_string_equal(query->by[GV_BY_BOT], "");
    assert_int_equal(query->flag, -1);
    assert_int_equal(query->since, 5);
    assert_int_equal(query->until, 4);
    assert_int_equal(query->limit, 100000);
    assert_int_equal(query->max_bytes, 77);
    assert_string_equal(query->after.time, "2026-11-23 15:37:00.123456");
    assert_string_equal(query->after.uid, V7);
    drop(op);
}

static void a_bad_filter_is_refused(void **state)
{
    (void)state;
    gavat_filter filter = {0};
    REFUSED("the filter has size 0: make it with gavat_filter_init()", gavat_get_events, &filter);
    filter = gavat_filter_init();
    filter.status = "pending";
    REFUSED("filter: status does not apply to events", gavat_get_events, &filter);
    filter = gavat_filter_init();
    filter.username = "ada";
    REFUSED("filter: username does not apply to messages", gavat_get_messages, &filter);
    filter = gavat_filter_init();
    filter.success = 1;
    REFUSED("filter: success does not apply to sales", gavat_get_sale_stats, &filter);
    filter.success = 2;
    REFUSED("filter: success must be 1 (true), -1 (false) or 0 (any)", gavat_get_messages, &filter);
    filter = gavat_filter_init();
    filter.is_active = -1;
    REFUSED("filter: is_active does not apply to events", gavat_search_events, "a", &filter);
    filter = gavat_filter_init();
    filter.user_id = "\xff";
    REFUSED("filter: user_id is not valid UTF-8", gavat_get_sessions, &filter);
    filter = gavat_filter_init();
    filter.cursor = "garbage";
    REFUSED("filter: this cursor is not one that a page of events gave", gavat_get_events, &filter);
    REFUSED("filter: cursor does not apply to totals", gavat_get_message_stats, &filter);
}

static void a_keyword_is_folded(void **state)
{
    (void)state;
    gavat_op *op = held();
    gavat_search_events(op, "Şİfre 100%", NULL);
    const gv_query *query = request_of(op, "search_events");
    assert_int_equal(query->keyword.length, 10);
    assert_memory_equal(query->keyword.data, "sifre 100%", 10);
    drop(op);
    op = held();
    gavat_search_events(op, "", NULL);
    query = request_of(op, "search_events");
    assert_non_null(query->keyword.data);
    assert_int_equal(query->keyword.length, 0);
    drop(op);
}

static void a_keyword_has_a_thousand_characters_at_most(void **state)
{
    (void)state;
    char text[2003];
    for (size_t i = 0; i <= 1000; i++)
        memcpy(text + 2 * i, "ş", 3);
    REFUSED("keyword is longer than 1000 characters", gavat_search_events, text, NULL);
    REFUSED("keyword is not valid UTF-8", gavat_search_events, text + 1, NULL);
    REFUSED("keyword is NULL: give the text to look for, or use gavat_get_events", gavat_search_events, NULL, NULL);
    gavat_op *op = held();
    gavat_search_events(op, text + 2, NULL);
    const gv_query *query = request_of(op, "search_events");
    assert_int_equal(query->keyword.length, 1000);
    drop(op);
}

static void totals_group_by_five_words(void **state)
{
    (void)state;
    static const char *const words[] = {NULL, "type", "level", "user", "hour", "day"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        gavat_op *op = held();
        gavat_get_event_stats(op, words[i], NULL);
        const gv_query *query = request_of(op, "get_event_stats");
        if (words[i])
            assert_string_equal(query->group, words[i]);
        else
            assert_null(query->group);
        drop(op);
    }
    REFUSED("by must be \"type\", \"level\", \"user\", \"hour\", \"day\" or NULL", gavat_get_event_stats, "", NULL);
}

/* --- batches --- */

static void a_batch_holds_records_of_several_kinds(void **state)
{
    (void)state;
    static const char json[] = "{\"bot_username\":\"lara\",\"message_type\":\"dm\",\"extra_data\":[1]}";
    gavat_batch *batch = gavat_batch_new(client);
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    event.type = "login";
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    assert_int_equal(gavat_batch_add_json(batch, "message", json, sizeof json - 1), GAVAT_OK);
    assert_int_equal(batch->count, 2);
    const gv_batch_record *first = batch->entries[0].record, *second = batch->entries[1].record;
    assert_ptr_equal(first->kind, &gv_events_kind);
    assert_string_equal(((const gavat_event *)first->record)->type, "login");
    assert_ptr_equal(second->kind, &gv_messages_kind);
    assert_string_equal(((const gavat_message *)second->record)->extra_data, "[1]");
    assert_int_equal(((const gavat_message *)second->record)->success, 1);
    gavat_batch_free(batch);
}

static void a_refused_record_leaves_the_batch_as_it_was(void **state)
{
    (void)state;
    gavat_batch *batch = gavat_batch_new(client);
    gavat_sale sale = gavat_sale_init();
    assert_int_equal(gavat_batch_add_sale(batch, &sale), GAVAT_EINVAL);
    assert_string_equal(gavat_batch_error(batch), "user_id is required");
    assert_int_equal(gavat_batch_add_json(batch, "session", "{\"x\":1}", 7), GAVAT_EINVAL);
    assert_string_equal(gavat_batch_error(batch), "a record of kind session has no field \"x\"");
    assert_int_equal(batch->count, 0);
    assert_int_equal(gavat_batch_add_json(batch, "session", "{\"user_id\":1}", 13), GAVAT_OK);
    assert_string_equal(gavat_batch_error(batch), "");
    gavat_batch_free(batch);
    assert_int_equal(gavat_batch_add_event(NULL, NULL), GAVAT_ENOMEM);
}

static void the_schema_needs_no_store(void **state)
{
    (void)state;
    gavat_op *op = held();
    gavat_get_schema_sql(op);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_non_null(strstr(gavat_op_text(op, NULL), "event_logs"));
    gavat_op_unref(op);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_is_copied_into_its_op),
        CASE(a_large_record_counts_against_the_byte_bound),
        CASE(a_bad_record_is_refused_through_its_op),
        CASE(a_call_without_an_op_does_nothing),
        CASE(a_sale_is_named_by_uid_or_id),
        CASE(a_bad_update_is_refused),
        CASE(idle_sessions_are_those_before_a_time),
        CASE(a_session_needs_its_user),
        CASE(pruning_needs_a_time),
        CASE(no_filter_means_the_newest_hundred),
        CASE(a_filter_is_copied_whole),
        CASE(a_bad_filter_is_refused),
        CASE(a_keyword_is_folded),
        CASE(a_keyword_has_a_thousand_characters_at_most),
        CASE(totals_group_by_five_words),
        CASE(a_batch_holds_records_of_several_kinds),
        CASE(a_refused_record_leaves_the_batch_as_it_was),
        CASE(the_schema_needs_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
