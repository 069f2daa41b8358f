/* textlog.h: the text log mirror inside: each event is also a line of its user's file, as the original system writes
 * them. One thread, "gavat-textlog", does all of it: it takes the ops of the events area before their store does,
 * writes their lines, and passes them on. A reading never holds up the writing: between two blocks of a file the thread
 * looks after what has come in meanwhile.
 *
 * It is a mirror: lines are not synced to the disk, and a line that could not be written never stops its event. */
#ifndef GV_EVENTS_TEXTLOG_H
#define GV_EVENTS_TEXTLOG_H
#include "../../base/zone.h"
#include "../../core/worker.h"
#include "../requests.h"
#include <sys/types.h>

#define GV_TEXT_LOG_ROTATE (5 * 1024 * 1024)    /* bytes at which a file is put aside before the next write */
#define GV_TEXT_LOG_FILES 16                    /* kept open */
#define GV_TEXT_LOG_NAME 256                    /* room for a file's name, "….log.1748160000.bak" included */

/* Places of the kinds of this area; the third is asked by gavat_check_stores. */
enum { GV_TEXT_LOG_GET, GV_TEXT_LOG_STATS, GV_TEXT_LOG_CHECK };

typedef struct gv_text_log_request {    /* of the two readings; texts behind it */
    const char *user;
    gv_slice keyword;           /* folded; empty: every line */
    uint32_t limit;
} gv_text_log_request;

/* The start of a user's file names, without ".log": '@' dropped, '/', '%' and a leading '.' encoded, long names cut. */
void gv_text_log_name(const char *user, char out[GV_TEXT_LOG_NAME]);

/* --- writer.c: the thread's --- */

typedef struct gv_text_file {
    char name[GV_TEXT_LOG_NAME];        /* "": free */
    int fd;
    dev_t device;
    ino_t inode;
    uint64_t used;
    bool torn;                  /* its last line has no end: a write broke off in it */
} gv_text_file;

typedef struct gv_text_line {
    gavat_op *op;
    const gavat_event *event;   /* the op's */
    size_t next;                /* of the same file, + 1; 0: none */
    size_t end;                 /* in the buffer, once it is there */
} gv_text_line;

typedef struct gv_text_group {  /* the lines of one file, in their order */
    char name[GV_TEXT_LOG_NAME];
    size_t first, last;
    size_t slot;
} gv_text_group;

#define GV_TEXT_LOG_GROUPS 256  /* files a round */
#define GV_TEXT_LOG_SLOTS 512   /* a power of two */

typedef struct gv_text_writer {
    gavat *client;
    const char *folder;
    const gv_zone *zone;
    gv_text_file files[GV_TEXT_LOG_FILES];
    uint64_t uses;
    gv_text_line *lines;        /* that wait for gv_text_writer_write */
    size_t count, room;
    gv_text_group groups[GV_TEXT_LOG_GROUPS];
    size_t group_count;
    uint16_t slots[GV_TEXT_LOG_SLOTS];  /* place in groups, + 1, by the name's hash */
    gv_text path, buffer;
    int failed;                 /* the first error since its reader cleared it, negative errno; 0: none */
    char failed_path[512];
} gv_text_writer;

/* A line for the event, written by the next gv_text_writer_write at the latest; op and event must stay until then. When
 * it cannot be written, op->mirrored becomes false, and `failed` tells why. */
void gv_text_writer_add(gv_text_writer *writer, gavat_op *op, const gavat_event *event);
void gv_text_writer_write(gv_text_writer *writer);
void gv_text_writer_free(gv_text_writer *writer);       /* closes the files */
int gv_text_log_make_folder(const char *folder);        /* with those above it; 0 or a negative errno */

/* --- scan.c: one file, read backwards --- */

typedef struct gv_text_scan gv_text_scan;
typedef struct gv_text_entry {  /* a header line with what follows it, or a line that no header stands before */
    gv_slice time, level;       /* data NULL: none */
    int64_t text, end;          /* where its message begins, and where the next entry does */
} gv_text_entry;

/* "[time] [level]" and then a blank or the end of the line. Sets the entry's time and level; *length is how long it is,
 * the blank included. Any thread. */
bool gv_text_log_header(gv_slice line, gv_text_entry *entry, size_t *length);

struct gv_text_scan {
    int fd;
    int64_t from, to;           /* the bytes to look at */
    /* false: enough. The entry's slices are valid during the call. */
    bool (*found)(gv_text_scan *scan, const gv_text_entry *entry);
    bool (*go_on)(void *user);  /* asked before each block; false: stop */
    void *user;
    char *block;                /* GV_TEXT_SCAN_ROOM bytes, the caller's */
    int64_t block_at;           /* of the file: what block holds */
    size_t block_length;
};

#define GV_TEXT_SCAN_BLOCK 65536
#define GV_TEXT_SCAN_HEADER 256         /* most bytes of a header, and of a byte order mark before it */
#define GV_TEXT_SCAN_ROOM (GV_TEXT_SCAN_BLOCK + GV_TEXT_SCAN_HEADER)

/* The entries of a file, newest first. 1: all of them, 0: `found` or `go_on` said stop; a negative errno. */
int gv_text_scan_run(gv_text_scan *scan);
/* The message of an entry, within `found`: at most `most` bytes of it, line ends as "\n", none at its end. Replaces
 * out; 0 or a negative errno. */
int gv_text_scan_load(gv_text_scan *scan, const gv_text_entry *entry, size_t most, gv_text *out);

/* --- reader.c --- */

typedef struct gv_text_reader {
    const char *folder;
    void (*pause)(void *user);  /* called now and then: other work may be done */
    void *user;
} gv_text_reader;

/* Serves GET_TEXT_LOG and its statistics: what the op says then is staged, gv_op_finish is the caller's. */
void gv_text_reader_serve(gv_text_reader *reader, gavat_op *op);
#endif
