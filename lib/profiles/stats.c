#include "stats.h"
#include "../base/json.h"
#include "../base/memory.h"
#include <inttypes.h>

static const gv_slice others = {"\"(others)\"", 10}, none = {"null", 4};

static int compare(gv_slice type, const char *other)
{
    size_t length = strlen(other);
    int order = memcmp(type.data, other, type.length < length ? type.length : length);
    return order ? order : (type.length > length) - (type.length < length);
}

/* Where the type is, or would be. */
static size_t find(const gv_profile_stats *stats, gv_slice type, bool *found)
{
    size_t low = 0, high = stats->length;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(type, stats->types[middle].type);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: no memory. */
static gv_type_count *count_of(gv_profile_stats *stats, gv_slice type)
{
    bool found;
    size_t at = find(stats, type, &found);
    if (!found && stats->length >= GV_TYPES_MOST)
        at = find(stats, type = others, &found);
    if (found)
        return &stats->types[at];
    if (stats->length == stats->room) {
        size_t room = stats->room ? stats->room * 2 : 16;
        gv_type_count *larger = gv_resize(stats->types, room * sizeof *larger);
        if (!larger)
            return NULL;
        stats->types = larger;
        stats->room = room;
    }
    gv_type_count fresh = {.type = gv_copy_bytes(type.data, type.length)};
    if (!fresh.type)
        return NULL;
    memmove(&stats->types[at + 1], &stats->types[at], (stats->length - at) * sizeof fresh);
    stats->types[at] = fresh;
    stats->length++;
    return &stats->types[at];
}

static bool is_true(gv_slice document, const char *key)
{
    return gv_json_type_of(gv_json_member(document, key, strlen(key))) == GV_JSON_TRUE;
}

bool gv_profile_stats_count(gv_profile_stats *stats, gv_slice type, int64_t count, int64_t active, int64_t autospam)
{
    gv_type_count *at = count_of(stats, gv_json_type_of(type) == GV_JSON_STRING ? type : none);
    if (!at)
        return false;
    stats->count += count;
    at->count += count;
    at->active += active;
    at->autospam += autospam;
    return true;
}

bool gv_profile_stats_add(gv_profile_stats *stats, gv_slice document)
{
    return gv_profile_stats_count(stats, gv_json_member(document, "type", 4), 1, is_true(document, "is_active"), is_true(document, "autospam"));
}

bool gv_profile_stats_print(const gv_profile_stats *stats, gv_result *result)
{
    bool good = true;
    gv_text json = {0};
    for (size_t i = 0; i < stats->length && good; i++) {
        const gv_type_count *count = &stats->types[i];
        gv_text_clear(&json);
        gv_text_addf(&json, "{\"type\":%s,\"count\":%" PRId64 ",\"active\":%" PRId64 ",\"autospam\":%" PRId64 "}", count->type, count->count,
                     count->active, count->autospam);
        good = gv_result_add_json(result, &json);
    }
    gv_text_free(&json);
    return good;
}

void gv_profile_stats_free(gv_profile_stats *stats)
{
    for (size_t i = 0; i < stats->length; i++)
        gv_free(stats->types[i].type);
    gv_free(stats->types);
}
