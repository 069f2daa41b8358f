/* spool.h: the spool inside: an ordered journal of writes in an SQLite file, and the rejects beside it. One thread, "gavat-spool", does all of
 * it: it takes ops of the events area that their store passes on, many in one commit, synced; and it brings them to the store, in their order,
 * one batch at a time. Any number of processes append to one file; one at a time forwards, by a lock on FILE.lock.
 *
 * What waits is as gavatctl prints it: kind of call, time, JSON. Sequences have no gaps: entries are taken off at the front only. */
#ifndef GV_EVENTS_SPOOL_H
#define GV_EVENTS_SPOOL_H
#include "../../base/json.h"
#include "../../core/batch.h"
#include "../../core/client.h"
#include "../../sqlite/schema.h"
#include "../../sqlite/writer.h"
#include "delivery.h"

/* Places of the kinds of this area. */
enum { GV_SPOOL_GET, GV_SPOOL_FLUSH, GV_SPOOL_LIST, GV_SPOOL_RETRY, GV_SPOOL_EXPORT, GV_SPOOL_DROP, GV_SPOOL_CHECK, GV_SPOOL_PLACES };

typedef struct gv_spool_page {          /* the request of LIST; EXPORT: path */
    uint32_t limit;
    int64_t after;
    const char *path;
} gv_spool_page;

typedef struct gv_spool_totals {
    int64_t first, last;        /* sequences; last < first: empty */
    int64_t bytes;              /* of all that waits */
    int64_t sum;                /* of all that was ever appended since it was last empty, up to last */
    gavat_time oldest;          /* when the first one was appended; 0: empty */
} gv_spool_totals;

typedef struct gv_spool {
    gv_store *store;
    const char *path, *lock_path;
    bool first;                 /* GAVAT_EVENTS_ACK=spool */
    int64_t most_bytes, most_age;       /* age: microseconds */
    gv_worker worker;
    bool started;               /* written on the loop's thread before the first submit */
    gavat_op *opening;
    atomic_int state;
    atomic_size_t entering;     /* passed on, not yet on the disk */
    atomic_llong depth;         /* in the file, as far as is known here; -1: not known yet */
    pthread_mutex_t lock;
    gv_list asked, refused;     /* lock: ops of our own; rejected ones that are to be recorded */

    /* The thread's. */
    gv_database db;
    gv_writer writing;
    gv_spool_totals totals;     /* inside a transaction, and as it was left */
    bool known;                 /* totals are those of this transaction */
    uint64_t looked_at;         /* steady: at the file for what others appended */
    gv_list flushes, retries;   /* ops: FLUSH, RETRY */
    int64_t flushed, retried;   /* of the first in each: how many so far */
    int64_t retry_after;        /* reject */
    int lock_fd;                /* -1: not open */
    bool forwards;              /* the lock is held */
    unsigned openings;          /* of the file, so far: it may have been replaced in between */
    gavat_op *forward;          /* under way */
    unsigned forward_opening;   /* it was read in this one */
    bool forward_rejects;       /* it came from the rejects */
    atomic_bool forward_ended;  /* said on the loop's thread */
    atomic_bool store_up;       /* the same: try at once */
    uint64_t next_try;          /* steady */
    uint32_t backoff_ms;
    size_t most;                /* entries in a forward */
    char away[200];             /* why the last forward failed; "": it did not */
} gv_spool;

/* entry.c: a write as text, and back. */
void gv_entry_print(const gavat_op *op, gv_text *out);          /* out->failed: no memory */
gavat_time gv_entry_time(const gavat_op *op);                   /* of the call */
/* An entry of the batch out of what was kept. False: no memory. What is damaged is marked. */
bool gv_entry_read(gavat_batch *batch, int64_t sequence, gv_slice call, gavat_time at, gv_slice ticket, gv_slice payload);

/* file.c: the file, on the thread. Codes of SQLite. */
extern const gv_schema gv_spool_schema;
int gv_spool_read_totals(gv_spool *self, gv_spool_totals *totals);
int gv_spool_append(gv_spool *self, gavat_op *op);              /* inside the writer's transaction; stages the outcome */
int gv_spool_read(gv_spool *self, gavat_batch *batch, bool rejects, int64_t after, size_t most);
int gv_spool_settle(gv_spool *self, const gavat_op *forward, bool rejects, size_t settled, size_t *landed);      /* one transaction */
int gv_spool_add_reject(gv_spool *self, const gavat_op *op);
int64_t gv_spool_count_rejects(gv_spool *self);
bool gv_spool_open(gv_spool *self, bool create);        /* false: it is not there, or not to be had */
void gv_spool_publish(gv_spool *self);                  /* what others may know of totals; and the health that follows */
bool gv_spool_is_full(const gv_spool *self, const gv_spool_totals *totals, gavat_time now, char *why, size_t room);

/* forwarder.c */
void gv_spool_forward(gv_spool *self);                  /* go on as far as it goes */
uint32_t gv_spool_pause(gv_spool *self);                /* milliseconds until it wants to be called again */
void gv_spool_stop_forwarding(gv_spool *self);

/* rejects.c, check.c: ops of our own; they stage their outcome */
void gv_spool_list_rejects(gv_spool *self, gavat_op *op);
void gv_spool_export_rejects(gv_spool *self, gavat_op *op);
void gv_spool_drop_rejects(gv_spool *self, gavat_op *op);
void gv_spool_describe(gv_spool *self, gavat_op *op);
void gv_spool_check(gv_spool *self, gavat_op *op);
#endif
