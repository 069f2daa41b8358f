/* gavat_config: what the environment and a file of settings give, and what a mistake in them is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/base/files.h"
#include "config_bench.h"
#include <errno.h>

static void an_alias_of_the_environment_does_not_hide_the_key_of_a_file(void **state)
{
    bench *b = *state;
    const char *variables[] = {"DATABASE_URL=sqlite:///b", NULL};
    char source[128];
    assert_int_equal(load_text(b, "\nPOSTGRES_URL=sqlite:///a\n"), GAVAT_OK);
    assert_int_equal(load_environment(b, variables), GAVAT_OK);
    snprintf(source, sizeof source, "file %s:2", b->path);
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), "sqlite:///a");
    assert_string_equal(gv_config_source(b->cfg, GV_SET_EVENTS_URL), source);
}

static void the_environment_gives_known_names_and_others_are_let_be(void **state)
{
    bench *b = *state;
    const char *variables[] = {"PATH=/bin", "GAVAT_TIMEOUT=2m", "gavat_max_ops=x", "POSTGRES_URL=" URL_A, "ODD",
                               "=C:=x", "MONGO_NAME=x", "GAVAT", "GAVATX=1", NULL};
    assert_int_equal(load_environment(b, variables), GAVAT_OK);
    assert_string_equal(gavat_config_error(b->cfg), "");
    assert_int_equal(gv_config_number(b->cfg, GV_SET_TIMEOUT), 120000);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), "environment");
    assert_string_equal(gv_config_text(b->cfg, GV_SET_EVENTS_URL), URL_A);
    assert_null(gv_config_ignored(b->cfg, 0));
}

static void an_unknown_gavat_name_of_the_environment_is_refused(void **state)
{
    bench *b = *state;
    const char *variables[] = {"GAVAT_TIMEOT=hunter2", "GAVAT_MAX_OPS=100", NULL};
    assert_int_equal(load_environment(b, variables), GAVAT_EINVAL);
    assert_string_equal(gavat_config_error(b->cfg),
                        "environment: GAVAT_TIMEOT is not a setting; did you mean GAVAT_TIMEOUT?");
    assert_int_equal(gv_config_number(b->cfg, GV_SET_MAX_OPS), 100);
}

static void a_bad_value_of_the_environment_names_its_place(void **state)
{
    bench *b = *state;
    const char *variables[] = {"GAVAT_MAX_OPS=few", NULL};
    assert_int_equal(load_environment(b, variables), GAVAT_EINVAL);
    assert_string_equal(gavat_config_error(b->cfg),
                        "environment: GAVAT_MAX_OPS: \"few\" is not a whole number; "
                        "write a whole number (16 to 10000000)");
}

static void an_empty_variable_means_not_given(void **state)
{
    bench *b = *state;
    const char *variables[] = {"GAVAT_TIMEOUT=", "POSTGRES_URL=", "GAVAT_EVENTS_SEARCH_INDEX=", "GAVAT_MAX_OPS=",
                         "GAVAT_PAGE_BYTES=", "GAVAT_TEXT_LOG_DIR=", "DATABASE_URL=sqlite:///b", NULL};
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "1s"), GAVAT_OK);
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TEXT_LOG_DIR", "logs"), GAVAT_OK);
    assert_int_equal(load_environment(b, variables), GAVAT_OK);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), "default");
    assert_string_equal(gavat_config_get(b->cfg, "POSTGRES_URL"), "sqlite:///b");
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), "");
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TEXT_LOG_DIR), "environment");
}

static void an_absent_environment_is_empty(void **state)
{
    bench *b = *state;
    assert_int_equal(load_environment(b, NULL), GAVAT_OK);
}

static void a_file_gives_known_names_and_lists_the_others(void **state)
{
    bench *b = *state;
    char source[128];
    static const char text[] = "# stores\r\n\r\nexport POSTGRES_URL = '" URL_A "'\r\nBOT_NAME=x\n"
                               "GAVAT_TIMEOUT=1m # slow\nMONGO_NAME=gavat\nGAVAT_TEXT_LOG_DIR=\"my logs\"";
    assert_int_equal(load_text(b, text), GAVAT_OK);
    assert_string_equal(gv_config_text(b->cfg, GV_SET_EVENTS_URL), URL_A);
    assert_int_equal(gv_config_number(b->cfg, GV_SET_TIMEOUT), 60000);
    assert_string_equal(gavat_config_get(b->cfg, "GAVAT_TEXT_LOG_DIR"), "my logs");
    snprintf(source, sizeof source, "file %s:5", b->path);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), source);
    assert_string_equal(gv_config_ignored(b->cfg, 0), "BOT_NAME");
    assert_string_equal(gv_config_ignored(b->cfg, 1), "MONGO_NAME");
    assert_null(gv_config_ignored(b->cfg, 2));
}

static void many_foreign_names_are_all_listed_in_order(void **state)
{
    bench *b = *state;
    char text[4096] = "", name[16];
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "NAME%d=x\n", i);
    assert_int_equal(load_text(b, text), GAVAT_OK);
    for (size_t i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "NAME%zu", i);
        assert_string_equal(gv_config_ignored(b->cfg, i), name);
    }
    assert_null(gv_config_ignored(b->cfg, 100));
}

static void an_empty_file_changes_nothing(void **state)
{
    bench *b = *state;
    assert_int_equal(load_text(b, ""), GAVAT_OK);
    assert_string_equal(gavat_config_error(b->cfg), "");
}

static void an_empty_value_in_a_file_means_not_given(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_set(b->cfg, "GAVAT_TIMEOUT", "1s"), GAVAT_OK);
    assert_int_equal(load_text(b, "GAVAT_TIMEOUT=\nGAVAT_TIME_ZONE=''\n"), GAVAT_OK);
    assert_string_equal(gv_config_source(b->cfg, GV_SET_TIMEOUT), "default");
    assert_non_null(strstr(gv_config_source(b->cfg, GV_SET_TIME_ZONE), "config_db.env:2"));
}

static void mistakes_in_a_file_name_it_and_the_line(void **state)
{
    bench *b = *state;
    char error[256];
    assert_int_equal(load_text(b, "\n\nGAVAT_TIMEOUT=10 parsecs\nGAVAT_MAX_OPS=20\nGAVAT_MAX_OPZ=1\n"), GAVAT_EINVAL);
    snprintf(error, sizeof error,
             "%s:3: GAVAT_TIMEOUT: \"10 parsecs\" is not a duration; write 10s, 1m30s or 250ms (1ms to 24h)", b->path);
    assert_string_equal(gavat_config_error(b->cfg), error);
    assert_int_equal(gv_config_number(b->cfg, GV_SET_MAX_OPS), 20);
}

static void an_unknown_gavat_name_in_a_file_is_refused(void **state)
{
    bench *b = *state;
    char error[256];
    assert_int_equal(load_text(b, "X=1\nGAVAT_MAX_OPZ=hunter2\n"), GAVAT_EINVAL);
    snprintf(error, sizeof error, "%s:2: GAVAT_MAX_OPZ is not a setting; did you mean GAVAT_MAX_OPS?", b->path);
    assert_string_equal(gavat_config_error(b->cfg), error);
    assert_null(gv_config_ignored(b->cfg, 1));
}

static void a_line_that_is_no_setting_is_refused(void **state)
{
    bench *b = *state;
    char start[128];
    assert_int_equal(load_text(b, "GAVAT_TIMEOUT=1s\nthis is " SECRET "\n"), GAVAT_EINVAL);
    snprintf(start, sizeof start, "%s:2: ", b->path);
    assert_ptr_equal(strstr(gavat_config_error(b->cfg), start), gavat_config_error(b->cfg));
    assert_null(strstr(gavat_config_error(b->cfg), SECRET));
}

static void a_nul_byte_in_a_file_is_refused(void **state)
{
    bench *b = *state;
    static const char text[] = "GAVAT_MAX_OPS=20\nGAVAT_TIMEOUT=1s\0000\n";
    char start[128];
    write_bytes(b, text, sizeof text - 1);
    assert_int_equal(gavat_config_load_file(b->cfg, b->path), GAVAT_EINVAL);
    snprintf(start, sizeof start, "%s:2: there is a NUL byte here", b->path);
    assert_ptr_equal(strstr(gavat_config_error(b->cfg), start), gavat_config_error(b->cfg));
    assert_string_equal(gv_config_source(b->cfg, GV_SET_MAX_OPS), "default");
}

static void a_missing_file_is_named_with_what_to_do(void **state)
{
    bench *b = *state;
    char error[256];
    assert_int_equal(gavat_config_load_file(b->cfg, b->path), GAVAT_EIO);
    snprintf(error, sizeof error,
             "cannot read the settings file \"%s\": there is no such file; create it or name another one", b->path);
    assert_string_equal(gavat_config_error(b->cfg), error);
    assert_int_equal(gv_config_status(b->cfg), GAVAT_EIO);
}

static void a_folder_is_no_settings_file(void **state)
{
    bench *b = *state;
    assert_int_equal(gavat_config_load_file(b->cfg, b->folder), GAVAT_EIO);
    assert_non_null(strstr(gavat_config_error(b->cfg), b->folder));
    assert_non_null(strstr(gavat_config_error(b->cfg), "it is a folder; name a file in it"));
}

static int broken;              /* the errno that each read gives */

