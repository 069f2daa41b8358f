#include "../../lib/base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define EACH 100000

static int64_t base;        /* later than every time that an earlier case has given out */

static void advance(void)
{
    base += INT64_C(1000000000);
}

static void the_shape_is_version_7(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char uid[GV_UUID_ROOM], back[GV_UUID_ROOM];
        gv_uuid_make(base, uid);
        assert_int_equal(strlen(uid), 36);
        assert_int_equal(uid[14], '7');
        assert_non_null(strchr("89ab", uid[19]));
        assert_true(gv_uuid_parse(uid, back));
        assert_string_equal(uid, back);
    }
}

static void a_known_time_gives_known_digits(void **state)
{
    (void)state;
    char uid[GV_UUID_ROOM];
    int64_t now = INT64_C(4102444800123456);        /* 2100; rand_a = floor(456 * 4096 / 1000) = 1867 */
    assert_int_equal(gv_uuid_make(now, uid), now);
    uid[18] = '\0';
    assert_string_equal(uid, "03bb2cc3-d87b-774b");
}

static void the_time_is_carried_exactly(void **state)
{
    (void)state;
    advance();
    for (int64_t i = 0; i < 5000; i++) {        /* every microsecond of five milliseconds */
        char uid[GV_UUID_ROOM];
        int64_t carried;
        int64_t given = gv_uuid_make(base + i, uid);
        assert_int_equal(given, base + i);
        assert_true(gv_uuid_time(uid, &carried));
        assert_int_equal(carried, given);
    }
}

static void asked_faster_than_the_clock_times_are_a_microsecond_apart(void **state)
{
    (void)state;
    char before[GV_UUID_ROOM], uid[GV_UUID_ROOM];
    advance();
    assert_int_equal(gv_uuid_make(base, before), base);
    for (int64_t i = 1; i < 3000; i++) {
        assert_int_equal(gv_uuid_make(base, uid), base + i);
        assert_true(strcmp(before, uid) < 0);
        memcpy(before, uid, sizeof before);
    }
}

static void a_step_back_of_5_seconds_is_bridged(void **state)
{
    (void)state;
    char uid[GV_UUID_ROOM];
    advance();
    assert_int_equal(gv_uuid_make(base, uid), base);
    assert_int_equal(gv_uuid_make(base - 5000000, uid), base + 1);
    assert_int_equal(gv_uuid_make(base - 4999999, uid), base + 2);
    assert_int_equal(gv_uuid_make(base + 10, uid), base + 10);
    assert_int_equal(gv_uuid_make(base + 10 - 10000000, uid), base + 11);
}

static void a_step_back_of_20_seconds_is_followed(void **state)
{
    (void)state;
    char uid[GV_UUID_ROOM];
    int64_t carried;
    advance();
    assert_int_equal(gv_uuid_make(base, uid), base);
    assert_int_equal(gv_uuid_make(base - 20000000, uid), base - 20000000);
    assert_true(gv_uuid_time(uid, &carried));
    assert_int_equal(carried, base - 20000000);
    assert_int_equal(gv_uuid_make(base - 20000000, uid), base - 19999999);
    advance();
    assert_int_equal(gv_uuid_make(base, uid), base);
    assert_int_equal(gv_uuid_make(base - 10000001, uid), base - 10000001);
}

static void times_outside_the_calendar_are_clamped(void **state)
{
    (void)state;
    char uid[GV_UUID_ROOM];
    assert_int_equal(gv_uuid_make(INT64_MAX, uid), GV_TIME_MAX);
    assert_int_equal(gv_uuid_make(INT64_MIN, uid), 0);
    assert_memory_equal(uid, "00000000-0000-7000-", 19);
}

typedef struct batch {
    char uids[EACH][GV_UUID_ROOM];
} batch;

