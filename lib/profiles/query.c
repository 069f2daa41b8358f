/* query.c: the public calls that look through all profiles. */
#include "requests.h"
#include "../base/fold.h"
#include "../base/json_query.h"
#include "../base/utf8.h"
#include "../core/client.h"
#include "../core/request.h"

#define LIMIT 100
#define LIMIT_MOST 100000
#define KEYWORD_MOST 1000       /* characters */

/* The caller's filter, with the struct's later fields empty when it is an older one. False: refused. */
static bool take_filter(gavat_op *op, const gavat_profile_filter *filter, gavat_profile_filter *own)
{
    memset(own, 0, sizeof *own);
    if (!filter)
        return true;
    if (!filter->size) {
        gv_op_refuse(op, GAVAT_EINVAL, "the filter has size 0: make it with gavat_profile_filter_init()");
        return false;
    }
    memcpy(own, filter, filter->size < sizeof *own ? filter->size : sizeof *own);
    return true;
}

static bool check_flag(gavat_op *op, const char *name, int32_t flag)
{
    if (flag >= -1 && flag <= 1)
        return true;
    gv_op_refuse(op, GAVAT_EINVAL, "filter: %s must be 1 (true), -1 (false) or 0 (any)", name);
    return false;
}

/* What it says is thrown away: the store's thread reads it again. */
static bool check_where(gavat_op *op, gv_slice where)
{
    size_t at;
    gv_arena scratch = {0};
    gv_json_query query;
    char why[GV_JSON_WHY] = "";
    const char *wrong = where.data ? gv_json_check(where, GV_JSON_DEPTH, 0, &at) : NULL;
    bool good = !wrong && gv_json_read_query(&scratch, where, &query, why);
    gv_arena_free(&scratch);
    if (wrong)
        gv_op_refuse(op, GAVAT_EINVAL, "filter: where is not JSON at byte %zu: %s", at, wrong);
    else if (!good && *why)
        gv_op_refuse(op, GAVAT_EINVAL, "filter: where: %s", why);
    else if (!good)
        gv_op_refuse(op, GAVAT_ENOMEM, "no memory for the filter");
    return good;
}

static bool check_filter(gavat_op *op, const gavat_profile_filter *filter)
{
    if (!check_flag(op, "is_active", filter->is_active) || !check_flag(op, "autospam", filter->autospam))
        return false;
    if (filter->type && !gv_utf8_valid(filter->type, strlen(filter->type)))
        gv_op_refuse(op, GAVAT_EINVAL, "filter: type is not valid UTF-8");
    else if (filter->cursor && !gv_profile_cursor_read(filter->cursor))
        gv_op_refuse(op, GAVAT_EINVAL, "filter: this cursor is not one that a page of profiles gave");
    else
        return check_where(op, gv_slice_of(filter->where));
    return false;
}

static bool check_keyword(gavat_op *op, const char *keyword)
{
    size_t characters = gv_utf8_count(keyword, strlen(keyword));
    if (characters == SIZE_MAX)
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is not valid UTF-8");
    else if (characters > KEYWORD_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is longer than %d characters", KEYWORD_MOST);
    else
        return true;
    return false;
}

static void submit_query(gavat_op *op, const gavat_profile_filter *filter, const char *keyword)
{
    gavat_profile_filter own;
    if (!take_filter(op, filter, &own) || !check_filter(op, &own) || (keyword && !check_keyword(op, keyword)))
        return;
    const char *after = own.cursor ? gv_profile_cursor_read(own.cursor) : NULL;
    size_t size = gv_call_sum(sizeof(gv_profile_query), gv_call_room(own.type));
    size = gv_call_sum(gv_call_sum(size, gv_call_room(own.where)), gv_call_room(after));
    size = gv_call_sum(size, keyword ? strlen(keyword) * GV_FOLD_GROWTH + 1 : 0);      /* KEYWORD_MOST was checked */
    gv_profile_query *query = gv_op_request(op, size);
    if (!query)
        return;
    char *at = (char *)(query + 1);
    query->type = gv_call_put(&at, own.type);
    query->where = gv_slice_of(gv_call_put(&at, own.where));
    query->after = gv_call_put(&at, after);
    query->is_active = own.is_active;
    query->autospam = own.autospam;
    query->limit = own.limit && own.limit < LIMIT_MOST ? own.limit : own.limit ? LIMIT_MOST : LIMIT;
    query->max_bytes = own.max_bytes ? own.max_bytes : op->client->page_bytes;
    if (keyword) {
        query->keyword.data = at;
        query->keyword.length = gv_fold(keyword, strlen(keyword), at);
    }
    gv_op_submit(op);
}

void gavat_get_profiles(gavat_op *op, const gavat_profile_filter *filter)
{
    if (gv_op_begin(op, &gv_profiles_ops[GV_GET_PROFILES]))
        submit_query(op, filter, NULL);
}

void gavat_search_profiles(gavat_op *op, const char *keyword, const gavat_profile_filter *filter)
{
    if (!gv_op_begin(op, &gv_profiles_ops[GV_SEARCH_PROFILES]))
        return;
    if (keyword)
        submit_query(op, filter, keyword);
    else
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is NULL: give the text to look for, or use gavat_get_profiles");
}

void gavat_watch_profiles(gavat_op *op, const char *token)
{
    if (!gv_op_begin(op, &gv_profiles_ops[GV_WATCH_PROFILES]))
        return;
    if (token && (strncmp(token, "w1:", 3) != 0 || strlen(token) < 3 + 36 + 2 || token[3 + 36] != ':')) {
        gv_op_refuse(op, GAVAT_EINVAL, "this token is not one that watch_profiles gave");
        return;
    }
    gv_watch_request *request = gv_op_request(op, gv_call_sum(sizeof *request, gv_call_room(token)));
    if (!request)
        return;
    char *at = (char *)(request + 1);
    request->token = gv_call_put(&at, token);
    gv_op_submit(op);
}

void gavat_get_profile_stats(gavat_op *op)
{
    if (gv_op_begin(op, &gv_profiles_ops[GV_PROFILE_STATS]))
        gv_op_submit(op);
}
