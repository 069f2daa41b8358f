/* forwarder.c: from the spool to the store, in order, a batch at a time, by one process at a time. What was not settled stays and goes again:
 * records are known by their identity, everything else by its ticket, so nothing lands twice. */
#include "../../base/clock.h"
#include "../../base/files.h"
#include "spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define MOST 1000               /* entries in a forward */
#define PATIENCE 20000          /* milliseconds for one forward */
#define BACKOFF_LEAST 100       /* milliseconds, doubled by each failure */
#define BACKOFF_MOST 5000
#define LOOK_IDLE 2000          /* milliseconds: another process may have left something */
#define LOOK_WAITING 100        /* … or be about to finish with it */

/* --- one process at a time --- */

static bool hold(gv_spool *self)
{
    if (self->forwards)
        return true;
    if (self->lock_fd < 0 && gv_file_open(self->lock_path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666, &self->lock_fd)) {
        self->lock_fd = -1;
        return false;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int status;
    do
        status = fcntl(self->lock_fd, F_OFD_SETLK, &lock);
    while (status < 0 && errno == EINTR);
    self->forwards = status == 0;
    return self->forwards;
}

static void let_go(gv_spool *self)
{
    if (self->lock_fd >= 0)
        gv_file_close(self->lock_fd);
    self->lock_fd = -1;
    self->forwards = false;
}

/* --- those who wait for it --- */

static void end_flush(gv_spool *self, gavat_op *op)
{
    gv_list_remove(&op->link);
    op->staged.number = self->flushed;
    gv_op_finish(op);
}

static void end_flushes(gv_spool *self, const char *away)
{
    gv_link *link;
    while ((link = gv_list_first(&self->flushes))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (away)
            gv_op_fail(op, GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "", "events: the store is away, and %lld writes stay in the spool: %s",
                       (long long)atomic_load(&self->depth), away);
        else
            gv_op_succeed(op, GAVAT_REACHED_STORE);
        end_flush(self, op);
    }
    self->flushed = 0;
}

static void end_retry(gv_spool *self, const char *away)
{
    gv_link *link = gv_list_take(&self->retries);
    if (!link)
        return;
    gavat_op *op = GV_CONTAINER(link, gavat_op, link);
    if (away)
        gv_op_fail(op, GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "", "events: the store is away: %s", away);
    else
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    op->staged.number = self->retried;
    gv_op_finish(op);
    self->retried = self->retry_after = 0;
}

static void drop_cancelled(gv_list *ops)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_wanted(op))
            continue;
        gv_list_remove(link);
        gv_op_fail(op, GAVAT_ECANCELED, 0, "", "cancelled: what was not forwarded stays in the spool");
        gv_op_finish(op);
    }
}

/* --- forwards --- */

static void on_forwarded(gavat_op *op, void *user)
{
    gv_spool *self = user;
    (void)op;
    atomic_store(&self->forward_ended, true);
    gv_worker_poke(&self->worker);
}

static void wait_before_next(gv_spool *self)
{
    uint64_t now = gv_clock_steady();
    uint32_t doubled = self->backoff_ms ? self->backoff_ms * 2 : BACKOFF_LEAST;
    self->backoff_ms = doubled < BACKOFF_MOST ? doubled : BACKOFF_MOST;
    self->next_try = now + MS * (self->backoff_ms / 2 + now / 1000 * UINT64_C(2654435761) % (self->backoff_ms / 2 + 1));
}

static void set_back(gv_spool *self, const char *why)
{
    snprintf(self->away, sizeof self->away, "%s", why);
    wait_before_next(self);
    let_go(self);               /* a neighbour may reach the store */
    gv_spool_publish(self);
    end_flushes(self, why);
    while (!gv_list_empty(&self->retries))
        end_retry(self, why);
}

/* Send what was read. The batch's reference goes with it. */
static void submit(gv_spool *self, gavat_batch *batch, bool rejects)
{
    gavat *g = self->store->client;
    gavat_op *op = gv_op_new_internal(g, on_forwarded, self);
    if (!op) {
        gavat_batch_free(batch);
        set_back(self, "no memory to forward it");
        return;
    }
    size_t bytes = gavat_batch_bytes(batch);
    gv_op_begin(op, &gv_events_ops[GV_FORWARD]);
    op->store = &g->stores[GV_EVENTS];          /* itself, whatever stands before it */
    atomic_fetch_add(&g->bytes, bytes);
    op->bytes += bytes;
    op->batch = batch;
    gavat_op_set_timeout(op, PATIENCE);
    self->forward = gavat_op_ref(op);
    self->forward_rejects = rejects;
    self->forward_opening = self->openings;
    atomic_store(&self->forward_ended, false);
    gv_op_submit(op);
}

static void begin(gv_spool *self, bool rejects, size_t most)
{
    gavat_batch *batch = gavat_batch_new(self->store->client);
    int code = batch ? gv_spool_read(self, batch, rejects, rejects ? self->retry_after : 0, most) : SQLITE_NOMEM;
    if (code == SQLITE_OK && batch->count) {
        submit(self, batch, rejects);
        return;
    }
    gavat_batch_free(batch);
    if (code == SQLITE_OK && rejects)
        end_retry(self, NULL);
    if (code == SQLITE_OK)
        return;
    set_back(self, gv_sqlite_advice(code));
    if (code != SQLITE_NOMEM)
        gv_writer_distrust(&self->writing, code);
}

