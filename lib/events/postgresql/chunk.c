/* chunk.c: records without a session's merging, as many as have gathered in one transaction. One that the store refuses is found by
 * halving; the others land. */
#include "postgresql.h"

#define RANGES 64               /* halves that wait: a chunk has at most 2^16 records */

typedef struct gv_pg_range {
    size_t from, to;
} gv_pg_range;

typedef struct gv_pg_chunk {
    gv_pg_job job;
    size_t count;
    gv_pg_item *items;
    gv_pg_range ranges[RANGES];         /* still to be written, the last one next */
    size_t range_count;
    gv_pg_part_done *done;      /* of an import; else each item is an op of its own */
} gv_pg_chunk;

static void free_chunk(gv_pg_chunk *chunk)
{
    gv_free(chunk->items);
    gv_free(chunk);
}

/* Ops in this range have their outcome. */
static void finish_range(gv_pg_chunk *chunk, gv_pg_range range)
{
    gv_list ops;
    gv_list_init(&ops);
    for (size_t i = range.from; i < range.to; i++)
        if (chunk->items[i].given)
            gavat_op_unref(chunk->items[i].op);
        else if (!gv_pg_record_refused(chunk->items[i].op))
            gv_list_append(&ops, &chunk->items[i].op->link);
    gv_ops_finish(chunk->job.self->store->client, &ops);
}

static gv_pg_range current(const gv_pg_chunk *chunk)
{
    return chunk->ranges[chunk->range_count - 1];
}

static void fail_item(gv_pg_item *item, const gv_pg_failure *failure, bool sent)
{
    if (item->given)
        return;
    gavat_op_ref(item->op);
    item->given = gv_pg_spool_instead(item->op, failure, sent);
    if (item->given)
        return;
    gavat_op_unref(item->op);
    gv_pg_fail(item->op, failure, failure->lost && sent ? GAVAT_ERROR_MAYBE_APPLIED : 0, "writing to");
}

/* Nothing more is to be written; failure: why what is left was not. */
static void end_chunk(gv_pg_chunk *chunk, const gv_pg_failure *failure)
{
    gv_pg_part_done *done = chunk->done;
    gavat_op *import = done ? chunk->items[0].op : NULL;
    for (; !done && chunk->range_count; chunk->range_count--) {
        gv_pg_range range = current(chunk);
        for (size_t i = range.from; i < range.to; i++)
            fail_item(&chunk->items[i], failure, chunk->job.sent);
        finish_range(chunk, range);
    }
    gv_pg_free_lane(&chunk->job);
    free_chunk(chunk);
    if (done)
        done(import, failure);
}

static bool is_wanted(const gv_pg_job *job)
{
    const gv_pg_chunk *chunk = (const gv_pg_chunk *)job;
    if (chunk->done)
        return gv_op_wanted(chunk->items[0].op);
    for (size_t i = 0; i < chunk->count; i++)
        if (!chunk->items[i].given && gv_op_wanted(chunk->items[i].op))
            return true;
    return false;
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_failure lost = *failure;
    lost.lost = failure->lost || job->sent;     /* … and then nobody knows */
    end_chunk((gv_pg_chunk *)job, &lost);
}

static gavat_op *op_at(gv_pg_job *job, size_t i, bool **given)
{
    gv_pg_chunk *chunk = (gv_pg_chunk *)job;
    size_t at = chunk->range_count ? current(chunk).from + i : 0;
    if (chunk->done || !chunk->range_count || at >= chunk->ranges[0].to)        /* the last range is at the bottom */
        return NULL;
    *given = &chunk->items[at].given;
    return chunk->items[at].op;
}

static void send_kind(gv_pg_chunk *chunk, const gv_record_kind *kind, const gv_pg_item *items, size_t count)
{
    size_t rows = 0, one = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].kind == kind) {
            rows++;
            one = i;
        }
    if (!rows)
        return;
    gv_pg_params params = {0};
    gv_text sql = {0};
    bool folded = chunk->job.self->search_index;
    gv_pg_add_insert_sql(&sql, kind, rows > 1, folded);
    if (rows > 1)
        gv_pg_add_records(&params, kind, items, count, folded);
    else
        gv_pg_add_record(&params, kind, items[one].record, folded);
    params.failed |= sql.failed;
    gv_pg_send(&chunk->job, gv_text_get(&sql), &params, 0);
    gv_pg_params_free(&params);
    gv_text_free(&sql);
}

static void begin(gv_pg_job *job)
{
    static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind};
    gv_pg_chunk *chunk = (gv_pg_chunk *)job;
    gv_pg_range range = current(chunk);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        send_kind(chunk, kinds[i], chunk->items + range.from, range.to - range.from);
    gv_pg_sync(job);
}

