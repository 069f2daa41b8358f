/* lists.c: lists: a row, and a row for each item, the newest at the lowest place. So a push costs the same however long the list is. */
#include "sqlite.h"
#include "../../core/client.h"

static int step_done(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int insert_list(gv_state_sqlite *self, const gv_state_request *request, gv_state_row *row)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db,
        "INSERT INTO gavat_state (user_id, key, head, length) VALUES (?1, ?2, 0, 1) ON CONFLICT (user_id, key) DO UPDATE SET "
        "value = NULL, expires = NULL, span = NULL, head = 0, length = 1 RETURNING id", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, request->user, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, request->key, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        row->id = sqlite3_column_int64(statement, 0);
        row->head = 0;
        row->items = 1;
        code = sqlite3_step(statement);
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int update_list(gv_state_sqlite *self, const gv_state_row *row)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "UPDATE gavat_state SET head = ?2, length = ?3 WHERE id = ?1", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->head);
    sqlite3_bind_int64(statement, 3, row->items);
    return step_done(statement);
}

static int insert_item(gv_state_sqlite *self, const gv_state_request *request, const gv_state_row *row)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db,
        "INSERT OR REPLACE INTO gavat_state_items (list, place, value) VALUES (?1, ?2, ?3)", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->head);
    sqlite3_bind_text64(statement, 3, request->value, request->length, SQLITE_STATIC, SQLITE_UTF8);
    return step_done(statement);
}

/* Those from this place on. */
static int cut_items(gv_state_sqlite *self, int64_t list, int64_t place)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "DELETE FROM gavat_state_items WHERE list = ?1 AND place >= ?2", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, list);
    sqlite3_bind_int64(statement, 2, place);
    return step_done(statement);
}

/* row: of the list as it is, or found false. */
static int push_inside(gv_state_sqlite *self, const gv_state_request *request, gv_state_row *row, bool found)
{
    bool cut = !found;          /* of what had this name before nothing may be left */
    int code = SQLITE_OK;
    if (found) {
        row->head--;
        row->items++;
        cut = request->most && row->items > request->most;
        if (cut)
            row->items = request->most;
        code = update_list(self, row);
    } else {
        code = insert_list(self, request, row);
    }
    if (code == SQLITE_OK && cut)
        code = cut_items(self, row->id, found ? row->head + row->items : INT64_MIN);
    return code == SQLITE_OK ? insert_item(self, request, row) : code;
}

static int set_expiry(gv_state_sqlite *self, int64_t id, gavat_time expires, int64_t span)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "UPDATE gavat_state SET expires = ?2, span = ?3 WHERE id = ?1", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, expires);
    sqlite3_bind_int64(statement, 3, span);
    if (expires < self->next_expiry)
        self->next_expiry = expires;
    return step_done(statement);
}

int gv_state_put_list(gv_state_sqlite *self, const gv_state_entry *entry, int64_t span)
{
    gv_state_request request = {.user = entry->user, .key = entry->key};
    gv_state_row row = {0};
    int code = entry->count ? insert_list(self, &request, &row) : SQLITE_OK;
    if (code == SQLITE_OK && entry->count)
        code = cut_items(self, row.id, INT64_MIN);      /* of what had this name before */
    for (size_t i = 0; i < entry->count && code == SQLITE_OK; i++) {
        request.value = entry->items[i].data;
        request.length = entry->items[i].length;
        row.head = (int64_t)i;
        code = insert_item(self, &request, &row);
    }
    row.head = 0;
    row.items = (int64_t)entry->count;
    if (code == SQLITE_OK && entry->count)
        code = update_list(self, &row);
    return code == SQLITE_OK && entry->count && entry->expires ? set_expiry(self, row.id, entry->expires, span) : code;
}

int gv_state_push(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    gv_state_row row = {0};
    bool found;
    int code = gv_state_find(self, request->user, request->key, gv_now(self->store->client), &row, &found);
    if (code != SQLITE_OK)
        return code;
    if (found && !row.list) {
        gv_state_refuse_text(op);
        return SQLITE_OK;
    }
    code = gv_writer_unit(&self->writing);
    if (code != SQLITE_OK)
        return code;
    code = gv_writer_end_unit(&self->writing, push_inside(self, request, &row, found));
    op->staged.number = code == SQLITE_OK ? row.items : 0;
    return code;
}

int gv_state_walk_items(gv_state_sqlite *self, const gv_state_row *row, int64_t start, int64_t stop,
                        bool (*each)(void *user, const char *value, size_t length), void *user)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "SELECT value FROM gavat_state_items WHERE list = ?1 AND place BETWEEN ?2 AND ?3 "
                                                  "ORDER BY place", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->head + start);
    sqlite3_bind_int64(statement, 3, row->head + stop);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(statement, 0);
        if (!value || !each(user, value, (size_t)sqlite3_column_bytes(statement, 0))) {
            code = value ? SQLITE_DONE : SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static bool add_item(void *user, const char *value, size_t length)
{
    gavat_op *op = user;
    const gv_state_request *request = op->request;
    return gv_state_give(op, request->user, request->key, value, length, 0);
}

int gv_state_range(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    gv_state_row row = {0};
    bool found;
    int code = gv_state_find(self, request->user, request->key, gv_now(self->store->client), &row, &found);
    if (code != SQLITE_OK || !found)
        return code;
    if (!row.list) {
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "state: a text lies under this name, no list: gavat_list_state shows it");
        return SQLITE_OK;
    }
    int64_t start = request->start < 0 ? request->start + row.items : request->start;
    int64_t stop = request->stop < 0 ? request->stop + row.items : request->stop;
    start = start < 0 ? 0 : start;
    stop = stop >= row.items ? row.items - 1 : stop;
    op->staged.number = row.items;
    if (start > stop)
        return SQLITE_OK;
    return gv_state_walk_items(self, &row, start, stop, add_item, op);
}
