#include "buffer.h"
#include "commands.h"
#include "man.h"
#include "output.h"
#include "tell.h"
#include <string.h>

#define MOST_WORD 64
#define TEXT_WIDTH 80

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits between two short words: insert, drop, replace, swap two neighbours. */
static size_t measure(const char *a, const char *b)
{
    size_t rows[3][MOST_WORD + 1];
    size_t m = strlen(a), n = strlen(b);
    if (m > MOST_WORD || n > MOST_WORD)
        return MOST_WORD;
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = smaller(now[j - 1] + 1, last[j] + 1);
            best = smaller(best, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller(best, before[j - 2] + 1);
            now[j] = best;
        }
    }
    return rows[m % 3][n];
}

void ctl_offer(ctl_nearest *nearest, const char *name)
{
    size_t length = strlen(nearest->wanted);
    bool begins = length >= 3 && strncmp(name, nearest->wanted, length) == 0;
    size_t distance = begins ? 1 : measure(nearest->wanted, name);
    size_t most = length <= 3 ? 1 : length <= 6 ? 2 : 3;
    if (distance > most || (nearest->name && distance >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = distance;
}

static void add_row(ctl_buffer *out, const char *left, size_t width, const char *right)
{
    ctl_add_text(out, "  ");
    ctl_add_text(out, left);
    size_t used = strlen(left);
    ctl_add_repeat(out, ' ', used < width ? width - used + 2 : 2);
    ctl_add_text(out, right);
    ctl_add_text(out, "\n");
}

static void name_option(ctl_buffer *out, const ctl_option *o)
{
    ctl_clear(out);
    if (o->letter)
        ctl_add_format(out, "-%c, ", o->letter);
    else
        ctl_add_text(out, "    ");
    if (o->kind == CTL_SWITCH)
        ctl_add_format(out, "--%s[=no]", o->name);
    else
        ctl_add_format(out, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
}

static void add_options(ctl_buffer *out, const char *title, const ctl_option *options)
{
    ctl_buffer name = {0};
    size_t width = 0;
    if (!options || !options->name)
        return;
    for (const ctl_option *o = options; o->name; o++) {
        name_option(&name, o);
        width = o->help && name.length > width ? name.length : width;
    }
    if (width)
        ctl_add_format(out, "\n%s:\n", title);
    for (const ctl_option *o = options; o->name; o++) {
        if (!o->help)
            continue;
        name_option(&name, o);
        add_row(out, name.data, width, o->help);
    }
    ctl_free(&name);
}

static void add_arguments(ctl_buffer *out, const ctl_option *arguments)
{
    size_t width = 0;
    for (const ctl_option *a = arguments; a && a->name; a++)
        width = strlen(a->name) > width ? strlen(a->name) : width;
    if (!width)
        return;
    ctl_add_text(out, "\nArguments:\n");
    for (const ctl_option *a = arguments; a->name; a++)
        add_row(out, a->name, width, a->help);
}

void ctl_add_repeated(ctl_buffer *out, const ctl_option *arguments)
{
    size_t count = 0;
    for (const ctl_option *a = arguments; a && a->name; a++)
        count += a->repeats;
    for (const ctl_option *a = arguments; count > 1 && a->name; a++)
        if (a->repeats)
            ctl_add_format(out, "%s%s", a == arguments || !(a - 1)->repeats ? " [" : " ", a->name);
    ctl_add_text(out, count > 1 ? "]…" : count ? "…" : "");
}

static void add_usage(ctl_buffer *out, const ctl_group *group, const ctl_command *command)
{
    ctl_add_format(out, "Usage: gavatctl %s", group->name);
    if (command->name[0])
        ctl_add_format(out, " %s", command->name);
    for (const ctl_option *a = command->arguments; a && a->name; a++)
        if (a->instead)
            ctl_add_format(out, " %s|--%s", a->name, a->instead);
        else
            ctl_add_format(out, a->optional ? " [%s]" : " %s", a->name);
    ctl_add_repeated(out, command->arguments);
    for (const ctl_option *o = command->options; o && o->name; o++)
        if (o->required)
            ctl_add_format(out, " --%s %s", o->name, o->value);
    ctl_add_text(out, " [OPTIONS]\n");
}

static void add_examples(ctl_buffer *out, const char *examples)
{
    if (!examples)
        return;
    ctl_add_text(out, "\nExamples:\n");
    while (*examples) {
        size_t length = strcspn(examples, "\n");
        ctl_add_text(out, "  ");
        ctl_add(out, examples, length);
        ctl_add_text(out, "\n");
        examples += length + (examples[length] == '\n');
    }
}

/* Sentences, broken at blanks. */
static void add_wrapped(ctl_buffer *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > TEXT_WIDTH) {
            ctl_add_text(out, "\n");
            column = 0;
        }
        if (column++)
            ctl_add_text(out, " ");
        ctl_add(out, text, length);
        column += length;
        text += length + (text[length] == ' ');
    }
    ctl_add_text(out, "\n");
}

static void add_command_help(ctl_buffer *out, const ctl_group *group, const ctl_command *command)
{
    add_usage(out, group, command);
    ctl_add_format(out, "\n%s.\n", command->summary);
    if (command->about)
        add_wrapped(out, command->about);
    add_arguments(out, command->arguments);
    add_options(out, "Options", command->options);
    add_options(out, "Options of every command", ctl_common);
    add_examples(out, command->examples);
}

static void add_group_help(ctl_buffer *out, const ctl_group *group)
{
    size_t width = 0;
    ctl_add_format(out, "Usage: gavatctl %s COMMAND [ARGUMENTS] [OPTIONS]\n\n%s.\n\nCommands:\n", group->name,
                   group->summary);
    for (const ctl_command *c = group->commands; c->run; c++)
        width = strlen(c->name) > width ? strlen(c->name) : width;
    for (const ctl_command *c = group->commands; c->run; c++)
        add_row(out, c->name, width, c->summary);
    add_options(out, "Options of every command", ctl_common);
    ctl_add_text(out, "\nExamples:\n");
    for (const ctl_command *c = group->commands; c->run; c++) {
        if (!c->examples)
            continue;
        ctl_add_text(out, "  ");
        ctl_add(out, c->examples, strcspn(c->examples, "\n"));
        ctl_add_text(out, "\n");
    }
    ctl_add_format(out, "\n\"gavatctl %s COMMAND --help\" tells more about a command.\n", group->name);
}

static void add_program_help(ctl_buffer *out)
{
    size_t width = 0;
    ctl_add_text(out,
                 "Usage: gavatctl [OPTIONS] GROUP COMMAND [ARGUMENTS] [OPTIONS]\n\n"
                 "The data of chat-bot back-ends: look at it, change it, keep its stores in order.\n\nCommands:\n");
    for (size_t i = 0; ctl_groups[i]; i++)
        width = strlen(ctl_groups[i]->name) > width ? strlen(ctl_groups[i]->name) : width;
    for (size_t i = 0; ctl_groups[i]; i++)
        add_row(out, ctl_groups[i]->name, width, ctl_groups[i]->summary);
    add_options(out, "Options of every command", ctl_common);
    ctl_add_text(
        out,
        "\nTimes: 2026-01-31T09:00:00Z, 2026-01-31 09:00 (UTC), or back from now: 90s 15m 24h 7d. \"-\" reads stdin.\n"
        "Settings: option, then environment, then settings file (./config_db.env,\n"
        "$XDG_CONFIG_HOME/gavatcore/config.env, /etc/gavatcore/config.env), then default.\n"
        "Exit codes: 0 done, 1 no or failed, 2 wrong usage or settings, 3 a store is out of reach,\n"
        "4 partly done, 130 stopped.\n");
    add_examples(
        out, "gavatctl init\ngavatctl events log 42 login \"signed in\"\ngavatctl events list --user 42 --since 24h\n"
             "gavatctl doctor");
    ctl_add_text(out, "\n\"gavatctl GROUP --help\" and \"gavatctl GROUP COMMAND --help\" tell more.\n");
}

int ctl_print_help(const ctl_call *call)
{
    ctl_buffer text = {0};
    if (!call->group)
        add_program_help(&text);
    else if (call->command)
        add_command_help(&text, call->group, call->command);
    else
        add_group_help(&text, call->group);
    ctl_print(text.data, text.length);
    ctl_free(&text);
    return 0;
}

/* "help events list" is "events list --help". */
static int run_help(const ctl_call *call)
{
    if (ctl_get_flag(call, "man")) {
        ctl_print_man();
        return 0;
    }
    const char *words[2 + CTL_MOST_ARGUMENTS] = {"gavatctl", "--help"};
    int count = 2;
    for (size_t i = 0; i < call->argument_count; i++)
        words[count++] = call->arguments[i];
    ctl_call about;
    int code = ctl_parse(&about, count, words);
    if (!code && about.argument_count)
        code = ctl_usage(&about, "\"%s\" is one argument too many", about.arguments[0]);
    return code ? code : ctl_print_help(&about);
}

static const ctl_option help_arguments[] = {
    {.name = "GROUP", .kind = CTL_WORD, .optional = true, .help = "a group or command of gavatctl"},
    {.name = "COMMAND", .kind = CTL_WORD, .optional = true, .help = "a command of the group"},
    {0},
};

/* The build makes the manual page with it. */
static const ctl_option help_options[] = {{.name = "man", .kind = CTL_FLAG}, {0}};

static const ctl_command help_commands[] = {
    {.name = "",
     .summary = "Tell about gavatctl, a group or a command",
     .arguments = help_arguments,
     .options = help_options,
     .run = run_help,
     .examples = "gavatctl help\ngavatctl help events\ngavatctl help events list"},
    {0},
};

const ctl_group ctl_help = {
    .name = "help", .summary = "Tell about gavatctl, a group or a command", .commands = help_commands};
