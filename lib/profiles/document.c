#include "document.h"
#include "../base/clock.h"
#include "../base/json_indent.h"
#include <stdio.h>

/* --- what the library keeps --- */

typedef enum member { USERNAME, CREATED_AT, UPDATED_AT, REVISION, REVISED_AT, OTHER } member;
#define KEPT OTHER

static const char *const keys[KEPT] = {"username", "created_at", "updated_at", "revision", "revised_at"};

/* By a raw key, with its quotes; escapes in it change nothing. */
static member member_of(gv_slice key)
{
    char plain[16];
    gv_slice name = {key.data + 1, key.length - 2};
    if (memchr(key.data, '\\', key.length)) {
        name.data = plain;
        name.length = gv_json_unescape(key, plain, sizeof plain);
    }
    for (unsigned i = 0; i < KEPT; i++)
        if (name.length == strlen(keys[i]) && memcmp(name.data, keys[i], name.length) == 0)
            return (member)i;
    return OTHER;
}

static bool read_integer(gv_slice number, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < number.length; i++) {
        char digit = number.data[i];
        if (digit < '0' || digit > '9' || __builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, digit - '0', value))
            return false;
    }
    return number.length > 0;
}

/* A string value as text; NULL: not a string, or too long to be what is looked for. */
static const char *short_text(gv_slice value, char out[64])
{
    size_t length = gv_json_type_of(value) == GV_JSON_STRING ? gv_json_unescape(value, out, 63) : 64;
    if (length > 63)
        return NULL;
    out[length] = '\0';
    return out;
}

/* {"$key": inner}: the inner value; data NULL: it is not one of those. */
static gv_slice extended(gv_slice value, char key_out[64])
{
    gv_slice none = {NULL, 0}, key, item;
    if (gv_json_type_of(value) != GV_JSON_OBJECT)
        return none;
    gv_json_walk walk = gv_json_enter(value), rest;
    if (!gv_json_next(&walk, &key, &item) || key.length < 3 || key.data[1] != '$' || !short_text(key, key_out))
        return none;
    gv_slice other_key, other;
    rest = walk;
    return gv_json_next(&rest, &other_key, &other) ? none : item;
}

/* A string, or {"$date": string | milliseconds | {"$numberLong": "…"}}. */
static gavat_time read_time(gv_slice value)
{
    char text[64], key[64];
    int64_t time;
    const char *plain = short_text(value, text);
    if (plain)
        return gv_time_parse(gv_slice_of(plain), &time) ? time : 0;
    gv_slice inner = extended(value, key);
    if (!inner.data || strcmp(key, "$date") != 0)
        return 0;
    gv_slice number = extended(inner, key);
    plain = short_text(number.data ? number : inner, text);
    if (plain && !number.data)
        return gv_time_parse(gv_slice_of(plain), &time) ? time : 0;
    bool milliseconds = read_integer(plain ? gv_slice_of(plain) : inner, &time) && time <= GV_TIME_MAX / 1000;
    return milliseconds ? time * 1000 : 0;
}

static void note(gv_document *document, member which, gv_slice value)
{
    switch (which) {
    case USERNAME: document->username = value; return;
    case CREATED_AT: document->created_at = value; return;
    case UPDATED_AT: document->updated_at = value; return;
    case REVISION:
        if (!read_integer(value, &document->counted) || document->counted > INT64_MAX / 2)       /* no counting comes there */
            document->counted = 0;
        return;
    case REVISED_AT: document->revised_at = value; return;
    case OTHER: return;
    }
}

typedef struct members {        /* a walk over those of a document; all zero but document: at the first */
    const gv_document *document;
    gv_json_walk walk;
    size_t at;
} members;

static bool next_member(members *all, gv_slice *key, gv_slice *item)
{
    const gv_document *document = all->document;
    if (document->count > GV_DOCUMENT_PAIRS) {
        if (all->at++ == 0)
            all->walk = gv_json_enter(document->text);
        return gv_json_next(&all->walk, key, item);
    }
    if (all->at == document->count)
        return false;
    *key = document->pairs[all->at].key;
    *item = document->pairs[all->at++].value;
    return true;
}

const char *gv_document_read(gv_slice text, gv_document *read, size_t *at)
{
    gv_slice key, item, revised, updated;
    gv_json_pairs pairs = {read->pairs, GV_DOCUMENT_PAIRS, 0};
    memset(&read->username, 0, sizeof *read - offsetof(gv_document, username));
    read->text = gv_json_trim(text);
    *at = 0;
    if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return "it begins with a byte order mark";
    if (read->text.length == 0)
        return "it is empty";
    const char *wrong = gv_json_check_pairs(text, GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, at, &pairs);
    if (wrong)
        return wrong;
    if (gv_json_type_of(read->text) != GV_JSON_OBJECT)
        return "it is not an object";
    read->count = pairs.count;
    for (members all = {.document = read}; next_member(&all, &key, &item);)
        note(read, member_of(key), item);
    read->created = read_time(read->created_at);
    read->updated = read_time(read->updated_at);
    read->extended = memchr(read->text.data, '$', read->text.length) != NULL;
    revised = read->revised_at;
    updated = read->updated_at;
    if (revised.data && updated.data && revised.length == updated.length && memcmp(revised.data, updated.data, revised.length) == 0)
        read->revision = read->counted;
    return NULL;
}

