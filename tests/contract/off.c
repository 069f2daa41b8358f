/* off.c: areas that are off: the client works without them, and a call to one says which setting turns it on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <string.h>

static gavat *opened(const char *profiles)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "off");
    gavat_config_set(cfg, "MONGODB_URI", profiles);
    gavat_config_set(cfg, "REDIS_URL", "off");
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fail_msg("gavat_new: %s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    return g;
}

/* Must end ENOTSUP, naming what to set. */
#define MISSING(g, setting, name, ...)                                       \
    do {                                                                     \
        gavat_op *own_op = held(g);                                          \
        gavat_##name(own_op, __VA_ARGS__);                                   \
        expect_status(own_op, GAVAT_ENOTSUP, __FILE__, __LINE__);            \
        expect_words(own_op, setting, __FILE__, __LINE__);                   \
        gavat_op_unref(own_op);                                              \
    } while (0)

static void calls_to_them_name_the_setting(void **state)
{
    (void)state;
    gavat *g = opened("off");
    gavat_event event = an_event("u1", "note", "nowhere", 0);
    MISSING(g, "set POSTGRES_URL", log_event, &event);
    MISSING(g, "set POSTGRES_URL", get_events, NULL);
    MISSING(g, "set MONGODB_URI", put_profile, "bot1", "{}");
    MISSING(g, "set MONGODB_URI", get_profile, "bot1");
    MISSING(g, "set REDIS_URL", set_state, "u1", "key", "value", 0);
    MISSING(g, "set REDIS_URL", try_limit, "u1", "dm", 3, 1000, 3);
    close_client(g);
}

static void the_client_works_without_them(void **state)
{
    (void)state;
    gavat *g = opened("off");
    gavat_op *op = held(g);
    gavat_check_stores(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    op = held(g);
    gavat_get_health(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
    op = held(g);
    gavat_flush(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    close_client(g);
}

static void an_empty_batch_needs_no_area(void **state)
{
    (void)state;
    gavat *g = opened("off");
    gavat_batch *batch = gavat_batch_new(g);
    gavat_op *op = held(g);
    gavat_import_batch(op, batch);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_batch_free(batch);
    close_client(g);
}

/* Records that no transaction can hold together are refused, not imported one by one. */
static void profiles_are_not_committed_together(void **state)
{
    char folder[256], url[300];
    (void)state;
    make_folder(folder);
    snprintf(url, sizeof url, "file://%s/profiles", folder);
    gavat *g = opened(url);
    gavat_batch *batch = gavat_batch_new(g);
    const char *json = "{\"username\": \"bot1\", \"type\": \"bot\"}";
    assert_int_equal(gavat_batch_add_json(batch, "profile", json, strlen(json)), GAVAT_OK);
    REFUSE(g, "gavat_import_batch", commit_batch, batch);
    DO(g, GAVAT_ENOTFOUND, get_profile, "bot1");
    DO(g, GAVAT_OK, import_batch, batch);
    DO(g, GAVAT_OK, get_profile, "bot1");
    gavat_batch_free(batch);
    close_client(g);
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(calls_to_them_name_the_setting),
        cmocka_unit_test(the_client_works_without_them),
        cmocka_unit_test(an_empty_batch_needs_no_area),
        cmocka_unit_test(profiles_are_not_committed_together),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
