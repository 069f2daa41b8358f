#include "metrics.h"
#include <inttypes.h>

static unsigned bucket_of(uint64_t value)
{
    if (value < 4)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned bucket = (power - 1) * 4 + (unsigned)(value >> (power - 2) & 3);
    return bucket < GV_HISTOGRAM_BUCKETS ? bucket : GV_HISTOGRAM_BUCKETS - 1;
}

static uint64_t upper_edge(unsigned bucket)
{
    if (bucket < 4)
        return bucket;
    unsigned power = bucket / 4 + 1;
    return ((UINT64_C(5) + bucket % 4) << (power - 2)) - 1;
}

void gv_metric_count(gv_metric *metric, const gavat_error *error, uint64_t microseconds)
{
    if (error->status == GAVAT_OK)
        metric->ok++;
    else if (error->status == GAVAT_ETIMEDOUT)
        metric->timed_out++;
    else if (error->status == GAVAT_ECANCELED)
        metric->cancelled++;
    else if (error->status == GAVAT_EINVAL || error->status == GAVAT_EBUSY)
        metric->refused++;
    else
        metric->failed++;
    if (error->flags & GAVAT_ERROR_MAYBE_APPLIED)
        metric->maybe_applied++;
    metric->sum_us += microseconds;
    if (microseconds > metric->most_us)
        metric->most_us = microseconds;
    metric->buckets[bucket_of(microseconds)]++;
}

uint64_t gv_metric_quantile(const gv_metric *metric, double part)
{
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < GV_HISTOGRAM_BUCKETS; i++)
        all += metric->buckets[i];
    if (!all)
        return 0;
    uint64_t wanted = (uint64_t)((double)all * part);
    for (unsigned i = 0; i < GV_HISTOGRAM_BUCKETS; i++) {
        seen += metric->buckets[i];
        if (i == GV_HISTOGRAM_BUCKETS - 1)
            break;              /* it has no upper edge */
        if (seen > wanted || seen == all)
            return upper_edge(i) < metric->most_us ? upper_edge(i) : metric->most_us;
    }
    return metric->most_us;
}

void gv_metric_print(const gv_metric *metric, gv_text *out)
{
    gv_text_addf(out, "{\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"timed_out\":%" PRIu64 ",\"cancelled\":%" PRIu64
                 ",\"refused\":%" PRIu64 ",\"maybe_applied\":%" PRIu64 ",\"sum_us\":%" PRIu64,
                 metric->ok, metric->failed, metric->timed_out, metric->cancelled, metric->refused, metric->maybe_applied,
                 metric->sum_us);
    gv_text_addf(out, ",\"p50_us\":%" PRIu64 ",\"p95_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64 "}",
                 gv_metric_quantile(metric, 0.5), gv_metric_quantile(metric, 0.95), gv_metric_quantile(metric, 0.99),
                 metric->most_us);
}
