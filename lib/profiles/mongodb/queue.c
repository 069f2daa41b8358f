/* queue.c: which ops may go now. An op whose names are held by a batch at work, or asked for by an older op that waits, stays where it is; so ops on
 * one profile go one after another, whatever the number of workers. Names are told apart by a hash: two that share one only wait in vain.
 * What looks through the whole collection goes on to the scanner when the writes that came before it are done. */
#include "mongodb.h"

static unsigned slot_of(const char *name)
{
    return (unsigned)(gv_slice_hash(gv_slice_of(name)) % GV_MONGO_SLOTS);
}

typedef bool (*visit)(void *user, unsigned slot);

/* For the slot of each name of the op, until fn says false. */
static bool each_slot(const gavat_op *op, visit fn, void *user)
{
    switch (op->kind->place) {
    case GV_PUT_PROFILES:
    case GV_DELETE_PROFILES:
    case GV_GET_NAMED_PROFILES: {
        const gv_many_request *many = op->request;
        for (size_t i = 0; i < many->count; i++)
            if (!many->items[i].refused && !fn(user, slot_of(many->items[i].username)))
                return false;
        return true;
    }
    case GV_IMPORT_PROFILES:
        for (size_t i = 0; i < op->batch->count; i++)
            if (!fn(user, slot_of(((const gv_profile_item *)op->batch->entries[i].record)->username)))
                return false;
        return true;
    default: {
        const gv_profile_request *one = op->request;
        return fn(user, slot_of(one->username));
    }
    }
}

typedef struct choice {
    gv_mongo_queue *queue;
    bool write, older_write;    /* the op at hand is one; one came before it and waits, or is chosen */
    uint64_t reading[GV_MONGO_SLOTS / 64], writing[GV_MONGO_SLOTS / 64];        /* what older ops that wait, or are chosen, want */
} choice;

static bool bit(const uint64_t *bits, unsigned slot)
{
    return bits[slot / 64] >> slot % 64 & 1;
}

static bool is_free(void *user, unsigned slot)
{
    const choice *c = user;
    if (c->queue->writers[slot] || bit(c->writing, slot))
        return false;
    return !c->write || (!c->queue->readers[slot] && !bit(c->reading, slot));
}

static bool want(void *user, unsigned slot)
{
    choice *c = user;
    uint64_t *bits = c->write ? c->writing : c->reading;
    bits[slot / 64] |= UINT64_C(1) << slot % 64;
    return true;
}

static bool hold(void *user, unsigned slot)
{
    choice *c = user;
    (c->write ? c->queue->writers : c->queue->readers)[slot]++;
    return true;
}

static bool let_go(void *user, unsigned slot)
{
    choice *c = user;
    (c->write ? c->queue->writers : c->queue->readers)[slot]--;
    return true;
}

bool gv_mongo_is_many(const gavat_op *op)
{
    return op->kind->place == GV_PUT_PROFILES || op->kind->place == GV_DELETE_PROFILES || op->kind->place == GV_GET_NAMED_PROFILES
           || op->kind->place == GV_IMPORT_PROFILES;
}

static bool is_scan(const gavat_op *op)
{
    switch (op->kind->place) {
    case GV_GET_PROFILE_BY_ID:
    case GV_GET_PROFILES:
    case GV_SEARCH_PROFILES:
    case GV_PROFILE_STATS:
    case GV_CHECK_PROFILES:
    case GV_SCHEMA_PROFILES:
    case GV_UPGRADE_PROFILES: return true;
    default: return false;
    }
}

/* Those of the workers' queue join the ones that wait. */
static void gather(gv_mongo *self)
{
    gv_mongo_queue *queue = &self->queue;
    gv_list fresh;
    gv_list_init(&fresh);
    queue->count += gv_worker_take(&self->names, &fresh, SIZE_MAX);
    for (gv_link *link = gv_list_first(&fresh); link && link != &fresh.head; link = link->next)
        GV_CONTAINER(link, gavat_op, link)->sequence = ++queue->sequence;
    gv_list_move(&queue->waiting, &fresh);
}

