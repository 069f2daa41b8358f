#include "steps.h"
#include "ids.h"

#define PERMITS_KEY "conversation_permits"
#define MESSAGES_KEY "conversation_messages"

/* A rule takes a run of these. */
static const char *const keys[] = {GV_DM_STATE_KEY, PERMITS_KEY, MESSAGES_KEY};
enum { STATE, PERMITS, MESSAGES };

const gv_shape gv_dm_shape = {"conversation", gv_dm_print};

static gv_slice value_of(const gv_step_key *key)
{
    return (gv_slice){key->value, key->length};
}

static bool no_memory(gavat_op *op)
{
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the conversation");
    return false;
}

/* What is stored stays as it is until somebody who knows what he does takes it away. */
static bool damaged(const gv_step *step, const char *key, const char *why)
{
    const gv_dm_step *asked = step->arguments;
    gv_op_fail(step->op, GAVAT_ECORRUPT, 0, "", "the key %s of dm:%s:%s cannot be read%s%s: mend it, or begin the conversation anew with reset",
               key, asked->bot, asked->user, *why ? ", " : "", why);
    return false;
}

/* The state as it is now; false: the op has failed. */
static bool read_state(const gv_step *step, gv_dm *c)
{
    char why[GV_DM_WHY] = "";
    const gv_dm_step *asked = step->arguments;
    const gv_step_key *key = &step->keys[STATE];
    *c = gv_dm_initial();
    gavat_status status = key->value ? gv_dm_read(c, value_of(key), step->arena, why) : GAVAT_OK;
    if (status != GAVAT_OK)
        return status == GAVAT_ENOMEM ? no_memory(step->op) : damaged(step, GV_DM_STATE_KEY, why);
    gv_dm_settle(c, &asked->rules, step->now);
    return true;
}

static bool read_permits(const gv_step *step, const gv_step_key *key, gv_dm_permits *permits)
{
    const gv_dm_step *asked = step->arguments;
    gavat_status status = gv_dm_permits_read(permits, value_of(key), step->arena, step->now, asked->rules.window, asked->rules.grace);
    if (status == GAVAT_OK)
        return true;
    return status == GAVAT_ENOMEM ? no_memory(step->op) : damaged(step, PERMITS_KEY, "");
}

static bool find_id(const gv_step *step, const gv_step_key *key, gv_dm_whose *whose)
{
    const gv_dm_step *asked = step->arguments;
    return gv_dm_ids_find(value_of(key), asked->message_id, step->now, whose) || damaged(step, MESSAGES_KEY, "");
}

/* Stores what was printed into text, and frees it. */
static bool put(const gv_step *step, gv_step_key *key, gv_text *text, int64_t expire_ms)
{
    key->write = true;
    key->put_length = text->length;
    key->put_expire_ms = expire_ms;
    key->put = text->failed ? NULL : gv_arena_copy(step->arena, gv_text_get(text), text->length);
    gv_text_free(text);
    return key->put || no_memory(step->op);
}

static bool put_state(const gv_step *step, const gv_dm *c)
{
    gv_text text = {0};
    const gv_dm_step *asked = step->arguments;
    gv_dm_write(c, &text);
    return put(step, &step->keys[STATE], &text, asked->state_ttl_ms);
}

static bool put_permits(const gv_step *step, gv_step_key *key, const gv_dm_permits *permits)
{
    gv_text text = {0};
    const gv_dm_step *asked = step->arguments;
    gv_dm_permits_write(permits, &text);
    return put(step, key, &text, gv_dm_permits_kept(&asked->rules));
}

static bool put_id(const gv_step *step, gv_step_key *key, gv_dm_whose whose)
{
    gv_text text = {0};
    const gv_dm_step *asked = step->arguments;
    gv_dm_ids_write(&text, value_of(key), asked->message_id, step->now, whose);
    return put(step, key, &text, GV_DM_IDS_KEPT_MS);
}

static void take_away(gv_step_key *key)
{
    key->write = key->value != NULL;
    key->put = NULL;
}

static const char *copy(gv_arena *arena, gv_slice text)
{
    return gv_arena_copy(arena, text.data, text.length);
}

bool gv_dm_add(gavat_op *op, const gavat_conversation *c, gv_slice bot, gv_slice user)
{
    gv_result *result = gv_op_result(op);
    gavat_conversation *record = result ? gv_arena_alloc(&result->arena, sizeof *record) : NULL;
    if (!record)
        return false;
    *record = *c;
    record->bot = copy(&result->arena, bot);
    record->user = copy(&result->arena, user);
    record->phase = gv_arena_copy_text(&result->arena, c->phase);
    result->shape = &gv_dm_shape;
    return record->bot && record->user && record->phase && gv_result_add(result, record);
}

