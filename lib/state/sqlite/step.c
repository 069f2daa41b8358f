/* step.c: a rule over keys of one user: read, decided, written in the transaction at hand. Everything that can refuse comes before the first
 * write. */
#include "sqlite.h"
#include "../../core/client.h"

typedef struct step_times {     /* of what is there, in microseconds */
    int64_t expire, span;
    bool late;
} step_times;

/* SQLITE_OK with step.op failed: refused. */
static int read_keys(gv_state_sqlite *self, const gv_step_request *request, gv_step *step, step_times *times)
{
    for (size_t i = 0; i < step->count; i++) {
        gv_step_key *key = &step->keys[i];
        gv_state_row row = {0};
        bool found;
        key->key = request->keys[i];
        int code = gv_state_find(self, request->user, key->key, step->now, &row, &found);
        if (code != SQLITE_OK)
            return code;
        if (!found)
            continue;
        if (row.list) {
            gv_state_refuse_list(step->op);
            return SQLITE_OK;
        }
        key->value = row.value;
        key->length = row.length;
        key->expire_ms = (row.expire_us + 999) / 1000;
        times[i] = (step_times){row.expire_us, row.span, row.late};
    }
    return SQLITE_OK;
}

static int write_key(gv_state_sqlite *self, const gv_step_request *request, const gv_step *step, size_t i, const step_times *times)
{
    const gv_step_key *key = &step->keys[i];
    int64_t gone, span = key->keep_expiry ? times->span : key->put_expire_ms * 1000;
    int64_t expire = key->keep_expiry ? times->expire : key->put_expire_ms * 1000;
    if (key->write && !key->put)
        return gv_state_remove(self, request->user, key->key, step->now, &gone);
    gv_slice value = {key->write ? key->put : key->value, key->write ? key->put_length : key->length};
    if (!key->write)        /* stored too far away: from now on it is as it counts */
        expire = times->expire, span = times->span;
    return gv_state_store(self, request->user, key->key, value, expire ? step->now + expire : 0, span);
}

static int write_keys(gv_state_sqlite *self, const gv_step_request *request, const gv_step *step, const step_times *times)
{
    size_t count = 0;
    for (size_t i = 0; i < step->count; i++)
        count += step->keys[i].write || times[i].late;
    int code = count > 1 ? gv_writer_unit(&self->writing) : SQLITE_OK;
    if (code != SQLITE_OK)
        return code;
    for (size_t i = 0; i < step->count && code == SQLITE_OK; i++)
        if (step->keys[i].write || times[i].late)
            code = write_key(self, request, step, i, &times[i]);
    return count > 1 ? gv_writer_end_unit(&self->writing, code) : code;
}

int gv_state_run_step(gv_state_sqlite *self, gavat_op *op)
{
    const gv_step_request *request = op->request;
    gv_step_key keys[GV_STEP_KEYS] = {0};
    step_times times[GV_STEP_KEYS] = {0};
    bool writes = op->kind->flags & GV_WRITE;
    gv_step step = {request->arguments, gv_now(self->store->client), keys, request->rule->count, &self->scratch, op};
    int code = read_keys(self, request, &step, times);
    if (code == SQLITE_OK && op->staged.error.status == GAVAT_OK && request->rule->decide(&step) && writes)
        code = write_keys(self, request, &step, times);
    if (code == SQLITE_OK && op->staged.error.status == GAVAT_OK)
        gv_op_succeed(op, writes ? self->reached : GAVAT_REACHED_NONE);
    return code;
}
