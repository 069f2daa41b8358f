/* page.c: a page of records: rows into public structs, in the result's arena. */
#include "sqlite.h"
#include "page.h"
#include "../../base/clock.h"
#include "../statements.h"
#include <stdlib.h>
#include <string.h>

/* The ids are looked up one by one; the join's order is fixed by CROSS. */
#define AMONG "(SELECT value AS wanted FROM json_each(?7)) CROSS JOIN event_logs ON event_logs.id = wanted"
#define SCANNED 50000           /* rows looked at for one page: then it ends with a cursor, however few matched */

static const char *copy_column(gv_arena *arena, sqlite3_stmt *row, int column, bool *failed)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(row, column);
    char *copy = text ? gv_arena_copy(arena, text, (size_t)sqlite3_column_bytes(row, column)) : NULL;
    *failed |= !copy;
    return copy;
}

const char *gv_sqlite_money(sqlite3_stmt *row, int column, char text[GV_DECIMAL_ROOM])
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return NULL;
    double number = sqlite3_column_double(row, column);
    return gv_money_text(number, (const char *)sqlite3_column_text(row, column + 1), text);
}

static const char *read_money(gv_arena *arena, sqlite3_stmt *row, int column, bool *failed)
{
    char text[GV_DECIMAL_ROOM];
    const char *money = gv_sqlite_money(row, column, text);
    char *copy = money ? gv_arena_copy_text(arena, money) : NULL;
    *failed |= money && !copy;
    return copy;
}

static gavat_time read_time(sqlite3_stmt *row, int column)
{
    gavat_time time;
    gv_slice text = {(const char *)sqlite3_column_text(row, column), 0};
    if (!text.data)
        return 0;
    text.length = (size_t)sqlite3_column_bytes(row, column);
    return gv_time_parse(text, &time) ? time : 0;
}

/* 0 is not given, -1 is 0; what no record may have costs this value. */
static int64_t read_integer(sqlite3_stmt *row, int column)
{
    int type = sqlite3_column_type(row, column);
    int64_t number = sqlite3_column_int64(row, column);
    if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || number < 0)
        return 0;
    return number ? number : -1;
}

static int32_t read_flag(sqlite3_stmt *row, int column)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return 0;
    return sqlite3_column_int64(row, column) ? 1 : -1;
}

static void read_field(gv_arena *arena, sqlite3_stmt *row, int *column, const gv_field *field, void *record, bool *failed)
{
    void *at = gv_field_at(record, field);
    int place = (*column)++;
    switch (field->type) {
    case GV_FIELD_ID:
        *(int64_t *)at = sqlite3_column_int64(row, place);
        break;
    case GV_FIELD_INTEGER:
        *(int64_t *)at = read_integer(row, place);
        break;
    case GV_FIELD_TIME:
        *(gavat_time *)at = read_time(row, place);
        break;
    case GV_FIELD_FLAG:
        *(int32_t *)at = read_flag(row, place);
        break;
    case GV_FIELD_MONEY:
        *(const char **)at = read_money(arena, row, place, failed);
        ++*column;
        break;
    default:
        *(const char **)at = copy_column(arena, row, place, failed);
    }
}

void *gv_sqlite_record(gv_arena *arena, sqlite3_stmt *row, const gv_record_kind *kind)
{
    bool failed = false;
    int column = 0;
    void *record = gv_arena_alloc(arena, kind->size);
    for (size_t i = 0; record && i < kind->count; i++)
        read_field(arena, row, &column, &kind->fields[i], record, &failed);
    return failed ? NULL : record;
}

static int column_of(const gv_record_kind *kind, const gv_field *wanted)
{
    int column = 0;
    for (size_t i = 0; i < kind->count && &kind->fields[i] != wanted; i++)
        column += kind->fields[i].type == GV_FIELD_MONEY ? 2 : 1;
    return column;
}

