/* query.c: the public filter becomes what a store is asked: checked, with all its texts in the op's request. */
#include "calls.h"
#include "../base/base64.h"
#include "../base/fold.h"
#include "../base/utf8.h"
#include "../core/client.h"

#define LIMIT 100
#define LIMIT_MOST 100000
#define KEYWORD_MOST 1000       /* characters */

/* By kind of record and GV_BY_…; NULL: it does not have it. */
static const char *column_of(const gv_record_kind *kind, unsigned by)
{
    static const char *const events[GV_BY_COUNT] = {
        [GV_BY_USER] = "user_id", [GV_BY_USERNAME] = "username", [GV_BY_TYPE] = "event_type", [GV_BY_LEVEL] = "level",
    };
    static const char *const sales[GV_BY_COUNT] = {
        [GV_BY_USER] = "user_id", [GV_BY_TYPE] = "product_type", [GV_BY_STATUS] = "payment_status",
        [GV_BY_BOT] = "bot_username",
    };
    static const char *const messages[GV_BY_COUNT] = {
        [GV_BY_USER] = "target_id", [GV_BY_TYPE] = "message_type", [GV_BY_BOT] = "bot_username",
    };
    static const char *const sessions[GV_BY_COUNT] = {
        [GV_BY_USER] = "user_id", [GV_BY_USERNAME] = "username", [GV_BY_TYPE] = "bot_type",
    };
    if (by >= GV_BY_COUNT)
        return NULL;
    if (kind == &gv_events_kind)
        return events[by];
    if (kind == &gv_sales_kind)
        return sales[by];
    return kind == &gv_messages_kind ? messages[by] : sessions[by];
}

const gv_field *gv_filter_field(const gv_record_kind *kind, unsigned by)
{
    const char *column = column_of(kind, by);
    for (size_t i = 0; column && i < kind->count; i++)
        if (strcmp(kind->fields[i].name, column) == 0)
            return &kind->fields[i];
    return NULL;
}

/* The caller's filter, with the struct's later fields empty when it is an older one. False: refused. */
static bool take_filter(gavat_op *op, const gavat_filter *filter, gavat_filter *own)
{
    memset(own, 0, sizeof *own);
    if (!filter)
        return true;
    if (!filter->size) {
        gv_op_refuse(op, GAVAT_EINVAL, "the filter has size 0: make it with gavat_filter_init()");
        return false;
    }
    memcpy(own, filter, filter->size < sizeof *own ? filter->size : sizeof *own);
    return true;
}

static const char *by_of(const gavat_filter *filter, unsigned by)
{
    const char *const texts[GV_BY_COUNT] = {
        [GV_BY_USER] = filter->user_id, [GV_BY_USERNAME] = filter->username, [GV_BY_TYPE] = filter->type,
        [GV_BY_LEVEL] = filter->level, [GV_BY_STATUS] = filter->status, [GV_BY_BOT] = filter->bot_username,
    };
    return texts[by];
}

static bool check_texts(gavat_op *op, const gv_record_kind *kind, const gavat_filter *filter)
{
    static const char *const names[GV_BY_COUNT] = {
        [GV_BY_USER] = "user_id", [GV_BY_USERNAME] = "username", [GV_BY_TYPE] = "type",
        [GV_BY_LEVEL] = "level", [GV_BY_STATUS] = "status", [GV_BY_BOT] = "bot_username",
    };
    for (unsigned by = 0; by < GV_BY_COUNT; by++) {
        const char *text = by_of(filter, by);
        if (!text)
            continue;
        if (!column_of(kind, by)) {
            gv_op_refuse(op, GAVAT_EINVAL, "filter: %s does not apply to %ss", names[by], kind->shape.name);
            return false;
        }
        if (!gv_utf8_valid(text, strlen(text))) {
            gv_op_refuse(op, GAVAT_EINVAL, "filter: %s is not valid UTF-8", names[by]);
            return false;
        }
    }
    return true;
}

static bool check_flag(gavat_op *op, const char *name, int32_t flag, bool applies, const gv_record_kind *kind)
{
    if (flag < -1 || flag > 1)
        gv_op_refuse(op, GAVAT_EINVAL, "filter: %s must be 1 (true), -1 (false) or 0 (any)", name);
    else if (flag && !applies)
        gv_op_refuse(op, GAVAT_EINVAL, "filter: %s does not apply to %ss", name, kind->shape.name);
    else
        return true;
    return false;
}

