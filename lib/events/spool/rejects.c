/* rejects.c: what the store refused for good: listed, exported, dropped. Trying again is the forwarder's. On the spool's thread. */
#include "../../base/clock.h"
#include "../../base/files.h"
#include "spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define CHUNK 65536             /* bytes of an export written at once */

static void add_text(gv_text *out, const char *key, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    gv_text_addf(out, ",\"%s\":", key);
    gv_text_add_json(out, text ? text : "", text ? strlen(text) : 0);
}

static void add_time(gv_text *out, const char *key, int64_t time)
{
    char text[28];
    gv_time_to_rfc(time, text);
    gv_text_addf(out, ",\"%s\":\"%s\"", key, text);
}

/* What was kept is JSON, unless the file is damaged: then it is shown as a string. */
static void add_payload(gv_text *out, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    gv_slice payload = {text ? text : "", text ? (size_t)sqlite3_column_bytes(row, column) : 0};
    gv_text_adds(out, ",\"record\":");
    if (gv_json_check(payload, GV_JSON_DEPTH_MOST, GV_JSON_SURROGATES, NULL))
        gv_text_add_json(out, payload.data, payload.length);
    else
        gv_json_to_compact(out, payload);
}

static const char page_sql[] =
    "SELECT id, call, ticket, at, rejected_at, code, reason, payload FROM gavat_rejects WHERE id > ?1 ORDER BY id LIMIT ?2";

static void print(sqlite3_stmt *row, gv_text *out)
{
    gv_text_addf(out, "{\"id\":%lld", (long long)sqlite3_column_int64(row, 0));
    add_text(out, "call", row, 1);
    add_text(out, "uid", row, 2);
    add_time(out, "time", sqlite3_column_int64(row, 3));
    add_time(out, "rejected", sqlite3_column_int64(row, 4));
    add_text(out, "code", row, 5);
    add_text(out, "reason", row, 6);
    add_payload(out, row, 7);
    gv_text_addc(out, '}');
}

/* True: the file is open. Else op has its outcome: nothing there is no failure. */
static bool ready(gv_spool *self, gavat_op *op)
{
    if (gv_spool_open(self, false))
        return true;
    if (gv_spool_state_of(op->client) == GV_SPOOL_REFUSES)
        gv_sqlite_fail(op, &self->db, self->writing.open_code, 0, "opening");
    else
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    return false;
}

/* A row into the result; false: no memory. */
static bool add_row(gavat_op *op, sqlite3_stmt *row, size_t *bytes)
{
    gv_text json = {0};
    gv_result *result = gv_op_result(op);
    print(row, &json);
    *bytes += json.length;
    bool added = result && gv_result_add_json(result, &json);
    gv_text_free(&json);
    return added;
}

void gv_spool_list_rejects(gv_spool *self, gavat_op *op)
{
    const gv_spool_page *page = op->request;
    int code;
    size_t bytes = 0;
    int64_t last = 0;
    bool more = false, memory = true;
    if (!ready(self, op))
        return;
    sqlite3_stmt *row = gv_database_prepare(&self->db, page_sql, &code);
    if (row) {
        sqlite3_bind_int64(row, 1, page->after);
        sqlite3_bind_int64(row, 2, (int64_t)page->limit + 1);
        for (uint32_t n = 0; memory && (code = sqlite3_step(row)) == SQLITE_ROW; n++) {
            more = n == page->limit || bytes > op->client->page_bytes;
            if (more)
                break;
            memory = add_row(op, row, &bytes);
            last = sqlite3_column_int64(row, 0);
        }
        sqlite3_reset(row);
    }
    gv_result *result = more ? gv_op_result(op) : NULL;
    if (result)
        result->cursor = gv_arena_printf(&result->arena, "%lld", (long long)last);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        gv_sqlite_fail(op, &self->db, code, 0, "reading");
    else if (!memory || (more && !(result && result->cursor)))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    else
        gv_op_succeed(op, GAVAT_REACHED_NONE);
}

static int write_all(gv_spool *self, gavat_op *op, int fd, int *code)
{
    gv_text out = {0};
    int failed = 0;
    sqlite3_stmt *row = gv_database_prepare(&self->db, page_sql, code);
    if (!row)
        return 0;
    sqlite3_bind_int64(row, 1, 0);
    sqlite3_bind_int64(row, 2, -1);
    while (!failed && (*code = sqlite3_step(row)) == SQLITE_ROW) {
        print(row, &out);
        gv_text_addc(&out, '\n');
        op->staged.number++;
        failed = out.failed ? -ENOMEM : out.length < CHUNK ? 0 : gv_file_write_all(fd, gv_text_get(&out), out.length, NULL);
        if (out.length >= CHUNK)
            gv_text_clear(&out);
    }
    sqlite3_reset(row);
    if (!failed)
        failed = out.failed ? -ENOMEM : gv_file_write_all(fd, gv_text_get(&out), out.length, NULL);
    gv_text_free(&out);
    return failed ? failed : gv_file_sync(fd);
}

static void fail_file(gavat_op *op, int failed, const char *path)
{
    op->staged.number = 0;
    if (failed == -EEXIST)
        gv_op_fail(op, GAVAT_EIO, 0, "EEXIST", "%s is there already: name a new file", path);
    else
        gv_op_fail(op, failed == -ENOMEM ? GAVAT_ENOMEM : GAVAT_EIO, GAVAT_ERROR_RETRY, gv_errno_name(-failed),
                   "%s could not be written (%s): check folder, rights and free space", path, gv_errno_name(-failed));
}

void gv_spool_export_rejects(gv_spool *self, gavat_op *op)
{
    const gv_spool_page *page = op->request;
    int fd, code = SQLITE_DONE;
    bool there = gv_spool_open(self, false);
    if (!there && !ready(self, op) && op->staged.error.status != GAVAT_OK)
        return;
    int failed = gv_file_open(page->path, O_WRONLY | O_CREAT | O_EXCL, 0666, &fd);
    if (failed) {
        fail_file(op, failed, page->path);
        return;
    }
    failed = there ? write_all(self, op, fd, &code) : 0;
    gv_file_close(fd);
    if (failed || code != SQLITE_DONE)
        gv_file_unlink(page->path);
    if (failed)
        fail_file(op, failed, page->path);
    else if (code != SQLITE_DONE)
        gv_sqlite_fail(op, &self->db, code, 0, "reading");
    else
        gv_op_succeed(op, GAVAT_REACHED_NONE);
}

void gv_spool_drop_rejects(gv_spool *self, gavat_op *op)
{
    if (!ready(self, op))
        return;
    int code = gv_database_do(&self->db, "DELETE FROM gavat_rejects");
    if (code == SQLITE_OK) {
        op->staged.number = sqlite3_changes(self->db.handle);
        gv_op_succeed(op, GAVAT_REACHED_LOCAL);
    } else {
        gv_sqlite_fail(op, &self->db, code, 0, "writing to");
        gv_database_undo(&self->db);
    }
}
