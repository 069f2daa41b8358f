/* profiles_calls.c: every file call of the profile store failing in turn, once or from then on, while a client opens, writes, reads and
 * closes. What was acknowledged is there, what was refused is not, unless its error left that open; no file is cut; every get gives what the
 * profile may be at that moment; and once the fault is gone the same client works again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "calls.h"
#include "client.h"
#include "folder.h"
#include <errno.h>

#define USERS 5
#define STATES 64               /* that one profile may be in */
#define TOGETHER 20             /* ops in flight at once */
#define STEPS 8                 /* of each fault, at a tenth of the full scale */

typedef struct stage {
    char folder[256], profiles[280];
    gavat *g;
    long number;                /* of the last op */
    long states[USERS][STATES]; /* numbers of the documents that each may be; 0: there is none */
    size_t counts[USERS];
    size_t refused, doubted;    /* ops by the disk */
} stage;

typedef struct sent {
    gavat_op *op;
    char kind;                  /* 'p' put, 'i' put if there is none, 'c' patch, 'd' delete */
    int user;
    long number;
} sent;

static const char *const users[USERS] = {"bot", "kullan\304\261c\304\261 1", "../x", "%2F", "\360\237\224\245"};

static void may_be(stage *s, int user, long number)
{
    assert_true(s->counts[user] < STATES);
    s->states[user][s->counts[user]++] = number;
}

static bool can_be(const stage *s, int user, long number)
{
    for (size_t i = 0; i < s->counts[user]; i++)
        if (s->states[user][i] == number)
            return true;
    return false;
}

static void check_error(stage *s, const gavat_op *op)
{
    const gavat_error *error = gavat_op_error(op);
    s->refused += error->status != GAVAT_OK;
    s->doubted += error->flags & GAVAT_ERROR_MAYBE_APPLIED ? 1 : 0;
    bool known = error->status == GAVAT_EIO || error->status == GAVAT_EUNAVAIL;
    if (error->status != GAVAT_OK && (!known || !*error->native || !strstr(error->message, s->profiles)))
        fail_msg("%s %s: %s", gavat_status_name(error->status), error->native, error->message);
}

static void fill_document(const stage *s, char out[6000])
{
    int at = snprintf(out, 100, "{\"n\": %ld, \"pad\": \"", s->number);
    memset(out + at, 'x', 5000);
    snprintf(out + at + 5000, 3, "\"}");
}

static sent send_one(stage *s, char kind, int user)
{
    char text[6000], set[40];
    sent one = {held(s->g), kind, user, ++s->number};
    fill_document(s, text);
    snprintf(set, sizeof set, "{\"n\": %ld}", s->number);
    if (kind == 'p')
        gavat_put_profile(one.op, users[user], text);
    else if (kind == 'i')
        gavat_put_profile_if_revision(one.op, users[user], text, -1);
    else if (kind == 'c')
        gavat_patch_profile(one.op, users[user], set, NULL, 0);
    else
        gavat_delete_profile(one.op, users[user]);
    return one;
}

/* What came of it narrows or widens what the profile may be. */
static void settle(stage *s, const sent *one)
{
    gavat_status status = gavat_op_wait(one->op);
    bool doubtful = gavat_op_error(one->op)->flags & GAVAT_ERROR_MAYBE_APPLIED;
    long number = one->kind == 'd' ? 0 : one->number;
    bool there = !(s->counts[one->user] == 1 && s->states[one->user][0] == 0);
    if (status == GAVAT_ENOTFOUND && (one->kind == 'c' || one->kind == 'd')) {
        assert_true(can_be(s, one->user, 0));
        s->counts[one->user] = 0;
        may_be(s, one->user, 0);
    } else if (status == GAVAT_ECONFLICT && one->kind == 'i') {
        assert_true(there);
    } else {
        check_error(s, one->op);
        if (status == GAVAT_OK)
            s->counts[one->user] = 0;
        if (status == GAVAT_OK || doubtful)
            may_be(s, one->user, number);
    }
    gavat_op_unref(one->op);
}

