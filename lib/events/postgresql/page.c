/* page.c: pages of records, read in slices: each is a statement of its own that goes on where the last one ended. All that a filter asks is
 * in the statement; a keyword is looked for again here, row by row, with the library's own folding. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../base/fold.h"
#include "../statements.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SLICE 1000              /* rows, at most */
#define SCANNED 50000           /* rows looked at for one page: then it ends with a cursor, however few matched */

enum { BOUND_BY = 8, BOUND_FLAG = BOUND_BY + GV_BY_COUNT };

typedef struct gv_pg_page {
    gv_pg_job job;
    gavat_op *op;
    gv_query query;             /* after: the row that was seen last */
    char phase;                 /* 't': rows with a time; 'n': those without one */
    char time_text[24], uid_text[37];
    size_t scanned, slice, rows;        /* rows: in the last slice */
    bool full, more, failed;
    int message, type;          /* columns, of a search */
    gv_text scratch;
    gv_text pattern;            /* for LIKE; empty: there is no column to ask */
} gv_pg_page;

static void finish(gv_pg_page *page)
{
    gavat_op *op = page->op;
    gv_pg *self = page->job.self;
    gv_text_free(&page->scratch);
    gv_text_free(&page->pattern);
    gv_free(page);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

static void fail(gv_pg_page *page, const gv_pg_failure *failure)
{
    gv_op_drop_result(page->op);
    gv_pg_fail(page->op, failure, 0, "reading");
    finish(page);
}

static bool is_wanted(const gv_pg_job *job)
{
    return gv_op_wanted(((const gv_pg_page *)job)->op);
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    fail((gv_pg_page *)job, failure);
}

/* --- the statement --- */

static void add_conditions(gv_text *sql, const gv_pg_page *page)
{
    const gv_query *query = &page->query;
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        if (query->by[by] && by != gv_indexed_by(query))
            gv_text_addf(sql, " AND %s = $%u", gv_filter_field(query->kind, by)->name, BOUND_BY + by);
    if (query->flag)
        gv_text_addf(sql, " AND %s = $%d", query->kind == &gv_messages_kind ? "success" : "is_active", BOUND_FLAG);
    if (!page->pattern.length)
        return;
    gv_text_addf(sql, " AND (folded LIKE $%d OR ", GV_BOUND_AMONG);
    gv_pg_add_stale_sql(sql);
    gv_text_addc(sql, ')');
}

static void add_params(gv_pg_params *params, const gv_pg_page *page)
{
    const gv_query *query = &page->query;
    unsigned indexed = gv_indexed_by(query);
    bool after = query->after.type == 'i' && page->phase == 't';
    gv_pg_add_text(params, indexed < GV_BY_COUNT ? query->by[indexed] : NULL);
    gv_pg_add_time(params, query->since);
    gv_pg_add_time(params, query->until);
    gv_pg_add_raw_time(params, after, after ? strtoll(query->after.time, NULL, 10) : 0);
    gv_pg_add_uid(params, query->after.uid);
    gv_pg_add_int8(params, true, query->after.id);
    gv_pg_add_text(params, page->pattern.length ? gv_text_get(&page->pattern) : NULL);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        gv_pg_add_text(params, query->by[by]);
    gv_pg_add_flag(params, query->flag);
}

/* How many rows to ask for: those that are missing and one that tells whether there are more; later slices as large as the bytes allow. */
static size_t slice_of(const gv_pg_page *page)
{
    const gv_result *result = page->op->staged.result;
    size_t have = result ? result->count : 0, missing = page->query.limit - have;
    if (page->full)
        return 1;
    if (page->query.keyword.data && !page->pattern.length)
        return SLICE;           /* most of them will not match */
    if (missing + 1 < SLICE)
        return missing + 1;
    return SLICE;
}

static void begin(gv_pg_job *job)
{
    gv_pg_page *page = (gv_pg_page *)job;
    gv_text sql = {0};
    gv_pg_params params = {0};
    page->slice = slice_of(page);
    page->rows = 0;
    gv_add_page_sql(&sql, &page->query, page->query.kind->table, page->phase, '$');
    add_conditions(&sql, page);
    gv_add_page_order(&sql, page->query.kind);
    gv_text_addf(&sql, " LIMIT %zu", page->slice);
    add_params(&params, page);
    params.failed |= sql.failed;
    if (page->pattern.length)
        gv_pg_send_once(job, gv_text_get(&sql), &params, 0);
    else
        gv_pg_send(job, gv_text_get(&sql), &params, 0);
    gv_pg_sync(job);
    gv_pg_params_free(&params);
    gv_text_free(&sql);
}

/* --- the rows --- */

static int column_named(const gv_record_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->count; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            return (int)i;
    return 0;
}

static bool holds(gv_pg_page *page, const PGresult *result, int row, int column)
{
    gv_slice text = gv_pg_text(result, row, column);
    if (!text.data)
        return false;
    bool found = gv_fold_contains(text, page->query.keyword, &page->scratch);
    page->failed |= page->scratch.failed;
    return found;
}

static bool matches(gv_pg_page *page, const PGresult *result, int row)
{
    return !page->query.keyword.data || holds(page, result, row, page->message) || holds(page, result, row, page->type);
}

/* The last column is the time once more; of kinds with a uid that stands before it. */
static void note_position(gv_pg_page *page, const PGresult *result, int row)
{
    gv_position *after = &page->query.after;
    int last = PQnfields(result) - 1;
    bool timeless = gv_pg_is_null(result, row, last);
    snprintf(page->time_text, sizeof page->time_text, "%" PRId64, gv_pg_integer(result, row, last));
    page->uid_text[0] = '\0';
    if (page->query.kind->uid)
        gv_pg_uid(result, row, last - 1, page->uid_text);
    after->type = timeless ? 'n' : 'i';
    after->time = timeless ? "" : page->time_text;
    after->uid = *page->uid_text ? page->uid_text : NULL;
    after->id = gv_pg_integer(result, row, 0);
}

static void take_row(gv_pg_page *page, gv_result *out, const PGresult *result, int row)
{
    page->scanned++;
    if (matches(page, result, row)) {
        void *record = gv_pg_record(&out->arena, page->query.kind, result, row);
        page->failed |= !record || !gv_result_add(out, record);
    }
    note_position(page, result, row);
    if (out->count < page->query.limit && out->arena.bytes < page->query.max_bytes && page->scanned < SCANNED)
        return;
    page->full = true;
    out->cursor = gv_position_print(&out->arena, page->query.kind, &page->query.after);
    page->failed |= !out->cursor;
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_page *page = (gv_pg_page *)job;
    gv_result *out = gv_op_result(page->op);
    (void)tag;
    page->rows = (size_t)PQntuples(result);
    if (!out) {
        page->failed = true;
        return;
    }
    out->shape = &page->query.kind->shape;
    for (int row = 0; row < (int)page->rows && !page->failed && !page->more; row++) {
        if (page->full)
            page->more = true;
        else
            take_row(page, out, result, row);
    }
}

/* True: there is nothing more to ask. */
static bool is_complete(gv_pg_page *page)
{
    if (page->more || page->failed)
        return true;
    if (page->rows == page->slice)
        return false;
    if (page->phase == 'n' || page->query.since || page->query.until)
        return true;
    page->phase = 'n';
    if (page->query.after.type == 'i')
        page->query.after.type = 0;
    return false;
}

static void succeed(gv_pg_page *page)
{
    gv_result *result = gv_op_result(page->op);
    if (page->failed || !result) {
        gv_op_drop_result(page->op);
        gv_op_fail(page->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
    } else {
        result->shape = &page->query.kind->shape;
        if (!page->more)
            result->cursor = NULL;
        gv_op_succeed(page->op, GAVAT_REACHED_NONE);
    }
    if (page->op->kind->place == GV_GET_SESSION && page->op->staged.error.status == GAVAT_OK) {
        result->cursor = NULL;
        if (!result->count)
            gv_op_fail(page->op, GAVAT_ENOTFOUND, 0, "", "there is no session of this user");
    }
    finish(page);
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_page *page = (gv_pg_page *)job;
    if (failure) {
        if (!gv_pg_again(job, failure, true)) {
            fail(page, failure);
            return;
        }
        if (!job->on) {         /* the slice was not taken: the same again */
            gv_pg_queue_read(job->self, job);
            return;
        }
    } else if (!is_wanted(job) || is_complete(page)) {
        succeed(page);
        return;
    }
    begin(job);
}

/* The keyword between two %, taken literally. */
static void make_pattern(gv_pg_page *page)
{
    gv_slice keyword = page->query.keyword;
    if (!page->job.self->search_index || !keyword.length)
        return;
    if (gv_clock_steady() >= page->job.self->fold_at)
        page->job.self->fold_due = true;
    gv_text_addc(&page->pattern, '%');
    for (size_t i = 0; i < keyword.length; i++) {
        if (strchr("%_\\", keyword.data[i]) && keyword.data[i])
            gv_text_addc(&page->pattern, '\\');
        gv_text_addc(&page->pattern, keyword.data[i]);
    }
    gv_text_addc(&page->pattern, '%');
    page->failed |= page->pattern.failed;
}

bool gv_pg_start_page(gv_pg *self, gavat_op *op)
{
    gv_pg_page *page = gv_pg_job_new(self, sizeof *page, op);
    if (!page)
        return false;
    page->op = op;
    page->phase = 't';
    if (op->kind->place == GV_GET_SESSION) {
        page->query = (gv_query){.kind = &gv_sessions_kind, .limit = 1, .max_bytes = SIZE_MAX};
        page->query.by[GV_BY_USER] = ((const gv_session_request *)op->request)->user_id;
    } else {
        page->query = *(const gv_query *)op->request;
    }
    page->job.begin = begin;
    page->job.result = take;
    page->job.ended = ended;
    page->job.wanted = is_wanted;
    page->job.drop = drop;
    page->job.heavy = page->query.keyword.data || page->query.limit > 10 * SLICE;
    if (page->query.keyword.data) {
        page->message = column_named(page->query.kind, "message");
        page->type = column_named(page->query.kind, "event_type");
        make_pattern(page);
    }
    if (page->query.after.type == 'n')
        page->phase = 'n';
    if (page->query.after.type && page->query.after.type != 'i' && page->query.after.type != 'n') {
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "filter: this cursor is of another store");
        finish(page);
        return false;
    }
    gv_pg_queue_read(self, &page->job);
    return true;
}
