/* update.c: changes of what is stored: a sale's status, sessions that end. */
#include "postgresql.h"
#include <stdio.h>
#include <stdlib.h>

#define CHANGES 1000

typedef struct gv_pg_update {
    gv_pg_job job;
    gavat_op *op;
    bool reading;               /* of a sale: its status is being looked up */
    int found;
    int64_t id, changed;
    char status[64];
    bool no_status;             /* SQL NULL */
    bool applied;               /* by an earlier try */
    bool newer;                 /* it was changed after this write went into the spool */
    bool given;                 /* the op is the spool's now, a reference is ours */
    gv_pg_part_done *done;      /* of a forward */
    const gv_entry *entry;
    size_t index;
} gv_pg_update;

static const gv_update_request *sale_of(const gv_pg_update *update)
{
    return update->entry ? &update->entry->update : update->op->request;
}

static const gv_session_request *sessions_of(const gv_pg_update *update)
{
    return update->entry ? &update->entry->session : update->op->request;
}

static const char *ticket_of(const gv_pg_update *update)
{
    return update->entry ? update->entry->ticket : gv_pg_ticket_of(update->op);
}

/* From then on what is stored counts as newer; 0: nothing does. */
static gavat_time age_of(const gv_pg_update *update)
{
    return update->entry && !update->entry->whatever_age ? update->entry->at : 0;
}

static void finish(gv_pg_update *update, const gv_pg_failure *failure)
{
    gavat_op *op = update->op;
    gv_pg *self = update->job.self;
    gv_pg_part_done *done = update->done;
    bool given = update->given;
    gv_pg_free_lane(&update->job);
    gv_free(update);
    if (done)
        done(op, failure);
    else if (given)
        gavat_op_unref(op);
    else
        gv_pg_finish(op);
    gv_pg_hand_out(self);
}

static void fail(gv_pg_update *update, const gv_pg_failure *failure)
{
    gavat_op *op = update->op;
    bool sent = update->job.sent && !update->reading;
    if (update->done && gv_pg_is_refusal(failure)) {
        gv_pg_reject(op, update->index, failure);
        failure = NULL;
    } else if (!update->done && !update->given) {
        gavat_op_ref(op);
        update->given = gv_pg_spool_instead(op, failure, sent);
        if (!update->given) {
            gavat_op_unref(op);
            gv_pg_fail(op, failure, failure->lost && sent ? GAVAT_ERROR_MAYBE_APPLIED : 0, "writing to");
        }
    }
    finish(update, failure);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_update *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_failure lost = *failure;
    lost.lost = failure->lost || (job->sent && !((gv_pg_update *)job)->reading);
    fail((gv_pg_update *)job, &lost);
}

static gavat_op *op_at(gv_pg_job *job, size_t i, bool **given)
{
    gv_pg_update *update = (gv_pg_update *)job;
    *given = &update->given;
    return i || update->done ? NULL : update->op;
}

#define FIND_SALE "SELECT id, payment_status, (updated_at > $2 AND updated_at <= now()) IS TRUE, " \
    "EXISTS (SELECT 1 FROM gavat_applied WHERE ticket = $3) FROM sale_logs WHERE "

static void find_sale(gv_pg_update *update)
{
    const gv_update_request *request = sale_of(update);
    gv_pg_params params = {0};
    if (request->uid)
        gv_pg_add_uid(&params, request->uid);
    else
        gv_pg_add_int8(&params, true, request->id);
    gv_pg_add_time(&params, age_of(update));
    gv_pg_add_uid(&params, ticket_of(update));
    update->reading = true;
    update->found = 0;
    update->applied = update->newer = false;
    gv_pg_send(&update->job, request->uid ? FIND_SALE "uid = $1 LIMIT 2" : FIND_SALE "id = $1 LIMIT 2", &params, 0);
    gv_pg_sync(&update->job);
}

/* Only if the status is still the one that was looked at. */
static void store_status(gv_pg_update *update)
{
    const gv_update_request *request = sale_of(update);
    gv_pg_params params = {0};
    update->reading = false;
    gv_pg_send_ticket(&update->job, ticket_of(update));
    gv_pg_add_int8(&params, true, update->id);
    gv_pg_add_text(&params, request->status);
    gv_pg_add_text(&params, request->notes);
    gv_pg_add_time(&params, request->now);
    gv_pg_add_text(&params, update->no_status ? NULL : update->status);
    gv_pg_send(&update->job, "WITH done AS (UPDATE sale_logs SET payment_status = $2, notes = coalesce($3, notes), updated_at = $4 "
               "WHERE id = $1 AND payment_status IS NOT DISTINCT FROM $5 RETURNING 1) SELECT 1 / count(*) FROM done", &params, 0);
    gv_pg_sync(&update->job);
}

