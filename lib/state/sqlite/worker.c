/* worker.c: the one thread of the store. */
#include "sqlite.h"
#include "../../core/client.h"

static int adopt(void *own, gavat_op *op)
{
    return gv_state_upgrade(own, op, false);
}

static int apply(void *own, gavat_op *op)
{
    return gv_state_apply(own, op);
}

static void finish(void *own, gv_list *ops, bool committed)
{
    gv_state_sqlite *self = own;
    (void)committed;
    gv_ops_finish(self->store->client, ops);
}

static bool is_later(const gavat_op *op)
{
    return op->kind->flags & GV_LONG;
}

static bool set_aside(void *own, gavat_op *op)
{
    if (!is_later(op))
        return false;
    gv_list_append(&((gv_state_sqlite *)own)->later, &op->link);
    return true;
}

void gv_state_init_writing(gv_state_sqlite *self, const char *path, const gv_database_options *options)
{
    gv_writer writing = {
        .store = self->store, .worker = &self->worker, .db = &self->db, .path = path, .options = *options, .self = self,
        .most = GV_STATE_BATCH, .adopt = adopt, .apply = apply, .finish = finish, .set_aside = set_aside, .open_code = SQLITE_CANTOPEN};
    self->writing = writing;
}

/* The reads at the head of the queue. */
static void take_reads(gv_worker *worker, gv_list *ops)
{
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < GV_STATE_BATCH; i++) {
        gv_link *link = gv_list_first(&worker->ops);
        if (!link || GV_CONTAINER(link, gavat_op, link)->kind->flags & (GV_WRITE | GV_LONG))
            break;
        gv_list_append(ops, gv_list_take(&worker->ops));
        worker->count--;
    }
    pthread_mutex_unlock(&worker->lock);
}

/* In one read transaction. An op that fails is told so; an error of the file is one of all that follow. */
static void read_batch(gv_state_sqlite *self, gv_list *ops)
{
    int code = gv_database_do(&self->db, "BEGIN"), failed = code;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (!gv_op_take(op))
            continue;
        if (code == SQLITE_OK)
            code = gv_state_apply(self, op);
        else
            gv_sqlite_fail(op, &self->db, code, 0, "reading");
        if (code != SQLITE_OK)
            failed = code;
        if (code != SQLITE_OK && self->db.handle && !sqlite3_get_autocommit(self->db.handle))
            code = SQLITE_OK;   /* the transaction is still there */
    }
    if (self->db.handle && !sqlite3_get_autocommit(self->db.handle))
        gv_database_do(&self->db, "COMMIT");
    gv_database_undo(&self->db);
    gv_ops_finish(self->store->client, ops);
    if (failed != SQLITE_OK)
        gv_writer_distrust(&self->writing, failed);
}

static void work_later(gv_state_sqlite *self)
{
    gv_link *link = gv_list_first(&self->later);
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    bool begun = atomic_load(&op->claim) == GV_CLAIM_TAKEN || gv_op_take(op);
    if (begun && !self->db.handle) {
        gv_sqlite_fail(op, &self->db, self->writing.open_code, 0, "opening");
    } else if (begun) {
        const gv_upgrade_request *request = op->request;
        int code = gv_state_upgrade(self, op, request->dry_run != 0);
        if ((code & 0xff) == SQLITE_BUSY && gv_op_wanted(op))
            return;
        if (code == SQLITE_OK)
            gv_op_succeed(op, self->reached);
        else if (op->staged.error.status == GAVAT_OK)
            gv_sqlite_fail(op, &self->db, code, 0, "upgrading");
        gv_writer_distrust(&self->writing, code);
    }
    gv_list done;
    gv_list_init(&done);
    gv_list_remove(link);
    gv_list_append(&done, link);
    gv_ops_finish(self->store->client, &done);
}

static void look_at_file(gv_state_sqlite *self)
{
    if (!self->writing.path || !gv_database_moved(&self->db))
        return;
    gv_database_close(&self->db);
    gv_writer_moved(&self->writing);
}

static void work(gv_state_sqlite *self)
{
    gv_list reads;
    gv_list_init(&reads);
    look_at_file(self);
    if (!gv_writer_ready(&self->writing)) {
        gv_writer_fail_queue(&self->writing);
        return;
    }
    take_reads(&self->worker, &reads);
    if (gv_list_empty(&reads))
        gv_writer_batch(&self->writing);
    else
        read_batch(self, &reads);
}

void gv_state_work(gv_worker *worker)
{
    gv_state_sqlite *self = worker->self;
    gv_writer_open_first(&self->writing, self->opening);
    self->opening = NULL;
    for (;;) {
        bool later = !gv_list_empty(&self->later);
        bool found = gv_worker_wait(worker, later ? 0 : UINT32_MAX);
        if (!found && !later && gv_worker_stopping(worker))
            break;
        if (found)
            work(self);
        if (!gv_list_empty(&self->later))
            work_later(self);
    }
    gv_database_close(&self->db);
}
