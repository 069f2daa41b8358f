#include "defaults.h"
#include "document.h"
#include "../base/files.h"
#include "../core/client.h"
#include <stdio.h>

#define MOST (1u << 20)         /* bytes of the file */

gavat_status gv_profile_defaults_prepare(gv_profile_defaults *defaults, gv_store *store, gavat_config *cfg)
{
    const char *set = gv_config_text(store->client->config, GV_SET_PROFILE_DEFAULTS);
    gv_text path = {0};
    defaults->store = store;
    if (!*set)
        return GAVAT_OK;
    int failed = gv_file_make_absolute(set, &path);
    defaults->path = failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&path));
    gv_text_free(&path);
    if (defaults->path)
        return GAVAT_OK;
    return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", gv_settings[GV_SET_PROFILE_DEFAULTS].key);
}

static bool refuse(gv_profile_defaults *defaults, const char *why)
{
    snprintf(defaults->refusal, sizeof defaults->refusal, "%s: %.200s cannot be used: %.150s", gv_settings[GV_SET_PROFILE_DEFAULTS].key,
             defaults->path, why);
    return false;
}

static bool read_text(gv_profile_defaults *defaults, gv_slice text)
{
    gv_arena *arena = &defaults->store->arena;
    char why[GV_JSON_WHY] = "";
    size_t at;
    const char *wrong = gv_json_check(text, GV_JSON_DEPTH, 0, &at);
    if (wrong) {
        snprintf(why, sizeof why, "not JSON at byte %zu: %s", at, wrong);
        return refuse(defaults, why);
    }
    const char *kept = gv_arena_copy(arena, text.data, text.length);
    if (!kept || !gv_json_read_defaults(arena, (gv_slice){kept, text.length}, &defaults->changes, why))
        return refuse(defaults, why[0] ? why : "no memory");
    for (size_t i = 0; i < defaults->changes.count; i++) {
        const char *field = gv_document_kept(defaults->changes.list[i].key);
        if (!field)
            continue;
        snprintf(why, sizeof why, "%s is kept by the library and has no default", field);
        return refuse(defaults, why);
    }
    return true;
}

bool gv_profile_defaults_read(gv_profile_defaults *defaults)
{
    gv_text text = {0};
    if (!defaults->path)
        return true;
    int error = gv_file_read_all(defaults->path, MOST, &text);
    bool good = error ? refuse(defaults, gv_errno_name(-error)) : read_text(defaults, (gv_slice){gv_text_get(&text), text.length});
    gv_text_free(&text);
    return good;
}
