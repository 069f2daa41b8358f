/* load.c: writes to a store until a file appears, many records in flight, each sent again until it is acknowledged; a line of the ledger for
 * each acknowledgement: its kind and uid. Run by postgresql_kill.sh.
 *     load URL LEDGER STOP */
#include <gavatcore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLIGHT 400

typedef struct record {
    char kind;                  /* 'e', 's', 'm' */
    char uid[37], user[16];
    gavat *g;
} record;

static FILE *ledger;            /* the callbacks' thread */
static atomic_size_t acknowledged, sent_again;

static void on_done(gavat_op *op, void *user);

static void send_record(record *of)
{
    gavat_op *op;
    while (!(op = gavat_op_new_wait(of->g, on_done, of, 1000)))
        ;
    if (of->kind == 'e') {
        gavat_event event = gavat_event_init();
        event.uid = of->uid, event.user_id = of->user, event.type = "note", event.message = of->uid;
        gavat_log_event(op, &event);
    } else if (of->kind == 's') {
        gavat_sale sale = gavat_sale_init();
        sale.uid = of->uid, sale.user_id = of->user, sale.product_type = "vip", sale.amount = "149.90";
        gavat_log_sale(op, &sale);
    } else {
        gavat_message message = gavat_message_init();
        message.uid = of->uid, message.bot_username = of->user, message.message_type = "dm";
        gavat_log_message(op, &message);
    }
}

/* On the loop's thread, where nothing may wait: what failed is sent again by main. */
static record *_Atomic failed[FLIGHT * 2];

static void on_done(gavat_op *op, void *user)
{
    record *of = user;
    if (gavat_op_status(op) == GAVAT_OK) {
        fprintf(ledger, "%c %s\n", of->kind, of->uid);
        atomic_fetch_add(&acknowledged, 1);
        free(of);
        return;
    }
    if (!(gavat_op_error(op)->flags & GAVAT_ERROR_RETRY) && gavat_op_status(op) != GAVAT_ETIMEDOUT)
        fprintf(stderr, "%s\n", gavat_op_error(op)->message);
    for (size_t i = 0;; i = (i + 1) % (FLIGHT * 2)) {
        record *none = NULL;
        if (atomic_compare_exchange_strong(&failed[i], &none, of))
            return;
    }
}

static size_t send_failed(void)
{
    size_t count = 0;
    for (size_t i = 0; i < FLIGHT * 2; i++) {
        record *of = atomic_exchange(&failed[i], NULL);
        if (!of)
            continue;
        send_record(of);
        count++;
    }
    atomic_fetch_add(&sent_again, count);
    return count;
}

int main(int argc, char **argv)
{
    gavat *g = NULL;
    size_t made = 0;
    if (argc != 4 || !(ledger = fopen(argv[2], "w")))
        return 2;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", argv[1]);
    gavat_config_set(cfg, "GAVAT_EVENTS_SPOOL", "off");
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", "off");
    gavat_config_set(cfg, "GAVAT_MAX_OPS", "400");
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "2s");
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        return 3;
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);
    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    if (gavat_op_wait(op) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_op_error(op)->message);
        return 4;
    }
    gavat_op_unref(op);
    bool stop = false;
    while (!stop || atomic_load(&acknowledged) < made) {
        size_t again_now = send_failed();
        stop = stop || access(argv[3], F_OK) == 0;
        for (int i = 0; !stop && i < 200; i++) {
            record *of = calloc(1, sizeof *of);
            if (!of)
                return 5;
            of->g = g;
            of->kind = "eesm"[made % 4];
            snprintf(of->user, sizeof of->user, "u%zu", made % 97);
            gavat_make_uid(of->uid);
            made++;
            send_record(of);
        }
        struct timespec pause = {0, 5000000};
        if (stop || again_now)
            nanosleep(&pause, NULL);
    }
    gavat_status closed = gavat_close_wait(g, 10000);
    gavat_unref(g);
    if (fclose(ledger))
        return 6;
    printf("%zu records, %zu times sent again\n", made, atomic_load(&sent_again));
    return closed == GAVAT_OK ? 0 : 7;
}
