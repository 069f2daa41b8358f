/* profiles_files.c: profiles in a folder that other programs write too: the original's and older ones read as they are, patched in place,
 * damaged ones named and never lost. On JSON files only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ended by NUL; the caller's (free). NULL: there is none. */
static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    char *data = malloc(1 << 20);
    assert_non_null(data);
    *length = fread(data, 1, (1 << 20) - 1, file);
    data[*length] = '\0';
    fclose(file);
    return data;
}

/* Every file of a folder of samples into the store's; how many. names: their file names, 64 at most. */
static size_t copy_samples(void **state, const char *folder, char names[64][256])
{
    char path[1024];
    size_t count = 0, length;
    snprintf(path, sizeof path, "%s/tests/data/%s", getenv("TEST_SOURCE_DIR"), folder);
    DIR *from = opendir(path);
    assert_non_null(from);
    for (struct dirent *entry; (entry = readdir(from)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/tests/data/%s/%s", getenv("TEST_SOURCE_DIR"), folder, entry->d_name);
        char *data = read_file(path, &length);
        assert_non_null(data);
        save_file(path_of(state, entry->d_name), data, length);
        free(data);
        assert_true(count < 64);
        snprintf(names[count++], 256, "%s", entry->d_name);
    }
    closedir(from);
    return count;
}

static void every_profile_of_the_original_is_read(void **state)
{
    gavat *g = client_of(state);
    static char names[64][256];
    size_t count = copy_samples(state, "original/profiles", names), length;
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.limit = 1000;
    gavat_op *op = held(g);
    RUN(op, get_profiles, &filter);
    assert_int_equal(count, 22);
    assert_int_equal(gavat_op_count(op), count);
    assert_null(gavat_op_rejected(op, 0, NULL));
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const gavat_profile *profile = gavat_op_profile(op, i);
        char file[300], updated[64];
        snprintf(file, sizeof file, "%s.json", profile->username);
        char *text = read_file(path_of(state, file), &length);
        assert_non_null(text);
        assert_int_equal(profile->revision, 0);
        assert_true(profile->updated_at > 0);
        gavat_json_copy(text, "updated_at", updated, sizeof updated);
        strcat(updated, "Z");
        assert_json(op, i, "updated_at", updated);
        free(text);
    }
    gavat_op_unref(op);
    assert_field(g, "@et", "manualplus_timeout_sec", "9007199254740993");
    assert_field(g, "@et", "vip_price", "99.9");
    assert_field(g, "şenbot", "username", "şenbot");
    assert_field(g, "ŞenBot", "username", "ŞenBot");
    op = held(g);
    RUN(op, get_profile_by_user_id, "5019");
    assert_names(op, "@et");
    gavat_op_unref(op);
}

static void every_older_profile_is_read_or_named(void **state)
{
    gavat *g = client_of(state);
    static char names[64][256];
    static const char *const reasons[][2] = {{".gizli.json", "hidden"}, {"bom.json", "byte order mark"}, {"bos.json", "it is empty"},
                                             {"dizi.json", "not an object"}, {"kesik.json", "at byte 79"}};
    copy_samples(state, "legacy/data/profiles", names);
    gavat_op *op = held(g);
    RUN(op, get_profiles, NULL);
    assert_names(op, "P00|cift|nan|p00|p01|p02|p03|p04|p05|p06|p07|p08|p09|p10|p11");
    for (size_t i = 0; i < 5; i++) {
        const char *why = gavat_op_rejected(op, i, NULL);
        assert_non_null(why);
        if (strncmp(why, reasons[i][0], strlen(reasons[i][0])) != 0 || !strstr(why, reasons[i][1]))
            fail_msg("\"%s\" instead of %s and %s", why, reasons[i][0], reasons[i][1]);
    }
    assert_null(gavat_op_rejected(op, 5, NULL));
    assert_string_equal(gavat_op_json(op, 2, NULL), "{\"username\":\"nan\",\"x\":\"NaN\",\"y\":\"-Infinity\",\"revision\":0}");
    assert_non_null(strstr(gavat_op_profile(op, 2)->json, "\"x\": NaN"));
    gavat_op_unref(op);
    assert_field(g, "p03", "username", "p03");
    assert_field(g, "p04", "username", "p04");
    assert_field(g, "p05", "username", "p05");
    assert_field(g, "p09", "created_at", "2025-05-25T10:00:00.000000Z");
    assert_field(g, "cift", "a", "2");
    DO(g, GAVAT_ECORRUPT, get_profile, "bom");
    DO(g, GAVAT_ECORRUPT, get_profile, "kesik");
    DO(g, GAVAT_ENOTFOUND, get_profile, "gizli");
    DO(g, GAVAT_ENOTFOUND, get_profile, "yasakli");
    DO(g, GAVAT_ENOTFOUND, get_profile, "notlar");
    DO(g, GAVAT_ECORRUPT, patch_profile, "dizi", "{\"a\":1}", NULL, 0);
    DO(g, GAVAT_ECORRUPT, put_profile_if_revision, "dizi", "{\"a\":1}", -1);
}

