/* writer.c: the one thread that writes. */
#include "sqlite.h"
#include <time.h>

/* Ops leave the writer: their callers hear, and reads that waited for them may go. */
static void finish(void *own, gv_list *ops, bool committed)
{
    gv_sqlite *self = own;
    uint64_t sequence = 0;
    int64_t newest_id = committed ? self->inserted_id : 0;
    for (gv_link *link = ops->head.previous; link != &ops->head && !sequence; link = link->previous)
        sequence = GV_CONTAINER(link, gavat_op, link)->sequence;        /* the last one's; long work has none */
    self->inserted_id = 0;
    gv_ops_finish(self->store->client, ops);
    gv_sqlite_committed(self, sequence, newest_id);
}

static int adopt(void *own, gavat_op *op)
{
    gv_sqlite *self = own;
    int code = gv_sqlite_upgrade(self, op, false);
    if (code != SQLITE_OK)
        return code;
    int64_t newest = gv_database_number(&self->own.db, "SELECT max(id) FROM event_logs", 0);
    pthread_mutex_lock(&self->lock);
    self->newest_id = newest;
    self->commits++;
    pthread_mutex_unlock(&self->lock);
    gv_sqlite_want_index(self);
    return SQLITE_OK;
}

static bool set_aside(void *own, gavat_op *op)
{
    if (!(op->kind->flags & GV_LONG))
        return false;
    gv_list_append(&((gv_sqlite *)own)->slow_queue, &op->link);
    return true;
}

/* Parked reads that nobody wants any more need not wait for the lock. */
static void locked(void *own, bool held)
{
    gv_sqlite_committed(own, 0, 0);
    if (!held)
        gv_sqlite_settled(own);
}

static int apply(void *own, gavat_op *op)
{
    return gv_sqlite_apply(own, op);
}

void gv_sqlite_init_writing(gv_sqlite *self, const gv_database_options *options)
{
    gv_writer writing = {
        .store = self->store, .worker = &self->writer, .db = &self->own.db, .path = self->path, .options = *options, .self = self,
        .most = GV_SQLITE_BATCH, .adopt = adopt, .apply = apply, .finish = finish, .set_aside = set_aside, .locked = locked,
        .open_code = SQLITE_CANTOPEN};
    self->writing = writing;
}

/* One slice of the long work at hand. */
static void work_slowly(gv_sqlite *self)
{
    gv_link *link = gv_list_first(&self->slow_queue);
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    bool begun = atomic_load(&op->claim) == GV_CLAIM_TAKEN || gv_op_take(op);
    if (begun && !self->own.db.handle)
        gv_sqlite_fail(op, &self->own.db, self->writing.open_code, 0, "opening");
    else if (begun && !gv_sqlite_work_on(self, op))
        return;
    gv_list done;
    gv_list_init(&done);
    gv_list_remove(link);
    gv_list_append(&done, link);
    finish(self, &done, 0);
}

/* The search index may be behind by so many rows, no more: its thread gets the time that it needs. */
static void wait_for_index(gv_sqlite *self)
{
    if (!self->search_index)
        return;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);        /* a step of the clock costs one short wait at most */
    end.tv_nsec += 50000000;
    if (end.tv_nsec >= 1000000000)
        end.tv_sec++, end.tv_nsec -= 1000000000;
    pthread_mutex_lock(&self->lock);
    int waited = 0;
    while (!self->closing && !waited && self->indexing && self->newest_id - self->indexed_id > self->search_lag)
        waited = pthread_cond_timedwait(&self->indexed, &self->lock, &end);
    pthread_mutex_unlock(&self->lock);
}

/* Once around: the writes that have gathered, then a slice of the long work. */
static void work(gv_sqlite *self, bool found)
{
    gv_sqlite_hold_files(self, &self->own);
    bool open = gv_writer_ready(&self->writing);
    if (found && open)
        gv_writer_batch(&self->writing);
    else if (found)
        gv_writer_fail_queue(&self->writing);
    if (!gv_list_empty(&self->slow_queue))
        work_slowly(self);
    gv_sqlite_let_files_go(self);
    gv_sqlite_settled(self);
}

void gv_sqlite_write(gv_worker *worker)
{
    gv_sqlite *self = worker->self;
    gv_sqlite_join(self, &self->own);
    gv_sqlite_hold_files(self, &self->own);
    gv_writer_open_first(&self->writing, self->opening);
    self->opening = NULL;
    gv_sqlite_let_files_go(self);
    for (;;) {
        bool slow = !gv_list_empty(&self->slow_queue);
        bool found = gv_worker_wait(worker, slow ? 0 : UINT32_MAX);
        if (!found && !slow && gv_worker_stopping(worker))
            break;
        if (found)
            wait_for_index(self);
        if (found || slow)
            work(self, found);
    }
    gv_sqlite_leave(self, &self->own);
}
