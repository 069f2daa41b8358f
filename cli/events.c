#include "commands.h"
#include "events.h"
#include "import.h"
#include "page.h"
#include "tell.h"
#include <string.h>

#define COLUMNS "id,uid,user_id,username,event_type,message,context,level,timestamp"

static int run_log(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_event event = gavat_event_init();
        event.user_id = ctl_get_argument(call, 0);
        event.type = ctl_get_argument(call, 1);
        event.message = ctl_get_argument(call, 2);
        event.username = ctl_get_text(call, "username");
        event.level = ctl_get_text(call, "level");
        event.context = ctl_get_text(call, "context");
        event.uid = ctl_get_text(call, "uid");
        event.timestamp = ctl_get_time(call, "at");
        gavat_op *op = ctl_session_op(&session);
        gavat_log_event(op, &event);
        code = ctl_session_write(&session, op, true);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

typedef struct query {
    gavat_filter filter;
    const char *keyword; /* NULL: not a search */
} query;

static void get_page(gavat_op *op, void *asked, uint32_t limit, const char *cursor)
{
    query *q = asked;
    q->filter.limit = limit;
    q->filter.cursor = cursor;
    if (q->keyword)
        gavat_search_events(op, q->keyword, &q->filter);
    else
        gavat_get_events(op, &q->filter);
}

static void get_total(gavat_op *op, void *asked)
{
    query *q = asked;
    gavat_get_event_stats(op, NULL, &q->filter);
}

static int run_import(const ctl_call *call)
{
    static const ctl_import_kind kind = {.name = "event", .noun = "events"};
    return ctl_import_run(call, &kind);
}

static int run_export(const ctl_call *call)
{
    query q = {ctl_make_filter(call), NULL};
    return ctl_export(call, "events", get_page, &q, get_total);
}

static int run_list(const ctl_call *call)
{
    query q = {ctl_make_filter(call), ctl_get_argument(call, 0)};
    return ctl_list(call, get_page, &q);
}

static const char *stats_columns(const char *by)
{
    if (!by)
        return "total,users,first,last";
    switch (*by) {
    case 't':
        return "event_type,count,first,last";
    case 'l':
        return "level,count,first,last";
    case 'u':
        return "user_id,count,first,last";
    case 'h':
        return "hour,count,first,last";
    default:
        return "day,count,first,last";
    }
}

static int run_stats(const ctl_call *call)
{
    ctl_session session;
    const char *by = ctl_get_text(call, "by");
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_filter filter = ctl_make_filter(call);
        gavat_op *op = ctl_session_op(&session);
        gavat_get_event_stats(op, by, &filter);
        code = ctl_session_show(&session, op, stats_columns(by), !by);
    }
    return ctl_session_end(&session, code);
}

static const ctl_option log_arguments[] = {
    {.name = "USER", .kind = CTL_TEXT, .help = "user id"},
    {.name = "TYPE", .kind = CTL_TEXT, .help = "event type, such as login"},
    {.name = "MESSAGE", .kind = CTL_TEXT, .optional = true, .help = "what happened; - reads it from stdin"},
    {0},
};

static const ctl_option log_options[] = {
    {.name = "level",
     .kind = CTL_WORD,
     .value = "LEVEL",
     .choices = "DEBUG|INFO|WARNING|ERROR|CRITICAL",
     .help = "level (INFO)"},
    {.name = "username", .kind = CTL_WORD, .value = "NAME", .help = "the user's name"},
    {.name = "context", .kind = CTL_JSON, .value = "JSON", .help = "more about it, a JSON object; - reads stdin"},
    {.name = "at", .kind = CTL_TIME, .value = "TIME", .help = "when it happened (now)"},
    {.name = "uid",
     .kind = CTL_WORD,
     .value = "UUID",
     .help = "its id (a new one); the same uid and time is stored once"},
    {0},
};

#define NARROW                                                                                                        \
    CTL_OPTION_USER, {.name = "username", .kind = CTL_WORD, .value = "NAME", .help = "only of this user name"},        \
        {.name = "type", .kind = CTL_WORD, .value = "TYPE", .help = "only of this event type"},                        \
        {.name = "level",                                                                                              \
         .kind = CTL_WORD,                                                                                             \
         .value = "LEVEL",                                                                                             \
         .choices = "DEBUG|INFO|WARNING|ERROR|CRITICAL",                                                               \
         .help = "only of this level"}
#define FILTERS NARROW, CTL_OPTION_SINCE, CTL_OPTION_UNTIL

static const ctl_option list_options[] = {FILTERS, CTL_OPTION_LIMIT, CTL_OPTION_ALL, {0}};

