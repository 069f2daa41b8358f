/* indexer.c: the search index: folded message and type of every event in a trigram index (FTS5), in a file of its own beside the
 * database, filled by this thread in order of id behind a watermark. Writers never wait for it until it is GAVAT_EVENTS_SEARCH_LAG
 * rows behind; searches look at the rows beyond the watermark themselves. The file can be deleted at any time: it is made again.
 *
 * Rows of other programs are taken in the same way. SQLite may give an id anew once the newest rows are deleted: so the watermark
 * carries what its row held, and an index that does not fit the table any more is begun afresh. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../base/fold.h"
#include <string.h>

#define ROUND 20000             /* rows in one transaction: larger ones make fewer pieces to merge */
#define PAUSE_MS 20
#define RETRY_MS 1000

typedef struct gv_indexer {
    gv_sqlite *self;
    gv_connections own;
    gv_text message, type;
    int64_t seen_newest;
    bool failing;               /* said so */
} gv_indexer;

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS watermark (only INTEGER NOT NULL PRIMARY KEY, fold INTEGER NOT NULL, id INTEGER NOT NULL, "
    "row TEXT NOT NULL);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(message, type, content='', tokenize='trigram case_sensitive 1');"
    "INSERT INTO words(words, rank) VALUES('hashsize', 8388608);"
    "INSERT INTO words(words, rank) VALUES('automerge', 8)";

/* What the row of this id holds, as a text to compare; "" when there is none. SQLITE_OK, or the code. */
static int read_row(gv_database *db, int64_t id, gv_text *out)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(db, "SELECT coalesce(timestamp, '') || '|' || user_id || '|' || coalesce(uid, '') "
                                            "|| '|' || event_type || '|' || coalesce(message, '') FROM event_logs WHERE id = ?1", &code);
    gv_text_clear(out);
    if (!row)
        return code;
    sqlite3_bind_int64(row, 1, id);
    code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        gv_text_adds(out, text ? text : "");
        if (out->failed || (!text && sqlite3_errcode(db->handle) == SQLITE_NOMEM))
            code = SQLITE_NOMEM;
    }
    sqlite3_reset(row);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What the index says of itself; *id -1: nothing that serves. */
static int read_watermark(gv_database *index, int64_t *id, gv_text *stored)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(index, "SELECT id, row, fold FROM watermark WHERE only = 1", &code);
    *id = -1;
    if (!row)
        return code;
    code = sqlite3_step(row);
    if (code == SQLITE_ROW && sqlite3_column_int64(row, 2) == (int64_t)gv_fold_version) {
        const char *text = (const char *)sqlite3_column_text(row, 1);
        gv_text_adds(stored, text ? text : "");
        *id = sqlite3_column_int64(row, 0);
        if (!text || stored->failed)
            code = SQLITE_NOMEM;
    }
    sqlite3_reset(row);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int gv_sqlite_watermark(gv_database *index, gv_database *db, int64_t *id)
{
    gv_text stored = {0}, now = {0};
    int code = read_watermark(index, id, &stored);
    if (code == SQLITE_OK && *id > 0)
        code = read_row(db, *id, &now);
    if (code == SQLITE_OK && *id > 0 && strcmp(gv_text_get(&stored), gv_text_get(&now)) != 0)
        *id = -1;               /* gone or another: ids up to this one may have been given anew */
    gv_text_free(&stored);
    gv_text_free(&now);
    return code;
}

void gv_sqlite_want_index(gv_sqlite *self)
{
    if (!self->search_index)
        return;
    pthread_mutex_lock(&self->lock);
    self->index_idle = false;
    pthread_mutex_unlock(&self->lock);
    gv_worker_poke(&self->indexer);
}

