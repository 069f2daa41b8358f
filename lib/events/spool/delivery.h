/* delivery.h: what the spool and the store behind it say to each other. The store hands a write over that it cannot bring to its server now
 * (gv_spool_pass); the spool's forwarder hands batches of them back, each in an op of the kind GV_FORWARD. */
#ifndef GV_EVENTS_SPOOL_DELIVERY_H
#define GV_EVENTS_SPOOL_DELIVERY_H
#include "../../core/batch.h"
#include "../requests.h"

typedef enum gv_spool_state {
    GV_SPOOL_OFF,               /* there is none */
    GV_SPOOL_OPENING,
    GV_SPOOL_TAKES,
    GV_SPOOL_REFUSES            /* full, too old, or its file is not to be had: what is passed to it fails with its reason */
} gv_spool_state;

/* Any thread. */
gv_spool_state gv_spool_state_of(gavat *g);
bool gv_spool_is_first(const gavat *g);         /* GAVAT_EVENTS_ACK=spool: every write goes there */
bool gv_spool_is_busy(gavat *g);        /* something waits there, or is on its way: what must come behind it goes there too */
bool gv_spool_keeps(const gavat_op *op);        /* the kinds of writes that it takes; false also when there is no spool */
/* The op becomes the spool's, which ends it: well, when it is on the disk. doubtful: its store may have applied it. */
void gv_spool_pass(gavat_op *op, bool doubtful);
/* Has failed EREJECTED: is recorded among the rejects, then ends so. */
void gv_spool_record(gavat_op *op);
void gv_spool_wake(gavat *g);                   /* the server is there (again) */

typedef struct gv_entry {       /* a write on its way from the spool to its store; in the arena of its batch */
    int64_t sequence;           /* in the spool */
    gv_events_place place;      /* of the call that it comes from */
    gavat_time at;              /* of the call: what is newer there stays */
    bool whatever_age;          /* … unless a person said so */
    const char *ticket;         /* canonical UUID: the same one is not applied twice */
    gv_batch_record **records;  /* LOG_…, SET_SESSION: one; COMMIT: some */
    size_t count;
    gv_update_request update;   /* UPDATE_SALE */
    gv_session_request session; /* CLOSE_SESSION, EXPIRE_SESSIONS */
    bool unreadable;            /* what was kept is damaged: not to be sent; reason says more */
    /* The store's word, valid when the op has ended by it. Entries are settled in their order. */
    bool settled, refused;
    char code[8];               /* of the refusal, the store's own; "": ours */
    const char *reason;         /* in the arena */
} gv_entry;

/* A GV_FORWARD op: op->batch has the entries, as gv_batch_entry.record. It ends well when all are settled; else the others stay. */
static inline gv_entry *gv_forward_entry_at(const gavat_batch *batch, size_t i)
{
    return batch->entries[i].record;
}
static inline gv_entry *gv_forward_entry(const gavat_op *op, size_t i)
{
    return gv_forward_entry_at(op->batch, i);
}
/* Entry i of a forward is refused for good. code: NULL for ours. */
void gv_forward_refuse(gavat_op *op, size_t i, const char *code, const char *reason);
#endif