static void *make_many(void *user)
{
    batch *mine = user;
    for (size_t i = 0; i < EACH; i++)
        gv_uuid_make(gv_clock_wall(), mine->uids[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void four_threads_make_distinct_ascending_uids(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char first[GV_UUID_ROOM];
    batch *batches = calloc(THREADS, sizeof *batches);
    assert_non_null(batches);
    gv_uuid_make(0, first);        /* back from the years of the other cases to the clock */
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, &batches[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t j = 1; j < EACH; j++)
            assert_true(strcmp(batches[i].uids[j - 1], batches[i].uids[j]) < 0);
    }
    char (*all)[GV_UUID_ROOM] = batches[0].uids;
    qsort(all, (size_t)THREADS * EACH, GV_UUID_ROOM, compare);
    for (size_t i = 1; i < (size_t)THREADS * EACH; i++)
        assert_memory_not_equal((char *)batches + (i - 1) * GV_UUID_ROOM, (char *)batches + i * GV_UUID_ROOM,
            GV_UUID_ROOM);
    free(batches);
}

static void a_forked_child_does_not_repeat_its_parents_random_bits(void **state)
{
    (void)state;
    int ends[2];
    char warm[GV_UUID_ROOM], mine[GV_UUID_ROOM], childs[GV_UUID_ROOM];
    advance();
    gv_uuid_make(base, warm);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    gv_uuid_make(base + 1, mine);
    if (child == 0)
        _exit(write(ends[1], mine, sizeof mine) == (ssize_t)sizeof mine ? 0 : 1);
    assert_int_equal(read(ends[0], childs, sizeof childs), sizeof childs);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    close(ends[1]);
    assert_memory_equal(mine, childs, 19);
    assert_string_not_equal(mine + 19, childs + 19);
}

static void any_version_and_case_is_read_as_canonical_text(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
        {"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
        {"F47AC10B-58cc-4372-A567-0e02b2c3D479", "f47ac10b-58cc-4372-a567-0e02b2c3d479"},
        {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[GV_UUID_ROOM];
        assert_true(gv_uuid_parse(rows[i][0], out));
        assert_string_equal(out, rows[i][1]);
    }
}

static void what_is_not_a_uuid_is_refused_and_out_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "f47ac10b", "f47ac10b58cc4372a5670e02b2c3d479", "f47ac10b-58cc-4372-a567-0e02b2c3d47",
        "f47ac10b-58cc-4372-a567-0e02b2c3d4790", "{f47ac10b-58cc-4372-a567-0e02b2c3d479}",
        "g47ac10b-58cc-4372-a567-0e02b2c3d479",
        "f47ac10b-58cc-4372-a567_0e02b2c3d479", "f47ac10b058cc-4372-a567-0e02b2c3d479",
        " f47ac10b-58cc-4372-a567-0e02b2c3d47",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479\n", "f47ac10b--58c-4372-a567-0e02b2c3d479",
        "\xc4\xb0" "47ac10b-58cc-4372-a567-0e02b2c3d47",
        "f47ac10b-58cc-4372-a567-0e02b2c3d47@", "f47ac10b-58cc-4372-a567-0e02b2c3d47`",
        "f47ac10b-58cc-4372-a567-0e02b2c3d47/",
    };
    char out[GV_UUID_ROOM] = "left alone";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(gv_uuid_parse(texts[i], out));
    assert_false(gv_uuid_parse(NULL, out));
    assert_string_equal(out, "left alone");
}

static void only_version_7_has_a_time(void **state)
{
    (void)state;
    int64_t time = 42;
    assert_false(gv_uuid_time("f47ac10b-58cc-4372-a567-0e02b2c3d479", &time));
    assert_false(gv_uuid_time("03bb2cc3-d87b-774b-0567-0e02b2c3d479", &time));      /* another variant */
    assert_false(gv_uuid_time("03bb2cc3-d87b-774b-c567-0e02b2c3d479", &time));
    assert_false(gv_uuid_time("", &time));
    assert_false(gv_uuid_time(NULL, &time));
    assert_int_equal(time, 42);
    assert_true(gv_uuid_time("03bb2cc3-d87b-774b-8567-0e02b2c3d479", &time));
    assert_int_equal(time, INT64_C(4102444800123456));
}

static void a_foreign_fraction_stays_in_its_millisecond(void **state)
{
    (void)state;
    int64_t time;
    assert_true(gv_uuid_time("00000000-0001-7fff-8000-000000000000", &time));
    assert_int_equal(time, 1999);
    assert_true(gv_uuid_time("ffffffff-ffff-7fff-8000-000000000000", &time));
    assert_int_equal(time, INT64_C(281474976710655999));
}

int main(void)
{
    base = INT64_C(4200000000000000);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_time_gives_known_digits),
        cmocka_unit_test(the_shape_is_version_7),
        cmocka_unit_test(the_time_is_carried_exactly),
        cmocka_unit_test(asked_faster_than_the_clock_times_are_a_microsecond_apart),
        cmocka_unit_test(a_step_back_of_5_seconds_is_bridged),
        cmocka_unit_test(a_step_back_of_20_seconds_is_followed),
        cmocka_unit_test(times_outside_the_calendar_are_clamped),
        cmocka_unit_test(four_threads_make_distinct_ascending_uids),
        cmocka_unit_test(a_forked_child_does_not_repeat_its_parents_random_bits),
        cmocka_unit_test(any_version_and_case_is_read_as_canonical_text),
        cmocka_unit_test(what_is_not_a_uuid_is_refused_and_out_left_alone),
        cmocka_unit_test(only_version_7_has_a_time),
        cmocka_unit_test(a_foreign_fraction_stays_in_its_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
