/* Batches: an import takes each record on its own, a commit all of them or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

static gavat_batch *a_batch(gavat *g)
{
    gavat_batch *batch = gavat_batch_new(g);
    assert_non_null(batch);
    return batch;
}

static gavat_status add_json(gavat_batch *batch, const char *kind, const char *json)
{
    return gavat_batch_add_json(batch, kind, json, strlen(json));
}

static void add_session(gavat_batch *batch, const char *user, const char *token)
{
    gavat_session session = a_session(user);
    session.session_token = token;
    assert_int_equal(gavat_batch_add_session(batch, &session), GAVAT_OK);
}

static void expect_counts(gavat *g, size_t events, size_t sales, size_t messages, size_t sessions)
{
    gavat_op *ops[4] = {held(g), held(g), held(g), held(g)};
    RUN(ops[0], get_events, NULL);
    RUN(ops[1], get_sales, NULL);
    RUN(ops[2], get_messages, NULL);
    RUN(ops[3], get_sessions, NULL);
    assert_int_equal(gavat_op_count(ops[0]), events);
    assert_int_equal(gavat_op_count(ops[1]), sales);
    assert_int_equal(gavat_op_count(ops[2]), messages);
    assert_int_equal(gavat_op_count(ops[3]), sessions);
    for (int i = 0; i < 4; i++)
        gavat_op_unref(ops[i]);
}

static gavat_batch *one_of_each(gavat *g)
{
    gavat_batch *batch = a_batch(g);
    gavat_event event = an_event("u", "t", "m", 1);
    gavat_sale sale = a_sale("u", "vip", "149.90", 1);
    gavat_message message = a_message("b", "dm", "m", 1);
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    assert_int_equal(gavat_batch_add_sale(batch, &sale), GAVAT_OK);
    assert_int_equal(gavat_batch_add_message(batch, &message), GAVAT_OK);
    add_session(batch, "u", NULL);
    return batch;
}

static void a_batch_holds_all_kinds(void **state)
{
    gavat *g = client_of(state);
    for (int commit = 0; commit < 2; commit++) {
        gavat_batch *batch = one_of_each(g);
        gavat_op *op = held(g);
        if (commit)
            RUN(op, commit_batch, batch);
        else
            RUN(op, import_batch, batch);
        assert_int_equal(gavat_op_number(op), 4);
        assert_int_equal(gavat_op_reached(op), GAVAT_REACHED_STORE);
        assert_null(gavat_op_rejected(op, 0, NULL));
        gavat_op_unref(op);
        gavat_batch_free(batch);
        size_t each = commit ? 2 : 1;
        expect_counts(g, each, each, each, 1);
    }
}

static void a_batch_sent_again_lands_once(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = one_of_each(g);
    for (int i = 0; i < 3; i++) {
        gavat_op *op = held(g);
        if (i == 1)
            RUN(op, commit_batch, batch);
        else
            RUN(op, import_batch, batch);
        assert_int_equal(gavat_op_number(op), 4);
        gavat_op_unref(op);
    }
    gavat_batch_free(batch);
    expect_counts(g, 1, 1, 1, 1);
}

static void a_batch_may_be_freed_while_it_is_under_way(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = one_of_each(g);
    gavat_op *op = held(g);
    gavat_import_batch(op, batch);
    gavat_batch_free(batch);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_unref(op);
    expect_counts(g, 1, 1, 1, 1);
}

static void an_empty_batch_is_done(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = a_batch(g);
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 0);
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_op_unref(op);
    gavat_batch_free(batch);
}

static void an_import_names_the_rejected_and_stores_the_others(void **state)
{
    gavat *g = client_of(state);
    uint64_t index = 0;
    gavat_batch *batch = a_batch(g);
    gavat_batch_set_index(batch, 100);
    add_session(batch, "a", "tok");
    add_session(batch, "b", "tok");
    gavat_event event = an_event("u", "t", "m", 1);
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    gavat_batch_set_index(batch, 500);
    add_session(batch, "c", "tok");
    add_session(batch, "d", "tok2");
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 3);
    assert_non_null(gavat_op_rejected(op, 0, &index));
    assert_int_equal(index, 101);
    assert_non_null(gavat_op_rejected(op, 1, &index));
    assert_int_equal(index, 500);
    assert_null(gavat_op_rejected(op, 2, &index));
    gavat_op_unref(op);
    gavat_batch_free(batch);
    expect_counts(g, 1, 0, 0, 2);
}

static void a_commit_with_one_bad_record_writes_nothing(void **state)
{
    gavat *g = client_of(state);
    uint64_t index = 0;
    gavat_batch *batch = one_of_each(g);
    add_session(batch, "a", "tok");
    add_session(batch, "b", "tok");
    gavat_op *op = held(g);
    gavat_commit_batch(op, batch);
    expect_status(op, GAVAT_EREJECTED, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 0);
    assert_non_null(gavat_op_rejected(op, 0, &index));
    assert_int_equal(index, 5);
    gavat_op_unref(op);
    expect_counts(g, 0, 0, 0, 0);
    log_one(g, "u", "after", 9);        /* others are not harmed */
    DO(g, GAVAT_EREJECTED, commit_batch, batch);
    gavat_batch_free(batch);
    expect_counts(g, 1, 0, 0, 0);
}

