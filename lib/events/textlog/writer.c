/* writer.c: lines into the users' files. All on the text log's thread. The lines that were collected are grouped by
 * file, and each file gets its own in one write. Other processes may write to the same files, and put them aside. */
#include "textlog.h"

#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../base/memory.h"
#include "../../core/client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define CHUNK 1048576           /* bytes after which a write goes out before the rest of the lines is made */
#define TRIES 1000              /* names of old files that are tried */
#define SECOND INT64_C(1000000)
#define LOOKS 5
#define LOOK_AGAIN_US 2000

/* Keep the first one; a message is made of it later. */
static void note(gv_text_writer *writer, int error, const char *path)
{
    if (writer->failed)
        return;
    writer->failed = error;
    snprintf(writer->failed_path, sizeof writer->failed_path, "%s", path);
}

int gv_text_log_make_folder(const char *folder)
{
    gv_text path = {0};
    gv_text_adds(&path, folder);
    gv_text_addc(&path, '/');
    int status = path.failed ? -ENOMEM : gv_file_make_parents(gv_text_get(&path));
    gv_text_free(&path);
    return status;
}

/* --- the lines --- */

/* What would end the level early, or the line, is replaced: a level must not forge a record. */
static void add_level(gv_text *out, const char *level)
{
    if (!level || !*level)
        level = "INFO";
    for (; *level; level++) {
        bool odd = (unsigned char)*level < 0x20 || *level == '[' || *level == ']';
        gv_text_addc(out, odd ? '_' : *level);
    }
}

/* The message as it is; but a line inside it that begins like a record gets a blank in front. Python ends lines at a
 * bare '\r' too. */
static void add_message(gv_text *out, const char *message)
{
    const char *at = message ? message : "";
    for (;;) {
        size_t length = strcspn(at, "\r\n");
        gv_text_add(out, at, length);
        at += length;
        if (!*at)
            break;
        gv_text_addc(out, *at++);
        if (*at == '[')
            gv_text_addc(out, ' ');
    }
    gv_text_addc(out, '\n');
}

static void add_line(gv_text_writer *writer, const gavat_event *event)
{
    char time[28];
    int64_t seconds = event->timestamp / SECOND - (event->timestamp % SECOND < 0), local;
    if (__builtin_add_overflow(event->timestamp, gv_zone_offset(writer->zone, seconds) * SECOND, &local))
        local = event->timestamp;
    gv_time_to_rfc(local, time);
    gv_text *out = &writer->buffer;
    gv_text_addc(out, '[');
    gv_text_add(out, time, 19);         /* to the second */
    gv_text_adds(out, "] [");
    add_level(out, event->level);
    gv_text_adds(out, "] ");
    add_message(out, event->message);
}

/* --- the files --- */

static void close_file(gv_text_file *file)
{
    gv_file_close(file->fd);
    file->name[0] = '\0';
}

/* Whether the file ends inside a line: a write has broken off there, or it was cut. Another process's write may be seen by halves
 * while it goes on, so what looks torn is looked at again. */
static bool is_torn(int fd)
{
    for (int i = 0; i < LOOKS; i++) {
        char last;
        if (lseek(fd, -1, SEEK_END) < 0 || gv_file_hook.read(fd, &last, 1) != 1 || last == '\n')
            return false;
        usleep(LOOK_AGAIN_US);
    }
    return true;
}

/* Into a free place; *size is how long it is. */
static int open_file(gv_text_writer *writer, gv_text_file *file, const char *name, off_t *size)
{
    const char *path = gv_text_get(&writer->path);
    int flags = O_RDWR | O_APPEND | O_CREAT, fd;
    int status = gv_file_open(path, flags, 0666, &fd);
    if (status == -ENOENT) {            /* someone has removed the folder */
        status = gv_text_log_make_folder(writer->folder);
        if (status == 0)
            status = gv_file_open(path, flags, 0666, &fd);
    }
    if (status < 0)
        return status;
    struct stat found;
    if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode)) {
        gv_file_close(fd);
        return -EINVAL;
    }
    memcpy(file->name, name, strlen(name) + 1);
    file->fd = fd;
    file->device = found.st_dev;
    file->inode = found.st_ino;
    file->torn = is_torn(fd);
    *size = found.st_size;
    return 0;
}

