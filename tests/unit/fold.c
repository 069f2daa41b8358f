#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/fold.h"
#include "../../lib/base/memory.h"
#include "../../lib/base/utf8.h"

static void folds_to(const char *text, const char *expected)
{
    gv_text out = {0};
    gv_fold_add(&out, gv_slice_of(text));
    assert_string_equal(gv_text_get(&out), expected);
    gv_text_free(&out);
}

static void turkish_letters_lose_case_and_marks(void **state)
{
    (void)state;
    folds_to("IİıiIİıi", "iiiiiiii");
    folds_to("ŞşÇçĞğÖöÜü", "ssccggoouu");
    folds_to("ÂâÎîÛû", "aaiiuu");
    folds_to("MESAJ ALINDI: Çağrı İŞLENDİ", "mesaj alindi: cagri islendi");
}

static void decomposed_text_folds_as_composed(void **state)
{
    (void)state;
    folds_to("i\xcc\x87", "i");
    folds_to("I\xcc\x87s\xcc\xa7", "is");
    folds_to("e\xcc\x81\xcc\xa7", "e");
    folds_to("\xe1\xbb\x87", "e");
}

static void full_case_folding_is_used(void **state)
{
    (void)state;
    folds_to("Straße STRASSE ẞ", "strasse strasse ss");
    folds_to("ﬃ", "ffi");
    folds_to("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ");
    folds_to("ПРИВЕТ Й", "привет и");
    folds_to("K\xe2\x84\xaa", "kk");
    folds_to("ŉ", "ʼn");
    folds_to("և", "եւ");
}

static void letters_without_decomposition_stay(void **state)
{
    (void)state;
    folds_to("øłđæ", "øłđæ");
    folds_to("한국어", "한국어");
    folds_to("日本語 ファイル", "日本語 ファイル");
    folds_to("ガ", "カ");
}

static void emoji_keep_their_joiners(void **state)
{
    (void)state;
    folds_to("👨‍👩‍👧 🇹🇷 🔥", "👨‍👩‍👧 🇹🇷 🔥");
    folds_to("❤️", "❤");
}

static void a_mark_alone_folds_to_nothing(void **state)
{
    (void)state;
    folds_to("\xcc\x87", "");
    folds_to("", "");
}

static void nul_and_broken_bytes_fold_to_themselves(void **state)
{
    (void)state;
    static const char text[] = "A\0B\xff\xc3(\xe2\x82Z\x80\xed\xa0\x80";
    static const char expected[] = "a\0b\xff\xc3(\xe2\x82z\x80\xed\xa0\x80";
    char out[sizeof text * GV_FOLD_GROWTH];
    assert_int_equal(gv_fold(text, sizeof text - 1, out), sizeof expected - 1);
    assert_memory_equal(out, expected, sizeof expected - 1);
}

static void ascii_folds_at_every_length_and_place(void **state)
{
    (void)state;
    char text[64], out[64 * GV_FOLD_GROWTH];
    for (unsigned byte = 0; byte < 128; byte++) {
        for (size_t length = 1; length < 20; length++) {
            memset(text, 'Q', length);
            text[length - 1] = (char)byte;
            assert_int_equal(gv_fold(text, length, out), length);
            unsigned expected = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
            assert_int_equal((unsigned char)out[length - 1], expected);
            if (length > 1)
                assert_int_equal(out[0], 'q');
        }
    }
}

static void every_code_point_is_stable_valid_and_within_the_bound(void **state)
{
    (void)state;
    size_t changed = 0;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char text[4], once[4 * GV_FOLD_GROWTH], twice[16 * GV_FOLD_GROWTH];
        size_t length = gv_utf8_encode(code, text);
        if (length == 0)
            continue;
        size_t first = gv_fold(text, length, once);
        assert_true(first <= length * GV_FOLD_GROWTH);
        assert_true(gv_utf8_valid(once, first));
        size_t second = gv_fold(once, first, twice);
        assert_int_equal(first, second);
        assert_memory_equal(once, twice, first);
        changed += first != length || memcmp(text, once, length) != 0;
    }
    assert_in_range(changed, 3000, 10000);
    assert_int_not_equal(gv_fold_version, 0);
}

