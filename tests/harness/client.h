/* client.h: a client on a fresh store, and ops run one at a time: what every test through the public API begins with.
 *
 * Each case gets a store of its own, of the area at hand; the other areas are off, unless a setting turns one on.
 * TEST_EVENTS_URLS, TEST_PROFILES_URLS and TEST_STATE_URLS name the stores, separated by blanks; in each URL {folder}
 * stands for a fresh folder, {name} for a fresh name, {database} for a fresh database of a Redis; "#plain" and "#adopted" at the end of a PostgreSQL URL say
 * what the tables are, "#pooled" that a pooler stands before the server. A new backend is one more URL there. TEST_SCALE is tenth or
 * full, TEST_SEED a number. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_CLIENT_H
#define GAVATCORE_TEST_CLIENT_H
#include <gavatcore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 INT64_C(1767225600000000)            /* 2026-01-01T00:00:00Z: where the records of most cases begin */
#define SECOND INT64_C(1000000)
#define DAY (INT64_C(86400) * SECOND)

typedef struct fresh {
    gavat *g;
    char url[512], folder[256], name[64];
    char profiles[512], state[512], logs[300];  /* the other areas' URLs and the text log's folder, under run_on_all */
    const char *settings[7];                    /* which say so */
} fresh;

/* Run the cases once for each URL of an area, with open_fresh and close_fresh around each. Gives main's exit code. */
int run_on_events(const char *name, const struct CMUnitTest *cases, size_t count);
int run_on_profiles(const char *name, const struct CMUnitTest *cases, size_t count);
int run_on_files(const char *name, const struct CMUnitTest *cases, size_t count);      /* of profiles, those URLs only; else skipped */
int run_on_mongodb(const char *name, const struct CMUnitTest *cases, size_t count);
int run_on_postgresql(const char *name, const struct CMUnitTest *cases, size_t count);  /* of events, those URLs only; else skipped */
int run_on_pooler(const char *name, const struct CMUnitTest *cases, size_t count);      /* … of those the ones behind a pooler */
int run_on_state(const char *name, const struct CMUnitTest *cases, size_t count);
/* With all areas and the text log in one client: first with the first URL of each, then with the second, while any has one more. */
int run_on_all(const char *name, const struct CMUnitTest *cases, size_t count);
int open_fresh(void **state);
int close_fresh(void **state);
static inline gavat *client_of(void **state)
{
    return ((fresh *)*state)->g;
}

/* MongoDB holds numbers, not their digits: there a number comes back as the shortest text that means the same. */
bool keeps_digits(void **state);

/* A fresh folder, emptied and removed with drop_folder. */
void make_folder(char out[256]);
void drop_folder(const char *folder);

/* A client on this URL of the area at hand (of events, before any run_on_…), opened. settings: key, value, key, value, …, NULL; NULL: none. */
gavat *open_client(const char *url, const char *const *settings);
void upgrade(const char *url);                  /* of events: its schema */
void close_client(gavat *g);                    /* NULL is accepted */
void set_clock_of_next(gavat_clock_fn fn);      /* of clients that are opened after it, within the case */
gavat *reopen(void **state, const char *const *settings);       /* the case's store, closed and opened again */

/* An op to be waited for; fails the case when it is refused. */
gavat_op *held(gavat *g);
void expect_status(gavat_op *op, gavat_status status, const char *file, int line);
void expect_words(gavat_op *op, const char *words, const char *file, int line);         /* in the error's message */

/* Submit gavat_NAME on an op that is held already, wait, and go on only when it went well. */
#define RUN(op, name, ...)                                                   \
    do {                                                                     \
        gavat_##name(op, __VA_ARGS__);                                       \
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);                     \
    } while (0)

/* The same on an op of its own, which must end with this status. */
#define DO(g, status, name, ...)                                             \
    do {                                                                     \
        gavat_op *own_op = held(g);                                          \
        gavat_##name(own_op, __VA_ARGS__);                                   \
        expect_status(own_op, status, __FILE__, __LINE__);                   \
        gavat_op_unref(own_op);                                              \
    } while (0)

/* Must be refused with EINVAL and a sentence that holds these words. */
#define REFUSE(g, words, name, ...)                                          \
    do {                                                                     \
        gavat_op *own_op = held(g);                                          \
        gavat_##name(own_op, __VA_ARGS__);                                   \
        expect_status(own_op, GAVAT_EINVAL, __FILE__, __LINE__);             \
        expect_words(own_op, words, __FILE__, __LINE__);                     \
        gavat_op_unref(own_op);                                              \
    } while (0)

/* Records with what is required, and a time so many seconds behind T0. */
gavat_event an_event(const char *user, const char *type, const char *message, int64_t second);
gavat_sale a_sale(const char *user, const char *type, const char *amount, int64_t second);
gavat_message a_message(const char *bot, const char *type, const char *content, int64_t second);
gavat_session a_session(const char *user);
void log_one(gavat *g, const char *user, const char *message, int64_t second);          /* of type note */

/* The one column that tells records apart (message, product_name, message_content, user_id), in order, a blank between.
 * */
void expect_records(const gavat_op *op, const char *wanted, const char *file, int line);
#define assert_records(op, wanted) expect_records(op, wanted, __FILE__, __LINE__)

/* One value in the op's JSON record i, as plain text. */
void expect_json(const gavat_op *op, size_t i, const char *path, const char *wanted, const char *file, int line);
#define assert_json(op, i, path, wanted) expect_json(op, i, path, wanted, __FILE__, __LINE__)

/* Text of n times piece. Belongs to the caller (free). */
char *repeat(const char *piece, size_t n);

void save_file(const char *path, const char *data, size_t length);      /* all that it holds then */

/* Wait, 10 s at most, until done says so. */
bool wait_until(bool (*done)(void *user), void *user);

size_t at_scale(size_t full);                   /* a tenth of it, unless TEST_SCALE is full */
uint64_t test_seed(void);                       /* printed once */
uint64_t next_random(uint64_t *state);
size_t below(uint64_t *state, size_t bound);    /* 0 … bound - 1 */
#endif
