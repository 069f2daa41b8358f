/* tail.c: a long poll for what is committed next, by a thread of its own, which begins with the first tail. One writer at a time: so the rows
 * behind an id are those that were committed after it, whichever program wrote them; but for ids that are given again, see the cuts in
 * schema.c. What costs next to nothing is asked ten times a second: whether the file was changed. */
#include "page.h"
#include "../../base/clock.h"
#include "../statements.h"
#include <inttypes.h>
#include <stdio.h>

#define LOOK_MS 100
#define SCANNED 50000           /* rows looked at between two looks at the clock */

typedef struct gv_tail {
    gv_link link;
    gavat_op *op;
    char instance[36];          /* of the table of cuts: the store that the cursor is of; "": it begins with the next look */
    int64_t cut, id;            /* the last cut, and the last id, that it knows */
    bool since;                 /* by time, behind (time, at), what is not above id; then the rest */
    int64_t at;
    char *time;                 /* as it is stored; owned */
    uint64_t seen;              /* version of the file at the last look that found no more; 0: there was none */
} gv_tail;

typedef struct gv_tailer {
    gv_sqlite *self;
    gv_connections own;
    gv_list tails;
    uint64_t version;           /* of the file: changes with every commit, and with the connection */
    int64_t data_version;
    sqlite3 *handle;            /* whose data_version that is */
} gv_tailer;

/* --- cursors --- */

static void print_place(gv_text *out, const gv_tail *tail)
{
    gv_text_addf(out, "s1 %s %" PRId64 " %" PRId64, tail->instance, tail->cut, tail->id);
    if (tail->since)
        gv_text_addf(out, " %" PRId64 " %s", tail->at, tail->time);
}

static bool parse_place(gv_tail *tail, const char *cursor)
{
    int read = 0, more = 0;
    if (sscanf(cursor, "s1 %32[0-9a-f] %19" SCNd64 " %19" SCNd64 "%n", tail->instance, &tail->cut, &tail->id, &read) != 3)
        return false;
    if (!cursor[read])
        return true;
    if (sscanf(cursor + read, " %20" SCNd64 "%n", &tail->at, &more) != 1 || cursor[read + more] != ' ')
        return false;
    tail->since = true;
    tail->time = gv_copy_text(cursor + read + more + 1);
    return tail->time;
}

static void finish(gv_tail *tail)
{
    gavat_op *op = tail->op;
    gv_list_remove(&tail->link);
    gv_free(tail->time);
    gv_free(tail);
    gv_op_charge(op);
    gv_op_finish(op);
}

static void fail_memory(gv_tail *tail)
{
    gv_op_drop_result(tail->op);
    gv_op_fail(tail->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
    finish(tail);
}

static void answer(gv_tail *tail)
{
    gv_result *result = gv_op_result(tail->op);
    gv_text text = {0};
    print_place(&text, tail);
    if (result) {
        result->shape = &gv_events_kind.shape;
        result->cursor = gv_tail_cursor(&result->arena, &text);
    }
    gv_text_free(&text);
    if (!result || !result->cursor) {
        fail_memory(tail);
        return;
    }
    gv_op_succeed(tail->op, GAVAT_REACHED_NONE);
    finish(tail);
}

/* --- a look --- */

static bool begin_since(gv_tail *tail, gavat_time since)
{
    char text[27];
    gv_time_to_sql_bound(since, text);
    tail->time = gv_copy_text(text);
    tail->at = INT64_MIN;
    tail->since = true;
    return tail->time;
}

/* Where the store is now, and what its cuts mean for the tail. SQLITE_OK, or the code; *stale: the cursor does not belong here. */
static int orient(gv_database *db, gv_tail *tail, bool *stale)
{
    int code;
    sqlite3_stmt *row = gv_database_prepare(db, "SELECT (SELECT instance FROM gavat_event_cuts WHERE number = 1), (SELECT max(number) FROM "
                                            "gavat_event_cuts), (SELECT min(low) FROM gavat_event_cuts WHERE number > ?1), "
                                            "(SELECT max(id) FROM event_logs)", &code);
    if (!row)
        return code;
    bool fresh = !*tail->instance;
    sqlite3_bind_int64(row, 1, tail->cut);
    code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        const char *instance = (const char *)sqlite3_column_text(row, 0);
        int64_t cut = sqlite3_column_int64(row, 1), newest = sqlite3_column_int64(row, 3);
        *stale = !fresh && (!instance || strcmp(instance, tail->instance) != 0 || cut < tail->cut);
        if (fresh)
            snprintf(tail->instance, sizeof tail->instance, "%s", instance ? instance : "");
        if (!fresh && cut > tail->cut && sqlite3_column_int64(row, 2) < tail->id)
            tail->id = sqlite3_column_int64(row, 2);
        *stale = *stale || (!fresh && tail->id > newest);
        tail->id = fresh ? newest : tail->id;
        tail->cut = cut;
    }
    sqlite3_reset(row);
    if (code == SQLITE_ROW)
        return *tail->instance ? SQLITE_OK : SQLITE_CORRUPT;
    return code;
}

