/* apply.c: one write op inside the writer's transaction. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../base/decimal.h"
#include "../../base/json.h"
#include "../statements.h"
#include <string.h>

static int bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    return text ? sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC) : sqlite3_bind_null(statement, place);
}

static int bind_time(sqlite3_stmt *statement, int place, gavat_time time)
{
    char text[27];
    if (!time)
        return sqlite3_bind_null(statement, place);
    gv_time_to_sql(time, text);
    return sqlite3_bind_text(statement, place, text, 26, SQLITE_TRANSIENT);
}

/* bound: the codes of all bindings, or'ed; nothing but memory fails there. SQLITE_OK when the statement is done. */
static int run(sqlite3_stmt *statement, int bound)
{
    int code = bound == SQLITE_OK ? sqlite3_step(statement) : SQLITE_NOMEM;
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int bind_bound(sqlite3_stmt *statement, int place, gavat_time time)
{
    char text[27];
    gv_time_to_sql_bound(time, text);
    return sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT);
}

/* time: room for the one time of a record that is written, until the statement has run. */
static int bind_field(sqlite3_stmt *statement, int *place, const void *record, const gv_field *field, char time[27])
{
    const void *at = gv_field_at(record, field);
    const char *text;
    switch (field->type) {
    case GV_FIELD_TIME:
        if (!*(const gavat_time *)at)
            return sqlite3_bind_null(statement, ++*place);
        gv_time_to_sql(*(const gavat_time *)at, time);
        return sqlite3_bind_text(statement, ++*place, time, 26, SQLITE_STATIC);
    case GV_FIELD_INTEGER:
        if (!*(const int64_t *)at)
            return sqlite3_bind_null(statement, ++*place);
        return sqlite3_bind_int64(statement, ++*place, *(const int64_t *)at > 0 ? *(const int64_t *)at : 0);
    case GV_FIELD_FLAG:
        return sqlite3_bind_int(statement, ++*place, *(const int32_t *)at > 0);
    case GV_FIELD_MONEY:
        text = gv_field_text(record, field);
        *place += 2;
        return sqlite3_bind_double(statement, *place - 1, gv_decimal_to_double(gv_slice_of(text))) | bind_text(statement, *place, text);
    default:
        return bind_text(statement, ++*place, gv_field_text(record, field));
    }
}

/* Insert one record. SQLITE_OK: it is there; *added tells whether it was new. */
static int insert(gv_sqlite *self, const gv_record_kind *kind, const void *record, bool *added)
{
    int code, place = 0;
    char times[2][27];          /* none has more: each is bound where it lies */
    size_t bound = 0;
    sqlite3_stmt *statement = gv_database_prepare_fixed(&self->own.db, gv_insert_sql(kind), &code);
    if (!statement)
        return code;
    for (size_t i = 0; i < kind->count; i++)
        if (!(kind->fields[i].flags & GV_FIELD_OUT))
            code |= bind_field(statement, &place, record, &kind->fields[i], times[kind->fields[i].type == GV_FIELD_TIME ? bound++ : 0]);
    code = run(statement, code);
    *added = code == SQLITE_OK && sqlite3_changes(self->own.db.handle) > 0;
    if (*added && kind == &gv_events_kind)
        self->inserted_id = sqlite3_last_insert_rowid(self->own.db.handle);
    return code;
}

static int update_session(gv_sqlite *self, const gavat_session *session, gavat_time now, const char *extra)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db,
        "UPDATE user_sessions SET username = coalesce(?2, username), session_token = coalesce(?3, session_token), "
        "bot_type = coalesce(?4, bot_type), is_active = ?7, last_activity = ?5, extra_data = ?6 WHERE user_id = ?1", &code);
    if (!statement)
        return code;
    int bound = bind_text(statement, 1, session->user_id) | bind_text(statement, 2, session->username);
    bound |= bind_text(statement, 3, session->session_token) | bind_text(statement, 4, session->bot_type);
    bound |= bind_time(statement, 5, session->last_activity ? session->last_activity : now) | bind_text(statement, 6, extra);
    bound |= sqlite3_bind_int(statement, 7, session->is_active >= 0);
    return run(statement, bound);
}

