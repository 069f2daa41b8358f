/* file.c: the tables of the spool, and all that is read and written there. */
#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../base/uuid.h"
#include "spool.h"
#include <stdio.h>
#include <unistd.h>

#define BATCH_BYTES (INT64_C(1) << 20)  /* of payload read at once, one entry at least */

static const gv_schema_step steps[] = {
    {"table gavat_spool", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_spool (sequence INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL, ticket TEXT NOT NULL, "
     "at INTEGER NOT NULL, spooled_at INTEGER NOT NULL, sum INTEGER NOT NULL, payload TEXT NOT NULL)"},
    {"table gavat_rejects", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_rejects (id INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL, ticket TEXT NOT NULL, "
     "at INTEGER NOT NULL, rejected_at INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, payload TEXT NOT NULL)"},
    GV_SCHEMA_STEP,
};

static int find_stranger(gv_database *db, const char **table)
{
    (void)db;
    *table = NULL;
    return SQLITE_OK;
}

const gv_schema gv_spool_schema = {"spool", 1, 1, steps, sizeof steps / sizeof *steps, find_stranger};

bool gv_spool_open(gv_spool *self, bool create)
{
    if (gv_database_moved(&self->db)) {
        gv_database_close(&self->db);
        gv_writer_moved(&self->writing);
        self->known = false;
    }
    if (!self->db.handle && !create && access(self->path, F_OK) != 0) {
        const gv_spool_totals none = {.last = -1};
        self->totals = none;
        return false;
    }
    return gv_writer_ready(&self->writing);
}

/* --- what there is --- */

static int read_end(gv_spool *self, const char *sql, int64_t *sequence, int64_t *sum, int64_t *length, int64_t *time)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(&self->db, sql, &code);
    if (!row)
        return code;
    code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        *sequence = sqlite3_column_int64(row, 0);
        *sum = sqlite3_column_int64(row, 1);
        *length = sqlite3_column_int64(row, 2);
        *time = sqlite3_column_int64(row, 3);
    }
    sqlite3_reset(row);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int gv_spool_read_totals(gv_spool *self, gv_spool_totals *totals)
{
    int64_t first = 0, last = -1, before = 0, sum = 0, length = 0, oldest = 0, newest;
    int code = read_end(self, "SELECT sequence, sum, length(CAST(payload AS BLOB)), spooled_at FROM gavat_spool ORDER BY sequence LIMIT 1",
                        &first, &before, &length, &oldest);
    int64_t head = length;
    if (code == SQLITE_OK)
        code = read_end(self, "SELECT sequence, sum, 0, spooled_at FROM gavat_spool ORDER BY sequence DESC LIMIT 1", &last, &sum, &length,
                        &newest);
    if (code != SQLITE_OK)
        return code;
    const gv_spool_totals read = {first, last, last < first ? 0 : sum - before + head, sum, oldest};
    *totals = read;
    return SQLITE_OK;
}

int64_t gv_spool_count_rejects(gv_spool *self)
{
    return gv_database_number(&self->db, "SELECT count(*) FROM gavat_rejects", 0);
}

bool gv_spool_is_full(const gv_spool *self, const gv_spool_totals *totals, gavat_time now, char *why, size_t room)
{
    char since[28];
    if (totals->bytes >= self->most_bytes) {
        snprintf(why, room, "the spool is full (GAVAT_EVENTS_SPOOL_MAX_BYTES, %lld bytes): bring the store back, or raise the bound",
                 (long long)self->most_bytes);
        return true;
    }
    if (!totals->oldest || now - totals->oldest <= self->most_age)
        return false;
    gv_time_to_rfc(totals->oldest, since);
    snprintf(why, room, "the spool takes nothing more: its oldest write waits since %s, longer than GAVAT_EVENTS_SPOOL_MAX_AGE allows: bring "
             "the store back, or raise the bound", since);
    return true;
}

void gv_spool_publish(gv_spool *self)
{
    char why[240] = "";
    gavat_time now = gv_now(self->store->client);
    const gv_spool_totals *totals = &self->totals;
    long long depth = totals->last < totals->first ? 0 : totals->last - totals->first + 1;
    bool full = gv_spool_is_full(self, totals, now, why, sizeof why);
    atomic_store(&self->depth, depth);
    atomic_store(&self->state, full || self->writing.unwell ? GV_SPOOL_REFUSES : GV_SPOOL_TAKES);
    if (self->writing.unwell)
        return;                 /* the writer has said what ails it */
    if (!full && depth && *self->away)
        snprintf(why, sizeof why, "%lld writes wait for the store: %.150s", depth, self->away);
    gv_store_set_health(self->store, *why ? GAVAT_HEALTH_DEGRADED : GAVAT_HEALTH_UP, why);
}

/* --- in --- */

/* By which a second try of it is known. */
static const char *ticket_of(gavat_op *op)
{
    if (*op->ticket)
        return op->ticket;
    if (*op->uid)
        return op->uid;
    gv_uuid_make(gv_now(op->client), op->ticket);
    return op->ticket;
}

static int insert(gv_spool *self, gavat_op *op, const gv_text *payload, int64_t *sequence)
{
    int code;
    int64_t sum = self->totals.sum + (int64_t)payload->length;
    sqlite3_stmt *row = gv_database_prepare(&self->db, "INSERT INTO gavat_spool (call, ticket, at, spooled_at, sum, payload) "
                                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &code);
    if (!row)
        return code;
    sqlite3_bind_text(row, 1, op->kind->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, ticket_of(op), -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 3, gv_entry_time(op));
    sqlite3_bind_int64(row, 4, gv_now(op->client));
    sqlite3_bind_int64(row, 5, sum);
    sqlite3_bind_text64(row, 6, gv_text_get(payload), payload->length, SQLITE_STATIC, SQLITE_UTF8);
    code = sqlite3_step(row);
    sqlite3_reset(row);
    *sequence = sqlite3_last_insert_rowid(self->db.handle);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void count_in(gv_spool *self, int64_t sequence, size_t length)
{
    gv_spool_totals *totals = &self->totals;
    if (totals->last < totals->first) {
        totals->first = sequence;
        totals->bytes = 0;
        totals->oldest = gv_now(self->store->client);
    }
    totals->last = sequence;
    totals->bytes += (int64_t)length;
    totals->sum += (int64_t)length;
}

int gv_spool_append(gv_spool *self, gavat_op *op)
{
    char why[240];
    gv_text payload = {0};
    int64_t sequence = 0;
    int code = self->known ? SQLITE_OK : gv_spool_read_totals(self, &self->totals);
    self->known = code == SQLITE_OK;
    if (code == SQLITE_OK && gv_spool_is_full(self, &self->totals, gv_now(op->client), why, sizeof why)) {
        gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "%s", why);
        return SQLITE_OK;
    }
    if (code == SQLITE_OK)
        gv_entry_print(op, &payload);
    if (code == SQLITE_OK && !payload.failed)
        code = insert(self, op, &payload, &sequence);
    if (code != SQLITE_OK) {
        gv_sqlite_fail(op, &self->db, code, 0, "writing to");
    } else if (payload.failed) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "spool: no memory for the write");
    } else {
        count_in(self, sequence, payload.length);
        op->staged.number = op->kind->place == GV_COMMIT ? (int64_t)op->batch->count : 0;
        gv_op_succeed(op, GAVAT_REACHED_LOCAL);
    }
    gv_text_free(&payload);
    return code;
}

