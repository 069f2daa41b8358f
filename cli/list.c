#include "keys.h"

static void push(gavat_op *op, const ctl_call *call)
{
    gavat_push_list(op, ctl_user(call), ctl_key(call), ctl_get_argument(call, 2), (uint32_t)ctl_get_integer(call, "max", 0));
}

static void get_range(gavat_op *op, const ctl_call *call)
{
    gavat_get_list(op, ctl_user(call), ctl_key(call), ctl_get_argument_integer(call, 2, 0),
                   ctl_get_argument_integer(call, 3, -1));
}

#define NAME {.name = "NAME", .kind = CTL_TEXT, .help = "name of the list, such as last_messages"}

static const ctl_option push_arguments[] = {
    CTL_ARGUMENT_OWNER,
    NAME,
    {.name = "VALUE", .kind = CTL_TEXT, .help = "the new item; - reads it from stdin"},
    {0},
};

static const ctl_option push_options[] = {
    CTL_OPTION_GLOBAL,
    {.name = "max",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = UINT32_MAX,
     .help = "keep the newest N items, drop the others (all)"},
    {0},
};

#define PLACE(word, text)                                                                                              \
    {.name = word, .kind = CTL_INTEGER, .optional = true, .least = INT64_MIN, .most = INT64_MAX, .help = text}

static const ctl_option range_arguments[] = {
    CTL_ARGUMENT_OWNER,
    NAME,
    PLACE("START", "place of the first item: 0 is the newest, -1 the oldest (0)"),
    PLACE("STOP", "place of the last item, which counts too (-1)"),
    {0},
};

static const ctl_command commands[] = {
    {.name = "push",
     .summary = "Put an item at the head of a list and print its length",
     .arguments = push_arguments,
     .options = push_options,
     .columns = "value",
     .run = ctl_run_op,
     .submit = push,
     .answer = ctl_answer_number,
     .examples = "gavatctl list push 42 last_messages \"merhaba\" --max 10\n"
                 "gavatctl list push --global news - <news.json"},
    {.name = "range",
     .summary = "Print items of a list, newest first",
     .arguments = range_arguments,
     .options = ctl_global_option,
     .columns = "value",
     .run = ctl_run_op,
     .submit = get_range,
     .answer = ctl_answer_records,
     .about = "Without START and STOP all of it. A list that is not there has no items.",
     .examples = "gavatctl list range 42 last_messages\ngavatctl list range 42 last_messages 0 4\n"
                 "gavatctl list range 42 last_messages -1"},
    {0},
};

const ctl_group ctl_list_group = {
    .name = "list", .summary = "Push to and read the capped lists of users",
    .commands = commands, .stores = CTL_STATE};