/* The member of this key in the text of a file: from its key to the end of its value. */
static char *find_member(const char *text, const char *key, size_t *length)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    size_t value_length;
    const char *value = gavat_json_find(text, key, &value_length), *at = NULL;
    for (const char *next = text; value && (next = strstr(next, quoted)) != NULL && next < value; next++)
        at = next;
    *length = at ? (size_t)(value + value_length - at) : 0;
    return (char *)(uintptr_t)at;
}

/* The text without these members, and without the comma and white space before each. */
static void strip(char *text, const char *const *keys)
{
    for (; *keys; keys++) {
        size_t length;
        char *at = find_member(text, *keys, &length);
        if (!at)
            continue;
        char *from = at, *behind = at + length;
        while (from > text && strchr(" \n\r\t", from[-1]))
            from--;
        if (from[-1] == ',')
            from--;
        memmove(from, behind, strlen(behind) + 1);
    }
}

static void patch_and_compare(void **state, const char *folder)
{
    static const char *const kept[] = {"zz_new", "updated_at", "revision", "revised_at", NULL};
    static char names[64][256];
    gavat *g = client_of(state);
    size_t count = copy_samples(state, folder, names), patched = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length, after_length;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names[i], "\n"), names[i]);
        char *end = strstr(name, ".json");
        if (!end || end[5])
            continue;
        *end = '\0';
        char *before = read_file(path_of(state, names[i]), &length);
        gavat_op *op = held(g);
        gavat_patch_profile(op, name, "{\"zz_new\":1.50}", NULL, 0);
        gavat_status status = gavat_op_wait(op);
        int64_t revision = gavat_op_number(op);
        gavat_op_unref(op);
        char *after = read_file(path_of(state, names[i]), &after_length);
        if (status == GAVAT_OK) {
            char number[32];
            snprintf(number, sizeof number, "%lld", (long long)revision);
            assert_true(revision > 1700000000000);
            assert_field(g, name, "zz_new", "1.50");
            assert_field(g, name, "revision", number);
            strip(before, kept);
            strip(after, kept);
            patched++;
        } else {
            assert_true(status == GAVAT_ECORRUPT || status == GAVAT_ENOTFOUND);
        }
        if (strcmp(before, after) != 0)
            fail_msg("%s: other bytes were changed:\n%s\n%s", names[i], before, after);
        free(before);
        free(after);
    }
    assert_true(patched >= 15);
}

static void a_patch_changes_nothing_else_in_the_original_files(void **state)
{
    patch_and_compare(state, "original/profiles");
}

static void a_patch_changes_nothing_else_in_older_files(void **state)
{
    patch_and_compare(state, "legacy/data/profiles");
}

static void a_file_laid_out_otherwise_keeps_its_bytes(void **state)
{
    gavat *g = client_of(state);
    size_t length;
    put_file(state, "odd.json", "\n{ \"a\" :1 ,\"b\":[ 1,2 ],\t\"updated_at\":\"x\", \"c\":\"\\u0131\" }\n\n");
    DO(g, GAVAT_OK, patch_profile, "odd", "{\"a\":2}", NULL, 0);
    char *text = read_file(path_of(state, "odd.json"), &length);
    const char *start = "\n{ \"a\" :2 ,\"b\":[ 1,2 ],\t\"updated_at\":\"2";
    assert_true(strncmp(text, start, strlen(start)) == 0);
    assert_non_null(strstr(text, "\"c\":\"\\u0131\""));
    assert_string_equal(text + length - 4, " }\n\n");
    free(text);
}

static void a_new_file_looks_as_the_original_writes_it(void **state)
{
    gavat *g = client_of(state);
    size_t length;
    put_profile(g, "bot1", "{\"type\":\"bot\",\"a\":{\"x\":[],\"y\":[1,2.50]},\"t\":\"\\u0131ş\"}");
    char *text = read_file(path_of(state, "bot1.json"), &length);
    const char *start = "{\n  \"username\": \"bot1\",\n  \"type\": \"bot\",\n  \"a\": {\n    \"x\": [],\n"
                        "    \"y\": [\n      1,\n      2.50\n    ]\n  },\n"
                        "  \"t\": \"ış\",\n  \"created_at\": \"20";
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("%s", text);
    assert_int_equal(text[length - 1], '}');
    char updated[64];
    assert_int_equal(gavat_json_copy(text, "updated_at", updated, sizeof updated), 26);
    assert_int_equal(updated[10], 'T');
    free(text);
}

