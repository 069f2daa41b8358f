/* client.h: the client inside. One lock guards all that several threads touch; it is held for a few instructions, never over a callback,
 * a store call or a system call other than waking. What has no note below belongs to the loop's thread. */
#ifndef GV_CORE_CLIENT_H
#define GV_CORE_CLIENT_H
#include "metrics.h"
#include "op.h"
#include "spare.h"
#include <pthread.h>
#include <uv.h>

#define GV_RESERVED_OPS 16      /* for gavat_op_new_reserved */
#define GV_LOG_LINES 256        /* wait for the loop; more are dropped and counted */

typedef struct gv_log_line {
    gv_link link;
    int32_t level;
    const char *area;           /* static */
    char text[];
} gv_log_line;

typedef enum gv_life { GV_LIFE_OPEN, GV_LIFE_DRAINING, GV_LIFE_STORES, GV_LIFE_HANDLES, GV_LIFE_CLOSED } gv_life;

struct gavat {
    /* Fixed by gavat_new. */
    gavat_config *config;
    uv_loop_t *loop;
    uv_loop_t own;              /* the library's, when the caller gave none */
    bool own_loop;
    pthread_t loop_thread;      /* own: the library's; else the one that called gavat_new */
    size_t most_ops, most_bytes, most_record, page_bytes;
    uint32_t timeout_ms;

    /* Any thread, atomic. */
    atomic_size_t live, bytes, reserved, refusals;
    atomic_uint users, refs;    /* gavat_ref; all holders: the users together, each op, the loop */
    atomic_uint waiting_for_room;
    atomic_bool refused;        /* since the last word of room */
    atomic_bool closing;        /* set under lock */
    atomic_bool gone;           /* the last callback has returned: no thread is the loop's any more */
    atomic_int log_level;
    _Atomic(gavat_clock_fn) clock;      /* set under lock */
    void *clock_user;           /* lock */

    gv_spares spares;           /* memory of ops; has a lock of its own */

    /* Under lock. */
    pthread_mutex_t lock;
    pthread_cond_t room;        /* op_new_wait */
    pthread_cond_t closed;      /* close_wait */
    gv_list queue;              /* ops for the loop, by link */
    gv_list ending;             /* ops whose callback is due, by ended */
    gv_list flushes;            /* by link */
    gv_list due;                /* by deadline.link: taken off the wheel, about to be expired */
    gv_list progressing;        /* by ended: have progress to tell */
    gv_list logs;
    unsigned log_count, logs_dropped;
    gv_deadlines deadlines;
    uint64_t armed;             /* when the timer fires; UINT64_MAX: not set */
    uint64_t generation;
    size_t outstanding;         /* submitted, not DONE; flushes and internal ones apart */
    size_t unended;             /* submitted, not ENDED: what a flush waits for */
    gv_waiter *waking;          /* of ops that are DONE since the lock was taken: still to be woken */
    size_t places_free;         /* DONE since the lock was taken: still to go from `live` */
    bool turning;               /* the loop is in a turn, and looks again at its end: no need to wake it */
    bool wake_due;              /* there is something that the loop has not seen yet */
    bool handles_closed, room_due, health_due;
    uint64_t committed, spooled, failed, unknown;       /* of writes */
    gv_metric *metrics[GV_AREA_COUNT + 1][GV_PLACES];
    const gv_kind *metric_kinds[GV_AREA_COUNT + 1][GV_PLACES];
    gv_life life;
    bool thread_joined;
    gavat_status close_status;
    uint64_t drain_until, close_until;

    /* Loop's thread. */
    uv_async_t wake;
    uv_timer_t timer;
    gv_list intake, callbacks;  /* taken from queue and ending, over the budget of one turn */
    gv_list finished;           /* by link: what the loop itself has finished, to be ended together */
    bool routing;               /* it comes there */
    gv_store stores[GV_AREA_COUNT];
    gavat_op *close_op;
    unsigned open_handles;
    bool opened;                /* gavat_open was called; lock */
    uint64_t refusals_logged, refusals_looked_at;
    uint64_t trim_at;           /* when to look whether the spares are still wanted; 0: there are few */

    /* Lock: set by the caller, read by the loop. */
    gavat_room_fn room_fn;
    void *room_user;
    gavat_log_fn log_fn;
    void *log_user;
    gavat_health_fn health_fn;
    void *health_user;
};

gavat_time gv_now(gavat *g);                    /* the client's wall clock; any thread, not under the lock */
bool gv_on_loop(const gavat *g);
void gv_wake_locked(gavat *g);                  /* have the loop look; lock held */
void gv_wake(gavat *g);
void gv_client_unref(gavat *g, unsigned count); /* so many of `refs`; the last frees */
void gv_logs_write(gavat *g);                   /* loop's thread: those that wait */
/* Any thread: written by the loop. One sentence, no passwords, no values. */
void gv_log(gavat *g, int32_t level, const char *area, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* admission.c */
void gv_room_locked(gavat *g);                  /* places or bytes came free: tell those who wait and who were refused */
void gv_room_bytes(gavat *g, size_t bytes, bool place);         /* so many bytes come free, and a place did; not under the lock */
void gv_room_refuse(gavat *g);                  /* count a refusal; not under the lock */
static inline bool gv_room_wanted(gavat *g)
{
    return atomic_load(&g->waiting_for_room) || atomic_load(&g->refused);
}
/* loop.c */
int gv_loop_start(gavat *g);                    /* handles, and the thread when it is our own; 0 or a uv error */
void gv_loop_route(gavat *g, gavat_op *op);     /* to its store or its kind's run; loop's thread */
void gv_refusals_log(gavat *g, uint64_t now, bool all);         /* loop's thread */
/* close.c */
gavat_op *gv_close_make(gavat *g);              /* the op that cannot fail later; NULL: no memory */
void gv_close_step(gavat *g, uint64_t now);     /* go on with closing as far as it goes */
/* submit.c: the op has its outcome, or has it in `op->outcome` now; lock held. Done at once: into released. */
void gv_op_end_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released);
void gv_unlock_released(gavat *g, gv_list *released);   /* after it: unlocks, then lets go of those that are done */
/* flush.c */
void gv_flush_ended_locked(gavat *g, gavat_op *op, uint64_t now, gv_list *released);
/* fan.c: one op asked of every store; its records are theirs, one after another. */
void gv_fan_out(gavat *g, gavat_op *op, const gv_kind *const kinds[GV_AREA_COUNT]); /* what each is asked; NULL: nothing */
#endif
