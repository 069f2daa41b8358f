/* page.h: rows of the events area's tables, for pages, searches and statistics. Reader's threads. */
#ifndef GV_EVENTS_SQLITE_PAGE_H
#define GV_EVENTS_SQLITE_PAGE_H
#include "sqlite.h"

/* A further condition on a row. */
typedef bool gv_sqlite_match(sqlite3_stmt *row, void *user);

/* Fill op's result with a page, newest first, from the query's position on. SQLITE_OK, or the code of what went wrong. */
int gv_sqlite_scan(gv_reader *reader, gavat_op *op, const gv_query *query, gv_sqlite_match *match, void *user);
/* Stage the outcome of a read. */
void gv_sqlite_end_read(gv_reader *reader, gavat_op *op, int code);

#endif
