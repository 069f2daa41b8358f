/* metrics.h: counters and latency histograms of each kind of operation, read by gavat_get_metrics. The client's lock.
 * A histogram is log-linear: four buckets for each power of two of microseconds, so any percentile is right within 25 %. */
#ifndef GV_CORE_METRICS_H
#define GV_CORE_METRICS_H
#include "../base/text.h"
#include "../../include/gavatcore/base.h"

#define GV_HISTOGRAM_BUCKETS 128

typedef struct gv_metric {
    uint64_t ok, failed, timed_out, cancelled, refused, maybe_applied;
    uint64_t sum_us, most_us;
    uint64_t buckets[GV_HISTOGRAM_BUCKETS];
} gv_metric;

void gv_metric_count(gv_metric *metric, const gavat_error *error, uint64_t microseconds);
/* Upper edge, in microseconds, of the bucket that holds the part (0 … 1) of all; 0: nothing counted. */
uint64_t gv_metric_quantile(const gv_metric *metric, double part);
/* {"ok":…,"failed":…,…,"p50_us":…,"p95_us":…,"p99_us":…,"max_us":…} */
void gv_metric_print(const gv_metric *metric, gv_text *out);
#endif
