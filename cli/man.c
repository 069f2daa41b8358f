/* man.c: the manual page gavatctl(1), out of the table that also parses. Its language is man(7), which groff and mandoc read. */
#include "man.h"
#include "buffer.h"
#include "output.h"
#include <string.h>
#include <utf8proc.h>

/* Text for roff: what it would take for its own is escaped, and everything but ASCII named by number. */
static void add_text(ctl_buffer *out, const char *text, size_t length)
{
    const char *end = text + length;
    bool line_start = out->length && out->data[out->length - 1] == '\n';
    if (line_start && length && (*text == '.' || *text == '\''))
        ctl_add_text(out, "\\&");
    while (text < end) {
        utf8proc_int32_t code = 0;
        utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)text, end - text, &code);
        if (bytes <= 0)
            bytes = 1, code = '?';
        if (code == '\\')
            ctl_add_text(out, "\\e");
        else if (code == '-')
            ctl_add_text(out, "\\-");
        else if (code == '"')
            ctl_add_text(out, "\\(dq");
        else if (code == '\'')
            ctl_add_text(out, "\\(aq");
        else if (code == '^' || code == '~' || code == '`')
            ctl_add_text(out, code == '^' ? "\\(ha" : code == '~' ? "\\(ti" : "\\(ga");
        else if (code >= 0x80)
            ctl_add_format(out, "\\[u%04X]", (unsigned)code);
        else
            ctl_add_format(out, "%c", (char)code);
        text += bytes;
    }
}

static void add(ctl_buffer *out, const char *text)
{
    add_text(out, text, strlen(text));
}

static void add_font(ctl_buffer *out, char font, const char *text)
{
    ctl_add_format(out, "\\f%c", font);
    add(out, text);
    ctl_add_text(out, "\\fR");
}

static void add_section(ctl_buffer *out, const char *macro, const char *title)
{
    ctl_add_format(out, ".%s \"", macro);
    add(out, title);
    ctl_add_text(out, "\"\n");
}

/* A term in bold with its value in italics, and what it means. */
static void add_option(ctl_buffer *out, const ctl_option *o)
{
    char letter[] = {'-', o->letter, '\0'};
    ctl_add_text(out, ".TP\n");
    if (o->letter) {
        add_font(out, 'B', letter);
        ctl_add_text(out, ", ");
    }
    ctl_add_text(out, "\\fB\\-\\-");
    add(out, o->name);
    ctl_add_text(out, "\\fR");
    if (o->kind == CTL_SWITCH) {
        add(out, "[=no]");
    } else if (o->value) {
        ctl_add_text(out, " ");
        add_font(out, 'I', o->value);
    }
    ctl_add_text(out, "\n");
    add(out, o->help);
    ctl_add_text(out, "\n");
}

static void add_options(ctl_buffer *out, const ctl_option *options)
{
    for (const ctl_option *o = options; o && o->name; o++)
        if (o->help)
            add_option(out, o);
}

static void add_arguments(ctl_buffer *out, const ctl_option *arguments)
{
    for (const ctl_option *a = arguments; a && a->name; a++) {
        ctl_add_text(out, ".TP\n");
        add_font(out, 'I', a->name);
        ctl_add_text(out, "\n");
        add(out, a->help);
        ctl_add_text(out, "\n");
    }
}

/* "gavatctl events log USER TYPE [MESSAGE] [OPTIONS]". */
static void add_usage(ctl_buffer *out, const ctl_group *group, const ctl_command *command)
{
    ctl_add_text(out, "\\fBgavatctl ");
    add(out, group->name);
    ctl_add_text(out, *command->name ? " " : "");
    add(out, command->name);
    ctl_add_text(out, "\\fR");
    for (const ctl_option *a = command->arguments; a && a->name; a++) {
        ctl_add_text(out, a->optional ? " [" : " ");
        add_font(out, 'I', a->name);
        ctl_add_text(out, a->optional ? "]" : "");
        if (a->instead) {
            ctl_add_text(out, "|\\fB\\-\\-");
            add(out, a->instead);
            ctl_add_text(out, "\\fR");
        }
    }
    ctl_buffer repeated = {0};
    ctl_add_repeated(&repeated, command->arguments);
    add_font(out, 'I', repeated.data ? repeated.data : "");
    ctl_free(&repeated);
    for (const ctl_option *o = command->options; o && o->name; o++) {
        if (!o->required)
            continue;
        ctl_add_text(out, " \\fB\\-\\-");
        add(out, o->name);
        ctl_add_text(out, "\\fR ");
        add_font(out, 'I', o->value);
    }
    ctl_add_text(out, " [\\fIOPTIONS\\fR]\n");
}

