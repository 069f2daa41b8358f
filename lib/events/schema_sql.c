/* schema_sql.c: gavat_get_schema_sql. */
#include "requests.h"
#include "../core/client.h"

static void add_sql(gavat *g, gv_text *out)
{
    const gv_backend *backend = g->stores[GV_EVENTS].backend;
#ifdef GV_WITH_POSTGRESQL
    if (backend && strcmp(backend->name, "postgresql") == 0) {
        gv_pg_add_schema_sql(out, gv_now(g), (unsigned)gv_config_number(g->config, GV_SET_PG_PARTITIONS));
        return;
    }
#endif
    (void)backend;
    gv_sqlite_add_schema_sql(out);
}

static void run(gavat *g, gavat_op *op)
{
    gv_text text = {0};
    add_sql(g, &text);
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_result *result = !text.failed ? gv_op_result(op) : NULL;
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
