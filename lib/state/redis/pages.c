/* pages.c: pages of all keys, and walks over one key of many users. */
#include "redis.h"
#include "../give.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SLICE 500

/* What all keys of users that begin so match; key "": all of theirs. */
static void add_match(gv_text *out, const gv_redis *self, const char *prefix, const char *key)
{
    gv_text_adds(out, self->tagged ? "gavatcore:user:{" : "gavatcore:user:");
    for (; *prefix; prefix++) {
        if (strchr("*?[]\\", *prefix))
            gv_text_addc(out, '\\');
        gv_text_addc(out, *prefix);
    }
    gv_text_adds(out, self->tagged ? "*}:" : "*:");
    gv_text_adds(out, *key ? key : "*");
}

/* A scan in memory of `size` bytes, for an op that nobody else has begun. NULL: it has ended. */
static gv_redis_scan *begin(gv_redis *self, gavat_op *op, size_t size)
{
    gv_redis_scan *scan = NULL;
    if (gv_op_take(op) && gv_op_fits(op)) {
        scan = gv_alloc_zero(size);
        if (!scan)
            gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "state: no memory to ask the store");
    }
    if (!scan) {
        gv_op_finish(op);
        return NULL;
    }
    scan->self = self;
    scan->op = op;
    scan->slice = SLICE;
    memcpy(scan->cursor, "0", 2);
    return scan;
}

/* --- pages: the cursor is Redis's own, and the keys of its slice that had no room --- */

typedef struct page {
    gv_redis_scan scan;
    gv_text left;               /* keys, each as "LENGTH:KEY" */
} page;

static bool is_full(const gavat_op *op)
{
    const gv_state_request *request = op->request;
    const gv_result *result = op->staged.result;
    return result && result->count && (result->count >= request->limit || result->arena.bytes >= op->client->page_bytes);
}

static void take_key(gv_redis_scan *scan, const char *user, const char *part, const redisReply *reply)
{
    page *at = (page *)scan;
    if (is_full(scan->op)) {
        size_t before = scan->self->scratch.length;
        gv_redis_words words = {.self = scan->self, .text = &scan->self->scratch};
        gv_redis_add_key(&words, user, part);           /* "$LENGTH\r\nKEY\r\n" */
        gv_text_add(&at->left, gv_text_get(words.text) + before, words.text->length - before);
        gv_text_clear(&scan->self->scratch);
    } else if (scan->op->staged.error.status == GAVAT_OK && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        gv_redis_give(scan->op, user, part, reply->element[0], strtoll(reply->element[1]->str, NULL, 10));
    }
}

/* No more keys than there is room for, or nearly: those that have none make the cursor longer. */
static void fit_slice(gv_redis_scan *scan)
{
    const gv_state_request *request = scan->op->request;
    size_t count = scan->op->staged.result ? scan->op->staged.result->count : 0;
    size_t room = request->limit > count ? request->limit - count : 1;
    scan->slice = room < SLICE ? (uint32_t)room : SLICE;
}

static bool wants_more(gv_redis_scan *scan)
{
    fit_slice(scan);
    return scan->op->staged.error.status == GAVAT_OK && !is_full(scan->op);
}

static void end_page(gv_redis_scan *scan)
{
    page *at = (page *)scan;
    gavat_op *op = scan->op;
    char cursor[32];
    bool more = at->left.length || strcmp(scan->cursor, "0") != 0;
    if (!scan->failed && op->staged.error.status == GAVAT_OK && more) {
        snprintf(cursor, sizeof cursor, "scan:%s", scan->cursor);
        if (at->left.failed || !gv_state_set_cursor(op, cursor, gv_text_get(&at->left)))
            gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the cursor");
    }
    gv_text_free(&at->left);
    gv_redis_scan_finish(scan);
}

/* The keys that had no room in the page before. False: not as we wrote them. */
static bool ask_for_left(gv_redis_scan *scan, const char *left)
{
    while (*left) {
        char *end;
        size_t length = *left == '$' ? strtoul(left + 1, &end, 10) : 0;
        if (!length || strncmp(end, "\r\n", 2) != 0 || strlen(end + 2) < length + 2)
            return false;
        gv_redis_scan_key(scan, (gv_slice){end + 2, length});
        left = end + 2 + length + 2;
    }
    return true;
}

void gv_redis_start_page(gv_redis *self, gavat_op *op)
{
    const gv_state_request *request = op->request;
    page *at = (page *)begin(self, op, sizeof *at);
    if (!at)
        return;
    gv_redis_scan *scan = &at->scan;
    gv_text_adds(&scan->match, "gavatcore:*");
    scan->source = gv_redis_any;
    scan->take = take_key;
    scan->more = wants_more;
    scan->ended = end_page;
    fit_slice(scan);
    bool good = true;
    if (request->after_user) {
        const char *cursor = request->after_user;
        good = strncmp(cursor, "scan:", 5) == 0 && strlen(cursor + 5) < sizeof scan->cursor && cursor[5 + strspn(cursor + 5, "0123456789")] == '\0';
        if (good)
            snprintf(scan->cursor, sizeof scan->cursor, "%s", cursor + 5);
        scan->outstanding++;    /* nothing ends before all have been asked for */
        good = good && ask_for_left(scan, request->after_key);
        scan->outstanding--;
    }
    if (!good && !scan->outstanding)
        gv_op_fail(op, GAVAT_EINVAL, 0, "", "this cursor is not one that gavat_scan_state gave on Redis");
    if (!good && !scan->outstanding)
        end_page(scan);
    else if (!scan->outstanding)
        gv_redis_scan_next(scan);
}

/* --- walks --- */

typedef struct walk {
    gv_redis_scan scan;
    gv_walk_page page;
    gavat_time now;
} walk;

static void take_user(gv_redis_scan *scan, const char *user, const char *part, const redisReply *reply)
{
    walk *at = (walk *)scan;
    const gv_walk_request *request = scan->op->request;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 5 || strcmp(part, request->rule->key) != 0)
        return;
    const redisReply *value = reply->element[2], *left = reply->element[3];
    at->now = strtoll(reply->element[1]->str, NULL, 10);
    if (value->type != REDIS_REPLY_STRING || strncmp(user, request->prefix, strlen(request->prefix)) != 0)
        return;
    gv_walk_item item = {user, value->str, value->len, (strtoll(left->str, NULL, 10) + 999) / 1000};
    gavat_time due = request->rule->due ? request->rule->due(request->arguments, at->now, &item) : 0;
    if (request->rule->due && !due)
        return;
    if (!gv_walk_offer(&at->page, &item, due)) {
        scan->failed = true;
        scan->failure = (gv_redis_failure){.status = GAVAT_ENOMEM, .flags = GAVAT_ERROR_RETRY, .text = "no memory for the page"};
    }
}

static void end_walk(gv_redis_scan *scan)
{
    walk *at = (walk *)scan;
    if (!scan->failed && !gv_walk_give(&at->page, scan->op, at->now))
        gv_op_fail(scan->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the page");
    gv_walk_free(&at->page);
    gv_redis_scan_finish(scan);
}

void gv_redis_start_walk(gv_redis *self, gavat_op *op)
{
    const gv_walk_request *request = op->request;
    walk *at = (walk *)begin(self, op, sizeof *at);
    if (!at)
        return;
    at->page.request = request;
    add_match(&at->scan.match, self, request->prefix, request->rule->key);
    at->scan.source = gv_redis_look;
    at->scan.take = take_user;
    at->scan.ended = end_walk;
    gv_redis_scan_next(&at->scan);
}
