/* schema.h: what the database of the events area is made of. steps.c names its parts, schema.c looks at them and makes them, partitions.c
 * cares for the months. */
#ifndef GV_EVENTS_POSTGRESQL_SCHEMA_H
#define GV_EVENTS_POSTGRESQL_SCHEMA_H
#include "postgresql.h"

#define GV_PG_VERSION 2
#define GV_PG_OLDEST_READER 1   /* the oldest library that may use tables of this version */
#define GV_PG_LOCK "7449366225121374311"        /* of pg_advisory_xact_lock: whoever changes the schema; ours by chance */
#define GV_PG_EXTENSION "CREATE EXTENSION IF NOT EXISTS pg_trgm"
#define GV_PG_STEPS_MOST 40
#define GV_PG_LOCK_TIMEOUT "SELECT set_config('lock_timeout', '1s', true)"     /* of a transaction */

typedef enum gv_pg_step_type { GV_PG_TABLE, GV_PG_COLUMN, GV_PG_INDEX } gv_pg_step_type;
enum {
    GV_PG_SEARCH = 1,           /* only with the search index */
    GV_PG_TRIGRAMS = 2,         /* only where pg_trgm is */
    GV_PG_SPARE = 4,            /* the library works without it too */
    GV_PG_UNIQUE = 8,
    GV_PG_STALE = 16,           /* an index of what is not folded as this library folds */
};

typedef struct gv_pg_step {
    gv_pg_step_type type;
    const char *name;           /* for people: "table event_logs" */
    const char *table;
    const char *object;         /* the column, the index; see gv_pg_step_object */
    unsigned flags;
    const char *body;           /* of a table its columns, of a column its type, of an index what stands behind its table */
    const char *time;           /* of a table that is partitioned by month: the column */
} gv_pg_step;

extern const gv_pg_step gv_pg_steps[];
extern const size_t gv_pg_step_count;

void gv_pg_step_object(const gv_pg_step *step, char out[64]);           /* the name of its table, column or index */
typedef enum gv_pg_way {
    GV_PG_PLAIN,                /* writers wait for it */
    GV_PG_BESIDE,               /* they do not; never in a transaction */
    GV_PG_ONLY,                 /* of a partitioned table, without its partitions */
} gv_pg_way;
/* name, on: of an index, when it is made for a partition; else NULL. */
void gv_pg_add_table_sql(gv_text *out, const gv_pg_step *step, bool partitioned);
void gv_pg_add_column_sql(gv_text *out, const gv_pg_step *step);
void gv_pg_add_index_sql(gv_text *out, const gv_pg_step *step, gv_pg_way way, const char *name, const char *on);
void gv_pg_step_checksum(const gv_pg_step *step, char out[17]);
void gv_pg_add_version_sql(gv_text *out);
void gv_pg_add_steps_sql(gv_text *out, const bool *there);      /* the record of those that are there */

/* An index whose build was interrupted: gone, unless it is whole meanwhile or somebody is still at it (then the lock is not to be had). */
void gv_pg_add_drop_broken_sql(gv_text *out, const char *table, const char *index);
/* A row for one partition that has no part of this index of its table yet: the partition, its index's name, and that one's state. */
void gv_pg_add_part_sql(gv_text *out, const char *table, const char *index);
extern const char gv_pg_mend_sequences[];

/* look.c */
#define GV_PG_KINDS 4
enum { GV_PG_MISSING, GV_PG_THERE_IS, GV_PG_BROKEN };   /* a broken index: its build was interrupted, or goes on, or partitions lack it */
typedef struct gv_pg_look {
    bool search_index, trigrams;
    unsigned char state[GV_PG_STEPS_MOST];
    bool partitioned[GV_PG_KINDS];
    const char *stranger;       /* a table of ours that lacks the original's columns */
    int64_t version, oldest;
    gv_text changed;            /* names of steps that were made in another form: a JSON list without its brackets */
} gv_pg_look;
void gv_pg_send_probe(gv_pg_job *job);
void gv_pg_take_probe(gv_pg_job *job, gv_pg_look *look, const PGresult *result);       /* notices a pooler too */
void gv_pg_send_version(gv_pg_job *job, const gv_pg_look *look, bool steps);    /* where the table gavat_schema is */
void gv_pg_take_version(gv_pg_look *look, int tag, const PGresult *result);
bool gv_pg_has_table(const gv_pg_look *look, const char *table);
bool gv_pg_is_partitioned(const gv_pg_look *look, const char *table);
bool gv_pg_is_empty(const gv_pg_look *look);
bool gv_pg_is_missing(const gv_pg_look *look, size_t step);
size_t gv_pg_first_missing(const gv_pg_look *look);             /* gv_pg_step_count: nothing is */
bool gv_pg_lacks_something(const gv_pg_look *look);             /* that it does not work without */
void gv_pg_describe_look(const gv_pg_look *look, gv_text *json);

/* partitions.c. months from the one that this time is in. Each does nothing where the table is not partitioned, or they are there. */
void gv_pg_add_months_sql(gv_text *out, const char *table, gavat_time time, unsigned months);
void gv_pg_add_before_sql(gv_text *out, const char *table, gavat_time time);    /* all before that month */
#endif
