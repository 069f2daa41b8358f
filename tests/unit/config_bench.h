/* config_bench.h: what the tests of the settings share: a config of its own for each case, an empty environment, a
 * folder for its file, and checks of one value. Include it behind cmocka.h. */
#ifndef GV_TESTS_CONFIG_BENCH_H
#define GV_TESTS_CONFIG_BENCH_H
#include "../../lib/core/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FALLBACK_URL "sqlite:///./data/gavatcore.db"
#define SECRET "hunter2"
#define URL_A "postgresql://ada:hunter2@db1.example/gavat"
#define URL_B "postgresql://ada:hunter2@db2.example/gavat"

typedef struct bench {
    gavat_config *cfg;
    char folder[64], path[96];
} bench;

static char *no_environment[] = {NULL};

static inline int begin(void **state)
{
    bench *b = calloc(1, sizeof *b);
    if (!b)
        return -1;
    *state = b;
    environ = no_environment;
    b->cfg = gavat_config_new();
    strcpy(b->folder, "/tmp/gavat-config-XXXXXX");
    if (!mkdtemp(b->folder))
        return -1;
    snprintf(b->path, sizeof b->path, "%s/config_db.env", b->folder);
    return b->cfg ? 0 : -1;
}

static inline int end(void **state)
{
    bench *b = *state;
    unlink(b->path);
    rmdir(b->folder);
    gavat_config_free(b->cfg);
    free(b);
    return 0;
}

static inline void write_bytes(bench *b, const char *data, size_t length)
{
    FILE *file = fopen(b->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline gavat_status load_text(bench *b, const char *text)
{
    write_bytes(b, text, strlen(text));
    return gavat_config_load_file(b->cfg, b->path);
}

static inline gavat_status load_environment(bench *b, const char **variables)
{
    environ = (char **)variables;
    gavat_status status = gavat_config_load_env(b->cfg);
    environ = no_environment;
    return status;
}

/* Sets value in a config of its own and compares the error; NULL: there is none. */
static inline void check_set(const char *key, const char *value, const char *error)
{
    gavat_config *cfg = gavat_config_new();
    assert_non_null(cfg);
    gavat_status status = gavat_config_set(cfg, key, value);
    assert_string_equal(gavat_config_error(cfg), error ? error : "");
    assert_int_equal(status, error ? GAVAT_EINVAL : GAVAT_OK);
    assert_int_equal(gv_config_status(cfg), status);
    gavat_config_free(cfg);
}

static inline void check_number(gv_setting_id id, const char *value, int64_t expected)
{
    gavat_config *cfg = gavat_config_new();
    assert_non_null(cfg);
    assert_int_equal(gavat_config_set(cfg, gv_settings[id].key, value), GAVAT_OK);
    assert_int_equal(gv_config_number(cfg, id), expected);
    assert_string_equal(gavat_config_get(cfg, gv_settings[id].key), value);
    gavat_config_free(cfg);
}
#endif
