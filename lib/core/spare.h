/* spare.h: memory of ops that are gone, kept for the next ones: under load an op is made on one thread and freed on
 * another, where malloc is slow and gives pages back that are wanted again at once. Any thread. A thread has a short
 * list in a place of its own, by its number; full lists go to a common one, where those who have none find them.
 * Never more than there were ops at once, and some; the loop lets go of it when it finds none alive, a look a second.
 * Under GV_ARENA_PLAIN (the sanitizer build) nothing is kept, so that use after free is seen. */
#ifndef GV_CORE_SPARE_H
#define GV_CORE_SPARE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define GV_SPARE_PLACES 16

typedef struct gv_spare {       /* at the start of the memory */
    struct gv_spare *next;
    struct gv_spare *next_list; /* of the first one of a list */
    size_t count;               /* from here to the end of its list */
} gv_spare;

typedef struct gv_spare_place {
    _Atomic(gv_spare *) list;
    char apart[64 - sizeof(void *)];    /* a cache line each */
} gv_spare_place;

typedef struct gv_spares {
    gv_spare_place places[GV_SPARE_PLACES];
    pthread_mutex_t lock;
    _Atomic(gv_spare *) lists;  /* changed under lock */
    atomic_size_t list_count;   /* changed under lock */
} gv_spares;

void gv_spares_init(gv_spares *spares);
/* NULL: none is there. The first `touched` bytes of the next one are brought into the caches meanwhile. */
void *gv_spares_take(gv_spares *spares, size_t touched);
void gv_spares_give(gv_spares *spares, void *memory);   /* of gv_alloc, all of one size */
bool gv_spares_many(gv_spares *spares);                 /* there is something for trim to let go of */
void gv_spares_trim(gv_spares *spares);                 /* let go of most */
void gv_spares_free(gv_spares *spares);                 /* of all; nobody uses it any more */
#endif
