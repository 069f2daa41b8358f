/* Eight threads log events, each waiting for its own; the library runs the loop. Their writes share commits. */
#include <pthread.h>
#include <stdio.h>
#include <gavatcore.h>

static void *writer(void *arg)
{
    gavat *g = arg;
    gavat_status status = GAVAT_OK;
    for (int i = 0; i < 1000 && status == GAVAT_OK; i++) {
        char text[32];
        snprintf(text, sizeof text, "event %d", i);
        gavat_event e = gavat_event_init();
        e.user_id = "thread";
        e.type = "tick";
        e.message = text;

        gavat_op *op = gavat_op_new_held(g);
        gavat_log_event(op, &e);
        status = gavat_op_wait(op);
        if (status != GAVAT_OK)
            fprintf(stderr, "%s\n", gavat_op_error(op)->message);
        gavat_op_unref(op);
    }
    return NULL;
}

int main(void)
{
    gavat *g;
    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        return 2;
    }
    gavat_config_free(cfg);

    gavat_op *open = gavat_op_new_held(g);
    gavat_open(open);
    if (gavat_op_wait(open) == GAVAT_OK) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++)
            pthread_create(&threads[i], NULL, writer, g);
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
    } else {
        fprintf(stderr, "%s\n", gavat_op_error(open)->message);
    }
    gavat_op_unref(open);

    gavat_status status = gavat_close_wait(g, 5000);
    gavat_unref(g);
    return status != GAVAT_OK;
}
