#include "give.h"
#include "../core/client.h"

bool gv_state_give(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms)
{
    gavat *g = op->client;
    bool added = gv_state_add(op, user, key, value, length, expire_ms);
    const gv_result *result = op->staged.result;
    bool full = added && atomic_load(&g->bytes) + (result->arena.bytes - result->charged) > g->most_bytes;
    if (added && !full)
        return true;
    gv_op_drop_result(op);
    if (full)
        gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "state: the result passes the byte bound (GAVAT_MAX_BYTES, %zu) together with "
                   "what else is held: let some go, raise it, or page with gavat_scan_state", g->most_bytes);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the result");
    return false;
}

void gv_state_refuse_none(gavat_op *op)
{
    gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "state: there is no such key, or it has expired");
}

void gv_state_refuse_list(gavat_op *op)
{
    gv_op_fail(op, GAVAT_EINVAL, 0, "", "state: a list lies under this name: gavat_list_state shows it");
}

void gv_state_refuse_text(gavat_op *op)
{
    gv_op_fail(op, GAVAT_EINVAL, 0, "", "state: a text lies under this name, no list: gavat_clear_state removes it");
}
