#include "ids.h"
#include "record.h"
#include "../base/clock.h"
#include "../base/json.h"

static bool is_live(gv_slice item, gavat_time now, gavat_time *time)
{
    if (!gv_dm_read_number(item, 6, GV_TIME_MAX, time))
        return false;
    if (*time > now)
        *time = now;
    return now - *time < GV_DM_IDS_KEPT_MS * 1000;
}

static bool is_live_in(gv_slice ids, const char *id, gavat_time now)
{
    gavat_time time;
    gv_slice item = ids.data ? gv_json_member(ids, id, strlen(id)) : ids;
    return item.data && is_live(item, now, &time);
}

/* The object of one kind; not there: empty. False: it is something else. */
static bool find_kind(gv_slice value, const char *kind, gv_slice *ids)
{
    *ids = value.data ? gv_json_member(value, kind, strlen(kind)) : value;
    return !ids->data || gv_json_type_of(*ids) == GV_JSON_OBJECT;
}

bool gv_dm_ids_find(gv_slice value, const char *id, gavat_time now, gv_dm_whose *whose)
{
    gv_slice own, others;
    *whose = GV_DM_NOBODY;
    if (value.data && (gv_json_check(value, 3, 0, NULL) || gv_json_type_of(value) != GV_JSON_OBJECT))
        return false;
    if (!find_kind(value, "own", &own) || !find_kind(value, "others", &others))
        return false;
    if (is_live_in(own, id, now))
        *whose = GV_DM_OWN;
    else if (is_live_in(others, id, now))
        *whose = GV_DM_OTHERS;
    return true;
}

static bool is_key(gv_slice key, const char *id)
{
    size_t length = strlen(id);
    char plain[512];
    return gv_json_unescape(key, plain, sizeof plain) == length && length <= sizeof plain && memcmp(plain, id, length) == 0;
}

/* Those that live on, without id, and at its end id itself. */
static void write_ids(gv_text *out, gv_slice ids, const char *id, gavat_time now, bool add)
{
    gv_slice key, item;
    gavat_time time;
    size_t count = 0, written = 0;
    for (gv_json_walk walk = gv_json_enter(ids); gv_json_next(&walk, &key, &item);)
        count += is_live(item, now, &time) && !is_key(key, id);
    size_t skip = count + add > GV_DM_IDS_MOST ? count + add - GV_DM_IDS_MOST : 0;
    for (gv_json_walk walk = gv_json_enter(ids); gv_json_next(&walk, &key, &item);) {
        if (!is_live(item, now, &time) || is_key(key, id))
            continue;
        if (skip) {
            skip--;
            continue;
        }
        gv_text_adds(out, written++ ? ", " : "");
        gv_text_add(out, key.data, key.length);
        gv_text_adds(out, ": ");
        gv_dm_write_time(out, time);
    }
    if (!add)
        return;
    gv_text_adds(out, written ? ", " : "");
    gv_text_add_json(out, id, strlen(id));
    gv_text_adds(out, ": ");
    gv_dm_write_time(out, now);
}

void gv_dm_ids_write(gv_text *out, gv_slice value, const char *id, gavat_time now, gv_dm_whose whose)
{
    gv_slice own, others;
    find_kind(value, "own", &own);
    find_kind(value, "others", &others);
    gv_text_adds(out, "{\"own\": {");
    write_ids(out, own, id, now, whose == GV_DM_OWN);
    gv_text_adds(out, "}, \"others\": {");
    write_ids(out, others, id, now, whose == GV_DM_OTHERS);
    gv_text_adds(out, "}}");
}
