/* postgresql.h: the events area on PostgreSQL, inside. All of it runs on the loop's thread and never blocks: connections are nonblocking, on
 * uv_poll, in libpq's pipeline mode, and host names are looked up by uv_getaddrinfo.
 *
 * Work is done by jobs. A job sends rounds: statements up to a sync, which PostgreSQL takes as one transaction, done or not done together.
 *
 * Connections 0 … lanes - 1 write, the others read (with one connection it does both). A lane has one job at a time, with as many ops as
 * have gathered meanwhile; the writes of a user always take the same lane, so that they apply in order. What concerns many users (a unit of
 * work, an import, a sale named by its id, expiring sessions) waits for all lanes and has them to itself. A read remembers the last write
 * before it that may concern it, and is parked until that one is done with. Long work reads and writes in slices beside all that, as a read. */
#ifndef GV_EVENTS_POSTGRESQL_H
#define GV_EVENTS_POSTGRESQL_H
#include "../../core/client.h"
#include "../../base/decimal.h"
#include "../spool/delivery.h"
#include <libpq-fe.h>

#define GV_PG_CONNECTIONS 16
#define GV_PG_LANES 2           /* no gain past two, measured */
#define GV_PG_STATEMENTS 48     /* kept prepared for each connection; the one unused longest makes room */
#define GV_PG_BATCH 1000        /* rows in one commit */
#define GV_PG_PARAMS 24
#define GV_PG_EPOCH INT64_C(946684800000000)    /* microseconds from 1970 to 2000, where PostgreSQL counts from */

typedef struct gv_pg gv_pg;
typedef struct gv_pg_job gv_pg_job;
typedef struct gv_pg_connection gv_pg_connection;

typedef struct gv_pg_failure {
    bool lost;                  /* the connection went: what was under way may have been done */
    bool silent;                /* of connecting: no answer at all */
    char state[6];              /* SQLSTATE; "": none */
    int tag;                    /* of the command that failed */
    bool no_partition;          /* the table has none for the record's time */
    char text[400];             /* the server's words, one line */
} gv_pg_failure;

typedef struct gv_pg_statement {        /* prepared in one connection */
    char *sql;
    char name[48];
    enum { GV_PG_NOT_THERE, GV_PG_SENT, GV_PG_THERE } state;
    uint64_t used;
} gv_pg_statement;

typedef struct gv_pg_command {
    gv_pg_statement *prepares;  /* NULL: it runs something */
    int tag;
} gv_pg_command;

#define GV_PG_COMMANDS 12       /* of a round without memory of its own */
typedef struct gv_pg_round {    /* of a job, one at a time */
    gv_link link;               /* in its connection, oldest first */
    gv_pg_command own[GV_PG_COMMANDS], *commands;
    size_t count, room, at;
    bool begun, failed;
    unsigned parts;             /* syncs in its midst that are still to come */
    gv_pg_failure failure;
} gv_pg_round;

struct gv_pg_job {
    gv_link link;               /* where it waits */
    gv_pg_round round;
    gv_pg *self;
    gv_pg_connection *on;       /* whose rounds it sends; NULL: it waits for its connection */
    void (*begin)(gv_pg_job *job);      /* on is set: send a round */
    void (*result)(gv_pg_job *job, int tag, const PGresult *result);    /* of a command that went well, as sent; NULL: nobody asks */
    void (*ended)(gv_pg_job *job, const gv_pg_failure *failure);        /* of a round; NULL: it is committed */
    bool (*wanted)(const gv_pg_job *job);       /* somebody still waits for it */
    void (*drop)(gv_pg_job *job, const gv_pg_failure *failure);         /* it is not under way: finish its ops and free it */
    gavat_op *(*op_at)(gv_pg_job *job, size_t i, bool **given);         /* its ops that the spool may take, NULL behind the last; NULL: none */
    uint64_t due;               /* steady: nobody waits for it after that; 0: no limit */
    uint64_t sequence;          /* of its first write */
    unsigned tries;
    uint64_t not_before;        /* steady; while it waits in later */
    bool heavy;                 /* a read that may take long */
    bool mending, mended;       /* partitions.c */
    bool sent;                  /* a round of it was, some time */
};

typedef struct gv_pg_watch gv_pg_watch;         /* connect.c: the poll handle, which outlives its socket */
typedef struct gv_pg_lookup gv_pg_lookup;       /* connect.c: addresses of the hosts */

