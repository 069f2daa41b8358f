/* json_bson.c: checked JSON as BSON. A whole number is an int32 where it fits, else an int64, as the original's driver writes it; one with a point
 * or an exponent a double; one that is beyond every double a Decimal128. Any thread. */
#include "mongodb.h"
#include "../../base/clock.h"
#include "../../base/json_number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* text without escapes; in scratch where there are some. False: no memory. */
static bool plain(gv_slice raw, char **scratch, gv_slice *text)
{
    *scratch = NULL;
    text->data = raw.data + 1;
    text->length = raw.length - 2;
    if (!memchr(raw.data, '\\', raw.length))
        return true;
    *scratch = gv_alloc(raw.length);
    if (!*scratch)
        return false;
    text->length = gv_json_unescape(raw, *scratch, raw.length);
    text->data = *scratch;
    return true;
}

static bool append_string(bson_t *out, const char *key, int length, gv_slice raw)
{
    char *scratch;
    gv_slice text;
    if (!plain(raw, &scratch, &text) || text.length > INT32_MAX)
        return false;
    bool good = bson_append_utf8(out, key, length, text.data, (int)text.length);
    gv_free(scratch);
    return good;
}

static bool append_real(bson_t *out, const char *key, int length, const char *digits, char why[GV_JSON_WHY])
{
    bson_decimal128_t decimal;
    double value = gv_json_number_to_double(digits);
    if (isfinite(value))
        return bson_append_double(out, key, length, value);
    char text[BSON_DECIMAL128_STRING];
    if (bson_decimal128_from_string(digits, &decimal)) {
        bson_decimal128_to_string(&decimal, text);
        if (!strstr(text, "Inf") && !strstr(text, "NaN"))
            return bson_append_decimal128(out, key, length, &decimal);
    }
    snprintf(why, GV_JSON_WHY, "%.*s: MongoDB cannot hold the number %.40s", length < 120 ? length : 120, key, digits);
    return false;
}

static bool append_number(bson_t *out, const char *key, int length, gv_slice raw, char why[GV_JSON_WHY])
{
    char few[64], *digits = raw.length < sizeof few ? few : gv_alloc(raw.length + 1);
    bool good, whole = true;
    if (!digits)
        return false;
    memcpy(digits, raw.data, raw.length);
    digits[raw.length] = '\0';
    for (const char *at = digits; *at; at++)
        whole = whole && (*at == '-' || (*at >= '0' && *at <= '9'));
    if (whole) {
        int64_t value = strtoll(digits, NULL, 10);      /* it was checked that it fits */
        good = value >= INT32_MIN && value <= INT32_MAX ? bson_append_int32(out, key, length, (int32_t)value)
                                                        : bson_append_int64(out, key, length, value);
    } else {
        good = append_real(out, key, length, digits, why);
    }
    if (digits != few)
        gv_free(digits);
    return good;
}

static bool append_children(bson_t *child, gv_slice value, bool array, char why[GV_JSON_WHY])
{
    gv_slice key, item, name;
    uint32_t place = 0;
    bool good = true;
    for (gv_json_walk walk = gv_json_enter(value); good && gv_json_next(&walk, &key, &item); place++) {
        char digits[16], *scratch = NULL;
        if (array) {
            name.length = bson_uint32_to_string(place, &name.data, digits, sizeof digits);
            good = gv_bson_append_json(child, name.data, name.length, item, why);
            continue;
        }
        good = plain(key, &scratch, &name) && gv_bson_append_json(child, name.data, name.length, item, why);
        gv_free(scratch);
    }
    return good;
}

/* Goes as deep as gv_json_check lets a document be. */
bool gv_bson_append_json(bson_t *out, const char *key, size_t length, gv_slice value, char why[GV_JSON_WHY])
{
    bson_t child;
    bool good;
    if (length > INT32_MAX)
        return false;
    int size = (int)length;
    switch (gv_json_type_of(value)) {
    case GV_JSON_STRING: return append_string(out, key, size, value);
    case GV_JSON_NUMBER: return append_number(out, key, size, value, why);
    case GV_JSON_TRUE: return bson_append_bool(out, key, size, true);
    case GV_JSON_FALSE: return bson_append_bool(out, key, size, false);
    case GV_JSON_NULL: return bson_append_null(out, key, size);
    case GV_JSON_ARRAY:
        good = bson_append_array_begin(out, key, size, &child) && append_children(&child, value, true, why);
        return bson_append_array_end(out, &child) && good;
    case GV_JSON_OBJECT:
        good = bson_append_document_begin(out, key, size, &child) && append_children(&child, value, false, why);
        return bson_append_document_end(out, &child) && good;
    case GV_JSON_NONE: break;
    }
    return false;
}

/* --- a put --- */

