/* forward.c: a batch out of the spool. It has all lanes to itself, so that it keeps its order with what is written directly. Records that stand
 * together go in one chunk; what changes or merges goes one by one, each with its ticket in the same transaction. */
#include "postgresql.h"
#include "../../base/uuid.h"

typedef struct gv_pg_forward {
    gv_pg_job job;              /* the barrier; never begun itself */
    gavat_op *op;
    size_t from, next;          /* entries: of the part under way; behind it */
    gv_pg_item items[GV_PG_BATCH];
} gv_pg_forward;

static void go_on(gv_pg_forward *forward);

static void finish(gv_pg_forward *forward)
{
    gavat_op *op = forward->op;
    gv_pg_free_lane(&forward->job);
    gv_free(forward);
    gv_pg_finish(op);
}

static void part_done(gavat_op *op, const gv_pg_failure *failure)
{
    gv_pg *self = op->client->stores[GV_EVENTS].self;
    gv_pg_forward *forward = (gv_pg_forward *)self->barrier;
    if (failure) {
        gv_pg_fail(op, failure, GAVAT_ERROR_MAYBE_APPLIED, "writing to");
        finish(forward);
        return;
    }
    for (; forward->from < forward->next; forward->from++)
        gv_forward_entry(op, forward->from)->settled = true;
    go_on(forward);
}

static bool is_plain(const gv_entry *entry)
{
    return entry->place == GV_LOG_EVENT || entry->place == GV_LOG_SALE || entry->place == GV_LOG_MESSAGE;
}

static bool start_plain(gv_pg_forward *forward)
{
    gavat_op *op = forward->op;
    size_t count = 0;
    for (; forward->next < op->batch->count && count < GV_PG_BATCH; forward->next++) {
        const gv_entry *entry = gv_forward_entry(op, forward->next);
        if (entry->unreadable)
            continue;
        if (!is_plain(entry))
            break;
        forward->items[count++] = (gv_pg_item){op, forward->next, entry->records[0]->kind, entry->records[0]->record, false};
    }
    if (count)
        return gv_pg_import_chunk(forward->job.self, forward->items, count, part_done);
    part_done(op, NULL);        /* none of them could be read */
    return true;
}

static void go_on(gv_pg_forward *forward)
{
    gv_pg *self = forward->job.self;
    gavat_op *op = forward->op;
    if (!gv_op_wanted(op)) {
        gv_op_fail(op, GAVAT_ECANCELED, GAVAT_ERROR_MAYBE_APPLIED, "", "cancelled: the rest stays in the spool");
        finish(forward);
        return;
    }
    if (forward->next == op->batch->count) {
        gv_op_succeed(op, GAVAT_REACHED_STORE);
        finish(forward);
        return;
    }
    const gv_entry *entry = gv_forward_entry(op, forward->next);
    bool started;
    if (entry->unreadable || is_plain(entry))
        started = start_plain(forward);
    else if (entry->place == GV_COMMIT || entry->place == GV_SET_SESSION)
        started = gv_pg_forward_unit(self, op, forward->next++, part_done);
    else
        started = gv_pg_forward_update(self, op, forward->next++, part_done);
    if (started)
        return;
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory to ask the store");
    finish(forward);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_forward *)job)->op);
}

bool gv_pg_start_forward(gv_pg *self, gavat_op *op)
{
    gv_pg_forward *forward = gv_pg_job_new(self, sizeof *forward, op);
    if (!forward)
        return false;
    forward->op = op;
    forward->job.wanted = is_wanted;
    self->barrier = &forward->job;
    go_on(forward);
    return true;
}

/* --- tickets --- */

void gv_pg_send_ticket(gv_pg_job *job, const char *ticket)
{
    gv_pg_params params = {0};
    gv_pg_add_uid(&params, ticket);
    gv_pg_send(job, "INSERT INTO gavat_applied (ticket) VALUES ($1)", &params, GV_PG_TICKET);
}

bool gv_pg_was_applied(const gv_pg_failure *failure)
{
    return !failure->lost && failure->tag == GV_PG_TICKET && strcmp(failure->state, "23505") == 0;
}

const char *gv_pg_ticket_of(gavat_op *op)
{
    if (!*op->ticket)
        gv_uuid_make(gv_now(op->client), op->ticket);
    return op->ticket;
}
