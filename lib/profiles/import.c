/* import.c: profiles as JSON lines: each object names its own username. */
#include "requests.h"
#include "../base/json.h"

extern const gv_batch_kind gv_batch_profile;

static gavat_status add(gavat_batch *batch, gv_slice object)
{
    gv_profile_fault fault;
    gv_slice raw = gv_json_member(object, "username", 8);
    gv_profile_item *item = gv_arena_alloc(&batch->arena, sizeof *item);
    char *name = gv_arena_alloc(&batch->arena, raw.length + 1);
    if (!item || !name)
        return GAVAT_ENOMEM;
    size_t length = gv_json_unescape(raw, name, raw.length);
    if (strlen(name) != length)
        return gv_batch_fail(batch, GAVAT_EINVAL, "username holds a NUL");
    if (!gv_profile_check_name(name, true, &fault) || !gv_profile_check(batch->client, object, &fault))
        return fault.status == GAVAT_ENOMEM ? GAVAT_ENOMEM : gv_batch_fail(batch, fault.status, "%s", fault.why);
    item->username = name;
    item->json.length = object.length;
    item->json.data = gv_arena_copy(&batch->arena, object.data, object.length);
    return item->json.data ? gv_batch_append(batch, item) : GAVAT_ENOMEM;
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    gavat_status status = add(batch, object);
    if (status == GAVAT_ENOMEM)
        batch->error[0] = '\0'; /* how batch.c tells it from a record that is refused */
    return status == GAVAT_OK;
}

const gv_batch_kind gv_batch_profile = {"profile", GV_PROFILES, add_json};
