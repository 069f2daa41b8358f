/* transfer.c: export and import of any kind of record. What export writes says nothing that the next store gives anew (integer ids, revisions),
 * and stands in an order that the records alone decide: so what is imported elsewhere is exported byte for byte the same. */
#include "commands.h"
#include "csv.h"
#include "import.h"
#include "page.h"
#include "profiles.h"
#include "tell.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_TIED ((size_t)64 << 20) /* bytes of records of one time that are put in order */

typedef struct kind {
    const char *noun, *name; /* "events"; "event", as the library names it */
    unsigned store;
    const char *columns; /* of CSV; NULL: it is not flat */
    const char *without; /* members that are left out: "|id|" */
    const char *time;    /* the pages' order is that of this member; NULL: it is that of a unique one */
    bool defaults;       /* fields that are not given have them */
    ctl_page_fn get;
    void (*total)(gavat_op *op, void *query);
    void (*line)(ctl_buffer *out, const gavat_op *op, size_t i); /* the record's line; NULL: its JSON, but for what is left out */
} kind;

static void next_page(gavat_filter *filter, uint32_t limit, const char *cursor)
{
    filter->limit = limit;
    filter->cursor = cursor;
}

#define PAGES(noun)                                                                                                    \
    static void get_##noun(gavat_op *op, void *query, uint32_t limit, const char *cursor)                              \
    {                                                                                                                  \
        next_page(query, limit, cursor);                                                                               \
        gavat_get_##noun(op, query);                                                                                   \
    }
PAGES(events)
PAGES(sales)
PAGES(messages)
PAGES(sessions)

static void get_profiles(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    (void)query;
    ctl_profile_query all = {gavat_profile_filter_init(), NULL};
    ctl_get_profile_page(op, &all, limit, cursor);
}

static void total_events(gavat_op *op, void *query)
{
    gavat_get_event_stats(op, NULL, query);
}

static void get_state(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    (void)query;
    gavat_scan_state(op, limit, cursor);
}

/* When it expires, not in how long: the same whenever it is exported. */
static void state_line(ctl_buffer *out, const gavat_op *op, size_t i)
{
    const gavat_state *state = gavat_op_state(op, i);
    time_t second = (time_t)(state->expires_at / 1000000);
    struct tm time;
    ctl_add_text(out, "{\"user\":");
    if (state->user)
        ctl_add_json(out, state->user, strlen(state->user));
    else
        ctl_add_text(out, "null");
    ctl_add_text(out, ",\"key\":");
    ctl_add_json(out, state->key, strlen(state->key));
    ctl_add_text(out, ",\"value\":");
    ctl_add_json(out, state->value, state->length);
    if (state->expires_at && gmtime_r(&second, &time))
        ctl_add_format(out, ",\"expires_at\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"}", time.tm_year + 1900, time.tm_mon + 1, time.tm_mday,
                       time.tm_hour, time.tm_min, time.tm_sec, (int)(state->expires_at % 1000000));
    else if (state->expire_ms)  /* the store does not say when */
        ctl_add_format(out, ",\"expire_ms\":%" PRId64 "}", state->expire_ms);
    else
        ctl_add_text(out, ",\"expires_at\":null}");
}

static const kind kinds[] = {
    {"events", "event", CTL_EVENTS, "uid,user_id,username,event_type,message,context,level,timestamp", "|id|", "timestamp", true, get_events,
     total_events, NULL},
    {"sales", "sale", CTL_EVENTS,
     "uid,user_id,customer_id,bot_username,product_type,product_name,amount,currency,payment_method,payment_status,payment_reference,"
     "notes,extra_data,created_at,updated_at",
     "|id|", "created_at", true, get_sales, NULL, NULL},
    {"messages", "message", CTL_EVENTS,
     "uid,bot_username,message_type,target_type,target_id,target_name,message_content,message_id,success,error_message,"
     "response_time_ms,extra_data,timestamp",
     "|id|", "timestamp", true, get_messages, NULL, NULL},
    {"sessions", "session", CTL_EVENTS,
     "user_id,username,session_token,bot_type,is_active,last_activity,created_at,extra_data", "|id|", "last_activity", false, get_sessions,
     NULL, NULL},
    {"profiles", "profile", CTL_PROFILES, NULL, "|revision|updated_at|", NULL, false, get_profiles, NULL, NULL},
    {"state", "state", CTL_STATE, NULL, "||", NULL, false, get_state, NULL, state_line},
};
#define NOUNS "events|sales|messages|sessions|profiles|state"

