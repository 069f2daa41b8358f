/* give.h: outcomes that every backend of the state area stages in the same words. */
#ifndef GV_STATE_GIVE_H
#define GV_STATE_GIVE_H
#include "requests.h"

/* gv_state_add within the bounds of memory; false: the op has failed. */
bool gv_state_give(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms);
void gv_state_refuse_none(gavat_op *op);        /* no such key */
void gv_state_refuse_list(gavat_op *op);        /* a list where a text is wanted */
void gv_state_refuse_text(gavat_op *op);        /* a text where a list is wanted */
#endif
