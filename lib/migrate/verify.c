/* verify.c: proof that what the files hold is in the stores. The files are read once more, and the stores' rows of that time are read page by
 * page; a record is known by its uid and compared by a digest of its fields, made on each side on its own. */
#include "migration.h"
#include "rejects.h"
#include "things.h"
#include "../base/files.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 2000
#define PAGE_BYTES ((uint32_t)4 << 20)
#define BATCH 1000

enum { MISSING, EQUAL, DIFFERENT };
static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind};
#define KINDS (sizeof kinds / sizeof *kinds)

typedef struct entry {          /* a record of the files */
    uint64_t key, digest;
    uint32_t source, line;
    uint8_t found;
} entry;

typedef struct tally {          /* of a source */
    uint64_t records, equal, missing, different, extra;
    uint64_t from, to;          /* sums of the digests: of the files, of the stores */
} tally;

typedef struct verification {
    gavat_op *op;
    gv_journal journal;
    gv_reading reading;
    gv_sender sender;           /* for its way of asking the stores */
    gv_rejects faults;
    gv_keys others;             /* of other runs */
    gv_keys mine;
    gv_arena arena;
    gv_text scratch;
    gavat_batch *batch;
    entry *entries;
    size_t count, room;
    tally *tallies;
    gavat_time first[KINDS], last[KINDS];
    uint64_t wrong, read;
} verification;

static bool tell(verification *v, const gv_source *source, uint64_t line, const char *what)
{
    v->wrong++;
    return gv_rejects_add(&v->faults, source, line, what) || gv_sender_no_memory(&v->sender);
}

static bool push(verification *v, const entry *new)
{
    if (v->count == v->room) {
        size_t room = v->room ? v->room * 2 : 4096, bytes;
        entry *grown = gv_multiply_size(room, sizeof *grown, &bytes) ? gv_resize(v->entries, bytes) : NULL;
        if (!grown)
            return gv_sender_no_memory(&v->sender);
        v->entries = grown;
        v->room = room;
    }
    v->entries[v->count++] = *new;
    return true;
}

/* The record as a store would get it, out of the batch that checks it. */
static bool take_event(verification *v, const gv_found *found)
{
    if (v->batch && v->batch->count == BATCH) {
        gavat_batch_free(v->batch);
        v->batch = NULL;
    }
    if (!v->batch)
        v->batch = gavat_batch_new(v->op->client);
    gavat_status status = gavat_batch_add_json(v->batch, found->kind, found->json.data, found->json.length);
    if (status != GAVAT_OK)
        return status != GAVAT_ENOMEM || gv_sender_no_memory(&v->sender);          /* the run has rejected it too */
    const gv_batch_record *record = v->batch->entries[v->batch->count - 1].record;
    size_t kind = 0, source = (size_t)(found->source - v->reading.sources);
    while (kinds[kind] != record->kind)
        kind++;
    gavat_time time = *(const gavat_time *)gv_field_at(record->record, record->kind->time);
    if (!v->first[kind] || time < v->first[kind])
        v->first[kind] = time;
    if (time > v->last[kind])
        v->last[kind] = time;
    entry new = {gv_identity_key(found->uid), gv_record_digest(record->kind, record->record, &v->scratch), (uint32_t)source,
                 found->line < UINT32_MAX ? (uint32_t)found->line : UINT32_MAX, MISSING};
    v->tallies[source].records++;
    v->tallies[source].from += new.digest;
    return new.digest ? push(v, &new) : gv_sender_no_memory(&v->sender);
}

/* A profile, a key of the state: looked up at once. A session that was merged is there, or it is not. */
static bool take_thing(verification *v, const gv_found *found)
{
    tally *t = &v->tallies[found->source - v->reading.sources];
    gv_thing thing = {0};
    bool good = gv_thing_read(&thing, found) || gv_sender_no_memory(&v->sender);
    good = good && gv_thing_look(&v->sender, &thing);
    if (good) {
        bool same = thing.same || (thing.there && (strcmp(thing.kind, "session") == 0 || strcmp(thing.kind, "cooldown") == 0));
        uint64_t digest = gv_slice_hash((gv_slice){gv_text_get(&thing.after), thing.after.length});
        t->records++;
        t->from += digest;
        t->to += same ? digest : 0;
        t->equal += same;
        t->missing += !thing.there;
        t->different += thing.there && !same;
        if (!same)
            good = tell(v, found->source, found->line, thing.there ? "what is stored differs" : "it is not in the store");
    }
    gv_thing_free(&thing);
    return good;
}

