/* watch.c: the change feed. The kernel tells of each file that was renamed into the folder, closed after writing, or taken away, whoever did
 * it; a ring keeps the names of the last ones, each with its number. A token is a number of one ring: behind it begins what its caller
 * has not seen. The kernel is asked from the first watching on; before that the feed costs nothing. Network file systems tell of changes on
 * this machine only. */
#include "names.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../base/memory.h"
#include "../../base/uuid.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define RING 16384              /* changes that are kept */
#define AT_ONCE 256             /* of one answer */
#define LOOK_MS 100             /* between two looks at what no descriptor tells: cancelled, closing */
#define MASK (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define TOKEN "w1:%.36s:%" PRIu64

typedef struct watch {
    gv_place place;
    int fd;                     /* -1: the kernel is not asked */
    char instance[37];          /* of the numbers: another one with each ring */
    char *names[RING];          /* of files; by number */
    uint64_t first, next;       /* numbers that are kept: first .. next - 1 */
    gv_list waiting;            /* op->sequence: the last number that it has seen */
} watch;

/* --- the ring --- */

static void forget(watch *w)
{
    for (size_t i = 0; i < RING; i++) {
        gv_free(w->names[i]);
        w->names[i] = NULL;
    }
    w->first = ++w->next;       /* every token so far lies before it */
}

static void stop_asking(watch *w)
{
    if (w->fd >= 0)
        gv_file_close(w->fd);
    w->fd = -1;
    forget(w);
}

/* 0 or a negative errno. */
static int ask(watch *w)
{
    if (w->fd >= 0)
        return 0;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int error = w->fd < 0 ? -errno : 0;
    if (!error && inotify_add_watch(w->fd, w->place.self->folder, MASK) < 0)
        error = -errno;
    if (error)
        stop_asking(w);
    return error;
}

static void note(watch *w, const char *file)
{
    size_t length = strlen(file), tail = sizeof ".json" - 1;
    if (file[0] == '.' || length <= tail || strcmp(file + length - tail, ".json") != 0)
        return;
    char *copy = gv_copy_text(file);
    if (!copy) {
        forget(w);              /* a change is lost: tokens from before it must not go on */
        return;
    }
    char **place = &w->names[w->next % RING];
    gv_free(*place);
    *place = copy;
    w->next++;
    if (w->next - w->first > RING)
        w->first++;
}

static void note_event(watch *w, const struct inotify_event *event)
{
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
        stop_asking(w);
    else if (event->mask & IN_Q_OVERFLOW)
        forget(w);
    else if (event->len && !(event->mask & IN_ISDIR))
        note(w, event->name);
}

static void read_events(watch *w)
{
    _Alignas(struct inotify_event) char buffer[16384];
    while (w->fd >= 0) {
        ssize_t length = read(w->fd, buffer, sizeof buffer);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return;
        for (const char *at = buffer; at < buffer + length && w->fd >= 0;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            at += sizeof *event + event->len;
            note_event(w, event);
        }
    }
}

/* --- answers --- */

/* False: no memory. A change of a file that is not there any more is its deletion. */
static bool add_change(watch *w, gavat_op *op, const char *file)
{
    gv_loaded loaded;
    gv_result *result = gv_op_result(op);
    gavat_profile *profile = NULL;
    char sentence[512];
    gv_slice stem = {file, strlen(file) - (sizeof ".json" - 1)};
    if (!result)
        return false;
    const char *bad = gv_names_read(&w->place, file, stem);
    char *name = bad ? NULL : gv_arena_copy(&result->arena, gv_text_get(&w->place.view), w->place.view.length);
    if (!bad && (!name || w->place.view.failed))
        return false;
    if (!bad)
        gv_place_path(&w->place, name);
    gv_found found = bad ? GV_FOUND_DAMAGED : gv_place_load(&w->place, &loaded);
    if (found == GV_FOUND_NONE && (profile = gv_arena_alloc(&result->arena, sizeof *profile)) != NULL) {
        profile->username = name;
        profile->json = "{}";
        profile->json_length = 2;
        profile->flags = GAVAT_PROFILE_DELETED;
    } else if (found == GV_FOUND && gv_place_view(&w->place, &loaded.document, name)) {
        profile = gv_document_record(&result->arena, &loaded.document, name, &w->place.view);
    } else if (found == GV_FOUND_DAMAGED || (found == GV_FOUND_FAILED && loaded.error != -ENOMEM)) {
        snprintf(sentence, sizeof sentence, "%.250s: %s", file, bad ? bad : found == GV_FOUND_DAMAGED ? loaded.why : gv_files_advice(loaded.error));
        return gv_result_reject(result, result->count, sentence);
    }
    result->shape = &gv_profile_shape;
    return profile && gv_result_add(result, profile);
}

/* Several changes of one file are one: its document is read once, as it is now. */
static bool is_told(const watch *w, uint64_t from, uint64_t number)
{
    for (uint64_t i = from; i < number; i++)
        if (strcmp(w->names[i % RING], w->names[number % RING]) == 0)
            return true;
    return false;
}

