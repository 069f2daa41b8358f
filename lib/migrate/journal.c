#include "journal.h"
#include "../base/clock.h"
#include "../base/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define BUSY_MS 10000

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, directory TEXT NOT NULL, options TEXT NOT NULL, stores TEXT NOT NULL, "
    "state TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, report TEXT);"
    "CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, run TEXT NOT NULL, landed INTEGER NOT NULL DEFAULT 0, identities BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS things (run TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, before TEXT, after TEXT, "
    "PRIMARY KEY (run, kind, name));";

static gavat_status fail(gv_journal *journal, int code)
{
    snprintf(journal->why, sizeof journal->why, "the journal of migrations (GAVAT_MIGRATIONS): %s (%s, %s)", gv_sqlite_advice(code),
             gv_sqlite_name(code), journal->db.handle ? sqlite3_errmsg(journal->db.handle) : "not open");
    return gv_sqlite_status(code);
}

static gavat_status fail_file(gv_journal *journal, const char *path, int error)
{
    snprintf(journal->why, sizeof journal->why, "the journal of migrations (GAVAT_MIGRATIONS), %.160s, cannot be opened (%s)", path,
             gv_errno_name(error));
    return error == ENOMEM ? GAVAT_ENOMEM : GAVAT_EIO;
}

/* A file beside the journal, whose lock ends with the process. */
static gavat_status lock(gv_journal *journal, const char *path)
{
    char name[4096];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int error = snprintf(name, sizeof name, "%s.lock", path) < (int)sizeof name ? gv_file_make_parents(path) : -ENAMETOOLONG;
    if (error == 0)
        error = gv_file_open(name, O_RDWR | O_CREAT, 0666, &journal->lock);
    if (error < 0) {
        journal->lock = -1;
        return fail_file(journal, path, -error);
    }
    if (fcntl(journal->lock, F_OFD_SETLK, &whole) == 0)
        return GAVAT_OK;
    snprintf(journal->why, sizeof journal->why, "another migration is running (it holds %.200s)", name);
    return GAVAT_EBUSY;
}

gavat_status gv_journal_open(gv_journal *journal, gavat *g, bool to_write)
{
    const gv_database_options options = {.create = to_write, .full = true, .cache_bytes = 4 << 20, .busy_ms = BUSY_MS};
    const char *path = gv_config_text(g->config, GV_SET_MIGRATIONS);
    memset(journal, 0, sizeof *journal);
    journal->lock = -1;
    gavat_status status = to_write ? lock(journal, path) : GAVAT_OK;
    if (status != GAVAT_OK)
        return status;
    int code = gv_database_open(&journal->db, path, &options);
    if (!to_write && code == SQLITE_CANTOPEN) {
        snprintf(journal->why, sizeof journal->why, "there is no migration yet: `gavatctl migrate run DIR` makes one (GAVAT_MIGRATIONS, %.160s)", path);
        return GAVAT_ENOTFOUND;
    }
    if (code == SQLITE_OK && to_write)
        code = gv_database_run(&journal->db, schema);
    return code == SQLITE_OK ? GAVAT_OK : fail(journal, code);
}

void gv_journal_close(gv_journal *journal)
{
    gv_database_close(&journal->db);
    if (journal->lock >= 0)
        gv_file_close(journal->lock);
    journal->lock = -1;
}

/* --- runs --- */

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

static gavat_status finish(gv_journal *journal, sqlite3_stmt *statement, int code)
{
    if (statement) {
        code = sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    return code == SQLITE_DONE ? GAVAT_OK : fail(journal, code);
}

gavat_status gv_journal_last(gv_journal *journal, const char *directory, char state[16])
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "SELECT run, state FROM runs WHERE ?1 IS NULL OR directory = ?1 OR run = ?1 ORDER BY began DESC, rowid DESC LIMIT 1", &code);
    if (!statement)
        return fail(journal, code);
    bind_text(statement, 1, directory);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        snprintf(journal->run, sizeof journal->run, "%s", (const char *)sqlite3_column_text(statement, 0));
        snprintf(state, 16, "%s", (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_reset(statement);
    if (code == SQLITE_DONE)
        snprintf(journal->why, sizeof journal->why, "there is no such migration");
    return code == SQLITE_ROW ? GAVAT_OK : code == SQLITE_DONE ? GAVAT_ENOTFOUND : fail(journal, code);
}

/* Which stores a run writes to: another one of theirs is no run's doing. */
static const char *stores_of(const gavat *g)
{
    return g->stores[GV_EVENTS].backend ? g->stores[GV_EVENTS].shown : "";
}

gavat_status gv_journal_begin(gv_journal *journal, gavat *g, const char *directory, const char *options, gavat_time now)
{
    int code;
    char when[28];
    gv_time_to_rfc(now, when);
    snprintf(journal->run, sizeof journal->run, "%.4s%.2s%.2s-%.2s%.2s%.2s-%.6s", when, when + 5, when + 8, when + 11, when + 14, when + 17, when + 20);
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "INSERT INTO runs (run, directory, options, stores, state, began) VALUES (?1, ?2, ?3, ?4, 'running', ?5)", &code);
    if (statement) {
        bind_text(statement, 1, journal->run);
        bind_text(statement, 2, directory);
        bind_text(statement, 3, options);
        bind_text(statement, 4, stores_of(g));
        sqlite3_bind_int64(statement, 5, now);
    }
    return finish(journal, statement, code);
}

