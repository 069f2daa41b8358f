/* profiles_memory.c: every allocation failing in turn, once or it and all after it, while profiles are written and read. Each op ends, well
 * or with a clear error; what was acknowledged is there, and whole; nothing leaks; with memory back the same client works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "folder.h"
#include "starve.h"

struct stage {
    gavat *g;
    char folder[256], profiles[280], url[300];
    long number;                /* of the last document that was put */
    long kept;                  /* and of the one acknowledged last, of "kept" */
};

static void open_it(stage *s)
{
    const char *const settings[] = {"POSTGRES_URL", "off", "REDIS_URL", "off", "MONGODB_URI", s->url, "GAVAT_TIMEOUT", "3s", NULL};
    s->g = starve_open(settings);
}

static void close_it(stage *s)
{
    starve_close(s->g);
    s->g = NULL;
}

/* True: it was acknowledged. */
static bool put(stage *s, const char *username, bool may_be_closed)
{
    char text[200];
    snprintf(text, sizeof text, "{\"n\": %ld, \"type\": \"bot\", \"gpt\": {\"models\": [1, {\"\\u015f\": null}]}, \"user_id\": 5}", ++s->number);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_put_profile(op, username, text);
    if (gavat_op_wait(op) != GAVAT_ETIMEDOUT)
        return starve_finish(op) == GAVAT_OK;
    gavat_op_unref(op);         /* memory was out when the store was to be opened, so it never was */
    assert_true(may_be_closed);
    return false;
}

static void put_kept(stage *s, bool may_be_closed)
{
    if (put(s, "kept", may_be_closed))
        s->kept = s->number;
}

static void live_and_die(stage *s)
{
    close_it(s);
    open_it(s);
    if (s->g)
        put_kept(s, true);
    close_it(s);
}

static void write_profiles(stage *s)
{
    static const char *const unset[] = {"gpt.models.0", "type"};
    static const char *const users[] = {"one", "two/", "three"};
    static const char *const documents[] = {"{\"n\": 1}", "{\"n\": 2}", "{\"n\": 3}"};
    put_kept(s, false);
    TRY(s->g, patch_profile, "patched", "{\"gpt.t\": 0.70, \"new.place.0\": [1, 2]}", unset, 2);
    TRY(s->g, put_profile_if_revision, "new", "{\"n\": 1}", -1);
    TRY(s->g, put_profiles, users, documents, 3);
    TRY(s->g, delete_profiles, users, 3);
    TRY(s->g, delete_profile, "new");
    put_kept(s, false);
}

static void read_profiles(stage *s)
{
    static const char *const users[] = {"kept", "patched"};
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.type = "bot";
    TRY(s->g, get_profile, "kept");
    TRY(s->g, get_profile_by_user_id, "5");
    TRY(s->g, get_named_profiles, users, 2);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_profiles(op, &filter);
    gavat_status status = gavat_op_wait(op);
    if (status == GAVAT_OK && gavat_op_count(op) + (gavat_op_rejected(op, 0, NULL) != NULL) < 1)
        fail_msg("an empty page is called good");
    starve_read(op);
    TRY(s->g, search_profiles, "KEPT", NULL);
    op = gavat_op_new_held(s->g);
    gavat_get_profile_stats(op);
    starve_read(op);
}

static stage *begin(void)
{
    stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    make_folder(s->folder);
    snprintf(s->profiles, sizeof s->profiles, "%s/profiles", s->folder);
    snprintf(s->url, sizeof s->url, "file://%s", s->profiles);
    open_it(s);
    put_kept(s, false);
    assert_true(put(s, "patched", false));
    return s;
}

static long number_of(const stage *s, const char *username)
{
    gv_text text = {0};
    char digits[24] = "";
    assert_true(folder_read(s->profiles, username, &text));
    gv_slice value = gv_json_at((gv_slice){gv_text_get(&text), text.length}, "n");
    if (value.data && value.length < sizeof digits)
        memcpy(digits, value.data, value.length);
    gv_text_free(&text);
    return strtol(digits, NULL, 10);
}

static void end(stage *s)
{
    if (!s->g)
        open_it(s);
    assert_in_range(number_of(s, "kept"), s->kept, s->number);
    number_of(s, "patched");
    if (!put(s, "kept", false))
        fail_msg("the client does not recover");
    assert_int_equal(number_of(s, "kept"), s->number);
    TRY(s->g, patch_profile, "patched", "{\"n\": 1}", NULL, 0);
    assert_int_equal(number_of(s, "patched"), 1);
    close_it(s);
    folder_check(s->profiles, true);
    drop_folder(s->folder);
    free(s);
}

static const starve_area profiles = {begin, end};

STARVE(out_of_memory_while_opening_and_closing, profiles, live_and_die)
STARVE(out_of_memory_while_writing, profiles, write_profiles)
STARVE(out_of_memory_while_reading, profiles, read_profiles)

int main(void)
{
    starve_install();
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(out_of_memory_while_opening_and_closing),
        cmocka_unit_test(out_of_memory_while_writing),
        cmocka_unit_test(out_of_memory_while_reading),
    };
    return cmocka_run_group_tests_name("profiles_memory", cases, NULL, NULL);
}