static size_t count_settled(const gavat_op *op)
{
    size_t settled = 0;
    if (op->outcome != &op->staged)     /* it ended without the store's word, which may still be writing there */
        return 0;
    while (settled < op->batch->count && gv_forward_entry(op, settled)->settled)
        settled++;
    return settled;
}

static void count(gv_spool *self, bool rejects, size_t settled, size_t landed, const gavat_op *op)
{
    if (rejects) {
        self->retried += (int64_t)landed;
        self->retry_after = gv_forward_entry(op, settled - 1)->sequence;
        return;
    }
    self->flushed += (int64_t)settled;
    long long depth = self->totals.last < self->totals.first ? 0 : self->totals.last - self->totals.first + 1;
    for (gv_link *link = gv_list_first(&self->flushes); link && link != &self->flushes.head; link = link->next)
        gv_op_report(GV_CONTAINER(link, gavat_op, link), (uint64_t)self->flushed, (uint64_t)(self->flushed + depth), 0, "writes");
}

/* The forward has ended: what is settled leaves the file. */
static void settle(gv_spool *self)
{
    gavat_op *op = self->forward;
    bool rejects = self->forward_rejects;
    /* Opened again meanwhile it may be another file, whose sequences are of other writes: nothing leaves it. What was settled goes once more,
     * and the store knows it. */
    bool same = self->db.handle && self->forward_opening == self->openings;
    size_t settled = same ? count_settled(op) : 0, landed = 0;
    const gavat_error *error = gavat_op_error(op);
    int code = settled ? gv_spool_settle(self, op, rejects, settled, &landed) : SQLITE_OK;
    self->forward = NULL;
    if (code == SQLITE_OK && settled)
        count(self, rejects, settled, landed, op);
    if (code == SQLITE_OK && error->status == GAVAT_OK) {
        self->backoff_ms = 0;
        self->away[0] = '\0';
        self->most = MOST;
        gv_spool_publish(self);
    } else if (code != SQLITE_OK) {
        set_back(self, gv_sqlite_advice(code));
        if ((code & 0xff) != SQLITE_BUSY)
            gv_writer_distrust(&self->writing, code);
    } else {
        if (error->status == GAVAT_ETIMEDOUT && self->most > 1)
            self->most /= 2;
        set_back(self, error->message);
    }
    gavat_op_unref(op);
}

/* What others have appended or taken away. */
static void look(gv_spool *self, uint64_t now)
{
    self->looked_at = now;
    if (!gv_spool_open(self, false) && self->db.handle == NULL && access(self->path, F_OK) == 0)
        return;                 /* not to be had: what is known of it stays */
    if (self->db.handle && gv_spool_read_totals(self, &self->totals) != SQLITE_OK)
        return;
    gv_spool_publish(self);
}

static bool is_empty(const gv_spool *self)
{
    return self->totals.last < self->totals.first;
}

void gv_spool_forward(gv_spool *self)
{
    uint64_t now = gv_clock_steady();
    if (atomic_exchange(&self->store_up, false)) {
        self->next_try = 0;
        self->backoff_ms = 0;
    }
    drop_cancelled(&self->flushes);
    drop_cancelled(&self->retries);
    if (self->forward && !atomic_load(&self->forward_ended))
        return;
    if (self->forward)
        settle(self);
    if (gv_worker_stopping(&self->worker) || self->forward)
        return;
    bool asked = !gv_list_empty(&self->flushes) || !gv_list_empty(&self->retries);
    if (is_empty(self) || !self->forwards || asked)
        look(self, now);
    if (is_empty(self))
        end_flushes(self, NULL);
    if (is_empty(self) && gv_list_empty(&self->retries)) {
        let_go(self);
        return;
    }
    if (!asked && now < self->next_try)
        return;
    if (!self->db.handle) {
        if (is_empty(self))
            end_retry(self, NULL);
        else
            set_back(self, gv_sqlite_advice(self->writing.open_code));
        return;
    }
    if (!hold(self)) {
        self->next_try = now + MS * LOOK_WAITING;
        return;
    }
    begin(self, is_empty(self), self->most);
}

uint32_t gv_spool_pause(gv_spool *self)
{
    uint64_t now = gv_clock_steady();
    if (self->forward)
        return atomic_load(&self->forward_ended) ? 0 : UINT32_MAX;
    if (atomic_load(&self->store_up))
        return 0;
    if (is_empty(self) && gv_list_empty(&self->retries))
        return LOOK_IDLE;
    return self->next_try > now ? (uint32_t)((self->next_try - now) / MS) + 1 : 0;
}

void gv_spool_stop_forwarding(gv_spool *self)
{
    gv_link *link;
    gv_list *lists[] = {&self->flushes, &self->retries};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        while ((link = gv_list_take(lists[i]))) {
            gavat_op *op = GV_CONTAINER(link, gavat_op, link);
            gv_op_fail(op, GAVAT_ECLOSED, 0, "", "the client is closed: what was not forwarded stays in the spool");
            gv_op_finish(op);
        }
    gavat_op_unref(self->forward);
    self->forward = NULL;
    let_go(self);
}
