/* tail_poll.c: the one question that all tails of a client share: which snapshot the store shows now. */
#include "tail.h"
#include "../../base/clock.h"

#define INTERVAL UINT64_C(200000000)    /* nanoseconds between two questions */
#define PATIENCE UINT64_C(5000000000)   /* for the answer */

typedef struct gv_pg_poll {
    gv_pg_job job;
    char *snapshot;             /* NULL: not there, or no memory */
    int64_t table;
} gv_pg_poll;

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Both begin, at one place, and ask for the same. */
static bool go_together(const gv_pg_tail *a, const gv_pg_tail *b)
{
    bool same = a->query->limit == b->query->limit && a->query->max_bytes == b->query->max_bytes && a->place.mode == GV_PG_WALKING
                && b->place.mode == GV_PG_WALKING && same_text(a->place.base, b->place.base) && same_text(a->place.target, b->place.target)
                && a->place.key == b->place.key && a->place.id == b->place.id;
    for (unsigned by = 0; by < GV_BY_COUNT && same; by++)
        same = same_text(a->query->by[by], b->query->by[by]);
    return same;
}

/* Behind one of those that have set out already, or for itself. */
static void set_out(gv_pg_tail *tail, gv_list *leaders)
{
    for (gv_link *link = gv_list_first(leaders); link && link != &leaders->head; link = link->next)
        if (go_together(gv_pg_tail_at(link), tail)) {
            gv_list_append(&gv_pg_tail_at(link)->followers, &tail->waiting);
            return;
        }
    gv_list_append(leaders, &tail->waiting);
    gv_pg_queue_read(tail->job.self, &tail->job);
}

/* The store's answer, to one that was there when it was asked. */
static void hear(gv_pg_tail *tail, const char *snapshot, int64_t table, gv_list *leaders)
{
    gv_pg_place *place = &tail->place;
    gv_list_remove(&tail->waiting);
    if ((place->table && place->table != table) || gv_pg_place_is_ahead(place, snapshot)) {
        gv_op_fail(tail->op, GAVAT_ENOTFOUND, 0, "", "the cursor is of another store, or ahead of this one (a backup was restored): begin "
                   "anew, with since where something may have been missed");
        gv_pg_tail_finish(tail);
        return;
    }
    place->table = table;
    tail->heard = true;
    bool still = place->mode == GV_PG_RESTING && strcmp(place->base, snapshot) == 0;
    if (!still && !gv_pg_place_aim(place, snapshot, tail->query->since)) {
        tail->failed = true;
        gv_pg_tail_answer(tail);
    } else if (place->mode != GV_PG_RESTING) {
        tail->early = true;
        set_out(tail, leaders);
    } else if (gv_pg_tail_is_late(tail, false)) {
        gv_pg_tail_answer(tail);
    } else {
        gv_list_append(&tail->job.self->tails, &tail->waiting);
    }
}

static void end_poll(gv_pg_poll *poll, const gv_pg_failure *failure)
{
    gv_pg *self = poll->job.self;
    gv_list asked, leaders;
    gv_link *link, *next;
    gv_list_init(&asked);
    gv_list_init(&leaders);
    for (link = gv_list_first(&self->tails); link && link != &self->tails.head; link = next) {
        next = link->next;
        if (!gv_pg_tail_at(link)->asked && !failure)
            continue;
        gv_list_remove(link);
        gv_list_append(&asked, link);
    }
    self->polling = false;
    self->poll_at = gv_clock_steady() + INTERVAL;
    while ((link = gv_list_take(&asked))) {
        gv_pg_tail *tail = gv_pg_tail_at(link);
        tail->failed |= !failure && !poll->snapshot;
        if (failure)
            gv_pg_tail_give_up(tail, failure);
        else if (tail->failed)
            gv_pg_tail_answer(tail);
        else
            hear(tail, poll->snapshot, poll->table, &leaders);
    }
    while (gv_list_take(&leaders))
        ;                       /* they are on their way */
    gv_free(poll->snapshot);
    gv_free(poll);
    gv_pg_hand_out(self);
}

static bool poll_is_wanted(const gv_pg_job *job)
{
    return !gv_list_empty(&job->self->tails);
}

static void drop_poll(gv_pg_job *job, const gv_pg_failure *failure)
{
    end_poll((gv_pg_poll *)job, failure);
}

static void begin_poll(gv_pg_job *job)
{
    gv_pg *self = job->self;
    gv_pg_params none = {0};
    for (gv_link *link = gv_list_first(&self->tails); link && link != &self->tails.head; link = link->next)
        gv_pg_tail_at(link)->asked = true;
    self->poll_due = false;
    job->due = gv_clock_steady() + PATIENCE;
    gv_pg_send(job, "SELECT txid_current_snapshot()::text, to_regclass('event_logs')::oid::int8", &none, 0);
    gv_pg_sync(job);
}

static void take_poll(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_poll *poll = (gv_pg_poll *)job;
    const char *text = PQntuples(result) ? gv_pg_string(result, 0, 0) : NULL;
    (void)tag;
    gv_free(poll->snapshot);
    poll->snapshot = text ? gv_copy_text(text) : NULL;
    poll->table = text ? gv_pg_integer(result, 0, 1) : 0;
}

static void poll_ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    if (!failure || !gv_pg_again(job, failure, true))
        end_poll((gv_pg_poll *)job, failure);
    else if (job->on)
        begin_poll(job);
    else
        gv_pg_queue_read(job->self, job);
}

void gv_pg_run_tails(gv_pg *self)
{
    if (self->polling || gv_list_empty(&self->tails) || (!self->poll_due && gv_clock_steady() < self->poll_at))
        return;
    gv_pg_poll *poll = gv_pg_job_new(self, sizeof *poll, NULL);
    self->poll_at = gv_clock_steady() + INTERVAL;
    if (!poll)
        return;
    self->polling = true;
    poll->job.begin = begin_poll;
    poll->job.result = take_poll;
    poll->job.ended = poll_ended;
    poll->job.wanted = poll_is_wanted;
    poll->job.drop = drop_poll;
    gv_pg_queue_read(self, &poll->job);
}

void gv_pg_sweep_tails(gv_pg *self)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->tails); link && link != &self->tails.head; link = next) {
        next = link->next;
        gv_pg_tail *tail = gv_pg_tail_at(link);
        if (!tail->job.wanted(&tail->job))
            gv_pg_tail_finish(tail);
        else if (tail->heard && gv_pg_tail_is_late(tail, false))
            gv_pg_tail_answer(tail);
    }
}

void gv_pg_end_tails(gv_pg *self, const gv_pg_failure *failure)
{
    gv_link *link;
    while ((link = gv_list_take(&self->tails)))
        gv_pg_tail_give_up(gv_pg_tail_at(link), failure);
}
