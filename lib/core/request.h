/* request.h: sizing and filling the one piece of memory that holds an op's request: the struct, and its texts behind it. */
#ifndef GV_CORE_REQUEST_H
#define GV_CORE_REQUEST_H
#include "../base/memory.h"
#include <string.h>

/* Sizes of one piece of memory add up, or become one that no bound allows. */
static inline size_t gv_call_sum(size_t a, size_t b)
{
    size_t sum;
    return gv_add_size(a, b, &sum) ? sum : SIZE_MAX;
}
static inline size_t gv_call_room(const char *text)     /* with its NUL; NULL: none */
{
    return text ? strlen(text) + 1 : 0;
}
static inline const char *gv_call_put(char **at, const char *text)      /* copied there, at moved on; NULL for NULL */
{
    if (!text)
        return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = memcpy(*at, text, bytes);
    *at += bytes;
    return copy;
}
#endif
