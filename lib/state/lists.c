/* lists.c: the public calls for lists: newest first, cut to a length. */
#include "calls.h"

#define PREFIX "list:"

void gavat_push_list(gavat_op *op, const char *user, const char *name, const char *value, uint32_t max)
{
    if (!gv_state_begin(op, GV_PUSH_LIST, user, "name", name) || !gv_state_check_value(op, "value", value))
        return;
    const gv_state_request asked = {.verb = GV_STATE_PUSH, .user = user, .value = value, .most = max};
    gv_state_submit(op, &asked, PREFIX, name);
}

void gavat_get_list(gavat_op *op, const char *user, const char *name, int64_t start, int64_t stop)
{
    if (!gv_state_begin(op, GV_GET_LIST, user, "name", name))
        return;
    const gv_state_request asked = {.verb = GV_STATE_RANGE, .user = user, .start = start, .stop = stop};
    gv_state_submit(op, &asked, PREFIX, name);
}
