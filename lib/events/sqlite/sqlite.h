/* sqlite.h: the events area on SQLite, inside. One file in WAL mode; one thread writes, with as many ops in a transaction as have
 * gathered while the last one was being committed; reader threads beside it; and an indexer that feeds the search index, a
 * file of its own, behind a watermark.
 *
 * Order: ops on one record, user or key that one thread submits apply in that order. Writes have one queue. A read remembers the
 * last write before it that may concern it (of its user's bucket; of all, where it names no user), and is parked until that is committed. */
#ifndef GV_EVENTS_SQLITE_H
#define GV_EVENTS_SQLITE_H
#include "../../core/client.h"
#include "../../core/worker.h"
#include "../../sqlite/database.h"
#include "../requests.h"

#define GV_SQLITE_BUCKETS 1024
#define GV_SQLITE_BATCH 4000            /* ops in one commit: past it the rate grows no more, only the wait */

typedef struct gv_sqlite {
    gv_store *store;
    const char *path, *index_path;
    gv_database_options options;
    bool search_index;
    int64_t search_lag;
    unsigned reader_count;
    gv_worker writer, readers, indexer;

    /* Writer's thread. */
    gv_database db;
    gavat_op *opening;                  /* ends when the file is open */
    gavat_op *slow;                     /* long work under way: a slice between two commits */
    gv_list slow_queue;
    uint64_t opened_at;                 /* last attempt, steady */
    int open_code;
    bool unwell;                        /* health was lowered by a failure; the next commit raises it */
    int64_t inserted_id;                /* the last event's */

    pthread_mutex_t lock;               /* all below */
    pthread_cond_t indexed;             /* the watermark moved: a writer that waits for the lag goes on */
    uint64_t last, committed;           /* writes by sequence: given out, done with */
    uint64_t buckets[GV_SQLITE_BUCKETS];
    gv_list parked;                     /* reads that wait for a write */
    unsigned running;                   /* of the three workers */
    int64_t newest_id, indexed_id;      /* event_logs: as far as known; the index's watermark */
    bool closing;
    bool indexing, index_idle;          /* the indexer gets on; it has caught up and sleeps */
} gv_sqlite;

/* writer.c */
void gv_sqlite_write(gv_worker *worker);
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
    gv_database db, index;
    gavat_op *op;                       /* what it works on: its end stops the statement */
    gv_text scratch;
    const char *among;                  /* a JSON array of ids that a page is narrowed to; NULL: all */
} gv_reader;
/* page.c */
void gv_sqlite_page(gv_reader *reader, gavat_op *op);
void gv_sqlite_one_session(gv_reader *reader, gavat_op *op);
/* search.c */
void gv_sqlite_search(gv_reader *reader, gavat_op *op);
/* stats.c */
void gv_sqlite_stats(gv_reader *reader, gavat_op *op);
/* check.c */
void gv_sqlite_check(gv_reader *reader, gavat_op *op);
/* indexer.c */
void gv_sqlite_index(gv_worker *worker);
/* Up to which id the index knows the rows; -1: there is none yet, or it is of other rows than those in db. */
int64_t gv_sqlite_watermark(gv_database *index, gv_database *db);
void gv_sqlite_want_index(gv_sqlite *self);     /* wake the indexer */
void gv_sqlite_committed(gv_sqlite *self, uint64_t sequence, int64_t newest_id);        /* by the writer, after each commit */
#endif
