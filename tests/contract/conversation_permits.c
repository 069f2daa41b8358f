/* permit_message: cooldown, window, phase, pause and menu in one decision, spent when given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/conversation.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define MINUTE (60 * SECOND)

static const char *const no_cooldown[] = {"GAVAT_DM_COOLDOWN", "0", NULL};

static void a_permit_is_followed_by_a_cooldown(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 300000);
    pass(1);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 300000);        /* rounded up: never too early */
    pass(300 * SECOND - 2);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 1);
    pass(1);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 300000);
}

static void a_refusal_costs_nothing(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    for (int i = 0; i < 20; i++) {
        pass(10 * SECOND);
        assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 300000 - (i + 1) * 10000);
    }
    pass(100 * SECOND);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void three_an_hour_and_the_fourth_when_the_first_is_an_hour_old(void **state)
{
    gavat *g = at_start(state, NULL);
    for (int i = 0; i < 3; i++) {
        assert_permitted(g, GAVAT_ADVICE_SEND);
        pass(10 * MINUTE);
    }
    assert_refused(g, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 30 * 60000);
    pass(30 * MINUTE - 1);
    assert_refused(g, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 1);
    pass(1);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 10 * 60000);    /* both must end: the window is the longer one */
    pass(10 * MINUTE);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void what_retry_after_says_is_true(void **state)
{
    gavat *g = at_start(state, NULL);
    uint64_t seed = test_seed();
    for (int i = 0; i < 200; i++) {
        pass((int64_t)below(&seed, 400) * SECOND + (int64_t)below(&seed, 1000000));
        gavat_decision d = permit_of(g, USER);
        if (d.allowed)
            continue;
        pass(d.retry_after_ms * 1000 - 1000 - 1);
        if (d.retry_after_ms > 1)
            assert_false(permit_of(g, USER).allowed);
        pass(1001);
        assert_true(permit_of(g, USER).allowed);
    }
}

static void the_settings_are_the_thresholds(void **state)
{
    static const char *const settings[] = {"GAVAT_DM_COOLDOWN", "2s", "GAVAT_DM_WINDOW", "1m", "GAVAT_DM_WINDOW_MESSAGES", "2",
                                           "GAVAT_DM_MENU_AFTER", "1", NULL};
    gavat *g = at_start(state, settings);
    apply(g, GAVAT_BOT_SENT);
    assert_permitted(g, GAVAT_ADVICE_MENU);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 2000);
    pass(2 * SECOND);
    assert_permitted(g, GAVAT_ADVICE_MENU);
    pass(2 * SECOND);
    assert_refused(g, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 56000);
}

static void remaining_counts_down_where_there_is_no_cooldown(void **state)
{
    gavat *g = at_start(state, no_cooldown);
    for (int64_t left = 2; left >= 0; left--) {
        gavat_decision d = permit_of(g, USER);
        assert_true(d.allowed);
        assert_int_equal(d.remaining, left);
    }
    gavat_decision d = permit_of(g, USER);
    assert_true(!d.allowed && d.remaining == 0);
    assert_int_equal(d.reason, GAVAT_REASON_WINDOW);
    assert_int_equal(d.retry_after_ms, 3600000);
    pass(HOUR);
    assert_int_equal(permit_of(g, USER).remaining, 2);
}

static void a_pause_refuses_before_all_else(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    apply(g, GAVAT_PAUSE);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, -1);
    pass(10 * MINUTE);
    apply(g, GAVAT_USER_RESPONDED);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, -1);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    apply(g, GAVAT_USER_RESPONDED);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, -1);    /* still: nobody has resumed */
    pass(23 * HOUR);
    apply(g, GAVAT_USER_RESPONDED);
    pass(23 * HOUR);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, -1);    /* the person has left; the pause has not */
    apply(g, GAVAT_RESUME);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void a_person_refuses_until_a_day_after_their_last_message(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_USER_RESPONDED);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 86400000);
    pass(12 * HOUR);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    pass(24 * HOUR - 1);
    apply(g, GAVAT_MENU_SENT);          /* the state itself lives on */
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 1);
    pass(1);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_now(g, "active_conversation 0 0 43200 0 43200 0 0 ran.");
}

