#include "check.h"
#include "../base/clock.h"
#include "../core/client.h"
#include <stdio.h>
#include <string.h>

bool gv_check_open(gv_store *store, const gv_database *db, const char *path, gavat_op *op)
{
    char reason[sizeof store->reason];
    pthread_mutex_lock(&store->client->lock);
    gavat_health health = store->health;
    memcpy(reason, store->reason, sizeof reason);
    pthread_mutex_unlock(&store->client->lock);
    bool open = db->handle && health != GAVAT_HEALTH_DOWN;
    if (open)
        gv_check_add(op, "open", health == GAVAT_HEALTH_UP ? "ok" : "warn", path, reason);
    else
        gv_check_add(op, "open", "fail", path, reason[0] ? reason : "the file cannot be opened");
    return open;
}

void gv_check_journal(gv_database *db, gavat_op *op)
{
    int code;
    char mode[16] = "";
    sqlite3_stmt *row = gv_database_prepare(db, "PRAGMA journal_mode", &code);
    if (row && sqlite3_step(row) == SQLITE_ROW)
        snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(row, 0));
    sqlite3_reset(row);
    bool wal = strcmp(mode, "wal") == 0;
    gv_check_add(op, "journal mode", wal ? "ok" : "warn", mode, wal ? "" : "readers and the writer block each other: run gavatctl init");
}

void gv_check_integrity(gv_database *db, gavat_op *op)
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
    gv_check_add(op, "file", good ? "ok" : "fail", said, good ? "" : gv_sqlite_advice(SQLITE_CORRUPT));
}

void gv_check_schema(gv_database *db, gavat_op *op)
{
    char sql[80], figure[40];
    snprintf(sql, sizeof sql, "SELECT version FROM gavat_schema WHERE area = '%s'", gv_areas[op->kind->area].name);
    int64_t version = gv_database_number(db, sql, 0);
    snprintf(figure, sizeof figure, "version %lld", (long long)version);
    gv_check_add(op, "schema", version ? "ok" : "fail", figure, version ? "" : "run gavatctl init");
}

void gv_check_file_disk(const char *path, gavat_op *op, const char *advice)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    gv_check_disk(op, folder, advice);
}

void gv_check_speed(gv_database *db, gavat_op *op, const char *sql)
{
    char figure[40];
    uint64_t start = gv_clock_steady();
    int64_t count = gv_database_number(db, sql, -1);
    snprintf(figure, sizeof figure, "%.1f ms", (double)(gv_clock_steady() - start) / 1e6);
    gv_check_add(op, "round trip", count < 0 ? "fail" : "ok", count < 0 ? sqlite3_errmsg(db->handle) : figure,
        count < 0 ? "run gavatctl init" : "");
}