static void another_program_that_writes_is_noticed(void **state)
{
    gavat *g = client_of(state);
    size_t length;
    assert_int_equal(put_profile(g, "bot1", "{\"a\":1}"), 1);
    assert_int_equal(put_profile(g, "bot1", "{\"a\":2}"), 2);
    char *text = read_file(path_of(state, "bot1.json"), &length), *at = strstr(text, "\"updated_at\": \"20");
    at[15] = '1';               /* as the original does: all fields kept, updated_at its own */
    put_file(state, "bot1.json", text);
    free(text);
    assert_field(g, "bot1", "revision", "0");
    gavat_op *op = held(g);
    gavat_put_profile_if_revision(op, "bot1", "{\"a\":3}", 2);
    expect_status(op, GAVAT_ECONFLICT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    int64_t next = put_profile(g, "bot1", "{\"a\":4}");
    assert_true(next > 1700000000000);
    put_file(state, "bot1.json", "{\"a\":5}");
    DO(g, GAVAT_ECONFLICT, put_profile_if_revision, "bot1", "{\"a\":6}", next);
    DO(g, GAVAT_OK, put_profile_if_revision, "bot1", "{\"a\":7}", 0);
    assert_true(put_profile(g, "bot1", "{\"a\":8}") > next);
}

static size_t count_files(void **state, const char *part)
{
    size_t count = 0;
    DIR *folder = opendir(path_of(state, ""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    closedir(folder);
    return count;
}

static void a_damaged_file_is_put_aside_before_a_put(void **state)
{
    gavat *g = client_of(state);
    put_file(state, "bot1.json", "{\"a\": 1, \"precious\": ");
    DO(g, GAVAT_ECORRUPT, get_profile, "bot1");
    DO(g, GAVAT_ECORRUPT, put_profile_if_revision, "bot1", "{}", -1);
    assert_int_equal(count_files(state, ".damaged-"), 0);
    put_profile(g, "bot1", "{\"a\":2}");
    assert_field(g, "bot1", "a", "2");
    assert_int_equal(count_files(state, "bot1.json.damaged-"), 1);
    put_file(state, "bot1.json", "");
    put_profile(g, "bot1", "{\"a\":3}");
    assert_int_equal(count_files(state, "bot1.json.damaged-"), 2);
    gavat_op *op = held(g);
    RUN(op, get_profiles, NULL);
    assert_names(op, "bot1");
    assert_null(gavat_op_rejected(op, 0, NULL));
    gavat_op_unref(op);
    put_file(state, "bot2.json", "[]");
    DO(g, GAVAT_OK, delete_profile, "bot2");
    DO(g, GAVAT_ENOTFOUND, get_profile, "bot2");
}

static void what_is_not_ours_is_left_alone(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{}");
    put_file(state, "notes.txt", "x");
    put_file(state, "bot1.json.bak", "x");
    put_file(state, ".hidden", "x");
    assert_int_equal(mkdir(path_of(state, "folder.json"), 0777), 0);
    assert_int_equal(mkfifo(path_of(state, "pipe.json"), 0666), 0);
    gavat_op *op = held(g);
    RUN(op, get_profiles, NULL);
    assert_names(op, "bot1");
    assert_non_null(strstr(gavat_op_rejected(op, 0, NULL), "pipe.json: it is empty"));
    assert_null(gavat_op_rejected(op, 1, NULL));
    gavat_op_unref(op);
    DO(g, GAVAT_ECORRUPT, get_profile, "pipe");
    assert_int_equal(count_files(state, ".gavat-new"), 0);
}

static void names_that_other_programs_gave_are_found(void **state)
{
    gavat *g = client_of(state);
    put_file(state, "100%.json", "{\"a\":1}");
    put_file(state, "bot%41.json", "{\"a\":2}");
    put_file(state, "a%2Fb.json", "{\"a\":3}");
    assert_field(g, "100%", "a", "1");
    assert_field(g, "bot%41", "a", "2");
    assert_field(g, "a/b", "a", "3");
    gavat_op *op = held(g);
    RUN(op, get_profiles, NULL);
    assert_names(op, "100%|a/b|bot%41");
    gavat_op_unref(op);
}

int main(void)
{
    const char *urls = getenv("TEST_PROFILES_URLS");
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_profile_of_the_original_is_read),
        cmocka_unit_test(every_older_profile_is_read_or_named),
        cmocka_unit_test(a_patch_changes_nothing_else_in_the_original_files),
        cmocka_unit_test(a_patch_changes_nothing_else_in_older_files),
        cmocka_unit_test(a_file_laid_out_otherwise_keeps_its_bytes),
        cmocka_unit_test(a_new_file_looks_as_the_original_writes_it),
        cmocka_unit_test(another_program_that_writes_is_noticed),
        cmocka_unit_test(a_damaged_file_is_put_aside_before_a_put),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(names_that_other_programs_gave_are_found),
    };
    if (urls && *urls)          /* of another backend: these files are none of its own */
        unsetenv("TEST_PROFILES_URLS");
    return run_on_files("profiles_files", cases, sizeof cases / sizeof *cases);
}
