/* Search in a file that another program writes too: its rows are found at once and once the index has them, also where
 * it deleted rows and SQLite gave their ids anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "search_keywords.h"
#include <sqlite3.h>

static const char *const no_index[] = {"GAVAT_EVENTS_SEARCH_INDEX", "off", NULL};

typedef struct foreign {
    sqlite3 *plain;
    char folder[256], path[300], url[400];
    gavat *g;
} foreign;

static foreign own;

static int open_both(void **state)
{
    (void)state;
    memset(&own, 0, sizeof own);
    make_folder(own.folder);
    snprintf(own.path, sizeof own.path, "%s/events.db", own.folder);
    snprintf(own.url, sizeof own.url, "sqlite:///%s", own.path);
    own.g = open_client(own.url, NULL);
    assert_int_equal(sqlite3_open(own.path, &own.plain), SQLITE_OK);
    sqlite3_busy_timeout(own.plain, 5000);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    sqlite3_close(own.plain);
    close_client(own.g);
    drop_folder(own.folder);
    return 0;
}

static void open_again(const char *const *settings)
{
    gavat *old = own.g;
    own.g = NULL;
    close_client(old);
    own.g = open_client(own.url, settings);
}

static void run(const char *sql)
{
    char *wrong = NULL;
    if (sqlite3_exec(own.plain, sql, NULL, NULL, &wrong) != SQLITE_OK)
        fail_msg("%s: %s", sql, wrong);
}

/* As the original does it: no uid, the database's own time. level is the row's name. */
static void insert(const char *type, const char *message, const char *level)
{
    sqlite3_stmt *row = NULL;
    assert_int_equal(sqlite3_prepare_v2(own.plain,
                                        "INSERT INTO event_logs (user_id, event_type, message, context, level) "
                                        "VALUES ('onun', ?1, ?2, '{}', ?3)", -1, &row, NULL), SQLITE_OK);
    sqlite3_bind_text(row, 1, type, -1, SQLITE_STATIC);
    if (message)
        sqlite3_bind_text(row, 2, message, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 3, level, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
}

static void insert_rows(void)
{
    for (size_t i = 0; i < SEARCH_ROWS; i++) {
        char name[2] = {search_rows[i].name, 0};
        insert(search_rows[i].type, search_rows[i].message, name);
    }
    /* One second for all: set apart, or their order would be that of the ids alone. */
    run("UPDATE event_logs SET timestamp = strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || id || ' seconds')");
}

static void expect_names(const char *keyword, const char *wanted)
{
    char names[64];
    gavat_op *op = held(own.g);
    RUN(op, search_events, keyword, NULL);
    size_t count = gavat_op_count(op);
    assert_true(count < sizeof names);
    for (size_t i = 0; i < count; i++)
        names[i] = gavat_op_event(op, i)->level[0];
    names[count] = '\0';
    gavat_op_unref(op);
    if (strcmp(names, wanted) != 0)
        fail_msg("\"%s\" found \"%s\" instead of \"%s\"", keyword, names, wanted);
}

static void look_up_all(void)
{
    for (size_t i = 0; i < SEARCH_KEYWORDS; i++)
        expect_names(search_keywords[i].keyword, search_keywords[i].names);
}

/* The index is a file of its own: it has caught up when its watermark is the newest id. */
static bool index_has_all(void *user)
{
    char path[400];
    sqlite3 *index = NULL;
    sqlite3_stmt *mark = NULL, *newest = NULL;
    (void)user;
    snprintf(path, sizeof path, "%s.search", own.path);
    bool all = sqlite3_open_v2(path, &index, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
               && sqlite3_prepare_v2(index, "SELECT id FROM watermark", -1, &mark, NULL) == SQLITE_OK
               && sqlite3_prepare_v2(own.plain, "SELECT max(id) FROM event_logs", -1, &newest, NULL) == SQLITE_OK
               && sqlite3_step(mark) == SQLITE_ROW && sqlite3_step(newest) == SQLITE_ROW
               && sqlite3_column_int64(mark, 0) == sqlite3_column_int64(newest, 0);
    sqlite3_finalize(mark);
    sqlite3_finalize(newest);
    sqlite3_close(index);
    return all;
}

static void rows_are_found_at_once(void **state)
{
    (void)state;
    insert_rows();
    look_up_all();
}

static void rows_are_found_once_the_index_has_them(void **state)
{
    (void)state;
    insert_rows();
    expect_names("şeker", "c");         /* whoever searches wakes the index */
    assert_true(wait_until(index_has_all, NULL));
    look_up_all();
}

static void rows_are_found_without_an_index(void **state)
{
    (void)state;
    open_again(no_index);
    insert_rows();
    look_up_all();
}

static void rows_are_found_beside_our_own(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        gavat_event event = an_event("biz", "note", "elma", 1000 + 2 * i);
        event.level = "o";
        DO(own.g, GAVAT_OK, log_event, &event);
        insert("note", "ELMA", "f");
        char sql[200];
        snprintf(sql, sizeof sql,
                 "UPDATE event_logs SET timestamp = '2026-01-01 00:%02d:%02d' "
                 "WHERE level = 'f' AND timestamp > '2026-01-02'",
                 (1001 + 2 * i) / 60, (1001 + 2 * i) % 60);
        run(sql);
        char wanted[32] = "";
        for (int k = 0; k <= i; k++)
            strcat(wanted, "fo");
        expect_names("elma", wanted);
    }
}

/* The same user, the same second, the same ids: only the words differ. */
static void ids_given_anew_are_noticed(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        char word[32];
        run("DELETE FROM event_logs");
        for (int i = 0; i < 3; i++) {
            snprintf(word, sizeof word, "kelime%c sira%d", 'a' + round, i);
            insert("note", word, "r");
        }
        run("UPDATE event_logs SET timestamp = '2026-01-01 00:00:00'");
        for (int back = 0; back <= round; back++) {
            snprintf(word, sizeof word, "kelime%c", 'a' + back);
            expect_names(word, back == round ? "rrr" : "");
        }
        if (round % 2)
            assert_true(wait_until(index_has_all, NULL));
        snprintf(word, sizeof word, "KELİME%c SIRA1", 'A' + round);
        expect_names(word, "r");
    }
}

