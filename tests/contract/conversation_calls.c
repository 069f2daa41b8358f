/* Conversations: get, apply, reset, what is stored, how long, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/conversation.h"
#include <string.h>

static const char untouched[] = "initial_contact 0 0 0 0 0 0 0 .";

static void those_who_never_talked_have_the_initial_state(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g), *keys = held(g);
    RUN(op, get_conversation, BOT, USER);
    assert_int_equal(gavat_op_count(op), 1);
    expect_conversation(op, 0, untouched, __FILE__, __LINE__);
    assert_string_equal(gavat_op_conversation(op, 0)->bot, BOT);
    assert_string_equal(gavat_op_conversation(op, 0)->user, USER);
    assert_null(gavat_op_conversation(op, 1));
    assert_null(gavat_op_state(op, 0));
    assert_string_equal(gavat_op_json(op, 0, NULL),
        "{\"bot\":\"botalfa\",\"user\":\"1001\",\"last_bot_message\":null,\"user_responded\":false,\"conversation_active\":false,"
        "\"last_user_message\":null,\"phase\":\"initial_contact\",\"manual_intervention_time\":null,\"followup_count\":0,"
        "\"last_manual_check\":null,\"auto_message_count\":0,\"menu_sent\":false,\"manual_mode_active\":false,"
        "\"last_manual_message\":null,\"auto_messages_paused\":false}");
    RUN(keys, list_state, PART);        /* looking makes nothing */
    assert_int_equal(gavat_op_count(keys), 0);
    gavat_op_unref(op);
    gavat_op_unref(keys);
}

static void each_transition_gives_the_state_after_it(void **state)
{
    gavat *g = at_start(state, NULL);
    static const struct { gavat_transition transition; const char *after; } steps[] = {
        {GAVAT_BOT_SENT, "initial_contact 10 0 0 0 0 0 1 a."},
        {GAVAT_FOLLOWUP_SENT, "initial_contact 20 0 0 0 0 1 1 a."},
        {GAVAT_USER_RESPONDED, "active_conversation 20 30 0 0 0 1 1 ra."},
        {GAVAT_MENU_SENT, "active_conversation 20 30 0 0 0 1 1 ran."},
        {GAVAT_BOT_SENT, "active_conversation 50 30 0 0 0 1 2 an."},
        {GAVAT_PAUSE, "active_conversation 50 30 0 0 0 1 2 anp."},
        {GAVAT_USER_RESPONDED, "active_conversation 50 70 0 0 0 1 2 ranp."},
        {GAVAT_RESUME, "active_conversation 50 70 0 0 0 1 2 ran."},
        {GAVAT_MANUAL_INTERVENTION, "manual_engaged 50 70 90 0 90 0 0 ranmp."},
        {GAVAT_BOT_SENT, "manual_engaged 100 70 90 0 90 0 0 anmp."},
        {GAVAT_USER_RESPONDED, "manual_conversation 100 110 90 110 90 0 0 ranm."},
        {GAVAT_MANUAL_INTERVENTION, "manual_engaged 100 110 120 110 120 0 0 ranmp."},
        {GAVAT_RESUME, "active_conversation 100 110 120 110 120 0 0 ran."},
        {GAVAT_RESET, "initial_contact 0 0 0 0 0 0 0 ."},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        pass(10 * SECOND);
        gavat_op *op = held(g);
        RUN(op, apply_conversation, BOT, USER, steps[i].transition);
        assert_int_equal(gavat_op_count(op), 1);
        expect_conversation(op, 0, steps[i].after, __FILE__, __LINE__);
        assert_now(g, steps[i].after);
        gavat_op_unref(op);
    }
}

static void what_is_stored_is_what_the_python_bots_read(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    pass(250001);
    apply(g, GAVAT_BOT_SENT);
    pass(SECOND);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    RUN(op, get_state, PART, "conversation_state");
    assert_string_equal(gavat_op_text(op, NULL),
        "{\"last_bot_message\": 1767225600.250001, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 0, "
        "\"phase\": \"manual_engaged\", \"manual_intervention_time\": 1767225601.250001, \"followup_count\": 0, "
        "\"last_manual_check\": 0, \"auto_message_count\": 0, \"menu_sent\": false, \"manual_mode_active\": true, "
        "\"last_manual_message\": 1767225601.250001, \"auto_messages_paused\": true}");
    gavat_op_unref(op);
}

static void what_the_python_bots_stored_is_gone_on_with(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, set_state, PART, "conversation_state",
       "{\"last_bot_message\": 1767225500.5, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 1767225400, "
       "\"phase\": \"active_conversation\", \"manual_intervention_time\": 0, \"followup_count\": 1, \"last_manual_check\": 0, "
       "\"auto_message_count\": 2, \"menu_sent\": true, \"vip\": {\"stage\":\"\\u015f\"}}", 1000);      /* an older one, and a field of its own */
    assert_now(g, "active_conversation -99 -200 0 0 0 1 2 an.");
    apply(g, GAVAT_BOT_SENT);
    RUN(op, get_state, PART, "conversation_state");
    assert_string_equal(gavat_op_text(op, NULL),
        "{\"last_bot_message\": 1767225600.0, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 1767225400.0, "
        "\"phase\": \"active_conversation\", \"manual_intervention_time\": 0, \"followup_count\": 1, \"last_manual_check\": 0, "
        "\"auto_message_count\": 3, \"menu_sent\": true, \"manual_mode_active\": false, \"last_manual_message\": 0, "
        "\"auto_messages_paused\": false, \"vip\": {\"stage\":\"\\u015f\"}}");
    gavat_op_unref(op);
}

