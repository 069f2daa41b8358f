/* get_conversations and get_due_conversations: which, in what order, in pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/conversation.h"
#include <string.h>

typedef void (*pages_fn)(gavat_op *op, const char *bot, uint32_t limit, const char *cursor);

/* "bot/user bot/user", of all pages of this size; with '|' between the pages. */
static void expect_pages(gavat *g, pages_fn get, const char *bot, uint32_t limit, const char *wanted, int line)
{
    char got[4000] = "", cursor[1000] = "";
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        get(op, bot, limit, *cursor ? cursor : NULL);
        expect_status(op, GAVAT_OK, __FILE__, line);
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            const gavat_conversation *c = gavat_op_conversation(op, i);
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s/%s", i ? " " : "", c->bot, c->user);
        }
        more = gavat_op_cursor(op);
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        if (more)
            strcat(got, "|");
        gavat_op_unref(op);
    }
    _assert_string_equal(got, wanted, __FILE__, line);
}
#define assert_all(g, bot, limit, wanted) expect_pages(g, gavat_get_conversations, bot, limit, wanted, __LINE__)
#define assert_due(g, bot, limit, wanted) expect_pages(g, gavat_get_due_conversations, bot, limit, wanted, __LINE__)

static void send(gavat *g, const char *bot, const char *user)
{
    DO(g, GAVAT_OK, apply_conversation, bot, user, GAVAT_BOT_SENT);
}

static void all_of_a_bot_or_of_every_bot_by_user(void **state)
{
    gavat *g = at_start(state, NULL);
    static const char *const pairs[][2] = {{"b", "2"}, {"a", "3"}, {"a", "10"}, {"a", "x:y"}, {"a", "x"}, {"ab", "1"}, {"A", "1"}, {"a%", "1"}, {"ş", "ı"}};
    assert_all(g, NULL, 0, "");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        send(g, pairs[i][0], pairs[i][1]);
    DO(g, GAVAT_OK, note_sent, "a", "only ids", "1");
    DO(g, GAVAT_OK, permit_message, "a", "only a permit");
    DO(g, GAVAT_OK, set_state, "dm", "conversation_state", "{}", 0);            /* no conversations */
    DO(g, GAVAT_OK, set_state, "dm:a", "conversation_state", "{}", 0);
    DO(g, GAVAT_OK, set_state, "dn:a:1", "conversation_state", "{}", 0);
    DO(g, GAVAT_OK, set_state, "dm:a:1", "mode", "{}", 0);
    assert_all(g, "a", 0, "a/10 a/3 a/x a/x:y");
    assert_all(g, "a", 2, "a/10 a/3|a/x a/x:y");
    assert_all(g, "a", 3, "a/10 a/3 a/x|a/x:y");
    assert_all(g, "b", 1, "b/2");
    assert_all(g, "c", 0, "");
    assert_all(g, NULL, 0, "A/1 a%/1 a/10 a/3 a/x a/x:y ab/1 b/2 ş/ı");
    assert_all(g, NULL, 4, "A/1 a%/1 a/10|a/3 a/x a/x:y ab/1|b/2 ş/ı");       /* one place was that of dm:a */
}

static void records_are_the_states_as_they_are_now(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g), *later = held(g);
    apply(g, GAVAT_MANUAL_INTERVENTION);
    RUN(op, get_conversations, BOT, 0, NULL);
    expect_conversation(op, 0, "manual_engaged 0 0 0 0 0 0 0 mp.", __FILE__, __LINE__);
    assert_json(op, 0, "user", USER);
    assert_json(op, 0, "phase", "manual_engaged");
    pass(23 * HOUR);
    apply(g, GAVAT_MENU_SENT);
    pass(HOUR);
    RUN(later, get_conversations, NULL, 0, NULL);
    expect_conversation(later, 0, "active_conversation 0 0 0 0 0 0 0 n.", __FILE__, __LINE__);   /* the person has left */
    gavat_op_unref(op);
    gavat_op_unref(later);
}

static void what_has_ended_is_not_listed(void **state)
{
    gavat *g = at_start(state, NULL);
    send(g, "a", "1");
    pass(12 * HOUR);
    send(g, "a", "2");
    pass(12 * HOUR);
    assert_all(g, "a", 0, "a/2");
    DO(g, GAVAT_OK, apply_conversation, "a", "2", GAVAT_RESET);
    assert_all(g, "a", 0, "");
}