static bool answer(const gv_step *step, const gv_dm *c)
{
    const gv_dm_step *asked = step->arguments;
    return gv_dm_add(step->op, &c->is, gv_slice_of(asked->bot), gv_slice_of(asked->user)) || no_memory(step->op);
}

static bool decide_get(gv_step *step)
{
    gv_dm c;
    return read_state(step, &c) && answer(step, &c);
}

static bool decide_apply(gv_step *step)
{
    gv_dm c;
    const gv_dm_step *asked = step->arguments;
    if (!read_state(step, &c))
        return false;
    gv_dm_apply(&c, asked->transition, step->now);
    return put_state(step, &c) && answer(step, &c);
}

/* Nobody has ever talked: state and permits go. What was already sent stays known, or it would be taken for a person's. */
static bool decide_reset(gv_step *step)
{
    gv_dm_whose whose;
    gv_dm_permits permits;
    gv_dm c = gv_dm_initial();
    const gv_dm_step *asked = step->arguments;
    gv_step_key *log = &step->keys[PERMITS], *messages = &step->keys[MESSAGES];
    take_away(&step->keys[STATE]);
    if (!gv_dm_ids_find(value_of(messages), "", step->now, &whose))
        take_away(messages);
    gavat_status status = gv_dm_permits_read(&permits, value_of(log), step->arena, step->now, asked->rules.window, asked->rules.grace);
    if (status == GAVAT_ENOMEM)
        return no_memory(step->op);
    take_away(log);
    permits.given.count = 0;
    if (status == GAVAT_OK && permits.waiting.count && !put_permits(step, log, &permits))
        return false;
    return answer(step, &c);
}

static bool decide_permit(gv_step *step)
{
    gv_dm c;
    gv_dm_permits permits;
    const gv_dm_step *asked = step->arguments;
    if (!read_state(step, &c) || !read_permits(step, &step->keys[PERMITS], &permits))
        return false;
    gavat_decision decision = gv_dm_permit(&c, &permits, &asked->rules, step->now, step->keys[STATE].expire_ms);
    if (decision.allowed) {
        gv_dm_times_add(&permits.given, step->now);
        if (asked->rules.grace)
            gv_dm_times_add(&permits.waiting, step->now);
        if (!put_permits(step, &step->keys[PERMITS], &permits))
            return false;
    }
    return gv_op_decide(step->op, &decision) || no_memory(step->op);
}

static bool decide_sent(gv_step *step)
{
    gv_dm_whose whose;
    gv_dm_permits permits;
    gv_step_key *log = &step->keys[0], *messages = &step->keys[1];
    if (!read_permits(step, log, &permits) || !find_id(step, messages, &whose))
        return false;
    if (whose != GV_DM_OWN && permits.waiting.count) {
        gv_dm_times_drop_first(&permits.waiting);
        if (!put_permits(step, log, &permits))
            return false;
    }
    return put_id(step, messages, GV_DM_OWN);
}

/* An id that nobody knows: of the message that a permit waits for, else a person's. */
static bool take_in(gv_step *step, gv_dm *c, gv_dm_permits *permits)
{
    gv_step_key *messages = &step->keys[MESSAGES];
    if (permits->waiting.count) {
        gv_dm_times_drop_first(&permits->waiting);
        return put_permits(step, &step->keys[PERMITS], permits) && put_id(step, messages, GV_DM_OWN);
    }
    gv_dm_apply(c, GAVAT_MANUAL_INTERVENTION, step->now);
    step->op->staged.number = 1;
    return put_id(step, messages, GV_DM_OTHERS) && put_state(step, c);
}

static bool decide_observe(gv_step *step)
{
    gv_dm c;
    gv_dm_whose whose;
    gv_dm_permits permits;
    if (!read_state(step, &c) || !read_permits(step, &step->keys[PERMITS], &permits) || !find_id(step, &step->keys[MESSAGES], &whose))
        return false;
    step->op->staged.number = whose == GV_DM_OTHERS;
    if (whose == GV_DM_NOBODY && !take_in(step, &c, &permits))
        return false;
    return answer(step, &c);
}

const gv_step_rule gv_dm_get_rule = {"get_conversation", keys, 1, decide_get, NULL};
const gv_step_rule gv_dm_apply_rule = {"apply_conversation", keys, 1, decide_apply, NULL};
const gv_step_rule gv_dm_reset_rule = {"reset_conversation", keys, 3, decide_reset, NULL};
const gv_step_rule gv_dm_permit_rule = {"permit_message", keys, 2, decide_permit, NULL};
const gv_step_rule gv_dm_sent_rule = {"note_sent", keys + PERMITS, 2, decide_sent, NULL};
const gv_step_rule gv_dm_observe_rule = {"observe_outgoing", keys, 3, decide_observe, NULL};
