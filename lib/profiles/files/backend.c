#include "files.h"
#include "../../base/files.h"
#include <string.h>
#include <sys/eventfd.h>

static const char *const schemes[] = {"file", NULL};

static void worker_ended(gv_worker *worker)
{
    gv_files *self = worker->self;
    pthread_mutex_lock(&self->lock);
    bool last = --self->running == 0;
    pthread_mutex_unlock(&self->lock);
    if (!last)
        return;
    gv_file_close(self->wake_fd);
    gv_store_closed(self->store);
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
    self->folder_fd = self->lock_fd = self->wake_fd = -1;
    gavat_status status = read_folder(self, cfg);
    if (status == GAVAT_OK)
        status = gv_profile_defaults_prepare(&self->defaults, store, cfg);
    if (status != GAVAT_OK)
        return status;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->begun, NULL);
    pthread_cond_init(&self->gets.helped, NULL);
    gv_worker_init(&self->writer, store, "gavat-profiles", gv_files_write, self);
    gv_worker_init(&self->helper, store, "gavat-helper", gv_files_help, self);
    gv_worker_init(&self->scanner, store, "gavat-scanner", gv_files_scan, self);
    gv_worker_init(&self->watcher, store, "gavat-watcher", gv_files_watch, self);
    self->writer.ended = self->helper.ended = self->scanner.ended = self->watcher.ended = worker_ended;
    return GAVAT_OK;
}

/* The writer's thread makes and opens the folder. It comes last: it ends the op. */
static void open_store(void *own, gavat_op *op)
{
    gv_files *self = own;
    self->opening = op;
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->running = 4;
    bool scanner = self->wake_fd >= 0 && gv_worker_start(&self->scanner);
    bool watcher = scanner && gv_worker_start(&self->watcher);
    bool helper = watcher && gv_worker_start(&self->helper);
    if (helper && gv_worker_start(&self->writer))
        return;
    self->opening = NULL;
    pthread_mutex_lock(&self->lock);
    self->running = (unsigned)scanner + watcher + helper;
    pthread_mutex_unlock(&self->lock);
    gv_worker_stop(&self->helper);      /* no writer will */
    if (!scanner && self->wake_fd >= 0)
        gv_file_close(self->wake_fd);
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
    pthread_mutex_lock(&self->lock);
    bool never_ran = self->running == 0;
    pthread_mutex_unlock(&self->lock);
    gv_worker_stop(&self->watcher);
    if (!never_ran)             /* the others still run: its descriptor is open */
        gv_files_wake_watch(self);
    gv_worker_stop(&self->writer);
    gv_worker_stop(&self->scanner);
    if (never_ran)
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
