#include "buffer.h"
#include "commands.h"
#include "output.h"
#include <string.h>

/* Text inside single quotes of the shell at hand. */
static void add_quoted(ctl_buffer *out, const char *text, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            ctl_add_text(out, quote);
        else
            ctl_add(out, text, 1);
    }
}

static void add_words(ctl_buffer *out, const char *choices)
{
    for (; *choices; choices++)
        ctl_add(out, *choices == '|' ? " " : choices, 1);
}

/* Each command with its path: "events list", or "doctor" alone. */
typedef void (*command_fn)(ctl_buffer *out, const ctl_group *group, const ctl_command *command, const char *path);

static void for_commands(ctl_buffer *out, command_fn fn)
{
    ctl_buffer path = {0};
    for (size_t i = 0; ctl_groups[i]; i++)
        for (const ctl_command *c = ctl_groups[i]->commands; c->run; c++) {
            ctl_clear(&path);
            ctl_add_format(&path, "%s%s%s", ctl_groups[i]->name, c->name[0] ? " " : "", c->name);
            fn(out, ctl_groups[i], c, path.data);
        }
    ctl_free(&path);
}

/* "-c|--config|--events|…": every option that takes a value; a name takes one everywhere or nowhere. */
static void add_pattern(ctl_buffer *out, const ctl_option *options, ctl_buffer *seen)
{
    for (const ctl_option *o = options; o && o->name; o++) {
        ctl_buffer mark = {0};
        ctl_add_format(&mark, " %s ", o->name);
        if (ctl_takes_word(o) && !(seen->data && strstr(seen->data, mark.data))) {
            ctl_add_text(seen, mark.data);
            if (o->letter)
                ctl_add_format(out, "%s-%c", out->data[out->length - 1] == ' ' ? "" : "|", o->letter);
            ctl_add_format(out, "%s--%s", out->data[out->length - 1] == ' ' ? "" : "|", o->name);
        }
        ctl_free(&mark);
    }
}

static void add_value_pattern(ctl_buffer *out)
{
    ctl_buffer seen = {0};
    add_pattern(out, ctl_common, &seen);
    for (size_t i = 0; ctl_groups[i]; i++)
        for (const ctl_command *c = ctl_groups[i]->commands; c->run; c++)
            add_pattern(out, c->options, &seen);
    ctl_free(&seen);
}

/* The walk over the words typed so far, the same in bash and zsh but for where the words are. */
static void add_walk(ctl_buffer *out, const char *words, const char *from, const char *last)
{
    ctl_add_format(out, "    local i group= command= path= word\n    for ((i = %s; i < %s; i++)); do\n", from, last);
    ctl_add_format(out, "        word=${%s[i]}\n        case $word in\n            ", words);
    add_value_pattern(out);
    ctl_add_format(out, ")\n                [[ ${%s[i+1]} == '=' ]] && ((i++))\n                ((i++)) ;;\n", words);
    ctl_add_text(
        out, "            -*) ;;\n"
             "            *) if [[ -z $group ]]; then group=$word; elif [[ -z $command ]]; then command=$word; fi ;;\n"
             "        esac\n    done\n    path=$group\n    case $group in\n        ");
    bool first = true;
    for (size_t i = 0; ctl_groups[i]; i++)
        if (!ctl_find_command(ctl_groups[i], "")) {
            ctl_add_format(out, "%s%s", first ? "" : "|", ctl_groups[i]->name);
            first = false;
        }
    ctl_add_text(out, ") [[ -n $command ]] && path=\"$group $command\" ;;\n    esac\n");
}

static void add_option_names(ctl_buffer *out, const ctl_option *options)
{
    for (const ctl_option *o = options; o && o->name; o++)
        if (o->help)
            ctl_add_format(out, " --%s", o->name);
}

static void add_option_values(ctl_buffer *out, const ctl_option *options, const char *path, const char *words,
                              const char *files)
{
    for (const ctl_option *o = options; o && o->name; o++) {
        if (!ctl_takes_word(o) || (!o->choices && o->kind != CTL_FILE))
            continue;
        ctl_add_text(out, "        ");
        if (o->letter)
            ctl_add_format(out, "'%s -%c'|", path, o->letter);
        ctl_add_format(out, "'%s --%s') ", path, o->name);
        if (o->choices) {
            ctl_add_text(out, words);
            add_words(out, o->choices);
            ctl_add_text(out, "' ;;\n");
        } else {
            ctl_add_format(out, "%s ;;\n", files);
        }
    }
}

