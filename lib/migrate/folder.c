/* folder.c: which files of a directory are sources, and in which order: by kind, then by path; the files of one user's log follow on each
 * other, the oldest first. Links are not followed, and nothing outside the folders of the original's data is looked at. */
#include "reading.h"
#include "../base/file_name.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define DEPTH 16                /* of folders below logs/ */

static bool ends_in(gv_slice name, const char *end)
{
    size_t length = strlen(end);
    return name.length > length && memcmp(name.data + name.length - length, end, length) == 0;
}

/* "USER.log", "USER.log.1748160000.bak". */
static bool is_log(gv_slice name, gv_slice *stem, int64_t *age)
{
    *age = INT64_MAX;
    if (ends_in(name, ".bak")) {
        size_t dot = name.length - 4, digits = 0;
        int64_t when = 0;
        while (dot > 0 && digits < 18 && name.data[dot - 1] >= '0' && name.data[dot - 1] <= '9')
            dot--, digits++;
        for (size_t i = dot; i < name.length - 4; i++)
            when = when * 10 + (name.data[i] - '0');
        if (!digits || dot < 2 || name.data[dot - 1] != '.')
            return false;
        *age = when;
        name.length = dot - 1;
    }
    if (!ends_in(name, ".log"))
        return false;
    *stem = (gv_slice){name.data, name.length - 4};
    return true;
}

static gv_source_kind kind_of(const char *folder, gv_slice name, gv_slice *stem, int64_t *age)
{
    bool json = ends_in(name, ".json");
    *age = INT64_MAX;
    *stem = json ? (gv_slice){name.data, name.length - 5} : name;
    if (strcmp(folder, "data/analytics") == 0)
        return json ? GV_SOURCE_ANALYTICS : GV_SOURCE_UNKNOWN;
    if (strcmp(folder, "data/profiles") == 0)
        return json ? GV_SOURCE_PROFILES : GV_SOURCE_UNKNOWN;
    if (strcmp(folder, "data/personas") == 0)
        return json ? GV_SOURCE_PERSONAS : GV_SOURCE_UNKNOWN;
    if (strcmp(folder, "data") == 0 && gv_slice_is(name, "message_logs.json"))
        return GV_SOURCE_MESSAGES;
    if (!*folder && gv_slice_is(name, "dm_conversation_state.json"))
        return GV_SOURCE_STATES;
    if (!*folder && gv_slice_is(name, "cooldowns.json"))
        return GV_SOURCE_COOLDOWNS;
    if ((!*folder || strcmp(folder, "data") == 0) && gv_slice_is(name, "gavatcore.db"))
        return GV_SOURCE_DATABASE;
    if (strncmp(folder, "logs", 4) != 0 || (folder[4] && folder[4] != '/'))
        return GV_SOURCE_UNKNOWN;
    if (strcmp(folder, "logs/characters") == 0 && ends_in(name, "_events.jsonl"))
        return GV_SOURCE_CHARACTERS;
    return is_log(name, stem, age) ? GV_SOURCE_LOGS : GV_SOURCE_UNKNOWN;
}

static gv_source *add_source(gv_reading *r)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 64, bytes;
        gv_source *grown = gv_multiply_size(room, sizeof *grown, &bytes) ? gv_resize(r->sources, bytes) : NULL;
        if (!grown)
            return NULL;
        r->sources = grown;
        r->room = room;
    }
    gv_source *source = &r->sources[r->count++];
    memset(source, 0, sizeof *source);
    return source;
}

static int describe(gv_reading *r, const char *folder, const char *name, gv_source_kind kind, gv_slice stem, int64_t age)
{
    gv_source *source = add_source(r);
    gv_text user = {0};
    if (!source)
        return -ENOMEM;
    if (gv_file_name_decode(&user, stem) != GV_FILE_NAME_TEXT) {        /* no spelling of ours: the user is the name as it is */
        gv_text_clear(&user);
        gv_text_add(&user, stem.data, stem.length);
    }
    source->kind = kind;
    source->age = age;
    source->path = gv_arena_printf(&r->arena, "%s%s%s", folder, *folder ? "/" : "", name);
    source->stream = user.failed ? NULL : gv_arena_copy(&r->arena, gv_text_get(&user), user.length);
    gv_text_free(&user);
    return source->path && source->stream ? 0 : -ENOMEM;
}

static int add_file(gv_reading *r, const char *folder, const char *name, bool all)
{
    gv_slice stem;
    int64_t age;
    gv_source_kind kind = kind_of(folder, gv_slice_of(name), &stem, &age);
    if (kind == GV_SOURCE_UNKNOWN && !all)
        return 0;
    if (kind != GV_SOURCE_DATABASE)
        return describe(r, folder, name, kind, stem, age);
    for (size_t i = 0; gv_database_tables[i]; i++) {    /* a source each; those that are not there are left out later */
        int status = describe(r, folder, name, kind, stem, age);
        if (status != 0)
            return status;
        r->sources[r->count - 1].table = gv_database_tables[i];
    }
    return 0;
}

static int walk(gv_reading *r, const char *folder, bool all, unsigned depth);

/* all: files that are no source are named too, and folders are gone into. */
static int look_at(gv_reading *r, const char *folder, const char *name, bool all, unsigned depth)
{
    struct stat status;
    char *below = gv_arena_printf(&r->arena, "%s%s%s", folder, *folder ? "/" : "", name);
    char *path = below ? gv_arena_printf(&r->arena, "%s/%s", r->directory, below) : NULL;
    if (!path)
        return -ENOMEM;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode))
        return all && depth < DEPTH ? walk(r, below, true, depth + 1) : 0;
    return S_ISREG(status.st_mode) ? add_file(r, folder, name, all) : 0;
}

static int walk(gv_reading *r, const char *folder, bool all, unsigned depth)
{
    char *path = gv_arena_printf(&r->arena, "%s/%s", r->directory, folder);
    if (!path)
        return -ENOMEM;
    DIR *open = opendir(path);
    if (!open)
        return errno == ENOENT && *folder ? 0 : -errno;
    int status = 0;
    struct dirent *entry;
    while (!status && (errno = 0, entry = readdir(open)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = look_at(r, folder, entry->d_name, all, depth);
    if (!status && errno)
        status = -errno;
    closedir(open);
    return status;
}

static int compare(const void *a, const void *b)
{
    const gv_source *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    int order = left->kind == GV_SOURCE_LOGS ? strcmp(left->stream, right->stream) : 0;
    if (order == 0 && left->age != right->age)
        return left->age < right->age ? -1 : 1;
    if (order == 0)
        order = strcmp(left->path, right->path);
    return order || !left->table ? order : strcmp(left->table, right->table);
}

int gv_folder_find(gv_reading *reading)
{
    static const char *const whole[] = {"logs", "data/analytics", "data/profiles", "data/personas"};
    int status = walk(reading, "", false, 0);
    if (status == 0)
        status = walk(reading, "data", false, 0);
    for (size_t i = 0; status == 0 && i < sizeof whole / sizeof *whole; i++)
        status = walk(reading, whole[i], true, 0);
    if (status == 0 && reading->count)
        qsort(reading->sources, reading->count, sizeof *reading->sources, compare);
    return status;
}
