/* batch.h: gavat_batch inside: records of one area, checked and copied, waiting to be submitted. Filled by one thread; sealed by the
 * first submit and read only from then on, except for its count of references. */
#ifndef GV_CORE_BATCH_H
#define GV_CORE_BATCH_H
#include "op.h"

/* A kind of record that batches take; the area's. add_json reads one checked JSON object. False: batch error is set. */
typedef struct gv_batch_kind {
    const char *name;           /* "event" */
    gv_area area;
    bool (*add_json)(gavat_batch *batch, gv_slice object);
} gv_batch_kind;
extern const gv_batch_kind *const gv_batch_kinds[];     /* backends.c; NULL at the end */

typedef struct gv_batch_entry {
    uint64_t index;
    void *record;               /* the area's, in arena */
} gv_batch_entry;

struct gavat_batch {
    gavat *client;              /* a reference */
    atomic_uint refs;
    bool sealed;
    gv_area area;               /* of the first record */
    gv_arena arena;
    gv_batch_entry *entries;
    size_t count, room;
    uint64_t next_index;
    char error[256];
};

gavat_status gv_batch_fail(gavat_batch *batch, gavat_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* May a record of this area come? Then *error is cleared. */
gavat_status gv_batch_ready(gavat_batch *batch, gv_area area);
gavat_status gv_batch_append(gavat_batch *batch, void *record);         /* record is in the arena */
#endif
