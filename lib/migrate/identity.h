/* identity.h: what a run knows a record of the events area by, packed into bytes for its journal. Pure; any thread. */
#ifndef GV_MIGRATE_IDENTITY_H
#define GV_MIGRATE_IDENTITY_H
#include "../events/records.h"

typedef struct gv_identity {
    const gv_record_kind *kind;
    const char *owner;          /* ended by NUL; of one that was taken: in the bytes it was taken from */
    gavat_time time;
    char uid[37];               /* "": a session */
} gv_identity;

void gv_identity_put(gv_text *out, const gv_identity *identity);
bool gv_identity_take(gv_slice *in, gv_identity *identity);     /* the next one; false: that was the last */
uint64_t gv_identity_key(const char *uid);      /* its last 64 bits; 0: no uid */

typedef struct gv_keys {        /* all zero: empty */
    uint64_t *list;
    size_t count, room;
} gv_keys;
bool gv_keys_add(gv_keys *keys, uint64_t key);                  /* false: no memory */
bool gv_keys_add_all(gv_keys *keys, gv_slice identities);
void gv_keys_sort(gv_keys *keys);
bool gv_keys_have(const gv_keys *keys, uint64_t key);           /* once sorted */
void gv_keys_free(gv_keys *keys);
#endif
