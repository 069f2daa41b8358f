/* State in and out: keys of every kind by gavat_scan_state, back by a batch of kind "state". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <string.h>

static gavat_status add(gavat_batch *batch, const char *json)
{
    return gavat_batch_add_json(batch, "state", json, strlen(json));
}

static void fill(gavat *g)
{
    DO(g, GAVAT_OK, set_state, "u", "text", "a \"quoted\" ş 💎", 0);
    DO(g, GAVAT_OK, set_state, "u", "soon", "v", 3600000);
    DO(g, GAVAT_OK, set_state, NULL, "all", "{\"a\": 1}", 0);
    DO(g, GAVAT_OK, set_cooldown, "u", "dm", 300000);
    DO(g, GAVAT_OK, add_counter, "u", "hits", 7, 60000);
    DO(g, GAVAT_OK, push_list, "u", "l", "one", 0);
    DO(g, GAVAT_OK, push_list, "u", "l", "two \"2\"", 0);
    DO(g, GAVAT_OK, try_limit, "v", "send", 3, 3600000, 0);
    DO(g, GAVAT_OK, apply_conversation, "bot", "42", GAVAT_USER_RESPONDED);
}

static gavat_op *scan(gavat *g)
{
    gavat_op *op = held(g);
    RUN(op, scan_state, 0, NULL);
    return op;
}

static void all_comes_back_as_it_was(void **state)
{
    if (strncmp(((fresh *)*state)->url, "redis", 5) == 0)
        skip();                 /* it refuses imports by name */
    gavat *g = client_of(state);
    fill(g);
    gavat_op *before = scan(g);
    size_t count = gavat_op_count(before);
    assert_int_equal(count, 8);
    gavat_batch *batch = gavat_batch_new(g);
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *json = gavat_op_json(before, i, &length);
        assert_int_equal(gavat_batch_add_json(batch, "state", json, length), GAVAT_OK);
    }
    DO(g, GAVAT_OK, clear_state, "u");
    DO(g, GAVAT_OK, push_list, "u", "l", "other", 0);
    DO(g, GAVAT_OK, set_state, "u", "text", "other", 5000);
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), (int64_t)count);
    gavat_op_unref(op);
    gavat_batch_free(batch);
    gavat_op *after = scan(g);
    assert_int_equal(gavat_op_count(after), count);
    for (size_t i = 0; i < count; i++) {
        const gavat_state *a = gavat_op_state(before, i), *b = gavat_op_state(after, i);
        assert_string_equal(a->key, b->key);
        assert_string_equal(a->value, b->value);
        assert_true((a->user == NULL) == (b->user == NULL) && (!a->user || strcmp(a->user, b->user) == 0));
        assert_true((a->expire_ms == 0) == (b->expire_ms == 0) && b->expire_ms <= a->expire_ms + 1000 && b->expire_ms >= a->expire_ms - 60000);
    }
    gavat_op_unref(before);
    gavat_op_unref(after);
    op = held(g);
    RUN(op, add_counter, "u", "hits", 1, 0);
    assert_int_equal(gavat_op_number(op), 8);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, push_list, "u", "l", "three", 0);
    assert_int_equal(gavat_op_number(op), 3);
    gavat_op_unref(op);
    op = held(g);
    gavat_try_cooldown(op, "u", "dm", 1000);
    gavat_op_wait(op);
    assert_int_equal(gavat_op_decision(op)->allowed, 0);
    gavat_op_unref(op);
}

static void a_time_of_expiry_is_kept_to_the_microsecond(void **state)
{
    if (strncmp(((fresh *)*state)->url, "redis", 5) == 0)
        skip();                 /* it refuses imports by name */
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    assert_int_equal(add(batch, "{\"user\":\"u\",\"key\":\"k\",\"value\":\"v\",\"expires_at\":\"2090-01-01T00:00:00.123457Z\"}"), GAVAT_OK);
    assert_int_equal(add(batch, "{\"user\":\"u\",\"key\":\"list:l\",\"value\":\"[\\\"a\\\"]\",\"expires_at\":\"2090-01-01T00:00:00.123457Z\"}"), GAVAT_OK);
    assert_int_equal(add(batch, "{\"user\":\"u\",\"key\":\"gone\",\"value\":\"v\",\"expires_at\":\"2020-01-01T00:00:00Z\"}"), GAVAT_OK);
    DO(g, GAVAT_OK, set_state, "u", "gone", "old", 0);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    gavat_op *op = scan(g);
    assert_int_equal(gavat_op_count(op), 2);    /* what is gone takes what was there with it */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(gavat_op_state(op, i)->expires_at, INT64_C(3786912000123457));
    gavat_op_unref(op);
    op = held(g);
    RUN(op, list_state, "u");
    assert_int_equal(gavat_op_state(op, 0)->expires_at, INT64_C(3786912000123457));
    gavat_op_unref(op);
}

static void what_is_no_key_is_refused(void **state)
{
    if (strncmp(((fresh *)*state)->url, "redis", 5) == 0)
        skip();                 /* it refuses imports by name */
    static const char *const bad[] = {
        "{}", "[]", "{\"key\":\"k\"}", "{\"value\":\"v\"}", "{\"key\":\"\",\"value\":\"v\"}", "{\"user\":\"\",\"key\":\"k\",\"value\":\"v\"}",
        "{\"user\":1,\"key\":\"k\",\"value\":\"v\"}", "{\"key\":\"k\",\"value\":5}", "{\"key\":\"list:l\",\"value\":\"x\"}",
        "{\"key\":\"list:l\",\"value\":\"[1]\"}", "{\"key\":\"list:l\",\"value\":\"[null]\"}", "{\"key\":\"k\\u0000\",\"value\":\"v\"}",
        "{\"key\":\"k\",\"value\":\"v\",\"expires_at\":\"soon\"}", "{\"key\":\"k\",\"value\":\"v\",\"expires_at\":5}",
        "{\"key\":\"k\",\"value\":\"v\",\"expire_ms\":-1}", "{\"key\":\"k\",\"value\":\"v\",\"expire_ms\":99999999999999999999}",
    };
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (add(batch, bad[i]) != GAVAT_EINVAL || !*gavat_batch_error(batch))
            fail_msg("%s was taken", bad[i]);
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    gavat_op *op = scan(g);
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_comes_back_as_it_was),
        cmocka_unit_test(a_time_of_expiry_is_kept_to_the_microsecond),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return run_on_state("state_import", cases, sizeof cases / sizeof *cases);
}
