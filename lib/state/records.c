/* records.c: a key, or an item of a list, as a record of an op. */
#include "requests.h"
#include <inttypes.h>

static void print(const void *record, gv_text *out)
{
    const gavat_state *state = record;
    gv_text_adds(out, "{\"user\":");
    if (state->user)
        gv_text_add_json(out, state->user, strlen(state->user));
    else
        gv_text_adds(out, "null");
    gv_text_adds(out, ",\"key\":");
    gv_text_add_json(out, state->key, strlen(state->key));
    gv_text_adds(out, ",\"value\":");
    gv_text_add_json(out, state->value, state->length);
    gv_text_addf(out, ",\"expire_ms\":%" PRId64 "}", state->expire_ms);
}

static const gv_shape shape = {"state", print};

bool gv_state_add(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms)
{
    gv_result *result = gv_op_result(op);
    gavat_state *state = result ? gv_arena_alloc(&result->arena, sizeof *state) : NULL;
    if (!state)
        return false;
    state->user = user && *user ? gv_arena_copy_text(&result->arena, user) : NULL;
    state->key = gv_arena_copy_text(&result->arena, key);
    state->value = gv_arena_copy(&result->arena, value, length);
    state->length = length;
    state->expire_ms = expire_ms;
    if ((user && *user && !state->user) || !state->key || !state->value)
        return false;
    result->shape = &shape;
    return gv_result_add(result, state);
}

bool gv_state_give_one(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms)
{
    if (!gv_state_add(op, user, key, value, length, expire_ms))
        return false;
    const gavat_state *state = op->staged.result->records[0];
    op->staged.result->text = state->value;
    op->staged.result->text_length = length;
    return true;
}

const gavat_state *gavat_op_state(const gavat_op *op, size_t i)
{
    if (!op || atomic_load_explicit(&op->phase, memory_order_acquire) < GV_PHASE_ENDED)
        return NULL;
    const gv_result *result = op->outcome->result;
    return result && result->shape == &shape && i < result->count ? result->records[i] : NULL;
}
