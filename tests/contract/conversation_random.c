/* Random calls, by seed, on a store and on a plain model beside it, which knows the rules in its own way: it asks what would be allowed at
 * one time after another, where the library computes. Calls between two moves of the clock are under way together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/conversation.h"
#include <inttypes.h>
#include <string.h>

#define SEEDS 5
#define FULL 100000             /* calls of all seeds together */
#define PENDING 64
#define IDS 40
#define LOG_MOST 4000
#define MOST 2000               /* bytes of an answer */

typedef struct plan {           /* settings of a seed: seconds and counts */
    int ttl, cooldown, window, messages, menu, manual, grace;
} plan;

typedef struct pair {           /* one conversation of the model */
    bool stored, responded, active, menu, manual, paused, held;
    int phase;                  /* initial, active, engaged, talk */
    gavat_time bot, user, intervention, check, person, ends;
    int64_t followups, automatic;
    gavat_time given[LOG_MOST], waiting[LOG_MOST];
    size_t given_count, waiting_count;
    int whose[IDS];             /* 0 nobody's, 1 own, 2 a person's */
    gavat_time seen[IDS];
} pair;

static const char *const bots[] = {"a", "bşt"}, *const users[] = {"1", "b:2", "ı3"};
#define PAIRS 6

typedef struct game {
    gavat *g;
    uint64_t random;
    plan p;
    pair pairs[PAIRS];
    struct { gavat_op *op; bool decides, counts, records; char wanted[MOST]; } pending[PENDING];
    size_t pending_count;
    int due;                    /* how often there was one */
} game;

enum { INITIAL, ACTIVE, ENGAGED, TALK };
static const char *const phases[] = {"initial_contact", "active_conversation", "manual_engaged", "manual_conversation"};

/* What holds now: an ended state is as if there had never been one, a person who is silent for long has left. */
static void come_to(const plan *p, pair *c, gavat_time now)
{
    if (c->stored && now >= c->ends) {
        c->stored = c->responded = c->active = c->menu = c->manual = c->paused = c->held = false;
        c->phase = INITIAL;
        c->bot = c->user = c->intervention = c->check = c->person = 0;
        c->followups = c->automatic = 0;
    }
    if (c->manual && now >= c->person + p->manual * SECOND) {
        c->manual = false;
        c->paused = c->held;
        c->phase = ACTIVE;
    }
}

static bool silent(const pair *c)
{
    return c->paused || c->phase == ENGAGED;
}

static bool cooling(const plan *p, const pair *c, gavat_time now)
{
    for (size_t i = 0; i < c->given_count; i++)
        if (now < c->given[i] + p->cooldown * SECOND)
            return true;
    return false;
}

static int in_window(const plan *p, const pair *c, gavat_time now)
{
    int count = 0;
    for (size_t i = 0; i < c->given_count; i++)
        count += now < c->given[i] + p->window * SECOND;
    return count;
}

static bool allowed_at(const plan *p, const pair *c, gavat_time now)
{
    static pair then;
    then = *c;
    come_to(p, &then, now);
    return !silent(&then) && !cooling(p, &then, now) && in_window(p, &then, now) < p->messages;
}

/* The first whole millisecond from now on at which it is allowed: it can only begin where something ends. */
static int64_t wait_for(const plan *p, const pair *c, gavat_time now)
{
    int64_t best = -1;
    for (size_t i = 0; i < 2 * c->given_count + 2; i++) {
        gavat_time ends = i == 0 ? c->ends : i == 1 ? c->person + p->manual * SECOND : c->given[(i - 2) / 2] + (i % 2 ? p->cooldown : p->window) * SECOND;
        int64_t ms = ends > now ? (ends - now + 999) / 1000 : 0;
        if (ends > now && (best < 0 || ms < best) && allowed_at(p, c, now + ms * 1000))
            best = ms;
    }
    return best;
}

static void print_record(const pair *c, char *out)
{
    snprintf(out, MOST, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d%d%d%d%d", phases[c->phase], c->bot,
             c->user, c->intervention, c->check, c->person, c->followups, c->automatic, c->responded, c->active, c->menu, c->manual, c->paused);
}

