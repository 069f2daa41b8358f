/* schema.c: the tables of the events area in PostgreSQL. An empty database gets them when it is opened, in one transaction under an advisory
 * lock, so that several programs may begin at once. What is there already is only changed by an upgrade: it looks, makes the first thing that is
 * missing, and looks again. Nothing is rewritten, no lock that others wait behind is waited for long, and indexes are built
 * beside the writers. */
#include "schema.h"
#include "../../base/clock.h"
#include <stdio.h>

#define LOCK "SELECT pg_advisory_xact_lock(" GV_PG_LOCK ")"
#define PAUSE UINT64_C(300000000)       /* nanoseconds, after a lock was not to be had */
#define TRIES 100                       /* … or somebody else was at it */
#define LOOKS_MOST 5000
#define UNCOUPLED UINT64_C(20000000000)         /* nanoseconds for a round that nobody waits for */

typedef enum gv_pg_stage { PROBE, READ_VERSION, EXTEND, CREATE, ADD, DROP_BROKEN, BUILD, FIND_PART, ATTACH, COMPLETE } gv_pg_stage;

typedef struct gv_pg_schema {
    gv_pg_job job;
    gavat_op *op;
    gv_pg_stage stage;
    gv_pg_look look;
    bool opening, extended, failed;
    bool uncoupled;             /* gavat_open has had its answer: op is one of ours, which nobody hears of */
    bool sure;                  /* nobody was changing the tables during the last look */
    bool done[GV_PG_STEPS_MOST];        /* by this upgrade */
    size_t at;                  /* the step under way */
    unsigned looks, tries;
    char part[200], part_index[200];    /* of a partitioned table whose index is made: the partition at hand, none: ""; the index there */
    unsigned char part_state;
} gv_pg_schema;

static void finish(gv_pg_schema *schema)
{
    gv_pg *self = schema->job.self;
    gavat_op *op = schema->op;
    if (schema->opening) {
        self->opening = NULL;
        if (op->staged.error.status == GAVAT_OK) {
            gv_pg_say_health(self, "");
            self->fold_due = self->search_index;
            gv_spool_wake(self->store->client);
        } else if (schema->uncoupled && !self->closing) {
            gv_pg_say_health(self, op->staged.error.message);
            gv_log(self->store->client, GAVAT_LOG_ERROR, "events", "%s", op->staged.error.message);
        }
    }
    gv_text_free(&schema->look.changed);
    gv_free(schema);
    gv_op_finish(op);
    gv_pg_hand_out(self);
}

static bool is_wanted(const gv_pg_job *job)
{
    const gv_pg_schema *schema = (const gv_pg_schema *)job;
    return schema->uncoupled || gv_op_wanted(schema->op);
}

static bool is_changing(const gv_pg_schema *schema)
{
    return schema->stage >= CREATE && schema->stage != FIND_PART;
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_schema *schema = (gv_pg_schema *)job;
    bool changing = is_changing(schema);
    gv_op_drop_result(schema->op);
    if (changing && gv_pg_is_refusal(failure))
        gv_op_fail(schema->op, GAVAT_ESCHEMA, 0, failure->state, "events: %s could not be made in %s: %s",
                   schema->stage == CREATE ? "the tables" : gv_pg_steps[schema->at].name, job->self->store->shown, failure->text);
    else
        gv_pg_fail(schema->op, failure, failure->lost && changing ? GAVAT_ERROR_MAYBE_APPLIED : 0,
                   schema->opening ? "opening" : changing ? "upgrading" : "reading");
    finish(schema);
}

/* --- changing --- */

static void send_plain(gv_pg_schema *schema, gv_text *sql)
{
    gv_pg_params none = {.failed = sql->failed};
    gv_pg_send_once(&schema->job, gv_text_get(sql), &none, -1);
    gv_text_clear(sql);
}

static void send_words(gv_pg_schema *schema, const char *sql)
{
    gv_pg_params none = {0};
    gv_pg_send_once(&schema->job, sql, &none, -1);
}

/* A table, with its partitions when it has some. */
static void send_table(gv_pg_schema *schema, const gv_pg_step *step, gv_text *sql)
{
    gavat_time now = gv_now(schema->job.self->store->client);
    unsigned ahead = schema->job.self->months;
    gv_pg_add_table_sql(sql, step, ahead);
    send_plain(schema, sql);
    if (!step->time || !ahead)
        return;
    gv_pg_add_before_sql(sql, step->table, now);
    send_plain(schema, sql);
    gv_pg_add_months_sql(sql, step->table, now, ahead + 1);
    send_plain(schema, sql);
}

