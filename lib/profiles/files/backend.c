#include "files.h"
#include "../../base/files.h"
#include <string.h>

static const char *const schemes[] = {"file", NULL};

static void worker_ended(gv_worker *worker)
{
    gv_store_closed(worker->store);
}

/* file://data/profiles is relative, file:///var/profiles is not. Made absolute: the program may change its folder later. */
static gavat_status read_folder(gv_files *self, gavat_config *cfg)
{
    gv_store *store = self->store;
    const char *key = gv_settings[gv_areas[GV_PROFILES].setting].key;
    const char *at = strchr(store->url, ':') + 1;
    gv_text path = {0};
    if (strncmp(at, "//", 2) == 0)
        at += 2;
    if (!*at)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: it names no folder: write file://folder, or file:///folder for an absolute one", key);
    if (strpbrk(at, "?#"))
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: a file URL takes no ?options, and its folder no '?' and '#'", key);
    int failed = gv_file_make_absolute(at, &path);
    while (path.length > 1 && path.data[path.length - 1] == '/')
        path.data[--path.length] = '\0';
    self->folder = failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&path));
    gv_text_free(&path);
    return self->folder ? GAVAT_OK : gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", key);
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_files *self = own;
    self->store = store;
    self->folder_fd = self->lock_fd = -1;
    gavat_status status = read_folder(self, cfg);
    if (status != GAVAT_OK)
        return status;
    gv_worker_init(&self->writer, store, "gavat-profiles", gv_files_write, self);
    self->writer.ended = worker_ended;
    return GAVAT_OK;
}

static void open_store(void *own, gavat_op *op)
{
    gv_files *self = own;
    self->opening = op;
    self->started = gv_worker_start(&self->writer);
    if (self->started)
        return;
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "profiles: no thread could be started: check the limit of processes (ulimit -u)");
    gv_op_finish(op);
}

static void submit(void *own, gavat_op *op)
{
    gv_files *self = own;
    gv_worker_push(&self->writer, op);
}

static void close_store(void *own)
{
    gv_files *self = own;
    bool never = !self->started;
    gv_worker_stop(&self->writer);
    if (never)
        gv_store_closed(self->store);
}

const gv_backend gv_files_profiles = {
    .name = "files",
    .area = GV_PROFILES,
    .schemes = schemes,
    .size = sizeof(gv_files),
    .any_thread = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
