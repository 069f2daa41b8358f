/* check.c: what a document must be before it may go to the store: what every backend can hold and every reader can read. Every sentence
 * names the path and what is allowed there. Any thread. */
#include "requests.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "../base/utf8.h"
#include "../core/client.h"
#include <stdio.h>
#include <stdlib.h>

#define NAME_MOST 100           /* characters: as the username columns of the SQL tables */
#define FEW_KEYS 16             /* keys that are compared with no memory of their own */

typedef struct level {
    gv_json_walk walk;
    gv_slice key;               /* that the walk is at, with its quotes; of an array empty */
    size_t place;               /* in an array */
} level;

typedef struct checker {
    level levels[GV_JSON_DEPTH + 1];
    unsigned depth;
    gv_arena scratch;
    gv_profile_fault *fault;
} checker;

static bool __attribute__((format(printf, 3, 4))) refuse(gv_profile_fault *fault, gavat_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->why, sizeof fault->why, format, args);
    va_end(args);
    fault->status = status;
    return false;
}

/* "gpt.models.0: " and what is wrong there. The path is cut in front where it is long. */
static bool refuse_here(checker *c, const char *why)
{
    gv_text path = {0};
    for (unsigned i = 0; i < c->depth; i++) {
        const level *at = &c->levels[i];
        if (i)
            gv_text_addc(&path, '.');
        if (at->walk.object)
            gv_text_add(&path, at->key.data + 1, at->key.length - 2);
        else
            gv_text_addf(&path, "%zu", at->place);
    }
    const char *text = gv_text_get(&path);
    size_t from = path.length > 120 ? path.length - 120 : 0;
    while (from && from < path.length && ((unsigned char)text[from] & 0xc0) == 0x80)
        from++;
    refuse(c->fault, GAVAT_EINVAL, "%s%s%s%s", from ? "…" : "", text + from, path.length ? ": " : "", why);
    gv_text_free(&path);
    return false;
}

static int compare_keys(const void *left, const void *right)
{
    const gv_slice *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* A key without quotes and escapes. False: no memory. */
static bool plain_key(checker *c, gv_slice raw, gv_slice *key)
{
    if (!memchr(raw.data, '\\', raw.length)) {
        *key = (gv_slice){raw.data + 1, raw.length - 2};
        return true;
    }
    char *text = gv_arena_alloc(&c->scratch, raw.length);
    if (!text)
        return refuse(c->fault, GAVAT_ENOMEM, "no memory to check the document");
    *key = (gv_slice){text, gv_json_unescape(raw, text, raw.length)};
    return true;
}

static const char *key_fault(gv_slice key)
{
    if (key.length && key.data[0] == '$')
        return "a key must not begin with '$'";
    if (memchr(key.data, '.', key.length))
        return "a key must not hold a '.': paths could not name it";
    if (memchr(key.data, '\0', key.length))
        return "a key must not hold a NUL";
    return NULL;
}

/* All keys of one object: each fit for a path, none twice. c->depth is that of the object's own keys. */
static bool check_keys(checker *c, gv_slice object)
{
    gv_slice few[FEW_KEYS], *keys = few, key, item;
    size_t count = 0, bytes;
    level *at = &c->levels[c->depth++];
    at->walk = gv_json_enter(object);
    for (gv_json_walk walk = at->walk; gv_json_next(&walk, &key, &item);)
        count++;
    if (count > FEW_KEYS)
        keys = gv_multiply_size(count, sizeof *keys, &bytes) ? gv_arena_alloc(&c->scratch, bytes) : NULL;
    if (!keys)
        return refuse(c->fault, GAVAT_ENOMEM, "no memory to check the document");
    count = 0;
    for (gv_json_walk walk = at->walk; gv_json_next(&walk, &at->key, &item); count++) {
        if (!plain_key(c, at->key, &keys[count]))
            return false;
        const char *wrong = key_fault(keys[count]);
        if (wrong)
            return refuse_here(c, wrong);
    }
    c->depth--;
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++) {
        char why[100];
        snprintf(why, sizeof why, "the key \"%.*s\" comes twice", (int)(keys[i].length < 60 ? keys[i].length : 60), keys[i].data);
        if (compare_keys(&keys[i - 1], &keys[i]) == 0)
            return refuse_here(c, why);
    }
    return true;
}

/* Any number with a point or an exponent is a double to every reader; a whole one must fit 64 bits. */
static bool fits(gv_slice number)
{
    bool negative = number.data[0] == '-', fit = true;
    int64_t sum = 0;
    for (size_t i = negative; i < number.length; i++) {
        char digit = number.data[i];
        if (digit < '0' || digit > '9')
            return true;
        fit = fit && !__builtin_mul_overflow(sum, 10, &sum) && !__builtin_add_overflow(sum, negative ? '0' - digit : digit - '0', &sum);
    }
    return fit;
}

static bool check_item(checker *c, gv_slice item)
{
    gv_json_type type = gv_json_type_of(item);
    if (type == GV_JSON_NUMBER && !fits(item))
        return refuse_here(c, "a whole number must fit 64 bits, -9223372036854775808 to 9223372036854775807; write it as a string");
    if (type == GV_JSON_OBJECT && !check_keys(c, item))
        return false;
    if (type == GV_JSON_OBJECT || type == GV_JSON_ARRAY) {
        level below = {.walk = gv_json_enter(item), .place = SIZE_MAX};
        c->levels[c->depth++] = below;
    }
    return true;
}

/* value has passed gv_json_check with GV_JSON_DEPTH. */
static bool walk_value(checker *c, gv_slice value)
{
    if (!check_item(c, value))
        return false;
    while (c->depth) {
        gv_slice item;
        level *at = &c->levels[c->depth - 1];
        if (!gv_json_next(&at->walk, &at->key, &item)) {
            c->depth--;
            continue;
        }
        at->place++;
        if (!check_item(c, item))
            return false;
    }
    return true;
}

bool gv_profile_check_value(gv_slice value, gv_profile_fault *fault)
{
    checker c = {.fault = fault};
    bool good = walk_value(&c, gv_json_trim(value));
    gv_arena_free(&c.scratch);
    return good;
}

bool gv_profile_check(const gavat *g, gv_slice json, gv_profile_fault *fault)
{
    size_t at = 0;
    if (!json.data)
        return refuse(fault, GAVAT_EINVAL, "json is NULL: give the document, {} for an empty one");
    if (json.length > g->most_record)
        return refuse(fault, GAVAT_EINVAL, "the document is larger than %zu bytes (GAVAT_MAX_RECORD)", g->most_record);
    const char *wrong = gv_json_check(json, GV_JSON_DEPTH, 0, &at);
    if (wrong)
        return refuse(fault, GAVAT_EINVAL, "the document is not JSON at byte %zu: %s", at, wrong);
    if (gv_json_type_of(json) != GV_JSON_OBJECT)
        return refuse(fault, GAVAT_EINVAL, "the document must be a JSON object such as {\"type\": \"bot\"}");
    return gv_profile_check_value(json, fault);
}

bool gv_profile_check_name(const char *username, bool to_write, gv_profile_fault *fault)
{
    if (!username || !*username)
        return refuse(fault, GAVAT_EINVAL, "username is required and must not be empty");
    size_t characters = gv_utf8_count(username, strlen(username));
    if (characters == SIZE_MAX)
        return refuse(fault, GAVAT_EINVAL, "username is not valid UTF-8");
    if (to_write && characters > NAME_MOST)
        return refuse(fault, GAVAT_EINVAL, "username is longer than %d characters", NAME_MOST);
    return true;
}