static void a_bad_record_leaves_the_batch_as_it_was(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = a_batch(g);
    gavat_event event = an_event("u", NULL, "m", 1);
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_EINVAL);
    assert_non_null(strstr(gavat_batch_error(batch), "event_type"));
    event.type = "t";
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    assert_string_equal(gavat_batch_error(batch), "");
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 1);
    gavat_op_unref(op);
    gavat_batch_free(batch);
}

static void a_submitted_batch_takes_nothing_more(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = one_of_each(g);
    gavat_event event = an_event("u", "t", "m", 2);
    DO(g, GAVAT_OK, import_batch, batch);
    assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_EINVAL);
    assert_true(*gavat_batch_error(batch) != '\0');
    gavat_batch_free(batch);
    expect_counts(g, 1, 1, 1, 1);
}

static void json_of_a_record_goes_back_in_as_the_same_record(void **state)
{
    static const char *const kinds[] = {"event", "sale", "message", "session"};
    gavat *g = client_of(state);
    gavat_batch *batch = one_of_each(g), *copy = a_batch(g);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_op *ops[4] = {held(g), held(g), held(g), held(g)};
    RUN(ops[0], get_events, NULL);
    RUN(ops[1], get_sales, NULL);
    RUN(ops[2], get_messages, NULL);
    RUN(ops[3], get_sessions, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(add_json(copy, kinds[i], gavat_op_json(ops[i], 0, NULL)), GAVAT_OK);
    DO(g, GAVAT_OK, commit_batch, copy);
    expect_counts(g, 1, 1, 1, 1);
    for (int i = 0; i < 4; i++)
        gavat_op_unref(ops[i]);
    gavat_batch_free(batch);
    gavat_batch_free(copy);
}

static void json_fields_keep_their_types_and_digits(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = a_batch(g);
    assert_int_equal(add_json(batch, "sale",
                              " {\"user_id\":\"u\",\"product_type\":\"p\",\"amount\":149.90,"
                              "\"notes\":\"\\u015f\\ud83c\\udf89\","
                              "\"extra_data\":{\"n\":123456789012345678901234567890,\"f\":1.0},"
                              "\"created_at\":\"2026-01-01T00:00:00.5Z\"}\n"), GAVAT_OK);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_op *op = held(g);
    RUN(op, get_sales, NULL);
    assert_string_equal(gavat_op_sale(op, 0)->amount, "149.90");
    assert_string_equal(gavat_op_sale(op, 0)->notes, "ş🎉");
    assert_string_equal(gavat_op_sale(op, 0)->extra_data, "{\"n\": 123456789012345678901234567890, \"f\": 1.0}");
    assert_int_equal(gavat_op_sale(op, 0)->created_at, T0 + 500000);
    gavat_op_unref(op);
    gavat_batch_free(batch);
}

static void json_keeps_what_a_store_has_said(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = a_batch(g);
    assert_int_equal(add_json(batch, "sale", "{\"user_id\":\"u\",\"product_type\":\"p\",\"amount\":1,\"payment_status\":\"completed\","
                              "\"created_at\":\"2026-01-01T00:00:00Z\",\"updated_at\":\"2026-01-01T00:00:05Z\"}"), GAVAT_OK);
    assert_int_equal(add_json(batch, "session", "{\"user_id\":\"gone\",\"is_active\":false,\"last_activity\":\"2026-01-01T00:00:00Z\"}"), GAVAT_OK);
    assert_int_equal(add_json(batch, "session", "{\"user_id\":\"there\",\"is_active\":true}"), GAVAT_OK);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    gavat_op *op = held(g), *gone = held(g), *there = held(g), *again = held(g);
    RUN(op, get_sales, NULL);
    assert_int_equal(gavat_op_sale(op, 0)->created_at, T0);
    assert_int_equal(gavat_op_sale(op, 0)->updated_at, T0 + 5 * SECOND);
    RUN(gone, get_session, "gone");
    assert_int_equal(gavat_op_session(gone, 0)->is_active, -1);
    RUN(there, get_session, "there");
    assert_int_equal(gavat_op_session(there, 0)->is_active, 1);
    gavat_session session = gavat_session_copy(gavat_op_session(gone, 0));
    DO(g, GAVAT_OK, set_session, &session);     /* a call makes it active, whatever the struct says */
    RUN(again, get_session, "gone");
    assert_int_equal(gavat_op_session(again, 0)->is_active, 1);
    gavat_op_unref(op);
    gavat_op_unref(gone);
    gavat_op_unref(there);
    gavat_op_unref(again);
}

static void bad_json_records_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"event", ""}, {"event", "[]"}, {"event", "{"}, {"event", "{} {}"}, {"event", "{}"}, {"event", "null"},
        {"events", "{\"user_id\":\"u\",\"event_type\":\"t\"}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":\"t\",\"colour\":\"red\"}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":true}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":\"t\",\"timestamp\":\"yesterday\"}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":\"t\",\"timestamp\":5}"},
        {"event", "{\"user_id\":\"u\\u0000v\",\"event_type\":\"t\"}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":\"t\",\"context\":{\"a\":NaN}}"},
        {"event", "{\"user_id\":\"\xff\",\"event_type\":\"t\"}"},
        {"event", "{\"user_id\":\"u\",\"event_type\":\"t\",\"uid\":\"x\"}"},
        {"sale", "{\"user_id\":\"u\",\"product_type\":\"p\",\"amount\":1e3}"},
        {"sale", "{\"user_id\":\"u\",\"product_type\":\"p\",\"amount\":1,\"payment_status\":\"paid\"}"},
        {"message", "{\"bot_username\":\"b\",\"message_type\":\"m\",\"success\":1}"},
        {"message", "{\"bot_username\":\"b\",\"message_type\":\"m\",\"response_time_ms\":-1}"},
        {"message", "{\"bot_username\":\"b\",\"message_type\":\"m\",\"response_time_ms\":2147483648}"},
        {"session", "{\"username\":\"b\"}"},
    };
    gavat *g = client_of(state);
    gavat_batch *batch = a_batch(g);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (add_json(batch, bad[i][0], bad[i][1]) != GAVAT_EINVAL || !*gavat_batch_error(batch))
            fail_msg("%s was taken", bad[i][1]);
    }
    assert_int_equal(gavat_batch_add_json(batch, NULL, "{}", 2), GAVAT_EINVAL);
    assert_int_equal(gavat_batch_add_json(batch, "event", NULL, 0), GAVAT_EINVAL);
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    gavat_batch_free(batch);
}

