/* op.h: the op inside: its life, and what areas and backends do with it.
 *
 *     NEW -> SUBMITTED -> ENDED -> CALLING -> DONE
 *
 * SUBMITTED: in the client's queue, then in its store's. ENDED: it has its outcome, which never changes again. CALLING:
 * the loop is in its callback. DONE: that has returned (ENDED goes there at once where there is none). All steps but that to CALLING are made
 * under the client's lock. The deadline, a cancel, the store and
 * close compete to end it; the first one wins, whatever comes later is dropped with the last reference.
 *
 * claim settles whether the store may still begin: the store takes it or a canceller withdraws it, by one compare-and-swap. So an op
 * that was withdrawn is known not to be applied, wherever it queues. Whoever withdraws it ends it: a store that hands it back says nothing. */
#ifndef GV_CORE_OP_H
#define GV_CORE_OP_H
#include "backend.h"
#include "deadlines.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "../../include/gavatcore/op.h"
#include <stdatomic.h>

enum { GV_PHASE_NEW, GV_PHASE_SUBMITTED, GV_PHASE_ENDED, GV_PHASE_CALLING, GV_PHASE_DONE };
enum { GV_CLAIM_FREE, GV_CLAIM_TAKEN, GV_CLAIM_WITHDRAWN };

typedef struct gv_shape {       /* of the records in a result */
    const char *name;
    void (*print)(const void *record, gv_text *out);    /* as a JSON object */
} gv_shape;
extern const gv_shape gv_json_shape;            /* the record is a gv_slice of JSON text */

typedef struct gv_rejected {
    uint64_t index;
    const char *why;
} gv_rejected;

typedef struct gv_result {      /* what an op gives back beyond a status and a number; freed with it */
    gv_arena arena;             /* holds it, and all that is below */
    const gv_shape *shape;
    void **records;             /* at `only` until there are two, then on the heap */
    void *only;
    size_t count, room;         /* room: on the heap */
    const char **json;          /* printed records, made on demand under the client's lock */
    const char *text;
    size_t text_length;
    const char *cursor;
    gv_rejected *rejected;
    size_t rejected_count, rejected_room;
    size_t charged;             /* bytes counted against the client's bound */
} gv_result;

typedef struct gv_outcome {
    gavat_error error;
    gavat_reached reached;
    int64_t number;
    gv_result *result;          /* NULL: none */
} gv_outcome;

typedef struct gv_waiter gv_waiter;
#define GV_OP_INLINE 400        /* bytes of request that need no allocation of their own: a usual event fits */

/* Thousands of them leave the caches before their turn comes. So what every op's way touches stands first, close together, and
 * what few need is not even zeroed. */
struct gavat_op {
    gv_link link;               /* where it queues: the client, its store, a worker; whoever holds it */
    gv_link ended;              /* waits for its callback; client's lock */
    gv_deadline deadline;       /* client's lock */
    gavat *client;              /* a reference */
    const gv_kind *kind;        /* from submit on */
    gv_store *store;            /* where it goes next; NULL: the client serves it */
    gavat_done_fn done;
    void *user;
    atomic_uint refs, phase, claim;
    atomic_bool cancelled;
    bool held, reserved, internal, mirrored, timeout_given;
    bool doubtful;              /* a store before this one may have applied it: an error says so */
    uint32_t timeout_ms;
    uint64_t submitted;         /* steady, nanoseconds */
    gv_outcome staged;          /* the store's word, which counts once it is accepted */
    const gv_outcome *outcome;  /* staged or imposed: set before ENDED, then neither changes */
    uint64_t generation;        /* of flush.c */
    gavat_progress_fn progress;
    gv_waiter *waiters;         /* client's lock */
    gavat_batch *batch;         /* a reference; NULL: none */
    gavat_op *parent;           /* a reference; fan.c: what is wanted of this one ends with it. NULL: none */
    void *request;              /* the area's struct, in memory below or on the heap */
    size_t bytes;               /* counted against the client's bound */
    size_t flush_waiting;       /* of a flush: ops that it waits for; not 0: it is in the client's list */
    uint64_t sequence;          /* the store's: which of its writes this is, or must come after */
    uint64_t progress_at;       /* steady; the worker's */
    char ticket[37];            /* the store's: what it is known by where it must not be done twice; "": none yet */
    char uid[37];               /* from here on not zeroed, but for its first byte */
    gv_outcome imposed;         /* of an op that has ended without its store's word */
    void *progress_user;
    gavat_progress progress_now;        /* client's lock */
    _Alignas(16) unsigned char memory[GV_OP_INLINE];
};
#define GV_OP_HOT offsetof(gavat_op, flush_waiting)     /* to be fetched ahead while another one is worked on; link is at the start */

