/* counters.c: numbers that are added to. Stored as Redis does: plain decimal text of an int64. */
#include "calls.h"
#include <inttypes.h>
#include <stdio.h>

#define PREFIX "counter:"

typedef struct addition {
    int64_t amount, expire_ms;
} addition;

/* Digits as they are printed: no sign but '-', no zero in front, nothing around them. */
static bool read_number(const gv_step_key *key, int64_t *number)
{
    const char *at = key->value;
    bool negative = *at == '-';
    at += negative;
    *number = 0;
    if (!*at || (*at == '0' && (negative || at[1])) || strlen(key->value) != key->length)
        return false;
    for (; *at; at++) {
        int digit = *at - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(*number, 10, number)
            || __builtin_add_overflow(*number, negative ? -digit : digit, number))
            return false;
    }
    return true;
}

static bool refuse(gv_step *step, const char *why)
{
    gv_op_fail(step->op, GAVAT_EINVAL, 0, "", "state: the counter %s", why);
    return false;
}

static bool read_counter(gv_step *step)
{
    step->op->staged.number = 0;
    return !step->keys[0].value || read_number(&step->keys[0], &step->op->staged.number);
}

static bool decide_add(gv_step *step)
{
    const addition *asked = step->arguments;
    gv_step_key *key = &step->keys[0];
    int64_t sum;
    char *text = gv_arena_alloc(step->arena, 24);
    if (!read_counter(step))
        return refuse(step, "holds a text that is no number: gavat_reset_counter removes it");
    if (__builtin_add_overflow(step->op->staged.number, asked->amount, &sum))
        return refuse(step, "would pass the bounds of 64 bits");
    if (!text) {
        gv_op_fail(step->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for a counter");
        return false;
    }
    step->op->staged.number = sum;
    key->write = true;
    key->keep_expiry = key->value;
    key->put = text;
    key->put_length = (size_t)snprintf(text, 24, "%" PRId64, sum);
    key->put_expire_ms = asked->expire_ms;
    return true;
}

static bool decide_get(gv_step *step)
{
    return read_counter(step) || refuse(step, "holds a text that is no number");
}

static bool decide_reset(gv_step *step)
{
    if (!read_counter(step))
        step->op->staged.number = 0;
    step->keys[0].write = step->keys[0].value;
    return true;
}

static void add_addition(const void *arguments, const gv_step_words *words)
{
    const addition *asked = arguments;
    gv_step_add_number(words, asked->amount);
    gv_step_add_number(words, asked->expire_ms);
}

/* Redis reads numbers as strictly as we do. */
static const gv_step_script add_script = {
    "local s = look()\n"
    "if s.err or s.late then return s end\n"
    "if not s[3] then put(1, A[3], tonumber(A[4]))\n"
    "else\n"
    "  local n = pcall('INCRBY', K[2], A[3])\n"
    "  if type(n) == 'table' then return s end\n"
    "  known(1)\n"
    "end\n"
    "s[1] = 1\n"
    "return s", NULL, add_addition};

static const gv_step_script reset_script = {
    "local s = look()\n"
    "if s.err then return s end\n"
    "if s[3] then drop(1) end\n"
    "s[1] = 1\n"
    "return s", NULL, NULL};

void gavat_add_counter(gavat_op *op, const char *user, const char *name, int64_t amount, int64_t expire_ms)
{
    static const gv_step_rule rule = {"add_counter", NULL, 1, decide_add, &add_script};
    const addition asked = {amount, expire_ms};
    if (gv_state_begin(op, GV_ADD_COUNTER, user, "name", name) && gv_state_check_span(op, "expire_ms", expire_ms, false))
        gv_state_step_on(op, &rule, user, PREFIX, name, &asked, sizeof asked);
}

void gavat_get_counter(gavat_op *op, const char *user, const char *name)
{
    static const gv_step_rule rule = {"get_counter", NULL, 1, decide_get, NULL};
    if (gv_state_begin(op, GV_GET_COUNTER, user, "name", name))
        gv_state_step_on(op, &rule, user, PREFIX, name, NULL, 0);
}

void gavat_reset_counter(gavat_op *op, const char *user, const char *name)
{
    static const gv_step_rule rule = {"reset_counter", NULL, 1, decide_reset, &reset_script};
    if (gv_state_begin(op, GV_RESET_COUNTER, user, "name", name))
        gv_state_step_on(op, &rule, user, PREFIX, name, NULL, 0);
}
