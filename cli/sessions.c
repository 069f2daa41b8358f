#include "commands.h"
#include "page.h"
#include "tell.h"

#define COLUMNS "id,user_id,username,session_token,bot_type,is_active,last_activity,created_at,extra_data"

static int run_set(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_session record = gavat_session_init();
        record.user_id = ctl_get_argument(call, 0);
        record.bot_type = ctl_get_text(call, "bot-type");
        record.username = ctl_get_text(call, "username");
        record.session_token = ctl_get_text(call, "token");
        record.extra_data = ctl_get_text(call, "extra");
        gavat_op *op = ctl_session_op(&session);
        gavat_set_session(op, &record);
        code = ctl_session_write(&session, op, false);
        if (!code)
            ctl_note(call, "session of %s: active", record.user_id);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_get(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_session(op, ctl_get_argument(call, 0));
        code = ctl_session_show(&session, op, NULL, true);
    }
    return ctl_session_end(&session, code);
}

static void get_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_filter *filter = query;
    filter->limit = limit;
    filter->cursor = cursor;
    gavat_get_sessions(op, filter);
}

static int run_list(const ctl_call *call)
{
    gavat_filter filter = ctl_make_filter(call);
    filter.type = ctl_get_text(call, "bot-type");
    filter.is_active = ctl_get_switch(call, "active");
    return ctl_list(call, get_page, &filter);
}

static int run_close(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        const char *user = ctl_get_argument(call, 0);
        gavat_op *op = ctl_session_op(&session);
        gavat_close_session(op, user);
        code = ctl_session_write(&session, op, false);
        if (!code)
            ctl_note(call, "session of %s: closed", user);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_expire(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        char json[64];
        gavat_op *op = ctl_session_op(&session);
        gavat_expire_sessions(op, ctl_get_duration(call, "idle"));
        code = ctl_session_write(&session, op, false);
        if (!code) {
            long long count = gavat_op_number(op);
            ctl_note(call, "%lld session%s closed", count, count == 1 ? "" : "s");
            snprintf(json, sizeof json, "{\"expired\":%lld}", count);
            code = ctl_output_result(call, "expired", json);
        }
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static const ctl_option user_argument[] = {{.name = "USER", .kind = CTL_TEXT, .help = "user id"}, {0}};

static const ctl_option set_options[] = {
    {.name = "bot-type", .kind = CTL_WORD, .value = "TYPE", .help = "type of the bot the user talks to"},
    {.name = "username", .kind = CTL_WORD, .value = "NAME", .help = "the user's name"},
    {.name = "token",
     .kind = CTL_TEXT,
     .value = "TOKEN",
     .help = "session token; - reads stdin, so that it is not seen in ps"},
    {.name = "extra", .kind = CTL_JSON, .value = "JSON", .help = "a JSON object, merged key by key; - reads stdin"},
    {0},
};

static const ctl_option list_options[] = {
    {.name = "active", .kind = CTL_SWITCH, .help = "only active ones; =no: only inactive ones"},
    {.name = "bot-type", .kind = CTL_WORD, .value = "TYPE", .help = "only of this bot type"},
    CTL_OPTION_USER,
    {.name = "username", .kind = CTL_WORD, .value = "NAME", .help = "only of this user name"},
    {.name = "since", .kind = CTL_TIME, .value = "TIME", .help = "last active at TIME or later"},
    {.name = "until", .kind = CTL_TIME, .value = "TIME", .help = "last active before TIME"},
    CTL_OPTION_LIMIT,
    CTL_OPTION_ALL,
    {0},
};

static const ctl_option expire_options[] = {
    {.name = "idle",
     .required = true,
     .kind = CTL_DURATION,
     .value = "DURATION",
     .help = "close those that were idle for so long"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "set",
     .summary = "Create a user's session or merge into it",
     .arguments = user_argument,
     .options = set_options,
     .run = run_set,
     .about = "What is given replaces, --extra merges by key, and the session becomes active.",
     .examples = "gavatctl sessions set 42 --bot-type vip --extra '{\"lang\": \"tr\"}'"},
    {.name = "get",
     .summary = "Print a user's session",
     .arguments = user_argument,
     .columns = COLUMNS,
     .run = run_get,
     .examples = "gavatctl sessions get 42 -o json"},
    {.name = "list",
     .summary = "List sessions, last active first",
     .options = list_options,
     .columns = COLUMNS,
     .shown = "last_activity,user_id,username,bot_type,is_active,created_at,extra_data",
     .run = run_list,
     .examples = "gavatctl sessions list --active --bot-type vip"},
    {.name = "close",
     .summary = "Make a user's session inactive",
     .arguments = user_argument,
     .run = run_close,
     .examples = "gavatctl sessions close 42"},
    {.name = "expire",
     .summary = "Make idle sessions inactive",
     .options = expire_options,
     .columns = "expired",
     .run = run_expire,
     .examples = "gavatctl sessions expire --idle 30d"},
    {0},
};

const ctl_group ctl_sessions = {
    .name = "sessions", .summary = "Set, look at and close user sessions",
    .commands = commands, .stores = CTL_EVENTS};
