/* ours.h: the same work through the library, by its public calls. */
#ifndef GV_BENCH_OURS_H
#define GV_BENCH_OURS_H
#include "sample.h"
#include "../../include/gavatcore.h"
#include <stdatomic.h>
#include <stdbool.h>

typedef struct ours {
    gavat *client;
    sample *sample;
    char path[512], index_path[560];
    atomic_size_t failed, records;
} ours;

void ours_open(ours *self, const char *path, bool with_index, sample *source);
void ours_open_url(ours *self, const char *url, bool with_index, sample *source);       /* of another store than a file */
void ours_close(ours *self);
/* As many in flight as the client admits; until all are acknowledged. */
void ours_write(ours *self, size_t count);
void ours_write_alone(ours *self, size_t count);    /* one held op after another */
size_t ours_read_page(ours *self, const char *user);
void ours_read_pages(ours *self, size_t count);     /* up to 32 in flight */
double ours_search(ours *self, const char *keyword, size_t *found);     /* median of some, in ms */
int64_t ours_lag(ours *self);                       /* rows that the search index does not know yet */
void ours_drain(ours *self);
#endif
