/* gets.c: gets that stand behind each other in the queue, done by two threads. Whatever came before them is done when they begin, and they are
 * done before what comes behind them begins: callers see the order in which they submitted, as with one thread. */
#include "files.h"
#include "../../base/memory.h"

#define ENOUGH 16               /* gets that are worth waking a thread for */

/* By name, so that what was kept of a profile is found there again. */
static unsigned half_of(const char *username)
{
    return (unsigned)(gv_slice_hash(gv_slice_of(username)) >> 63);
}

gv_cache *gv_gets_cache(gv_files *self, const char *username)
{
    return self->gets.caches[half_of(username)];
}

void gv_gets_init(gv_files *self)
{
    for (unsigned i = 0; i < 2; i++)
        self->gets.caches[i] = gv_alloc_zero(sizeof(gv_cache));         /* without memory there is none */
}

void gv_gets_free(gv_files *self)
{
    for (unsigned i = 0; i < 2; i++) {
        if (self->gets.caches[i])
            gv_cache_free(self->gets.caches[i]);
        gv_free(self->gets.caches[i]);
    }
}

void gv_gets_add(gv_files *self, gavat_op *op)
{
    gv_gets *gets = &self->gets;
    unsigned half = half_of(((const gv_profile_request *)op->request)->username);
    gets->ops[half][gets->count[half]++] = op;
}

static void run_half(gv_files *self, unsigned half, gv_place *place)
{
    gavat_op *const *ops = self->gets.ops[half];
    size_t count = self->gets.count[half];
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            gv_prefetch(ops[i + 1], sizeof **ops);
        if (gv_op_take(ops[i]))
            gv_files_apply(place, ops[i]);
    }
}

void gv_gets_run(gv_files *self, gv_place *place)
{
    gv_gets *gets = &self->gets;
    if (gets->count[0] < ENOUGH || gets->count[1] < ENOUGH) {
        run_half(self, 0, place);
        run_half(self, 1, place);
    } else {
        pthread_mutex_lock(&self->lock);
        gets->handed = true;
        pthread_mutex_unlock(&self->lock);
        gv_worker_poke(&self->helper);
        run_half(self, 0, place);
        pthread_mutex_lock(&self->lock);
        while (gets->handed)
            pthread_cond_wait(&gets->helped, &self->lock);
        pthread_mutex_unlock(&self->lock);
    }
    gets->count[0] = gets->count[1] = 0;
}

/* The writer's thread stops it when it is through itself. */
void gv_files_help(gv_worker *worker)
{
    gv_files *self = worker->self;
    gv_place place = {.self = self};
    place.view.limit = GV_FILES_MOST;
    while (!gv_worker_stopping(worker)) {
        gv_worker_wait(worker, UINT32_MAX);
        pthread_mutex_lock(&self->lock);
        bool handed = self->gets.handed;
        pthread_mutex_unlock(&self->lock);
        if (!handed)
            continue;
        run_half(self, 1, &place);
        pthread_mutex_lock(&self->lock);
        self->gets.handed = false;
        pthread_cond_signal(&self->gets.helped);
        pthread_mutex_unlock(&self->lock);
    }
    gv_place_free(&place);
}