/* Where nothing is yet: all at once, or nothing. */
static void create(gv_pg_schema *schema)
{
    gv_text sql = {0};
    send_words(schema, LOCK);
    for (size_t i = 0; i < gv_pg_step_count; i++) {
        const gv_pg_step *step = &gv_pg_steps[i];
        if (!gv_pg_is_missing(&schema->look, i))
            continue;
        schema->done[i] = true;
        if (step->type == GV_PG_TABLE) {
            send_table(schema, step, &sql);
            continue;
        }
        gv_pg_add_index_sql(&sql, step, GV_PG_PLAIN, NULL, NULL);
        send_plain(schema, &sql);
    }
    gv_text_free(&sql);
}

/* A table, a column, or of a partitioned table's index the one that holds those of the partitions. */
static void add(gv_pg_schema *schema)
{
    const gv_pg_step *step = &gv_pg_steps[schema->at];
    gv_text sql = {0};
    send_words(schema, GV_PG_LOCK_TIMEOUT);
    send_words(schema, LOCK);
    if (step->type == GV_PG_TABLE)
        send_table(schema, step, &sql);
    else if (step->type == GV_PG_COLUMN)
        gv_pg_add_column_sql(&sql, step);
    else
        gv_pg_add_index_sql(&sql, step, GV_PG_ONLY, NULL, NULL);
    if (sql.length)
        send_plain(schema, &sql);
    gv_text_free(&sql);
}

/* The index at hand: the step's, or of a partition. */
static const char *index_name(const gv_pg_schema *schema, char own[64])
{
    if (*schema->part)
        return schema->part_index;
    gv_pg_step_object(&gv_pg_steps[schema->at], own);
    return own;
}

/* Whoever builds it holds a lock that this one waits for: it is looked at again under that lock. */
static void drop_broken(gv_pg_schema *schema)
{
    char own[64];
    gv_text sql = {0};
    const char *index = index_name(schema, own);
    send_words(schema, GV_PG_LOCK_TIMEOUT);
    gv_pg_add_drop_broken_sql(&sql, *schema->part ? schema->part : gv_pg_steps[schema->at].table, index);
    send_plain(schema, &sql);
    gv_text_free(&sql);
}

static void build(gv_pg_schema *schema)
{
    gv_text sql = {0};
    const gv_pg_step *step = &gv_pg_steps[schema->at];
    const char *name = strrchr(schema->part_index, '.');        /* it comes to lie where its table is */
    name = name ? name + 1 : schema->part_index;
    gv_pg_add_index_sql(&sql, step, GV_PG_BESIDE, *schema->part ? name : NULL, *schema->part ? schema->part : NULL);
    gv_pg_send_alone(&schema->job, sql.failed ? NULL : gv_text_get(&sql), 0);
    gv_text_free(&sql);
}

/* A partition that lacks the index, what it is called there, and how far it is. */
static void find_part(gv_pg_schema *schema)
{
    char own[64];
    gv_text sql = {0};
    gv_pg_params params = {0};
    gv_pg_step_object(&gv_pg_steps[schema->at], own);
    gv_pg_add_part_sql(&sql, gv_pg_steps[schema->at].table, own);
    params.failed = sql.failed;
    gv_pg_send_once(&schema->job, gv_text_get(&sql), &params, 0);
    gv_text_free(&sql);
}

static void take_part(gv_pg_schema *schema, const PGresult *result)
{
    *schema->part = '\0';
    if (!PQntuples(result))
        return;
    snprintf(schema->part, sizeof schema->part, "%s", gv_pg_string(result, 0, 0));
    snprintf(schema->part_index, sizeof schema->part_index, "%s", gv_pg_string(result, 0, 1));
    schema->part_state = (unsigned char)gv_pg_integer(result, 0, 2);
}

static void attach(gv_pg_schema *schema)
{
    char own[64];
    gv_text sql = {0};
    gv_pg_step_object(&gv_pg_steps[schema->at], own);
    send_words(schema, GV_PG_LOCK_TIMEOUT);
    gv_text_addf(&sql, "ALTER INDEX %s ATTACH PARTITION %s", own, schema->part_index);
    send_plain(schema, &sql);
    gv_text_free(&sql);
}

static void complete(gv_pg_schema *schema)
{
    gv_text sql = {0};
    bool there[GV_PG_STEPS_MOST];
    for (size_t i = 0; i < gv_pg_step_count; i++)
        there[i] = schema->done[i] || schema->look.state[i] == GV_PG_THERE_IS;
    send_words(schema, GV_PG_LOCK_TIMEOUT);
    send_words(schema, LOCK);
    send_words(schema, gv_pg_mend_sequences);
    gv_pg_add_version_sql(&sql);
    send_plain(schema, &sql);
    gv_pg_add_steps_sql(&sql, there);
    send_plain(schema, &sql);
    gv_text_free(&sql);
}

