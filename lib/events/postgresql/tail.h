/* tail.h: how far a tail has come, in transactions. Each row carries the number of the transaction that wrote it; a snapshot says which
 * transactions were over at one moment. What is new since then is: rows of those that were still under way and are over now, and rows of
 * those that began later. So nothing hangs on the order of ids or commits, and a transaction that stays open holds up nobody.
 *
 * Rows come in the order (xact, id). All transactions that were under way at a snapshot are lower than those that began later. */
#ifndef GV_PG_TAIL_H
#define GV_PG_TAIL_H
#include "postgresql.h"

typedef struct gv_pg_snapshot { /* "xmin:xmax:xip,xip,…" of txid_current_snapshot() */
    int64_t next;               /* transactions from this one on had not begun */
    int64_t *open;              /* ascending: those below that were under way */
    size_t count;
} gv_pg_snapshot;

typedef struct gv_pg_place {
    enum {
        GV_PG_NOWHERE,          /* it begins with the next answer */
        GV_PG_RESTING,          /* all that base shows has been given out */
        GV_PG_WALKING,          /* on the way from base to target, behind (key, id): key is a transaction */
        GV_PG_SINCE             /* the rows that target shows, by time, behind (key, id): key is a raw time */
    } mode;
    int64_t table;              /* its oid: the cursor is of this one */
    char *base, *target;        /* owned; NULL where the mode needs none */
    int64_t key, id;
} gv_pg_place;

void gv_pg_place_free(gv_pg_place *place);
void gv_pg_place_print(gv_text *out, const gv_pg_place *place);         /* not of NOWHERE */
bool gv_pg_place_parse(gv_pg_place *place, const char *text);           /* false: not one of ours, or no memory */
/* The store is at this snapshot now. False: no memory. */
bool gv_pg_place_aim(gv_pg_place *place, const char *snapshot, gavat_time since);
void gv_pg_place_arrive(gv_pg_place *place);    /* all that target shows has been given out */
bool gv_pg_place_is_ahead(const gv_pg_place *place, const char *snapshot);

bool gv_pg_snapshot_parse(const char *text, gv_pg_snapshot *out);       /* false: it is none, or no memory; then there is nothing to free */
void gv_pg_snapshot_free(gv_pg_snapshot *snapshot);
/* Those that were open in base, are no more in target, and are not below `from`: they take the place of base's. */
void gv_pg_snapshot_closed(gv_pg_snapshot *base, const gv_pg_snapshot *target, int64_t from);

/* --- a tail --- */

typedef struct gv_pg_tail {
    gv_pg_job job;
    gavat_op *op;
    const gv_query *query;
    gv_link waiting;            /* in self->tails, or behind another tail that reads for it */
    gv_list followers;          /* those that this one reads for: they stand where it began */
    gv_pg_place place;
    bool asked;                 /* it waited already when the question was sent */
    bool heard;                 /* an answer */
    bool early;                 /* of WALKING: those that were open before are being read, the later ones follow */
    size_t rows, slice;         /* rows of the slice, and how many were asked for */
    bool failed, full;
} gv_pg_tail;

static inline gv_pg_tail *gv_pg_tail_at(gv_link *link)
{
    return GV_CONTAINER(link, gv_pg_tail, waiting);
}

/* tail.c. The first three end it: it is gone then. */
void gv_pg_tail_answer(gv_pg_tail *tail);       /* what it has read, and where it is */
/* Nothing more can be read: what is known so far is an answer while the store is being closed. */
void gv_pg_tail_give_up(gv_pg_tail *tail, const gv_pg_failure *failure);
void gv_pg_tail_finish(gv_pg_tail *tail);       /* its op has its outcome, or nobody wants it */
bool gv_pg_tail_is_late(const gv_pg_tail *tail, bool hard);     /* it is not to wait any longer; hard: nor to look any further */
#endif
