/* textlog_bench.h: what the tests of the text log share: a folder of their own, clients on it, files. */
#ifndef TEXTLOG_BENCH_H
#define TEXTLOG_BENCH_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../include/gavatcore.h"
#include "../../lib/base/clock.h"
#include "../../lib/base/files.h"
#include "../../lib/base/text.h"

static char folder[64];
static gv_file_calls system_calls;

static inline int enter(void **state)
{
    (void)state;
    system_calls = gv_file_hook;
    strcpy(folder, "/tmp/gv-textlog-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int leave(void **state)
{
    (void)state;
    char command[256];
    gv_file_hook = system_calls;
    (void)snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", folder, folder);
    return system(command);
}

/* The path of a file below the folder; the last few calls' texts are kept. */
static inline const char *in_folder(const char *format, ...)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    int length = snprintf(path, sizeof paths[0], "%s/", folder);
    va_list args;
    va_start(args, format);
    vsnprintf(path + length, sizeof paths[0] - (size_t)length, format, args);
    va_end(args);
    return path;
}

static inline gavat_config *settings(const char *events)
{
    gavat_config *cfg = gavat_config_new();
    char url[600];
    (void)snprintf(url, sizeof url, "sqlite:///%s", in_folder("%s", events));
    assert_int_equal(gavat_config_set(cfg, "POSTGRES_URL", url), GAVAT_OK);
    assert_int_equal(gavat_config_set(cfg, "MONGODB_URI", "off"), GAVAT_OK);
    assert_int_equal(gavat_config_set(cfg, "REDIS_URL", "off"), GAVAT_OK);
    assert_int_equal(gavat_config_set(cfg, "GAVAT_TEXT_LOG_DIR", in_folder("logs")), GAVAT_OK);
    assert_int_equal(gavat_config_set(cfg, "GAVAT_TIME_ZONE", "Europe/Istanbul"), GAVAT_OK);
    return cfg;
}

static inline gavat_status finish(gavat_op *op)
{
    gavat_status status = gavat_op_wait(op);
    gavat_op_unref(op);
    return status;
}

static inline gavat *start_with(gavat_config *cfg)
{
    gavat *g = NULL;
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);
    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    (void)finish(op);           /* the store of the events may be away; that is a test's business */
    return g;
}

static inline gavat *start(void)
{
    return start_with(settings("events.db"));
}

static inline void stop(gavat *g)
{
    assert_int_equal(gavat_close_wait(g, 0), GAVAT_OK);
    gavat_unref(g);
}

static inline gavat_event event_of(const char *user, const char *time, const char *level, const char *message)
{
    gavat_event event = gavat_event_init();
    event.user_id = user;
    event.type = "dm_received";
    event.level = level;
    event.message = message;
    if (time)
        assert_true(gv_time_parse(gv_slice_of(time), &event.timestamp));
    return event;
}

static inline gavat_status log_line(gavat *g, const char *user, const char *time, const char *level,
                                    const char *message)
{
    gavat_event event = event_of(user, time, level, message);
    gavat_op *op = gavat_op_new_held(g);
    gavat_log_event(op, &event);
    return finish(op);
}

static inline void check_file(const char *path, const char *content)
{
    gv_text text = {0};
    assert_int_equal(gv_file_read_all(path, 1 << 24, &text), 0);
    assert_string_equal(gv_text_get(&text), content);
    gv_text_free(&text);
}

static inline void put_file(const char *path, const char *data, size_t length)
{
    assert_int_equal(gv_file_make_parents(path), 0);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline int64_t size_of(const char *path)         /* -1: there is none */
{
    struct stat found;
    return stat(path, &found) == 0 ? found.st_size : -1;
}

static inline void copy_samples(void)
{
    const char *source = getenv("TEST_SOURCE_DIR");
    char command[1024];
    (void)snprintf(command, sizeof command, "mkdir -p '%s/logs' && cp '%s'/tests/data/legacy/logs/*.* '%s/logs/'", folder,
                   source ? source : ".", folder);
    assert_int_equal(system(command), 0);
}

/* Of the op's i-th record, as plain text; "null" also for null. */
static inline const char *value(const gavat_op *op, size_t i, const char *key)
{
    static char texts[4][4096];
    static unsigned next;
    char *text = texts[next++ % 4];
    assert_true(gavat_json_copy(gavat_op_json(op, i, NULL), key, text, sizeof texts[0]) >= 0);
    return text;
}

static inline gavat_health health_of(gavat *g, char reason[512])
{
    gavat_health health = -1;
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_health(op);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        if (strcmp(value(op, i, "store"), "textlog") != 0)
            continue;
        const char *state = value(op, i, "state");
        health = strcmp(state, "up") == 0 ? GAVAT_HEALTH_UP : strcmp(state, "degraded") == 0 ? GAVAT_HEALTH_DEGRADED
                                                                                              : GAVAT_HEALTH_DOWN;
        (void)snprintf(reason, 512, "%s", value(op, i, "reason"));
    }
    gavat_op_unref(op);
    return health;
}
#endif
