/* calls.h: what the public calls of the state area share: from the caller's arguments to a submitted op. Any thread. */
#ifndef GV_STATE_CALLS_H
#define GV_STATE_CALLS_H
#include "requests.h"

#define GV_STATE_SPAN_MOST (INT64_C(36525) * 86400000)          /* milliseconds: 100 years */

/* Begins the op and checks user and name (what: "key"; NULL: there is none). False: nothing more to do. */
bool gv_state_begin(gavat_op *op, gv_state_place place, const char *user, const char *what, const char *name);
bool gv_state_check_value(gavat_op *op, const char *what, const char *value);           /* NULL is refused */
bool gv_state_check_span(gavat_op *op, const char *what, int64_t span_ms, bool required);
/* Submits the plain request with copies of its texts; the key is prefix and name. */
void gv_state_submit(gavat_op *op, const gv_state_request *asked, const char *prefix, const char *name);
/* Submits a step on the one key that is prefix and name; arguments are copied. */
void gv_state_step_on(gavat_op *op, const gv_step_rule *rule, const char *user, const char *prefix, const char *name, const void *arguments,
                      size_t size);
uint32_t gv_state_limit(uint32_t limit);        /* of a page: as given, within bounds */
#endif
