#include "op.h"
#include "../base/clock.h"
#include "../base/memory.h"
#include "batch.h"
#include "client.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- references --- */

gavat_op *gavat_op_ref(gavat_op *op)
{
    if (op)
        atomic_fetch_add_explicit(&op->refs, 1, memory_order_relaxed);
    return op;
}

static bool drop_reference(gavat_op *op)        /* true: that was the last */
{
    return atomic_fetch_sub_explicit(&op->refs, 1, memory_order_acq_rel) == 1;
}

/* Gives how many bytes come free. Its reference to the client is the caller's to drop. */
static size_t release(gavat_op *op)
{
    gv_result *imposed = op->outcome == &op->imposed ? op->imposed.result : NULL;
    size_t charged = op->bytes;
    if (op->staged.result)
        charged += op->staged.result->charged;
    if (imposed)
        charged += imposed->charged;
    gv_result_free(op->staged.result);
    gv_result_free(imposed);
    gavat_batch_free(op->batch);
    gavat_op_unref(op->parent);
    if (op->request != op->memory)
        gv_free(op->request);
    gv_spares_give(&op->client->spares, op);
    return charged;
}

void gavat_op_unref(gavat_op *op)
{
    if (!op || !drop_reference(op))
        return;
    gavat *g = op->client;
    bool never_submitted = atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_NEW;
    if (never_submitted && op->reserved)
        atomic_fetch_sub(&g->reserved, 1);
    else if (never_submitted && !op->internal)
        atomic_fetch_sub(&g->live, 1);
    gv_room_bytes(g, release(op), never_submitted);
    gv_client_unref(g, 1);
}

void gv_ops_unref(gavat *g, gv_list *ended)
{
    size_t bytes = 0;
    unsigned count = 0;
    gv_link *link;
    while ((link = gv_list_take(ended))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, ended);
        if (!drop_reference(op))
            continue;
        bytes += release(op);
        count++;
    }
    if (!count)
        return;
    gv_room_bytes(g, bytes, false);
    gv_client_unref(g, count);
}

/* --- before submit --- */

void gavat_op_set_timeout(gavat_op *op, uint32_t timeout_ms)
{
    if (!op)
        return;
    op->timeout_ms = timeout_ms;
    op->timeout_given = timeout_ms != 0;
}

void gavat_op_set_progress(gavat_op *op, gavat_progress_fn fn, void *user)
{
    if (!op)
        return;
    op->progress = fn;
    op->progress_user = user;
}

bool gv_op_begin(gavat_op *op, const gv_kind *kind)
{
    if (!op)
        return false;
    if (op->kind) {
        gv_log(op->client, GAVAT_LOG_ERROR, "op", "an op was submitted twice (%s, then %s): the second call is ignored",
               op->kind->name, kind->name);
        return false;
    }
    op->kind = kind;
    if (kind->area != GV_CORE) {
        gv_store *store = &op->client->stores[kind->area];
        op->store = store->front ? store->front : store;
    }
    return true;
}

void *gv_op_request(gavat_op *op, size_t size)
{
    gavat *g = op->client;
    if (size <= sizeof op->memory) {
        memset(op->memory, 0, size);
        op->request = op->memory;
        return op->request;
    }
    if (atomic_fetch_add(&g->bytes, size) + size > g->most_bytes) {
        gv_room_bytes(g, size, false);
        gv_room_refuse(g);
        gv_op_refuse(op, GAVAT_EBUSY, "the byte bound (GAVAT_MAX_BYTES, %zu) is reached; wait for earlier calls to end, then try again",
                     g->most_bytes);
        return NULL;
    }
    op->request = gv_alloc_zero(size);
    if (!op->request) {
        gv_room_bytes(g, size, false);
        gv_op_refuse(op, GAVAT_ENOMEM, "no memory for the call's arguments");
        return NULL;
    }
    op->bytes += size;
    return op->request;
}

void gv_op_refuse(gavat_op *op, gavat_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gv_op_fail(op, status, status == GAVAT_EBUSY || status == GAVAT_ENOMEM ? GAVAT_ERROR_RETRY : 0, "", "%s", text);
    gv_op_submit(op);
}

/* --- results --- */

const gavat_error *gavat_op_error(const gavat_op *op)
{
    static const gavat_error refused = {GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "",
                                        "the call was not admitted: the bounds of the client are reached, or it is closed"};
    static const gavat_error pending = {GAVAT_PENDING, 0, "", "", "the operation has not ended yet"};
    if (!op)
        return &refused;
    return atomic_load_explicit(&op->phase, memory_order_acquire) >= GV_PHASE_ENDED ? &op->outcome->error : &pending;
}

gavat_status gavat_op_status(const gavat_op *op)
{
    return gavat_op_error(op)->status;
}

static const gv_outcome *outcome_of(const gavat_op *op)
{
    return op && atomic_load_explicit(&op->phase, memory_order_acquire) >= GV_PHASE_ENDED ? op->outcome : NULL;
}