static int open_both(gv_indexer *indexer)
{
    gv_sqlite *self = indexer->self;
    gv_database_options options = self->options;
    options.create = false;
    options.busy_ms = 1000;
    options.cache_bytes = 4 << 20;
    int code = indexer->own.db.handle ? SQLITE_OK : gv_database_open(&indexer->own.db, self->path, &options);
    if (code != SQLITE_OK || indexer->own.index.handle)
        return code;
    options.create = true;
    options.full = false;       /* what a power cut takes is indexed again */
    options.cache_bytes = 16 << 20;
    code = gv_database_open(&indexer->own.index, self->index_path, &options);
    if (code == SQLITE_OK)
        code = gv_database_run(&indexer->own.index, tables);
    if (code != SQLITE_OK)
        gv_database_close(&indexer->own.index);
    return code;
}

static int start_afresh(gv_indexer *indexer)
{
    int code = gv_database_run(&indexer->own.index, "DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS watermark;");
    return code == SQLITE_OK ? gv_database_run(&indexer->own.index, tables) : code;
}

static void fold_column(gv_text *out, sqlite3_stmt *row, int column)
{
    gv_slice text = {(const char *)sqlite3_column_text(row, column), 0};
    gv_text_clear(out);
    if (!text.data)
        return;
    text.length = (size_t)sqlite3_column_bytes(row, column);
    gv_fold_add(out, text);
}

