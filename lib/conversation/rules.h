/* rules.h: the rules of a conversation: what a transition changes, when a person's turn ends by itself, when a follow-up is due, whether the
 * bot may send. Pure functions of the state, the settings and the time; spans and times are microseconds. Any thread.
 *
 * Stored times beyond now count as now: a clock that was wrong once costs no more than one span. gv_dm_settle sees to it, and comes first. */
#ifndef GV_CONVERSATION_RULES_H
#define GV_CONVERSATION_RULES_H
#include "permits.h"
#include "record.h"

typedef struct gv_dm_rules {    /* the settings */
    int64_t cooldown, window, manual_timeout, grace;
    int64_t after_initial, after_active, after_person, after_user, after_manual;        /* follow-ups; person, user: of manual_engaged */
    int64_t window_messages, menu_after, max_followups;
} gv_dm_rules;

/* The state as it is now: a person who has been silent for manual_timeout has left. */
void gv_dm_settle(gv_dm *c, const gv_dm_rules *rules, gavat_time now);

/* Of a settled state; not for GAVAT_RESET, which is no change but an end. False: there is no such transition. */
bool gv_dm_known(gavat_transition transition);
void gv_dm_apply(gv_dm *c, gavat_transition transition, gavat_time now);

/* The first microsecond at which a follow-up is due; 0: none will be. */
gavat_time gv_dm_due(const gv_dm *c, const gv_dm_rules *rules);

/* Of a settled state. left_ms: what the stored state has left to live, 0: it is not stored, or for ever. Nothing is spent yet. */
gavat_decision gv_dm_permit(const gv_dm *c, const gv_dm_permits *permits, const gv_dm_rules *rules, gavat_time now, int64_t left_ms);

/* How long permits count for anything, in milliseconds. */
int64_t gv_dm_permits_kept(const gv_dm_rules *rules);
#endif