static sqlite3_stmt *prepare(gv_tailer *tailer, const gv_tail *tail, int *code)
{
    gv_text sql = {0};
    gv_text_adds(&sql, "SELECT ");
    gv_add_columns(&sql, &gv_events_kind);
    gv_text_adds(&sql, tail->since ? ", timestamp FROM event_logs WHERE timestamp >= ?2 AND (timestamp, id) > (?2, ?3) AND id <= ?1 "
                                     "ORDER BY timestamp, id"
                                   : " FROM event_logs WHERE id > ?1 ORDER BY id");
    *code = SQLITE_NOMEM;
    sqlite3_stmt *row = sql.failed ? NULL : gv_database_prepare(&tailer->own.db, gv_text_get(&sql), code);
    gv_text_free(&sql);
    if (!row)
        return NULL;
    sqlite3_bind_int64(row, 1, tail->id);
    if (tail->since) {
        sqlite3_bind_text(row, 2, tail->time, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(row, 3, tail->at);
    }
    return row;
}

/* The row was looked at. False: no memory. */
static bool note_place(gv_tail *tail, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0);
    if (!tail->since) {
        tail->id = id;
        return true;
    }
    const char *time = (const char *)sqlite3_column_text(row, sqlite3_column_count(row) - 1);
    char *copy = time ? gv_copy_text(time) : NULL;
    if (!copy)
        return false;
    gv_free(tail->time);
    tail->time = copy;
    tail->at = id;
    return true;
}

/* SQLITE_DONE: it has seen all of this kind; SQLITE_ROW: it has enough for now; else what went wrong. */
static int read_rows(gv_tailer *tailer, gv_tail *tail, gv_result *result)
{
    const gv_query *query = tail->op->request;
    int code;
    size_t scanned = 0;
    sqlite3_stmt *row = prepare(tailer, tail, &code);
    if (!row)
        return code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        if (gv_sqlite_matches(row, query, GV_BY_COUNT)) {
            void *record = gv_sqlite_record(&result->arena, row, &gv_events_kind);
            if (!record || !gv_result_add(result, record))
                code = SQLITE_NOMEM;
        }
        if (code == SQLITE_ROW && !note_place(tail, row))
            code = SQLITE_NOMEM;
        if (code != SQLITE_ROW || result->count >= query->limit || result->arena.bytes >= query->max_bytes || ++scanned == SCANNED)
            break;
    }
    int text = sqlite3_reset(row);      /* a text that there was no memory for */
    return code == SQLITE_DONE || code == SQLITE_ROW ? (text == SQLITE_OK ? code : text) : code;
}

static int look_inside(gv_tailer *tailer, gv_tail *tail, bool *stale)
{
    const gv_query *query = tail->op->request;
    bool fresh = !*tail->instance;
    gv_result *result = gv_op_result(tail->op);
    int code = result ? orient(&tailer->own.db, tail, stale) : SQLITE_NOMEM;
    if (code != SQLITE_OK || *stale)
        return code;
    if (fresh && query->since && !begin_since(tail, query->since))
        return SQLITE_NOMEM;
    code = read_rows(tailer, tail, result);
    if (code != SQLITE_DONE || !tail->since)
        return code;
    tail->since = false;
    return result->count ? SQLITE_ROW : read_rows(tailer, tail, result);
}

/* What is there to be told. False: the tail has ended. */
static bool look(gv_tailer *tailer, gv_tail *tail)
{
    gv_database *db = &tailer->own.db;
    bool stale = false;
    int code = gv_database_do(db, "BEGIN");     /* one state of the file for all questions */
    if (code == SQLITE_OK)
        code = look_inside(tailer, tail, &stale);
    bool found = code == SQLITE_DONE || code == SQLITE_ROW;
    if (!stale && !found && code != SQLITE_NOMEM) {
        gv_op_drop_result(tail->op);
        gv_sqlite_fail(tail->op, db, code, 0, "reading");
        finish(tail);
        gv_database_close(db);
        return false;
    }
    gv_database_undo(db);
    if (stale) {
        gv_op_drop_result(tail->op);
        gv_op_fail(tail->op, GAVAT_ENOTFOUND, 0, "", "the cursor is of another store, or ahead of this one (a backup was restored): begin "
                   "anew, with since where something may have been missed");
        finish(tail);
    } else if (!found) {
        fail_memory(tail);
    } else if (tail->op->staged.result->count) {
        answer(tail);
    } else {
        tail->seen = code == SQLITE_DONE ? tailer->version : 0;
        return true;
    }
    return false;
}

/* It is not to wait any longer; while there is more to look at, a little longer. */
static bool is_late(const gv_tail *tail)
{
    uint64_t due = tail->op->deadline.due, grace = tail->seen ? GV_POLL_GRACE : GV_POLL_GRACE / 2;
    return (due > grace && gv_clock_steady() >= due - grace) || atomic_load(&tail->op->client->closing);
}

