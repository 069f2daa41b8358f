/* requests.h: what the calls of the events area ask of its store: one struct for each family, in the op's request memory. Checked already. */
#ifndef GV_EVENTS_REQUESTS_H
#define GV_EVENTS_REQUESTS_H
#include "records.h"

/* The kinds of operations: kinds.c. place is the number here. */
typedef enum gv_events_place {
    GV_LOG_EVENT, GV_LOG_SALE, GV_LOG_MESSAGE, GV_SET_SESSION, GV_UPDATE_SALE, GV_CLOSE_SESSION, GV_EXPIRE_SESSIONS,
    GV_IMPORT, GV_COMMIT, GV_PRUNE,
    GV_GET_EVENTS, GV_GET_SALES, GV_GET_MESSAGES, GV_GET_SESSIONS, GV_GET_SESSION, GV_SEARCH_EVENTS, GV_TAIL_EVENTS,
    GV_EVENT_STATS, GV_SALE_STATS, GV_MESSAGE_STATS,
    GV_CHECK_EVENTS, GV_SCHEMA_EVENTS, GV_UPGRADE_EVENTS,
    GV_FORWARD,                 /* spool/delivery.h */
    GV_EVENTS_PLACES
} gv_events_place;
extern const gv_kind gv_events_ops[GV_EVENTS_PLACES];   /* those of calls of the area's own; the others, for backends.c: */
extern const gv_kind gv_import_events, gv_commit_events, gv_check_events, gv_schema_events, gv_upgrade_events;

typedef struct gv_log_request {         /* LOG_…, SET_SESSION */
    const gv_record_kind *kind;
    void *record;               /* behind the struct; a session's fields that are not given are left as they are stored */
    gavat_time now;
} gv_log_request;

typedef struct gv_update_request {      /* UPDATE_SALE */
    const char *uid;            /* canonical; NULL: by id */
    int64_t id;
    const char *status, *notes; /* notes NULL: left as they are */
    gavat_time now;
} gv_update_request;

typedef struct gv_session_request {     /* CLOSE_SESSION, GET_SESSION: user_id; EXPIRE_SESSIONS: before */
    const char *user_id;
    gavat_time before;          /* last_activity older than this */
    gavat_time now;
} gv_session_request;

typedef struct gv_prune_request {
    gavat_time before;
} gv_prune_request;

/* What narrows a query: for each kind of record the filter's fields that it has. */
enum { GV_BY_USER, GV_BY_USERNAME, GV_BY_TYPE, GV_BY_LEVEL, GV_BY_STATUS, GV_BY_BOT, GV_BY_COUNT };
extern const gv_field *gv_filter_field(const gv_record_kind *kind, unsigned by);        /* NULL: the kind does not have it */

typedef struct gv_position {            /* of the last row of a page: the store's own words, so that any value pages on */
    char type;                  /* of time: 't' text, 'i' integer, 'f' real, 'n' NULL, 0: from the start */
    const char *time;           /* as text */
    const char *uid;            /* NULL: the row has none */
    int64_t id;
} gv_position;

typedef struct gv_query {               /* GET_…, SEARCH, TAIL, …_STATS */
    const gv_record_kind *kind;
    const char *by[GV_BY_COUNT];        /* must equal; NULL: any */
    int32_t flag;               /* success or is_active: 1, -1, 0 any */
    gavat_time since, until;    /* 0: no bound */
    uint32_t limit;
    size_t max_bytes;
    gv_position after;
    const char *cursor;         /* TAIL: the store's own text, out of base64 already; NULL: none */
    gv_slice keyword;           /* folded; SEARCH */
    const char *group;          /* EVENT_STATS: "type", …; NULL: one total */
} gv_query;

/* The cursor behind a row, in the result's arena; NULL: no memory. */
const char *gv_position_print(gv_arena *arena, const gv_record_kind *kind, const gv_position *position);
/* False: not a cursor of this kind of record. Texts live in `memory` (as long as the cursor at least). */
bool gv_position_parse(const char *cursor, const gv_record_kind *kind, char *memory, gv_position *position);
/* Of a tail: a store's own words in base64, as gv_query.cursor has them again; NULL: no memory. */
const char *gv_tail_cursor(gv_arena *arena, const gv_text *place);

/* The statements that make an empty store; adds to out. */
void gv_sqlite_add_schema_sql(gv_text *out);
void gv_pg_add_schema_sql(gv_text *out, gavat_time now, unsigned months);        /* months: partitions made ahead; 0: none */

/* Legal steps of a sale's status: pending -> completed | failed, failed -> pending, completed -> refunded, the same again. A stored word
 * that is not one of these may go anywhere. */
bool gv_sale_status_known(const char *status);
bool gv_sale_step_legal(const char *from, const char *to);
/* Of the sales that a store found by their id (0, 1, 2: more) and the status of the first. False: op has failed, with the reason. */
bool gv_sale_may_step(gavat_op *op, int found, const char *from, const char *to);

/* The stored extra_data (NULL: none) with what is given merged over it; what is stored and is no object stays unless something is given.
 * False: no memory. */
bool gv_session_merge_extra(gv_text *out, const char *stored, const char *given);

/* order.c: whose ops go in order: the user (of messages the bot) that an op is of; NULL: many, or not known. And its place in a table of
 * what was given out last. */
#define GV_EVENTS_BUCKETS 1024
const char *gv_events_owner(const gavat_op *op);
unsigned gv_events_bucket(const char *owner);
#endif
