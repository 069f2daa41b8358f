/* unit.c: records that are stored together or not at all, and sessions, which are merged with what is stored. What is stored is read first;
 * the round that writes fails when it was changed meanwhile, and all is done again: no lock is held between the two. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../base/uuid.h"
#include <stdio.h>

#define CHANGED "22012"         /* division by zero: the row was not as it had been read */

#define CHANGES 1000            /* tries while others keep changing it; its deadline comes first */

typedef struct gv_pg_unit {
    gv_pg_job job;
    gavat_op *op;
    size_t count;
    gv_pg_item *items;
    char **stored;              /* of each session: extra_data as it will be before it; NULL: none */
    bool *there;                /* of each session: there is a row */
    bool *older;                /* of each session: what is stored is newer than this write out of the spool */
    bool reading;
    bool given;                 /* the op is the spool's now, a reference is ours */
    gv_pg_part_done *done;      /* of an import, or of a forward */
    const gv_entry *entry;      /* of a forward */
    char ticket[GV_UUID_ROOM];  /* of an import's part: the op has many */
} gv_pg_unit;

static const char update_sql[] =
    "WITH done AS (UPDATE user_sessions SET username = coalesce($2, username), session_token = coalesce($3, session_token), "
    "bot_type = coalesce($4, bot_type), is_active = $8, last_activity = $5, extra_data = $6::json "
    "WHERE user_id = $1 AND extra_data::text IS NOT DISTINCT FROM $7 RETURNING 1) SELECT 1 / count(*) FROM done";
static const char insert_sql[] =
    "WITH done AS (INSERT INTO user_sessions (user_id, username, session_token, bot_type, is_active, last_activity, created_at, extra_data) "
    "VALUES ($1, $2, $3, $4, $8, $5, $6, $7::json) ON CONFLICT (user_id) DO NOTHING RETURNING 1) SELECT 1 / count(*) FROM done";

/* Out of the spool: not over what is newer. What is newer keeps its place, and what it lacks is added. */
static const char update_aged_sql[] =
    "WITH done AS (UPDATE user_sessions SET username = coalesce($2, username), session_token = coalesce($3, session_token), "
    "bot_type = coalesce($4, bot_type), is_active = $8, last_activity = $5, extra_data = $6::json "
    "WHERE user_id = $1 AND extra_data::text IS NOT DISTINCT FROM $7 AND (last_activity > $9 AND last_activity <= now()) IS NOT TRUE "
    "RETURNING 1) SELECT 1 / count(*) FROM done";
static const char update_older_sql[] =
    "WITH done AS (UPDATE user_sessions SET username = coalesce(username, $2), session_token = coalesce(session_token, $3), "
    "bot_type = coalesce(bot_type, $4), last_activity = greatest(last_activity, $5), extra_data = $6::json "
    "WHERE user_id = $1 AND extra_data::text IS NOT DISTINCT FROM $7 AND last_activity > $9 RETURNING 1) SELECT 1 / count(*) FROM done";

static bool is_session(const gv_pg_item *item)
{
    return item->kind == &gv_sessions_kind;
}

static const char *user_of(const gv_pg_item *item)
{
    return ((const gavat_session *)item->record)->user_id;
}

static void forget(gv_pg_unit *unit)
{
    for (size_t i = 0; i < unit->count; i++) {
        gv_free(unit->stored[i]);
        unit->stored[i] = NULL;
        unit->there[i] = unit->older[i] = false;
    }
}

static void end_unit(gv_pg_unit *unit, const gv_pg_failure *failure)
{
    gv_pg_part_done *done = unit->done;
    gavat_op *op = unit->op;
    gv_pg *self = unit->job.self;
    forget(unit);
    gv_pg_free_lane(&unit->job);
    gv_free(unit->items);
    gv_free(unit->stored);
    gv_free(unit->there);
    gv_free(unit->older);
    bool given = unit->given;
    gv_free(unit);
    if (done)
        done(op, failure);
    else if (given)
        gavat_op_unref(op);
    else
        gv_pg_finish(op);
    gv_pg_hand_out(self);
}

