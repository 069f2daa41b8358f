/* profiles_watch.c: the change feed as a long poll. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static gavat_op *watch(gavat *g, const char *token, uint32_t timeout)
{
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, timeout);
    gavat_watch_profiles(op, token);
    return op;
}

/* A token of now. */
static void start(gavat *g, char token[128])
{
    gavat_op *op = watch(g, NULL, 1);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    snprintf(token, 128, "%s", gavat_op_cursor(op));
    gavat_op_unref(op);
}

/* The changes behind the token, one answer or several, until `count` have come. Names with '-' before deleted ones. */
static void expect_changes(gavat *g, char token[128], size_t count, const char *wanted, const char *file, int line)
{
    char got[1000] = "";
    for (size_t seen = 0; seen < count;) {
        gavat_op *op = watch(g, token, 5000);
        expect_status(op, GAVAT_OK, file, line);
        if (!gavat_op_count(op))
            break;
        for (size_t i = 0; i < gavat_op_count(op); i++, seen++) {
            const gavat_profile *profile = gavat_op_profile(op, i);
            bool deleted = profile->flags & GAVAT_PROFILE_DELETED;
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%s", *got ? "|" : "", deleted ? "-" : "", profile->username);
            if (deleted)
                expect_json(op, i, "deleted", "true", file, line);
            else
                expect_json(op, i, "username", profile->username, file, line);
        }
        snprintf(token, 128, "%s", gavat_op_cursor(op));
        gavat_op_unref(op);
    }
    if (strcmp(got, wanted) != 0) {
        print_error("%s:%d: \"%s\" instead of \"%s\"\n", file, line, got, wanted);
        fail();
    }
}
#define assert_changes(g, token, count, wanted) expect_changes(g, token, count, wanted, __FILE__, __LINE__)

static void nothing_new_ends_well_at_the_timeout(void **state)
{
    gavat *g = client_of(state);
    double before = seconds();
    gavat_op *op = watch(g, NULL, 300);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_true(seconds() - before >= 0.29);
    assert_int_equal(gavat_op_count(op), 0);
    assert_non_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}

static void each_change_comes_once(void **state)
{
    gavat *g = client_of(state);
    char token[128], again[128];
    put_profile(g, "old", "{}");
    start(g, token);
    snprintf(again, sizeof again, "%s", token);
    put_profile(g, "a", "{}");
    assert_changes(g, token, 1, "a");
    DO(g, GAVAT_OK, patch_profile, "old", "{\"x\":1}", NULL, 0);
    put_profile(g, "a/ş", "{}");
    DO(g, GAVAT_OK, delete_profile, "a");
    assert_changes(g, token, 3, "old|a/ş|-a");
    assert_changes(g, again, 3, "-a|old|a/ş");  /* as they are now, each where it changed first */
    put_profile(g, "b", "{}");
    assert_changes(g, again, 1, "b");
    assert_changes(g, token, 1, "b");
}

static void who_waits_is_woken(void **state)
{
    gavat *g = client_of(state);
    char token[128];
    start(g, token);
    double before = seconds();
    gavat_op *first = watch(g, token, 20000), *second = watch(g, NULL, 20000);
    put_profile(g, "a", "{\"n\":5}");
    expect_status(first, GAVAT_OK, __FILE__, __LINE__);
    expect_status(second, GAVAT_OK, __FILE__, __LINE__);
    assert_true(seconds() - before < 10);
    assert_names(first, "a");
    assert_names(second, "a");
    assert_json(first, 0, "n", "5");
    assert_int_equal(gavat_op_profile(first, 0)->revision, 1);
    gavat_op_unref(first);
    gavat_op_unref(second);
}

static void a_token_of_before_or_of_nobody_is_refused(void **state)
{
    gavat *g = client_of(state);
    char token[128];
    start(g, token);
    REFUSE(g, "token", watch_profiles, "x");
    REFUSE(g, "token", watch_profiles, "w1:short");
    REFUSE(g, "token", watch_profiles, "");
    g = reopen(state, NULL);
    DO(g, GAVAT_ENOTFOUND, watch_profiles, token);
    start(g, token);
    strcat(token, "9");
    DO(g, GAVAT_ENOTFOUND, watch_profiles, token);
    token[strlen(token) - 1] = 'x';
    DO(g, GAVAT_ENOTFOUND, watch_profiles, token);
}