static const gv_field *flag_field(const gv_record_kind *kind)
{
    for (size_t i = 0; i < kind->count; i++)
        if (kind->fields[i].type == GV_FIELD_FLAG)
            return &kind->fields[i];
    return NULL;
}

bool gv_sqlite_matches(sqlite3_stmt *row, const gv_query *query, unsigned indexed)
{
    for (unsigned by = 0; by < GV_BY_COUNT; by++) {
        if (!query->by[by] || by == indexed)
            continue;
        int column = column_of(query->kind, gv_filter_field(query->kind, by));
        const char *text = (const char *)sqlite3_column_text(row, column);
        if (!text || strcmp(text, query->by[by]) != 0)
            return false;
    }
    if (!query->flag)
        return true;
    return read_flag(row, column_of(query->kind, flag_field(query->kind))) == query->flag;
}

/* The codes of all bindings, or'ed: nothing but memory fails there. */
static int bind_query(sqlite3_stmt *statement, const gv_query *query)
{
    char text[27];
    int bound = SQLITE_OK;
    unsigned by = gv_indexed_by(query);
    if (by < GV_BY_COUNT)
        bound |= sqlite3_bind_text(statement, GV_BOUND_OWNER, query->by[by], -1, SQLITE_STATIC);
    if (query->since) {
        gv_time_to_sql_bound(query->since, text);
        bound |= sqlite3_bind_text(statement, GV_BOUND_SINCE, text, -1, SQLITE_TRANSIENT);
    }
    if (query->until) {
        gv_time_to_sql_bound(query->until, text);
        bound |= sqlite3_bind_text(statement, GV_BOUND_UNTIL, text, -1, SQLITE_TRANSIENT);
    }
    return bound;
}

static void bind_position(sqlite3_stmt *statement, const gv_position *after)
{
    if (after->type == 't')
        sqlite3_bind_text(statement, GV_BOUND_TIME, after->time, -1, SQLITE_STATIC);
    else if (after->type == 'i')
        sqlite3_bind_int64(statement, GV_BOUND_TIME, strtoll(after->time, NULL, 10));
    else if (after->type == 'f')
        sqlite3_bind_double(statement, GV_BOUND_TIME, gv_decimal_to_double(gv_slice_of(after->time)));
    if (after->uid)
        sqlite3_bind_text(statement, GV_BOUND_UID, after->uid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, GV_BOUND_ID, after->id);
}

/* Where the row is in the order: texts are SQLite's, for this row only. The time stands once more behind the columns. */
static gv_position position_of(sqlite3_stmt *row, const gv_record_kind *kind)
{
    static const char types[] = {[SQLITE_INTEGER] = 'i', [SQLITE_FLOAT] = 'f', [SQLITE_TEXT] = 't', [SQLITE_BLOB] = 't',
                                 [SQLITE_NULL] = 'n'};
    int last = sqlite3_column_count(row) - 1;
    gv_position position = {.type = types[sqlite3_column_type(row, last)], .id = sqlite3_column_int64(row, 0)};
    position.time = (const char *)sqlite3_column_text(row, last);
    if (kind->uid)
        position.uid = (const char *)sqlite3_column_text(row, column_of(kind, kind->uid));
    if (!position.time)
        position.time = "";
    return position;
}

static sqlite3_stmt *start_page(gv_reader *reader, const gv_query *query, char phase, int *code)
{
    gv_text sql = {0};
    gv_add_page_sql(&sql, query, reader->among ? AMONG : query->kind->table, phase, '?');
    gv_add_page_order(&sql, query->kind);
    sqlite3_stmt *statement = NULL;
    *code = SQLITE_NOMEM;
    if (!sql.failed)
        statement = gv_database_prepare(&reader->own.db, gv_text_get(&sql), code);
    gv_text_free(&sql);
    if (!statement)
        return NULL;
    if (bind_query(statement, query) != SQLITE_OK) {
        *code = SQLITE_NOMEM;
        return NULL;
    }
    if (reader->among)
        sqlite3_bind_text(statement, GV_BOUND_AMONG, reader->among, -1, SQLITE_STATIC);
    if (query->after.type && (query->after.type == 'n') == (phase == 'n'))
        bind_position(statement, &query->after);
    return statement;
}

