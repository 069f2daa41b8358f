/* walk.h: the page of a walk while it is gathered: what came first by due time and user, within the bounds of the page, whatever the order
 * in which the items are seen. One thread. */
#ifndef GV_STATE_WALK_H
#define GV_STATE_WALK_H
#include "requests.h"

typedef struct gv_walk_found {
    gv_walk_item item;          /* its texts are behind the struct */
    gavat_time due;
    size_t bytes;
} gv_walk_found;

typedef struct gv_walk_page {   /* all zero but request: empty */
    const gv_walk_request *request;
    gv_walk_found **heap;       /* the last one on top; of a walk by user in order, as they came */
    size_t count, room, bytes;
    gv_walk_found *cut;         /* the first one that had no room, and nothing behind it is wanted; NULL: there was room for all */
} gv_walk_page;

/* An item, and when it is due; one that is before or at the request's cursor is left out. False: no memory. */
bool gv_walk_offer(gv_walk_page *page, const gv_walk_item *item, gavat_time due);
/* By user, items come in order: nothing more is wanted. */
bool gv_walk_full(const gv_walk_page *page);
/* Into the op's result, in order, with the cursor when there is more. False: no memory. The page is empty then. */
bool gv_walk_give(gv_walk_page *page, gavat_op *op, gavat_time now);
void gv_walk_free(gv_walk_page *page);
#endif
