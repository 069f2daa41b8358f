/* settings.h: the one table of settings: parsing, defaults, gavatctl's `config` and the reference page are made from
 * it. A new setting is one row in settings.c and one name here. Everything here is constant or pure: any thread. */
#ifndef GV_CORE_SETTINGS_H
#define GV_CORE_SETTINGS_H
#include "../../include/gavatcore/base.h"
#include "../base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GV_SETTING_ROOM 4096    /* most bytes of a value */
#define GV_STORE_OFF "off"      /* in place of a store URL: there is no such store */
#define GV_MEMORY_IS_OUT "memory is out"    /* the one phrase of gv_url_parse and gv_dotenv_read that blames no text */

typedef enum gv_setting_id {
    GV_SET_EVENTS_URL,          /* POSTGRES_URL, else DATABASE_URL */
    GV_SET_PROFILES_URL,
    GV_SET_STATE_URL,
    GV_SET_PROFILE_DEFAULTS,
    GV_SET_MONGODB_DB,
    GV_SET_MONGODB_WORKERS,
    GV_SET_TEXT_LOG_DIR,
    GV_SET_TIME_ZONE,
    GV_SET_TIMEOUT,
    GV_SET_MAX_OPS,
    GV_SET_MAX_BYTES,
    GV_SET_MAX_RECORD,
    GV_SET_PAGE_BYTES,
    GV_SET_SEARCH_INDEX,
    GV_SET_SEARCH_LAG,
    GV_SET_READERS,
    GV_SET_SPOOL,
    GV_SET_SPOOL_BYTES,
    GV_SET_SPOOL_AGE,
    GV_SET_ACK,
    GV_SET_PG_CONNECTIONS,
    GV_SET_PG_PARTITIONS,
    GV_SET_SQLITE_SYNCHRONOUS,
    GV_SET_SQLITE_CACHE,
    GV_SET_MIGRATIONS,
    GV_SET_WITHOUT_STATE,
    GV_SET_DM_STATE_TTL,
    GV_SET_DM_COOLDOWN,
    GV_SET_DM_WINDOW,
    GV_SET_DM_WINDOW_MESSAGES,
    GV_SET_DM_MENU_AFTER,
    GV_SET_DM_MANUAL_TIMEOUT,
    GV_SET_DM_GRACE,
    GV_SET_DM_MAX_FOLLOWUPS,
    GV_SET_DM_FOLLOWUP_INITIAL,
    GV_SET_DM_FOLLOWUP_ACTIVE,
    GV_SET_DM_FOLLOWUP_ENGAGED,
    GV_SET_DM_FOLLOWUP_ENGAGED_USER,
    GV_SET_DM_FOLLOWUP_MANUAL,
    GV_SETTING_COUNT
} gv_setting_id;

typedef enum gv_setting_type {
    GV_SETTING_TEXT,            /* any text */
    GV_SETTING_URL,             /* a store URL, shown redacted, or GV_STORE_OFF */
    GV_SETTING_INTEGER,
    GV_SETTING_BYTES,           /* 4096, 64k, 64KiB, 1MiB, 2GiB: powers of 1024 */
    GV_SETTING_DURATION,        /* 10s, 1m30s, 250ms; a bare number is seconds; kept in milliseconds */
    GV_SETTING_CHOICE           /* one of the words of `choices`; kept as its place, from 0 */
} gv_setting_type;

typedef struct gv_setting {
    const char *key;
    const char *alias;          /* another name, which the key beats; NULL: none */
    gv_setting_type type;
    const char *fallback;       /* the default, as text; "" for none */
    int64_t least, most;        /* of INTEGER, BYTES, DURATION */
    const char *choices;        /* "on|off" */
    const char *help;           /* a sentence or two for the reference page: what it does, when to change it */
} gv_setting;

extern const gv_setting gv_settings[GV_SETTING_COUNT];

/* The setting whose key or alias is exactly name; *alias says which of the two it was. False: none. */
bool gv_setting_find(gv_slice name, gv_setting_id *id, bool *alias);

/* The key or alias nearest to name, at most three letters away, case apart; NULL: none is. */
const char *gv_setting_suggest(gv_slice name);

/* Reads value as the setting's type. *number is 0 for TEXT and URL. EINVAL: problem has got what is wrong and what is
 * allowed, on one line, without anything of a URL. ENOMEM: problem has got nothing of use. */
gavat_status gv_setting_parse(gv_setting_id id, const char *value, int64_t *number, gv_text *problem);

/* Adds what the setting may be, for the reference page: "1ms to 24h", "on or off", "text". */
void gv_setting_add_allowed(gv_text *out, const gv_setting *setting);

/* Adds at most `most` characters of text that may hold anything, as one line fit for a message: control characters
 * and bytes that are not UTF-8 as '?', passwords as ***, "…" where it was cut. */
void gv_setting_add_plain(gv_text *out, const char *text, size_t most);

/* The same for the name of a file, in which '@' and '=' are nothing special unless someone took a URL for a file. */
void gv_setting_add_path(gv_text *out, const char *path);
#endif
