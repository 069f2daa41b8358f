/* state.h: the state area: keys with expiry, cooldowns, counters, lists, limits.
 *
 * user NULL: the global ones; "" is EINVAL. A user id has at most 100 characters ("dm:BOT:USER", where conversations are kept, 204) and
 * must not end in ":cooldown", ":counter", ":list" or ":limit"; a key, action or name has 1 to 100 characters and no ':'. Reading,
 * deleting and clearing take longer ids, which other programs may have written. Text is valid UTF-8, values at most
 * GAVAT_MAX_RECORD bytes. Anything else: EINVAL.
 *
 * Each call is one atomic step on the store's clock. expire_ms and the like: milliseconds, at most 100 years; 0: never, and an old expiry is
 * dropped. What has expired is not there for any call, to the microsecond, and is removed without anybody reading it. A
 * stored time that is further away than its whole span counts as that span from now: a clock that was set back blocks nobody.
 *
 * A value of another shape under the name (written by another program, a list where a text is wanted): EINVAL, nothing is changed.
 * try_cooldown and try_limit decide by the setting GAVAT_WITHOUT_STATE, closed or open, while the store cannot be asked.
 * Calls marked [no retry] have no id: the library never retries them, and a retry after MAYBE_APPLIED may count twice. */
#ifndef GAVATCORE_STATE_H
#define GAVATCORE_STATE_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct gavat_state {    /* read only: a key, or an item of a list */
    const char *user;           /* NULL: global */
    const char *key;            /* "x", "cooldown:dm", "counter:n", "list:l", "limit:a" */
    const char *value;          /* as stored, ended by NUL; of a list the JSON array of its items, of an item the item */
    size_t length;
    int64_t expire_ms;          /* left to live, rounded up; 0: never ends */
    gavat_time expires_at;      /* of gavat_scan_state and gavat_list_state: when it ends; 0: never, or not known */
} gavat_state;

/* Record i of the op, or NULL: there is none, or it is of another kind. Belongs to the op. As JSON: user, key, value, expire_ms. */
GAVAT_API const gavat_state *gavat_op_state(const gavat_op *op, size_t i);

/* Store a text, also JSON; it is kept as it is. */
GAVAT_API void gavat_set_state(gavat_op *op, const char *user, const char *key, const char *value, int64_t expire_ms);

/* The value: gavat_op_text, or with its expiry gavat_op_state(op, 0). ENOTFOUND: not there, or expired. */
GAVAT_API void gavat_get_state(gavat_op *op, const char *user, const char *key);

/* ENOTFOUND when it was not there. */
GAVAT_API void gavat_delete_state(gavat_op *op, const char *user, const char *key);

/* All keys of exactly this user, cooldowns, counters, lists and limits too, by key (bytewise). Its cost does not depend on other users.
 * EBUSY: more than GAVAT_MAX_BYTES allows. */
GAVAT_API void gavat_list_state(gavat_op *op, const char *user);

/* Delete them; gavat_op_number: how many. */
GAVAT_API void gavat_clear_state(gavat_op *op, const char *user);

/* A page of all keys of all users, for export, read as gavat_list_state; it ends at limit keys (0: 100, at most 100000) or
 * GAVAT_PAGE_BYTES. cursor: gavat_op_cursor of the page before, NULL: from the start. Keys that come or go meanwhile may be missed,
 * the others come once each. The order is the store's. */
GAVAT_API void gavat_scan_state(gavat_op *op, uint32_t limit, const char *cursor);

/* Store value (NULL: delete) only if what is there equals expected (NULL: nothing), byte by byte. ECONFLICT: it does not; what is there
 * is read as after gavat_get_state (no record: nothing). [no retry] */
GAVAT_API void gavat_compare_and_set_state(gavat_op *op, const char *user, const char *key, const char *expected,
                                           const char *value, int64_t expire_ms);

/* Start a cooldown, replacing one that runs. duration_ms above 0. */
GAVAT_API void gavat_set_cooldown(gavat_op *op, const char *user, const char *action, int64_t duration_ms);

/* gavat_op_number: what is left of it in ms, rounded up; 0: free. */
GAVAT_API void gavat_check_cooldown(gavat_op *op, const char *user, const char *action);

/* Start it only if it is free; gavat_op_decision: refused with reason COOLDOWN and retry_after_ms. [no retry] */
GAVAT_API void gavat_try_cooldown(gavat_op *op, const char *user, const char *action, int64_t duration_ms);

/* End it. OK also when none ran; gavat_op_number: 1 if one did. */
GAVAT_API void gavat_clear_cooldown(gavat_op *op, const char *user, const char *action);

/* Add amount (may be negative); gavat_op_number: the new value. expire_ms counts from the add that made the counter, later ones leave its
 * expiry as it is. EINVAL where it is not a number or would overflow. [no retry] */
GAVAT_API void gavat_add_counter(gavat_op *op, const char *user, const char *name, int64_t amount, int64_t expire_ms);

/* gavat_op_number: the value, 0 when there is none. */
GAVAT_API void gavat_get_counter(gavat_op *op, const char *user, const char *name);

/* Remove it; gavat_op_number: the value it had, 0 when there was none or it was not a number. */
GAVAT_API void gavat_reset_counter(gavat_op *op, const char *user, const char *name);

/* Put value at the head, keep the newest max (0: all); gavat_op_number: the length. An expiry that the list has stays. [no retry] */
GAVAT_API void gavat_push_list(gavat_op *op, const char *user, const char *name, const char *value, uint32_t max);

/* Items start to stop, both included; 0 is the newest, -1 the oldest, so 0, -1 is all of it. Read with gavat_op_state; count 0
 * when there is none. gavat_op_number: the length of the whole list. EBUSY: more than GAVAT_MAX_BYTES allows. */
GAVAT_API void gavat_get_list(gavat_op *op, const char *user, const char *name, int64_t start, int64_t stop);

/* Spend one of `count` permits per period_ms, refilled evenly, at most burst (0: count) at once; gavat_op_decision: refused with
 * reason WINDOW and retry_after_ms. This is GCRA: any one period may see up to burst + count - 1. period_ms / count * burst is at most
 * 100 years. [no retry] */
GAVAT_API void gavat_try_limit(gavat_op *op, const char *user, const char *action, uint32_t count, int64_t period_ms,
                               uint32_t burst);

#ifdef __cplusplus
}
#endif
#endif
