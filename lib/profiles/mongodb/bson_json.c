/* bson_json.c: documents of MongoDB as JSON text. Numbers that a double cannot tell apart from whole ones keep their type by how they are
 * written: 5 is an integer, 5.0 a double. Deep documents recurse as deep as the server lets them be (180). Any thread. */
#include "mongodb.h"
#include "../../base/base64.h"
#include "../../base/clock.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- numbers --- */

static void add_integer(gv_text *out, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    gv_text_add(out, digits + at, sizeof digits - at);
}

/* d.ddde±xx of so many digits, whatever point the locale has: digits and exponent apart. */
static int split(double value, int count, char digits[24], int *exponent)
{
    char text[48];
    int length = 0;
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && length < 20)
            digits[length++] = *at;
    *exponent = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    while (length > 1 && digits[length - 1] == '0')
        length--;
    return length;
}

static double join(const char *digits, int length, int exponent)
{
    char text[48];
    snprintf(text, sizeof text, "%.*se%d", length, digits, exponent - length + 1);
    return strtod(text, NULL);          /* no point in it: the same in every locale */
}

/* The shortest text that reads back as the same, as Python's repr has it: 0.5, 100000.0, 1e+16. */
static void add_double(gv_text *out, double value)
{
    char digits[24];
    int exponent, length = 0;
    if (isnan(value)) {
        gv_text_adds(out, "NaN");
        return;
    }
    if (signbit(value))
        gv_text_addc(out, '-');
    value = fabs(value);
    if (isinf(value)) {
        gv_text_adds(out, "Infinity");
        return;
    }
    if (value < 1e15 && value == floor(value)) {
        add_integer(out, (int64_t)value);
        gv_text_adds(out, ".0");
        return;
    }
    for (int count = 15; count <= 17; count++) {
        length = split(value, count, digits, &exponent);
        if (join(digits, length, exponent) == value)
            break;
    }
    if (exponent < -4 || exponent >= 16) {
        gv_text_addc(out, digits[0]);
        if (length > 1)
            gv_text_addc(out, '.');
        gv_text_add(out, digits + 1, (size_t)(length - 1));
        gv_text_addf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    if (exponent < 0) {
        gv_text_adds(out, "0.");
        for (int i = -1; i > exponent; i--)
            gv_text_addc(out, '0');
        gv_text_add(out, digits, (size_t)length);
        return;
    }
    for (int i = 0; i < length || i <= exponent; i++) {
        gv_text_addc(out, i < length ? digits[i] : '0');
        if (i == exponent)
            gv_text_adds(out, i + 1 < length ? "." : i + 1 >= length ? ".0" : "");
    }
}

/* --- values --- */

static void add_string(gv_text *out, const char *text, size_t length)
{
    gv_text_add_json(out, text, length);
}

static bool holds_time(int64_t milliseconds)
{
    return milliseconds > 0 && milliseconds <= GV_TIME_MAX / 1000;
}

static void add_date(gv_text *out, int64_t milliseconds, bool plain)
{
    char text[28];
    if (!plain || !holds_time(milliseconds)) {
        gv_text_addf(out, "{\"$date\": {\"$numberLong\": \"%" PRId64 "\"}}", milliseconds);
        return;
    }
    gv_time_to_rfc(milliseconds * 1000, text);
    gv_text_addf(out, "\"%s\"", text);
}

static void add_decimal(gv_text *out, const bson_decimal128_t *value, bool plain)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(value, text);
    bool number = !gv_json_check(gv_slice_of(text), 1, GV_JSON_NAN, NULL);
    gv_text_addf(out, plain && number ? "%s" : "{\"$numberDecimal\": \"%s\"}", text);
}