static void model_apply(const plan *p, pair *c, gavat_transition t, gavat_time now)
{
    c->stored = true;
    c->ends = now + p->ttl * SECOND;
    if (t == GAVAT_USER_RESPONDED) {
        c->responded = c->active = true;
        c->user = now;
        if (c->manual) {
            c->phase = TALK;
            c->check = now;
            c->paused = c->held;
        } else if (c->phase == INITIAL) {
            c->phase = ACTIVE;
        }
    } else if (t == GAVAT_BOT_SENT || t == GAVAT_FOLLOWUP_SENT) {
        c->bot = now;
        c->responded = false;
        c->active = c->active || t == GAVAT_BOT_SENT;
        c->automatic += t == GAVAT_BOT_SENT && !c->manual;
        c->followups += t == GAVAT_FOLLOWUP_SENT;
    } else if (t == GAVAT_MANUAL_INTERVENTION) {
        c->phase = ENGAGED;
        c->intervention = c->person = now;
        c->manual = c->paused = true;
        c->followups = c->automatic = 0;
    } else if (t == GAVAT_MENU_SENT) {
        c->menu = true;
    } else if (t == GAVAT_PAUSE) {
        c->paused = c->held = true;
    } else if (t == GAVAT_RESUME) {
        c->paused = c->held = c->manual = false;
        c->phase = ACTIVE;
    } else {
        c->ends = now;
        come_to(p, c, now);
        c->given_count = 0;
    }
}

static bool take_waiting(const plan *p, pair *c, gavat_time now)
{
    size_t first = 0;
    while (first < c->waiting_count && now >= c->waiting[first] + p->grace * SECOND)
        first++;
    bool found = first < c->waiting_count;
    first += found;
    memmove(c->waiting, c->waiting + first, (c->waiting_count - first) * sizeof *c->waiting);
    c->waiting_count -= first;
    return found;
}

static void model_permit(const plan *p, pair *c, gavat_time now, char *out)
{
    bool cools = cooling(p, c, now);
    int count = in_window(p, c, now);
    const char *reason = c->paused ? "paused" : c->phase == ENGAGED ? "phase" : cools ? "cooldown" : count >= p->messages ? "window" : "none";
    bool menu = !c->manual && !c->menu && c->automatic >= p->menu;
    if (strcmp(reason, "none") == 0) {
        snprintf(out, MOST, "1 none %d %d 0", menu ? GAVAT_ADVICE_MENU : GAVAT_ADVICE_SEND, p->cooldown ? 0 : p->messages - count - 1);
        assert_true(c->given_count < LOG_MOST && c->waiting_count < LOG_MOST);
        c->given[c->given_count++] = c->waiting[c->waiting_count++] = now;
        return;
    }
    snprintf(out, MOST, "0 %s %d 0 %" PRId64, reason, silent(c) ? GAVAT_ADVICE_SILENT : GAVAT_ADVICE_WAIT, c->held ? -1 : wait_for(p, c, now));
}

static int model_observe(const plan *p, pair *c, int id, gavat_time now)
{
    bool known = c->whose[id] && now < c->seen[id] + 24 * HOUR;
    if (known)
        return c->whose[id] == 2;
    c->whose[id] = take_waiting(p, c, now) ? 1 : 2;
    c->seen[id] = now;
    if (c->whose[id] == 2)
        model_apply(p, c, GAVAT_MANUAL_INTERVENTION, now);
    return c->whose[id] == 2;
}

static void model_sent(const plan *p, pair *c, int id, gavat_time now)
{
    if (c->whose[id] != 1 || now >= c->seen[id] + 24 * HOUR)
        take_waiting(p, c, now);
    c->whose[id] = 1;
    c->seen[id] = now;
}

static void print_answer(const gavat_op *op, bool decides, char *out)
{
    const gavat_conversation *c = gavat_op_conversation(op, 0);
    const gavat_decision *d = gavat_op_decision(op);
    if (decides)
        snprintf(out, MOST, "%d %s %d %" PRId64 " %" PRId64, d->allowed, gavat_reason_name(d->reason), d->advice, d->remaining, d->retry_after_ms);
    else
        snprintf(out, MOST, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d%d%d%d%d", c->phase,
                 c->last_bot_message, c->last_user_message, c->manual_intervention_time, c->last_manual_check, c->last_manual_message,
                 c->followup_count, c->auto_message_count, c->user_responded, c->conversation_active, c->menu_sent, c->manual_mode_active,
                 c->auto_messages_paused);
}