static void begin(gv_pg_job *job)
{
    gv_pg_schema *schema = (gv_pg_schema *)job;
    if (schema->uncoupled)
        job->due = gv_clock_steady() + UNCOUPLED;
    switch (schema->stage) {
    case PROBE:
        if (schema->sure)
            send_words(schema, LOCK);   /* waits for whoever is at it; the look that follows sees all of what he did */
        gv_pg_send_probe(job);
        break;
    case READ_VERSION: gv_pg_send_version(job, &schema->look, !schema->opening); break;
    case EXTEND: send_words(schema, GV_PG_EXTENSION); break;
    case CREATE: create(schema); complete(schema); break;
    case ADD: add(schema); break;
    case DROP_BROKEN: drop_broken(schema); break;
    case BUILD: build(schema); break;
    case FIND_PART: find_part(schema); break;
    case ATTACH: attach(schema); break;
    case COMPLETE: complete(schema); break;
    }
    gv_pg_sync(job);
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_schema *schema = (gv_pg_schema *)job;
    if (schema->stage == PROBE)
        gv_pg_take_probe(job, &schema->look, result);
    else if (schema->stage == READ_VERSION)
        gv_pg_take_version(&schema->look, tag, result);
    else if (schema->stage == FIND_PART)
        take_part(schema, result);
}

/* --- answers --- */

static void list_steps(gv_pg_schema *schema, bool dry)
{
    for (size_t i = 0; i < gv_pg_step_count && !schema->opening; i++) {
        if (dry ? !gv_pg_is_missing(&schema->look, i) : !schema->done[i])
            continue;
        gv_text json = {0};
        gv_result *result = gv_op_result(schema->op);
        gv_text_addf(&json, "{\"store\":\"events\",\"step\":\"%s\",\"result\":\"%s\"}", gv_pg_steps[i].name, dry ? "would do" : "done");
        schema->failed |= !result || !gv_result_add_json(result, &json);
        gv_text_free(&json);
    }
}

static void succeed(gv_pg_schema *schema, gavat_reached reached)
{
    gv_op_succeed(schema->op, reached);
    if (schema->failed)
        gv_op_fail(schema->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory for the answer");
    finish(schema);
}

/* True: the op has failed for good. */
static bool is_unfit(gv_pg_schema *schema)
{
    gavat_op *op = schema->op;
    schema->job.self->unfit = schema->look.oldest > GV_PG_VERSION || schema->look.stranger;
    const char *shown = schema->job.self->store->shown;
    if (schema->look.oldest > GV_PG_VERSION)
        gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: %s was made by a newer library (schema %lld, this one reads up to %d): update "
                   "libgavatcore", shown, (long long)schema->look.version, GV_PG_VERSION);
    else if (schema->look.stranger)
        gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: the table %s in %s is not of the shape known here: use another database or search_path",
                   schema->look.stranger, shown);
    else if (schema->opening && !gv_pg_is_empty(&schema->look) && gv_pg_lacks_something(&schema->look))
        gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: the tables in %s are of an older form: see gavatctl schema status, then run gavatctl init",
                   shown);
    else
        return false;
    return true;
}

/* How the first missing thing is made. */
static gv_pg_stage stage_of(gv_pg_schema *schema)
{
    const gv_pg_step *step = &gv_pg_steps[schema->at];
    bool parts = gv_pg_is_partitioned(&schema->look, step->table);
    *schema->part = '\0';
    if (step->type != GV_PG_INDEX)
        return ADD;
    if (schema->look.state[schema->at] == GV_PG_MISSING)
        return parts ? ADD : BUILD;
    return parts ? FIND_PART : DROP_BROKEN;
}

/* All is known: what comes next. True: another round. */
static bool decide(gv_pg_schema *schema)
{
    const gv_upgrade_request *request = schema->op->request;
    bool upgrading = schema->op->kind->place == GV_UPGRADE_EVENTS && !schema->opening;
    if (!schema->opening && !upgrading) {
        gv_text json = {0};
        gv_result *result = gv_op_result(schema->op);
        gv_pg_describe_look(&schema->look, &json);
        schema->failed = !result || !gv_result_add_json(result, &json);
        gv_text_free(&json);
        succeed(schema, GAVAT_REACHED_NONE);
        return false;
    }
    if (is_unfit(schema)) {
        if (!schema->sure) {    /* another program may just be making the tables: half of them were seen */
            schema->sure = true;
            schema->stage = PROBE;
            gv_op_succeed(schema->op, GAVAT_REACHED_NONE);
            return true;
        }
        finish(schema);
        return false;
    }
    if (upgrading && request->dry_run) {
        list_steps(schema, true);
        succeed(schema, GAVAT_REACHED_NONE);
        return false;
    }
    if (schema->opening && !gv_pg_is_empty(&schema->look)) {
        succeed(schema, GAVAT_REACHED_NONE);
        return false;
    }
    schema->at = gv_pg_first_missing(&schema->look);
    if (schema->job.self->search_index && !schema->look.trigrams && !schema->extended)
        schema->stage = EXTEND;
    else if (gv_pg_is_empty(&schema->look))
        schema->stage = CREATE;
    else
        schema->stage = schema->at < gv_pg_step_count ? stage_of(schema) : COMPLETE;
    return true;
}