typedef enum gv_pg_state { GV_PG_DOWN, GV_PG_RESOLVING, GV_PG_CONNECTING, GV_PG_READY } gv_pg_state;
struct gv_pg_connection {
    gv_pg *self;
    unsigned number;
    gv_pg_state state;
    PGconn *pg;
    gv_pg_watch *watch;
    gv_pg_lookup *lookup;
    gv_list rounds;             /* sent, oldest first */
    unsigned round_count, heavy_count;
    bool doomed;                /* something could not be sent: it is to be closed */
    gv_pg_statement statements[GV_PG_STATEMENTS];
    uint64_t uses, names;
    uint64_t timeout_ms;        /* statement_timeout as set there; UINT64_MAX: not known */
    uint64_t started;           /* steady: when connecting began */
    uint64_t retry_at;          /* steady: not before that */
    uint32_t backoff_ms;
    unsigned addresses;         /* to be tried */
    gv_list lane;               /* ops that wait for it, oldest first */
    gv_pg_job *job;             /* of the lane, under way or waiting for the connection */
};

typedef struct gv_pg_option {
    const char *key, *value;
} gv_pg_option;

struct gv_pg {
    gv_store *store;
    gv_pg_option *options;      /* of the URL, those given; ended by a NULL key */
    unsigned connection_count, lanes;
    bool search_index;
    gv_pg_connection connections[GV_PG_CONNECTIONS];
    uv_prepare_t turn;          /* active while there is something to hand out */
    uv_timer_t timer;           /* active while something is under way, or to be tried again */
    unsigned handles;           /* open, and look-ups under way */
    bool started, closing, closed, due;
    gv_pg_job *opening;         /* before it has ended nothing else comes */
    gv_list writes;             /* ops, oldest first, not yet in a lane */
    gv_pg_job *barrier;         /* has all lanes to itself */
    gv_list parked;             /* reads: ops that wait for a write */
    gv_list reads;              /* jobs that wait for a connection */
    gv_list later;              /* … once their time has come */
    uint64_t last;              /* write by sequence */
    uint64_t buckets[GV_EVENTS_BUCKETS];
    uint64_t down_since;        /* steady; 0: a connection was there last time */
    unsigned silent;            /* attempts to connect that got no answer at all */
    bool broken;                /* down for too long: ops fail at once */
    bool stalled;               /* connected, and does not answer: spooling.c */
    gv_pg_failure why;          /* of the last attempt to connect */
    bool unfit;                 /* tables of a newer library, or somebody else's: nothing is done with them */
    bool unnamed;               /* behind a pooler: no named statements, nothing is left in a session */
    bool folding, fold_due;     /* folder.c */
    uint64_t fold_at;
    unsigned months;            /* partitions made ahead; 0: new tables have none */
    bool months_busy;           /* partitions.c */
    uint64_t months_at;
    gv_list tails;              /* tail.c: those that wait for news */
    bool polling, poll_due;     /* the one question of all of them is under way; is not to wait */
    uint64_t poll_at;
};

/* backend.c */
void gv_pg_hand_out(gv_pg *self);               /* at the end of this turn of the loop */
void gv_pg_handle_closed(gv_pg *self);
void gv_pg_fail_all(gv_pg *self, const gv_pg_failure *failure);         /* all that waits, and is not under way */

/* queue.c */
void gv_pg_enqueue(gv_pg *self, gavat_op *op);
void gv_pg_run(gv_pg *self);                    /* begin what can be begun */
void gv_pg_free_lane(gv_pg_job *job);           /* the lane's job has ended, and is about to be freed */
void gv_pg_queue_read(gv_pg *self, gv_pg_job *job);
void gv_pg_queue_later(gv_pg *self, gv_pg_job *job, uint64_t pause);    /* nanoseconds */
void gv_pg_wake_later(gv_pg *self, uint64_t now);

/* connect.c */
void gv_pg_want(gv_pg_connection *connection);  /* connect, unless it is there, under way, or too early */
void gv_pg_lose(gv_pg_connection *connection, const gv_pg_failure *failure);    /* close it; its rounds end */
void gv_pg_close_connection(gv_pg_connection *connection);     /* for good */
bool gv_pg_connecting_late(const gv_pg_connection *connection, uint64_t now);
void gv_pg_give_up(gv_pg_connection *connection);               /* the attempt to connect */
void gv_pg_watch_socket(gv_pg_connection *connection, int events);

/* connection.c: sending. A failure to send shows as a loss of the connection, later. */
typedef struct gv_pg_params gv_pg_params;
void gv_pg_send(gv_pg_job *job, const char *sql, const gv_pg_params *params, int tag);          /* prepared once */
void gv_pg_send_once(gv_pg_job *job, const char *sql, const gv_pg_params *params, int tag);     /* planned for these values */
void gv_pg_send_alone(gv_pg_job *job, const char *sql, unsigned lock_seconds); /* … of its round, not in a transaction; 0: it may wait */
void gv_pg_sync(gv_pg_job *job);                /* ends the round */
void gv_pg_receive(gv_pg_connection *connection, bool readable);
void gv_pg_forget_statements(gv_pg_connection *connection);
void gv_pg_end_rounds(gv_pg_connection *connection, const gv_pg_failure *failure);

