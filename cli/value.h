/* value.h: what a person types as a number, a time or a duration. Nothing depends on the locale or the machine's
 * time zone. */
#ifndef CTL_VALUE_H
#define CTL_VALUE_H
#include <gavatcore.h>
#include <stdbool.h>

/* Decimal digits with an optional sign, nothing around them, within least .. most. */
bool ctl_parse_integer(const char *text, int64_t least, int64_t most, int64_t *out);

/* "90s", "15m", "24h", "7d", "250ms", "1h30m": milliseconds. */
bool ctl_parse_duration(const char *text, int64_t *out);

/* "3/1h", "10/s": a count above 0 and the milliseconds that it is for. */
bool ctl_parse_rate(const char *text, uint32_t *count, int64_t *period_ms);

/* RFC 3339, "YYYY-MM-DD[ HH:MM[:SS[.ffffff]]]" in UTC, or a duration back from now. Years 1970 to 9999. */
bool ctl_parse_time(const char *text, gavat_time *out);

/* The clocks: since 1970, and one that only goes forward; microseconds. */
int64_t ctl_now(void);
int64_t ctl_ticks(void);
#endif
