/* queue.c: what goes to which connection, and when: lanes of writes, reads beside them. */
#include "postgresql.h"
#include "../../base/clock.h"

#define DEPTH 16                /* short reads under way on one connection */

/* --- order --- */

static uint64_t sequence_of(const gv_list *ops)
{
    gv_link *link = gv_list_first(ops);
    return link ? GV_CONTAINER(link, gavat_op, link)->sequence : UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The oldest write that is not done with, of those that may concern this owner. */
static uint64_t oldest_write(const gv_pg *self, const char *owner)
{
    uint64_t oldest = sequence_of(&self->writes);
    if (self->barrier)
        oldest = least(oldest, self->barrier->sequence);
    for (unsigned i = 0; i < GV_PG_LANES && i < self->connection_count; i++) {
        const gv_pg_connection *lane = &self->connections[i];
        if (owner && self->lanes > 1 && i != gv_events_bucket(owner) % self->lanes)
            continue;
        oldest = least(oldest, sequence_of(&lane->lane));
        if (lane->job)
            oldest = least(oldest, lane->job->sequence);
    }
    return oldest;
}

/* --- writes --- */

static bool lanes_idle(const gv_pg *self)
{
    for (unsigned i = 0; i < self->lanes; i++)
        if (self->connections[i].job || !gv_list_empty(&self->connections[i].lane))
            return false;
    return true;
}

static void start_barrier(gv_pg *self, gavat_op *op)
{
    gv_list_remove(&op->link);
    if (gv_pg_must_queue(op)) {
        gv_spool_pass(op, false);
        return;
    }
    if (!gv_op_take(op)) {
        gv_op_finish(op);
        return;
    }
    bool started;
    if (op->kind->place == GV_FORWARD)
        started = gv_pg_start_forward(self, op);
    else if (op->kind->place == GV_IMPORT)
        started = gv_pg_start_import(self, op);
    else if (op->kind->place == GV_COMMIT)
        started = gv_pg_start_unit(&self->connections[0], op);
    else
        started = gv_pg_start_update(&self->connections[0], op);
    if (started && !self->barrier)
        self->barrier = self->connections[0].job;
}

/* From the queue into the lanes, up to what needs all of them. */
static void fill_lanes(gv_pg *self)
{
    gv_link *link;
    while (!self->barrier && (link = gv_list_first(&self->writes))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        const char *owner = gv_events_owner(op);
        if (owner) {
            gv_list_remove(link);
            gv_list_append(&self->connections[gv_events_bucket(owner) % self->lanes].lane, link);
        } else if (lanes_idle(self)) {
            start_barrier(self, op);
        } else {
            return;
        }
    }
}

/* What waits at the head of the lane becomes its job. */
static void start_job(gv_pg_connection *connection)
{
    gavat_op *op = GV_CONTAINER(gv_list_first(&connection->lane), gavat_op, link);
    if (op->kind->place == GV_LOG_EVENT || op->kind->place == GV_LOG_SALE || op->kind->place == GV_LOG_MESSAGE) {
        gv_pg_start_chunk(connection);
        return;
    }
    gv_list_remove(&op->link);
    if (gv_pg_must_queue(op))
        gv_spool_pass(op, false);
    else if (!gv_op_take(op))
        gv_op_finish(op);
    else if (op->kind->place == GV_SET_SESSION)
        gv_pg_start_unit(connection, op);
    else
        gv_pg_start_update(connection, op);
}

static void run_lane(gv_pg_connection *connection)
{
    if (connection->job || !gv_list_empty(&connection->lane))
        gv_pg_want(connection);
    if (connection->state != GV_PG_READY)
        return;
    while (!connection->job && !gv_list_empty(&connection->lane))
        start_job(connection);
    gv_pg_job *job = connection->job;
    if (job && !job->on && connection->state == GV_PG_READY) {
        job->on = connection;
        job->begin(job);
    }
}

void gv_pg_free_lane(gv_pg_job *job)
{
    gv_pg *self = job->self;
    for (unsigned i = 0; i < self->connection_count; i++)
        if (self->connections[i].job == job)
            self->connections[i].job = NULL;
    if (self->barrier == job)
        self->barrier = NULL;
    gv_pg_hand_out(self);
}

/* --- reads --- */

void gv_pg_queue_read(gv_pg *self, gv_pg_job *job)
{
    job->on = NULL;
    gv_list_append(&self->reads, &job->link);
    gv_pg_hand_out(self);
}

void gv_pg_queue_later(gv_pg *self, gv_pg_job *job, uint64_t pause)
{
    job->on = NULL;
    job->not_before = gv_clock_steady() + pause;
    gv_list_append(&self->later, &job->link);
    gv_pg_hand_out(self);       /* the timer runs */
}

void gv_pg_wake_later(gv_pg *self, uint64_t now)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->later); link && link != &self->later.head; link = next) {
        next = link->next;
        gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, link);
        if (now < job->not_before && (!job->wanted || job->wanted(job)))
            continue;
        gv_list_remove(link);
        gv_pg_queue_read(self, job);
    }
}

