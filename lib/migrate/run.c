/* run.c: the migration itself, in two readings of the files: the first looks up what would be replaced and keeps it, the second writes. */
#include "backup.h"
#include "migration.h"
#include "rejects.h"
#include "../base/clock.h"
#include "../base/files.h"
#include "../base/json.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define REPORT_EVERY 500        /* records */

typedef struct migration {
    gavat_op *op;
    const gavat_migration *wanted;
    gv_journal journal;
    gv_reading reading;
    gv_sender sender;
    gv_backup backup;
    gv_rejects rejects;
    gv_arena arena;
    gv_text key;
    uint64_t read;
    bool begun, looking, too_many;
} migration;

/* The first reading. */
static bool look(gv_reading *reading, const gv_found *found)
{
    migration *m = reading->user;
    gv_thing thing = {0};
    if (gv_found_is_new(found))
        return true;
    bool good = gv_thing_read(&thing, found);
    const char *key = good ? gv_thing_key(&thing, &m->key) : NULL;
    if (!key)
        good = gv_sender_no_memory(&m->sender);
    else
        good = gv_thing_look(&m->sender, &thing);
    if (good && !thing.same) {
        good = gv_sender_journal_said(&m->sender, gv_journal_keep(&m->journal, thing.kind, key, thing.there ? gv_text_get(&thing.before) : NULL,
                                               gv_text_get(&thing.after)));
        if (good && !gv_backup_add(&m->backup, &thing))
            good = gv_sender_stop(&m->sender, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "no memory for the backup");
    }
    gv_thing_free(&thing);
    return good;
}

static bool write_thing(migration *m, const gv_found *found)
{
    gv_thing thing = {0};
    bool differs = false, good = gv_thing_read(&thing, found);
    const char *key = good ? gv_thing_key(&thing, &m->key) : NULL;
    if (!key)
        good = gv_sender_no_memory(&m->sender);
    else
        good = gv_sender_journal_said(&m->sender, gv_journal_has(&m->journal, thing.kind, key, &differs));
    if (good && !differs) {
        found->source->present++;
        m->sender.present++;
    } else if (good) {
        good = strcmp(thing.kind, "session") == 0 ? gv_sender_take(&m->sender, found) : gv_thing_write(&m->sender, &thing, found);
    }
    gv_thing_free(&thing);
    return good;
}

/* The second reading. */
static bool take(gv_reading *reading, const gv_found *found)
{
    migration *m = reading->user;
    bool good = gv_found_is_new(found) ? gv_sender_take(&m->sender, found) : write_thing(m, found);
    if (++m->read % REPORT_EVERY == 0)
        gv_op_report(m->op, m->sender.landed + m->sender.present, 0, m->rejects.count, "legacy files");
    return good && !m->too_many;
}

static bool reject(gv_reading *reading, gv_source *source, uint64_t line, const char *why)
{
    migration *m = reading->user;
    if (m->looking)
        return true;            /* the second reading says it */
    if (!gv_rejects_add(&m->rejects, source, line, why))
        return gv_sender_stop(&m->sender, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "no memory to name a rejected record");
    m->too_many = m->wanted->max_errors && m->rejects.count >= m->wanted->max_errors;
    return !m->too_many;
}

static void count_anew(gv_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        gv_source *source = &reading->sources[i];
        source->records = source->rejected = 0;
        memset(source->odd, 0, sizeof source->odd);
    }
}

static bool read_through(migration *m)
{
    gv_reading *reading = &m->reading;
    count_anew(reading);
    int status = gv_reading_run(reading);
    if (status < 0)
        return gv_sender_stop(&m->sender, status == -ENOMEM ? GAVAT_ENOMEM : GAVAT_EIO, 0, "the legacy files cannot be read (%s)",
                              gv_errno_name(-status));
    if (!gv_reading_wanted(reading))
        return gv_sender_stop(&m->sender, GAVAT_ECANCELED, 0, "cancelled: go on with resume");
    return m->sender.status == GAVAT_OK;
}

