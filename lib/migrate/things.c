#include "things.h"
#include "../base/json.h"
#include "../base/json_change.h"
#include "../base/json_number.h"
#include "../../include/gavatcore/profiles.h"
#include "../../include/gavatcore/state.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COOLDOWN "cooldown:"
#define NEAR_MS 2000            /* a cooldown that ends so near to another is the same one */

static gv_slice member(gv_slice object, const char *key)
{
    return gv_json_member(object, key, strlen(key));
}

/* A member as plain text of its own; NULL: not there, or no memory (then *failed). */
static char *plain(gv_slice object, const char *key, bool *failed)
{
    gv_slice value = member(object, key);
    if (!value.data || gv_json_type_of(value) != GV_JSON_STRING)
        return NULL;
    size_t length = gv_json_unescape(value, NULL, 0);
    char *text = gv_alloc(length + 1);
    if (!text) {
        *failed = true;
        return NULL;
    }
    text[gv_json_unescape(value, text, length)] = '\0';
    return text;
}

static int64_t number(gv_slice object, const char *key)
{
    char text[32] = "";
    gv_slice value = member(object, key);
    if (value.data && value.length < sizeof text)
        memcpy(text, value.data, value.length);
    return strtoll(text, NULL, 10);
}

/* A profile without what the library itself keeps in it, and without the _id that only some stores show, in one layout. */
static bool strip(gv_text *out, gv_slice document)
{
    static const gv_json_member_value kept[] = {{"username", {NULL, 0}}, {"created_at", {NULL, 0}}, {"updated_at", {NULL, 0}}, {"revision", {NULL, 0}}, {"_id", {NULL, 0}}};
    gv_text bare = {0};
    gv_json_set_members(&bare, document, kept, sizeof kept / sizeof *kept);
    if (!bare.failed)
        gv_json_to_ascii(out, (gv_slice){bare.data, bare.length});
    bool good = !bare.failed && !out->failed;
    gv_text_free(&bare);
    return good;
}

static size_t number_length(gv_slice text, size_t at)
{
    size_t length = 0;
    while (at + length < text.length && strchr("+-.0123456789Ee", text.data[at + length]))
        length++;
    return length;
}

/* What a double tells apart is all that every store keeps of a number with a point or an exponent. */
static bool same_number(gv_slice a, gv_slice b)
{
    int order;
    char one[400], other[400];
    if (!gv_json_number_compare(a, b, &order))
        return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
    if (order == 0 || a.length >= sizeof one || b.length >= sizeof other)
        return order == 0;
    memcpy(one, a.data, a.length);
    memcpy(other, b.data, b.length);
    one[a.length] = other[b.length] = '\0';
    return strpbrk(one, ".eE") && strpbrk(other, ".eE") && !(gv_json_number_to_double(one) < gv_json_number_to_double(other))
           && !(gv_json_number_to_double(one) > gv_json_number_to_double(other));
}

/* Of two texts that strip made: the same but for how numbers are written, which not every store keeps. */
static bool same_document(gv_slice a, gv_slice b)
{
    bool text = false;
    size_t i = 0, j = 0;
    while (i < a.length && j < b.length) {
        size_t one = text ? 0 : number_length(a, i), other = text ? 0 : number_length(b, j);
        if (one && other) {
            if (!same_number((gv_slice){a.data + i, one}, (gv_slice){b.data + j, other}))
                return false;
            i += one;
            j += other;
            continue;
        }
        if (a.data[i] != b.data[j])
            return false;
        if (text && a.data[i] == '\\') {     /* the escaped one too */
            if (++i == a.length || ++j == b.length || a.data[i] != b.data[j])
                return false;
        } else if (a.data[i] == '"') {
            text = !text;
        }
        i++;
        j++;
    }
    return i == a.length && j == b.length;
}

bool gv_thing_read(gv_thing *thing, const gv_found *found)
{
    bool failed = false;
    memset(thing, 0, sizeof *thing);
    if (strcmp(found->kind, "profile") == 0) {
        thing->kind = "profile";
        thing->user = plain(found->json, "username", &failed);
        failed |= !strip(&thing->after, found->json);
    } else if (strcmp(found->kind, "session") == 0) {
        thing->kind = "session";
        thing->user = plain(found->json, "user_id", &failed);
    } else {
        char *value = plain(found->json, "value", &failed);
        thing->user = plain(found->json, "user", &failed);
        thing->name = plain(found->json, "key", &failed);
        thing->kind = thing->name && strncmp(thing->name, COOLDOWN, strlen(COOLDOWN)) == 0 ? "cooldown" : "state";
        thing->expire_ms = number(found->json, "expire_ms");
        if (value)
            gv_text_adds(&thing->after, value);
        gv_free(value);
    }
    return !failed && thing->user && !thing->after.failed;
}

