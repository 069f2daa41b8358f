/* check.h: what a store says of itself to gavat_check_stores: a line for each thing looked at. On the thread that works on the op. */
#ifndef GV_CORE_CHECK_H
#define GV_CORE_CHECK_H
#include "op.h"

/* result: "ok", "warn" or "fail", which op->staged.number counts. figure: what was found; advice: what to do, "" for nothing. Without
 * memory the op fails. */
void gv_check_add(gavat_op *op, const char *check, const char *result, const char *figure, const char *advice);
/* The line "disk space" of the disk that this folder is on. advice: how to make room. */
void gv_check_disk(gavat_op *op, const char *folder, const char *advice);
#endif
