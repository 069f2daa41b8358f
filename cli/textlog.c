#include "commands.h"
#include "output.h"
#include "session.h"

#define COLUMNS "timestamp,level,message"

static int show(const ctl_call *call, const char *keyword, uint32_t limit)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_text_log(op, ctl_get_argument(call, 0), keyword, limit);
        code = ctl_session_show(&session, op, NULL, false);
    }
    return ctl_session_end(&session, code);
}

static int run_tail(const ctl_call *call)
{
    return show(call, NULL, (uint32_t)ctl_get_integer(call, "lines", 10));
}

static int run_search(const ctl_call *call)
{
    return show(call, ctl_get_argument(call, 1), (uint32_t)ctl_get_integer(call, "limit", 100));
}

static int run_stats(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_text_log_stats(op, ctl_get_argument(call, 0));
        code = ctl_session_show(&session, op, NULL, true);
    }
    return ctl_session_end(&session, code);
}

#define USER {.name = "USER", .kind = CTL_TEXT, .help = "user id or name, as in the name of the file"}

static const ctl_option user_argument[] = {USER, {0}};

static const ctl_option search_arguments[] = {
    USER,
    {.name = "TEXT", .kind = CTL_TEXT, .help = "a part of the line, taken as it stands; case and accents do not count"},
    {0},
};

static const ctl_option tail_options[] = {
    {.name = "lines",
     .letter = 'n',
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = 1000000,
     .help = "the newest N entries (10)"},
    {0},
};

static const ctl_option search_options[] = {
    {.name = "limit",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = 1000000,
     .help = "at most N entries (100)"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "tail",
     .summary = "Print the newest entries of a user's text log",
     .arguments = user_argument,
     .options = tail_options,
     .columns = COLUMNS,
     .run = run_tail,
     .about = "Times are as in the file: local to GAVAT_TIME_ZONE.",
     .examples = "gavatctl textlog tail 42 -n 50"},
    {.name = "search",
     .summary = "Find entries of a user's text log",
     .arguments = search_arguments,
     .options = search_options,
     .columns = COLUMNS,
     .run = run_search,
     .examples = "gavatctl textlog search 42 \"hata\""},
    {.name = "stats",
     .summary = "Count the entries of a user's text log",
     .arguments = user_argument,
     .columns = "user,lines,bytes,files,first,last,by_level",
     .run = run_stats,
     .examples = "gavatctl textlog stats 42"},
    {0},
};

const ctl_group ctl_textlog = {
    .name = "textlog", .summary = "Read the text log mirror of one user (GAVAT_TEXT_LOG_DIR)",
    .commands = commands, .stores = CTL_EVENTS};
