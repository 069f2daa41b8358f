/* profiles_shared.c: two processes write the profiles of one folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "folder.h"
#include "process.h"

#define ADDITIONS 150           /* of each process */

static void read_counter(gavat *g, int64_t *counter, int64_t *revision)
{
    gavat_op *op = held(g);
    RUN(op, get_profile, "counter");
    const gavat_profile *found = gavat_op_profile(op, 0);
    char digits[24] = "";
    gv_slice value = gv_json_at(gv_slice_of(found->json), "count");
    memcpy(digits, value.data, value.length < sizeof digits ? value.length : 0);
    *counter = strtoll(digits, NULL, 10);
    *revision = found->revision;
    gavat_op_unref(op);
}

/* Adds to a counter by put-if-revision, and writes a member of its own beside it by patches: neither may undo the other's. */
static int add_up(const char *folder, const char *who)
{
    gavat *g = folder_open(folder, "1000");
    for (int i = 1, done = 0; i <= ADDITIONS;) {
        int64_t counter, revision;
        char text[100], set[60];
        read_counter(g, &counter, &revision);
        snprintf(text, sizeof text, "{\"count\": %lld}", (long long)counter + 1);
        gavat_op *op = held(g);
        gavat_put_profile_if_revision(op, "counter", text, revision);
        gavat_status status = gavat_op_wait(op);
        gavat_op_unref(op);
        if (status != GAVAT_OK && status != GAVAT_ECONFLICT)
            return 3;
        i += status == GAVAT_OK;
        if (i == done)
            continue;
        done = i;
        snprintf(set, sizeof set, "{\"%s\": %d}", who, i);
        DO(g, GAVAT_OK, patch_profile, "shared", set, NULL, 0);
    }
    close_client(g);
    return 0;
}

static void two_processes_on_one_folder_lose_nothing(void **state)
{
    (void)state;
    char folder[256];
    int64_t counter, revision;
    make_folder(folder);
    gavat *g = folder_open(folder, "1000");
    DO(g, GAVAT_OK, put_profile, "counter", "{\"count\": 0}");
    DO(g, GAVAT_OK, put_profile, "shared", "{}");
    pid_t one = process_start("add", folder, "one"), two = process_start("add", folder, "two");
    process_end(one);
    process_end(two);
    read_counter(g, &counter, &revision);
    assert_int_equal(counter, 2 * ADDITIONS);
    assert_int_equal(revision, 2 * ADDITIONS + 1);
    gavat_op *op = held(g);
    RUN(op, get_profile, "shared");
    char last[20];
    snprintf(last, sizeof last, "%d", ADDITIONS + 1);
    assert_json(op, 0, "one", last);
    assert_json(op, 0, "two", last);
    gavat_op_unref(op);
    close_client(g);
    drop_folder(folder);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return add_up(argv[2], argv[3]);
    const struct CMUnitTest cases[] = {cmocka_unit_test(two_processes_on_one_folder_lose_nothing)};
    return cmocka_run_group_tests_name("profiles_shared", cases, NULL, NULL);
}