/* gv_fold_add works in pieces: no cut may be seen, wherever characters or broken bytes fall. */
static void long_text_folds_as_in_one_piece(void **state)
{
    (void)state;
    static const char *const units[] = {"ş", "€Ş", "🔥x", "\x80", "\xf0\x9f\x94\xa5\x80\x80\x80", "İA\xe2\x82", "ab"};
    for (size_t unit = 0; unit < sizeof units / sizeof units[0]; unit++) {
        for (size_t shift = 0; shift < 8; shift++) {
            gv_text text = {0}, added = {0};
            gv_text_add(&text, "AAAAAAAA", shift);
            while (text.length < 2000)
                gv_text_adds(&text, units[unit]);
            char *whole = malloc(text.length * GV_FOLD_GROWTH);
            assert_non_null(whole);
            size_t length = gv_fold(text.data, text.length, whole);
            gv_fold_add(&added, (gv_slice){text.data, text.length});
            assert_int_equal(added.length, length);
            assert_memory_equal(added.data, whole, length);
            free(whole);
            gv_text_free(&text);
            gv_text_free(&added);
        }
    }
}

static void contains_looks_in_the_folded_text(void **state)
{
    (void)state;
    gv_text scratch = {0};
    gv_slice text = gv_slice_of("Kullanıcı ÇIKIŞ yaptı %_*");
    assert_true(gv_fold_contains(text, gv_slice_of("cikis"), &scratch));
    assert_true(gv_fold_contains(text, gv_slice_of("kullanici"), &scratch));
    assert_true(gv_fold_contains(text, gv_slice_of("%_*"), &scratch));
    assert_false(gv_fold_contains(text, gv_slice_of("ÇIKIŞ"), &scratch));
    assert_false(gv_fold_contains(text, gv_slice_of("giris"), &scratch));
    assert_true(gv_fold_contains(text, gv_slice_of(""), &scratch));
    assert_true(gv_fold_contains((gv_slice){NULL, 0}, gv_slice_of(""), &scratch));
    assert_false(gv_fold_contains((gv_slice){NULL, 0}, gv_slice_of("a"), &scratch));
    assert_true(gv_fold_contains((gv_slice){"a\0B", 3}, (gv_slice){"\0b", 2}, &scratch));
    gv_text_free(&scratch);
}

static void *no_memory(void *old, size_t size)
{
    (void)old;
    (void)size;
    return NULL;
}

static void contains_tells_when_memory_is_out(void **state)
{
    (void)state;
    gv_memory kept = gv_memory_hook;
    gv_text scratch = {0};
    gv_memory_hook.resize = no_memory;
    bool found = gv_fold_contains(gv_slice_of("abc"), gv_slice_of("b"), &scratch);
    gv_memory_hook = kept;
    assert_false(found);
    assert_true(scratch.failed);
    assert_true(gv_fold_contains(gv_slice_of("abc"), gv_slice_of("b"), &scratch));
    assert_false(scratch.failed);
    gv_text_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turkish_letters_lose_case_and_marks),
        cmocka_unit_test(decomposed_text_folds_as_composed),
        cmocka_unit_test(full_case_folding_is_used),
        cmocka_unit_test(letters_without_decomposition_stay),
        cmocka_unit_test(emoji_keep_their_joiners),
        cmocka_unit_test(a_mark_alone_folds_to_nothing),
        cmocka_unit_test(nul_and_broken_bytes_fold_to_themselves),
        cmocka_unit_test(ascii_folds_at_every_length_and_place),
        cmocka_unit_test(every_code_point_is_stable_valid_and_within_the_bound),
        cmocka_unit_test(long_text_folds_as_in_one_piece),
        cmocka_unit_test(contains_looks_in_the_folded_text),
        cmocka_unit_test(contains_tells_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