/* The file's version, the connection open. SQLITE_OK, or the code. */
static int refresh(gv_tailer *tailer)
{
    gv_database *db = &tailer->own.db;
    gv_database_options options = tailer->self->options;
    int64_t now = 0;
    int code = SQLITE_OK;
    options.create = false;
    options.busy_ms = 1000;
    options.cache_bytes = 4 << 20;
    if (!db->handle && (code = gv_database_open(db, tailer->self->path, &options)) == SQLITE_OK)
        tailer->handle = NULL;
    if (code == SQLITE_OK)
        code = gv_database_ask(db, "PRAGMA data_version", &now);
    if (code == SQLITE_OK && (tailer->handle != db->handle || now != tailer->data_version)) {
        tailer->version++;
        tailer->handle = db->handle;
        tailer->data_version = now;
    }
    return code;
}

static void serve(gv_tailer *tailer, gv_tail *tail, bool stopping)
{
    gavat_op *op = tail->op;
    if (!gv_op_wanted(op)) {
        finish(tail);
        return;
    }
    int code = refresh(tailer);
    if (code != SQLITE_OK) {
        gv_op_drop_result(op);
        gv_sqlite_fail(op, &tailer->own.db, code, 0, "opening");
        finish(tail);
        return;
    }
    if (tail->seen != tailer->version && !look(tailer, tail))
        return;
    if (stopping || is_late(tail))
        answer(tail);
}

/* Those that have an answer get it. How long the others can wait. */
static uint32_t serve_all(gv_tailer *tailer, bool stopping)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(&tailer->tails); link && link != &tailer->tails.head; link = next) {
        next = link->next;
        serve(tailer, GV_CONTAINER(link, gv_tail, link), stopping);
    }
    uint64_t now = gv_clock_steady();
    uint32_t wait = gv_list_empty(&tailer->tails) ? UINT32_MAX : LOOK_MS;
    for (gv_link *link = gv_list_first(&tailer->tails); link && link != &tailer->tails.head; link = link->next) {
        const gv_tail *tail = GV_CONTAINER(link, gv_tail, link);
        uint64_t due = tail->op->deadline.due, left = LOOK_MS;
        if (due > GV_POLL_GRACE)
            left = due - GV_POLL_GRACE > now ? (due - GV_POLL_GRACE - now) / 1000000 + 1 : 0;
        if (!tail->seen)
            left = 0;
        wait = left < wait ? (uint32_t)left : wait;
    }
    return wait;
}

static void take_in(gv_tailer *tailer, gavat_op *op)
{
    const gv_query *query = op->request;
    if (!gv_op_take(op) || !gv_op_fits(op)) {
        gv_op_finish(op);
        return;
    }
    gv_tail *tail = gv_alloc_zero(sizeof *tail);
    if (tail && query->cursor && !parse_place(tail, query->cursor))
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "filter: this cursor is not one that a tail of this store gave");
    else if (!tail)
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory to wait for news");
    if (op->staged.error.status == GAVAT_OK) {
        tail->op = op;
        gv_list_append(&tailer->tails, &tail->link);
        return;
    }
    if (tail)
        gv_free(tail->time);
    gv_free(tail);
    gv_op_finish(op);
}

void gv_sqlite_tail(gv_worker *worker)
{
    gv_sqlite *self = worker->self;
    gv_tailer tailer = {.self = self};
    uint32_t wait = UINT32_MAX;
    gv_list_init(&tailer.tails);
    gv_sqlite_join(self, &tailer.own);
    for (;;) {
        gv_list ops;
        gv_link *link;
        gv_list_init(&ops);
        gv_worker_wait(worker, wait);
        bool stopping = gv_worker_stopping(worker);
        gv_worker_take(worker, &ops, SIZE_MAX);
        if (stopping && gv_list_empty(&ops) && gv_list_empty(&tailer.tails))
            break;
        while ((link = gv_list_take(&ops)))
            take_in(&tailer, GV_CONTAINER(link, gavat_op, link));
        gv_sqlite_hold_files(self, &tailer.own);
        wait = serve_all(&tailer, stopping);
        gv_sqlite_let_files_go(self);
    }
    gv_sqlite_leave(self, &tailer.own);
}

void gv_sqlite_push_tail(gv_sqlite *self, gavat_op *op)
{
    pthread_mutex_lock(&self->lock);
    bool start = !self->tailing && !self->closing;
    if (start) {
        self->running++;
        self->tailing = gv_worker_start(&self->tailer);
        self->running -= !self->tailing;
    }
    bool failed = start && !self->tailing;
    pthread_mutex_unlock(&self->lock);
    if (!failed) {
        gv_worker_push(&self->tailer, op);
        return;
    }
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no thread could be started: check the limit of processes (ulimit -u)");
    gv_op_finish(op);
}