static int insert_session(gv_sqlite *self, const gavat_session *session, gavat_time now, const char *extra)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db, gv_insert_sql(&gv_sessions_kind), &code);
    if (!statement)
        return code;
    int bound = bind_text(statement, 1, session->user_id) | bind_text(statement, 2, session->username);
    bound |= bind_text(statement, 3, session->session_token) | bind_text(statement, 4, session->bot_type);
    bound |= bind_time(statement, 5, session->last_activity ? session->last_activity : now);
    bound |= bind_time(statement, 6, session->created_at ? session->created_at : now) | bind_text(statement, 7, extra);
    bound |= sqlite3_bind_int(statement, 8, session->is_active >= 0);
    return run(statement, bound);
}

static int set_session(gv_sqlite *self, const gavat_session *session, gavat_time now)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db, "SELECT extra_data FROM user_sessions WHERE user_id = ?1", &code);
    if (!statement)
        return code;
    bind_text(statement, 1, session->user_id);
    code = sqlite3_step(statement);
    bool there = code == SQLITE_ROW;
    gv_text extra = {0};
    const char *stored = there ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    bool lost = there && !stored && sqlite3_column_type(statement, 0) != SQLITE_NULL;   /* no memory for it: not the same as none */
    bool merged = !lost && gv_session_merge_extra(&extra, stored, session->extra_data);
    sqlite3_reset(statement);
    if (!there && code != SQLITE_DONE)
        ;
    else if (!merged)
        code = SQLITE_NOMEM;
    else
        code = there ? update_session(self, session, now, gv_text_get(&extra)) : insert_session(self, session, now, gv_text_get(&extra));
    gv_text_free(&extra);
    return code;
}

static int put_record(gv_sqlite *self, const gv_record_kind *kind, const void *record, gavat_time now, bool *added)
{
    if (kind != &gv_sessions_kind)
        return insert(self, kind, record, added);
    *added = true;
    return set_session(self, record, now);
}

static int apply_log(gv_sqlite *self, gavat_op *op)
{
    const gv_log_request *request = op->request;
    bool added;
    int code = put_record(self, request->kind, request->record, request->now, &added);
    if (code == SQLITE_OK)
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    else
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
    return code;
}

/* The sale's id and status. SQLITE_OK, with *found 0, 1 or 2 (more than one). */
static int find_sale(gv_sqlite *self, const gv_update_request *request, int64_t *id, char status[64], int *found)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db, request->uid ? "SELECT id, payment_status FROM sale_logs WHERE uid = ?1 LIMIT 2"
                                                                          : "SELECT id, payment_status FROM sale_logs WHERE id = ?1", &code);
    if (!statement)
        return code;
    if (request->uid)
        bind_text(statement, 1, request->uid);
    else
        sqlite3_bind_int64(statement, 1, request->id);
    *found = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 1);
        *id = sqlite3_column_int64(statement, 0);
        snprintf(status, 64, "%s", text ? text : "");
        ++*found;
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int store_status(gv_sqlite *self, const gv_update_request *request, int64_t id)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db,
        "UPDATE sale_logs SET payment_status = ?2, notes = coalesce(?3, notes), updated_at = ?4 WHERE id = ?1", &code);
    if (!statement)
        return code;
    int bound = sqlite3_bind_int64(statement, 1, id) | bind_text(statement, 2, request->status);
    return run(statement, bound | bind_text(statement, 3, request->notes) | bind_time(statement, 4, request->now));
}

static int apply_update(gv_sqlite *self, gavat_op *op)
{
    const gv_update_request *request = op->request;
    char status[64];
    int64_t id = 0;
    int found = 0, code = find_sale(self, request, &id, status, &found);
    if (code == SQLITE_OK && !gv_sale_may_step(op, found, status, request->status))
        return code;
    code = code == SQLITE_OK ? store_status(self, request, id) : code;
    if (code == SQLITE_OK)
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    else
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
    return code;
}