/* No write at work is older. */
static bool is_behind(const gv_mongo_queue *queue, const gavat_op *op)
{
    for (size_t i = 0; i < GV_MONGO_WORKERS; i++)
        if (queue->oldest[i] && queue->oldest[i] < op->sequence)
            return false;
    return true;
}

/* Whether it is chosen, for the batch or the scanner. */
static bool consider(choice *c, gavat_op *op, size_t taken)
{
    if (is_scan(op))
        return !c->older_write && is_behind(c->queue, op);
    c->write = op->kind->flags & GV_WRITE;
    c->older_write = c->older_write || c->write;
    bool fits = taken < GV_MONGO_BATCH && each_slot(op, is_free, c) && !(taken && gv_mongo_is_many(op));       /* it is a batch of its own */
    each_slot(op, want, c);
    return fits;
}

static void choose(choice *c, gv_list *batch, gv_list *scans, uint64_t *oldest)
{
    gv_mongo_queue *queue = c->queue;
    size_t taken = 0;
    gv_link *next;
    for (gv_link *link = gv_list_first(&queue->waiting); link && link != &queue->waiting.head && taken < GV_MONGO_BATCH; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (!consider(c, op, taken))
            continue;
        gv_list_remove(link);
        gv_list_append(is_scan(op) ? scans : batch, link);
        queue->count--;
        if (!is_scan(op))
            taken = gv_mongo_is_many(op) ? GV_MONGO_BATCH : taken + 1;
    }
    for (gv_link *link = gv_list_first(batch); link && link != &batch->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        c->write = op->kind->flags & GV_WRITE;
        each_slot(op, hold, c);
        if (c->write && !*oldest)
            *oldest = op->sequence;
    }
}

bool gv_mongo_take(gv_mongo *self, unsigned worker, gv_list *batch)
{
    choice c = {.queue = &self->queue};
    gv_list scans;
    gv_link *link;
    gv_list_init(&scans);
    pthread_mutex_lock(&self->lock);
    gather(self);
    choose(&c, batch, &scans, &self->queue.oldest[worker]);
    pthread_mutex_unlock(&self->lock);
    while ((link = gv_list_take(&scans)))
        gv_worker_push(&self->scanner, GV_CONTAINER(link, gavat_op, link));
    return !gv_list_empty(batch);
}

void gv_mongo_release(gv_mongo *self, unsigned worker, const gv_list *batch)
{
    choice c = {.queue = &self->queue};
    pthread_mutex_lock(&self->lock);
    for (gv_link *link = gv_list_first(batch); link && link != &batch->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        c.write = op->kind->flags & GV_WRITE;
        each_slot(op, let_go, &c);
    }
    self->queue.oldest[worker] = 0;
    bool more = self->queue.count > 0;
    pthread_mutex_unlock(&self->lock);
    if (more)
        gv_worker_poke(&self->names);
}

bool gv_mongo_drained(gv_mongo *self)
{
    pthread_mutex_lock(&self->lock);
    bool none = self->queue.count == 0;
    pthread_mutex_unlock(&self->lock);
    return none;
}

void gv_mongo_drop_unwanted(gv_mongo *self)
{
    gv_list unwanted;
    gv_link *next;
    gv_list_init(&unwanted);
    pthread_mutex_lock(&self->lock);
    gather(self);
    for (gv_link *link = gv_list_first(&self->queue.waiting); link && link != &self->queue.waiting.head; link = next) {
        next = link->next;
        if (atomic_load(&GV_CONTAINER(link, gavat_op, link)->claim) != GV_CLAIM_WITHDRAWN)
            continue;
        gv_list_remove(link);
        self->queue.count--;
        gv_list_append(&unwanted, link);
    }
    pthread_mutex_unlock(&self->lock);
    if (!gv_list_empty(&unwanted))
        gv_ops_finish(self->store->client, &unwanted);
}
