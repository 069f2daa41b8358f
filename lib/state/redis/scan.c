/* scan.c: through all keys of the store. */
#include "redis.h"
#include <stdio.h>

typedef struct item {           /* of a call for one key; its text is behind it */
    gv_redis_scan *scan;
    const char *user, *part;
} item;

static gv_redis_scan *scan_of(const gv_redis_call *call)
{
    return *(gv_redis_scan **)call->more;
}

static void step_on(gv_redis_scan *scan)
{
    if (scan->outstanding)
        return;
    bool last = strcmp(scan->cursor, "0") == 0 || (scan->op && !gv_op_wanted(scan->op));
    if (scan->failed || last || (scan->more && !scan->more(scan)))
        scan->ended(scan);
    else
        gv_redis_scan_next(scan);
}

static void fail(gv_redis_call *call, const gv_redis_failure *failure)
{
    gv_redis_scan *scan = scan_of(call);
    scan->outstanding--;
    scan->failed = true;
    scan->failure = *failure;
    gv_redis_call_free(call);
    step_on(scan);
}

static void fail_memory(gv_redis_scan *scan)
{
    scan->failed = true;
    scan->failure = (gv_redis_failure){.status = GAVAT_ENOMEM, .flags = GAVAT_ERROR_RETRY, .text = "no memory"};
}

/* --- one key --- */

static void write_item(gv_redis_call *call, gv_redis_words *words)
{
    const item *at = call->more;
    gv_redis_add_script(words, call, at->scan->source, at->user, &at->part, 1);
    if (at->scan->ask)
        at->scan->ask(at->scan, at->user, at->part, words);
}

static void take_item(gv_redis_call *call, const redisReply *reply)
{
    const item *at = call->more;
    gv_redis_scan *scan = at->scan;
    scan->outstanding--;
    if (!scan->failed && (!scan->op || gv_op_wanted(scan->op)))
        scan->take(scan, at->user, at->part, reply);
    gv_redis_call_free(call);
    step_on(scan);
}

static const gv_redis_kind item_kind = {write_item, take_item, fail};

void gv_redis_scan_key(gv_redis_scan *scan, gv_slice key)
{
    size_t size;
    gv_redis_call *call = gv_add_size(sizeof(item), key.length + 2, &size) ? gv_redis_call_new(scan->self, &item_kind, NULL, size) : NULL;
    if (!call) {
        fail_memory(scan);
        return;
    }
    item *at = call->more;
    at->scan = scan;
    if (!gv_redis_split(scan->self, key, (char *)(at + 1), &at->user, &at->part)) {
        gv_redis_call_free(call);
        return;
    }
    scan->outstanding++;
    gv_redis_submit(call);
}

/* --- a slice --- */

static void write_scan(gv_redis_call *call, gv_redis_words *words)
{
    gv_redis_scan *scan = scan_of(call);
    gv_redis_adds(words, "SCAN");
    gv_redis_adds(words, scan->cursor);
    gv_redis_adds(words, "MATCH");
    gv_redis_add(words, gv_text_get(&scan->match), scan->match.length);
    gv_redis_adds(words, "COUNT");
    gv_redis_add_number(words, scan->slice);
}

static void take_scan(gv_redis_call *call, const redisReply *reply)
{
    gv_redis_scan *scan = scan_of(call);
    const redisReply *keys = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[1] : NULL;
    if (keys && keys->type == REDIS_REPLY_ARRAY && reply->element[0]->type == REDIS_REPLY_STRING) {
        snprintf(scan->cursor, sizeof scan->cursor, "%s", reply->element[0]->str);
        for (size_t i = 0; i < keys->elements && !scan->failed; i++)
            gv_redis_scan_key(scan, (gv_slice){keys->element[i]->str, keys->element[i]->len});
    } else {
        scan->failed = true;
        scan->failure = (gv_redis_failure){.status = GAVAT_EIO, .text = "an answer that is not understood"};
    }
    scan->outstanding--;
    gv_redis_call_free(call);
    step_on(scan);
}

static const gv_redis_kind scan_kind = {write_scan, take_scan, fail};

void gv_redis_scan_next(gv_redis_scan *scan)
{
    gv_redis_call *call = scan->match.failed || scan->failed ? NULL : gv_redis_call_new(scan->self, &scan_kind, NULL, sizeof scan);
    if (!call) {
        if (!scan->failed)
            fail_memory(scan);
        scan->ended(scan);
        return;
    }
    memcpy(call->more, &scan, sizeof scan);
    scan->outstanding++;
    gv_redis_submit(call);
}

void gv_redis_scan_finish(gv_redis_scan *scan)
{
    gavat_op *op = scan->op;
    if (scan->failed) {
        gv_op_drop_result(op);
        gv_redis_fail(op, &scan->failure, 0);
    } else if (op->staged.error.status == GAVAT_OK) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    }
    gv_text_free(&scan->match);
    gv_free(scan);
    gv_op_finish(op);
}
