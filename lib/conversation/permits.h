/* permits.h: the permits that were given in a conversation, in a key of ours beside its state: an exact log, as JSON with times in epoch
 * seconds to the microsecond, oldest first. Pure; any thread.
 *
 *     conversation_permits   {"given": [1795440282.25, ...], "waiting": [1795440282.25]}
 *
 * given counts for cooldown and window; waiting are those for which no message id has come yet. */
#ifndef GV_CONVERSATION_PERMITS_H
#define GV_CONVERSATION_PERMITS_H
#include "../base/arena.h"
#include "../base/text.h"
#include "../../include/gavatcore/conversation.h"

#define GV_DM_PERMITS_MOST 1000         /* the largest window; of each list the newest are kept */

typedef struct gv_dm_times {
    gavat_time *at;             /* not falling, with room for one more */
    size_t count;
} gv_dm_times;
typedef struct gv_dm_permits {
    gv_dm_times given, waiting;
} gv_dm_permits;

/* value.data NULL: none. Times beyond now are now; what is older than its span (microseconds) is dropped, but for the last one given.
 * ECORRUPT, ENOMEM. */
gavat_status gv_dm_permits_read(gv_dm_permits *out, gv_slice value, gv_arena *arena, gavat_time now, int64_t window, int64_t grace);
void gv_dm_permits_write(const gv_dm_permits *permits, gv_text *out);
void gv_dm_times_add(gv_dm_times *times, gavat_time time);      /* once after a read */
void gv_dm_times_drop_first(gv_dm_times *times);                /* harmless when there is none */
#endif
