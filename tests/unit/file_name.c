#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../../lib/base/file_name.h"
#include "../../lib/base/sha256.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define TEXT(literal) ((gv_slice){literal, sizeof literal - 1})

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

static void assert_slice(gv_slice found, gv_slice expected)
{
    assert_int_equal(found.length, expected.length);
    assert_memory_equal(found.data, expected.data, expected.length);
}

/* Both ways. */
static void pairs(gv_slice text, gv_slice stem)
{
    gv_text there = {0}, back = {0};
    gv_file_name_encode(&there, text);
    assert_slice(slice_of(&there), stem);
    assert_int_equal(gv_file_name_decode(&back, stem), GV_FILE_NAME_TEXT);
    assert_slice(slice_of(&back), text);
    gv_text_free(&there);
    gv_text_free(&back);
}

static void simple_names_are_their_own_stems(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bot123", "with blank", " ", "@bot", "a.b", "a..", "i\304\237ne ba\305\237\304\261", "\360\237\224\245", "con",
        "-rf", "a\\b", "a:b*?\"<>|", "~", "new\nline", "\377\376", "bot.json", "tmp",
        /* What another program named, and this one would not encode. */
        "bot%41", "100%", "%%", "%2f", "a%2E", "%41", "a%", "a%25b", "%25b", "a%2", "%~", "a%~b",
        "%2", "a%25", "%2541",
    };
    for (size_t i = 0; i < COUNT(names); i++)
        pairs(gv_slice_of(names[i]), gv_slice_of(names[i]));
}

static void what_a_file_name_cannot_hold_is_encoded(void **state)
{
    (void)state;
    pairs(TEXT("../x"), TEXT("%2E.%2Fx"));
    pairs(TEXT(".."), TEXT("%2E."));
    pairs(TEXT("."), TEXT("%2E"));
    pairs(TEXT(".hidden"), TEXT("%2Ehidden"));
    pairs(TEXT("/etc/passwd"), TEXT("%2Fetc%2Fpasswd"));
    pairs(TEXT("a\0b\0"), TEXT("a%00b%00"));
    pairs(TEXT(""), TEXT("%"));
}

static void what_reads_as_an_encoding_is_encoded_once_more(void **state)
{
    (void)state;
    pairs(TEXT("%"), TEXT("%25"));
    pairs(TEXT("%25"), TEXT("%2525"));
    pairs(TEXT("a%2F"), TEXT("a%252F"));
    pairs(TEXT("a%252F"), TEXT("a%25252F"));
    pairs(TEXT("a%00%2F/"), TEXT("a%2500%252F%2F"));
    pairs(TEXT("%2Ea"), TEXT("%252Ea"));
    pairs(TEXT("%252Ea"), TEXT("%25252Ea"));
    pairs(TEXT("%%25"), TEXT("%%25"));
    pairs(TEXT("%%2F"), TEXT("%%252F"));
}

static gv_slice repeated(gv_text *text, const char *piece, int times)
{
    gv_text_clear(text);
    for (int i = 0; i < times; i++)
        gv_text_adds(text, piece);
    return slice_of(text);
}

static void up_to_250_bytes_a_stem_shows_the_whole_text(void **state)
{
    (void)state;
    gv_text text = {0}, stem = {0};
    gv_slice most = repeated(&text, "x", GV_FILE_NAME_MOST);
    pairs(most, most);
    gv_slice turkish = repeated(&text, "\305\237", 100);
    pairs(turkish, turkish);
    pairs(repeated(&text, "/", 83), repeated(&stem, "%2F", 83));
    gv_text_free(&text);
    gv_text_free(&stem);
}

static void longer_texts_have_a_stem_that_fits_and_is_theirs_alone(void **state)
{
    (void)state;
    gv_text text = {0}, stem = {0}, other = {0}, none = {0};
    static const struct { const char *piece; int times; } cases[] = {
        {"x", 251}, {"\360\237\224\245", 100}, {"\342\202\254", 100}, {"/", 84}, {"%2F", 100}, {".", 1000},
        {"\377", 300},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_text_clear(&stem);
        gv_text_clear(&other);
        gv_file_name_encode(&stem, repeated(&text, cases[i].piece, cases[i].times));
        assert_true(stem.length < 200);
        assert_int_equal(gv_file_name_decode(&none, slice_of(&stem)), GV_FILE_NAME_LONG);
        gv_text_adds(&text, "x");
        gv_file_name_encode(&other, slice_of(&text));
        assert_string_not_equal(gv_text_get(&stem), gv_text_get(&other));
        /* A name that looks like a long stem has another file. */
        gv_text_clear(&other);
        gv_file_name_encode(&other, slice_of(&stem));
        assert_string_not_equal(gv_text_get(&stem), gv_text_get(&other));
        if (gv_file_name_decode(&none, slice_of(&other)) == GV_FILE_NAME_TEXT)
            assert_slice(slice_of(&none), slice_of(&stem));
        gv_text_clear(&none);
    }
    gv_text_free(&text);
    gv_text_free(&stem);
    gv_text_free(&other);
    gv_text_free(&none);
}

