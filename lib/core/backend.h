/* backend.h: what an area and a backend are to the core. Adding a backend is one folder and one row in backends.c; adding an area is one
 * name here and its rows there. Nothing else in the core knows any of them.
 *
 * An op reaches a backend through submit, from any thread, and leaves it through gv_op_finish, exactly once, from any thread. Between
 * the two the backend holds a reference. A backend that starts to work on an op says gv_op_take first; false means that its
 * caller has withdrawn it (deadline, cancel, close), and it is handed back by gv_op_finish as it is. */
#ifndef GV_CORE_BACKEND_H
#define GV_CORE_BACKEND_H
#include "../base/arena.h"
#include "../base/list.h"
#include "../../include/gavatcore/admin.h"
#include "config.h"

typedef enum gv_area {
    GV_EVENTS,
    GV_TEXT_LOG,                /* the mirror: a store of its own behind the events area's calls */
    GV_SPOOL,                   /* where the events area's writes wait for a store that is away */
    GV_PROFILES,
    GV_STATE,
    GV_AREA_COUNT,
    GV_CORE = GV_AREA_COUNT     /* kinds that the client itself serves */
} gv_area;

typedef struct gv_area_row {
    const char *name;           /* "events": in errors, logs, the doctor */
    gv_setting_id setting;      /* its URL; an empty one, or GV_STORE_OFF, means that the area is off */
    const struct gv_kind *import, *commit;      /* of gavat_import_batch, gavat_commit_batch; NULL: it has none */
    const struct gv_kind *check, *schema, *upgrade;     /* its part of check_stores, get_schema, upgrade_schema; NULL: none */
} gv_area_row;
extern const gv_area_row gv_areas[GV_AREA_COUNT];

/* What an op does. One static const for each public call; `place` counts within the area. */
enum {
    GV_WRITE = 1,               /* once taken, a deadline or cancel leaves it MAYBE_APPLIED */
    GV_LONG = 2,                /* no deadline unless set; a cancel is heard by whoever works on it, which then finishes it */
    GV_URGENT = 4,              /* accepts a reserved op */
    GV_FENCE = 8,               /* a flush: waits for the others, nobody waits for it */
    GV_DECIDES = 16,            /* gives a gavat_decision: GAVAT_WITHOUT_STATE speaks where the store cannot be asked */
    GV_POLL = 32                /* waits for news until its timeout, then ends well: no flush waits for it, and its deadline stays behind */
};
#define GV_POLL_GRACE UINT64_C(1000000000)      /* so many nanoseconds */
#define GV_PLACES 32
typedef struct gv_kind {
    const char *name;           /* "log_event": as the public call, without gavat_ */
    gv_area area;
    unsigned place, flags;
    void (*run)(gavat *g, gavat_op *op);        /* GV_CORE: serves it, loop's thread */
} gv_kind;

typedef struct gv_upgrade_request {     /* of `upgrade` */
    int32_t dry_run;            /* 1: say what would be done */
} gv_upgrade_request;

typedef struct gv_store gv_store;
typedef struct gv_backend {
    const char *name;           /* "sqlite": gavat_error.backend */
    gv_area area;
    const char *const *schemes; /* of its URLs, NULL at the end; NULL: the setting is no URL */
    size_t size;                /* of its own part, which the core allocates, zeroed, and frees after close */
    bool spooled;               /* its writes may wait in the spool */
    bool any_thread;            /* submit may be called from any thread; else on the loop's */
    /* No I/O, in gavat_new: read the settings. Not OK: said through gv_config_fail(cfg, …); nothing to undo.
     * It may take itself away (store->backend = NULL): the area is off. */
    gavat_status (*prepare)(void *self, gv_store *store, gavat_config *cfg);
    void (*open)(void *self, gavat_op *op);     /* loop's thread, first call; ends op when the store is there or is not */
    void (*submit)(void *self, gavat_op *op);   /* after open's op has ended, be it by its deadline; also after close: then it ends ECLOSED */
    void (*close)(void *self);                  /* loop's thread; ends by gv_store_closed; also called when open never was */
} gv_backend;
extern const gv_backend *const gv_backends[];   /* NULL at the end */

typedef enum gv_store_state { GV_STORE_NEW, GV_STORE_OPENING, GV_STORE_OPEN, GV_STORE_CLOSING, GV_STORE_CLOSED } gv_store_state;
struct gv_store {               /* one area's place in a client */
    gavat *client;
    const gv_backend *backend;  /* NULL: the area is off */
    void *self;
    const char *url;            /* as set: holds passwords */
    const char *shown;          /* redacted */
    gv_store *front;            /* ops of this area go through that store first (the text log mirror); NULL: none */
    gv_arena arena;             /* prepare may use it; lives as long as self */
    gv_kind opening;            /* what the children of gavat_open are */
    gv_store_state state;       /* loop's thread */
    const gavat_op *opener;     /* whose end opens it; loop's thread */
    gv_list waiting;            /* ops that came before it was open; loop's thread */
    bool direct;                /* client's lock: submit may be called from any thread, nothing older waits */
    bool closed;                /* client's lock: gv_store_closed was said */
    gavat_health health;        /* client's lock, as the two below */
    bool health_due;
    char reason[256];
    gavat_time since;
};

/* Any thread. reason: a sentence, "" for UP. Told to gavat_set_health's fn when it changes. */
void gv_store_set_health(gv_store *store, gavat_health health, const char *reason);
/* Any thread: nothing of the backend runs any more (its threads may be in their last instructions). */
void gv_store_closed(gv_store *store);
#endif
