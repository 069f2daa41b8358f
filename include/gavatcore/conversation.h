/* conversation.h: the direct-message state machine of a bot and a user, kept in the state area for 24 h after its last change.
 * Each call is one atomic step and one round trip. Thresholds are settings. The usual turn of a bot:
 *     message comes:  apply(USER_RESPONDED), then permit_message
 *     permitted:      send it, note_sent(id), apply(BOT_SENT)
 *     any outgoing message seen on the account:  observe_outgoing(id), which notices when a person has taken over */
#ifndef GAVATCORE_CONVERSATION_H
#define GAVATCORE_CONVERSATION_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t gavat_transition;
enum {
    GAVAT_USER_RESPONDED = 1,
    GAVAT_BOT_SENT = 2,
    GAVAT_MANUAL_INTERVENTION = 3,
    GAVAT_MENU_SENT = 4,
    GAVAT_RESET = 5,            /* as if they had never talked */
    GAVAT_FOLLOWUP_SENT = 6,    /* counts; the next one is due after its phase's time again */
    GAVAT_PAUSE = 7,            /* no automatic message until RESUME */
    GAVAT_RESUME = 8            /* ends a pause and the manual mode */
};

typedef struct gavat_conversation {     /* read only; times 0: never; yes/no fields 1 or 0 */
    const char *bot, *user;
    const char *phase;          /* initial_contact, active_conversation, manual_engaged, manual_conversation */
    gavat_time last_bot_message, last_user_message, manual_intervention_time, last_manual_check, last_manual_message;
    int64_t followup_count, auto_message_count;
    int32_t user_responded, conversation_active, menu_sent, manual_mode_active, auto_messages_paused, reserved;
} gavat_conversation;

/* Record i of the op, or NULL. Belongs to the op. */
GAVAT_API const gavat_conversation *gavat_op_conversation(const gavat_op *op, size_t i);

/* The state now, one record; the initial one when they have not talked. */
GAVAT_API void gavat_get_conversation(gavat_op *op, const char *bot, const char *user);

/* Apply a transition; the record is the state after it. A retry after MAYBE_APPLIED may count a message twice. */
GAVAT_API void gavat_apply_conversation(gavat_op *op, const char *bot, const char *user, gavat_transition transition);

/* May the bot send now? Cooldown, window, phase, pause and menu in one decision, gavat_op_decision. A permit is spent when given,
 * whether or not the message then goes out; a retry may spend two. Without the store the setting decides: open or closed. */
GAVAT_API void gavat_permit_message(gavat_op *op, const char *bot, const char *user);

/* Remember a message id as the bot's own for 24 h. Before observe_outgoing of that id: with ids of one's own before sending, else
 * at once when the send returns. Changes nothing else. */
GAVAT_API void gavat_note_sent(gavat_op *op, const char *bot, const char *user, const char *message_id);

/* An outgoing message was seen. Not registered as the bot's own, and no permit younger than a grace time (a setting) waits for its
 * id: a person wrote it, MANUAL_INTERVENTION is applied in the same step and gavat_op_number is 1; else 0. The record is the state
 * after it. The same id seen again changes nothing. */
GAVAT_API void gavat_observe_outgoing(gavat_op *op, const char *bot, const char *user, const char *message_id);

/* A page of all conversations of a bot, or of those whose follow-up is due, longest due first. bot NULL: all bots; limit 0: 100;
 * cursor: gavat_op_cursor of the page before. Reads every live conversation of the bot, in pages. States that cannot be read are in
 * gavat_op_rejected, never the end of the page; they are not due. */
GAVAT_API void gavat_get_conversations(gavat_op *op, const char *bot, uint32_t limit, const char *cursor);
GAVAT_API void gavat_get_due_conversations(gavat_op *op, const char *bot, uint32_t limit, const char *cursor);

#ifdef __cplusplus
}
#endif
#endif
