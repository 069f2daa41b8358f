/* apply.c: a worker's thread: batches of ops on documents by name. */
#include "mongodb.h"
#include "../../base/clock.h"
#include <stdio.h>

#define NO_MEMORY "no memory for the profile"

/* --- items --- */

gv_mongo_item *gv_mongo_items_find(const gv_mongo_items *items, const gv_mongo_item *after, const char *name, size_t length)
{
    unsigned head = (unsigned)(gv_slice_hash((gv_slice){name, length}) % GV_MONGO_HEADS);
    unsigned at = after ? items->next[after - items->list] : items->heads[head];
    for (; at; at = items->next[at - 1]) {
        const gv_mongo_item *item = &items->list[at - 1];
        if (strncmp(item->name, name, length) == 0 && !item->name[length])
            return (gv_mongo_item *)item;
    }
    return NULL;
}

static void clear(gv_mongo_items *items)
{
    items->count = 0;
    memset(items->heads, 0, sizeof items->heads);
}

/* False: there is no room, or what is there must be done first. */
static bool add(gv_mongo_items *items, const gv_mongo_item *item)
{
    gv_slice name = gv_slice_of(item->name);
    if (items->count == GV_MONGO_BATCH)
        return false;
    if (item->deed != GV_ITEM_GET && gv_mongo_items_find(items, NULL, name.data, name.length))
        return false;
    unsigned head = (unsigned)(gv_slice_hash(name) % GV_MONGO_HEADS);
    size_t place = items->count++;
    items->list[place] = *item;
    items->next[place] = items->heads[head];
    items->heads[head] = (uint16_t)(place + 1);
    return true;
}

static void run(gv_mongo_place *place, gv_mongo_items *items)
{
    gv_mongo_read(place, items);
    gv_mongo_write(place, items);
}

/* --- one document --- */

static void end_one(gv_mongo_place *place, gv_mongo_item *item)
{
    gavat_op *op = item->op;
    bool get = item->deed == GV_ITEM_GET;
    gv_result *result = get && item->profile ? gv_op_result(op) : NULL;
    if (result && !gv_result_add(result, item->profile))
        gv_mongo_fail(&item->said, GAVAT_ENOMEM, NO_MEMORY);
    if (item->said.status != GAVAT_OK) {
        gv_mongo_said_to(&item->said, op);
        return;
    }
    if (get)
        result->shape = &gv_profile_shape;
    op->staged.number = get ? 0 : item->said.number;
    gv_op_succeed(op, get ? GAVAT_REACHED_NONE : place->majority ? GAVAT_REACHED_MAJORITY : GAVAT_REACHED_STORE);
}

static gv_mongo_item item_of(gavat_op *op)
{
    const gv_profile_request *request = op->request;
    gv_mongo_item item = {.op = op, .name = request->username, .request = request, .json = request->json, .wanted = GV_ANY_REVISION};
    switch (op->kind->place) {
    case GV_GET_PROFILE: item.deed = GV_ITEM_GET; break;
    case GV_DELETE_PROFILE: item.deed = GV_ITEM_DELETE; break;
    case GV_PATCH_PROFILE: item.deed = GV_ITEM_PATCH; break;
    default:
        item.deed = GV_ITEM_PUT;
        item.wanted = request->revision;
    }
    return item;
}

/* --- many documents of one op --- */

typedef struct many {
    gv_mongo_place *place;
    gv_mongo_items *items;
    gavat_op *op;
    bool changed;
    gv_mongo_said said;         /* why the op ends here; OK: it does not */
} many;

/* One is settled. False: the op ends here. */
static bool end_item(many *m, gv_mongo_item *item)
{
    gavat_op *op = m->op;
    bool read = item->deed == GV_ITEM_GET;
    gavat_status status = item->said.status;
    if (status == GAVAT_OK) {
        gv_result *result = read ? gv_op_result(op) : NULL;
        op->staged.number++;
        m->changed = m->changed || !read;
        if (!read)
            return true;
        if (!result || !item->profile || !gv_result_add(result, item->profile)) {
            gv_mongo_fail(&m->said, GAVAT_ENOMEM, NO_MEMORY);
            return false;
        }
        result->shape = &gv_profile_shape;
        if (result->arena.bytes <= op->client->most_bytes)
            return true;
        gv_mongo_fail(&m->said, GAVAT_EBUSY, "the profiles would take more than the byte bound (GAVAT_MAX_BYTES): ask for fewer at once");
        return false;
    }
    gv_result *result = gv_op_result(op);
    bool ends = status == GAVAT_ENOMEM || status == GAVAT_EUNAVAIL || status == GAVAT_EIO || status == GAVAT_ETIMEDOUT || status == GAVAT_ESCHEMA;
    if (!ends && result && gv_result_reject(result, item->index, item->said.why))
        return true;
    m->said = item->said;
    if (!ends)
        gv_mongo_fail(&m->said, GAVAT_ENOMEM, NO_MEMORY);
    return false;
}

/* What has gathered is done. False: the op ends here, failed or no longer wanted. */
static bool flush(many *m)
{
    gv_mongo_items *items = m->items;
    bool good = true;
    if (items->count)
        run(m->place, items);
    for (size_t i = 0; i < items->count; i++)
        good = (good || items->list[i].said.status == GAVAT_OK) && end_item(m, &items->list[i]) && good;
    clear(items);
    return good && gv_op_wanted(m->op);
}

