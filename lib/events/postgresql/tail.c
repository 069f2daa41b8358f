/* tail.c: a long poll for what is committed next. While tails wait, one question for all of them (tail_poll.c) asks a few times a second
 * for the snapshot; where that is another one, what lies between is read in slices, once for all that go the same way. Writers notice
 * nothing of it. */
#include "tail.h"
#include "../../base/clock.h"
#include "../statements.h"
#include <stdlib.h>

#define SLICE 1000              /* rows, at most */

static void wait_for_news(gv_pg_tail *tail)
{
    gv_list_append(&tail->job.self->tails, &tail->waiting);
    gv_pg_hand_out(tail->job.self);
}

void gv_pg_tail_finish(gv_pg_tail *tail)
{
    gavat_op *op = tail->op;
    gv_pg *self = tail->job.self;
    gv_link *link;
    while ((link = gv_list_take(&tail->followers)))     /* it has read nothing for them: each goes for itself */
        gv_pg_queue_read(self, &gv_pg_tail_at(link)->job);
    gv_list_remove(&tail->waiting);
    gv_pg_place_free(&tail->place);
    gv_free(tail);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

static void fail(gv_pg_tail *tail, const gv_pg_failure *failure)
{
    gv_op_drop_result(tail->op);
    gv_pg_fail(tail->op, failure, 0, "reading");
    gv_pg_tail_finish(tail);
}

/* What one has read is what its followers would have read. */
static void share(gv_pg_tail *tail, const gv_result *found)
{
    gv_link *link;
    while ((link = gv_list_take(&tail->followers))) {
        gv_pg_tail *follower = gv_pg_tail_at(link);
        gv_result *own = gv_op_result(follower->op);
        bool good = own;
        for (size_t i = 0; good && i < found->count; i++) {
            void *record = gv_arena_alloc(&own->arena, gv_record_measure(&gv_events_kind, found->records[i]));
            if (record)
                gv_record_copy(&gv_events_kind, record, found->records[i]);
            good = record && gv_result_add(own, record);
        }
        if (good) {
            own->shape = found->shape;
            own->cursor = gv_arena_copy_text(&own->arena, found->cursor);
        }
        if (good && own->cursor) {
            gv_op_succeed(follower->op, GAVAT_REACHED_NONE);
        } else {
            gv_op_drop_result(follower->op);
            gv_op_fail(follower->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
        }
        gv_pg_tail_finish(follower);
    }
}

void gv_pg_tail_answer(gv_pg_tail *tail)
{
    gavat_op *op = tail->op;
    gv_result *result = tail->failed ? NULL : gv_op_result(op);
    gv_text text = {0};
    if (result) {
        gv_pg_place_print(&text, &tail->place);
        result->shape = &tail->query->kind->shape;
        result->cursor = gv_tail_cursor(&result->arena, &text);
    }
    gv_text_free(&text);
    if (result && result->cursor) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        if (result->count)
            share(tail, result);
    } else {
        gv_op_drop_result(op);
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
    }
    gv_pg_tail_finish(tail);
}

/* It is not to wait any longer; hard: nor to look any further. */
bool gv_pg_tail_is_late(const gv_pg_tail *tail, bool hard)
{
    uint64_t due = tail->op->deadline.due, grace = hard ? GV_POLL_GRACE / 2 : GV_POLL_GRACE;
    return (due > grace && gv_clock_steady() >= due - grace) || atomic_load(&tail->op->client->closing);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_tail *)job)->op);
}

/* The last word where nothing more can be read: what is known so far is an answer while the store is being closed. */
void gv_pg_tail_give_up(gv_pg_tail *tail, const gv_pg_failure *failure)
{
    if (tail->job.self->closing && tail->place.mode != GV_PG_NOWHERE)
        gv_pg_tail_answer(tail);
    else
        fail(tail, failure);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_tail_give_up((gv_pg_tail *)job, failure);
}

/* --- a slice --- */

static void add_open(gv_pg_params *params, const gv_pg_snapshot *snapshot)
{
    gv_pg_begin_array(params, 20, snapshot->count);
    for (size_t i = 0; i < snapshot->count; i++)
        gv_pg_put_int8(params, snapshot->open[i]);
    params->failed |= params->arrays.failed;
}

