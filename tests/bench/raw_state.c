#include "raw_state.h"
#include "driver.h"
#include "figures.h"
#include "../../lib/base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_tables(raw_state *self, const char *like)
{
    sqlite3 *from = driver_open(like, "FULL", 1);
    sqlite3_stmt *row = driver_prepare(from, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name LIKE 'gavat_state%' ORDER BY rowid");
    while (sqlite3_step(row) == SQLITE_ROW)
        driver_run(self->db, (const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    sqlite3_close(from);
}

void raw_state_open(raw_state *self, const char *path, const char *like)
{
    memset(self, 0, sizeof *self);
    self->db = driver_open(path, "FULL", 64);
    take_tables(self, like);
    self->find = driver_prepare(self->db, "SELECT id, value, expires, span, head, length FROM gavat_state "
                                "WHERE user_id = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)");
    self->store = driver_prepare(self->db,
        "INSERT INTO gavat_state (user_id, key, value, expires, span) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_id, key) DO UPDATE SET "
        "value = excluded.value, expires = excluded.expires, span = excluded.span WHERE length IS NULL");
}

void raw_state_close(raw_state *self)
{
    sqlite3_finalize(self->find);
    sqlite3_finalize(self->store);
    sqlite3_close(self->db);
}

void raw_state_begin(raw_state *self, bool writes)
{
    driver_run(self->db, writes ? "BEGIN IMMEDIATE" : "BEGIN");
}

void raw_state_commit(raw_state *self)
{
    driver_run(self->db, "COMMIT");
}

static void store(raw_state *self, const char *user, const char *key, const char *value, int64_t now, int64_t span_ms)
{
    sqlite3_bind_text(self->store, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(self->store, 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(self->store, 3, value, -1, SQLITE_STATIC);
    if (span_ms) {
        sqlite3_bind_int64(self->store, 4, now + span_ms * 1000);
        sqlite3_bind_int64(self->store, 5, span_ms * 1000);
    } else {
        sqlite3_bind_null(self->store, 4);
        sqlite3_bind_null(self->store, 5);
    }
    int code = sqlite3_step(self->store);
    sqlite3_reset(self->store);
    bench_need(code == SQLITE_DONE, "the raw loop could not store");
}

#define VALUE_ROOM 512

/* The value, copied; *left: microseconds it has to live. False: not there. */
static bool find(raw_state *self, const char *user, const char *key, int64_t now, char value[VALUE_ROOM], int64_t *left)
{
    sqlite3_bind_text(self->find, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(self->find, 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(self->find, 3, now);
    int code = sqlite3_step(self->find);
    bench_need(code == SQLITE_ROW || code == SQLITE_DONE, "the raw loop could not read");
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(self->find, 1);
        size_t length = (size_t)sqlite3_column_bytes(self->find, 1);
        memcpy(value, text, length + 1);
        *left = sqlite3_column_int64(self->find, 2) - now;
        self->bytes += length;
    }
    sqlite3_reset(self->find);
    return code == SQLITE_ROW;
}

void raw_state_do(raw_state *self, state_verb verb, const char *user, const char *name)
{
    char key[80], value[VALUE_ROOM] = "", time[27];
    int64_t now = gv_clock_wall(), left;
    switch (verb) {
    case STATE_SET:
        store(self, user, name, STATE_VALUE, now, STATE_SPAN_MS);
        break;
    case STATE_GET:
        find(self, user, name, now, value, &left);
        break;
    case STATE_ADD:
        snprintf(key, sizeof key, "counter:%s", name);
        find(self, user, key, now, value, &left);
        snprintf(value, sizeof value, "%lld", strtoll(value, NULL, 10) + 1);
        store(self, user, key, value, now, 0);
        break;
    case STATE_TRY:
        snprintf(key, sizeof key, "cooldown:%s", name);
        if (find(self, user, key, now, value, &left))
            break;
        gv_time_to_sql(now, time);
        store(self, user, key, time, now, STATE_SPAN_MS);
        break;
    case STATE_APPLY:
        snprintf(key, sizeof key, "dm:bot:%s", user);
        find(self, key, "conversation_state", now, value, &left);
        store(self, key, "conversation_state", STATE_CONVERSATION, now, STATE_SPAN_MS);
        break;
    case STATE_PERMIT:
        snprintf(key, sizeof key, "dm:bot:%s", user);
        find(self, key, "conversation_state", now, value, &left);
        find(self, key, "conversation_permits", now, value, &left);
        store(self, key, "conversation_permits", STATE_PERMITS, now, STATE_SPAN_MS);
        break;
    }
}
