/* config.h: gavat_config: the values of the settings, where each came from, and the first error. One thread at a
 * time; a client keeps a copy of its own and only reads it, from any thread: reading changes nothing and needs no
 * memory.
 * A setting with an alias keeps what each of its two names was given; the key's counts, however old, and the alias's
 * without it. A NULL cfg reads as the defaults, and cannot be written: EINVAL. */
#ifndef GV_CORE_CONFIG_H
#define GV_CORE_CONFIG_H
#include "../../include/gavatcore/client.h"
#include "settings.h"
#include <stdbool.h>

/* Of a setting, as gavatctl and gavat_get_settings show it: "default", "set", "environment" or "file PATH:LINE". */
const char *gv_config_source(const gavat_config *cfg, gv_setting_id id);

/* The value in force. Texts live as long as cfg. A password is in gv_config_text of a URL: never print that. */
const char *gv_config_text(const gavat_config *cfg, gv_setting_id id);  /* "" for none */
int64_t gv_config_number(const gavat_config *cfg, gv_setting_id id);    /* DURATION in ms, CHOICE its place; 0: texts */

/* The same as shown to people: URLs redacted. Valid until the next call that changes cfg. */
const char *gv_config_shown(const gavat_config *cfg, gv_setting_id id);

/* Names that a loaded file held and that are not ours, in order of appearance: i-th, NULL when there are no more. */
const char *gv_config_ignored(const gavat_config *cfg, size_t i);

gavat_config *gv_config_copy(const gavat_config *cfg);                  /* NULL cfg: the defaults. NULL: no memory */

/* Keep the first error: EINVAL of a setting, or what gavat_new found. Never holds a value of a URL. Returns status,
 * or ENOMEM when there is no memory for the sentence; that is then the error. */
gavat_status gv_config_fail(gavat_config *cfg, gavat_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
gavat_status gv_config_status(const gavat_config *cfg);                 /* of the first error; GAVAT_OK */
#endif