int64_t gv_next_revision(int64_t revision, int64_t counted, gavat_time now)
{
    if (revision)
        return revision + 1;
    int64_t by_time = now > 0 ? now / 1000 : 1;
    return by_time > counted ? by_time : counted + 1;
}

int64_t gv_document_next_revision(const gv_document *stored, gavat_time now)
{
    return stored ? gv_next_revision(stored->revision, stored->counted, now) : 1;
}

/* --- for callers --- */

static void add_time(gv_text *out, gavat_time time)
{
    char text[30] = "\"";
    gv_time_to_rfc(time, text + 1);
    text[28] = '"';
    gv_text_add(out, text, 29);
}

/* Extended JSON as what it stands for. False: it is not, or stands for nothing that JSON has. */
static bool add_extended(gv_text *out, gv_slice value)
{
    char key[64], text[64];
    gv_slice inner = extended(value, key);
    if (!inner.data)
        return false;
    gavat_time time = strcmp(key, "$date") == 0 ? read_time(value) : 0;
    if (time) {
        add_time(out, time);
        return true;
    }
    if (strcmp(key, "$oid") == 0) {
        gv_text_add(out, inner.data, inner.length);
        return true;
    }
    bool number = strncmp(key, "$number", 7) == 0 && short_text(inner, text);
    if (number && gv_json_type_of(gv_slice_of(text)) == GV_JSON_NUMBER && !gv_json_check(gv_slice_of(text), 1, GV_JSON_NAN, NULL)) {
        gv_text_adds(out, text);
        return true;
    }
    return false;
}

static void add_comma(gv_text *out, bool *first)
{
    if (!*first)
        gv_text_add(out, ", ", 2);
    *first = false;
}

static void add_key(gv_text *out, bool *first, gv_slice key)
{
    add_comma(out, first);
    gv_text_add(out, key.data, key.length);
    gv_text_add(out, ": ", 2);
}

/* At once where they stand in the document as they are to stand here. */
static void add_member(gv_text *out, bool *first, gv_slice key, gv_slice item)
{
    const char *colon = key.data + key.length;
    if (item.data != colon + 2 || colon[1] != ' ') {
        add_key(out, first, key);
        gv_text_add(out, item.data, item.length);
        return;
    }
    add_comma(out, first);
    gv_text_add(out, key.data, key.length + 2 + item.length);
}

/* Goes as deep as gv_json_check lets a document be. */
static void add_resolved(gv_text *out, gv_slice value)
{
    gv_slice key, item;
    bool first = true;
    gv_json_type type = gv_json_type_of(value);
    if (type != GV_JSON_OBJECT && type != GV_JSON_ARRAY) {
        gv_text_add(out, value.data, value.length);
        return;
    }
    if (add_extended(out, value))
        return;
    gv_text_addc(out, type == GV_JSON_OBJECT ? '{' : '[');
    for (gv_json_walk walk = gv_json_enter(value); gv_json_next(&walk, &key, &item);) {
        if (type == GV_JSON_OBJECT)
            add_key(out, &first, key);
        else
            add_comma(out, &first);
        add_resolved(out, item);
    }
    gv_text_addc(out, type == GV_JSON_OBJECT ? '}' : ']');
}

/* Of 0 or more. */
static void add_integer(gv_text *out, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    gv_text_add(out, digits + at, sizeof digits - at);
}

static void add_name(gv_text *out, const char *username)
{
    gv_text_add_json(out, username, strlen(username));
}

void gv_document_view(gv_text *out, const gv_document *document, const char *username)
{
    gv_slice key, item;
    bool first = true, counted = false;
    gv_text_addc(out, '{');
    if (!document->username.data) {
        add_key(out, &first, gv_slice_of("\"username\""));
        add_name(out, username);
    }
    for (members all = {.document = document}; next_member(&all, &key, &item);) {
        member which = member_of(key);
        gavat_time time = which == CREATED_AT ? document->created : which == UPDATED_AT ? document->updated : 0;
        if (which == REVISED_AT)
            continue;
        if (which == OTHER && !document->extended) {
            add_member(out, &first, key, item);
            continue;
        }
        add_key(out, &first, key);
        if (which == USERNAME)
            add_name(out, username);
        else if (which == REVISION)
            add_integer(out, document->revision);
        else if (time)
            add_time(out, time);
        else if (document->extended)
            add_resolved(out, item);
        else
            gv_text_add(out, item.data, item.length);
        counted = counted || which == REVISION;
    }
    if (!counted) {
        add_key(out, &first, gv_slice_of("\"revision\""));
        add_integer(out, document->revision);
    }
    gv_text_addc(out, '}');
}

