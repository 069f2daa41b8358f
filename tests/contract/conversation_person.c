/* note_sent and observe_outgoing: how a person's message is told from the bot's own, and many writers at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/conversation.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

static const char untouched[] = "initial_contact 0 0 0 0 0 0 0 .";
static const char taken_over[] = "manual_engaged 0 0 0 0 0 0 0 mp.";

static void what_was_registered_is_the_bots_own(void **state)
{
    gavat *g = at_start(state, NULL);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "481");
    assert_int_equal(observe(g, "481"), 0);
    assert_int_equal(observe(g, "481"), 0);
    assert_now(g, untouched);
    pass(24 * HOUR - 1);
    assert_int_equal(observe(g, "481"), 0);
    pass(1);
    assert_int_equal(observe(g, "481"), 1);     /* a day is over */
}

static void what_nobody_registered_is_a_persons(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    pass(5 * SECOND);
    apply(g, GAVAT_BOT_SENT);
    pass(5 * SECOND);
    RUN(op, observe_outgoing, BOT, USER, "9");
    assert_int_equal(gavat_op_number(op), 1);
    expect_conversation(op, 0, "manual_engaged 5 0 10 0 10 0 0 amp.", __FILE__, __LINE__);
    assert_now(g, "manual_engaged 5 0 10 0 10 0 0 amp.");
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 86400000);
    gavat_op_unref(op);
}

static void the_same_id_again_changes_nothing(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_int_equal(observe(g, "9"), 1);
    pass(60 * SECOND);
    assert_int_equal(observe(g, "9"), 1);       /* still a person's, already counted */
    assert_now(g, "manual_engaged 0 0 0 0 0 0 0 mp.");
    apply(g, GAVAT_RESUME);
    assert_int_equal(observe(g, "9"), 1);
    assert_now(g, "active_conversation 0 0 0 0 0 0 0 .");
    assert_int_equal(observe(g, "10"), 1);
    assert_now(g, "manual_engaged 0 0 60 0 60 0 0 mp.");
}

static void a_fresh_permit_waits_for_its_id(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    pass(30 * SECOND - 1);
    assert_int_equal(observe(g, "20"), 0);      /* seen before the send returned */
    DO(g, GAVAT_OK, note_sent, BOT, USER, "20");
    assert_int_equal(observe(g, "20"), 0);
    assert_now(g, untouched);
    assert_int_equal(observe(g, "21"), 1);      /* it had come: one permit, one message */
}

static void a_permit_waits_for_one_id_only(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "20");
    assert_int_equal(observe(g, "21"), 1);      /* right behind the bot's own */
    assert_int_equal(observe(g, "20"), 0);
}

static void ids_of_ones_own_are_registered_before_sending(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "a");
    DO(g, GAVAT_OK, note_sent, BOT, USER, "a"); /* sent again after a doubt */
    assert_int_equal(observe(g, "a"), 0);
    assert_now(g, untouched);
}

static void after_the_grace_time_nothing_waits(void **state)
{
    static const char *const settings[] = {"GAVAT_DM_GRACE", "2s", "GAVAT_DM_COOLDOWN", "0", NULL};
    gavat *g = at_start(state, settings);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    pass(2 * SECOND - 1);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    pass(1);
    assert_int_equal(observe(g, "1"), 0);       /* the second one waits, the first no longer does */
    assert_int_equal(observe(g, "2"), 1);
}

static void without_a_grace_time_ids_come_first(void **state)
{
    static const char *const settings[] = {"GAVAT_DM_GRACE", "0", NULL};
    gavat *g = at_start(state, settings);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    assert_int_equal(observe(g, "1"), 1);
    assert_now(g, taken_over);
}

static void an_id_that_comes_late_is_own_from_then_on(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_int_equal(observe(g, "1"), 1);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "1");
    assert_int_equal(observe(g, "1"), 0);
    assert_now(g, taken_over);                  /* note_sent takes nothing back: resume does */
}

static void a_reset_keeps_what_is_under_way(void **state)
{
    gavat *g = at_start(state, NULL);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    apply(g, GAVAT_RESET);
    assert_int_equal(observe(g, "1"), 0);
    assert_now(g, untouched);
    assert_int_equal(observe(g, "2"), 1);
}

static void ids_are_of_one_conversation(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, note_sent, BOT, "1002", "1");
    DO(g, GAVAT_OK, note_sent, "botbeta", USER, "1");
    assert_int_equal(observe(g, "1"), 1);
    RUN(op, observe_outgoing, BOT, "1002", "1");
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
}

