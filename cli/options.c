#include "options.h"
#include "stop.h"
#include "tell.h"
#include "value.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_STDIN ((size_t)4 << 20)

int ctl_usage(const ctl_call *call, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ctl_tell("gavatctl: ", format, list);
    va_end(list);
    const char *group = call->group ? call->group->name : "";
    const char *command = call->command ? call->command->name : "";
    ctl_hint("see gavatctl %s%s%s%s--help", group, *group ? " " : "", command, *command ? " " : "");
    return 2;
}

/* An unknown word: the nearest known one is the hint when there is one. */
static int unknown(const ctl_call *call, const char *what, const ctl_nearest *nearest, const char *before)
{
    if (!nearest->name)
        return ctl_usage(call, "unknown %s \"%s\"", what, nearest->wanted);
    ctl_error("unknown %s \"%s\"", what, nearest->wanted);
    ctl_hint("did you mean \"%s%s\"?", before, nearest->name);
    return 2;
}

const ctl_group *ctl_find_group(const char *name)
{
    for (size_t i = 0; ctl_groups[i]; i++)
        if (strcmp(ctl_groups[i]->name, name) == 0)
            return ctl_groups[i];
    return NULL;
}

const ctl_command *ctl_find_command(const ctl_group *group, const char *name)
{
    for (const ctl_command *command = group->commands; command->run; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

const ctl_option *ctl_find_option(const ctl_option *options, const char *name, size_t length, char letter)
{
    for (const ctl_option *o = options; o && o->name; o++)
        if (name ? strlen(o->name) == length && memcmp(o->name, name, length) == 0 : o->letter == letter)
            return o;
    return NULL;
}

bool ctl_has_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && memcmp(at, word, length) == 0)
            return true;
    return false;
}

bool ctl_takes_word(const ctl_option *option)
{
    return option->kind != CTL_FLAG && option->kind != CTL_SWITCH;
}

/* An option of the command at hand, or, before the command is known, of any. */
static const ctl_option *look_up(const ctl_call *call, const char *name, size_t length, char letter)
{
    const ctl_option *found = ctl_find_option(ctl_common, name, length, letter);
    if (found || call->command)
        return found ? found : ctl_find_option(call->command->options, name, length, letter);
    for (size_t i = 0; ctl_groups[i] && !found; i++)
        for (const ctl_command *c = ctl_groups[i]->commands; c->run && !found; c++)
            found = ctl_find_option(c->options, name, length, letter);
    return found;
}

static int unknown_option(const ctl_call *call, const char *name, size_t length)
{
    ctl_buffer wanted = {0};
    ctl_add_text(&wanted, "--");
    ctl_add(&wanted, name, length);
    ctl_nearest nearest = {.wanted = wanted.data + 2};
    for (const ctl_option *o = ctl_common; o->name; o++)
        ctl_offer(&nearest, o->name);
    for (const ctl_option *o = call->command ? call->command->options : NULL; o && o->name; o++)
        ctl_offer(&nearest, o->name);
    nearest.wanted = wanted.data;
    int code = unknown(call, "option", &nearest, "--");
    ctl_free(&wanted);
    return code;
}

static const char *wrong_value(const ctl_option *o, const char *text, ctl_buffer *why)
{
    int64_t number = 0;
    uint32_t count = 0;
    switch (o->kind) {
    case CTL_INTEGER:
        if (ctl_parse_integer(text, o->least, o->most, &number))
            return NULL;
        ctl_add_format(why, "a whole number from %lld to %lld", (long long)o->least, (long long)o->most);
        return why->data;
    case CTL_TIME:
        return ctl_parse_time(text, &number) ? NULL
                                             : "a time such as 2026-01-31T09:00:00Z, 2026-01-31 or 24h (back from now)";
    case CTL_DURATION:
        return ctl_parse_duration(text, &number) && number > 0 ? NULL : "a duration such as 90s, 15m, 24h or 7d";
    case CTL_RATE:
        return ctl_parse_rate(text, &count, &number) ? NULL : "a rate such as 3/1h or 10/s";
    case CTL_SWITCH:
        return ctl_has_choice("yes|no", text) ? NULL : "yes or no";
    case CTL_CHOICE:
        if (ctl_has_choice(o->choices, text))
            return NULL;
        for (const char *at = o->choices; *at; at++) {
            ctl_add(why, *at == '|' ? ", " : at, *at == '|' ? 2 : 1);
        }
        ctl_buffer list = *why;
        *why = (ctl_buffer){0};
        ctl_add_format(why, "one of %s", list.data);
        ctl_free(&list);
        return why->data;
    default:
        return NULL;
    }
}

static int check_value(const ctl_call *call, const ctl_option *o, const char *text)
{
    ctl_buffer why = {0};
    const char *wanted = wrong_value(o, text, &why);
    if (wanted)
        ctl_usage(call, "%s%s takes %s, not \"%s\"", o->value || o->kind == CTL_SWITCH ? "--" : "", o->name, wanted,
                  text);
    ctl_free(&why);
    return wanted ? 2 : 0;
}