static void write_alone(stage *s)
{
    static const char kinds[] = "pcdipc";
    for (size_t i = 0; i < sizeof kinds - 1; i++) {
        sent one = send_one(s, kinds[i], (int)(i % 2));
        settle(s, &one);
    }
}

static void write_together(stage *s)
{
    sent all[TOGETHER];
    for (int i = 0; i < TOGETHER; i++)
        all[i] = send_one(s, "ppcpdppc"[i % 8], i % USERS);
    for (int i = 0; i < TOGETHER; i++)
        settle(s, &all[i]);
}

static void write_many(stage *s)
{
    char text[6000];
    const char *documents[USERS];
    s->number++;
    fill_document(s, text);
    for (int i = 0; i < USERS; i++)
        documents[i] = text;
    gavat_op *op = held(s->g);
    gavat_put_profiles(op, users, documents, USERS);
    gavat_status status = gavat_op_wait(op);
    check_error(s, op);
    bool doubtful = gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED, all = status == GAVAT_OK && gavat_op_number(op) == USERS;
    for (int i = 0; i < USERS; i++) {
        if (all)
            s->counts[i] = 0;
        if (status == GAVAT_OK || doubtful)
            may_be(s, i, s->number);
    }
    gavat_op_unref(op);
}

static long number_in(const char *json)
{
    char digits[24] = "";
    gv_slice value = gv_json_at(gv_slice_of(json), "n");
    if (value.data && value.length < sizeof digits)
        memcpy(digits, value.data, value.length);
    return strtol(digits, NULL, 10);
}

static void read_all(stage *s)
{
    for (int i = 0; i < USERS; i++) {
        gavat_op *op = held(s->g);
        gavat_get_profile(op, users[i]);
        gavat_status status = gavat_op_wait(op);
        if (status == GAVAT_OK)
            assert_true(can_be(s, i, number_in(gavat_op_profile(op, 0)->json)));
        else if (status == GAVAT_ENOTFOUND)
            assert_true(can_be(s, i, 0));
        else
            check_error(s, op);
        gavat_op_unref(op);
    }
    gavat_op *op = held(s->g);
    gavat_get_profiles(op, NULL);
    gavat_op_wait(op);
    check_error(s, op);
    gavat_op_unref(op);
}

