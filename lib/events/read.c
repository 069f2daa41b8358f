#include "read.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/utf8.h"

static bool no_memory(gv_incoming *in)
{
    return gv_incoming_refuse(in, GAVAT_ENOMEM, "no memory for the record");
}

static bool is_integer(gv_slice number)
{
    size_t at = number.length && number.data[0] == '-';
    if (at == number.length)
        return false;
    while (at < number.length && number.data[at] >= '0' && number.data[at] <= '9')
        at++;
    return at == number.length;
}

static bool read_raw(gv_incoming *in, gv_slice value, const char **text)
{
    *text = gv_arena_copy(&in->scratch, value.data, value.length);
    return *text || no_memory(in);
}

static bool read_string(gv_incoming *in, const gv_field *field, gv_slice value, const char **text)
{
    char *out = gv_arena_alloc(&in->scratch, value.length);     /* never longer without its quotes: room for the NUL */
    if (!out)
        return no_memory(in);
    size_t length = gv_json_unescape(value, out, value.length - 1);
    if (memchr(out, '\0', length))
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must not hold the character \\u0000", field->name);
    *text = out;
    return true;
}

static bool read_text(gv_incoming *in, const gv_field *field, gv_slice value)
{
    const char **text = gv_field_at(&in->own, field);
    gv_json_type type = gv_json_type_of(value);
    if (field->type == GV_FIELD_JSON)
        return read_raw(in, value, text);
    if (type == GV_JSON_STRING)
        return read_string(in, field, value, text);
    if (type == GV_JSON_NUMBER && field->type == GV_FIELD_MONEY)
        return read_raw(in, value, text);
    if (type == GV_JSON_NUMBER && field->type == GV_FIELD_TEXT && is_integer(value))
        return read_raw(in, value, text);
    return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a %s", field->name,
                              field->type == GV_FIELD_MONEY ? "number, or a decimal number in a string" : "string");
}

static bool read_time(gv_incoming *in, const gv_field *field, gv_slice value)
{
    char text[64];
    gavat_time *time = gv_field_at(&in->own, field);
    size_t length = gv_json_type_of(value) == GV_JSON_STRING ? gv_json_unescape(value, text, sizeof text) : 0;
    if (!length || length > sizeof text || !gv_time_parse((gv_slice){text, length}, time))
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a time such as \"2026-11-23T15:37:00.123456Z\"",
                                  field->name);
    if (*time == 0)             /* it would mean "not given" from here on */
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be later than 1970-01-01T00:00:00Z", field->name);
    return true;
}

static bool read_flag(gv_incoming *in, const gv_field *field, gv_slice value)
{
    gv_json_type type = gv_json_type_of(value);
    if (type != GV_JSON_TRUE && type != GV_JSON_FALSE)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be true, false or null", field->name);
    *(int32_t *)gv_field_at(&in->own, field) = type == GV_JSON_TRUE ? 1 : -1;
    return true;
}

static bool read_integer(gv_incoming *in, const gv_field *field, gv_slice value)
{
    int64_t number = 0;
    if (gv_json_type_of(value) != GV_JSON_NUMBER || !is_integer(value) || value.data[0] == '-' || value.length > 10)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a whole number from 0 to 2147483647", field->name);
    for (size_t i = 0; i < value.length; i++)
        number = number * 10 + (value.data[i] - '0');
    *(int64_t *)gv_field_at(&in->own, field) = number ? number : -1;
    return true;
}

static bool read_field(gv_incoming *in, const gv_field *field, gv_slice value)
{
    switch (field->type) {
    case GV_FIELD_TIME: return read_time(in, field, value);
    case GV_FIELD_FLAG: return read_flag(in, field, value);
    case GV_FIELD_INTEGER: return read_integer(in, field, value);
    case GV_FIELD_ID: return true;
    case GV_FIELD_UID:
    case GV_FIELD_TEXT:
    case GV_FIELD_JSON:
    case GV_FIELD_MONEY: break;
    }
    return read_text(in, field, value);
}

/* Its place in the table; count: there is no such field. */
static size_t find_field(const gv_record_kind *kind, gv_slice key)
{
    char name[32];
    size_t i = 0, length = gv_json_unescape(key, name, sizeof name);
    while (i < kind->count && (length > sizeof name || !gv_slice_is((gv_slice){name, length}, kind->fields[i].name)))
        i++;
    return i;
}

static bool refuse_key(gv_incoming *in, gv_slice key)
{
    size_t length = key.length - 2;     /* without its quotes */
    if (length > 60)
        length = 60;
    while (length > 0 && !gv_utf8_valid(key.data + 1, length))
        length--;
    return gv_incoming_refuse(in, GAVAT_EINVAL, "a record of kind %s has no field \"%.*s\"", in->kind->shape.name,
                              (int)length, key.data + 1);
}

bool gv_read_object(gv_incoming *in, gv_slice object)
{
    const gv_record_kind *kind = in->kind;
    gv_slice values[GV_FIELDS_MOST] = {{NULL, 0}}, key, value;
    gv_json_walk walk = gv_json_enter(object);
    while (gv_json_next(&walk, &key, &value)) {
        size_t i = find_field(kind, key);
        if (i == kind->count)
            return refuse_key(in, key);
        values[i] = value;      /* of duplicates the last, as everywhere */
    }
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (!values[i].data || field->flags & GV_FIELD_OUT || gv_json_type_of(values[i]) == GV_JSON_NULL)
            continue;
        if (!read_field(in, field, values[i]))
            return false;
    }
    return true;
}
