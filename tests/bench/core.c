/* core.c: what the way through the client costs: an op that does nothing, a wait, and memory under more work than it can
 * do.
 *     bench-core OPS */
#include "figures.h"
#include "../../lib/core/client.h"
#include "../../include/gavatcore.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS 5
#define THREADS 8
#define MIB (1024.0 * 1024.0)

static void do_nothing(gavat *g, gavat_op *op)
{
    (void)g;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
}

static const gv_kind nothing = {.name = "nothing", .area = GV_CORE, .place = GV_PLACES - 1, .run = do_nothing};

/* Its stores stay closed. */
static gavat *open_client(const char *most_ops)
{
    gavat *g;
    gavat_config *cfg = gavat_config_new();
    if (most_ops)
        gavat_config_set(cfg, "GAVAT_MAX_OPS", most_ops);
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fprintf(stderr, "bench: %s\n", gavat_config_error(cfg));
    bench_need(g, "no client");
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);      /* that it refuses is wanted here */
    return g;
}

static void close_client(gavat *g)
{
    gavat_close_wait(g, 10000);
    gavat_unref(g);
}

static void on_done(gavat_op *op, void *user)
{
    (void)op;
    atomic_fetch_add_explicit((atomic_size_t *)user, 1, memory_order_relaxed);
}

static void submit_nothing(gavat_op *op)
{
    if (gv_op_begin(op, &nothing))
        gv_op_submit(op);
}

/* --- the raw loop: a lock, a list and a wake --- */

typedef struct raw_node {
    struct raw_node *next;
    void (*done)(struct raw_node *node);
} raw_node;

typedef struct raw_queue {
    pthread_mutex_t lock;
    pthread_cond_t room;
    raw_node *first, **last;
    size_t live;
    uv_loop_t loop;
    uv_async_t wake;
    atomic_size_t done;
    bool ending;
} raw_queue;

static raw_queue queue;

static void raw_done(raw_node *node)
{
    (void)node;
    atomic_fetch_add_explicit(&queue.done, 1, memory_order_relaxed);
}

static void raw_wake(uv_async_t *wake)
{
    pthread_mutex_lock(&queue.lock);
    raw_node *node = queue.first;
    queue.first = NULL;
    queue.last = &queue.first;
    bool ending = queue.ending && !node;
    pthread_mutex_unlock(&queue.lock);
    size_t count = 0;
    while (node) {
        raw_node *next = node->next;
        node->done(node);
        free(node);
        node = next;
        count++;
    }
    pthread_mutex_lock(&queue.lock);
    queue.live -= count;
    pthread_cond_broadcast(&queue.room);
    pthread_mutex_unlock(&queue.lock);
    if (ending)
        uv_close((uv_handle_t *)wake, NULL);
}

static void raw_submit(void)
{
    raw_node *node = malloc(sizeof *node);
    bench_need(node, "no memory");
    node->done = raw_done;
    node->next = NULL;
    pthread_mutex_lock(&queue.lock);
    while (queue.live >= 65536)
        pthread_cond_wait(&queue.room, &queue.lock);
    queue.live++;
    *queue.last = node;
    queue.last = &node->next;
    pthread_mutex_unlock(&queue.lock);
    uv_async_send(&queue.wake);
}

static void *raw_run(void *user)
{
    (void)user;
    uv_run(&queue.loop, UV_RUN_DEFAULT);
    return NULL;
}

static pthread_t raw_start(void)
{
    pthread_t thread;
    memset(&queue, 0, sizeof queue);
    queue.last = &queue.first;
    pthread_mutex_init(&queue.lock, NULL);
    pthread_cond_init(&queue.room, NULL);
    uv_loop_init(&queue.loop);
    uv_async_init(&queue.loop, &queue.wake, raw_wake);
    bench_need(pthread_create(&thread, NULL, raw_run, NULL) == 0, "no thread");
    return thread;
}

static void raw_stop(pthread_t thread)
{
    pthread_mutex_lock(&queue.lock);
    queue.ending = true;
    pthread_mutex_unlock(&queue.lock);
    uv_async_send(&queue.wake);
    pthread_join(thread, NULL);
    uv_loop_close(&queue.loop);
}

/* --- rates --- */

typedef struct producer {
    gavat *client;              /* NULL: the raw queue */
    atomic_size_t *done;
    size_t count;
} producer;

static void *produce(void *user)
{
    producer *self = user;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->client) {
            raw_submit();
            continue;
        }
        gavat_op *op = gavat_op_new(self->client, on_done, self->done);
        while (!op)
            op = gavat_op_new_wait(self->client, on_done, self->done, 60000);
        submit_nothing(op);
    }
    return NULL;
}

/* Until the last callback. */
static double run_producers(gavat *g, size_t threads, size_t count)
{
    pthread_t ids[THREADS];
    atomic_size_t ours = 0, *done = g ? &ours : &queue.done;
    producer producers[THREADS];
    pthread_t raw_thread = g ? 0 : raw_start();
    double start = bench_now();
    for (size_t i = 0; i < threads; i++) {
        producers[i] = (producer){g, done, count / threads};
        bench_need(pthread_create(&ids[i], NULL, produce, &producers[i]) == 0, "no thread");
    }
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    while (atomic_load(done) < count / threads * threads)
        usleep(100);
    double spent = bench_now() - start;
    if (!g)
        raw_stop(raw_thread);
    return (double)count / spent;
}

