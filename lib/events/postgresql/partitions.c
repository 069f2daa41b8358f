/* partitions.c: the months of the partitioned tables. They are made ahead, and when a record comes that has none. */
#include "schema.h"
#include "../../base/clock.h"
#include <stdio.h>

#define LOOK UINT64_C(3600000000000)    /* nanoseconds between two looks at the months ahead */
#define MONTHS_MOST 4096                /* from 1970; no record's time lies beyond */

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind};
#define KINDS (sizeof kinds / sizeof *kinds)

/* --- SQL --- */

/* Counted from 1970. */
static unsigned month_of(gavat_time time)
{
    char text[28];
    unsigned year = 0, month = 1;
    gv_time_to_rfc(time, text);
    sscanf(text, "%4u-%2u", &year, &month);
    return year < 1970 ? 0 : (year - 1970) * 12 + month - 1;
}

/* The table is made apart and attached, so that nobody waits who works on the others. A table of that name that is not attached stays as it
 * is, and a month that lies in another partition needs none. */
static const char make_months[] =
    "\tFOR i IN 1..months LOOP\n"
    "\t\tname := base || to_char(month, '_YYYYMM');\n"
    "\t\tLOOP\n"
    "\t\t\ttaken := to_regclass(format('%I.%I', place, name));\n"
    "\t\t\tEXIT WHEN taken IS NULL OR EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = parent AND inhrelid = taken);\n"
    "\t\t\tname := name || '_';\n"
    "\t\tEND LOOP;\n"
    "\t\tIF taken IS NULL THEN\n"
    "\t\t\tBEGIN\n"
    "\t\t\t\tEXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS)', "
    "place, name, parent);\n"
    "\t\t\t\tEXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', parent, place, name, "
    "to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');\n"
    "\t\t\tEXCEPTION WHEN invalid_object_definition THEN\n"
    "\t\t\t\tNULL;\n"
    "\t\t\tEND;\n"
    "\t\tEND IF;\n"
    "\t\tmonth := month + interval '1 month';\n"
    "\tEND LOOP;\n";

static void add_months(gv_text *out, const char *table, unsigned month, unsigned count)
{
    gv_text_addf(out, "DO $gavat$\nDECLARE\n\tbase text := '%s';\n\tmonth timestamp := make_timestamp(%u, %u, 1, 0, 0, 0);\n"
                 "\tmonths integer := %u;\n\tparent regclass := to_regclass(base);\n\tplace text;\n\tname text;\n\ttaken regclass;\nBEGIN\n",
                 table, 1970 + month / 12, month % 12 + 1, count);
    gv_text_adds(out, "\tSELECT n.nspname INTO place FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
                 "WHERE c.oid = parent AND c.relkind = 'p';\n\tIF place IS NULL THEN\n\t\tRETURN;\n\tEND IF;\n"
                 "\tPERFORM pg_advisory_xact_lock(" GV_PG_LOCK ");\n");
    gv_text_adds(out, make_months);
    gv_text_adds(out, "END $gavat$");
}

void gv_pg_add_months_sql(gv_text *out, const char *table, gavat_time time, unsigned months)
{
    add_months(out, table, month_of(time), months);
}

void gv_pg_add_before_sql(gv_text *out, const char *table, gavat_time time)
{
    unsigned month = month_of(time);
    gv_text_addf(out, "CREATE TABLE IF NOT EXISTS %s_before PARTITION OF %s FOR VALUES FROM (MINVALUE) TO ('%04u-%02u-01 00:00:00+00')", table,
                 table, 1970 + month / 12, month % 12 + 1);
}

static void send_months(gv_pg_job *job, const char *table, unsigned month, unsigned count)
{
    gv_text sql = {0};
    gv_pg_params none = {0};
    add_months(&sql, table, month, count);
    none.failed = sql.failed;
    gv_pg_send_once(job, gv_text_get(&sql), &none, -1);
    gv_text_free(&sql);
}

/* --- on demand --- */

static void make_for(gv_pg_job *job, const gv_record_kind *kind, const gv_pg_item *items, size_t count)
{
    unsigned char wanted[MONTHS_MOST / 8] = {0};
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind != kind)
            continue;
        unsigned month = month_of(*(const gavat_time *)gv_field_at(items[i].record, kind->time));
        if (month < MONTHS_MOST)
            wanted[month / 8] |= (unsigned char)(1 << month % 8);
    }
    for (unsigned month = 0; month < MONTHS_MOST; month++)
        if (wanted[month / 8] >> month % 8 & 1)
            send_months(job, kind->table, month, 1);
}

bool gv_pg_mend_months(gv_pg_job *job, const gv_pg_failure *failure, const gv_pg_item *items, size_t count)
{
    if (job->mending) {
        job->mending = false;
        job->mended = !failure;
        if (!failure)
            job->begin(job);
        return !failure;
    }
    if (!failure || failure->lost || !failure->no_partition || job->mended)
        return false;
    job->mending = job->mended = true;
    for (size_t i = 0; i < KINDS; i++)
        make_for(job, kinds[i], items, count);
    gv_pg_sync(job);
    return true;
}

/* --- ahead --- */

static void finish(gv_pg_job *job)
{
    gv_pg *self = job->self;
    gv_free(job);
    self->months_busy = false;
    self->months_at = gv_clock_steady() + LOOK;
    gv_pg_hand_out(self);
}

static bool is_wanted(const gv_pg_job *job)
{
    return !job->self->closing;
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    (void)failure;
    finish(job);
}

static void begin(gv_pg_job *job)
{
    gavat_time now = gv_now(job->self->store->client);
    for (size_t i = 0; i < KINDS; i++)
        send_months(job, kinds[i]->table, month_of(now), job->self->months + 1);
    gv_pg_sync(job);
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg *self = job->self;
    if (failure && !failure->lost && !self->closing)
        gv_log(self->store->client, GAVAT_LOG_WARN, "events", "the partitions of the months ahead could not be made in %s: %s",
               self->store->shown, failure->text);
    finish(job);
}

void gv_pg_start_months(gv_pg *self)
{
    gv_pg_job *job = gv_pg_job_new(self, sizeof *job, NULL);
    self->months_at = gv_clock_steady() + LOOK;
    if (!job)
        return;
    self->months_busy = true;
    job->begin = begin;
    job->ended = ended;
    job->wanted = is_wanted;
    job->drop = drop;
    job->heavy = true;
    gv_pg_queue_read(self, job);
}
