/* schema.c: the tables of the events area in SQLite. The original's tables are adopted as they are: what is missing is added, nothing is
 * rewritten. */
#include "sqlite.h"
#include "../../sqlite/schema.h"
#include "../statements.h"

static const gv_schema_step steps[] = {
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
    /* SQLite gives an id again when the newest rows are deleted. Each time that happens, by whichever program, a row says down to which id;
     * rows that a later cut makes needless go. So a tail knows where to begin again. */
    {"table gavat_event_cuts", NULL, NULL,
     "CREATE TABLE IF NOT EXISTS gavat_event_cuts (number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, low INTEGER NOT NULL, "
     "instance VARCHAR(32) NOT NULL DEFAULT (lower(hex(randomblob(16))))); INSERT INTO gavat_event_cuts (low) VALUES (0)"},
    {"trigger event_logs", NULL, NULL,
     "CREATE TRIGGER IF NOT EXISTS gavat_event_logs_cut AFTER DELETE ON event_logs "
     "WHEN NOT EXISTS (SELECT 1 FROM event_logs WHERE id > OLD.id) BEGIN "
     "DELETE FROM gavat_event_cuts WHERE number > 1 AND low >= (SELECT coalesce(max(id), 0) FROM event_logs); "
     "INSERT INTO gavat_event_cuts (low) SELECT coalesce(max(id), 0) FROM event_logs; END"},
    GV_SCHEMA_STEP,
};

/* A table of that name which lacks the original's columns is somebody else's. */
static int find_stranger(gv_database *db, const char **stranger)
{
    const gv_record_kind *kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};
    int code = SQLITE_OK;
    *stranger = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && code == SQLITE_OK; i++) {
        bool there;
        code = gv_schema_has_object(db, kinds[i]->table, &there);
        for (size_t k = 0; code == SQLITE_OK && there && k < kinds[i]->count; k++) {
            if (&kinds[i]->fields[k] == kinds[i]->uid)
                continue;
            code = gv_schema_has_column(db, kinds[i]->table, kinds[i]->fields[k].name, &there);
            if (code == SQLITE_OK && !there)
                *stranger = kinds[i]->table;
        }
    }
    return code;
}

static const gv_schema schema = {
    .area = "events", .version = 1, .oldest_reader = 1, .steps = steps, .count = sizeof steps / sizeof *steps, .find_stranger = find_stranger};

int gv_sqlite_upgrade(gv_sqlite *self, gavat_op *op, bool dry_run)
{
    return gv_schema_upgrade(&self->own.db, &schema, self->store, op, dry_run);
}

void gv_sqlite_describe_schema(gv_database *db, gavat_op *op)
{
    gv_schema_describe(db, &schema, op);
}

void gv_sqlite_add_schema_sql(gv_text *out)
{
    out->failed |= !gv_schema_print(&schema, out);
}
