/* gets.c: keys that are asked for together, looked up by one statement: what SQLite does for every statement is done once for all of
 * them. */
#include "sqlite.h"
#include "../../core/client.h"

#define EIGHT(a, b, c, d, e, f, g, h) \
    "(" #a ",?,?),(" #b ",?,?),(" #c ",?,?),(" #d ",?,?),(" #e ",?,?),(" #f ",?,?),(" #g ",?,?),(" #h ",?,?)"
#define ROWS_8 EIGHT(0, 1, 2, 3, 4, 5, 6, 7)
#define ROWS_16 ROWS_8 "," EIGHT(8, 9, 10, 11, 12, 13, 14, 15)
#define ROWS_32 ROWS_16 "," EIGHT(16, 17, 18, 19, 20, 21, 22, 23) "," EIGHT(24, 25, 26, 27, 28, 29, 30, 31)
#define ROWS_64 ROWS_32 "," EIGHT(32, 33, 34, 35, 36, 37, 38, 39) "," EIGHT(40, 41, 42, 43, 44, 45, 46, 47) "," \
    EIGHT(48, 49, 50, 51, 52, 53, 54, 55) "," EIGHT(56, 57, 58, 59, 60, 61, 62, 63)
#define SELECT(rows) \
    "WITH asked (place, user_id, key) AS (VALUES " rows ") " \
    "SELECT s.id, s.value, s.expires, s.span, s.head, s.length, asked.place FROM asked CROSS JOIN gavat_state AS s " \
    "ON s.user_id = asked.user_id AND s.key = asked.key WHERE s.expires IS NULL OR s.expires > ?"

static const struct {
    size_t count;
    const char *sql;
} selects[] = {{64, SELECT(ROWS_64)}, {32, SELECT(ROWS_32)}, {16, SELECT(ROWS_16)}, {8, SELECT(ROWS_8)}};

static void answer(gavat_op *op, const gv_state_row *row)
{
    if (!gv_op_fits(op))
        return;
    gv_state_answer(op, row);
    gv_op_charge(op);           /* before the next one: together they hold no more than all may */
    if (op->staged.error.status == GAVAT_OK)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
}

static int look_for(gv_state_sqlite *self, const char *sql, gavat_op *const *ops, size_t count, bool found[GV_STATE_TOGETHER])
{
    gavat_time now = gv_now(self->store->client);
    int code;
    sqlite3_stmt *statement = gv_database_prepare_fixed(&self->db, sql, &code);
    if (!statement)
        return code;
    for (size_t i = 0; i < count; i++) {
        const gv_state_request *request = ops[i]->request;
        sqlite3_bind_text(statement, (int)(2 * i + 1), request->user, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, (int)(2 * i + 2), request->key, -1, SQLITE_STATIC);
    }
    sqlite3_bind_int64(statement, (int)(2 * count + 1), now);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        gv_state_row row = {0};
        size_t place = (size_t)sqlite3_column_int(statement, 6);
        int failed = gv_state_read_row(statement, now, &row);
        if (failed != SQLITE_OK) {
            sqlite3_reset(statement);
            return failed;
        }
        answer(ops[place], &row);
        found[place] = true;
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

size_t gv_state_get_many(gv_state_sqlite *self, gavat_op *const *ops, size_t count, int *code)
{
    bool found[GV_STATE_TOGETHER] = {0};
    size_t k = 0, kinds = sizeof selects / sizeof *selects;
    while (k < kinds && selects[k].count > count)
        k++;
    if (k == kinds)
        return 0;
    count = selects[k].count;
    *code = look_for(self, selects[k].sql, ops, count, found);
    for (size_t i = 0; i < count; i++)
        if (!found[i] && *code == SQLITE_OK)
            answer(ops[i], NULL);
        else if (!found[i])
            gv_sqlite_fail(ops[i], &self->db, *code, 0, "reading");
    return count;
}
