/* state_shared.c: a state store in the hands of several: two processes on one file, a lock of another program, a file that is damaged or no
 * database, a disk that is read-only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "place.h"
#include "process.h"
#include "shim.h"
#include "tally.h"
#include <pthread.h>
#include <unistd.h>

#define THREADS 4
#define ADDS 200
#define ACTIONS 40              /* cooldowns that everybody wants */
#define PERMITS 3

static place make_state_place(void)
{
    place at = make_place();
    name_place(&at, "state.db");
    return at;
}

static gavat *open_state(const char *url)
{
    gavat *g = quiet_client("REDIS_URL", url, "20s");
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    return g;
}

/* --- everybody at once --- */

static bool is_allowed(gavat_op *op)
{
    bool allowed = gavat_op_wait(op) == GAVAT_OK && gavat_op_decision(op)->allowed;
    gavat_op_unref(op);
    return allowed;
}

static void count(gavat *g, const char *what, int i)
{
    char name[40];
    snprintf(name, sizeof name, "%s-%d", what, i);
    DO(g, GAVAT_OK, add_counter, NULL, name, 1, 0);
}

/* Wins are counted in the store itself. */
static void *compete(void *own)
{
    gavat *g = own;
    for (int i = 0; i < ADDS; i++) {
        char action[40];
        snprintf(action, sizeof action, "a%d", i % ACTIONS);
        DO(g, GAVAT_OK, add_counter, "42", "sum", 1, 0);
        gavat_op *op = held(g);
        gavat_try_cooldown(op, "42", action, GAVAT_SECONDS(86400));
        if (is_allowed(op))
            count(g, "won", i % ACTIONS);
        op = held(g);
        gavat_try_limit(op, "42", action, PERMITS, GAVAT_SECONDS(86400), 0);
        if (is_allowed(op))
            count(g, "permits", i % ACTIONS);
        DO(g, GAVAT_OK, push_list, "42", "items", action, 0);
        op = held(g);
        gavat_compare_and_set_state(op, "42", action, NULL, "mine", 0);
        if (gavat_op_wait(op) == GAVAT_OK)
            count(g, "made", i % ACTIONS);
        gavat_op_unref(op);
    }
    return NULL;
}

static int compete_all(const char *url)
{
    pthread_t threads[THREADS];
    gavat *g = open_state(url);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, compete, g))
            return 3;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    close_client(g);
    return 0;
}

static void expect_counter(gavat *g, const char *user, const char *what, int i, int64_t wanted)
{
    char name[40];
    if (i < 0)
        snprintf(name, sizeof name, "%s", what);
    else
        snprintf(name, sizeof name, "%s-%d", what, i);
    gavat_op *op = held(g);
    RUN(op, get_counter, user, name);
    if (gavat_op_number(op) != wanted)
        fail_msg("%s is %lld instead of %lld", name, (long long)gavat_op_number(op), (long long)wanted);
    gavat_op_unref(op);
}

static void two_processes_on_one_file_share_what_there_is(void **state)
{
    (void)state;
    place at = make_state_place();
    pid_t other = process_start("compete", at.url, "");
    assert_int_equal(compete_all(at.url), 0);
    process_end(other);
    gavat *g = open_state(at.url);
    expect_counter(g, "42", "sum", -1, 2 * THREADS * ADDS);
    for (int i = 0; i < ACTIONS; i++) {
        expect_counter(g, NULL, "won", i, 1);
        expect_counter(g, NULL, "permits", i, PERMITS);
        expect_counter(g, NULL, "made", i, 1);
    }
    gavat_op *op = held(g);
    RUN(op, get_list, "42", "items", 0, 0);
    assert_int_equal(gavat_op_number(op), 2 * THREADS * ADDS);
    gavat_op_unref(op);
    close_client(g);
    drop_folder(at.folder);
}

static void two_clients_in_one_process_see_each_other(void **state)
{
    (void)state;
    place at = make_state_place();
    gavat *one = open_state(at.url), *two = open_state(at.url);
    for (int i = 0; i < 100; i++)
        DO(i % 2 ? one : two, GAVAT_OK, add_counter, "42", "sum", 1, 0);
    expect_counter(one, "42", "sum", -1, 100);
    close_client(one);
    DO(two, GAVAT_OK, add_counter, "42", "sum", 1, 0);
    expect_counter(two, "42", "sum", -1, 101);
    close_client(two);
    drop_folder(at.folder);
}

/* --- locks --- */

static void a_lock_of_another_process_is_waited_for(void **state)
{
    (void)state;
    place at = make_state_place();
    tally book = {.user = "42"};
    gavat *g = open_state(at.url);
    pid_t other = process_lock(at.path, "1000");
    gavat_op *op = held(g);
    RUN(op, get_counter, "42", "sum");          /* a read does not wait */
    gavat_op_unref(op);
    assert_int_equal(send_and_note_mark(g, &book, 'c'), GAVAT_OK);
    process_end(other);
    close_client(g);
    check_tally(at.path, &book);
    tally_free(&book);
    drop_folder(at.folder);
}

static void a_lock_that_outlasts_the_deadline_leaves_nothing_behind(void **state)
{
    (void)state;
    place at = make_state_place();
    tally book = {.user = "42"};
    close_client(open_state(at.url));
    gavat *g = quiet_client("REDIS_URL", at.url, "1s");
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    pid_t other = process_lock(at.path, "2500");
    for (const char *kind = "sclt"; *kind; kind++) {
        op = held(g);
        gavat_op_set_timeout(op, 300);
        size_t n = tally_add(&book, *kind);
        send_mark(op, &book, n);
        note_mark(&book, n, op);
        gavat_op_unref(op);
        assert_int_equal(book.marks[n].status, GAVAT_ETIMEDOUT);
        assert_int_equal(book.marks[n].flags, 0);
    }
    process_end(other);
    check_tally(at.path, &book);
    assert_true(mark_until_ok(g, &book, 'c', 3));
    close_client(g);
    check_tally(at.path, &book);
    tally_free(&book);
    drop_folder(at.folder);
}

