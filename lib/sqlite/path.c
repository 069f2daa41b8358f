/* path.c: from a store's URL to the path of its file. */
#include "database.h"
#include "../base/files.h"
#include "../base/url.h"
#include <string.h>

gavat_status gv_database_path(gv_store *store, gavat_config *cfg, const char *no_memory_file, const char **path)
{
    const char *key = gv_settings[gv_areas[store->backend->area].setting].key;
    gv_url url = {0};
    gv_arena scratch = {0};
    gv_text absolute = {0};
    const char *wrong = gv_url_parse(&scratch, store->url, &url);
    if (!wrong && (url.host_count || !*url.path))
        wrong = "it needs three slashes and a path: sqlite:///folder/file.db, or four for an absolute one: sqlite:////folder/file.db";
    else if (!wrong && url.query)
        wrong = "an SQLite URL takes no ?options: use the settings GAVAT_SQLITE_SYNCHRONOUS and GAVAT_SQLITE_CACHE";
    else if (!wrong && strcmp(url.path, ":memory:") == 0)
        wrong = no_memory_file;
    bool no_memory = wrong && strcmp(wrong, GV_MEMORY_IS_OUT) == 0;
    int failed = wrong ? 0 : gv_file_make_absolute(url.path, &absolute);
    *path = wrong || failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&absolute));
    gv_text_free(&absolute);
    gv_arena_free(&scratch);
    if (wrong && !no_memory)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: %s", key, wrong);
    if (!*path)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", key);
    return GAVAT_OK;
}