static int feed_row(gv_indexer *indexer, sqlite3_stmt *row, sqlite3_stmt *insert)
{
    fold_column(&indexer->message, row, 1);
    fold_column(&indexer->type, row, 2);
    if (indexer->message.failed || indexer->type.failed)
        return SQLITE_NOMEM;
    sqlite3_bind_int64(insert, 1, sqlite3_column_int64(row, 0));
    sqlite3_bind_text(insert, 2, gv_text_get(&indexer->message), (int)indexer->message.length, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, gv_text_get(&indexer->type), (int)indexer->type.length, SQLITE_STATIC);
    int code = sqlite3_step(insert);
    sqlite3_reset(insert);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int set_watermark(gv_indexer *indexer, int64_t id)
{
    gv_text row = {0};
    sqlite3_stmt *statement = NULL;
    int code = read_row(&indexer->own.db, id, &row);
    if (code == SQLITE_OK)
        statement = gv_database_prepare(&indexer->own.index, "INSERT OR REPLACE INTO watermark (only, fold, id, row) "
                                        "VALUES (1, ?1, ?2, ?3)", &code);
    if (statement) {
        sqlite3_bind_int64(statement, 1, (int64_t)gv_fold_version);
        sqlite3_bind_int64(statement, 2, id);
        sqlite3_bind_text(statement, 3, gv_text_get(&row), -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    gv_text_free(&row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Rows behind the watermark, up to ROUND of them. *count: how many there were; *id: the last one. */
static int feed(gv_indexer *indexer, int64_t *id, int64_t *count)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(&indexer->own.db, "SELECT id, message, event_type FROM event_logs WHERE id > ?1 "
                                            "ORDER BY id LIMIT ?2", &code);
    sqlite3_stmt *insert = row ? gv_database_prepare(&indexer->own.index, "INSERT INTO words (rowid, message, type) VALUES (?1, ?2, ?3)",
                                                     &code) : NULL;
    if (!insert)
        return code;
    sqlite3_bind_int64(row, 1, *id);
    sqlite3_bind_int64(row, 2, ROUND);
    *count = 0;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t last = sqlite3_column_int64(row, 0);
        code = feed_row(indexer, row, insert);
        if (code != SQLITE_OK)
            break;
        *id = last;
        if (++*count % 1000 == 0 && gv_worker_stopping(&indexer->self->indexer))
            break;
    }
    int text = sqlite3_reset(row);      /* a text that there was no memory for */
    return code == SQLITE_DONE || code == SQLITE_ROW || code == SQLITE_OK ? text : code;
}

/* One transaction on the index. The lock comes first: another process may have moved the watermark. */
static int index_round(gv_indexer *indexer, int64_t *id, int64_t *count)
{
    int code = gv_database_run(&indexer->own.index, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK)
        return code;
    code = gv_database_do(&indexer->own.db, "BEGIN");     /* the watermark's row is read as it was fed, also when it goes meanwhile */
    if (code == SQLITE_OK)
        code = gv_sqlite_watermark(&indexer->own.index, &indexer->own.db, id);
    if (code == SQLITE_OK && *id < 0) {
        code = start_afresh(indexer);
        *id = 0;
    }
    if (code == SQLITE_OK)
        code = feed(indexer, id, count);
    if (code == SQLITE_OK)
        code = set_watermark(indexer, *id);
    if (code == SQLITE_OK)
        code = gv_database_run(&indexer->own.index, "COMMIT");
    gv_database_undo(&indexer->own.index);
    gv_database_undo(&indexer->own.db);
    return code;
}

/* While writers are busy and the index is not far behind, they have the machine. */
static bool should_pause(gv_indexer *indexer)
{
    gv_sqlite *self = indexer->self;
    pthread_mutex_lock(&self->lock);
    int64_t newest = self->newest_id, lag = newest - self->indexed_id;
    pthread_mutex_unlock(&self->lock);
    bool busy = newest != indexer->seen_newest && indexer->seen_newest != 0;
    indexer->seen_newest = newest;
    return busy && lag < self->search_lag / 2;
}

/* all: these were all rows that there were after so many commits. True: nothing has come since. */
static bool publish(gv_indexer *indexer, int64_t id, bool all, uint64_t commits)
{
    gv_sqlite *self = indexer->self;
    indexer->failing = false;
    pthread_mutex_lock(&self->lock);
    self->indexed_id = id;
    self->indexing = true;
    self->index_idle = all && self->commits == commits;
    if (self->index_idle)
        self->newest_id = id;   /* those after it were deleted */
    bool idle = self->index_idle;
    pthread_cond_broadcast(&self->indexed);
    pthread_mutex_unlock(&self->lock);
    return idle;
}

static void note_failure(gv_indexer *indexer, int code)
{
    gv_sqlite *self = indexer->self;
    pthread_mutex_lock(&self->lock);
    self->indexing = false;
    pthread_cond_broadcast(&self->indexed);
    pthread_mutex_unlock(&self->lock);
    if (!indexer->failing)
        gv_log(self->store->client, GAVAT_LOG_WARN, "events", "the search index %s cannot be written (%s); searches go on without it",
               self->index_path, gv_sqlite_advice(code));
    indexer->failing = true;
    if (gv_sqlite_status(code) == GAVAT_ECORRUPT)
        atomic_store(&self->index_damaged, true);
    gv_database_close(&indexer->own.db);
    gv_database_close(&indexer->own.index);
}

/* How long to sleep until the next round. */
static uint32_t work_round(gv_indexer *indexer)
{
    if (should_pause(indexer))
        return PAUSE_MS;
    int64_t id = 0, count = 0;
    pthread_mutex_lock(&indexer->self->lock);
    uint64_t commits = indexer->self->commits;
    pthread_mutex_unlock(&indexer->self->lock);
    int code = open_both(indexer);
    if (code == SQLITE_OK)
        code = index_round(indexer, &id, &count);
    if ((code & 0xff) == SQLITE_BUSY)
        return PAUSE_MS;
    if (code != SQLITE_OK) {
        note_failure(indexer, code);
        return RETRY_MS;
    }
    return publish(indexer, id, count < ROUND, commits) ? UINT32_MAX : 0;
}

void gv_sqlite_index(gv_worker *worker)
{
    gv_indexer indexer = {.self = worker->self};
    uint32_t pause = UINT32_MAX;
    gv_sqlite_join(indexer.self, &indexer.own);
    while (!gv_worker_stopping(worker)) {
        gv_worker_wait(worker, pause);
        if (gv_worker_stopping(worker))
            break;
        if (atomic_load(&indexer.self->index_damaged) && !gv_sqlite_forget_index(indexer.self)) {
            pause = PAUSE_MS;
            continue;
        }
        gv_sqlite_hold_files(indexer.self, &indexer.own);
        pause = work_round(&indexer);
        gv_sqlite_let_files_go(indexer.self);
    }
    gv_sqlite_leave(indexer.self, &indexer.own);
    gv_text_free(&indexer.message);
    gv_text_free(&indexer.type);
}
