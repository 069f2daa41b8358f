/* names.h: the usernames of a folder in their order, a bounded part of them at a time. A part is kept from one page to the next while the
 * folder has not changed since. One thread. */
#ifndef GV_PROFILES_NAMES_H
#define GV_PROFILES_NAMES_H
#include "files.h"

#define GV_NAMES_MOST 65536     /* kept at once, some 4 MiB; twice as many while a folder is read */

typedef struct gv_name {
    const char *bad;            /* why this file is no profile of ours, a phrase; text is then the file's name without ".json" */
    char text[];
} gv_name;

typedef struct gv_names {
    gv_name **list;             /* sorted by text */
    size_t count, room;
    size_t at;                  /* the next one */
    bool more;                  /* there are names behind the last one */
    bool keep;                  /* the folder had been quiet when it was read: its time tells whether it changed since */
    char *after;                /* all names behind this one; NULL: from the first */
    dev_t device;
    ino_t inode;
    struct timespec changed;
} gv_names;

/* Behind this name; NULL: from the first. 0 or a negative errno. */
int gv_names_seek(gv_names *names, gv_place *place, const char *after);
/* The next one, valid until the next call; NULL: no more, or *error. */
const gv_name *gv_names_next(gv_names *names, gv_place *place, int *error);
void gv_names_free(gv_names *names);

/* The username of a file in the folder (stem: its name without ".json") into place->view; NULL: it has one, else why not. */
const char *gv_names_read(gv_place *place, const char *file, gv_slice stem);
#endif
