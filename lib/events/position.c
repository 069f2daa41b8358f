/* position.c: cursors. In base64url: a version, a letter for the kind of record, the type of the time, whether there is
 * a uid, then id, uid and time, each ended by a NUL. Whoever pages on hands it back as it came; anything else is
 * refused, and nothing in it is trusted. */
#include "requests.h"
#include "../base/base64.h"
#include "../base/memory.h"
#include <inttypes.h>
#include <stdio.h>

#define VERSION '1'
#define HEAD 4                  /* bytes before the id */

/* The first letters of the tables differ. */
static char letter_of(const gv_record_kind *kind)
{
    return kind->table[0];
}

const char *gv_position_print(gv_arena *arena, const gv_record_kind *kind, const gv_position *position)
{
    char id[24];
    const char *uid = position->uid ? position->uid : "", *time = position->time ? position->time : "";
    size_t id_length = (size_t)snprintf(id, sizeof id, "%" PRId64, position->id) + 1;
    size_t uid_length = strlen(uid) + 1, time_length = strlen(time) + 1, length, room;
    if (!gv_add_size(HEAD + id_length, uid_length, &length) || !gv_add_size(length, time_length, &length)
        || !gv_multiply_size(length, 2, &room))
        return NULL;
    unsigned char *data = gv_alloc(length);
    char *out = data ? gv_arena_alloc(arena, room) : NULL;
    if (out) {
        const char head[HEAD] = {VERSION, letter_of(kind), position->type, position->uid ? 'u' : '-'};
        memcpy(data, head, HEAD);
        memcpy(data + HEAD, id, id_length);
        memcpy(data + HEAD + id_length, uid, uid_length);
        memcpy(data + HEAD + id_length + uid_length, time, time_length);
        gv_base64_encode(data, length, out);
    }
    gv_free(data);
    return out;
}

static bool read_integer(const char *text, int64_t *number)
{
    bool negative = *text == '-';
    int64_t sum = 0;
    if (negative)
        text++;
    if (!*text)
        return false;
    for (; *text; text++) {
        int digit = *text - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(sum, 10, &sum)
            || __builtin_add_overflow(sum, negative ? -digit : digit, &sum))
            return false;
    }
    *number = sum;
    return true;
}

static bool time_fits(char type, const char *time)
{
    int64_t number;
    switch (type) {
    case 't': return true;
    case 'n': return !*time;
    case 'i': return read_integer(time, &number);
    case 'f': return *time && !time[strspn(time, "0123456789+-.eEinfINFaA")];
    default: return false;
    }
}

bool gv_position_parse(const char *cursor, const gv_record_kind *kind, char *memory, gv_position *position)
{
    size_t length;
    if (!gv_base64_decode(cursor, memory, &length) || length < HEAD + 4)
        return false;
    if (memory[0] != VERSION || memory[1] != letter_of(kind) || (memory[3] != 'u' && memory[3] != '-')
        || memory[length - 1] != '\0')
        return false;
    const char *end = memory + length, *id = memory + HEAD, *uid = id + strlen(id) + 1;
    const char *time = uid < end ? uid + strlen(uid) + 1 : end;
    if (time >= end || time + strlen(time) + 1 != end)
        return false;
    gv_position read = {.type = memory[2], .time = time};
    if (!read_integer(id, &read.id) || !time_fits(read.type, time) || (memory[3] == '-' && *uid))
        return false;
    if (read.type == 'n')
        read.time = NULL;
    if (memory[3] == 'u')
        read.uid = uid;
    *position = read;
    return true;
}

const char *gv_tail_cursor(gv_arena *arena, const gv_text *place)
{
    const char *text = gv_text_get(place);
    size_t bytes = place->length + 1;
    char *out = place->failed ? NULL : gv_arena_alloc(arena, bytes / 3 * 4 + 5);
    if (out)
        gv_base64_encode((const unsigned char *)text, bytes, out);
    return out;
}