static bool take(gv_reading *reading, const gv_found *found)
{
    verification *v = reading->user;
    if (++v->read % 1000 == 0)
        gv_op_report(v->op, v->read, 0, v->wrong, "legacy files");
    return gv_found_is_new(found) ? take_event(v, found) : take_thing(v, found);
}

static bool reject(gv_reading *reading, gv_source *source, uint64_t line, const char *why)
{
    (void)reading, (void)source, (void)line, (void)why;
    return true;                /* never was a record */
}

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const entry *)a)->key, right = ((const entry *)b)->key;
    return left < right ? -1 : left > right;
}

/* A uid that a migration made. */
static bool is_migrated(const char *uid)
{
    char mark[8];
    snprintf(mark, sizeof mark, "8%03x", GV_MIGRATED);
    return uid && strlen(uid) == 36 && memcmp(uid + 14, mark, 4) == 0;
}

static bool compare_row(verification *v, const gv_record_kind *kind, const void *record)
{
    const char *uid = gv_field_text(record, kind->uid);
    uint64_t key = uid ? gv_identity_key(uid) : 0;
    entry wanted = {.key = key}, *found = v->count ? bsearch(&wanted, v->entries, v->count, sizeof wanted, compare) : NULL;
    if (!found) {
        if (!is_migrated(uid) || gv_keys_have(&v->others, key))
            return true;
        static const gv_source store = {.path = "the store"};
        char what[120];
        snprintf(what, sizeof what, "a %s of a migration that no file holds: %s", kind->shape.name, uid);
        return tell(v, &store, 0, what);
    }
    tally *t = &v->tallies[found->source];
    const gv_source *source = &v->reading.sources[found->source];
    uint64_t digest = gv_record_digest(kind, record, &v->scratch);
    if (!digest)
        return gv_sender_no_memory(&v->sender);
    t->to += digest;
    if (found->found != MISSING) {
        t->extra++;
        return tell(v, source, found->line, "the store has it more than once");
    }
    found->found = digest == found->digest ? EQUAL : DIFFERENT;
    t->equal += found->found == EQUAL;
    t->different += found->found == DIFFERENT;
    return found->found == EQUAL || tell(v, source, found->line, "what is stored differs");
}

static void ask_page(gavat_op *op, size_t kind, const gavat_filter *filter)
{
    if (kind == 0)
        gavat_get_events(op, filter);
    else if (kind == 1)
        gavat_get_sales(op, filter);
    else
        gavat_get_messages(op, filter);
}

/* A page that is there; NULL: stopped. The caller's to unref. */
static gavat_op *fetch(verification *v, size_t kind, const gavat_filter *filter)
{
    uint64_t since = 0;
    for (;;) {
        gavat_op *op = gv_sender_ask(&v->sender);
        if (!op)
            return NULL;
        ask_page(op, kind, filter);
        gavat_op_wait(op);
        if (!gv_sender_again(&v->sender, op, &since)) {
            if (v->sender.status == GAVAT_OK)
                return op;
            gavat_op_unref(op);
            return NULL;
        }
        gavat_op_unref(op);
    }
}

/* The store's rows of the time that the files are of. */
static bool read_store(verification *v, size_t kind)
{
    gavat_filter filter = gavat_filter_init();
    filter.limit = PAGE;
    filter.max_bytes = PAGE_BYTES;
    filter.since = v->first[kind];
    filter.until = v->last[kind] + 1;
    gavat_op *page = NULL;
    bool good = true;
    while (good && filter.since) {
        gavat_op *next = fetch(v, kind, &filter);       /* the cursor is the page's before */
        gavat_op_unref(page);
        page = next;
        if (!page)
            return false;
        for (size_t i = 0; good && i < gavat_op_count(page); i++) {
            const void *record = kind == 0 ? (const void *)gavat_op_event(page, i)
                                 : kind == 1 ? (const void *)gavat_op_sale(page, i) : (const void *)gavat_op_message(page, i);
            good = compare_row(v, kinds[kind], record);
        }
        filter.cursor = gavat_op_cursor(page);
        if (!filter.cursor)
            break;
    }
    gavat_op_unref(page);
    return good;
}

