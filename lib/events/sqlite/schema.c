/* schema.c: the tables of the events area in SQLite. The original's tables are adopted as they are: what is missing is added, nothing is
 * rewritten. Everything below is safe to run again, so one list of statements serves a new file, an adopted one and an upgrade;
 * a column is added only where it is not there. */
#include "sqlite.h"
#include "../statements.h"
#include <stdio.h>
#include <string.h>

#define VERSION 1
#define OLDEST_READER 1         /* the oldest library that may use a file of this version */

typedef struct gv_step {
    const char *name;           /* "table event_logs" */
    const char *table, *column; /* of an added column; NULL: the statement itself knows */
    const char *sql;
} gv_step;

static const gv_step steps[] = {
    {"table event_logs", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS event_logs (\n\tid INTEGER NOT NULL, \n\tuser_id VARCHAR(100) NOT NULL, \n\tusername VARCHAR(100), \n\t"
     "event_type VARCHAR(50) NOT NULL, \n\tmessage TEXT, \n\tcontext JSON, \n\tlevel VARCHAR(20), \n\t"
     "timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, \n\tuid VARCHAR(36), \n\tPRIMARY KEY (id)\n)"},
    {"table sale_logs", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS sale_logs (\n\tid INTEGER NOT NULL, \n\tuser_id VARCHAR(100) NOT NULL, \n\tcustomer_id VARCHAR(100), \n\t"
     "bot_username VARCHAR(100), \n\tproduct_type VARCHAR(50) NOT NULL, \n\tproduct_name VARCHAR(200), \n\tamount FLOAT NOT NULL, \n\t"
     "currency VARCHAR(10), \n\tpayment_method VARCHAR(50), \n\tpayment_status VARCHAR(20), \n\tpayment_reference VARCHAR(200), \n\t"
     "notes TEXT, \n\textra_data JSON, \n\tcreated_at DATETIME DEFAULT CURRENT_TIMESTAMP, \n\tupdated_at DATETIME, \n\t"
     "uid VARCHAR(36), \n\tamount_text VARCHAR(48), \n\tPRIMARY KEY (id)\n)"},
    {"table message_records", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS message_records (\n\tid INTEGER NOT NULL, \n\tbot_username VARCHAR(100) NOT NULL, \n\t"
     "message_type VARCHAR(20) NOT NULL, \n\ttarget_type VARCHAR(20), \n\ttarget_id VARCHAR(100), \n\ttarget_name VARCHAR(200), \n\t"
     "message_content TEXT, \n\tmessage_id VARCHAR(100), \n\tsuccess BOOLEAN, \n\terror_message TEXT, \n\tresponse_time_ms INTEGER, \n\t"
     "extra_data JSON, \n\ttimestamp DATETIME DEFAULT CURRENT_TIMESTAMP, \n\tuid VARCHAR(36), \n\tPRIMARY KEY (id)\n)"},
    {"table user_sessions", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS user_sessions (\n\tid INTEGER NOT NULL, \n\tuser_id VARCHAR(100) NOT NULL, \n\tusername VARCHAR(100), \n\t"
     "session_token VARCHAR(200), \n\tbot_type VARCHAR(50), \n\tis_active BOOLEAN, \n\tlast_activity DATETIME DEFAULT CURRENT_TIMESTAMP, "
     "\n\tcreated_at DATETIME DEFAULT CURRENT_TIMESTAMP, \n\textra_data JSON, \n\tPRIMARY KEY (id), \n\tUNIQUE (session_token)\n)"},
    {"column event_logs.uid", "event_logs", "uid", "ALTER TABLE event_logs ADD COLUMN uid VARCHAR(36)"},
    {"column sale_logs.uid", "sale_logs", "uid", "ALTER TABLE sale_logs ADD COLUMN uid VARCHAR(36)"},
    {"column sale_logs.amount_text", "sale_logs", "amount_text", "ALTER TABLE sale_logs ADD COLUMN amount_text VARCHAR(48)"},
    {"column message_records.uid", "message_records", "uid", "ALTER TABLE message_records ADD COLUMN uid VARCHAR(36)"},
    {"index event_logs (user_id, timestamp, uid)", NULL, NULL,
     "CREATE UNIQUE INDEX IF NOT EXISTS gavat_event_logs_identity ON event_logs (user_id, timestamp, uid)"},
    {"index event_logs (timestamp)", NULL, NULL, "CREATE INDEX IF NOT EXISTS ix_event_logs_timestamp ON event_logs (timestamp)"},
    {"index sale_logs (user_id, created_at, uid)", NULL, NULL,
     "CREATE UNIQUE INDEX IF NOT EXISTS gavat_sale_logs_identity ON sale_logs (user_id, created_at, uid)"},
    {"index sale_logs (created_at)", NULL, NULL, "CREATE INDEX IF NOT EXISTS ix_sale_logs_created_at ON sale_logs (created_at)"},
    {"index sale_logs (uid)", NULL, NULL,
     "CREATE INDEX IF NOT EXISTS gavat_sale_logs_uid ON sale_logs (uid) WHERE uid IS NOT NULL"},
    {"index message_records (bot_username, timestamp, uid)", NULL, NULL,
     "CREATE UNIQUE INDEX IF NOT EXISTS gavat_message_records_identity ON message_records (bot_username, timestamp, uid)"},
    {"index message_records (timestamp)", NULL, NULL,
     "CREATE INDEX IF NOT EXISTS ix_message_records_timestamp ON message_records (timestamp)"},
    {"index message_records (target_id, timestamp)", NULL, NULL,
     "CREATE INDEX IF NOT EXISTS gavat_message_records_target ON message_records (target_id, timestamp)"},
    {"index user_sessions (user_id)", NULL, NULL,
     "CREATE UNIQUE INDEX IF NOT EXISTS ix_user_sessions_user_id ON user_sessions (user_id)"},
    {"index user_sessions (last_activity)", NULL, NULL,
     "CREATE INDEX IF NOT EXISTS gavat_user_sessions_activity ON user_sessions (last_activity)"},
    {"table gavat_schema", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_schema (area VARCHAR(20) NOT NULL PRIMARY KEY, version INTEGER NOT NULL, "
     "oldest_reader INTEGER NOT NULL)"},
};
#define STEP_COUNT (sizeof steps / sizeof *steps)

/* Not through pragma_table_info: out of memory, that reports a table that cannot be read. */
static int has_column(gv_database *db, const char *table, const char *column, bool *found)
{
    int code = sqlite3_table_column_metadata(db->handle, "main", table, column, NULL, NULL, NULL, NULL, NULL);
    *found = code == SQLITE_OK;
    return (code & 0xff) == SQLITE_ERROR ? SQLITE_OK : code;
}

static int has_object(gv_database *db, const char *name, bool *found)
{
    int code;
    sqlite3_stmt *statement = gv_database_prepare(db, "SELECT 1 FROM sqlite_master WHERE name = ?1", &code);
    *found = false;
    if (!statement)
        return code;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The name behind "NOT EXISTS " in a statement. */
static int is_there(gv_database *db, const gv_step *step, bool *found)
{
    if (step->column)
        return has_column(db, step->table, step->column, found);
    const char *at = strstr(step->sql, "EXISTS ") + strlen("EXISTS ");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
    return has_object(db, name, found);
}

static int read_version(gv_database *db, int64_t *version, int64_t *oldest)
{
    bool there;
    *version = *oldest = 0;
    int code = has_object(db, "gavat_schema", &there);
    if (code == SQLITE_OK && there)
        code = gv_database_ask(db, "SELECT version FROM gavat_schema WHERE area = 'events'", version);
    if (code == SQLITE_OK && there)
        code = gv_database_ask(db, "SELECT oldest_reader FROM gavat_schema WHERE area = 'events'", oldest);
    return code;
}

static bool add_step(gavat_op *op, const gv_step *step, const char *outcome)
{
    gv_text json = {0};
    gv_result *result = gv_op_result(op);
    gv_text_addf(&json, "{\"store\":\"events\",\"step\":\"%s\",\"result\":\"%s\"}", step->name, outcome);
    bool added = result && gv_result_add_json(result, &json);
    gv_text_free(&json);
    return added;
}

static int run_step(gv_sqlite *self, gavat_op *op, const gv_step *step, bool dry_run)
{
    bool there;
    int code = is_there(&self->own.db, step, &there);
    if (code != SQLITE_OK || there)
        return code;
    if (!dry_run)
        code = gv_database_run(&self->own.db, step->sql);
    if (code == SQLITE_OK && op && op->kind->place == GV_UPGRADE_EVENTS && !add_step(op, step, dry_run ? "would do" : "done"))
        code = SQLITE_NOMEM;
    return code;
}

/* A table of that name which lacks the original's columns is somebody else's. */
static int find_stranger(gv_database *db, const char **stranger)
{
    const gv_record_kind *kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};
    int code = SQLITE_OK;
    *stranger = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && code == SQLITE_OK; i++) {
        bool there;
        code = has_object(db, kinds[i]->table, &there);
        for (size_t k = 0; code == SQLITE_OK && there && k < kinds[i]->count; k++) {
            if (&kinds[i]->fields[k] == kinds[i]->uid)
                continue;
            code = has_column(db, kinds[i]->table, kinds[i]->fields[k].name, &there);
            if (code == SQLITE_OK && !there)
                *stranger = kinds[i]->table;
        }
    }
    return code;
}

static int upgrade_inside(gv_sqlite *self, gavat_op *op, bool dry_run)
{
    int64_t version, oldest;
    int code = read_version(&self->own.db, &version, &oldest);
    if (code != SQLITE_OK)
        return code;
    if (oldest > VERSION) {
        if (op)
            gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: %s was made by a newer library (schema %lld, this one reads up to %d): update "
                       "libgavatcore", self->store->shown, (long long)version, VERSION);
        return SQLITE_SCHEMA;
    }
    const char *stranger;
    code = find_stranger(&self->own.db, &stranger);
    if (code != SQLITE_OK)
        return code;
    if (stranger) {
        if (op)
            gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: the table %s in %s is not of the shape known here: use another file",
                       stranger, self->store->shown);
        return SQLITE_SCHEMA;
    }
    for (size_t i = 0; i < STEP_COUNT && code == SQLITE_OK; i++)
        code = run_step(self, op, &steps[i], dry_run);
    if (code == SQLITE_OK && !dry_run && version < VERSION) {
        char sql[160];
        snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO gavat_schema (area, version, oldest_reader) VALUES ('events', %d, %d)",
                 VERSION, OLDEST_READER);
        code = gv_database_run(&self->own.db, sql);
    }
    return code;
}

int gv_sqlite_upgrade(gv_sqlite *self, gavat_op *op, bool dry_run)
{
    int code = gv_database_run(&self->own.db, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK)
        return code;
    code = upgrade_inside(self, op, dry_run);
    if (code == SQLITE_OK)
        code = gv_database_run(&self->own.db, dry_run ? "ROLLBACK" : "COMMIT");
    gv_database_undo(&self->own.db);
    return code;
}

void gv_sqlite_describe_schema(gv_database *db, gavat_op *op)
{
    int64_t version, oldest;
    gv_text json = {0};
    int code = read_version(db, &version, &oldest);
    gv_text_addf(&json, "{\"store\":\"events\",\"version\":%lld,\"wanted\":%d,\"steps\":[", (long long)version, VERSION);
    size_t missing = 0;
    for (size_t i = 0; i < STEP_COUNT && code == SQLITE_OK; i++) {
        bool there;
        code = is_there(db, &steps[i], &there);
        if (code == SQLITE_OK && !there)
            gv_text_addf(&json, "%s\"%s\"", missing++ ? "," : "", steps[i].name);
    }
    const char *state = oldest > VERSION ? "too new" : missing || version < VERSION ? "to be upgraded" : "up to date";
    gv_text_addf(&json, "],\"state\":\"%s\"}", state);
    gv_result *result = gv_op_result(op);
    if (code != SQLITE_OK)
        gv_sqlite_fail(op, db, code, 0, "reading");
    else if (result && gv_result_add_json(result, &json))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&json);
}

bool gv_events_schema_sql(gv_text *out)
{
    for (size_t i = 0; i < STEP_COUNT; i++)
        if (!steps[i].column)
            gv_text_addf(out, "%s;\n", steps[i].sql);
    gv_text_addf(out, "INSERT INTO gavat_schema (area, version, oldest_reader) VALUES ('events', %d, %d);\n", VERSION, OLDEST_READER);
    return !out->failed;
}