static void add_binary(gv_text *out, const bson_iter_t *at)
{
    bson_subtype_t kind;
    uint32_t length;
    const uint8_t *data;
    bson_iter_binary(at, &kind, &length, &data);
    char *text = gv_alloc((size_t)length / 3 * 4 + 5);
    if (!text) {
        out->failed = true;
        return;
    }
    gv_base64_encode(data, length, text);
    gv_text_adds(out, "{\"$binary\": {\"base64\": \"");
    for (const char *letter = text; *letter; letter++)
        gv_text_addc(out, *letter == '-' ? '+' : *letter == '_' ? '/' : *letter);
    for (size_t rest = strlen(text) % 4; rest && rest < 4; rest++)
        gv_text_addc(out, '=');
    gv_free(text);
    gv_text_addf(out, "\", \"subType\": \"%02x\"}}", (unsigned)kind);
}

/* Types that documents of bots hardly ever have. */
static void add_rare(gv_text *out, const bson_iter_t *at)
{
    const char *text, *more;
    uint32_t length, increment;
    switch (bson_iter_type(at)) {
    case BSON_TYPE_REGEX:
        text = bson_iter_regex(at, &more);
        gv_text_adds(out, "{\"$regularExpression\": {\"pattern\": ");
        add_string(out, text, strlen(text));
        gv_text_adds(out, ", \"options\": ");
        add_string(out, more, strlen(more));
        gv_text_adds(out, "}}");
        return;
    case BSON_TYPE_TIMESTAMP:
        bson_iter_timestamp(at, &length, &increment);
        gv_text_addf(out, "{\"$timestamp\": {\"t\": %" PRIu32 ", \"i\": %" PRIu32 "}}", length, increment);
        return;
    case BSON_TYPE_CODE:
    case BSON_TYPE_CODEWSCOPE:
        text = bson_iter_type(at) == BSON_TYPE_CODE ? bson_iter_code(at, &length) : bson_iter_utf8(at, &length);
        gv_text_adds(out, "{\"$code\": ");
        add_string(out, text ? text : "", text ? length : 0);
        gv_text_addc(out, '}');
        return;
    case BSON_TYPE_SYMBOL:
        text = bson_iter_symbol(at, &length);
        gv_text_adds(out, "{\"$symbol\": ");
        add_string(out, text, length);
        gv_text_addc(out, '}');
        return;
    case BSON_TYPE_MINKEY: gv_text_adds(out, "{\"$minKey\": 1}"); return;
    case BSON_TYPE_MAXKEY: gv_text_adds(out, "{\"$maxKey\": 1}"); return;
    case BSON_TYPE_UNDEFINED: gv_text_adds(out, "{\"$undefined\": true}"); return;
    default: gv_text_adds(out, "{\"$dbPointer\": {}}"); return;
    }
}

static void add_children(gv_text *out, const bson_iter_t *parent, bool plain);

static void add_value(gv_text *out, const bson_iter_t *at, bool plain)
{
    char oid[25];
    uint32_t length;
    bson_decimal128_t decimal;
    switch (bson_iter_type(at)) {
    case BSON_TYPE_UTF8: {
        const char *text = bson_iter_utf8(at, &length);
        add_string(out, text, length);
        return;
    }
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: add_children(out, at, plain); return;
    case BSON_TYPE_INT32: add_integer(out, bson_iter_int32(at)); return;
    case BSON_TYPE_INT64:
        if (plain || bson_iter_int64(at) < INT32_MIN || bson_iter_int64(at) > INT32_MAX)
            add_integer(out, bson_iter_int64(at));
        else
            gv_text_addf(out, "{\"$numberLong\": \"%" PRId64 "\"}", bson_iter_int64(at));
        return;
    case BSON_TYPE_DOUBLE: add_double(out, bson_iter_double(at)); return;
    case BSON_TYPE_BOOL: gv_text_adds(out, bson_iter_bool(at) ? "true" : "false"); return;
    case BSON_TYPE_NULL: gv_text_adds(out, "null"); return;
    case BSON_TYPE_DATE_TIME: add_date(out, bson_iter_date_time(at), plain); return;
    case BSON_TYPE_OID:
        bson_oid_to_string(bson_iter_oid(at), oid);
        gv_text_addf(out, plain ? "\"%s\"" : "{\"$oid\": \"%s\"}", oid);
        return;
    case BSON_TYPE_DECIMAL128:
        bson_iter_decimal128(at, &decimal);
        add_decimal(out, &decimal, plain);
        return;
    case BSON_TYPE_BINARY: add_binary(out, at); return;
    default: add_rare(out, at);
    }
}

