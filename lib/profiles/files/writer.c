/* writer.c: the thread that takes the ops in their order: as many as have come while the last batch was on its way to the disk. */
#include "files.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 2               /* between two looks at a lock that another process holds */
#define LONG_WAIT UINT64_C(1000000000)  /* ns: from here on it is told */

typedef struct batch {
    gv_files *self;
    gv_place *place;
    gv_list ops, done;
    gv_list scans;              /* go on to the scanner when what came before them is durable */
    bool changed;               /* the folder is to be synced */
} batch;

static void note_unwell(gv_files *self, gavat_health health, const char *reason)
{
    self->unwell = true;
    gv_store_set_health(self->store, health, reason);
}

static void note_error(gv_files *self, int error)
{
    char reason[200];
    snprintf(reason, sizeof reason, "the folder cannot be written (%s): %s", gv_errno_name(-error), gv_files_advice(error));
    note_unwell(self, GAVAT_HEALTH_DOWN, reason);
}

static void note_well(gv_files *self)
{
    if (self->unwell)
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
    self->unwell = false;
}

static bool any_wanted(const gv_list *ops)
{
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next)
        if (gv_op_wanted(GV_CONTAINER(link, gavat_op, link)))
            return true;
    return false;
}

static void fail(gv_files *self, gavat_op *op, int error, const char *what, uint32_t flags)
{
    gv_said said = {.status = GAVAT_OK};
    gv_said_error(&said, self, error, what, "profiles");
    said.flags |= flags;
    int64_t number = op->staged.number;
    gv_said_to(&said, op);
    op->staged.number = number;
}

/* The lock, for as long as somebody waits for it: op, or others of the batch. 0, -EAGAIN when nobody does, or an error. */
static int wait_for_lock(batch *b, gavat_op *op)
{
    gv_files *self = b->self;
    uint64_t since = gv_clock_steady();
    for (;;) {
        int error = gv_files_ready(self, b->place);
        if (!error)
            error = gv_files_try_lock(self);
        if (error != -EAGAIN)
            return error;
        if (gv_clock_steady() - since > LONG_WAIT)
            note_unwell(self, GAVAT_HEALTH_DEGRADED, "another process holds the lock of the folder (" GV_FILES_LOCK ")");
        gv_worker_drop_unwanted(&self->writer);
        if (!gv_op_wanted(op) && !any_wanted(&b->ops))
            return -EAGAIN;
        usleep(WAIT_MS * 1000);
    }
}

/* One op that changes the folder. */
static void write_one(batch *b, gavat_op *op)
{
    int error = b->self->locked ? 0 : wait_for_lock(b, op);
    if (error && error != -EAGAIN)
        note_error(b->self, error);
    if (!gv_op_take(op))
        return;
    if (error)
        fail(b->self, op, error, "locking the folder of", 0);
    else if (gv_files_apply(b->place, op))
        b->changed = true;
}

/* The names become durable. When that fails, nobody knows which of them are. */
static void commit(batch *b)
{
    gv_files *self = b->self;
    int error = b->changed ? gv_file_sync(self->folder_fd) : 0;
    for (gv_link *link = gv_list_first(&b->done); error && link && link != &b->done.head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->kind->flags & GV_WRITE && op->staged.error.status == GAVAT_OK)
            fail(self, op, error, "syncing the folder of", GAVAT_ERROR_MAYBE_APPLIED);
    }
    if (error)
        note_error(self, error);
    else if (b->changed)
        note_well(self);
    if (error)
        gv_files_let_go(self);
    else
        gv_files_unlock(self);
}

static bool is_scan(const gavat_op *op)
{
    switch (op->kind->place) {
    case GV_GET_PROFILE_BY_ID:
    case GV_GET_PROFILES:
    case GV_SEARCH_PROFILES:
    case GV_PROFILE_STATS:
    case GV_CHECK_PROFILES:
        return true;
    default:
        return false;
    }
}

