/* events_tail.c: the newest events, and those that come, oldest first. */
#include "events.h"
#include "output.h"
#include "page.h"
#include "session.h"
#include "stop.h"
#include "tell.h"
#include <stdlib.h>
#include <string.h>

#define NEWEST 10
#define PAUSE_MS 1000

typedef struct shown { /* an event that was printed as one of the newest: it may come again */
    int64_t id;
    gavat_time time;
} shown;

typedef struct tail {
    const ctl_call *call;
    ctl_session session;
    ctl_output out;
    gavat_filter filter;
    char *cursor; /* behind all that was printed; NULL: it has not begun */
    gavat_op **pages; /* of the newest */
    size_t page_count;
    shown *newest;
    size_t newest_count;
    bool follow, away; /* away: said so */
} tail;

static void keep_cursor(tail *t, const char *cursor)
{
    free(t->cursor);
    t->cursor = ctl_alloc(strlen(cursor) + 1);
    strcpy(t->cursor, cursor);
}

static bool was_shown(tail *t, const gavat_event *event)
{
    for (size_t i = 0; i < t->newest_count; i++)
        if (t->newest[i].id == event->id && t->newest[i].time == event->timestamp) {
            t->newest[i] = t->newest[--t->newest_count];
            return true;
        }
    return false;
}

static void print_event(tail *t, const gavat_op *op, size_t i)
{
    size_t length = 0;
    const char *json = gavat_op_json(op, i, &length);
    if (json)
        ctl_output_record(&t->out, json, length);
}

/* --- the newest --- */

static void get_page(gavat_op *op, void *asked, uint32_t limit, const char *cursor)
{
    gavat_filter filter = *(gavat_filter *)asked;
    filter.limit = limit;
    filter.cursor = cursor;
    gavat_get_events(op, &filter);
}

static bool keep_page(const gavat_op *op, void *user)
{
    tail *t = user;
    size_t count = gavat_op_count(op);
    t->pages = ctl_resize(t->pages, t->page_count + 1, sizeof(gavat_op *));
    t->pages[t->page_count++] = gavat_op_ref((gavat_op *)(uintptr_t)op);
    if (!count)
        return true;
    t->newest = ctl_resize(t->newest, t->newest_count + count, sizeof(shown));
    for (size_t i = 0; i < count; i++) {
        const gavat_event *event = gavat_op_event(op, i);
        t->newest[t->newest_count++] = (shown){event->id, event->timestamp};
    }
    return true;
}

static int print_newest(tail *t, uint64_t count)
{
    bool more = false;
    ctl_pager pager = {get_page, &t->filter, keep_page, t};
    int code = count ? ctl_pages(&t->session, &pager, count, &more) : 0;
    for (size_t p = t->page_count; p-- > 0;) {
        for (size_t i = gavat_op_count(t->pages[p]); !code && i-- > 0;)
            print_event(t, t->pages[p], i);
        gavat_op_unref(t->pages[p]);
    }
    free(t->pages);
    return code;
}

/* --- what comes --- */

/* The store may come back. True: try again. */
static bool wait_for_store(tail *t, const gavat_error *error)
{
    if (!t->follow || !t->cursor || !(error->flags & GAVAT_ERROR_RETRY) || ctl_stopped())
        return false;
    if (!t->away)
        ctl_note(t->call, "the store is away, waiting for it: %s", error->message);
    t->away = true;
    ctl_pause(PAUSE_MS);
    return true;
}

/* Prints what the op brought. How many events that were. */
static size_t print_news(tail *t, const gavat_op *op)
{
    size_t count = gavat_op_count(op);
    for (size_t i = 0; i < count; i++)
        if (!was_shown(t, gavat_op_event(op, i)))
            print_event(t, op, i);
    keep_cursor(t, gavat_op_cursor(op));
    if (t->away)
        ctl_note(t->call, "the store is there again");
    t->away = false;
    return count;
}

/* One answer. False: no more are wanted, or to be had. */
static bool step(tail *t, bool wait, int *code)
{
    gavat_op *op = ctl_session_op(&t->session);
    gavat_filter filter = t->filter;
    filter.cursor = t->cursor;
    if (!wait)
        gavat_op_set_timeout(op, 1);
    gavat_tail_events(op, &filter);
    ctl_stop_watch(op);
    gavat_status status = gavat_op_wait(op);
    ctl_stop_watch(NULL);
    bool more = true;
    if (status == GAVAT_OK)
        more = print_news(t, op) > 0 || wait;
    else if (!wait_for_store(t, gavat_op_error(op))) {
        more = false;
        if (!ctl_stopped())
            *code = ctl_fail(t->call, gavat_op_error(op));
    }
    gavat_op_unref(op);
    return ctl_output_page(&t->out) && more && !ctl_stopped();
}

static int run(tail *t)
{
    int code = 0;
    bool newest = !t->cursor && !t->filter.since;
    if (newest) {       /* the cursor first: what comes meanwhile is then among the newest, and known */
        step(t, false, &code);
        code = code ? code : print_newest(t, (uint64_t)ctl_get_integer(t->call, "lines", NEWEST));
    }
    bool more = !code && ctl_output_page(&t->out) && !ctl_stopped();
    while (more && (t->follow || !newest))
        more = step(t, t->follow, &code);
    return code;
}

int ctl_events_tail(const ctl_call *call)
{
    tail t = {.call = call, .filter = ctl_make_filter(call), .follow = ctl_get_flag(call, "follow")};
    const char *from = ctl_get_text(call, "from");
    if ((from || t.filter.since) && ctl_get_integer(call, "lines", 0))
        return ctl_usage(call, "-n counts back from now: it does not go with --since or --from");
    if (from && t.filter.since)
        return ctl_usage(call, "--from says where to begin, and so does --since: take one of them");
    if (from)
        keep_cursor(&t, from);
    int code = ctl_session_start(&t.session, call, CTL_OPEN);
    if (!code) {
        ctl_output_begin(&t.out, call, call->command->columns, call->command->shown);
        code = run(&t);
        int ended = ctl_output_end(&t.out);
        code = code ? code : ended;
        if (t.cursor && (t.follow || from) && (!code || ctl_stopped()))
            ctl_note(call, "to go on from here: gavatctl events tail -f --from %s", t.cursor);
    }
    free(t.cursor);
    free(t.newest);
    return ctl_session_end(&t.session, code);
}
