/* kill.c: kill -9 at random while several threads write. What was acknowledged is there once; nothing is there twice, also after everything
 * has been sent again. One file goes on through all rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "ledger.h"
#include "process.h"
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define BATCH 5
#define ROUNDS 200

/* A line of the journal: what it is ('i' intended, 'a' acknowledged), kind, uid, user; of a batch one for each record. */
#define LINE "%c %c %36s %39s\n"

typedef struct sent {
    char kind;                  /* 'e', 's', 'm'; 'b' a batch, 'u' a unit of work, 'n' a session */
    size_t count;
    char uids[BATCH][37];
    char user[40];
} sent;

static int journal = -1;

/* One write call: a kill cannot leave half of it. */
static void note(char what, const sent *item)
{
    char lines[BATCH * 96];
    size_t length = 0;
    for (size_t i = 0; i < item->count; i++)
        length += (size_t)snprintf(lines + length, sizeof lines - length, LINE, what, item->kind, item->uids[i], item->user);
    if (write(journal, lines, length) != (ssize_t)length)
        _exit(3);
}

static void on_done(gavat_op *op, void *user)
{
    sent *item = user;
    if (gavat_op_status(op) == GAVAT_OK)
        note('a', item);
    free(item);
}

static char stored_kind(char kind)
{
    return kind == 'b' || kind == 'u' ? 'e' : kind;
}

static void send_batch(gavat_op *op, gavat *g, const sent *item)
{
    gavat_batch *batch = gavat_batch_new(g);
    for (size_t i = 0; i < item->count; i++) {
        char text[64];
        snprintf(text, sizeof text, "row %s", item->uids[i]);
        gavat_event event = gavat_event_init();
        event.uid = item->uids[i];
        event.user_id = item->user;
        event.type = item->kind == 'u' ? "unit" : "note";
        event.username = item->uids[0];
        event.message = text;
        if (gavat_batch_add_event(batch, &event) != GAVAT_OK)
            _exit(4);
    }
    if (item->kind == 'u')
        gavat_commit_batch(op, batch);
    else
        gavat_import_batch(op, batch);
    gavat_batch_free(batch);
}

static void send_item(gavat *g, gavat_op *op, const sent *item)
{
    if (item->kind == 'b' || item->kind == 'u') {
        send_batch(op, g, item);
    } else {
        entry row = {.kind = item->kind};
        snprintf(row.uid, sizeof row.uid, "%s", item->uids[0]);
        snprintf(row.user, sizeof row.user, "%s", item->user);
        send_entry(op, &row);
    }
}

static sent *make_item(uint64_t *random, int thread)
{
    static const char kinds[] = "eeeeesmnbu";
    sent *item = calloc(1, sizeof *item);
    if (!item)
        _exit(5);
    item->kind = kinds[below(random, sizeof kinds - 1)];
    item->count = item->kind == 'b' || item->kind == 'u' ? BATCH : 1;
    for (size_t i = 0; i < item->count; i++)
        gavat_make_uid(item->uids[i]);
    snprintf(item->user, sizeof item->user, "user%d-%zu", thread, below(random, 50));
    return item;
}

typedef struct writer {
    pthread_t thread;
    gavat *g;
    uint64_t random;
    int place;
} writer;

static void *write_on(void *user)
{
    writer *self = user;
    for (;;) {
        sent *item = make_item(&self->random, self->place);
        note('i', item);
        gavat_op *op;
        while (!(op = gavat_op_new_wait(self->g, on_done, item, 1000)))
            ;
        send_item(self->g, op, item);
        if (below(&self->random, 4) == 0)       /* alone at times, many in flight at others */
            usleep((useconds_t)below(&self->random, 3000));
    }
    return NULL;
}

/* The process that is killed. */
static int write_until_killed(const char *url, const char *lines, uint64_t seed)
{
    static const char *const settings[] = {"GAVAT_MAX_OPS", "200", NULL};
    writer writers[THREADS];
    journal = open(lines, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    gavat *g = open_client(url, settings);
    for (int i = 0; i < THREADS; i++) {
        writers[i].g = g;
        writers[i].place = i;
        writers[i].random = seed + (uint64_t)i * 7919;
        if (pthread_create(&writers[i].thread, NULL, write_on, &writers[i]))
            return 6;
    }
    for (;;)
        pause();
}

static int by_entry(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->uid, ((const entry *)b)->uid);
}

