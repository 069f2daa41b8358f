/* pages.c: all keys of one user, and pages of those of everybody. */
#include "sqlite.h"
#include "../../core/client.h"

#define LOOK 1000               /* rows between two looks at whether anybody still waits */

static bool add_json(void *user, const char *value, size_t length)
{
    gv_text *out = user;
    if (out->length > 1)
        gv_text_adds(out, ", ");
    gv_text_add_json(out, value, length);
    return !out->failed;
}

/* A list as the JSON array of its items. */
static int give_list(gv_state_sqlite *self, gavat_op *op, const char *user, const char *key, const gv_state_row *row)
{
    gv_text array = {.limit = op->client->most_bytes};
    gv_text_addc(&array, '[');
    int code = gv_state_walk_items(self, row, 0, row->items - 1, add_json, &array);
    gv_text_addc(&array, ']');
    if (code == SQLITE_OK && array.failed)
        gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "state: the list %s is longer than GAVAT_MAX_BYTES allows: read it in parts with "
                   "gavat_get_list", key);
    else if (code == SQLITE_OK)
        gv_state_give(op, user, key, gv_text_get(&array), array.length, (row->expire_us + 999) / 1000);
    gv_text_free(&array);
    return code;
}

/* The row at hand: GV_STATE_COLUMNS, then user_id and key. */
static int give_row(gv_state_sqlite *self, gavat_op *op, sqlite3_stmt *statement, gavat_time now)
{
    gv_state_row row;
    int code = gv_state_read_row(statement, now, &row);
    const char *user = (const char *)sqlite3_column_text(statement, 6), *key = (const char *)sqlite3_column_text(statement, 7);
    if (code != SQLITE_OK)
        return code;
    if (!user || !key)
        return SQLITE_NOMEM;
    if (row.list)
        code = give_list(self, op, user, key, &row);
    else
        gv_state_give(op, user, key, row.value, row.length, (row.expire_us + 999) / 1000);
    const gv_result *result = op->staged.result;
    if (code == SQLITE_OK && result && result->count && row.expire_us)
        ((gavat_state *)result->records[result->count - 1])->expires_at = now + row.expire_us;
    return code;
}

int gv_state_all(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    gavat_time now = gv_now(self->store->client);
    int code, failed = SQLITE_OK;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "SELECT " GV_STATE_COLUMNS ", user_id, key FROM gavat_state WHERE user_id = ?1 "
                                                  "AND (expires IS NULL OR expires > ?2) ORDER BY key", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, request->user, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, now);
    for (size_t i = 1; (code = sqlite3_step(statement)) == SQLITE_ROW; i++) {
        failed = give_row(self, op, statement, now);
        if (failed != SQLITE_OK || op->staged.error.status != GAVAT_OK || (i % LOOK == 0 && !gv_op_wanted(op)))
            break;
    }
    sqlite3_reset(statement);
    return failed != SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE ? failed : code;
}

/* What is in the way of the end of a page: one more key than it may hold tells that there is a next one. */
static bool is_full(const gavat_op *op, const gv_state_request *request)
{
    const gv_result *result = op->staged.result;
    return result && result->count && (result->count >= request->limit || result->arena.bytes >= op->client->page_bytes);
}

static int set_cursor(gavat_op *op)
{
    const gv_result *result = op->staged.result;
    const gavat_state *last = result->records[result->count - 1];
    if (gv_state_set_cursor(op, last->user ? last->user : "", last->key))
        return SQLITE_OK;
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the cursor");
    return SQLITE_OK;
}

int gv_state_scan(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    gavat_time now = gv_now(self->store->client);
    int code, failed = SQLITE_OK;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "SELECT " GV_STATE_COLUMNS ", user_id, key FROM gavat_state "
                                                  "WHERE (user_id, key) > (?1, ?2) AND (expires IS NULL OR expires > ?3) "
                                                  "ORDER BY user_id, key", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, request->after_user ? request->after_user : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, request->after_key ? request->after_key : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, now);
    while (failed == SQLITE_OK && op->staged.error.status == GAVAT_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (is_full(op, request)) {
            failed = set_cursor(op);
            break;
        }
        failed = give_row(self, op, statement, now);
    }
    sqlite3_reset(statement);
    return failed != SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE ? failed : code;
}

int gv_state_clear(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db,
        "DELETE FROM gavat_state WHERE user_id = ?1 AND (expires IS NULL OR expires > ?2)", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, request->user, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, gv_now(self->store->client));
    code = sqlite3_step(statement);
    op->staged.number = code == SQLITE_DONE ? sqlite3_changes(self->db.handle) : 0;
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}
