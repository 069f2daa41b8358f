/* mongodb.h: profiles in a collection of MongoDB, inside: a document for each, named by its username.
 *
 * The driver blocks, so threads of our own call it: "gavat-mongo" (GAVAT_MONGODB_WORKERS of them) does what names its profiles, "gavat-scanner"
 * what looks through the collection, "gavat-watcher" waits for changes. Each takes a client of the one pool for itself. The queue before the
 * workers (queue.c) gives each of them a batch of ops on names that nobody else works on: gets of a batch are one find, writes one find of what
 * is counted and one bulk write. Ops on one profile never share a batch unless all are reads, so they keep their order.
 *
 * Every write is guarded: it names the revision and the times that were read, so that whoever wrote meanwhile is seen, and then reads again. */
#ifndef GV_PROFILES_MONGODB_H
#define GV_PROFILES_MONGODB_H
#include "../../core/client.h"
#include "../../core/worker.h"
#include "../defaults.h"
#include "../document.h"
#include <mongoc/mongoc.h>

#define GV_MONGO_COLLECTION "profiles"
#define GV_MONGO_BATCH 100              /* ops of a batch, documents of a round trip */
#define GV_MONGO_LARGEST (16u << 20)    /* bytes of a document: the server's bound */
#define GV_MONGO_SLOTS 4096             /* of the queue's table of names */
#define GV_MONGO_WORKERS 16             /* most of them */
#define GV_MONGO_TRIES 100              /* of one write against others that write the same profile */

typedef struct gv_mongo_queue {         /* self->lock */
    gv_list waiting;                    /* taken from the workers' queue, oldest first */
    size_t count;
    uint32_t readers[GV_MONGO_SLOTS];   /* batches at work, by the hash of a name */
    uint32_t writers[GV_MONGO_SLOTS];
    uint64_t sequence;                  /* of the op that came last */
    uint64_t oldest[GV_MONGO_WORKERS];  /* write that a worker has at hand, by its sequence; 0: none */
} gv_mongo_queue;

typedef struct gv_mongo {
    gv_store *store;
    mongoc_uri_t *uri;                  /* with what it did not say filled in */
    const char *database;
    gv_profile_defaults defaults;       /* read by the first worker before the first op */
    unsigned workers;
    bool own_concern;                   /* the URI names no write concern: it is ours, majority and journal */
    gv_worker names, scanner, indexer;
    gavat_op *opening;
    atomic_bool unique;                 /* the index that keeps usernames apart is there: nothing is written without it */
    atomic_bool unwell;                 /* health was lowered */

    pthread_mutex_t lock;               /* all below */
    pthread_cond_t ready;               /* pool was made, or could not be */
    unsigned running;                   /* workers */
    unsigned entered;                   /* threads of names, which count themselves */
    bool making;                        /* somebody makes the pool */
    mongoc_client_pool_t *pool;
    gv_mongo_queue queue;
} gv_mongo;

/* --- connect.c --- */

gavat_status gv_mongo_prepare_uri(gv_mongo *self, gavat_config *cfg);

typedef struct gv_mongo_place {         /* what each thread needs of its own */
    gv_mongo *self;
    mongoc_client_t *client;            /* of the pool */
    mongoc_collection_t *profiles;
    bool majority;                      /* a write that is acknowledged lies on most of the replicas */
    gv_text text, merged, view;         /* a document as JSON; with the defaults or a patch; as callers get it */
} gv_mongo_place;

void gv_mongo_leave(gv_mongo_place *place);
/* A server that does the work at hand is there, or came within the time that the URI gives it. Makes the pool, and takes the thread's client
 * from it. */
bool gv_mongo_reach(gv_mongo_place *place, bool to_write, bson_error_t *error);

