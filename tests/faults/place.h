/* place.h: a folder with a database in it, and what the tests do with one again and again. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_PLACE_H
#define GAVATCORE_TEST_PLACE_H
#include "client.h"
#include "ledger.h"

typedef struct place {
    char folder[256], path[320], url[340];
} place;

place make_place(void);                         /* events.db in a fresh folder */
void name_place(place *at, const char *name);   /* another file there */
/* A client on the store of this setting alone, with one reader and a log for what is expected; not opened. */
gavat *quiet_client(const char *setting, const char *url, const char *timeout);
void fill(const place *at, size_t count);       /* with so many events, by a client of its own */

void write_some(gavat *g, ledger *book, int count);             /* events; all must go well */
void expect_found(gavat *g, const ledger *book);                /* a search finds each of them */
/* Use the file many times, at another place there, each time cut short or with bytes flipped. */
void use_damaged(place *at, void (*use)(const place *at));
void expect_ended(gavat_op *const *ops, size_t count);         /* well or with a sentence, within their time; gives them back */
bool is_indexed(void *user);                    /* the client's search index has caught up: for wait_until */
/* The op's error has this status and code, names the file and gives advice. */
void expect_error(gavat_op *op, gavat_status status, const char *native, const char *path, const char *advice);
void say_nothing(int32_t level, const char *area, const char *text, void *user);        /* a log for what is expected */
#endif
