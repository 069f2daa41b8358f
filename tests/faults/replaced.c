/* replaced.c: the search index and the database deleted, spoiled or replaced while they are in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "place.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void the_index_deleted_emptied_or_spoiled_while_it_is_in_use(void **state)
{
    (void)state;
    place at = make_place();
    char index[360], name[380];
    ledger book = {0};
    gavat *g = open_client(at.url, NULL);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    snprintf(index, sizeof index, "%s.search", at.path);
    for (int round = 0; round < 6; round++) {
        write_some(g, &book, 30);
        expect_found(g, &book);
        assert_true(wait_until(is_indexed, g));
        expect_found(g, &book);
        if (round < 4) {
            unlink(index);
            snprintf(name, sizeof name, "%s-wal", index);
            if (round % 2)
                unlink(name);
            snprintf(name, sizeof name, "%s-shm", index);
            if (round % 2)
                unlink(name);
        } else {
            char *junk = repeat("\377\001çöp", 4000);
            int fd = open(index, O_WRONLY);         /* the same file, under our connections */
            assert_true(fd >= 0 && pwrite(fd, junk, 20000, round == 4 ? 0 : 4096) == 20000);
            close(fd);
            free(junk);
        }
        expect_found(g, &book);
    }
    write_some(g, &book, 30);
    expect_found(g, &book);
    close_client(g);
    g = open_client(at.url, NULL);
    expect_found(g, &book);
    assert_true(wait_until(is_indexed, g));
    expect_found(g, &book);
    close_client(g);
    check_ledger(at.path, &book, false);
    ledger_free(&book);
    drop_folder(at.folder);
}

static void an_index_that_cannot_be_written(void **state)
{
    (void)state;
    place at = make_place();
    char index[360];
    ledger book = {0};
    snprintf(index, sizeof index, "%s.search", at.path);
    assert_int_equal(mkdir(index, 0755), 0);            /* a folder stands where the file should be */
    gavat *g = open_client(at.url, NULL);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    write_some(g, &book, 30);
    expect_found(g, &book);
    assert_int_equal(rmdir(index), 0);
    assert_true(wait_until(is_indexed, g));
    expect_found(g, &book);
    close_client(g);
    ledger_free(&book);
    drop_folder(at.folder);
}

/* What was in it is gone, by whoever deleted it; all that is acknowledged from then on is in the file that has the name. */
static void the_database_deleted_while_it_is_in_use(void **state)
{
    (void)state;
    place at = make_place();
    char name[360];
    gavat *g = open_client(at.url, NULL);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    for (int round = 0; round < 4; round++) {
        ledger book = {0};
        unlink(at.path);
        static const char *const ends[] = {"-wal", "-shm"};
        for (size_t i = 0; i < 2 && round % 2; i++) {
            snprintf(name, sizeof name, "%s%s", at.path, ends[i]);
            unlink(name);
        }
        if (round == 2) {
            gavat_op *op = held(g);                     /* a reader may be the one that sees it */
            gavat_get_events(op, NULL);
            expect_error(op, GAVAT_EUNAVAIL, "SQLITE_CANTOPEN", at.path, "check that its folder exists");
            gavat_op_unref(op);
        }
        write_some(g, &book, 60);
        expect_found(g, &book);
        check_ledger(at.path, &book, false);
        assert_true(wait_until(is_indexed, g));
        expect_found(g, &book);
        ledger_free(&book);
    }
    close_client(g);
    drop_folder(at.folder);
}

static void another_database_put_in_its_place(void **state)
{
    (void)state;
    place at = make_place(), other = at;
    ledger book = {0};
    name_place(&other, "other.db");
    fill(&other, 40);
    gavat *g = open_client(at.url, NULL);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    gavat_op *flush = held(g);
    log_one(g, "u", "in the old file", 1);
    RUN(flush, get_events, NULL);
    gavat_op_unref(flush);
    static const char *const ends[] = {"-wal", "-shm"};
    for (size_t i = 0; i < 2; i++) {
        char name[360];
        snprintf(name, sizeof name, "%s%s", at.path, ends[i]);
        unlink(name);
    }
    assert_int_equal(rename(other.path, at.path), 0);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 40);
    gavat_op_unref(op);
    write_some(g, &book, 5);
    close_client(g);
    check_ledger(at.path, &book, false);
    assert_int_equal(ask_file(at.path, "SELECT count(*) FROM event_logs"), 45);
    ledger_free(&book);
    drop_folder(at.folder);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_index_deleted_emptied_or_spoiled_while_it_is_in_use),
        cmocka_unit_test(an_index_that_cannot_be_written),
        cmocka_unit_test(the_database_deleted_while_it_is_in_use),
        cmocka_unit_test(another_database_put_in_its_place),
    };
    return cmocka_run_group_tests_name("replaced", cases, NULL, NULL);
}