static int apply_close(gv_sqlite *self, gavat_op *op, const char *sql)
{
    const gv_session_request *request = op->request;
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->own.db, sql, &code);
    if (statement)
        code = run(statement, request->user_id ? bind_text(statement, 1, request->user_id) : bind_bound(statement, 1, request->before));
    op->staged.number = code == SQLITE_OK ? sqlite3_changes(self->own.db.handle) : 0;
    if (code != SQLITE_OK) {
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
        return code;
    }
    if (request->user_id && !op->staged.number)
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "there is no session of this user");
    else
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    return SQLITE_OK;
}

/* Name the record that the store refuses, with its reason. False: no memory. */
static bool reject(gv_sqlite *self, gavat_op *op, uint64_t index, int code)
{
    char why[512];
    snprintf(why, sizeof why, "%s (%s, %s)", gv_sqlite_advice(code), gv_sqlite_name(code), sqlite3_errmsg(self->own.db.handle));
    gv_result *result = gv_op_result(op);
    return result && gv_result_reject(result, index, why);
}

/* Each on its own. A failure that is not the record's own ends the op: nothing more is tried on a disk that is full. */
static int apply_import(gv_sqlite *self, gavat_op *op)
{
    gavat_time now = gv_now(self->store->client);
    for (size_t i = 0; i < op->batch->count; i++) {
        const gv_batch_entry *entry = &op->batch->entries[i];
        const gv_batch_record *record = entry->record;
        bool added;
        int code = put_record(self, record->kind, record->record, now, &added);
        if (code == SQLITE_OK)
            op->staged.number++;
        else if (gv_sqlite_status(code) != GAVAT_EREJECTED || sqlite3_get_autocommit(self->own.db.handle)
                 || !reject(self, op, entry->index, code)) {
            gv_sqlite_fail(op, &self->own.db, code, GAVAT_ERROR_MAYBE_APPLIED, "importing into");
            return code;
        }
    }
    gv_op_succeed(op, GAVAT_REACHED_STORE);
    return SQLITE_OK;
}

/* All or nothing. */
static int apply_commit(gv_sqlite *self, gavat_op *op)
{
    gavat_time now = gv_now(self->store->client);
    int code = gv_writer_unit(&self->writing);
    if (code != SQLITE_OK) {
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
        return code;
    }
    for (size_t i = 0; i < op->batch->count && code == SQLITE_OK; i++) {
        const gv_batch_entry *entry = &op->batch->entries[i];
        const gv_batch_record *record = entry->record;
        bool added;
        code = put_record(self, record->kind, record->record, now, &added);
        if (code != SQLITE_OK && gv_sqlite_status(code) == GAVAT_EREJECTED)
            reject(self, op, entry->index, code);
    }
    bool refused = code != SQLITE_OK;
    if (refused)        /* the store's words, before they are those of the undoing */
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
    code = gv_writer_end_unit(&self->writing, code);
    if (code == SQLITE_OK) {
        op->staged.number = (int64_t)op->batch->count;
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    } else if (!refused) {
        gv_sqlite_fail(op, &self->own.db, code, 0, "writing to");
    }
    return code;
}

int gv_sqlite_apply(gv_sqlite *self, gavat_op *op)
{
    switch (op->kind->place) {
    case GV_UPDATE_SALE:
        return apply_update(self, op);
    case GV_CLOSE_SESSION:
        return apply_close(self, op, "UPDATE user_sessions SET is_active = 0 WHERE user_id = ?1");
    case GV_EXPIRE_SESSIONS:
        return apply_close(self, op, "UPDATE user_sessions SET is_active = 0 WHERE is_active = 1 AND last_activity < ?1");
    case GV_IMPORT:
        return apply_import(self, op);
    case GV_COMMIT:
        return apply_commit(self, op);
    default:
        return apply_log(self, op);
    }
}
