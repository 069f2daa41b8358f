#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../lib/conversation/rules.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define T INT64_C(1767225600000000)     /* 2026-01-01 */

static const gv_dm_rules usual = {
    .cooldown = 300 * SECOND, .window = 3600 * SECOND, .manual_timeout = 24 * HOUR, .grace = 30 * SECOND, .after_initial = HOUR,
    .after_active = 6 * HOUR, .after_person = 4 * HOUR, .after_user = 6 * HOUR, .after_manual = 12 * HOUR, .window_messages = 3,
    .menu_after = 3, .max_followups = 3,
};

/* phase, times in seconds behind T (bot user intervention check person), counts (follow-ups automatic), flags: responded, active, menu,
 * manual, paused, held. */
static gv_dm make(const char *phase, const char *numbers, const char *flags)
{
    long long n[7];
    gv_dm c = gv_dm_initial();
    assert_int_equal(sscanf(numbers, "%lld %lld %lld %lld %lld %lld %lld", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6]), 7);
    gavat_time *times[] = {&c.is.last_bot_message, &c.is.last_user_message, &c.is.manual_intervention_time, &c.is.last_manual_check,
                           &c.is.last_manual_message};
    for (int i = 0; i < 5; i++)
        *times[i] = n[i] ? T + n[i] * SECOND : 0;
    c.is.phase = phase;
    c.is.followup_count = n[5];
    c.is.auto_message_count = n[6];
    c.is.user_responded = strchr(flags, 'r') != NULL;
    c.is.conversation_active = strchr(flags, 'a') != NULL;
    c.is.menu_sent = strchr(flags, 'n') != NULL;
    c.is.manual_mode_active = strchr(flags, 'm') != NULL;
    c.is.auto_messages_paused = strchr(flags, 'p') != NULL;
    c.held = strchr(flags, 'h') != NULL;
    return c;
}

static void tell(const gv_dm *c, char out[200])
{
    gavat_time times[] = {c->is.last_bot_message, c->is.last_user_message, c->is.manual_intervention_time, c->is.last_manual_check,
                          c->is.last_manual_message};
    int at = snprintf(out, 200, "%s", c->is.phase);
    for (int i = 0; i < 5; i++)
        at += snprintf(out + at, 200 - (size_t)at, " %lld", times[i] ? (long long)((times[i] - T) / SECOND) : 0);
    snprintf(out + at, 200 - (size_t)at, " %lld %lld %s%s%s%s%s%s.", (long long)c->is.followup_count, (long long)c->is.auto_message_count,
             c->is.user_responded ? "r" : "", c->is.conversation_active ? "a" : "", c->is.menu_sent ? "n" : "",
             c->is.manual_mode_active ? "m" : "", c->is.auto_messages_paused ? "p" : "", c->held ? "h" : "");
}

