/* check.h: what gavatctl doctor says of an SQLite file, a line each. The thread whose connection it is. */
#ifndef GV_SQLITE_CHECK_H
#define GV_SQLITE_CHECK_H
#include "../core/check.h"
#include "database.h"

/* False: it is not open, and only the disk is left to look at. */
bool gv_check_open(gv_store *store, const gv_database *db, const char *path, gavat_op *op);
void gv_check_integrity(gv_database *db, gavat_op *op);         /* reads the whole file */
void gv_check_journal(gv_database *db, gavat_op *op);
void gv_check_schema(gv_database *db, gavat_op *op);
void gv_check_speed(gv_database *db, gavat_op *op, const char *sql);    /* a query that gives a number */
void gv_check_file_disk(const char *path, gavat_op *op, const char *advice);    /* what to do when there is little left */
#endif
