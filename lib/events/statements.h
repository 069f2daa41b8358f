/* statements.h: the SQL of the events area, shared by all SQL backends. mark stands before a parameter's number: '?' for SQLite, '$' for
 * PostgreSQL. */
#ifndef GV_EVENTS_STATEMENTS_H
#define GV_EVENTS_STATEMENTS_H
#include "requests.h"

/* INSERT of one record for SQLite, its fields that are not out only, in order, as parameters; a MONEY is two: the number and its text.
 * The same identity again does nothing. Static. */
const char *gv_insert_sql(const gv_record_kind *kind);

/* "id, user_id, …": the fields in order, a MONEY as two columns: the number and its text. */
void gv_add_columns(gv_text *out, const gv_record_kind *kind);

/* A page, newest first, from the position on. What an index serves is in the WHERE; the rest the caller checks row by row, so that it
 * sees how far it has come. phase 't': rows with a time, 'n': those without one, which come last.
 * Parameters are numbered by gv_bound: each is in the text only when it is needed. */
enum { GV_BOUND_OWNER = 1, GV_BOUND_SINCE, GV_BOUND_UNTIL, GV_BOUND_TIME, GV_BOUND_UID, GV_BOUND_ID, GV_BOUND_AMONG };
/* from: what stands behind FROM, the table itself or a join of it. */
void gv_add_page_sql(gv_text *out, const gv_query *query, const char *from, char phase, char mark);
void gv_add_page_order(gv_text *out, const gv_record_kind *kind);       /* behind it, and behind what a backend adds to the WHERE */

/* Which column of the filter an index serves: GV_BY_USER or GV_BY_BOT; GV_BY_COUNT: none. */
unsigned gv_indexed_by(const gv_query *query);
#endif
