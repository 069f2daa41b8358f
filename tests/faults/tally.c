#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "plain.h"
#include "tally.h"
#include <time.h>

size_t tally_add(tally *book, char kind)
{
    if (book->count == book->room) {
        book->room = book->room ? book->room * 2 : 64;
        book->marks = realloc(book->marks, book->room * sizeof *book->marks);
        assert_non_null(book->marks);
    }
    book->marks[book->count] = (mark){.kind = kind, .status = GAVAT_PENDING};
    return book->count++;
}

void tally_free(tally *book)
{
    free(book->marks);
    book->marks = NULL;
    book->count = book->room = 0;
}

void send_mark(gavat_op *op, const tally *book, size_t n)
{
    char text[24], action[32];
    snprintf(text, sizeof text, "%zu", n);
    snprintf(action, sizeof action, "a%zu", n);
    switch (book->marks[n].kind) {
    case 's': gavat_set_state(op, book->user, "last", text, 0); break;
    case 'c': gavat_add_counter(op, book->user, "sum", 1, 0); break;
    case 'l': gavat_push_list(op, book->user, "all", text, 0); break;
    default: gavat_try_cooldown(op, book->user, action, GAVAT_SECONDS(86400)); break;
    }
}

void note_mark(tally *book, size_t n, gavat_op *op)
{
    book->marks[n].status = gavat_op_wait(op);
    book->marks[n].flags = gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED;
    book->marks[n].allowed = gavat_op_decision(op)->allowed;
}

gavat_status send_and_note_mark(gavat *g, tally *book, char kind)
{
    gavat_op *op = gavat_op_new_held(g);
    size_t n = tally_add(book, kind);
    send_mark(op, book, n);
    note_mark(book, n, op);
    gavat_op_unref(op);
    return book->marks[n].status;
}

bool mark_until_ok(gavat *g, tally *book, char kind, int seconds)
{
    time_t end = time(NULL) + seconds;
    do {
        if (send_and_note_mark(g, book, kind) == GAVAT_OK)
            return true;
        struct timespec pause = {0, 20000000};
        nanosleep(&pause, NULL);
    } while (time(NULL) <= end);
    return false;
}

/* One number of this user's; -1: there is none. */
static long long find(const char *path, const tally *book, const char *key)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM gavat_state WHERE user_id = '%s' AND key = '%s'), -1)",
             book->user, key);
    return ask_file(path, sql);
}

static bool is_in_doubt(const mark *row)
{
    return row->status != GAVAT_OK && row->flags & GAVAT_ERROR_MAYBE_APPLIED;
}

/* The newest that was acknowledged, or one in doubt behind it. */
static void check_last(const char *path, const tally *book)
{
    long long last = find(path, book, "last"), least = -1;
    for (size_t n = 0; n < book->count; n++)
        if (book->marks[n].kind == 's' && book->marks[n].status == GAVAT_OK)
            least = (long long)n;
    bool good = last == least || (last > least && (size_t)last < book->count && book->marks[last].kind == 's'
                                  && is_in_doubt(&book->marks[last]));
    if (!good)
        fail_msg("%s: the key holds %lld, %lld was acknowledged", path, last, least);
}

static void check_sum(const char *path, const tally *book)
{
    long long sum = find(path, book, "counter:sum"), least = 0, most = 0;
    for (size_t n = 0; n < book->count; n++) {
        least += book->marks[n].kind == 'c' && book->marks[n].status == GAVAT_OK;
        most += book->marks[n].kind == 'c' && is_in_doubt(&book->marks[n]);
    }
    most += least;
    sum = sum < 0 ? 0 : sum;
    if (sum < least || sum > most)
        fail_msg("%s: the counter is %lld instead of %lld to %lld", path, sum, least, most);
}

/* Newest first, each once. */
static void check_list(const char *path, const tally *book)
{
    char sql[400];
    snprintf(sql, sizeof sql, "SELECT group_concat(value, ' ') FROM (SELECT i.value FROM gavat_state s JOIN gavat_state_items i ON i.list = s.id "
             "WHERE s.user_id = '%s' AND s.key = 'list:all' ORDER BY i.place)", book->user);
    char *text = ask_text(path, sql), *at = text;
    for (size_t n = book->count; n-- > 0;) {
        const mark *row = &book->marks[n];
        char *end = at;
        bool there = *at && strtoull(at, &end, 10) == n;
        if (there)
            at = end + (*end == ' ');
        if (row->kind != 'l' ? there : row->status == GAVAT_OK ? !there : there && !is_in_doubt(row))
            fail_msg("%s: item %zu is %s the list, which is not what was said (%s)", path, n, there ? "in" : "not in", gavat_status_name(row->status));
    }
    if (*at)
        fail_msg("%s: the list goes on with \"%s\"", path, at);
    free(text);
}

static void check_cooldowns(const char *path, const tally *book)
{
    for (size_t n = 0; n < book->count; n++) {
        const mark *row = &book->marks[n];
        char key[40];
        if (row->kind != 't')
            continue;
        snprintf(key, sizeof key, "cooldown:a%zu", n);
        bool there = find(path, book, key) >= 0;
        if (row->status == GAVAT_OK ? !row->allowed || !there : there && !is_in_doubt(row))
            fail_msg("%s: cooldown %zu %s, which is not what was said (%s)", path, n, there ? "runs" : "does not run", gavat_status_name(row->status));
    }
}

void check_tally(const char *path, const tally *book)
{
    sqlite3 *db = open_plain(path);
    check_sound(db);
    sqlite3_close(db);
    check_last(path, book);
    check_sum(path, book);
    check_list(path, book);
    check_cooldowns(path, book);
}
