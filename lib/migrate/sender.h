/* sender.h: a run's records of the events area on their way into the store: in batches, four of them under way, each named in the journal
 * before it goes. A store that is away is waited for. On the migration's thread. */
#ifndef GV_MIGRATE_SENDER_H
#define GV_MIGRATE_SENDER_H
#include "journal.h"

#define GV_FLIGHTS 4
#define GV_FLIGHT_RECORDS 2000

typedef struct gv_place {       /* where a record was found */
    gv_source *source;
    uint64_t line;
} gv_place;

typedef struct gv_flight {
    gavat_batch *batch;
    gavat_op *op;               /* NULL: not sent yet */
    int64_t journal;            /* its number there */
    size_t count;
    gv_place *places;           /* GV_FLIGHT_RECORDS; a source is NULL once its record was refused */
} gv_flight;

typedef struct gv_sender {
    gavat *client;
    gv_reading *reading;
    gv_journal *journal;
    gv_keys mine, others;
    gv_flight flights[GV_FLIGHTS];
    unsigned next;
    gv_text identities;
    uint64_t landed, present;
    gavat_status status;        /* what stopped it */
    uint32_t flags;
    char why[GV_SOURCE_WHY];
} gv_sender;

gavat_status gv_sender_start(gv_sender *sender);        /* reads what the journal knows */
bool gv_sender_take(gv_sender *sender, const gv_found *found);          /* false: stop */
bool gv_sender_flush(gv_sender *sender);                /* until all is settled; false: it was not */
void gv_sender_end(gv_sender *sender);
bool gv_sender_stop(gv_sender *sender, gavat_status status, uint32_t flags, const char *format, ...)
    __attribute__((format(printf, 4, 5)));              /* false */

/* The two stops that come most often: false. Of what the journal answered: true where it went well. */
bool gv_sender_no_memory(gv_sender *sender);
bool gv_sender_journal_said(gv_sender *sender, gavat_status status);

/* An op to wait on, as soon as the client has room for one. NULL: it is closing, or the migration was cancelled: stopped. */
gavat_op *gv_sender_ask(gv_sender *sender);
/* An op that has been waited for: true when it is to be sent once more, after a pause; the store is away for now. since: steady, 0 at
 * first. Says once that it waits. */
bool gv_sender_again(gv_sender *sender, const gavat_op *op, uint64_t *since);

/* digest.c: what a record says, but for what only a store sets. The same of a record on its way in and of one that was read. */
uint64_t gv_record_digest(const gv_record_kind *kind, const void *record, gv_text *scratch);    /* 0: no memory */
#endif
