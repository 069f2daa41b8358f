/* backup.h: copies of what a run is about to replace, in files of a new directory: profiles.jsonl, state.jsonl, sessions.jsonl, one JSON object a
 * line, and MANIFEST.json with the SHA-256 of each. Written, and synced, before the run changes anything. On the migration's thread. */
#ifndef GV_MIGRATE_BACKUP_H
#define GV_MIGRATE_BACKUP_H
#include "things.h"

enum { GV_BACKUP_PROFILES, GV_BACKUP_STATE, GV_BACKUP_SESSIONS, GV_BACKUP_FILES };
typedef struct gv_backup {
    const char *directory;      /* NULL: no backup is wanted */
    gv_text files[GV_BACKUP_FILES];
    uint64_t counts[GV_BACKUP_FILES];
} gv_backup;

int gv_backup_start(gv_backup *backup, const char *directory);  /* makes it; 0 or -errno: -EEXIST */
bool gv_backup_add(gv_backup *backup, const gv_thing *thing);   /* false: no memory */
int gv_backup_end(gv_backup *backup, const char *run);          /* writes the files; 0 or -errno. Frees */
#endif
