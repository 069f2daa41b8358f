/* arena.h: memory that is freed all at once. Pieces are aligned for any type. One thread at a time.
 * Under GV_ARENA_PLAIN (the sanitizer build) each piece is a block of its own, so that overruns are seen. */
#ifndef GV_BASE_ARENA_H
#define GV_BASE_ARENA_H
#include <stddef.h>

typedef struct gv_arena_block gv_arena_block;
typedef struct gv_arena {       /* all zero: empty */
    gv_arena_block *last;
    size_t bytes;               /* taken from the heap so far */
} gv_arena;

void *gv_arena_alloc(gv_arena *arena, size_t size);                             /* zeroed; NULL: no memory */
char *gv_arena_copy(gv_arena *arena, const char *data, size_t length);          /* ended by a NUL of its own */
char *gv_arena_copy_text(gv_arena *arena, const char *text);                    /* NULL for NULL too */
char *gv_arena_printf(gv_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Empty again, with its memory kept for what comes next where that is one block. */
void gv_arena_clear(gv_arena *arena);
void gv_arena_free(gv_arena *arena);                                            /* everything; empty again */
#endif