static void settle(game *g)
{
    for (size_t i = 0; i < g->pending_count; i++) {
        char got[MOST] = "", answer[MOST + 30];
        gavat_op *op = g->pending[i].op;
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        if (g->pending[i].decides || g->pending[i].records)
            print_answer(op, g->pending[i].decides, got);
        snprintf(answer, sizeof answer, g->pending[i].counts ? "%s %" PRId64 : "%s", got, gavat_op_number(op));
        assert_string_equal(answer, g->pending[i].wanted);
        gavat_op_unref(op);
    }
    g->pending_count = 0;
}

/* With the usual hours: of a state as it is now. */
static bool is_due(const pair *c, gavat_time now)
{
    gavat_time again = c->followups ? c->bot : 0;
    gavat_time person = c->person > again ? c->person : again, user = c->user > again ? c->user : again, last = person > user ? person : user;
    if (!c->stored || c->held || c->followups >= 3)
        return false;
    switch (c->phase) {
    case ENGAGED: return now - person > 4 * HOUR && now - user > 6 * HOUR;
    case TALK: return now - last > 12 * HOUR;
    case ACTIVE: return last && now - last > 6 * HOUR;
    default: return !c->responded && c->active && c->bot && now - c->bot > HOUR;
    }
}

/* The first microsecond at which it was. */
static gavat_time due_since(const pair *c, gavat_time now)
{
    gavat_time before = 0, at = now;
    while (at - before > 1) {
        gavat_time between = before + (at - before) / 2;
        if (is_due(c, between))
            at = between;
        else
            before = between;
    }
    return at;
}

static void print_pages(const gavat_op *op, char *out)
{
    *out = '\0';
    for (size_t i = 0; i < gavat_op_count(op); i++)
        snprintf(out + strlen(out), 60, "%s/%s ", gavat_op_conversation(op, i)->bot, gavat_op_conversation(op, i)->user);
}

/* All of them, and those that are due, longest first; nothing is under way. */
static void look_at_lists(game *g)
{
    gavat_time now = atomic_load(&now_is), since[PAIRS];
    char all[MOST] = "", due[MOST] = "", got[MOST];
    bool told[PAIRS] = {false};
    for (size_t i = 0; i < PAIRS; i++) {        /* by bot, then by user */
        size_t k = i / 3 + i % 3 * 2;
        come_to(&g->p, &g->pairs[k], now);
        since[i] = is_due(&g->pairs[k], now) ? due_since(&g->pairs[k], now) : 0;
        if (g->pairs[k].stored)
            snprintf(all + strlen(all), 60, "%s/%s ", bots[i / 3], users[i % 3]);
    }
    for (size_t n = 0; n < PAIRS; n++) {
        size_t first = PAIRS;
        for (size_t i = 0; i < PAIRS; i++)
            if (since[i] && !told[i] && (first == PAIRS || since[i] < since[first]))
                first = i;
        if (first == PAIRS)
            break;
        told[first] = true;
        snprintf(due + strlen(due), 60, "%s/%s ", bots[first / 3], users[first % 3]);
    }
    gavat_op *lists = held(g->g), *dues = held(g->g);
    RUN(lists, get_conversations, NULL, 0, NULL);
    print_pages(lists, got);
    assert_string_equal(got, all);
    RUN(dues, get_due_conversations, NULL, 0, NULL);
    print_pages(dues, got);
    assert_string_equal(got, due);
    g->due += *due != '\0';
    gavat_op_unref(lists);
    gavat_op_unref(dues);
}

static gavat_transition random_transition(game *g)
{
    static const gavat_transition usual[] = {GAVAT_USER_RESPONDED, GAVAT_USER_RESPONDED, GAVAT_USER_RESPONDED, GAVAT_BOT_SENT, GAVAT_BOT_SENT,
        GAVAT_BOT_SENT, GAVAT_MANUAL_INTERVENTION, GAVAT_MENU_SENT, GAVAT_FOLLOWUP_SENT, GAVAT_PAUSE, GAVAT_RESUME, GAVAT_RESUME, GAVAT_RESET};
    return usual[below(&g->random, sizeof usual / sizeof *usual)];
}

