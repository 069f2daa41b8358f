/* tails.h: what tails cost the writers. */
#ifndef GV_BENCH_TAILS_H
#define GV_BENCH_TAILS_H

/* Median time of a write at 2,000 events/s, with 16 tails attached beside that with none; both through clients on this URL. */
void bench_tails(const char *url);
#endif
