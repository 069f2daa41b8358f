/* import.c: state as JSON lines: each object is a key with its value and expiry, as gavat_scan_state and an export give it. */
#include "calls.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "../base/utf8.h"
#include "../core/batch.h"
#include "../core/client.h"

extern const gv_batch_kind gv_batch_state;

#define USER_MOST 1000          /* bytes: other programs write longer ones than our calls take */

static gavat_status refuse(gavat_batch *batch, const char *why)
{
    return gv_batch_fail(batch, GAVAT_EINVAL, "%s", why);
}

/* A text of the object, unescaped into the arena; *out.data NULL: it is not there, or null. */
static gavat_status take_text(gavat_batch *batch, gv_slice raw, const char *name, gv_slice *out)
{
    *out = (gv_slice){NULL, 0};
    if (!raw.data || gv_json_type_of(raw) == GV_JSON_NULL)
        return GAVAT_OK;
    if (gv_json_type_of(raw) != GV_JSON_STRING)
        return gv_batch_fail(batch, GAVAT_EINVAL, "%s must be a string", name);
    char *text = gv_arena_alloc(&batch->arena, raw.length + 1);
    if (!text)
        return GAVAT_ENOMEM;
    size_t length = gv_json_unescape(raw, text, raw.length);
    if (strlen(text) != length)
        return gv_batch_fail(batch, GAVAT_EINVAL, "%s holds a NUL", name);
    *out = (gv_slice){text, length};
    return GAVAT_OK;
}

/* expires_at, else expire_ms from now on, else never. */
static gavat_status take_expiry(gavat_batch *batch, gv_slice object, gavat_time *expires)
{
    char text[64];
    gv_slice at = gv_json_member(object, "expires_at", 10), left = gv_json_member(object, "expire_ms", 9);
    int64_t ms = 0;
    if (at.data && gv_json_type_of(at) != GV_JSON_NULL) {
        size_t length = gv_json_type_of(at) == GV_JSON_STRING ? gv_json_unescape(at, text, sizeof text) : 0;
        if (!length || length > sizeof text || !gv_time_parse((gv_slice){text, length}, expires) || *expires <= 0)
            return refuse(batch, "expires_at must be a time such as \"2026-11-23T15:37:00.123456Z\", or null");
        return GAVAT_OK;
    }
    if (!left.data || gv_json_type_of(left) == GV_JSON_NULL)
        return GAVAT_OK;
    for (size_t i = 0; i < left.length; i++) {
        if (left.data[i] < '0' || left.data[i] > '9' || ms > GV_STATE_SPAN_MOST)
            return refuse(batch, "expire_ms must be a whole number of milliseconds, at most 100 years");
        ms = ms * 10 + (left.data[i] - '0');
    }
    *expires = ms ? gv_now(batch->client) + ms * 1000 : 0;
    return GAVAT_OK;
}

/* The value of a list is a JSON array of its items. */
static gavat_status take_items(gavat_batch *batch, gv_state_entry *entry)
{
    gv_slice key, raw, array = {entry->value.data, entry->value.length};
    size_t at = 0, count = 0;
    if (gv_json_check(array, GV_JSON_DEPTH, 0, &at) || gv_json_type_of(gv_json_trim(array)) != GV_JSON_ARRAY)
        return refuse(batch, "the value of a list must be a JSON array of its items");
    array = gv_json_trim(array);
    for (gv_json_walk walk = gv_json_enter(array); gv_json_next(&walk, &key, &raw);)
        count++;
    gv_slice *items = gv_arena_alloc(&batch->arena, (count + 1) * sizeof *items);
    gavat_status status = items ? GAVAT_OK : GAVAT_ENOMEM;
    gv_json_walk walk = gv_json_enter(array);
    for (size_t i = 0; status == GAVAT_OK && gv_json_next(&walk, &key, &raw); i++) {
        status = take_text(batch, raw, "an item of a list", &items[i]);
        if (status == GAVAT_OK && !items[i].data)
            return refuse(batch, "an item of a list must be a string");
    }
    entry->items = items;
    entry->count = count;
    return status;
}

static gavat_status check(gavat_batch *batch, const gv_state_entry *entry, gv_slice user, gv_slice key)
{
    if (!key.length || key.length > USER_MOST || user.length > USER_MOST)
        return refuse(batch, "key is required, and neither it nor user may be longer than 1000 bytes");
    if (user.data && !user.length)
        return refuse(batch, "user must not be \"\": null stands for the global ones");
    if (!entry->value.data)
        return refuse(batch, "value is required, a string");
    if (entry->value.length > batch->client->most_record)
        return gv_batch_fail(batch, GAVAT_EINVAL, "value is longer than GAVAT_MAX_RECORD (%zu bytes)", batch->client->most_record);
    return GAVAT_OK;
}

static gavat_status add(gavat_batch *batch, gv_slice object)
{
    gv_slice user, key;
    const gv_backend *backend = batch->client->stores[GV_STATE].backend;
    gv_state_entry *entry = gv_arena_alloc(&batch->arena, sizeof *entry);
    gavat_status status = entry ? GAVAT_OK : GAVAT_ENOMEM;
    if (backend && strcmp(backend->name, "redis") == 0)
        return refuse(batch, "state is not imported into Redis yet");
    if (status == GAVAT_OK)
        status = take_text(batch, gv_json_member(object, "user", 4), "user", &user);
    if (status == GAVAT_OK)
        status = take_text(batch, gv_json_member(object, "key", 3), "key", &key);
    if (status == GAVAT_OK)
        status = take_text(batch, gv_json_member(object, "value", 5), "value", &entry->value);
    if (status == GAVAT_OK)
        status = check(batch, entry, user, key);
    if (status == GAVAT_OK)
        status = take_expiry(batch, object, &entry->expires);
    if (status != GAVAT_OK)
        return status;
    entry->user = user.data ? user.data : "";
    entry->key = key.data;
    if (strncmp(entry->key, "list:", 5) == 0)
        status = take_items(batch, entry);
    return status == GAVAT_OK ? gv_batch_append(batch, entry) : status;
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    gavat_status status = add(batch, object);
    if (status == GAVAT_ENOMEM)
        batch->error[0] = '\0'; /* how batch.c tells it from a record that is refused */
    return status == GAVAT_OK;
}

const gv_batch_kind gv_batch_state = {"state", GV_STATE, add_json};
