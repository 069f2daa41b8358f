/* sample.h: events as bots write them: messages of 40 to 120 characters, Turkish and English mixed, a small context,
 * 10,000 users of whom a few write most. The same on each run. */
#ifndef GV_BENCH_SAMPLE_H
#define GV_BENCH_SAMPLE_H
#include "../../include/gavatcore/events.h"

#define SAMPLE_USERS 10000
#define SAMPLE_RARE "zümrüdüanka"       /* in one of SAMPLE_TEXTS messages */
#define SAMPLE_COMMON "merhaba"         /* in one of five */
#define SAMPLE_NOWHERE "merhabone"      /* each of its trigrams is common; it is in no message */
#define SAMPLE_TEXTS 50000

typedef struct sample {         /* one writer's; texts belong to it */
    uint64_t state;
    char (*messages)[256];
    char (*contexts)[96];
    char (*users)[16], (*names)[24];
} sample;

void sample_init(sample *self, uint64_t seed);
void sample_free(sample *self);
/* Fills all but uid and timestamp; texts live until sample_free. */
void sample_next(sample *self, gavat_event *event);
const char *sample_user(sample *self);  /* one of the users, the busy ones more often */
#endif