static void add_select(gv_text *sql, const char *last)
{
    gv_text_adds(sql, "SELECT ");
    gv_add_columns(sql, &gv_events_kind);
    gv_text_addf(sql, ", %s FROM event_logs WHERE ", last);
}

/* Those that were open and are closed now, one after another. */
static void ask_early(gv_pg_tail *tail, gv_text *sql, gv_pg_params *params, const gv_pg_snapshot *closed)
{
    gv_text_adds(sql, "SELECT e.* FROM unnest($1::int8[]) AS w (x) CROSS JOIN LATERAL (");
    add_select(sql, "xact AS writer");
    gv_text_addf(sql, "xact = w.x AND id > CASE WHEN w.x = $2 THEN $3 ELSE '-9223372036854775808'::int8 END ORDER BY id LIMIT %zu) AS e "
                 "ORDER BY writer, id LIMIT %zu", tail->slice, tail->slice);
    add_open(params, closed);
    gv_pg_add_int8(params, true, tail->place.key);
    gv_pg_add_int8(params, true, tail->place.id);
}

static void ask_late(gv_pg_tail *tail, gv_text *sql, gv_pg_params *params, const gv_pg_snapshot *base, const gv_pg_snapshot *target)
{
    bool inside = tail->place.key >= base->next;
    add_select(sql, "xact");
    gv_text_addf(sql, "xact >= $1 AND (xact, id) > ($1, $2) AND xact < $3 AND xact <> ALL ($4) ORDER BY xact, id LIMIT %zu", tail->slice);
    gv_pg_add_int8(params, true, inside ? tail->place.key : base->next);
    gv_pg_add_int8(params, true, inside ? tail->place.id : INT64_MIN);
    gv_pg_add_int8(params, true, target->next);
    add_open(params, target);
}

/* All that the filter asks is in the statement: this is a query like a page, not the feed. */
static void ask_since(gv_pg_tail *tail, gv_text *sql, gv_pg_params *params, const gv_pg_snapshot *target)
{
    add_select(sql, "timestamp");
    gv_text_adds(sql, "timestamp >= $1 AND (timestamp, id) > ($1, $2) AND (xact IS NULL OR (xact < $3 AND xact <> ALL ($4)))");
    gv_pg_add_raw_time(params, true, tail->place.key);
    gv_pg_add_int8(params, true, tail->place.id);
    gv_pg_add_int8(params, true, target->next);
    add_open(params, target);
    for (unsigned by = 0; by < GV_BY_COUNT; by++) {
        if (!tail->query->by[by])
            continue;
        gv_pg_add_text(params, tail->query->by[by]);
        gv_text_addf(sql, " AND %s = $%d", gv_filter_field(&gv_events_kind, by)->name, params->count);
    }
    gv_text_addf(sql, " ORDER BY timestamp, id LIMIT %zu", tail->slice);
}

static bool has_filter(const gv_query *query)
{
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        if (query->by[by])
            return true;
    return false;
}

static size_t slice_of(const gv_pg_tail *tail)
{
    const gv_result *result = tail->op->staged.result;
    size_t missing = tail->query->limit - (result ? result->count : 0);
    if (tail->place.mode == GV_PG_WALKING && has_filter(tail->query))
        return SLICE;           /* most of them will not match */
    return missing < SLICE ? missing : SLICE;
}

static void begin(gv_pg_job *job)
{
    gv_pg_tail *tail = (gv_pg_tail *)job;
    gv_pg_place *place = &tail->place;
    gv_pg_snapshot base = {0}, target = {0};
    gv_text sql = {0};
    gv_pg_params params = {0};
    tail->slice = slice_of(tail);
    tail->rows = 0;
    bool good = gv_pg_snapshot_parse(place->target, &target);
    if (good && place->mode == GV_PG_SINCE) {
        ask_since(tail, &sql, &params, &target);
    } else if (good && gv_pg_snapshot_parse(place->base, &base)) {
        int64_t next = base.next;
        bool open = place->key < next;
        if (open)
            gv_pg_snapshot_closed(&base, &target, place->key);
        tail->early = open && base.count > 0 && tail->early;
        if (tail->early)
            ask_early(tail, &sql, &params, &base);
        else
            ask_late(tail, &sql, &params, &base, &target);
    } else {
        params.failed = true;
    }
    params.failed |= sql.failed;
    gv_pg_send(job, gv_text_get(&sql), &params, 0);
    gv_pg_sync(job);
    gv_pg_params_free(&params);
    gv_text_free(&sql);
    gv_pg_snapshot_free(&base);
    gv_pg_snapshot_free(&target);
}

