/* journal.h: what the migration knows of its runs, in an SQLite file of its own (GAVAT_MIGRATIONS): each run, the identities of what it sends to
 * the stores, and what it found in the place of what it replaces. An identity is written, and synced, before its record goes out: so whatever a
 * killed run may have stored is known. One process at a time works on it. Belongs to one thread. */
#ifndef GV_MIGRATE_JOURNAL_H
#define GV_MIGRATE_JOURNAL_H
#include "../sqlite/database.h"
#include "identity.h"
#include "reading.h"

#define GV_RUN_ROOM 32

typedef struct gv_journal {
    gv_database db;
    int lock;                   /* descriptor; -1: none */
    char run[GV_RUN_ROOM];      /* at hand */
    char why[GV_SOURCE_WHY];    /* of the last failure */
} gv_journal;

/* Not OK: why says what is wrong, as for all below. to_write: makes the file, and locks it. */
gavat_status gv_journal_open(gv_journal *journal, gavat *g, bool to_write);
void gv_journal_close(gv_journal *journal);

/* The last run of a directory, or the run of that name (NULL: the last of all): journal->run, and its state, "running", "stopped", "done", "rolled back". ENOTFOUND. */
gavat_status gv_journal_last(gv_journal *journal, const char *directory, char state[16]);
gavat_status gv_journal_begin(gv_journal *journal, gavat *g, const char *directory, const char *options, gavat_time now);
gavat_status gv_journal_end(gv_journal *journal, const char *state, const char *report, gavat_time now);
/* A JSON object of each run, newest first, into op's result. */
gavat_status gv_journal_list(gv_journal *journal, gavat_op *op);
/* Texts of the run: its directory, its options as JSON; in arena. */
gavat_status gv_journal_read(gv_journal *journal, gv_arena *arena, const char **directory, const char **options);

/* Records that are about to be sent: identities as gv_identity_put made them. Synced when it returns. */
gavat_status gv_journal_intend(gv_journal *journal, gv_slice identities, int64_t *batch);
gavat_status gv_journal_landed(gv_journal *journal, int64_t batch);
/* What stands where a thing (a profile, a key of the state, a session) is about to be written; before NULL: nothing. */
gavat_status gv_journal_keep(gv_journal *journal, const char *kind, const char *name, const char *before, const char *after);
gavat_status gv_journal_has(gv_journal *journal, const char *kind, const char *name, bool *has);
gavat_status gv_journal_do(gv_journal *journal, const char *sql);      /* "BEGIN", "COMMIT", "ROLLBACK" */

/* Keys of what other runs on the same stores have landed (not rolled back), and of what this one has. Sorted. */
gavat_status gv_journal_keys(gv_journal *journal, gv_keys *mine, gv_keys *others);
#endif
