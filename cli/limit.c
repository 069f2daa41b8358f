#include "keys.h"
#include "value.h"

static void try_it(gavat_op *op, const ctl_call *call)
{
    uint32_t count = 0;
    int64_t period_ms = 0;
    ctl_parse_rate(ctl_get_text(call, "rate"), &count, &period_ms);
    gavat_try_limit(op, ctl_user(call), ctl_key(call), count, period_ms, (uint32_t)ctl_get_integer(call, "burst", 0));
}

static int tell_decision(ctl_session *session, const gavat_op *op)
{
    return ctl_answer_decision(session, op, true);
}

static const ctl_option arguments[] = {
    CTL_ARGUMENT_OWNER,
    {.name = "ACTION", .kind = CTL_TEXT, .help = "what is limited, such as search"},
    {0},
};

static const ctl_option options[] = {
    {.name = "rate",
     .kind = CTL_RATE,
     .required = true,
     .value = "N/DURATION",
     .help = "N permits in each DURATION, coming back evenly: 3/1h, 10/s"},
    {.name = "burst",
     .kind = CTL_INTEGER,
     .value = "B",
     .least = 1,
     .most = UINT32_MAX,
     .help = "at most B at once (N)"},
    CTL_OPTION_GLOBAL,
    {0},
};

static const ctl_command commands[] = {
    {.name = "try",
     .summary = "Spend a permit if there is one",
     .arguments = arguments,
     .options = options,
     .columns = CTL_DECISION_COLUMNS,
     .shown = CTL_DECISION_SHOWN,
     .run = ctl_run_op,
     .submit = try_it,
     .answer = tell_decision,
     .about = "In one step, so callers together never get more than the limit. Prints whether it is allowed, how many "
              "more would be now, and when the next one will be; exit code 1 when refused.",
     .examples = "gavatctl limit try 42 search --rate 10/1m\ngavatctl limit try 42 search --rate 100/1h --burst 5\n"
                 "gavatctl limit try --global broadcast --rate 3/1h"},
    {0},
};

const ctl_group ctl_limit = {
    .name = "limit", .summary = "Ask whether an action is within its limit",
    .commands = commands, .stores = CTL_STATE};
