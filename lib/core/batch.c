#include "batch.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "client.h"
#include <stdio.h>

gavat_batch *gavat_batch_new(gavat *g)
{
    if (!g)
        return NULL;
    gavat_batch *batch = gv_alloc_zero(sizeof *batch);
    if (!batch)
        return NULL;
    atomic_fetch_add(&g->refs, 1);
    batch->client = g;
    atomic_store(&batch->refs, 1);
    return batch;
}

void gavat_batch_free(gavat_batch *batch)
{
    if (!batch || atomic_fetch_sub(&batch->refs, 1) != 1)
        return;
    gavat *g = batch->client;
    gv_arena_free(&batch->arena);
    gv_free(batch->entries);
    gv_free(batch);
    gv_client_unref(g, 1);
}

gavat_status gv_batch_fail(gavat_batch *batch, gavat_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(batch->error, sizeof batch->error, format, args);
    va_end(args);
    return status;
}

gavat_status gv_batch_ready(gavat_batch *batch, gv_area area)
{
    if (!batch)
        return GAVAT_ENOMEM;
    batch->error[0] = '\0';
    if (batch->sealed)
        return gv_batch_fail(batch, GAVAT_EINVAL, "the batch was submitted already: make a new one");
    if (batch->count && batch->area != area)
        return gv_batch_fail(batch, GAVAT_EINVAL, "a batch holds records of one area only: this one has %s", gv_areas[batch->area].name);
    batch->area = area;
    return GAVAT_OK;
}

gavat_status gv_batch_append(gavat_batch *batch, void *record)
{
    if (batch->count == batch->room) {
        size_t room = batch->room ? batch->room * 2 : 64, bytes;
        gv_batch_entry *entries = gv_multiply_size(room, sizeof *entries, &bytes) ? gv_resize(batch->entries, bytes) : NULL;
        if (!entries)
            return gv_batch_fail(batch, GAVAT_ENOMEM, "no memory for another record");
        batch->entries = entries;
        batch->room = room;
    }
    gv_batch_entry entry = {batch->next_index++, record};
    batch->entries[batch->count++] = entry;
    return GAVAT_OK;
}

static gavat_status add_json(gavat_batch *batch, const char *kind, const char *json, size_t length)
{
    const gv_batch_kind *found = NULL;
    for (size_t i = 0; kind && gv_batch_kinds[i]; i++)
        if (strcmp(gv_batch_kinds[i]->name, kind) == 0)
            found = gv_batch_kinds[i];
    if (!found)
        return gv_batch_fail(batch, GAVAT_EINVAL, "there is no kind of record \"%.40s\"", kind ? kind : "");
    gavat_status status = gv_batch_ready(batch, found->area);
    if (status != GAVAT_OK)
        return status;
    gv_slice text = {json, length};
    size_t at = 0;
    const char *wrong = json ? gv_json_check(text, GV_JSON_DEPTH + 1, 0, &at) : "no text";
    if (wrong)
        return gv_batch_fail(batch, GAVAT_EINVAL, "not JSON at byte %zu: %s", at, wrong);
    text = gv_json_trim(text);
    if (gv_json_type_of(text) != GV_JSON_OBJECT)
        return gv_batch_fail(batch, GAVAT_EINVAL, "not a JSON object");
    if (!found->add_json(batch, text))
        return batch->error[0] ? GAVAT_EINVAL : gv_batch_fail(batch, GAVAT_ENOMEM, "no memory for the record");
    return GAVAT_OK;
}

gavat_status gavat_batch_add_json(gavat_batch *batch, const char *kind, const char *json, size_t length)
{
    if (!batch)
        return GAVAT_ENOMEM;
    size_t count = batch->count;
    gavat_status status = add_json(batch, kind, json, length);
    if (status != GAVAT_OK && batch->count == count && !batch->sealed)
        batch->next_index++;    /* a refused line keeps its number */
    return status;
}

const char *gavat_batch_error(const gavat_batch *batch)
{
    return batch ? batch->error : "no memory for a batch";
}

void gavat_batch_set_index(gavat_batch *batch, uint64_t index)
{
    if (batch)
        batch->next_index = index;
}

size_t gavat_batch_bytes(const gavat_batch *batch)
{
    return batch ? sizeof *batch + batch->arena.bytes + batch->room * sizeof *batch->entries : 0;
}

/* Nothing is of no area: no store is asked, and none has to be there. */
static void run_empty(gavat *g, gavat_op *op)
{
    (void)g;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
}

static const gv_kind empty_kind = {"import_batch", GV_CORE, GV_PLACES, 0, run_empty};

static void submit_batch(gavat_op *op, gavat_batch *batch, bool commit)
{
    const gv_area_row *row = batch ? &gv_areas[batch->area] : &gv_areas[GV_EVENTS];
    const gv_kind *kind = commit && row->commit ? row->commit : row->import;
    if (!gv_op_begin(op, batch && !batch->count ? &empty_kind : kind))
        return;
    gavat *g = op->client;
    if (commit && !row->commit) {
        gv_op_refuse(op, GAVAT_EINVAL, "%s: only records of the events area are committed together; use gavat_import_batch", row->name);
        return;
    }
    if (!batch) {
        gv_op_refuse(op, GAVAT_ENOMEM, "there is no batch: gavat_batch_new had no memory");
        return;
    }
    if (batch->client != g) {
        gv_op_refuse(op, GAVAT_EINVAL, "the batch was made for another client");
        return;
    }
    size_t bytes = gavat_batch_bytes(batch);
    if (atomic_fetch_add(&g->bytes, bytes) + bytes > g->most_bytes) {
        gv_room_bytes(g, bytes, false);
        gv_room_refuse(g);
        gv_op_refuse(op, GAVAT_EBUSY, "the batch of %zu bytes would pass the byte bound (GAVAT_MAX_BYTES, %zu); make it smaller, or wait for earlier calls to end",
                     bytes, g->most_bytes);
        return;
    }
    op->bytes += bytes;
    if (!batch->sealed)         /* only read from the second submit on: that may come from another thread */
        batch->sealed = true;
    atomic_fetch_add(&batch->refs, 1);
    op->batch = batch;
    gv_op_submit(op);
}

void gavat_import_batch(gavat_op *op, gavat_batch *batch)
{
    submit_batch(op, batch, false);
}

void gavat_commit_batch(gavat_op *op, gavat_batch *batch)
{
    submit_batch(op, batch, true);
}
