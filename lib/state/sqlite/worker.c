/* worker.c: the one thread of the store. */
#include "sqlite.h"
#include "../../core/client.h"

static int adopt(void *own, gavat_op *op)
{
    gv_state_sqlite *self = own;
    self->next_expiry = 0;
    self->swept_at = 0;
    return gv_state_upgrade(self, op, false);
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

static bool set_aside(void *own, gavat_op *op)
{
    if (!gv_state_is_later(op))
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

/* The reads at the head of the queue; those that are for later go there. */
static void take_reads(gv_state_sqlite *self, gv_list *ops)
{
    gv_worker *worker = &self->worker;
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < GV_STATE_READS; i++) {
        gv_link *link = gv_list_first(&worker->ops);
        gavat_op *op = link ? GV_CONTAINER(link, gavat_op, link) : NULL;
        if (!op || op->kind->flags & GV_WRITE)
            break;
        gv_list_remove(link);
        worker->count--;
        gv_list_append(gv_state_is_later(op) ? &self->later : ops, link);
    }
    pthread_mutex_unlock(&worker->lock);
}

typedef struct reading {
    gavat_op *gets[GV_STATE_TOGETHER];  /* taken, to be looked up together */
    size_t count;
    int code, failed;           /* of what is under way; the last one that was not good */
} reading;

static void note_code(gv_state_sqlite *self, reading *r, int code)
{
    r->code = code;
    if (code != SQLITE_OK)
        r->failed = code;
    if (code != SQLITE_OK && self->db.handle && !sqlite3_get_autocommit(self->db.handle))
        r->code = SQLITE_OK;    /* the transaction is still there */
}

static void read_one(gv_state_sqlite *self, reading *r, gavat_op *op)
{
    if (r->code == SQLITE_OK)
        note_code(self, r, gv_state_apply(self, op));
    else
        gv_sqlite_fail(op, &self->db, r->code, 0, "reading");
}

static void read_gets(gv_state_sqlite *self, reading *r)
{
    size_t done = 0;
    while (done < r->count) {
        int code = SQLITE_OK;
        size_t together = r->code == SQLITE_OK ? gv_state_get_many(self, r->gets + done, r->count - done, &code) : 0;
        if (together)
            note_code(self, r, code);
        else
            read_one(self, r, r->gets[done]);
        done += together ? together : 1;
    }
    r->count = 0;
}

/* In one read transaction. An op that fails is told so; an error of the file is one of all that follow. */
static void read_batch(gv_state_sqlite *self, gv_list *ops)
{
    reading r = {.code = gv_database_do(&self->db, "BEGIN")};
    r.failed = r.code;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_prefetch(link->next, sizeof *op);
        if (!gv_op_take(op))
            continue;
        if (op->kind->place == GV_GET_STATE)
            r.gets[r.count++] = op;
        else
            read_one(self, &r, op);
        if (r.count == GV_STATE_TOGETHER)
            read_gets(self, &r);
    }
    read_gets(self, &r);
    if (self->db.handle && !sqlite3_get_autocommit(self->db.handle))
        gv_database_do(&self->db, "COMMIT");
    gv_database_undo(&self->db);
    gv_ops_finish(self->store->client, ops);
    if (r.failed != SQLITE_OK)
        gv_writer_distrust(&self->writing, r.failed);
}

static void look_at_file(gv_state_sqlite *self)
{
    if (!self->writing.path || !gv_database_moved(&self->db))
        return;
    gv_database_close(&self->db);
    gv_writer_moved(&self->writing);
}

/* The file is not open: all fail, but for the doctor, who says so. */
static void refuse_all(gv_state_sqlite *self)
{
    gv_list ops, done;
    gv_link *link;
    gv_list_init(&ops);
    gv_list_init(&done);
    gv_worker_take(&self->worker, &ops, SIZE_MAX);
    while ((link = gv_list_take(&ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (op->kind->place == GV_CHECK_STATE)
            gv_state_check(self, op);
        else
            gv_sqlite_fail(op, &self->db, self->writing.open_code, 0, "opening");
        gv_list_append(&done, link);
    }
    gv_ops_finish(self->store->client, &done);
}

static void work(gv_state_sqlite *self)
{
    gv_list reads;
    gv_list_init(&reads);
    look_at_file(self);
    if (!gv_writer_ready(&self->writing)) {
        refuse_all(self);
        return;
    }
    take_reads(self, &reads);
    if (!gv_list_empty(&reads))
        read_batch(self, &reads);
    else if (gv_worker_wait(&self->worker, 0))
        gv_writer_batch(&self->writing);
}

void gv_state_work(gv_worker *worker)
{
    gv_state_sqlite *self = worker->self;
    gv_writer_open_first(&self->writing, self->opening);
    self->opening = NULL;
    for (;;) {
        bool later = !gv_list_empty(&self->later);
        bool found = gv_worker_wait(worker, later ? 0 : gv_state_until_sweep(self));
        if (!found && !later && gv_worker_stopping(worker))
            break;
        if (found)
            work(self);
        if (!gv_list_empty(&self->later))
            gv_state_work_later(self);
        gv_state_sweep(self);
    }
    gv_database_close(&self->db);
    gv_text_free(&self->position);
    gv_arena_free(&self->scratch);
}