static const kind *find_kind(const ctl_call *call)
{
    const char *noun = ctl_get_argument(call, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].noun, noun) == 0)
            return &kinds[i];
    return NULL;
}

static bool is_csv(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".csv") == 0;
}

/* The call with the one store that the kind is in. */
typedef struct narrowed {
    ctl_call call;
    ctl_group group;
} narrowed;
static const ctl_call *narrow(narrowed *to, const ctl_call *call, const kind *k)
{
    to->call = *call;
    to->group = *call->group;
    to->group.stores = k->store;
    to->call.group = &to->group;
    return &to->call;
}

/* --- export --- */

typedef struct transfer {
    const kind *kind;
    ctl_output *out;
    ctl_buffer line, tied, time; /* tied: lines of one time */
    struct {
        size_t from, length;
    } *index;
    size_t count, room;
} transfer;

static uint64_t hash(const char *data, size_t length, uint64_t seed)
{
    for (size_t i = 0; i < length; i++)
        seed = (seed ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

/* Rows of the original have no uid. They get one that follows from all that they hold, their integer id too: it is the same in each export,
 * and an import that is repeated stores them once. */
static void add_uid(ctl_buffer *out, const char *json, size_t length)
{
    uint64_t high = hash(json, length, UINT64_C(14695981039346656037)), low = hash(json, length, UINT64_C(0x9e3779b97f4a7c15));
    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x8000);
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
    ctl_add_format(out, "\"%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64 "\"", high >> 32, high >> 16 & 0xffff,
                   high & 0xffff, low >> 48, low & UINT64_C(0xffffffffffff));
}

/* What the library makes of a field that old rows leave empty, and what an import would make of it. */
static const char *default_of(const kind *k, ctl_slice key)
{
    static const char *const defaults[][2] = {{"\"level\"", "\"INFO\""},         {"\"context\"", "{}"},  {"\"currency\"", "\"TRY\""},
                                              {"\"payment_status\"", "\"pending\""}, {"\"success\"", "true"}, {"\"extra_data\"", "{}"}};
    for (size_t i = 0; k->defaults && i < sizeof defaults / sizeof *defaults; i++)
        if (strlen(defaults[i][0]) == key.length && memcmp(defaults[i][0], key.data, key.length) == 0)
            return defaults[i][1];
    return NULL;
}

static bool is_left_out(const kind *k, ctl_slice key)
{
    const char *at = k->without;
    size_t length = key.length - 2; /* without its quotes */
    while ((at = strchr(at, '|')) != NULL && at[1]) {
        at++;
        if (strncmp(at, key.data + 1, length) == 0 && at[length] == '|')
            return true;
    }
    return false;
}

static void make_line(transfer *t, const char *json, size_t length)
{
    ctl_walk walk = {0};
    ctl_slice key = {0}, value = {0};
    ctl_add_text(&t->line, "{");
    if (!ctl_walk_begin(&walk, (ctl_slice){json, length}))
        return;
    while (ctl_walk_next(&walk, &key, &value)) {
        if (is_left_out(t->kind, key))
            continue;
        ctl_add_text(&t->line, t->line.length > 1 ? "," : "");
        ctl_add(&t->line, key.data, key.length);
        ctl_add_text(&t->line, ":");
        const char *fallback = *value.data == 'n' ? default_of(t->kind, key) : NULL;
        if (*value.data == 'n' && key.length == 5 && memcmp(key.data, "\"uid\"", 5) == 0)
            add_uid(&t->line, json, length);
        else if (fallback)
            ctl_add_text(&t->line, fallback);
        else
            ctl_add(&t->line, value.data, value.length);
    }
    ctl_add_text(&t->line, "}");
}

static const transfer *sorting; /* one thread */
static int compare(const void *a, const void *b)
{
    const char *data = sorting->tied.data;
    const size_t *one = a, *two = b; /* from, length */
    size_t least = one[1] < two[1] ? one[1] : two[1];
    int order = memcmp(data + one[0], data + two[0], least);
    return order ? order : one[1] < two[1] ? -1 : one[1] > two[1];
}

static void print_tied(transfer *t)
{
    sorting = t;
    if (t->count > 1)
        qsort(t->index, t->count, sizeof *t->index, compare);
    for (size_t i = 0; i < t->count; i++) {
        ctl_clear(&t->line);    /* a record ends in NUL */
        ctl_add(&t->line, t->tied.data + t->index[i].from, t->index[i].length);
        ctl_output_record(t->out, t->line.data, t->line.length);
    }
    t->count = 0;
    ctl_clear(&t->tied);
}

static void keep_tied(transfer *t)
{
    ctl_slice time = ctl_json_member(t->line.data, t->kind->time);
    bool same = time.length == t->time.length && (!time.length || memcmp(time.data, t->time.data, time.length) == 0);
    ctl_buffer line = t->line;
    if (!same || t->tied.length > MOST_TIED) {
        t->line = (ctl_buffer){0};
        print_tied(t);
        ctl_free(&t->line);
        t->line = line;
        ctl_clear(&t->time);
        ctl_add(&t->time, time.data, time.length);
    }
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        t->index = ctl_resize(t->index, t->room, sizeof *t->index);
    }
    t->index[t->count].from = t->tied.length;
    t->index[t->count++].length = line.length;
    ctl_add(&t->tied, line.data, line.length);
}

