/* cache.h: profiles that were asked for more than once lately, each kept as callers get it, for as long as its file stays the same one unchanged: a get then costs
 * a look at the file's data instead of opening, reading and checking it. A file is known by its device, inode, size and times, and kept only
 * when its times are GV_CACHE_QUIET old: what is written to it later, by whoever, moves them. Nothing that decides over a write is taken from
 * here. At most GV_CACHE_BYTES. One thread at a time. */
#ifndef GV_PROFILES_CACHE_H
#define GV_PROFILES_CACHE_H
#include "../document.h"
#include <sys/stat.h>

#define GV_CACHE_SLOTS 4096
#define GV_CACHE_BYTES (4u << 20)
#define GV_CACHE_MOST 16384             /* of one profile */
#define GV_CACHE_QUIET INT64_C(2000000) /* microseconds: a clock's tick and more */

typedef struct gv_cached {
    struct stat file;           /* as it was before it was read */
    gavat_profile record;       /* points into text */
    char text[];
} gv_cached;

typedef struct gv_cache_slot {
    uint32_t asked, held;       /* parts of hashes: of the name that was asked for last, of the one that is kept */
    gv_cached *kept;
} gv_cache_slot;

typedef struct gv_cache {       /* all zero: empty */
    gv_cache_slot slots[GV_CACHE_SLOTS];
    size_t bytes;
    struct stat file;           /* that was opened last */
    bool again;                 /* the one that is asked for was the last one of its slot */
    bool quiet;                 /* it may be kept */
} gv_cache;

/* The profile, valid until the next call; NULL: it is to be read. cache NULL: there is none. */
const gavat_profile *gv_cache_find(gv_cache *cache, const char *username, const char *path);
void gv_cache_opened(gv_cache *cache, int fd);  /* gv_cache_find had nothing; before it is read */
/* What was read then. */
void gv_cache_keep(gv_cache *cache, const gavat_profile *profile);
void gv_cache_free(gv_cache *cache);
#endif
