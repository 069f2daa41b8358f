/* reader.c: the two readings of a user's text log: its newest entries, and its statistics. All on the text log's
 * thread; the files of one user are read from the newest to the oldest. */
#include "textlog.h"

#include "../../base/files.h"
#include "../../base/fold.h"
#include "../../base/memory.h"
#include "../../core/client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define LEVELS 200              /* different ones that are counted by name; the others together */
#define OTHERS "(other)"
#define TIME_ROOM 20

typedef struct level_count {
    const char *name;
    size_t length;
    uint64_t count;
} level_count;

/* One reading under way. */
typedef struct reading {
    gv_text_reader *reader;
    gavat_op *op;
    const gv_text_log_request *request;
    gv_arena arena;
    gv_text path, message, folded, json;
    char *block;
    uint64_t *epochs;           /* of the files that were put aside, newest first; their names end in it */
    size_t epoch_count, epoch_room;
    dev_t device;               /* of the current file: it may have been put aside meanwhile */
    ino_t inode;
    int error;                  /* negative errno of the path; 0: none */
    bool too_much;              /* the byte bound */
    uint64_t files, bytes, entries;
    char first[TIME_ROOM], last[TIME_ROOM];
    level_count levels[LEVELS + 1];
    size_t level_count;
} reading;

/* --- entries --- */

static bool is_wanted(void *user)
{
    reading *r = user;
    r->reader->pause(r->reader->user);
    return gv_op_wanted(r->op);
}

static void add_text(gv_text *out, gv_slice text)
{
    if (text.data)
        gv_text_add_json(out, text.data, text.length);
    else
        gv_text_adds(out, "null");
}

/* The client's bound holds for answers too. */
static bool fits(const reading *r, const gv_result *result)
{
    const gavat *g = r->op->client;
    return atomic_load(&g->bytes) + result->arena.bytes + result->room * sizeof *result->records <= g->most_bytes;
}

static bool add_entry(gv_text_scan *scan, const gv_text_entry *entry)
{
    reading *r = scan->user;
    gv_result *result = gv_op_result(r->op);
    r->error = gv_text_scan_load(scan, entry, r->op->client->most_record, &r->message);
    if (r->error < 0)
        return false;
    gv_slice message = {gv_text_get(&r->message), r->message.length};
    if (!gv_fold_contains(message, r->request->keyword, &r->folded)) {
        r->error = r->folded.failed ? -ENOMEM : 0;
        return r->error == 0;
    }
    gv_text_clear(&r->json);
    gv_text_adds(&r->json, "{\"timestamp\":");
    add_text(&r->json, entry->time);
    gv_text_adds(&r->json, ",\"level\":");
    add_text(&r->json, entry->level);
    gv_text_adds(&r->json, ",\"message\":");
    add_text(&r->json, message);
    gv_text_addc(&r->json, '}');
    if (!result || !gv_result_add_json(result, &r->json))
        r->error = -ENOMEM;
    else if (!fits(r, result))
        r->too_much = true;
    return !r->error && !r->too_much && result->count < r->request->limit;
}

static bool count_level(reading *r, gv_slice level)
{
    for (size_t i = 0; i < r->level_count; i++) {
        level_count *known = &r->levels[i];
        if (known->length == level.length && memcmp(known->name, level.data, level.length) == 0) {
            known->count++;
            return true;
        }
    }
    if (r->level_count == LEVELS) {
        r->levels[LEVELS].count++;
        return true;
    }
    level_count *made = &r->levels[r->level_count];
    made->name = gv_arena_copy(&r->arena, level.data, level.length);
    made->length = level.length;
    made->count = 1;
    r->level_count += made->name != NULL;
    return made->name != NULL;
}

static bool count_entry(gv_text_scan *scan, const gv_text_entry *entry)
{
    reading *r = scan->user;
    r->entries++;
    if (!entry->time.data)
        return true;
    if (!r->last[0])
        memcpy(r->last, entry->time.data, TIME_ROOM - 1);
    memcpy(r->first, entry->time.data, TIME_ROOM - 1);
    if (!count_level(r, entry->level))
        r->error = -ENOMEM;
    return r->error == 0;
}

/* --- files --- */

