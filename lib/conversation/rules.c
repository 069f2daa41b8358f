#include "rules.h"

static gavat_time later(gavat_time a, gavat_time b)
{
    return a > b ? a : b;
}

static bool is_phase(const gv_dm *c, const char *phase)
{
    return strcmp(c->is.phase, phase) == 0;
}

/* Older states say it by the phase alone. */
static bool is_manual(const gv_dm *c)
{
    return c->is.manual_mode_active || is_phase(c, GV_DM_ENGAGED) || is_phase(c, GV_DM_MANUAL);
}

/* When the person was last known to be there; older states may not know: then the conversation's last message counts. 0: never. */
static gavat_time person_at(const gv_dm *c)
{
    gavat_time time = later(c->is.last_manual_message, c->is.manual_intervention_time);
    return time ? time : later(c->is.last_user_message, c->is.last_bot_message);
}

static void resume(gv_dm *c)
{
    c->is.manual_mode_active = 0;
    c->is.phase = GV_DM_ACTIVE;
    if (!c->held)
        c->is.auto_messages_paused = 0;
}

void gv_dm_settle(gv_dm *c, const gv_dm_rules *rules, gavat_time now)
{
    gavat_time *times[] = {&c->is.last_bot_message, &c->is.last_user_message, &c->is.manual_intervention_time, &c->is.last_manual_check,
                           &c->is.last_manual_message};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (*times[i] > now)
            *times[i] = now;
    gavat_time person = person_at(c);
    if (is_manual(c) && person && now - person >= rules->manual_timeout)
        resume(c);
}

bool gv_dm_known(gavat_transition transition)
{
    return transition >= GAVAT_USER_RESPONDED && transition <= GAVAT_RESUME;
}

static void count_up(int64_t *count)
{
    if (*count < INT64_MAX)
        ++*count;
}

static void user_responded(gv_dm *c, gavat_time now)
{
    c->is.user_responded = c->is.conversation_active = 1;
    c->is.last_user_message = now;
    if (c->is.manual_mode_active) {
        c->is.phase = GV_DM_MANUAL;
        c->is.last_manual_check = now;
        c->is.auto_messages_paused = c->held;
    } else if (is_phase(c, GV_DM_INITIAL)) {
        c->is.phase = GV_DM_ACTIVE;
    }
}

static void manual_intervention(gv_dm *c, gavat_time now)
{
    c->is.phase = GV_DM_ENGAGED;
    c->is.manual_intervention_time = c->is.last_manual_message = now;
    c->is.manual_mode_active = c->is.auto_messages_paused = 1;
    c->is.followup_count = c->is.auto_message_count = 0;
}

/* From the first change on, a person whose time an older state does not tell is taken to have written last in it. */
static void date_person(gv_dm *c, gavat_time now)
{
    if (is_manual(c) && !later(c->is.last_manual_message, c->is.manual_intervention_time))
        c->is.manual_intervention_time = person_at(c) ? person_at(c) : now;
}

void gv_dm_apply(gv_dm *c, gavat_transition transition, gavat_time now)
{
    date_person(c, now);
    switch (transition) {
    case GAVAT_USER_RESPONDED:
        user_responded(c, now);
        break;
    case GAVAT_BOT_SENT:
        c->is.last_bot_message = now;
        c->is.user_responded = 0;
        c->is.conversation_active = 1;
        if (!c->is.manual_mode_active)
            count_up(&c->is.auto_message_count);
        break;
    case GAVAT_MANUAL_INTERVENTION:
        manual_intervention(c, now);
        break;
    case GAVAT_MENU_SENT:
        c->is.menu_sent = 1;
        break;
    case GAVAT_FOLLOWUP_SENT:
        c->is.last_bot_message = now;
        c->is.user_responded = 0;
        count_up(&c->is.followup_count);
        break;
    case GAVAT_PAUSE:
        c->held = true;
        c->is.auto_messages_paused = 1;
        break;
    case GAVAT_RESUME:
        c->held = false;
        resume(c);
        break;
    default:
        break;
    }
}

/* The hours of a phase run from the last message of the user or the person, and anew from each follow-up, which leaves its time in
 * last_bot_message. 0: there was none. */
