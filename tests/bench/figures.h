/* figures.h: how a benchmark measures and prints. Ours and the raw loop take turns in the same run, so that a machine
 * which grows slower or faster meanwhile does so for both; a figure is the median of its turns, its ratio the
 * median of ours / raw in each turn.
 *
 *     bench sqlite.write.many ours=71234/s raw=72011/s ratio=0.99 want ratio>=0.95 met */
#ifndef GV_BENCH_FIGURES_H
#define GV_BENCH_FIGURES_H
#include <stdbool.h>
#include <stddef.h>

#define BENCH_TURNS 16          /* at most */

typedef struct bench_figure {
    double ours[BENCH_TURNS], raw[BENCH_TURNS];
    size_t count;
} bench_figure;

/* What is wanted of a figure: of the ratio or of ours, at least or at most so much. */
typedef enum bench_want {
    BENCH_NONE,
    BENCH_RATIO_LEAST,
    BENCH_RATIO_MOST,
    BENCH_OURS_LEAST,
    BENCH_OURS_MOST
} bench_want;

double bench_now(void);         /* seconds of a clock that only goes forward */
double bench_processor(void);   /* seconds of processor time that the program has used, all threads */
double bench_thread(const char *name);      /* the same of the one thread that has this name; the main thread: NULL */
double bench_median(const double *values, size_t count);
void bench_add(bench_figure *figure, double ours, double raw);     /* one turn; raw 0: there is none to compare with */
/* unit: "/s", "ns", "us", "ms", "MiB". */
void bench_print(const char *name, const bench_figure *figure, const char *unit, bench_want want, double bound);
/* Ends the program with a sentence unless it holds. */
void bench_need(bool holds, const char *what);
int bench_end(void);            /* prints how many targets were met; the exit code: 0 */
#endif
