/* conversation.c: the public calls of conversations: from the caller's arguments to a step or a walk of the state area. */
#include "steps.h"
#include "../base/utf8.h"
#include "../core/client.h"
#include "../core/request.h"
#include "../state/requests.h"

#define NAME_MOST 100           /* characters of a bot, a user, a message id */
#define USER_PART_ROOM (3 + 4 * NAME_MOST + 1 + 4 * NAME_MOST + 1)

enum { GET, APPLY, PERMIT, SENT, OBSERVE, LIST, DUE, KINDS };
#define KIND(place, name, flags) [place] = {name, GV_STATE, GV_STATE_CONVERSATIONS + (place), flags, NULL}
static const gv_kind kinds[KINDS] = {
    KIND(GET, "get_conversation", 0),
    KIND(APPLY, "apply_conversation", GV_WRITE),
    KIND(PERMIT, "permit_message", GV_WRITE | GV_DECIDES),
    KIND(SENT, "note_sent", GV_WRITE),
    KIND(OBSERVE, "observe_outgoing", GV_WRITE),
    KIND(LIST, "get_conversations", 0),
    KIND(DUE, "get_due_conversations", 0),
};

static gv_dm_rules rules_of(const gavat *g)
{
    const gavat_config *cfg = g->config;
#define SPAN(name) (gv_config_number(cfg, GV_SET_DM_##name) * 1000)
    gv_dm_rules rules = {
        .cooldown = SPAN(COOLDOWN),
        .window = SPAN(WINDOW),
        .manual_timeout = SPAN(MANUAL_TIMEOUT),
        .grace = SPAN(GRACE),
        .after_initial = SPAN(FOLLOWUP_INITIAL),
        .after_active = SPAN(FOLLOWUP_ACTIVE),
        .after_person = SPAN(FOLLOWUP_ENGAGED),
        .after_user = SPAN(FOLLOWUP_ENGAGED_USER),
        .after_manual = SPAN(FOLLOWUP_MANUAL),
        .window_messages = gv_config_number(cfg, GV_SET_DM_WINDOW_MESSAGES),
        .menu_after = gv_config_number(cfg, GV_SET_DM_MENU_AFTER),
        .max_followups = gv_config_number(cfg, GV_SET_DM_MAX_FOLLOWUPS),
    };
#undef SPAN
    return rules;
}

/* False: the op is refused. */
static bool check_name(gavat_op *op, const char *what, const char *text)
{
    size_t length = text ? strlen(text) : 0, characters = length > 4 * NAME_MOST ? NAME_MOST + 1 : gv_utf8_count(text, length);
    if (!length)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is required and must not be empty", what);
    else if (characters == SIZE_MAX)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is not valid UTF-8", what);
    else if (characters > NAME_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is longer than %d characters", what, NAME_MOST);
    else
        return true;
    return false;
}

static bool check_bot(gavat_op *op, const char *bot)
{
    if (!check_name(op, "bot", bot))
        return false;
    if (!strchr(bot, ':'))
        return true;
    gv_op_refuse(op, GAVAT_EINVAL, "bot must not hold a ':', which ends it in dm:BOT:USER");
    return false;
}

/* Begins the op of one conversation and submits its step. message_id NULL: the call has none. */
static void submit(gavat_op *op, int place, const gv_step_rule *rule, const char *bot, const char *user, gavat_transition transition,
                   const char *message_id)
{
    char part[USER_PART_ROOM];
    if (!check_bot(op, bot) || !check_name(op, "user", user))
        return;
    if ((place == SENT || place == OBSERVE) && !check_name(op, "message_id", message_id))
        return;
    snprintf(part, sizeof part, "dm:%s:%s", bot, user);
    if (!gv_state_check_user(op, part, true))
        return;
    size_t size = gv_call_sum(sizeof(gv_dm_step), gv_call_room(bot) + gv_call_room(user) + gv_call_room(message_id));
    gv_dm_step *step = gv_state_step_begin(op, rule, part, "", NULL, size);
    if (!step)
        return;
    char *at = (char *)(step + 1);
    step->rules = rules_of(op->client);
    step->state_ttl_ms = gv_config_number(op->client->config, GV_SET_DM_STATE_TTL);
    step->transition = transition;
    step->bot = gv_call_put(&at, bot);
    step->user = gv_call_put(&at, user);
    step->message_id = gv_call_put(&at, message_id);
    gv_op_submit(op);
}

void gavat_get_conversation(gavat_op *op, const char *bot, const char *user)
{
    if (gv_op_begin(op, &kinds[GET]))
        submit(op, GET, &gv_dm_get_rule, bot, user, 0, NULL);
}

void gavat_apply_conversation(gavat_op *op, const char *bot, const char *user, gavat_transition transition)
{
    if (!gv_op_begin(op, &kinds[APPLY]))
        return;
    if (!gv_dm_known(transition)) {
        gv_op_refuse(op, GAVAT_EINVAL, "there is no transition %d: use one of GAVAT_USER_RESPONDED .. GAVAT_RESUME", (int)transition);
        return;
    }
    submit(op, APPLY, transition == GAVAT_RESET ? &gv_dm_reset_rule : &gv_dm_apply_rule, bot, user, transition, NULL);
}

void gavat_permit_message(gavat_op *op, const char *bot, const char *user)
{
    if (gv_op_begin(op, &kinds[PERMIT]))
        submit(op, PERMIT, &gv_dm_permit_rule, bot, user, 0, NULL);
}

void gavat_note_sent(gavat_op *op, const char *bot, const char *user, const char *message_id)
{
    if (gv_op_begin(op, &kinds[SENT]))
        submit(op, SENT, &gv_dm_sent_rule, bot, user, 0, message_id);
}

void gavat_observe_outgoing(gavat_op *op, const char *bot, const char *user, const char *message_id)
{
    if (gv_op_begin(op, &kinds[OBSERVE]))
        submit(op, OBSERVE, &gv_dm_observe_rule, bot, user, 0, message_id);
}

static void submit_walk(gavat_op *op, int place, const gv_walk_rule *rule, const char *bot, uint32_t limit, const char *cursor)
{
    char prefix[USER_PART_ROOM];
    if (!gv_op_begin(op, &kinds[place]) || (bot && !check_bot(op, bot)))
        return;
    snprintf(prefix, sizeof prefix, "dm:%s%s", bot ? bot : "", bot ? ":" : "");
    gv_dm_rules rules = rules_of(op->client);
    gv_state_walk(op, rule, prefix, limit, cursor, &rules, sizeof rules);
}

void gavat_get_conversations(gavat_op *op, const char *bot, uint32_t limit, const char *cursor)
{
    submit_walk(op, LIST, &gv_dm_list_rule, bot, limit, cursor);
}

void gavat_get_due_conversations(gavat_op *op, const char *bot, uint32_t limit, const char *cursor)
{
    submit_walk(op, DUE, &gv_dm_due_rule, bot, limit, cursor);
}

const gavat_conversation *gavat_op_conversation(const gavat_op *op, size_t i)
{
    if (!op || atomic_load_explicit(&op->phase, memory_order_acquire) < GV_PHASE_ENDED)
        return NULL;
    const gv_result *result = op->outcome->result;
    return result && result->shape == &gv_dm_shape && i < result->count ? result->records[i] : NULL;
}
