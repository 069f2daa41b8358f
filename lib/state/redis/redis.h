/* redis.h: the state area on Redis, inside. All of it runs on the loop's thread and never blocks: sockets are nonblocking, on uv_poll, host
 * names are looked up by uv_getaddrinfo, hiredis only reads replies.
 *
 * Work is done by calls, one command each. A call waits at its node, is written together with all that came in the same turn of the loop, and
 * is answered in the order in which it was written. So what one thread submits for one user applies in that order. Nearly every command is a
 * script (scripts.c) over the keys of one user; it uses the server's clock and keeps the user's index.
 *
 *     gavatcore:user:USER:KEY, gavatcore:global:KEY       the values
 *     gavatcore:index:user:USER, gavatcore:index:global   hash: KEY -> "0" (never ends) or "EXPIRES SPAN"; ends with its last key
 *     gavatcore:index:version                             the marker: what is there has been adopted */
#ifndef GV_STATE_REDIS_H
#define GV_STATE_REDIS_H
#include "../../base/clock.h"
#include "../../core/client.h"
#include "../walk.h"
#include <hiredis/read.h>
#include <hiredis/hiredis.h>

#define GV_REDIS_SCRIPTS 32
#define GV_REDIS_ADDRESSES 8
#define GV_REDIS_VERSION "1"    /* of the index */
#define GV_REDIS_MARKER "gavatcore:index:version"

typedef struct gv_redis gv_redis;
typedef struct gv_redis_call gv_redis_call;
typedef struct gv_redis_node gv_redis_node;

typedef struct gv_redis_failure {
    gavat_status status;
    uint32_t flags;             /* RETRY */
    bool lost;                  /* the connection went: what was under way may have been done */
    bool final;                 /* of connecting: trying again will not mend it */
    char code[20];              /* the server's own: "NOAUTH"; "": none */
    char text[400];             /* one line */
} gv_redis_failure;

typedef struct gv_redis_words { /* a command as it is written down */
    gv_redis *self;
    gv_text *text;
    size_t count;
} gv_redis_words;

/* What a call is. */
typedef struct gv_redis_kind {
    void (*write)(gv_redis_call *call, gv_redis_words *words);
    void (*reply)(gv_redis_call *call, const redisReply *reply);        /* takes the call over; no reply of errors.c's kind */
    void (*fail)(gv_redis_call *call, const gv_redis_failure *failure); /* takes the call over */
} gv_redis_kind;

struct gv_redis_call {
    gv_link link;               /* at its node: waiting, or sent */
    const gv_redis_kind *kind;
    gv_redis *self;
    gv_redis_node *node;
    gavat_op *op;               /* a reference of the store; NULL: the library's own */
    void *more;                 /* the kind's; freed with it */
    uint64_t sent_at;           /* steady; 0: not yet */
    unsigned tries;
    bool taken;                 /* the op may have been begun */
    bool whole;                 /* the script goes with its text */
    gv_link slow;               /* in self->slow: it takes two trips, and nothing of its user may come between them */
};

typedef struct gv_redis_socket gv_redis_socket;         /* connect.c: the poll handle, which outlives its socket */
typedef struct gv_redis_lookup gv_redis_lookup;

typedef enum gv_redis_phase { GV_REDIS_DOWN, GV_REDIS_RESOLVING, GV_REDIS_CONNECTING, GV_REDIS_GREETING, GV_REDIS_READY } gv_redis_phase;
struct gv_redis_node {          /* a server, and the connection to it */
    gv_redis *self;
    char host[256];
    uint16_t port;
    gv_redis_phase state;
    gv_redis_socket *socket;
    gv_redis_lookup *lookup;
    struct sockaddr_storage addresses[GV_REDIS_ADDRESSES];
    unsigned address, address_count;
    redisReader *reader;
    gv_text out;                /* not yet written, from out_at on */
    size_t out_at;
    gv_list waiting, again, sent;       /* calls, oldest first; again: to be sent once more, before those that wait */
    size_t sent_count, greetings;       /* greetings: those of sent that belong to the greeting */
    bool unread;                /* the reader holds replies that wait for the next turn */
    bool leaving;               /* nothing more is sent: it is given up when all that was sent is answered */
    bool doomed;                /* nothing more can be sent or read */
    gv_redis_failure why;       /* when leaving or doomed */
    uint64_t started, heard_at, retry_at, asked_at;
    uint32_t backoff_ms;
    int64_t version;            /* 70015; 0: not known */
    char run_id[44];
};

