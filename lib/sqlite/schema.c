#include "schema.h"
#include <stdio.h>
#include <string.h>

/* Not through pragma_table_info: out of memory, that reports a table that cannot be read. */
int gv_schema_has_column(gv_database *db, const char *table, const char *column, bool *found)
{
    int code = sqlite3_table_column_metadata(db->handle, "main", table, column, NULL, NULL, NULL, NULL, NULL);
    *found = code == SQLITE_OK;
    return (code & 0xff) == SQLITE_ERROR ? SQLITE_OK : code;
}

int gv_schema_has_object(gv_database *db, const char *name, bool *found)
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
static int is_there(gv_database *db, const gv_schema_step *step, bool *found)
{
    if (step->column)
        return gv_schema_has_column(db, step->table, step->column, found);
    const char *at = strstr(step->sql, "EXISTS ") + strlen("EXISTS ");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
    return gv_schema_has_object(db, name, found);
}

/* The number in the column `what` of the area's row; stays 0 where there is none. */
static int read_number(gv_database *db, const gv_schema *schema, const char *what, int64_t *number)
{
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT %s FROM gavat_schema WHERE area = '%s'", what, schema->area);
    return gv_database_ask(db, sql, number);
}

static int read_version(gv_database *db, const gv_schema *schema, int64_t *version, int64_t *oldest)
{
    bool there;
    *version = *oldest = 0;
    int code = gv_schema_has_object(db, "gavat_schema", &there);
    if (code == SQLITE_OK && there)
        code = read_number(db, schema, "version", version);
    if (code == SQLITE_OK && there)
        code = read_number(db, schema, "oldest_reader", oldest);
    return code;
}

static bool add_step(const gv_schema *schema, gavat_op *op, const gv_schema_step *step, const char *outcome)
{
    gv_text json = {0};
    gv_result *result = gv_op_result(op);
    gv_text_addf(&json, "{\"store\":\"%s\",\"step\":\"%s\",\"result\":\"%s\"}", schema->area, step->name, outcome);
    bool added = result && gv_result_add_json(result, &json);
    gv_text_free(&json);
    return added;
}

static int run_step(gv_database *db, const gv_schema *schema, gavat_op *report, const gv_schema_step *step, bool dry_run)
{
    bool there;
    int code = is_there(db, step, &there);
    if (code != SQLITE_OK || there)
        return code;
    if (!dry_run)
        code = gv_database_run(db, step->sql);
    if (code == SQLITE_OK && report && !add_step(schema, report, step, dry_run ? "would do" : "done"))
        code = SQLITE_NOMEM;
    return code;
}

static int write_version(gv_database *db, const gv_schema *schema)
{
    char sql[160];
    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO gavat_schema (area, version, oldest_reader) VALUES ('%s', %d, %d)", schema->area,
             schema->version, schema->oldest_reader);
    return gv_database_run(db, sql);
}

static int upgrade_inside(gv_database *db, const gv_schema *schema, const gv_store *store, gavat_op *op, bool dry_run)
{
    int64_t version, oldest;
    const char *stranger = NULL;
    int code = read_version(db, schema, &version, &oldest);
    if (code != SQLITE_OK)
        return code;
    if (oldest > schema->version) {
        if (op)
            gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "%s: %s was made by a newer library (schema %lld, this one reads up to %d): update "
                       "libgavatcore", schema->area, store->shown, (long long)version, schema->version);
        return SQLITE_SCHEMA;
    }
    code = schema->find_stranger(db, &stranger);
    if (code != SQLITE_OK)
        return code;
    if (stranger) {
        if (op)
            gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "%s: the table %s in %s is not of the shape known here: use another file", schema->area,
                       stranger, store->shown);
        return SQLITE_SCHEMA;
    }
    for (size_t i = 0; i < schema->count && code == SQLITE_OK; i++)
        code = run_step(db, schema, op, &schema->steps[i], dry_run);
    if (code == SQLITE_OK && !dry_run && version < schema->version)
        code = write_version(db, schema);
    return code;
}

int gv_schema_upgrade(gv_database *db, const gv_schema *schema, const gv_store *store, gavat_op *op, bool dry_run)
{
    int code = gv_database_run(db, "BEGIN IMMEDIATE");
    if (code != SQLITE_OK)
        return code;
    code = upgrade_inside(db, schema, store, op, dry_run);
    if (code == SQLITE_OK)
        code = gv_database_run(db, dry_run ? "ROLLBACK" : "COMMIT");
    gv_database_undo(db);
    if (code != SQLITE_OK && op && op->staged.error.status == GAVAT_OK)
        gv_op_drop_result(op);          /* steps that were undone */
    return code;
}

void gv_schema_describe(gv_database *db, const gv_schema *schema, gavat_op *op)
{
    int64_t version, oldest;
    gv_text json = {0};
    int code = read_version(db, schema, &version, &oldest);
    gv_text_addf(&json, "{\"store\":\"%s\",\"version\":%lld,\"wanted\":%d,\"steps\":[", schema->area, (long long)version,
                 schema->version);
    size_t missing = 0;
    for (size_t i = 0; i < schema->count && code == SQLITE_OK; i++) {
        bool there;
        code = is_there(db, &schema->steps[i], &there);
        if (code == SQLITE_OK && !there)
            gv_text_addf(&json, "%s\"%s\"", missing++ ? "," : "", schema->steps[i].name);
    }
    const char *state = oldest > schema->version ? "too new" : missing || version < schema->version ? "to be upgraded" : "up to date";
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

bool gv_schema_print(const gv_schema *schema, gv_text *out)
{
    for (size_t i = 0; i < schema->count; i++)
        if (!schema->steps[i].column)
            gv_text_addf(out, "%s;\n", schema->steps[i].sql);
    gv_text_addf(out, "INSERT INTO gavat_schema (area, version, oldest_reader) VALUES ('%s', %d, %d);\n", schema->area, schema->version,
                 schema->oldest_reader);
    return !out->failed;
}