static void a_damaged_state_is_named_and_the_others_come(void **state)
{
    gavat *g = at_start(state, NULL);
    gavat_op *op = held(g);
    uint64_t index = 99;
    send(g, "a", "1");
    send(g, "a", "3");
    DO(g, GAVAT_OK, set_state, "dm:a:2", "conversation_state", "{\"phase\": 3}", 0);
    assert_all(g, "a", 0, "a/1 a/3");
    RUN(op, get_conversations, "a", 0, NULL);
    assert_non_null(strstr(gavat_op_rejected(op, 0, &index), "dm:a:2"));
    assert_non_null(strstr(gavat_op_rejected(op, 0, NULL), "phase"));
    assert_null(gavat_op_rejected(op, 1, NULL));
    pass(2 * HOUR);
    assert_due(g, "a", 0, "a/1 a/3");
    gavat_op_unref(op);
}

static void bad_arguments_are_refused(void **state)
{
    gavat *g = at_start(state, NULL);
    REFUSE(g, "bot must not hold a ':'", get_conversations, "a:b", 0, NULL);
    REFUSE(g, "bot is required", get_due_conversations, "", 0, NULL);
    REFUSE(g, "UTF-8", get_due_conversations, "\xff", 0, NULL);
    REFUSE(g, "cursor", get_conversations, "a", 0, "???");
    REFUSE(g, "cursor", get_due_conversations, NULL, 0, "x");
    gavat_get_conversations(NULL, NULL, 0, NULL);
    gavat_get_due_conversations(NULL, NULL, 0, NULL);
}

static void due_to_the_microsecond_in_every_phase(void **state)
{
    static const struct { gavat_transition made[3]; int hours; } cases[] = {
        {{GAVAT_BOT_SENT, 0, 0}, 1},
        {{GAVAT_USER_RESPONDED, GAVAT_BOT_SENT, 0}, 6},
        {{GAVAT_MANUAL_INTERVENTION, 0, 0}, 4},                         /* the user has never written */
        {{GAVAT_USER_RESPONDED, GAVAT_MANUAL_INTERVENTION, 0}, 6},
        {{GAVAT_MANUAL_INTERVENTION, GAVAT_USER_RESPONDED, 0}, 12},
        {{GAVAT_MANUAL_INTERVENTION, GAVAT_USER_RESPONDED, GAVAT_BOT_SENT}, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gavat *g = at_start(state, NULL);
        DO(g, GAVAT_OK, clear_state, PART);
        for (int t = 0; t < 3 && cases[i].made[t]; t++)
            apply(g, cases[i].made[t]);
        pass(cases[i].hours * HOUR);
        assert_due(g, BOT, 0, "");
        pass(1);
        assert_due(g, BOT, 0, BOT "/" USER);
        assert_due(g, NULL, 0, BOT "/" USER);
        apply(g, GAVAT_FOLLOWUP_SENT);
        assert_due(g, BOT, 0, "");
    }
}

static void three_follow_ups_each_after_its_time_again(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_USER_RESPONDED);
    apply(g, GAVAT_BOT_SENT);
    for (int i = 0; i < 3; i++) {
        pass(6 * HOUR);
        assert_due(g, BOT, 0, "");
        pass(1);
        assert_due(g, BOT, 0, BOT "/" USER);
        apply(g, GAVAT_FOLLOWUP_SENT);
    }
    pass(23 * HOUR);
    assert_due(g, BOT, 0, "");          /* enough */
    apply(g, GAVAT_MANUAL_INTERVENTION);
    pass(6 * HOUR);
    assert_due(g, BOT, 0, BOT "/" USER);        /* a person begins it anew */
}

static void nothing_is_due_while_paused_or_answered(void **state)
{
    gavat *g = at_start(state, NULL);
    apply(g, GAVAT_BOT_SENT);
    apply(g, GAVAT_PAUSE);
    pass(20 * HOUR);
    assert_due(g, BOT, 0, "");
    apply(g, GAVAT_RESUME);
    assert_due(g, BOT, 0, "");          /* active without a word of the user: nothing to follow up */
    apply(g, GAVAT_USER_RESPONDED);
    pass(6 * HOUR + 1);
    assert_due(g, BOT, 0, BOT "/" USER);
}

