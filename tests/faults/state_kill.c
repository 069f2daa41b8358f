/* state_kill.c: kill -9 at random while several threads write state. Each key has a stream of numbered calls; what is found afterwards must be
 * what the key was behind one of them, not before the last one acknowledged: nothing acknowledged is lost, nothing is counted twice, no cooldown
 * is won by two and no limit gives more than it has. One file goes on through all rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "place.h"
#include "process.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 4
#define USERS 4                 /* of each thread */
#define ROUNDS 200
#define TRIES 4000              /* of a stream of cooldowns: two for each action */
#define PERMITS 3
#define MAX 5                   /* items of a list */

/* What the killed process had intended and heard, in a file that both map: a kill takes nothing out of it. */
typedef enum kind { SET, ADD, PUSH, TRY_COOLDOWN, TRY_LIMIT, KINDS } kind;
typedef struct stream {
    atomic_uint intended, acked;        /* how many calls; one number for each, from 1 */
    atomic_uint allowed;                /* of limits */
} stream;
typedef struct book {
    stream streams[THREADS * USERS][KINDS];
    atomic_uchar won[THREADS * USERS][TRIES];   /* of cooldowns, by action: how often it was allowed */
} book;

static book *map_book(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(book)))
        _exit(3);
    book *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (b == MAP_FAILED)
        _exit(3);
    close(file);
    return b;
}

static void name_user(const char *round, size_t i, char out[40])
{
    snprintf(out, 40, "%.20s-%zu", round, i);
}

/* --- the process that is killed --- */

typedef struct call {
    book *b;
    size_t user;
    kind kind;
    unsigned number;
} call;

static void on_done(gavat_op *op, void *own)
{
    call *c = own;
    stream *s = &c->b->streams[c->user][c->kind];
    if (gavat_op_status(op) != GAVAT_OK)
        _exit(4);
    if (gavat_op_decision(op)->allowed && c->kind == TRY_COOLDOWN)
        atomic_fetch_add(&c->b->won[c->user][c->number / 2], 1);
    if (gavat_op_decision(op)->allowed && c->kind == TRY_LIMIT)
        atomic_fetch_add(&s->allowed, 1);
    unsigned acked = atomic_load(&s->acked);
    while (acked < c->number && !atomic_compare_exchange_weak(&s->acked, &acked, c->number))
        ;
    free(c);
}

static void send_call(gavat_op *op, const call *c, const char *user)
{
    char text[24];
    snprintf(text, sizeof text, "%u", c->number);
    switch (c->kind) {
    case SET: gavat_set_state(op, user, "last", text, GAVAT_SECONDS(86400)); break;
    case ADD: gavat_add_counter(op, user, "sum", c->number, 0); break;
    case PUSH: gavat_push_list(op, user, "newest", text, MAX); break;
    case TRY_COOLDOWN:
        snprintf(text, sizeof text, "a%u", c->number / 2);
        gavat_try_cooldown(op, user, text, GAVAT_SECONDS(86400));
        break;
    default: gavat_try_limit(op, user, "few", PERMITS, GAVAT_SECONDS(86400), 0); break;
    }
}

typedef struct writer {
    pthread_t thread;
    gavat *g;
    book *b;
    const char *round;
    uint64_t random;
    size_t place;
} writer;

static void *write_on(void *own)
{
    writer *self = own;
    for (;;) {
        call *c = malloc(sizeof *c);
        if (!c)
            _exit(5);
        *c = (call){.b = self->b, .user = self->place * USERS + below(&self->random, USERS), .kind = (kind)below(&self->random, KINDS)};
        stream *s = &self->b->streams[c->user][c->kind];
        if (c->kind == TRY_COOLDOWN && atomic_load(&s->intended) >= TRIES)
            c->kind = SET, s = &self->b->streams[c->user][SET];
        c->number = atomic_fetch_add(&s->intended, 1) + 1;
        char user[40];
        name_user(self->round, c->user, user);
        gavat_op *op;
        call kept = *c;         /* the callback frees it */
        while (!(op = gavat_op_new_wait(self->g, on_done, c, 1000)))
            ;
        send_call(op, &kept, user);
        if (below(&self->random, 4) == 0)       /* alone at times, many in flight at others */
            usleep((useconds_t)below(&self->random, 2000));
    }
    return NULL;
}

/* words: the folder, and the round, which is a name and a seed. */
static int write_until_killed(const char *folder, const char *round)
{
    writer writers[THREADS];
    char url[340], path[320];
    snprintf(url, sizeof url, "sqlite:///%s/state.db", folder);
    snprintf(path, sizeof path, "%s/%s", folder, round);
    gavat *g = quiet_client("REDIS_URL", url, "20s");
    gavat_op *op = held(g);
    gavat_open(op);
    if (gavat_op_wait(op) != GAVAT_OK)
        return 7;
    gavat_op_unref(op);
    for (size_t i = 0; i < THREADS; i++) {
        writers[i] = (writer){.g = g, .b = map_book(path), .round = round, .place = i, .random = strtoull(round + 1, NULL, 10) * 7919 + i};
        if (pthread_create(&writers[i].thread, NULL, write_on, &writers[i]))
            return 6;
    }
    for (;;)
        pause();
}

/* --- what is found --- */

/* The n for which value is what the key holds behind call n of its stream; fails when there is none. */
static void expect_between(const char *what, const char *user, long long n, const stream *s)
{
    unsigned acked = atomic_load(&s->acked), intended = atomic_load(&s->intended);
    if (n < (long long)acked || n > (long long)intended)
        fail_msg("%s of %s is behind call %lld; acknowledged %u, intended %u", what, user, n, acked, intended);
}

