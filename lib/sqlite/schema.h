/* schema.h: the tables of an area in an SQLite file. A list of steps that are safe to run again: one list serves a new file, an adopted
 * one and an upgrade. The version of each area is a row of the table gavat_schema. */
#ifndef GV_SQLITE_SCHEMA_H
#define GV_SQLITE_SCHEMA_H
#include "database.h"

typedef struct gv_schema_step {
    const char *name;           /* "table event_logs" */
    const char *table, *column; /* of an added column; NULL: the statement is CREATE … IF NOT EXISTS name */
    const char *sql;
} gv_schema_step;

typedef struct gv_schema {
    const char *area;
    int version, oldest_reader; /* the oldest library that may use a file of this version */
    const gv_schema_step *steps;
    size_t count;
    int (*find_stranger)(gv_database *db, const char **table);  /* a table of the name that is not of the shape known; NULL: none there */
} gv_schema;

#define GV_SCHEMA_STEP                                                                                                                \
    {"table gavat_schema", NULL, NULL,                                                                                                \
     "CREATE TABLE IF NOT EXISTS gavat_schema (area VARCHAR(20) NOT NULL PRIMARY KEY, version INTEGER NOT NULL, "                     \
     "oldest_reader INTEGER NOT NULL)"}         /* the last one of each area */

/* Inside no transaction. op: where it goes wrong it is told (may be NULL), and the area's upgrade is given a record of each step. */
int gv_schema_upgrade(gv_database *db, const gv_schema *schema, const gv_store *store, gavat_op *op, bool dry_run);
void gv_schema_describe(gv_database *db, const gv_schema *schema, gavat_op *op);        /* one record; ends in success or failure */
bool gv_schema_print(const gv_schema *schema, gv_text *out);    /* the statements for an empty file */

int gv_schema_has_object(gv_database *db, const char *name, bool *found);
int gv_schema_has_column(gv_database *db, const char *table, const char *column, bool *found);
#endif
