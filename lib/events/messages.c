/* messages.c: the public calls for messages. */
#include "calls.h"

extern const gv_batch_kind gv_batch_message;

void gavat_log_message(gavat_op *op, const gavat_message *message)
{
    gv_call_store(op, GV_LOG_MESSAGE, &gv_messages_kind, message);
}

void gavat_get_messages(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_GET_MESSAGES, &gv_messages_kind, filter, NULL, NULL);
}

void gavat_get_message_stats(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_MESSAGE_STATS, &gv_messages_kind, filter, NULL, NULL);
}

const gavat_message *gavat_op_message(const gavat_op *op, size_t i)
{
    return gv_call_record(op, &gv_messages_kind, i);
}

gavat_status gavat_batch_add_message(gavat_batch *batch, const gavat_message *message)
{
    return gv_call_add(batch, &gv_messages_kind, message);
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    return gv_call_add_json(batch, &gv_messages_kind, object);
}

const gv_batch_kind gv_batch_message = {"message", GV_EVENTS, add_json};