/* True: the page is full, and its cursor is set. *code tells whether another row follows, as sqlite3_step does. */
static bool is_full(gv_result *result, const gv_query *query, sqlite3_stmt *row, size_t scanned, int *code)
{
    if (result->count < query->limit && result->arena.bytes < query->max_bytes && scanned < SCANNED)
        return false;
    gv_position position = position_of(row, query->kind);
    result->cursor = gv_position_print(&result->arena, query->kind, &position);
    *code = result->cursor ? sqlite3_step(row) : SQLITE_NOMEM;
    return true;
}

/* SQLITE_DONE: no more rows in this phase; SQLITE_ROW: the page is full and more follow; else what went wrong. */
static int read_phase(gv_reader *reader, gv_result *result, const gv_query *query, char phase, gv_sqlite_match *match, void *user,
                      size_t *scanned)
{
    int code;
    sqlite3_stmt *row = start_page(reader, query, phase, &code);
    if (!row)
        return code;
    bool full = false;
    unsigned indexed = gv_indexed_by(query);
    while (!full && (code = sqlite3_step(row)) == SQLITE_ROW) {
        ++*scanned;
        if (gv_sqlite_matches(row, query, indexed) && (!match || match(row, user))) {
            void *record = gv_sqlite_record(&result->arena, row, query->kind);
            if (!record || !gv_result_add(result, record)) {
                code = SQLITE_NOMEM;
                break;
            }
        }
        full = is_full(result, query, row, *scanned, &code);
    }
    int text = sqlite3_reset(row);      /* a text that there was no memory for */
    return code == SQLITE_DONE || code == SQLITE_ROW ? (text == SQLITE_OK ? code : text) : code;
}

/* Of the rows without a time: SQLITE_ROW when there is one. */
static int peek_timeless(gv_reader *reader, const gv_query *query)
{
    int code;
    sqlite3_stmt *row = start_page(reader, query, 'n', &code);
    if (!row)
        return code;
    code = sqlite3_step(row);
    sqlite3_reset(row);
    return code;
}

int gv_sqlite_scan(gv_reader *reader, gavat_op *op, const gv_query *query, gv_sqlite_match *match, void *user)
{
    size_t scanned = 0;
    gv_result *result = gv_op_result(op);
    if (!result)
        return SQLITE_NOMEM;
    result->shape = &query->kind->shape;
    int code = SQLITE_DONE;
    if (query->after.type != 'n')
        code = read_phase(reader, result, query, 't', match, user, &scanned);
    if (code == SQLITE_DONE && !query->since && !query->until)
        code = result->cursor ? peek_timeless(reader, query) : read_phase(reader, result, query, 'n', match, user, &scanned);
    if (code == SQLITE_DONE)
        result->cursor = NULL;
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

void gv_sqlite_end_read(gv_reader *reader, gavat_op *op, int code)
{
    if (code == SQLITE_OK) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        return;
    }
    gv_op_drop_result(op);
    gv_sqlite_fail(op, &reader->own.db, code, 0, "reading");
}

void gv_sqlite_page(gv_reader *reader, gavat_op *op)
{
    gv_sqlite_end_read(reader, op, gv_sqlite_scan(reader, op, op->request, NULL, NULL));
}

void gv_sqlite_one_session(gv_reader *reader, gavat_op *op)
{
    const gv_session_request *request = op->request;
    gv_query query = {.kind = &gv_sessions_kind, .limit = 1, .max_bytes = SIZE_MAX};
    query.by[GV_BY_USER] = request->user_id;
    int code = gv_sqlite_scan(reader, op, &query, NULL, NULL);
    gv_sqlite_end_read(reader, op, code);
    if (code != SQLITE_OK)
        return;
    op->staged.result->cursor = NULL;
    if (!op->staged.result->count)
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "there is no session of this user");
}
