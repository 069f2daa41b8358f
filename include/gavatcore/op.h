/* op.h: one request: its callback, deadline, cancel token, result and error. Used once.
 *
 *     gavat_log_event(gavat_op_new(g, on_logged, me), &e);        // callback; the submitting call takes the reference over
 *
 *     gavat_op *op = gavat_op_new_held(g);                        // blocking: the caller keeps a reference
 *     gavat_get_profile(op, "bot123");
 *     if (gavat_op_wait(op) == GAVAT_OK) puts(gavat_op_json(op, 0, NULL));
 *     gavat_op_unref(op);
 *
 * Submitting calls return nothing: every outcome, bad arguments too, comes through the op, once. Ops on one record, user or key
 * that one thread submits apply in that order. NULL, from a refused gavat_op_new, is accepted everywhere: submitting it does
 * nothing, its status is EBUSY. So check gavat_op_new only where losing the call matters. */
#ifndef GAVATCORE_OP_H
#define GAVATCORE_OP_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

/* The op has ended. Loop's thread; op is borrowed: gavat_op_ref to keep it, no unref otherwise. */
typedef void (*gavat_done_fn)(gavat_op *op, void *user);

/* Ask for admission. done may be NULL. NULL: the bounds of live ops (queued, working, waiting for their callback) or bytes are
 * reached, memory is out, or the client is closed; each refusal is counted, and logged once a second. */
GAVAT_API GAVAT_CHECK gavat_op *gavat_op_new(gavat *g, gavat_done_fn done, void *user);

/* The same, waiting up to timeout_ms for a free place and half of the byte bound. Not on the loop's thread (NULL). */
GAVAT_API GAVAT_CHECK gavat_op *gavat_op_new_wait(gavat *g, gavat_done_fn done, void *user, uint32_t timeout_ms);

/* For gavat_flush, gavat_get_metrics and gavat_get_health only, when the bounds may be reached: from a small reserve (16) of their
 * own. Any other call with it ends EINVAL. NULL: the reserve is out too, or the client is closed. */
GAVAT_API GAVAT_CHECK gavat_op *gavat_op_new_reserved(gavat *g, gavat_done_fn done, void *user);

/* For gavat_op_wait: a second reference stays with the caller over the submit, to be ended with gavat_op_unref. Never
 * submitted, that one unref frees it. */
GAVAT_API GAVAT_CHECK gavat_op *gavat_op_new_held(gavat *g);

/* Before submit only. Deadline for queue, connect and work together; 0: the setting GAVAT_TIMEOUT (10 s). Long work: none
 * unless set. */
GAVAT_API void gavat_op_set_timeout(gavat_op *op, uint32_t timeout_ms);

/* Before submit only. For long work (admin.h): a few times a second, before done. Loop's thread. */
typedef struct gavat_progress {
    uint64_t done, total, rejected, bytes;  /* records; total 0: not known yet */
    const char *what;                       /* the source at hand */
} gavat_progress;
typedef void (*gavat_progress_fn)(gavat_op *op, const gavat_progress *progress, void *user);
GAVAT_API void gavat_op_set_progress(gavat_op *op, gavat_progress_fn fn, void *user);

/* References. An op that is never submitted is unref'd by its maker. */
GAVAT_API gavat_op *gavat_op_ref(gavat_op *op);
GAVAT_API void gavat_op_unref(gavat_op *op);

/* End it early: ECANCELED, with MAYBE_APPLIED once the store has it. Long work finishes the batch at hand. Harmless when it has
 * ended. */
GAVAT_API void gavat_op_cancel(gavat_op *op);

/* Block until it has ended and its callback has returned; gives its status. Needs a reference of one's own. EDEADLK on the
 * loop's thread, EINVAL when not submitted; cannot hang: it keeps its own clock beside the loop's. */
GAVAT_API gavat_status gavat_op_wait(gavat_op *op);

