#include "database.h"
#include "../base/files.h"
#include <stdio.h>
#include <string.h>

#define CHECKPOINT 40000        /* pages in the log: a checkpoint after the commit; four times that: one that waits for readers */
#define ROLLBACK "ROLLBACK"

/* A checkpoint that only takes what it can get never begins the log anew while there always is a reader, and the log grows. RESTART waits
 * for those who still read from it (busy_ms at most); others go on. What goes wrong here leaves the commit as good as it was. */
static int on_commit(void *user, sqlite3 *handle, const char *name, int pages)
{
    (void)user;
    if (pages >= CHECKPOINT)
        sqlite3_wal_checkpoint_v2(handle, name, pages >= 4 * CHECKPOINT ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL);
    return SQLITE_OK;
}

static int apply_pragmas(gv_database *db, const gv_database_options *options)
{
    char sql[320];
    snprintf(sql, sizeof sql,
             "PRAGMA synchronous=%s; PRAGMA cache_size=-%lld; PRAGMA journal_size_limit=67108864;"
             "PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF",
             options->full ? "FULL" : "NORMAL", (long long)(options->cache_bytes / 1024));
    sqlite3_wal_hook(db->handle, on_commit, NULL);
    return gv_database_run(db, sql);
}

/* Another process may hold the lock that the switch needs: the busy handler waits for it. */
static int switch_to_wal(gv_database *db)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(db, "PRAGMA journal_mode=WAL", &code);
    if (!statement)
        return code;
    code = sqlite3_step(statement);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    bool wal = mode && strcmp(mode, "wal") == 0;
    int reset = sqlite3_reset(statement);
    if (code != SQLITE_ROW)
        return reset != SQLITE_OK ? reset : code;
    return wal ? SQLITE_OK : SQLITE_CANTOPEN;
}

int gv_database_open(gv_database *db, const char *path, const gv_database_options *options)
{
    memset(db, 0, sizeof *db);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | (options->create ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(path ? path : ":memory:", &db->handle, flags, NULL);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        sqlite3_busy_timeout(db->handle, (int)options->busy_ms);
        if (options->create && path)
            code = switch_to_wal(db);
    }
    if (code == SQLITE_OK)
        code = apply_pragmas(db, options);
    if (code == SQLITE_OK && options->create)
        gv_database_prepare(db, ROLLBACK, &code);       /* so that it needs no memory when that is out */
    if (code != SQLITE_OK)
        gv_database_close(db);
    return code;
}

void gv_database_close(gv_database *db)
{
    for (size_t i = 0; i < GV_STATEMENTS; i++)
        sqlite3_finalize(db->cache[i].statement);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof *db);
}

sqlite3_stmt *gv_database_prepare(gv_database *db, const char *sql, int *code)
{
    size_t oldest = 0, last = db->last;
    db->uses++;
    *code = SQLITE_OK;
    for (size_t k = 0; k < GV_STATEMENTS; k++) {
        size_t i = (last + k) % GV_STATEMENTS;          /* most often it is the one that was used last */
        sqlite3_stmt *kept = db->cache[i].statement;
        if (kept && strcmp(sqlite3_sql(kept), sql) == 0) {
            db->cache[i].used = db->uses;
            db->last = i;
            sqlite3_reset(kept);
            sqlite3_clear_bindings(kept);
            return kept;
        }
        if (db->cache[i].used < db->cache[oldest].used)
            oldest = i;
    }
    sqlite3_stmt *statement = NULL;
    *code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (*code != SQLITE_OK)
        return NULL;
    sqlite3_finalize(db->cache[oldest].statement);
    db->cache[oldest].statement = statement;
    db->cache[oldest].fixed = NULL;
    db->cache[oldest].used = db->uses;
    db->last = oldest;
    return statement;
}

sqlite3_stmt *gv_database_prepare_fixed(gv_database *db, const char *sql, int *code)
{
    for (size_t k = 0; k < GV_STATEMENTS; k++) {
        size_t i = (db->last + k) % GV_STATEMENTS;
        if (db->cache[i].fixed != sql)
            continue;
        db->cache[i].used = ++db->uses;
        db->last = i;
        *code = SQLITE_OK;
        return db->cache[i].statement;
    }
    sqlite3_stmt *statement = gv_database_prepare(db, sql, code);
    if (statement)
        db->cache[db->last].fixed = sql;
    return statement;
}

