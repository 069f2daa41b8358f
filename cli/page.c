#include "page.h"
#include "stop.h"
#include "tell.h"
#include <unistd.h>

#define PAGE 1000
#define DEFAULT_LIMIT 100

gavat_filter ctl_make_filter(const ctl_call *call)
{
    gavat_filter filter = gavat_filter_init();
    filter.since = ctl_get_time(call, "since");
    filter.until = ctl_get_time(call, "until");
    filter.user_id = ctl_get_text(call, "user");
    filter.username = ctl_get_text(call, "username");
    filter.type = ctl_get_text(call, "type");
    filter.level = ctl_get_text(call, "level");
    filter.status = ctl_get_text(call, "status");
    filter.bot_username = ctl_get_text(call, "bot");
    return filter;
}

static uint32_t page_size(uint64_t limit, uint64_t count)
{
    return !limit || limit - count > PAGE ? PAGE : (uint32_t)(limit - count);
}

int ctl_pages(ctl_session *session, const ctl_pager *pager, uint64_t limit, bool *more)
{
    gavat_op *before = NULL;
    uint64_t count = 0;
    int code = 0;
    bool wanted = true;
    *more = true;
    while (wanted && *more && !code) {
        gavat_op *op = ctl_session_op(session);
        pager->get(op, pager->query, page_size(limit, count), before ? gavat_op_cursor(before) : NULL);
        gavat_op_unref(before);
        before = op;
        code = ctl_session_wait(session, op);
        if (code)
            break;
        count += gavat_op_count(op);
        *more = gavat_op_cursor(op) != NULL;
        wanted = pager->take(op, pager->user) && (!limit || count < limit) && !ctl_stopped();
    }
    gavat_op_unref(before);
    return code;
}

static bool print_page(const gavat_op *op, void *user)
{
    ctl_output *out = user;
    ctl_output_op(out, op);
    return ctl_output_page(out);
}

/* The exit code once every page is there, or none came any more. */
static int finish(const ctl_call *call, ctl_output *out, int code, bool more)
{
    if (code && !out->count) {
        ctl_output_drop(out);
        return code;
    }
    if (!code && out->format == CTL_TABLE && !out->count && !out->skipped)
        ctl_note(call, "no records");
    if (!code && out->format == CTL_TABLE && more && isatty(STDERR_FILENO))
        ctl_note(call, "the first %llu; --limit N or --all shows more", (unsigned long long)out->count);
    int ended = ctl_output_end(out);
    return code ? code : ended;
}

int ctl_list(const ctl_call *call, ctl_page_fn get, void *query)
{
    ctl_session session;
    uint64_t limit = ctl_get_flag(call, "all") ? 0 : (uint64_t)ctl_get_integer(call, "limit", DEFAULT_LIMIT);
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        bool more = false;
        ctl_output out;
        ctl_pager pager = {get, query, print_page, &out};
        ctl_output_begin(&out, call, call->command->columns, call->command->shown);
        code = ctl_pages(&session, &pager, limit, &more);
        code = finish(call, &out, code, more && limit);
    }
    return ctl_session_end(&session, code);
}
