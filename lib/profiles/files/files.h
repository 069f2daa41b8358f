/* files.h: profiles as JSON files, inside: a folder with a file for each, named by its username (lib/base/file_name.h).
 *
 * One thread, "gavat-profiles", takes all ops in the order of their submission and does what names its profiles: it writes and gets them;
 * of many gets in a row "gavat-helper" does half, while it waits.
 * A document is written to a hidden file beside its place, synced, and renamed onto it; when the batch at hand is through, one sync of the
 * folder makes its names durable, and only then are its ops acknowledged. What looks through the whole folder goes on to a thread
 * of its own, "gavat-scanner", behind the writes that came before it; who waits for changes, to "gavat-watcher".
 *
 * Processes share the folder: each batch of writes holds a lock on the hidden file GV_FILES_LOCK (an open file description's, so two
 * clients of one process exclude each other too). Reads need none: a rename is seen whole or not at all. */
#ifndef GV_PROFILES_FILES_H
#define GV_PROFILES_FILES_H
#include "../../core/client.h"
#include "../../core/worker.h"
#include "../defaults.h"
#include "../document.h"
#include "cache.h"
#include <sys/types.h>

#define GV_FILES_LOCK ".gavat-lock"
#define GV_FILES_NEW ".gavat-new"       /* the document that is being written; only whoever holds the lock writes it */
#define GV_FILES_MOST (128u << 20)      /* bytes of a file: larger ones are not read */
#define GV_FILES_BATCH 256              /* ops between two syncs of the folder */

typedef struct gv_gets {        /* gets in a row, by the two halves of all names; the writer's thread, and the helper's while they are handed */
    gavat_op *ops[2][GV_FILES_BATCH];
    size_t count[2];
    gv_cache *caches[2];                /* of a half; NULL: none */
    bool handed;                        /* the second half, to the helper; the store's lock */
    pthread_cond_t helped;              /* it is done */
} gv_gets;

typedef struct gv_files {
    gv_store *store;
    const char *folder;                 /* absolute */
    gv_worker writer, helper, scanner, watcher;
    gv_gets gets;
    int wake_fd;                        /* an eventfd: the watcher has got an op, or is to stop; -1: never opened */
    gv_profile_defaults defaults;       /* read by the writer's thread before the first op */

    /* Writer's thread. */
    gavat_op *opening;
    int folder_fd, lock_fd;             /* -1: not open */
    bool locked, waits;                 /* for the lock */
    bool unwell;                        /* health was lowered; the next batch that goes well raises it */

    pthread_mutex_t lock;               /* all below */
    pthread_cond_t begun;               /* watches_begun went up */
    unsigned running;                   /* of the workers */
    uint64_t watches, watches_begun;    /* handed to the watcher; that have their place in the feed */
} gv_files;

/* --- place.c: names and files, what each thread needs of its own --- */

typedef struct gv_place {
    gv_files *self;
    gv_text path, own;          /* folder, '/', a file's name: a document's, one of ours */
    gv_cache *cache;            /* of the get at hand; NULL: none */
    gv_text text, merged, view; /* what was read; with the defaults; what it is for callers, or what is to be written */
} gv_place;

void gv_place_free(gv_place *place);
/* The path of a username's file, and of a file of ours in the folder; NULL: no memory. Each is valid until the next of its kind. */
const char *gv_place_path(gv_place *place, const char *username);
const char *gv_place_file(gv_place *place, const char *file);  /* of a document, by the name of its file */
const char *gv_place_own(gv_place *place, const char *name);

typedef enum gv_found { GV_FOUND, GV_FOUND_NONE, GV_FOUND_DAMAGED, GV_FOUND_FAILED } gv_found;
typedef struct gv_loaded {
    gv_document document;       /* FOUND; of place->text */
    char why[160];              /* DAMAGED: what ails it, a phrase */
    int error;                  /* FAILED: a negative errno */
} gv_loaded;
/* The document of place->path. */
gv_found gv_place_load(gv_place *place, gv_loaded *loaded);
/* What callers get of it, in place->view. False: no memory. */
bool gv_place_view(gv_place *place, const gv_document *document, const char *username);
bool gv_files_folder_is_there(const gv_files *self);

typedef struct gv_said {        /* what came of one document: of an op, or of one of the many of an op */
    gavat_status status;
    uint32_t flags;
    const char *native;
    int64_t number;
    char why[700];
} gv_said;
/* A system call failed. what: "writing bot1". */
void gv_said_error(gv_said *said, const gv_files *self, int error, const char *what, const char *username);
void gv_said_fail(gv_said *said, gavat_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void gv_said_to(const gv_said *said, gavat_op *op);     /* an error only */
const char *gv_files_advice(int error);

/* --- lock.c: writer's thread --- */

/* The folder and its lock file, open and still those of that name. 0 or a negative errno. */
int gv_files_ready(gv_files *self, gv_place *place);
/* 0: it holds the lock. -EAGAIN: somebody else does. Else a negative errno. */
int gv_files_try_lock(gv_files *self);
bool gv_files_lock_wanted(gv_files *self);      /* somebody waits for the lock that is held */
void gv_files_unlock(gv_files *self);           /* also where it was only waited for */
void gv_files_let_go(gv_files *self);           /* close both */
int gv_files_make_folder(gv_files *self);       /* with those above it */

/* --- check.c --- */

bool gv_files_check_folder(gv_files *self, gavat_op *op);       /* the doctor's first lines; false: it is not there. Any thread */
void gv_files_say_made(gavat_op *op, bool dry);      /* the one step there is; ends it well, but for want of memory */
void gv_files_upgrade(gv_files *self, gavat_op *op);
void gv_files_describe(gv_files *self, gavat_op *op);

/* --- apply.c: one op on documents by name; writes need the lock. Writer's thread; the helper's too for gets --- */

/* True: it changed the folder. What the op says is staged. */
bool gv_files_apply(gv_place *place, gavat_op *op);

/* --- gets.c: writer's thread, or where a get is at hand --- */
void gv_gets_init(gv_files *self);
void gv_gets_free(gv_files *self);
gv_cache *gv_gets_cache(gv_files *self, const char *username);
void gv_gets_add(gv_files *self, gavat_op *op);         /* of gavat_get_profile; at most GV_FILES_BATCH before they are run */
void gv_gets_run(gv_files *self, gv_place *place);      /* comes back when they are done, and staged what they say */

/* --- writer.c, gets.c, scanner.c, watch.c --- */
void gv_files_write(gv_worker *worker);
void gv_files_help(gv_worker *worker);
void gv_files_scan(gv_worker *worker);
void gv_files_watch(gv_worker *worker);
void gv_files_wake_watch(gv_files *self);       /* any thread */
/* Writer's thread: hands the op on, and comes back when what is written from now on is news to it. */
void gv_files_pass_watch(gv_files *self, gavat_op *op);
#endif
