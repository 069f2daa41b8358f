/* events.h: the events area: event log, sales, messages, sessions.
 * An event, sale or message is identified by (user, time, uid), fixed in the submitting call: sent again with the same uid and
 * time it lands once. Without uid one is made; its time is then the record's. Times outside 1970 .. tomorrow are EINVAL.
 * Writes are acknowledged at the store, or at the local disk when the spool took them: gavat_op_reached. */
#ifndef GAVATCORE_EVENTS_H
#define GAVATCORE_EVENTS_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Records. Make one with gavat_event_init() …: size 0 is refused. id is the store's integer, out only; uid is NULL in rows that
 * another program wrote. context and extra_data are JSON objects. */
typedef struct gavat_event {
    uint32_t size, reserved;
    const char *uid;
    int64_t id;
    gavat_time timestamp;
    const char *user_id, *type;                         /* required */
    const char *username, *message, *context;
    const char *level;                                  /* not given: INFO */
} gavat_event;

typedef struct gavat_sale {
    uint32_t size, reserved;
    const char *uid;
    int64_t id;
    gavat_time created_at, updated_at;                  /* updated_at: out only, but taken from the JSON of a batch */
    const char *user_id, *product_type, *amount;        /* required; amount is decimal text */
    const char *currency, *payment_status;              /* not given: TRY, pending */
    const char *customer_id, *bot_username, *product_name, *payment_method, *payment_reference, *notes, *extra_data;
} gavat_sale;

typedef struct gavat_message {
    uint32_t size;
    int32_t success;                                    /* not given: 1 */
    const char *uid;
    int64_t id;
    gavat_time timestamp;
    int64_t response_time_ms;                           /* not given: 0; a time of 0 ms: -1 */
    const char *bot_username, *message_type;            /* required */
    const char *target_type, *target_id, *target_name, *message_content, *message_id, *error_message, *extra_data;
} gavat_message;

typedef struct gavat_session {                          /* one per user_id */
    uint32_t size;
    int32_t is_active;                                  /* out only, but taken from the JSON of a batch */
    int64_t id;
    gavat_time last_activity, created_at;               /* not given: now */
    const char *user_id;                                /* required */
    const char *username, *session_token, *bot_type, *extra_data;
} gavat_session;

/* One filter for all four kinds; fields given must all match exactly; one that the kind does not have is EINVAL.
 * A page ends at limit or max_bytes, whichever comes first, or earlier where the search is long: cursor tells, not the count. */
typedef struct gavat_filter {
    uint32_t size;
    uint32_t limit;                 /* records a page; 0: 100 */
    uint32_t max_bytes;             /* bytes a page; 0: the setting GAVAT_PAGE_BYTES */
    int32_t success;                /* messages */
    int32_t is_active;              /* sessions */
    int32_t reserved;
    gavat_time since, until;        /* since <= time < until; of sessions last_activity. 0: no bound */
    const char *cursor;             /* gavat_op_cursor of the page before */
    const char *user_id;            /* messages: target_id */
    const char *username;           /* events, sessions */
    const char *type;               /* event type, product_type, message_type, bot_type */
    const char *level;              /* events */
    const char *status;             /* sales: payment_status */
    const char *bot_username;       /* sales, messages */
} gavat_filter;

GAVAT_INIT(event)
GAVAT_INIT(sale)
GAVAT_INIT(message)
GAVAT_INIT(session)
GAVAT_INIT(filter)
GAVAT_COPY(event)
GAVAT_COPY(sale)
GAVAT_COPY(message)
GAVAT_COPY(session)

/* Store one record; gavat_op_uid is set when the call returns. EINVAL; EREJECTED: the store refuses it, it is in rejects;
 * EBUSY: spool full; EUNAVAIL: store and spool both away, nothing stored. */
GAVAT_API void gavat_log_event(gavat_op *op, const gavat_event *event);
GAVAT_API void gavat_log_sale(gavat_op *op, const gavat_sale *sale);
GAVAT_API void gavat_log_message(gavat_op *op, const gavat_message *message);

/* Create the user's session or merge into it: fields given replace, extra_data merges by key, is_active becomes 1. */
GAVAT_API void gavat_set_session(gavat_op *op, const gavat_session *session);

/* Set payment_status, and notes unless NULL. sale: a uid or an integer id as text. ENOTFOUND; through the spool a missing sale is
 * found out later and goes to rejects. An older update never replaces a newer one. */