/* spooling.c */
bool gv_pg_is_away(const gv_pg *self);
bool gv_pg_must_queue(const gavat_op *op);      /* behind what is in the spool */
void gv_pg_spool_waiting(gv_pg *self);          /* all writes */
void gv_pg_spool_late(gv_pg *self, uint64_t now);
/* A write that the server could not be asked, or did not answer: true: it is the spool's now. */
bool gv_pg_spool_instead(gavat_op *op, const gv_pg_failure *failure, bool doubtful);
bool gv_pg_record_refused(gavat_op *op);        /* it has failed EREJECTED: true: it ends when the spool has noted that */
void gv_pg_say_health(gv_pg *self, const char *ails);   /* "": nothing does */
void gv_pg_note_answer(gv_pg *self);            /* a round went well */
/* Opening answers without the server where the spool stands in for it, and goes on by itself. True: so, or it is too early to tell. */
bool gv_pg_cover_opening(gv_pg *self, const gv_pg_failure *failure);

/* errors.c */
gavat_status gv_pg_status(const gv_pg_failure *failure);
bool gv_pg_is_refusal(const gv_pg_failure *failure);    /* of a record, for good */
bool gv_pg_is_passing(const gv_pg_failure *failure);    /* a conflict with others: not done, the same again may do */
bool gv_pg_is_stale(const gv_pg_failure *failure);      /* a prepared statement that is no longer valid there */
bool gv_pg_is_final(const gv_pg_failure *failure);      /* of connecting: trying again will not mend it */
/* What came of a round whose statements may simply be sent again: true when they should be; at once, unless job->on is NULL now. */
bool gv_pg_again(gv_pg_job *job, const gv_pg_failure *failure, bool harmless);
void gv_pg_describe(gv_pg_failure *failure, const PGresult *result, PGconn *pg);
void gv_pg_fail(gavat_op *op, const gv_pg_failure *failure, uint32_t flags, const char *doing);
char *gv_pg_reason(const gv_pg_failure *failure, char *out, size_t room);       /* of a refusal: for people */

/* params.c: parameters in binary form. Values are borrowed until they are sent. */
struct gv_pg_params {
    int count;
    bool failed;                /* no memory */
    Oid types[GV_PG_PARAMS];
    const char *values[GV_PG_PARAMS];
    size_t offsets[GV_PG_PARAMS];       /* in arrays; SIZE_MAX: values holds it */
    int lengths[GV_PG_PARAMS], formats[GV_PG_PARAMS];
    unsigned char slots[GV_PG_PARAMS][16];
    gv_text arrays;
};
void gv_pg_params_free(gv_pg_params *params);
/* As libpq wants them; they lie in params. */
void gv_pg_resolve(const gv_pg_params *params, const char *values[GV_PG_PARAMS], int lengths[GV_PG_PARAMS]);
void gv_pg_add_text(gv_pg_params *params, const char *text);            /* NULL: SQL NULL */
void gv_pg_add_slice(gv_pg_params *params, gv_slice text);
void gv_pg_add_time(gv_pg_params *params, gavat_time time);             /* 0: NULL */
void gv_pg_add_raw_time(gv_pg_params *params, bool given, int64_t time);        /* as the server counts */
void gv_pg_add_int8(gv_pg_params *params, bool given, int64_t number);
void gv_pg_add_uid(gv_pg_params *params, const char *uid);
void gv_pg_add_flag(gv_pg_params *params, int32_t flag);                /* 0: NULL */
typedef struct gv_pg_item {     /* a record on its way in */
    gavat_op *op;
    uint64_t index;             /* in op's batch */
    const gv_record_kind *kind;
    const void *record;
    bool given;                 /* op is the spool's now, a reference is ours */
} gv_pg_item;
/* The columns of one record, or of those of this kind as arrays. folded: with the folded text of events. */
void gv_pg_add_record(gv_pg_params *params, const gv_record_kind *kind, const void *record, bool folded);
void gv_pg_add_records(gv_pg_params *params, const gv_record_kind *kind, const gv_pg_item *items, size_t count, bool folded);
/* Arrays by hand: begin, then so many values. */
void gv_pg_begin_array(gv_pg_params *params, Oid type, size_t count);   /* 20: int8; 25: text */
void gv_pg_put_int8(gv_pg_params *params, int64_t number);
void gv_pg_put_text(gv_pg_params *params, gv_slice text);
/* INSERT of what add_record or add_records gave. */
void gv_pg_add_insert_sql(gv_text *out, const gv_record_kind *kind, bool many, bool folded);
/* Folded text begins with a mark of the table it was folded by. The condition is of rows without this library's mark. */
void gv_pg_fold_record(gv_text *out, const char *message, const char *type);
void gv_pg_add_stale_sql(gv_text *out);