static ssize_t read_broken(int fd, void *data, size_t length)
{
    (void)fd;
    (void)data;
    (void)length;
    errno = broken;
    return -1;
}

static void check_broken_read(bench *b, int number, gavat_status status, const char *phrase)
{
    gv_file_calls real = gv_file_hook;
    gavat_config *cfg = gavat_config_new();
    broken = number;
    write_bytes(b, "X=1", 3);
    gv_file_hook.read = read_broken;
    gavat_status got = gavat_config_load_file(cfg, b->path);
    gv_file_hook = real;
    assert_int_equal(got, status);
    assert_int_equal(gv_config_status(cfg), status);
    assert_non_null(strstr(gavat_config_error(cfg), phrase));
    gavat_config_free(cfg);
}

static void a_file_that_cannot_be_read_is_told_with_the_reason(void **state)
{
    bench *b = *state;
    check_broken_read(b, EIO, GAVAT_EIO, "the system says EIO (5); check the path and the disk");
    check_broken_read(b, EACCES, GAVAT_EIO, "this user may not read it");
    check_broken_read(b, ENOMEM, GAVAT_ENOMEM, "no memory left");
}

static void a_file_past_one_mebibyte_is_refused(void **state)
{
    bench *b = *state;
    size_t size = (1 << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    write_bytes(b, text, size - 1);
    assert_int_equal(gavat_config_load_file(b->cfg, b->path), GAVAT_OK);
    write_bytes(b, text, size);
    free(text);
    assert_int_equal(gavat_config_load_file(b->cfg, b->path), GAVAT_EIO);
    assert_non_null(strstr(gavat_config_error(b->cfg), "larger than 1 MiB"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_alias_of_the_environment_does_not_hide_the_key_of_a_file),
        CASE(the_environment_gives_known_names_and_others_are_let_be),
        CASE(an_unknown_gavat_name_of_the_environment_is_refused),
        CASE(a_bad_value_of_the_environment_names_its_place),
        CASE(an_empty_variable_means_not_given),
        CASE(an_absent_environment_is_empty),
        CASE(a_file_gives_known_names_and_lists_the_others),
        CASE(many_foreign_names_are_all_listed_in_order),
        CASE(an_empty_file_changes_nothing),
        CASE(an_empty_value_in_a_file_means_not_given),
        CASE(mistakes_in_a_file_name_it_and_the_line),
        CASE(an_unknown_gavat_name_in_a_file_is_refused),
        CASE(a_line_that_is_no_setting_is_refused),
        CASE(a_nul_byte_in_a_file_is_refused),
        CASE(a_missing_file_is_named_with_what_to_do),
        CASE(a_folder_is_no_settings_file),
        CASE(a_file_that_cannot_be_read_is_told_with_the_reason),
        CASE(a_file_past_one_mebibyte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