static int compare_epochs(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

/* The number in "NAME.log.NUMBER.bak"; false: it is another file. Only the spelling that we would open again counts. */
static bool read_epoch(const char *file, const char *name, size_t length, uint64_t *epoch)
{
    if (strncmp(file, name, length) != 0 || strncmp(file + length, ".log.", 5) != 0)
        return false;
    const char *at = file + length + 5, *start = at;
    *epoch = 0;
    for (; *at >= '0' && *at <= '9' && at - start < 18; at++)
        *epoch = *epoch * 10 + (uint64_t)(*at - '0');
    return at > start && (start[0] != '0' || at == start + 1) && strcmp(at, ".bak") == 0;
}

static int add_epoch(reading *r, uint64_t epoch)
{
    if (r->epoch_count == r->epoch_room) {
        size_t room = r->epoch_room ? r->epoch_room * 2 : 16, bytes;
        uint64_t *epochs = gv_multiply_size(room, sizeof *epochs, &bytes) ? gv_resize(r->epochs, bytes) : NULL;
        if (!epochs)
            return -ENOMEM;
        r->epochs = epochs;
        r->epoch_room = room;
    }
    r->epochs[r->epoch_count++] = epoch;
    return 0;
}

static int list_old_files(reading *r, const char *name)
{
    DIR *folder = opendir(r->reader->folder);
    size_t length = strlen(name);
    int status = 0;
    if (!folder)
        return errno == ENOENT ? 0 : -errno;
    struct dirent *entry;
    while (status == 0 && (errno = 0, entry = readdir(folder)) != NULL) {
        uint64_t epoch;
        if (read_epoch(entry->d_name, name, length, &epoch))
            status = add_epoch(r, epoch);
    }
    if (status == 0 && errno)
        status = -errno;
    closedir(folder);
    if (r->epoch_count)
        qsort(r->epochs, r->epoch_count, sizeof *r->epochs, compare_epochs);
    return status;
}

/* *fd -1: there is no such file, or it is none that can be read backwards. */
static int open_file(const char *path, int *fd, struct stat *found)
{
    int status = gv_file_open(path, O_RDONLY | O_NONBLOCK, 0, fd);
    if (status < 0)
        *fd = -1;
    if (status < 0)
        return status == -ENOENT ? 0 : status;
    if (fstat(*fd, found) == 0 && S_ISREG(found->st_mode))
        return 0;
    gv_file_close(*fd);
    *fd = -1;
    return 0;
}

/* 1: go on with the next file. */
static int read_file(reading *r, int fd, const struct stat *found)
{
    gv_text_scan scan = {.fd = fd, .to = found->st_size, .go_on = is_wanted, .user = r, .block = r->block};
    bool tail = r->op->kind->place == GV_TEXT_LOG_GET;
    scan.found = tail ? add_entry : count_entry;
    r->files++;
    r->bytes += (uint64_t)found->st_size;
    int status = gv_text_scan_run(&scan);
    return r->error < 0 ? r->error : status;
}

/* path is the reading's: NAME.log, and from `epochs` on ".NUMBER.bak" behind it. */
static int read_old_files(reading *r)
{
    size_t length = r->path.length;
    int status = 1;
    for (size_t i = 0; i < r->epoch_count && status > 0; i++) {
        struct stat found;
        int fd;
        r->path.length = length;
        gv_text_addf(&r->path, ".%" PRIu64 ".bak", r->epochs[i]);
        if (r->path.failed)
            return -ENOMEM;
        status = open_file(gv_text_get(&r->path), &fd, &found);
        if (fd < 0) {
            status = status < 0 ? status : 1;
            continue;
        }
        bool current = r->files && found.st_ino == r->inode && found.st_dev == r->device;
        status = current ? 1 : read_file(r, fd, &found);
        gv_file_close(fd);
    }
    return status;
}

/* The current file is opened before the folder is listed: when it is put aside in between, it is met again there, and
 * known by its inode; the other way round it would be missed. */
static int read_files(reading *r)
{
    char name[GV_TEXT_LOG_NAME];
    struct stat found;
    int fd;
    gv_text_log_name(r->request->user, name);
    gv_text_addf(&r->path, "%s/%s.log", r->reader->folder, name);
    r->block = gv_alloc(GV_TEXT_SCAN_ROOM);
    if (r->path.failed || !r->block)
        return -ENOMEM;
    int status = open_file(gv_text_get(&r->path), &fd, &found);
    if (status == 0)
        status = list_old_files(r, name);
    if (status == 0 && fd >= 0) {
        r->inode = found.st_ino;
        r->device = found.st_dev;
        status = read_file(r, fd, &found);
    } else if (status == 0) {
        status = 1;
    }
    if (fd >= 0)
        gv_file_close(fd);
    return status > 0 ? read_old_files(r) : status;
}

/* --- answers --- */

static int compare_levels(const void *a, const void *b)
{
    const level_count *left = a, *right = b;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->name, right->name, shorter);
    return order ? order : left->length < right->length ? -1 : left->length > right->length;
}

