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

static void tell_rest(const ctl_session *session, const ctl_output *out, const gavat_op *op)
{
    if (gavat_op_cursor(op) && out->format == CTL_TABLE && isatty(STDERR_FILENO))
        ctl_note(session->call, "the first %llu; --limit N or --all shows more", (unsigned long long)out->count);
}

int ctl_pages(ctl_session *session, ctl_output *out, ctl_page_fn get, void *query, uint64_t limit, ctl_seen_fn seen,
              void *user)
{
    gavat_op *before = NULL;
    int code = 0;
    bool more = true;
    while (more && !code) {
        gavat_op *op = ctl_session_op(session);
        get(op, query, page_size(limit, out->count), before ? gavat_op_cursor(before) : NULL);
        gavat_op_unref(before);
        before = op;
        code = ctl_session_wait(session, op);
        if (code)
            break;
        ctl_output_op(out, op);
        more = ctl_output_page(out) && gavat_op_cursor(op) && (!limit || out->count < limit) && !ctl_stopped();
        if (seen)
            seen(out->count, user);
    }
    if (!code && limit)
        tell_rest(session, out, before);
    gavat_op_unref(before);
    return code;
}

int ctl_list(const ctl_call *call, ctl_page_fn get, void *query)
{
    ctl_session session;
    uint64_t limit = ctl_get_flag(call, "all") ? 0 : (uint64_t)ctl_get_integer(call, "limit", DEFAULT_LIMIT);
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        ctl_output out;
        ctl_output_begin(&out, call, call->command->columns, call->command->shown);
        code = ctl_pages(&session, &out, get, query, limit, NULL, NULL);
        if (!code && !out.count && !out.skipped && out.format == CTL_TABLE)
            ctl_note(call, "no records");
        if (code && !out.count) {
            ctl_output_drop(&out);
        } else {
            int ended = ctl_output_end(&out);
            code = code ? code : ended;
        }
    }
    return ctl_session_end(&session, code);
}
