#include "reading.h"
#include "../base/clock.h"
#include "../base/files.h"
#include "../base/json.h"
#include "../base/sha256.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define FILE_MOST ((size_t)256 << 20)   /* of a file that is read as a whole */
#define DAY INT64_C(86400)

const char *const gv_source_names[GV_SOURCE_KINDS + 1] = {"logs", "analytics", "characters", "messages", "personas", "profiles", "states",
                                                          "cooldowns", "database", "not read"};

static const char *const oddities[GV_ODDITIES] = {
    [GV_ODD_MARK] = "begins with a byte order mark, which is left out",
    [GV_ODD_LATIN5] = "converted from ISO-8859-9",
    [GV_ODD_CONTINUED] = "lines without a header, which belong to the record before them",
    [GV_ODD_CARRIAGE] = "records with line ends of Windows, kept as plain ones",
    [GV_ODD_TWICE] = "local times that came twice: taken as the first",
    [GV_ODD_SKIPPED] = "local times that the clock skipped: taken as if it had not",
    [GV_ODD_KEY_TWICE] = "documents with a key twice: the last one counts",
    [GV_ODD_OTHER_NAME] = "documents with another username in them: the file's name counts",
    [GV_ODD_EXPIRED] = "expired already: left out",
    [GV_ODD_ROUNDED] = "amounts rounded to 8 places",
    [GV_ODD_CURRENCY] = "without a currency: taken as TRY",
    [GV_ODD_WRAPPED] = "with details that are no object: kept in one as \"details\"",
    [GV_ODD_EMPTY] = "nothing in it",
    [GV_ODD_MERGED] = "merged with the persona of the same name, whose fields fill in what the profile lacks",
    [GV_ODD_ITSELF] = "is the events store itself, which keeps these rows as they are",
};

static unsigned read_only(const char *only, char why[GV_SOURCE_WHY])
{
    unsigned mask = 0;
    for (const char *at = only; at && *at;) {
        size_t length = strcspn(at, ","), kind = 0;
        while (kind < GV_SOURCE_KINDS && !(strlen(gv_source_names[kind]) == length && memcmp(gv_source_names[kind], at, length) == 0))
            kind++;
        if (kind == GV_SOURCE_KINDS) {
            snprintf(why, GV_SOURCE_WHY, "there are no sources \"%.*s\": only takes logs, analytics, characters, messages, profiles, "
                     "personas, states, cooldowns, database, with commas between", (int)(length < 40 ? length : 40), at);
            return 0;
        }
        mask |= 1u << kind;
        at += length + (at[length] == ',');
    }
    return mask ? mask : (1u << GV_SOURCE_KINDS) - 1;
}

int gv_reading_start(gv_reading *reading, const gavat_migration *wanted, char why[GV_SOURCE_WHY])
{
    reading->directory = wanted->directory;
    reading->most_record = reading->client->most_record;
    reading->only = read_only(wanted->only, why);
    if (!reading->only)
        return -EINVAL;
    int status = gv_zone_load(&reading->arena, wanted->zone ? wanted->zone : "UTC", &reading->zone);
    if (status == -ENOENT || status == -EBADMSG) {
        snprintf(why, GV_SOURCE_WHY, "there is no time zone \"%.60s\": it is a name such as Europe/Istanbul, of the package tzdata", wanted->zone);
        return -EINVAL;
    }
    reading->seen = gv_seen_new();
    if (status == 0 && !reading->seen)
        status = -ENOMEM;
    if (status == 0)
        status = gv_folder_find(reading);
    if (status < 0)
        snprintf(why, GV_SOURCE_WHY, "%.200s cannot be read (%s)", wanted->directory, gv_errno_name(-status));
    return status;
}

void gv_reading_end(gv_reading *reading)
{
    gv_seen_free(reading->seen);
    gv_free(reading->sources);
    gv_text_free(&reading->path);
    gv_text_free(&reading->json);
    gv_text_free(&reading->scratch);
    gv_text_free(&reading->identity);
    gv_arena_free(&reading->arena);
}

bool gv_reading_wanted(gv_reading *reading)
{
    return !reading->op || gv_op_wanted(reading->op);
}

static bool read_source(gv_reading *reading, gv_source *source)
{
    static bool (*const readers[GV_SOURCE_KINDS])(gv_reading *, gv_source *) = {
        [GV_SOURCE_LOGS] = gv_read_log,           [GV_SOURCE_ANALYTICS] = gv_read_analytics, [GV_SOURCE_CHARACTERS] = gv_read_characters,
        [GV_SOURCE_MESSAGES] = gv_read_messages,  [GV_SOURCE_PERSONAS] = gv_read_document,   [GV_SOURCE_PROFILES] = gv_read_document,
        [GV_SOURCE_STATES] = gv_read_states,      [GV_SOURCE_COOLDOWNS] = gv_read_cooldowns, [GV_SOURCE_DATABASE] = gv_read_database,
    };
    return readers[source->kind](reading, source);
}

