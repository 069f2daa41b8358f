/* decision.c: the answer of a rule that allows or refuses, as the one record of an op. */
#include "client.h"
#include <inttypes.h>

static const char *const advices[] = {"none", "send", "menu", "wait", "silent"};

const char *gavat_reason_name(gavat_reason reason)
{
    static const char *const names[] = {"none", "cooldown", "window", "phase", "paused"};
    return reason >= 0 && (size_t)reason < sizeof names / sizeof *names ? names[reason] : "?";
}

static void print(const void *record, gv_text *out)
{
    const gavat_decision *decision = record;
    size_t known = sizeof advices / sizeof *advices;
    const char *advice = decision->advice >= 0 && (size_t)decision->advice < known ? advices[decision->advice] : "?";
    gv_text_addf(out, "{\"allowed\":%s,\"reason\":\"%s\",\"advice\":\"%s\",\"remaining\":%" PRId64 ",\"retry_after_ms\":%" PRId64 "}",
                 decision->allowed ? "true" : "false", gavat_reason_name(decision->reason), advice, decision->remaining,
                 decision->retry_after_ms);
}

static const gv_shape decision_shape = {"decision", print};

bool gv_op_decide(gavat_op *op, const gavat_decision *decision)
{
    gv_result *result = gv_op_result(op);
    gavat_decision *copy = result ? gv_arena_alloc(&result->arena, sizeof *copy) : NULL;
    if (!copy)
        return false;
    *copy = *decision;
    result->shape = &decision_shape;
    return gv_result_add(result, copy);
}

/* The store could not be asked, and may never have heard of it. */
static bool was_away(const gavat_op *op)
{
    switch (op->outcome->error.status) {
    case GAVAT_EUNAVAIL: case GAVAT_ETIMEDOUT: case GAVAT_EIO: case GAVAT_ECORRUPT: case GAVAT_ESCHEMA:
        return true;
    default:
        return false;
    }
}

const gavat_decision *gavat_op_decision(const gavat_op *op)
{
    static const gavat_decision refused = {0, GAVAT_REASON_NONE, GAVAT_ADVICE_NONE, 0, 0, 0};
    static const gavat_decision allowed = {1, GAVAT_REASON_NONE, GAVAT_ADVICE_NONE, 0, 0, 0};
    if (!op || atomic_load_explicit(&op->phase, memory_order_acquire) < GV_PHASE_ENDED)
        return &refused;
    const gv_result *result = op->outcome->result;
    if (op->outcome->error.status == GAVAT_OK)
        return result && result->shape == &decision_shape && result->count ? result->records[0] : &refused;
    bool open = op->kind->flags & GV_DECIDES && was_away(op) && gv_config_number(op->client->config, GV_SET_WITHOUT_STATE) == 1;
    return open ? &allowed : &refused;
}
