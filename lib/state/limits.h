/* limits.h: GCRA. A permit is due every `every` microseconds, and at most burst of them may be taken ahead of time. What is kept is one
 * time: when all permits taken so far are earned (the theoretical arrival time). Pure. */
#ifndef GV_STATE_LIMITS_H
#define GV_STATE_LIMITS_H
#include "../../include/gavatcore/op.h"
#include <stdbool.h>

typedef struct gv_limit {
    int64_t every;              /* microseconds for one permit, rounded up: never more than count in a period */
    int64_t span;               /* of burst permits */
} gv_limit;

/* False: out of bounds. burst 0: count. */
bool gv_limit_init(gv_limit *limit, uint32_t count, int64_t period_ms, uint32_t burst);
/* earned: as kept, 0 for none. Takes one if it is allowed: earned is moved on. An earned beyond now + span counts as now + span. */
gavat_decision gv_limit_take(const gv_limit *limit, gavat_time now, gavat_time *earned);
#endif
