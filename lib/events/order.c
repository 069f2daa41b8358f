#include "requests.h"

const char *gv_events_owner(const gavat_op *op)
{
    switch (op->kind->place) {
    case GV_LOG_EVENT: case GV_LOG_SALE: case GV_LOG_MESSAGE: case GV_SET_SESSION: {
        const gv_log_request *request = op->request;
        return gv_field_text(request->record, request->kind->owner);
    }
    case GV_CLOSE_SESSION: case GV_GET_SESSION:
        return ((const gv_session_request *)op->request)->user_id;
    case GV_GET_EVENTS: case GV_GET_SALES: case GV_GET_SESSIONS:
        return ((const gv_query *)op->request)->by[GV_BY_USER];
    case GV_GET_MESSAGES:
        return ((const gv_query *)op->request)->by[GV_BY_BOT];
    default:
        return NULL;
    }
}

unsigned gv_events_bucket(const char *owner)
{
    return (unsigned)(gv_slice_hash(gv_slice_of(owner)) % GV_EVENTS_BUCKETS);
}
