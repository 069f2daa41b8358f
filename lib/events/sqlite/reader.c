/* reader.c: the threads that read, each with a connection of its own: WAL lets them go on while the writer commits. */
#include "sqlite.h"
#include <string.h>

#define STEPS 20000             /* of SQLite's machine between two looks at whether anybody still waits */

static int on_progress(void *user)
{
    const gv_reader *reader = user;
    return reader->op && !gv_op_wanted(reader->op);
}

static int open_connection(gv_reader *reader)
{
    if (reader->own.db.handle)
        return SQLITE_OK;
    gv_database_options options = reader->self->options;
    options.create = false;
    options.busy_ms = 1000;
    options.cache_bytes = options.cache_bytes / 2;
    int code = gv_database_open(&reader->own.db, reader->self->path, &options);
    if (code == SQLITE_OK)
        sqlite3_progress_handler(reader->own.db.handle, STEPS, on_progress, reader);
    return code;
}

static void serve(gv_reader *reader, gavat_op *op)
{
    switch (op->kind->place) {
    case GV_SEARCH_EVENTS:
        gv_sqlite_search(reader, op);
        break;
    case GV_GET_SESSION:
        gv_sqlite_one_session(reader, op);
        break;
    case GV_EVENT_STATS: case GV_SALE_STATS: case GV_MESSAGE_STATS:
        gv_sqlite_stats(reader, op);
        break;
    case GV_SCHEMA_EVENTS:
        gv_sqlite_describe_schema(&reader->own.db, op);
        break;
    default:
        gv_sqlite_page(reader, op);
    }
}

static void work(gv_reader *reader, gavat_op *op)
{
    reader->op = op;
    if (op->kind->place == GV_CHECK_EVENTS) {
        open_connection(reader);
        gv_sqlite_check(reader, op);
    } else if (gv_op_fits(op)) {
        int code = open_connection(reader);
        if (code == SQLITE_OK)
            serve(reader, op);
        else
            gv_sqlite_fail(op, &reader->own.db, code, 0, "opening");
    }
    reader->op = NULL;
    gavat_status status = op->staged.error.status;
    if (status == GAVAT_ECORRUPT || status == GAVAT_EIO || status == GAVAT_EUNAVAIL || status == GAVAT_ESCHEMA)
        gv_database_close(&reader->own.db);     /* the next op starts anew */
    gv_op_charge(op);
}

void gv_sqlite_read(gv_worker *worker)
{
    gv_reader reader = {.self = worker->self};
    gv_sqlite_join(reader.self, &reader.own);
    for (;;) {
        gv_list ops;
        gv_list_init(&ops);
        if (!gv_worker_wait(worker, UINT32_MAX) && gv_worker_stopping(worker))
            break;
        gv_worker_take(worker, &ops, 1);
        gv_link *link = gv_list_take(&ops);
        if (!link)
            continue;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_take(op)) {
            gv_sqlite_hold_files(reader.self, &reader.own);
            work(&reader, op);
            gv_sqlite_let_files_go(reader.self);
        }
        gv_op_finish(op);
    }
    gv_sqlite_leave(reader.self, &reader.own);
    gv_text_free(&reader.scratch);
}
