/* backend.c: the text log as a store in front of the events area's own. */
#include "textlog.h"
#include "../../core/check.h"

#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../core/batch.h"
#include "../../core/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROUND 1024              /* ops taken from the queue at once */
#define SECOND UINT64_C(1000000000)
#define FREE_LEAST (UINT64_C(100) * 1024 * 1024)        /* bytes: less on the disk is worth a warning */

typedef struct text_log {
    gv_store *store;
    const char *folder;         /* absolute */
    const gv_zone *zone;
    gv_worker worker;
    bool started;               /* written on the loop's thread before the first submit */
    gavat_op *opening;          /* the thread's, once it is there */
    gv_list readings;           /* the thread's, as all below: ops of our own that wait */
    gv_text_writer writer;
    bool degraded;
    uint64_t failed_at;         /* steady; the last time that a line was lost */
    uint64_t warned_at;
} text_log;

static bool is_mirrored(const gavat_op *op, unsigned place)
{
    return op->kind->area == GV_EVENTS && op->kind->place == place;
}

/* --- the thread: writing --- */

static void collect(text_log *self, gavat_op *op)
{
    if (!gv_op_wanted(op))
        return;
    if (is_mirrored(op, GV_LOG_EVENT)) {
        const gv_log_request *request = op->request;
        op->mirrored = true;
        gv_text_writer_add(&self->writer, op, request->record);
    } else if (is_mirrored(op, GV_COMMIT)) {
        bool first = true;
        for (size_t i = 0; i < op->batch->count; i++) {
            const gv_batch_record *entry = op->batch->entries[i].record;
            if (entry->kind != &gv_events_kind)
                continue;
            op->mirrored = first || op->mirrored;       /* false stays: an earlier line of it was lost */
            first = false;
            gv_text_writer_add(&self->writer, op, entry->record);
        }
    }
}

/* Health and log follow what the writer met. A line a second; well again when a second went by without a failure. */
static void tell(text_log *self)
{
    gavat *g = self->store->client;
    int failed = self->writer.failed;
    uint64_t now = failed || self->degraded ? gv_clock_steady() : 0;
    if (failed) {
        char reason[256];
        const char *name = gv_errno_name(-failed);
        snprintf(reason, sizeof reason, "the text log cannot be written (%s): %.200s", name, self->writer.failed_path);
        gv_store_set_health(self->store, GAVAT_HEALTH_DEGRADED, reason);
        if (!self->warned_at || now - self->warned_at >= SECOND) {
            gv_log(g, GAVAT_LOG_WARN, "textlog",
                   "%s cannot be written (%s): lines are lost, the events go on to their store",
                   self->writer.failed_path, name);
            self->warned_at = now;
        }
        self->failed_at = now;
        self->degraded = true;
        self->writer.failed = 0;
    } else if (self->degraded && now - self->failed_at >= SECOND) {
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
        self->degraded = false;
    }
}

/* Take what waits: events are written and passed on, our own ops wait their turn. False: nothing was there. */
static bool take_round(text_log *self)
{
    gv_list taken, passing;
    gv_list_init(&taken);
    gv_list_init(&passing);
    if (!gv_worker_take(&self->worker, &taken, ROUND))
        return false;
    gv_link *link;
    while ((link = gv_list_take(&taken))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        bool own = op->kind->area == GV_TEXT_LOG;
        if (!own)
            collect(self, op);
        gv_list_append(own ? &self->readings : &passing, link);
    }
    if (self->writer.count || self->writer.failed) {
        gv_text_writer_write(&self->writer);
        tell(self);
    }
    while ((link = gv_list_take(&passing)))
        gv_op_pass(GV_CONTAINER(link, gavat_op, link), GV_EVENTS);
    return true;
}

/* --- the thread: our own ops --- */

static void open_folder(text_log *self, gavat_op *op)
{
    int status = gv_text_log_make_folder(self->folder);
    if (status == 0 && access(self->folder, W_OK | X_OK) < 0)
        status = -errno;
    if (status < 0) {
        self->writer.failed = status;
        snprintf(self->writer.failed_path, sizeof self->writer.failed_path, "%s", self->folder);
        tell(self);
    } else {
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
    }
    gv_op_succeed(op, GAVAT_REACHED_NONE);
}