static const gv_result *result_of(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->result : NULL;
}

gavat_reached gavat_op_reached(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->reached : GAVAT_REACHED_NONE;
}

gavat *gavat_op_client(const gavat_op *op)
{
    return op ? op->client : NULL;
}

int64_t gavat_op_number(const gavat_op *op)
{
    const gv_outcome *outcome = outcome_of(op);
    return outcome ? outcome->number : 0;
}

const char *gavat_op_text(const gavat_op *op, size_t *length)
{
    const gv_result *result = result_of(op);
    bool given = result && result->text;
    if (length)
        *length = given ? result->text_length : 0;
    return given ? result->text : "";
}

size_t gavat_op_count(const gavat_op *op)
{
    const gv_result *result = result_of(op);
    return result ? result->count : 0;
}

const char *gavat_op_cursor(const gavat_op *op)
{
    const gv_result *result = result_of(op);
    return result ? result->cursor : NULL;
}

const char *gavat_op_uid(const gavat_op *op)
{
    return op ? op->uid : "";
}

const char *gavat_op_rejected(const gavat_op *op, size_t i, uint64_t *index)
{
    const gv_result *result = result_of(op);
    if (!result || i >= result->rejected_count)
        return NULL;
    if (index)
        *index = result->rejected[i].index;
    return result->rejected[i].why;
}

/* Several threads may have printed the same record: the first one's text stays. */
static const char *keep_json(const gavat_op *op, gv_result *result, size_t i, const gv_text *text)
{
    pthread_mutex_lock(&op->client->lock);
    if (!result->json)
        result->json = gv_arena_alloc(&result->arena, result->count * sizeof *result->json);
    if (result->json && !result->json[i])
        result->json[i] = gv_arena_copy(&result->arena, gv_text_get(text), text->length);
    const char *json = result->json ? result->json[i] : NULL;
    gv_result_charge(op->client, result);
    pthread_mutex_unlock(&op->client->lock);
    return json;
}

/* Printed once, then kept; the printing itself needs no lock, for records never change. */
const char *gavat_op_json(const gavat_op *op, size_t i, size_t *length)
{
    const gv_outcome *outcome = outcome_of(op);
    gv_result *result = outcome ? outcome->result : NULL;
    if (length)
        *length = 0;
    if (!result || !result->shape || i >= result->count)
        return NULL;
    pthread_mutex_lock(&op->client->lock);
    const char *json = result->json ? result->json[i] : NULL;
    pthread_mutex_unlock(&op->client->lock);
    if (!json) {
        gv_text text = {0};
        result->shape->print(result->records[i], &text);
        if (!text.failed)
            json = keep_json(op, result, i, &text);
        gv_text_free(&text);
    }
    if (json && length)
        *length = strlen(json);
    return json;
}

/* --- what stores say --- */

bool gv_op_take(gavat_op *op)
{
    unsigned expected = GV_CLAIM_FREE;
    return atomic_compare_exchange_strong(&op->claim, &expected, GV_CLAIM_TAKEN);
}

bool gv_op_wanted(const gavat_op *op)
{
    return atomic_load_explicit(&op->phase, memory_order_relaxed) == GV_PHASE_SUBMITTED
           && !atomic_load_explicit(&op->cancelled, memory_order_relaxed) && (!op->parent || gv_op_wanted(op->parent));
}

/* Of the area that was asked, wherever the op is: a mirror before it gives no name to its errors. */
const char *gv_op_backend(const gavat_op *op)
{
    const gv_backend *backend = op->kind->area < GV_AREA_COUNT ? op->client->stores[op->kind->area].backend : NULL;
    return backend ? backend->name : "";
}

void gv_op_succeed(gavat_op *op, gavat_reached reached)
{
    gavat_error none = {GAVAT_OK, 0, gv_op_backend(op), "", ""};
    op->staged.error = none;
    op->staged.reached = reached;
}

void gv_op_fail(gavat_op *op, gavat_status status, uint32_t flags, const char *native, const char *format, ...)
{
    gavat_error error = {status, flags, gv_op_backend(op), "", "no memory to say what went wrong"};
    if (op->doubtful)
        error.flags |= GAVAT_ERROR_MAYBE_APPLIED;
    op->staged.reached = GAVAT_REACHED_NONE;
    gv_result *result = gv_op_result(op);
    if (result) {
        const char *code = native && *native ? gv_arena_copy_text(&result->arena, native) : NULL;      /* a server's own word */
        if (code)
            error.native = code;
        char text[1024];
        va_list args;
        va_start(args, format);
        int length = vsnprintf(text, sizeof text, format, args);
        va_end(args);
        char *copy = NULL;
        if (length >= 0 && op->mirrored)
            copy = gv_arena_printf(&result->arena, "%s (the line was kept in the text log)", text);
        else if (length >= 0)
            copy = gv_arena_copy_text(&result->arena, text);
        if (copy)
            error.message = copy;
    }
    op->staged.error = error;
}