void gv_thing_free(gv_thing *thing)
{
    gv_free(thing->user);
    gv_free(thing->name);
    gv_text_free(&thing->after);
    gv_text_free(&thing->before);
    memset(thing, 0, sizeof *thing);
}

const char *gv_thing_key(const gv_thing *thing, gv_text *out)
{
    gv_text_clear(out);
    gv_text_adds(out, thing->user);
    if (thing->name)
        gv_text_addf(out, "\n%s", thing->name);
    return out->failed ? NULL : gv_text_get(out);
}

static const char *action(const gv_thing *thing)
{
    return thing->name + strlen(COOLDOWN);
}

static void ask_for(const gv_thing *thing, gavat_op *op)
{
    if (strcmp(thing->kind, "profile") == 0)
        gavat_get_profile(op, thing->user);
    else if (strcmp(thing->kind, "session") == 0)
        gavat_get_session(op, thing->user);
    else if (strcmp(thing->kind, "cooldown") == 0)
        gavat_check_cooldown(op, thing->user, action(thing));
    else
        gavat_get_state(op, thing->user, thing->name);
}

/* The answer, into before and same. False: no memory. */
static bool take_answer(gv_thing *thing, const gavat_op *op)
{
    size_t length = 0;
    if (strcmp(thing->kind, "cooldown") == 0) {
        int64_t left = gavat_op_number(op);
        thing->there = left > 0;
        thing->same = thing->there && llabs(left - thing->expire_ms) < NEAR_MS;
        gv_text_addf(&thing->before, "{\"expire_ms\":%" PRId64 "}", left);
        return !thing->before.failed;
    }
    thing->there = true;
    const char *json = gavat_op_json(op, 0, &length);
    if (!json)
        return false;
    gv_text_add(&thing->before, json, length);
    if (strcmp(thing->kind, "profile") == 0) {
        gv_text now = {0};
        bool good = strip(&now, (gv_slice){json, length});
        thing->same = good && same_document((gv_slice){now.data, now.length}, (gv_slice){thing->after.data, thing->after.length});
        gv_text_free(&now);
        return good;
    }
    if (strcmp(thing->kind, "state") == 0)
        thing->same = strcmp(gavat_op_text(op, NULL), gv_text_get(&thing->after)) == 0;
    return !thing->before.failed;
}

bool gv_thing_look(gv_sender *sender, gv_thing *thing)
{
    uint64_t since = 0;
    for (;;) {
        gavat_op *op = gv_sender_ask(sender);
        if (!op)
            return false;
        ask_for(thing, op);
        gavat_status status = gavat_op_wait(op);
        bool absent = status == GAVAT_ENOTFOUND || status == GAVAT_ECORRUPT || status == GAVAT_EINVAL;  /* nothing that could be put back */
        bool again = !absent && gv_sender_again(sender, op, &since);
        bool good = absent || again || (status == GAVAT_OK && take_answer(thing, op));
        gavat_op_unref(op);
        if (!again)
            return good || gv_sender_no_memory(sender);
    }
}

/* Sends what `ask` submits until it has an end. *why: the store's words where it refuses for good, else NULL. False: stopped. */
static bool run(gv_sender *sender, void (*ask)(const gv_thing *, gavat_op *, const char *), const gv_thing *thing, const char *what,
                char why[GV_SOURCE_WHY])
{
    uint64_t since = 0;
    *why = '\0';
    for (;;) {
        gavat_op *op = gv_sender_ask(sender);
        if (!op)
            return false;
        ask(thing, op, what);
        gavat_status status = gavat_op_wait(op);
        bool refused = status == GAVAT_EINVAL || status == GAVAT_EREJECTED || status == GAVAT_ENOTFOUND;
        if (refused)
            snprintf(why, GV_SOURCE_WHY, "%s", gavat_op_error(op)->message);
        bool again = !refused && gv_sender_again(sender, op, &since);
        gavat_op_unref(op);
        if (!again)
            return sender->status == GAVAT_OK;
    }
}

static void put(const gv_thing *thing, gavat_op *op, const char *json)
{
    if (strcmp(thing->kind, "profile") == 0)
        gavat_put_profile(op, thing->user, json);
    else if (strcmp(thing->kind, "cooldown") == 0)
        gavat_set_cooldown(op, thing->user, action(thing), thing->expire_ms);
    else
        gavat_set_state(op, thing->user, thing->name, gv_text_get(&thing->after), thing->expire_ms);
}

bool gv_thing_write(gv_sender *sender, const gv_thing *thing, const gv_found *found)
{
    char why[GV_SOURCE_WHY];
    char *json = gv_copy_bytes(found->json.data, found->json.length);
    if (!json)
        return gv_sender_no_memory(sender);
    bool good = run(sender, put, thing, json, why);
    gv_free(json);
    if (!good)
        return false;
    if (*why) {
        found->source->records--;
        return gv_found_reject(sender->reading, found->source, found->line, "%s", why);
    }
    found->source->landed++;
    sender->landed++;
    return true;
}
