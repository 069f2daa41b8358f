/* database.c: the tables of gavatcore.db, in the older schema (events, sales, messages) and in the one that the library shares with the
 * original (event_logs, …). The file is only read. Times of the older schema without a zone are local, those of the newer one UTC. */
#include "../base/clock.h"
#include "../base/decimal.h"
#include "../base/json.h"
#include "../base/url.h"
#include "../events/records.h"
#include "../events/sqlite/page.h"
#include "../sqlite/database.h"
#include "reading.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct legacy_row {
    gv_reading *reading;
    gv_source *source;
    sqlite3_stmt *statement;
    uint64_t id;
} legacy_row;

static gv_slice column(const legacy_row *row, int place)
{
    gv_slice text = {(const char *)sqlite3_column_text(row->statement, place), 0};
    text.length = text.data ? (size_t)sqlite3_column_bytes(row->statement, place) : 0;
    return text;
}

/* --- the older schema --- */

static void add_text(legacy_row *row, const char *key, int place)
{
    gv_slice text = column(row, place);
    if (text.length)
        gv_found_text(row->reading, key, text);
}

/* "info" is INFO; a word of its own stays. */
static void add_level(legacy_row *row, int place)
{
    static const char *const known[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
    gv_slice text = column(row, place);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == text.length && strncasecmp(known[i], text.data, text.length) == 0)
            text = gv_slice_of(known[i]);
    if (text.length)
        gv_found_text(row->reading, "level", text);
}

/* What makes the row what it is: its id, and all its columns as text. */
static bool end_old(legacy_row *row, const char *kind, const char *time_key, gavat_time time)
{
    gv_text *content = &row->reading->scratch;
    gv_found_time(row->reading, time_key, time);
    gv_text_clear(content);
    for (int i = 0; i < sqlite3_column_count(row->statement); i++) {
        gv_slice text = column(row, i);
        gv_text_add(content, text.data ? text.data : "", text.length);
        gv_text_addc(content, '\0');
    }
    if (content->failed)
        row->reading->failed = -ENOMEM;
    return !row->reading->failed
           && gv_found_end(row->reading, row->source, row->id, kind, time, (gv_slice){content->data, content->length});
}

static bool read_event(legacy_row *row, gavat_time time)
{
    gv_found_begin(row->reading);
    add_text(row, "event_type", 2);
    add_text(row, "user_id", 3);
    gv_found_details(row->reading, row->source, "context", column(row, 4));
    add_level(row, 5);
    return end_old(row, "event", "timestamp", time);
}

/* A number with a fraction is what its shortest text says; text must be a decimal number. NULL, or why it is no amount. */
static const char *read_amount(legacy_row *row, int place, char out[GV_DECIMAL_ROOM])
{
    gv_decimal exact;
    gv_slice text = column(row, place);
    if (sqlite3_column_type(row->statement, place) == SQLITE_NULL)
        return "it has no amount";
    if (sqlite3_column_type(row->statement, place) == SQLITE_FLOAT) {
        double value = sqlite3_column_double(row->statement, place);
        if (!gv_decimal_from_double(value, out))
            return "its amount is no number that can be kept";
        if (gv_decimal_to_double(gv_slice_of(out)) != value)
            gv_reading_odd(row->source, GV_ODD_ROUNDED);
        return NULL;
    }
    if (!gv_decimal_parse(text, &exact))
        return "its amount is no decimal number";
    gv_decimal_print(exact, out);
    return NULL;
}

static bool read_sale(legacy_row *row, gavat_time time)
{
    char amount[GV_DECIMAL_ROOM];
    const char *wrong = read_amount(row, 4, amount);
    if (wrong)
        return gv_found_reject(row->reading, row->source, row->id, "%s", wrong);
    gv_found_begin(row->reading);
    add_text(row, "user_id", 2);
    add_text(row, "product_type", 3);
    gv_found_text(row->reading, "amount", gv_slice_of(amount));
    if (column(row, 5).length)
        add_text(row, "currency", 5);
    else
        gv_reading_odd(row->source, GV_ODD_CURRENCY);
    gv_found_details(row->reading, row->source, "extra_data", column(row, 6));
    return end_old(row, "sale", "created_at", time);
}