/* The columns are those of the fields, in order: an event has no amounts. */
static bool matches(const gv_pg_tail *tail, const PGresult *result, int row)
{
    for (unsigned by = 0; by < GV_BY_COUNT; by++) {
        const char *wanted = tail->query->by[by];
        if (!wanted)
            continue;
        int column = (int)(gv_filter_field(&gv_events_kind, by) - gv_events_kind.fields);
        const char *text = gv_pg_string(result, row, column);
        if (!text || strcmp(text, wanted) != 0)
            return false;
    }
    return true;
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_tail *tail = (gv_pg_tail *)job;
    gv_result *out = gv_op_result(tail->op);
    int last = PQnfields(result) - 1;
    (void)tag;
    tail->rows = (size_t)PQntuples(result);
    tail->failed |= !out;
    for (int row = 0; row < (int)tail->rows && !tail->failed && !tail->full; row++) {
        if (matches(tail, result, row)) {
            void *record = gv_pg_record(&out->arena, &gv_events_kind, result, row);
            tail->failed = !record || !gv_result_add(out, record);
        }
        tail->place.key = gv_pg_integer(result, row, last);
        tail->place.id = gv_pg_integer(result, row, 0);
        tail->full = out->count >= tail->query->limit || out->arena.bytes >= tail->query->max_bytes;
    }
}

/* All is read, and there was nothing: neither was there for the followers. */
static void rest(gv_pg_tail *tail)
{
    gv_link *link;
    while ((link = gv_list_take(&tail->followers))) {
        gv_pg_place_arrive(&gv_pg_tail_at(link)->place);
        wait_for_news(gv_pg_tail_at(link));
    }
    wait_for_news(tail);
}

/* Behind a slice. */
static void go_on(gv_pg_tail *tail)
{
    const gv_result *result = tail->op->staged.result;
    bool more = tail->rows == tail->slice;
    tail->job.tries = 0;
    if (!is_wanted(&tail->job)) {
        gv_pg_tail_finish(tail);
        return;
    }
    if (tail->full || tail->failed) {
        gv_pg_tail_answer(tail);
        return;
    }
    if (!more && tail->place.mode == GV_PG_WALKING && tail->early) {
        tail->early = false;
        more = true;
    }
    if (!more)
        gv_pg_place_arrive(&tail->place);
    if ((!more && result && result->count) || gv_pg_tail_is_late(tail, more))
        gv_pg_tail_answer(tail);
    else if (more)
        begin(&tail->job);
    else
        rest(tail);
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_tail *tail = (gv_pg_tail *)job;
    if (!failure)
        go_on(tail);
    else if (!gv_pg_again(job, failure, true))
        gv_pg_tail_give_up(tail, failure);
    else if (job->on)
        begin(job);
    else
        gv_pg_queue_read(job->self, job);
}

bool gv_pg_start_tail(gv_pg *self, gavat_op *op)
{
    gv_pg_tail *tail = gv_pg_job_new(self, sizeof *tail, op);
    if (!tail)
        return false;
    tail->op = op;
    tail->query = op->request;
    gv_list_init(&tail->followers);
    tail->job.begin = begin;
    tail->job.result = take;
    tail->job.ended = ended;
    tail->job.wanted = is_wanted;
    tail->job.drop = drop;
    if (tail->query->cursor && !gv_pg_place_parse(&tail->place, tail->query->cursor)) {
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "filter: this cursor is not one that a tail of this store gave");
        gv_pg_tail_finish(tail);
        return false;
    }
    self->poll_due = true;
    wait_for_news(tail);
    return true;
}