static int64_t left(gavat *g, const char *key)
{
    gavat_op *op = held(g);
    RUN(op, get_state, PART, key);
    int64_t ms = gavat_op_state(op, 0)->expire_ms;
    gavat_op_unref(op);
    return ms;
}

static void a_conversation_lives_a_day_from_its_last_change(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_BOT_SENT);
    assert_int_equal(left(g, "conversation_state"), 86400000);
    pass(23 * HOUR);
    DO(g, GAVAT_OK, get_conversation, BOT, USER);
    DO(g, GAVAT_OK, permit_message, BOT, USER);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "1");
    assert_int_equal(left(g, "conversation_state"), 3600000);   /* none of them changed it */
    apply(g, GAVAT_MENU_SENT);
    assert_int_equal(left(g, "conversation_state"), 86400000);
    pass(24 * HOUR - 1);
    assert_now(g, "initial_contact 0 0 0 0 0 0 1 an.");
    pass(1);
    assert_now(g, untouched);
    apply(g, GAVAT_BOT_SENT);
    assert_now(g, "initial_contact 169200 0 0 0 0 0 1 a.");
}

static void how_long_it_lives_is_a_setting(void **state)
{
    static const char *const settings[] = {"GAVAT_DM_STATE_TTL", "90s", NULL};
    gavat *g = at_start(state, settings);
    apply(g, GAVAT_BOT_SENT);
    assert_int_equal(left(g, "conversation_state"), 90000);
    pass(90 * SECOND);
    assert_now(g, untouched);
}

static void a_damaged_state_is_said_and_left_alone_until_reset(void **state)
{
    gavat *g = at_start(state, NULL);
    static const char *const values[] = {"", "x", "[1]", "{\"phase\": 1}", "{\"last_bot_message\": \"x\"}", "{\"menu_sent\": 0"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        DO(g, GAVAT_OK, set_state, PART, "conversation_state", values[i], 0);
        gavat_op *op = held(g), *kept = held(g), *reset = held(g);
        gavat_apply_conversation(op, BOT, USER, GAVAT_USER_RESPONDED);
        expect_status(op, GAVAT_ECORRUPT, __FILE__, __LINE__);
        expect_words(op, "conversation_state of " PART, __FILE__, __LINE__);
        expect_words(op, "reset", __FILE__, __LINE__);
        DO(g, GAVAT_ECORRUPT, get_conversation, BOT, USER);
        DO(g, GAVAT_ECORRUPT, permit_message, BOT, USER);
        DO(g, GAVAT_ECORRUPT, observe_outgoing, BOT, USER, "1");
        DO(g, GAVAT_OK, note_sent, BOT, USER, "2");             /* does not look at it */
        RUN(kept, get_state, PART, "conversation_state");
        assert_string_equal(gavat_op_text(kept, NULL), values[i]);
        RUN(reset, apply_conversation, BOT, USER, GAVAT_RESET);
        assert_now(g, untouched);
        gavat_op_unref(op);
        gavat_op_unref(kept);
        gavat_op_unref(reset);
    }
}

static void damaged_permits_and_ids_are_said_until_reset(void **state)
{
    gavat *g = at_start(state, NULL);
    DO(g, GAVAT_OK, set_state, PART, "conversation_permits", "{\"given\": [\"x\"]}", 0);
    DO(g, GAVAT_ECORRUPT, permit_message, BOT, USER);
    DO(g, GAVAT_ECORRUPT, note_sent, BOT, USER, "1");
    DO(g, GAVAT_OK, get_conversation, BOT, USER);
    apply(g, GAVAT_RESET);
    DO(g, GAVAT_OK, set_state, PART, "conversation_messages", "[]", 0);
    DO(g, GAVAT_ECORRUPT, observe_outgoing, BOT, USER, "1");
    DO(g, GAVAT_ECORRUPT, note_sent, BOT, USER, "1");
    assert_now(g, untouched);
    apply(g, GAVAT_RESET);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "1");
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void reset_is_as_if_they_had_never_talked(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    apply(g, GAVAT_PAUSE);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    apply(g, GAVAT_RESUME);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "7");
    RUN(op, apply_conversation, BOT, USER, GAVAT_RESET);
    expect_conversation(op, 0, untouched, __FILE__, __LINE__);
    DO(g, GAVAT_ENOTFOUND, get_state, PART, "conversation_state");
    assert_permitted(g, GAVAT_ADVICE_SEND);     /* the permits are forgotten too */
    assert_int_equal(observe(g, "7"), 0);       /* but not what was its own */
    assert_now(g, untouched);
    apply(g, GAVAT_RESET);
    apply(g, GAVAT_RESET);
    gavat_op_unref(op);
}

