/* things.h: what a run puts in the place of something else: profiles, keys of the state, and what sessions are merged into. Before anything is
 * written, all of it is looked up and kept in the journal, and copied into the backup's files; then each is written, if it differs. On the
 * migration's thread, one after the other. */
#ifndef GV_MIGRATE_THINGS_H
#define GV_MIGRATE_THINGS_H
#include "sender.h"

typedef struct gv_thing {
    const char *kind;           /* "profile", "state", "cooldown", "session" */
    char *user, *name;          /* of the state; of others user is who, and name NULL */
    gv_text after;              /* what the place is to say: a profile without what the library keeps, a value, a cooldown's end */
    int64_t expire_ms;
    gv_text before;             /* what it says: JSON that puts it back */
    bool there, same;
} gv_thing;

/* What a found record is about; false: no memory. */
bool gv_thing_read(gv_thing *thing, const gv_found *found);
void gv_thing_free(gv_thing *thing);
/* Its name in the journal; valid until the next one. NULL: no memory. */
const char *gv_thing_key(const gv_thing *thing, gv_text *out);
/* What stands in its place: before, there, same. False: stopped. */
bool gv_thing_look(gv_sender *sender, gv_thing *thing);
bool gv_thing_write(gv_sender *sender, const gv_thing *thing, const gv_found *found);
#endif
