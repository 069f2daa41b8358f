/* ledger.h: what a test was told of each record that it sent, to be held against what the store holds. The store is looked at by plain
 * SQLite on the system's own files, without the library. Not shared between threads. */
#ifndef GAVATCORE_TEST_LEDGER_H
#define GAVATCORE_TEST_LEDGER_H
#include "plain.h"
#include <gavatcore.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct entry {
    char uid[37], user[40];
    char kind;                  /* 'e' event, 's' sale, 'm' message, 'n' session: its user is the uid */
    gavat_status status;
    uint32_t flags;             /* GAVAT_ERROR_… */
} entry;

typedef struct ledger {         /* all zero: empty */
    entry *entries;
    size_t count, room;
} ledger;

entry *ledger_add(ledger *book, char kind, const char *uid, const char *user);
void ledger_free(ledger *book);

/* Submit the record that belongs to the entry: the same every time. Its message is "row <uid>". */
void send_entry(gavat_op *op, const entry *row);
/* The same, waited for; what came of it goes into the entry. */
void send_and_note(gavat *g, entry *row);
/* Until it goes well, for so long at most. */
bool send_until_ok(gavat *g, entry *row, int seconds);

/* The file is sound; each acknowledged record is in it once, none twice; one that was refused is absent, unless its error left that open
 * (all_of_them: whatever was said). Fails the case. */
void check_ledger(const char *path, const ledger *book, bool all_of_them);
#endif
