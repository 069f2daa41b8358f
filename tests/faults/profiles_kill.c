/* profiles_kill.c: kill -9 at random while several threads write profiles. Each op on a profile has a number; what is found afterwards
 * must be what the profile was behind one of its ops, not before the last one acknowledged. The files are looked at without the
 * library. One folder goes on through all rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "folder.h"
#include "process.h"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define THREADS 4
#define USERS 8                 /* of each thread */
#define ROUNDS 200
#define LINE "%c %c %d %ld\n"   /* of the journal: 'i' intended or 'a' acknowledged, the kind, user, number */

/* Kinds: 'p' put, 'm' put of many, 'c' patch, 'd' delete. */
typedef struct sent {
    char kind;
    int user, count;            /* count: users, from user on */
    long number;
} sent;

static int journal = -1;

static void name_user(int user, char out[500])
{
    static const char *const forms[] = {"user%d", "kullan\304\261c\304\261 %d", "../%d/..", "%%2F%d", ".%d", "@%d.json"};
    int form = user % 7;
    if (form < 6) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(out, 500, forms[form], user);
#pragma GCC diagnostic pop
        return;
    }
    char *fire = repeat("\360\237\224\245", 95);
    snprintf(out, 500, "%s%d", fire, user);
    free(fire);
}

/* Its length tells a document that was cut, its letters one that was mixed. */
static char *make_document(long number)
{
    size_t length = (size_t)(number * 7919 % 30000);
    char letter = (char)('a' + number % 26), *text = malloc(length + 100);
    if (!text)
        _exit(5);
    int at = snprintf(text, 100, "{\"n\": %ld, \"put\": %ld, \"pad\": \"", number, number);
    memset(text + at, letter, length);
    snprintf(text + at + (int)length, 3, "\"}");
    return text;
}

/* --- the process that is killed --- */

/* One write call: a kill cannot leave half of it. */
static void note(char what, const sent *item)
{
    char lines[USERS * 64];
    int length = 0;
    for (int i = 0; i < item->count; i++)
        length += snprintf(lines + length, 64, LINE, what, item->kind, item->user + i, item->number);
    if (write(journal, lines, (size_t)length) != length)
        _exit(3);
}

static void on_done(gavat_op *op, void *user)
{
    sent *item = user;
    gavat_status status = gavat_op_status(op);
    if (status != GAVAT_OK || (item->kind == 'm' && gavat_op_number(op) != item->count))
        _exit(4);
    note('a', item);
    free(item);
}

static void send_many(gavat_op *op, const sent *item)
{
    char names[USERS][500], *text = make_document(item->number);
    const char *users[USERS], *documents[USERS];
    for (int i = 0; i < item->count; i++) {
        name_user(item->user + i, names[i]);
        users[i] = names[i];
        documents[i] = text;
    }
    gavat_put_profiles(op, users, documents, (size_t)item->count);
    free(text);
}

static void send_item(gavat_op *op, const sent *item)
{
    char name[500], set[40], *text = make_document(item->number);
    name_user(item->user, name);
    snprintf(set, sizeof set, "{\"n\": %ld}", item->number);
    switch (item->kind) {
    case 'p': gavat_put_profile(op, name, text); break;
    case 'c': gavat_patch_profile(op, name, set, NULL, 0); break;
    case 'd': gavat_delete_profile(op, name); break;
    default: send_many(op, item);
    }
    free(text);
}

typedef struct writer {
    pthread_t thread;
    gavat *g;
    uint64_t random;
    int place;
    long number;
    bool there[USERS];          /* the profile is, behind the ops so far */
} writer;

static sent *next_item(writer *self)
{
    static const char kinds[] = "pppppccccdm";
    sent *item = calloc(1, sizeof *item);
    if (!item)
        _exit(5);
    int user = (int)below(&self->random, USERS);
    item->kind = kinds[below(&self->random, sizeof kinds - 1)];
    if (item->kind != 'm' && !self->there[user])
        item->kind = 'p';
    item->count = item->kind == 'm' ? 1 + (int)below(&self->random, (size_t)(USERS - user)) : 1;
    item->user = self->place * USERS + user;
    item->number = ++self->number;
    for (int i = 0; i < item->count; i++)
        self->there[user + i] = item->kind != 'd';
    return item;
}

static void *write_on(void *user)
{
    writer *self = user;
    for (;;) {
        sent *item = next_item(self);
        note('i', item);
        gavat_op *op;
        while (!(op = gavat_op_new_wait(self->g, on_done, item, 1000)))
            ;
        send_item(op, item);
        if (below(&self->random, 4) == 0)       /* alone at times, many in flight at others */
            usleep((useconds_t)below(&self->random, 3000));
    }
    return NULL;
}

