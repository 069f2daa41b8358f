/* steps.h: the atomic steps of a conversation, and the walks over all of them, as rules of the state area (lib/state/step.h): what the
 * calls submit. */
#ifndef GV_CONVERSATION_STEPS_H
#define GV_CONVERSATION_STEPS_H
#include "rules.h"
#include "../state/step.h"

#define GV_DM_STATE_KEY "conversation_state"

typedef struct gv_dm_step {     /* the arguments */
    gv_dm_rules rules;
    int64_t state_ttl_ms;
    gavat_transition transition;
    const char *bot, *user, *message_id;        /* behind it */
} gv_dm_step;

extern const gv_step_rule gv_dm_get_rule, gv_dm_apply_rule, gv_dm_reset_rule, gv_dm_permit_rule, gv_dm_sent_rule, gv_dm_observe_rule;

/* Their arguments are the gv_dm_rules. A state that cannot be read is among the op's rejected ones, and never due. */
extern const gv_walk_rule gv_dm_list_rule, gv_dm_due_rule;

/* Add the record to the op's result; all is copied. False: no memory. */
bool gv_dm_add(gavat_op *op, const gavat_conversation *c, gv_slice bot, gv_slice user);
extern const gv_shape gv_dm_shape;
#endif
