/* report.c: what the client knows without asking a store: metrics, health, settings; and what it asks all of them. Loop's thread. */
#include "../base/clock.h"
#include "client.h"
#include <inttypes.h>

/* Ends op with text as its text. */
static void finish_text(gavat_op *op, gv_text *text)
{
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_result *result = gv_op_result(op);
    if (text->failed || !result || !gv_result_set_text(result, gv_text_get(text), text->length))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(text);
    gv_op_finish(op);
}

static void add_member(gv_text *out, const char *key, const char *value)
{
    gv_text_addf(out, "%s\"%s\":", out->data && out->data[out->length - 1] != '{' ? "," : "", key);
    gv_text_add_json(out, value, strlen(value));
}

static void run_metrics(gavat *g, gavat_op *op)
{
    gv_text text = {0};
    pthread_mutex_lock(&g->lock);
    gv_text_addf(&text, "{\"live\":%zu,\"bytes\":%zu,\"refused\":%" PRIu64 ",\"committed\":%" PRIu64 ",\"spooled\":%" PRIu64
                 ",\"failed\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"operations\":{", atomic_load(&g->live), atomic_load(&g->bytes),
                 (uint64_t)atomic_load(&g->refusals), g->committed, g->spooled, g->failed, g->unknown);
    bool first = true;
    for (unsigned area = 0; area <= GV_AREA_COUNT; area++)
        for (unsigned place = 0; place < GV_PLACES; place++) {
            if (!g->metrics[area][place])
                continue;
            gv_text_addf(&text, "%s\"%s\":", first ? "" : ",", g->metric_kinds[area][place]->name);
            gv_metric_print(g->metrics[area][place], &text);
            first = false;
        }
    pthread_mutex_unlock(&g->lock);
    gv_text_adds(&text, "}}");
    finish_text(op, &text);
}

/* Ends op after its records have been added; added false: there was no memory. */
static void finish_records(gavat_op *op, bool added)
{
    if (added)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_op_finish(op);
}

static bool add_record(gavat_op *op, gv_text *record)
{
    gv_text_addc(record, '}');
    gv_result *result = gv_op_result(op);
    bool added = result && gv_result_add_json(result, record);
    gv_text_free(record);
    return added;
}

static bool add_health(gavat *g, gavat_op *op, gv_store *store)
{
    static const char *const names[] = {"up", "degraded", "down"};
    char since[28];
    gv_text record = {0};
    gv_text_addc(&record, '{');
    add_member(&record, "store", gv_areas[store->backend->area].name);
    add_member(&record, "backend", store->backend->name);
    add_member(&record, "url", store->shown);
    pthread_mutex_lock(&g->lock);
    add_member(&record, "state", names[store->health]);
    add_member(&record, "reason", store->reason);
    gv_time_to_rfc(store->since, since);
    if (op->staged.number < store->health)
        op->staged.number = store->health;
    bool known = store->since != 0;
    pthread_mutex_unlock(&g->lock);
    if (known)
        add_member(&record, "since", since);
    return add_record(op, &record);
}

static void run_health(gavat *g, gavat_op *op)
{
    bool added = true;
    for (unsigned area = 0; area < GV_AREA_COUNT; area++)
        if (g->stores[area].backend)
            added = added && add_health(g, op, &g->stores[area]);
    finish_records(op, added);
}

static bool add_setting(gavat *g, gavat_op *op, gv_setting_id id)
{
    gv_text record = {0}, allowed = {0};
    gv_setting_add_allowed(&allowed, &gv_settings[id]);
    gv_text_addc(&record, '{');
    add_member(&record, "key", gv_settings[id].key);
    add_member(&record, "value", gv_config_shown(g->config, id));
    add_member(&record, "source", gv_config_source(g->config, id));
    add_member(&record, "default", gv_settings[id].fallback);
    add_member(&record, "allowed", gv_text_get(&allowed));
    add_member(&record, "help", gv_settings[id].help);
    bool added = add_record(op, &record) && !allowed.failed;
    gv_text_free(&allowed);
    return added;
}

static void run_settings(gavat *g, gavat_op *op)
{
    bool added = true;
    for (unsigned id = 0; id < GV_SETTING_COUNT; id++)
        added = add_setting(g, op, (gv_setting_id)id) && added;
    const char *name;
    for (size_t i = 0; (name = gv_config_ignored(g->config, i)); i++) {
        gv_text record = {0};
        gv_text_addc(&record, '{');
        add_member(&record, "key", name);
        gv_text_adds(&record, ",\"ignored\":true");
        added = add_record(op, &record) && added;
    }
    finish_records(op, added);
}

static const gv_kind metrics_kind = {"get_metrics", GV_CORE, 2, GV_URGENT, run_metrics};
static const gv_kind health_kind = {"get_health", GV_CORE, 3, GV_URGENT, run_health};
static const gv_kind settings_kind = {"get_settings", GV_CORE, 4, 0, run_settings};

void gavat_get_metrics(gavat_op *op, gavat_metrics_format format)
{
    if (!gv_op_begin(op, &metrics_kind))
        return;
    if (format == GAVAT_METRICS_JSON)
        gv_op_submit(op);
    else
        gv_op_refuse(op, GAVAT_EINVAL, "get_metrics: there is no format %d; use GAVAT_METRICS_JSON", (int)format);
}

void gavat_get_health(gavat_op *op)
{
    if (gv_op_begin(op, &health_kind))
        gv_op_submit(op);
}

void gavat_get_settings(gavat_op *op)
{
    if (gv_op_begin(op, &settings_kind))
        gv_op_submit(op);
}
