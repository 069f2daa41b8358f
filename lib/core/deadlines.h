/* deadlines.h: which op's time is up next: a hierarchical timing wheel of 1 ms ticks (Varghese and Lauck, 1987, scheme 7), so that adding and
 * removing cost the same however many ops wait. The owner's lock. Every submitted op is in it, those without a deadline in `undated`. */
#ifndef GV_CORE_DEADLINES_H
#define GV_CORE_DEADLINES_H
#include "../base/list.h"
#include <stdint.h>

#define GV_WHEEL_LEVELS 5
#define GV_WHEEL_SLOTS 64

typedef struct gv_deadline {    /* part of what waits */
    gv_link link;
    uint64_t due;               /* nanoseconds of gv_clock_steady; 0: never */
} gv_deadline;

typedef struct gv_deadlines {
    uint64_t tick;              /* milliseconds: all up to here have been taken */
    uint64_t used[GV_WHEEL_LEVELS];     /* a bit for each slot that may hold something */
    gv_list slots[GV_WHEEL_LEVELS][GV_WHEEL_SLOTS];
    gv_list undated;
} gv_deadlines;

void gv_deadlines_init(gv_deadlines *wheel, uint64_t now);
void gv_deadlines_add(gv_deadlines *wheel, gv_deadline *entry);
/* To take an entry out: gv_list_remove(&entry->link). */

/* Moves all that are due to `due` (linked by their link). */
void gv_deadlines_take(gv_deadlines *wheel, uint64_t now, gv_list *due);
/* Moves everything to `all`, in no order. */
void gv_deadlines_take_all(gv_deadlines *wheel, gv_list *all);
/* When to look again, in nanoseconds: at the earliest deadline or a little before it; UINT64_MAX: nothing waits. */
uint64_t gv_deadlines_next(const gv_deadlines *wheel);
#endif
