/* admin.c: what an operator asks of the stores: checks and schema go to each of them through fan.c. The runs are on the
 * loop's thread. */
#include "requests.h"
#include "../core/client.h"

enum { CHECK_STORES = 5, GET_SCHEMA, UPGRADE_SCHEMA, GET_SCHEMA_SQL };     /* among the kinds that the client serves */

static void run_check(gavat *g, gavat_op *op)
{
    static const gv_kind text_log = {"check_stores", GV_TEXT_LOG, 2, 0, NULL};
    const gv_kind *const kinds[GV_AREA_COUNT] = {
        [GV_EVENTS] = &gv_events_ops[GV_CHECK_EVENTS],
        [GV_TEXT_LOG] = &text_log,
    };
    gv_fan_out(g, op, kinds);
}

static void run_schema(gavat *g, gavat_op *op)
{
    const gv_kind *const kinds[GV_AREA_COUNT] = {[GV_EVENTS] = &gv_events_ops[GV_SCHEMA_EVENTS]};
    gv_fan_out(g, op, kinds);
}

static void run_upgrade(gavat *g, gavat_op *op)
{
    const gv_kind *const kinds[GV_AREA_COUNT] = {[GV_EVENTS] = &gv_events_ops[GV_UPGRADE_EVENTS]};
    if (gv_op_take(op))         /* from here on nobody may say that nothing was done */
        gv_fan_out(g, op, kinds);
    else
        gv_op_finish(op);
}

static void run_schema_sql(gavat *g, gavat_op *op)
{
    gv_text text = {0};
    (void)g;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_result *result = gv_events_schema_sql(&text) && !text.failed ? gv_op_result(op) : NULL;
    if (!result || !gv_result_set_text(result, gv_text_get(&text), text.length))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&text);
    gv_op_finish(op);
}

static const gv_kind check_kind = {"check_stores", GV_CORE, CHECK_STORES, 0, run_check};
static const gv_kind schema_kind = {"get_schema", GV_CORE, GET_SCHEMA, 0, run_schema};
static const gv_kind upgrade_kind = {"upgrade_schema", GV_CORE, UPGRADE_SCHEMA, GV_LONG, run_upgrade};
static const gv_kind schema_sql_kind = {"get_schema_sql", GV_CORE, GET_SCHEMA_SQL, 0, run_schema_sql};

void gavat_check_stores(gavat_op *op)
{
    if (gv_op_begin(op, &check_kind))
        gv_op_submit(op);
}

void gavat_get_schema(gavat_op *op)
{
    if (gv_op_begin(op, &schema_kind))
        gv_op_submit(op);
}

void gavat_upgrade_schema(gavat_op *op, int32_t dry_run)
{
    if (!gv_op_begin(op, &upgrade_kind))
        return;
    gv_upgrade_request *request = gv_op_request(op, sizeof *request);
    if (!request)
        return;
    request->dry_run = dry_run > 0 ? 1 : 0;
    gv_op_submit(op);
}

void gavat_get_schema_sql(gavat_op *op)
{
    if (gv_op_begin(op, &schema_sql_kind))
        gv_op_submit(op);
}