static void no_batch_is_refused_softly(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = an_event("u", "t", "m", 1);
    assert_int_equal(gavat_batch_add_event(NULL, &event), GAVAT_ENOMEM);
    gavat_batch_set_index(NULL, 5);
    assert_int_equal(gavat_batch_bytes(NULL), 0);
    DO(g, GAVAT_ENOMEM, import_batch, NULL);
    DO(g, GAVAT_ENOMEM, commit_batch, NULL);
    gavat_batch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_batch_holds_all_kinds),
        cmocka_unit_test(a_batch_sent_again_lands_once),
        cmocka_unit_test(a_batch_may_be_freed_while_it_is_under_way),
        cmocka_unit_test(an_empty_batch_is_done),
        cmocka_unit_test(an_import_names_the_rejected_and_stores_the_others),
        cmocka_unit_test(a_commit_with_one_bad_record_writes_nothing),
        cmocka_unit_test(a_bad_record_leaves_the_batch_as_it_was),
        cmocka_unit_test(a_submitted_batch_takes_nothing_more),
        cmocka_unit_test(json_of_a_record_goes_back_in_as_the_same_record),
        cmocka_unit_test(json_fields_keep_their_types_and_digits),
        cmocka_unit_test(json_keeps_what_a_store_has_said),
        cmocka_unit_test(bad_json_records_are_refused),
        cmocka_unit_test(no_batch_is_refused_softly),
    };
    return run_on_events("events_batches", cases, sizeof cases / sizeof *cases);
}