gavat_status gv_journal_end(gv_journal *journal, const char *state, const char *report, gavat_time now)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "UPDATE runs SET state = ?2, report = coalesce(?3, report), ended = ?4 WHERE run = ?1", &code);
    if (statement) {
        bind_text(statement, 1, journal->run);
        bind_text(statement, 2, state);
        bind_text(statement, 3, report);
        sqlite3_bind_int64(statement, 4, now);
    }
    return finish(journal, statement, code);
}

static void add_member(gv_text *out, const char *key, const unsigned char *text)
{
    gv_text_addf(out, "%s\"%s\":", out->length > 1 ? "," : "", key);
    gv_text_add_json(out, (const char *)text, strlen((const char *)text));
}

static void add_time(gv_text *out, const char *key, sqlite3_stmt *row, int column)
{
    char text[28];
    if (sqlite3_column_type(row, column) == SQLITE_NULL) {
        gv_text_addf(out, ",\"%s\":null", key);
        return;
    }
    gv_time_to_rfc(sqlite3_column_int64(row, column), text);
    gv_text_addf(out, ",\"%s\":\"%s\"", key, text);
}

gavat_status gv_journal_list(gv_journal *journal, gavat_op *op)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "SELECT run, directory, state, began, ended, coalesce(report, 'null') FROM runs ORDER BY began DESC, rowid DESC", &code);
    if (!statement)
        return fail(journal, code);
    gv_result *result = gv_op_result(op);
    bool added = result != NULL;
    while (added && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        gv_text json = {0};
        gv_text_addc(&json, '{');
        add_member(&json, "run", sqlite3_column_text(statement, 0));
        add_member(&json, "directory", sqlite3_column_text(statement, 1));
        add_member(&json, "state", sqlite3_column_text(statement, 2));
        add_time(&json, "began", statement, 3);
        add_time(&json, "ended", statement, 4);
        gv_text_addf(&json, ",\"sources\":%s}", (const char *)sqlite3_column_text(statement, 5));
        added = !json.failed && gv_result_add_json(result, &json);
        gv_text_free(&json);
    }
    sqlite3_reset(statement);
    return !added ? GAVAT_ENOMEM : code == SQLITE_DONE ? GAVAT_OK : fail(journal, code);
}

gavat_status gv_journal_read(gv_journal *journal, gv_arena *arena, const char **directory, const char **options)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db, "SELECT directory, options FROM runs WHERE run = ?1", &code);
    if (!statement)
        return fail(journal, code);
    bind_text(statement, 1, journal->run);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *directory = gv_arena_copy_text(arena, (const char *)sqlite3_column_text(statement, 0));
        *options = gv_arena_copy_text(arena, (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_reset(statement);
    if (code != SQLITE_ROW)
        return fail(journal, code);
    return *directory && *options ? GAVAT_OK : GAVAT_ENOMEM;
}

/* --- what a run sends --- */

gavat_status gv_journal_intend(gv_journal *journal, gv_slice identities, int64_t *batch)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db, "INSERT INTO batches (run, identities) VALUES (?1, ?2)", &code);
    if (statement) {
        bind_text(statement, 1, journal->run);
        sqlite3_bind_blob64(statement, 2, identities.data, identities.length, SQLITE_STATIC);
    }
    gavat_status status = finish(journal, statement, code);
    *batch = sqlite3_last_insert_rowid(journal->db.handle);
    return status;
}

gavat_status gv_journal_landed(gv_journal *journal, int64_t batch)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db, "UPDATE batches SET landed = 1 WHERE id = ?1", &code);
    if (statement)
        sqlite3_bind_int64(statement, 1, batch);
    return finish(journal, statement, code);
}

/* What is kept first stays: a resumed run finds its own writing in the place. */
gavat_status gv_journal_keep(gv_journal *journal, const char *kind, const char *name, const char *before, const char *after)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "INSERT INTO things (run, kind, name, before, after) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT DO UPDATE SET after = excluded.after", &code);
    if (statement) {
        bind_text(statement, 1, journal->run);
        bind_text(statement, 2, kind);
        bind_text(statement, 3, name);
        bind_text(statement, 4, before);
        bind_text(statement, 5, after);
    }
    return finish(journal, statement, code);
}

gavat_status gv_journal_has(gv_journal *journal, const char *kind, const char *name, bool *has)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db, "SELECT 1 FROM things WHERE run = ?1 AND kind = ?2 AND name = ?3", &code);
    if (!statement)
        return fail(journal, code);
    bind_text(statement, 1, journal->run);
    bind_text(statement, 2, kind);
    bind_text(statement, 3, name);
    code = sqlite3_step(statement);
    *has = code == SQLITE_ROW;
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? GAVAT_OK : fail(journal, code);
}

gavat_status gv_journal_do(gv_journal *journal, const char *sql)
{
    int code = gv_database_do(&journal->db, sql);
    return code == SQLITE_OK ? GAVAT_OK : fail(journal, code);
}

gavat_status gv_journal_keys(gv_journal *journal, gv_keys *mine, gv_keys *others)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(&journal->db,
        "SELECT identities, run = ?1 FROM batches JOIN runs USING (run) WHERE landed AND (run = ?1 OR (state <> 'rolled back' "
        "AND stores = (SELECT stores FROM runs WHERE run = ?1)))", &code);
    if (!statement)
        return fail(journal, code);
    bind_text(statement, 1, journal->run);
    bool added = true;
    while (added && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        gv_slice blob = {sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0)};
        added = gv_keys_add_all(sqlite3_column_int(statement, 1) ? mine : others, blob);
    }
    sqlite3_reset(statement);
    gv_keys_sort(mine);
    gv_keys_sort(others);
    return !added ? GAVAT_ENOMEM : code == SQLITE_DONE ? GAVAT_OK : fail(journal, code);
}
