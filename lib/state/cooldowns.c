/* cooldowns.c: an action that may not be done again for a while. The key's expiry is the cooldown; its value tells when it began, as the
 * original writes it. A cooldown without expiry, which only others can make, is none. */
#include "calls.h"
#include "../base/clock.h"

#define PREFIX "cooldown:"

/* As datetime.isoformat of Python: no fraction where it is nothing. */
static void start(gv_step *step, int64_t duration_ms)
{
    gv_step_key *key = &step->keys[0];
    char *text = gv_arena_alloc(step->arena, 28);
    key->write = text;
    if (!text)
        return;
    gv_time_to_sql(step->now, text);
    text[10] = 'T';
    if (step->now % 1000000 == 0)
        text[19] = '\0';
    key->put = text;
    key->put_length = strlen(text);
    key->put_expire_ms = duration_ms;
}

static bool started(gv_step *step)
{
    if (step->keys[0].write)
        return true;
    gv_op_fail(step->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for a cooldown");
    return false;
}

static int64_t left(const gv_step *step)
{
    return step->keys[0].value ? step->keys[0].expire_ms : 0;
}

static bool decide_set(gv_step *step)
{
    start(step, *(const int64_t *)step->arguments);
    return started(step);
}

static bool decide_check(gv_step *step)
{
    step->op->staged.number = left(step);
    return true;
}

static bool decide_try(gv_step *step)
{
    int64_t wait = left(step);
    gavat_decision decision = {.allowed = wait == 0, .reason = wait ? GAVAT_REASON_COOLDOWN : GAVAT_REASON_NONE, .retry_after_ms = wait};
    if (!wait)
        start(step, *(const int64_t *)step->arguments);
    if (!wait && !started(step))
        return false;
    if (gv_op_decide(step->op, &decision))
        return true;
    gv_op_fail(step->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for a decision");
    return false;
}

/* As `start` writes it. */
#define ISO \
    "local function iso()\n" \
    "  local s = floor(now / 1000000)\n" \
    "  local us, day, sec = now - s * 1000000, floor(s / 86400) + 719468, s % 86400\n" \
    "  local era = floor(day / 146097)\n" \
    "  local d = day - era * 146097\n" \
    "  local y = floor((d - floor(d / 1460) + floor(d / 36524) - floor(d / 146096)) / 365)\n" \
    "  local n = d - (365 * y + floor(y / 4) - floor(y / 100))\n" \
    "  local p = floor((5 * n + 2) / 153)\n" \
    "  local m = p < 10 and p + 3 or p - 9\n" \
    "  local t = format('%04d-%02d-%02dT%02d:%02d:%02d', y + era * 400 + (m <= 2 and 1 or 0), m, n - floor((153 * p + 2) / 5) + 1,\n" \
    "                   floor(sec / 3600), floor(sec / 60) % 60, sec % 60)\n" \
    "  return us > 0 and t .. format('.%06d', us) or t\n" \
    "end\n"

static void add_duration(const void *arguments, const gv_step_words *words)
{
    gv_step_add_number(words, *(const int64_t *)arguments);
}

static const gv_step_script set_script = {
    ISO "local s = look()\n"
    "if s.err then return s end\n"
    "put(1, iso(), tonumber(A[3]))\n"
    "s[1] = 1\n"
    "return s", NULL, add_duration};

static const gv_step_script try_script = {
    ISO "local s = look()\n"
    "if s.err or s.late or (s[3] and s[4] ~= '0') then return s end\n"
    "put(1, iso(), tonumber(A[3]))\n"
    "s[1] = 1\n"
    "return s", NULL, add_duration};

static const gv_step_rule set_rule = {"set_cooldown", NULL, 1, decide_set, &set_script};
static const gv_step_rule check_rule = {"check_cooldown", NULL, 1, decide_check, NULL};
static const gv_step_rule try_rule = {"try_cooldown", NULL, 1, decide_try, &try_script};

static void submit(gavat_op *op, gv_state_place place, const gv_step_rule *rule, const char *user, const char *action, int64_t duration_ms)
{
    if (gv_state_begin(op, place, user, "action", action) && gv_state_check_span(op, "duration_ms", duration_ms, true))
        gv_state_step_on(op, rule, user, PREFIX, action, &duration_ms, sizeof duration_ms);
}

void gavat_set_cooldown(gavat_op *op, const char *user, const char *action, int64_t duration_ms)
{
    submit(op, GV_SET_COOLDOWN, &set_rule, user, action, duration_ms);
}

void gavat_try_cooldown(gavat_op *op, const char *user, const char *action, int64_t duration_ms)
{
    submit(op, GV_TRY_COOLDOWN, &try_rule, user, action, duration_ms);
}

void gavat_check_cooldown(gavat_op *op, const char *user, const char *action)
{
    if (gv_state_begin(op, GV_CHECK_COOLDOWN, user, "action", action))
        gv_state_step_on(op, &check_rule, user, PREFIX, action, NULL, 0);
}

void gavat_clear_cooldown(gavat_op *op, const char *user, const char *action)
{
    if (!gv_state_begin(op, GV_CLEAR_COOLDOWN, user, "action", action))
        return;
    const gv_state_request asked = {.verb = GV_STATE_REMOVE, .user = user, .number = true};
    gv_state_submit(op, &asked, PREFIX, action);
}
