/* uuid.h: UUIDv7, RFC 9562, times to the microsecond by section 6.2 method 3: 48 bits of milliseconds, rand_a holds
 * the fraction, floor(us * 4096 / 1000), 62 random bits. */
#ifndef GV_BASE_UUID_H
#define GV_BASE_UUID_H
#include <stdbool.h>
#include <stdint.h>

#define GV_UUID_ROOM 37

/* A new one and its time. now: the wall clock, microseconds. Times given out by one process only go up (a microsecond
 * apart when asked faster than the clock), until the clock is more than 10 s behind the last one: then they follow
 * the clock again. Any thread, lock free. Returns the uid's own time. */
int64_t gv_uuid_make(int64_t now, char out[GV_UUID_ROOM]);

/* Canonical lower-case text of any UUID version, from text in any case. False: not a UUID. */
bool gv_uuid_parse(const char *text, char out[GV_UUID_ROOM]);
/* The microsecond a v7 uid carries; false: not version 7 (given in canonical form). */
bool gv_uuid_time(const char *uid, int64_t *time);
#endif
