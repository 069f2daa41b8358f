/* check.c: what gavatctl doctor and gavatctl schema say of the server. */
#include "redis.h"
#include "../../core/check.h"
#include <stdio.h>
#include <stdlib.h>

/* --- doctor --- */

typedef struct check {
    uint64_t started;
} check;

/* The value behind NAME: in an answer of INFO, in out. False: it is not there. */
static bool find(const char *info, const char *name, char *out, size_t room)
{
    char line[64];
    snprintf(line, sizeof line, "\n%s:", name);
    const char *found = strstr(info, line);
    *out = '\0';
    if (!found)
        return false;
    found += strlen(line);
    snprintf(out, room, "%.*s", (int)strcspn(found, "\r\n"), found);
    return true;
}

static int64_t find_number(const char *info, const char *name)
{
    char text[32];
    return find(info, name, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
}

static void check_memory(gavat_op *op, const char *info)
{
    char figure[80], policy[40];
    int64_t used = find_number(info, "used_memory"), most = find_number(info, "maxmemory");
    find(info, "maxmemory_policy", policy, sizeof policy);
    bool full = most && used / 9 * 10 > most, evicts = strcmp(policy, "noeviction") != 0;
    snprintf(figure, sizeof figure, most ? "%lld of %lld MiB" : "%lld MiB, no bound", (long long)(used >> 20), (long long)(most >> 20));
    gv_check_add(op, "memory", full ? "warn" : "ok", figure, full ? "it is nearly full: raise maxmemory" : "");
    gv_check_add(op, "eviction", evicts ? "warn" : "ok", policy,
                 evicts ? "limits, cooldowns and conversations may vanish when memory is short: set maxmemory-policy noeviction" : "");
}

static void check_persistence(gavat_op *op, const char *info)
{
    char status[24];
    bool log = find_number(info, "aof_enabled") == 1;
    find(info, "aof_last_write_status", status, sizeof status);
    bool good = log && strcmp(status, "ok") == 0;
    gv_check_add(op, "persistence", good ? "ok" : "warn", !log ? "no append-only file" : good ? "append-only file" : "the last write failed",
                 !log ? "a restart loses what was written since the last snapshot: set appendonly yes" : good ? "" : "look at the server's log");
}

static void take_info(gavat_op *op, const char *info, uint64_t started)
{
    char figure[80], version[24], role[16];
    find(info, "redis_version", version, sizeof version);
    find(info, "role", role, sizeof role);
    snprintf(figure, sizeof figure, "Redis %s, %s", version, role);
    gv_check_add(op, "open", "ok", figure, "");
    check_memory(op, info);
    check_persistence(op, info);
    snprintf(figure, sizeof figure, "%lld", (long long)find_number(info, "connected_slaves"));
    gv_check_add(op, "replicas", "ok", figure, "");
    snprintf(figure, sizeof figure, "%.1f ms", (double)(gv_clock_steady() - started) / 1e6);
    gv_check_add(op, "round trip", "ok", figure, "");
}

static void write_check(gv_redis_call *call, gv_redis_words *words)
{
    check *at = call->more;
    at->started = gv_clock_steady();
    gv_redis_adds(words, "INFO");
}

static void take_check(gv_redis_call *call, const redisReply *reply)
{
    const check *at = call->more;
    gv_op_succeed(call->op, GAVAT_REACHED_NONE);
    if (reply->type == REDIS_REPLY_STRING)
        take_info(call->op, reply->str, at->started);
    bool adopted = call->self->adopted;
    gv_check_add(call->op, "index", adopted ? "ok" : "warn", adopted ? "complete" : "being made", adopted ? "" : "lists of keys wait for it");
    gv_redis_finish(call);
}

static void fail_check(gv_redis_call *call, const gv_redis_failure *failure)
{
    gavat_op *op = call->op;
    gv_op_drop_result(op);
    op->staged.number = 0;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_check_add(op, "open", "fail", op->store->shown, failure->text);
    gv_redis_finish(call);
}

static const gv_redis_kind check_kind = {write_check, take_check, fail_check};

void gv_redis_start_check(gv_redis *self, gavat_op *op)
{
    gv_redis_call *call = gv_redis_call_new(self, &check_kind, op, sizeof(check));
    if (call)
        gv_redis_submit(call);
}

/* --- schema --- */

static void write_version(gv_redis_call *call, gv_redis_words *words)
{
    (void)call;
    gv_redis_adds(words, "GET");
    gv_redis_adds(words, GV_REDIS_MARKER);
}

static void take_version(gv_redis_call *call, const redisReply *reply)
{
    gavat_op *op = call->op;
    bool there = reply->type == REDIS_REPLY_STRING;
    long version = there ? strtol(reply->str, NULL, 10) : 0, wanted = strtol(GV_REDIS_VERSION, NULL, 10);
    gv_text json = {0};
    gv_text_addf(&json, "{\"store\":\"state\",\"version\":%ld,\"wanted\":%ld,\"steps\":[%s],\"state\":\"%s\"}", version, wanted,
                 there ? "" : "\"index of keys by user\"", version > wanted ? "too new" : there ? "up to date" : "to be upgraded");
    gv_result *result = gv_op_result(op);
    if (result && !json.failed && gv_result_add_json(result, &json))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&json);
    gv_redis_finish(call);
}

static const gv_redis_kind version_kind = {write_version, take_version, gv_redis_fail_call};

void gv_redis_start_schema(gv_redis *self, gavat_op *op)
{
    if (op->kind->place == GV_SCHEMA_STATE) {
        gv_redis_call *call = gv_redis_call_new(self, &version_kind, op, 0);
        if (call)
            gv_redis_submit(call);
        return;
    }
    if (gv_op_take(op))
        gv_redis_start_upgrade(self, op);
    else
        gv_op_finish(op);
}