/* The lines from *at on: an 'i' makes an entry, an 'a' settles it. */
static void read_journal(ledger *book, const char *lines, long *at)
{
    char what, kind, uid[37], user[40];
    FILE *file = fopen(lines, "r");
    for (int pass = 0; file && pass < 2; pass++) {
        fseek(file, *at, SEEK_SET);
        while (fscanf(file, "%c %c %36s %39s\n", &what, &kind, uid, user) == 4) {
            if (pass == 0 && what == 'i')
                ledger_add(book, stored_kind(kind), uid, user);
            if (pass == 0 || what != 'a')
                continue;
            entry key;
            snprintf(key.uid, sizeof key.uid, "%s", uid);
            entry *row = bsearch(&key, book->entries, book->count, sizeof key, by_entry);
            assert_non_null(row);
            row->status = GAVAT_OK;
        }
        if (pass == 0 && book->count)
            qsort(book->entries, book->count, sizeof *book->entries, by_entry);
        if (pass == 1)
            *at = ftell(file);
    }
    if (file)
        fclose(file);
}

static void send_again(gavat *g, ledger *book)
{
    for (size_t i = 0; i < book->count; i++) {
        gavat_op *op = gavat_op_new_wait(g, NULL, NULL, 10000);
        assert_non_null(op);
        send_entry(op, &book->entries[i]);
    }
    gavat_op *flush = held(g);
    gavat_flush(flush);
    expect_status(flush, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(flush);
    for (size_t i = 0; i < book->count; i++)
        book->entries[i].status = GAVAT_OK;
}

static void find_one(gavat *g, const ledger *book, uint64_t *random)
{
    size_t start = book->count ? below(random, book->count) : 0;
    for (size_t i = 0; i < book->count; i++) {
        const entry *row = &book->entries[(start + i) % book->count];
        if (row->kind != 'e')
            continue;
        char keyword[64];
        snprintf(keyword, sizeof keyword, "%s", row->uid + 9);
        gavat_op *op = held(g);
        RUN(op, search_events, keyword, NULL);
        if (gavat_op_count(op) == 0)
            fail_msg("a search does not find %s", row->uid);
        gavat_op_unref(op);
        return;
    }
}

#define HALF_UNITS "SELECT count(*) FROM (SELECT 1 FROM event_logs WHERE event_type = 'unit' GROUP BY username HAVING count(*) <> 5)"

static void nothing_acknowledged_is_lost_and_nothing_is_there_twice(void **state)
{
    (void)state;
    char folder[256], path[300], lines[300], url[320], seed[32];
    uint64_t random = test_seed();
    long at = 0;
    ledger all = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/events.db", folder);
    snprintf(lines, sizeof lines, "%s/lines", folder);
    snprintf(url, sizeof url, "sqlite:///%s", path);
    for (size_t round = 0; round < at_scale(ROUNDS); round++) {
        ledger book = {0};
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)next_random(&random));
        process_kill(process_start(url, lines, seed), 20000 + below(&random, 120000));
        read_journal(&book, lines, &at);
        gavat *g = open_client(url, NULL);
        check_ledger(path, &book, true);
        assert_int_equal(ask_file(path, HALF_UNITS), 0);
        send_again(g, &book);
        find_one(g, &book, &random);
        close_client(g);
        for (size_t i = 0; i < book.count; i++)
            ledger_add(&all, book.entries[i].kind, book.entries[i].uid, book.entries[i].user)->status = book.entries[i].status;
        ledger_free(&book);
    }
    check_ledger(path, &all, false);
    print_message("# %zu records in %zu rounds\n", all.count, at_scale(ROUNDS));
    assert_true(all.count > 0);
    assert_int_equal(ask_file(path, "SELECT (SELECT count(*) FROM event_logs) + (SELECT count(*) FROM sale_logs) + "
                              "(SELECT count(*) FROM message_records) + (SELECT count(*) FROM user_sessions)"), (long long)all.count);
    ledger_free(&all);
    drop_folder(folder);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return write_until_killed(argv[1], argv[2], strtoull(argv[3], NULL, 10));
    const struct CMUnitTest cases[] = {cmocka_unit_test(nothing_acknowledged_is_lost_and_nothing_is_there_twice)};
    return cmocka_run_group_tests_name("kill", cases, NULL, NULL);
}
