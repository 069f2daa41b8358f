/* fan.c: one op asked of every store: each gets a child of its own, and the parent ends when the last child has. gavat_open is one
 * of them. All on the loop's thread. */
#include "../base/clock.h"
#include "../base/memory.h"
#include "client.h"

typedef struct gv_fan {
    gavat_op *parent;           /* the queue's reference */
    gavat_op *children[GV_AREA_COUNT];
    size_t left;
    bool opening, short_of_memory;
} gv_fan;

static const char *const health_names[] = {"up", "degraded", "down"};

static void describe_stores(gavat *g, gv_text *out)
{
    gv_text_addc(out, '{');
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gv_store *store = &g->stores[area];
        if (!store->backend)
            continue;
        pthread_mutex_lock(&g->lock);
        gavat_health health = store->health;
        pthread_mutex_unlock(&g->lock);
        gv_text_addf(out, "%s\"%s\":\"%s\"", out->length > 1 ? "," : "", gv_areas[area].name, health_names[health]);
    }
    gv_text_addc(out, '}');
}

/* False: no memory. */
static bool take_over(gavat_op *parent, gavat_op *child)
{
    parent->staged.number += gavat_op_number(child);
    for (size_t i = 0; i < gavat_op_count(child); i++) {
        gv_text json = {0};
        size_t length;
        const char *record = gavat_op_json(child, i, &length);
        gv_result *result = gv_op_result(parent);
        gv_text_add(&json, record ? record : "{}", record ? length : 2);
        bool added = result && gv_result_add_json(result, &json);
        gv_text_free(&json);
        if (!added)
            return false;
    }
    return true;
}

static void finish_parent(gavat *g, gv_fan *fan)
{
    gavat_op *parent = fan->parent;
    if (parent->staged.error.status == GAVAT_OK)
        gv_op_succeed(parent, GAVAT_REACHED_NONE);
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        gavat_op *child = fan->children[area];
        if (!child)
            continue;
        const gavat_error *error = gavat_op_error(child);
        if (parent->staged.error.status == GAVAT_OK && error->status != GAVAT_OK) {
            gv_op_fail(parent, error->status, error->flags, error->native, "%s", error->message);
            parent->staged.error.backend = error->backend;
        } else if (error->status == GAVAT_OK && !take_over(parent, child)) {
            gv_op_fail(parent, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
        }
        gavat_op_unref(child);
    }
    if (fan->opening) {
        gv_text text = {0};
        describe_stores(g, &text);
        gv_result *result = gv_op_result(parent);
        if (result && !text.failed)
            gv_result_set_text(result, gv_text_get(&text), text.length);
        gv_text_free(&text);
    }
    gv_free(fan);
    gv_op_finish(parent);
}

static void store_opened(gavat *g, gv_store *store)
{
    store->opener = NULL;
    if (store->state != GV_STORE_OPENING)
        return;
    store->state = GV_STORE_OPEN;
    gv_list waiting;
    gv_list_init(&waiting);
    gv_list_move(&waiting, &store->waiting);
    gv_link *link;
    while ((link = gv_list_take(&waiting)))
        gv_loop_route(g, GV_CONTAINER(link, gavat_op, link));
    gv_wake(g);                 /* the loop opens the direct way */
}

static void child_ended(gavat_op *child, void *user)
{
    gv_fan *fan = user;
    gavat *g = child->client;
    if (fan->opening && child->store->opener == child)
        store_opened(g, child->store);
    if (--fan->left == 0)
        finish_parent(g, fan);
}

static gavat_op *make_child(gavat *g, gv_fan *fan, const gv_kind *kind)
{
    gavat_op *child = gv_op_new_internal(g, child_ended, fan);
    if (!child)
        return NULL;
    gv_op_begin(child, kind);
    child->parent = gavat_op_ref(fan->parent);
    child->store = &g->stores[kind->area];      /* itself, whatever stands before it */
    child->request = fan->parent->request == fan->parent->memory ? child->memory : NULL;
    if (child->request)
        memcpy(child->memory, fan->parent->memory, sizeof child->memory);
    uint64_t due = fan->parent->deadline.due, now = gv_clock_steady();
    if (due)
        gavat_op_set_timeout(child, due > now ? (uint32_t)((due - now) / 1000000) + 1 : 1);
    return child;
}

static void fan_out(gavat *g, gavat_op *op, const gv_kind *const kinds[GV_AREA_COUNT], bool opening)
{
    gv_fan *fan = atomic_load(&op->phase) == GV_PHASE_SUBMITTED ? gv_alloc_zero(sizeof *fan) : NULL;
    if (!fan) {                 /* or it has ended already: nobody is asked any more */
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory to ask the stores");
        gv_op_finish(op);
        return;
    }
    fan->parent = op;
    fan->opening = opening;
    fan->left = 1;              /* this function's, so that nothing ends before all are asked */
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        if (!kinds[area] || !g->stores[area].backend)
            continue;
        gavat_op *child = make_child(g, fan, kinds[area]);
        if (!child) {
            fan->short_of_memory = true;
            continue;
        }
        fan->children[area] = gavat_op_ref(child);
        fan->left++;
        gv_op_submit(child);
    }
    if (--fan->left == 0)
        finish_parent(g, fan);
}

void gv_fan_out(gavat *g, gavat_op *op, const gv_kind *const kinds[GV_AREA_COUNT])
{
    fan_out(g, op, kinds, false);
}

/* What a second gavat_open hears: how the store is now. */
static void answer_again(gavat *g, gv_store *store, gavat_op *child)
{
    char reason[sizeof store->reason];
    pthread_mutex_lock(&g->lock);
    bool down = store->health == GAVAT_HEALTH_DOWN;
    memcpy(reason, store->reason, sizeof reason);
    pthread_mutex_unlock(&g->lock);
    if (down)
        gv_op_fail(child, GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "", "%s: %s", gv_areas[store->backend->area].name,
                   reason[0] ? reason : "the store is not open yet");
    else
        gv_op_succeed(child, GAVAT_REACHED_NONE);
}

/* A child of gavat_open: gv_loop_route sends it here because its kind has a run of its own. */
static void open_store(gavat *g, gavat_op *child)
{
    gv_store *store = child->store;
    if (store->state == GV_STORE_NEW) {
        store->state = GV_STORE_OPENING;
        store->opener = child;
        store->backend->open(store->self, child);
        return;
    }
    if (store->state == GV_STORE_OPENING) {     /* comes here again when the first one has its answer */
        gv_list_append(&store->waiting, &child->link);
        return;
    }
    if (store->state == GV_STORE_OPEN)
        answer_again(g, store, child);
    else
        gv_op_fail(child, GAVAT_ECLOSED, 0, "", "the client is closed");
    gv_op_finish(child);
}

static void run_open(gavat *g, gavat_op *op)
{
    const gv_kind *kinds[GV_AREA_COUNT];
    for (unsigned area = 0; area < GV_AREA_COUNT; area++) {
        const gv_kind opening = {"open", (gv_area)area, GV_PLACES, 0, open_store};
        if (!g->stores[area].opening.run)   /* a second gavat_open: others may read it already */
            g->stores[area].opening = opening;
        kinds[area] = &g->stores[area].opening;
    }
    pthread_mutex_lock(&g->lock);
    g->opened = true;
    pthread_mutex_unlock(&g->lock);
    fan_out(g, op, kinds, true);
}

static const gv_kind open_kind = {"open", GV_CORE, 0, 0, run_open};

void gavat_open(gavat_op *op)
{
    if (gv_op_begin(op, &open_kind))
        gv_op_submit(op);
}
