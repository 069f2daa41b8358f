/* profiles.c: the public calls for documents by name, one and many. */
#include "requests.h"
#include "../core/client.h"
#include "../core/request.h"

extern const gv_batch_kind gv_batch_profile;

static gv_slice put_slice(char **at, gv_slice text)
{
    gv_slice copy = {*at, text.length};
    if (!text.data)
        return text;
    memcpy(*at, text.data, text.length);
    *at += text.length + 1;     /* the request is zeroed: a NUL follows */
    return copy;
}

static void refuse(gavat_op *op, const gv_profile_fault *fault)
{
    gv_op_refuse(op, fault->status, "%s", fault->why);
}

/* A request of one name, with a text behind it; NULL: refused. */
static gv_profile_request *make_request(gavat_op *op, const char *name, gv_slice json)
{
    size_t size = gv_call_sum(sizeof(gv_profile_request), gv_call_room(name));
    gv_profile_request *request = gv_op_request(op, gv_call_sum(size, json.data ? gv_call_sum(json.length, 1) : 0));
    if (!request)
        return NULL;
    char *at = (char *)(request + 1);
    request->username = gv_call_put(&at, name);
    request->json = put_slice(&at, json);
    request->revision = GV_ANY_REVISION;
    return request;
}

static void put_one(gavat_op *op, gv_profiles_place place, const char *username, const char *json, int64_t revision)
{
    gv_profile_fault fault;
    if (!gv_op_begin(op, &gv_profiles_ops[place]))
        return;
    if (!gv_profile_check_name(username, true, &fault) || !gv_profile_check(op->client, gv_slice_of(json), &fault)) {
        refuse(op, &fault);
        return;
    }
    if (place == GV_PUT_PROFILE_IF && revision < -1) {
        gv_op_refuse(op, GAVAT_EINVAL, "revision must be the stored one, or -1 for a document that is not there yet");
        return;
    }
    gv_profile_request *request = make_request(op, username, gv_slice_of(json));
    if (!request)
        return;
    request->revision = revision;
    gv_op_submit(op);
}

void gavat_put_profile(gavat_op *op, const char *username, const char *json)
{
    put_one(op, GV_PUT_PROFILE, username, json, GV_ANY_REVISION);
}

void gavat_put_profile_if_revision(gavat_op *op, const char *username, const char *json, int64_t revision)
{
    put_one(op, GV_PUT_PROFILE_IF, username, json, revision);
}

/* Calls that need a name only. Longer ones of other writers are found too. */
static void submit_name(gavat_op *op, gv_profiles_place place, const char *username)
{
    gv_profile_fault fault;
    if (!gv_op_begin(op, &gv_profiles_ops[place]))
        return;
    if (!gv_profile_check_name(username, false, &fault)) {
        refuse(op, &fault);
        return;
    }
    if (make_request(op, username, (gv_slice){NULL, 0}))
        gv_op_submit(op);
}

void gavat_delete_profile(gavat_op *op, const char *username)
{
    submit_name(op, GV_DELETE_PROFILE, username);
}

void gavat_get_profile(gavat_op *op, const char *username)
{
    submit_name(op, GV_GET_PROFILE, username);
}

/* --- many --- */

/* Places and texts of many items; false: one is NULL where none may be. */
static bool measure_items(const char *const *usernames, const char *const *jsons, size_t count, size_t *size)
{
    size_t places;
    *size = gv_multiply_size(count, sizeof(gv_profile_item), &places) ? gv_call_sum(sizeof(gv_many_request), places) : SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        *size = gv_call_sum(*size, gv_call_room(usernames[i]));
        if (jsons)
            *size = gv_call_sum(*size, gv_call_room(jsons[i]));
    }
    return *size != SIZE_MAX;
}

/* Why this item is not to be done, in the client's memory of the op; NULL: it is. Writes only: a get of a bad name finds nothing. */
static const char *item_fault(gavat_op *op, const char *username, const char *json, bool put)
{
    gv_profile_fault fault;
    bool good = gv_profile_check_name(username, put, &fault)
                && (!put || gv_profile_check(op->client, gv_slice_of(json), &fault));
    if (good)
        return NULL;
    gv_result *result = gv_op_result(op);
    const char *why = result ? gv_arena_copy_text(&result->arena, fault.why) : NULL;
    return why ? why : "no memory to say why";
}

static void submit_many(gavat_op *op, gv_profiles_place place, const char *const *usernames, const char *const *jsons, size_t count)
{
    size_t size = 0;
    bool put = place == GV_PUT_PROFILES;
    if (!gv_op_begin(op, &gv_profiles_ops[place]))
        return;
    if (count && (!usernames || (put && !jsons))) {
        gv_op_refuse(op, GAVAT_EINVAL, "%s is NULL: give an array of %zu texts", usernames ? "jsons" : "usernames", count);
        return;
    }
    measure_items(usernames, jsons, count, &size);
    gv_many_request *request = gv_op_request(op, size);
    if (!request)
        return;
    gv_profile_item *items = (gv_profile_item *)(request + 1);
    char *at = (char *)(items + count);
    request->items = items;
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        items[i].username = gv_call_put(&at, usernames[i]);
        items[i].refused = item_fault(op, usernames[i], put ? jsons[i] : NULL, put);
        if (put)
            items[i].json = put_slice(&at, gv_slice_of(jsons[i]));
    }
    gv_op_submit(op);
}

void gavat_put_profiles(gavat_op *op, const char *const *usernames, const char *const *jsons, size_t count)
{
    submit_many(op, GV_PUT_PROFILES, usernames, jsons, count);
}

void gavat_get_named_profiles(gavat_op *op, const char *const *usernames, size_t count)
{
    submit_many(op, GV_GET_NAMED_PROFILES, usernames, NULL, count);
}

void gavat_delete_profiles(gavat_op *op, const char *const *usernames, size_t count)
{
    submit_many(op, GV_DELETE_PROFILES, usernames, NULL, count);
}
