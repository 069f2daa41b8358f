#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "place.h"
#include "base/files.h"
#include <unistd.h>

void say_nothing(int32_t level, const char *area, const char *text, void *user)
{
    (void)level;
    (void)area;
    (void)text;
    (void)user;
}

void name_place(place *at, const char *name)
{
    snprintf(at->path, sizeof at->path, "%s/%s", at->folder, name);
    snprintf(at->url, sizeof at->url, "sqlite:///%s", at->path);
}

place make_place(void)
{
    place at;
    make_folder(at.folder);
    name_place(&at, "events.db");
    return at;
}

gavat *quiet_client(const char *setting, const char *url, const char *timeout)
{
    static const char *const stores[] = {"POSTGRES_URL", "MONGODB_URI", "REDIS_URL"};
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        gavat_config_set(cfg, stores[i], "off");
    gavat_config_set(cfg, setting, url);
    gavat_config_set(cfg, "GAVAT_TIMEOUT", timeout);
    gavat_config_set(cfg, "GAVAT_EVENTS_READERS", "1");
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fail_msg("%s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    return g;
}

void fill(const place *at, size_t count)
{
    ledger book = {0};
    gavat *g = open_client(at->url, NULL);
    for (size_t i = 0; i < count; i++)
        send_and_note(g, ledger_add(&book, 'e', NULL, "filled"));
    close_client(g);
    check_ledger(at->path, &book, false);
    ledger_free(&book);
}

void expect_error(gavat_op *op, gavat_status status, const char *native, const char *path, const char *advice)
{
    const gavat_error *error = (gavat_op_wait(op), gavat_op_error(op));
    if (error->status != status || strcmp(error->native, native) != 0 || !strstr(error->message, path) || !strstr(error->message, advice))
        fail_msg("%s %s: %s", gavat_status_name(error->status), error->native, error->message);
}

void expect_found(gavat *g, const ledger *book)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = 1000;
    gavat_op *op = held(g);
    RUN(op, search_events, "row 0", &filter);
    assert_int_equal(gavat_op_count(op), book->count);
    gavat_op_unref(op);
}

bool is_indexed(void *user)
{
    gavat_op *op = held(user);
    bool done = false;
    gavat_check_stores(op);
    gavat_op_wait(op);
    for (size_t i = 0; i < gavat_op_count(op); i++)
        done |= strstr(gavat_op_json(op, i, NULL), "\"0 rows behind\"") != NULL;
    gavat_op_unref(op);
    return done;
}

void write_some(gavat *g, ledger *book, int count)
{
    for (int i = 0; i < count; i++) {
        send_and_note(g, ledger_add(book, 'e', NULL, "u"));
        assert_int_equal(book->entries[book->count - 1].status, GAVAT_OK);
    }
}

void expect_ended(gavat_op *const *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gavat_status status = gavat_op_wait(ops[i]);
        if (status == GAVAT_PENDING || status == GAVAT_ETIMEDOUT || (status != GAVAT_OK && !*gavat_op_error(ops[i])->message))
            fail_msg("call %zu: %s %s", i, gavat_status_name(status), gavat_op_error(ops[i])->message);
        gavat_op_unref(ops[i]);
    }
}

static void remove_database(const place *at)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".search", ".search-wal", ".search-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[360];
        snprintf(name, sizeof name, "%s%s", at->path, ends[i]);
        unlink(name);
    }
}

void use_damaged(place *at, void (*use)(const place *at))
{
    uint64_t random = test_seed();
    gv_text whole = {0};
    assert_int_equal(gv_file_read_all(at->path, 1 << 24, &whole), 0);
    char *copy = malloc(whole.length);
    assert_non_null(copy);
    name_place(at, "damaged.db");
    for (size_t round = 0; round < at_scale(300); round++) {
        size_t kept = round % 2 ? whole.length : below(&random, whole.length);
        memcpy(copy, whole.data, whole.length);
        for (size_t i = 0; round % 2 && i < 40; i++)
            copy[below(&random, whole.length)] ^= (char)(1 << below(&random, 8));
        save_file(at->path, copy, kept);
        use(at);
        remove_database(at);
    }
    free(copy);
    gv_text_free(&whole);
}