typedef struct gv_reject_row {
    const char *call, *ticket, *code, *reason;
    gavat_time at;
    gv_slice payload;
} gv_reject_row;

static int insert_reject(gv_spool *self, const gv_reject_row *reject)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(&self->db, "INSERT INTO gavat_rejects (call, ticket, at, rejected_at, code, reason, payload) "
                                            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &code);
    if (!row)
        return code;
    sqlite3_bind_text(row, 1, reject->call, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, reject->ticket, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 3, reject->at);
    sqlite3_bind_int64(row, 4, gv_now(self->store->client));
    sqlite3_bind_text(row, 5, reject->code, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 6, reject->reason, -1, SQLITE_STATIC);
    sqlite3_bind_text64(row, 7, reject->payload.data, reject->payload.length, SQLITE_STATIC, SQLITE_UTF8);
    code = sqlite3_step(row);
    sqlite3_reset(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int gv_spool_add_reject(gv_spool *self, const gavat_op *op)
{
    gv_text payload = {0};
    char made[GV_UUID_ROOM];
    const gavat_error *error = &op->staged.error;
    gv_entry_print(op, &payload);
    if (!*op->ticket && !*op->uid)
        gv_uuid_make(gv_now(op->client), made);
    const gv_reject_row reject = {op->kind->name, *op->ticket ? op->ticket : *op->uid ? op->uid : made, error->native, error->message,
                                  gv_entry_time(op), {gv_text_get(&payload), payload.length}};
    int code = payload.failed ? SQLITE_NOMEM : insert_reject(self, &reject);
    gv_text_free(&payload);
    return code;
}

/* --- out --- */

static gv_slice column(sqlite3_stmt *row, int i)
{
    const char *text = (const char *)sqlite3_column_text(row, i);
    gv_slice slice = {text ? text : "", text ? (size_t)sqlite3_column_bytes(row, i) : 0};
    return slice;
}

int gv_spool_read(gv_spool *self, gavat_batch *batch, bool rejects, int64_t after, size_t most)
{
    int code;
    int64_t bytes = 0;
    sqlite3_stmt *row = gv_database_prepare(
        &self->db, rejects ? "SELECT id, call, at, ticket, payload FROM gavat_rejects WHERE id > ?1 ORDER BY id LIMIT ?2"
                           : "SELECT sequence, call, at, ticket, payload FROM gavat_spool WHERE sequence > ?1 ORDER BY sequence LIMIT ?2", &code);
    if (!row)
        return code;
    sqlite3_bind_int64(row, 1, after);
    sqlite3_bind_int64(row, 2, (int64_t)most);
    while (bytes < BATCH_BYTES && (code = sqlite3_step(row)) == SQLITE_ROW) {
        gv_slice payload = column(row, 4);
        if (!gv_entry_read(batch, sqlite3_column_int64(row, 0), column(row, 1), sqlite3_column_int64(row, 2), column(row, 3), payload)) {
            code = SQLITE_NOMEM;
            break;
        }
        gv_forward_entry_at(batch, batch->count - 1)->whatever_age = rejects;
        bytes += (int64_t)payload.length;
    }
    sqlite3_reset(row);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int run_with(gv_spool *self, const char *sql, int64_t number)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(&self->db, sql, &code);
    if (!row)
        return code;
    sqlite3_bind_int64(row, 1, number);
    code = sqlite3_step(row);
    sqlite3_reset(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* sql takes the entry's number, when, the store's code and its reason. */
static int note_refusal(gv_spool *self, const char *sql, const gv_entry *entry)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(&self->db, sql, &code);
    if (!row)
        return code;
    sqlite3_bind_int64(row, 1, entry->sequence);
    sqlite3_bind_int64(row, 2, gv_now(self->store->client));
    sqlite3_bind_text(row, 3, entry->code, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 4, entry->reason, -1, SQLITE_STATIC);
    code = sqlite3_step(row);
    sqlite3_reset(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* As it stands in the spool: what was kept goes over as it is, damaged or not. */
static const char move_to_rejects[] = "INSERT INTO gavat_rejects (call, ticket, at, rejected_at, code, reason, payload) "
                                      "SELECT call, ticket, at, ?2, ?3, ?4, payload FROM gavat_spool WHERE sequence = ?1";
static const char keep_rejected[] = "UPDATE gavat_rejects SET rejected_at = ?2, code = ?3, reason = ?4 WHERE id = ?1";

static int settle_all(gv_spool *self, const gavat_op *forward, bool rejects, size_t settled, size_t *landed)
{
    int code = SQLITE_OK;
    *landed = 0;
    for (size_t i = 0; i < settled && code == SQLITE_OK; i++) {
        const gv_entry *entry = gv_forward_entry(forward, i);
        if (entry->refused)
            code = note_refusal(self, rejects ? keep_rejected : move_to_rejects, entry);
        else if (rejects)
            code = run_with(self, "DELETE FROM gavat_rejects WHERE id = ?1", entry->sequence);
        *landed += !entry->refused;
    }
    if (code == SQLITE_OK && !rejects)
        code = run_with(self, "DELETE FROM gavat_spool WHERE sequence <= ?1", gv_forward_entry(forward, settled - 1)->sequence);
    return code;
}

int gv_spool_settle(gv_spool *self, const gavat_op *forward, bool rejects, size_t settled, size_t *landed)
{
    int code = gv_database_do(&self->db, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK)
        return code;
    code = settle_all(self, forward, rejects, settled, landed);
    if (code == SQLITE_OK)
        code = gv_spool_read_totals(self, &self->totals);
    if (code == SQLITE_OK)
        code = gv_database_do(&self->db, "COMMIT");
    gv_database_undo(&self->db);
    self->known = false;
    return code;
}
