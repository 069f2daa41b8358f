/* files.c: folders that cannot be written, files that are no databases any more, locks of others, and everybody at once: two processes of ours, two clients in one, a program with plain SQLite beside us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "client.h"
#include "place.h"
#include "process.h"
#include "shim.h"
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define A_SECOND UINT64_C(1000000000)   /* nanoseconds */

static void expect_open(const place *at, gavat_status status, const char *native, const char *advice)
{
    gavat *g = quiet_client("POSTGRES_URL", at->url, "2s");
    gavat_op *op = held(g);
    gavat_open(op);
    expect_error(op, status, native, at->path, advice);
    gavat_op_unref(op);
    op = held(g);
    entry row = {.uid = "01a209c6-c1d8-7c3d-a807-03ce481b27bd", .user = "u", .kind = 'e'};
    send_entry(op, &row);
    expect_error(op, status, native, at->path, advice);
    assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    gavat_op_unref(op);
    op = held(g);
    gavat_get_events(op, NULL);
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_unref(op);
    op = held(g);
    gavat_check_stores(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_true(gavat_op_number(op) > 0);
    gavat_op_unref(op);
    close_client(g);
}

static void a_folder_that_cannot_be_made(void **state)
{
    (void)state;
    place at = make_place();
    save_file(at.path, "", 0);
    name_place(&at, "events.db/below/a.db");
    expect_open(&at, GAVAT_EUNAVAIL, "SQLITE_CANTOPEN", "check that its folder exists");
    drop_folder(at.folder);
}

static void a_disk_that_is_read_only(void **state)
{
    (void)state;
    place at = make_place();
    fill(&at, 3);
    shim_read_only(true);
    gavat *g = quiet_client("POSTGRES_URL", at.url, "2s");
    gavat_op *op = held(g);
    gavat_open(op);
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_unref(op);
    op = held(g);
    entry row = {.uid = "01a209c6-c1d8-7c3d-a807-03ce481b27bd", .user = "u", .kind = 'e'};
    send_entry(op, &row);
    gavat_status status = gavat_op_wait(op);
    assert_true(status == GAVAT_EIO || status == GAVAT_EUNAVAIL);
    assert_non_null(strstr(gavat_op_error(op)->message, "write"));
    assert_non_null(strstr(gavat_op_error(op)->message, at.path));
    gavat_op_unref(op);
    shim_read_only(false);
    assert_true(send_until_ok(g, &row, 3));
    close_client(g);
    drop_folder(at.folder);
}

static void a_text_file_is_no_database(void **state)
{
    (void)state;
    place at = make_place();
    char *text = repeat("bu bir veritabanı değil\n", 500);
    save_file(at.path, text, strlen(text));
    free(text);
    expect_open(&at, GAVAT_ECORRUPT, "SQLITE_NOTADB", "not an SQLite database");
    drop_folder(at.folder);
}

/* Every call ends, with its rows or an error; a database that is damaged is not made worse by looking. */
static void use_all(const place *at)
{
    gavat *g = quiet_client("POSTGRES_URL", at->url, "5s");
    gavat_op *ops[6];
    for (size_t i = 0; i < 6; i++)
        ops[i] = held(g);
    entry row = {.kind = 'e', .user = "u"};
    gavat_make_uid(row.uid);
    gavat_open(ops[0]);
    gavat_op_wait(ops[0]);
    send_entry(ops[1], &row);
    gavat_get_events(ops[2], NULL);
    gavat_search_events(ops[3], "row 0", NULL);
    gavat_get_event_stats(ops[4], "user", NULL);
    gavat_check_stores(ops[5]);
    expect_ended(ops, 6);
    close_client(g);
}

static void a_database_cut_short_or_with_bytes_flipped(void **state)
{
    (void)state;
    place at = make_place();
    fill(&at, 200);
    use_damaged(&at, use_all);
    drop_folder(at.folder);
}

static void a_lock_of_another_process_is_waited_for(void **state)
{
    (void)state;
    place at = make_place();
    ledger book = {0};
    gavat *g = open_client(at.url, NULL);
    pid_t child = process_lock(at.path, "2000");
    uint64_t start_at = gv_clock_steady();
    gavat_op *read = held(g);
    RUN(read, get_events, NULL);
    gavat_op_unref(read);
    assert_true(gv_clock_steady() - start_at < A_SECOND);     /* readers do not wait */
    send_and_note(g, ledger_add(&book, 'e', NULL, "u"));
    assert_int_equal(book.entries[0].status, GAVAT_OK);
    assert_true(gv_clock_steady() - start_at >= A_SECOND);
    process_end(child);
    check_ledger(at.path, &book, false);
    close_client(g);
    ledger_free(&book);
    drop_folder(at.folder);
}

static void a_lock_that_outlasts_the_deadline_leaves_nothing_behind(void **state)
{
    (void)state;
    place at = make_place();
    ledger book = {0};
    fill(&at, 1);
    gavat *g = quiet_client("POSTGRES_URL", at.url, "1s");
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    pid_t child = process_lock(at.path, "2500");
    send_and_note(g, ledger_add(&book, 'e', NULL, "u"));
    assert_int_equal(book.entries[0].status, GAVAT_ETIMEDOUT);
    assert_int_equal(book.entries[0].flags, 0);
    gavat_filter filter = gavat_filter_init();          /* reads of this user waited for that write: they need not any more */
    filter.user_id = "u";
    DO(g, GAVAT_OK, get_events, &filter);
    process_end(child);
    check_ledger(at.path, &book, false);
    assert_true(send_until_ok(g, ledger_add(&book, 'e', NULL, "u"), 3));
    check_ledger(at.path, &book, false);
    close_client(g);
    ledger_free(&book);
    drop_folder(at.folder);
}

static void a_lock_held_while_it_is_opened(void **state)
{
    (void)state;
    place at = make_place();
    fill(&at, 1);
    pid_t child = process_lock(at.path, "1500");
    gavat *g = open_client(at.url, NULL);
    log_one(g, "u", "after the lock", 1);
    close_client(g);
    process_end(child);
    drop_folder(at.folder);
}

#define ROWS 300

static int write_ours(const char *path, const char *user)
{
    char url[340];
    snprintf(url, sizeof url, "sqlite:///%s", path);
    gavat *g = open_client(url, NULL);
    for (int i = 0; i < ROWS; i++) {
        entry row = {.kind = 'e'};
        snprintf(row.user, sizeof row.user, "%s", user);
        gavat_make_uid(row.uid);
        send_and_note(g, &row);
        if (row.status != GAVAT_OK)
            return 3;
        if (i % 20)
            continue;
        gavat_op *op = held(g);
        gavat_search_events(op, row.uid, NULL);
        if (gavat_op_wait(op) != GAVAT_OK || gavat_op_count(op) != 1)
            return 4;
        gavat_op_unref(op);
    }
    close_client(g);
    return 0;
}

/* As the original does: one INSERT a transaction, in whatever journal mode it finds, tried again while it is busy. */
static int write_plain(const char *path, const char *user)
{
    sqlite3 *db;
    char sql[300];
    if (sqlite3_open(path, &db) != SQLITE_OK)
        return 3;
    sqlite3_busy_timeout(db, 5000);
    for (int i = 0; i < ROWS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO event_logs (user_id, event_type, message, level, timestamp) VALUES ('%s', 'plain', "
                 "'düz satır %d', 'INFO', datetime('now'))", user, i);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            return 4;
    }
    return sqlite3_close(db);
}

static void two_processes_of_ours_and_one_with_plain_sqlite(void **state)
{
    (void)state;
    place at = make_place();
    fill(&at, 1);
    pid_t plain = process_start("plain", at.path, "plain"), ours = process_start("ours", at.path, "theirs");
    assert_int_equal(write_ours(at.path, "mine"), 0);
    process_end(ours);
    process_end(plain);
    assert_int_equal(ask_file(at.path, "SELECT count(*) FROM event_logs"), 3 * ROWS + 1);
    assert_int_equal(ask_file(at.path, "SELECT count(DISTINCT uid) FROM event_logs"), 2 * ROWS + 1);
    gavat *g = open_client(at.url, NULL);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 1000;
    gavat_op *op = held(g);
    RUN(op, search_events, "DUZ SATIR", &filter);
    assert_int_equal(gavat_op_count(op), ROWS);
    gavat_op_unref(op);
    close_client(g);
    drop_folder(at.folder);
}

static void two_clients_of_one_file_in_one_process(void **state)
{
    (void)state;
    place at = make_place();
    ledger book = {0};
    gavat *one = open_client(at.url, NULL), *two = open_client(at.url, NULL);
    for (int i = 0; i < 200; i++)
        send_and_note(i % 2 ? one : two, ledger_add(&book, "esmn"[i % 4], NULL, "both"));
    for (int i = 0; i < 2; i++) {
        gavat_op *op = held(i ? one : two);
        gavat_filter filter = gavat_filter_init();
        filter.limit = 500;
        RUN(op, search_events, "row ", &filter);
        assert_int_equal(gavat_op_count(op), 50);
        gavat_op_unref(op);
    }
    close_client(one);
    for (int i = 0; i < 20; i++)
        send_and_note(two, ledger_add(&book, 'e', NULL, "both"));
    close_client(two);
    for (size_t i = 0; i < book.count; i++)
        assert_int_equal(book.entries[i].status, GAVAT_OK);
    check_ledger(at.path, &book, false);
    ledger_free(&book);
    drop_folder(at.folder);
}

static void a_path_with_blanks_and_turkish_letters(void **state)
{
    (void)state;
    place at = make_place();
    name_place(&at, "yeni klasör/İş günlüğü ş.db");
    fill(&at, 3);
    assert_int_equal(access(at.path, F_OK), 0);
    drop_folder(at.folder);
}

static void a_relative_path_holds_when_the_program_changes_its_folder(void **state)
{
    (void)state;
    place at = make_place();
    char before[300];
    ledger book = {0};
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(at.folder), 0);
    gavat *g = quiet_client("POSTGRES_URL", "sqlite:///events.db", "5s");
    assert_int_equal(chdir("/"), 0);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    write_some(g, &book, 3);
    expect_found(g, &book);
    close_client(g);
    assert_int_equal(chdir(before), 0);
    check_ledger(at.path, &book, false);
    ledger_free(&book);
    drop_folder(at.folder);
}

int main(int argc, char **argv)
{
    shim_install();
    if (argc == 4)
        return strcmp(argv[1], "lock") == 0 ? process_hold_lock(argv[2], argv[3]) : strcmp(argv[1], "ours") == 0
               ? write_ours(argv[2], argv[3]) : write_plain(argv[2], argv[3]);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_folder_that_cannot_be_made),
        cmocka_unit_test(a_disk_that_is_read_only),
        cmocka_unit_test(a_text_file_is_no_database),
        cmocka_unit_test(a_database_cut_short_or_with_bytes_flipped),
        cmocka_unit_test(a_lock_of_another_process_is_waited_for),
        cmocka_unit_test(a_lock_that_outlasts_the_deadline_leaves_nothing_behind),
        cmocka_unit_test(a_lock_held_while_it_is_opened),
        cmocka_unit_test(two_processes_of_ours_and_one_with_plain_sqlite),
        cmocka_unit_test(two_clients_of_one_file_in_one_process),
        cmocka_unit_test(a_path_with_blanks_and_turkish_letters),
        cmocka_unit_test(a_relative_path_holds_when_the_program_changes_its_folder),
    };
    return cmocka_run_group_tests_name("files", cases, NULL, NULL);
}
