#include "driver.h"
#include "figures.h"
#include <stdio.h>

void driver_run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fprintf(stderr, "bench: %s: %s\n", sql, why ? why : "?");
    bench_need(!why, "the raw loop failed");
}

sqlite3_stmt *driver_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK)
        fprintf(stderr, "bench: %s: %s\n", sql, sqlite3_errmsg(db));
    bench_need(code == SQLITE_OK, "the raw loop failed");
    return statement;
}

sqlite3 *driver_open(const char *path, const char *synchronous, int cache_mib)
{
    sqlite3 *db = NULL;
    char sql[240];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    bench_need(sqlite3_open_v2(path ? path : ":memory:", &db, flags, NULL) == SQLITE_OK, "the raw loop's file cannot be opened");
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA cache_size=-%d; PRAGMA wal_autocheckpoint=40000; "
             "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF",
             synchronous, cache_mib * 1024);
    driver_run(db, sql);
    return db;
}
