#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/profiles/files/cache.h"

static char path[] = "/tmp/gavat-test-cache-XXXXXX";

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int make_file(void **state)
{
    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

static gavat_profile a_profile(const char *username, const char *json)
{
    gavat_profile profile = {.username = username, .json = json, .json_length = strlen(json), .revision = 7};
    return profile;
}

/* What the file is now is what the cache knows of it. */
static void open_it(gv_cache *cache)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    gv_cache_opened(cache, fd);
    close(fd);
}

/* As if the file had been quiet for long. */
static void keep(gv_cache *cache, const char *username, const char *json)
{
    gavat_profile profile = a_profile(username, json);
    assert_null(gv_cache_find(cache, username, path));
    open_it(cache);
    gv_cache_keep(cache, &profile);     /* it is asked for once, so it is not */
    assert_null(gv_cache_find(cache, username, path));
    open_it(cache);
    cache->quiet = true;
    gv_cache_keep(cache, &profile);
}

/* The file system's clock ticks slowly: until it shows another time. */
static void write_until_it_shows(const char *text)
{
    struct stat before, now;
    assert_int_equal(stat(path, &before), 0);
    do {
        write_text(text);
        assert_int_equal(stat(path, &now), 0);
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec && now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void a_profile_is_kept_while_its_file_stays(void **state)
{
    (void)state;
    gv_cache *cache = calloc(1, sizeof *cache);
    write_text("{\"a\": 1}");
    keep(cache, "bot", "{\"a\": 1}");
    const gavat_profile *found = gv_cache_find(cache, "bot", path);
    assert_non_null(found);
    assert_string_equal(found->json, "{\"a\": 1}");
    assert_int_equal(found->revision, 7);
    assert_null(gv_cache_find(cache, "other", path));
    assert_non_null(gv_cache_find(cache, "bot", path));
    gv_cache_free(cache);
    assert_int_equal(cache->bytes, 0);
    free(cache);
}

static void a_file_written_in_place_replaced_or_gone_is_read_again(void **state)
{
    (void)state;
    gv_cache *cache = calloc(1, sizeof *cache);
    char other[sizeof path + 4];
    write_text("{\"a\": 1}");
    keep(cache, "bot", "{\"a\": 1}");
    write_until_it_shows("{\"a\": 2}");         /* of the same size */
    assert_null(gv_cache_find(cache, "bot", path));
    assert_false(cache->quiet);
    open_it(cache);
    assert_false(cache->quiet);
    keep(cache, "bot", "{\"a\": 2}");
    snprintf(other, sizeof other, "%s.new", path);
    assert_int_equal(link(path, other), 0);     /* moves the time of the inode alone */
    assert_int_equal(unlink(path), 0);
    assert_null(gv_cache_find(cache, "bot", path));
    assert_int_equal(rename(other, path), 0);
    assert_null(gv_cache_find(cache, "bot", path));
    gv_cache_free(cache);
    free(cache);
}

static void what_changed_lately_is_not_kept(void **state)
{
    (void)state;
    gv_cache *cache = calloc(1, sizeof *cache);
    gavat_profile profile = a_profile("bot", "{}");
    write_text("{}");
    for (int i = 0; i < 3; i++) {
        assert_null(gv_cache_find(cache, "bot", path));
        open_it(cache);
        gv_cache_keep(cache, &profile);
    }
    assert_null(gv_cache_find(cache, "bot", path));
    assert_int_equal(cache->bytes, 0);
    free(cache);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    gv_cache *cache = calloc(1, sizeof *cache);
    char name[40], *json = malloc(GV_CACHE_MOST + 1);
    memset(json, 'x', GV_CACHE_MOST);
    json[GV_CACHE_MOST] = '\0';
    write_text("{}");
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "bot%d", i);
        keep(cache, name, json);
        assert_in_range(cache->bytes, GV_CACHE_MOST, GV_CACHE_BYTES);
        assert_non_null(gv_cache_find(cache, name, path));
    }
    gv_cache_free(cache);
    assert_int_equal(cache->bytes, 0);
    free(json);
    free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_profile_is_kept_while_its_file_stays, make_file, drop_file),
        cmocka_unit_test_setup_teardown(a_file_written_in_place_replaced_or_gone_is_read_again, make_file, drop_file),
        cmocka_unit_test_setup_teardown(what_changed_lately_is_not_kept, make_file, drop_file),
        cmocka_unit_test_setup_teardown(memory_is_bounded, make_file, drop_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