/* Gives the list that the op is to wait in. */
static gv_list *run_one(batch *b, gavat_op *op)
{
    if (b->self->defaults.refusal[0]) {
        if (gv_op_take(op))
            gv_op_fail(op, GAVAT_EINVAL, 0, "", "%s", b->self->defaults.refusal);
        return &b->done;
    }
    if (is_scan(op))
        return &b->scans;
    if (op->kind->place == GV_GET_PROFILE) {
        gv_gets_add(b->self, op);
        return &b->done;
    }
    gv_gets_run(b->self, b->place);
    if (op->kind->flags & GV_WRITE)
        write_one(b, op);
    else if (op->kind->place != GV_WATCH_PROFILES && gv_op_take(op))
        gv_files_apply(b->place, op);
    return &b->done;
}

static void run_batch(gv_files *self, gv_place *place)
{
    batch b = {.self = self, .place = place};
    gv_link *link;
    gv_list_init(&b.ops);
    gv_list_init(&b.done);
    gv_list_init(&b.scans);
    gv_worker_take(&self->writer, &b.ops, GV_FILES_BATCH);
    while ((link = gv_list_take(&b.ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_prefetch(b.ops.head.next, sizeof *op);
        gv_list_append(run_one(&b, op), link);
        if (op->kind->place == GV_WATCH_PROFILES && !self->defaults.refusal[0]) {
            gv_list_remove(link);
            gv_files_pass_watch(self, op);
        }
    }
    gv_gets_run(self, place);
    bool held = self->locked, wanted = held && gv_files_lock_wanted(self);
    commit(&b);
    if (!gv_list_empty(&b.done))
        gv_ops_finish(self->store->client, &b.done);
    while ((link = gv_list_take(&b.scans)))
        gv_worker_push(&self->scanner, GV_CONTAINER(link, gavat_op, link));
    if (wanted)                 /* else it would be taken again before the other one looks */
        usleep(WAIT_MS * 2 * 1000);
}

/* Whether it can be written. The lock file is made by the first write: who only reads a folder leaves nothing there. */
static int try_folder(gv_files *self, gv_place *place)
{
    struct stat found;
    const char *lock = gv_place_own(place, GV_FILES_LOCK);
    if (!lock)
        return -ENOMEM;
    if (lstat(lock, &found) == 0)
        return gv_files_ready(self, place);
    return access(self->folder, W_OK | X_OK) < 0 ? -errno : 0;
}

/* gavat_open: the folder is made when it is not there. One that can be read but not written is degraded. */
static void open_first(gv_files *self, gv_place *place)
{
    gavat_op *op = self->opening;
    bool there = gv_files_folder_is_there(self);
    int error = gv_files_make_folder(self);
    bool refused = !gv_profile_defaults_read(&self->defaults);
    if (!error)
        error = try_folder(self, place);
    if (error)
        note_error(self, error);
    if (refused) {
        gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, self->defaults.refusal);
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "%s", self->defaults.refusal);
    } else if (error && !gv_files_folder_is_there(self)) {
        fail(self, op, error, "opening the folder of", GAVAT_ERROR_RETRY);
    } else {
        if (error)
            note_unwell(self, GAVAT_HEALTH_DEGRADED, "the folder can be read, but not written");
        else
            gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
        if (error || there)
            gv_op_succeed(op, GAVAT_REACHED_NONE);
        else
            gv_files_say_made(op, false);
    }
    self->opening = NULL;
    gv_op_finish(op);
}

void gv_files_write(gv_worker *worker)
{
    gv_files *self = worker->self;
    gv_place place = {.self = self};
    place.view.limit = GV_FILES_MOST;
    gv_gets_init(self);
    open_first(self, &place);
    for (;;) {
        bool found = gv_worker_wait(worker, UINT32_MAX);
        if (!found && gv_worker_stopping(worker))
            break;
        if (found)
            run_batch(self, &place);
    }
    gv_files_let_go(self);
    gv_place_free(&place);
    gv_gets_free(self);
    gv_worker_stop(&self->helper);
}