typedef struct gv_mongo_said {  /* what came of one document: of an op, or of one of the many of an op */
    gavat_status status;
    uint32_t flags;
    int64_t number;
    char native[16];
    char why[600];
} gv_mongo_said;
void gv_mongo_fail(gv_mongo_said *said, gavat_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The driver said no. sent: it was a write that may have got there. what: "writing". */
void gv_mongo_fail_driver(gv_mongo_place *place, gv_mongo_said *said, const bson_error_t *error, bool sent, const char *what);
void gv_mongo_said_to(const gv_mongo_said *said, gavat_op *op);         /* an error only */
void gv_mongo_note_well(gv_mongo *self);

/* --- bson_json.c: as JSON. False: no memory --- */

/* With its types: what JSON cannot hold as canonical extended JSON. _id is left out: it is MongoDB's own. */
bool gv_bson_to_text(gv_text *out, const bson_t *document);
/* As gv_document_view of that text; also what it says of itself. */
typedef struct gv_bson_told {
    int64_t revision;
    gavat_time created, updated;
} gv_bson_told;
bool gv_bson_view(gv_text *out, const bson_t *document, const char *username, gv_bson_told *told);

/* --- meta.c: what is counted in a document --- */

typedef struct gv_mongo_meta {
    bson_t *kept;               /* _id, created_at, updated_at, revision, revised_at, those that are there; NULL: no document */
    int64_t counted, revision;  /* as of a gv_document */
} gv_mongo_meta;
bool gv_mongo_meta_read(gv_mongo_meta *meta, const bson_t *document);   /* false: no memory */
void gv_mongo_meta_free(gv_mongo_meta *meta);
bool gv_mongo_revision_of(const bson_t *document, int64_t *counted, int64_t *revision);    /* false: it says none */
/* Adds conditions to a filter: that it still is as it was. */
bool gv_mongo_meta_guard(const gv_mongo_meta *meta, bson_t *filter);
const bson_t *gv_mongo_meta_fields(void);       /* the projection of it and username; constant */

/* --- json_bson.c: from JSON, checked. False: no memory, or why says what cannot be held --- */

bool gv_bson_append_json(bson_t *out, const char *key, size_t length, gv_slice value, char why[GV_JSON_WHY]);
/* What is to be stored for a put, as gv_document_make says; times are dates. stored->kept NULL: there is none. */
bool gv_bson_make(bson_t *out, gv_slice json, const char *username, const gv_mongo_meta *stored, gavat_time now, char why[GV_JSON_WHY]);
/* The update of a patch: $set and $unset, what is counted included. */
bool gv_bson_patch(bson_t *out, const gv_profile_request *request, int64_t revision, gavat_time now, char why[GV_JSON_WHY]);

bool gv_bson_append_time(bson_t *out, const char *key, gavat_time time);
bool gv_bson_append_revision(bson_t *out, int64_t revision);

/* --- patch.c --- */

/* The stored document with the changes. *sorts: the server's $set would put new members in another order, so it is this that must be written;
 * else out stays empty. */
bool gv_bson_patched(bson_t *out, const bson_t *stored, gv_json_changes changes, int64_t revision, gavat_time now, bool *sorts,
                     char why[GV_JSON_WHY]);

/* --- queue.c --- */

/* Ops that may go now, oldest first, into batch; their names are held. False: none may. Worker's thread. */
bool gv_mongo_take(gv_mongo *self, unsigned worker, gv_list *batch);
void gv_mongo_release(gv_mongo *self, unsigned worker, const gv_list *batch);    /* their names; wakes a worker when there is more */
bool gv_mongo_drained(gv_mongo *self);          /* nothing waits */
bool gv_mongo_is_many(const gavat_op *op);      /* it is on documents of many names */
void gv_mongo_drop_unwanted(gv_mongo *self);    /* finish those that wait and whose callers have gone */

/* --- apply.c: batches --- */

typedef struct gv_mongo_item {  /* one document of an op */
    gavat_op *op;
    const char *name;
    gv_slice json;              /* PUT */
    const gv_profile_request *request;  /* PATCH, PUT_IF; else NULL */
    enum { GV_ITEM_GET, GV_ITEM_PUT, GV_ITEM_PATCH, GV_ITEM_DELETE } deed;
    int64_t wanted;             /* revision; GV_ANY_REVISION */
    uint64_t index;             /* in the op's many */
    bool done;                  /* settled, however: status OK, or said */
    uint32_t place;             /* in the write at hand */
    int64_t made;               /* the revision that the write at hand makes */
    gavat_profile *profile;     /* GET: in the op's arena */
    gv_mongo_meta meta;
    bson_t *seen, *whole;       /* PATCH: what was read, and what it becomes, where it is to be written whole; else NULL */
    gavat_time now;             /* of the write at hand */
    gv_mongo_said said;
} gv_mongo_item;

#define GV_MONGO_HEADS 256
typedef struct gv_mongo_items { /* names differ, but for gets of one profile */
    gv_mongo_item list[GV_MONGO_BATCH];
    size_t count;
    uint16_t heads[GV_MONGO_HEADS], next[GV_MONGO_BATCH];       /* by hash of the name: place + 1; 0: none */
} gv_mongo_items;
/* The next one of this name; after NULL: the first. */
gv_mongo_item *gv_mongo_items_find(const gv_mongo_items *items, const gv_mongo_item *after, const char *name, size_t length);

void gv_mongo_work(gv_worker *worker);

/* --- read.c, write.c --- */
void gv_mongo_read(gv_mongo_place *place, gv_mongo_items *items);
/* What the writes of items are about: puts and deletes get their meta, patches the update. */
void gv_mongo_write(gv_mongo_place *place, gv_mongo_items *items);
/* A cursor over those of these names; fields NULL: all. NULL: no memory. */
typedef bool (*gv_mongo_pick)(const gv_mongo_item *item);
mongoc_cursor_t *gv_mongo_find_items(gv_mongo_place *place, const gv_mongo_items *items, gv_mongo_pick pick, const bson_t *fields);
/* The record of a document as callers get it, in the arena; NULL: no memory. */
gavat_profile *gv_mongo_record(gv_mongo_place *place, gv_arena *arena, const bson_t *document, const char *username);
/* As callers get it, in place->view. */
bool gv_mongo_view(gv_mongo_place *place, const bson_t *document, const char *username, gv_bson_told *told);
const char *gv_mongo_name_of(const bson_t *document, uint32_t *length); /* NULL: it has no username that can be one */

/* --- scan.c, schema.c --- */
void gv_mongo_scan(gv_worker *worker);
/* The unique index, without which nothing is written; made when it is missing. */
bool gv_mongo_ensure_unique(gv_mongo_place *place, gv_mongo_said *said);
void gv_mongo_describe(gv_mongo_place *place, gavat_op *op);
void gv_mongo_upgrade(gv_mongo_place *place, gavat_op *op);
void gv_mongo_check(gv_mongo_place *place, gavat_op *op);
void gv_mongo_index(gv_worker *worker);         /* a thread that makes the other ones and ends */
#endif