static void fail(gv_pg_unit *unit, const gv_pg_failure *failure)
{
    bool sent = unit->job.sent && !unit->reading;
    if (!unit->done && !unit->given) {
        gavat_op_ref(unit->op);
        unit->given = gv_pg_spool_instead(unit->op, failure, sent);
        if (!unit->given) {
            gavat_op_unref(unit->op);
            gv_pg_fail(unit->op, failure, failure->lost && sent ? GAVAT_ERROR_MAYBE_APPLIED : 0, "writing to");
        }
    }
    end_unit(unit, failure);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_unit *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_failure lost = *failure;
    lost.lost = failure->lost || (job->sent && !((gv_pg_unit *)job)->reading);
    fail((gv_pg_unit *)job, &lost);
}

static gavat_op *op_at(gv_pg_job *job, size_t i, bool **given)
{
    gv_pg_unit *unit = (gv_pg_unit *)job;
    *given = &unit->given;
    return i || unit->done ? NULL : unit->op;
}

static const char *ticket_of(gv_pg_unit *unit)
{
    if (unit->entry)
        return unit->entry->ticket;
    if (unit->done && !*unit->ticket)
        gv_uuid_make(gv_now(unit->op->client), unit->ticket);
    return unit->done ? unit->ticket : gv_pg_ticket_of(unit->op);
}

/* Of the call, however late it is done. */
static gavat_time time_of(const gv_pg_unit *unit)
{
    const gavat_op *op = unit->op;
    if (unit->entry)
        return unit->entry->at;
    if (op->batch)              /* an import's too */
        return gv_now(op->client) - (int64_t)((gv_clock_steady() - op->submitted) / 1000);
    return ((const gv_log_request *)op->request)->now;
}

static void read_stored(gv_pg_unit *unit)
{
    gv_pg_params params = {0};
    size_t sessions = 0;
    for (size_t i = 0; i < unit->count; i++)
        sessions += is_session(&unit->items[i]);
    gv_pg_begin_array(&params, 25, sessions);
    for (size_t i = 0; i < unit->count; i++)
        if (is_session(&unit->items[i]))
            gv_pg_put_text(&params, gv_slice_of(user_of(&unit->items[i])));
    params.failed |= params.arrays.failed;
    gv_pg_add_time(&params, unit->entry && !unit->entry->whatever_age ? unit->entry->at : 0);
    gv_pg_send(&unit->job, "SELECT user_id, extra_data::text, (last_activity > $2 AND last_activity <= now()) IS TRUE "
               "FROM user_sessions WHERE user_id = ANY ($1)", &params, 0);
    gv_pg_params_free(&params);
    gv_pg_sync(&unit->job);
}

/* What will be stored is what the next one of the same user finds. False: no memory. */
static bool hand_on(gv_pg_unit *unit, size_t from, const char *extra)
{
    for (size_t i = from + 1; i < unit->count; i++) {
        if (!is_session(&unit->items[i]) || strcmp(user_of(&unit->items[i]), user_of(&unit->items[from])) != 0)
            continue;
        gv_free(unit->stored[i]);
        unit->stored[i] = gv_copy_text(extra);
        unit->there[i] = true;
        unit->older[i] = unit->older[from];
        return unit->stored[i];
    }
    return true;
}

static bool merge(const gv_pg_unit *unit, size_t i, gv_text *extra)
{
    const gavat_session *session = unit->items[i].record;
    if (unit->older[i] && unit->stored[i])
        return gv_session_merge_extra(extra, session->extra_data, unit->stored[i]);
    return gv_session_merge_extra(extra, unit->stored[i], session->extra_data);
}