static void check_set(gavat *g, const char *user, const stream *s)
{
    gavat_op *op = held(g);
    gavat_get_state(op, user, "last");
    gavat_status status = gavat_op_wait(op);
    assert_true(status == GAVAT_OK || status == GAVAT_ENOTFOUND);
    expect_between("the key", user, status == GAVAT_OK ? strtoll(gavat_op_text(op, NULL), NULL, 10) : 0, s);
    gavat_op_unref(op);
}

/* The n-th call adds n: only a sum that is 1 + 2 + … + n was counted right. */
static long long check_sum(gavat *g, const char *user, const stream *s)
{
    gavat_op *op = held(g);
    RUN(op, get_counter, user, "sum");
    long long sum = gavat_op_number(op), n = 0, left = sum;
    while (left > 0)
        left -= ++n;
    if (left)
        fail_msg("the counter of %s is %lld, which is no sum of its first calls", user, sum);
    expect_between("the counter", user, n, s);
    gavat_op_unref(op);
    return sum;
}

static void check_list(gavat *g, const char *user, const stream *s)
{
    gavat_op *op = held(g);
    RUN(op, get_list, user, "newest", 0, -1);
    size_t count = gavat_op_count(op);
    long long newest = count ? strtoll(gavat_op_state(op, 0)->value, NULL, 10) : 0;
    expect_between("the list", user, newest, s);
    assert_int_equal(count, newest < MAX ? newest : MAX);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(strtoll(gavat_op_state(op, i)->value, NULL, 10), newest - (long long)i);
    gavat_op_unref(op);
}

static void check_cooldowns(gavat *g, const char *user, book *b, size_t i)
{
    unsigned intended = atomic_load(&b->streams[i][TRY_COOLDOWN].intended), acked = atomic_load(&b->streams[i][TRY_COOLDOWN].acked);
    for (unsigned n = 0; n <= intended / 2 && n < TRIES; n++) {
        char action[24];
        unsigned won = b->won[i][n], asked = n ? 2 * n : 1;     /* its first call */
        snprintf(action, sizeof action, "a%u", n);
        gavat_op *op = held(g);
        RUN(op, check_cooldown, user, action);
        bool runs = gavat_op_number(op) > 0;
        gavat_op_unref(op);
        if (won > 1 || (asked <= acked && (won != 1 || !runs)) || (won && !runs) || (runs && asked > intended))
            fail_msg("cooldown %s of %s was given %u times and %s", action, user, won, runs ? "runs" : "does not run");
    }
}

/* What the killed process spent, and what is left, are the permits; what was in doubt may be lost. */
static void check_limit(gavat *g, const char *user, const stream *s)
{
    unsigned spent = atomic_load(&s->allowed), doubts = atomic_load(&s->intended) - atomic_load(&s->acked), left = 0;
    bool allowed;
    do {
        gavat_op *op = held(g);
        RUN(op, try_limit, user, "few", PERMITS, GAVAT_SECONDS(86400), 0);
        allowed = gavat_op_decision(op)->allowed;
        left += allowed;
        gavat_op_unref(op);
    } while (allowed);
    if (spent + left > PERMITS || spent + left + doubts < PERMITS)
        fail_msg("the limit of %s gave %u permits, and %u more", user, spent, left);
}

static long long check_round(gavat *g, const char *round, book *b, size_t *calls)
{
    long long sums = 0;
    for (size_t i = 0; i < THREADS * USERS; i++) {
        char user[40];
        name_user(round, i, user);
        check_set(g, user, &b->streams[i][SET]);
        sums += check_sum(g, user, &b->streams[i][ADD]);
        check_list(g, user, &b->streams[i][PUSH]);
        check_cooldowns(g, user, b, i);
        check_limit(g, user, &b->streams[i][TRY_LIMIT]);
        for (size_t k = 0; k < KINDS; k++)
            *calls += atomic_load(&b->streams[i][k].acked);
    }
    return sums;
}

#define ALL_SUMS "SELECT coalesce(sum(CAST(value AS INTEGER)), 0) FROM gavat_state WHERE key = 'counter:sum'"

static void nothing_acknowledged_is_lost_and_nothing_counts_twice(void **state)
{
    (void)state;
    place at = make_place();
    uint64_t random = test_seed();
    long long sums = 0;
    size_t calls = 0;
    name_place(&at, "state.db");
    for (size_t i = 0; i < at_scale(ROUNDS); i++) {
        char round[16], path[320];
        snprintf(round, sizeof round, "r%u", (unsigned)(next_random(&random) >> 34));
        snprintf(path, sizeof path, "%s/%s", at.folder, round);
        book *b = map_book(path);
        process_kill(process_start("write", at.folder, round), 20000 + below(&random, 120000));
        gavat *g = quiet_client("REDIS_URL", at.url, "20s");
        gavat_op *op = held(g);
        gavat_open(op);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        gavat_op_unref(op);
        sums += check_round(g, round, b, &calls);
        close_client(g);
        sqlite3 *db = open_plain(at.path);
        check_sound(db);
        sqlite3_close(db);
        munmap(b, sizeof *b);
        unlink(path);
    }
    print_message("# %zu calls acknowledged in %zu rounds\n", calls, at_scale(ROUNDS));
    assert_true(calls > 0);
    assert_int_equal(ask_file(at.path, ALL_SUMS), sums);
    drop_folder(at.folder);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return write_until_killed(argv[2], argv[3]);
    const struct CMUnitTest cases[] = {cmocka_unit_test(nothing_acknowledged_is_lost_and_nothing_counts_twice)};
    return cmocka_run_group_tests_name("state_kill", cases, NULL, NULL);
}
