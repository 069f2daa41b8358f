/* stats.h: profiles counted by type. One thread. */
#ifndef GV_PROFILES_STATS_H
#define GV_PROFILES_STATS_H
#include "requests.h"

#define GV_TYPES_MOST 4096      /* told apart; profiles of further ones are counted under "(others)" */

typedef struct gv_type_count {
    char *type;                 /* raw JSON, "null" for none */
    int64_t count, active, autospam;
} gv_type_count;

typedef struct gv_profile_stats {
    gv_type_count *types;       /* sorted */
    size_t length, room;
    int64_t count;
} gv_profile_stats;

/* type: raw JSON; anything but a string is none. False: no memory. */
bool gv_profile_stats_count(gv_profile_stats *stats, gv_slice type, int64_t count, int64_t active, int64_t autospam);
bool gv_profile_stats_add(gv_profile_stats *stats, gv_slice document);          /* false: no memory */
bool gv_profile_stats_print(const gv_profile_stats *stats, gv_result *result);  /* a JSON record a type */
void gv_profile_stats_free(gv_profile_stats *stats);
#endif
