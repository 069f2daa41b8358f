/* tally.h: what a test was told of the state that it wrote, to be held against what the store holds. Each call has a number, 0, 1, 2 …:
 * 's' sets the key "last" to it, 'c' adds 1 to the counter "sum", 'l' pushes it to the list "all", 't' tries the cooldown "a<number>".
 * Calls of one tally are submitted in their order. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_TALLY_H
#define GAVATCORE_TEST_TALLY_H
#include <gavatcore.h>
#include <stdbool.h>

typedef struct mark {
    char kind;
    gavat_status status;
    uint32_t flags;             /* GAVAT_ERROR_… */
    bool allowed;               /* of 't' */
} mark;

typedef struct tally {          /* all zero but the user: empty */
    char user[40];
    mark *marks;
    size_t count, room;
} tally;

size_t tally_add(tally *book, char kind);       /* its number */
void tally_free(tally *book);

void send_mark(gavat_op *op, const tally *book, size_t n);
void note_mark(tally *book, size_t n, gavat_op *op);            /* waits for it; the op stays the caller's */
gavat_status send_and_note_mark(gavat *g, tally *book, char kind);
bool mark_until_ok(gavat *g, tally *book, char kind, int seconds);      /* new numbers until one goes well */

/* The file is sound, and holds for this user what its calls were told: what was acknowledged, nothing that was refused, and what was in doubt
 * or not, but not twice. Fails the case. */
void check_tally(const char *path, const tally *book);
#endif
