#include "commands.h"
#include "page.h"

#define COLUMNS                                                                                                        \
    "id,uid,bot_username,message_type,target_type,target_id,target_name,message_content,message_id,success,"           \
    "error_message,response_time_ms,extra_data,timestamp"

static gavat_message make_message(const ctl_call *call)
{
    gavat_message message = gavat_message_init();
    message.bot_username = ctl_get_argument(call, 0);
    message.message_type = ctl_get_argument(call, 1);
    message.uid = ctl_get_text(call, "uid");
    message.timestamp = ctl_get_time(call, "at");
    message.target_type = ctl_get_text(call, "target-type");
    message.target_id = ctl_get_text(call, "target");
    message.target_name = ctl_get_text(call, "target-name");
    message.message_content = ctl_get_text(call, "content");
    message.message_id = ctl_get_text(call, "message-id");
    message.error_message = ctl_get_text(call, "failed");
    message.success = message.error_message ? -1 : 1;
    if (ctl_get_text(call, "response-ms"))
        message.response_time_ms = ctl_get_integer(call, "response-ms", 0) ? ctl_get_integer(call, "response-ms", 0) : -1;
    message.extra_data = ctl_get_text(call, "extra");
    return message;
}

static int run_log(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_message message = make_message(call);
        gavat_op *op = ctl_session_op(&session);
        gavat_log_message(op, &message);
        code = ctl_session_write(&session, op, true);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static gavat_filter make_filter(const ctl_call *call)
{
    gavat_filter filter = ctl_make_filter(call);
    const char *result = ctl_get_text(call, "result");
    filter.user_id = ctl_get_text(call, "target");
    filter.success = !result ? 0 : *result == 's' ? 1 : -1;
    return filter;
}

static void get_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_filter *filter = query;
    filter->limit = limit;
    filter->cursor = cursor;
    gavat_get_messages(op, filter);
}

static int run_list(const ctl_call *call)
{
    gavat_filter filter = make_filter(call);
    return ctl_list(call, get_page, &filter);
}

static int run_stats(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_filter filter = make_filter(call);
        gavat_op *op = ctl_session_op(&session);
        gavat_get_message_stats(op, &filter);
        code = ctl_session_show(&session, op, NULL, true);
    }
    return ctl_session_end(&session, code);
}

static const ctl_option log_arguments[] = {
    {.name = "BOT", .kind = CTL_TEXT, .help = "the bot's username"},
    {.name = "TYPE", .kind = CTL_TEXT, .help = "message type, such as dm or group"},
    {0},
};

static const ctl_option log_options[] = {
    {.name = "target-type",
     .kind = CTL_WORD,
     .value = "TYPE",
     .choices = "user|group|channel",
     .help = "what it was sent to"},
    {.name = "target", .kind = CTL_WORD, .value = "ID", .help = "id of the target"},
    {.name = "target-name", .kind = CTL_WORD, .value = "NAME", .help = "name of the target"},
    {.name = "content", .kind = CTL_TEXT, .value = "TEXT", .help = "the message; - reads stdin"},
    {.name = "message-id", .kind = CTL_WORD, .value = "ID", .help = "id that the messenger gave it"},
    {.name = "failed", .kind = CTL_TEXT, .value = "ERROR", .help = "it could not be sent, and why"},
    {.name = "response-ms",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 0,
     .most = INT32_MAX,
     .help = "response time in milliseconds"},
    {.name = "extra", .kind = CTL_JSON, .value = "JSON", .help = "more about it, a JSON object; - reads stdin"},
    {.name = "at", .kind = CTL_TIME, .value = "TIME", .help = "when it was sent (now)"},
    {.name = "uid",
     .kind = CTL_WORD,
     .value = "UUID",
     .help = "its id (a new one); the same uid and time is stored once"},
    {0},
};

#define FILTERS                                                                                                        \
    {.name = "bot", .kind = CTL_WORD, .value = "BOT", .help = "only of this bot"},                                     \
        {.name = "type", .kind = CTL_WORD, .value = "TYPE", .help = "only of this message type"},                      \
        {.name = "target", .kind = CTL_WORD, .value = "ID", .help = "only to this target"},                            \
        {.name = "result",                                                                                             \
         .kind = CTL_CHOICE,                                                                                           \
         .value = "RESULT",                                                                                            \
         .choices = "sent|failed",                                                                                     \
         .help = "only sent, or only failed"},                                                                         \
        CTL_OPTION_SINCE, CTL_OPTION_UNTIL

static const ctl_option list_options[] = {FILTERS, CTL_OPTION_LIMIT, CTL_OPTION_ALL, {0}};
static const ctl_option stats_options[] = {FILTERS, {0}};

static const ctl_command commands[] = {
    {.name = "log",
     .summary = "Store one message record and print its uid",
     .arguments = log_arguments,
     .options = log_options,
     .columns = "uid",
     .run = run_log,
     .examples =
         "gavatctl messages log yayincilara dm --target-type user --target 42 --content \"selam\" --response-ms 120"},
    {.name = "list",
     .summary = "List message records, newest first",
     .options = list_options,
     .columns = COLUMNS,
     .shown = "timestamp,bot_username,message_type,target_type,target_id,success,response_time_ms,message_content,"
              "error_message",
     .run = run_list,
     .examples = "gavatctl messages list --bot yayincilara --result failed --since 24h"},
    {.name = "stats",
     .summary = "Count message records, with response times",
     .options = stats_options,
     .columns = "total,successful,failed,by_type,by_target_type,response_time_p50,response_time_p95",
     .run = run_stats,
     .examples = "gavatctl messages stats --bot yayincilara --since 24h"},
    {0},
};

const ctl_group ctl_messages = {
    .name = "messages", .summary = "Log messages that bots sent, list and count them",
    .commands = commands, .stores = CTL_EVENTS};