static void measure_rate(const char *name, size_t threads, size_t count)
{
    bench_figure rates = {.count = 0}, processor = {.count = 0};
    char of_processor[80];
    gavat *g = open_client(NULL);
    run_producers(g, threads, count / 4);
    for (size_t i = 0; i < TURNS; i++) {
        double before = bench_processor(), ours = run_producers(g, threads, count);
        double between = bench_processor(), raw = run_producers(NULL, threads, count);
        bench_add(&rates, ours, raw);
        bench_add(&processor, (between - before) * 1e9 / (double)count, (bench_processor() - between) * 1e9 / (double)count);
    }
    close_client(g);
    bench_print(name, &rates, "/s", BENCH_OURS_LEAST, 2e6);
    snprintf(of_processor, sizeof of_processor, "%s.processor", name);
    bench_print(of_processor, &processor, "ns", BENCH_NONE, 0);
}

/* --- a wait --- */

typedef struct bounce {
    pthread_mutex_t lock;
    pthread_cond_t there, back;
    size_t asked, answered, count;
} bounce;

static void *answer(void *user)
{
    bounce *self = user;
    pthread_mutex_lock(&self->lock);
    while (self->answered < self->count) {
        while (self->asked == self->answered)
            pthread_cond_wait(&self->there, &self->lock);
        self->answered++;
        pthread_cond_signal(&self->back);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static double raw_wait(size_t count)
{
    pthread_t thread;
    bounce self = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, count};
    bench_need(pthread_create(&thread, NULL, answer, &self) == 0, "no thread");
    double start = bench_now();
    pthread_mutex_lock(&self.lock);
    for (size_t i = 0; i < count; i++) {
        self.asked++;
        pthread_cond_signal(&self.there);
        while (self.answered != self.asked)
            pthread_cond_wait(&self.back, &self.lock);
    }
    pthread_mutex_unlock(&self.lock);
    double spent = bench_now() - start;
    pthread_join(thread, NULL);
    return spent * 1e6 / (double)count;
}

static double our_wait(gavat *g, size_t count)
{
    double start = bench_now();
    for (size_t i = 0; i < count; i++) {
        gavat_op *op = gavat_op_new_held(g);
        submit_nothing(op);
        bench_need(gavat_op_wait(op) == GAVAT_OK, "a call failed");
        gavat_op_unref(op);
    }
    return (bench_now() - start) * 1e6 / (double)count;
}

static void measure_wait(size_t count)
{
    bench_figure figure = {.count = 0};
    gavat *g = open_client(NULL);
    our_wait(g, count / 10);
    for (size_t i = 0; i < TURNS; i++) {
        double ours = our_wait(g, count);
        bench_add(&figure, ours, raw_wait(count));
    }
    close_client(g);
    bench_print("core.wait", &figure, "us", BENCH_RATIO_MOST, 2);
}

/* --- memory --- */

static double resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    bench_need(file && fscanf(file, "%*u %lu", &pages) == 1, "/proc/self/statm cannot be read");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / MIB;
}

static void on_slowly_done(gavat_op *op, void *user)
{
    double until = bench_now() + 5e-6;
    while (bench_now() < until)
        ;
    on_done(op, user);
}

/* A producer that takes no notice of refusals, and a loop that gets done a tenth of what it is asked. */
static void measure_memory(double seconds)
{
    bench_figure figure = {.count = 0};
    double before = resident(), most = before;
    for (size_t turn = 0; turn < 3; turn++) {
        gavat *g = open_client("1000000");
        atomic_size_t done = 0;
        size_t asked = 0;
        double until = bench_now() + seconds;
        while (bench_now() < until) {
            for (size_t i = 0; i < 10000; i++, asked++) {
                gavat_op *op = gavat_op_new(g, on_slowly_done, &done);
                void *request = op && gv_op_begin(op, &nothing) ? gv_op_request(op, 300 + asked % 1000) : NULL;
                if (request)
                    gv_op_submit(op);
            }
            double now = resident();
            most = now > most ? now : most;
        }
        bench_need(asked > 10 * atomic_load(&done), "the producer did not outrun the loop tenfold");
        close_client(g);
    }
    bench_add(&figure, most - before, 0);
    bench_print("core.memory.producer_ten_times_faster", &figure, "MiB", BENCH_OURS_MOST, 64 + 16);
}

int main(int argc, char **argv)
{
    bench_need(argc == 2, "bench-core OPS; it is run by tests/bench/run.sh");
    size_t count = strtoul(argv[1], NULL, 10);
    measure_memory(count < 1000000 ? 0.5 : 2);
    measure_rate("core.nothing.from_1_thread", 1, 10 * count);
    measure_rate("core.nothing.from_8_threads", THREADS, 10 * count);
    measure_wait(count / 10);
    return bench_end();
}
