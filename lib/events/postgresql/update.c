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
} gv_pg_update;

static void finish(gv_pg_update *update)
{
    gavat_op *op = update->op;
    gv_pg_free_lane(&update->job);
    gv_free(update);
    gv_pg_finish(op);
}

static void fail(gv_pg_update *update, const gv_pg_failure *failure)
{
    gv_pg_fail(update->op, failure, failure->lost ? GAVAT_ERROR_MAYBE_APPLIED : 0, "writing to");
    finish(update);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_update *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_failure lost = *failure;
    lost.lost = job->sent && !((gv_pg_update *)job)->reading;
    fail((gv_pg_update *)job, &lost);
}

static void find_sale(gv_pg_update *update)
{
    const gv_update_request *request = update->op->request;
    gv_pg_params params = {0};
    if (request->uid)
        gv_pg_add_uid(&params, request->uid);
    else
        gv_pg_add_int8(&params, true, request->id);
    update->reading = true;
    update->found = 0;
    gv_pg_send(&update->job, request->uid ? "SELECT id, payment_status FROM sale_logs WHERE uid = $1 LIMIT 2"
                                          : "SELECT id, payment_status FROM sale_logs WHERE id = $1 LIMIT 2", &params, 0);
    gv_pg_sync(&update->job);
}

/* Only if the status is still the one that was looked at. */
static void store_status(gv_pg_update *update)
{
    const gv_update_request *request = update->op->request;
    gv_pg_params params = {0};
    update->reading = false;
    gv_pg_add_int8(&params, true, update->id);
    gv_pg_add_text(&params, request->status);
    gv_pg_add_text(&params, request->notes);
    gv_pg_add_time(&params, request->now);
    gv_pg_add_text(&params, update->no_status ? NULL : update->status);
    gv_pg_send(&update->job, "UPDATE sale_logs SET payment_status = $2, notes = coalesce($3, notes), updated_at = $4 "
               "WHERE id = $1 AND payment_status IS NOT DISTINCT FROM $5", &params, 0);
    gv_pg_sync(&update->job);
}

static void end_sessions(gv_pg_update *update)
{
    const gv_session_request *request = update->op->request;
    gv_pg_params params = {0};
    if (request->user_id)
        gv_pg_add_text(&params, request->user_id);
    else
        gv_pg_add_time(&params, request->before);
    gv_pg_send(&update->job, request->user_id ? "UPDATE user_sessions SET is_active = false WHERE user_id = $1"
                                              : "UPDATE user_sessions SET is_active = false WHERE is_active AND last_activity < $1", &params, 0);
    gv_pg_sync(&update->job);
}

static bool is_sale(const gv_pg_update *update)
{
    return update->op->kind->place == GV_UPDATE_SALE;
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
    snprintf(update->status, sizeof update->status, "%s", status ? status : "");
}

/* The op has its outcome; true: the status was another one meanwhile, look again. */
static bool changed_meanwhile(gv_pg_update *update)
{
    const gv_session_request *sessions = update->op->request;
    if (is_sale(update) && !update->changed && ++update->job.tries < CHANGES)
        return true;
    if (is_sale(update) && !update->changed)
        gv_op_fail(update->op, GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "", "others keep changing this sale: try again");
    else
        gv_op_succeed(update->op, GAVAT_REACHED_STORE);
    if (is_sale(update))
        return false;
    update->op->staged.number = update->changed;
    if (sessions->user_id && !update->changed)
        gv_op_fail(update->op, GAVAT_ENOTFOUND, 0, "", "there is no session of this user");
    return false;
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_update *update = (gv_pg_update *)job;
    const gv_update_request *sale = update->op->request;
    if (failure) {
        bool again = gv_pg_again(job, failure, update->reading);
        if (again && job->on)
            begin(job);
        else if (again)
            gv_pg_hand_out(job->self);
        else
            fail(update, failure);
    } else if (update->reading) {
        if (gv_sale_may_step(update->op, update->found, update->status, sale->status))
            store_status(update);
        else
            finish(update);
    } else if (changed_meanwhile(update)) {
        begin(job);
    } else {
        finish(update);
    }
}

bool gv_pg_start_update(gv_pg_connection *connection, gavat_op *op)
{
    gv_pg_update *update = gv_pg_job_new(connection->self, sizeof *update, op);
    if (!update)
        return false;
    update->op = op;
    update->job.begin = begin;
    update->job.result = take;
    update->job.ended = ended;
    update->job.wanted = is_wanted;
    update->job.drop = drop;
    connection->job = &update->job;
    return true;
}