static void send_session(gv_pg_unit *unit, size_t i, gavat_time now)
{
    const gavat_session *session = unit->items[i].record;
    gv_pg_params params = {0};
    gv_text extra = {0};
    bool aged = unit->entry && !unit->entry->whatever_age;
    params.failed = !merge(unit, i, &extra);
    gv_pg_add_text(&params, session->user_id);
    gv_pg_add_text(&params, session->username);
    gv_pg_add_text(&params, session->session_token);
    gv_pg_add_text(&params, session->bot_type);
    gv_pg_add_time(&params, session->last_activity ? session->last_activity : now);
    if (!unit->there[i])
        gv_pg_add_time(&params, session->created_at ? session->created_at : now);
    gv_pg_add_text(&params, gv_text_get(&extra));
    if (unit->there[i])
        gv_pg_add_text(&params, unit->stored[i]);
    gv_pg_add_flag(&params, session->is_active < 0 ? -1 : 1);
    if (unit->there[i] && (aged || unit->older[i]))
        gv_pg_add_time(&params, now);
    params.failed |= !hand_on(unit, i, gv_text_get(&extra));
    const char *update = unit->older[i] ? update_older_sql : aged ? update_aged_sql : update_sql;
    gv_pg_send(&unit->job, unit->there[i] ? update : insert_sql, &params, (int)i);
    gv_pg_params_free(&params);
    gv_text_free(&extra);
}

static void send_record(gv_pg_unit *unit, size_t i)
{
    gv_pg_params params = {0};
    gv_text sql = {0};
    bool folded = unit->job.self->search_index;
    gv_pg_add_insert_sql(&sql, unit->items[i].kind, false, folded);
    gv_pg_add_record(&params, unit->items[i].kind, unit->items[i].record, folded);
    params.failed |= sql.failed;
    gv_pg_send(&unit->job, gv_text_get(&sql), &params, (int)i);
    gv_pg_params_free(&params);
    gv_text_free(&sql);
}

static bool has_sessions(const gv_pg_unit *unit)
{
    for (size_t i = 0; i < unit->count; i++)
        if (is_session(&unit->items[i]))
            return true;
    return false;
}

static void write_all(gv_pg_unit *unit)
{
    gavat_time now = time_of(unit);
    if (has_sessions(unit))
        gv_pg_send_ticket(&unit->job, ticket_of(unit));
    for (size_t i = 0; i < unit->count; i++) {
        if (is_session(&unit->items[i]))
            send_session(unit, i, now);
        else
            send_record(unit, i);
    }
    gv_pg_sync(&unit->job);
}

static void begin(gv_pg_job *job)
{
    gv_pg_unit *unit = (gv_pg_unit *)job;
    forget(unit);
    unit->reading = has_sessions(unit);
    if (unit->reading)
        read_stored(unit);
    else
        write_all(unit);
}

static void take_stored(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_unit *unit = (gv_pg_unit *)job;
    (void)tag;
    for (int row = 0; unit->reading && row < PQntuples(result); row++)
        for (size_t i = 0; i < unit->count; i++) {
            const char *extra = gv_pg_string(result, row, 1);
            if (!is_session(&unit->items[i]) || strcmp(user_of(&unit->items[i]), gv_pg_string(result, row, 0)) != 0 || unit->there[i])
                continue;
            unit->there[i] = true;
            unit->older[i] = gv_pg_integer(result, row, 2);
            unit->stored[i] = gv_copy_text(extra);
            if (extra && !unit->stored[i])
                job->on->doomed = true;
        }
}

static bool was_changed(const gv_pg_unit *unit, const gv_pg_failure *failure)
{
    return !failure->lost && strcmp(failure->state, CHANGED) == 0 && failure->tag >= 0 && is_session(&unit->items[failure->tag]);
}

