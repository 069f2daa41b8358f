/* database.h: what all users of SQLite share: opening with the right pragmas, statements kept prepared, errors put into words. A
 * gv_database belongs to one thread at a time; SQLite's own mutex is off. */
#ifndef GV_SQLITE_DATABASE_H
#define GV_SQLITE_DATABASE_H
#include "../core/op.h"
#include <sqlite3.h>

#define GV_STATEMENTS 24        /* kept prepared for each connection; the one unused longest makes room */

typedef struct gv_database {    /* all zero: closed */
    sqlite3 *handle;
    struct {
        sqlite3_stmt *statement;
        const char *fixed;      /* the static text that it was asked for by; NULL: not known */
        uint64_t used;
    } cache[GV_STATEMENTS];
    uint64_t uses;
    size_t last;                /* in cache, the one used last */
} gv_database;

typedef struct gv_database_options {
    bool create;                /* make the file, and switch it to WAL */
    bool full;                  /* synchronous FULL, else NORMAL: then a power cut may take the last commits */
    int64_t cache_bytes;
    unsigned busy_ms;           /* how long a statement waits for another process's lock */
} gv_database_options;

/* The path of the store's URL, made absolute, for the program may change its folder later; in the store's arena. Not OK: said through
 * gv_config_fail. no_memory_file: what is said of :memory:. */
gavat_status gv_database_path(gv_store *store, gavat_config *cfg, const char *no_memory_file, const char **path);

/* SQLITE_OK, or the code; on failure the database is closed. path NULL: in memory, of this connection alone. */
int gv_database_open(gv_database *db, const char *path, const gv_database_options *options);
void gv_database_close(gv_database *db);

/* A prepared statement, reset and without bindings, owned by db until the next prepare or close. NULL: *code says why. */
sqlite3_stmt *gv_database_prepare(gv_database *db, const char *sql, int *code);
/* The same for the hottest statements: sql is static and known by its address, and the statement is as its last user left it: he resets it,
 * and each binds all of its parameters. */
sqlite3_stmt *gv_database_prepare_fixed(gv_database *db, const char *sql, int *code);
int gv_database_run(gv_database *db, const char *sql);          /* statements without results */
int gv_database_do(gv_database *db, const char *sql);           /* one statement without a result, kept prepared: needs no memory later */
/* The one number a query gives; *number stays as it is when it gives none. SQLITE_OK, or the code. */
int gv_database_ask(gv_database *db, const char *sql, int64_t *number);
int64_t gv_database_number(gv_database *db, const char *sql, int64_t fallback);     /* the same; fallback also when it fails */
/* No transaction is open afterwards: when it cannot be rolled back, the connection is closed, which comes to the same. Of a database in
 * memory that would be the end of its data: its transaction stays, and gv_writer_ready tries again. */
void gv_database_undo(gv_database *db);
/* The file was deleted or replaced under its name: what is written goes where nobody will find it. */
bool gv_database_moved(gv_database *db);
/* Where no file has this name: what SQLite kept beside one belongs to that one, and a new one must not find it. */
void gv_database_clear_place(const char *path);

gavat_status gv_sqlite_status(int code);
const char *gv_sqlite_name(int code);           /* "SQLITE_FULL"; static */
const char *gv_sqlite_advice(int code);         /* what a person can do about it; static */
/* The op failed with this code while `doing` ("writing"). flags: GAVAT_ERROR_…; RETRY is added where it may help. */
void gv_sqlite_fail(gavat_op *op, gv_database *db, int code, uint32_t flags, const char *doing);
#endif
