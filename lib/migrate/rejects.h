/* rejects.h: records that a migration could not bring in: the first of them in the op's result, all of them in a file, one JSON object a
 * line, {file, table, line, reason}. On the migration's thread. */
#ifndef GV_MIGRATE_REJECTS_H
#define GV_MIGRATE_REJECTS_H
#include "reading.h"
#include <stdio.h>

typedef struct gv_rejects {
    gavat_op *op;
    const char *path;           /* of the file; NULL: none */
    FILE *file;                 /* made with the first record */
    uint64_t count;
    int failed;                 /* errno of the file; 0: none */
} gv_rejects;

bool gv_rejects_add(gv_rejects *rejects, const gv_source *source, uint64_t line, const char *why);     /* false: no memory */
int gv_rejects_end(gv_rejects *rejects);        /* 0, or the errno of what the file failed with */
#endif
