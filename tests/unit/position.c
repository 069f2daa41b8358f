/* Cursors: each comes back as the position it was made of, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/base/arena.h"
#include "../../lib/events/requests.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V7 "0193a5c2-7f10-7abc-8def-0123456789ab"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};
static const gv_position positions[] = {
    {'t', "2026-11-23 15:37:00.123456", V7, 42},
    {'t', "2026-11-23T15:37:00Z", NULL, 1},
    {'t', "", "", 0},
    {'t', "ne zaman? \xff\x01", "not a uuid ş", INT64_MAX},
    {'i', "1795448220", V7, 7},
    {'i', "-9223372036854775808", NULL, INT64_MIN},
    {'f', "1795448220.125", V7, -7},
    {'f', "1.5e+300", NULL, 2},
    {'n', NULL, NULL, 3},
    {'n', NULL, V7, 4},
};
#define COUNT (sizeof positions / sizeof positions[0])

static const char *print(gv_arena *arena, const gv_record_kind *kind, const gv_position *position)
{
    const char *cursor = gv_position_print(arena, kind, position);
    assert_non_null(cursor);
    return cursor;
}

/* With copies of the exact sizes, so that a byte too far is seen. */
static bool parse(const char *cursor, const gv_record_kind *kind, char **memory, gv_position *position)
{
    size_t length = strlen(cursor);
    char *copy = malloc(length + 1);
    *memory = malloc(length ? length : 1);
    assert_true(copy && *memory);
    memcpy(copy, cursor, length + 1);
    bool parsed = gv_position_parse(copy, kind, *memory, position);
    free(copy);
    return parsed;
}

static bool is_cursor(const char *cursor, const gv_record_kind *kind)
{
    char *memory;
    gv_position position;
    bool parsed = parse(cursor, kind, &memory, &position);
    free(memory);
    return parsed;
}

static void check_text(const char *text, const char *expected)
{
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
}

static void every_position_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        gv_arena arena = {0};
        char *memory;
        gv_position back;
        const char *cursor = print(&arena, &gv_events_kind, &positions[i]);
        assert_true(parse(cursor, &gv_events_kind, &memory, &back));
        assert_int_equal(back.type, positions[i].type);
        check_text(back.time, positions[i].time);
        check_text(back.uid, positions[i].uid);
        assert_int_equal(back.id, positions[i].id);
        free(memory);
        gv_arena_free(&arena);
    }
}

static void a_cursor_can_stand_in_a_url(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        gv_arena arena = {0};
        const char *cursor = print(&arena, &gv_sales_kind, &positions[i]);
        assert_int_equal(strspn(cursor, LETTERS), strlen(cursor));
        gv_arena_free(&arena);
    }
}

static void a_cursor_serves_its_own_kind_of_record_only(void **state)
{
    (void)state;
    for (size_t made = 0; made < 4; made++)
        for (size_t used = 0; used < 4; used++) {
            gv_arena arena = {0};
            const char *cursor = print(&arena, kinds[made], &positions[0]);
            assert_int_equal(is_cursor(cursor, kinds[used]), made == used);
            gv_arena_free(&arena);
        }
}

static void no_prefix_of_a_cursor_is_one(void **state)
{
    (void)state;
    gv_arena arena = {0};
    const char *cursor = print(&arena, &gv_events_kind, &positions[0]);
    char text[400];
    for (size_t cut = 0; cut < strlen(cursor); cut++) {
        memcpy(text, cursor, cut);
        text[cut] = '\0';
        assert_false(is_cursor(text, &gv_events_kind));
    }
    size_t length = strlen(cursor);
    assert_true(length < sizeof text - 1);
    memcpy(text, cursor, length + 1);
    memcpy(text + length, "A", 2);
    assert_false(is_cursor(text, &gv_events_kind));
    memcpy(text + length, "=", 2);
    assert_false(is_cursor(text, &gv_events_kind));
    gv_arena_free(&arena);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "A", "AA", "AAA", "AAAA", "AAAAAAAAAAAA", "ş", "a b", "2026-11-23T15:37:00Z",
                                      V7, "MWV0", "MWV0dQ", "MWV0dTAAAA", "%%%%", "////////", "++++++++",
                                      "\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(is_cursor(bad[i], &gv_events_kind));
}

static void a_changed_cursor_is_refused_or_is_a_whole_position(void **state)
{
    (void)state;
    unsigned refused = 0, taken = 0;
    for (size_t i = 0; i < COUNT; i++) {
        gv_arena arena = {0};
        const char *cursor = print(&arena, &gv_events_kind, &positions[i]);
        char *text = gv_arena_copy_text(&arena, cursor);
        for (size_t at = 0; text[at]; at++)
            for (const char *letter = LETTERS "=."; *letter; letter++) {
                char *memory;
                gv_position back;
                text[at] = *letter;
                if (parse(text, &gv_events_kind, &memory, &back)) {
                    taken++;
                    assert_int_equal(back.type == 'n', back.time == NULL);
                    assert_non_null(strchr("tifn", back.type));
                } else {
                    refused++;
                }
                free(memory);
                text[at] = cursor[at];
            }
        gv_arena_free(&arena);
    }
    assert_true(refused > 1000 && taken > 0);
}

static void a_time_fits_its_type(void **state)
{
    (void)state;
    static const gv_position bad[] = {
        {'i', "", NULL, 1}, {'i', "-", NULL, 1}, {'i', "12a", NULL, 1}, {'i', "9223372036854775808", NULL, 1},
        {'i', "1.5", NULL, 1}, {'f', "", NULL, 1}, {'f', "1,5", NULL, 1}, {'f', "0x10", NULL, 1}, {'n', "1", NULL, 1},
        {'x', "1", NULL, 1}, {0, "1", NULL, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gv_arena arena = {0};
        assert_false(is_cursor(print(&arena, &gv_events_kind, &bad[i]), &gv_events_kind));
        gv_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_position_comes_back),
        cmocka_unit_test(a_cursor_can_stand_in_a_url),
        cmocka_unit_test(a_cursor_serves_its_own_kind_of_record_only),
        cmocka_unit_test(no_prefix_of_a_cursor_is_one),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(a_changed_cursor_is_refused_or_is_a_whole_position),
        cmocka_unit_test(a_time_fits_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
