/* conversation.h: what the tests of conversations share: a clock that stands where the case sets it, and one conversation, of the bot
 * "botalfa" with the user "1001". cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_CONVERSATION_H
#define GAVATCORE_TEST_CONVERSATION_H
#include "client.h"
#include <stdatomic.h>

#define BOT "botalfa"
#define USER "1001"
#define PART "dm:" BOT ":" USER         /* the user part of its keys */
#define HOUR (3600 * SECOND)

static _Atomic gavat_time now_is = T0;

static inline gavat_time tell_time(void *user)
{
    (void)user;
    return atomic_load(&now_is);
}
static inline void pass(int64_t microseconds)
{
    atomic_fetch_add(&now_is, microseconds);
}

/* The case's store again, at T0 of that clock. settings: as for open_client. */
static inline gavat *at_start(void **state, const char *const *settings)
{
    atomic_store(&now_is, T0);
    set_clock_of_next(tell_time);
    return reopen(state, settings);
}

static inline void apply(gavat *g, gavat_transition transition)
{
    DO(g, GAVAT_OK, apply_conversation, BOT, USER, transition);
}

/* "phase last_bot last_user intervention check person followups automatic flags": times in seconds behind T0, 0 for never; flags are
 * r(esponded) a(ctive) n: menu sent, m(anual) p(aused), and a dot. */
static inline void tell_conversation(const gavat_conversation *c, char out[200])
{
    gavat_time times[] = {c->last_bot_message, c->last_user_message, c->manual_intervention_time, c->last_manual_check, c->last_manual_message};
    int at = snprintf(out, 200, "%s", c->phase);
    for (int i = 0; i < 5; i++)
        at += snprintf(out + at, 200 - (size_t)at, " %lld", times[i] ? (long long)((times[i] - T0) / SECOND) : 0);
    snprintf(out + at, 200 - (size_t)at, " %lld %lld %s%s%s%s%s.", (long long)c->followup_count, (long long)c->auto_message_count,
             c->user_responded ? "r" : "", c->conversation_active ? "a" : "", c->menu_sent ? "n" : "", c->manual_mode_active ? "m" : "",
             c->auto_messages_paused ? "p" : "");
}

static inline void expect_conversation(const gavat_op *op, size_t i, const char *wanted, const char *file, int line)
{
    char got[200];
    const gavat_conversation *c = gavat_op_conversation(op, i);
    if (!c)
        _fail(file, line);
    tell_conversation(c, got);
    _assert_string_equal(got, wanted, file, line);
}

static inline void expect_now(gavat *g, const char *wanted, const char *file, int line)
{
    gavat_op *op = held(g);
    gavat_get_conversation(op, BOT, USER);
    expect_status(op, GAVAT_OK, file, line);
    expect_conversation(op, 0, wanted, file, line);
    gavat_op_unref(op);
}
#define assert_now(g, wanted) expect_now(g, wanted, __FILE__, __LINE__)

/* The answer of permit_message. */
static inline gavat_decision permit_of(gavat *g, const char *user)
{
    gavat_op *op = held(g);
    gavat_permit_message(op, BOT, user);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_decision decision = *gavat_op_decision(op);
    gavat_op_unref(op);
    return decision;
}
static inline void expect_permit(gavat *g, int32_t allowed, gavat_reason reason, gavat_advice advice, int64_t retry_ms, const char *file, int line)
{
    gavat_decision d = permit_of(g, USER);
    if (d.allowed == allowed && d.reason == reason && d.advice == advice && d.retry_after_ms == retry_ms)
        return;
    print_error("%s:%d: allowed %d, reason %s, advice %d, retry %lld\n", file, line, d.allowed, gavat_reason_name(d.reason), d.advice,
                (long long)d.retry_after_ms);
    _fail(file, line);
}
#define assert_permitted(g, advice) expect_permit(g, 1, GAVAT_REASON_NONE, advice, 0, __FILE__, __LINE__)
#define assert_refused(g, reason, advice, retry_ms) expect_permit(g, 0, reason, advice, retry_ms, __FILE__, __LINE__)

/* 1: the message was taken for a person's. */
static inline int64_t observe(gavat *g, const char *message_id)
{
    gavat_op *op = held(g);
    gavat_observe_outgoing(op, BOT, USER, message_id);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    int64_t number = gavat_op_number(op);
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    return number;
}
#endif