enum { USERNAME, CREATED_AT, UPDATED_AT, REVISION, REVISED_AT, KEPT };
static const char *const keys[KEPT] = {"username", "created_at", "updated_at", "revision", "revised_at"};

typedef struct making {
    bson_t *out;
    const char *username;
    const gv_mongo_meta *stored;
    gv_slice given;             /* created_at of the new document */
    gavat_time now;
} making;

bool gv_bson_append_time(bson_t *out, const char *key, gavat_time time)
{
    return bson_append_date_time(out, key, -1, time / 1000);
}

/* The stored one as it is, whatever it is; else the caller's, else now. */
static bool append_created(const making *m)
{
    bson_iter_t at;
    char text[64];
    int64_t time;
    if (m->stored->kept && bson_iter_init_find(&at, m->stored->kept, keys[CREATED_AT]))
        return bson_append_iter(m->out, NULL, 0, &at);
    size_t length = gv_json_type_of(m->given) == GV_JSON_STRING ? gv_json_unescape(m->given, text, sizeof text) : sizeof text;
    bool given = length < sizeof text && gv_time_parse((gv_slice){text, length}, &time);
    return gv_bson_append_time(m->out, keys[CREATED_AT], given ? time : m->now);
}

static int64_t next_of(const gv_mongo_meta *stored, gavat_time now)
{
    return stored->kept ? gv_next_revision(stored->revision, stored->counted, now) : 1;
}

bool gv_bson_append_revision(bson_t *out, int64_t revision)
{
    const char *key = keys[REVISION];
    return revision <= INT32_MAX ? bson_append_int32(out, key, -1, (int32_t)revision) : bson_append_int64(out, key, -1, revision);
}

static bool append_kept(const making *m, unsigned which)
{
    switch (which) {
    case USERNAME: return bson_append_utf8(m->out, keys[USERNAME], -1, m->username, -1);
    case CREATED_AT: return append_created(m);
    case REVISION: return gv_bson_append_revision(m->out, next_of(m->stored, m->now));
    default: return gv_bson_append_time(m->out, keys[which], m->now);
    }
}

static unsigned kept_of(gv_slice name)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (gv_slice_is(name, keys[i]))
            return i;
    return KEPT;
}

bool gv_bson_make(bson_t *out, gv_slice json, const char *username, const gv_mongo_meta *stored, gavat_time now, char why[GV_JSON_WHY])
{
    gv_slice key, item, name;
    making m = {out, username, stored, gv_json_member(json, keys[CREATED_AT], strlen(keys[CREATED_AT])), now};
    bool good = true, done[KEPT] = {false};
    why[0] = '\0';
    if (!gv_json_member(json, keys[USERNAME], strlen(keys[USERNAME])).data)
        done[USERNAME] = good = append_kept(&m, USERNAME);
    for (gv_json_walk walk = gv_json_enter(json); good && gv_json_next(&walk, &key, &item);) {
        char *scratch;
        if (!plain(key, &scratch, &name))
            return false;
        unsigned which = kept_of(name);
        if (which < KEPT)
            done[which] = good = append_kept(&m, which);
        else if (!gv_slice_is(name, "_id"))     /* MongoDB's own */
            good = gv_bson_append_json(out, name.data, name.length, item, why);
        gv_free(scratch);
    }
    for (unsigned i = 0; good && i < KEPT; i++)
        good = done[i] || append_kept(&m, i);
    return good;
}

/* --- a patch --- */

static bool append_set(bson_t *set, const gv_profile_request *request, char why[GV_JSON_WHY])
{
    gv_slice key, item, name;
    bool good = true;
    for (gv_json_walk walk = gv_json_enter(request->json); good && request->json.data && gv_json_next(&walk, &key, &item);) {
        char *scratch;
        good = plain(key, &scratch, &name) && gv_bson_append_json(set, name.data, name.length, item, why);
        gv_free(scratch);
    }
    return good;
}

bool gv_bson_patch(bson_t *out, const gv_profile_request *request, int64_t revision, gavat_time now, char why[GV_JSON_WHY])
{
    bson_t set, unset;
    why[0] = '\0';
    bool good = BSON_APPEND_DOCUMENT_BEGIN(out, "$set", &set) && append_set(&set, request, why)
                && gv_bson_append_time(&set, keys[UPDATED_AT], now) && gv_bson_append_revision(&set, revision)
                && gv_bson_append_time(&set, keys[REVISED_AT], now);
    good = bson_append_document_end(out, &set) && good;
    if (!good || !request->unset_count)
        return good;
    good = BSON_APPEND_DOCUMENT_BEGIN(out, "$unset", &unset);
    for (size_t i = 0; good && i < request->unset_count; i++)
        good = bson_append_bool(&unset, request->unset[i].data, (int)request->unset[i].length, true);
    return bson_append_document_end(out, &unset) && good;
}
