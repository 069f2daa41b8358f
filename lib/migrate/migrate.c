/* migrate.c: the public calls. Each op is worked on by a thread of its own, for it reads files and waits for stores. */
#include "migration.h"
#include "../core/request.h"
#include <pthread.h>
#include <signal.h>

enum { PLAN = 8 };              /* among the kinds that the client serves */

static void *run_plan_thread(void *user)
{
    gavat_op *op = user;
    gavat *g = op->client;
    pthread_setname_np(pthread_self(), "gavat-migrate");
    if (gv_op_take(op))
        gv_plan_run(op);
    else
        gv_op_finish(op);
    gv_client_unref(g, 1);
    return NULL;
}

/* Loop's thread. */
static void run_plan(gavat *g, gavat_op *op)
{
    sigset_t all, before;
    pthread_t thread;
    atomic_fetch_add(&g->refs, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&thread, NULL, run_plan_thread, op);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status == 0) {
        pthread_detach(thread);
        return;
    }
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "there is no thread to be had for the migration");
    gv_op_finish(op);
    gv_client_unref(g, 1);
}

static const gv_kind plan_kind = {"plan_migration", GV_CORE, PLAN, GV_LONG, run_plan};

/* A copy by the size that the caller's headers gave it. False: refused. */
static bool copy_request(gavat_op *op, const gavat_migration *given)
{
    gavat_migration own;
    memset(&own, 0, sizeof own);
    if (!given || !given->size) {
        gv_op_refuse(op, GAVAT_EINVAL, "the migration has no size: make it with gavat_migration_init()");
        return false;
    }
    memcpy(&own, given, given->size < sizeof own ? given->size : sizeof own);
    if (!own.directory || !*own.directory) {
        gv_op_refuse(op, GAVAT_EINVAL, "the directory of the legacy files is required");
        return false;
    }
    size_t size = gv_call_sum(sizeof own, gv_call_room(own.directory));
    size = gv_call_sum(size, gv_call_sum(gv_call_room(own.zone), gv_call_room(own.only)));
    gavat_migration *request = gv_op_request(op, size);
    if (!request)
        return false;
    char *at = (char *)(request + 1);
    request->max_errors = own.max_errors;
    request->directory = gv_call_put(&at, own.directory);
    request->zone = gv_call_put(&at, own.zone);
    request->only = gv_call_put(&at, own.only);
    return true;
}

void gavat_plan_migration(gavat_op *op, const gavat_migration *migration)
{
    if (gv_op_begin(op, &plan_kind) && copy_request(op, migration))
        gv_op_submit(op);
}