static void check_folder(text_log *self, gavat_op *op)
{
    const char *result = "ok", *advice = "";
    struct statvfs disk;
    int status = gv_text_log_make_folder(self->folder);
    if (status == 0 && access(self->folder, R_OK | W_OK | X_OK) < 0)
        status = -errno;
    if (status < 0) {
        result = "fail";
        advice = "make this folder writable for the program, or set GAVAT_TEXT_LOG_DIR to another one";
    } else if (statvfs(self->folder, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < FREE_LEAST) {
        result = "warn";
        advice = "less than 100 MB are free on its disk: make room, or remove old files that end in .bak";
    }
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_check_add(op, "folder", result, self->folder, advice);
}

static void look_after_events(void *user)
{
    take_round(user);
}

static void serve(text_log *self, gavat_op *op)
{
    gv_text_reader reader = {self->folder, look_after_events, self};
    if (op == self->opening) {
        self->opening = NULL;
        open_folder(self, op);
    } else if (gv_op_take(op)) {
        if (op->kind->place == GV_TEXT_LOG_CHECK)
            check_folder(self, op);
        else
            gv_text_reader_serve(&reader, op);
    }
    gv_op_finish(op);
}

static void run(gv_worker *worker)
{
    text_log *self = worker->self;
    bool stopping;
    do {
        stopping = gv_worker_stopping(worker);
        while (take_round(self) || !gv_list_empty(&self->readings)) {
            gv_link *link = gv_list_take(&self->readings);
            if (link)
                serve(self, GV_CONTAINER(link, gavat_op, link));
        }
        if (!stopping)
            gv_worker_wait(worker, UINT32_MAX);
    } while (!stopping);
    gv_text_writer_free(&self->writer);
}

static void ended(gv_worker *worker)
{
    gv_store_closed(worker->store);
}

/* --- the door --- */

static gavat_status read_zone(text_log *self, gavat_config *cfg)
{
    const char *name = gv_config_text(self->store->client->config, GV_SET_TIME_ZONE);
    const char *key = gv_settings[GV_SET_TIME_ZONE].key;
    int status = gv_zone_load(&self->store->arena, name, &self->zone);
    if (status == 0)
        return GAVAT_OK;
    if (status == -ENOMEM)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the zone of %s", key);
    if (status == -ENOENT || status == -EBADMSG)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: the system knows no time zone \"%.100s\": use a tzdata name such "
                              "as Europe/Istanbul, or install tzdata", key, name);
    return gv_config_fail(cfg, GAVAT_EINVAL, "%s: the time zone \"%.100s\" cannot be read (%s)", key, name,
                          gv_errno_name(-status));
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    text_log *self = own;
    gavat *g = store->client;
    gv_text folder = {0};
    self->store = store;
    int failed = gv_file_make_absolute(store->url, &folder);
    self->folder = failed ? NULL : gv_arena_copy_text(&store->arena, gv_text_get(&folder));
    gv_text_free(&folder);
    if (!self->folder)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the path of %s", gv_settings[GV_SET_TEXT_LOG_DIR].key);
    gavat_status status = read_zone(self, cfg);
    if (status != GAVAT_OK)
        return status;
    self->writer.client = g;
    self->writer.folder = self->folder;
    self->writer.zone = self->zone;
    gv_list_init(&self->readings);
    gv_worker_init(&self->worker, store, "gavat-textlog", run, self);
    self->worker.ended = ended;
    if (g->stores[GV_EVENTS].backend)
        g->stores[GV_EVENTS].front = store;
    return GAVAT_OK;
}

/* A mirror that cannot work does not keep the client from opening. */
static void open_store(void *own, gavat_op *op)
{
    text_log *self = own;
    self->opening = op;
    self->started = gv_worker_start(&self->worker);
    if (self->started) {
        gv_worker_push(&self->worker, op);
        return;
    }
    gv_store_set_health(self->store, GAVAT_HEALTH_DEGRADED,
                        "the text log has no thread: check the limit of processes (ulimit -u)");
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
}

static void submit(void *own, gavat_op *op)
{
    text_log *self = own;
    if (self->started && !gv_worker_stopping(&self->worker)) {
        gv_worker_push(&self->worker, op);
    } else if (op->kind->area != GV_TEXT_LOG) {
        gv_op_pass(op, GV_EVENTS);
    } else {
        gv_op_fail(op, self->started ? GAVAT_ECLOSED : GAVAT_EUNAVAIL, 0, "",
                   self->started ? "the client is closed" : "the text log has no thread, or was never opened");
        gv_op_finish(op);
    }
}

static void close_store(void *own)
{
    text_log *self = own;
    bool never = !self->started;
    gv_worker_stop(&self->worker);
    if (never)
        gv_store_closed(self->store);
}

const gv_backend gv_text_log = {
    .name = "textlog",
    .area = GV_TEXT_LOG,
    .schemes = NULL,
    .size = sizeof(text_log),
    .any_thread = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