/* Each phase as it usually is, and what each transition makes of it at 1000 s. */
static const struct { const char *phase, *numbers, *flags; const char *after[9]; } table[] = {
    {GV_DM_INITIAL, "100 0 0 0 0 1 2", "a", {
        [GAVAT_USER_RESPONDED] = "active_conversation 100 1000 0 0 0 1 2 ra.",
        [GAVAT_BOT_SENT] = "initial_contact 1000 0 0 0 0 1 3 a.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 0 1000 0 1000 0 0 amp.",
        [GAVAT_MENU_SENT] = "initial_contact 100 0 0 0 0 1 2 an.",
        [GAVAT_FOLLOWUP_SENT] = "initial_contact 1000 0 0 0 0 2 2 a.",
        [GAVAT_PAUSE] = "initial_contact 100 0 0 0 0 1 2 aph.",
        [GAVAT_RESUME] = "active_conversation 100 0 0 0 0 1 2 a."}},
    {GV_DM_ACTIVE, "100 200 0 0 0 1 2", "ra", {
        [GAVAT_USER_RESPONDED] = "active_conversation 100 1000 0 0 0 1 2 ra.",
        [GAVAT_BOT_SENT] = "active_conversation 1000 200 0 0 0 1 3 a.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 200 1000 0 1000 0 0 ramp.",
        [GAVAT_MENU_SENT] = "active_conversation 100 200 0 0 0 1 2 ran.",
        [GAVAT_FOLLOWUP_SENT] = "active_conversation 1000 200 0 0 0 2 2 a.",
        [GAVAT_PAUSE] = "active_conversation 100 200 0 0 0 1 2 raph.",
        [GAVAT_RESUME] = "active_conversation 100 200 0 0 0 1 2 ra."}},
    {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "ramp", {
        [GAVAT_USER_RESPONDED] = "manual_conversation 100 1000 300 1000 300 0 0 ram.",
        [GAVAT_BOT_SENT] = "manual_engaged 1000 200 300 0 300 0 0 amp.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 200 1000 0 1000 0 0 ramp.",
        [GAVAT_MENU_SENT] = "manual_engaged 100 200 300 0 300 0 0 ranmp.",
        [GAVAT_FOLLOWUP_SENT] = "manual_engaged 1000 200 300 0 300 1 0 amp.",
        [GAVAT_PAUSE] = "manual_engaged 100 200 300 0 300 0 0 ramph.",
        [GAVAT_RESUME] = "active_conversation 100 200 300 0 300 0 0 ra."}},
    {GV_DM_MANUAL, "100 400 300 400 300 0 0", "ram", {
        [GAVAT_USER_RESPONDED] = "manual_conversation 100 1000 300 1000 300 0 0 ram.",
        [GAVAT_BOT_SENT] = "manual_conversation 1000 400 300 400 300 0 0 am.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 400 1000 400 1000 0 0 ramp.",
        [GAVAT_MENU_SENT] = "manual_conversation 100 400 300 400 300 0 0 ranm.",
        [GAVAT_FOLLOWUP_SENT] = "manual_conversation 1000 400 300 400 300 1 0 am.",
        [GAVAT_PAUSE] = "manual_conversation 100 400 300 400 300 0 0 ramph.",
        [GAVAT_RESUME] = "active_conversation 100 400 300 400 300 0 0 ra."}},
    /* paused by `pause`, which only `resume` ends */
    {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amph", {
        [GAVAT_USER_RESPONDED] = "manual_conversation 100 1000 300 1000 300 0 0 ramph.",
        [GAVAT_BOT_SENT] = "manual_engaged 1000 200 300 0 300 0 0 amph.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 200 1000 0 1000 0 0 amph.",
        [GAVAT_MENU_SENT] = "manual_engaged 100 200 300 0 300 0 0 anmph.",
        [GAVAT_FOLLOWUP_SENT] = "manual_engaged 1000 200 300 0 300 1 0 amph.",
        [GAVAT_PAUSE] = "manual_engaged 100 200 300 0 300 0 0 amph.",
        [GAVAT_RESUME] = "active_conversation 100 200 300 0 300 0 0 a."}},
    /* an older state: manual by its phase alone, at a time that nobody knows */
    {GV_DM_ENGAGED, "100 200 0 0 0 0 2", "a", {
        [GAVAT_USER_RESPONDED] = "manual_engaged 100 1000 200 0 0 0 2 ra.",
        [GAVAT_BOT_SENT] = "manual_engaged 1000 200 200 0 0 0 3 a.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 200 1000 0 1000 0 0 amp.",
        [GAVAT_MENU_SENT] = "manual_engaged 100 200 200 0 0 0 2 an.",
        [GAVAT_FOLLOWUP_SENT] = "manual_engaged 1000 200 200 0 0 1 2 a.",
        [GAVAT_PAUSE] = "manual_engaged 100 200 200 0 0 0 2 aph.",
        [GAVAT_RESUME] = "active_conversation 100 200 200 0 0 0 2 a."}},
    /* a phase that another program made */
    {"vip", "100 200 0 0 0 0 2", "a", {
        [GAVAT_USER_RESPONDED] = "vip 100 1000 0 0 0 0 2 ra.",
        [GAVAT_BOT_SENT] = "vip 1000 200 0 0 0 0 3 a.",
        [GAVAT_MANUAL_INTERVENTION] = "manual_engaged 100 200 1000 0 1000 0 0 amp.",
        [GAVAT_MENU_SENT] = "vip 100 200 0 0 0 0 2 an.",
        [GAVAT_FOLLOWUP_SENT] = "vip 1000 200 0 0 0 1 2 a.",
        [GAVAT_PAUSE] = "vip 100 200 0 0 0 0 2 aph.",
        [GAVAT_RESUME] = "active_conversation 100 200 0 0 0 0 2 a."}},
};