static const ctl_option tail_options[] = {
    {.name = "follow", .letter = 'f', .kind = CTL_FLAG, .help = "go on with those that come, until Ctrl-C"},
    {.name = "lines",
     .letter = 'n',
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 0,
     .most = 100000,
     .help = "begin with the newest N (10)"},
    {.name = "since", .kind = CTL_TIME, .value = "TIME", .help = "begin with those that are not older than TIME"},
    {.name = "from", .kind = CTL_WORD, .value = "CURSOR", .help = "begin where an earlier tail ended"},
    NARROW,
    {0},
};

static const ctl_option search_arguments[] = {
    {.name = "KEYWORD",
     .kind = CTL_TEXT,
     .help = "a part of the message or type, taken as it stands; case and accents do not count"},
    {0},
};

static const ctl_option stats_options[] = {
    {.name = "by",
     .kind = CTL_CHOICE,
     .value = "WHAT",
     .choices = "type|level|user|hour|day",
     .help = "count by type, level, user, hour or day (one total)"},
    FILTERS,
    {0},
};

static const ctl_option export_options[] = {FILTERS, {0}};

static const ctl_command commands[] = {
    {.name = "log",
     .summary = "Store one event and print its uid",
     .arguments = log_arguments,
     .options = log_options,
     .columns = "uid",
     .run = run_log,
     .examples = "gavatctl events log 42 login \"signed in\"\n"
                 "gavatctl events log 42 error \"no answer\" --level ERROR --context '{\"code\": 504}'\n"
                 "some-program 2>&1 | gavatctl events log 42 output -"},
    {.name = "import",
     .summary = "Store events from JSON lines",
     .arguments = ctl_import_arguments,
     .options = ctl_import_options,
     .columns = "read,stored,rejected,rejects_file",
     .run = run_import,
     .about =
         "One object a line, with the keys that \"events list -o jsonl\" prints. Lines that cannot be stored go to "
         "FILE.rejects.jsonl (stdin: import.rejects.jsonl) with line number and reason, and the exit code is 4. "
         "The same uid and time twice is stored once, so an import of records with uids can be repeated.",
     .examples = "gavatctl events import events.jsonl\ngavatctl events export - | gavatctl --events sqlite:///copy.db "
                 "events import -"},
    {.name = "list",
     .summary = "List events, newest first",
     .options = list_options,
     .columns = COLUMNS,
     .shown = "timestamp,level,user_id,username,event_type,message,context",
     .run = run_list,
     .examples =
         "gavatctl events list --user 42 --since 24h\ngavatctl events list --type login --all -o csv > logins.csv"},
    {.name = "search",
     .summary = "List events whose message or type contains a keyword, newest first",
     .arguments = search_arguments,
     .options = list_options,
     .columns = COLUMNS,
     .shown = "timestamp,level,user_id,username,event_type,message,context",
     .run = run_list,
     .examples = "gavatctl events search \"kart reddedildi\" --since 7d"},
    {.name = "tail",
     .summary = "Print the newest events, oldest first, and with -f those that come",
     .options = tail_options,
     .columns = COLUMNS,
     .shown = "timestamp,level,user_id,username,event_type,message,context",
     .run = ctl_events_tail,
     .about = "With -f each event that is committed from here on comes once, whichever program wrote it, also over an outage of the "
              "store. At its end it names a cursor: --from goes on there.",
     .examples = "gavatctl events tail -f --level ERROR\ngavatctl events tail --since 1h -o jsonl\n"
                 "gavatctl events tail -n 0 -f -o jsonl | some-program"},
    {.name = "stats",
     .summary = "Count events",
     .options = stats_options,
     .columns = "total,users,first,last",
     .run = run_stats,
     .examples = "gavatctl events stats --by type --since 7d"},
    {.name = "export",
     .summary = "Write events to a file or stdout",
     .arguments = ctl_export_arguments,
     .options = export_options,
     .columns = COLUMNS,
     .run = run_export,
     .about = "JSON lines unless -o says csv or json. A file appears under its name only when it is complete.",
     .examples = "gavatctl events export events.jsonl\ngavatctl events export - -o csv --since 2026-01-01 | gzip > "
                 "events.csv.gz"},
    {.name = "prune",
     .summary = "Delete events older than a time",
     .options = ctl_prune_options,
     .columns = "deleted",
     .run = ctl_run_prune,
     .about = "Asks first; where there is no terminal to ask on it needs --yes.",
     .examples = "gavatctl events prune --before 90d --dry-run\ngavatctl events prune --before 2026-01-01 --yes"},
    {0},
};

const ctl_group ctl_events = {
    .name = "events", .summary = "Log events, list and search them, import, export",
    .commands = commands, .stores = CTL_EVENTS};
