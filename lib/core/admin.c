/* admin.c: what an operator asks of the stores: checks and schema go to each area that has a row for it. The runs are on the
 * loop's thread. */
#include "client.h"

enum { CHECK_STORES = 5, GET_SCHEMA, UPGRADE_SCHEMA };         /* among the kinds that the client serves */

static void run_check(gavat *g, gavat_op *op)
{
    const gv_kind *kinds[GV_AREA_COUNT];
    for (unsigned area = 0; area < GV_AREA_COUNT; area++)
        kinds[area] = gv_areas[area].check;
    gv_fan_out(g, op, kinds);
}

static void run_schema(gavat *g, gavat_op *op)
{
    const gv_kind *kinds[GV_AREA_COUNT];
    for (unsigned area = 0; area < GV_AREA_COUNT; area++)
        kinds[area] = gv_areas[area].schema;
    gv_fan_out(g, op, kinds);
}

static void run_upgrade(gavat *g, gavat_op *op)
{
    const gv_kind *kinds[GV_AREA_COUNT];
    for (unsigned area = 0; area < GV_AREA_COUNT; area++)
        kinds[area] = gv_areas[area].upgrade;
    if (gv_op_take(op))         /* from here on nobody may say that nothing was done */
        gv_fan_out(g, op, kinds);
    else
        gv_op_finish(op);
}

static const gv_kind check_kind = {"check_stores", GV_CORE, CHECK_STORES, 0, run_check};
static const gv_kind schema_kind = {"get_schema", GV_CORE, GET_SCHEMA, 0, run_schema};
static const gv_kind upgrade_kind = {"upgrade_schema", GV_CORE, UPGRADE_SCHEMA, GV_LONG, run_upgrade};

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