/* What would be replaced, into the journal and the backup, as one: nothing has been changed when it fails. */
static bool keep(migration *m)
{
    unsigned all = m->reading.only;
    m->looking = true;
    m->reading.take = look;
    m->reading.only &= GV_SOURCES_OF_THINGS;
    bool good = gv_sender_journal_said(&m->sender, gv_journal_do(&m->journal, "BEGIN")) && read_through(m);
    m->looking = false;
    m->reading.take = take;
    m->reading.only = all;
    int status = good ? gv_backup_end(&m->backup, m->journal.run) : 0;
    if (status < 0)
        good = gv_sender_stop(&m->sender, GAVAT_EIO, 0, "the backup %.150s cannot be written (%s): nothing has been changed", m->backup.directory,
                              gv_errno_name(-status));
    if (good)
        return gv_sender_journal_said(&m->sender, gv_journal_do(&m->journal, "COMMIT"));
    gv_journal_do(&m->journal, "ROLLBACK");
    return false;
}

/* --- beginning and end --- */

static void add_option(gv_text *out, const char *key, const char *value)
{
    gv_text_addf(out, "%s\"%s\":", out->length > 1 ? "," : "", key);
    if (value)
        gv_text_add_json(out, value, strlen(value));
    else
        gv_text_adds(out, "null");
}

/* The run's options are those it was begun with: of a resumed one those of the journal. */
static bool begin_run(migration *m, gavat_migration *wanted, const char *directory)
{
    char state[16] = "";
    gavat *g = m->op->client;
    gavat_status status = gv_journal_last(&m->journal, directory, state);
    bool unfinished = status == GAVAT_OK && (strcmp(state, "running") == 0 || strcmp(state, "stopped") == 0);
    if (status != GAVAT_OK && status != GAVAT_ENOTFOUND)
        return gv_sender_journal_said(&m->sender, status);
    if (unfinished && !wanted->resume)
        return gv_sender_stop(&m->sender, GAVAT_ECONFLICT, 0, "the last migration of this directory, %s, did not come to its end: go on with it "
                              "(resume)", m->journal.run);
    if (!unfinished && wanted->resume)
        return gv_sender_stop(&m->sender, GAVAT_ENOTFOUND, 0, "there is no unfinished migration of this directory to be resumed");
    if (unfinished) {
        const char *options = NULL, *same = NULL;
        if (!gv_sender_journal_said(&m->sender, gv_journal_read(&m->journal, &m->arena, &same, &options)))
            return false;
        m->begun = true;
        return gv_migration_options(wanted, &m->arena, options) || gv_sender_no_memory(&m->sender);
    }
    gv_text options = {0};
    gv_text_addc(&options, '{');
    add_option(&options, "zone", wanted->zone);
    add_option(&options, "only", wanted->only);
    add_option(&options, "backup", wanted->backup);
    gv_text_addc(&options, '}');
    status = options.failed ? GAVAT_ENOMEM : gv_journal_begin(&m->journal, g, directory, gv_text_get(&options), gv_now(g));
    gv_text_free(&options);
    m->begun = status == GAVAT_OK;
    return gv_sender_journal_said(&m->sender, status);
}

bool gv_migration_options(gavat_migration *wanted, gv_arena *arena, const char *options)
{
    const char **const texts[] = {&wanted->zone, &wanted->only};
    static const char *const keys[] = {"zone", "only"};
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(options) + 1;
        char *text = gv_arena_alloc(arena, length);
        if (!text)
            return false;
        gv_slice value = gv_json_at(gv_slice_of(options), keys[i]);
        gavat_json_copy(options, keys[i], text, length);
        *texts[i] = value.data && gv_json_type_of(value) == GV_JSON_STRING ? text : NULL;
    }
    return true;
}

/* Each source as a record, and all of them as the run's report. */
static bool describe(migration *m)
{
    gv_text all = {0};
    gv_result *result = gv_op_result(m->op);
    bool good = result != NULL;
    for (size_t i = 0; good && i < m->reading.count; i++) {
        const gv_source *source = &m->reading.sources[i];
        gv_text json = {0};
        if (source->absent || (source->kind != GV_SOURCE_UNKNOWN && !(m->reading.only & 1u << source->kind)))
            continue;
        gv_source_describe(source, &json, true);
        gv_text_addc(&all, all.length ? ',' : '[');
        gv_text_add(&all, gv_text_get(&json), json.length);
        good = !json.failed && gv_result_add_json(result, &json);
        gv_text_free(&json);
    }
    gv_text_adds(&all, all.length ? "]" : "[]");
    bool whole = m->sender.status == GAVAT_OK && !m->too_many;
    if (good && !all.failed && m->begun)
        gv_sender_journal_said(&m->sender, gv_journal_end(&m->journal, whole ? "done" : "stopped", gv_text_get(&all), gv_now(m->op->client)));
    good = good && !all.failed && gv_result_set_text(result, m->journal.run, strlen(m->journal.run));
    gv_text_free(&all);
    return good;
}

