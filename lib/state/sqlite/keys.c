/* keys.c: one key: found, stored, removed. */
#include "sqlite.h"

#define PLACES (INT64_C(1) << 60)        /* no list has so many: beyond it a row is damaged */

static int64_t column_number(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_INTEGER ? sqlite3_column_int64(row, column) : 0;
}

static int64_t within(int64_t number, int64_t least, int64_t most)
{
    return number < least ? least : number > most ? most : number;
}

int gv_state_read_row(sqlite3_stmt *statement, gavat_time now, gv_state_row *row)
{
    row->id = sqlite3_column_int64(statement, 0);
    row->value = (const char *)sqlite3_column_text(statement, 1);
    row->length = (size_t)sqlite3_column_bytes(statement, 1);
    if (!row->value && sqlite3_column_type(statement, 1) != SQLITE_NULL)
        return SQLITE_NOMEM;
    if (!row->value || !row->length)
        row->value = "";
    int64_t expires = column_number(statement, 2);
    row->span = column_number(statement, 3);
    row->expire_us = expires > now ? expires - now : 0;
    row->late = row->span > 0 && row->expire_us > row->span;
    if (row->late)
        row->expire_us = row->span;
    row->list = sqlite3_column_type(statement, 5) == SQLITE_INTEGER;
    row->head = within(column_number(statement, 4), -PLACES, PLACES);
    row->items = within(column_number(statement, 5), 0, PLACES);
    return SQLITE_OK;
}

int gv_state_look(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, gv_state_row *row, sqlite3_stmt **found)
{
    int code;
    static const char sql[] = "SELECT " GV_STATE_COLUMNS " FROM gavat_state "
                              "WHERE user_id = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)";
    *found = NULL;
    sqlite3_stmt *statement = gv_database_prepare_fixed(&self->db, sql, &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, now);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        code = gv_state_read_row(statement, now, row);
        if (code == SQLITE_OK) {
            *found = statement;
            return code;
        }
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int gv_state_find(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, gv_state_row *row, bool *found)
{
    sqlite3_stmt *statement;
    int code = gv_state_look(self, user, key, now, row, &statement);
    *found = statement;
    if (statement && row->length) {
        row->value = gv_arena_copy(&self->scratch, row->value, row->length);
        code = row->value ? SQLITE_OK : SQLITE_NOMEM;
    }
    sqlite3_reset(statement);
    return code;
}

static int remove_row(gv_state_sqlite *self, const char *user, const char *key)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "DELETE FROM gavat_state WHERE user_id = ?1 AND key = ?2", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Over a text that is there; a list is left as it is. *stored: whether it was no list. */
static int store_text(gv_state_sqlite *self, const char *user, const char *key, gv_slice value, int64_t expires, int64_t span, bool *stored)
{
    int code;
    static const char sql[] =
        "INSERT INTO gavat_state (user_id, key, value, expires, span) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_id, key) DO UPDATE SET "
        "value = excluded.value, expires = excluded.expires, span = excluded.span WHERE length IS NULL";
    sqlite3_stmt *statement = gv_database_prepare_fixed(&self->db, sql, &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_text64(statement, 3, value.data, value.length, SQLITE_STATIC, SQLITE_UTF8);
    if (expires && expires < self->next_expiry)
        self->next_expiry = expires;
    if (expires) {
        sqlite3_bind_int64(statement, 4, expires);
        sqlite3_bind_int64(statement, 5, span);
    } else {
        sqlite3_bind_null(statement, 4);
        sqlite3_bind_null(statement, 5);
    }
    code = sqlite3_step(statement);
    *stored = code == SQLITE_DONE && sqlite3_changes(self->db.handle) > 0;
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A list that lies under the name goes, with its items, as Redis does it. */
int gv_state_store(gv_state_sqlite *self, const char *user, const char *key, gv_slice value, int64_t expires, int64_t span)
{
    bool stored = false;
    int code = store_text(self, user, key, value, expires, span, &stored);
    if (code != SQLITE_OK || stored)
        return code;
    code = gv_writer_unit(&self->writing);
    if (code != SQLITE_OK)
        return code;
    code = remove_row(self, user, key);
    if (code == SQLITE_OK)
        code = store_text(self, user, key, value, expires, span, &stored);
    return gv_writer_end_unit(&self->writing, code);
}

/* What has expired is not there, and left to the sweeper. */
int gv_state_remove(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, int64_t *gone)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db, "DELETE FROM gavat_state WHERE user_id = ?1 AND key = ?2 "
                                                  "AND (expires IS NULL OR expires > ?3)", &code);
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, now);
    code = sqlite3_step(statement);
    *gone = code == SQLITE_DONE ? sqlite3_changes(self->db.handle) : 0;
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}
