#include "keys.h"

static void set(gavat_op *op, const ctl_call *call)
{
    gavat_set_cooldown(op, ctl_user(call), ctl_key(call), ctl_get_argument_duration(call, 2));
}

static int tell_set(ctl_session *session, const gavat_op *op)
{
    (void)op;
    ctl_tell_key(session->call, "runs for %s", ctl_get_argument(session->call, 2));
    return 0;
}

static void check(gavat_op *op, const ctl_call *call)
{
    gavat_check_cooldown(op, ctl_user(call), ctl_key(call));
}

/* Whole seconds, rounded up: 0 only when it is free. */
static int tell_remaining(ctl_session *session, const gavat_op *op)
{
    char seconds[24], milliseconds[24];
    snprintf(milliseconds, sizeof milliseconds, "%lld", (long long)gavat_op_number(op));
    snprintf(seconds, sizeof seconds, "%lld", (long long)(gavat_op_number(op) + 999) / 1000);
    return ctl_output_bare(session->call, "remaining_ms", seconds, milliseconds);
}

static void try_it(gavat_op *op, const ctl_call *call)
{
    gavat_try_cooldown(op, ctl_user(call), ctl_key(call), ctl_get_argument_duration(call, 2));
}

static int tell_decision(ctl_session *session, const gavat_op *op)
{
    return ctl_answer_decision(session, op, session->call->format_given);
}

static void clear(gavat_op *op, const ctl_call *call)
{
    gavat_clear_cooldown(op, ctl_user(call), ctl_key(call));
}

static int tell_cleared(ctl_session *session, const gavat_op *op)
{
    ctl_tell_key(session->call, gavat_op_number(op) ? "ended" : "none was running");
    return 0;
}

#define ACTION {.name = "ACTION", .kind = CTL_TEXT, .help = "what it holds back, such as dm"}

static const ctl_option key_arguments[] = {CTL_ARGUMENT_OWNER, ACTION, {0}};

static const ctl_option span_arguments[] = {
    CTL_ARGUMENT_OWNER,
    ACTION,
    {.name = "DURATION", .kind = CTL_DURATION, .help = "how long: 90s 15m 24h 7d"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "set",
     .summary = "Start a cooldown, replacing one that runs",
     .arguments = span_arguments,
     .options = ctl_global_option,
     .run = ctl_run_op,
     .submit = set,
     .answer = tell_set,
     .examples = "gavatctl cooldown set 42 dm 5m\ngavatctl cooldown set --global broadcast 1h"},
    {.name = "check",
     .summary = "Print the seconds that are left of a cooldown",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .columns = "remaining_ms",
     .run = ctl_run_op,
     .submit = check,
     .answer = tell_remaining,
     .about = "0 means that it is free; a part of a second counts as one.",
     .examples = "gavatctl cooldown check 42 dm"},
    {.name = "try",
     .summary = "Start a cooldown only if it is free",
     .arguments = span_arguments,
     .options = ctl_global_option,
     .columns = CTL_DECISION_COLUMNS,
     .shown = CTL_DECISION_SHOWN,
     .run = ctl_run_op,
     .submit = try_it,
     .answer = tell_decision,
     .about = "In one step, so of any number of callers one gets it. Exit code 1 when it runs already; -o prints the "
              "decision.",
     .examples = "gavatctl cooldown try 42 dm 5m && echo \"may write\""},
    {.name = "clear",
     .summary = "End a cooldown",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .run = ctl_run_op,
     .submit = clear,
     .answer = tell_cleared,
     .examples = "gavatctl cooldown clear 42 dm"},
    {0},
};

const ctl_group ctl_cooldown = {
    .name = "cooldown", .summary = "Start, check and end cooldowns of users",
    .commands = commands, .stores = CTL_STATE};
