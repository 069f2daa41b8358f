/* profiles_folder.c: the folder itself: its defaults, what the doctor says of it, modes, and a folder that goes. On JSON files only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static gavat *with_defaults(void **state, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/defaults.json", ((fresh *)*state)->folder);
    save_file(path, text, strlen(text));
    const char *const settings[] = {"GAVAT_PROFILE_DEFAULTS", path, NULL};
    return reopen(state, settings);
}

static void defaults_are_merged_under_what_is_read(void **state)
{
    gavat *g = with_defaults(state, "{\"reply_mode\":\"manualplus\",\"manualplus_timeout_sec\":180,\"is_active\":true,"
                                    "\"gpt\":{\"temperature\":0.70,\"models\":[\"a\"]}}\n");
    put_profile(g, "a", "{\"type\":\"bot\",\"gpt\":{\"temperature\":0.5},\"is_active\":false}");
    put_profile(g, "b", "{\"type\":\"bot\",\"reply_mode\":null}");
    assert_field(g, "a", "reply_mode", "manualplus");
    assert_field(g, "a", "manualplus_timeout_sec", "180");
    assert_field(g, "a", "gpt.temperature", "0.5");
    assert_field(g, "a", "gpt.models.0", "a");
    assert_field(g, "b", "gpt.temperature", "0.70");
    assert_field(g, "b", "reply_mode", "null");
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.is_active = 1;
    gavat_op *op = held(g);
    RUN(op, get_profiles, &filter);
    assert_names(op, "b");
    gavat_op_unref(op);
    DO(g, GAVAT_OK, patch_profile, "a", "{\"x\":1}", NULL, 0);
    char text[1000] = "";
    FILE *file = fopen(path_of(state, "a.json"), "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 100);
    fclose(file);
    assert_null(strstr(text, "manualplus"));
}

static void bad_defaults_are_an_error_at_open(void **state)
{
    static const char *const bad[][2] = {{"{\"a\":", "not JSON"}, {"[]", ""}, {"{\"username\":\"x\"}", "username is kept"}};
    for (size_t i = 0; i < 3; i++) {
        char path[600];
        gavat *g = NULL;
        snprintf(path, sizeof path, "%s/defaults.json", ((fresh *)*state)->folder);
        save_file(path, bad[i][0], strlen(bad[i][0]));
        gavat_config *cfg = gavat_config_new();
        gavat_config_set(cfg, "POSTGRES_URL", "off");
        gavat_config_set(cfg, "REDIS_URL", "off");
        gavat_config_set(cfg, "MONGODB_URI", ((fresh *)*state)->url);
        gavat_config_set(cfg, "GAVAT_PROFILE_DEFAULTS", path);
        assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
        gavat_config_free(cfg);
        gavat_op *op = held(g);
        gavat_open(op);
        expect_status(op, GAVAT_EINVAL, __FILE__, __LINE__);
        expect_words(op, bad[i][1], __FILE__, __LINE__);
        expect_words(op, "GAVAT_PROFILE_DEFAULTS", __FILE__, __LINE__);
        gavat_op_unref(op);
        DO(g, GAVAT_EINVAL, get_profile, "a");
        DO(g, GAVAT_EINVAL, get_profiles, NULL);
        close_client(g);
    }
}

static void look_for_check(gavat *g, const char *check, const char *result, const char *figure)
{
    gavat_op *op = held(g);
    char got[64] = "";
    gavat_check_stores(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const char *json = gavat_op_json(op, i, NULL);
        gavat_json_copy(json, "check", got, sizeof got);
        if (strcmp(got, check) != 0)
            continue;
        assert_json(op, i, "store", "profiles");
        assert_json(op, i, "result", result);
        if (!strstr(json, figure))
            fail_msg("%s", json);
        gavat_op_unref(op);
        return;
    }
    fail_msg("the doctor has no line %s", check);
}

static void the_doctor_looks_at_the_folder(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "a", "{}");
    put_profile(g, "b", "{}");
    look_for_check(g, "folder", "ok", "/profiles");
    look_for_check(g, "unreadable files", "ok", "none");
    look_for_check(g, "profiles", "ok", "\"2\"");
    put_file(state, "bad.json", "{");
    put_file(state, "worse.json", "");
    look_for_check(g, "unreadable files", "warn", "bad.json: at byte 1");
    look_for_check(g, "unreadable files", "warn", "worse.json: it is empty");
    look_for_check(g, "profiles", "ok", "\"2\"");
}

static void the_mode_of_a_file_stays(void **state)
{
    gavat *g = client_of(state);
    struct stat found;
    put_profile(g, "bot1", "{}");
    assert_int_equal(chmod(path_of(state, "bot1.json"), 0640), 0);
    put_profile(g, "bot1", "{\"a\":1}");
    DO(g, GAVAT_OK, patch_profile, "bot1", "{\"a\":2}", NULL, 0);
    assert_int_equal(stat(path_of(state, "bot1.json"), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0640);
}

static void a_folder_that_goes_is_an_error_and_not_an_empty_store(void **state)
{
    gavat *g = client_of(state);
    char away[1200];
    put_profile(g, "bot1", "{}");
    char *folder = path_of(state, "");
    folder[strlen(folder) - 1] = '\0';
    snprintf(away, sizeof away, "%s.away", folder);
    assert_int_equal(rename(folder, away), 0);
    DO(g, GAVAT_EUNAVAIL, get_profile, "bot1");
    DO(g, GAVAT_EUNAVAIL, put_profile, "bot1", "{}");
    DO(g, GAVAT_EUNAVAIL, delete_profile, "bot1");
    DO(g, GAVAT_EUNAVAIL, get_profiles, NULL);
    assert_int_equal(rename(away, folder), 0);
    DO(g, GAVAT_OK, get_profile, "bot1");
    DO(g, GAVAT_OK, put_profile, "bot1", "{}");
}

static void who_only_reads_leaves_no_lock_file(void **state)
{
    gavat *g = client_of(state);
    struct stat found;
    put_file(state, "bot1.json", "{}");
    DO(g, GAVAT_OK, get_profile, "bot1");
    DO(g, GAVAT_OK, get_profiles, NULL);
    assert_int_equal(stat(path_of(state, ".gavat-lock"), &found), -1);
    put_profile(g, "bot2", "{}");
    assert_int_equal(stat(path_of(state, ".gavat-lock"), &found), 0);
}

/* As another process holds it while it writes. */
static int lock_folder(void **state)
{
    int fd = open(path_of(state, ".gavat-lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    return fd;
}

static void a_lock_that_another_holds_is_waited_for_and_no_longer_than_the_deadline(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{\"a\":1}");
    int fd = lock_folder(state);
    gavat_op *late = held(g), *patient = held(g);
    gavat_op_set_timeout(late, 100);
    gavat_put_profile(late, "bot1", "{\"a\":2}");
    gavat_put_profile(patient, "bot2", "{}");
    expect_status(late, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_error(late)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    assert_int_equal(gavat_op_status(patient), GAVAT_PENDING);
    close(fd);
    expect_status(patient, GAVAT_OK, __FILE__, __LINE__);
    assert_field(g, "bot1", "a", "1");
    gavat_op_unref(late);
    gavat_op_unref(patient);
}

static void a_client_closes_while_another_holds_the_lock(void **state)
{
    gavat *g = open_client(((fresh *)*state)->url, NULL);
    int fd = lock_folder(state);
    gavat_op *op = held(g);
    gavat_put_profile(op, "bot1", "{}");
    assert_int_equal(gavat_close_wait(g, 1000), GAVAT_ETIMEDOUT);
    expect_status(op, GAVAT_ECLOSED, __FILE__, __LINE__);
    assert_int_equal(gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    gavat_op_unref(op);
    gavat_unref(g);
    close(fd);
    DO(client_of(state), GAVAT_ENOTFOUND, get_profile, "bot1");
}

int main(void)
{
    const char *urls = getenv("TEST_PROFILES_URLS");
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(defaults_are_merged_under_what_is_read),
        cmocka_unit_test(bad_defaults_are_an_error_at_open),
        cmocka_unit_test(the_doctor_looks_at_the_folder),
        cmocka_unit_test(the_mode_of_a_file_stays),
        cmocka_unit_test(a_folder_that_goes_is_an_error_and_not_an_empty_store),
        cmocka_unit_test(who_only_reads_leaves_no_lock_file),
        cmocka_unit_test(a_lock_that_another_holds_is_waited_for_and_no_longer_than_the_deadline),
        cmocka_unit_test(a_client_closes_while_another_holds_the_lock),
    };
    if (urls && *urls)          /* of another backend: these files are none of its own */
        unsetenv("TEST_PROFILES_URLS");
    return run_on_files("profiles_folder", cases, sizeof cases / sizeof *cases);
}