static void conversations_are_apart_by_bot_and_user(void **state)
{
    gavat *g = at_start(state, NULL);
    static const struct { const char *bot, *user; } all[] = {{"a", "b"}, {"a", "b:c"}, {"a", "b:"}, {"A", "b"}, {"ab", "b"}, {"a", "%"}, {"a", "b*"},
                                                             {"şen", "ı:😀"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t n = 0; n <= i; n++)
            DO(g, GAVAT_OK, apply_conversation, all[i].bot, all[i].user, GAVAT_BOT_SENT);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        gavat_op *op = held(g);
        RUN(op, get_conversation, all[i].bot, all[i].user);
        assert_int_equal(gavat_op_conversation(op, 0)->auto_message_count, i + 1);
        assert_string_equal(gavat_op_conversation(op, 0)->user, all[i].user);
        gavat_op_unref(op);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    gavat *g = at_start(state, NULL);
    char *most = repeat("ş", 100), *more = repeat("ş", 101), *far = repeat("x", 5000);
    REFUSE(g, "bot is required", get_conversation, NULL, USER);
    REFUSE(g, "bot is required", get_conversation, "", USER);
    REFUSE(g, "bot must not hold a ':'", get_conversation, "a:b", USER);
    REFUSE(g, "bot is not valid UTF-8", apply_conversation, "\xff", USER, GAVAT_PAUSE);
    REFUSE(g, "bot is longer than 100", permit_message, more, USER);
    REFUSE(g, "user is required", permit_message, BOT, NULL);
    REFUSE(g, "user is required", note_sent, BOT, "", "1");
    REFUSE(g, "user is longer than 100", observe_outgoing, BOT, far, "1");
    REFUSE(g, "cooldown", get_conversation, BOT, "cooldown");           /* its keys would be those of a cooldown */
    REFUSE(g, "list", apply_conversation, BOT, "x:list", GAVAT_PAUSE);
    REFUSE(g, "message_id is required", note_sent, BOT, USER, NULL);
    REFUSE(g, "message_id is required", observe_outgoing, BOT, USER, "");
    REFUSE(g, "message_id is longer than 100", note_sent, BOT, USER, more);
    REFUSE(g, "message_id is not valid UTF-8", observe_outgoing, BOT, USER, "\xc3");
    REFUSE(g, "transition 0", apply_conversation, BOT, USER, 0);
    REFUSE(g, "transition 9", apply_conversation, BOT, USER, 9);
    REFUSE(g, "transition -1", apply_conversation, BOT, USER, -1);
    DO(g, GAVAT_OK, apply_conversation, most, most, GAVAT_USER_RESPONDED);
    DO(g, GAVAT_OK, note_sent, most, most, most);
    gavat_get_conversation(NULL, BOT, USER);
    gavat_apply_conversation(NULL, BOT, USER, GAVAT_PAUSE);
    gavat_permit_message(NULL, BOT, USER);
    gavat_note_sent(NULL, BOT, USER, "1");
    gavat_observe_outgoing(NULL, BOT, USER, "1");
    assert_null(gavat_op_conversation(NULL, 0));
    free(most);
    free(more);
    free(far);
}

static void calls_of_one_thread_apply_in_order(void **state)
{
    gavat *g = at_start(state, NULL);
    for (int i = 0; i < 50; i++) {
        gavat_op *op = held(g);
        gavat_apply_conversation(gavat_op_new(g, NULL, NULL), BOT, USER, GAVAT_BOT_SENT);
        gavat_apply_conversation(gavat_op_new(g, NULL, NULL), BOT, USER, i % 2 ? GAVAT_PAUSE : GAVAT_RESUME);
        RUN(op, get_conversation, BOT, USER);
        assert_int_equal(gavat_op_conversation(op, 0)->auto_message_count, i + 1);
        assert_int_equal(gavat_op_conversation(op, 0)->auto_messages_paused, i % 2);
        gavat_op_unref(op);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(those_who_never_talked_have_the_initial_state),
        cmocka_unit_test(each_transition_gives_the_state_after_it),
        cmocka_unit_test(what_is_stored_is_what_the_python_bots_read),
        cmocka_unit_test(what_the_python_bots_stored_is_gone_on_with),
        cmocka_unit_test(a_conversation_lives_a_day_from_its_last_change),
        cmocka_unit_test(how_long_it_lives_is_a_setting),
        cmocka_unit_test(a_damaged_state_is_said_and_left_alone_until_reset),
        cmocka_unit_test(damaged_permits_and_ids_are_said_until_reset),
        cmocka_unit_test(reset_is_as_if_they_had_never_talked),
        cmocka_unit_test(conversations_are_apart_by_bot_and_user),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(calls_of_one_thread_apply_in_order),
    };
    return run_on_state("conversation_calls", cases, sizeof cases / sizeof *cases);
}
