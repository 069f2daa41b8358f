#include "requests.h"

#define ROW(place, name, flags) {name, GV_EVENTS, place, flags, NULL}
#define KIND(place, name, flags) [place] = ROW(place, name, flags)

const gv_kind gv_events_ops[GV_EVENTS_PLACES] = {
    KIND(GV_LOG_EVENT, "log_event", GV_WRITE),
    KIND(GV_LOG_SALE, "log_sale", GV_WRITE),
    KIND(GV_LOG_MESSAGE, "log_message", GV_WRITE),
    KIND(GV_SET_SESSION, "set_session", GV_WRITE),
    KIND(GV_UPDATE_SALE, "update_sale_status", GV_WRITE),
    KIND(GV_CLOSE_SESSION, "close_session", GV_WRITE),
    KIND(GV_EXPIRE_SESSIONS, "expire_sessions", GV_WRITE),
    KIND(GV_PRUNE, "prune_events", GV_WRITE | GV_LONG),
    KIND(GV_GET_EVENTS, "get_events", 0),
    KIND(GV_GET_SALES, "get_sales", 0),
    KIND(GV_GET_MESSAGES, "get_messages", 0),
    KIND(GV_GET_SESSIONS, "get_sessions", 0),
    KIND(GV_GET_SESSION, "get_session", 0),
    KIND(GV_SEARCH_EVENTS, "search_events", 0),
    KIND(GV_TAIL_EVENTS, "tail_events", GV_POLL),
    KIND(GV_EVENT_STATS, "get_event_stats", 0),
    KIND(GV_SALE_STATS, "get_sale_stats", 0),
    KIND(GV_MESSAGE_STATS, "get_message_stats", 0),
    KIND(GV_FORWARD, "forward_spool", GV_WRITE),
};
_Static_assert(GV_EVENTS_PLACES <= GV_PLACES, "a client counts each kind in a place of its own");

/* Those that come to the store by its area's row. */
const gv_kind gv_import_events = ROW(GV_IMPORT, "import_batch", GV_WRITE);
const gv_kind gv_commit_events = ROW(GV_COMMIT, "commit_batch", GV_WRITE);
const gv_kind gv_check_events = ROW(GV_CHECK_EVENTS, "check_stores", 0);
const gv_kind gv_schema_events = ROW(GV_SCHEMA_EVENTS, "get_schema", 0);
const gv_kind gv_upgrade_events = ROW(GV_UPGRADE_EVENTS, "upgrade_schema", GV_LONG);