static void print_page(ctl_output *out, const gavat_op *op, void *user)
{
    transfer *t = user;
    t->out = out;
    if (!op) {
        print_tied(t);
        return;
    }
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        size_t length = 0;
        const char *json = t->kind->line ? NULL : gavat_op_json(op, i, &length);
        ctl_clear(&t->line);
        if (t->kind->line)
            t->kind->line(&t->line, op, i);
        else if (json)
            make_line(t, json, length);
        else
            continue;
        if (t->kind->time)
            keep_tied(t);
        else
            ctl_output_record(out, t->line.data, t->line.length);
    }
    uint64_t place = 0;
    const char *reason = NULL;
    for (size_t i = 0; (reason = gavat_op_rejected(op, i, &place)) != NULL; i++, out->skipped++)
        ctl_error("skipped: %s", reason);
}

static int run_export(const ctl_call *call)
{
    narrowed own;
    const kind *k = find_kind(call);
    const char *path = ctl_get_argument(call, 1);
    gavat_filter filter = gavat_filter_init();
    transfer t = {.kind = k};
    ctl_export_plan plan = {.path = path, .noun = k->noun, .columns = k->columns ? k->columns : "", .get = k->get, .query = &filter,
                            .total = k->total, .print = print_page, .user = &t};
    plan.format = call->format_given ? call->format : is_csv(path) ? CTL_CSV : CTL_LINES;
    if (plan.format == CTL_TABLE)
        return ctl_usage(call, "a table cannot be exported: take -o jsonl, json or csv");
    if (plan.format == CTL_CSV && !k->columns)
        return ctl_usage(call, "%s: not flat, take JSON lines", k->noun);
    int code = ctl_export_run(narrow(&own, call, k), &plan);
    ctl_free(&t.line);
    ctl_free(&t.tied);
    ctl_free(&t.time);
    free(t.index);
    return code;
}

/* --- import --- */