static void any_text_is_an_id(void **state)
{
    gavat *g = at_start(state, NULL);
    static const char *const ids[] = {"0", "a:b", "\"", "\\", "ş😀", " ", "\x01", "{}", "own", "1e3"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        DO(g, GAVAT_OK, note_sent, BOT, USER, ids[i]);
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(observe(g, ids[j]), 0);
    }
    assert_now(g, untouched);
}

/* The usual turns of a bot, and a person who takes over in between. */
static void a_whole_evening(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_USER_RESPONDED);
    assert_permitted(g, GAVAT_ADVICE_SEND);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "1");
    apply(g, GAVAT_BOT_SENT);
    assert_int_equal(observe(g, "1"), 0);
    pass(600 * SECOND);
    apply(g, GAVAT_USER_RESPONDED);
    assert_int_equal(observe(g, "2"), 1);       /* the person is faster than the bot */
    assert_refused(g, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 86400000);
    pass(60 * SECOND);
    apply(g, GAVAT_USER_RESPONDED);             /* and is answered: the bot may help again */
    assert_permitted(g, GAVAT_ADVICE_SEND);
    DO(g, GAVAT_OK, note_sent, BOT, USER, "3");
    apply(g, GAVAT_BOT_SENT);
    assert_int_equal(observe(g, "3"), 0);
    assert_now(g, "manual_conversation 660 660 600 660 600 0 0 am.");
}

#define WRITERS 64
#define ROUNDS 20

typedef struct writer {
    gavat *g;
    pthread_t thread;
    int number, good;
} writer;

static atomic_int at_the_gate;

static void *write_rounds(void *user)
{
    writer *w = user;
    atomic_fetch_add(&at_the_gate, 1);
    while (atomic_load(&at_the_gate) < WRITERS)
        sched_yield();
    for (int i = 0; i < ROUNDS; i++) {
        gavat_op *op = gavat_op_new_held(w->g);
        if (w->number % 4 == 3) {
            char id[20];
            snprintf(id, sizeof id, "%d", w->number / 4 * ROUNDS + i);
            gavat_note_sent(op, BOT, USER, id);
        } else {
            gavat_apply_conversation(op, BOT, USER, w->number % 4 == 2 ? GAVAT_FOLLOWUP_SENT : GAVAT_BOT_SENT);
        }
        w->good += gavat_op_wait(op) == GAVAT_OK;
        gavat_op_unref(op);
    }
    return NULL;
}

static void no_transition_of_many_writers_is_lost(void **state)
{
    gavat *g = at_start(state, NULL);
    static writer writers[WRITERS];
    atomic_store(&at_the_gate, 0);
    apply(g, GAVAT_USER_RESPONDED);
    apply(g, GAVAT_MENU_SENT);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.g = g, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_rounds, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].good, ROUNDS);
    }
    gavat_op *op = held(g);
    RUN(op, get_conversation, BOT, USER);
    assert_int_equal(gavat_op_conversation(op, 0)->auto_message_count, WRITERS / 2 * ROUNDS);
    assert_int_equal(gavat_op_conversation(op, 0)->followup_count, WRITERS / 4 * ROUNDS);
    assert_true(gavat_op_conversation(op, 0)->menu_sent && gavat_op_conversation(op, 0)->last_user_message == T0);
    for (int i = 0; i < WRITERS / 4 * ROUNDS; i++) {
        char id[20];
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(observe(g, id), 0);
    }
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_was_registered_is_the_bots_own),
        cmocka_unit_test(what_nobody_registered_is_a_persons),
        cmocka_unit_test(the_same_id_again_changes_nothing),
        cmocka_unit_test(a_fresh_permit_waits_for_its_id),
        cmocka_unit_test(a_permit_waits_for_one_id_only),
        cmocka_unit_test(ids_of_ones_own_are_registered_before_sending),
        cmocka_unit_test(after_the_grace_time_nothing_waits),
        cmocka_unit_test(without_a_grace_time_ids_come_first),
        cmocka_unit_test(an_id_that_comes_late_is_own_from_then_on),
        cmocka_unit_test(a_reset_keeps_what_is_under_way),
        cmocka_unit_test(ids_are_of_one_conversation),
        cmocka_unit_test(any_text_is_an_id),
        cmocka_unit_test(a_whole_evening),
        cmocka_unit_test(no_transition_of_many_writers_is_lost),
    };
    return run_on_state("conversation_person", cases, sizeof cases / sizeof *cases);
}