int gv_reading_run(gv_reading *reading)
{
    const gv_source *before = NULL;
    for (size_t i = 0; i < reading->count; i++) {
        gv_source *source = &reading->sources[i];
        if (source->kind == GV_SOURCE_UNKNOWN || !(reading->only & 1u << source->kind))
            continue;
        if (!before || before->kind != source->kind || strcmp(before->stream, source->stream) != 0)
            gv_seen_clear(reading->seen);
        before = source;
        if (!gv_reading_wanted(reading) || !read_source(reading, source))
            break;
    }
    return reading->failed;
}

void gv_reading_odd(gv_source *source, gv_oddity what)
{
    source->odd[what]++;
}

void gv_source_describe(const gv_source *source, gv_text *out, bool ran)
{
    static const char *const targets[] = {"events", "events", "events", "messages", "profiles", "profiles", "state", "state", "events", ""};
    gv_text_adds(out, "{\"source\":");
    gv_text_add_json(out, source->path, strlen(source->path));
    if (source->table)
        gv_text_addf(out, ",\"table\":\"%s\"", source->table);
    gv_text_addf(out, ",\"kind\":\"%s\",\"target\":\"%s\",\"records\":%" PRIu64 ",\"rejected\":%" PRIu64, gv_source_names[source->kind],
                 targets[source->kind], source->records, source->rejected);
    if (ran)
        gv_text_addf(out, ",\"landed\":%" PRIu64 ",\"present\":%" PRIu64, source->landed, source->present);
    gv_text_adds(out, ",\"oddities\":[");
    const char *comma = "";
    for (size_t i = 0; i < GV_ODDITIES; i++) {
        if (!source->odd[i])
            continue;
        gv_text text = {0};
        gv_text_addf(&text, "%" PRIu64 " %s", source->odd[i], oddities[i]);
        if (i == GV_ODD_MARK || i == GV_ODD_EMPTY || i == GV_ODD_MERGED || i == GV_ODD_ITSELF) {
            gv_text_clear(&text);
            gv_text_adds(&text, oddities[i]);
        }
        gv_text_adds(out, comma);
        gv_text_add_json(out, gv_text_get(&text), text.length);
        gv_text_free(&text);
        comma = ",";
    }
    gv_text_adds(out, "]}");
}

bool gv_found_is_new(const gv_found *found)
{
    return strcmp(found->kind, "event") == 0 || strcmp(found->kind, "sale") == 0 || strcmp(found->kind, "message") == 0;
}

/* --- for readers --- */

void gv_found_begin(gv_reading *reading)
{
    gv_text_clear(&reading->json);
    gv_text_addc(&reading->json, '{');
}

static void add_key(gv_reading *reading, const char *key)
{
    gv_text_addf(&reading->json, "%s\"%s\":", reading->json.length > 1 ? "," : "", key);
}

void gv_found_text(gv_reading *reading, const char *key, gv_slice text)
{
    add_key(reading, key);
    gv_text_add_json(&reading->json, text.data, text.length);
}

void gv_found_json(gv_reading *reading, const char *key, gv_slice value)
{
    add_key(reading, key);
    gv_text_add(&reading->json, value.data, value.length);
}

void gv_found_details(gv_reading *reading, gv_source *source, const char *key, gv_slice details)
{
    bool json = details.length && !gv_json_check(details, GV_JSON_DEPTH_MOST, GV_JSON_SURROGATES, NULL);
    gv_json_type type = json ? gv_json_type_of(gv_json_trim(details)) : GV_JSON_NONE;
    if (!details.length || type == GV_JSON_NULL)
        return;
    if (type == GV_JSON_OBJECT) {
        gv_found_json(reading, key, details);
        return;
    }
    gv_reading_odd(source, GV_ODD_WRAPPED);
    add_key(reading, key);
    gv_text_adds(&reading->json, "{\"details\": ");
    if (json)
        gv_text_add(&reading->json, details.data, details.length);
    else
        gv_text_add_json(&reading->json, details.data, details.length);
    gv_text_addc(&reading->json, '}');
}

void gv_found_time(gv_reading *reading, const char *key, gavat_time time)
{
    char text[28];
    gv_time_to_rfc(time, text);
    gv_found_text(reading, key, gv_slice_of(text));
}

static bool no_memory(gv_reading *reading)
{
    reading->failed = -ENOMEM;
    return false;
}

