#include "permits.h"
#include "record.h"
#include "../base/clock.h"
#include "../base/json.h"

static gv_slice member(gv_slice object, const char *key)
{
    return object.data ? gv_json_member(object, key, strlen(key)) : object;
}

/* The times of a list; one beyond now is now, and none is before the one before it. */
static gavat_status read_times(gv_dm_times *out, gv_slice list, gv_arena *arena, gavat_time now)
{
    gv_slice key, item;
    size_t count = 0;
    if (list.data && gv_json_type_of(list) != GV_JSON_ARRAY)
        return GAVAT_ECORRUPT;
    for (gv_json_walk walk = gv_json_enter(list); gv_json_next(&walk, &key, &item);)
        count++;
    size_t skip = count > GV_DM_PERMITS_MOST ? count - GV_DM_PERMITS_MOST : 0;
    out->at = gv_arena_alloc(arena, (count - skip + 1) * sizeof *out->at);
    if (!out->at)
        return GAVAT_ENOMEM;
    for (gv_json_walk walk = gv_json_enter(list); gv_json_next(&walk, &key, &item);) {
        int64_t time;
        if (!gv_dm_read_number(item, 6, GV_TIME_MAX, &time))
            return GAVAT_ECORRUPT;
        if (skip) {
            skip--;
            continue;
        }
        if (time > now)
            time = now;
        if (out->count && time < out->at[out->count - 1])
            time = out->at[out->count - 1];
        out->at[out->count++] = time;
    }
    return GAVAT_OK;
}

static void drop_until(gv_dm_times *times, gavat_time until, size_t keep)
{
    size_t gone = 0;
    while (gone + keep < times->count && times->at[gone] <= until)
        gone++;
    times->at += gone;
    times->count -= gone;
}

gavat_status gv_dm_permits_read(gv_dm_permits *out, gv_slice value, gv_arena *arena, gavat_time now, int64_t window, int64_t grace)
{
    memset(out, 0, sizeof *out);
    if (value.data && (gv_json_check(value, 3, 0, NULL) || gv_json_type_of(value) != GV_JSON_OBJECT))
        return GAVAT_ECORRUPT;
    gavat_status status = read_times(&out->given, member(value, "given"), arena, now);
    if (status == GAVAT_OK)
        status = read_times(&out->waiting, member(value, "waiting"), arena, now);
    if (status != GAVAT_OK)
        return status;
    drop_until(&out->given, now - window, 1);
    drop_until(&out->waiting, now - grace, 0);
    return GAVAT_OK;
}

static void write_times(const gv_dm_times *times, gv_text *out)
{
    size_t first = times->count > GV_DM_PERMITS_MOST ? times->count - GV_DM_PERMITS_MOST : 0;
    for (size_t i = first; i < times->count; i++) {
        gv_text_adds(out, i == first ? "" : ", ");
        gv_dm_write_time(out, times->at[i]);
    }
}

void gv_dm_permits_write(const gv_dm_permits *permits, gv_text *out)
{
    gv_text_adds(out, "{\"given\": [");
    write_times(&permits->given, out);
    gv_text_adds(out, "], \"waiting\": [");
    write_times(&permits->waiting, out);
    gv_text_adds(out, "]}");
}

void gv_dm_times_add(gv_dm_times *times, gavat_time time)
{
    times->at[times->count++] = time;
}

void gv_dm_times_drop_first(gv_dm_times *times)
{
    times->at += times->count > 0;
    times->count -= times->count > 0;
}
