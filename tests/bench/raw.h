/* raw.h: the driver alone: what one would write by hand with sqlite3.h in one thread, as fast as it goes: the tables,
 * indexes, pragmas and statements of the library, prepared once, bound without copies. */
#ifndef GV_BENCH_RAW_H
#define GV_BENCH_RAW_H
#include "sample.h"
#include <sqlite3.h>
#include <stdbool.h>

#define RAW_BATCH 16000         /* rows in a commit, as the library at its busiest */

typedef struct raw {
    sqlite3 *db, *reader, *index;       /* reader: beside the writer; index: the search index's own file; NULL: none */
    sqlite3_stmt *insert, *page, *feed_read, *feed_write, *search;
    sample *sample;
    int64_t fed;                /* rows in the index, by id */
} raw;

void raw_open(raw *self, const char *path, bool with_index, sample *source);
void raw_close(raw *self);
/* Durable; an index is fed each 20,000 rows and at the end. */
void raw_write(raw *self, size_t count, size_t batch);
size_t raw_read_page(raw *self, const char *user);      /* the newest 100; how many there were */
/* The newest 100 that match, by an index made by anyone (index_path), in ms. */
double raw_search(const char *path, const char *index_path, const char *folded, size_t *found);
#endif