/* The one who wrote is the bot of the log, the chat its target: a number below 0 is a group. */
static bool read_message(legacy_row *row, gavat_time time)
{
    gv_slice chat = column(row, 3);
    gv_found_begin(row->reading);
    add_text(row, "bot_username", 2);
    add_text(row, "target_id", 3);
    if (chat.length)
        gv_found_text(row->reading, "target_type", gv_slice_of(chat.data[0] == '-' ? "group" : "user"));
    add_text(row, "message_type", 4);
    add_text(row, "message_content", 5);
    gv_found_details(row->reading, row->source, "extra_data", column(row, 6));
    return end_old(row, "message", "timestamp", time);
}

/* --- the schema that the library shares with the original --- */

/* What a store of today would not take is named; what the row lacks, the store fills in. */
static const char *look(const gv_record_kind *kind, const void *record)
{
    for (size_t i = 0; i < kind->count; i++) {
        const char *text = kind->fields[i].type == GV_FIELD_JSON ? gv_field_text(record, &kind->fields[i]) : NULL;
        if (text && gv_json_check(gv_slice_of(text), GV_JSON_DEPTH, 0, NULL))
            return kind->fields[i].name;
    }
    return NULL;
}

static bool read_new(legacy_row *row, const gv_record_kind *kind)
{
    gv_reading *r = row->reading;
    gv_arena arena = {0};
    char uid[37] = "";
    void *record = gv_sqlite_record(&arena, row->statement, kind);
    const char *bad = record ? look(kind, record) : NULL;
    bool go_on = false;
    gv_text_clear(&r->json);
    gv_text_clear(&r->scratch);
    if (!record) {
        r->failed = -ENOMEM;
    } else if (bad) {
        go_on = gv_found_reject(r, row->source, row->id, "its %s is no JSON that a store takes", bad);
    } else {
        gavat_time time = *(const gavat_time *)gv_field_at(record, kind->time);
        const char **own = kind->uid ? gv_field_at(record, kind->uid) : NULL;
        gv_record_print(kind, record, &r->scratch);
        go_on = true;
        if (own && !*own && (go_on = gv_found_make_uid(r, row->source, kind->shape.name, time, (gv_slice){r->scratch.data, r->scratch.length}, uid)))
            *own = uid;
        gv_record_print(kind, record, &r->json);
        go_on = go_on && gv_found_send(r, row->source, row->id, kind->shape.name, own ? *own : "");
    }
    gv_arena_free(&arena);
    return go_on;
}

/* --- both --- */

typedef struct legacy_table {
    const char *name, *columns; /* NULL: those of kind */
    bool (*read)(legacy_row *row, gavat_time time);
    const gv_record_kind *kind;
} legacy_table;

static const legacy_table tables[] = {
    {"events", "id, timestamp, event_type, user_id, details, severity", read_event, NULL},
    {"sales", "id, timestamp, user_id, product_type, amount, currency, details", read_sale, NULL},
    {"messages", "id, timestamp, user_id, chat_id, message_type, content, metadata", read_message, NULL},
    {"event_logs", NULL, NULL, &gv_events_kind},
    {"sale_logs", NULL, NULL, &gv_sales_kind},
    {"message_records", NULL, NULL, &gv_messages_kind},
    {"user_sessions", NULL, NULL, &gv_sessions_kind},
};

const char *const gv_database_tables[] = {"events", "sales", "messages", "event_logs", "sale_logs", "message_records", "user_sessions", NULL};

