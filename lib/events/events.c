/* events.c: the public calls for events. */
#include "calls.h"

extern const gv_batch_kind gv_batch_event;

void gavat_log_event(gavat_op *op, const gavat_event *event)
{
    gv_call_store(op, GV_LOG_EVENT, &gv_events_kind, event);
}

void gavat_get_events(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_GET_EVENTS, &gv_events_kind, filter, NULL, NULL);
}

void gavat_search_events(gavat_op *op, const char *keyword, const gavat_filter *filter)
{
    if (keyword)
        gv_call_query(op, GV_SEARCH_EVENTS, &gv_events_kind, filter, keyword, NULL);
    else if (gv_op_begin(op, &gv_events_ops[GV_SEARCH_EVENTS]))
        gv_op_refuse(op, GAVAT_EINVAL, "keyword is NULL: give the text to look for, or use gavat_get_events");
}

void gavat_tail_events(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_TAIL_EVENTS, &gv_events_kind, filter, NULL, NULL);
}

void gavat_get_event_stats(gavat_op *op, const char *by, const gavat_filter *filter)
{
    static const char *const groups[] = {"type", "level", "user", "hour", "day"};
    const char *group = NULL;
    for (size_t i = 0; by && i < sizeof groups / sizeof *groups; i++)
        if (strcmp(by, groups[i]) == 0)
            group = groups[i];
    if (group || !by)
        gv_call_query(op, GV_EVENT_STATS, &gv_events_kind, filter, NULL, group);
    else if (gv_op_begin(op, &gv_events_ops[GV_EVENT_STATS]))
        gv_op_refuse(op, GAVAT_EINVAL, "by must be \"type\", \"level\", \"user\", \"hour\", \"day\" or NULL");
}

void gavat_prune_events(gavat_op *op, gavat_time before)
{
    if (!gv_op_begin(op, &gv_events_ops[GV_PRUNE]))
        return;
    if (before <= 0) {
        gv_op_refuse(op, GAVAT_EINVAL, "before must be a time after 1970: events older than it are deleted");
        return;
    }
    gv_prune_request *request = gv_op_request(op, sizeof *request);
    if (!request)
        return;
    request->before = before;
    gv_op_submit(op);
}

const gavat_event *gavat_op_event(const gavat_op *op, size_t i)
{
    return gv_call_record(op, &gv_events_kind, i);
}

gavat_status gavat_batch_add_event(gavat_batch *batch, const gavat_event *event)
{
    return gv_call_add(batch, &gv_events_kind, event);
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    return gv_call_add_json(batch, &gv_events_kind, object);
}

const gv_batch_kind gv_batch_event = {"event", GV_EVENTS, add_json};
