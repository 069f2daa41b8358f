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
    const ctl_export_plan *plan;
    const char *path;
    char *part; /* the file while it is not complete; NULL: written in place */
    FILE *file;
    ctl_pager pager;
    ctl_output out;
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

static bool take_page(const gavat_op *op, void *user)
{
    export *e = user;
    e->plan->print(&e->out, op, e->plan->user);
    bool good = ctl_output_page(&e->out);
    ctl_progress_show(&e->progress, e->out.count, e->out.count, e->whole);
    return good;
}

/* How many there will be: only for the bar, which nobody sees elsewhere. */
static int count_records(ctl_session *session, export *e)
{
    char total[32];
    if (!e->plan->total || session->call->quiet || !isatty(STDERR_FILENO))
        return 0;
    gavat_op *op = ctl_session_op(session);
    e->plan->total(op, e->plan->query);
    int code = ctl_session_wait(session, op);
    const char *record = code ? NULL : gavat_op_json(op, 0, NULL);
    if (record && gavat_json_copy(record, "total", total, sizeof total) > 0)
        e->whole = strtoull(total, NULL, 10);
    gavat_op_unref(op);
    return code;
}

static int copy_records(ctl_session *session, export *e)
{
    bool more = false;
    int code = count_records(session, e);
    if (code)
        return code;
    ctl_progress_start(&e->progress, e->call, "exported", e->plan->noun);
    ctl_output_file(&e->out, e->file, e->plan->format, e->plan->columns);
    code = ctl_pages(session, &e->pager, 0, &more);
    if (!code)
        e->plan->print(&e->out, NULL, e->plan->user);
    uint64_t count = e->out.count;
    bool written = ctl_output_end(&e->out) != 1;
    ctl_progress_clear(&e->progress);
    if (!code && !e->out.failed && written && !ctl_stopped())
        ctl_progress_end(&e->progress, count, "");
    return code;
}

int ctl_export_run(const ctl_call *call, const ctl_export_plan *plan)
{
    ctl_session session;
    export e = {.call = call, .path = plan->path, .plan = plan};
    e.pager = (ctl_pager){plan->get, plan->query, take_page, &e};
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code)
        code = open_file(&e) ? copy_records(&session, &e) : 1;
    code = close_file(&e, code);
    if (!code && e.out.skipped)
        code = 4;
    return ctl_session_end(&session, code);
}

static void print_page(ctl_output *out, const gavat_op *op, void *user)
{
    (void)user;
    if (op)
        ctl_output_op(out, op);
}

int ctl_export(const ctl_call *call, const char *noun, ctl_page_fn get, void *query,
               void (*total)(gavat_op *op, void *query))
{
    const ctl_export_plan plan = {.path = ctl_get_argument(call, 0), .noun = noun, .columns = call->command->columns, .get = get,
                                  .format = call->format_given ? call->format : CTL_LINES, .query = query, .total = total,
                                  .print = print_page};
    if (call->format_given && call->format == CTL_TABLE)
        return ctl_usage(call, "a table cannot be exported: take -o jsonl, json or csv");
    return ctl_export_run(call, &plan);
}
