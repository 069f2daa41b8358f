/* Import events from JSON lines on stdin: memory stays bounded, bad lines are named, the others land. Exit 4: some did not. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <gavatcore.h>

/* Loop's thread. main reads *failed only after gavat_close_wait has joined it. */
static void on_imported(gavat_op *op, void *failed)
{
    uint64_t line;
    const char *why;
    if (gavat_op_status(op) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_op_error(op)->message);
        ++*(uint64_t *)failed;
    }
    for (size_t i = 0; (why = gavat_op_rejected(op, i, &line)); i++, ++*(uint64_t *)failed)
        fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, why);
}

static int send_batch(gavat *g, gavat_batch *batch, uint64_t *failed)
{
    gavat_op *op = gavat_op_new_wait(g, on_imported, failed, 60000);    /* waits for room: all the backpressure there is */
    gavat_import_batch(op, batch);
    gavat_batch_free(batch);
    if (!op)
        fprintf(stderr, "no room within a minute\n");
    return op != NULL;
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
    gavat_open(gavat_op_new(g, NULL, NULL));

    uint64_t line = 0, bad = 0, failed = 0;
    gavat_batch *batch = gavat_batch_new(g);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int going = 1;
    while (going && (length = getline(&text, &room, stdin)) > 0) {
        gavat_batch_set_index(batch, ++line);
        if (gavat_batch_add_json(batch, "event", text, (size_t)length) != GAVAT_OK) {
            fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, gavat_batch_error(batch));
            bad++;
        }
        if (gavat_batch_bytes(batch) >= 256 * 1024) {
            going = send_batch(g, batch, &failed);
            batch = gavat_batch_new(g);
        }
    }
    if (going)
        going = send_batch(g, batch, &failed);
    else
        gavat_batch_free(batch);
    free(text);

    gavat_status status = gavat_close_wait(g, 60000);                   /* every batch has its outcome */
    gavat_unref(g);
    if (!going || status != GAVAT_OK)
        return 3;
    return bad || failed ? 4 : 0;
}
