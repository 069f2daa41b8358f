/* totals.h: statistics as JSON records: a store counts and hands over its rows, what they say is the same on every store. Money is summed
 * here, exactly. One thread at a time. False: no memory. */
#ifndef GV_EVENTS_TOTALS_H
#define GV_EVENTS_TOTALS_H
#include "records.h"
#include "../base/decimal.h"

#define GV_NO_TIME INT64_MIN

typedef struct gv_event_group {
    const char *name;           /* NULL: SQL NULL */
    int64_t count;
    gavat_time first, last;     /* or GV_NO_TIME */
} gv_event_group;
bool gv_add_event_group(gavat_op *op, const char *by, const gv_event_group *group);    /* by: "type", "level", … */
bool gv_add_event_total(gavat_op *op, int64_t total, int64_t users, gavat_time first, gavat_time last);

typedef struct gv_sum {
    char *name;                 /* NULL: SQL NULL */
    int64_t count;
    gv_decimal amount;
} gv_sum;
typedef struct gv_sums {        /* few names each: statuses, types */
    gv_sum *items;
    size_t count;
} gv_sums;

typedef struct gv_currency {
    gv_sum total;
    gv_sums by_status, by_type;
} gv_currency;
typedef struct gv_sale_totals { /* all zero: nothing counted */
    gv_currency *all;
    size_t count;
} gv_sale_totals;
/* So many sales of the same words and amount; money NULL: none. In order of currency, status, type. */
bool gv_count_sales(gv_sale_totals *totals, const char *currency, const char *status, const char *type, const char *money, int64_t times);
bool gv_add_sale_totals(gavat_op *op, const gv_sale_totals *totals);
void gv_free_sale_totals(gv_sale_totals *totals);

typedef struct gv_message_totals {      /* all zero: nothing counted */
    int64_t total, successful, failed, timed;
    gv_sums by_type, by_target;
} gv_message_totals;
/* success: 1, -1, 0 not known. timed: of how many the response time is known. In order of type, target. */
bool gv_count_messages(gv_message_totals *totals, const char *type, const char *target, int32_t success, int64_t count, int64_t timed);
/* From 0: the place of the value at the nearest rank (part of 100) of so many. */
int64_t gv_rank_of(int64_t count, int part);
bool gv_add_message_totals(gavat_op *op, const gv_message_totals *totals, const int64_t times[2]);     /* at parts 50 and 95 */
void gv_free_message_totals(gv_message_totals *totals);
#endif