static int write_until_killed(const char *folder, const char *lines, uint64_t seed)
{
    static writer writers[THREADS];
    journal = open(lines, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    gavat *g = folder_open(folder, "24");
    for (int i = 0; i < THREADS; i++) {
        writers[i].g = g;
        writers[i].place = i;
        writers[i].random = seed + (uint64_t)i * 7919;
        writers[i].number = (long)(seed % 1000000) * 100000;
        if (pthread_create(&writers[i].thread, NULL, write_on, &writers[i]))
            return 6;
    }
    for (;;)
        pause();
}

/* --- the ledger --- */

typedef struct step {
    char kind;
    long number;
} step;

typedef struct history {        /* of one profile; begins with what was found in the round before */
    step *steps;
    size_t count, room, acknowledged;           /* the index of the last one that was; steps[0] was */
} history;

static void add_step(history *of, char kind, long number)
{
    if (of->count == of->room) {
        of->room = of->room ? of->room * 2 : 64;
        of->steps = realloc(of->steps, of->room * sizeof *of->steps);
        assert_non_null(of->steps);
    }
    of->steps[of->count].kind = kind;
    of->steps[of->count++].number = number;
}

static void acknowledge(history *of, long number)
{
    for (size_t i = of->count; i-- > of->acknowledged;) {
        if (of->steps[i].number != number)
            continue;
        of->acknowledged = i;
        return;
    }
}

static size_t read_journal(history *all, const char *lines, long *at)
{
    char what, kind;
    int user;
    long number;
    size_t acknowledged = 0;
    FILE *file = fopen(lines, "r");
    if (!file)
        return 0;
    fseek(file, *at, SEEK_SET);
    while (fscanf(file, LINE, &what, &kind, &user, &number) == 4) {
        assert_in_range(user, 0, THREADS * USERS - 1);
        acknowledged += what == 'a';
        if (what == 'i')
            add_step(&all[user], kind, number);
        else
            acknowledge(&all[user], number);
    }
    *at = ftell(file);
    fclose(file);
    return acknowledged;
}

/* --- the files --- */

static long number_in(gv_slice document, const char *key)
{
    char digits[24] = "";
    gv_slice value = gv_json_at(document, key);
    if (value.data && value.length < sizeof digits)
        memcpy(digits, value.data, value.length);
    return strtol(digits, NULL, 10);
}

/* A document as one of the puts made it, and whole. What it is numbered; 0: there is none. */
static long read_number(const char *folder, const char *name, gv_text *text)
{
    if (!folder_read(folder, name, text))
        return 0;
    gv_slice document = {gv_text_get(text), text->length};
    long put = number_in(document, "put");
    char *made = make_document(put);
    gv_slice pad = gv_json_at(document, "pad"), wanted = gv_json_at(gv_slice_of(made), "pad");
    if (pad.length != wanted.length || memcmp(pad.data, wanted.data, pad.length) != 0)
        fail_msg("%s: the document is not one that was put", name);
    free(made);
    return number_in(document, "n");
}

/* What the profile is behind one of its steps: the last one acknowledged, or one of those behind it. */
static void check_profile(const char *folder, int user, history *of, gv_text *text)
{
    char name[500];
    name_user(user, name);
    long number = read_number(folder, name, text);
    for (size_t i = of->acknowledged; i < of->count; i++) {
        if ((of->steps[i].kind == 'd' ? 0 : of->steps[i].number) != number)
            continue;
        of->steps[0] = of->steps[i];
        of->count = 1;
        of->acknowledged = 0;
        return;
    }
    fail_msg("%s is at %ld, and %ld was acknowledged", name, number, of->steps[of->acknowledged].number);
}

/* The library sees the same, and writes on. */
static void check_library(const char *folder, history *all)
{
    gavat *g = folder_open(folder, "1000");
    size_t there = 0;
    for (int user = 0; user < THREADS * USERS; user++)
        there += all[user].steps[0].kind != 'd';
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.limit = 1000;
    gavat_op *op = held(g);
    RUN(op, get_profiles, &filter);
    assert_int_equal(gavat_op_count(op), there);
    assert_null(gavat_op_rejected(op, 0, NULL));
    gavat_op_unref(op);
    char name[500], *text = make_document(7);
    name_user(0, name);
    DO(g, GAVAT_OK, put_profile, name, text);
    all[0].steps[0] = (step){'p', 7};
    free(text);
    close_client(g);
}

static void nothing_acknowledged_is_lost_and_no_file_is_cut(void **state)
{
    (void)state;
    char folder[256], profiles[280], lines[280], seed[32];
    uint64_t random = test_seed();
    long at = 0;
    size_t acknowledged = 0;
    history all[THREADS * USERS] = {{0}};
    gv_text text = {0};
    make_folder(folder);
    snprintf(profiles, sizeof profiles, "%s/profiles", folder);
    snprintf(lines, sizeof lines, "%s/lines", folder);
    for (int user = 0; user < THREADS * USERS; user++)
        add_step(&all[user], 'd', 0);
    for (size_t round = 0; round < at_scale(ROUNDS); round++) {
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)((next_random(&random) & 0xffffff) * 1000000 + round + 1));
        process_kill(process_start(profiles, lines, seed), 20000 + below(&random, 180000));
        acknowledged += read_journal(all, lines, &at);
        if (access(profiles, F_OK) != 0)
            continue;
        folder_check(profiles, false);
        for (int user = 0; user < THREADS * USERS; user++)
            check_profile(profiles, user, &all[user], &text);
        check_library(profiles, all);
        folder_check(profiles, true);
    }
    print_message("# %zu ops acknowledged in %zu rounds\n", acknowledged, at_scale(ROUNDS));
    assert_true(acknowledged > 0);
    for (int user = 0; user < THREADS * USERS; user++)
        free(all[user].steps);
    gv_text_free(&text);
    drop_folder(folder);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return write_until_killed(argv[1], argv[2], strtoull(argv[3], NULL, 10));
    const struct CMUnitTest cases[] = {cmocka_unit_test(nothing_acknowledged_is_lost_and_no_file_is_cut)};
    return cmocka_run_group_tests_name("profiles_kill", cases, NULL, NULL);
}
