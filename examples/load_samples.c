/* Load events, sales, messages, sessions and profiles from the JSON lines in a folder: one batch a few hundred KiB, each record on its own.
 * Run twice it stores events, sales and messages once, for they carry their uids; sessions merge, profiles are replaced. Exit 4:
 * some were refused. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <gavatcore.h>

enum { BATCH_BYTES = 256 * 1024 };
static const struct {
    const char *kind, *file;
} kinds[] = {{"event", "events"}, {"sale", "sales"}, {"message", "messages"}, {"session", "sessions"},
             {"profile", "profiles"}};

typedef struct totals {
    uint64_t stored, refused;
} totals;

/* Send what the batch holds, wait, count. Frees the batch. */
static gavat_status send_batch(gavat *g, gavat_batch *batch, const char *file, totals *sum)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_import_batch(op, batch);
    gavat_batch_free(batch);
    gavat_status status = gavat_op_wait(op);
    if (status != GAVAT_OK)
        fprintf(stderr, "%s: %s\n", file, gavat_op_error(op)->message);
    else
        sum->stored += (uint64_t)gavat_op_number(op);

    uint64_t line;
    const char *why;
    for (size_t i = 0; (why = gavat_op_rejected(op, i, &line)); i++, sum->refused++)
        fprintf(stderr, "%s.jsonl:%llu: %s\n", file, (unsigned long long)line, why);
    gavat_op_unref(op);
    return status;
}

static gavat_status load_lines(gavat *g, FILE *in, const char *kind, const char *file, totals *sum)
{
    gavat_status status = GAVAT_OK;
    gavat_batch *batch = gavat_batch_new(g);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    for (uint64_t line = 1; status == GAVAT_OK && (length = getline(&text, &room, in)) > 0; line++) {
        gavat_batch_set_index(batch, line);
        if (gavat_batch_add_json(batch, kind, text, (size_t)length) != GAVAT_OK) {
            fprintf(stderr, "%s.jsonl:%llu: %s\n", file, (unsigned long long)line, gavat_batch_error(batch));
            sum->refused++;
        }
        if (gavat_batch_bytes(batch) >= BATCH_BYTES) {
            status = send_batch(g, batch, file, sum);
            batch = gavat_batch_new(g);
        }
    }
    free(text);
    if (status == GAVAT_OK)
        return send_batch(g, batch, file, sum);
    gavat_batch_free(batch);
    return status;
}

static gavat_status load_folder(gavat *g, const char *folder, uint64_t *refused)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.jsonl", folder, kinds[i].file);
        FILE *in = fopen(path, "r");
        if (!in) {
            perror(path);
            return GAVAT_EIO;
        }
        totals sum = {0, 0};
        gavat_status status = load_lines(g, in, kinds[i].kind, kinds[i].file, &sum);
        fclose(in);
        printf("%-8s  %6llu stored, %llu refused\n", kinds[i].file, (unsigned long long)sum.stored,
               (unsigned long long)sum.refused);
        *refused += sum.refused;
        if (status != GAVAT_OK)
            return status;
    }
    return GAVAT_OK;
}

int main(int argc, char **argv)
{
    gavat *g;
    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        gavat_config_free(cfg);
        return 2;
    }
    gavat_config_free(cfg);
    gavat_open(gavat_op_new(g, NULL, NULL));            /* the first batch waits for it */

    uint64_t refused = 0;
    gavat_status status = load_folder(g, argc > 1 ? argv[1] : "examples/data", &refused);
    if (gavat_close_wait(g, 5000) != GAVAT_OK)
        status = GAVAT_ETIMEDOUT;
    gavat_unref(g);
    if (status != GAVAT_OK)
        return 3;
    return refused ? 4 : 0;
}