static void finish(migration *m)
{
    gavat_op *op = m->op;
    int failed = gv_rejects_end(&m->rejects);
    bool described = describe(m);
    if (!described)
        gv_sender_stop(&m->sender, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "no memory for the report");
    if (failed)
        gv_sender_stop(&m->sender, GAVAT_EIO, 0, "the file of rejected records, %.150s, cannot be written (%s)", m->rejects.path, gv_errno_name(failed));
    if (m->too_many)
        gv_sender_stop(&m->sender, GAVAT_EREJECTED, 0, "stopped at %" PRIu64 " rejected records (max_errors): go on with resume", m->rejects.count);
    if (m->sender.status == GAVAT_OK)
        gv_op_succeed(op, GAVAT_REACHED_STORE);
    else
        gv_op_fail(op, m->sender.status, m->sender.flags, "", "migration: %s", m->sender.why);
    op->staged.number = (int64_t)m->sender.landed;
}

static void migrate(migration *m, gavat_migration *wanted, const char *directory)
{
    char why[GV_SOURCE_WHY] = "";
    int status;
    if (!gv_sender_journal_said(&m->sender, gv_journal_open(&m->journal, m->op->client, true)) || !begin_run(m, wanted, directory))
        return;
    status = gv_backup_start(&m->backup, wanted->resume ? NULL : wanted->backup);
    if (status < 0) {
        gv_sender_stop(&m->sender, GAVAT_EIO, 0, "the backup %.150s cannot be made (%s): give the name of a new directory; nothing has been changed",
                       wanted->backup, gv_errno_name(-status));
        return;
    }
    status = gv_reading_start(&m->reading, wanted, why);
    if (status < 0) {
        gv_sender_stop(&m->sender, status == -EINVAL ? GAVAT_EINVAL : GAVAT_EIO, 0, "%s", why);
        return;
    }
    if (gv_sender_journal_said(&m->sender, gv_sender_start(&m->sender)) && keep(m) && read_through(m))
        gv_sender_flush(&m->sender);
}

void gv_migration_run(gavat_op *op)
{
    gavat_migration wanted = *(const gavat_migration *)op->request;
    char *directory = realpath(wanted.directory, NULL);         /* one name for it, whoever gives it how */
    migration m = {.op = op, .wanted = &wanted};
    m.journal.lock = -1;
    m.reading = (gv_reading){.client = op->client, .op = op, .take = take, .reject = reject, .user = &m};
    m.sender = (gv_sender){.client = op->client, .reading = &m.reading, .journal = &m.journal};
    m.rejects = (gv_rejects){.op = op, .path = wanted.rejects};
    if (directory)
        migrate(&m, &wanted, directory);
    else
        gv_sender_stop(&m.sender, errno == ENOMEM ? GAVAT_ENOMEM : GAVAT_EIO, 0, "%.200s cannot be read (%s)", wanted.directory, gv_errno_name(errno));
    finish(&m);
    gv_sender_end(&m.sender);
    gv_reading_end(&m.reading);
    gv_journal_close(&m.journal);
    gv_arena_free(&m.arena);
    gv_text_free(&m.key);
    free(directory);            /* of the C library's making */
    gv_op_finish(op);
}

void gv_migrations_list(gavat_op *op)
{
    gv_journal journal;
    gavat_status status = gv_journal_open(&journal, op->client, false);
    if (status == GAVAT_OK)
        status = gv_journal_list(&journal, op);
    if (status == GAVAT_OK || status == GAVAT_ENOTFOUND)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, status, 0, "", "%s", status == GAVAT_ENOMEM ? "no memory for the answer" : journal.why);
    gv_journal_close(&journal);
    gv_op_finish(op);
}