static void add_key(gv_text *out, bool *first, const char *key, size_t length)
{
    if (!*first)
        gv_text_add(out, ", ", 2);
    *first = false;
    gv_text_add_json(out, key, length);
    gv_text_add(out, ": ", 2);
}

static void add_children(gv_text *out, const bson_iter_t *parent, bool plain)
{
    bson_iter_t at;
    bool array = bson_iter_type(parent) == BSON_TYPE_ARRAY, first = true;
    gv_text_addc(out, array ? '[' : '{');
    if (bson_iter_recurse(parent, &at)) {
        while (bson_iter_next(&at)) {
            if (!array)
                add_key(out, &first, bson_iter_key(&at), bson_iter_key_len(&at));
            else if (!first)
                gv_text_add(out, ", ", 2);
            first = false;
            add_value(out, &at, plain);
        }
    }
    gv_text_addc(out, array ? ']' : '}');
}

/* --- documents --- */

bool gv_bson_to_text(gv_text *out, const bson_t *document)
{
    bson_iter_t at;
    bool first = true;
    gv_text_addc(out, '{');
    if (bson_iter_init(&at, document)) {
        while (bson_iter_next(&at)) {
            if (strcmp(bson_iter_key(&at), "_id") == 0)
                continue;
            add_key(out, &first, bson_iter_key(&at), bson_iter_key_len(&at));
            add_value(out, &at, false);
        }
    }
    gv_text_addc(out, '}');
    return !out->failed;
}

/* A date, or a text that is a time; 0: neither. */
static gavat_time time_of(const bson_iter_t *at)
{
    int64_t time;
    uint32_t length;
    if (bson_iter_type(at) == BSON_TYPE_DATE_TIME)
        return holds_time(bson_iter_date_time(at)) ? bson_iter_date_time(at) * 1000 : 0;
    if (bson_iter_type(at) != BSON_TYPE_UTF8)
        return 0;
    const char *text = bson_iter_utf8(at, &length);
    return gv_time_parse((gv_slice){text, length}, &time) ? time : 0;
}

static void add_time(gv_text *out, const bson_iter_t *at, gavat_time *time)
{
    char text[28];
    *time = time_of(at);
    if (!*time) {
        add_value(out, at, true);
        return;
    }
    gv_time_to_rfc(*time, text);
    gv_text_addc(out, '"');
    gv_text_add(out, text, 27);
    gv_text_addc(out, '"');
}

bool gv_bson_view(gv_text *out, const bson_t *document, const char *username, gv_bson_told *told)
{
    bson_iter_t at;
    bool first = true, counted = false;
    int64_t count;
    gv_bson_told none = {0, 0, 0};
    *told = none;
    gv_mongo_revision_of(document, &count, &told->revision);
    gv_text_addc(out, '{');
    if (!bson_has_field(document, "username")) {
        add_key(out, &first, "username", 8);
        add_string(out, username, strlen(username));
    }
    for (bool more = bson_iter_init(&at, document); more && bson_iter_next(&at);) {
        const char *key = bson_iter_key(&at);
        uint32_t length = bson_iter_key_len(&at);
        if (strcmp(key, "_id") == 0 || strcmp(key, "revised_at") == 0)
            continue;
        add_key(out, &first, key, length);
        if (strcmp(key, "username") == 0)
            add_string(out, username, strlen(username));
        else if (strcmp(key, "created_at") == 0)
            add_time(out, &at, &told->created);
        else if (strcmp(key, "updated_at") == 0)
            add_time(out, &at, &told->updated);
        else if (strcmp(key, "revision") == 0)
            add_integer(out, told->revision), counted = true;
        else
            add_value(out, &at, true);
    }
    if (!counted) {
        add_key(out, &first, "revision", 8);
        add_integer(out, told->revision);
    }
    gv_text_addc(out, '}');
    return !out->failed;
}