static void nobody_waits_for_who_waits(void **state)
{
    gavat *g = client_of(state);
    double before = seconds();
    gavat_op *waiting = watch(g, NULL, 20000), *cancelled = watch(g, NULL, 20000), *flush = held(g);
    put_profile(g, "zero", "{}");
    gavat_op_unref(waiting);
    waiting = watch(g, NULL, 20000);
    gavat_flush(flush);
    expect_status(flush, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(flush);
    gavat_op_unref(cancelled);
    cancelled = watch(g, NULL, 20000);
    gavat_op_cancel(cancelled);
    expect_status(cancelled, GAVAT_ECANCELED, __FILE__, __LINE__);
    gavat_op_unref(cancelled);
    reopen(state, NULL);
    expect_status(waiting, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(waiting);
    assert_true(seconds() - before < 10);
}

static void no_change_is_missed_in_a_stream(void **state)
{
    gavat *g = client_of(state);
    enum { CHANGES = 600 };
    static bool seen[CHANGES];
    char token[128], name[16];
    size_t missing = CHANGES;
    gavat_op *puts[CHANGES];
    memset(seen, 0, sizeof seen);
    start(g, token);
    for (size_t i = 0; i < CHANGES; i++) {
        snprintf(name, sizeof name, "p%zu", i);
        puts[i] = held(g);
        gavat_put_profile(puts[i], name, "{}");
    }
    while (missing) {
        gavat_op *op = watch(g, token, 5000);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        assert_true(gavat_op_count(op) > 0);
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            size_t which = (size_t)atoi(gavat_op_profile(op, i)->username + 1);
            assert_true(which < CHANGES && !seen[which]);
            seen[which] = true;
            missing--;
        }
        snprintf(token, sizeof token, "%s", gavat_op_cursor(op));
        gavat_op_unref(op);
    }
    for (size_t i = 0; i < CHANGES; i++) {
        expect_status(puts[i], GAVAT_OK, __FILE__, __LINE__);
        gavat_op_unref(puts[i]);
    }
}

static void changes_of_other_programs_come_too(void **state)
{
    gavat *g = client_of(state);
    char token[128], path[600], other[620];
    const char *url = ((fresh *)*state)->url;
    if (strncmp(url, "file://", 7) != 0)
        skip();
    start(g, token);
    snprintf(path, sizeof path, "%s/foreign.json", url + 7);
    snprintf(other, sizeof other, "%s/.tmp-foreign", url + 7);
    save_file(path, "{\"a\":1}", strlen("{\"a\":1}"));
    assert_changes(g, token, 1, "foreign");
    save_file(other, "{\"a\":2}", strlen("{\"a\":2}"));
    assert_int_equal(rename(other, path), 0);
    put_profile(g, "own", "{}");
    assert_changes(g, token, 2, "foreign|own");
    assert_int_equal(unlink(path), 0);
    assert_changes(g, token, 1, "-foreign");
    save_file(path, "{\"a\":", strlen("{\"a\":"));
    gavat_op *op = watch(g, token, 5000);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    assert_non_null(strstr(gavat_op_rejected(op, 0, NULL), "foreign.json: at byte 5"));
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nothing_new_ends_well_at_the_timeout),
        cmocka_unit_test(each_change_comes_once),
        cmocka_unit_test(who_waits_is_woken),
        cmocka_unit_test(a_token_of_before_or_of_nobody_is_refused),
        cmocka_unit_test(nobody_waits_for_who_waits),
        cmocka_unit_test(no_change_is_missed_in_a_stream),
        cmocka_unit_test(changes_of_other_programs_come_too),
    };
    return run_on_files("profiles_watch", cases, sizeof cases / sizeof *cases);
}
