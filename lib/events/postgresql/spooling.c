/* spooling.c: which writes do not wait for the server any longer but go into the spool: those that have used up 60 % of their time, and all of
 * them while the server is known to be away. What is under way stays under way: its op is the spool's from then on (`given`), the job only holds
 * a reference for as long as it needs the record. What has an order (all but events and messages) is handed over in that order. */
#include "postgresql.h"
#include "../../base/clock.h"
#include <stdio.h>

#define AWAY UINT64_C(500000000)        /* nanoseconds without a connection: the server is away */
#define STALLED UINT64_C(1000000000)    /* … without an answer */

/* Nothing that comes later depends on these. */
static bool is_free(const gavat_op *op)
{
    return op->kind->place == GV_LOG_EVENT || op->kind->place == GV_LOG_MESSAGE;
}

static bool is_late(const gavat_op *op, uint64_t now)
{
    uint64_t due = op->deadline.due;
    return due && now >= op->submitted + (due - op->submitted) / 5 * 3;
}

bool gv_pg_is_away(const gv_pg *self)
{
    return self->broken || self->stalled || (self->down_since && gv_clock_steady() - self->down_since >= AWAY);
}

bool gv_pg_must_queue(const gavat_op *op)
{
    return gv_spool_keeps(op) && gv_spool_is_busy(op->client);
}

typedef struct gv_pg_hurry {
    uint64_t now;
    bool all;                   /* every write */
    bool ordered;               /* all that have an order */
} gv_pg_hurry;

static bool is_in_hurry(const gavat_op *op, const gv_pg_hurry *hurry)
{
    if (!gv_spool_keeps(op))
        return false;
    return hurry->all || (hurry->ordered && !is_free(op)) || is_late(op, hurry->now);
}

/* While its job is under way. */
static void give(gv_pg *self, gavat_op *op)
{
    if (gv_clock_steady() - op->submitted >= STALLED && !self->down_since && !self->stalled) {
        self->stalled = true;
        gv_pg_say_health(self, "the server does not answer in time");
    }
    gavat_op_ref(op);           /* the job's */
    gv_spool_pass(op, true);
}

static void hand_over(gv_list *ops, const gv_pg_hurry *hurry)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (!is_in_hurry(op, hurry))
            continue;
        gv_list_remove(link);
        gv_spool_pass(op, false);
    }
}

static bool is_late_in_order(const gavat_op *op, uint64_t now)
{
    return !is_free(op) && gv_spool_keeps(op) && is_late(op, now);
}

static bool has_late(gv_pg_connection *lane, uint64_t now)
{
    gavat_op *op;
    bool *given;
    gv_pg_job *job = lane->job;
    for (size_t i = 0; job && job->op_at && (op = job->op_at(job, i, &given)); i++)
        if (!*given && is_late_in_order(op, now))
            return true;
    for (gv_link *link = gv_list_first(&lane->lane); link && link != &lane->lane.head; link = link->next)
        if (is_late_in_order(GV_CONTAINER(link, gavat_op, link), now))
            return true;
    return false;
}

/* One that waits for a connection is given up when one of its ops is in a hurry: the others are not worse off in the spool. */
static void hand_over_job(gv_pg *self, gv_pg_job *job, const gv_pg_hurry *hurry)
{
    gavat_op *op;
    bool *given;
    for (size_t i = 0; job->op_at && (op = job->op_at(job, i, &given)); i++) {
        if (*given || !is_in_hurry(op, hurry))
            continue;
        if (!job->on) {
            gv_pg_failure away = self->why;
            away.lost = true;
            job->drop(job, &away);
            return;
        }
        *given = true;
        give(self, op);
    }
}

/* In their order: what is under way, what waits in the lanes, what comes after that. */
static void hand_over_all(gv_pg *self, const gv_pg_hurry *hurry)
{
    for (unsigned i = 0; i < self->connection_count; i++)
        if (self->connections[i].job)
            hand_over_job(self, self->connections[i].job, hurry);
    for (unsigned i = 0; i < self->connection_count; i++)
        hand_over(&self->connections[i].lane, hurry);
    hand_over(&self->writes, hurry);
}

void gv_pg_spool_waiting(gv_pg *self)
{
    const gv_pg_hurry hurry = {.now = gv_clock_steady(), .all = true};
    hand_over_all(self, &hurry);
}

/* A write with an order takes with it all that have one. */
void gv_pg_spool_late(gv_pg *self, uint64_t now)
{
    gv_pg_hurry hurry = {.now = now, .all = gv_pg_is_away(self)};
    if (gv_spool_state_of(self->store->client) == GV_SPOOL_OFF)
        return;
    for (unsigned i = 0; i < self->connection_count && !hurry.ordered; i++)
        hurry.ordered = has_late(&self->connections[i], now);
    for (gv_link *link = gv_list_first(&self->writes); link && link != &self->writes.head && !hurry.ordered; link = link->next)
        hurry.ordered = is_late_in_order(GV_CONTAINER(link, gavat_op, link), now);
    hand_over_all(self, &hurry);
}

/* Not for what the server says of the statement itself. */
static bool is_outage(const gv_pg_failure *failure)
{
    static const char *const states[] = {"08", "57P", "53", "25006", "40", "55"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strncmp(failure->state, states[i], strlen(states[i])) == 0)
            return true;
    return failure->lost;
}

bool gv_pg_spool_instead(gavat_op *op, const gv_pg_failure *failure, bool doubtful)
{
    if (!gv_spool_keeps(op) || !gv_op_wanted(op) || !is_outage(failure))
        return false;
    gv_spool_pass(op, doubtful);
    return true;
}

bool gv_pg_record_refused(gavat_op *op)
{
    if (op->staged.error.status != GAVAT_EREJECTED || !gv_spool_keeps(op))
        return false;
    gv_spool_record(op);
    return true;
}

/* --- health --- */

void gv_pg_say_health(gv_pg *self, const char *ails)
{
    char reason[256];
    gv_spool_state spool = gv_spool_state_of(self->store->client);
    if (!*ails && !self->stalled) {
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
        return;
    }
    if (spool != GV_SPOOL_TAKES) {
        gv_store_set_health(self->store, self->stalled && !self->down_since ? GAVAT_HEALTH_DEGRADED : GAVAT_HEALTH_DOWN, ails);
        return;
    }
    snprintf(reason, sizeof reason, "writes are kept in the spool: %.200s", ails);
    gv_store_set_health(self->store, GAVAT_HEALTH_DEGRADED, reason);
}

void gv_pg_note_answer(gv_pg *self)
{
    if (!self->stalled)
        return;
    self->stalled = false;
    if (!self->down_since)
        gv_pg_say_health(self, "");
    gv_spool_wake(self->store->client);
}

bool gv_pg_cover_opening(gv_pg *self, const gv_pg_failure *failure)
{
    gv_spool_state spool = gv_spool_state_of(self->store->client);
    if (self->closing || gv_pg_is_final(failure) || (spool != GV_SPOOL_TAKES && spool != GV_SPOOL_OPENING))
        return false;
    if (spool == GV_SPOOL_OPENING)
        return true;            /* the next attempt to connect comes here again */
    gv_pg_say_health(self, failure->text);
    return gv_pg_uncouple_opening(self);
}