static bool is_total(gv_events_place place)
{
    return place == GV_EVENT_STATS || place == GV_SALE_STATS || place == GV_MESSAGE_STATS;
}

static bool check_filter(gavat_op *op, gv_events_place place, const gv_record_kind *kind, const gavat_filter *filter)
{
    if (!check_texts(op, kind, filter) || !check_flag(op, "success", filter->success, kind == &gv_messages_kind, kind)
        || !check_flag(op, "is_active", filter->is_active, kind == &gv_sessions_kind, kind))
        return false;
    if (filter->cursor && is_total(place)) {
        gv_op_refuse(op, GAVAT_EINVAL, "filter: cursor does not apply to totals");
        return false;
    }
    if (filter->until && place == GV_TAIL_EVENTS) {
        gv_op_refuse(op, GAVAT_EINVAL, "filter: until does not apply to a tail");
        return false;
    }
    return true;
}

static bool check_keyword(gavat_op *op, const char *keyword)
{
    if (!keyword)
        return true;
    size_t characters = gv_utf8_count(keyword, strlen(keyword));
    if (characters == SIZE_MAX)
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is not valid UTF-8");
    else if (characters > KEYWORD_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is longer than %d characters", KEYWORD_MOST);
    else
        return true;
    return false;
}

static size_t measure(const gavat_filter *filter, const char *keyword)
{
    size_t size = gv_call_sum(sizeof(gv_query), gv_call_room(filter->cursor));
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        size = gv_call_sum(size, gv_call_room(by_of(filter, by)));
    /* KEYWORD_MOST was checked: the product is small. */
    return gv_call_sum(size, keyword ? strlen(keyword) * GV_FOLD_GROWTH + 1 : 0);
}

static void set_bounds(gv_query *query, const gavat *g, const gavat_filter *filter)
{
    query->flag = query->kind == &gv_messages_kind ? filter->success : filter->is_active;
    query->since = filter->since;
    query->until = filter->until;
    query->limit = filter->limit ? filter->limit : LIMIT;
    if (query->limit > LIMIT_MOST)
        query->limit = LIMIT_MOST;
    query->max_bytes = filter->max_bytes ? filter->max_bytes : g->page_bytes;
}

/* Into the memory behind the request. False: refused. */
static bool take_cursor(gavat_op *op, gv_query *query, const char *cursor, char *memory)
{
    size_t length = 0;
    if (op->kind->place != GV_TAIL_EVENTS) {
        if (gv_position_parse(cursor, query->kind, memory, &query->after))
            return true;
        gv_op_refuse(op, GAVAT_EINVAL, "filter: this cursor is not one that a page of %ss gave", query->kind->shape.name);
        return false;
    }
    bool good = gv_base64_decode(cursor, memory, &length) && length > 0 && memory[length - 1] == '\0';
    if (!good)
        gv_op_refuse(op, GAVAT_EINVAL, "filter: this cursor is not one that a tail gave");
    query->cursor = memory;
    return good;
}

void gv_call_query(gavat_op *op, gv_events_place place, const gv_record_kind *kind, const gavat_filter *filter,
                   const char *keyword, const char *group)
{
    gavat_filter own;
    if (!gv_op_begin(op, &gv_events_ops[place]) || !take_filter(op, filter, &own)
        || !check_filter(op, place, kind, &own) || !check_keyword(op, keyword))
        return;
    gv_query *query = gv_op_request(op, measure(&own, keyword));
    if (!query)
        return;
    char *at = (char *)(query + 1);
    query->kind = kind;
    query->group = group;
    set_bounds(query, op->client, &own);
    for (unsigned by = 0; by < GV_BY_COUNT; by++)
        query->by[by] = gv_call_put(&at, by_of(&own, by));
    if (own.cursor && !take_cursor(op, query, own.cursor, at))
        return;
    at += gv_call_room(own.cursor);
    if (keyword) {
        query->keyword.data = at;
        query->keyword.length = gv_fold(keyword, strlen(keyword), at);
    }
    gv_op_submit(op);
}