static bool name_missing(verification *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const entry *e = &v->entries[i];
        if (e->found != MISSING)
            continue;
        v->tallies[e->source].missing++;
        if (!tell(v, &v->reading.sources[e->source], e->line, "it is not in the store"))
            return false;
    }
    return true;
}

static bool describe(verification *v)
{
    gv_result *result = gv_op_result(v->op);
    for (size_t i = 0; result && i < v->reading.count; i++) {
        const gv_source *source = &v->reading.sources[i];
        const tally *t = &v->tallies[i];
        gv_text json = {0};
        if (!t->records)
            continue;
        gv_text_adds(&json, "{\"source\":");
        gv_text_add_json(&json, source->path, strlen(source->path));
        gv_text_addf(&json, ",\"table\":%s%s%s,\"records\":%" PRIu64 ",\"equal\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"different\":%" PRIu64
                     ",\"extra\":%" PRIu64 ",\"digest\":\"%016" PRIx64 "\",\"stored\":\"%016" PRIx64 "\"}", source->table ? "\"" : "",
                     source->table ? source->table : "null", source->table ? "\"" : "", t->records, t->equal, t->missing, t->different, t->extra,
                     t->from, t->to);
        bool added = !json.failed && gv_result_add_json(result, &json);
        gv_text_free(&json);
        if (!added)
            return false;
    }
    return result != NULL;
}

static bool begin(verification *v, const char *run, gavat_migration *wanted)
{
    char state[16], why[GV_SOURCE_WHY] = "";
    const char *options = NULL;
    if (!gv_sender_journal_said(&v->sender, gv_journal_open(&v->journal, v->op->client, false)) || !gv_sender_journal_said(&v->sender, gv_journal_last(&v->journal, run, state))
        || !gv_sender_journal_said(&v->sender, gv_journal_read(&v->journal, &v->arena, &wanted->directory, &options))
        || !gv_sender_journal_said(&v->sender, gv_journal_keys(&v->journal, &v->mine, &v->others)))
        return false;
    if (!gv_migration_options(wanted, &v->arena, options))
        return gv_sender_no_memory(&v->sender);
    int status = gv_reading_start(&v->reading, wanted, why);
    if (status < 0)
        return gv_sender_stop(&v->sender, GAVAT_EIO, 0, "%s", why);
    v->tallies = gv_alloc_zero((v->reading.count + 1) * sizeof *v->tallies);
    return v->tallies || gv_sender_no_memory(&v->sender);
}

static bool verify(verification *v, const char *run)
{
    gavat_migration wanted = gavat_migration_init();
    if (!begin(v, run, &wanted))
        return false;
    int status = gv_reading_run(&v->reading);
    if (status < 0)
        return gv_sender_stop(&v->sender, status == -ENOMEM ? GAVAT_ENOMEM : GAVAT_EIO, 0, "the legacy files cannot be read (%s)", gv_errno_name(-status));
    if (v->sender.status != GAVAT_OK)
        return false;
    if (v->count)
        qsort(v->entries, v->count, sizeof *v->entries, compare);
    for (size_t kind = 0; kind < KINDS; kind++)
        if (!read_store(v, kind))
            return false;
    return name_missing(v);
}

void gv_migration_verify(gavat_op *op)
{
    verification v = {.op = op, .faults = {.op = op}};
    v.journal.lock = -1;
    v.reading = (gv_reading){.client = op->client, .op = op, .take = take, .reject = reject, .user = &v};
    v.sender = (gv_sender){.client = op->client, .reading = &v.reading, .journal = &v.journal};
    bool good = verify(&v, op->request ? *(const char *const *)op->request : NULL);
    if (good && !describe(&v))
        good = gv_sender_no_memory(&v.sender);
    if (good)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, v.sender.status, v.sender.flags, "", "migration: %s", v.sender.why);
    op->staged.number = (int64_t)v.wrong;
    gavat_batch_free(v.batch);
    gv_sender_end(&v.sender);
    gv_reading_end(&v.reading);
    gv_journal_close(&v.journal);
    gv_keys_free(&v.mine);
    gv_keys_free(&v.others);
    gv_arena_free(&v.arena);
    gv_text_free(&v.scratch);
    gv_free(v.entries);
    gv_free(v.tallies);
    gv_op_finish(op);
}