static bool has(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

/* Columns that the file does not have are NULL. */
static void add_columns(sqlite3 *db, const gv_record_kind *kind, gv_text *out)
{
    for (size_t i = 0; i < kind->count; i++) {
        const char *name = kind->fields[i].name;
        char text[80];
        snprintf(text, sizeof text, "%s_text", name);
        gv_text_addf(out, "%s%s", i ? ", " : "", has(db, kind->table, name) ? name : "NULL");
        if (kind->fields[i].type == GV_FIELD_MONEY)
            gv_text_addf(out, ", %s", has(db, kind->table, text) ? text : "NULL");
    }
}

static bool read_row(legacy_row *row, const legacy_table *table)
{
    gavat_time time;
    row->id = (uint64_t)sqlite3_column_int64(row->statement, 0);
    if (table->kind)
        return read_new(row, table->kind);
    gv_slice when = column(row, 1);
    if (!when.length)
        return gv_found_reject(row->reading, row->source, row->id, "it has no time");
    if (!gv_reading_time(row->reading, row->source, when, &time))
        return gv_found_reject(row->reading, row->source, row->id, "its time is none: %.40s", when.data);
    return table->read(row, time);
}

static bool read_rows(gv_reading *r, gv_source *source, sqlite3 *db, const legacy_table *table)
{
    legacy_row row = {.reading = r, .source = source};
    gv_text sql = {0};
    gv_text_adds(&sql, "SELECT ");
    if (table->kind)
        add_columns(db, table->kind, &sql);
    else
        gv_text_adds(&sql, table->columns);
    gv_text_addf(&sql, " FROM %s ORDER BY id", table->name);
    int code = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(db, gv_text_get(&sql), -1, &row.statement, NULL);
    gv_text_free(&sql);
    bool go_on = true;
    while (code == SQLITE_OK && go_on && (code = sqlite3_step(row.statement)) == SQLITE_ROW) {
        go_on = read_row(&row, table);
        code = SQLITE_OK;
    }
    if (code == SQLITE_NOMEM)
        r->failed = -ENOMEM;
    else if (code != SQLITE_OK && code != SQLITE_DONE)
        go_on = gv_found_reject(r, source, 0, "the table cannot be read further (%s): %.100s", gv_sqlite_name(code), sqlite3_errmsg(db));
    sqlite3_finalize(row.statement);
    return go_on && !r->failed;
}

/* The original's own database is also what the library may be set to: its rows are there already. */
static bool is_store_itself(const gv_reading *reading, const char *path)
{
    const gv_store *store = &reading->client->stores[GV_EVENTS];
    gv_arena scratch = {0};
    gv_url url;
    struct stat ours, theirs;
    bool same = store->backend && strcmp(store->backend->name, "sqlite") == 0 && !gv_url_parse(&scratch, store->url, &url)
                && stat(url.path, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
    gv_arena_free(&scratch);
    return same;
}

bool gv_read_database(gv_reading *reading, gv_source *source)
{
    const char *path = gv_reading_path(reading, source);
    const legacy_table *table = tables;
    sqlite3 *db = NULL;
    bool go_on = true;
    if (!path)
        return false;
    while (strcmp(table->name, source->table) != 0)
        table++;
    if (is_store_itself(reading, path)) {
        gv_reading_odd(source, GV_ODD_ITSELF);
        return true;
    }
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL);
    if (code == SQLITE_NOMEM || !db)
        reading->failed = -ENOMEM;
    else if (code != SQLITE_OK)     /* said once, of the first table */
        go_on = table == tables ? gv_found_reject(reading, source, 0, "the database cannot be read (%s)", gv_sqlite_name(code)) : true;
    else if (has(db, table->name, "id"))
        go_on = read_rows(reading, source, db, table);
    source->absent = !source->records && !source->rejected && (!db || code != SQLITE_OK || !has(db, table->name, "id"));
    sqlite3_close(db);
    return go_on && !reading->failed;
}