static void add_bash_values(ctl_buffer *out, const ctl_group *group, const ctl_command *command, const char *path)
{
    (void)group;
    add_option_values(out, ctl_common, path, "words='", "files=1");
    add_option_values(out, command->options, path, "words='", "files=1");
}

static void add_bash_words(ctl_buffer *out, const ctl_group *group, const ctl_command *command, const char *path)
{
    (void)group;
    ctl_add_format(out, "        '%s') options='", path);
    add_option_names(out, command->options);
    ctl_add_text(out, "'");
    for (const ctl_option *a = command->arguments; a && a->name; a++) {
        if (a->choices) {
            ctl_add_text(out, "; words+=' ");
            add_words(out, a->choices);
            ctl_add_text(out, "'");
        }
        if (a->kind == CTL_FILE)
            ctl_add_text(out, "; files=1");
    }
    ctl_add_text(out, " ;;\n");
}

static void add_group_words(ctl_buffer *out)
{
    ctl_add_text(out, "        '') words='");
    for (size_t i = 0; ctl_groups[i]; i++)
        ctl_add_format(out, "%s%s", i ? " " : "", ctl_groups[i]->name);
    ctl_add_text(out, "' ;;\n");
    for (size_t i = 0; ctl_groups[i]; i++) {
        if (ctl_find_command(ctl_groups[i], ""))
            continue;
        ctl_add_format(out, "        '%s') words='", ctl_groups[i]->name);
        for (const ctl_command *c = ctl_groups[i]->commands; c->run; c++)
            ctl_add_format(out, "%s%s", c == ctl_groups[i]->commands ? "" : " ", c->name);
        ctl_add_text(out, "' ;;\n");
    }
}

/* Sets words, options and files for the place at hand: value of an option, or words of a path. */
static void add_choice(ctl_buffer *out)
{
    ctl_add_text(out, "    local words= options= files= known=1\n    case \"$path $previous\" in\n");
    ctl_add_text(out,
                 "        ' -o'|' --output') words='table json jsonl csv' ;;\n        ' -c'|' --config') files=1 ;;\n");
    for_commands(out, add_bash_values);
    ctl_add_text(
        out, "        *) known= ;;\n    esac\n    if [[ -z $known ]]; then\n        case $previous in\n            ");
    add_value_pattern(out);
    ctl_add_text(out, ") return ;;\n        esac\n        case $path in\n");
    add_group_words(out);
    for_commands(out, add_bash_words);
    ctl_add_text(out, "        esac\n        options+='");
    add_option_names(out, ctl_common);
    ctl_add_text(out, "'\n        [[ $current == -* ]] && words=$options files=\n    fi\n");
}

static void add_bash(ctl_buffer *out)
{
    ctl_add_text(out, "# bash completion for gavatctl: source <(gavatctl completion bash)\n_gavatctl() {\n"
                      "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                      "    if [[ $current == '=' ]]; then current=\n"
                      "    elif [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n");
    add_walk(out, "COMP_WORDS", "1", "COMP_CWORD");
    add_choice(out);
    ctl_add_text(out,
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                 "    if [[ -n $files ]]; then\n        compopt -o filenames 2>/dev/null\n"
                 "        COMPREPLY+=($(compgen -f -- \"$current\"))\n    fi\n}\ncomplete -F _gavatctl gavatctl\n");
}

static void add_zsh(ctl_buffer *out)
{
    ctl_add_text(
        out, "#compdef gavatctl\n# zsh completion for gavatctl: gavatctl completion zsh > \"${fpath[1]}/_gavatctl\"\n"
             "_gavatctl() {\n    emulate -L zsh\n    local -a typed\n    typed=(\"${words[@]}\")\n"
             "    local current=${typed[CURRENT]} previous=${typed[CURRENT-1]}\n"
             "    if [[ $current == --*=* ]]; then\n        previous=${current%%=*}\n        current=${current#*=}\n"
             "        compset -P '*='\n    fi\n");
    add_walk(out, "typed", "2", "CURRENT");
    add_choice(out);
    ctl_add_text(out,
                 "    [[ -n $words ]] && compadd -- ${=words}\n    [[ -n $files ]] && _files\n}\n"
                 "if [[ ${funcstack[1]} == _gavatctl ]]; then _gavatctl \"$@\"; else compdef _gavatctl gavatctl; fi\n");
}