static void answer(watch *w, gavat_op *op)
{
    uint64_t from = op->sequence + 1, number = from;
    gv_result *result = gv_op_result(op);
    bool good = result != NULL;
    size_t most = op->client->page_bytes;
    for (; good && number < w->next && number - from < AT_ONCE && result->arena.bytes < most; number++)
        if (!is_told(w, from, number))
            good = add_change(w, op, w->names[number % RING]);
    if (good)
        result->cursor = gv_arena_printf(&result->arena, TOKEN, w->instance, number - 1);
    if (good && result->cursor) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        return;
    }
    gv_op_drop_result(op);
    gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the changes");
}

static void fail_old(gavat_op *op)
{
    gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "the token is too old, or of another client: read all profiles, then watch from now");
}

/* True: it has its answer. */
static bool settle(watch *w, gavat_op *op, uint64_t now)
{
    uint64_t until = op->deadline.due > GV_POLL_GRACE ? op->deadline.due - GV_POLL_GRACE : UINT64_MAX;
    if (op->sequence + 1 < w->first)
        fail_old(op);
    else if (op->sequence + 1 < w->next || now >= until || !gv_op_wanted(op) || atomic_load(&op->client->closing))
        answer(w, op);
    else
        return false;
    return true;
}

/* Where a new op begins. False: it has ended. */
static bool begin(watch *w, gavat_op *op)
{
    const gv_watch_request *request = op->request;
    char *end = NULL;
    int error = ask(w);
    read_events(w);
    if (error) {
        gv_said said = {.number = 0};
        gv_said_error(&said, w->place.self, error, "watching", "the folder");
        gv_said_to(&said, op);
        return false;
    }
    op->sequence = w->next - 1;
    if (!request->token)
        return true;
    const char *number = request->token + 3 + 36 + 1;
    op->sequence = strtoull(number, &end, 10);
    if (memcmp(request->token + 3, w->instance, 36) == 0 && end && !*end && op->sequence < w->next)
        return true;
    fail_old(op);
    return false;
}

static void take_in(watch *w, gv_worker *worker)
{
    gv_list ops;
    gv_link *link;
    gv_list_init(&ops);
    gv_worker_take(worker, &ops, SIZE_MAX);
    while ((link = gv_list_take(&ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_take(op) && begin(w, op))
            gv_list_append(&w->waiting, link);
        else
            gv_op_finish(op);
        gv_files *self = w->place.self;
        pthread_mutex_lock(&self->lock);
        self->watches_begun++;
        pthread_cond_signal(&self->begun);
        pthread_mutex_unlock(&self->lock);
    }
}

/* Those that have an answer get it. How long the others can wait, in milliseconds; -1: there are none. */
static int settle_all(watch *w)
{
    uint64_t now = gv_clock_steady();
    int wait = -1;
    gv_link *next;
    for (gv_link *link = gv_list_first(&w->waiting); link && link != &w->waiting.head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (settle(w, op, now)) {
            gv_list_remove(link);
            gv_op_finish(op);
            continue;
        }
        uint64_t due = op->deadline.due, left = due ? (due - GV_POLL_GRACE - now) / 1000000 + 1 : LOOK_MS;
        int own = left < LOOK_MS ? (int)left : LOOK_MS;
        wait = wait < 0 || own < wait ? own : wait;
    }
    return wait;
}

void gv_files_wake_watch(gv_files *self)
{
    const uint64_t one = 1;
    ssize_t written = write(self->wake_fd, &one, sizeof one);
    (void)written;              /* full: it is awake already */
}

#define LOOKS 10                /* a watcher that is stuck does not hold up the writer for longer */

void gv_files_pass_watch(gv_files *self, gavat_op *op)
{
    gv_worker_push(&self->watcher, op);
    gv_files_wake_watch(self);
    pthread_mutex_lock(&self->lock);
    uint64_t own = ++self->watches;
    for (unsigned i = 0; i < LOOKS && self->watches_begun < own; i++) {
        struct timespec end;
        clock_gettime(CLOCK_REALTIME, &end);    /* a step of the clock costs one wait of another length */
        end.tv_nsec += LOOK_MS * 1000000L;
        end.tv_sec += end.tv_nsec / 1000000000L;
        end.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&self->begun, &self->lock, &end);
        if (gv_worker_stopping(&self->watcher))
            break;
    }
    pthread_mutex_unlock(&self->lock);
}

void gv_files_watch(gv_worker *worker)
{
    gv_files *self = worker->self;
    watch *w = gv_alloc_zero(sizeof *w);
    uint64_t count;
    while (!w && !gv_worker_stopping(worker)) {         /* ops wait in the queue until their deadlines */
        gv_worker_wait(worker, LOOK_MS);
        gv_worker_drop_unwanted(worker);
        w = gv_alloc_zero(sizeof *w);
    }
    if (!w)
        return;
    w->place.self = self;
    w->fd = -1;
    w->first = w->next = 1;
    gv_uuid_make(gv_clock_wall(), w->instance);
    gv_list_init(&w->waiting);
    for (bool stopping = false; !stopping;) {
        stopping = gv_worker_stopping(worker);
        take_in(w, worker);
        read_events(w);
        int wait = settle_all(w);
        struct pollfd fds[] = {{.fd = self->wake_fd, .events = POLLIN}, {.fd = w->fd, .events = POLLIN}};
        if (!stopping && poll(fds, 2, wait) > 0 && fds[0].revents && read(self->wake_fd, &count, sizeof count) < 0)
            continue;           /* somebody else's wake was taken with it */
    }
    stop_asking(w);
    gv_place_free(&w->place);
    gv_free(w);
}
