#include "../../lib/base/dotenv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base/memory.h"

#include <string.h>

typedef struct seen {
    gv_text text;       /* KEY=VALUE; … */
    size_t last_line, count, stop;
} seen;

static bool note(const char *key, const char *value, size_t line, void *user)
{
    seen *mine = user;
    gv_text_adds(&mine->text, key);
    gv_text_addc(&mine->text, '=');
    gv_text_adds(&mine->text, value);
    gv_text_addc(&mine->text, ';');
    mine->last_line = line;
    return ++mine->count != mine->stop;
}

static void check(const char *file, const char *expect)
{
    seen mine = {0};
    size_t line = 42;
    const char *why = gv_dotenv_read(gv_slice_of(file), note, &mine, &line);
    if (why)
        fail_msg("'%s': %s", file, why);
    assert_int_equal(line, 42);
    assert_string_equal(gv_text_get(&mine.text), expect);
    gv_text_free(&mine.text);
}

static void settings_are_read(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""}, {"\n\n  \n\t\n", ""}, {"# A=1\n   # B=2\n", ""}, {"A=1", "A=1;"}, {"A=1\nB=2\n", "A=1;B=2;"},
        {"A=1\r\nB=2\r\n", "A=1;B=2;"}, {"\xef\xbb\xbf" "A=1\n", "A=1;"}, {"\xef\xbb\xbf# c\nA=1\n", "A=1;"},
        {"  A  =  two words  \n", "A=two words;"}, {"\tA\t=\t1\t\r\n", "A=1;"}, {"A=\n", "A=;"}, {"A=   \n", "A=;"},
        {"A=b=c==\n", "A=b=c==;"}, {"A=1\nA=2\n", "A=1;A=2;"}, {"_a.b-c9=1\n", "_a.b-c9=1;"},
        {"A=$B ${C}\n", "A=$B ${C};"},
        {"A=x\\ny\n", "A=x\\ny;"}, {"A=it's\n", "A=it's;"}, {"A=a\"b\"\n", "A=a\"b\";"},
        {"A=M\xc3\xbc\xc5\x9f\n", "A=M\xc3\xbc\xc5\x9f;"},
        {"POSTGRES_URL=postgresql+asyncpg://u:p#1@h/db?a=b\n", "POSTGRES_URL=postgresql+asyncpg://u:p#1@h/db?a=b;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i][0], rows[i][1]);
}

static void export_is_dropped_but_may_be_a_key(void **state)
{
    (void)state;
    check("export A=1\nexport\tB=2\n  export   C = 3\n", "A=1;B=2;C=3;");
    check("export=1\nexport =2\nexported=3\n", "export=1;export=2;exported=3;");
    check("export export=1\n", "export=1;");
}

static void a_comment_begins_behind_a_blank(void **state)
{
    (void)state;
    check("A=v # c\nB=v\t# c\nC=a#b\nD=#x\nE= # c\nF=a # b # c\n", "A=v;B=v;C=a#b;D=#x;E=;F=a;");
    check("A='x # y' # c\nB=\"x # y\"\t# c\n", "A=x # y;B=x # y;");
}

static void quotes_keep_blanks_and_know_their_escapes(void **state)
{
    (void)state;
    check("A='  x  '\nB=\"  x  \"\nC=''\nD=\"\"\n", "A=  x  ;B=  x  ;C=;D=;");
    check("A='\\n\\t\\\\ \" $x'\n", "A=\\n\\t\\\\ \" $x;");
    check("A=\"1\\n2\\t3\\\\4\\\"5\\$6'\"\n", "A=1\n2\t3\\4\"5$6';");
    check("A=\"\\q\\r\\'\"\n", "A=\\q\\r\\';");
    check("A=\"ends in \\\\\"\n", "A=ends in \\;");
}

static void lines_are_counted_from_1(void **state)
{
    (void)state;
    seen mine = {0};
    assert_null(gv_dotenv_read(gv_slice_of("# one\r\n\r\nA=1\r\n\nB=2"), note, &mine, NULL));
    assert_int_equal(mine.last_line, 5);
    gv_text_free(&mine.text);
}

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "A", "A B=1", "=1", " = 1", "1A=1", "-A=1", "A'=1", "\xc5\x9e=1", "export A", "export", "A=\"open", "A='open",
        "A=\"open\\\"",
        "A=\"x\"y", "A='x'y", "A=\"x\"#y", "A=\"x\" y", "A='it's'", "A:1", "?=1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        seen mine = {0};
        gv_text file = {0};
        size_t line = 0;
        gv_text_adds(&file, "# first\nOK=1\n");
        gv_text_adds(&file, lines[i]);
        gv_text_adds(&file, "\nLATER=1\n");
        const char *why = gv_dotenv_read(gv_slice_of(gv_text_get(&file)), note, &mine, &line);
        if (!why)
            fail_msg("'%s' was read", lines[i]);
        assert_true(strlen(why) > 5);
        assert_int_equal(line, 3);
        assert_string_equal(gv_text_get(&mine.text), "OK=1;");
        gv_text_free(&mine.text);
        gv_text_free(&file);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    seen mine = {0};
    size_t line = 0;
    gv_slice file = {"A=1\nB=a\0b\n", 10};
    assert_non_null(gv_dotenv_read(file, note, &mine, &line));
    assert_int_equal(line, 2);
    assert_string_equal(gv_text_get(&mine.text), "A=1;");
    gv_text_free(&mine.text);
}

static void a_stop_is_no_fault(void **state)
{
    (void)state;
    seen mine = {.stop = 2};
    size_t line = 42;
    assert_null(gv_dotenv_read(gv_slice_of("A=1\nB=2\nC=3\nbroken\n"), note, &mine, &line));
    assert_string_equal(gv_text_get(&mine.text), "A=1;B=2;");
    assert_int_equal(line, 42);
    gv_text_free(&mine.text);
}

static void *refuse(void *old, size_t size)
{
    (void)old;
    (void)size;
    return NULL;
}

static void no_memory_is_said(void **state)
{
    (void)state;
    seen mine = {0};
    size_t line = 0;
    gv_memory before = gv_memory_hook;
    gv_memory_hook.resize = refuse;
    const char *why = gv_dotenv_read(gv_slice_of("\nA=1\n"), note, &mine, &line);
    gv_memory_hook = before;
    assert_string_equal(why, "memory is out");
    assert_int_equal(line, 2);
    assert_int_equal(mine.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(export_is_dropped_but_may_be_a_key),
        cmocka_unit_test(a_comment_begins_behind_a_blank),
        cmocka_unit_test(quotes_keep_blanks_and_know_their_escapes),
        cmocka_unit_test(lines_are_counted_from_1),
        cmocka_unit_test(faults_are_named_with_their_line),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_stop_is_no_fault),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
