/* search.c: folded literal search. Two ways to the same answer: by the index, when it names few enough rows; else along the order of the
 * page, newest first, a bounded stretch a page. Either way each row is folded and looked at before it counts. */
#include "page.h"
#include "../../base/clock.h"
#include "../../base/fold.h"
#include "../../base/utf8.h"

#define CANDIDATES 2000         /* more than these: the page's own order finds a hundred of them sooner */
#define WINDOW 250000           /* ids looked up in the index at once */
#define PATIENCE UINT64_C(1000000000)   /* nanoseconds for the index: when trigrams are everywhere it still beats reading all rows */

typedef struct gv_search {
    gv_reader *reader;
    gv_slice keyword;
    int message, type;          /* columns of the row */
    bool failed;                /* no memory to fold a row */
} gv_search;

static bool holds(gv_search *search, sqlite3_stmt *row, int column)
{
    gv_slice text = {(const char *)sqlite3_column_text(row, column), 0};
    if (!text.data)
        return false;
    text.length = (size_t)sqlite3_column_bytes(row, column);
    bool found = gv_fold_contains(text, search->keyword, &search->reader->scratch);
    search->failed |= search->reader->scratch.failed;
    return found;
}

static bool matches_keyword(sqlite3_stmt *row, void *user)
{
    gv_search *search = user;
    return holds(search, row, search->message) || holds(search, row, search->type);
}

static bool open_index(gv_reader *reader)
{
    if (reader->own.index.handle)
        return true;
    gv_database_options options = {.create = false, .full = false, .cache_bytes = 8 << 20, .busy_ms = 100};
    if (gv_database_open(&reader->own.index, reader->self->index_path, &options) == SQLITE_OK)
        return true;
    gv_sqlite_want_index(reader->self);
    return false;
}

/* A search goes on without an index that fails; one that is damaged is made anew. */
static void doubt_index(gv_reader *reader, int code)
{
    if (gv_sqlite_status(code) == GAVAT_ECORRUPT)
        atomic_store(&reader->self->index_damaged, true);
    gv_database_close(&reader->own.index);
    gv_sqlite_want_index(reader->self);
}

/* Ids of rows that the index names. *good false: too many, or too slow. SQLITE_OK, or what the index failed with. */
static int ask_index(gv_search *search, int64_t watermark, gv_text *ids, size_t *count, bool *good)
{
    int code;
    gv_reader *reader = search->reader;
    sqlite3_stmt *row = gv_database_prepare(&reader->own.index, "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3 "
                                            "ORDER BY rowid DESC LIMIT ?4", &code);
    if (!row)
        return code;
    gv_text phrase = {0};
    gv_text_addc(&phrase, '"');
    for (size_t i = 0; i < search->keyword.length; i++) {
        gv_text_addc(&phrase, search->keyword.data[i]);
        if (search->keyword.data[i] == '"')
            gv_text_addc(&phrase, '"');
    }
    gv_text_addc(&phrase, '"');
    uint64_t start = gv_clock_steady();
    *good = !phrase.failed;
    for (int64_t high = watermark; *good && high > 0; high -= WINDOW) {
        sqlite3_reset(row);
        sqlite3_bind_text(row, 1, gv_text_get(&phrase), (int)phrase.length, SQLITE_STATIC);
        sqlite3_bind_int64(row, 2, high > WINDOW ? high - WINDOW + 1 : 1);
        sqlite3_bind_int64(row, 3, high);
        sqlite3_bind_int64(row, 4, CANDIDATES + 1);
        while ((code = sqlite3_step(row)) == SQLITE_ROW && *count <= CANDIDATES)
            gv_text_addf(ids, "%s%lld", (*count)++ ? "," : "", (long long)sqlite3_column_int64(row, 0));
        *good = code == SQLITE_DONE && *count <= CANDIDATES && (high <= WINDOW || gv_clock_steady() - start < PATIENCE);
    }
    gv_text_free(&phrase);
    return sqlite3_reset(row);
}

/* Rows that the index has not seen yet. False: it failed, or they are too many to look at for each search. */
static bool look_beyond(gv_search *search, int64_t watermark, gv_text *ids, size_t *count)
{
    int code;
    gv_reader *reader = search->reader;
    int64_t newest = gv_database_number(&reader->own.db, "SELECT max(id) FROM event_logs", 0);
    if (newest > watermark)
        gv_sqlite_want_index(reader->self);
    if (newest - watermark > reader->self->search_lag)
        return false;
    sqlite3_stmt *row = gv_database_prepare(&reader->own.db, "SELECT id, message, event_type FROM event_logs WHERE id > ?1", &code);
    if (!row)
        return false;
    sqlite3_bind_int64(row, 1, watermark);
    gv_search beyond = *search;
    beyond.message = 1;
    beyond.type = 2;
    while ((code = sqlite3_step(row)) == SQLITE_ROW)
        if (matches_keyword(row, &beyond))
            gv_text_addf(ids, "%s%lld", (*count)++ ? "," : "", (long long)sqlite3_column_int64(row, 0));
    sqlite3_reset(row);
    return code == SQLITE_DONE && !beyond.failed;
}

/* A JSON array of all ids that may match; false: go along the order instead. */
static bool find_candidates(gv_search *search, gv_text *ids)
{
    gv_reader *reader = search->reader;
    size_t letters = gv_utf8_count(search->keyword.data, search->keyword.length);
    if (!reader->self->search_index || letters < 3 || letters == SIZE_MAX || !open_index(reader))
        return false;
    int64_t watermark = -1;
    size_t count = 0;
    bool found = false;
    gv_text_addc(ids, '[');
    int code = gv_database_do(&reader->own.index, "BEGIN");     /* one state of the index for both questions */
    if (code == SQLITE_OK)
        code = gv_sqlite_watermark(&reader->own.index, &reader->own.db, &watermark);
    if (code == SQLITE_OK && watermark >= 0)
        code = ask_index(search, watermark, ids, &count, &found);
    if (code == SQLITE_OK && watermark < 0)
        gv_sqlite_want_index(reader->self);
    if (code == SQLITE_OK)
        gv_database_undo(&reader->own.index);
    else
        doubt_index(reader, code);
    found = found && look_beyond(search, watermark, ids, &count);
    gv_text_addc(ids, ']');
    return found && !ids->failed;
}

static int column_named(const gv_record_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->count; i++)
        if (gv_slice_is(gv_slice_of(kind->fields[i].name), name))
            return (int)i;
    return 0;
}

void gv_sqlite_search(gv_reader *reader, gavat_op *op)
{
    const gv_query *query = op->request;
    gv_search search = {.reader = reader, .keyword = query->keyword};
    search.message = column_named(query->kind, "message");
    search.type = column_named(query->kind, "event_type");
    gv_text ids = {0};
    if (find_candidates(&search, &ids))
        reader->among = gv_text_get(&ids);
    int code = gv_sqlite_scan(reader, op, query, matches_keyword, &search);
    if (code == SQLITE_OK && search.failed)
        code = SQLITE_NOMEM;
    reader->among = NULL;
    gv_text_free(&ids);
    if (search.failed)
        gv_text_free(&reader->scratch);
    gv_sqlite_end_read(reader, op, code);
}
