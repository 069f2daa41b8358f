#include "commands.h"
#include "histogram.h"
#include "output.h"
#include "progress.h"
#include "session.h"
#include "stop.h"
#include "tell.h"
#include "value.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NAME "gavatctl-bench"
#define PAGE 10
#define LOOK_MS 100

/* One of the ops that are always under way. */
typedef struct slot {
    struct bench *bench;
    int64_t began;
} slot;

typedef struct bench {
    const ctl_call *call;
    ctl_session session;
    const char *kind;
    bool reads;
    char *text;
    uint64_t wanted;
    slot *slots;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t change;
    uint64_t submitted, done, live;
    gavat_op *failed; /* the first that ended badly, referenced */
    ctl_histogram times;
} bench;

static void submit_read(const bench *b, gavat_op *op)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = PAGE;
    if (*b->kind == 'm')
        filter.bot_username = NAME;
    else
        filter.user_id = NAME;
    if (*b->kind == 'e')
        gavat_get_events(op, &filter);
    else if (*b->kind == 's')
        gavat_get_sales(op, &filter);
    else
        gavat_get_messages(op, &filter);
}

static void submit_write(const bench *b, gavat_op *op)
{
    if (*b->kind == 'e') {
        gavat_event event = gavat_event_init();
        event.user_id = NAME;
        event.type = "bench";
        event.message = b->text;
        gavat_log_event(op, &event);
    } else if (*b->kind == 's') {
        gavat_sale sale = gavat_sale_init();
        sale.user_id = NAME;
        sale.product_type = "bench";
        sale.amount = "1.00";
        sale.notes = b->text;
        gavat_log_sale(op, &sale);
    } else {
        gavat_message message = gavat_message_init();
        message.bot_username = NAME;
        message.message_type = "bench";
        message.message_content = b->text;
        gavat_log_message(op, &message);
    }
}

static void on_done(gavat_op *op, void *user);

/* The next op of a slot, or the end of the slot. Main thread at first, then the loop's. */
static void go_on(slot *s)
{
    bench *b = s->bench;
    pthread_mutex_lock(&b->lock);
    bool more = b->submitted < b->wanted && !b->failed && !ctl_stopped();
    if (more)
        b->submitted++;
    pthread_mutex_unlock(&b->lock);
    s->began = ctl_ticks();
    gavat_op *op = more ? gavat_op_new(b->session.client, on_done, s) : NULL;
    if (op && b->reads)
        submit_read(b, op);
    else if (op)
        submit_write(b, op);
    if (op)
        return;
    pthread_mutex_lock(&b->lock);
    b->live--;
    pthread_cond_signal(&b->change);
    pthread_mutex_unlock(&b->lock);
}

static void on_done(gavat_op *op, void *user)
{
    slot *s = user;
    bench *b = s->bench;
    int64_t took = ctl_ticks() - s->began;
    pthread_mutex_lock(&b->lock);
    if (gavat_op_status(op) == GAVAT_OK) {
        ctl_histogram_add(&b->times, took > 0 ? (uint64_t)took : 0);
        b->done++;
    } else if (!b->failed) {
        b->failed = gavat_op_ref(op);
    }
    pthread_mutex_unlock(&b->lock);
    go_on(s);
}

static void wait_for_all(bench *b, ctl_progress *progress)
{
    uint64_t done = 0;
    for (bool live = true; live;) {
        int64_t until = ctl_now() + LOOK_MS * 1000;
        struct timespec time = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
        pthread_mutex_lock(&b->lock);
        if (b->live)
            pthread_cond_timedwait(&b->change, &b->lock, &time);
        live = b->live > 0;
        done = b->done;
        pthread_mutex_unlock(&b->lock);
        ctl_progress_show(progress, done, done, b->wanted);
    }
    ctl_progress_clear(progress);
}

static void add_ms(ctl_buffer *out, const char *key, uint64_t micros)
{
    ctl_add_format(out, ",\"%s\":%llu.%03llu", key, (unsigned long long)(micros / 1000),
                   (unsigned long long)(micros % 1000));
}

