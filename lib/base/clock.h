/* clock.h: clocks, and times as text. */
#ifndef GV_BASE_CLOCK_H
#define GV_BASE_CLOCK_H
#include "text.h"

#define GV_TIME_MAX INT64_C(253402300799999999)         /* 9999-12-31T23:59:59.999999Z */

int64_t gv_clock_wall(void);            /* microseconds since 1970, UTC */
uint64_t gv_clock_steady(void);         /* nanoseconds of a clock that only goes forward */

/* "2026-11-23T15:37:00.123456Z" and the form of the SQL tables, "2026-11-23 15:37:00.123456"; times outside years
 * 1..9999 are clamped. Fast: no library call. */
void gv_time_to_rfc(int64_t time, char out[28]);
void gv_time_to_sql(int64_t time, char out[27]);
/* To compare with: without the zeros that end it. Rows have 0 to 6 digits, and as texts "00:00:02" < "00:00:02.000000". */
void gv_time_to_sql_bound(int64_t time, char out[27]);

/* Reads 'YYYY-MM-DD', then optionally ' ' or 'T' and HH:MM[:SS[.fraction]], then optionally 'Z' or an offset (+03,
 * +0300, +03:00); without one it is UTC. Not in 0001..9999 once in UTC: false. Fraction of 0-9 digits, rounded down
 * to microseconds. Second 60 reads as 59.999999. False: not a time. */
bool gv_time_parse(gv_slice text, int64_t *time);

/* "90s", "15m", "24h", "7d", "250ms", "2w", "1h30m"; a bare number only when unit is not 0, which it is then a count
 * of, in milliseconds (1000: seconds). Units stand from the largest to the smallest. False: not a duration, or past
 * int64. */
bool gv_duration_parse(gv_slice text, int64_t unit, int64_t *milliseconds);
#endif