/* Submitting, by the public calls, any thread:
 *     if (!gv_op_begin(op, &kind)) return;             NULL, or used before: nothing to do
 *     request = gv_op_request(op, size);               zeroed; NULL: refused already (EBUSY, ENOMEM)
 *     gv_op_refuse(op, GAVAT_EINVAL, "…");             or
 *     gv_op_submit(op);                                either gives the reference away */
bool gv_op_begin(gavat_op *op, const gv_kind *kind);
void *gv_op_request(gavat_op *op, size_t size);
void gv_op_refuse(gavat_op *op, gavat_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void gv_op_submit(gavat_op *op);

/* From one store to the next, by the first one's worker: instead of gv_op_finish. */
void gv_op_pass(gavat_op *op, gv_area area);

/* For stores, on the thread that works on the op. */
bool gv_op_take(gavat_op *op);                  /* false: withdrawn; finish it as it is */
bool gv_op_wanted(const gavat_op *op);          /* false: its caller no longer waits; long work and reads may stop */
void gv_op_succeed(gavat_op *op, gavat_reached reached);
void gv_op_fail(gavat_op *op, gavat_status status, uint32_t flags, const char *native, const char *format, ...)
    __attribute__((format(printf, 5, 6)));      /* replaces what was staged; native is copied */
void gv_op_report(gavat_op *op, uint64_t done, uint64_t total, uint64_t rejected, const char *what);   /* what: static */
void gv_op_finish(gavat_op *op);
void gv_ops_finish(gavat *g, gv_list *ops);     /* many, by their link; one lock, one wake. ops is empty then */

bool gv_op_fits(gavat_op *op);                  /* false: results that are still held reach the byte bound, and op has failed EBUSY */

gv_result *gv_result_new(void);                 /* NULL: no memory, as below */
/* The staged result, made on first use. */
gv_result *gv_op_result(gavat_op *op);
void gv_op_drop_result(gavat_op *op);           /* what was built so far is nobody's: before a gv_op_fail */
bool gv_result_add(gv_result *result, void *record);                    /* false: no memory */
bool gv_result_add_json(gv_result *result, const gv_text *text);        /* a record of gv_json_shape, copied */
bool gv_result_reject(gv_result *result, uint64_t index, const char *why);      /* why is copied */
bool gv_op_decide(gavat_op *op, const gavat_decision *decision);        /* the op's one record, for gavat_op_decision; false: no memory */
bool gv_result_set_text(gv_result *result, const char *text, size_t length);
void gv_result_free(gv_result *result);
void gv_result_charge(gavat *g, gv_result *result);     /* count what it holds by now against the client's bound */
void gv_op_charge(gavat_op *op);                /* the same of the staged one; the core does it at the end */

/* For the core. */
gavat_op *gv_op_new_internal(gavat *g, gavat_done_fn done, void *user);  /* beyond the bounds; not counted as live */
const char *gv_op_backend(const gavat_op *op);  /* name, "" for the core's own kinds */
uint32_t gv_op_doubt(const gavat_op *op, bool withdrawn);      /* the flags of an end that the store has not spoken */
bool gv_op_withdraw(gavat_op *op);              /* true: the store has not begun, and never will; gv_op_end must follow */
/* Unless it has ended. message: static, or in result, which is taken over (NULL: none). */
void gv_op_end(gavat_op *op, gavat_status status, uint32_t flags, const char *message, gv_result *result);
void gv_op_expire(gavat_op *op);                /* its deadline has passed: withdraw it and end it */
/* Its callback has returned; the flight's reference is the caller's to drop. Its place comes free in gv_unlock_released. */
void gv_op_done_locked(gavat_op *op);
void gv_waiters_wake(gv_waiter *waiters);       /* not under the lock, lest they wake up to wait for it */
void gv_ops_unref(gavat *g, gv_list *ended);    /* a reference of each, by `ended`; g's counters, which all threads want, once */
#endif
