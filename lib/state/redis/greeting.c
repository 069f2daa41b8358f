/* greeting.c: what a new connection says first: who it is, which database it means, what scripts it will use; and whether the store is still
 * the one it was. */
#include "redis.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define VERSION_LEAST 70000

/* --- one answer after the other --- */

static void fail_part(gv_redis_call *call, const gv_redis_failure *failure)
{
    (void)failure;
    gv_redis_call_free(call);
}

static void refuse(gv_redis_node *node, const char *why)
{
    if (node->doomed)
        return;
    node->doomed = true;
    node->why = (gv_redis_failure){.status = GAVAT_EUNAVAIL, .final = true};
    snprintf(node->why.text, sizeof node->why.text, "%s", why);
    gv_redis_hand_out(node->self);
}

/* An error ends the attempt. */
static bool passed(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_node *node = call->node;
    node->greetings--;
    if (reply->type != REDIS_REPLY_ERROR)
        return true;
    if (!node->doomed) {
        node->doomed = true;
        gv_redis_describe(&node->why, reply);
        gv_redis_hand_out(node->self);
    }
    return false;
}

static void reply_plain(gv_redis_call *call, const redisReply *reply)
{
    passed(call, reply);
    gv_redis_call_free(call);
}

static void write_auth(gv_redis_call *call, gv_redis_words *words)
{
    const gv_redis *self = call->self;
    gv_redis_adds(words, "AUTH");
    if (self->user)
        gv_redis_adds(words, self->user);
    gv_redis_adds(words, self->password ? self->password : "");
}

static void write_select(gv_redis_call *call, gv_redis_words *words)
{
    gv_redis_adds(words, "SELECT");
    gv_redis_add_number(words, call->self->database);
}

static void write_name(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "CLIENT");
    gv_redis_adds(words, "SETNAME");
    gv_redis_adds(words, "gavatcore");
}

/* It may be forbidden, and does no harm then. */
static void reply_name(gv_redis_call *call, const redisReply *reply)
{
    (void)reply;
    call->node->greetings--;
    gv_redis_call_free(call);
}

static void write_info(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "INFO");
    gv_redis_adds(words, "server");
}

/* The value behind NAME: in an answer of INFO. */
static bool find_info(const redisReply *reply, const char *name, char *out, size_t room)
{
    const char *found = reply->str ? strstr(reply->str, name) : NULL;
    if (!found)
        return false;
    found += strlen(name);
    snprintf(out, room, "%.*s", (int)strcspn(found, "\r\n"), found);
    return true;
}

static void reply_info(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_node *node = call->node;
    char version[24], id[sizeof node->run_id];
    if (passed(call, reply)) {
        int major = 0, minor = 0, patch = 0;
        if (find_info(reply, "redis_version:", version, sizeof version) && sscanf(version, "%d.%d.%d", &major, &minor, &patch) >= 2)
            node->version = (int64_t)major * 10000 + minor * 100 + patch;
        if (find_info(reply, "run_id:", id, sizeof id))
            memcpy(node->run_id, id, sizeof id);
        if (node->version < VERSION_LEAST)
            refuse(node, "this is no Redis of version 7 or later");
    }
    gv_redis_call_free(call);
}

static void write_role(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "ROLE");
}

static void reply_role(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_node *node = call->node;
    if (passed(call, reply)) {
        const redisReply *role = reply->type == REDIS_REPLY_ARRAY && reply->elements ? reply->element[0] : NULL;
        if (!role || role->type != REDIS_REPLY_STRING || strcmp(role->str, "master") != 0) {
            refuse(node, "this server is a replica: name the master in REDIS_URL");
            node->why.final = false;
        }
    }
    gv_redis_call_free(call);
}

static void write_load(gv_redis_call *call, gv_redis_words *words)
{
    gv_redis_script *const *script = call->more;
    gv_redis_adds(words, "SCRIPT");
    gv_redis_adds(words, "LOAD");
    gv_redis_add_source(words, (*script)->source);
}

static void reply_load(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_script *const *script = call->more;
    if (passed(call, reply) && reply->type == REDIS_REPLY_STRING && reply->len == 40)
        memcpy((*script)->sha, reply->str, 41);
    gv_redis_call_free(call);
}

/* --- the marker: whether what is here is what we left --- */

static void write_marker(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "GET");
    gv_redis_adds(words, GV_REDIS_MARKER);
}

static void note_marker(gv_redis *self, const redisReply *reply)
{
    bool there = reply->type == REDIS_REPLY_STRING;
    self->marker_at = gv_clock_steady();
    if (!there && self->marked) {
        gv_log(self->store->client, GAVAT_LOG_ERROR, "state", "%s is empty: it was flushed, or came back without its data. Cooldowns, "
               "limits and conversations begin anew", self->store->shown);
        self->adopted = false;
    }
    self->marked = there;
    self->adopted = there;
    if (!there && !self->adopting)
        gv_redis_adopt_all(self);
}

static void reply_marker(gv_redis_call *call, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        note_marker(call->self, reply);
    gv_redis_call_free(call);
}

static const gv_redis_kind marker_kind = {write_marker, reply_marker, fail_part};

void gv_redis_look_for_marker(gv_redis *self)
{
    gv_redis_call *call = gv_redis_call_new(self, &marker_kind, NULL, 0);
    self->marker_at = gv_clock_steady();
    if (call)
        gv_redis_submit(call);
}

static void reply_last(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_node *node = call->node;
    if (passed(call, reply) && !node->doomed) {
        note_marker(call->self, reply);
        gv_redis_greeted(node);
    }
    gv_redis_call_free(call);
}

static const gv_redis_kind auth_kind = {write_auth, reply_plain, fail_part}, select_kind = {write_select, reply_plain, fail_part},
                           name_kind = {write_name, reply_name, fail_part}, info_kind = {write_info, reply_info, fail_part},
                           role_kind = {write_role, reply_role, fail_part}, load_kind = {write_load, reply_load, fail_part},
                           last_kind = {write_marker, reply_last, fail_part};

static bool say(gv_redis_node *node, const gv_redis_kind *kind, gv_redis_script *script)
{
    gv_redis_call *call = gv_redis_call_new(node->self, kind, NULL, script ? sizeof script : 0);
    if (!call)
        return false;
    if (script)
        memcpy(call->more, &script, sizeof script);
    node->greetings++;
    gv_redis_send(node, call);
    return true;
}

void gv_redis_greet(gv_redis_node *node)
{
    static const char *const own[] = {gv_redis_put, gv_redis_get, gv_redis_remove, gv_redis_all, gv_redis_clear, gv_redis_push,
                                      gv_redis_range, gv_redis_look, gv_redis_swap, gv_redis_adopt};
    gv_redis *self = node->self;
    bool good = true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        gv_redis_find_script(self, own[i]);
    node->version = 0;
    if (self->password)
        good = say(node, &auth_kind, NULL);
    if (self->database)
        good = good && say(node, &select_kind, NULL);
    good = good && say(node, &name_kind, NULL) && say(node, &info_kind, NULL) && say(node, &role_kind, NULL);
    for (size_t i = 0; i < self->script_count; i++)
        good = good && say(node, &load_kind, &self->scripts[i]);
    good = good && say(node, &last_kind, NULL);
    if (!good)
        refuse(node, "no memory to speak to the server");
    node->heard_at = gv_clock_steady();
    gv_redis_flush(node);
}