static void a_long_stem_begins_with_whole_characters(void **state)
{
    (void)state;
    gv_text text = {0}, stem = {0};
    gv_file_name_encode(&stem, repeated(&text, "x\360\237\224\245", 80));
    assert_memory_equal(stem.data + 120, "%~", 2);
    gv_text_clear(&stem);
    gv_file_name_encode(&stem, repeated(&text, "\360\237\224\245xx", 80));
    assert_memory_equal(stem.data + 120, "%~", 2);
    gv_text_clear(&stem);
    gv_file_name_encode(&stem, repeated(&text, "xx\360\237\224\245x\360\237\224\245\360\237\224\245", 40));
    assert_memory_equal(stem.data + stem.length - 66, "%~", 2);
    assert_memory_equal(stem.data + stem.length - 70, "\360\237\224\245", 4);
    gv_text_free(&text);
    gv_text_free(&stem);
}

static void what_is_no_stem_is_refused(void **state)
{
    (void)state;
    gv_text out = {0}, long_one = {0};
    assert_int_equal(gv_file_name_decode(&out, TEXT("")), GV_FILE_NAME_NONE);
    assert_int_equal(gv_file_name_decode(&out, TEXT(".tmp-1")), GV_FILE_NAME_NONE);
    assert_int_equal(gv_file_name_decode(&out, TEXT("a/b")), GV_FILE_NAME_NONE);
    assert_int_equal(gv_file_name_decode(&out, TEXT("a\0b")), GV_FILE_NAME_NONE);
    assert_int_equal(gv_file_name_decode(&out, repeated(&long_one, "x", 251)), GV_FILE_NAME_NONE);
    assert_int_equal(out.length, 0);
    gv_text_free(&out);
    gv_text_free(&long_one);
}

/* Random texts of the letters that encodings are made of: every one comes back, and every stem is the stem of what it
 * stands for, so no two texts share one. */
static void texts_and_stems_are_paired_one_to_one(void **state)
{
    (void)state;
    static const char letters[] = {'%', '%', '2', '5', 'F', 'E', '0', '.', '/', '\0', '~', 'a'};
    uint32_t seed = 7;
    gv_text there = {0}, back = {0};
    for (int i = 0; i < 200000; i++) {
        char bytes[12];
        seed = seed * 1664525 + 1013904223;
        size_t length = seed >> 28;
        if (length > sizeof bytes)
            length = sizeof bytes;
        for (size_t k = 0; k < length; k++) {
            seed = seed * 1664525 + 1013904223;
            bytes[k] = letters[(seed >> 16) % sizeof letters];
        }
        gv_slice text = {bytes, length};
        gv_text_clear(&there);
        gv_text_clear(&back);
        gv_file_name_encode(&there, text);
        assert_int_equal(gv_file_name_decode(&back, slice_of(&there)), GV_FILE_NAME_TEXT);
        assert_slice(slice_of(&back), text);
        gv_text_clear(&back);
        gv_text_clear(&there);
        if (gv_file_name_decode(&back, text) == GV_FILE_NAME_TEXT) {
            gv_file_name_encode(&there, slice_of(&back));
            assert_slice(slice_of(&there), text);
        }
    }
    gv_text_free(&there);
    gv_text_free(&back);
}

static void digests_are_those_of_the_standard(void **state)
{
    (void)state;
    char digest[GV_SHA256_TEXT + 1];
    gv_text text = {0};
    gv_sha256_text(TEXT(""), digest);
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    gv_sha256_text(TEXT("abc"), digest);
    assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    gv_sha256_text(TEXT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), digest);
    assert_string_equal(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    gv_sha256_text(repeated(&text, "a", 1000000), digest);
    assert_string_equal(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    gv_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_names_are_their_own_stems),
        cmocka_unit_test(what_a_file_name_cannot_hold_is_encoded),
        cmocka_unit_test(what_reads_as_an_encoding_is_encoded_once_more),
        cmocka_unit_test(up_to_250_bytes_a_stem_shows_the_whole_text),
        cmocka_unit_test(longer_texts_have_a_stem_that_fits_and_is_theirs_alone),
        cmocka_unit_test(a_long_stem_begins_with_whole_characters),
        cmocka_unit_test(what_is_no_stem_is_refused),
        cmocka_unit_test(texts_and_stems_are_paired_one_to_one),
        cmocka_unit_test(digests_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
