/* memory.h: every allocation of the library goes through here, so that tests can make the n-th one fail.
 * Any thread. The hook is set before the first client exists and not changed while one lives. */
#ifndef GV_BASE_MEMORY_H
#define GV_BASE_MEMORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gv_memory {
    void *(*resize)(void *old, size_t size);    /* as realloc; NULL: no memory */
    void (*release)(void *old);                 /* as free */
} gv_memory;
extern gv_memory gv_memory_hook;                /* the C library's, unless a test replaced it */

void *gv_alloc(size_t size);                    /* not zeroed; size 0 is treated as 1 */
void *gv_alloc_zero(size_t size);
void *gv_resize(void *old, size_t size);        /* NULL: old is still valid */
void gv_free(void *old);                        /* accepts NULL */

char *gv_copy_text(const char *text);           /* NULL for NULL, or when memory is out */
char *gv_copy_bytes(const char *data, size_t length);   /* ended by a NUL of its own */

/* Have memory brought into the caches while something else is done. */
static inline void gv_prefetch(const void *memory, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch((const char *)memory + at);
}

static inline bool gv_add_size(size_t a, size_t b, size_t *sum)     /* false: overflow */
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline bool gv_multiply_size(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}
#endif
