/* plan.c: the call that reads the legacy files and writes nothing. Each record goes through the check that a store's call makes, so what
 * the plan rejects is what a run would. */
#include "migration.h"
#include "rejects.h"
#include <errno.h>

#define BATCH 1000              /* records checked with one batch, for its memory */

typedef struct plan {
    gavat_op *op;
    gavat_batch *batch;
    const char *kind;           /* of what is in batch; static */
    size_t in_batch;
    gv_rejects rejects;
    uint64_t records;
    uint32_t max_errors;
    bool too_many;
} plan;

static bool reject(gv_reading *reading, gv_source *source, uint64_t line, const char *why)
{
    plan *p = reading->user;
    if (!gv_rejects_add(&p->rejects, source, line, why))
        reading->failed = -ENOMEM;
    p->too_many = p->max_errors && p->rejects.count >= p->max_errors;
    return !reading->failed && !p->too_many;
}

/* A batch holds records of one area only. */
static gavat_batch *batch_for(plan *p, const char *kind)
{
    if (p->in_batch == BATCH || p->kind != kind) {
        gavat_batch_free(p->batch);
        p->batch = gavat_batch_new(p->op->client);
        p->in_batch = 0;
    }
    p->kind = kind;
    p->in_batch++;
    return p->batch;
}

/* NULL, or why a store would not take it. A run writes state by its own calls, as not every store imports it: its keys are made here, and
 * only their size is the file's. */
static const char *check(plan *p, gv_reading *reading, const gv_found *found)
{
    if (strcmp(found->kind, "state") == 0)
        return found->json.length > reading->most_record ? "it is larger than GAVAT_MAX_RECORD" : NULL;
    gavat_status status = gavat_batch_add_json(batch_for(p, found->kind), found->kind, found->json.data, found->json.length);
    if (status == GAVAT_ENOMEM)
        reading->failed = -ENOMEM;
    return status == GAVAT_OK ? NULL : gavat_batch_error(p->batch);
}

static bool take(gv_reading *reading, const gv_found *found)
{
    plan *p = reading->user;
    const char *wrong = check(p, reading, found);
    if (wrong && reading->failed)
        return false;
    if (wrong) {
        found->source->records--;
        return gv_found_reject(reading, found->source, found->line, "%s", wrong);
    }
    p->records++;
    if (p->records % BATCH == 0)
        gv_op_report(p->op, p->records, 0, p->rejects.count, "legacy files");
    return true;
}

static bool describe(gavat_op *op, const gv_source *source)
{
    gv_text json = {0};
    gv_result *result = gv_op_result(op);
    gv_source_describe(source, &json, false);
    bool added = result && !json.failed && gv_result_add_json(result, &json);
    gv_text_free(&json);
    return added;
}

static void finish(plan *p, gv_reading *reading, int status, const char *why)
{
    gavat_op *op = p->op;
    for (size_t i = 0; status == 0 && i < reading->count; i++) {
        const gv_source *source = &reading->sources[i];
        bool read = source->kind == GV_SOURCE_UNKNOWN || reading->only & 1u << source->kind;
        if (read && !source->absent && !describe(op, source))
            status = -ENOMEM;
    }
    if (status == 0)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else if (status == -ENOMEM)
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory to read the legacy files");
    else
        gv_op_fail(op, status == -EINVAL ? GAVAT_EINVAL : GAVAT_EIO, 0, "", "migration: %s", why);
    op->staged.number = (int64_t)p->records;
    gv_op_finish(op);
}

void gv_plan_run(gavat_op *op)
{
    const gavat_migration *wanted = op->request;
    char why[GV_SOURCE_WHY] = "";
    plan p = {.op = op, .rejects = {.op = op}, .max_errors = wanted->max_errors};
    gv_reading reading = {.client = op->client, .op = op, .take = take, .reject = reject, .user = &p};
    int status = gv_reading_start(&reading, wanted, why);
    if (status == 0)
        status = gv_reading_run(&reading);
    gavat_batch_free(p.batch);
    finish(&p, &reading, status, why);
    gv_reading_end(&reading);
}