static void refuse(gv_pg_unit *unit, const gv_pg_failure *failure)
{
    if (unit->entry)
        gv_pg_reject(unit->op, unit->items[0].index, failure);
    else if (failure->tag >= 0 && !unit->given && (unit->done || unit->op->batch))
        gv_pg_reject(unit->op, unit->items[failure->tag].index, failure);
    if (unit->done) {
        end_unit(unit, NULL);
        return;
    }
    fail(unit, failure);
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_unit *unit = (gv_pg_unit *)job;
    if (gv_pg_mend_months(job, failure, unit->items, unit->count))
        return;
    if (failure && gv_pg_was_applied(failure))
        failure = NULL;
    else if (!failure && unit->reading && !unit->given) {
        unit->reading = false;
        write_all(unit);
        return;
    }
    if (failure && was_changed(unit, failure)) {
        gv_pg_failure collided = *failure;
        snprintf(collided.state, sizeof collided.state, "40001");
        if (++job->tries < CHANGES && is_wanted(job))
            begin(job);
        else
            fail(unit, &collided);
        return;
    }
    if (failure && gv_pg_is_refusal(failure)) {
        refuse(unit, failure);
        return;
    }
    if (failure) {
        bool again = gv_pg_again(job, failure, true);
        if (again && job->on)
            begin(job);
        else if (again)
            gv_pg_hand_out(job->self);
        else
            fail(unit, failure);
        return;
    }
    if (unit->entry || unit->given) {
        end_unit(unit, NULL);
        return;
    }
    if (unit->done) {
        unit->op->staged.number++;
    } else {
        unit->op->staged.number = unit->op->batch ? (int64_t)unit->count : 0;
        gv_op_succeed(unit->op, GAVAT_REACHED_STORE);
    }
    end_unit(unit, NULL);
}

static gv_pg_unit *make(gv_pg_connection *connection, gavat_op *op, size_t count)
{
    gv_pg_unit *unit = gv_pg_job_new(connection->self, sizeof *unit, NULL);
    if (!unit)
        return NULL;
    unit->items = gv_alloc_zero((count + 1) * sizeof *unit->items);
    unit->stored = gv_alloc_zero((count + 1) * sizeof *unit->stored);
    unit->there = gv_alloc_zero(count + 1);
    unit->older = gv_alloc_zero(count + 1);
    if (!unit->items || !unit->stored || !unit->there || !unit->older) {
        gv_free(unit->items);
        gv_free(unit->stored);
        gv_free(unit->there);
        gv_free(unit->older);
        gv_free(unit);
        return NULL;
    }
    unit->op = op;
    unit->count = count;
    unit->job.begin = begin;
    unit->job.result = take_stored;
    unit->job.ended = ended;
    unit->job.wanted = is_wanted;
    unit->job.drop = drop;
    unit->job.op_at = op_at;
    unit->job.due = gv_pg_due(op);
    unit->job.sequence = op->sequence;
    connection->job = &unit->job;
    return unit;
}

bool gv_pg_start_unit(gv_pg_connection *connection, gavat_op *op)
{
    gv_pg_unit *unit = make(connection, op, op->batch ? op->batch->count : 1);
    if (!unit) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory to ask the store");
        gv_op_finish(op);
        return false;
    }
    if (!op->batch) {
        const gv_log_request *request = op->request;
        unit->items[0] = (gv_pg_item){op, 0, request->kind, request->record, false};
        return true;
    }
    for (size_t i = 0; i < unit->count; i++) {
        const gv_batch_record *record = op->batch->entries[i].record;
        unit->items[i] = (gv_pg_item){op, op->batch->entries[i].index, record->kind, record->record, false};
    }
    return true;
}

bool gv_pg_import_session(gv_pg *self, const gv_pg_item *item, gv_pg_part_done *done)
{
    gv_pg_unit *unit = make(&self->connections[0], item->op, 1);
    if (!unit)
        return false;
    unit->items[0] = *item;
    unit->done = done;
    gv_pg_hand_out(self);
    return true;
}

bool gv_pg_forward_unit(gv_pg *self, gavat_op *op, size_t entry, gv_pg_part_done *done)
{
    const gv_entry *from = gv_forward_entry(op, entry);
    gv_pg_unit *unit = make(&self->connections[0], op, from->count);
    if (!unit)
        return false;
    for (size_t i = 0; i < from->count; i++)
        unit->items[i] = (gv_pg_item){op, entry, from->records[i]->kind, from->records[i]->record, false};
    unit->entry = from;
    unit->done = done;
    gv_pg_hand_out(self);
    return true;
}