static void a_lock_held_while_it_is_opened(void **state)
{
    (void)state;
    place at = make_state_place();
    close_client(open_state(at.url));
    pid_t other = process_lock(at.path, "1000");
    gavat *g = open_state(at.url);
    DO(g, GAVAT_OK, set_state, "42", "key", "value", 0);
    close_client(g);
    process_end(other);
    drop_folder(at.folder);
}

/* --- files that are not as they should be --- */

static void expect_open(const place *at, gavat_status status, const char *native, const char *advice)
{
    gavat *g = quiet_client("REDIS_URL", at->url, "2s");
    gavat_op *op = held(g);
    gavat_open(op);
    expect_error(op, status, native, at->path, advice);
    gavat_op_unref(op);
    op = held(g);
    gavat_add_counter(op, "42", "sum", 1, 0);
    expect_error(op, status, native, at->path, advice);
    assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    gavat_op_unref(op);
    op = held(g);
    gavat_get_state(op, "42", "key");
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_not_equal(gavat_op_status(op), GAVAT_ENOTFOUND);
    gavat_op_unref(op);
    close_client(g);
}

static void a_text_file_is_no_database(void **state)
{
    (void)state;
    place at = make_state_place();
    char *text = repeat("bu bir veritabanı değil\n", 500);
    save_file(at.path, text, strlen(text));
    free(text);
    expect_open(&at, GAVAT_ECORRUPT, "SQLITE_NOTADB", "not an SQLite database");
    drop_folder(at.folder);
}

static void a_folder_that_cannot_be_made(void **state)
{
    (void)state;
    place at = make_state_place();
    save_file(at.path, "", 0);
    name_place(&at, "state.db/below/a.db");
    expect_open(&at, GAVAT_EUNAVAIL, "SQLITE_CANTOPEN", "check that its folder exists");
    drop_folder(at.folder);
}

static void a_disk_that_is_read_only(void **state)
{
    (void)state;
    place at = make_state_place();
    tally book = {.user = "42"};
    gavat *g = open_state(at.url);
    assert_int_equal(send_and_note_mark(g, &book, 'c'), GAVAT_OK);
    close_client(g);
    shim_read_only(true);
    g = quiet_client("REDIS_URL", at.url, "2s");
    gavat_op *op = held(g);
    gavat_open(op);
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    gavat_op_unref(op);
    gavat_status status = send_and_note_mark(g, &book, 'c');
    assert_true(status == GAVAT_EIO || status == GAVAT_EUNAVAIL);
    shim_read_only(false);
    assert_true(mark_until_ok(g, &book, 'c', 3));
    close_client(g);
    check_tally(at.path, &book);
    tally_free(&book);
    drop_folder(at.folder);
}

/* Every call ends, with an answer or an error. */
static void use_all(const place *at)
{
    gavat *g = quiet_client("REDIS_URL", at->url, "5s");
    gavat_op *ops[8];
    for (size_t i = 0; i < 8; i++)
        ops[i] = held(g);
    gavat_open(ops[0]);
    gavat_op_wait(ops[0]);
    gavat_set_state(ops[1], "user7", "last", "x", 0);
    gavat_add_counter(ops[2], "user7", "sum", 1, 0);
    gavat_get_list(ops[3], "user7", "all", 0, -1);
    gavat_list_state(ops[4], "user7");
    gavat_scan_state(ops[5], 100, NULL);
    gavat_clear_state(ops[6], "user8");
    gavat_check_stores(ops[7]);
    expect_ended(ops, 8);
    close_client(g);
}

static void fill_state(const place *at)
{
    gavat *g = open_state(at->url);
    for (int i = 0; i < 100; i++) {
        char user[24];
        snprintf(user, sizeof user, "user%d", i % 20);
        DO(g, GAVAT_OK, set_state, user, "last", "{\"phase\": \"active_conversation\"}", 0);
        DO(g, GAVAT_OK, add_counter, user, "sum", 1, GAVAT_SECONDS(3600));
        DO(g, GAVAT_OK, push_list, user, "all", "satır", 0);
    }
    close_client(g);
}

static void a_database_cut_short_or_with_bytes_flipped(void **state)
{
    (void)state;
    place at = make_state_place();
    fill_state(&at);
    use_damaged(&at, use_all);
    drop_folder(at.folder);
}

int main(int argc, char **argv)
{
    shim_install();
    if (argc == 4)
        return strcmp(argv[1], "lock") == 0 ? process_hold_lock(argv[2], argv[3]) : compete_all(argv[2]);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(two_processes_on_one_file_share_what_there_is),
        cmocka_unit_test(two_clients_in_one_process_see_each_other),
        cmocka_unit_test(a_lock_of_another_process_is_waited_for),
        cmocka_unit_test(a_lock_that_outlasts_the_deadline_leaves_nothing_behind),
        cmocka_unit_test(a_lock_held_while_it_is_opened),
        cmocka_unit_test(a_text_file_is_no_database),
        cmocka_unit_test(a_folder_that_cannot_be_made),
        cmocka_unit_test(a_disk_that_is_read_only),
        cmocka_unit_test(a_database_cut_short_or_with_bytes_flipped),
    };
    return cmocka_run_group_tests_name("state_shared", cases, NULL, NULL);
}
