/* requests.h: what the calls of the profiles area ask of its store: one struct for each family, in the op's request memory, checked
 * already; and the record that they give back. */
#ifndef GV_PROFILES_REQUESTS_H
#define GV_PROFILES_REQUESTS_H
#include "../../include/gavatcore/profiles.h"
#include "../core/batch.h"

typedef enum gv_profiles_place {
    GV_PUT_PROFILE, GV_PUT_PROFILE_IF, GV_PATCH_PROFILE, GV_DELETE_PROFILE, GV_PUT_PROFILES, GV_DELETE_PROFILES, GV_IMPORT_PROFILES,
    GV_GET_PROFILE, GV_GET_NAMED_PROFILES,
    GV_GET_PROFILE_BY_ID, GV_GET_PROFILES, GV_SEARCH_PROFILES, GV_PROFILE_STATS, GV_WATCH_PROFILES,
    GV_CHECK_PROFILES, GV_SCHEMA_PROFILES, GV_UPGRADE_PROFILES,
    GV_PROFILES_PLACES
} gv_profiles_place;
extern const gv_kind gv_profiles_ops[GV_PROFILES_PLACES];       /* those of calls of the area's own; the others, for backends.c: */
extern const gv_kind gv_import_profiles, gv_check_profiles, gv_schema_profiles, gv_upgrade_profiles;

#define GV_ANY_REVISION INT64_MIN
typedef struct gv_profile_request {     /* PUT_…, PATCH, DELETE, GET of one */
    const char *username;       /* of GET_PROFILE_BY_ID the user_id */
    gv_slice json;              /* PUT: the document; PATCH: what to set, data NULL: nothing */
    const gv_slice *unset;      /* PATCH: paths */
    size_t unset_count;
    int64_t revision;           /* that must be stored; -1: none, GV_ANY_REVISION */
} gv_profile_request;

typedef struct gv_profile_item {        /* of many; also what gv_batch_entry.record points at */
    const char *username;
    gv_slice json;              /* PUT */
    const char *refused;        /* why it is not to be done; NULL: it is */
} gv_profile_item;

typedef struct gv_many_request {        /* PUT_PROFILES, DELETE_PROFILES, GET_NAMED_PROFILES */
    const gv_profile_item *items;
    size_t count;
} gv_many_request;

typedef struct gv_profile_query {       /* GET_PROFILES, SEARCH_PROFILES */
    const char *type;           /* NULL: any */
    int32_t is_active, autospam;        /* 1, -1, 0 any */
    gv_slice where;             /* conditions, as gv_json_read_query takes them; data NULL: none */
    gv_slice keyword;           /* folded; SEARCH */
    const char *after;          /* a username; NULL: from the start */
    uint32_t limit;
    size_t max_bytes;
} gv_profile_query;

typedef struct gv_watch_request {
    const char *token;          /* NULL: from now */
} gv_watch_request;

/* --- check.c: what a document must be before it may go to the store --- */

typedef struct gv_profile_fault {
    gavat_status status;
    char why[256];
} gv_profile_fault;

/* False: fault says why not. json may have white space around it. */
bool gv_profile_check(const gavat *g, gv_slice json, gv_profile_fault *fault);
/* The parts of one: a value that becomes the value of a key somewhere in a document. */
bool gv_profile_check_value(gv_slice value, gv_profile_fault *fault);
bool gv_profile_check_name(const char *username, bool to_write, gv_profile_fault *fault);

/* --- record.c --- */

extern const gv_shape gv_profile_shape;         /* the record is a gavat_profile */

/* The cursor behind a username, in the arena; NULL: no memory. */
const char *gv_profile_cursor(gv_arena *arena, const char *username);
/* The username in it; NULL: not a cursor of profiles. */
const char *gv_profile_cursor_read(const char *cursor);
#endif
