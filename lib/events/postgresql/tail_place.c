/* tail_place.c: places of tails, and snapshots, as text and back. A cursor comes from outside: nothing in it is trusted. */
#include "tail.h"
#include "../../base/clock.h"
#include <inttypes.h>

/* --- snapshots --- */

/* Digits up to `end`, which is passed. False: there are none, or too many. */
static bool read_number(const char **at, char end, int64_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, **at - '0', number))
            return false;
    if (*at == start || **at != end)
        return false;
    *at += end != '\0';
    return true;
}

static bool read_open(const char *at, gv_pg_snapshot *out)
{
    while (*at) {
        const char *comma = strchr(at, ',');
        int64_t *next = &out->open[out->count];
        if (!read_number(&at, comma ? ',' : '\0', next) || *next >= out->next || (out->count && next[-1] >= *next))
            return false;
        out->count++;
    }
    return true;
}

bool gv_pg_snapshot_parse(const char *text, gv_pg_snapshot *out)
{
    int64_t least;
    size_t room = 1;
    *out = (gv_pg_snapshot){0};
    if (!read_number(&text, ':', &least) || !read_number(&text, ':', &out->next))
        return false;
    for (const char *at = text; *at; at++)
        room += *at == ',';
    out->open = gv_alloc(room * sizeof *out->open);
    if (out->open && read_open(text, out))
        return true;
    gv_pg_snapshot_free(out);
    return false;
}

void gv_pg_snapshot_free(gv_pg_snapshot *snapshot)
{
    gv_free(snapshot->open);
    *snapshot = (gv_pg_snapshot){0};
}

void gv_pg_snapshot_closed(gv_pg_snapshot *base, const gv_pg_snapshot *target, int64_t from)
{
    size_t kept = 0, other = 0;
    for (size_t i = 0; i < base->count; i++) {
        int64_t own = base->open[i];
        while (other < target->count && target->open[other] < own)
            other++;
        bool still = other < target->count && target->open[other] == own;
        if (!still && own >= from)
            base->open[kept++] = own;
    }
    base->count = kept;
}

/* --- places --- */

void gv_pg_place_free(gv_pg_place *place)
{
    gv_free(place->base);
    gv_free(place->target);
    *place = (gv_pg_place){0};
}

void gv_pg_place_print(gv_text *out, const gv_pg_place *place)
{
    gv_text_addf(out, "p1 %" PRId64, place->table);
    if (place->mode == GV_PG_RESTING)
        gv_text_addf(out, " r %s", place->base);
    else if (place->mode == GV_PG_WALKING)
        gv_text_addf(out, " w %s %s %" PRId64 " %" PRId64, place->base, place->target, place->key, place->id);
    else
        gv_text_addf(out, " s %s %" PRId64 " %" PRId64, place->target, place->key, place->id);
}

/* The next word, copied; NULL: there is none, or no memory. */
static char *take_word(const char **at)
{
    size_t length = strcspn(*at, " ");
    char *word = length ? gv_alloc(length + 1) : NULL;
    if (!word)
        return NULL;
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length + ((*at)[length] == ' ');
    return word;
}

static bool take_snapshot(const char **at, char **out)
{
    gv_pg_snapshot snapshot;
    *out = take_word(at);
    bool good = *out && gv_pg_snapshot_parse(*out, &snapshot);
    if (good)
        gv_pg_snapshot_free(&snapshot);
    return good;
}

static bool take_integer(const char **at, char end, int64_t *number)
{
    bool negative = **at == '-';
    if (negative && strncmp(*at, "-9223372036854775808", 20) == 0 && (*at)[20] == end) {
        *at += 20 + (end != '\0');
        *number = INT64_MIN;
        return true;
    }
    *at += negative;
    if (!read_number(at, end, number))
        return false;
    *number = negative ? -*number : *number;
    return true;
}

bool gv_pg_place_parse(gv_pg_place *place, const char *text)
{
    *place = (gv_pg_place){0};
    if (strncmp(text, "p1 ", 3) != 0)
        return false;
    text += 3;
    if (!read_number(&text, ' ', &place->table) || !*text || text[1] != ' ')
        return false;
    char mode = *text;
    bool good = mode == 'r' || mode == 'w' || mode == 's';
    text += 2;
    place->mode = mode == 'r' ? GV_PG_RESTING : mode == 'w' ? GV_PG_WALKING : GV_PG_SINCE;
    if (good && mode != 's')
        good = take_snapshot(&text, &place->base);
    if (good && mode != 'r')
        good = take_snapshot(&text, &place->target) && take_integer(&text, ' ', &place->key) && take_integer(&text, '\0', &place->id);
    if (good && !*text)
        return true;
    gv_pg_place_free(place);
    return false;
}

bool gv_pg_place_aim(gv_pg_place *place, const char *snapshot, gavat_time since)
{
    if (place->mode == GV_PG_WALKING || place->mode == GV_PG_SINCE)
        return true;
    char *copy = gv_copy_text(snapshot);
    if (!copy)
        return false;
    if (place->mode == GV_PG_NOWHERE && !since) {
        place->base = copy;
        place->mode = GV_PG_RESTING;
        return true;
    }
    place->target = copy;
    place->key = since ? since - GV_PG_EPOCH : 0;
    place->id = INT64_MIN;
    if (place->mode == GV_PG_RESTING)
        place->key = 0;         /* before all transactions */
    place->mode = place->mode == GV_PG_RESTING ? GV_PG_WALKING : GV_PG_SINCE;
    return true;
}

void gv_pg_place_arrive(gv_pg_place *place)
{
    gv_free(place->base);
    place->base = place->target;
    place->target = NULL;
    place->mode = GV_PG_RESTING;
}

bool gv_pg_place_is_ahead(const gv_pg_place *place, const char *snapshot)
{
    gv_pg_snapshot now, own;
    const char *highest = place->target ? place->target : place->base;
    bool ahead = false;
    if (!highest || !gv_pg_snapshot_parse(snapshot, &now))
        return false;
    if (gv_pg_snapshot_parse(highest, &own)) {
        ahead = own.next > now.next;
        gv_pg_snapshot_free(&own);
    }
    gv_pg_snapshot_free(&now);
    return ahead;
}
