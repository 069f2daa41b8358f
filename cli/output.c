#include "output.h"
#include "tell.h"
#include "width.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Why stdout could first not be written; 0: it could. Told once, at the end. */
static int stdout_fault;

static size_t screen_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void set_columns(ctl_output *out, const char *columns)
{
    out->names = ctl_alloc(strlen(columns) + 1);
    strcpy(out->names, columns);
    for (char *at = out->names; at && out->column_count < CTL_MOST_COLUMNS;) {
        out->columns[out->column_count++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
}

void ctl_output_begin(ctl_output *out, const ctl_call *call, const char *columns, const char *shown)
{
    *out = (ctl_output){.file = stdout, .format = call->format};
    set_columns(out, shown && call->format == CTL_TABLE ? shown : columns);
    ctl_table_begin(&out->table, out->column_count, call->colour, screen_width());
}

void ctl_output_file(ctl_output *out, FILE *file, ctl_format format, const char *columns)
{
    *out = (ctl_output){.file = file, .format = format};
    set_columns(out, columns);
    ctl_table_begin(&out->table, out->column_count, false, 0);
}

/* "a=1, b=(c=2)": two levels in words, what is deeper as JSON. */
static void add_nested(ctl_buffer *out, ctl_slice value, unsigned depth)
{
    ctl_walk walk;
    ctl_slice key, member;
    ctl_buffer plain = {0};
    bool first = true;
    for (ctl_walk_begin(&walk, value); ctl_walk_next(&walk, &key, &member); first = false) {
        bool object = *member.data == '{' && depth == 0;
        ctl_clear(&plain);
        if (!first)
            ctl_add_text(&plain, ", ");
        if (key.length) {
            ctl_json_plain(&plain, key);
            ctl_add_text(&plain, "=");
        }
        if (object)
            ctl_add_text(&plain, "(");
        else if (*member.data == '{' || *member.data == '[')
            ctl_add(&plain, member.data, member.length);
        else
            ctl_json_plain(&plain, member);
        ctl_add_shown(out, plain.data ? plain.data : "", plain.length);
        if (object) {
            add_nested(out, member, depth + 1);
            ctl_add_text(out, ")");
        }
    }
    ctl_free(&plain);
}

static void add_row(ctl_output *out, const char *json)
{
    ctl_buffer plain = {0};
    for (size_t i = 0; i < out->column_count; i++) {
        ctl_slice value = ctl_json_member(json, out->columns[i]);
        char first = value.length ? *value.data : '"';
        ctl_clear(&out->line);
        ctl_clear(&plain);
        if (first == '{' || first == '[') {
            add_nested(&out->line, value, 0);
        } else {
            ctl_json_plain(&plain, value);
            ctl_add_shown(&out->line, plain.data ? plain.data : "", plain.length);
        }
        ctl_table_cell(&out->table, out->line.data ? out->line.data : "", out->line.length,
                       (first >= '0' && first <= '9') || first == '-');
    }
    ctl_free(&plain);
}

static void add_field(ctl_buffer *line, const char *text, size_t length)
{
    bool quoted = false;
    for (size_t i = 0; i < length && !quoted; i++)
        quoted = text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
    if (!quoted && !(length && (text[0] == ' ' || text[length - 1] == ' '))) {
        ctl_add(line, text, length);
        return;
    }
    ctl_add_text(line, "\"");
    for (size_t i = 0; i < length; i++)
        ctl_add(line, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
    ctl_add_text(line, "\"");
}

static void write_line(ctl_output *out)
{
    ctl_add_text(&out->line, "\n");
    fwrite(out->line.data, 1, out->line.length, out->file);
}

static void write_names(ctl_output *out)
{
    ctl_clear(&out->line);
    for (size_t i = 0; i < out->column_count; i++)
        ctl_add_format(&out->line, "%s%s", i ? "," : "", out->columns[i]);
    write_line(out);
}

static void write_csv(ctl_output *out, const char *json)
{
    ctl_buffer plain = {0};
    if (!out->count)
        write_names(out);
    ctl_clear(&out->line);
    for (size_t i = 0; i < out->column_count; i++) {
        ctl_clear(&plain);
        ctl_json_plain(&plain, ctl_json_member(json, out->columns[i]));
        if (i)
            ctl_add_text(&out->line, ",");
        add_field(&out->line, plain.data ? plain.data : "", plain.length);
    }
    write_line(out);
    ctl_free(&plain);
}

void ctl_output_record(ctl_output *out, const char *json, size_t length)
{
    switch (out->format) {
    case CTL_TABLE:
        add_row(out, json);
        break;
    case CTL_CSV:
        write_csv(out, json);
        break;
    case CTL_ARRAY:
        if (!out->single)
            fputs(out->count ? ",\n  " : "[\n  ", out->file);
        fwrite(json, 1, length, out->file);
        break;
    case CTL_LINES:
        fwrite(json, 1, length, out->file);
        fputc('\n', out->file);
        break;
    }
    out->count++;
}

void ctl_output_op(ctl_output *out, const gavat_op *op)
{
    size_t length = 0;
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const char *json = gavat_op_json(op, i, &length);
        if (json)
            ctl_output_record(out, json, length);
    }
    uint64_t place = 0;
    const char *reason = NULL;
    for (size_t i = 0; (reason = gavat_op_rejected(op, i, &place)) != NULL; i++, out->skipped++)
        ctl_error("skipped: %s", reason);
}

bool ctl_output_page(ctl_output *out)
{
    if (out->format == CTL_TABLE && out->table.rows)
        ctl_table_print(&out->table, out->columns, out->file);
    errno = 0;
    if (fflush(out->file) != 0 || ferror(out->file)) {
        out->failed = true;
        if (out->file == stdout && !stdout_fault)
            stdout_fault = errno ? errno : EPIPE;
    }
    return !out->failed;
}

void ctl_output_drop(ctl_output *out)
{
    ctl_table_free(&out->table);
    ctl_free(&out->line);
    free(out->names);
}

int ctl_output_end(ctl_output *out)
{
    if (out->format == CTL_ARRAY)
        fputs(out->single ? "\n" : out->count ? "\n]\n" : "[]\n", out->file);
    if (out->format == CTL_CSV && !out->count)
        write_names(out);
    bool written = ctl_output_page(out);
    ctl_output_drop(out);
    return !written && out->file != stdout ? 1 : out->skipped ? 4 : 0;
}

int ctl_output_one(const ctl_call *call, const char *columns, const char *json)
{
    ctl_output out;
    ctl_output_begin(&out, call, columns, NULL);
    out.single = true;
    ctl_output_record(&out, json, strlen(json));
    return ctl_output_end(&out);
}

int ctl_output_result(const ctl_call *call, const char *columns, const char *json)
{
    return call->format_given ? ctl_output_one(call, columns, json) : 0;
}

int ctl_output_bare(const ctl_call *call, const char *column, const char *text, const char *json)
{
    if (call->format_given && call->format != CTL_TABLE) {
        ctl_buffer record = {0};
        ctl_add_format(&record, "{\"%s\":%s}", column, json);
        int code = ctl_output_one(call, column, record.data);
        ctl_free(&record);
        return code;
    }
    ctl_print_line(text, strlen(text));
    return 0;
}

int ctl_output_uid(const ctl_call *call, const char *uid)
{
    char json[64];
    snprintf(json, sizeof json, "\"%s\"", uid);
    return ctl_output_bare(call, "uid", uid, json);
}

void ctl_print(const char *data, size_t length)
{
    fwrite(data, 1, length, stdout);
}

void ctl_print_line(const char *data, size_t length)
{
    ctl_buffer shown = {0};
    if (isatty(STDOUT_FILENO)) {
        ctl_add_shown(&shown, data, length);
        data = shown.data ? shown.data : "";
        length = shown.length;
    }
    ctl_print(data, length);
    ctl_print("\n", 1);
    ctl_free(&shown);
}

int ctl_finish_stdout(int code)
{
    errno = 0;
    if (fflush(stdout) != 0 && !stdout_fault)
        stdout_fault = errno;
    if (!stdout_fault || stdout_fault == EPIPE || stdout_fault == EBADF)
        return code;
    ctl_error("cannot write to stdout: %s", strerror(stdout_fault));
    return code ? code : 1;
}
