/* profiles_watch.c: the change feed as JSON lines. */
#include "profiles.h"
#include "output.h"
#include "page.h"
#include "session.h"
#include "stop.h"
#include "tell.h"
#include <stdlib.h>
#include <string.h>

typedef struct watch {
    const ctl_call *call;
    ctl_session session;
    ctl_output out;
    char *token; /* behind all that was printed; NULL: from now */
    uint64_t limit;
} watch;

static void add_text(ctl_buffer *out, const char *key, const char *text)
{
    ctl_add_format(out, ",\"%s\":", key);
    if (text)
        ctl_add_json(out, text, strlen(text));
    else
        ctl_add_text(out, "null");
}

/* profile NULL: of a deletion, or of no profile. */
static void print_line(watch *w, const char *username, const char *change, const char *token,
                       const gavat_profile *profile, const char *json)
{
    ctl_buffer line = {0};
    ctl_add_text(&line, "{\"username\":");
    if (username)
        ctl_add_json(&line, username, strlen(username));
    else
        ctl_add_text(&line, "null");
    add_text(&line, "change", change);
    if (profile)
        ctl_add_format(&line, ",\"revision\":%lld", (long long)profile->revision);
    else
        ctl_add_text(&line, ",\"revision\":null");
    add_text(&line, "token", token);
    ctl_add_format(&line, ",\"profile\":%s}", json ? json : "null");
    ctl_output_record(&w->out, line.data, line.length);
    ctl_free(&line);
}

static void print_change(watch *w, const gavat_op *op, size_t i, const char *token)
{
    const gavat_profile *profile = gavat_op_profile(op, i);
    if (profile->flags & GAVAT_PROFILE_DELETED)
        print_line(w, profile->username, "delete", token, NULL, NULL);
    else
        print_line(w, profile->username, "put", token, profile, gavat_op_json(op, i, NULL));
}

static void tell_skipped(const gavat_op *op)
{
    uint64_t place = 0;
    const char *reason = NULL;
    for (size_t i = 0; (reason = gavat_op_rejected(op, i, &place)) != NULL; i++)
        ctl_error("skipped: %s", reason);
}

static bool is_full(const watch *w)
{
    return w->limit && w->out.count >= w->limit;
}

static void keep_token(watch *w, const char *token)
{
    free(w->token);
    w->token = ctl_alloc(strlen(token) + 1);
    strcpy(w->token, token);
}

/* Only the last change of an answer has its token: going on behind an earlier one repeats those that came with it. */
static bool print_changes(watch *w, const gavat_op *op)
{
    size_t count = gavat_op_count(op), i = 0;
    const char *next = gavat_op_cursor(op);
    for (; i < count && !is_full(w); i++)
        print_change(w, op, i, i + 1 < count ? w->token : next);
    tell_skipped(op);
    if (next && i == count)
        keep_token(w, next);
    return ctl_output_page(&w->out) && !is_full(w);
}

/* Where the changes begin that are yet to come: at once, for there is nothing to wait for. */
static int begin_now(watch *w)
{
    gavat_op *op = ctl_session_op(&w->session);
    gavat_op_set_timeout(op, 1);
    gavat_watch_profiles(op, NULL);
    int code = ctl_session_wait(&w->session, op);
    if (!code)
        print_changes(w, op);
    gavat_op_unref(op);
    return code;
}

static bool print_page(const gavat_op *op, void *user)
{
    watch *w = user;
    for (size_t i = 0; i < gavat_op_count(op) && !is_full(w); i++)
        print_change(w, op, i, NULL);
    tell_skipped(op);
    return ctl_output_page(&w->out) && !is_full(w);
}

/* The token is not known any more: what there is takes the place of what was missed. What changes meanwhile comes again. */
static int begin_anew(watch *w)
{
    bool more = false;
    ctl_profile_query query = {gavat_profile_filter_init(), NULL};
    ctl_pager pager = {ctl_get_profile_page, &query, print_page, w};
    ctl_note(w->call, "the token is not known any more: a reset, then every profile as it is");
    print_line(w, NULL, "reset", NULL, NULL, NULL);
    int code = begin_now(w);
    return code ? code : ctl_pages(&w->session, &pager, 0, &more);
}

/* The next answer, for as long as there are any. */
static int follow(watch *w)
{
    int code = w->token ? 0 : begin_now(w);
    while (!code && !is_full(w) && !w->out.failed) {
        gavat_op *op = ctl_session_op(&w->session);
        gavat_watch_profiles(op, w->token);
        ctl_stop_watch(op);
        gavat_status status = gavat_op_wait(op);
        ctl_stop_watch(NULL);
        if (status == GAVAT_OK)
            print_changes(w, op);
        else if (status == GAVAT_ENOTFOUND)
            code = begin_anew(w);
        else
            code = ctl_fail(w->call, gavat_op_error(op));
        gavat_op_unref(op);
    }
    return code;
}

int ctl_profiles_watch(const ctl_call *call)
{
    watch w = {.call = call, .limit = (uint64_t)ctl_get_integer(call, "limit", 0)};
    const char *from = ctl_get_text(call, "from");
    if (call->format_given && call->format != CTL_LINES)
        return ctl_usage(call, "a watch prints JSON lines: take -o jsonl");
    if (from)
        keep_token(&w, from);
    int code = ctl_session_start(&w.session, call, CTL_OPEN);
    if (!code) {
        ctl_output_file(&w.out, stdout, CTL_LINES, call->command->columns);
        code = follow(&w);
        ctl_output_end(&w.out);
        if (w.token)
            ctl_note(call, "to go on from here: gavatctl profiles watch --from %s", w.token);
    }
    free(w.token);
    return ctl_session_end(&w.session, code);
}
