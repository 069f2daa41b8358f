#include "calls.h"
#include "../core/client.h"

/* From the start of a request to the record behind it. */
#define RECORD_AT ((sizeof(gv_log_request) + 15) & ~(size_t)15)
#define BATCHED_AT ((sizeof(gv_batch_record) + 15) & ~(size_t)15)

void gv_call_store(gavat_op *op, gv_events_place place, const gv_record_kind *kind, const void *record)
{
    if (!gv_op_begin(op, &gv_events_ops[place]))
        return;
    gv_incoming in;
    if (!gv_incoming_take(&in, op->client, kind, record, false)) {
        gv_op_refuse(op, in.status, "%s", in.why);
        gv_incoming_free(&in);
        return;
    }
    memcpy(op->uid, in.uid, sizeof op->uid);    /* also of one that the bounds refuse: a retry may carry it */
    gv_log_request *request = gv_op_request(op, gv_call_sum(RECORD_AT, gv_record_measure(kind, &in.own)));
    if (request) {
        request->kind = kind;
        request->record = (char *)request + RECORD_AT;
        request->now = gv_now(op->client);
        gv_record_copy(kind, request->record, &in.own);
        gv_op_submit(op);
    }
    gv_incoming_free(&in);
}

gv_batch_record *gv_call_keep(gv_arena *arena, const gv_incoming *in)
{
    size_t size = gv_call_sum(BATCHED_AT, gv_record_measure(in->kind, &in->own));
    gv_batch_record *entry = gv_arena_alloc(arena, size);
    if (!entry)
        return NULL;
    entry->kind = in->kind;
    entry->record = (char *)entry + BATCHED_AT;
    gv_record_copy(in->kind, entry->record, &in->own);
    return entry;
}

static gavat_status append(gavat_batch *batch, const gv_incoming *in)
{
    gv_batch_record *entry = gv_call_keep(&batch->arena, in);
    return entry ? gv_batch_append(batch, entry) : gv_batch_fail(batch, GAVAT_ENOMEM, "no memory for another record");
}

gavat_status gv_call_add(gavat_batch *batch, const gv_record_kind *kind, const void *record)
{
    gavat_status status = gv_batch_ready(batch, GV_EVENTS);
    if (status != GAVAT_OK)
        return status;
    gv_incoming in;
    bool good = gv_incoming_take(&in, batch->client, kind, record, false);
    status = good ? append(batch, &in) : gv_batch_fail(batch, in.status, "%s", in.why);
    gv_incoming_free(&in);
    return status;
}

bool gv_call_add_json(gavat_batch *batch, const gv_record_kind *kind, gv_slice object)
{
    gv_incoming in;
    bool good = gv_incoming_read(&in, batch->client, kind, object);
    gavat_status status = good ? append(batch, &in) : gv_batch_fail(batch, in.status, "%s", in.why);
    gv_incoming_free(&in);
    if (status == GAVAT_ENOMEM)
        batch->error[0] = '\0'; /* how batch.c tells it from a record that is refused */
    return status == GAVAT_OK;
}

const void *gv_call_record(const gavat_op *op, const gv_record_kind *kind, size_t i)
{
    if (!op || atomic_load_explicit(&op->phase, memory_order_acquire) < GV_PHASE_ENDED)
        return NULL;
    const gv_result *result = op->outcome->result;
    return result && result->shape == &kind->shape && i < result->count ? result->records[i] : NULL;
}
