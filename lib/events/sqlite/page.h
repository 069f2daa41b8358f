/* page.h: rows of the events area's tables, for pages, searches and statistics. Reader's threads. */
#ifndef GV_EVENTS_SQLITE_PAGE_H
#define GV_EVENTS_SQLITE_PAGE_H
#include "sqlite.h"
#include "../../base/decimal.h"

/* A further condition on a row. */
typedef bool gv_sqlite_match(sqlite3_stmt *row, void *user);

/* Fill op's result with a page, newest first, from the query's position on. SQLITE_OK, or the code of what went wrong. */
int gv_sqlite_scan(gv_reader *reader, gavat_op *op, const gv_query *query, gv_sqlite_match *match, void *user);
/* Stage the outcome of a read. */
void gv_sqlite_end_read(gv_reader *reader, gavat_op *op, int code);

/* The row as a record, in the arena; NULL: no memory. Columns as gv_add_columns names them. */
void *gv_sqlite_record(gv_arena *arena, sqlite3_stmt *row, const gv_record_kind *kind);
/* All that the query asks but for its times. indexed: what the statement has asked already; GV_BY_COUNT: nothing. */
bool gv_sqlite_matches(sqlite3_stmt *row, const gv_query *query, unsigned indexed);

/* An amount: the number in this column, its exact text in the next, which counts as long as it says what the number says: another program
 * may have changed that since. The row's own text, or in text; NULL: there is none. */
const char *gv_sqlite_money(sqlite3_stmt *row, int column, char text[GV_DECIMAL_ROOM]);
#endif
