/* calls.h: what the public calls of the four kinds of records share: from the caller's arguments to a submitted op. Any
 * thread. */
#ifndef GV_EVENTS_CALLS_H
#define GV_EVENTS_CALLS_H
#include "requests.h"
#include "../core/request.h"

/* A record to be stored: checks it, fixes op->uid, copies it, submits. */
void gv_call_store(gavat_op *op, gv_events_place place, const gv_record_kind *kind, const void *record);

/* A page or totals of what filter selects (NULL: of all). keyword: not folded yet; NULL: no search. group: static, or
 * NULL. */
void gv_call_query(gavat_op *op, gv_events_place place, const gv_record_kind *kind, const gavat_filter *filter,
                   const char *keyword, const char *group);

/* The record in one piece of the arena, behind its gv_batch_record; NULL: no memory. */
gv_batch_record *gv_call_keep(gv_arena *arena, const gv_incoming *in);

/* Into a batch. */
gavat_status gv_call_add(gavat_batch *batch, const gv_record_kind *kind, const void *record);
bool gv_call_add_json(gavat_batch *batch, const gv_record_kind *kind, gv_slice object);

/* Record i of an op that has ended; NULL: there is none, or it is of another kind. */
const void *gv_call_record(const gavat_op *op, const gv_record_kind *kind, size_t i);
#endif
