/* migrate.c: the public calls. Each op is worked on by a thread of its own, for it reads files and waits for stores. */
#include "migration.h"
#include "../core/request.h"
#include <pthread.h>
#include <signal.h>

enum { PLAN = 8, RUN, VERIFY, LIST, CALLS };    /* among the kinds that the client serves */

static void (*const works[CALLS])(gavat_op *op) = {
    [PLAN] = gv_plan_run, [RUN] = gv_migration_run, [VERIFY] = gv_migration_verify, [LIST] = gv_migrations_list};

static void *run_thread(void *user)
{
    gavat_op *op = user;
    gavat *g = op->client;
    pthread_setname_np(pthread_self(), "gavat-migrate");
    if (gv_op_take(op))
        works[op->kind->place](op);
    else
        gv_op_finish(op);
    gv_client_unref(g, 1);
    return NULL;
}

/* Loop's thread. */
static void start(gavat *g, gavat_op *op)
{
    sigset_t all, before;
    pthread_t thread;
    atomic_fetch_add(&g->refs, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&thread, NULL, run_thread, op);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status == 0) {
        pthread_detach(thread);
        return;
    }
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "there is no thread to be had for the migration");
    gv_op_finish(op);
    gv_client_unref(g, 1);
}

static const gv_kind plan_kind = {"plan_migration", GV_CORE, PLAN, GV_LONG, start};
static const gv_kind run_kind = {"run_migration", GV_CORE, RUN, GV_LONG | GV_WRITE, start};
static const gv_kind verify_kind = {"verify_migration", GV_CORE, VERIFY, GV_LONG, start};
static const gv_kind list_kind = {"get_migrations", GV_CORE, LIST, 0, start};

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
    size = gv_call_sum(size, gv_call_sum(gv_call_room(own.backup), gv_call_room(own.rejects)));
    gavat_migration *request = gv_op_request(op, size);
    if (!request)
        return false;
    char *at = (char *)(request + 1);
    request->resume = own.resume;
    request->max_errors = own.max_errors;
    request->directory = gv_call_put(&at, own.directory);
    request->zone = gv_call_put(&at, own.zone);
    request->only = gv_call_put(&at, own.only);
    request->backup = gv_call_put(&at, own.backup);
    request->rejects = gv_call_put(&at, own.rejects);
    return true;
}

void gavat_plan_migration(gavat_op *op, const gavat_migration *migration)
{
    if (gv_op_begin(op, &plan_kind) && copy_request(op, migration))
        gv_op_submit(op);
}

/* A dry run is the plan: it goes through the same readers and checks, and its report has the same records. */
void gavat_run_migration(gavat_op *op, const gavat_migration *migration)
{
    bool dry = migration && migration->size && migration->dry_run > 0;
    if (gv_op_begin(op, dry ? &plan_kind : &run_kind) && copy_request(op, migration))
        gv_op_submit(op);
}

void gavat_verify_migration(gavat_op *op, const char *run)
{
    if (!gv_op_begin(op, &verify_kind))
        return;
    const char **request = gv_op_request(op, gv_call_sum(sizeof *request, gv_call_room(run)));
    if (!request)
        return;
    char *at = (char *)(request + 1);
    *request = gv_call_put(&at, run);
    gv_op_submit(op);
}

void gavat_get_migrations(gavat_op *op)
{
    if (gv_op_begin(op, &list_kind))
        gv_op_submit(op);
}
