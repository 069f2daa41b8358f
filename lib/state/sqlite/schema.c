/* schema.c: the tables of the state area in SQLite. Times are microseconds since 1970. */
#include "sqlite.h"

static const gv_schema_step steps[] = {
    /* user_id '' is global. value NULL: a list, whose items have the places head to head + length - 1. span: for how long it was given. */
    {"table gavat_state", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_state (id INTEGER NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT, "
     "expires INTEGER, span INTEGER, head INTEGER, length INTEGER)"},
    {"index gavat_state (user_id, key)", NULL, NULL,
     "CREATE UNIQUE INDEX IF NOT EXISTS gavat_state_identity ON gavat_state (user_id, key)"},
    {"index gavat_state (expires)", NULL, NULL,
     "CREATE INDEX IF NOT EXISTS gavat_state_expires ON gavat_state (expires) WHERE expires IS NOT NULL"},
    {"table gavat_state_items", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_state_items (list INTEGER NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, "
     "PRIMARY KEY (list, place)) WITHOUT ROWID"},
    {"trigger gavat_state_items_gone", NULL, NULL,
     "CREATE TRIGGER IF NOT EXISTS gavat_state_items_gone AFTER DELETE ON gavat_state WHEN old.length IS NOT NULL "
     "BEGIN DELETE FROM gavat_state_items WHERE list = old.id; END"},
    GV_SCHEMA_STEP,
};

/* A table of our name that lacks our columns is somebody else's. */
static int find_stranger(gv_database *db, const char **table)
{
    static const char *const columns[][2] = {
        {"gavat_state", "id"}, {"gavat_state", "user_id"}, {"gavat_state", "key"}, {"gavat_state", "value"}, {"gavat_state", "expires"},
        {"gavat_state", "span"}, {"gavat_state", "head"}, {"gavat_state", "length"}, {"gavat_state_items", "list"},
        {"gavat_state_items", "place"}, {"gavat_state_items", "value"},
    };
    int code = SQLITE_OK;
    *table = NULL;
    for (size_t i = 0; i < sizeof columns / sizeof *columns && code == SQLITE_OK; i++) {
        bool there;
        code = gv_schema_has_object(db, columns[i][0], &there);
        if (code == SQLITE_OK && there)
            code = gv_schema_has_column(db, columns[i][0], columns[i][1], &there);
        else
            there = true;
        if (code == SQLITE_OK && !there)
            *table = columns[i][0];
    }
    return code;
}

static const gv_schema schema = {
    .area = "state", .version = 1, .oldest_reader = 1, .steps = steps, .count = sizeof steps / sizeof *steps, .find_stranger = find_stranger};

int gv_state_upgrade(gv_state_sqlite *self, gavat_op *op, bool dry_run)
{
    return gv_schema_upgrade(&self->db, &schema, self->store, op, dry_run);
}

void gv_state_describe_schema(gv_state_sqlite *self, gavat_op *op)
{
    gv_schema_describe(&self->db, &schema, op);
}
