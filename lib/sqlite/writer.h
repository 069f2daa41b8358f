/* writer.h: what the one thread of a store that writes to an SQLite file does, whatever it writes. It takes the lock of the file before it
 * takes ops from its queue: while another process holds that lock, ops go on gathering, and those whose time is up are known not to be
 * applied. All that has gathered, and what comes while that is applied, shares one transaction: so under load the first one is as large
 * as the later ones. An op that fails undoes itself only; a transaction that is lost, or cannot be committed, fails all of its ops; one
 * whose commit may have been kept says so. All on that thread. */
#ifndef GV_SQLITE_WRITER_H
#define GV_SQLITE_WRITER_H
#include "../core/worker.h"
#include "database.h"

typedef struct gv_writer {
    gv_store *store;            /* the owner's, as all up to own */
    gv_worker *worker;
    gv_database *db;
    const char *path;           /* NULL: in memory */
    gv_database_options options;
    void *self;
    size_t most;                /* ops in one commit */
    int (*adopt)(void *self, gavat_op *op);     /* the file was opened: bring its tables up to date. op: of gavat_open, or NULL */
    int (*apply)(void *self, gavat_op *op);     /* inside the transaction, taken; stages the outcome. The code of what failed */
    void (*finish)(void *self, gv_list *ops, bool committed);   /* hands them back: ops have their outcome; ops is empty then */
    bool (*set_aside)(void *self, gavat_op *op);        /* true: kept for later, not of this transaction; NULL: none */
    void (*locked)(void *self, bool held);      /* another process has the lock, said with each try; held: ops are in hand. NULL: nobody asks */

    uint64_t opened_at;         /* own: the last attempt, steady; 0: at once */
    int open_code;              /* what came of it, or of what closed the file since */
    bool unwell;                /* health was lowered by a failure; the next commit raises it */
} gv_writer;

void gv_writer_open_first(gv_writer *writer, gavat_op *op);     /* gavat_open; ends op */
bool gv_writer_ready(gv_writer *writer);        /* the file is open, or could be opened again */
void gv_writer_batch(gv_writer *writer);        /* one batch of what waits, in one transaction if all goes well; while ready */
void gv_writer_fail_queue(gv_writer *writer);   /* all that waits: the file is not open */
void gv_writer_distrust(gv_writer *writer, int code);   /* health, and a new connection, after an error of the file */
void gv_writer_well(gv_writer *writer);         /* the file was used and is good */
/* The file was deleted or replaced under its name, and all connections are closed: the next one finds a clean place. */
void gv_writer_moved(gv_writer *writer);
/* After several statements of one op inside a transaction: keep them (code SQLITE_OK) or undo them. Begun by gv_writer_unit. */
int gv_writer_unit(gv_writer *writer);
int gv_writer_end_unit(gv_writer *writer, int code);
#endif