/* rows.c: values of a result in binary form. */
bool gv_pg_is_null(const PGresult *result, int row, int column);
gv_slice gv_pg_text(const PGresult *result, int row, int column);       /* data NULL: SQL NULL */
const char *gv_pg_string(const PGresult *result, int row, int column);  /* the same, ended by NUL */
int64_t gv_pg_integer(const PGresult *result, int row, int column);     /* any integer, boolean or raw time; 0 for NULL */
double gv_pg_double(const PGresult *result, int row, int column);
gavat_time gv_pg_time(const PGresult *result, int row, int column, gavat_time none);
const char *gv_pg_money(const PGresult *result, int row, int column, char text[GV_DECIMAL_ROOM]);       /* as gv_money_text */
void gv_pg_uid(const PGresult *result, int row, int column, char out[37]);      /* "": NULL */
/* One in the arena, columns as gv_add_columns names them. NULL: no memory. */
void *gv_pg_record(gv_arena *arena, const gv_record_kind *kind, const PGresult *result, int row);

/* Jobs that serve ops. They take over the store's reference. False: there was no memory, and the op has ended. */
bool gv_pg_start_chunk(gv_pg_connection *connection);           /* chunk.c: what waits at the head of the lane */
bool gv_pg_start_unit(gv_pg_connection *connection, gavat_op *op);      /* unit.c: a session, a unit of work */
bool gv_pg_start_update(gv_pg_connection *connection, gavat_op *op);    /* update.c: of a sale; closing, expiring sessions */
bool gv_pg_start_import(gv_pg *self, gavat_op *op);             /* import.c: the barrier's */
bool gv_pg_start_page(gv_pg *self, gavat_op *op);               /* page.c: pages, one session, search */
bool gv_pg_start_stats(gv_pg *self, gavat_op *op);              /* stats.c */
bool gv_pg_start_prune(gv_pg *self, gavat_op *op);              /* prune.c */
bool gv_pg_uncouple_opening(gv_pg *self);      /* schema.c: its op has ended well, the rest of it goes on. False: no memory */
bool gv_pg_start_schema(gv_pg *self, gavat_op *op);             /* schema.c: opening, describing, upgrading */
bool gv_pg_start_check(gv_pg *self, gavat_op *op);              /* check.c */
void gv_pg_say_down(gavat_op *op, const gv_pg_failure *failure);        /* of a check, without a connection */
void gv_pg_start_folding(gv_pg *self);                          /* folder.c */
void gv_pg_start_months(gv_pg *self);                           /* partitions.c: those ahead */
/* In a job's `ended`, first of all: a round that failed for want of a month's partition is sent again when that is made. True: a round is on
 * its way. items: the records of the round. */
bool gv_pg_mend_months(gv_pg_job *job, const gv_pg_failure *failure, const gv_pg_item *items, size_t count);

/* tail.c */
bool gv_pg_start_tail(gv_pg *self, gavat_op *op);
void gv_pg_run_tails(gv_pg *self);              /* ask the store, when it is time to */
void gv_pg_sweep_tails(gv_pg *self);            /* a few times a second: those whose time is over */
void gv_pg_end_tails(gv_pg *self, const gv_pg_failure *failure);

/* Parts of an import, on the first lane; done: all of them are settled. failure: not of a record: the rest is not to be tried. */
typedef void gv_pg_part_done(gavat_op *import, const gv_pg_failure *failure);
bool gv_pg_import_chunk(gv_pg *self, const gv_pg_item *items, size_t count, gv_pg_part_done *done);
bool gv_pg_start_forward(gv_pg *self, gavat_op *op);            /* forward.c: the barrier's */
bool gv_pg_forward_unit(gv_pg *self, gavat_op *op, size_t entry, gv_pg_part_done *done);
bool gv_pg_forward_update(gv_pg *self, gavat_op *op, size_t entry, gv_pg_part_done *done);
/* What merges or changes something is done once: its ticket is a row, written with it. */
#define GV_PG_TICKET (-2)       /* the tag of that statement */
void gv_pg_send_ticket(gv_pg_job *job, const char *ticket);
bool gv_pg_was_applied(const gv_pg_failure *failure);
const char *gv_pg_ticket_of(gavat_op *op);
bool gv_pg_import_session(gv_pg *self, const gv_pg_item *item, gv_pg_part_done *done);
void gv_pg_reject(gavat_op *op, uint64_t index, const gv_pg_failure *failure);

void *gv_pg_job_new(gv_pg *self, size_t size, gavat_op *op);    /* NULL: op (may be NULL) has ended ENOMEM */
void gv_pg_finish(gavat_op *op);
uint64_t gv_pg_due(const gavat_op *op);
#endif