/* The place of the file: the one it has, or the one that was not used for longest, made free. */
static gv_text_file *find_place(gv_text_writer *writer, const char *name)
{
    gv_text_file *oldest = &writer->files[0];
    for (size_t i = 0; i < GV_TEXT_LOG_FILES; i++) {
        gv_text_file *file = &writer->files[i];
        if (strcmp(file->name, name) == 0)
            return file;
        if (oldest->name[0] && (!file->name[0] || file->used < oldest->used))
            oldest = file;
    }
    if (oldest->name[0])
        close_file(oldest);
    return oldest;
}

/* Put the file aside under a name that is nobody's yet: an empty file reserves it, so that two processes which do this
 * at once cannot replace each other's. */
static int rotate(gv_text_writer *writer)
{
    const char *path = gv_text_get(&writer->path);
    int64_t epoch = gv_now(writer->client) / SECOND;
    int status = -EEXIST;
    gv_text old = {0};
    for (int i = 0; i < TRIES && status == -EEXIST; i++) {
        int fd;
        gv_text_clear(&old);
        gv_text_addf(&old, "%s.%" PRId64 ".bak", path, epoch + i);
        status = old.failed ? -ENOMEM : gv_file_open(gv_text_get(&old), O_WRONLY | O_CREAT | O_EXCL, 0666, &fd);
        if (status == 0)
            gv_file_close(fd);
    }
    if (status == 0) {
        status = gv_file_rename(path, gv_text_get(&old));
        if (status < 0)
            gv_file_unlink(gv_text_get(&old));
    }
    gv_text_free(&old);
    return status == -ENOENT ? 0 : status;      /* another process has just done it */
}

/* The file of the path, open and not too long; NULL: noted. */
static gv_text_file *get_file(gv_text_writer *writer, const char *name)
{
    const char *path = gv_text_get(&writer->path);
    gv_text_file *file = find_place(writer, name);
    struct stat now;
    off_t size = 0;
    int status = 0;
    bool there = file->name[0] && stat(path, &now) == 0 && now.st_ino == file->inode && now.st_dev == file->device;
    if (there)
        size = now.st_size;
    if (file->name[0] && !there)
        close_file(file);
    if (!there)
        status = open_file(writer, file, name, &size);
    if (status == 0 && size >= GV_TEXT_LOG_ROTATE) {
        int rotated = rotate(writer);
        if (rotated < 0) {
            note(writer, rotated, path);        /* it goes on growing */
        } else {
            close_file(file);
            status = open_file(writer, file, name, &size);
        }
    }
    if (status < 0) {
        note(writer, status, path);
        return NULL;
    }
    file->used = ++writer->uses;
    return file;
}

/* --- writing --- */

static void disown(gv_text_writer *writer, size_t from, size_t to, size_t done)
{
    for (size_t i = from; i != to; i = writer->lines[i - 1].next)
        if (writer->lines[i - 1].end > done)
            writer->lines[i - 1].op->mirrored = false;
}

/* What is in the buffer: the lines from one up to another, both + 1. False: it broke off. */
static bool flush(gv_text_writer *writer, gv_text_file *file, size_t from, size_t to)
{
    size_t done = 0;
    int status = writer->buffer.failed ? -ENOMEM : 0;
    if (status == 0)
        status = gv_file_write_all(file->fd, gv_text_get(&writer->buffer), writer->buffer.length, &done);
    gv_text_clear(&writer->buffer);
    if (status == 0) {
        file->torn = false;
        return true;
    }
    note(writer, status, gv_text_get(&writer->path));
    disown(writer, from, to, done);
    close_file(file);           /* opened anew it tells whether it ends inside a line */
    return false;
}