static gavat_time silent_since(const gv_dm *c, gavat_time message)
{
    return c->is.followup_count ? later(message, c->is.last_bot_message) : message;
}

gavat_time gv_dm_due(const gv_dm *c, const gv_dm_rules *rules)
{
    gavat_time person = later(c->is.last_manual_message, c->is.manual_intervention_time), user = c->is.last_user_message;
    if (c->held || c->is.followup_count >= rules->max_followups)
        return 0;
    if (is_phase(c, GV_DM_ENGAGED)) {
        person = silent_since(c, person);
        user = silent_since(c, user);
        return person || user ? later(person + rules->after_person, user ? user + rules->after_user : 0) + 1 : 0;
    }
    if (is_phase(c, GV_DM_MANUAL) || is_phase(c, GV_DM_ACTIVE)) {
        gavat_time since = silent_since(c, later(user, person));
        return since ? since + (is_phase(c, GV_DM_ACTIVE) ? rules->after_active : rules->after_manual) + 1 : 0;
    }
    bool waits = !c->is.user_responded && c->is.conversation_active && c->is.last_bot_message;
    return waits ? c->is.last_bot_message + rules->after_initial + 1 : 0;
}

static int64_t to_ms(int64_t span)      /* rounded up: never too early */
{
    return span > 0 ? (span + 999) / 1000 : 0;
}

/* Until automatic messages go on by themselves; -1: they will not. */
static int64_t silent_for(const gv_dm *c, const gv_dm_rules *rules, gavat_time now, int64_t left_ms)
{
    gavat_time person = person_at(c);
    if (c->held)
        return -1;
    int64_t left = person ? to_ms(person + rules->manual_timeout - now) : -1;
    return left_ms > 0 && (left < 0 || left_ms < left) ? left_ms : left;    /* the state itself ends */
}

/* Until the window has room for one more. */
static int64_t window_for(const gv_dm_times *given, const gv_dm_rules *rules, gavat_time now)
{
    size_t most = (size_t)rules->window_messages;
    return given->count >= most ? to_ms(given->at[given->count - most] + rules->window - now) : 0;
}

static size_t count_since(const gv_dm_times *given, gavat_time from)
{
    size_t count = 0;
    while (count < given->count && given->at[given->count - 1 - count] > from)
        count++;
    return count;
}

gavat_decision gv_dm_permit(const gv_dm *c, const gv_dm_permits *permits, const gv_dm_rules *rules, gavat_time now, int64_t left_ms)
{
    const gv_dm_times *given = &permits->given;
    gavat_decision decision = {0};
    int64_t silent = 0, cooldown = given->count ? to_ms(given->at[given->count - 1] + rules->cooldown - now) : 0;
    int64_t window = window_for(given, rules, now);
    if (c->is.auto_messages_paused || is_phase(c, GV_DM_ENGAGED)) {
        decision.reason = c->is.auto_messages_paused ? GAVAT_REASON_PAUSED : GAVAT_REASON_PHASE;
        decision.advice = GAVAT_ADVICE_SILENT;
        silent = silent_for(c, rules, now, left_ms);
    } else if (cooldown || window) {
        decision.reason = cooldown ? GAVAT_REASON_COOLDOWN : GAVAT_REASON_WINDOW;
        decision.advice = GAVAT_ADVICE_WAIT;
    } else {
        bool menu = !is_manual(c) && !c->is.menu_sent && c->is.auto_message_count >= rules->menu_after;
        decision.allowed = 1;
        decision.advice = menu ? GAVAT_ADVICE_MENU : GAVAT_ADVICE_SEND;
        decision.remaining = rules->cooldown ? 0 : rules->window_messages - 1 - (int64_t)count_since(given, now - rules->window);
    }
    decision.retry_after_ms = silent < 0 ? -1 : later(silent, later(cooldown, window));
    return decision;
}

int64_t gv_dm_permits_kept(const gv_dm_rules *rules)
{
    return to_ms(later(later(rules->cooldown, rules->window), rules->grace)) + 1000;    /* however the store rounds */
}
