/* worker.h: threads of a store that blocks, and the one queue of ops before them. All signals are blocked on them. A thread holds a reference
 * of the client, so a worker that is stuck for good keeps its memory after close has given it up; should it wake up later, it ends as usual. */
#ifndef GV_CORE_WORKER_H
#define GV_CORE_WORKER_H
#include "op.h"
#include <pthread.h>

typedef struct gv_worker gv_worker;
struct gv_worker {
    gv_store *store;
    const char *name;           /* static, <= 15 letters: the thread's name */
    void (*run)(gv_worker *worker);     /* returns when gv_worker_stopping */
    void (*ended)(gv_worker *worker);   /* on the last thread, when run has returned everywhere; may be NULL */
    void *self;                 /* the backend's */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    gv_list ops;                /* lock, as all below */
    size_t count;
    unsigned waiting, threads;  /* in gv_worker_wait; that run */
    bool stopping, poked;
};

void gv_worker_init(gv_worker *worker, gv_store *store, const char *name, void (*run)(gv_worker *), void *self);
bool gv_worker_start(gv_worker *worker);                /* one more thread before the same queue; false: there was none to be had */
void gv_worker_push(gv_worker *worker, gavat_op *op);   /* any thread; after stop the op ends ECLOSED */
/* Wait until there are ops, a poke, the stop, or timeout_ms have passed (UINT32_MAX: no limit). True: there are ops. */
bool gv_worker_wait(gv_worker *worker, uint32_t timeout_ms);
/* Up to most ops, oldest first, behind `out`. */
size_t gv_worker_take(gv_worker *worker, gv_list *out, size_t most);
void gv_worker_drop_unwanted(gv_worker *worker);        /* finish those whose callers have gone */
void gv_worker_poke(gv_worker *worker);
bool gv_worker_stopping(gv_worker *worker);
void gv_worker_stop(gv_worker *worker);                 /* nothing more is taken in; run returns when its queue is empty */
#endif
