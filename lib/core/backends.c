/* backends.c: the rows of all areas, backends and kinds of records: the one place that knows them. */
#include "batch.h"

extern const gv_backend gv_postgresql_events, gv_sqlite_events, gv_text_log, gv_spool_file, gv_files_profiles, gv_sqlite_state, gv_memory_state;
extern const gv_backend gv_mongodb_profiles, gv_redis_state;
extern const gv_kind gv_import_events, gv_commit_events, gv_check_events, gv_schema_events, gv_upgrade_events, gv_check_text_log, gv_check_spool;
extern const gv_kind gv_import_profiles, gv_check_profiles, gv_schema_profiles, gv_upgrade_profiles;
extern const gv_kind gv_import_state, gv_check_state, gv_schema_state, gv_upgrade_state;
extern const gv_batch_kind gv_batch_profile, gv_batch_state;
extern const gv_batch_kind gv_batch_event, gv_batch_sale, gv_batch_message, gv_batch_session;

const gv_area_row gv_areas[GV_AREA_COUNT] = {
    [GV_EVENTS] = {"events", GV_SET_EVENTS_URL, .import = &gv_import_events, .commit = &gv_commit_events, .check = &gv_check_events,
                   .schema = &gv_schema_events, .upgrade = &gv_upgrade_events},
    [GV_TEXT_LOG] = {"textlog", GV_SET_TEXT_LOG_DIR, .check = &gv_check_text_log},
    [GV_SPOOL] = {"spool", GV_SET_SPOOL, .check = &gv_check_spool},
    [GV_PROFILES] = {"profiles", GV_SET_PROFILES_URL, .import = &gv_import_profiles, .check = &gv_check_profiles,
                     .schema = &gv_schema_profiles, .upgrade = &gv_upgrade_profiles},
    [GV_STATE] = {"state", GV_SET_STATE_URL, .import = &gv_import_state, .check = &gv_check_state, .schema = &gv_schema_state, .upgrade = &gv_upgrade_state},
};

const gv_backend *const gv_backends[] = {
#ifdef GV_WITH_POSTGRESQL
    &gv_postgresql_events,
#endif
    &gv_sqlite_events,
    &gv_text_log,
    &gv_spool_file,
    &gv_files_profiles,
#ifdef GV_WITH_MONGODB
    &gv_mongodb_profiles,
#endif
#ifdef GV_WITH_REDIS
    &gv_redis_state,
#endif
    &gv_sqlite_state,
    &gv_memory_state,
    NULL,
};

const gv_batch_kind *const gv_batch_kinds[] = {
    &gv_batch_event, &gv_batch_sale, &gv_batch_message, &gv_batch_session, &gv_batch_profile, &gv_batch_state, NULL,
};