static bool suits(const gv_pg *self, const gv_pg_connection *connection, const gv_pg_job *job)
{
    unsigned readers = self->connection_count - self->lanes;
    if (connection->state != GV_PG_READY || connection->round_count >= DEPTH)
        return false;
    if (!job->heavy)
        return true;
    return !connection->heavy_count && (readers < 2 || connection->number + 1 == self->connection_count);
}

/* A reader, the one with the least to do; without any, whoever is there. */
static gv_pg_connection *pick(gv_pg *self, const gv_pg_job *job)
{
    gv_pg_connection *best = NULL;
    unsigned first = self->connection_count > 1 ? self->lanes : 0;
    for (unsigned i = first; i < self->connection_count; i++) {
        gv_pg_connection *at = &self->connections[i];
        if (suits(self, at, job) && (!best || at->heavy_count < best->heavy_count
                                     || (at->heavy_count == best->heavy_count && at->round_count < best->round_count)))
            best = at;
    }
    return best;
}

/* More readers are opened as they are needed. */
static void want_reader(gv_pg *self)
{
    unsigned first = self->connection_count > 1 ? self->lanes : 0;
    for (unsigned i = first; i < self->connection_count; i++) {
        if (self->connections[i].state == GV_PG_READY)
            continue;
        gv_pg_want(&self->connections[i]);
        return;
    }
}

static void run_reads(gv_pg *self)
{
    gv_link *next;
    bool more = false;
    for (gv_link *link = gv_list_first(&self->reads); link && link != &self->reads.head; link = next) {
        next = link->next;
        gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, link);
        gv_pg_connection *connection = pick(self, job);
        more = more || !connection || connection->round_count;
        if (!connection)
            continue;
        gv_list_remove(link);
        job->on = connection;
        job->begin(job);
    }
    if (more)
        want_reader(self);
}

static void start_read(gv_pg *self, gavat_op *op)
{
    if (!gv_op_take(op)) {
        gv_op_finish(op);
        return;
    }
    if (op->kind->place != GV_PRUNE && op->kind->place != GV_CHECK_EVENTS && !gv_op_fits(op)) {
        gv_op_finish(op);
        return;
    }
    switch (op->kind->place) {
    case GV_EVENT_STATS: case GV_SALE_STATS: case GV_MESSAGE_STATS:
        gv_pg_start_stats(self, op);
        break;
    case GV_PRUNE:
        gv_pg_start_prune(self, op);
        break;
    case GV_TAIL_EVENTS:
        gv_pg_start_tail(self, op);
        break;
    case GV_SCHEMA_EVENTS: case GV_UPGRADE_EVENTS:
        gv_pg_start_schema(self, op);
        break;
    case GV_CHECK_EVENTS:
        gv_pg_start_check(self, op);
        break;
    default:
        gv_pg_start_page(self, op);
    }
}

/* Parked reads whose writes are done with. */
static void unpark(gv_pg *self)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->parked); link && link != &self->parked.head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->sequence >= oldest_write(self, gv_events_owner(op)) && gv_op_wanted(op))
            continue;
        gv_list_remove(link);
        start_read(self, op);
    }
}

/* --- in and out --- */

void gv_pg_enqueue(gv_pg *self, gavat_op *op)
{
    const char *owner = gv_events_owner(op);
    if (op->kind->flags & GV_LONG || op->kind->place == GV_SCHEMA_EVENTS || op->kind->place == GV_CHECK_EVENTS) {
        op->sequence = 0;       /* waits for nothing */
        gv_list_append(&self->parked, &op->link);
    } else if (op->kind->flags & GV_WRITE) {
        op->sequence = ++self->last;
        if (owner)
            self->buckets[gv_events_bucket(owner)] = op->sequence;
        else
            for (unsigned i = 0; i < GV_EVENTS_BUCKETS; i++)
                self->buckets[i] = op->sequence;
        gv_list_append(&self->writes, &op->link);
    } else {
        op->sequence = owner ? self->buckets[gv_events_bucket(owner)] : self->last;
        gv_list_append(&self->parked, &op->link);
    }
}

void gv_pg_run(gv_pg *self)
{
    fill_lanes(self);
    for (unsigned i = 0; i < self->lanes; i++)
        run_lane(&self->connections[i]);
    unpark(self);
    run_reads(self);
}
