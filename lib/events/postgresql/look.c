/* look.c: what there is of the schema in the database. */
#include "schema.h"

static const gv_record_kind *const kinds[GV_PG_KINDS] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};

static void add_step_test(gv_text *sql, const gv_pg_step *step)
{
    char object[64];
    gv_pg_step_object(step, object);
    if (step->type == GV_PG_TABLE)
        gv_text_addf(sql, "(to_regclass('%s') IS NOT NULL)::int", step->table);
    else if (step->type == GV_PG_COLUMN)
        gv_text_addf(sql, "EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('%s') AND attname = '%s' AND NOT attisdropped)::int",
                     step->table, object);
    else
        gv_text_addf(sql, "coalesce((SELECT CASE WHEN indisvalid THEN 1 ELSE 2 END FROM pg_index WHERE indexrelid = to_regclass('%s')), 0)",
                     object);
}

/* A table of that name which lacks the original's columns is somebody else's. */
static void add_stranger_test(gv_text *sql, const gv_record_kind *kind)
{
    size_t needed = 0;
    gv_text_addf(sql, ", to_regclass('%s') IS NOT NULL AND (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('%s') "
                 "AND NOT attisdropped AND attname IN (", kind->table, kind->table);
    for (size_t i = 0; i < kind->count; i++)
        if (&kind->fields[i] != kind->uid)
            gv_text_addf(sql, "%s'%s'", needed++ ? ", " : "", kind->fields[i].name);
    gv_text_addf(sql, ")) < %zu", needed);
}

void gv_pg_send_probe(gv_pg_job *job)
{
    gv_text sql = {0};
    gv_pg_params params = {0};
    gv_text_adds(&sql, "SELECT pg_backend_pid(), EXISTS (SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid))");
    for (size_t i = 0; i < gv_pg_step_count; i++) {
        gv_text_adds(&sql, ", ");
        add_step_test(&sql, &gv_pg_steps[i]);
    }
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        add_stranger_test(&sql, kinds[i]);
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        gv_text_addf(&sql, ", EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass('%s') AND relkind = 'p')", kinds[i]->table);
    params.failed = sql.failed;
    gv_pg_send_once(job, gv_text_get(&sql), &params, 0);
    gv_text_free(&sql);
}

void gv_pg_take_probe(gv_pg_job *job, gv_pg_look *look, const PGresult *result)
{
    int column = 0;
    /* A pooler makes up the process id that it tells at the login. */
    bool pooled = gv_pg_integer(result, 0, column++) != PQbackendPID(job->on->pg);
    job->self->unnamed = pooled || (job->self->unnamed && job->self->opening != job);
    look->trigrams = gv_pg_integer(result, 0, column++);
    for (size_t i = 0; i < gv_pg_step_count; i++)
        look->state[i] = (unsigned char)gv_pg_integer(result, 0, column++);
    look->stranger = NULL;
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        if (gv_pg_integer(result, 0, column++))
            look->stranger = kinds[i]->table;
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        look->partitioned[i] = gv_pg_integer(result, 0, column++);
}

bool gv_pg_has_table(const gv_pg_look *look, const char *table)
{
    for (size_t i = 0; i < gv_pg_step_count; i++)
        if (gv_pg_steps[i].type == GV_PG_TABLE && strcmp(gv_pg_steps[i].table, table) == 0)
            return look->state[i] == GV_PG_THERE_IS;
    return false;
}

bool gv_pg_is_partitioned(const gv_pg_look *look, const char *table)
{
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        if (strcmp(kinds[i]->table, table) == 0)
            return look->partitioned[i];
    return false;
}

bool gv_pg_is_empty(const gv_pg_look *look)
{
    for (size_t i = 0; i < GV_PG_KINDS; i++)
        if (gv_pg_has_table(look, kinds[i]->table))
            return false;
    return true;
}

/* Columns of a table that is still to be made come with it. */
bool gv_pg_is_missing(const gv_pg_look *look, size_t step)
{
    const gv_pg_step *at = &gv_pg_steps[step];
    if (look->state[step] == GV_PG_THERE_IS || (at->flags & GV_PG_SEARCH && !look->search_index)
        || (at->flags & GV_PG_TRIGRAMS && !look->trigrams))
        return false;
    return at->type != GV_PG_COLUMN || gv_pg_has_table(look, at->table);
}

size_t gv_pg_first_missing(const gv_pg_look *look)
{
    size_t i = 0;
    while (i < gv_pg_step_count && !gv_pg_is_missing(look, i))
        i++;
    return i;
}

/* Without what is only for speed it works too. */
bool gv_pg_lacks_something(const gv_pg_look *look)
{
    for (size_t i = 0; i < gv_pg_step_count; i++)
        if (!(gv_pg_steps[i].flags & (GV_PG_SEARCH | GV_PG_SPARE)) && gv_pg_is_missing(look, i))
            return true;
    return look->version < 1;
}

void gv_pg_send_version(gv_pg_job *job, const gv_pg_look *look, bool steps)
{
    gv_pg_params none = {0};
    gv_pg_send_once(job, "SELECT version, oldest_reader FROM gavat_schema WHERE area = 'events'", &none, 0);
    if (steps && gv_pg_has_table(look, "gavat_schema_steps"))
        gv_pg_send_once(job, "SELECT step, checksum FROM gavat_schema_steps WHERE area = 'events' ORDER BY step", &none, 1);
}

void gv_pg_take_version(gv_pg_look *look, int tag, const PGresult *result)
{
    char checksum[17];
    if (tag == 0 && PQntuples(result)) {
        look->version = gv_pg_integer(result, 0, 0);
        look->oldest = gv_pg_integer(result, 0, 1);
    }
    gv_text_clear(&look->changed);
    for (int row = 0; tag == 1 && row < PQntuples(result); row++)
        for (size_t i = 0; i < gv_pg_step_count; i++) {
            gv_pg_step_checksum(&gv_pg_steps[i], checksum);
            if (strcmp(gv_pg_steps[i].name, gv_pg_string(result, row, 0)) == 0 && strcmp(checksum, gv_pg_string(result, row, 1)) != 0)
                gv_text_addf(&look->changed, "%s\"%s\"", look->changed.length ? "," : "", gv_pg_steps[i].name);
        }
}

void gv_pg_describe_look(const gv_pg_look *look, gv_text *json)
{
    size_t missing = 0;
    gv_text_addf(json, "{\"store\":\"events\",\"version\":%lld,\"wanted\":%d,\"steps\":[", (long long)look->version, GV_PG_VERSION);
    for (size_t i = 0; i < gv_pg_step_count; i++)
        if (gv_pg_is_missing(look, i))
            gv_text_addf(json, "%s\"%s\"", missing++ ? "," : "", gv_pg_steps[i].name);
    bool behind = missing || look->version < GV_PG_VERSION;
    gv_text_addf(json, "],\"changed\":[%s],\"state\":\"%s\"}", gv_text_get(&look->changed),
                 look->oldest > GV_PG_VERSION ? "too new" : behind ? "to be upgraded" : "up to date");
    json->failed |= look->changed.failed;
}
