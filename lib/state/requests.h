/* requests.h: what the calls of the state area ask of its store, in the op's request memory. Checked already. */
#ifndef GV_STATE_REQUESTS_H
#define GV_STATE_REQUESTS_H
#include "step.h"
#include "../../include/gavatcore/state.h"

/* The kinds of operations: kinds.c; those of conversations have kinds of their own, in lib/conversation. */
typedef enum gv_state_place {
    GV_SET_STATE, GV_GET_STATE, GV_DELETE_STATE, GV_LIST_STATE, GV_CLEAR_STATE, GV_SCAN_STATE, GV_COMPARE_STATE,
    GV_SET_COOLDOWN, GV_CHECK_COOLDOWN, GV_TRY_COOLDOWN, GV_CLEAR_COOLDOWN,
    GV_ADD_COUNTER, GV_GET_COUNTER, GV_RESET_COUNTER,
    GV_PUSH_LIST, GV_GET_LIST, GV_TRY_LIMIT,
    GV_IMPORT_STATE,            /* has a batch of gv_state_entry and no request */
    GV_CHECK_STATE, GV_SCHEMA_STATE, GV_UPGRADE_STATE,
    GV_STATE_CONVERSATIONS,     /* seven places, from here on */
    GV_STATE_PLACES = GV_STATE_CONVERSATIONS + 7
} gv_state_place;
extern const gv_kind gv_state_ops[GV_STATE_CONVERSATIONS];      /* those of calls of the area's own; the others, for backends.c: */
extern const gv_kind gv_import_state, gv_check_state, gv_schema_state, gv_upgrade_state;

/* What a backend is to do; first in every request but those of check, schema and upgrade. */
typedef enum gv_state_verb {
    GV_STATE_PUT,               /* key, value, expire_ms */
    GV_STATE_READ,              /* key */
    GV_STATE_REMOVE,            /* key; ENOTFOUND when it is not there, or with `number` OK and how many */
    GV_STATE_ALL,               /* of user */
    GV_STATE_CLEAR,             /* of user */
    GV_STATE_SCAN,              /* limit, after */
    GV_STATE_PUSH,              /* key, value, most */
    GV_STATE_RANGE,             /* key, start, stop */
    GV_STATE_STEP,              /* gv_step_request */
    GV_STATE_WALK               /* gv_walk_request */
} gv_state_verb;

typedef struct gv_state_request {
    gv_state_verb verb;
    bool number;
    uint32_t limit, most;
    const char *user;           /* "": global */
    const char *key;            /* with its prefix: "x", "cooldown:a" */
    const char *value;
    size_t length;
    int64_t expire_ms, start, stop;
    const char *after_user, *after_key;         /* SCAN: the last one of the page before; NULL: from the start */
} gv_state_request;

typedef struct gv_state_entry {         /* of an import: takes the place of what lies under its name */
    const char *user;           /* "": global */
    const char *key;            /* with its prefix */
    gv_slice value;
    const gv_slice *items;      /* of a list, newest first; NULL: it is none */
    size_t count;
    gavat_time expires;         /* 0: never */
} gv_state_entry;

typedef struct gv_step_request {
    gv_state_verb verb;
    const gv_step_rule *rule;
    const char *user;
    const char *keys[GV_STEP_KEYS];
    const void *arguments;
} gv_step_request;

typedef struct gv_walk_request {
    gv_state_verb verb;
    uint32_t limit;
    size_t max_bytes;
    const gv_walk_rule *rule;
    const char *prefix;
    const char *after_user;     /* the last one of the page before; NULL: from the start */
    gavat_time after_due;
    const void *arguments;
} gv_walk_request;

/* Add a key, or an item of a list, to the op's result; all is copied. False: no memory. */
bool gv_state_add(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms);

/* The same, of a result that holds this one record, whose value is also the op's text. */
bool gv_state_give_one(gavat_op *op, const char *user, const char *key, const char *value, size_t length, int64_t expire_ms);

/* The cursor behind a key, or behind an item of a walk; set in the op's result. False: no memory. */
bool gv_state_set_cursor(gavat_op *op, const char *user, const char *key);
bool gv_walk_set_cursor(gavat_op *op, const char *user, gavat_time due);
/* Back from it. memory: as long as the cursor with its NUL; the texts are in it. False: not such a cursor. */
bool gv_state_read_cursor(const char *cursor, char *memory, const char **user, const char **key);
bool gv_walk_read_cursor(const char *cursor, char *memory, const char **user, gavat_time *due);

/* Milliseconds from now to a time, rounded up; at least 0. */
static inline int64_t gv_state_left_ms(gavat_time until, gavat_time now)
{
    return until > now ? (until - now + 999) / 1000 : 0;
}
#endif