static void the_newest_rows_deleted_and_given_anew_are_noticed(void **state)
{
    (void)state;
    insert("note", "birinci", "1");
    insert("note", "ikinci", "2");
    insert("note", "ucuncu", "3");
    expect_names("ucuncu", "3");
    assert_true(wait_until(index_has_all, NULL));
    run("DELETE FROM event_logs WHERE id >= 2");
    insert("note", "dorduncu", "4");
    insert("note", "besinci", "5");
    insert("note", "altinci", "6");
    insert("note", "yedinci", "7");
    run("DELETE FROM event_logs WHERE message = 'besinci'");       /* it had the index's newest id */
    for (int i = 0; i < 2; i++) {
        expect_names("dorduncu", "4");
        expect_names("besinci", "");
        expect_names("altinci", "6");
        expect_names("ikinci", "");
        expect_names("birinci", "1");
        assert_true(wait_until(index_has_all, NULL));
    }
}

static void rows_written_while_we_were_closed_are_found(void **state)
{
    (void)state;
    insert("note", "once", "1");
    expect_names("once", "1");
    close_client(own.g);
    own.g = NULL;
    insert("note", "arada", "2");
    own.g = open_client(own.url, NULL);
    expect_names("arada", "2");
    assert_true(wait_until(index_has_all, NULL));
    expect_names("arada", "2");
    expect_names("once", "1");
}

static void an_index_that_was_deleted_is_made_again(void **state)
{
    char path[400];
    (void)state;
    insert_rows();
    expect_names("şeker", "c");
    assert_true(wait_until(index_has_all, NULL));
    close_client(own.g);
    own.g = NULL;
    snprintf(path, sizeof path, "%s.search", own.path);
    assert_int_equal(remove(path), 0);
    own.g = open_client(own.url, NULL);
    look_up_all();
    assert_true(wait_until(index_has_all, NULL));
    look_up_all();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(rows_are_found_at_once),
        CASE(rows_are_found_once_the_index_has_them),
        CASE(rows_are_found_without_an_index),
        CASE(rows_are_found_beside_our_own),
        CASE(ids_given_anew_are_noticed),
        CASE(the_newest_rows_deleted_and_given_anew_are_noticed),
        CASE(rows_written_while_we_were_closed_are_found),
        CASE(an_index_that_was_deleted_is_made_again),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
