/* later.c: what goes on in slices between two batches: walks, upgrades, and the removal of what has expired. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../core/client.h"

#define SLICE 2000              /* rows */
#define SWEEP 1000
#define APART UINT64_C(100000000)       /* nanoseconds between two sweeps, each of which is a commit */
#define NAP 60000               /* milliseconds until it looks at the clock again, which may have been set */
#define NAP_TOLD 500            /* with a clock of the caller's */

static bool is_walk(const gavat_op *op)
{
    switch (op->kind->place) {
    case GV_CHECK_STATE: case GV_SCHEMA_STATE: case GV_UPGRADE_STATE: case GV_IMPORT_STATE:
        return false;
    default:
        return *(const gv_state_verb *)op->request == GV_STATE_WALK;
    }
}

bool gv_state_is_later(const gavat_op *op)
{
    return op->kind->flags & GV_LONG || is_walk(op);
}

/* Behind the last user of the slice before; up to whatever begins with the prefix no more: its last byte is ':'. */
static int bind_range(gv_state_sqlite *self, sqlite3_stmt *statement, const gv_walk_request *request, gavat_time now)
{
    const gv_text *position = &self->position;
    gv_text end = {0};
    gv_text_adds(&end, request->prefix);
    if (end.length)
        end.data[end.length - 1]++;
    int code = end.failed ? SQLITE_NOMEM : SQLITE_OK;
    code |= sqlite3_bind_text64(statement, 1, gv_text_get(position), position->length, SQLITE_STATIC, SQLITE_UTF8);
    code |= end.length ? sqlite3_bind_text(statement, 2, end.data, (int)end.length, SQLITE_TRANSIENT)
                       : sqlite3_bind_zeroblob(statement, 2, 1);        /* behind every text */
    code |= sqlite3_bind_text(statement, 3, request->rule->key, -1, SQLITE_STATIC);
    code |= sqlite3_bind_int64(statement, 4, now) | sqlite3_bind_int(statement, 5, SLICE);
    gv_text_free(&end);
    return code == SQLITE_OK ? code : SQLITE_NOMEM;
}

/* The row at hand: GV_STATE_COLUMNS, then user_id. */
static int offer_row(gv_state_sqlite *self, const gv_walk_request *request, sqlite3_stmt *statement, gavat_time now)
{
    gv_state_row row;
    int code = gv_state_read_row(statement, now, &row);
    const char *user = (const char *)sqlite3_column_text(statement, 6);
    if (code != SQLITE_OK || !user)
        return SQLITE_NOMEM;
    gv_text_clear(&self->position);
    gv_text_add(&self->position, user, (size_t)sqlite3_column_bytes(statement, 6));
    gv_walk_item item = {user, row.value, row.length, (row.expire_us + 999) / 1000};
    gavat_time due = request->rule->due ? request->rule->due(request->arguments, now, &item) : 0;
    if (row.list || (request->rule->due && !due))
        return SQLITE_OK;
    return !self->position.failed && gv_walk_offer(&self->page, &item, due) ? SQLITE_OK : SQLITE_NOMEM;
}

/* *rows: how many there were. */
static int walk_slice(gv_state_sqlite *self, const gv_walk_request *request, size_t *rows)
{
    gavat_time now = gv_now(self->store->client);
    int code, failed = SQLITE_OK;
    sqlite3_stmt *statement = gv_database_prepare(&self->db,
        "SELECT " GV_STATE_COLUMNS ", user_id FROM gavat_state WHERE user_id > ?1 AND user_id < ?2 AND key = ?3 "
        "AND (expires IS NULL OR expires > ?4) ORDER BY user_id LIMIT ?5", &code);
    if (!statement)
        return code;
    code = bind_range(self, statement, request, now);
    while (code == SQLITE_OK && failed == SQLITE_OK && !gv_walk_full(&self->page) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        failed = offer_row(self, request, statement, now);
        code = SQLITE_OK;
        ++*rows;
    }
    sqlite3_reset(statement);
    return failed != SQLITE_OK || code == SQLITE_DONE ? failed : code;
}

