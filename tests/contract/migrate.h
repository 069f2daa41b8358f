/* migrate.h: a folder of legacy files for the tests of the migration. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_MIGRATE_H
#define GAVATCORE_TEST_MIGRATE_H
#include "../harness/client.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char legacy[300];

/* Written below the folder, with the folders above it. */
static inline void put_legacy_bytes(const char *name, const char *data, size_t length)
{
    char path[700], part[700];
    snprintf(path, sizeof path, "%s/%s", legacy, name);
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0755);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void put_legacy(const char *name, const char *text)
{
    put_legacy_bytes(name, text, strlen(text));
}

/* The samples, and the file with a long line that they have too. */
static inline void copy_samples(void)
{
    char command[1400];
    snprintf(command, sizeof command, "mkdir -p '%s' && cp -r '%s/tests/data/legacy/.' '%s'", legacy, getenv("TEST_SOURCE_DIR"), legacy);
    assert_int_equal(system(command), 0);
    size_t length = 3000000;
    char *line = malloc(length + 100);
    int head = snprintf(line, 64, "[2025-05-25T10:00:00] [INFO] ");
    memset(line + head, 'x', length);
    head += snprintf(line + (size_t)head + length, 40, "\n[2025-05-25T10:00:01] [INFO] son\n");
    put_legacy_bytes("logs/long.log", line, (size_t)head + length);
    free(line);
}
#endif