static gavat_status open_store(stage *s)
{
    char url[300];
    gavat_config *cfg = gavat_config_new();
    snprintf(url, sizeof url, "file://%s", s->profiles);
    const char *const settings[] = {"POSTGRES_URL", "off", "REDIS_URL", "off", "MONGODB_URI", url, "GAVAT_TIMEOUT", "8s"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i += 2)
        gavat_config_set(cfg, settings[i], settings[i + 1]);
    if (gavat_new(&s->g, NULL, cfg) != GAVAT_OK)
        fail_msg("%s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    gavat_set_log(s->g, GAVAT_LOG_ERROR, NULL, NULL);
    gavat_op *op = held(s->g);
    gavat_open(op);
    gavat_status status = gavat_op_wait(op);
    check_error(s, op);
    gavat_op_unref(op);
    return status;
}

/* All works again, in the client at hand. */
static void work_again(stage *s)
{
    for (int i = 0; i < USERS; i++) {
        sent one = send_one(s, 'p', i);
        if (gavat_op_wait(one.op) != GAVAT_OK)
            fail_msg("%s", gavat_op_error(one.op)->message);
        settle(s, &one);
    }
    read_all(s);
}

static void check_files(const stage *s)
{
    gv_text text = {0};
    for (int i = 0; i < USERS; i++) {
        long number = folder_read(s->profiles, users[i], &text) ? number_in(gv_text_get(&text)) : 0;
        if (!can_be(s, i, number))
            fail_msg("%s is at %ld", users[i], number);
    }
    gv_text_free(&text);
}

/* Gives how many calls there were. */
static unsigned long run_once(call_fault fault)
{
    stage s = {.number = 0};
    make_folder(s.folder);
    snprintf(s.profiles, sizeof s.profiles, "%s/profiles", s.folder);
    for (int i = 0; i < USERS; i++)
        may_be(&s, i, 0);
    calls_arm(&fault);
    bool opened = open_store(&s) == GAVAT_OK;
    unsigned long opening = fuse_counted();
    if (opened) {
        write_alone(&s);
        write_many(&s);
        write_together(&s);
        read_all(&s);
        check_files(&s);
        write_alone(&s);
    }
    unsigned long calls = fuse_counted(), faults = fuse_heal();
    if (faults && fault.which.calls & (CALL_WRITE | CALL_SYNC | CALL_RENAME) && fault.which.calls != CALL_ALL)
        assert_true(s.refused > 0);
    if (faults && fault.which.calls == CALL_FOLDER_SYNC && fault.which.at > opening)
        assert_true(s.doubted > 0);
    if (opened) {
        check_files(&s);
        work_again(&s);
        check_files(&s);
    }
    close_client(s.g);
    assert_int_equal(open_store(&s), GAVAT_OK);         /* and in a new one */
    work_again(&s);
    close_client(s.g);
    check_files(&s);
    folder_check(s.profiles, true);
    drop_folder(s.folder);
    return calls;
}

static void run_all(call_fault fault)
{
    fault.which.at = UINT32_MAX;
    unsigned long most = run_once(fault), step = most / at_scale(STEPS * 10) + 1;
    print_message("# %lu calls\n", most);
    assert_true(most > 0);
    for (fault.which.at = 1 + most % step; fault.which.at <= most; fault.which.at += step)
        run_once(fault);
}

#define FAULT(name, kinds, all_after, number, cut)                           \
    static void name(void **state)                                           \
    {                                                                        \
        (void)state;                                                         \
        call_fault fault = {{kinds, 0, all_after}, number, cut};             \
        run_all(fault);                                                      \
    }

FAULT(a_disk_that_is_full_for_once, CALL_WRITE, false, ENOSPC, false)
FAULT(a_disk_that_is_full_for_a_while, CALL_WRITE, true, ENOSPC, false)
FAULT(a_write_that_is_cut_short, CALL_WRITE, false, EIO, true)
FAULT(a_sync_of_a_file_that_fails, CALL_SYNC, false, EIO, false)
FAULT(a_sync_of_the_folder_that_fails, CALL_FOLDER_SYNC, false, EIO, false)
FAULT(a_rename_that_fails, CALL_RENAME, false, EACCES, false)
FAULT(an_unlink_that_fails, CALL_UNLINK, false, EACCES, false)
FAULT(a_read_that_fails, CALL_READ, false, EIO, false)
FAULT(a_file_that_does_not_open, CALL_OPEN, false, EMFILE, false)
FAULT(a_folder_that_cannot_be_made, CALL_MKDIR, false, EROFS, false)
FAULT(any_call_that_fails_once, CALL_ALL, false, EIO, false)
FAULT(any_call_and_all_after_it, CALL_ALL, true, EIO, false)

int main(void)
{
    calls_install();
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_disk_that_is_full_for_once),
        cmocka_unit_test(a_disk_that_is_full_for_a_while),
        cmocka_unit_test(a_write_that_is_cut_short),
        cmocka_unit_test(a_sync_of_a_file_that_fails),
        cmocka_unit_test(a_sync_of_the_folder_that_fails),
        cmocka_unit_test(a_rename_that_fails),
        cmocka_unit_test(an_unlink_that_fails),
        cmocka_unit_test(a_read_that_fails),
        cmocka_unit_test(a_file_that_does_not_open),
        cmocka_unit_test(a_folder_that_cannot_be_made),
        cmocka_unit_test(any_call_that_fails_once),
        cmocka_unit_test(any_call_and_all_after_it),
    };
    return cmocka_run_group_tests_name("profiles_calls", cases, NULL, NULL);
}