/* A partition's index: built, mended or attached; without a partition that lacks it the index was whole meanwhile. */
static gv_pg_stage stage_of_part(const gv_pg_schema *schema)
{
    if (!*schema->part)
        return PROBE;
    if (schema->part_state == GV_PG_MISSING)
        return BUILD;
    return schema->part_state == GV_PG_BROKEN ? DROP_BROKEN : ATTACH;
}

/* A round went well. True: send another one. */
static bool advance(gv_pg_schema *schema)
{
    switch (schema->stage) {
    case PROBE:
        if (!gv_pg_has_table(&schema->look, "gavat_schema"))
            return decide(schema);
        schema->stage = READ_VERSION;
        return true;
    case READ_VERSION:
        return decide(schema);
    case EXTEND:
        schema->extended = true;
        schema->stage = PROBE;
        return true;
    case FIND_PART:
        schema->stage = stage_of_part(schema);
        return true;
    case CREATE:
    case COMPLETE:
        list_steps(schema, false);
        succeed(schema, GAVAT_REACHED_STORE);
        return false;
    default:
        schema->done[schema->at] = true;
        schema->stage = PROBE;
        return true;
    }
}

/* Somebody else holds a lock, or has just made the same. */
static bool is_contended(const gv_pg_schema *schema, const gv_pg_failure *failure)
{
    static const char *const states[] = {"55P03", "40", "42P07", "42710", "42701", "42P17"};
    for (size_t i = 0; is_changing(schema) && !failure->lost && i < sizeof states / sizeof *states; i++)
        if (strncmp(failure->state, states[i], strlen(states[i])) == 0)
            return true;
    return false;
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_schema *schema = (gv_pg_schema *)job;
    if (schema->uncoupled && failure && failure->lost)
        job->tries = 0;         /* for as long as it takes */
    if (failure && schema->stage == EXTEND && !failure->lost)
        failure = NULL;         /* without it searches are slower: the doctor says so */
    if (!failure && ++schema->looks < LOOKS_MOST) {
        if (advance(schema))
            begin(job);
        return;
    }
    gv_pg_failure endless = {.state = "55000", .text = "the tables keep changing"};
    if (!failure)
        failure = &endless;
    else if (is_contended(schema, failure) && is_wanted(job) && ++schema->tries < TRIES) {
        schema->stage = PROBE;
        if (schema->opening)
            begin(job);
        else
            gv_pg_queue_later(job->self, job, PAUSE);
        return;
    } else if (gv_pg_again(job, failure, true)) {       /* what is done is not done again */
        if (failure->lost || is_changing(schema))
            schema->stage = PROBE;
        if (job->on)
            begin(job);
        else if (!schema->opening)
            gv_pg_queue_read(job->self, job);
        return;
    }
    drop(job, failure);
}

bool gv_pg_uncouple_opening(gv_pg *self)
{
    gv_pg_schema *schema = (gv_pg_schema *)self->opening;
    gavat_op *op = schema->op;
    if (schema->uncoupled)
        return true;
    gavat_op *ours = gv_op_new_internal(self->store->client, NULL, NULL);
    if (!ours)
        return false;
    gv_op_begin(ours, op->kind);
    schema->op = ours;
    schema->uncoupled = true;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_op_finish(op);
    return true;
}

bool gv_pg_start_schema(gv_pg *self, gavat_op *op)
{
    gv_pg_schema *schema = gv_pg_job_new(self, sizeof *schema, op);
    if (!schema)
        return false;
    schema->op = op;
    schema->opening = op->kind->place != GV_SCHEMA_EVENTS && op->kind->place != GV_UPGRADE_EVENTS;
    schema->job.begin = begin;
    schema->job.result = take;
    schema->job.ended = ended;
    schema->job.wanted = is_wanted;
    schema->job.drop = drop;
    schema->job.heavy = true;
    schema->look.search_index = self->search_index;
    if (schema->opening)
        self->opening = &schema->job;
    else
        gv_pg_queue_read(self, &schema->job);
    return true;
}