static int keep_option(ctl_call *call, const ctl_option *o, const char *text)
{
    if (call->value_count == CTL_MOST_VALUES)
        return ctl_usage(call, "too many options");
    call->values[call->value_count].option = o;
    call->values[call->value_count++].text = text;
    return 0;
}

/* "--name", "--name=value", "--name value". Moves *i over what it took. */
static int take_long(ctl_call *call, int argc, const char *const *argv, int *i)
{
    const char *name = argv[*i] + 2, *text = strchr(name, '=');
    size_t length = text ? (size_t)(text - name) : strlen(name);
    const ctl_option *o = look_up(call, name, length, 0);
    if (!o)
        return unknown_option(call, name, length);
    if (o->kind == CTL_FLAG)
        return text ? ctl_usage(call, "--%s takes no value", o->name) : keep_option(call, o, "");
    if (o->kind == CTL_SWITCH)
        return keep_option(call, o, text ? text + 1 : "yes");
    if (!text && *i + 1 == argc)
        return ctl_usage(call, "--%s needs %s", o->name, o->value);
    return keep_option(call, o, text ? text + 1 : argv[++*i]);
}

/* "-q", "-qy", "-ojson", "-o json", "-o=json". */
static int take_short(ctl_call *call, int argc, const char *const *argv, int *i)
{
    for (const char *at = argv[*i] + 1; *at; at++) {
        const ctl_option *o = look_up(call, NULL, 0, *at);
        if (!o)
            return ctl_usage(call, "unknown option \"-%.1s\"", at);
        if (!ctl_takes_word(o)) {
            int code = keep_option(call, o, o->kind == CTL_SWITCH ? "yes" : "");
            if (code)
                return code;
            continue;
        }
        if (at[1])
            return keep_option(call, o, at[1] == '=' ? at + 2 : at + 1);
        if (*i + 1 == argc)
            return ctl_usage(call, "-%c needs %s", *at, o->value);
        return keep_option(call, o, argv[++*i]);
    }
    return 0;
}

static int take_group(ctl_call *call, const char *word, const char *next)
{
    call->group = ctl_find_group(word);
    if (call->group) {
        call->command = ctl_find_command(call->group, "");
        return 0;
    }
    const ctl_group *behind = next ? ctl_find_group(next) : NULL;
    if (behind && ctl_find_command(behind, word)) {
        ctl_error("unknown command \"%s\"", word);
        ctl_hint("did you mean \"gavatctl %s %s\"?", next, word);
        return 2;
    }
    ctl_nearest nearest = {.wanted = word};
    for (size_t i = 0; ctl_groups[i]; i++)
        ctl_offer(&nearest, ctl_groups[i]->name);
    return unknown(call, "command", &nearest, "gavatctl ");
}

static size_t count_arguments(const ctl_command *command, size_t *repeated)
{
    size_t count = 0;
    *repeated = 0;
    for (const ctl_option *a = command->arguments; a && a[count].name; count++)
        *repeated += a[count].repeats;
    return count;
}

/* The row of argument i; NULL: there is none so far on. */
static const ctl_option *find_argument(const ctl_command *command, size_t i)
{
    size_t repeated = 0, count = count_arguments(command, &repeated);
    if (i < count)
        return &command->arguments[i];
    return repeated ? &command->arguments[count - repeated + (i - count) % repeated] : NULL;
}

/* Behind so many arguments: the one that must still come; NULL: none. */
static const ctl_option *find_missing(const ctl_command *command, size_t given)
{
    size_t repeated = 0, count = count_arguments(command, &repeated);
    if (given >= count && (!repeated || (given - count) % repeated == 0))
        return NULL;
    const ctl_option *next = find_argument(command, given);
    return next->optional ? NULL : next;
}

static int take_word(ctl_call *call, const char *word, const char *next)
{
    if (!call->group)
        return take_group(call, word, next);
    if (!call->command) {
        call->command = ctl_find_command(call->group, word);
        if (call->command)
            return 0;
        const ctl_group *other = ctl_find_group(word);
        if (other && ctl_find_command(other, call->group->name)) {
            ctl_error("unknown command \"%s\"", word);
            ctl_hint("did you mean \"gavatctl %s %s\"?", word, call->group->name);
            return 2;
        }
        ctl_buffer before = {0};
        ctl_nearest nearest = {.wanted = word};
        for (const ctl_command *c = call->group->commands; c->run; c++)
            ctl_offer(&nearest, c->name);
        ctl_add_format(&before, "gavatctl %s ", call->group->name);
        int code = unknown(call, "command", &nearest, before.data);
        ctl_free(&before);
        return code;
    }
    if (!find_argument(call->command, call->argument_count) || call->argument_count == CTL_MOST_ARGUMENTS)
        return ctl_usage(call, "\"%s\" is one argument too many", word);
    call->arguments[call->argument_count++] = word;
    return 0;
}

