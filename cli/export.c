#include "commands.h"
#include "page.h"
#include "progress.h"
#include "stop.h"
#include "tell.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const ctl_option ctl_export_arguments[] = {
    {.name = "FILE", .kind = CTL_FILE, .help = "where to; - writes to stdout"},
    {0},
};

typedef struct export {
    const ctl_call *call;
    const char *path;
    char *part; /* the file while it is not complete; NULL: written in place */
    FILE *file;
    ctl_progress progress;
    uint64_t whole;
} export;

static bool open_file(export *e)
{
    struct stat info;
    ctl_buffer part = {0};
    if (strcmp(e->path, "-") == 0) {
        e->file = stdout;
        return true;
    }
    if (stat(e->path, &info) != 0 || S_ISREG(info.st_mode)) {
        ctl_add_format(&part, "%s.part", e->path);
        e->part = part.data;
    }
    e->file = fopen(e->part ? e->part : e->path, "we");
    if (!e->file)
        ctl_error("cannot write %s: %s", e->path, strerror(errno));
    return e->file != NULL;
}

/* Complete files only: the name appears when every byte is on the disk. */
static int close_file(export *e, int code)
{
    if (e->file && e->file != stdout) {
        errno = 0;
        bool written = fflush(e->file) == 0 && !ferror(e->file) && (!e->part || fsync(fileno(e->file)) == 0);
        written = fclose(e->file) == 0 && written;
        if (written && !code && !ctl_stopped() && e->part)
            written = rename(e->part, e->path) == 0;
        if (!written && !code) {
            ctl_error("cannot write %s: %s", e->path, strerror(errno ? errno : EIO));
            code = 1;
        }
        if (e->part && (code || ctl_stopped()))
            unlink(e->part);
    }
    free(e->part);
    return code;
}

static void get_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_filter *filter = query;
    filter->limit = limit;
    filter->cursor = cursor;
    gavat_get_events(op, filter);
}

static void show_count(uint64_t count, void *user)
{
    export *e = user;
    ctl_progress_show(&e->progress, count, count, e->whole);
}

/* How many there will be: only for the bar, which nobody sees elsewhere. */
static int count_records(ctl_session *session, export *e, const gavat_filter *filter)
{
    char total[32];
    if (session->call->quiet || !isatty(STDERR_FILENO))
        return 0;
    gavat_op *op = ctl_session_op(session);
    gavat_get_event_stats(op, NULL, filter);
    int code = ctl_session_wait(session, op);
    const char *record = code ? NULL : gavat_op_json(op, 0, NULL);
    if (record && gavat_json_copy(record, "total", total, sizeof total) > 0)
        e->whole = strtoull(total, NULL, 10);
    gavat_op_unref(op);
    return code;
}

static int copy_records(ctl_session *session, export *e)
{
    ctl_output out;
    gavat_filter filter = ctl_make_filter(e->call);
    int code = count_records(session, e, &filter);
    if (code)
        return code;
    ctl_progress_start(&e->progress, e->call, "exported", "events");
    ctl_format format = e->call->format_given ? e->call->format : CTL_LINES;
    ctl_output_file(&out, e->file, format, e->call->command->columns);
    code = ctl_pages(session, &out, get_page, &filter, 0, show_count, e);
    uint64_t count = out.count;
    bool failed = out.failed;
    if (ctl_output_end(&out) && !code)
        failed = true;
    ctl_progress_clear(&e->progress);
    if (!code && !failed && !ctl_stopped())
        ctl_progress_end(&e->progress, count, "");
    return code;
}

int ctl_run_export(const ctl_call *call)
{
    ctl_session session;
    export e = {.call = call, .path = ctl_get_argument(call, 0)};
    if (call->format_given && call->format == CTL_TABLE)
        return ctl_usage(call, "a table cannot be exported: take -o jsonl, json or csv");
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code)
        code = open_file(&e) ? copy_records(&session, &e) : 1;
    code = close_file(&e, code);
    return ctl_session_end(&session, code);
}
