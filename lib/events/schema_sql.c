/* schema_sql.c: gavat_get_schema_sql. */
#include "requests.h"
#include "../core/client.h"

static void run(gavat *g, gavat_op *op)
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

static const gv_kind kind = {"get_schema_sql", GV_CORE, GV_PLACES - 1, 0, run};

void gavat_get_schema_sql(gavat_op *op)
{
    if (gv_op_begin(op, &kind))
        gv_op_submit(op);
}
