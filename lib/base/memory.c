#include "memory.h"

#include <stdlib.h>
#include <string.h>

gv_memory gv_memory_hook = {realloc, free};

void *gv_alloc(size_t size)
{
    return gv_memory_hook.resize(NULL, size ? size : 1);
}

void *gv_alloc_zero(size_t size)
{
    void *block = gv_alloc(size);
    if (block)
        memset(block, 0, size);
    return block;
}

void *gv_resize(void *old, size_t size)
{
    return gv_memory_hook.resize(old, size ? size : 1);
}

void gv_free(void *old)
{
    if (old)
        gv_memory_hook.release(old);
}

char *gv_copy_text(const char *text)
{
    return text ? gv_copy_bytes(text, strlen(text)) : NULL;
}

char *gv_copy_bytes(const char *data, size_t length)
{
    size_t size;
    char *copy = gv_add_size(length, 1, &size) ? gv_alloc(size) : NULL;
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}
