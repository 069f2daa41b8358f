#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

struct gv_arena_block {
    gv_arena_block *before;
    size_t room, used;
    _Alignas(max_align_t) unsigned char data[];
};

enum { SMALLEST = 512, LARGEST = 32768 };

/* To what keeps the next piece aligned; plain pieces have no next one, and an exact end that can be watched. */
static bool round_up(size_t size, size_t *rounded)
{
#ifdef GV_ARENA_PLAIN
    const size_t unit = 1;
#else
    const size_t unit = _Alignof(max_align_t);
#endif
    if (!gv_add_size(size ? size : 1, unit - 1, rounded))
        return false;
    *rounded -= *rounded % unit;
    return true;
}

static gv_arena_block *add_block(gv_arena *arena, size_t room)
{
    size_t size;
    gv_arena_block *block = gv_add_size(sizeof *block, room, &size) ? gv_alloc(size) : NULL;
    if (!block)
        return NULL;
    block->room = room;
    block->used = 0;
    arena->bytes += size;
    /* A block made for one large piece goes behind the current one, whose rest stays in use. */
    if (arena->last && room > LARGEST) {
        block->before = arena->last->before;
        arena->last->before = block;
    } else {
        block->before = arena->last;
        arena->last = block;
    }
    return block;
}

static gv_arena_block *block_for(gv_arena *arena, size_t size)
{
#ifndef GV_ARENA_PLAIN
    gv_arena_block *last = arena->last;
    if (last && last->room - last->used >= size)
        return last;
    /* Each block is as large as all before it together, within bounds: short-lived arenas stay small. */
    size_t room = arena->bytes < SMALLEST ? SMALLEST : arena->bytes;
    if (room > LARGEST)
        room = LARGEST;
    if (size < room)
        return add_block(arena, room);
#endif
    return add_block(arena, size);
}

void *gv_arena_alloc(gv_arena *arena, size_t size)
{
    size_t rounded;
    if (!round_up(size, &rounded))
        return NULL;
    gv_arena_block *block = block_for(arena, rounded);
    if (!block)
        return NULL;
    void *piece = block->data + block->used;
    block->used += rounded;
    return memset(piece, 0, rounded);
}

char *gv_arena_copy(gv_arena *arena, const char *data, size_t length)
{
    size_t size;
    char *copy = gv_add_size(length, 1, &size) ? gv_arena_alloc(arena, size) : NULL;
    if (copy && length > 0)
        memcpy(copy, data, length);
    return copy;
}

char *gv_arena_copy_text(gv_arena *arena, const char *text)
{
    return text ? gv_arena_copy(arena, text, strlen(text)) : NULL;
}

char *gv_arena_printf(gv_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : gv_arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void gv_arena_clear(gv_arena *arena)
{
#ifndef GV_ARENA_PLAIN
    if (arena->last && !arena->last->before && arena->last->room <= LARGEST) {
        arena->last->used = 0;
        return;
    }
#endif
    gv_arena_free(arena);
}

void gv_arena_free(gv_arena *arena)
{
    gv_arena_block *block = arena->last;
    while (block) {
        gv_arena_block *before = block->before;
        gv_free(block);
        block = before;
    }
    arena->last = NULL;
    arena->bytes = 0;
}
