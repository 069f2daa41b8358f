/* check.c: the spool described, for gavat_get_spool and the doctor. On its thread. */
#include "../../base/clock.h"
#include "../../sqlite/check.h"
#include "spool.h"
#include <stdio.h>

static int64_t depth_of(const gv_spool_totals *totals)
{
    return totals->last < totals->first ? 0 : totals->last - totals->first + 1;
}

/* As it is now; false: it cannot be read, and op says so when it is not NULL. A spool that was never needed is empty. */
static bool look(gv_spool *self, gv_spool_totals *totals, int64_t *rejects, int *code)
{
    const gv_spool_totals none = {.last = -1};
    *totals = none;
    *rejects = 0;
    *code = SQLITE_OK;
    if (!gv_spool_open(self, false)) {
        *code = gv_spool_state_of(self->store->client) == GV_SPOOL_REFUSES ? self->writing.open_code : SQLITE_OK;
        return *code == SQLITE_OK;
    }
    *code = gv_spool_read_totals(self, totals);
    *rejects = *code == SQLITE_OK ? gv_spool_count_rejects(self) : 0;
    return *code == SQLITE_OK;
}

void gv_spool_describe(gv_spool *self, gavat_op *op)
{
    int code;
    int64_t rejects;
    gv_spool_totals totals;
    char oldest[28], why[240] = "";
    gv_text json = {0};
    if (!look(self, &totals, &rejects, &code)) {
        gv_sqlite_fail(op, &self->db, code, 0, "reading");
        return;
    }
    gv_spool_is_full(self, &totals, gv_now(op->client), why, sizeof why);
    gv_text_addf(&json, "{\"entries\":%lld,\"bytes\":%lld,\"oldest\":", (long long)depth_of(&totals), (long long)totals.bytes);
    gv_time_to_rfc(totals.oldest, oldest);
    gv_text_addf(&json, totals.oldest ? "\"%s\"" : "null", oldest);
    gv_text_adds(&json, ",\"path\":");
    gv_text_add_json(&json, self->path, strlen(self->path));
    gv_text_addf(&json, ",\"rejects\":%lld,\"waits_for\":", (long long)rejects);
    const char *waits = *why ? why : depth_of(&totals) ? self->away : "";
    gv_text_add_json(&json, waits, strlen(waits));
    gv_text_addc(&json, '}');
    gv_result *result = gv_op_result(op);
    op->staged.number = depth_of(&totals);
    if (result && gv_result_add_json(result, &json))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&json);
}

void gv_spool_check(gv_spool *self, gavat_op *op)
{
    int code;
    int64_t rejects;
    gv_spool_totals totals;
    char figure[80], why[240] = "";
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    if (!look(self, &totals, &rejects, &code)) {
        gv_check_add(op, "open", "fail", self->path, gv_sqlite_advice(code));
        return;
    }
    gavat_time now = gv_now(op->client);
    bool full = gv_spool_is_full(self, &totals, now, why, sizeof why), waits = depth_of(&totals) > 0;
    gv_check_add(op, "open", "ok", self->path, "");
    snprintf(figure, sizeof figure, "%lld writes, %lld bytes", (long long)depth_of(&totals), (long long)totals.bytes);
    gv_check_add(op, "depth", full ? "fail" : waits ? "warn" : "ok", figure, full ? why : waits ? "they go to the store when it is there" : "");
    if (totals.oldest) {
        snprintf(figure, sizeof figure, "%lld s old", (long long)((now - totals.oldest) / 1000000));
        gv_check_add(op, "oldest", full ? "fail" : "warn", figure, *self->away ? self->away : "");
    }
    snprintf(figure, sizeof figure, "%lld", (long long)rejects);
    gv_check_add(op, "rejects", rejects ? "warn" : "ok", figure, rejects ? "the store refused these: see gavatctl spool rejects" : "");
    gv_check_file_disk(self->path, op, "make room: the spool is what keeps writes while the store is away");
}
