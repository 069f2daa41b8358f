#include "requests.h"

#define ROW(place, name, flags) {name, GV_PROFILES, place, flags, NULL}
#define KIND(place, name, flags) [place] = ROW(place, name, flags)

const gv_kind gv_profiles_ops[GV_PROFILES_PLACES] = {
    KIND(GV_PUT_PROFILE, "put_profile", GV_WRITE),
    KIND(GV_PUT_PROFILE_IF, "put_profile_if_revision", GV_WRITE),
    KIND(GV_PATCH_PROFILE, "patch_profile", GV_WRITE),
    KIND(GV_DELETE_PROFILE, "delete_profile", GV_WRITE),
    KIND(GV_PUT_PROFILES, "put_profiles", GV_WRITE),
    KIND(GV_DELETE_PROFILES, "delete_profiles", GV_WRITE),
    KIND(GV_GET_PROFILE, "get_profile", 0),
    KIND(GV_GET_NAMED_PROFILES, "get_named_profiles", 0),
    KIND(GV_GET_PROFILE_BY_ID, "get_profile_by_user_id", 0),
    KIND(GV_GET_PROFILES, "get_profiles", 0),
    KIND(GV_SEARCH_PROFILES, "search_profiles", 0),
    KIND(GV_PROFILE_STATS, "get_profile_stats", 0),
    KIND(GV_WATCH_PROFILES, "watch_profiles", GV_POLL),
};
_Static_assert(GV_PROFILES_PLACES <= GV_PLACES, "a client counts each kind in a place of its own");

/* Those that come to the store by its area's row. */
const gv_kind gv_import_profiles = ROW(GV_IMPORT_PROFILES, "import_batch", GV_WRITE);
const gv_kind gv_check_profiles = ROW(GV_CHECK_PROFILES, "check_stores", 0);
const gv_kind gv_schema_profiles = ROW(GV_SCHEMA_PROFILES, "get_schema", 0);
const gv_kind gv_upgrade_profiles = ROW(GV_UPGRADE_PROFILES, "upgrade_schema", GV_LONG);