int gv_database_run(gv_database *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

int gv_database_do(gv_database *db, const char *sql)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(db, sql, &code);
    if (!statement)
        return code;
    code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int gv_database_ask(gv_database *db, const char *sql, int64_t *number)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(db, sql, &code);
    if (!statement)
        return code;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int64_t gv_database_number(gv_database *db, const char *sql, int64_t fallback)
{
    int64_t number = fallback;
    return gv_database_ask(db, sql, &number) == SQLITE_OK ? number : fallback;
}

void gv_database_undo(gv_database *db)
{
    if (!db->handle || sqlite3_get_autocommit(db->handle))
        return;
    gv_database_do(db, ROLLBACK);
    const char *path = sqlite3_db_filename(db->handle, "main");
    if (!sqlite3_get_autocommit(db->handle) && path && *path)
        gv_database_close(db);
}

bool gv_database_moved(gv_database *db)
{
    int moved = 0;
    return db->handle && sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

static void unlink_beside(const char *path, const char *end)
{
    char name[4200];
    if ((size_t)snprintf(name, sizeof name, "%s%s", path, end) < sizeof name)
        gv_file_unlink(name);
}

void gv_database_clear_place(const char *path)
{
    struct stat found;
    if (stat(path, &found) == 0)
        return;
    unlink_beside(path, "-wal");
    unlink_beside(path, "-shm");
}

typedef struct gv_sqlite_code {
    int code;
    const char *name;
    gavat_status status;
    const char *advice;
} gv_sqlite_code;

static const gv_sqlite_code codes[] = {
    {SQLITE_BUSY, "SQLITE_BUSY", GAVAT_EUNAVAIL, "another process holds the lock on the file: try again, or end that process"},
    {SQLITE_LOCKED, "SQLITE_LOCKED", GAVAT_EUNAVAIL, "the table is locked: try again"},
    {SQLITE_FULL, "SQLITE_FULL", GAVAT_EIO, "the disk is full: free some space, then try again"},
    {SQLITE_IOERR, "SQLITE_IOERR", GAVAT_EIO, "the disk reports an error: look at the system's log, and at free space and quota"},
    {SQLITE_READONLY, "SQLITE_READONLY", GAVAT_EIO, "the file or its folder is read-only: give this user the right to write both"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN", GAVAT_EUNAVAIL,
     "the file cannot be opened: check that its folder exists and that this user may write there"},
    {SQLITE_PERM, "SQLITE_PERM", GAVAT_EUNAVAIL, "the file may not be opened: give this user the right to read and write it"},
    {SQLITE_AUTH, "SQLITE_AUTH", GAVAT_EUNAVAIL, "the file may not be opened: give this user the right to read and write it"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT", GAVAT_ECORRUPT,
     "the database is damaged: restore a backup, or save what is left with: sqlite3 FILE .recover"},
    {SQLITE_NOTADB, "SQLITE_NOTADB", GAVAT_ECORRUPT, "the file is not an SQLite database: check the path, or restore a backup"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", GAVAT_EREJECTED, "the store refuses this record"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH", GAVAT_EREJECTED, "the store refuses this record"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG", GAVAT_EREJECTED, "the record is too large for the store"},
    {SQLITE_NOMEM, "SQLITE_NOMEM", GAVAT_ENOMEM, "memory is out"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT", GAVAT_ECANCELED, "it was interrupted"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA", GAVAT_ESCHEMA, "the tables were changed meanwhile: try again"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL", GAVAT_EUNAVAIL, "too many processes use the file at once: try again"},
    {SQLITE_ERROR, "SQLITE_ERROR", GAVAT_ESCHEMA, "the tables are not as expected: run gavatctl schema status"},
    {SQLITE_ABORT, "SQLITE_ABORT", GAVAT_EIO, "the transaction was undone before it could be committed: try again"},
    {SQLITE_MISUSE, "SQLITE_?", GAVAT_EIO, "SQLite reports an error that is not expected here: look at the system's log"},
};

static const gv_sqlite_code *find_code(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == (code & 0xff))
            return &codes[i];
    return &codes[sizeof codes / sizeof *codes - 1];
}

gavat_status gv_sqlite_status(int code)
{
    return find_code(code)->status;
}

const char *gv_sqlite_name(int code)
{
    return find_code(code)->name;
}

const char *gv_sqlite_advice(int code)
{
    return find_code(code)->advice;
}

void gv_sqlite_fail(gavat_op *op, gv_database *db, int code, uint32_t flags, const char *doing)
{
    const gv_sqlite_code *known = find_code(code);
    bool again = known->status == GAVAT_EUNAVAIL || known->status == GAVAT_EIO || known->status == GAVAT_ENOMEM
                 || (code & 0xff) == SQLITE_SCHEMA;
    const char *said = db && db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    gv_op_fail(op, known->status, flags | (again ? (uint32_t)GAVAT_ERROR_RETRY : 0), known->name, "%s: %s (%s, while %s %s)",
               gv_areas[op->store->backend->area].name, known->advice, said, doing, op->store->shown);
}