static void the_hours_are_settings(void **state)
{
    static const char *const settings[] = {"GAVAT_DM_FOLLOWUP_INITIAL", "1s", "GAVAT_DM_FOLLOWUP_ACTIVE", "2s", "GAVAT_DM_FOLLOWUP_ENGAGED", "3s",
        "GAVAT_DM_FOLLOWUP_ENGAGED_USER", "4s", "GAVAT_DM_FOLLOWUP_MANUAL", "5s", "GAVAT_DM_MAX_FOLLOWUPS", "1", NULL};
    gavat *g = at_start(state, settings);
    send(g, "a", "initial");
    DO(g, GAVAT_OK, apply_conversation, "a", "active", GAVAT_USER_RESPONDED);
    DO(g, GAVAT_OK, apply_conversation, "a", "engaged", GAVAT_MANUAL_INTERVENTION);
    DO(g, GAVAT_OK, apply_conversation, "a", "engaged, user", GAVAT_USER_RESPONDED);
    DO(g, GAVAT_OK, apply_conversation, "a", "engaged, user", GAVAT_MANUAL_INTERVENTION);
    DO(g, GAVAT_OK, apply_conversation, "a", "manual", GAVAT_MANUAL_INTERVENTION);
    DO(g, GAVAT_OK, apply_conversation, "a", "manual", GAVAT_USER_RESPONDED);
    static const char *const due[] = {"", "a/initial", "a/initial a/active", "a/initial a/active a/engaged",
                                      "a/initial a/active a/engaged a/engaged, user", "a/initial a/active a/engaged a/engaged, user a/manual"};
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        assert_due(g, "a", 0, due[i]);
        pass(SECOND + (i == 0));
    }
    DO(g, GAVAT_OK, apply_conversation, "a", "manual", GAVAT_FOLLOWUP_SENT);
    pass(10 * SECOND);
    assert_due(g, "a", 0, due[4]);      /* one is enough */
}

static void the_longest_due_come_first_and_pages_give_each_once(void **state)
{
    gavat *g = at_start(state, NULL);
    char wanted[2000] = "";
    for (int i = 0; i < 60; i++) {      /* two at a time, the later users first */
        char user[20];
        snprintf(user, sizeof user, "%02d", 59 - i);
        send(g, i % 2 ? "a" : "b", user);
        if (i % 2)
            pass(SECOND);
    }
    pass(2 * HOUR);
    for (int i = 0; i < 30; i++)
        snprintf(wanted + strlen(wanted), 40, "%sa/%02d b/%02d", i == 0 ? "" : i % 5 ? " " : "|", 58 - 2 * i, 59 - 2 * i);
    assert_due(g, NULL, 10, wanted);
    for (char *at = wanted; (at = strchr(at, '|'));)
        *at = ' ';
    assert_due(g, NULL, 0, wanted);
    assert_due(g, "a", 100, "a/58 a/56 a/54 a/52 a/50 a/48 a/46 a/44 a/42 a/40 a/38 a/36 a/34 a/32 a/30 a/28 a/26 a/24 a/22 a/20 a/18 a/16 a/14 "
               "a/12 a/10 a/08 a/06 a/04 a/02 a/00");
}

static void many_pages_of_many_conversations(void **state)
{
    gavat *g = at_start(state, NULL);
    size_t count = at_scale(20000), seen = 0, due = 0;
    char cursor[1000] = "", last[100] = "";
    for (size_t i = 0; i < count; i++) {
        char user[30];
        snprintf(user, sizeof user, "%08zu", i);
        gavat_apply_conversation(gavat_op_new_wait(g, NULL, NULL, 10000), "a", user, i % 2 ? GAVAT_BOT_SENT : GAVAT_MENU_SENT);
    }
    gavat_op *all = held(g);
    gavat_flush(all);
    expect_status(all, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(all);
    pass(2 * HOUR);
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        RUN(op, get_conversations, "a", 700, *cursor ? cursor : NULL);
        for (size_t i = 0; i < gavat_op_count(op); i++, seen++) {
            assert_true(strcmp(gavat_op_conversation(op, i)->user, last) > 0);
            snprintf(last, sizeof last, "%s", gavat_op_conversation(op, i)->user);
        }
        more = gavat_op_cursor(op);
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    }
    assert_int_equal(seen, count);
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        RUN(op, get_due_conversations, NULL, 700, *cursor ? cursor : NULL);
        due += gavat_op_count(op);
        more = gavat_op_cursor(op);
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    }
    assert_int_equal(due, count / 2);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_of_a_bot_or_of_every_bot_by_user),
        cmocka_unit_test(records_are_the_states_as_they_are_now),
        cmocka_unit_test(what_has_ended_is_not_listed),
        cmocka_unit_test(a_damaged_state_is_named_and_the_others_come),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(due_to_the_microsecond_in_every_phase),
        cmocka_unit_test(three_follow_ups_each_after_its_time_again),
        cmocka_unit_test(nothing_is_due_while_paused_or_answered),
        cmocka_unit_test(the_hours_are_settings),
        cmocka_unit_test(the_longest_due_come_first_and_pages_give_each_once),
        cmocka_unit_test(many_pages_of_many_conversations),
    };
    return run_on_state("conversation_pages", cases, sizeof cases / sizeof *cases);
}