typedef struct gv_redis_script {
    const char *source;         /* static: what it is known by */
    char sha[41];               /* "": not known yet */
    bool asked;
} gv_redis_script;

struct gv_redis {
    gv_store *store;
    const char *user, *password;        /* NULL: none */
    int database;
    bool tagged;                /* {user} in the keys */
    gv_redis_node node;
    gv_redis_script scripts[GV_REDIS_SCRIPTS];
    size_t script_count;
    gv_text scratch;            /* of the command at hand */
    uv_prepare_t turn;          /* active while there is something to hand out */
    uv_timer_t timer;           /* active while something is under way, or to be tried again */
    unsigned handles;           /* open, and look-ups under way */
    bool started, closing, due;
    gavat_op *opening;          /* until the first connection is there */
    gv_list slow, parked;       /* calls by slow; calls that wait for one of those, oldest first */
    gv_list held;               /* ops that wait for the adoption */
    gavat_op *upgrading;        /* waits for the adoption, and is its outcome */
    bool adopting, adopted, dry_run;
    uint64_t adoption_found;
    uint64_t down_since;        /* steady; 0: a connection was there last time */
    bool broken;                /* down for too long: ops fail at once */
    gv_redis_failure why;       /* of the last attempt to connect */
    unsigned retries;           /* that may still be made */
    uint64_t marker_at;         /* steady: when it was looked for */
    bool marked;                /* the marker was there */
};

/* backend.c */
void gv_redis_hand_out(gv_redis *self);         /* at the end of this turn of the loop */
void gv_redis_handle_closed(gv_redis *self);
void gv_redis_fail_waiting(gv_redis *self, const gv_redis_failure *failure);
gv_redis_call *gv_redis_call_new(gv_redis *self, const gv_redis_kind *kind, gavat_op *op, size_t more);  /* NULL: op has ended ENOMEM */
void gv_redis_call_free(gv_redis_call *call);   /* its op is somebody else's by now */
void gv_redis_submit(gv_redis_call *call);      /* behind all others */
void gv_redis_resubmit(gv_redis_call *call);    /* once more; what was sent before was not done, or does no harm twice */
void gv_redis_fail_call(gv_redis_call *call, const gv_redis_failure *failure);  /* of an op: again where that is safe, else it fails */
void gv_redis_finish(gv_redis_call *call);      /* the op has its outcome */
void gv_redis_opened(gv_redis *self, const gv_redis_failure *failure);   /* NULL: it is there */
void gv_redis_start(gv_redis *self, gavat_op *op);      /* ops.c: the call of an op that nothing holds back */
uint64_t gv_redis_clock(gv_redis *self);        /* for the scripts: 0: the server's */

/* connect.c */
void gv_redis_want(gv_redis_node *node);        /* connect, unless it is there, under way, or too early */
void gv_redis_lose(gv_redis_node *node, const gv_redis_failure *failure);        /* close it; what was under way ends */
void gv_redis_close_node(gv_redis_node *node);  /* for good */
void gv_redis_give_up(gv_redis_node *node);     /* the attempt to connect took too long */
bool gv_redis_connecting_late(const gv_redis_node *node, uint64_t now);
void gv_redis_greeted(gv_redis_node *node);
void gv_redis_watch(gv_redis_node *node, bool writable);

/* connection.c */
void gv_redis_write(gv_redis_node *node);       /* what waits, within the budget of a turn */
void gv_redis_flush(gv_redis_node *node);
void gv_redis_send(gv_redis_node *node, gv_redis_call *call);   /* into the buffer */
void gv_redis_receive(gv_redis_node *node);
void gv_redis_take_replies(gv_redis_node *node);
int gv_redis_descriptor(const gv_redis_node *node);     /* connect.c */

