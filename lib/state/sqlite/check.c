/* check.c: what gavatctl doctor says of the store. The one thread does it, so a large file is not read through: others wait meanwhile. */
#include "sqlite.h"
#include "../../sqlite/check.h"
#include <stdio.h>

#define LARGE (INT64_C(64) << 20)       /* bytes: half a second to read through */

static void check_file(gv_database *db, gavat_op *op)
{
    char figure[60];
    int64_t bytes = gv_database_number(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", 0);
    if (bytes <= LARGE) {
        gv_check_integrity(db, op);
        return;
    }
    snprintf(figure, sizeof figure, "%lld MiB, not read through", (long long)(bytes >> 20));
    gv_check_add(op, "file", "ok", figure, "to read all of it: sqlite3 FILE 'PRAGMA quick_check'");
}

static void check_keys(gv_database *db, gavat_op *op)
{
    char figure[40];
    int64_t count = gv_database_number(db, "SELECT count(*) FROM gavat_state", -1);
    snprintf(figure, sizeof figure, "%lld", (long long)count);
    gv_check_add(op, "keys", count < 0 ? "fail" : "ok", count < 0 ? sqlite3_errmsg(db->handle) : figure,
                 count < 0 ? "run gavatctl init" : "");
}

void gv_state_check(gv_state_sqlite *self, gavat_op *op)
{
    const char *path = self->writing.path;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    if (gv_check_open(self->store, &self->db, path ? path : "memory: gone when the program ends", op)) {
        if (path)
            check_file(&self->db, op);
        if (path)
            gv_check_journal(&self->db, op);
        gv_check_schema(&self->db, op);
        check_keys(&self->db, op);
        gv_check_speed(&self->db, op, "SELECT count(*) FROM (SELECT 1 FROM gavat_state LIMIT 1000)");
    }
    if (path)
        gv_check_file_disk(path, op, "free some space: without it nothing can be stored");
}
