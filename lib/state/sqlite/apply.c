/* apply.c: one op inside the transaction at hand. */
#include "sqlite.h"
#include "../../core/client.h"

static int put(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    int64_t span = request->expire_ms * 1000, expires = span ? gv_now(self->store->client) + span : 0;
    return gv_state_store(self, request->user, request->key, (gv_slice){request->value, request->length}, expires, span);
}

void gv_state_answer(gavat_op *op, const gv_state_row *row)
{
    const gv_state_request *request = op->request;
    if (!row)
        gv_state_refuse_none(op);
    else if (row->list)
        gv_state_refuse_list(op);
    else if (!gv_state_give_one(op, request->user, request->key, row->value, row->length, (row->expire_us + 999) / 1000))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the value");
}

static int read_one(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    gv_state_row row = {0};
    sqlite3_stmt *found;
    int code = gv_state_look(self, request->user, request->key, gv_now(self->store->client), &row, &found);
    if (code != SQLITE_OK)
        return code;
    gv_state_answer(op, found ? &row : NULL);
    sqlite3_reset(found);
    return SQLITE_OK;
}

static int remove_key(gv_state_sqlite *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    int64_t gone;
    int code = gv_state_remove(self, request->user, request->key, gv_now(self->store->client), &gone);
    if (code != SQLITE_OK)
        return code;
    op->staged.number = request->number ? gone : 0;
    if (!gone && !request->number)
        gv_state_refuse_none(op);
    return SQLITE_OK;
}

static int run(gv_state_sqlite *self, gavat_op *op)
{
    switch (((const gv_state_request *)op->request)->verb) {
    case GV_STATE_PUT:
        return put(self, op);
    case GV_STATE_READ:
        return read_one(self, op);
    case GV_STATE_REMOVE:
        return remove_key(self, op);
    case GV_STATE_ALL:
        return gv_state_all(self, op);
    case GV_STATE_CLEAR:
        return gv_state_clear(self, op);
    case GV_STATE_SCAN:
        return gv_state_scan(self, op);
    case GV_STATE_PUSH:
        return gv_state_push(self, op);
    case GV_STATE_RANGE:
        return gv_state_range(self, op);
    case GV_STATE_STEP:
        return gv_state_run_step(self, op);
    default:
        gv_op_fail(op, GAVAT_ENOTSUP, 0, "", "state: this store cannot do that yet");
        return SQLITE_OK;
    }
}

int gv_state_apply(gv_state_sqlite *self, gavat_op *op)
{
    bool writes = op->kind->flags & GV_WRITE;
    if (op->kind->place == GV_SCHEMA_STATE) {
        gv_state_describe_schema(self, op);
        return SQLITE_OK;
    }
    if (op->kind->place == GV_CHECK_STATE) {
        gv_state_check(self, op);
        return SQLITE_OK;
    }
    if (!writes && !gv_op_fits(op))
        return SQLITE_OK;
    int code = op->kind->place == GV_IMPORT_STATE ? gv_state_import(self, op) : run(self, op);
    gv_op_charge(op);           /* before the batch ends, so that it does not hold more than all may */
    gv_arena_clear(&self->scratch);
    if (code != SQLITE_OK)
        gv_sqlite_fail(op, &self->db, code, 0, writes ? "writing to" : "reading");
    else if (op->staged.error.status == GAVAT_OK)
        gv_op_succeed(op, writes ? self->reached : GAVAT_REACHED_NONE);
    return code;
}
