/* raw_postgresql.h: the driver alone: what one would write by hand with libpq, as fast as it goes: the library's tables, indexes and
 * statements, binary arrays, prepared once, a thread for each of two connections when it writes. */
#ifndef GV_BENCH_RAW_POSTGRESQL_H
#define GV_BENCH_RAW_POSTGRESQL_H
#include "sample.h"
#include <libpq-fe.h>
#include <stdbool.h>

#define RAW_LANES 2
#define RAW_BATCH 1000          /* rows in a commit, as the library at its busiest */

typedef struct raw_lane {
    PGconn *pg;
    sample sample;
    bool folded;
    size_t count, batch;        /* of the turn */
} raw_lane;

typedef struct raw {
    raw_lane lanes[RAW_LANES];
    sample sample;              /* of its readers */
} raw;

void raw_open(raw *self, const char *url, bool folded);         /* the tables are there */
void raw_close(raw *self);
void raw_write(raw *self, size_t count, size_t batch, unsigned lanes);
void raw_read_pages(raw *self, size_t count, size_t flight);    /* the newest 100 of a user each, so many pipelined on each connection */
double raw_search(raw *self, const char *folded, size_t *found);        /* the newest 100 that match, in ms */
#endif