/* One call, on both sides. */
static void play(game *g)
{
    gavat_time now = atomic_load(&now_is);
    size_t i = below(&g->random, PAIRS), id = below(&g->random, IDS), what = below(&g->random, 10), at = g->pending_count++;
    const char *bot = bots[i % 2], *user = users[i / 2];
    pair *c = &g->pairs[i];
    char message[20], *wanted = g->pending[at].wanted;
    gavat_op *op = g->pending[at].op = held(g->g);
    snprintf(message, sizeof message, "%zu", id);
    g->pending[at].decides = what >= 4 && what < 7;
    g->pending[at].counts = what >= 8;
    g->pending[at].records = what < 4 || what >= 8;
    come_to(&g->p, c, now);
    if (what < 1) {
        gavat_get_conversation(op, bot, user);
        print_record(c, wanted);
    } else if (what < 4) {
        gavat_transition t = random_transition(g);
        gavat_apply_conversation(op, bot, user, t);
        model_apply(&g->p, c, t, now);
        print_record(c, wanted);
    } else if (what < 7) {
        gavat_permit_message(op, bot, user);
        model_permit(&g->p, c, now, wanted);
    } else if (what < 8) {
        gavat_note_sent(op, bot, user, message);
        model_sent(&g->p, c, (int)id, now);
        *wanted = '\0';
    } else {
        gavat_observe_outgoing(op, bot, user, message);
        int number = model_observe(&g->p, c, (int)id, now);
        print_record(c, wanted);
        snprintf(wanted + strlen(wanted), 30, " %d", number);
    }
}

static int pick(game *g, int a, int b, int c)
{
    int choices[] = {a, b, c};
    return choices[below(&g->random, 3)];
}

static void open_game(void **state, game *g)
{
    static char texts[8][20];
    plan *p = &g->p;
    *p = (plan){.ttl = pick(g, 86400, 3600, 200), .cooldown = pick(g, 300, 0, 7), .window = pick(g, 3600, 60, 5), .messages = pick(g, 3, 1, 20),
                .menu = pick(g, 3, 0, 5), .manual = pick(g, 86400, 50, 1000), .grace = pick(g, 30, 5, 100)};
    const int values[] = {p->ttl, p->cooldown, p->window, p->messages, p->menu, p->manual, p->grace};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        snprintf(texts[i], sizeof texts[i], "%d", values[i]);
    const char *const settings[] = {"GAVAT_DM_STATE_TTL", texts[0], "GAVAT_DM_COOLDOWN", texts[1], "GAVAT_DM_WINDOW", texts[2],
        "GAVAT_DM_WINDOW_MESSAGES", texts[3], "GAVAT_DM_MENU_AFTER", texts[4], "GAVAT_DM_MANUAL_TIMEOUT", texts[5], "GAVAT_DM_GRACE", texts[6],
        "GAVAT_SQLITE_SYNCHRONOUS", "normal", NULL};
    g->g = at_start(state, settings);
    for (size_t i = 0; i < PAIRS; i++) {        /* what the game before has left there */
        char part[40];
        snprintf(part, sizeof part, "dm:%s:%s", bots[i % 2], users[i / 2]);
        DO(g->g, GAVAT_OK, clear_state, part);
    }
}

static void every_answer_is_that_of_the_model(void **state)
{
    static game g;
    int due = 0;
    uint64_t seed = test_seed();
    for (int round = 0; round < SEEDS; round++) {
        memset(&g, 0, sizeof g);
        g.random = seed + (uint64_t)round;
        open_game(state, &g);
        for (size_t i = 0; i < at_scale(FULL) / SEEDS; i++) {
            play(&g);
            if (g.pending_count == PENDING || below(&g.random, 4) == 0) {
                settle(&g);
                bool far = below(&g.random, 50) == 0;
                pass((int64_t)below(&g.random, far ? 30 * HOUR : 40 * SECOND));
                if (far)
                    look_at_lists(&g);
            }
        }
        settle(&g);
        due += g.due;
    }
    assert_true(due > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_answer_is_that_of_the_model),
    };
    return run_on_state("conversation_random", cases, sizeof cases / sizeof *cases);
}
