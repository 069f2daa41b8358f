#include "requests.h"

#define ROW(place, name, flags) {name, GV_STATE, place, flags, NULL}
#define KIND(place, name, flags) [place] = ROW(place, name, flags)

const gv_kind gv_state_ops[GV_STATE_CONVERSATIONS] = {
    KIND(GV_SET_STATE, "set_state", GV_WRITE),
    KIND(GV_GET_STATE, "get_state", 0),
    KIND(GV_DELETE_STATE, "delete_state", GV_WRITE),
    KIND(GV_LIST_STATE, "list_state", 0),
    KIND(GV_CLEAR_STATE, "clear_state", GV_WRITE),
    KIND(GV_SCAN_STATE, "scan_state", 0),
    KIND(GV_COMPARE_STATE, "compare_and_set_state", GV_WRITE),
    KIND(GV_SET_COOLDOWN, "set_cooldown", GV_WRITE),
    KIND(GV_CHECK_COOLDOWN, "check_cooldown", 0),
    KIND(GV_TRY_COOLDOWN, "try_cooldown", GV_WRITE | GV_DECIDES),
    KIND(GV_CLEAR_COOLDOWN, "clear_cooldown", GV_WRITE),
    KIND(GV_ADD_COUNTER, "add_counter", GV_WRITE),
    KIND(GV_GET_COUNTER, "get_counter", 0),
    KIND(GV_RESET_COUNTER, "reset_counter", GV_WRITE),
    KIND(GV_PUSH_LIST, "push_list", GV_WRITE),
    KIND(GV_GET_LIST, "get_list", 0),
    KIND(GV_TRY_LIMIT, "try_limit", GV_WRITE | GV_DECIDES),
};
_Static_assert(GV_STATE_PLACES <= GV_PLACES, "a client counts each kind in a place of its own");

/* Those that come to the store by its area's row. */
const gv_kind gv_import_state = ROW(GV_IMPORT_STATE, "import_batch", GV_WRITE);
const gv_kind gv_check_state = ROW(GV_CHECK_STATE, "check_stores", 0);
const gv_kind gv_schema_state = ROW(GV_SCHEMA_STATE, "get_schema", 0);
const gv_kind gv_upgrade_state = ROW(GV_UPGRADE_STATE, "upgrade_schema", GV_LONG);
