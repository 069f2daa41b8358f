/* raw_state.h: the state area by hand: what one would write with sqlite3.h in one thread, as fast as it goes: the tables, pragmas and
 * statements of the library, prepared once, bound without copies, as many ops in a transaction. */
#ifndef GV_BENCH_RAW_STATE_H
#define GV_BENCH_RAW_STATE_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_VALUE "{\"phase\": \"active_conversation\", \"followup_count\": 2}"
#define STATE_CONVERSATION \
    "{\"last_bot_message\": 1795440282.250001, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 0, " \
    "\"phase\": \"initial_contact\", \"manual_intervention_time\": 0, \"followup_count\": 0, \"last_manual_check\": 0, " \
    "\"auto_message_count\": 12, \"menu_sent\": false, \"manual_mode_active\": false, \"last_manual_message\": 0, " \
    "\"auto_messages_paused\": false}"
#define STATE_PERMITS "{\"given\": [1795440282.250001, 1795440283.250001], \"waiting\": []}"
#define STATE_SPAN_MS INT64_C(86400000)

/* The last two are of conversations: a read and a write of the state; a read of the state and of the permits, and a write of these. */
typedef enum state_verb { STATE_SET, STATE_GET, STATE_ADD, STATE_TRY, STATE_APPLY, STATE_PERMIT } state_verb;

typedef struct raw_state {
    sqlite3 *db;
    sqlite3_stmt *find, *store;
    size_t bytes;               /* read: so that reading is not left out */
} raw_state;

/* path NULL: in memory. like: a file of the library's, whose tables it gets. */
void raw_state_open(raw_state *self, const char *path, const char *like);
void raw_state_close(raw_state *self);
void raw_state_begin(raw_state *self, bool writes);
void raw_state_do(raw_state *self, state_verb verb, const char *user, const char *name);
void raw_state_commit(raw_state *self);
#endif