static void add_member(gv_text *out, const char *key, const char *time)
{
    gv_text_addf(out, ",\"%s\":", key);
    add_text(out, gv_slice_of(*time ? time : NULL));
}

static void finish_stats(reading *r)
{
    gv_text *out = &r->json;
    gv_result *result = gv_op_result(r->op);
    qsort(r->levels, r->level_count, sizeof *r->levels, compare_levels);
    gv_text_clear(out);
    gv_text_adds(out, "{\"user\":");
    add_text(out, gv_slice_of(r->request->user));
    gv_text_addf(out, ",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64, r->files, r->bytes);
    gv_text_addf(out, ",\"lines\":%" PRIu64, r->entries);
    add_member(out, "first", r->first);
    add_member(out, "last", r->last);
    gv_text_adds(out, ",\"by_level\":{");
    for (size_t i = 0; i < r->level_count; i++) {
        gv_text_adds(out, i ? "," : "");
        gv_text_add_json(out, r->levels[i].name, r->levels[i].length);
        gv_text_addf(out, ":%" PRIu64, r->levels[i].count);
    }
    if (r->levels[LEVELS].count)
        gv_text_addf(out, ",\"" OTHERS "\":%" PRIu64, r->levels[LEVELS].count);
    gv_text_adds(out, "}}");
    if (!result || !gv_result_add_json(result, out))
        r->error = -ENOMEM;
}

/* They were found newest first. */
static void turn_round(gv_result *result)
{
    for (size_t low = 0, high = result->count; low + 1 < high; low++) {
        void *record = result->records[low];
        result->records[low] = result->records[--high];
        result->records[high] = record;
    }
}

static void say_failure(reading *r)
{
    gavat_op *op = r->op;
    gv_op_drop_result(op);
    if (r->error == -ENOMEM)
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the entries of the text log");
    else if (r->error < 0)
        gv_op_fail(op, GAVAT_EIO, GAVAT_ERROR_RETRY, gv_errno_name(-r->error), "the text log %s cannot be read (%s)",
                   gv_text_get(&r->path), gv_errno_name(-r->error));
    else if (r->too_much)
        gv_op_fail(op, GAVAT_EBUSY, 0, "", "so many entries pass the byte bound (GAVAT_MAX_BYTES, %zu): ask for fewer",
                   op->client->most_bytes);
    else
        gv_op_fail(op, GAVAT_ECANCELED, 0, "", "the reading stopped: nobody waits for it any more");
}

/* status: 1 all was read, 0 it stopped, a negative errno. */
static void answer(reading *r, int status)
{
    gavat_op *op = r->op;
    bool tail = op->kind->place == GV_TEXT_LOG_GET;
    gv_result *result = op->staged.result;
    if (status == 0 && tail && result && result->count >= r->request->limit)
        status = 1;
    if (status < 0)
        r->error = status;
    if (status > 0 && !tail && r->files)
        finish_stats(r);
    if (status <= 0 || r->error || r->too_much) {
        say_failure(r);
    } else if (!r->files) {
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "there is no text log of %.200s in %s: check the name of the user",
                   r->request->user, r->reader->folder);
    } else {
        if (tail && result)
            turn_round(result);
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        gv_op_charge(op);
    }
}

void gv_text_reader_serve(gv_text_reader *reader, gavat_op *op)
{
    reading *r = gv_alloc_zero(sizeof *r);
    if (!r) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory to read the text log");
        return;
    }
    r->reader = reader;
    r->op = op;
    r->request = op->request;
    answer(r, read_files(r));
    gv_text_free(&r->path);
    gv_text_free(&r->message);
    gv_text_free(&r->folded);
    gv_text_free(&r->json);
    gv_arena_free(&r->arena);
    gv_free(r->epochs);
    gv_free(r->block);
    gv_free(r);
}
