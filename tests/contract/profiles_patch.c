/* profiles_patch.c: parts of a document changed, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"

static int64_t patch(gavat *g, const char *name, const char *set, const char *unset)
{
    gavat_op *op = held(g);
    RUN(op, patch_profile, name, set, &unset, unset != NULL);
    int64_t revision = gavat_op_number(op);
    assert_true(gavat_op_reached(op) >= GAVAT_REACHED_STORE);
    gavat_op_unref(op);
    return revision;
}

static void parts_are_set_and_taken_away(void **state)
{
    gavat *g = client_of(state);
    put_profile(g, "bot1", "{\"reply_mode\":\"hybrid\",\"gpt\":{\"temperature\":0.50,\"models\":[\"a\",\"b\"]},"
                           "\"n\":1e2,\"gone\":true}");
    gavat_op *before = get_profile(g, "bot1");
    const char *set = "{\"reply_mode\":\"manual\",\"gpt.temperature\":0.70,\"gpt.models.1\":\"c\",\"new.deep\":{\"x\":[1]}}";
    assert_int_equal(patch(g, "bot1", set, "gone"), 2);
    gavat_op *op = get_profile(g, "bot1");
    assert_json(op, 0, "reply_mode", "manual");
    assert_json(op, 0, "gpt.temperature", keeps_digits(state) ? "0.70" : "0.7");
    assert_json(op, 0, "gpt.models.0", "a");
    assert_json(op, 0, "gpt.models.1", "c");
    assert_json(op, 0, "n", keeps_digits(state) ? "1e2" : "100.0");
    assert_json(op, 0, "new.deep.x.0", "1");
    assert_json(op, 0, "revision", "2");
    const gavat_profile *old = gavat_op_profile(before, 0), *now = gavat_op_profile(op, 0);
    assert_null(gavat_json_find(now->json, "gone", NULL));
    assert_int_equal(now->created_at, old->created_at);
    assert_true(now->updated_at > old->updated_at);
    assert_int_equal(now->revision, 2);
    assert_true(strstr(now->json, "\"reply_mode\"") < strstr(now->json, "\"gpt\""));
    assert_true(strstr(now->json, "\"gpt\"") < strstr(now->json, "\"n\""));
    gavat_op_unref(before);
    gavat_op_unref(op);
    assert_int_equal(patch(g, "bot1", NULL, "gpt.models"), 3);
    assert_int_equal(patch(g, "bot1", NULL, "not.there"), 4);
    assert_int_equal(patch(g, "bot1", "{\"n\":null}", NULL), 5);
    assert_field(g, "bot1", "n", "null");
}

static void a_patch_that_cannot_be_is_refused_and_changes_nothing(void **state)
{
    gavat *g = client_of(state);
    const char *const overlapping[] = {"a.b"}, *const none[] = {NULL}, *const bad[] = {"a\xff"}, *const kept[] = {"created_at"};
    put_profile(g, "bot1", "{\"a\":{\"b\":1},\"s\":\"text\",\"list\":[1]}");
    REFUSE(g, "nothing to change", patch_profile, "bot1", NULL, NULL, 0);
    REFUSE(g, "nothing to change", patch_profile, "bot1", "{\"a\":1}", NULL, 1);
    REFUSE(g, "username is required", patch_profile, NULL, "{\"a\":1}", NULL, 0);
    REFUSE(g, "set is not JSON", patch_profile, "bot1", "{\"a\":}", NULL, 0);
    REFUSE(g, "set is not JSON", patch_profile, "bot1", "{\"a\":NaN}", NULL, 0);
    REFUSE(g, "", patch_profile, "bot1", "[1]", NULL, 0);
    REFUSE(g, "", patch_profile, "bot1", "{\"a\":1,\"a.b\":2}", NULL, 0);
    REFUSE(g, "", patch_profile, "bot1", "{\"a\":1}", overlapping, 1);
    REFUSE(g, "", patch_profile, "bot1", "{\"a..b\":1}", NULL, 0);
    REFUSE(g, "", patch_profile, "bot1", "{\"$set\":1}", NULL, 0);
    REFUSE(g, "path 0 is NULL", patch_profile, "bot1", NULL, none, 1);
    REFUSE(g, "not valid UTF-8", patch_profile, "bot1", NULL, bad, 1);
    REFUSE(g, "created_at is kept by the library", patch_profile, "bot1", NULL, kept, 1);
    REFUSE(g, "revision is kept by the library", patch_profile, "bot1", "{\"revision\":5}", NULL, 0);
    REFUSE(g, "username is kept by the library", patch_profile, "bot1", "{\"username\":\"x\"}", NULL, 0);
    REFUSE(g, "\"x\": $y: a key must not begin with '$'", patch_profile, "bot1", "{\"x\":{\"$y\":1}}", NULL, 0);
    REFUSE(g, "must fit 64 bits", patch_profile, "bot1", "{\"x\":9223372036854775808}", NULL, 0);
    REFUSE(g, "nothing was changed", patch_profile, "bot1", "{\"s.x\":1}", NULL, 0);
    REFUSE(g, "nothing was changed", patch_profile, "bot1", "{\"ok\":1,\"a.b.c\":1}", NULL, 0);
    REFUSE(g, "nothing was changed", patch_profile, "bot1", "{\"list.name\":1}", NULL, 0);
    DO(g, GAVAT_ENOTFOUND, patch_profile, "never", "{\"a\":1}", NULL, 0);
    assert_field(g, "bot1", "revision", "1");
    assert_field(g, "bot1", "s", "text");
}

static void a_patch_does_not_make_a_document_too_deep_or_too_large(void **state)
{
    static const char *const small[] = {"GAVAT_MAX_RECORD", "2KiB", NULL};
    gavat *g = reopen(state, small);
    char *open = repeat("[", 60), *close = repeat("]", 60), *text = repeat("x", 1500), set[2000];
    snprintf(set, sizeof set, "{\"a\":%s%s}", open, close);
    put_profile(g, "bot1", "{}");
    patch(g, "bot1", set, NULL);
    char *path = repeat("b.", 50);
    snprintf(set, sizeof set, "{\"%sc\":%s%s}", path, open, close);
    REFUSE(g, "nested deeper than 100", patch_profile, "bot1", set, NULL, 0);
    snprintf(set, sizeof set, "{\"t1\":\"%s\"}", text);
    patch(g, "bot1", set, NULL);
    snprintf(set, sizeof set, "{\"t2\":\"%s\"}", text);
    REFUSE(g, "larger than GAVAT_MAX_RECORD", patch_profile, "bot1", set, NULL, 0);
    free(open);
    free(close);
    free(text);
    free(path);
}

static void patches_in_flight_all_land(void **state)
{
    gavat *g = client_of(state);
    enum { FIELDS = 200 };
    gavat_op *ops[FIELDS];
    char set[40], path[16];
    put_profile(g, "bot1", "{}");
    for (size_t i = 0; i < FIELDS; i++) {
        snprintf(set, sizeof set, "{\"f%zu\":%zu}", i, i);
        ops[i] = held(g);
        gavat_patch_profile(ops[i], "bot1", set, NULL, 0);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        expect_status(ops[i], GAVAT_OK, __FILE__, __LINE__);
        gavat_op_unref(ops[i]);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        snprintf(set, sizeof set, "%zu", i);
        snprintf(path, sizeof path, "f%zu", i);
        assert_field(g, "bot1", path, set);
    }
    assert_field(g, "bot1", "revision", "201");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(parts_are_set_and_taken_away),
        cmocka_unit_test(a_patch_that_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(a_patch_does_not_make_a_document_too_deep_or_too_large),
        cmocka_unit_test(patches_in_flight_all_land),
    };
    return run_on_profiles("profiles_patch", cases, sizeof cases / sizeof *cases);
}
