#include "limits.h"
#include "calls.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PREFIX "limit:"

bool gv_limit_init(gv_limit *limit, uint32_t count, int64_t period_ms, uint32_t burst)
{
    int64_t period;
    if (!count || period_ms <= 0 || period_ms > GV_STATE_SPAN_MOST || __builtin_mul_overflow(period_ms, 1000, &period))
        return false;
    limit->every = (period - 1) / count + 1;
    return !__builtin_mul_overflow(limit->every, (int64_t)(burst ? burst : count), &limit->span)
           && limit->span <= GV_STATE_SPAN_MOST * 1000;
}

gavat_decision gv_limit_take(const gv_limit *limit, gavat_time now, gavat_time *earned)
{
    gavat_decision decision = {.allowed = 1};
    if (*earned < now)
        *earned = now;
    if (*earned > now + limit->span)
        *earned = now + limit->span;
    int64_t over = *earned + limit->every - (now + limit->span);        /* above 0: the next one is not earned yet */
    if (over > 0) {
        decision.allowed = 0;
        decision.reason = GAVAT_REASON_WINDOW;
        decision.retry_after_ms = (over + 999) / 1000;
        return decision;
    }
    *earned += limit->every;
    decision.remaining = -over / limit->every;
    return decision;
}

/* 0: none. False: not a time that this could have written. */
static bool read_earned(const gv_step_key *key, gavat_time *earned)
{
    char *end;
    *earned = 0;
    if (!key->value)
        return true;
    if (!key->length || key->length > 18 || key->value[0] < '0' || key->value[0] > '9')
        return false;
    *earned = strtoll(key->value, &end, 10);
    return !*end;
}

static bool decide(gv_step *step)
{
    const gv_limit *limit = step->arguments;
    gv_step_key *key = &step->keys[0];
    char *text = gv_arena_alloc(step->arena, 24);
    gavat_time kept, earned;
    if (!read_earned(key, &kept)) {
        gv_op_fail(step->op, GAVAT_EINVAL, 0, "", "state: the limit holds a text that is no time: gavat_clear_state removes it");
        return false;
    }
    earned = kept;
    gavat_decision decision = gv_limit_take(limit, step->now, &earned);
    if (!text || !gv_op_decide(step->op, &decision)) {
        gv_op_fail(step->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for a decision");
        return false;
    }
    if (!decision.allowed && earned == kept)
        return true;
    key->write = true;
    key->put = text;
    key->put_length = (size_t)snprintf(text, 24, "%" PRId64, earned);
    key->put_expire_ms = gv_state_left_ms(earned, step->now);
    return true;
}

static void add_limit(const void *arguments, const gv_step_words *words)
{
    const gv_limit *limit = arguments;
    gv_step_add_number(words, limit->every);
    gv_step_add_number(words, limit->span);
}

/* What is allowed; a refusal writes little or nothing, and is left to `decide`. */
static const gv_step_script script = {
    "local s = look()\n"
    "if s.err or s.late then return s end\n"
    "local every, most, earned = tonumber(A[3]), now + tonumber(A[4]), 0\n"
    "if s[3] then\n"
    "  if #s[3] > 15 or not s[3]:match('^%d+$') then return s end\n"
    "  earned = tonumber(s[3])\n"
    "end\n"
    "if earned < now then earned = now elseif earned > most then earned = most end\n"
    "earned = earned + every\n"
    "if earned > most then return s end\n"
    "put(1, format('%.0f', earned), math.ceil((earned - now) / 1000))\n"
    "s[1] = 1\n"
    "return s", NULL, add_limit};

void gavat_try_limit(gavat_op *op, const char *user, const char *action, uint32_t count, int64_t period_ms, uint32_t burst)
{
    static const gv_step_rule rule = {"try_limit", NULL, 1, decide, &script};
    gv_limit limit;
    if (!gv_state_begin(op, GV_TRY_LIMIT, user, "action", action))
        return;
    if (!count || period_ms <= 0)
        gv_op_refuse(op, GAVAT_EINVAL, "%s must be above 0", count ? "period_ms" : "count");
    else if (!gv_limit_init(&limit, count, period_ms, burst))
        gv_op_refuse(op, GAVAT_EINVAL, "period_ms is too long: period_ms, and period_ms / count * burst, may be 100 years");
    else
        gv_state_step_on(op, &rule, user, PREFIX, action, &limit, sizeof limit);
}