static void halve(gv_pg_chunk *chunk, gv_pg_range range)
{
    size_t middle = range.from + (range.to - range.from) / 2;
    chunk->ranges[chunk->range_count - 1] = (gv_pg_range){middle, range.to};
    chunk->ranges[chunk->range_count++] = (gv_pg_range){range.from, middle};
}

/* The range is done with. */
static void settle(gv_pg_chunk *chunk, gv_pg_range range, const gv_pg_failure *failure)
{
    chunk->range_count--;
    if (chunk->done && failure) {
        gv_pg_reject(chunk->items[0].op, chunk->items[range.from].index, failure);
    } else if (chunk->done) {
        chunk->items[0].op->staged.number += (int64_t)(range.to - range.from);
    } else {
        for (size_t i = range.from; i < range.to; i++) {
            if (chunk->items[i].given)
                continue;
            if (failure)
                gv_pg_fail(chunk->items[i].op, failure, 0, "writing to");
            else
                gv_op_succeed(chunk->items[i].op, GAVAT_REACHED_STORE);
        }
        finish_range(chunk, range);
    }
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_chunk *chunk = (gv_pg_chunk *)job;
    gv_pg_range range = current(chunk);
    bool alone = range.to - range.from == 1;
    if (gv_pg_mend_months(job, failure, chunk->items + range.from, range.to - range.from))
        return;
    if (failure && gv_pg_is_refusal(failure) && !alone) {
        halve(chunk, range);
    } else if (failure && !gv_pg_is_refusal(failure)) {
        if (!gv_pg_again(job, failure, true)) {         /* the same identity again does nothing */
            end_chunk(chunk, failure);
            return;
        }
    } else {
        settle(chunk, range, failure);
        job->tries = 0;
        job->mended = false;
    }
    if (!chunk->range_count)
        end_chunk(chunk, NULL);
    else if (job->on)
        begin(job);
    else
        gv_pg_hand_out(job->self);
}

static gv_pg_chunk *make(gv_pg *self, size_t room)
{
    gv_pg_chunk *chunk = gv_pg_job_new(self, sizeof *chunk, NULL);
    if (!chunk)
        return NULL;
    chunk->items = gv_alloc(room * sizeof *chunk->items);
    if (!chunk->items) {
        gv_free(chunk);
        return NULL;
    }
    chunk->job.begin = begin;
    chunk->job.ended = ended;
    chunk->job.wanted = is_wanted;
    chunk->job.drop = drop;
    chunk->job.op_at = op_at;
    return chunk;
}

/* Ready to be begun. */
static void arm(gv_pg_chunk *chunk, gv_pg_connection *connection)
{
    chunk->ranges[0] = (gv_pg_range){0, chunk->count};
    chunk->range_count = 1;
    for (size_t i = 0; i < chunk->count; i++) {
        uint64_t due = gv_pg_due(chunk->items[i].op);
        if (!due || (i && !chunk->job.due))
            chunk->job.due = 0;
        else if (due > chunk->job.due)
            chunk->job.due = due;
    }
    chunk->job.sequence = chunk->items[0].op->sequence;
    connection->job = &chunk->job;
}

static bool is_plain(const gavat_op *op)
{
    return op->kind->place == GV_LOG_EVENT || op->kind->place == GV_LOG_SALE || op->kind->place == GV_LOG_MESSAGE;
}

bool gv_pg_start_chunk(gv_pg_connection *connection)
{
    gv_link *link;
    gv_pg_chunk *chunk = make(connection->self, GV_PG_BATCH);
    while ((link = gv_list_first(&connection->lane)) && (!chunk || chunk->count < GV_PG_BATCH)) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (!is_plain(op))
            break;
        gv_list_remove(link);
        gv_prefetch(connection->lane.head.next, sizeof *op);
        if (chunk && gv_op_take(op)) {
            const gv_log_request *request = op->request;
            chunk->items[chunk->count++] = (gv_pg_item){op, 0, request->kind, request->record, false};
            continue;
        }
        if (!chunk)
            gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory to ask the store");
        gv_op_finish(op);
    }
    if (chunk && chunk->count) {
        arm(chunk, connection);
        return true;
    }
    if (chunk)
        free_chunk(chunk);
    gv_pg_hand_out(connection->self);
    return false;
}

bool gv_pg_import_chunk(gv_pg *self, const gv_pg_item *items, size_t count, gv_pg_part_done *done)
{
    gv_pg_chunk *chunk = make(self, count);
    if (!chunk)
        return false;
    memcpy(chunk->items, items, count * sizeof *items);
    chunk->count = count;
    chunk->done = done;
    arm(chunk, &self->connections[0]);
    gv_pg_hand_out(self);
    return true;
}
