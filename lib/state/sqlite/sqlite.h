/* sqlite.h: the state area on SQLite, inside: a file in WAL mode, or a database in memory that belongs to the client alone. One thread
 * does all of it in the order of submission, so whatever one thread submits applies in that order. Reads at the head of the queue share a
 * read transaction; from the first write on, all that gathers shares one commit (lib/sqlite/writer.h). */
#ifndef GV_STATE_SQLITE_H
#define GV_STATE_SQLITE_H
#include "../../sqlite/schema.h"
#include "../../sqlite/writer.h"
#include "../give.h"
#include "../walk.h"

#define GV_STATE_BATCH 4000     /* writes that share a commit */
#define GV_STATE_READS 256      /* reads that share a snapshot: those, and what they give, stay in the caches */

typedef struct gv_state_sqlite {
    gv_store *store;
    gv_worker worker;
    gv_database db;
    gv_writer writing;
    gavat_op *opening;          /* ends when the file is open */
    gavat_reached reached;      /* of what is committed */
    gv_list later;              /* walks, and upgrades: a slice between two batches */
    gv_walk_page page;          /* of the walk at hand; its request is NULL where there is none */
    gv_text position;           /* the last user that it has seen */
    gavat_time next_expiry;     /* nothing expires before; 0: not known, INT64_MAX: nothing does */
    uint64_t swept_at;          /* steady; 0: at once */
    gv_arena scratch;           /* of the op at hand; cleared behind it */
    bool running;               /* the thread was started; loop's thread */
} gv_state_sqlite;

/* A row of gavat_state. value: until the statement is used again; of a row that gv_state_find found, as long
 * as the op is at hand. */
typedef struct gv_state_row {
    int64_t id;
    const char *value;          /* "" for a list */
    size_t length;
    int64_t expire_us;          /* left to live; 0: never ends */
    int64_t span;               /* that it was given, microseconds; 0: not known */
    bool late;                  /* its stored expiry is beyond now + span */
    bool list;
    int64_t head, items;        /* of a list: the place of its newest item, how many */
} gv_state_row;

/* worker.c */
void gv_state_work(gv_worker *worker);
void gv_state_init_writing(gv_state_sqlite *self, const char *path, const gv_database_options *options);
/* later.c */
bool gv_state_is_later(const gavat_op *op);
void gv_state_work_later(gv_state_sqlite *self);        /* a slice of the first of them */
void gv_state_sweep(gv_state_sqlite *self);     /* a slice of what has expired, when it is due. Inside no transaction */
uint32_t gv_state_until_sweep(gv_state_sqlite *self);   /* milliseconds; UINT32_MAX: nothing to wait for */
/* apply.c: one op inside a transaction, its outcome staged. The SQLite code of what failed, SQLITE_OK when the op is only refused. */
int gv_state_apply(gv_state_sqlite *self, gavat_op *op);
void gv_state_answer(gavat_op *op, const gv_state_row *row);     /* a get: what it found, NULL: nothing */
/* keys.c: one key. SQLITE_OK, or the code. */
int gv_state_find(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, gv_state_row *row, bool *found);
/* The same without a copy: where a row is found, its texts are those of the statement, which the caller resets. An open one would hold on
 * to what it sees beyond the transaction. NULL: not there. */
int gv_state_look(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, gv_state_row *row, sqlite3_stmt **found);
int gv_state_store(gv_state_sqlite *self, const char *user, const char *key, gv_slice value, int64_t expires, int64_t span);
int gv_state_remove(gv_state_sqlite *self, const char *user, const char *key, gavat_time now, int64_t *gone);
/* Of the first six columns, GV_STATE_COLUMNS. SQLITE_NOMEM where a text is there and cannot be given. */
#define GV_STATE_COLUMNS "id, value, expires, span, head, length"
int gv_state_read_row(sqlite3_stmt *statement, gavat_time now, gv_state_row *row);
/* pages.c: keys of one user, or of all */
int gv_state_all(gv_state_sqlite *self, gavat_op *op);
int gv_state_scan(gv_state_sqlite *self, gavat_op *op);
int gv_state_clear(gv_state_sqlite *self, gavat_op *op);
/* lists.c */
int gv_state_push(gv_state_sqlite *self, gavat_op *op);
int gv_state_range(gv_state_sqlite *self, gavat_op *op);
int gv_state_put_list(gv_state_sqlite *self, const gv_state_entry *entry, int64_t span);  /* in place of whatever is there; inside a unit */
/* import.c */
int gv_state_import(gv_state_sqlite *self, gavat_op *op);
/* Items start to stop, as they stand, until each returns false. */
int gv_state_walk_items(gv_state_sqlite *self, const gv_state_row *row, int64_t start, int64_t stop,
                        bool (*each)(void *user, const char *value, size_t length), void *user);
/* gets.c: ops of gavat_get_state that were taken: stages the outcomes of as many of the first as one statement looks up, and gives their
 * number; 0: they are too few to be worth it. */
#define GV_STATE_TOGETHER 64
size_t gv_state_get_many(gv_state_sqlite *self, gavat_op *const *ops, size_t count, int *code);
/* step.c */
int gv_state_run_step(gv_state_sqlite *self, gavat_op *op);
/* check.c: also while the file is not open */
void gv_state_check(gv_state_sqlite *self, gavat_op *op);
/* schema.c */
int gv_state_upgrade(gv_state_sqlite *self, gavat_op *op, bool dry_run);
void gv_state_describe_schema(gv_state_sqlite *self, gavat_op *op);
#endif