static void once_the_user_answers_the_person_the_bot_may_help(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    apply(g, GAVAT_USER_RESPONDED);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void an_older_state_refuses_by_its_phase(void **state)
{
    gavat *g = at_start(state, NULL);
    DO(g, GAVAT_OK, set_state, PART, "conversation_state",
       "{\"last_bot_message\": 1767225600, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 1767225540, "
       "\"phase\": \"manual_engaged\", \"manual_intervention_time\": 0, \"followup_count\": 0, \"last_manual_check\": 0, "
       "\"auto_message_count\": 3, \"menu_sent\": false}", 0);
    assert_refused(g, GAVAT_REASON_PHASE, GAVAT_ADVICE_SILENT, 86400000);
    pass(24 * HOUR);
    assert_permitted(g, GAVAT_ADVICE_MENU);
}

static void the_menu_is_advised_until_it_was_sent(void **state)
{
    gavat *g = at_start(state, no_cooldown);
    apply(g, GAVAT_BOT_SENT);
    apply(g, GAVAT_BOT_SENT);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    apply(g, GAVAT_BOT_SENT);
    assert_permitted(g, GAVAT_ADVICE_MENU);
    apply(g, GAVAT_MENU_SENT);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void a_clock_that_was_wrong_costs_one_span_at_most(void **state)
{
    gavat *g = at_start(state, NULL);
    pass(1000 * HOUR);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    pass(-1000 * HOUR);
    assert_refused(g, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 300000);
    apply(g, GAVAT_RESET);
    pass(1000 * HOUR);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    pass(-1000 * HOUR);
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 86400000);
    apply(g, GAVAT_MENU_SENT);          /* written anew, the times are those of today */
    pass(23 * HOUR);
    apply(g, GAVAT_MENU_SENT);
    pass(HOUR);
    assert_permitted(g, GAVAT_ADVICE_SEND);
}

static void permits_are_of_one_conversation(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_true(permit_of(g, "1002").allowed);
    RUN(op, permit_message, "botbeta", USER);
    assert_true(gavat_op_decision(op)->allowed);
    assert_string_equal(gavat_op_json(op, 0, NULL),
                        "{\"allowed\":true,\"reason\":\"none\",\"advice\":\"send\",\"remaining\":0,\"retry_after_ms\":0}");
    gavat_op_unref(op);
}

static void the_log_of_permits_ends_when_it_no_longer_counts(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g), *keys = held(g);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    RUN(op, get_state, PART, "conversation_permits");
    assert_string_equal(gavat_op_text(op, NULL), "{\"given\": [1767225600.0], \"waiting\": [1767225600.0]}");
    assert_in_range(gavat_op_state(op, 0)->expire_ms, 3600000, 3602000);
    pass(HOUR + 2 * SECOND);
    RUN(keys, list_state, PART);
    assert_int_equal(gavat_op_count(keys), 0);
    gavat_op_unref(op);
    gavat_op_unref(keys);
}

#define CALLERS 100

typedef struct caller {
    gavat *g;
    pthread_t thread;
    gavat_status status;
    gavat_decision decision;
} caller;

static atomic_int at_the_gate;

static void *ask(void *user)
{
    caller *c = user;
    gavat_op *op = gavat_op_new_held(c->g);
    atomic_fetch_add(&at_the_gate, 1);
    while (atomic_load(&at_the_gate) < CALLERS)
        sched_yield();
    gavat_permit_message(op, BOT, USER);
    c->status = gavat_op_wait(op);
    c->decision = *gavat_op_decision(op);
    gavat_op_unref(op);
    return NULL;
}

static void of_a_hundred_callers_exactly_three_pass(void **state)
{
    gavat *g = at_start(state, no_cooldown);
    static caller callers[CALLERS];
    int allowed = 0;
    bool remaining[3] = {false};
    atomic_store(&at_the_gate, 0);
    for (int i = 0; i < CALLERS; i++) {
        callers[i].g = g;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, ask, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        const gavat_decision *d = &callers[i].decision;
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, GAVAT_OK);
        allowed += d->allowed;
        if (d->allowed)
            remaining[d->remaining] = true;
        else
            assert_true(d->reason == GAVAT_REASON_WINDOW && d->retry_after_ms == 3600000);
    }
    assert_int_equal(allowed, 3);
    assert_true(remaining[0] && remaining[1] && remaining[2]);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_permit_is_followed_by_a_cooldown),
        cmocka_unit_test(a_refusal_costs_nothing),
        cmocka_unit_test(three_an_hour_and_the_fourth_when_the_first_is_an_hour_old),
        cmocka_unit_test(what_retry_after_says_is_true),
        cmocka_unit_test(the_settings_are_the_thresholds),
        cmocka_unit_test(remaining_counts_down_where_there_is_no_cooldown),
        cmocka_unit_test(a_pause_refuses_before_all_else),
        cmocka_unit_test(a_person_refuses_until_a_day_after_their_last_message),
        cmocka_unit_test(once_the_user_answers_the_person_the_bot_may_help),
        cmocka_unit_test(an_older_state_refuses_by_its_phase),
        cmocka_unit_test(the_menu_is_advised_until_it_was_sent),
        cmocka_unit_test(a_clock_that_was_wrong_costs_one_span_at_most),
        cmocka_unit_test(permits_are_of_one_conversation),
        cmocka_unit_test(the_log_of_permits_ends_when_it_no_longer_counts),
        cmocka_unit_test(of_a_hundred_callers_exactly_three_pass),
    };
    return run_on_state("conversation_permits", cases, sizeof cases / sizeof *cases);
}
