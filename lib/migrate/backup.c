#include "backup.h"
#include "../base/files.h"
#include "../base/sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const names[GV_BACKUP_FILES] = {"profiles.jsonl", "state.jsonl", "sessions.jsonl"};

int gv_backup_start(gv_backup *backup, const char *directory)
{
    memset(backup, 0, sizeof *backup);
    if (!directory)
        return 0;
    backup->directory = directory;
    int status = gv_file_make_parents(directory);
    if (status == 0 && gv_file_hook.mkdir(directory, 0777) != 0)
        status = -errno;
    return status;
}

static int file_of(const gv_thing *thing)
{
    if (strcmp(thing->kind, "profile") == 0)
        return GV_BACKUP_PROFILES;
    return strcmp(thing->kind, "session") == 0 ? GV_BACKUP_SESSIONS : GV_BACKUP_STATE;
}

bool gv_backup_add(gv_backup *backup, const gv_thing *thing)
{
    int file = file_of(thing);
    gv_text *out = &backup->files[file];
    if (!backup->directory || !thing->there)
        return true;
    if (file == GV_BACKUP_STATE && strcmp(thing->kind, "cooldown") == 0) {     /* by its name: the answer holds only what is left of it */
        gv_text_adds(out, "{\"user\":");
        gv_text_add_json(out, thing->user, strlen(thing->user));
        gv_text_adds(out, ",\"key\":");
        gv_text_add_json(out, thing->name, strlen(thing->name));
        gv_text_addf(out, ",%.*s", (int)(thing->before.length - 1), thing->before.data + 1);
    } else {
        gv_text_add(out, thing->before.data, thing->before.length);
    }
    gv_text_addc(out, '\n');
    backup->counts[file]++;
    return !out->failed;
}

static int write_file(const gv_backup *backup, const char *name, const gv_text *text)
{
    gv_text path = {0};
    int fd;
    gv_text_addf(&path, "%s/%s", backup->directory, name);
    int status = path.failed ? -ENOMEM : gv_file_open(gv_text_get(&path), O_WRONLY | O_CREAT | O_EXCL, 0666, &fd);
    gv_text_free(&path);
    if (status < 0)
        return status;
    status = gv_file_write_all(fd, gv_text_get(text), text->length, NULL);
    if (status == 0)
        status = gv_file_sync(fd);
    gv_file_close(fd);
    return status;
}

static int sync_folder(const char *path)
{
    int fd, status = gv_file_open(path, O_RDONLY | O_DIRECTORY, 0, &fd);
    if (status < 0)
        return status;
    status = gv_file_sync(fd);
    gv_file_close(fd);
    return status;
}

int gv_backup_end(gv_backup *backup, const char *run)
{
    gv_text manifest = {0};
    int status = 0;
    gv_text_addf(&manifest, "{\"run\": \"%s\", \"files\": {", run);
    for (size_t i = 0; backup->directory && i < GV_BACKUP_FILES && status == 0; i++) {
        char digest[GV_SHA256_TEXT + 1];
        gv_sha256_text((gv_slice){gv_text_get(&backup->files[i]), backup->files[i].length}, digest);
        gv_text_addf(&manifest, "%s\"%s\": {\"records\": %" PRIu64 ", \"sha256\": \"%s\"}", i ? ", " : "", names[i], backup->counts[i], digest);
        status = write_file(backup, names[i], &backup->files[i]);
    }
    gv_text_adds(&manifest, "}}\n");
    if (status == 0 && manifest.failed)
        status = -ENOMEM;
    if (backup->directory && status == 0)
        status = write_file(backup, "MANIFEST.json", &manifest);
    if (backup->directory && status == 0)
        status = sync_folder(backup->directory);
    gv_text_free(&manifest);
    for (size_t i = 0; i < GV_BACKUP_FILES; i++)
        gv_text_free(&backup->files[i]);
    return status;
}
