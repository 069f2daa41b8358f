#include "keys.h"

static void add(gavat_op *op, const ctl_call *call)
{
    gavat_add_counter(op, ctl_user(call), ctl_key(call), ctl_get_argument_integer(call, 2, 1), ctl_get_duration(call, "expire"));
}

static void get(gavat_op *op, const ctl_call *call)
{
    gavat_get_counter(op, ctl_user(call), ctl_key(call));
}

static void reset(gavat_op *op, const ctl_call *call)
{
    gavat_reset_counter(op, ctl_user(call), ctl_key(call));
}

#define NAME {.name = "NAME", .kind = CTL_TEXT, .help = "what it counts, such as messages"}

static const ctl_option key_arguments[] = {CTL_ARGUMENT_OWNER, NAME, {0}};

static const ctl_option add_arguments[] = {
    CTL_ARGUMENT_OWNER,
    NAME,
    {.name = "N",
     .kind = CTL_INTEGER,
     .optional = true,
     .least = INT64_MIN,
     .most = INT64_MAX,
     .help = "how many (1); may be negative"},
    {0},
};

static const ctl_option add_options[] = {
    CTL_OPTION_GLOBAL,
    CTL_OPTION_EXPIRE("how long it lives, from the add that makes it (for ever)"),
    {0},
};

static const ctl_command commands[] = {
    {.name = "add",
     .summary = "Add to a counter and print its new value",
     .arguments = add_arguments,
     .options = add_options,
     .columns = "value",
     .run = ctl_run_op,
     .submit = add,
     .answer = ctl_answer_number,
     .about = "A counter that is not there begins at 0. No two callers lose an add.",
     .examples = "gavatctl counter add 42 messages\ngavatctl counter add 42 credit -5\n"
                 "gavatctl counter add --global joins --expire 24h"},
    {.name = "get",
     .summary = "Print a counter, 0 when there is none",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .columns = "value",
     .run = ctl_run_op,
     .submit = get,
     .answer = ctl_answer_number,
     .examples = "gavatctl counter get 42 messages"},
    {.name = "reset",
     .summary = "Remove a counter and print the value it had",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .columns = "value",
     .run = ctl_run_op,
     .submit = reset,
     .answer = ctl_answer_number,
     .examples = "gavatctl counter reset 42 messages"},
    {0},
};

const ctl_group ctl_counter = {
    .name = "counter", .summary = "Add to, read and reset counters of users",
    .commands = commands, .stores = CTL_STATE};
