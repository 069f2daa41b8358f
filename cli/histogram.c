#include "histogram.h"

#define HALF 64u /* buckets for each power of two */

static unsigned place_of(uint64_t micros)
{
    if (micros < 2 * HALF)
        return (unsigned)micros;
    unsigned shift = 63u - (unsigned)__builtin_clzll(micros) - 6u;
    return shift * HALF + (unsigned)(micros >> shift);
}

/* The largest duration of a bucket. */
static uint64_t end_of(unsigned place)
{
    if (place < 2 * HALF)
        return place;
    unsigned shift = place / HALF - 1;
    return (((uint64_t)(place % HALF) + HALF + 1) << shift) - 1;
}

void ctl_histogram_add(ctl_histogram *histogram, uint64_t micros)
{
    histogram->count++;
    histogram->most = micros > histogram->most ? micros : histogram->most;
    histogram->buckets[place_of(micros)]++;
}

uint64_t ctl_histogram_at(const ctl_histogram *histogram, unsigned percent)
{
    uint64_t wanted = histogram->count - histogram->count * (100 - percent) / 100, seen = 0;
    for (unsigned i = 0; i < CTL_BUCKETS && wanted; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted)
            return end_of(i) < histogram->most ? end_of(i) : histogram->most;
    }
    return 0;
}