/* The result. Readable once it has ended: in the callback, after wait, later under a reference. Before that: status PENDING. */
GAVAT_API gavat_status gavat_op_status(const gavat_op *op);
GAVAT_API const gavat_error *gavat_op_error(const gavat_op *op);            /* never NULL; status OK when it went well */
GAVAT_API gavat_reached gavat_op_reached(const gavat_op *op);               /* of a write */
GAVAT_API gavat *gavat_op_client(const gavat_op *op);                       /* borrowed */
GAVAT_API int64_t gavat_op_number(const gavat_op *op);                      /* count, revision, ms …: said at each call */
GAVAT_API const char *gavat_op_text(const gavat_op *op, size_t *length);    /* "" when there is none; length may be NULL */
GAVAT_API size_t gavat_op_count(const gavat_op *op);                        /* how many records it holds */
GAVAT_API const char *gavat_op_cursor(const gavat_op *op);                  /* for the next page; NULL: that was the last */

/* Record i as one JSON object, keys named as the columns and fields; times RFC 3339. NULL: no such record, or no memory. */
GAVAT_API const char *gavat_op_json(const gavat_op *op, size_t i, size_t *length);

/* The record's uid, known as soon as a log_… call returns, and what a retry must carry. Under a reference of one's own. */
GAVAT_API const char *gavat_op_uid(const gavat_op *op);

/* Why the i-th refused record of a batch was refused, *index which one it is (gavat_batch_set_index). NULL: no more. */
GAVAT_API const char *gavat_op_rejected(const gavat_op *op, size_t i, uint64_t *index);

/* The answer of permit_message, try_limit and try_cooldown. Never NULL: allowed is 0 where the op failed, but with the setting
 * GAVAT_WITHOUT_STATE=open 1 where it failed because the store could not be asked (EUNAVAIL, ETIMEDOUT, EIO, ECORRUPT, ESCHEMA). */
typedef int32_t gavat_reason;
enum { GAVAT_REASON_NONE = 0, GAVAT_REASON_COOLDOWN = 1, GAVAT_REASON_WINDOW = 2, GAVAT_REASON_PHASE = 3, GAVAT_REASON_PAUSED = 4 };
typedef int32_t gavat_advice;
enum { GAVAT_ADVICE_NONE = 0, GAVAT_ADVICE_SEND = 1, GAVAT_ADVICE_MENU = 2, GAVAT_ADVICE_WAIT = 3, GAVAT_ADVICE_SILENT = 4 };
typedef struct gavat_decision {
    int32_t allowed;            /* 1 or 0 */
    gavat_reason reason;
    gavat_advice advice;        /* of permit_message; SILENT: a person has taken over */
    int32_t reserved;
    int64_t remaining;          /* how many more would be allowed now */
    int64_t retry_after_ms;     /* 0: now; -1: time alone will not do */
} gavat_decision;
GAVAT_API const gavat_decision *gavat_op_decision(const gavat_op *op);
GAVAT_API const char *gavat_reason_name(gavat_reason reason);               /* "cooldown", … static */

/* Many records for one op, of one area. Not shared between threads while it is filled. No memory: NULL, accepted by all below. */
GAVAT_API GAVAT_CHECK gavat_batch *gavat_batch_new(gavat *g);
GAVAT_API void gavat_batch_free(gavat_batch *batch);                        /* the caller's hold; an op under way keeps its own */

/* Add a JSON object, as gavat_op_json gives it. kind: "event", "sale", "message", "session" or "profile". EINVAL leaves
 * the batch as it was and says why in gavat_batch_error. uid and time are fixed here. Typed adders: events.h. */
GAVAT_API GAVAT_CHECK gavat_status gavat_batch_add_json(gavat_batch *batch, const char *kind, const char *json, size_t length);
GAVAT_API const char *gavat_batch_error(const gavat_batch *batch);          /* of the last add; "" when it went well */
GAVAT_API void gavat_batch_set_index(gavat_batch *batch, uint64_t index);   /* of the next record, say its line; counts on */
GAVAT_API size_t gavat_batch_bytes(const gavat_batch *batch);               /* what it will take of the byte bound */

/* Each record on its own: OK when every one has its outcome, gavat_op_number landed, the others in gavat_op_rejected. Seals the
 * batch, which may be submitted again after an error: events, sales and messages then land once. An empty one is done, whatever
 * areas there are. */
GAVAT_API void gavat_import_batch(gavat_op *op, gavat_batch *batch);

/* All or nothing, in one transaction; events area only. EREJECTED: nothing was written, gavat_op_rejected says why. Seals too. */
GAVAT_API void gavat_commit_batch(gavat_op *op, gavat_batch *batch);

#ifdef __cplusplus
}
#endif
#endif
