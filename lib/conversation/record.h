/* record.h: a conversation as it is stored: the JSON of the key conversation_state, written by us as the Python bots write it, so that
 * both can share a store. Pure; any thread. */
#ifndef GV_CONVERSATION_RECORD_H
#define GV_CONVERSATION_RECORD_H
#include "../base/arena.h"
#include "../base/text.h"
#include "../../include/gavatcore/conversation.h"

#define GV_DM_INITIAL "initial_contact"
#define GV_DM_ACTIVE "active_conversation"
#define GV_DM_ENGAGED "manual_engaged"
#define GV_DM_MANUAL "manual_conversation"

typedef struct gv_dm {
    gavat_conversation is;      /* bot and user are not of the stored value: NULL here */
    bool held;                  /* paused by `pause`, not by a person's message: only `resume` ends it */
    gv_slice source;            /* what it was read from, where that has fields that are not ours: they are copied from there */
} gv_dm;

#define GV_DM_WHY 160
gv_dm gv_dm_initial(void);
/* ECORRUPT: it is no conversation, why (GV_DM_WHY bytes) says what is wrong with it; ENOMEM. source points into value, an unknown phase
 * into arena. */
gavat_status gv_dm_read(gv_dm *out, gv_slice value, gv_arena *arena, char *why);
void gv_dm_write(const gv_dm *c, gv_text *out);
/* As a record of an op: bot and user first, times RFC 3339. */
void gv_dm_print(const void *conversation, gv_text *out);

/* Epoch seconds as Python's json writes a float: "1795440282.0", "1795440282.250001"; 0 as the integer that stands for never. */
void gv_dm_write_time(gv_text *out, gavat_time time);
/* A JSON number that is not negative, of seconds (scale 6: in microseconds) or plain (scale 0), rounded to the nearest and held below most. */
bool gv_dm_read_number(gv_slice text, int scale, int64_t most, int64_t *number);
#endif