static bool read_csv(ctl_import *import, const char *path)
{
    ctl_csv csv;
    const char *json = NULL, *why = NULL;
    size_t length = 0;
    bool good = true;
    if (!is_csv(path) && !ctl_get_flag(ctl_import_call(import), "csv"))
        return false;
    ctl_lines *lines = ctl_import_lines(import);
    ctl_line got = ctl_csv_start(&csv, lines);
    if (got == CTL_LINE_LONG) {
        ctl_error("the first line of %s names no fields", path);
        ctl_import_fail(import, 1);
        good = false;
    }
    while (good && got <= CTL_LINE_LONG && (got = ctl_csv_next(&csv, &json, &length, &why)) <= CTL_LINE_LONG) {
        ctl_import_number(import, csv.number);
        if (got == CTL_LINE_LONG)
            good = ctl_import_refuse(import, "the record is longer than 4 MiB");
        else
            good = why ? ctl_import_refuse(import, why) : ctl_import_add(import, json, length);
        ctl_import_show(import, lines->bytes, lines->size);
    }
    if (got == CTL_LINE_FAULT) {
        ctl_error("cannot read %s", path);
        ctl_import_fail(import, 1);
    }
    ctl_csv_free(&csv);
    return true;
}

static int run_import(const ctl_call *call)
{
    narrowed own;
    const kind *k = find_kind(call);
    const ctl_import_kind how = {.name = k->name, .noun = k->noun, .read = k->columns ? read_csv : NULL, .argument = 1};
    if (!k->columns && (is_csv(ctl_get_argument(call, 1)) || ctl_get_flag(call, "csv")))
        return ctl_usage(call, "%s: not flat, give JSON lines", k->noun);
    return ctl_import_run(narrow(&own, call, k), &how);
}

/* --- the table --- */

#define KIND {.name = "KIND", .kind = CTL_CHOICE, .choices = NOUNS, .help = "what: " NOUNS}

static const ctl_option export_arguments[] = {
    KIND,
    {.name = "FILE", .kind = CTL_FILE, .help = "where to; - writes to stdout"},
    {0},
};

static const ctl_option import_arguments[] = {
    KIND,
    {.name = "FILE", .kind = CTL_FILE, .help = "JSON lines, or CSV; - reads stdin"},
    {0},
};

static const ctl_option import_options[] = {
    {.name = "csv", .kind = CTL_FLAG, .help = "FILE is CSV, though its name does not end in .csv"},
    {.name = "rejects", .kind = CTL_FILE, .value = "FILE", .help = "where rejected lines go (FILE.rejects.jsonl)"},
    {0},
};

static const ctl_command export_commands[] = {
    {.name = "",
     .summary = "Write all records of a kind to a file or stdout",
     .arguments = export_arguments,
     .run = run_export,
     .about = "JSON lines, or CSV where -o or the name of FILE says so. What the store itself gives (integer ids, revisions, a profile's "
              "updated_at) is left out, and records of one time are in the order of their bytes: imported elsewhere they are exported "
              "byte for byte the same. A file appears under its name only when it is complete.",
     .examples = "gavatctl export events events.jsonl\ngavatctl export sales sales.csv\ngavatctl export profiles - | gzip > profiles.gz"},
    {0},
};

static const ctl_command import_commands[] = {
    {.name = "",
     .summary = "Store records of a kind that an export has written",
     .arguments = import_arguments,
     .options = import_options,
     .columns = "read,stored,rejected,rejects_file",
     .run = run_import,
     .about = "Events, sales and messages that are there already are left as they are; sessions are merged, profiles and keys of the state replaced. Lines that "
              "cannot be stored go to FILE.rejects.jsonl with number and reason, and the exit code is 4.",
     .examples = "gavatctl import events events.jsonl\ngavatctl export sessions - | gavatctl --events sqlite:///copy.db import sessions -"},
    {0},
};

const ctl_group ctl_export_group = {
    .name = "export", .summary = "Write all records of a kind to a file", .commands = export_commands, .stores = CTL_STORES};
const ctl_group ctl_import_group = {
    .name = "import", .summary = "Store records that an export has written", .commands = import_commands, .stores = CTL_STORES};
