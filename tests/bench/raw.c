#include "raw.h"
#include "driver.h"
#include "figures.h"
#include "../../lib/base/clock.h"
#include "../../lib/base/fold.h"
#include "../../lib/base/uuid.h"
#include "../../lib/events/requests.h"
#include "../../lib/events/statements.h"
#include <stdio.h>
#include <string.h>

#define FEED 20000              /* rows a transaction of the index, as the library has it */

static void open_index(raw *self, const char *path)
{
    char name[600];
    snprintf(name, sizeof name, "%s.search", path);
    self->index = driver_open(name, "NORMAL", 16);
    driver_run(self->index,
        "CREATE VIRTUAL TABLE words USING fts5(message, type, content='', tokenize='trigram case_sensitive 1'); "
        "INSERT INTO words(words, rank) VALUES('hashsize', 8388608); "
        "INSERT INTO words(words, rank) VALUES('automerge', 8)");
    self->feed_read = driver_prepare(self->db,
                              "SELECT id, message, event_type FROM event_logs WHERE id > ?1 ORDER BY id LIMIT ?2");
    self->feed_write = driver_prepare(self->index, "INSERT INTO words (rowid, message, type) VALUES (?1, ?2, ?3)");
}

void raw_open(raw *self, const char *path, bool with_index, sample *source)
{
    gv_text schema = {0};
    memset(self, 0, sizeof *self);
    self->sample = source;
    self->db = driver_open(path, "FULL", 64);
    int there = sqlite3_table_column_metadata(self->db, NULL, "event_logs", NULL, NULL, NULL, NULL, NULL, NULL);
    gv_sqlite_add_schema_sql(&schema);
    bench_need(!schema.failed, "no memory");
    if (there != SQLITE_OK)
        driver_run(self->db, gv_text_get(&schema));
    gv_text_free(&schema);
    self->insert = driver_prepare(self->db, gv_insert_sql(&gv_events_kind));
    self->reader = driver_open(path, "FULL", 32);         /* as a reader of the library has it */
    self->page = driver_prepare(self->reader,
                         "SELECT id, user_id, username, event_type, message, context, level, timestamp, uid "
                         "FROM event_logs WHERE user_id = ?1 ORDER BY timestamp DESC, uid DESC LIMIT 100");
    if (with_index)
        open_index(self, path);
}

void raw_close(raw *self)
{
    sqlite3_stmt *statements[] = {self->insert, self->page, self->feed_read, self->feed_write};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(self->reader);
    sqlite3_close(self->db);
    sqlite3_close(self->index);
}

static void insert_one(raw *self)
{
    gavat_event event = gavat_event_init();
    char uid[GV_UUID_ROOM], time[27];
    sample_next(self->sample, &event);
    gv_time_to_sql(gv_uuid_make(gv_clock_wall(), uid), time);
    const char *texts[] = {event.user_id, event.username, event.type, event.message,
                           event.context, event.level,    time,       uid};
    for (int i = 0; i < 8; i++)
        sqlite3_bind_text(self->insert, i + 1, texts[i], -1, SQLITE_STATIC);
    int code = sqlite3_step(self->insert);
    sqlite3_reset(self->insert);
    bench_need(code == SQLITE_DONE, "the raw loop could not insert");
}

/* The best way known in one thread: rows folded in C, many to a transaction, in a file of their own that a crash may
 * take back. */
static void feed_index(raw *self)
{
    char message[1024], type[256];
    int code = SQLITE_ROW;
    int64_t count = FEED;
    while (count == FEED) {
        driver_run(self->index, "BEGIN");
        sqlite3_bind_int64(self->feed_read, 1, self->fed);
        sqlite3_bind_int64(self->feed_read, 2, FEED);
        for (count = 0; (code = sqlite3_step(self->feed_read)) == SQLITE_ROW; count++) {
            self->fed = sqlite3_column_int64(self->feed_read, 0);
            const char *text = (const char *)sqlite3_column_text(self->feed_read, 1);
            size_t length = gv_fold(text, (size_t)sqlite3_column_bytes(self->feed_read, 1), message);
            const char *name = (const char *)sqlite3_column_text(self->feed_read, 2);
            size_t type_length = gv_fold(name, (size_t)sqlite3_column_bytes(self->feed_read, 2), type);
            sqlite3_bind_int64(self->feed_write, 1, self->fed);
            sqlite3_bind_text(self->feed_write, 2, message, (int)length, SQLITE_STATIC);
            sqlite3_bind_text(self->feed_write, 3, type, (int)type_length, SQLITE_STATIC);
            bench_need(sqlite3_step(self->feed_write) == SQLITE_DONE, "the raw loop could not feed its index");
            sqlite3_reset(self->feed_write);
        }
        sqlite3_reset(self->feed_read);
        bench_need(code == SQLITE_DONE, "the raw loop could not read");
        driver_run(self->index, "COMMIT");
    }
}

void raw_write(raw *self, size_t count, size_t batch)
{
    size_t since = 0;
    for (size_t i = 0; i < count;) {
        if (batch > 1)
            driver_run(self->db, "BEGIN IMMEDIATE");
        for (size_t k = 0; k < batch && i < count; k++, i++)
            insert_one(self);
        if (batch > 1)
            driver_run(self->db, "COMMIT");
        since += batch;
        if (self->index && since >= FEED) {
            feed_index(self);
            since = 0;
        }
    }
    if (self->index)
        feed_index(self);
}

size_t raw_read_page(raw *self, const char *user)
{
    size_t rows = 0, bytes = 0;
    sqlite3_bind_text(self->page, 1, user, -1, SQLITE_STATIC);
    while (sqlite3_step(self->page) == SQLITE_ROW) {
        rows += sqlite3_column_int64(self->page, 0) > 0;
        for (int i = 1; i < 9; i++) {
            const unsigned char *text = sqlite3_column_text(self->page, i);
            bytes += text ? (size_t)sqlite3_column_bytes(self->page, i) : 0;
        }
    }
    sqlite3_reset(self->page);
    return bytes ? rows : 0;
}

double raw_search(const char *path, const char *index_path, const char *folded, size_t *found)
{
    char sql[900], phrase[200];
    sqlite3 *db = driver_open(path, "FULL", 16);
    snprintf(sql, sizeof sql, "ATTACH '%s' AS i", index_path);
    driver_run(db, sql);
    sqlite3_stmt *search = driver_prepare(db, "SELECT e.* FROM i.words CROSS JOIN event_logs e ON e.id = words.rowid "
                                   "WHERE words MATCH ?1 ORDER BY words.rowid DESC LIMIT 100");
    snprintf(phrase, sizeof phrase, "\"%s\"", folded);
    double times[5];
    for (size_t i = 0; i < 5; i++) {
        double start = bench_now();
        sqlite3_bind_text(search, 1, phrase, -1, SQLITE_STATIC);
        for (*found = 0; sqlite3_step(search) == SQLITE_ROW;)
            *found += sqlite3_column_text(search, 4) != NULL;
        sqlite3_reset(search);
        times[i] = (bench_now() - start) * 1e3;
    }
    sqlite3_finalize(search);
    sqlite3_close(db);
    return bench_median(times, 5);
}
