#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "ledger.h"
#include <time.h>

entry *ledger_add(ledger *book, char kind, const char *uid, const char *user)
{
    if (book->count == book->room) {
        book->room = book->room ? book->room * 2 : 64;
        book->entries = realloc(book->entries, book->room * sizeof *book->entries);
        assert_non_null(book->entries);
    }
    entry *row = &book->entries[book->count++];
    memset(row, 0, sizeof *row);
    if (uid)
        snprintf(row->uid, sizeof row->uid, "%s", uid);
    else
        gavat_make_uid(row->uid);
    snprintf(row->user, sizeof row->user, "%s", user);
    row->kind = kind;
    row->status = GAVAT_PENDING;
    return row;
}

void ledger_free(ledger *book)
{
    free(book->entries);
    memset(book, 0, sizeof *book);
}

void send_entry(gavat_op *op, const entry *row)
{
    char text[64];
    snprintf(text, sizeof text, "row %s", row->uid);
    if (row->kind == 'n') {
        gavat_session session = gavat_session_init();
        session.user_id = row->uid;
        gavat_set_session(op, &session);
    } else if (row->kind == 's') {
        gavat_sale sale = gavat_sale_init();
        sale.uid = row->uid;
        sale.user_id = row->user;
        sale.product_type = "vip";
        sale.amount = "149.90";
        sale.notes = text;
        gavat_log_sale(op, &sale);
    } else if (row->kind == 'm') {
        gavat_message message = gavat_message_init();
        message.uid = row->uid;
        message.bot_username = row->user;
        message.message_type = "dm";
        message.message_content = text;
        gavat_log_message(op, &message);
    } else {
        gavat_event event = gavat_event_init();
        event.uid = row->uid;
        event.user_id = row->user;
        event.type = "note";
        event.message = text;
        gavat_log_event(op, &event);
    }
}

void send_and_note(gavat *g, entry *row)
{
    gavat_op *op = gavat_op_new_held(g);
    send_entry(op, row);
    row->status = gavat_op_wait(op);
    row->flags |= gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED;
    gavat_op_unref(op);
}

bool send_until_ok(gavat *g, entry *row, int seconds)
{
    time_t end = time(NULL) + seconds;
    do {
        send_and_note(g, row);
        if (row->status == GAVAT_OK)
            return true;
        struct timespec pause = {0, 20000000};
        nanosleep(&pause, NULL);
    } while (time(NULL) <= end);
    return false;
}

static int by_uid(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The uids of all tables, sorted; of sessions the user. */
static char **read_uids(sqlite3 *db, size_t *count)
{
    sqlite3_stmt *row = NULL;
    size_t room = 0;
    char **uids = NULL;
    if (sqlite3_prepare_v2(db, "SELECT uid FROM event_logs UNION ALL SELECT uid FROM sale_logs UNION ALL SELECT uid FROM message_records "
                           "UNION ALL SELECT user_id FROM user_sessions", -1, &row, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    *count = 0;
    while (sqlite3_step(row) == SQLITE_ROW) {
        const char *uid = (const char *)sqlite3_column_text(row, 0);
        if (*count == room) {
            room = room ? room * 2 : 1024;
            uids = realloc(uids, room * sizeof *uids);
            assert_non_null(uids);
        }
        uids[(*count)++] = strdup(uid ? uid : "");
    }
    if (sqlite3_finalize(row) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    if (*count)
        qsort(uids, *count, sizeof *uids, by_uid);
    return uids;
}

void check_ledger(const char *path, const ledger *book, bool all_of_them)
{
    size_t count, lost = 0, unsaid = 0, twice = 0;
    sqlite3 *db = open_plain(path);
    check_sound(db);
    char **uids = read_uids(db, &count);
    sqlite3_close(db);
    for (size_t i = 1; i < count; i++)
        twice += *uids[i] && strcmp(uids[i], uids[i - 1]) == 0;
    for (size_t i = 0; i < book->count; i++) {
        const char *uid = book->entries[i].uid;
        bool there = count && bsearch(&uid, uids, count, sizeof *uids, by_uid);
        lost += !there && book->entries[i].status == GAVAT_OK;
        unsaid += there && book->entries[i].status != GAVAT_OK && !(book->entries[i].flags & GAVAT_ERROR_MAYBE_APPLIED);
    }
    for (size_t i = 0; i < count; i++)
        free(uids[i]);
    free(uids);
    if (lost || twice || (unsaid && !all_of_them))
        fail_msg("%s: %zu acknowledged records lost, %zu there twice, %zu there that were said not to be", path, lost, twice, unsaid);
}