static void every_transition_in_every_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        for (gavat_transition t = GAVAT_USER_RESPONDED; t <= GAVAT_RESUME; t++) {
            char got[200];
            if (t == GAVAT_RESET)
                continue;
            gv_dm c = make(table[i].phase, table[i].numbers, table[i].flags);
            gv_dm_apply(&c, t, T + 1000 * SECOND);
            tell(&c, got);
            assert_string_equal(got, table[i].after[t]);
        }
}

static void transitions_that_there_are(void **state)
{
    (void)state;
    for (gavat_transition t = -1; t < 12; t++)
        assert_int_equal(gv_dm_known(t), t >= 1 && t <= 8);
    assert_false(gv_dm_known(INT32_MAX));
    assert_false(gv_dm_known(INT32_MIN));
}

static void counts_stop_at_their_largest(void **state)
{
    (void)state;
    gv_dm c = gv_dm_initial();
    c.is.auto_message_count = c.is.followup_count = INT64_MAX;
    gv_dm_apply(&c, GAVAT_BOT_SENT, T);
    gv_dm_apply(&c, GAVAT_FOLLOWUP_SENT, T);
    assert_true(c.is.auto_message_count == INT64_MAX && c.is.followup_count == INT64_MAX);
}

static void a_person_who_is_silent_for_a_day_has_left(void **state)
{
    (void)state;
    static const struct { const char *phase, *numbers, *flags; int64_t from; const char *after; } cases[] = {
        {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amp", 300, "active_conversation 100 200 300 0 300 0 0 a."},
        {GV_DM_ENGAGED, "100 200 300 0 500 0 0", "amp", 500, "active_conversation 100 200 300 0 500 0 0 a."},
        {GV_DM_ENGAGED, "100 200 500 0 0 0 0", "amp", 500, "active_conversation 100 200 500 0 0 0 0 a."},
        {GV_DM_MANUAL, "100 4000 300 4000 300 0 0", "am", 300, "active_conversation 100 4000 300 4000 300 0 0 a."},
        {GV_DM_ENGAGED, "100 200 0 0 0 0 0", "a", 200, "active_conversation 100 200 0 0 0 0 0 a."},     /* an older state */
        {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amph", 300, "active_conversation 100 200 300 0 300 0 0 aph."},        /* paused by hand: stays so */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[200], before[200];
        gv_dm c = make(cases[i].phase, cases[i].numbers, cases[i].flags);
        tell(&c, before);
        gv_dm_settle(&c, &usual, T + cases[i].from * SECOND + 24 * HOUR - 1);
        tell(&c, got);
        assert_string_equal(got, before);
        gv_dm_settle(&c, &usual, T + cases[i].from * SECOND + 24 * HOUR);
        tell(&c, got);
        assert_string_equal(got, cases[i].after);
    }
}

static void what_no_person_is_in_does_not_end_by_itself(void **state)
{
    (void)state;
    static const struct { const char *phase, *numbers, *flags; } cases[] = {
        {GV_DM_INITIAL, "100 0 0 0 0 0 0", "aph"}, {GV_DM_ACTIVE, "100 200 300 0 300 0 0", "aph"}, {"vip", "100 200 0 0 0 0 0", "a"},
        {GV_DM_ENGAGED, "0 0 0 0 0 0 0", ""},   /* nothing at all is known of when */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[200], before[200];
        gv_dm c = make(cases[i].phase, cases[i].numbers, cases[i].flags);
        tell(&c, before);
        gv_dm_settle(&c, &usual, T + 1000 * HOUR);
        tell(&c, got);
        assert_string_equal(got, before);
    }
}

static void times_beyond_now_are_now(void **state)
{
    (void)state;
    char got[200];
    gv_dm c = make(GV_DM_ENGAGED, "500000 100 900000 700000 600000 0 0", "amp");
    gv_dm_settle(&c, &usual, T + 1000 * SECOND);
    tell(&c, got);
    assert_string_equal(got, "manual_engaged 1000 100 1000 1000 1000 0 0 amp.");
    gv_dm_settle(&c, &usual, T + 1000 * SECOND + 24 * HOUR);
    assert_string_equal(c.is.phase, GV_DM_ACTIVE);
}

/* due: seconds behind T after which a follow-up is due; 0: never. */
static void follow_ups_are_due_by_the_hours_of_their_phase(void **state)
{
    (void)state;
    static const struct { const char *phase, *numbers, *flags; int64_t due; } cases[] = {
        {GV_DM_INITIAL, "0 0 0 0 0 0 0", "", 0},                         /* nobody has talked */
        {GV_DM_INITIAL, "100 0 0 0 0 0 1", "a", 100 + 3600},
        {GV_DM_INITIAL, "100 0 0 0 0 0 1", "", 0},                       /* not active */
        {GV_DM_INITIAL, "100 200 0 0 0 0 1", "ra", 0},                   /* the user has answered */
        {GV_DM_INITIAL, "100 0 0 0 0 2 1", "a", 100 + 3600},
        {GV_DM_INITIAL, "100 0 0 0 0 3 1", "a", 0},                      /* three are enough */
        {GV_DM_INITIAL, "100 0 0 0 0 0 1", "aph", 0},                    /* paused by `pause` */
        {"vip", "100 0 0 0 0 0 1", "a", 100 + 3600},
        {GV_DM_ACTIVE, "300 200 0 0 0 0 1", "a", 200 + 6 * 3600},        /* since the user, whoever wrote last */
        {GV_DM_ACTIVE, "100 200 0 0 0 0 1", "ra", 200 + 6 * 3600},
        {GV_DM_ACTIVE, "300 200 0 0 0 1 1", "a", 300 + 6 * 3600},        /* and anew since a follow-up */
        {GV_DM_ACTIVE, "300 400 0 0 0 1 1", "ra", 400 + 6 * 3600},
        {GV_DM_ACTIVE, "300 200 500 0 500 0 1", "a", 500 + 6 * 3600},    /* resumed: the person's counts as well */
        {GV_DM_ACTIVE, "0 0 0 0 0 0 0", "", 0},                          /* resumed without a word before */
        {GV_DM_ACTIVE, "300 200 0 0 0 3 1", "a", 0},
        {GV_DM_ACTIVE, "300 200 0 0 0 0 1", "aph", 0},
        {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amp", 200 + 6 * 3600},
        {GV_DM_ENGAGED, "100 0 300 0 300 0 0", "amp", 300 + 4 * 3600},   /* the user has never written */
        {GV_DM_ENGAGED, "100 200 9000 0 9000 0 0", "amp", 9000 + 4 * 3600},
        {GV_DM_ENGAGED, "9000 200 300 0 300 1 0", "amp", 9000 + 6 * 3600},
        {GV_DM_ENGAGED, "9000 200 300 0 300 3 0", "amp", 0},
        {GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amph", 0},
        {GV_DM_ENGAGED, "0 0 0 0 0 0 0", "", 0},
        {GV_DM_MANUAL, "100 400 300 400 300 0 0", "am", 400 + 12 * 3600},
        {GV_DM_MANUAL, "9000 400 300 400 300 2 0", "am", 9000 + 12 * 3600},
        {GV_DM_MANUAL, "100 400 300 400 300 0 0", "amph", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_dm c = make(cases[i].phase, cases[i].numbers, cases[i].flags);
        gavat_time due = gv_dm_due(&c, &usual);
        if (cases[i].due)
            assert_int_equal(due, T + cases[i].due * SECOND + 1);       /* longer than so many hours: from the next microsecond on */
        else
            assert_int_equal(due, 0);
    }
}

static void none_are_due_when_none_are_wanted(void **state)
{
    (void)state;
    gv_dm_rules rules = usual;
    rules.max_followups = 0;
    gv_dm c = make(GV_DM_ACTIVE, "100 200 0 0 0 0 1", "a");
    assert_int_equal(gv_dm_due(&c, &rules), 0);
}

/* The answer at second `now`, with permits given at so many seconds; left: of the stored state, in ms. */
static gavat_decision ask(const gv_dm *c, const gv_dm_rules *rules, const int *given, size_t count, gavat_time now, int64_t left)
{
    gavat_time at[10];
    gv_dm_permits permits = {.given = {at, count}};
    for (size_t i = 0; i < count; i++)
        at[i] = T + given[i] * SECOND;
    return gv_dm_permit(c, &permits, rules, now, left);
}

static void expect(gavat_decision d, int allowed, gavat_reason reason, gavat_advice advice, int64_t remaining, int64_t retry)
{
    assert_int_equal(d.allowed, allowed);
    assert_int_equal(d.reason, reason);
    assert_int_equal(d.advice, advice);
    assert_int_equal(d.remaining, remaining);
    assert_int_equal(d.retry_after_ms, retry);
}

static void the_cooldown_ends_to_the_microsecond(void **state)
{
    (void)state;
    gv_dm c = make(GV_DM_ACTIVE, "0 200 0 0 0 0 0", "ra");
    const int given[] = {0};
    expect(ask(&c, &usual, NULL, 0, T, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
    expect(ask(&c, &usual, given, 1, T, 0), 0, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 0, 300000);
    expect(ask(&c, &usual, given, 1, T + 1, 0), 0, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 0, 300000);
    expect(ask(&c, &usual, given, 1, T + 299 * SECOND, 0), 0, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 0, 1000);
    expect(ask(&c, &usual, given, 1, T + 300 * SECOND - 1, 0), 0, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 0, 1);
    expect(ask(&c, &usual, given, 1, T + 300 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
}

static void the_window_is_an_exact_log(void **state)
{
    (void)state;
    gv_dm_rules rules = usual;
    gv_dm c = make(GV_DM_ACTIVE, "0 200 0 0 0 0 0", "ra");
    const int given[] = {0, 100, 200};
    rules.cooldown = 0;
    expect(ask(&c, &rules, given, 0, T, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 2, 0);
    expect(ask(&c, &rules, given, 1, T + 300 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 1, 0);
    expect(ask(&c, &rules, given, 2, T + 300 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
    expect(ask(&c, &rules, given, 3, T + 300 * SECOND, 0), 0, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 0, 3300000);
    expect(ask(&c, &rules, given, 3, T + 3600 * SECOND - 1, 0), 0, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 0, 1);
    expect(ask(&c, &rules, given, 3, T + 3600 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
    expect(ask(&c, &rules, given, 3, T + 3700 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 1, 0);
    /* Within the cooldown too, the time is that at which both allow it. */
    expect(ask(&c, &usual, given, 3, T + 300 * SECOND, 0), 0, GAVAT_REASON_COOLDOWN, GAVAT_ADVICE_WAIT, 0, 3300000);
    rules.window_messages = 2;  /* a setting that was lowered */
    expect(ask(&c, &rules, given, 3, T + 300 * SECOND, 0), 0, GAVAT_REASON_WINDOW, GAVAT_ADVICE_WAIT, 0, 3400000);
}

static void a_person_silences_the_bot_until_it_may_go_on(void **state)
{
    (void)state;
    const int given[] = {350};
    gv_dm c = make(GV_DM_ENGAGED, "100 200 300 0 300 0 0", "amp");
    gavat_time now = T + 300 * SECOND + HOUR;
    expect(ask(&c, &usual, NULL, 0, now, 0), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, 23 * 3600000);
    expect(ask(&c, &usual, NULL, 0, now, 1000), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, 1000);  /* the state ends before */
    expect(ask(&c, &usual, NULL, 0, T + 300 * SECOND + 24 * HOUR - 1, 0), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, 1);
    expect(ask(&c, &usual, given, 1, T + 400 * SECOND, 1000), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, 250000);
    c = make(GV_DM_ENGAGED, "100 200 300 0 300 0 0", "a");
    expect(ask(&c, &usual, NULL, 0, now, 0), 0, GAVAT_REASON_PHASE, GAVAT_ADVICE_SILENT, 0, 23 * 3600000);
    c = make(GV_DM_ENGAGED, "0 0 0 0 0 0 0", "a");
    expect(ask(&c, &usual, NULL, 0, now, 0), 0, GAVAT_REASON_PHASE, GAVAT_ADVICE_SILENT, 0, -1);
    expect(ask(&c, &usual, NULL, 0, now, 77), 0, GAVAT_REASON_PHASE, GAVAT_ADVICE_SILENT, 0, 77);
    c = make(GV_DM_MANUAL, "100 400 300 400 300 0 0", "am");
    expect(ask(&c, &usual, NULL, 0, now, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
}

static void a_pause_ends_by_resume_alone(void **state)
{
    (void)state;
    const int given[] = {900};
    gv_dm c = make(GV_DM_ACTIVE, "100 200 0 0 0 0 0", "aph");
    expect(ask(&c, &usual, NULL, 0, T + 1000 * SECOND, 5000), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, -1);
    expect(ask(&c, &usual, given, 1, T + 1000 * SECOND, 0), 0, GAVAT_REASON_PAUSED, GAVAT_ADVICE_SILENT, 0, -1);
    gv_dm_apply(&c, GAVAT_RESUME, T + 1000 * SECOND);
    expect(ask(&c, &usual, NULL, 0, T + 1000 * SECOND, 0), 1, GAVAT_REASON_NONE, GAVAT_ADVICE_SEND, 0, 0);
}

static void the_menu_is_advised_once_enough_was_sent(void **state)
{
    (void)state;
    static const struct { const char *phase, *numbers, *flags; gavat_advice advice; } cases[] = {
        {GV_DM_ACTIVE, "100 200 0 0 0 0 2", "a", GAVAT_ADVICE_SEND}, {GV_DM_ACTIVE, "100 200 0 0 0 0 3", "a", GAVAT_ADVICE_MENU},
        {GV_DM_INITIAL, "100 0 0 0 0 0 9", "a", GAVAT_ADVICE_MENU},  {GV_DM_ACTIVE, "100 200 0 0 0 0 3", "an", GAVAT_ADVICE_SEND},
        {GV_DM_MANUAL, "100 200 0 0 0 0 3", "am", GAVAT_ADVICE_SEND}, {GV_DM_MANUAL, "100 200 0 0 0 0 3", "a", GAVAT_ADVICE_SEND},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_dm c = make(cases[i].phase, cases[i].numbers, cases[i].flags);
        expect(ask(&c, &usual, NULL, 0, T + 1000 * SECOND, 0), 1, GAVAT_REASON_NONE, cases[i].advice, 0, 0);
    }
}

static void permits_are_kept_as_long_as_they_count(void **state)
{
    (void)state;
    gv_dm_rules rules = usual;
    assert_int_equal(gv_dm_permits_kept(&rules), 3601000);
    rules.cooldown = 2 * HOUR;
    assert_int_equal(gv_dm_permits_kept(&rules), 7201000);
    rules.grace = 3 * HOUR;
    assert_int_equal(gv_dm_permits_kept(&rules), 10801000);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_transition_in_every_phase),
        cmocka_unit_test(transitions_that_there_are),
        cmocka_unit_test(counts_stop_at_their_largest),
        cmocka_unit_test(a_person_who_is_silent_for_a_day_has_left),
        cmocka_unit_test(what_no_person_is_in_does_not_end_by_itself),
        cmocka_unit_test(times_beyond_now_are_now),
        cmocka_unit_test(follow_ups_are_due_by_the_hours_of_their_phase),
        cmocka_unit_test(none_are_due_when_none_are_wanted),
        cmocka_unit_test(the_cooldown_ends_to_the_microsecond),
        cmocka_unit_test(the_window_is_an_exact_log),
        cmocka_unit_test(a_person_silences_the_bot_until_it_may_go_on),
        cmocka_unit_test(a_pause_ends_by_resume_alone),
        cmocka_unit_test(the_menu_is_advised_once_enough_was_sent),
        cmocka_unit_test(permits_are_kept_as_long_as_they_count),
    };
    return cmocka_run_group_tests_name("conversation_rules", cases, NULL, NULL);
}