static int print_result(bench *b, uint64_t concurrency, int64_t micros)
{
    ctl_buffer json = {0};
    uint64_t rate = micros > 0 ? (uint64_t)((double)b->done * 1e6 / (double)micros) : 0;
    ctl_add_format(&json, "{\"kind\":\"%s\",\"mode\":\"%s\",\"ops\":%llu,\"concurrency\":%llu", b->kind,
                   b->reads ? "read" : "write", (unsigned long long)b->done, (unsigned long long)concurrency);
    ctl_add_format(&json, ",\"seconds\":%lld.%03lld,\"ops_per_second\":%llu", (long long)(micros / 1000000),
                   (long long)(micros / 1000 % 1000), (unsigned long long)rate);
    add_ms(&json, "p50_ms", ctl_histogram_at(&b->times, 50));
    add_ms(&json, "p95_ms", ctl_histogram_at(&b->times, 95));
    add_ms(&json, "p99_ms", ctl_histogram_at(&b->times, 99));
    add_ms(&json, "max_ms", b->times.most);
    ctl_add_text(&json, "}");
    int code = ctl_output_one(b->call, b->call->command->columns, json.data);
    ctl_free(&json);
    return code;
}

static int measure(bench *b)
{
    ctl_progress progress;
    uint64_t concurrency = (uint64_t)ctl_get_integer(b->call, "concurrency", 64);
    if (concurrency > b->wanted)
        concurrency = b->wanted;
    b->slots = ctl_alloc(concurrency * sizeof *b->slots);
    b->live = concurrency;
    ctl_progress_start(&progress, b->call, "done", "operations");
    int64_t began = ctl_ticks();
    for (uint64_t i = 0; i < concurrency; i++) {
        b->slots[i].bench = b;
        go_on(&b->slots[i]);
    }
    wait_for_all(b, &progress);
    int64_t took = ctl_ticks() - began;
    int code = b->failed ? ctl_fail(b->call, gavat_op_error(b->failed)) : 0;
    if (!code && !ctl_stopped() && b->done < b->wanted) {
        ctl_error("the library refused operations: its bounds are reached");
        ctl_hint("a smaller --concurrency or --size, or larger GAVAT_MAX_OPS and GAVAT_MAX_BYTES");
        code = 1;
    }
    int printed = b->done ? print_result(b, concurrency, took) : 0;
    return code ? code : printed;
}

static int ask(bench *b)
{
    if (b->reads)
        return 0;
    return ctl_confirm(b->call, "Write %llu %ss of \"%s\" to %s?", (unsigned long long)b->wanted, b->kind, NAME,
                       gavat_config_get(b->session.config, "POSTGRES_URL"));
}

static int run(const ctl_call *call)
{
    bool reads = ctl_get_flag(call, "read");
    int code = reads ? 0 : ctl_can_confirm(call);
    if (code)
        return code;
    bench *b = ctl_alloc(sizeof *b);
    size_t size = (size_t)ctl_get_integer(call, "size", 100);
    b->call = call;
    b->kind = ctl_get_text(call, "kind") ? ctl_get_text(call, "kind") : "event";
    b->reads = reads;
    b->wanted = (uint64_t)ctl_get_integer(call, "ops", 10000);
    b->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    b->change = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    b->text = ctl_alloc(size + 1);
    memset(b->text, 'x', size);
    code = ctl_session_start(&b->session, call, CTL_OPEN);
    if (!code)
        code = ask(b);
    if (!code)
        code = measure(b);
    gavat_op_unref(b->failed);
    code = ctl_session_end(&b->session, code);
    free(b->text);
    free(b->slots);
    free(b);
    return code;
}

static const ctl_option options[] = {
    {.name = "ops",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = 1000000000,
     .help = "how many operations (10000)"},
    {.name = "concurrency",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = 100000,
     .help = "how many at a time (64)"},
    {.name = "kind",
     .kind = CTL_CHOICE,
     .value = "KIND",
     .choices = "event|sale|message",
     .help = "event, sale or message (event)"},
    {.name = "size",
     .kind = CTL_INTEGER,
     .value = "BYTES",
     .least = 0,
     .most = 1048576,
     .help = "bytes of text in each record (100)"},
    {.name = "read", .kind = CTL_FLAG, .help = "read pages of 10 instead of writing"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "",
     .summary = "Measure the configured store under load",
     .options = options,
     .columns = "kind,mode,ops,concurrency,seconds,ops_per_second,p50_ms,p95_ms,p99_ms,max_ms",
     .run = run,
     .about = "It writes records of the user or bot \"" NAME "\" and leaves them there; so it asks first, "
              "and without a terminal it needs --yes.",
     .examples =
         "gavatctl bench --yes\ngavatctl bench --events sqlite:///bench.db --ops 100000 --concurrency 1000 --yes\n"
         "gavatctl bench --read"},
    {0},
};

const ctl_group ctl_bench = {
    .name = "bench", .summary = "Measure the configured store under load",
    .commands = commands, .stores = CTL_EVENTS};
