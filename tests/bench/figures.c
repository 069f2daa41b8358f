#include "figures.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static unsigned wanted, met;

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(const double *values, size_t count)
{
    double sorted[1024];
    if (count == 0)
        return 0;
    if (count > 1024)
        count = 1024;
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double bench_processor(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Nanoseconds stand first in schedstat. */
static double read_task(const char *task, const char *name)
{
    char path[300], text[200] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task);
    FILE *file = fopen(path, "r");
    bool found = file && fgets(text, sizeof text, file) && strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == '\n';
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task);
    file = found ? fopen(path, "r") : NULL;
    double used = file && fgets(text, sizeof text, file) ? strtod(text, NULL) / 1e9 : 0;
    if (file)
        fclose(file);
    return used;
}

double bench_thread(const char *name)
{
    struct timespec own;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    if (!name)
        return (double)own.tv_sec + (double)own.tv_nsec / 1e9;
    DIR *tasks = opendir("/proc/self/task");
    double used = 0;
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        used += *task->d_name != '.' ? read_task(task->d_name, name) : 0;
    if (tasks)
        closedir(tasks);
    return used;
}

void bench_add(bench_figure *figure, double ours, double raw)
{
    bench_need(figure->count < BENCH_TURNS, "too many turns for one figure");
    figure->ours[figure->count] = ours;
    figure->raw[figure->count++] = raw;
}

static void print_value(const char *label, double value, const char *unit)
{
    printf(" %s=%.*f%s", label, value >= 100 ? 0 : value >= 1 ? 1 : 3, value, unit);
}

void bench_print(const char *name, const bench_figure *figure, const char *unit, bench_want want, double bound)
{
    double ours = bench_median(figure->ours, figure->count), raw = bench_median(figure->raw, figure->count), ratios[BENCH_TURNS];
    for (size_t i = 0; i < figure->count; i++)
        ratios[i] = raw > 0 ? figure->ours[i] / figure->raw[i] : 0;
    bool absolute = want == BENCH_OURS_LEAST || want == BENCH_OURS_MOST;
    double ratio = bench_median(ratios, figure->count), judged = absolute ? ours : ratio;
    bool least = want == BENCH_RATIO_LEAST || want == BENCH_OURS_LEAST;
    bool good = least ? judged >= bound : judged <= bound;
    printf("bench %s", name);
    print_value("ours", ours, unit);
    if (raw > 0) {
        print_value("raw", raw, unit);
        printf(" ratio=%.2f", ratio);
    }
    if (want == BENCH_RATIO_LEAST || want == BENCH_RATIO_MOST)
        printf(" want ratio%s%g %s", least ? ">=" : "<=", bound, good ? "met" : "missed");
    else if (want != BENCH_NONE)
        printf(" want ours%s%.0f%s %s", least ? ">=" : "<=", bound, unit, good ? "met" : "missed");
    else
        printf(" want -");
    printf("\n");
    fflush(stdout);
    if (want == BENCH_NONE)
        return;
    wanted++;
    met += good;
}

void bench_need(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

int bench_end(void)
{
    printf("bench: %u of %u targets met\n", met, wanted);
    return 0;
}
