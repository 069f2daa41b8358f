/* check.c: what gavatctl doctor says of the file. Reader's thread. */
#include "sqlite.h"
#include "../../base/clock.h"
#include "../../core/check.h"
#include <string.h>

static void check_journal(gv_database *db, gavat_op *op)
{
    int code;
    char mode[16] = "";
    sqlite3_stmt *row = gv_database_prepare(db, "PRAGMA journal_mode", &code);
    if (row && sqlite3_step(row) == SQLITE_ROW)
        snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(row, 0));
    sqlite3_reset(row);
    bool wal = strcmp(mode, "wal") == 0;
    gv_add_check(op, "journal mode", wal ? "ok" : "warn", mode, wal ? "" : "readers and the writer block each other: run gavatctl init");
}

static void check_integrity(gv_database *db, gavat_op *op)
{
    int code;
    char said[200] = "";
    sqlite3_stmt *row = gv_database_prepare(db, "PRAGMA quick_check(1)", &code);
    code = row ? sqlite3_step(row) : code;
    if (code == SQLITE_ROW)
        snprintf(said, sizeof said, "%s", (const char *)sqlite3_column_text(row, 0));
    else
        snprintf(said, sizeof said, "%s", sqlite3_errmsg(db->handle));
    sqlite3_reset(row);
    bool good = strcmp(said, "ok") == 0;
    gv_add_check(op, "file", good ? "ok" : "fail", said, good ? "" : gv_sqlite_advice(SQLITE_CORRUPT));
}

static void check_schema(gv_database *db, gavat_op *op)
{
    int64_t version = gv_database_number(db, "SELECT version FROM gavat_schema WHERE area = 'events'", 0);
    char figure[40];
    snprintf(figure, sizeof figure, "version %lld", (long long)version);
    gv_add_check(op, "schema", version ? "ok" : "fail", figure, version ? "" : "run gavatctl init");
}

static void check_index(gv_sqlite *self, gv_database *db, gavat_op *op)
{
    char figure[80];
    if (!self->search_index) {
        gv_add_check(op, "search index", "ok", "off", "");
        return;
    }
    int64_t newest = gv_database_number(db, "SELECT max(id) FROM event_logs", 0), known = -1;
    gv_database index = {0};
    gv_database_options options = {.cache_bytes = 1 << 20, .busy_ms = 100};
    if (gv_database_open(&index, self->index_path, &options) == SQLITE_OK)
        gv_sqlite_watermark(&index, db, &known);
    gv_database_close(&index);
    gv_sqlite_want_index(self);
    int64_t lag = newest - (known < 0 ? 0 : known);
    snprintf(figure, sizeof figure, "%lld rows behind", (long long)lag);
    bool late = lag > self->search_lag;
    gv_add_check(op, "search index", late ? "warn" : "ok", figure, late ? "it is being built: searches are slower until it is done" : "");
}

static void check_disk(gv_sqlite *self, gavat_op *op)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s", self->path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    gv_check_disk(op, folder, "free some space, or prune: gavatctl events prune --before 90d");
}

static void check_speed(gv_database *db, gavat_op *op)
{
    char figure[40];
    uint64_t start = gv_clock_steady();
    int64_t count = gv_database_number(db, "SELECT count(*) FROM (SELECT 1 FROM event_logs LIMIT 1000)", -1);
    snprintf(figure, sizeof figure, "%.1f ms", (double)(gv_clock_steady() - start) / 1e6);
    gv_add_check(op, "round trip", count < 0 ? "fail" : "ok", count < 0 ? sqlite3_errmsg(db->handle) : figure,
        count < 0 ? "run gavatctl init" : "");
}

void gv_sqlite_check(gv_reader *reader, gavat_op *op)
{
    gv_sqlite *self = reader->self;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    char reason[sizeof self->store->reason];
    pthread_mutex_lock(&self->store->client->lock);
    gavat_health health = self->store->health;
    memcpy(reason, self->store->reason, sizeof reason);
    pthread_mutex_unlock(&self->store->client->lock);
    if (!reader->own.db.handle || health == GAVAT_HEALTH_DOWN) {
        gv_add_check(op, "open", "fail", self->path, reason[0] ? reason : "the file cannot be opened");
        check_disk(self, op);
        return;
    }
    gv_add_check(op, "open", health == GAVAT_HEALTH_UP ? "ok" : "warn", self->path, reason);
    check_integrity(&reader->own.db, op);
    check_journal(&reader->own.db, op);
    check_schema(&reader->own.db, op);
    check_index(self, &reader->own.db, op);
    check_speed(&reader->own.db, op);
    check_disk(self, op);
}