static void write_group(gv_text_writer *writer, const gv_text_group *group)
{
    gv_text_clear(&writer->path);
    gv_text_addf(&writer->path, "%s/%s.log", writer->folder, group->name);
    gv_text_file *file = NULL;
    if (writer->path.failed)
        note(writer, -ENOMEM, writer->folder);
    else
        file = get_file(writer, group->name);
    size_t start = group->first + 1, at = start;
    gv_text_clear(&writer->buffer);
    if (file && file->torn)
        gv_text_addc(&writer->buffer, '\n');
    while (file && at) {
        gv_text_line *line = &writer->lines[at - 1];
        add_line(writer, line->event);
        line->end = writer->buffer.failed ? SIZE_MAX : writer->buffer.length;
        at = line->next;
        if (writer->buffer.failed || writer->buffer.length >= CHUNK || !at) {
            if (!flush(writer, file, start, at))
                file = NULL;
            start = at;
        }
    }
    if (!file)
        for (; at; at = writer->lines[at - 1].next)
            writer->lines[at - 1].op->mirrored = false;
}

void gv_text_writer_write(gv_text_writer *writer)
{
    for (size_t i = 0; i < writer->group_count; i++) {
        write_group(writer, &writer->groups[i]);
        writer->slots[writer->groups[i].slot] = 0;
    }
    writer->group_count = 0;
    writer->count = 0;
    if (writer->buffer.room > CHUNK) {          /* a rare long batch does not hold its memory for good */
        gv_text_free(&writer->buffer);
        gv_text_free(&writer->path);
    }
}

/* The lines of a file so far, or an empty group for them. */
static gv_text_group *find_group(gv_text_writer *writer, const char *name, bool *made)
{
    size_t slot = gv_slice_hash(gv_slice_of(name)) & (GV_TEXT_LOG_SLOTS - 1);
    for (; writer->slots[slot]; slot = (slot + 1) & (GV_TEXT_LOG_SLOTS - 1)) {
        gv_text_group *group = &writer->groups[writer->slots[slot] - 1];
        if (strcmp(group->name, name) == 0) {
            *made = false;
            return group;
        }
    }
    gv_text_group *group = &writer->groups[writer->group_count++];
    memcpy(group->name, name, strlen(name) + 1);
    group->slot = slot;
    writer->slots[slot] = (uint16_t)writer->group_count;
    *made = true;
    return group;
}

static bool make_room(gv_text_writer *writer)
{
    size_t room = writer->room ? writer->room * 2 : 256, bytes;
    if (writer->count < writer->room)
        return true;
    gv_text_line *lines = gv_multiply_size(room, sizeof *lines, &bytes) ? gv_resize(writer->lines, bytes) : NULL;
    if (!lines)
        return false;
    writer->lines = lines;
    writer->room = room;
    return true;
}

void gv_text_writer_add(gv_text_writer *writer, gavat_op *op, const gavat_event *event)
{
    char name[GV_TEXT_LOG_NAME];
    bool made;
    if (writer->group_count == GV_TEXT_LOG_GROUPS || !make_room(writer))
        gv_text_writer_write(writer);
    if (!make_room(writer)) {
        note(writer, -ENOMEM, writer->folder);
        op->mirrored = false;
        return;
    }
    gv_text_log_name(event->user_id ? event->user_id : "", name);
    gv_text_group *group = find_group(writer, name, &made);
    writer->lines[writer->count] = (gv_text_line){.op = op, .event = event};
    if (made)
        group->first = writer->count;
    else
        writer->lines[group->last].next = writer->count + 1;
    group->last = writer->count++;
}

void gv_text_writer_free(gv_text_writer *writer)
{
    for (size_t i = 0; i < GV_TEXT_LOG_FILES; i++)
        if (writer->files[i].name[0])
            close_file(&writer->files[i]);
    gv_free(writer->lines);
    writer->lines = NULL;
    writer->count = writer->room = 0;
    gv_text_free(&writer->path);
    gv_text_free(&writer->buffer);
}
