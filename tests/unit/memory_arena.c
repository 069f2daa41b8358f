#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/arena.h"
#include "../../lib/base/memory.h"

static size_t live, calls, fail_at;

static void *counting_resize(void *old, size_t size)
{
    if (++calls == fail_at)
        return NULL;
    void *block = realloc(old, size);
    if (block && !old)
        live++;
    return block;
}

static void counting_release(void *old)
{
    live--;
    free(old);
}

static int count_memory(void **state)
{
    (void)state;
    live = calls = fail_at = 0;
    gv_memory_hook = (gv_memory){counting_resize, counting_release};
    return 0;
}

static int expect_nothing_left(void **state)
{
    (void)state;
    gv_memory_hook = (gv_memory){realloc, free};
    return live == 0 ? 0 : -1;
}

static void size_zero_gives_a_block(void **state)
{
    (void)state;
    void *a = gv_alloc(0), *b = gv_alloc_zero(0), *c = gv_resize(gv_alloc(8), 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal(live, 3);
    gv_free(a);
    gv_free(b);
    gv_free(c);
    gv_free(NULL);
}

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    static const char zeros[100];
    char *block = gv_alloc_zero(sizeof zeros);
    assert_non_null(block);
    assert_memory_equal(block, zeros, sizeof zeros);
    gv_free(block);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    char *text = gv_copy_text("gavat"), *bytes = gv_copy_bytes("a\0b", 3), *empty = gv_copy_bytes(NULL, 0);
    assert_string_equal(text, "gavat");
    assert_memory_equal(bytes, "a\0b\0", 4);
    assert_string_equal(empty, "");
    assert_null(gv_copy_text(NULL));
    gv_free(text);
    gv_free(bytes);
    gv_free(empty);
}

static void a_refused_allocation_gives_null(void **state)
{
    (void)state;
    fail_at = 1;
    assert_null(gv_alloc_zero(10));
    fail_at = calls + 1;
    assert_null(gv_copy_text("x"));
    assert_null(gv_copy_bytes("x", SIZE_MAX));
    char *block = gv_copy_text("kept");
    fail_at = calls + 1;
    assert_null(gv_resize(block, 1000));
    assert_string_equal(block, "kept");
    gv_free(block);
}

static void sizes_that_overflow_are_told(void **state)
{
    (void)state;
    size_t result = 0;
    assert_true(gv_add_size(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
    assert_false(gv_add_size(SIZE_MAX, 1, &result));
    assert_true(gv_multiply_size(6, 7, &result));
    assert_int_equal(result, 42);
    assert_false(gv_multiply_size(SIZE_MAX / 2, 3, &result));
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    gv_arena arena = {0};
    unsigned char *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        size_t size = i * 7 % 90;
        pieces[i] = gv_arena_alloc(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < i * 7 % 90; j++)
            assert_int_equal(pieces[i][j], i % 251);
    }
    gv_arena_free(&arena);
}

static void a_large_piece_fits_and_is_counted(void **state)
{
    (void)state;
    gv_arena arena = {0};
    char *small = gv_arena_copy_text(&arena, "before"), *large = gv_arena_alloc(&arena, 1000000);
    assert_non_null(large);
    memset(large, 'x', 1000000);
    assert_true(arena.bytes >= 1000000);
    char *after = gv_arena_copy_text(&arena, "after");
    assert_string_equal(small, "before");
    assert_string_equal(after, "after");
    gv_arena_free(&arena);
    assert_int_equal(arena.bytes, 0);
    assert_null(arena.last);
}

static void a_freed_arena_can_be_used_again(void **state)
{
    (void)state;
    gv_arena arena = {0};
    gv_arena_free(&arena);
    assert_non_null(gv_arena_alloc(&arena, 10));
    gv_arena_free(&arena);
    assert_int_equal(live, 0);
    assert_string_equal(gv_arena_copy_text(&arena, "again"), "again");
    gv_arena_free(&arena);
}

static void arena_copies_end_in_nul(void **state)
{
    (void)state;
    gv_arena arena = {0};
    assert_memory_equal(gv_arena_copy(&arena, "a\0bcd", 3), "a\0b\0", 4);
    assert_string_equal(gv_arena_copy(&arena, NULL, 0), "");
    assert_null(gv_arena_copy_text(&arena, NULL));
    gv_arena_free(&arena);
}

static void arena_prints_short_and_long(void **state)
{
    (void)state;
    gv_arena arena = {0};
    assert_string_equal(gv_arena_printf(&arena, "%s:%d", "gavatcore", 7), "gavatcore:7");
    assert_string_equal(gv_arena_printf(&arena, "%s", ""), "");
    char *text = gv_arena_printf(&arena, "%0*d", 3000, 7);
    assert_int_equal(strlen(text), 3000);
    assert_int_equal(text[2999], '7');
    gv_arena_free(&arena);
}

static void an_arena_without_memory_says_so_and_stays_usable(void **state)
{
    (void)state;
    gv_arena arena = {0};
    assert_null(gv_arena_alloc(&arena, SIZE_MAX));
    assert_null(gv_arena_alloc(&arena, SIZE_MAX - 20));
    assert_null(gv_arena_copy(&arena, "x", SIZE_MAX));
    char *kept = gv_arena_copy_text(&arena, "kept");
    fail_at = calls + 1;
    assert_null(gv_arena_alloc(&arena, 100000));
    assert_string_equal(kept, "kept");
    assert_non_null(gv_arena_alloc(&arena, 100000));
    gv_arena_free(&arena);
}

#define COUNTED(test) cmocka_unit_test_setup_teardown(test, count_memory, expect_nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(size_zero_gives_a_block),
        COUNTED(zeroed_memory_is_zero),
        COUNTED(copies_end_in_nul),
        COUNTED(a_refused_allocation_gives_null),
        COUNTED(sizes_that_overflow_are_told),
        COUNTED(pieces_are_zeroed_aligned_and_apart),
        COUNTED(a_large_piece_fits_and_is_counted),
        COUNTED(a_freed_arena_can_be_used_again),
        COUNTED(arena_copies_end_in_nul),
        COUNTED(arena_prints_short_and_long),
        COUNTED(an_arena_without_memory_says_so_and_stays_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