/* An option in place of the first argument leaves that NULL, and the others move up. */
static int settle_arguments(ctl_call *call)
{
    const ctl_option *first = call->command->arguments;
    if (!first || !first->instead || !ctl_get_flag(call, first->instead))
        return 0;
    if (!find_argument(call->command, call->argument_count) || call->argument_count == CTL_MOST_ARGUMENTS)
        return ctl_usage(call, "\"%s\" is one argument too many: --%s stands in place of %s",
                         call->arguments[call->argument_count - 1], first->instead, first->name);
    memmove(call->arguments + 1, call->arguments, call->argument_count++ * sizeof *call->arguments);
    call->arguments[0] = NULL;
    return 0;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
}

static int take_all(ctl_call *call, int argc, const char *const *argv)
{
    bool words_only = false;
    int code = 0;
    for (int i = 1; i < argc && !code; i++) {
        if (!words_only && strcmp(argv[i], "--") == 0)
            words_only = true;
        else if (words_only || !is_option(argv[i]))
            code = take_word(call, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        else
            code = argv[i][1] == '-' ? take_long(call, argc, argv, &i) : take_short(call, argc, argv, &i);
    }
    return code;
}

/* Options that stood before the command were found in any row: now they must be the command's own. */
static int settle_options(ctl_call *call)
{
    for (size_t i = 0; i < call->value_count; i++) {
        const ctl_option *o = call->values[i].option;
        const ctl_option *own = look_up(call, o->name, strlen(o->name), 0);
        if (!own)
            return unknown_option(call, o->name, strlen(o->name));
        call->values[i].option = own;
    }
    call->help = ctl_get_flag(call, "help");
    call->version = ctl_get_flag(call, "version");
    call->quiet = ctl_get_flag(call, "quiet");
    call->verbose = ctl_get_flag(call, "verbose");
    call->yes = ctl_get_flag(call, "yes");
    return 0;
}

static int check_values(const ctl_call *call)
{
    for (size_t i = 0; i < call->value_count; i++) {
        if (check_value(call, call->values[i].option, call->values[i].text))
            return 2;
    }
    for (size_t i = 0; i < call->argument_count; i++)
        if (call->arguments[i] && check_value(call, find_argument(call->command, i), call->arguments[i]))
            return 2;
    const ctl_option *missing = find_missing(call->command, call->argument_count);
    if (missing)
        return ctl_usage(call, "%s is missing", missing->name);
    for (const ctl_option *o = call->command->options; o && o->name; o++)
        if (o->required && !ctl_get_text(call, o->name))
            return ctl_usage(call, "--%s %s is missing", o->name, o->value);
    gavat_time since = ctl_get_time(call, "since"), until = ctl_get_time(call, "until");
    if (since && until && since >= until)
        return ctl_usage(call, "--since must lie before --until");
    return 0;
}

static void settle_output(ctl_call *call)
{
    const char *format = ctl_get_text(call, "output"), *none = getenv("NO_COLOR"), *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO);
    call->format_given = format != NULL;
    call->format = terminal ? CTL_TABLE : CTL_LINES;
    if (format)
        call->format = *format == 't' ? CTL_TABLE : *format == 'c' ? CTL_CSV : format[4] ? CTL_LINES : CTL_ARRAY;
    call->colour =
        terminal && !ctl_get_flag(call, "no-color") && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

int ctl_parse(ctl_call *call, int argc, const char *const *argv)
{
    *call = (ctl_call){0};
    int code = take_all(call, argc, argv);
    if (!code)
        code = settle_options(call);
    if (code || call->help || call->version || !call->command)
        return code;
    code = settle_arguments(call);
    if (!code)
        code = check_values(call);
    settle_output(call);
    return code;
}

static int read_stdin(const ctl_call *call, const char **out)
{
    ctl_buffer text = {0};
    char part[16384];
    ssize_t length = 0;
    while ((length = ctl_read(STDIN_FILENO, part, sizeof part)) > 0) {
        ctl_add(&text, part, (size_t)length);
        if (text.length > MOST_STDIN)
            return ctl_usage(call, "stdin holds more than 4 MiB");
    }
    if (ctl_stopped())
        return 130;
    if (length < 0) {
        ctl_error("cannot read stdin: %s", strerror(errno));
        return 1;
    }
    if (text.length && text.data[text.length - 1] == '\n')
        text.data[--text.length] = '\0';
    if (text.length && text.data[text.length - 1] == '\r')
        text.data[--text.length] = '\0';
    if (text.data && strlen(text.data) != text.length)
        return ctl_usage(call, "stdin holds a NUL byte");
    *out = text.data ? text.data : "";
    return 0;
}

int ctl_read_dashes(ctl_call *call)
{
    const char **dash = NULL;
    for (size_t i = 0; i < call->argument_count + call->value_count; i++) {
        bool argument = i < call->argument_count;
        size_t j = argument ? i : i - call->argument_count;
        ctl_kind kind = argument ? find_argument(call->command, j)->kind : call->values[j].option->kind;
        const char **text = argument ? &call->arguments[j] : &call->values[j].text;
        if ((kind != CTL_TEXT && kind != CTL_JSON) || !*text || strcmp(*text, "-") != 0)
            continue;
        if (dash)
            return ctl_usage(call, "\"-\" can stand only once: stdin is read to its end");
        dash = text;
    }
    return dash ? read_stdin(call, dash) : 0;
}
