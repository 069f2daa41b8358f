/* profiles.h: the profiles area: JSON documents by username. Field order, unknown fields and number digits are kept; MongoDB keeps numbers,
 * not their digits, and times to the millisecond.
 *
 * username, created_at, updated_at and revision are kept by the library: what a caller's document says there does not count, except
 * created_at of a document that is new to the store. The store keeps one more, revised_at, by which it sees that another program
 * wrote a document; results do not show it. A path is dotted, "gpt.models.0".
 * A document for the store is an object, nested 100 deep at most, of GAVAT_MAX_RECORD bytes at most, its keys without dots, a leading $
 * and NUL, none twice in one object, its whole numbers within 64 bits: anything else is EINVAL. Documents of other writers are
 * read as they are: NaN and Infinity stay in gavat_profile.json (gavat_op_json prints them as strings), extended JSON
 * ({"$date": …}) is given as what it stands for. Times come as RFC 3339.
 * Reads and writes fail with EUNAVAIL or EIO while the store is away; there is no spool for profiles. */
#ifndef GAVATCORE_PROFILES_H
#define GAVATCORE_PROFILES_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { GAVAT_PROFILE_DELETED = 1 };     /* from gavat_watch_profiles: username only */
typedef struct gavat_profile {          /* read only */
    const char *username;
    const char *json;                   /* the document, ended by NUL; read one field with gavat_json_find or gavat_json_copy */
    size_t json_length;
    int64_t revision;                   /* 1, 2, …; 0: another program wrote it last */
    gavat_time created_at, updated_at;  /* 0: the document does not say */
    uint32_t flags, reserved;
} gavat_profile;

/* All that is given must match. */
typedef struct gavat_profile_filter {
    uint32_t size;
    uint32_t limit;                     /* records a page; 0: 100 */
    uint32_t max_bytes;                 /* bytes a page; 0: the setting GAVAT_PAGE_BYTES */
    int32_t is_active, autospam;
    int32_t reserved;
    const char *type;
    const char *where;                  /* JSON: {"reply_mode":"hybrid","gpt.temperature":{">=":0.5,"<":1}}; = != < <= > >= */
    const char *cursor;                 /* gavat_op_cursor of the page before */
} gavat_profile_filter;
GAVAT_INIT(profile_filter)

/* Create or replace; created_at is kept. gavat_op_number: the new revision. A stored document that cannot be read is put aside first,
 * never overwritten. */
GAVAT_API void gavat_put_profile(gavat_op *op, const char *username, const char *json);

/* The same only if the stored revision is this one; -1: only if there is none. ECONFLICT: nothing written, gavat_op_number is the
 * stored revision. ECORRUPT: what is stored cannot be read. A retry after MAYBE_APPLIED may conflict with itself: read before
 * deciding. A document that was deleted and made anew begins at 1 again. */
GAVAT_API void gavat_put_profile_if_revision(gavat_op *op, const char *username, const char *json, int64_t revision);

/* Change parts, atomically: set is JSON, {"reply_mode":"manual","gpt.temperature":0.7}, NULL for none; unset an array of paths.
 * gavat_op_number: the new revision. ENOTFOUND; ECORRUPT; EINVAL: a path crosses a scalar, two paths overlap, or one is of a field that
 * the library keeps. */
GAVAT_API void gavat_patch_profile(gavat_op *op, const char *username, const char *set, const char *const *unset,
                                   size_t unset_count);

/* ENOTFOUND when there is none. */
GAVAT_API void gavat_delete_profile(gavat_op *op, const char *username);

/* One document; the defaults file of the settings is merged under it. user_id: as text, found stored as text or number; of several
 * the first by username. ENOTFOUND; ECORRUPT: it is there but cannot be read. */
GAVAT_API void gavat_get_profile(gavat_op *op, const char *username);
GAVAT_API void gavat_get_profile_by_user_id(gavat_op *op, const char *user_id);

/* A page, by username; filter NULL: all. Unreadable documents are in gavat_op_rejected, never the end of the query. */
GAVAT_API void gavat_get_profiles(gavat_op *op, const gavat_profile_filter *filter);

/* The same, of those whose username, display_name or telegram_handle contains keyword: literal, letters folded. */
GAVAT_API void gavat_search_profiles(gavat_op *op, const char *keyword, const gavat_profile_filter *filter);

/* JSON records, one a type: {"type":"bot","count":3,"active":2,"autospam":1}; type null: documents without one. Reads every document
 * once. gavat_op_number: all together. */
GAVAT_API void gavat_get_profile_stats(gavat_op *op);

/* Many by name, each on its own, in one or a few trips. Order kept; gavat_op_number: how many were done; those that were not there
 * or were refused in gavat_op_rejected with their place in the array. Bulk from JSON lines: gavat_import_batch, kind "profile". */
GAVAT_API void gavat_put_profiles(gavat_op *op, const char *const *usernames, const char *const *jsons, size_t count);
GAVAT_API void gavat_get_named_profiles(gavat_op *op, const char *const *usernames, size_t count);
GAVAT_API void gavat_delete_profiles(gavat_op *op, const char *const *usernames, size_t count);

/* The next changes after token (a gavat_op_cursor of this call; NULL: from now), each once, deletions too; changes of one profile that
 * follow on each other may come as one. A document that cannot be read is in gavat_op_rejected. Waits up to the op's timeout; with
 * nothing new it ends OK, count 0. Always gives the next token. ENOTFOUND: token too old, or of another client: read all anew. */
GAVAT_API void gavat_watch_profiles(gavat_op *op, const char *token);

/* Record i of the op, or NULL. Belongs to the op. */
GAVAT_API const gavat_profile *gavat_op_profile(const gavat_op *op, size_t i);

#ifdef __cplusplus
}
#endif
#endif