static void end_sessions(gv_pg_update *update)
{
    const gv_session_request *request = sessions_of(update);
    gv_pg_params params = {0};
    if (request->user_id)
        gv_pg_add_text(&params, request->user_id);
    else
        gv_pg_add_time(&params, request->before);
    if (request->user_id)
        gv_pg_add_time(&params, age_of(update));
    gv_pg_send_ticket(&update->job, ticket_of(update));
    gv_pg_send(&update->job, request->user_id ? "UPDATE user_sessions SET is_active = false WHERE user_id = $1 "
                                                "AND (last_activity > $2 AND last_activity <= now()) IS NOT TRUE"
                                              : "UPDATE user_sessions SET is_active = false WHERE is_active AND last_activity < $1", &params, 0);
    gv_pg_sync(&update->job);
}

static bool is_sale(const gv_pg_update *update)
{
    return (update->entry ? update->entry->place : update->op->kind->place) == GV_UPDATE_SALE;
}

static void begin(gv_pg_job *job)
{
    gv_pg_update *update = (gv_pg_update *)job;
    if (is_sale(update))
        find_sale(update);
    else
        end_sessions(update);
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_update *update = (gv_pg_update *)job;
    (void)tag;
    if (!update->reading) {
        update->changed = strtoll(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
        return;
    }
    update->found = PQntuples(result);
    if (!update->found)
        return;
    const char *status = gv_pg_string(result, 0, 1);
    update->id = gv_pg_integer(result, 0, 0);
    update->no_status = !status;
    update->newer = gv_pg_integer(result, 0, 2);
    update->applied = gv_pg_integer(result, 0, 3);
    snprintf(update->status, sizeof update->status, "%s", status ? status : "");
}

/* The status was another one than the one that was looked at. */
static bool was_changed(const gv_pg_update *update, const gv_pg_failure *failure)
{
    return is_sale(update) && !update->reading && !failure->lost && failure->tag == 0 && strcmp(failure->state, "22012") == 0;
}

/* The op has its outcome, unless it is the spool's. */
static void succeed(gv_pg_update *update)
{
    const gv_session_request *sessions = update->op->request;
    if (update->entry || update->given)
        return;
    gv_op_succeed(update->op, GAVAT_REACHED_STORE);
    if (is_sale(update))
        return;
    update->op->staged.number = update->changed;
    if (sessions->user_id && !update->changed)
        gv_op_fail(update->op, GAVAT_ENOTFOUND, 0, "", "there is no session of this user");
}

/* A sale that was looked at: what the rules say. An entry that may not be done is a reject, for it was acknowledged. */
static void step(gv_pg_update *update)
{
    gavat_op *op = update->op;
    const gv_update_request *sale = sale_of(update);
    bool same = update->found == 1 && strcmp(update->status, sale->status) == 0;
    if (update->given || update->applied) {
        succeed(update);
        finish(update, NULL);
    } else if (update->newer && !same) {
        gv_forward_refuse(op, update->index, NULL, "the sale was changed after this: its status is not set back");
        finish(update, NULL);
    } else if (gv_sale_may_step(op, update->found, update->status, sale->status)) {
        store_status(update);
    } else {
        if (update->entry) {
            gv_forward_refuse(op, update->index, NULL, op->staged.error.message);
            gv_op_succeed(op, GAVAT_REACHED_NONE);
        }
        finish(update, NULL);
    }
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_update *update = (gv_pg_update *)job;
    gv_pg_failure collided = {.state = "40001", .text = "others keep changing this sale"};
    if (failure && gv_pg_was_applied(failure)) {
        update->changed = 1;    /* by an earlier try of this */
        succeed(update);
        finish(update, NULL);
    } else if (failure && was_changed(update, failure)) {
        if (++job->tries < CHANGES && is_wanted(job))
            begin(job);
        else
            fail(update, &collided);
    } else if (failure) {
        bool again = gv_pg_again(job, failure, true);
        if (again && job->on)
            begin(job);
        else if (again)
            gv_pg_hand_out(job->self);
        else
            fail(update, failure);
    } else if (update->reading) {
        step(update);
    } else {
        succeed(update);
        finish(update, NULL);
    }
}

static bool start(gv_pg_connection *connection, gavat_op *op, const gv_entry *entry, size_t index, gv_pg_part_done *done)
{
    gv_pg_update *update = gv_pg_job_new(connection->self, sizeof *update, done ? NULL : op);
    if (!update)
        return false;
    update->op = op;
    update->entry = entry;
    update->index = index;
    update->done = done;
    update->job.begin = begin;
    update->job.result = take;
    update->job.ended = ended;
    update->job.wanted = is_wanted;
    update->job.drop = drop;
    update->job.op_at = op_at;
    update->job.due = gv_pg_due(op);
    update->job.sequence = op->sequence;
    connection->job = &update->job;
    return true;
}

bool gv_pg_start_update(gv_pg_connection *connection, gavat_op *op)
{
    return start(connection, op, NULL, 0, NULL);
}

bool gv_pg_forward_update(gv_pg *self, gavat_op *op, size_t entry, gv_pg_part_done *done)
{
    if (!start(&self->connections[0], op, gv_forward_entry(op, entry), entry, done))
        return false;
    gv_pg_hand_out(self);
    return true;
}
