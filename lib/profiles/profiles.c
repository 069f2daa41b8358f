/* profiles.c: the public calls for documents by name, one and many. */
#include "document.h"
#include "../base/utf8.h"
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

/* --- patches --- */

/* False: refused. changes are thrown away: the store's thread reads them again. */
static bool check_patch(gavat_op *op, gv_slice set, const gv_slice *unset, size_t unset_count)
{
    gv_profile_fault fault;
    gv_arena scratch = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY] = "";
    size_t at;
    const char *wrong = set.data ? gv_json_check(set, GV_JSON_DEPTH, 0, &at) : NULL;
    if (wrong) {
        gv_op_refuse(op, GAVAT_EINVAL, "set is not JSON at byte %zu: %s", at, wrong);
        return false;
    }
    bool good = gv_json_read_patch(&scratch, set, unset, unset_count, &changes, why);
    const char *kept = NULL;
    for (size_t i = 0; good && !kept && i < changes.count; i++)
        kept = gv_document_kept(changes.list[i].key);
    gv_arena_free(&scratch);
    if (!good && !*why)
        gv_op_refuse(op, GAVAT_ENOMEM, "no memory for the patch");
    else if (!good)
        gv_op_refuse(op, GAVAT_EINVAL, "%s", why);
    else if (kept)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is kept by the library: a patch cannot change it", kept);
    if (!good || kept)
        return false;
    gv_slice key, value;
    for (gv_json_walk walk = gv_json_enter(set); set.data && gv_json_next(&walk, &key, &value);) {
        if (gv_profile_check_value(value, &fault))
            continue;
        gv_op_refuse(op, fault.status, "%.*s: %s", (int)(key.length < 120 ? key.length : 120), key.data, fault.why);
        return false;
    }
    return true;
}

/* The paths as slices, in the arena of the op's result, where they are not needed any more once the op has ended. NULL: refused. */
static gv_slice *take_paths(gavat_op *op, const char *const *unset, size_t count)
{
    size_t bytes;
    gv_result *result = gv_op_result(op);
    gv_slice *paths = result && gv_multiply_size(count, sizeof *paths, &bytes) ? gv_arena_alloc(&result->arena, bytes) : NULL;
    bool good = paths != NULL;
    for (size_t i = 0; good && i < count; i++) {
        const char *copy = gv_arena_copy_text(&result->arena, unset[i]);
        if (!unset[i] || !gv_utf8_valid(unset[i], strlen(unset[i]))) {
            gv_op_refuse(op, GAVAT_EINVAL, "unset: path %zu is %s", i, unset[i] ? "not valid UTF-8" : "NULL");
            return NULL;
        }
        good = copy != NULL;
        paths[i] = gv_slice_of(copy);
    }
    if (!good)
        gv_op_refuse(op, GAVAT_ENOMEM, "no memory for the patch");
    return good ? paths : NULL;
}

void gavat_patch_profile(gavat_op *op, const char *username, const char *set, const char *const *unset, size_t unset_count)
{
    gv_profile_fault fault;
    if (!gv_op_begin(op, &gv_profiles_ops[GV_PATCH_PROFILE]))
        return;
    if (!gv_profile_check_name(username, false, &fault)) {
        refuse(op, &fault);
        return;
    }
    if ((!set && !unset_count) || (unset_count && !unset)) {
        gv_op_refuse(op, GAVAT_EINVAL, "there is nothing to change: give set, or paths to unset");
        return;
    }
    if (set && strlen(set) > op->client->most_record) {
        gv_op_refuse(op, GAVAT_EINVAL, "set is larger than %zu bytes (GAVAT_MAX_RECORD)", op->client->most_record);
        return;
    }
    gv_slice *paths = take_paths(op, unset, unset_count);
    if (!paths || !check_patch(op, gv_slice_of(set), paths, unset_count))
        return;
    gv_profile_request *request = make_request(op, username, gv_slice_of(set));
    if (!request)
        return;
    request->unset = paths;
    request->unset_count = unset_count;
    gv_op_submit(op);
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

void gavat_get_profile_by_user_id(gavat_op *op, const char *user_id)
{
    if (!gv_op_begin(op, &gv_profiles_ops[GV_GET_PROFILE_BY_ID]))
        return;
    if (!user_id || !*user_id || !gv_utf8_valid(user_id, strlen(user_id))) {
        gv_op_refuse(op, GAVAT_EINVAL, "user_id is %s", user_id && *user_id ? "not valid UTF-8" : "required and must not be empty");
        return;
    }
    if (make_request(op, user_id, (gv_slice){NULL, 0}))
        gv_op_submit(op);
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