/* greeting.c */
void gv_redis_greet(gv_redis_node *node);
void gv_redis_look_for_marker(gv_redis *self);

/* words.c */
void gv_redis_add(gv_redis_words *words, const char *data, size_t length);
void gv_redis_adds(gv_redis_words *words, const char *text);
void gv_redis_add_number(gv_redis_words *words, int64_t number);
void gv_redis_add_key(gv_redis_words *words, const char *user, const char *key);
void gv_redis_add_index(gv_redis_words *words, const char *user);
void gv_redis_add_prefix(gv_redis_words *words, const char *user);      /* all before KEY */
/* A key of this form taken apart; texts in memory, as long as the key with its NUL. False: it is none. */
bool gv_redis_split(const gv_redis *self, gv_slice key, char *memory, const char **user, const char **part);
/* The first words of a script over these keys of a user, which its arguments follow. */
void gv_redis_add_script(gv_redis_words *words, const gv_redis_call *call, const char *source, const char *user, const char *const *keys,
                         size_t count);

/* scripts.c */
extern const char gv_redis_put[], gv_redis_get[], gv_redis_remove[], gv_redis_all[], gv_redis_clear[], gv_redis_push[], gv_redis_range[],
    gv_redis_look[], gv_redis_swap[], gv_redis_adopt[], gv_redis_any[];
gv_redis_script *gv_redis_find_script(gv_redis *self, const char *source);      /* made where it is new; NULL: no place */
void gv_redis_add_source(gv_redis_words *words, const char *source);            /* the whole text */

/* errors.c */
void gv_redis_describe(gv_redis_failure *failure, const redisReply *reply);
void gv_redis_fail(gavat_op *op, const gv_redis_failure *failure, uint32_t flags);
bool gv_redis_is_error(const redisReply *reply, const char *code);

/* ops.c: a key as the record of an op; value: a text, or the items of a list; left: microseconds. False: the op has failed. */
bool gv_redis_give(gavat_op *op, const char *user, const char *key, const redisReply *value, int64_t left);

/* step.c */
extern const gv_redis_kind gv_redis_step;
bool gv_redis_is_slow(const gv_redis_call *call);       /* it will take two trips */
bool gv_redis_must_wait(const gv_redis_call *call);     /* for one of the same user that takes two */
/* scan.c: through all keys, in slices, other calls between them. A slice ends when each of its keys has been asked for. */
typedef struct gv_redis_scan gv_redis_scan;
struct gv_redis_scan {
    gv_redis *self;
    gavat_op *op;               /* NULL: the library's own */
    char cursor[24];            /* where the next slice begins */
    gv_text match;
    uint32_t slice;             /* keys that are looked at in one, about */
    size_t outstanding;
    bool failed;
    gv_redis_failure failure;
    /* The script and the reply of one of its keys; the rest of the arguments are added by ask, if any. */
    const char *source;
    void (*ask)(gv_redis_scan *scan, const char *user, const char *part, gv_redis_words *words);
    void (*take)(gv_redis_scan *scan, const char *user, const char *part, const redisReply *reply);
    bool (*more)(gv_redis_scan *scan);  /* a slice has ended: another one is wanted; NULL: always */
    void (*ended)(gv_redis_scan *scan); /* all is seen, no more is wanted, or failed; frees it */
};
void gv_redis_scan_next(gv_redis_scan *scan);   /* the next slice, or the end */
void gv_redis_scan_key(gv_redis_scan *scan, gv_slice key);      /* ask for this one */
void gv_redis_scan_finish(gv_redis_scan *scan); /* the op has its outcome but for a failure; frees the scan */
/* pages.c */
void gv_redis_start_page(gv_redis *self, gavat_op *op);         /* gavat_scan_state */
void gv_redis_start_walk(gv_redis *self, gavat_op *op);
/* adopt.c: keys of other writers come into the index. */
void gv_redis_adopt_all(gv_redis *self);
void gv_redis_start_upgrade(gv_redis *self, gavat_op *op);
/* check.c */
void gv_redis_start_check(gv_redis *self, gavat_op *op);
void gv_redis_start_schema(gv_redis *self, gavat_op *op);
#endif
