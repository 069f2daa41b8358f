/* check.c: what gavatctl doctor says of the file. Reader's thread. */
#include "sqlite.h"
#include "../../sqlite/check.h"
#include <stdio.h>

static void check_index(gv_sqlite *self, gv_database *db, gavat_op *op)
{
    char figure[80];
    if (!self->search_index) {
        gv_check_add(op, "search index", "ok", "off", "");
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
    gv_check_add(op, "search index", late ? "warn" : "ok", figure, late ? "it is being built: searches are slower until it is done" : "");
}

void gv_sqlite_check(gv_reader *reader, gavat_op *op)
{
    gv_sqlite *self = reader->self;
    gv_database *db = &reader->own.db;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    if (gv_check_open(self->store, db, self->path, op)) {
        gv_check_integrity(db, op);
        gv_check_journal(db, op);
        gv_check_schema(db, op);
        check_index(self, db, op);
        gv_check_speed(db, op, "SELECT count(*) FROM (SELECT 1 FROM event_logs LIMIT 1000)");
    }
    gv_check_file_disk(self->path, op, "free some space, or prune: gavatctl events prune --before 90d");
}
