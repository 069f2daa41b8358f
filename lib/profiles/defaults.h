/* defaults.h: the file of fields that every profile has unless it says otherwise, as the original's loader had them in its code. Merged under
 * what is read, never written. */
#ifndef GV_PROFILES_DEFAULTS_H
#define GV_PROFILES_DEFAULTS_H
#include "requests.h"
#include "../base/json_change.h"

typedef struct gv_profile_defaults {    /* fixed once it was read */
    gv_store *store;
    const char *path;           /* absolute; NULL: none */
    gv_json_changes changes;    /* what documents lack; in the store's arena */
    char refusal[400];          /* why no op is served: it cannot be read; "": it was */
} gv_profile_defaults;

/* In prepare: the path only, as gavat_new does no I/O. */
gavat_status gv_profile_defaults_prepare(gv_profile_defaults *defaults, gv_store *store, gavat_config *cfg);
/* Once, on a thread of the store's, before the first op. False: refusal says why not. */
bool gv_profile_defaults_read(gv_profile_defaults *defaults);
#endif
