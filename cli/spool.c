#include "commands.h"
#include "output.h"
#include "page.h"
#include "progress.h"
#include "session.h"
#include "tell.h"
#include <stdio.h>

static int run_status(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_TRY);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_spool(op);
        code = ctl_session_show(&session, op, NULL, true);
    }
    return ctl_session_end(&session, code);
}

static void show_progress(gavat_op *op, const gavat_progress *done, void *user)
{
    (void)op;
    ctl_progress_show(user, done->done, done->done, done->total);
}

static int print_count(const ctl_call *call, const char *name, int64_t count)
{
    char json[80];
    snprintf(json, sizeof json, "{\"%s\":%lld}", name, (long long)count);
    return ctl_output_result(call, name, json);
}

/* Long work that ends in a count. */
static int count_up(ctl_session *session, void (*submit)(gavat_op *op), const char *word, const char *noun)
{
    ctl_progress progress;
    ctl_progress_start(&progress, session->call, word, noun);
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    submit(op);
    int code = ctl_session_wait(session, op);
    int64_t count = gavat_op_number(op);
    ctl_progress_clear(&progress);
    if (!code) {
        ctl_progress_end(&progress, (uint64_t)count, "");
        code = print_count(session->call, word, count);
    } else if (count > 0) {
        ctl_note(session->call, "%s %lld %s before that", word, (long long)count, noun);
    }
    gavat_op_unref(op);
    return code;
}

static int run_flush(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_TRY);
    if (!code)
        code = count_up(&session, gavat_flush_spool, "forwarded", "writes");
    return ctl_session_end(&session, code);
}

static void get_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    (void)query;
    gavat_get_rejects(op, limit, cursor);
}

/* What is left of them afterwards is told: 4, partly done. */
static int retry(ctl_session *session)
{
    int code = count_up(session, gavat_retry_rejects, "landed", "rejects");
    if (code)
        return code;
    gavat_op *op = ctl_session_op(session);
    gavat_get_spool(op);
    code = ctl_session_wait(session, op);
    const char *record = code ? NULL : gavat_op_json(op, 0, NULL);
    char left[24];
    bool some = record && gavat_json_copy(record, "rejects", left, sizeof left) > 0 && left[0] != '0';
    if (some)
        ctl_note(session->call, "%s are still refused: \"gavatctl spool rejects\" lists them with their reasons", left);
    gavat_op_unref(op);
    return some ? 4 : code;
}

static int export(ctl_session *session, const char *path)
{
    gavat_op *op = ctl_session_op(session);
    gavat_export_rejects(op, path);
    int code = ctl_session_wait(session, op);
    if (!code)
        code = print_count(session->call, "exported", gavat_op_number(op));
    gavat_op_unref(op);
    return code;
}

static int drop(ctl_session *session)
{
    gavat_op *op = ctl_session_op(session);
    int code = ctl_confirm(session->call, "Delete all rejects for good?");
    if (code) {
        gavat_op_unref(op);
        return code;
    }
    gavat_drop_rejects(op);
    code = ctl_session_wait(session, op);
    if (!code)
        code = print_count(session->call, "dropped", gavat_op_number(op));
    gavat_op_unref(op);
    return code;
}

static int run_rejects(const ctl_call *call)
{
    const char *path = ctl_get_text(call, "export");
    bool again = ctl_get_flag(call, "retry"), away = ctl_get_flag(call, "drop");
    if (again + away + (path != NULL) > 1)
        return ctl_usage(call, "only one of --retry, --export and --drop");
    if (!again && !away && !path)
        return ctl_list(call, get_page, NULL);
    ctl_session session;
    int code = away ? ctl_can_confirm(call) : 0;
    if (code)
        return code;
    code = ctl_session_start(&session, call, CTL_TRY);
    if (!code)
        code = again ? retry(&session) : away ? drop(&session) : export(&session, path);
    return ctl_session_end(&session, code);
}

static const ctl_option rejects_options[] = {
    {.name = "retry", .kind = CTL_FLAG, .help = "send them again; those that land leave the list"},
    {.name = "export", .kind = CTL_FILE, .value = "FILE", .help = "write them to a new FILE as JSON lines"},
    {.name = "drop", .kind = CTL_FLAG, .help = "delete them for good"},
    CTL_OPTION_LIMIT,
    CTL_OPTION_ALL,
    {0},
};

static const ctl_command commands[] = {
    {.name = "status",
     .summary = "Show what waits for the store, and how much was refused",
     .columns = "entries,bytes,oldest,rejects,path,waits_for",
     .run = run_status,
     .about = "Writes of the events area wait in the spool, a file on this machine, while PostgreSQL is away.",
     .examples = "gavatctl spool status\ngavatctl spool status -o json"},
    {.name = "flush",
     .summary = "Forward what waits, until the spool is empty",
     .columns = "forwarded",
     .run = run_flush,
     .about = "It is forwarded by itself too, by any program that uses the spool. Exit code 3 while the store is away.",
     .examples = "gavatctl spool flush"},
    {.name = "rejects",
     .summary = "List what the store refused for good, or deal with it",
     .options = rejects_options,
     .columns = "id,call,uid,time,rejected,code,reason,record",
     .shown = "id,call,time,code,reason",
     .run = run_rejects,
     .about = "With the store's code and words. Exit code 4 when some are refused again.",
     .examples = "gavatctl spool rejects --all -o jsonl\ngavatctl spool rejects --retry\ngavatctl spool rejects --export refused.jsonl"},
    {0},
};

const ctl_group ctl_spool = {
    .name = "spool", .summary = "Look at and forward writes that wait for the store",
    .commands = commands, .stores = CTL_EVENTS};
