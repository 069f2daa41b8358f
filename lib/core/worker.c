#include "worker.h"
#include "../base/clock.h"
#include "client.h"
#include <signal.h>

void gv_worker_init(gv_worker *worker, gv_store *store, const char *name, void (*run)(gv_worker *), void *self)
{
    worker->store = store;
    worker->name = name;
    worker->run = run;
    worker->self = self;
    gv_list_init(&worker->ops);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void *run_thread(void *user)
{
    gv_worker *worker = user;
    gavat *g = worker->store->client;
    pthread_setname_np(pthread_self(), worker->name);
    worker->run(worker);
    pthread_mutex_lock(&worker->lock);
    bool last = --worker->threads == 0;
    pthread_mutex_unlock(&worker->lock);
    if (last && worker->ended)
        worker->ended(worker);
    gv_client_unref(g, 1);
    return NULL;
}

bool gv_worker_start(gv_worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    atomic_fetch_add(&worker->store->client->refs, 1);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    pthread_mutex_lock(&worker->lock);
    worker->threads++;
    pthread_mutex_unlock(&worker->lock);
    bool started = pthread_create(&thread, NULL, run_thread, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    if (!started) {
        atomic_fetch_sub(&worker->store->client->refs, 1);
        pthread_mutex_lock(&worker->lock);
        worker->threads--;
        pthread_mutex_unlock(&worker->lock);
    }
    return started;
}

void gv_worker_push(gv_worker *worker, gavat_op *op)
{
    pthread_mutex_lock(&worker->lock);
    bool taken = worker->threads && !worker->stopping;
    bool wake = worker->waiting > 0;
    if (taken) {
        gv_list_append(&worker->ops, &op->link);
        worker->count++;
    }
    pthread_mutex_unlock(&worker->lock);
    if (!taken) {
        gv_op_fail(op, GAVAT_ECLOSED, 0, "", "the store is closed: nothing was done");
        gv_op_finish(op);
    } else if (wake) {
        pthread_cond_signal(&worker->wake);
    }
}

bool gv_worker_wait(gv_worker *worker, uint32_t timeout_ms)
{
    uint64_t until = gv_clock_steady() + UINT64_C(1000000) * timeout_ms;
    struct timespec end = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    int waited = 0;
    pthread_mutex_lock(&worker->lock);
    while (gv_list_empty(&worker->ops) && !worker->stopping && !worker->poked && !waited) {
        worker->waiting++;
        waited = timeout_ms == UINT32_MAX ? pthread_cond_wait(&worker->wake, &worker->lock)
                                          : pthread_cond_timedwait(&worker->wake, &worker->lock, &end);
        worker->waiting--;
    }
    worker->poked = false;
    bool found = !gv_list_empty(&worker->ops);
    pthread_mutex_unlock(&worker->lock);
    return found;
}

size_t gv_worker_take(gv_worker *worker, gv_list *out, size_t most)
{
    size_t taken = 0;
    pthread_mutex_lock(&worker->lock);
    if (worker->count <= most) {
        taken = worker->count;
        gv_list_move(out, &worker->ops);
    } else {
        for (; taken < most; taken++)
            gv_list_append(out, gv_list_take(&worker->ops));
    }
    worker->count -= taken;
    pthread_mutex_unlock(&worker->lock);
    return taken;
}

void gv_worker_drop_unwanted(gv_worker *worker)
{
    gv_list unwanted;
    gv_list_init(&unwanted);
    pthread_mutex_lock(&worker->lock);
    gv_link *next;
    for (gv_link *link = gv_list_first(&worker->ops); link && link != &worker->ops.head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (atomic_load(&op->claim) == GV_CLAIM_WITHDRAWN) {
            gv_list_remove(link);
            worker->count--;
            gv_list_append(&unwanted, link);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    if (!gv_list_empty(&unwanted))
        gv_ops_finish(worker->store->client, &unwanted);
}

void gv_worker_poke(gv_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->poked = true;
    pthread_cond_broadcast(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

bool gv_worker_stopping(gv_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stopping = worker->stopping;
    pthread_mutex_unlock(&worker->lock);
    return stopping;
}

void gv_worker_stop(gv_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_broadcast(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}