gavat_profile *gv_document_record(gv_arena *arena, const gv_document *document, const char *username, const gv_text *view)
{
    gavat_profile *profile = view->failed ? NULL : gv_arena_alloc(arena, sizeof *profile);
    if (!profile)
        return NULL;
    profile->username = gv_arena_copy_text(arena, username);
    profile->json = gv_arena_copy(arena, gv_text_get(view), view->length);
    profile->json_length = view->length;
    profile->revision = document->revision;
    profile->created_at = document->created;
    profile->updated_at = document->updated;
    return profile->username && profile->json ? profile : NULL;
}

/* --- for the store --- */

/* Naive UTC, as Python's isoformat writes it. */
static void add_naive(gv_text *out, gavat_time time)
{
    char text[27];
    gv_time_to_sql(time, text);
    text[10] = 'T';
    gv_text_addf(out, "\"%s\"", text);
}

typedef struct making {
    const char *username;
    const gv_document *stored;
    gv_slice given;             /* created_at of the new document */
    gavat_time now;
} making;

/* created_at: the stored one, else the caller's, else now. What is stored and is no time stays as it is. */
static void add_created(gv_text *out, const making *m)
{
    gavat_time given = read_time(m->given);
    if (m->stored && m->stored->created)
        add_naive(out, m->stored->created);
    else if (m->stored && m->stored->created_at.data)
        gv_text_add(out, m->stored->created_at.data, m->stored->created_at.length);
    else
        add_naive(out, given ? given : m->now);
}

static void add_kept(gv_text *out, const making *m, member which)
{
    switch (which) {
    case USERNAME: add_name(out, m->username); return;
    case CREATED_AT: add_created(out, m); return;
    case REVISION: add_integer(out, gv_document_next_revision(m->stored, m->now)); return;
    default: add_naive(out, m->now); return;
    }
}

static void add_quoted(gv_text *out, bool *first, const char *key)
{
    gv_text_addf(out, "%s\"%s\": ", *first ? "" : ", ", key);
    *first = false;
}

void gv_document_make(gv_text *out, gv_slice json, const char *username, const gv_document *stored, gavat_time now)
{
    gv_slice key, item;
    gv_text plain = {0};
    making m = {username, stored, gv_json_member(json, keys[CREATED_AT], strlen(keys[CREATED_AT])), now};
    bool first = true, done[KEPT] = {false};
    gv_text_addc(&plain, '{');
    if (!gv_json_member(json, keys[USERNAME], strlen(keys[USERNAME])).data) {
        add_quoted(&plain, &first, keys[USERNAME]);
        add_kept(&plain, &m, USERNAME);
        done[USERNAME] = true;
    }
    for (gv_json_walk walk = gv_json_enter(json); gv_json_next(&walk, &key, &item);) {
        member which = member_of(key);
        add_key(&plain, &first, key);
        if (which == OTHER) {
            gv_text_add(&plain, item.data, item.length);
            continue;
        }
        add_kept(&plain, &m, which);
        done[which] = true;
    }
    for (unsigned i = 0; i < KEPT; i++) {
        if (done[i])
            continue;
        add_quoted(&plain, &first, keys[i]);
        add_kept(&plain, &m, (member)i);
    }
    gv_text_addc(&plain, '}');
    gv_json_print(out, (gv_slice){gv_text_get(&plain), plain.length}, &gv_json_indent_2);
    out->failed = out->failed || plain.failed;
    gv_text_free(&plain);
}

static gv_json_member_value value_of(const gv_text *text, member which)
{
    gv_json_member_value value = {keys[which], {gv_text_get(text), text->length}};
    return value;
}

bool gv_document_patch(gv_text *out, const gv_document *stored, gv_json_changes changes, gavat_time now, char why[GV_JSON_WHY])
{
    gv_text changed = {.limit = out->limit}, time = {0}, revision = {0};
    bool good = gv_json_apply(&changed, stored->text, changes, why);
    if (good) {
        add_naive(&time, now);
        add_integer(&revision, gv_document_next_revision(stored, now));
        const gv_json_member_value kept[] = {value_of(&time, UPDATED_AT), value_of(&revision, REVISION), value_of(&time, REVISED_AT)};
        gv_json_set_members(out, (gv_slice){gv_text_get(&changed), changed.length}, kept, sizeof kept / sizeof *kept);
        good = !out->failed && !time.failed && !revision.failed;
        why[0] = good ? why[0] : '\0';
    }
    gv_text_free(&changed);
    gv_text_free(&time);
    gv_text_free(&revision);
    return good;
}

const char *gv_document_kept(gv_slice path)
{
    const char *dot = memchr(path.data, '.', path.length);
    size_t length = dot ? (size_t)(dot - path.data) : path.length;
    for (unsigned i = 0; i < KEPT; i++)
        if (length == strlen(keys[i]) && memcmp(path.data, keys[i], length) == 0)
            return keys[i];
    return NULL;
}
