#include "commands.h"
#include "output.h"
#include "progress.h"
#include "session.h"
#include "tell.h"

const ctl_option ctl_prune_options[] = {
    {.name = "before", .required = true, .kind = CTL_TIME, .value = "TIME", .help = "delete what is older than TIME"},
    {.name = "dry-run", .kind = CTL_FLAG, .help = "say how many there are, delete nothing"},
    {0},
};

static void show_progress(gavat_op *op, const gavat_progress *done, void *user)
{
    (void)op;
    ctl_progress_show(user, done->done, done->done, done->total);
}

/* How many would go; the exit code when that cannot be told. */
static int count_old(ctl_session *session, gavat_time before, char *total, size_t room)
{
    gavat_filter filter = gavat_filter_init();
    filter.until = before;
    gavat_op *op = ctl_session_op(session);
    gavat_get_event_stats(op, NULL, &filter);
    int code = ctl_session_wait(session, op);
    const char *record = code ? NULL : gavat_op_json(op, 0, NULL);
    if (!record || gavat_json_copy(record, "total", total, room) <= 0)
        total[0] = '0', total[1] = '\0';
    gavat_op_unref(op);
    return code;
}

static int print_count(const ctl_call *call, const char *name, const char *count)
{
    char json[80];
    snprintf(json, sizeof json, "{\"%s\":%s}", name, count);
    return ctl_output_result(call, name, json);
}

static int delete_old(ctl_session *session, gavat_time before)
{
    ctl_progress progress;
    char count[32];
    ctl_progress_start(&progress, session->call, "deleted", "events");
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    gavat_prune_events(op, before);
    int code = ctl_session_wait(session, op);
    int64_t deleted = gavat_op_number(op);
    ctl_progress_clear(&progress);
    if (!code) {
        ctl_progress_end(&progress, (uint64_t)deleted, "");
        snprintf(count, sizeof count, "%lld", (long long)deleted);
        code = print_count(session->call, "deleted", count);
    } else if (deleted > 0) {
        ctl_note(session->call, "deleted %lld events before that", (long long)deleted);
    }
    gavat_op_unref(op);
    return code;
}

static int prune(ctl_session *session)
{
    const ctl_call *call = session->call;
    gavat_time before = ctl_get_time(call, "before");
    bool dry = ctl_get_flag(call, "dry-run");
    char total[32], time[28];
    gavat_format_time(before, time);
    int code = dry || !call->yes ? count_old(session, before, total, sizeof total) : 0;
    if (code)
        return code;
    if (dry) {
        ctl_note(call, "would delete %s events older than %s", total, time);
        return print_count(call, "would_delete", total);
    }
    code = ctl_confirm(call, "Delete %s events older than %s from %s?", total, time,
                       gavat_config_get(session->config, "POSTGRES_URL"));
    return code ? code : delete_old(session, before);
}

int ctl_run_prune(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_get_flag(call, "dry-run") ? 0 : ctl_can_confirm(call);
    if (code)
        return code;
    code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code)
        code = prune(&session);
    return ctl_session_end(&session, code);
}