static bool add_item(many *m, const gv_profile_item *asked, uint64_t index)
{
    unsigned place = m->op->kind->place;
    gv_mongo_item item = {.op = m->op, .name = asked->username, .json = asked->json, .index = index, .wanted = GV_ANY_REVISION};
    item.deed = place == GV_GET_NAMED_PROFILES ? GV_ITEM_GET : place == GV_DELETE_PROFILES ? GV_ITEM_DELETE : GV_ITEM_PUT;
    if (asked->refused) {
        if (!flush(m))          /* so that what was refused is told in its order */
            return false;
        gv_mongo_fail(&item.said, GAVAT_EINVAL, "%s", asked->refused);
        return end_item(m, &item);
    }
    return add(m->items, &item) || (flush(m) && add(m->items, &item));
}

/* What was done before the store failed stays done: the caller cannot know how far that is. */
static void end_many(many *m)
{
    gavat_op *op = m->op;
    int64_t done = op->staged.number;
    if (m->said.status == GAVAT_OK) {
        gv_op_succeed(op, !m->changed ? GAVAT_REACHED_NONE : m->place->majority ? GAVAT_REACHED_MAJORITY : GAVAT_REACHED_STORE);
        return;
    }
    if (m->changed)
        m->said.flags |= GAVAT_ERROR_MAYBE_APPLIED;
    gv_mongo_said_to(&m->said, op);
    op->staged.number = done;
}

static void apply_many(gv_mongo_place *place, gv_mongo_items *items, gavat_op *op)
{
    many m = {.place = place, .items = items, .op = op};
    bool more = true;
    clear(items);
    if (op->kind->place == GV_IMPORT_PROFILES) {
        const gavat_batch *batch = op->batch;
        for (size_t i = 0; i < batch->count && more; i++)
            more = add_item(&m, batch->entries[i].record, batch->entries[i].index);
    } else {
        const gv_many_request *request = op->request;
        for (size_t i = 0; i < request->count && more; i++)
            more = add_item(&m, &request->items[i], i);
    }
    if (more)
        flush(&m);
    clear(items);
    end_many(&m);
}

/* --- batches --- */

/* Ops are taken once a server is there, so that a deadline that passes before leaves nothing in doubt. */
static bool reach(gv_mongo_place *place, const gv_list *batch, gv_mongo_said *said)
{
    bson_error_t error;
    bool write = false;
    const gv_mongo *self = place->self;
    for (gv_link *link = gv_list_first(batch); link && link != &batch->head; link = link->next)
        write = write || GV_CONTAINER(link, gavat_op, link)->kind->flags & GV_WRITE;
    if (self->defaults.refusal[0])
        gv_mongo_fail(said, GAVAT_EINVAL, "%s", self->defaults.refusal);
    else if (!gv_mongo_reach(place, write, &error))
        gv_mongo_fail_driver(place, said, &error, false, "reaching a server");
    return said->status == GAVAT_OK;
}

static void run_batch(gv_mongo_place *place, unsigned worker, gv_mongo_items *items, gv_list *batch)
{
    gv_mongo_said said = {.status = GAVAT_OK};
    bool reached = reach(place, batch, &said), well = reached;
    clear(items);
    for (gv_link *link = gv_list_first(batch); link && link != &batch->head; link = link->next) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (!gv_op_take(op))
            continue;
        if (!reached) {
            gv_mongo_said_to(&said, op);
        } else if (gv_mongo_is_many(op)) {
            apply_many(place, items, op);
            well = op->staged.error.status != GAVAT_EUNAVAIL;
        } else {
            gv_mongo_item item = item_of(op);
            add(items, &item);
        }
    }
    if (items->count)
        run(place, items);
    for (size_t i = 0; i < items->count; i++) {
        well = well && items->list[i].said.status != GAVAT_EUNAVAIL;
        end_one(place, &items->list[i]);
    }
    if (well)
        gv_mongo_note_well(place->self);
    gv_mongo_release(place->self, worker, batch);
    gv_ops_finish(place->self->store->client, batch);
    if (!reached)
        gv_mongo_drop_unwanted(place->self);
}

/* gavat_open: the server is there, and what keeps usernames apart. */
static void open_first(gv_mongo_place *place, gavat_op *op)
{
    gv_mongo *self = place->self;
    bson_error_t error;
    gv_mongo_said said = {.status = GAVAT_OK};
    if (!gv_profile_defaults_read(&self->defaults))
        gv_mongo_fail(&said, GAVAT_EINVAL, "%s", self->defaults.refusal);
    else if (!gv_mongo_reach(place, true, &error))
        gv_mongo_fail_driver(place, &said, &error, false, "opening");
    else
        gv_mongo_ensure_unique(place, &said);
    if (said.status == GAVAT_OK) {
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    } else {
        atomic_store(&self->unwell, true);
        gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, said.why);
        gv_mongo_said_to(&said, op);
    }
    gv_op_finish(op);
}

void gv_mongo_work(gv_worker *worker)
{
    gv_mongo *self = worker->self;
    gv_mongo_place place = {.self = self};
    gv_list batch;
    gv_mongo_items *items;
    while (!(items = gv_alloc_zero(sizeof *items)) && !gv_worker_stopping(worker)) {    /* ops wait until their deadlines */
        gv_worker_wait(worker, 100);
        gv_mongo_drop_unwanted(self);
    }
    pthread_mutex_lock(&self->lock);
    gavat_op *opening = self->opening;
    self->opening = NULL;
    unsigned own = self->entered++;
    pthread_mutex_unlock(&self->lock);
    if (opening)
        open_first(&place, opening);
    gv_list_init(&batch);
    while (items) {
        if (gv_mongo_take(self, own, &batch)) {
            run_batch(&place, own, items, &batch);
            continue;
        }
        bool found = gv_worker_wait(worker, UINT32_MAX);
        if (!found && gv_worker_stopping(worker) && gv_mongo_drained(self))
            break;
    }
    gv_free(items);
    gv_mongo_leave(&place);
}