static void add_fish_option(ctl_buffer *out, const char *when, const ctl_option *o)
{
    if (!o->help)
        return;
    ctl_add_format(out, "complete -c gavatctl%s -l %s", when, o->name);
    if (o->letter)
        ctl_add_format(out, " -s %c", o->letter);
    if (o->kind == CTL_FILE)
        ctl_add_text(out, " -r -F");
    else if (ctl_takes_word(o))
        ctl_add_text(out, " -x");
    if (o->choices) {
        ctl_add_text(out, " -a '");
        add_words(out, o->choices);
        ctl_add_text(out, "'");
    }
    ctl_add_text(out, " -d '");
    add_quoted(out, o->help, "\\'");
    ctl_add_text(out, "'\n");
}

static void add_fish_command(ctl_buffer *out, const ctl_group *group, const ctl_command *command, const char *path)
{
    ctl_buffer when = {0};
    (void)path;
    ctl_add_format(&when, " -n '__fish_seen_subcommand_from %s", group->name);
    if (command->name[0])
        ctl_add_format(&when, "; and __fish_seen_subcommand_from %s", command->name);
    ctl_add_text(&when, "'");
    for (const ctl_option *o = command->options; o && o->name; o++)
        add_fish_option(out, when.data, o);
    for (const ctl_option *a = command->arguments; a && a->name; a++) {
        if (a->choices) {
            ctl_add_format(out, "complete -c gavatctl%s -a '", when.data);
            add_words(out, a->choices);
            ctl_add_text(out, "'\n");
        }
        if (a->kind == CTL_FILE)
            ctl_add_format(out, "complete -c gavatctl%s -F\n", when.data);
    }
    ctl_free(&when);
}

static void add_fish_words(ctl_buffer *out, const ctl_group *group)
{
    ctl_add_format(out, "complete -c gavatctl -n __fish_use_subcommand -a %s -d '", group->name);
    add_quoted(out, group->summary, "\\'");
    ctl_add_text(out, "'\n");
    if (ctl_find_command(group, ""))
        return;
    for (const ctl_command *c = group->commands; c->run; c++) {
        ctl_add_format(out,
                       "complete -c gavatctl -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from",
                       group->name);
        for (const ctl_command *other = group->commands; other->run; other++)
            ctl_add_format(out, " %s", other->name);
        ctl_add_format(out, "' -a %s -d '", c->name);
        add_quoted(out, c->summary, "\\'");
        ctl_add_text(out, "'\n");
    }
}

static void add_fish(ctl_buffer *out)
{
    ctl_add_text(out,
                 "# fish completion for gavatctl: gavatctl completion fish > ~/.config/fish/completions/gavatctl.fish\n"
                 "complete -c gavatctl -f\n");
    for (const ctl_option *o = ctl_common; o->name; o++)
        add_fish_option(out, "", o);
    for (size_t i = 0; ctl_groups[i]; i++)
        add_fish_words(out, ctl_groups[i]);
    for_commands(out, add_fish_command);
}

static int run(const ctl_call *call)
{
    ctl_buffer text = {0};
    switch (*ctl_get_argument(call, 0)) {
    case 'b':
        add_bash(&text);
        break;
    case 'z':
        add_zsh(&text);
        break;
    default:
        add_fish(&text);
        break;
    }
    ctl_print(text.data, text.length);
    ctl_free(&text);
    return 0;
}

static const ctl_option arguments[] = {
    {.name = "SHELL", .kind = CTL_CHOICE, .choices = "bash|zsh|fish", .help = "bash, zsh or fish"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "",
     .summary = "Print the completion script of a shell",
     .arguments = arguments,
     .run = run,
     .examples = "source <(gavatctl completion bash)\ngavatctl completion zsh > \"${fpath[1]}/_gavatctl\"\n"
                 "gavatctl completion fish > ~/.config/fish/completions/gavatctl.fish"},
    {0},
};

const ctl_group ctl_completion = {
    .name = "completion", .summary = "Print the completion script of a shell", .commands = commands};
