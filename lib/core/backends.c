/* backends.c: the rows of all areas, backends and kinds of records: the one place that knows them. */
#include "batch.h"

extern const gv_backend gv_sqlite_events, gv_text_log;
extern const gv_kind gv_import_events, gv_commit_events;
extern const gv_batch_kind gv_batch_event, gv_batch_sale, gv_batch_message, gv_batch_session;

const gv_area_row gv_areas[GV_AREA_COUNT] = {
    [GV_EVENTS] = {"events", GV_SET_EVENTS_URL, &gv_import_events, &gv_commit_events},
    [GV_TEXT_LOG] = {"textlog", GV_SET_TEXT_LOG_DIR, NULL, NULL},
};

const gv_backend *const gv_backends[] = {
    &gv_sqlite_events,
    &gv_text_log,
    NULL,
};

const gv_batch_kind *const gv_batch_kinds[] = {
    &gv_batch_event, &gv_batch_sale, &gv_batch_message, &gv_batch_session, NULL,
};
