/* histogram.h: counts of durations in microseconds, exact below 128, within 1.6 % above. One thread at a time. */
#ifndef CTL_HISTOGRAM_H
#define CTL_HISTOGRAM_H
#include <stdint.h>

#define CTL_BUCKETS 3840
typedef struct ctl_histogram {
    uint64_t count, most;
    uint64_t buckets[CTL_BUCKETS];
} ctl_histogram;

void ctl_histogram_add(ctl_histogram *histogram, uint64_t micros);

/* The duration that percent of them do not pass; 0 when there is none. */
uint64_t ctl_histogram_at(const ctl_histogram *histogram, unsigned percent);
#endif