/* True: it has its outcome. */
static bool walk(gv_state_sqlite *self, gavat_op *op)
{
    const gv_walk_request *request = op->request;
    size_t rows = 0;
    if (!self->page.request) {
        self->page.request = request;
        gv_text_clear(&self->position);
        gv_text_adds(&self->position, request->after_user && !request->rule->due ? request->after_user : request->prefix);
    }
    int code = self->position.failed ? SQLITE_NOMEM : walk_slice(self, request, &rows);
    if (code == SQLITE_OK && rows == SLICE && !gv_walk_full(&self->page) && gv_op_wanted(op))
        return false;
    if (code != SQLITE_OK)
        gv_sqlite_fail(op, &self->db, code, 0, "reading");
    else if (gv_walk_give(&self->page, op, gv_now(self->store->client)))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the page");
    gv_writer_distrust(&self->writing, code);
    return true;
}

static bool upgrade(gv_state_sqlite *self, gavat_op *op)
{
    const gv_upgrade_request *request = op->request;
    int code = gv_state_upgrade(self, op, request->dry_run != 0);
    if ((code & 0xff) == SQLITE_BUSY && gv_op_wanted(op))
        return false;
    if (code == SQLITE_OK)
        gv_op_succeed(op, self->reached);
    else if (op->staged.error.status == GAVAT_OK)
        gv_sqlite_fail(op, &self->db, code, 0, "upgrading");
    gv_writer_distrust(&self->writing, code);
    return true;
}

void gv_state_work_later(gv_state_sqlite *self)
{
    gv_link *link = gv_list_first(&self->later);
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    bool begun = atomic_load(&op->claim) == GV_CLAIM_TAKEN || gv_op_take(op);
    if (begun && !self->db.handle)
        gv_sqlite_fail(op, &self->db, self->writing.open_code, 0, "opening");
    else if (begun && !(is_walk(op) ? walk(self, op) : upgrade(self, op)))
        return;
    gv_list done;
    gv_list_init(&done);
    gv_list_remove(link);
    gv_list_append(&done, link);
    gv_walk_free(&self->page);
    self->page.request = NULL;
    gv_ops_finish(self->store->client, &done);
}

/* --- what has expired --- */

uint32_t gv_state_until_sweep(gv_state_sqlite *self)
{
    gavat *g = self->store->client;
    if (self->next_expiry == INT64_MAX || !self->db.handle)
        return UINT32_MAX;
    int64_t left = gv_state_left_ms(self->next_expiry, gv_now(g)), most = atomic_load(&g->clock) ? NAP_TOLD : NAP;
    uint64_t since = gv_clock_steady() - self->swept_at;
    int64_t least = since < APART ? (int64_t)((APART - since) / 1000000 + 1) : 0;
    left = left < least ? least : left;
    return (uint32_t)(left < most ? left : most);
}

static int sweep_slice(gv_state_sqlite *self, gavat_time now)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&self->db,
        "DELETE FROM gavat_state WHERE id IN (SELECT id FROM gavat_state WHERE expires <= ?1 ORDER BY expires LIMIT ?2)", &code);
    if (!statement)
        return code;
    sqlite3_bind_int64(statement, 1, now);
    sqlite3_bind_int(statement, 2, SWEEP);
    code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

void gv_state_sweep(gv_state_sqlite *self)
{
    gavat_time now = gv_now(self->store->client);
    if (!self->db.handle || self->next_expiry > now || gv_clock_steady() - self->swept_at < APART)
        return;
    int64_t next = INT64_MAX;
    int code = SQLITE_OK;
    sqlite3_busy_timeout(self->db.handle, 0);           /* it can wait, those who come meanwhile cannot */
    if (self->next_expiry)              /* else it looks first: no lock is taken for nothing */
        code = sweep_slice(self, now);
    sqlite3_busy_timeout(self->db.handle, (int)self->writing.options.busy_ms);
    if (code == SQLITE_OK)
        code = gv_database_ask(&self->db, "SELECT min(expires) FROM gavat_state WHERE expires IS NOT NULL", &next);
    self->swept_at = gv_clock_steady();
    if (code == SQLITE_OK)
        self->next_expiry = next ? next : -1;
    if (code == SQLITE_OK && next <= now)
        self->swept_at = 0;     /* there is more: the next slice comes at once, behind the ops that wait */
    if ((code & 0xff) != SQLITE_BUSY)
        gv_writer_distrust(&self->writing, code);
}
