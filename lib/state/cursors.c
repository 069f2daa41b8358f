/* cursors.c: in base64url: a version and a letter for what is paged, then two texts, each ended by a NUL. Nothing in one is trusted. */
#include "requests.h"
#include "../base/base64.h"
#include "../base/memory.h"
#include "../base/utf8.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD 2

static bool set(gavat_op *op, char letter, const char *first, const char *second)
{
    size_t a = strlen(first) + 1, b = strlen(second) + 1, length, room;
    gv_result *result = gv_op_result(op);
    if (!result || !gv_add_size(a, b, &length) || !gv_add_size(length, HEAD, &length) || !gv_multiply_size(length, 2, &room))
        return false;
    unsigned char *data = gv_alloc(length);
    char *out = data ? gv_arena_alloc(&result->arena, room) : NULL;
    if (out) {
        data[0] = '1';
        data[1] = (unsigned char)letter;
        memcpy(data + HEAD, first, a);
        memcpy(data + HEAD + a, second, b);
        gv_base64_encode(data, length, out);
        result->cursor = out;
    }
    gv_free(data);
    return out;
}

static bool get(const char *cursor, char letter, char *memory, const char **first, const char **second)
{
    size_t length;
    if (!gv_base64_decode(cursor, memory, &length) || length < HEAD + 2 || memory[0] != '1' || memory[1] != letter || memory[length - 1])
        return false;
    *first = memory + HEAD;
    *second = *first + strlen(*first) + 1;
    const char *end = memory + length;
    return *second < end && *second + strlen(*second) + 1 == end;
}

bool gv_state_set_cursor(gavat_op *op, const char *user, const char *key)
{
    return set(op, 'k', user, key);
}

bool gv_state_read_cursor(const char *cursor, char *memory, const char **user, const char **key)
{
    return get(cursor, 'k', memory, user, key);
}

bool gv_walk_set_cursor(gavat_op *op, const char *user, gavat_time due)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, due);
    return set(op, 'w', user, text);
}

bool gv_walk_read_cursor(const char *cursor, char *memory, const char **user, gavat_time *due)
{
    const char *text;
    char *end;
    if (!get(cursor, 'w', memory, user, &text) || !*text || strlen(text) > 20)
        return false;
    *due = strtoll(text, &end, 10);
    return !*end;
}