GAVAT_API void gavat_update_sale_status(gavat_op *op, const char *sale, const char *status, const char *notes);

/* A page of records, newest first, read through gavat_op_event … below; filter NULL: the newest 100. From the store only, never
 * the spool: EUNAVAIL while it is away. */
GAVAT_API void gavat_get_events(gavat_op *op, const gavat_filter *filter);
GAVAT_API void gavat_get_sales(gavat_op *op, const gavat_filter *filter);
GAVAT_API void gavat_get_messages(gavat_op *op, const gavat_filter *filter);
GAVAT_API void gavat_get_sessions(gavat_op *op, const gavat_filter *filter);    /* last active first */
GAVAT_API void gavat_get_session(gavat_op *op, const char *user_id);            /* one record, or ENOTFOUND */

/* Events whose message or type contains keyword: taken literally, letters folded, Turkish i's too. Otherwise as get_events. */
GAVAT_API void gavat_search_events(gavat_op *op, const char *keyword, const gavat_filter *filter);

/* The next events as they are committed, oldest first, each once, out-of-order commits and those of other programs too: from
 * filter->cursor, else since, else now. Waits up to the op's timeout; with nothing new it ends OK, count 0. Always gives a cursor for the
 * next call, by any client of the store; after an error the one before goes on. since only says where to begin; until is EINVAL.
 * "Now" is when the store hears of it: to miss nothing that is logged from here on, take a cursor first, with a timeout of 1 ms.
 * ENOTFOUND: the cursor is of another store, or ahead of this one (a backup was restored). Polls: a few trips a second while it waits. */
GAVAT_API void gavat_tail_events(gavat_op *op, const gavat_filter *filter);

/* The text log mirror of one user (GAVAT_TEXT_LOG_DIR; EINVAL when unset): the newest lines, those that hold keyword (folded, literal;
 * NULL: all), rotated files included, the newest last, as JSON records {timestamp, level, message}; and its statistics, one record.
 * limit 0: 100, at most 100000. timestamp is as in the file: local to GAVAT_TIME_ZONE. ENOTFOUND: no such file. Reads files. */
GAVAT_API void gavat_get_text_log(gavat_op *op, const char *user, const char *keyword, uint32_t limit);
GAVAT_API void gavat_get_text_log_stats(gavat_op *op, const char *user);

/* Totals as JSON records. by: "type", "level", "user", "hour", "day", NULL one total. Sums are exact to the cent, by currency;
 * of messages: total, successful, failed, by_type, by_target_type, response-time p50 and p95. Reads all that filter selects. */
GAVAT_API void gavat_get_event_stats(gavat_op *op, const char *by, const gavat_filter *filter);
GAVAT_API void gavat_get_sale_stats(gavat_op *op, const gavat_filter *filter);
GAVAT_API void gavat_get_message_stats(gavat_op *op, const gavat_filter *filter);

/* Set is_active to false: of one user (ENOTFOUND), or of all idle for idle_ms; gavat_op_number is how many. */
GAVAT_API void gavat_close_session(gavat_op *op, const char *user_id);
GAVAT_API void gavat_expire_sessions(gavat_op *op, int64_t idle_ms);

/* Record i of the op: NULL when there is none, or when it is of another kind. Belongs to the op. */
GAVAT_API const gavat_event *gavat_op_event(const gavat_op *op, size_t i);
GAVAT_API const gavat_sale *gavat_op_sale(const gavat_op *op, size_t i);
GAVAT_API const gavat_message *gavat_op_message(const gavat_op *op, size_t i);
GAVAT_API const gavat_session *gavat_op_session(const gavat_op *op, size_t i);

/* Add to a batch (op.h) what the calls above would store: EINVAL leaves the batch as it was, see gavat_batch_error. */
GAVAT_API GAVAT_CHECK gavat_status gavat_batch_add_event(gavat_batch *batch, const gavat_event *event);
GAVAT_API GAVAT_CHECK gavat_status gavat_batch_add_sale(gavat_batch *batch, const gavat_sale *sale);
GAVAT_API GAVAT_CHECK gavat_status gavat_batch_add_message(gavat_batch *batch, const gavat_message *message);
GAVAT_API GAVAT_CHECK gavat_status gavat_batch_add_session(gavat_batch *batch, const gavat_session *session);

#ifdef __cplusplus
}
#endif
#endif
