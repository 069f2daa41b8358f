/* sqlite.h: the events area on SQLite, inside. One file in WAL mode; one thread writes, with as many ops in a transaction as have
 * gathered by its end; reader threads beside it; and an indexer that feeds the search index, a
 * file of its own, behind a watermark. The first tail brings a thread that waits for news.
 *
 * Order: ops on one record, user or key that one thread submits apply in that order. Writes have one queue. A read remembers the
 * last write before it that may concern it (of its user's bucket; of all, where it names no user), and is parked until that is committed.
 * Long work is not waited for.
 *
 * Each thread has connections of its own and holds `files` for reading while it uses them. When a file was deleted or replaced under its
 * name, whoever sees it takes `files` for writing and closes all of them: an old connection and a new one beside it would share
 * the memory of a file that is no longer the same. */
#ifndef GV_EVENTS_SQLITE_H
#define GV_EVENTS_SQLITE_H
#include "../../core/client.h"
#include "../../core/worker.h"
#include "../../sqlite/writer.h"
#include "../requests.h"
#include <stdatomic.h>

#define GV_SQLITE_BATCH 16000           /* ops in one commit: each page of an index is written once for all of its rows */

typedef struct gv_connections {         /* a thread's, known to the store; index is closed where it has none */
    gv_link link;
    gv_database db, index;
} gv_connections;

typedef struct gv_sqlite {
    gv_store *store;
    const char *path, *index_path;
    gv_database_options options;
    bool search_index;
    int64_t search_lag;
    unsigned reader_count;
    gv_worker writer, readers, indexer, tailer;
    pthread_rwlock_t files;
    gv_list connections;                /* files, for writing */
    atomic_bool index_damaged;          /* somebody found it so: the indexer makes it anew */

    /* Writer's thread. */
    gv_connections own;
    gavat_op *opening;                  /* ends when the file is open */
    gavat_op *slow;                     /* long work under way: a slice between two commits */
    gv_list slow_queue;
    gv_writer writing;                  /* its opened_at and open_code: files */
    int64_t inserted_id;                /* the batch's last event's; 0: none */

    pthread_mutex_t lock;               /* all below */
    pthread_cond_t indexed;             /* the watermark moved: a writer that waits for the lag goes on */
    uint64_t last, committed;           /* writes by sequence: given out, done with */
    uint64_t buckets[GV_EVENTS_BUCKETS];
    gv_list parked;                     /* reads that wait for a write */
    unsigned running;                   /* of the workers */
    int64_t newest_id, indexed_id;      /* event_logs: the last commit's; the index's watermark */
    uint64_t commits;                   /* of events */
    bool closing, tailing;              /* tailing: its thread runs */
    bool indexing, index_idle;          /* the indexer gets on; it has caught up and sleeps */
} gv_sqlite;

/* writer.c */
void gv_sqlite_write(gv_worker *worker);
void gv_sqlite_init_writing(gv_sqlite *self, const gv_database_options *options);
/* apply.c: one write op inside a transaction, its outcome staged. The SQLite code of what failed, SQLITE_OK when the op is only refused. */
int gv_sqlite_apply(gv_sqlite *self, gavat_op *op);
/* slow.c: long work. True: it has its outcome (staged); false: one slice is done, there is more. */
bool gv_sqlite_work_on(gv_sqlite *self, gavat_op *op);
/* schema.c */
int gv_sqlite_upgrade(gv_sqlite *self, gavat_op *op, bool dry_run);     /* inside no transaction; records of steps into op (may be NULL) */
void gv_sqlite_describe_schema(gv_database *db, gavat_op *op);
/* reader.c */
void gv_sqlite_read(gv_worker *worker);
typedef struct gv_reader {              /* a reader thread's own */
    gv_sqlite *self;
    gv_connections own;
    gavat_op *op;                       /* what it works on: its end stops the statement */
    gv_text scratch;
    const char *among;                  /* a JSON array of ids that a page is narrowed to; NULL: all */
} gv_reader;
/* page.c */
void gv_sqlite_page(gv_reader *reader, gavat_op *op);
void gv_sqlite_one_session(gv_reader *reader, gavat_op *op);
/* tail.c */
void gv_sqlite_tail(gv_worker *worker);
void gv_sqlite_push_tail(gv_sqlite *self, gavat_op *op);
/* search.c */
void gv_sqlite_search(gv_reader *reader, gavat_op *op);
/* stats.c */
void gv_sqlite_stats(gv_reader *reader, gavat_op *op);
/* check.c */
void gv_sqlite_check(gv_reader *reader, gavat_op *op);
/* indexer.c */
void gv_sqlite_index(gv_worker *worker);
/* Up to which id the index knows the rows; -1: there is none yet, or it is of other rows than those in db. SQLITE_OK, or the code. */
int gv_sqlite_watermark(gv_database *index, gv_database *db, int64_t *id);
void gv_sqlite_want_index(gv_sqlite *self);     /* wake the indexer */
/* By the writer: its writes up to this one are done with; newest_id: the last event that they brought, 0: none. */
void gv_sqlite_committed(gv_sqlite *self, uint64_t sequence, int64_t newest_id);
void gv_sqlite_settled(gv_sqlite *self);        /* by the writer: it has none in hand; nobody waits for those withdrawn from its queue */

/* files.c */
void gv_sqlite_join(gv_sqlite *self, gv_connections *own);
void gv_sqlite_leave(gv_sqlite *self, gv_connections *own);     /* closes them */
void gv_sqlite_hold_files(gv_sqlite *self, gv_connections *own);        /* before they are used; closes all that were moved */
void gv_sqlite_let_files_go(gv_sqlite *self);
bool gv_sqlite_forget_index(gv_sqlite *self);   /* deletes a damaged one; false: it is in use, try again. Not while files are held */
#endif
