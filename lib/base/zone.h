/* zone.h: what a local clock is ahead of UTC at a moment, out of the system's tzdata (RFC 8536), without touching the
 * process's own TZ. Versions 1 to 4 of the format are read, leap seconds are not counted. Loading reads one file; a
 * zone that is loaded never changes: any thread. */
#ifndef GV_BASE_ZONE_H
#define GV_BASE_ZONE_H
#include "arena.h"
#include <stdint.h>

typedef struct gv_zone gv_zone;

/* name: as in tzdata, "Europe/Istanbul"; NULL or "": the system's zone, /etc/localtime, UTC where that is missing or
 * cannot be read. The zone lives in arena. 0, or -ENOENT (there is no such zone), -EBADMSG (its file is not one of a
 * zone), -ENOMEM, or what reading the file failed with. */
int gv_zone_load(gv_arena *arena, const char *name, const gv_zone **zone);

/* The same from the bytes of such a file: 0, -EBADMSG, -ENOMEM. */
int gv_zone_parse(gv_arena *arena, const char *data, size_t length, const gv_zone **zone);

/* Seconds east of UTC at a moment, given in seconds since 1970. */
int64_t gv_zone_offset(const gv_zone *zone, int64_t unix_seconds);
#endif
