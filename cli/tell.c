#include "tell.h"
#include "buffer.h"
#include "stop.h"
#include "width.h"
#include <string.h>
#include <unistd.h>

static void write_all(const char *data, size_t length)
{
    while (length) {
        ssize_t wrote = write(STDERR_FILENO, data, length);
        if (wrote <= 0)
            return;
        data += wrote;
        length -= (size_t)wrote;
    }
}

void ctl_tell(const char *before, const char *format, va_list list)
{
    ctl_buffer text = {0}, line = {0};
    ctl_add_list(&text, format, list);
    ctl_add_text(&line, before);
    ctl_add_shown(&line, text.data ? text.data : "", text.length);
    ctl_add(&line, "\n", 1);
    write_all(line.data, line.length);
    ctl_free(&text);
    ctl_free(&line);
}

void ctl_error(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ctl_tell("gavatctl: ", format, list);
    va_end(list);
}

void ctl_hint(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    ctl_tell("hint: ", format, list);
    va_end(list);
}

void ctl_note(const ctl_call *call, const char *format, ...)
{
    if (call->quiet)
        return;
    va_list list;
    va_start(list, format);
    ctl_tell("", format, list);
    va_end(list);
}

static bool read_yes(void)
{
    char answer[64];
    ssize_t length = ctl_read(STDIN_FILENO, answer, sizeof answer - 1);
    if (length <= 0) {
        write_all("\n", 1);
        return false;
    }
    answer[length] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0 ||
           strcmp(answer, "YES") == 0;
}

int ctl_can_confirm(const ctl_call *call)
{
    if (call->yes || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
        return 0;
    ctl_error("this needs a confirmation, and there is no terminal to ask on");
    ctl_hint("add --yes to do it without being asked");
    return 2;
}

int ctl_confirm(const ctl_call *call, const char *format, ...)
{
    int code = ctl_can_confirm(call);
    if (code || call->yes)
        return code;
    ctl_buffer question = {0}, shown = {0};
    va_list list;
    va_start(list, format);
    ctl_add_list(&question, format, list);
    va_end(list);
    ctl_add_shown(&shown, question.data, question.length);
    ctl_add_text(&shown, " [y/N] ");
    write_all(shown.data, shown.length);
    ctl_free(&question);
    ctl_free(&shown);
    if (read_yes())
        return 0;
    ctl_error("nothing was changed");
    return ctl_stopped() ? 130 : 1;
}

int ctl_exit_code(gavat_status status)
{
    switch (status) {
    case GAVAT_OK:
        return 0;
    case GAVAT_EINVAL:
        return 2;
    case GAVAT_ETIMEDOUT:
    case GAVAT_EUNAVAIL:
        return 3;
    default:
        return 1;
    }
}

/* "gavatctl state get USER KEY" prints what is there: where the group has such a command. */
static void hint_command(const ctl_call *call, const char *name, const char *what)
{
    const ctl_command *command = ctl_find_command(call->group, name);
    if (!command)
        return;
    ctl_buffer words = {0};
    ctl_add_format(&words, "%s %s", call->group->name, name);
    for (const ctl_option *a = command->arguments; a && a->name; a++)
        if (!a->optional)
            ctl_add_format(&words, " %s", a->name);
    ctl_hint("\"gavatctl %s\" %s what is there", words.data, what);
    ctl_free(&words);
}

static void hint_at(const ctl_call *call, const gavat_error *error)
{
    const char *blank = call->command->name[0] ? " " : "";
    switch (error->status) {
    case GAVAT_EINVAL:
        ctl_hint("see gavatctl %s%s%s --help", call->group->name, blank, call->command->name);
        break;
    case GAVAT_ETIMEDOUT:
        ctl_hint("\"gavatctl doctor\" says how each store is; --timeout gives it longer");
        break;
    case GAVAT_EUNAVAIL:
    case GAVAT_EIO:
    case GAVAT_ECORRUPT:
        ctl_hint("\"gavatctl doctor\" says what is wrong with each store");
        break;
    case GAVAT_ESCHEMA:
        ctl_hint(
            "\"gavatctl schema status\" shows the versions, \"gavatctl schema upgrade\" brings the store up to date");
        break;
    case GAVAT_ENOTFOUND:
        hint_command(call, "list", "shows");
        break;
    case GAVAT_ECONFLICT:
        hint_command(call, "get", "prints");
        break;
    case GAVAT_EBUSY:
        ctl_hint("try it again in a moment");
        break;
    default:
        break;
    }
}

int ctl_fail(const ctl_call *call, const gavat_error *error)
{
    if (ctl_stopped()) {
        ctl_error("stopped%s", error->flags & GAVAT_ERROR_MAYBE_APPLIED ? "; the last request may have been done" : "");
        return 130;
    }
    const char *name = gavat_status_name(error->status);
    ctl_error("%s", error->message && *error->message ? error->message : name);
    if (error->flags & GAVAT_ERROR_MAYBE_APPLIED)
        ctl_hint("it is not known whether this was done: look before doing it again");
    hint_at(call, error);
    if (call->verbose)
        ctl_note(call, "(%s%s%s%s%s)", name, *error->backend ? ", " : "", error->backend, *error->native ? ", " : "",
                 error->native);
    return ctl_exit_code(error->status);
}