bool gv_found_make_uid(gv_reading *reading, const gv_source *source, const char *kind, gavat_time time, gv_slice content, char uid[37])
{
    gv_text *identity = &reading->identity;
    uint32_t before;
    gv_text_clear(identity);
    gv_text_adds(identity, kind);
    gv_text_addc(identity, '\0');
    gv_text_adds(identity, source->table ? source->table : source->stream);
    gv_text_addc(identity, '\0');
    gv_text_add(identity, content.data, content.length);
    if (identity->failed || !gv_seen_count(reading->seen, gv_slice_hash((gv_slice){identity->data, identity->length}), &before))
        return no_memory(reading);
    gv_text_addf(identity, "%c%" PRIu32, 0, before);
    if (identity->failed)
        return no_memory(reading);
    unsigned char digest[32];
    gv_sha256((gv_slice){identity->data, identity->length}, digest);
    uint64_t low = 0, milliseconds = time > 0 ? (uint64_t)time / 1000 : 0;
    for (size_t i = 0; i < 8; i++)
        low = low << 8 | digest[i];
    low = (low & UINT64_MAX >> 2) | UINT64_C(2) << 62;
    snprintf(uid, 37, "%08" PRIx64 "-%04" PRIx64 "-8%03x-%04" PRIx64 "-%012" PRIx64, (milliseconds >> 16) & UINT32_MAX, milliseconds & 0xffff,
             GV_MIGRATED, low >> 48, low & UINT64_C(0xffffffffffff));
    return true;
}

bool gv_found_send(gv_reading *reading, gv_source *source, uint64_t line, const char *kind, const char *uid)
{
    if (reading->json.failed)
        return no_memory(reading);
    gv_found found = {source, line, kind, {reading->json.data, reading->json.length}, uid};
    source->records++;
    return reading->take(reading, &found) && gv_reading_wanted(reading);
}

bool gv_found_end(gv_reading *reading, gv_source *source, uint64_t line, const char *kind, gavat_time time, gv_slice identity)
{
    char uid[37] = "";
    if (identity.data && !gv_found_make_uid(reading, source, kind, time, identity, uid))
        return false;
    if (*uid)
        gv_found_text(reading, "uid", gv_slice_of(uid));
    gv_text_addc(&reading->json, '}');
    return !reading->failed && gv_found_send(reading, source, line, kind, uid);
}

bool gv_found_reject(gv_reading *reading, gv_source *source, uint64_t line, const char *format, ...)
{
    char why[GV_SOURCE_WHY];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    source->rejected++;
    return reading->reject(reading, source, line, why);
}

/* The moment of a local time: of two the first one, and one that the clock skipped as if it had gone on. */
static int64_t to_utc(const gv_zone *zone, gv_source *source, int64_t local)
{
    int64_t before = gv_zone_offset(zone, local - DAY), after = gv_zone_offset(zone, local + DAY);
    bool first = gv_zone_offset(zone, local - before) == before, second = gv_zone_offset(zone, local - after) == after;
    if (before == after || (first && !second))
        return local - before;
    if (second && !first)
        return local - after;
    gv_reading_odd(source, first ? GV_ODD_TWICE : GV_ODD_SKIPPED);
    return local - before;
}

bool gv_reading_time(gv_reading *reading, gv_source *source, gv_slice text, gavat_time *time)
{
    int64_t local;
    if (!gv_time_parse(text, &local))
        return false;
    for (size_t i = 10; i < text.length; i++)
        if (strchr("Zz+-", text.data[i])) {
            *time = local;
            return true;
        }
    int64_t seconds = (local >= 0 ? local : local - 999999) / 1000000;
    *time = to_utc(reading->zone, source, seconds) * 1000000 + (local - seconds * 1000000);
    return true;
}

const char *gv_reading_path(gv_reading *reading, const gv_source *source)
{
    gv_text_clear(&reading->path);
    gv_text_addf(&reading->path, "%s/%s", reading->directory, source->path);
    if (reading->path.failed)
        reading->failed = -ENOMEM;
    return reading->failed ? NULL : gv_text_get(&reading->path);
}

bool gv_reading_load(gv_reading *reading, gv_source *source, gv_text *out, bool *go_on)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *path = gv_reading_path(reading, source);
    bool converted = false;
    gv_text_clear(out);
    *go_on = false;
    int status = path ? gv_file_read_all(path, FILE_MOST, out) : -ENOMEM;
    if (status == -ENOMEM || out->failed) {
        reading->failed = -ENOMEM;
        return false;
    }
    if (status < 0) {
        *go_on = gv_found_reject(reading, source, 0, "the file cannot be read (%s)", gv_errno_name(-status));
        return false;
    }
    if (out->length >= 3 && memcmp(out->data, mark, 3) == 0) {
        gv_reading_odd(source, GV_ODD_MARK);
        memmove(out->data, out->data + 3, out->length - 2);
        out->length -= 3;
    }
    const char *wrong = gv_text_to_utf8(out, &converted);
    if (wrong && !*wrong)
        reading->failed = -ENOMEM;
    else if (wrong)
        *go_on = gv_found_reject(reading, source, 0, "the file cannot be read: %s", wrong);
    if (wrong)
        return false;
    if (converted)
        gv_reading_odd(source, GV_ODD_LATIN5);
    if (!out->length)
        gv_reading_odd(source, GV_ODD_EMPTY);
    *go_on = true;
    return out->length > 0;
}