/* Lines as they stand. */
static void add_lines(ctl_buffer *out, const char *lines)
{
    ctl_add_text(out, ".PP\n.nf\n.RS 4\n");
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        add_text(out, lines, length);
        ctl_add_text(out, "\n");
        lines += length + (lines[length] == '\n');
    }
    ctl_add_text(out, ".RE\n.fi\n");
}

static void add_command(ctl_buffer *out, const ctl_group *group, const ctl_command *command)
{
    add_usage(out, group, command);
    ctl_add_text(out, ".RS 4\n");
    add(out, command->summary);
    ctl_add_text(out, ".\n");
    if (command->about) {
        add(out, command->about);
        ctl_add_text(out, "\n");
    }
    add_arguments(out, command->arguments);
    add_options(out, command->options);
    if (command->examples)
        add_lines(out, command->examples);
    ctl_add_text(out, ".RE\n");
}

static void add_group(ctl_buffer *out, const ctl_group *group)
{
    bool summary = !ctl_find_command(group, "");
    add_section(out, "SS", group->name);
    if (summary) {
        add(out, group->summary);
        ctl_add_text(out, ".\n");
    }
    for (const ctl_command *c = group->commands; c->run; c++) {
        if (summary || c != group->commands)    /* a section begins a paragraph of its own */
            ctl_add_text(out, ".PP\n");
        add_command(out, group, c);
    }
}

static void add_head(ctl_buffer *out)
{
    ctl_add_format(out, ".TH GAVATCTL 1 \"\" \"gavatcore %s\" \"gavatcore\"\n.nh\n.ad l\n", gavat_version());
    ctl_add_text(out, ".SH NAME\ngavatctl \\- look at the data of chat\\-bot back\\-ends, change it, keep its stores in order\n"
                      ".SH SYNOPSIS\n\\fBgavatctl\\fR [\\fIOPTIONS\\fR] \\fIGROUP\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] "
                      "[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n");
    add(out, "gavatctl does from a shell what libgavatcore does in a program: it logs events, sales, messages and sessions, "
             "lists and searches them, keeps keys, cooldowns, counters, lists and limits, and says how the stores are. stdout carries data only; messages, questions and progress go "
             "to stderr.");
    ctl_add_text(out, "\n.PP\n");
    add(out, "Records are printed as an aligned table on a terminal and as JSON, one object a line, elsewhere; --output chooses. "
             "Numbers keep all their digits. A time is printed as RFC 3339 in UTC and read as that, as a date with or without a "
             "time of day (UTC), or as a duration back from now: 90s, 15m, 24h, 7d. The text - in place of an argument reads it "
             "from stdin. Ctrl-C ends the work after the batch at hand; a second one at once.");
    ctl_add_text(out, "\n");
}

static void add_exits(ctl_buffer *out)
{
    static const char *const codes[][2] = {
        {"0", "Done."},
        {"1", "No: it failed, is not there, or a check found a fault. stderr says what to do."},
        {"2", "Wrong usage or settings."},
        {"3", "A store could not be reached in time."},
        {"4", "Partly done: some records were rejected."},
        {"130", "Stopped by Ctrl-C."},
    };
    ctl_add_text(out, ".SH \"EXIT STATUS\"\n");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        ctl_add_format(out, ".TP\n\\fB%s\\fR\n", codes[i][0]);
        add(out, codes[i][1]);
        ctl_add_text(out, "\n");
    }
}

static void add_tail(ctl_buffer *out)
{
    add_exits(out);
    ctl_add_text(out, ".SH ENVIRONMENT\n");
    add(out, "POSTGRES_URL, else DATABASE_URL, names the events store, REDIS_URL the state store. Every setting of gavatcore-settings(5) can be given here. "
             "An option beats the environment, the environment the settings file. NO_COLOR turns colour off.");
    ctl_add_text(out, "\n.SH FILES\n");
    add(out, "The settings file is the one that --config names, else the first of these that exists:");
    ctl_add_text(out, "\n.PP\n.nf\n.RS 4\n\\&./config_db.env\n$XDG_CONFIG_HOME/gavatcore/config.env\n"
                      "/etc/gavatcore/config.env\n.RE\n.fi\n.SH \"SEE ALSO\"\n"
                      "\\fBgavatcore\\fR(3), \\fBgavatcore\\-settings\\fR(5)\n");
}

void ctl_print_man(void)
{
    ctl_buffer out = {0};
    add_head(&out);
    ctl_add_text(&out, ".SH OPTIONS\nThese go with every command and may stand before it or after it.\n");
    add_options(&out, ctl_common);
    ctl_add_text(&out, ".SH COMMANDS\n");
    for (size_t i = 0; ctl_groups[i]; i++)
        add_group(&out, ctl_groups[i]);
    add_tail(&out);
    ctl_print(out.data, out.length);
    ctl_free(&out);
}
