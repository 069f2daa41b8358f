/* defaults.c: the file of fields that every profile has unless it says otherwise, as the original's loader had them in its code. */
#include "files.h"
#include "../../base/files.h"
#include <stdio.h>

#define MOST (1u << 20)         /* bytes of the file */

static bool refuse(gv_files *self, const char *why)
{
    snprintf(self->refusal, sizeof self->refusal, "%s: %.200s cannot be used: %.150s", gv_settings[GV_SET_PROFILE_DEFAULTS].key,
             self->defaults_path, why);
    return false;
}

static bool read_text(gv_files *self, gv_slice text)
{
    gv_arena *arena = &self->store->arena;
    char why[GV_JSON_WHY] = "";
    size_t at;
    const char *wrong = gv_json_check(text, GV_JSON_DEPTH, 0, &at);
    if (wrong) {
        snprintf(why, sizeof why, "not JSON at byte %zu: %s", at, wrong);
        return refuse(self, why);
    }
    const char *kept = gv_arena_copy(arena, text.data, text.length);
    if (!kept || !gv_json_read_defaults(arena, (gv_slice){kept, text.length}, &self->defaults, why))
        return refuse(self, why[0] ? why : "no memory");
    for (size_t i = 0; i < self->defaults.count; i++) {
        const char *field = gv_document_kept(self->defaults.list[i].key);
        if (!field)
            continue;
        snprintf(why, sizeof why, "%s is kept by the library and has no default", field);
        return refuse(self, why);
    }
    return true;
}

bool gv_files_read_defaults(gv_files *self)
{
    gv_text text = {0};
    if (!self->defaults_path)
        return true;
    int error = gv_file_read_all(self->defaults_path, MOST, &text);
    bool good = error ? refuse(self, gv_errno_name(-error)) : read_text(self, (gv_slice){gv_text_get(&text), text.length});
    gv_text_free(&text);
    return good;
}
