/* A bot with a libuv loop of its own logs what it hears and searches it: no call here blocks, every answer is a callback. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <uv.h>
#include <gavatcore.h>

typedef struct bot {
    gavat *store;
    uv_timer_t timer;           /* stands for the bot's network */
    unsigned heard, logged;
    int failed;
} bot;

enum { MESSAGES = 5 };
static const char *const messages[MESSAGES] = {
    "Merhaba, nasılsın?", "Fiyat listesi var mı?", "IŞIK hızında cevap 😀", "Görüşürüz", "ışık güzeldi",
};

static int went_wrong(bot *b, const gavat_op *op, const char *what)
{
    if (gavat_op_status(op) == GAVAT_OK)
        return 0;
    fprintf(stderr, "%s: %s\n", what, gavat_op_error(op)->message);
    b->failed = 1;
    return 1;
}

/* The last callback of the client: the loop ends when the bot's own handles are gone too. */
static void on_closed(gavat_op *op, void *user)
{
    went_wrong(user, op, "close");
    printf("closed: %s\n", gavat_op_text(op, NULL));
}

static void on_found(gavat_op *op, void *user)
{
    bot *b = user;
    if (!went_wrong(b, op, "search")) {
        const gavat_event *event;
        for (size_t i = 0; (event = gavat_op_event(op, i)); i++)
            printf("found: %s\n", event->message);
    }
    gavat_close(b->store, on_closed, b, 5000);
}

/* Each acknowledgement means: committed. After the last one the bot looks for what was said, I or ı, capital or small. */
static void on_logged(gavat_op *op, void *user)
{
    bot *b = user;
    went_wrong(b, op, "log");
    if (++b->logged == MESSAGES)
        gavat_search_events(gavat_op_new(b->store, on_found, b), "isik", NULL);
}

static void on_message(uv_timer_t *timer)
{
    bot *b = timer->data;
    gavat_event event = gavat_event_init();
    event.user_id = "1001";
    event.username = "ayse";
    event.type = "dm_received";
    event.message = messages[b->heard];
    event.context = "{\"chat\": 42}";
    gavat_log_event(gavat_op_new(b->store, on_logged, b), &event);      /* copied: event may go */

    if (++b->heard == MESSAGES)
        uv_close((uv_handle_t *)timer, NULL);
}

/* Events logged before this would wait for it; waiting to hear that the store is there is politeness to the user. */
static void on_open(gavat_op *op, void *user)
{
    bot *b = user;
    if (went_wrong(b, op, "open")) {
        uv_close((uv_handle_t *)&b->timer, NULL);
        gavat_close(b->store, on_closed, b, 5000);
        return;
    }
    uv_timer_start(&b->timer, on_message, 0, 10);
}

int main(void)
{
    bot b = {0};
    uv_loop_t loop;
    uv_loop_init(&loop);

    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);
    gavat_status status = gavat_new(&b.store, &loop, cfg);
    if (status != GAVAT_OK)
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
    gavat_config_free(cfg);
    if (status != GAVAT_OK)
        return 2;

    uv_timer_init(&loop, &b.timer);
    b.timer.data = &b;
    gavat_open(gavat_op_new(b.store, on_open, &b));

    uv_run(&loop, UV_RUN_DEFAULT);      /* returns once the client is closed and the timer too */
    gavat_unref(b.store);
    if (uv_loop_close(&loop) != 0)
        b.failed = 1;
    return b.failed;
}
