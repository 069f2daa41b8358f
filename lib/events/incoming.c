/* incoming.c: what a record must be before it may go to a store. Every sentence names the field and what is allowed in
 * it. */
#include "records.h"
#include "requests.h"
#include "../base/clock.h"
#include "../base/decimal.h"
#include "../base/json.h"
#include "../base/utf8.h"
#include "../base/uuid.h"
#include "../core/client.h"
#include "read.h"
#include <stdio.h>

#define DAY (INT64_C(86400) * 1000000)

bool gv_incoming_refuse(gv_incoming *in, gavat_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(in->why, sizeof in->why, format, args);
    va_end(args);
    in->status = status;
    return false;
}

static bool refuse_size(gv_incoming *in, const gavat *g)
{
    return gv_incoming_refuse(in, GAVAT_EINVAL, "the %s is larger than %zu bytes (GAVAT_MAX_RECORD)",
                              in->kind->shape.name, g->most_record);
}

/* A record that is sent again must have the same owner, time and uid, so they are settled here. */
static bool fix_identity(gv_incoming *in, gavat_time now)
{
    const gv_record_kind *kind = in->kind;
    if (!kind->uid)
        return true;
    gavat_time *time = gv_field_at(&in->own, kind->time);
    const char **uid = gv_field_at(&in->own, kind->uid);
    if (!*uid) {
        gavat_time made = gv_uuid_make(now > 0 ? now : 1, in->uid);
        if (!*time)
            *time = made;
    } else if (!gv_uuid_parse(*uid, in->uid)) {
        return gv_incoming_refuse(in, GAVAT_EINVAL, "uid is not a UUID such as 0193a5c2-7f10-7abc-8def-0123456789ab");
    } else if (!*time && (!gv_uuid_time(in->uid, time) || !*time)) {
        return gv_incoming_refuse(in, GAVAT_EINVAL, "uid is not of version 7 and carries no time: give %s with it",
                                  kind->time->name);
    }
    *uid = in->uid;
    return true;
}

static bool check_time(gv_incoming *in, const gv_field *field, gavat_time now)
{
    gavat_time time = *(const gavat_time *)gv_field_at(&in->own, field);
    if (time >= 0 && (time <= now || time - now <= DAY))
        return true;
    return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is outside 1970 .. tomorrow", field->name);
}

static bool check_flag(gv_incoming *in, const gv_field *field)
{
    int32_t *flag = gv_field_at(&in->own, field);
    if (*flag < -1 || *flag > 1)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be 1 (true), -1 (false) or 0 (not given)", field->name);
    if (!*flag && field->fallback)
        *flag = 1;
    return true;
}

static bool check_integer(gv_incoming *in, const gv_field *field)
{
    int64_t number = *(const int64_t *)gv_field_at(&in->own, field);
    if (number >= -1 && number <= INT32_MAX)
        return true;
    return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a whole number from 1 to 2147483647, or -1, which stands for 0", field->name);
}

static bool rewrite_json(gv_incoming *in, const gv_field *field, const char **text, bool any_json)
{
    gv_slice value = gv_slice_of(*text);
    size_t where = 0;
    const char *wrong = gv_json_check(value, GV_JSON_DEPTH, 0, &where);
    if (wrong)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is not JSON at byte %zu: %s", field->name, where, wrong);
    if (!any_json && gv_json_type_of(value) != GV_JSON_OBJECT)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a JSON object such as {\"key\": 1}", field->name);
    gv_text out = {0};
    gv_json_to_ascii(&out, value);
    *text = out.failed ? NULL : gv_arena_copy(&in->scratch, gv_text_get(&out), out.length);
    gv_text_free(&out);
    return *text || gv_incoming_refuse(in, GAVAT_ENOMEM, "no memory for the record");
}

/* Of one that is given. */
static bool check_text(gv_incoming *in, const gavat *g, const gv_field *field, const char **text, bool any_json)
{
    size_t length = strlen(*text);
    if (length > g->most_record)
        return refuse_size(in, g);
    size_t characters = gv_utf8_count(*text, length);
    if (characters == SIZE_MAX)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is not valid UTF-8", field->name);
    if (field->most && characters > field->most)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is longer than %u characters", field->name, field->most);
    if (length == 0 && field->flags & GV_FIELD_REQUIRED)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is required and must not be empty", field->name);
    gv_decimal amount;
    if (field->type == GV_FIELD_MONEY && !gv_decimal_parse(gv_slice_of(*text), &amount))
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s must be a decimal number such as \"149.90\", with up to 18 "
                                  "digits before the point and 8 after it", field->name);
    return field->type != GV_FIELD_JSON || rewrite_json(in, field, text, any_json);
}

static bool check_field(gv_incoming *in, const gavat *g, const gv_field *field, gavat_time now, bool any_json)
{
    switch (field->type) {
    case GV_FIELD_ID: return true;
    case GV_FIELD_TIME: return check_time(in, field, now);
    case GV_FIELD_FLAG: return check_flag(in, field);
    case GV_FIELD_INTEGER: return check_integer(in, field);
    case GV_FIELD_UID:
    case GV_FIELD_TEXT:
    case GV_FIELD_JSON:
    case GV_FIELD_MONEY: break;
    }
    const char **text = gv_field_at(&in->own, field);
    if (*text)
        return check_text(in, g, field, text, any_json);
    if (field->flags & GV_FIELD_REQUIRED)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "%s is required", field->name);
    if (in->kind->uid)          /* a session is merged: what is not given stays as it is stored */
        *text = field->fallback;
    return true;
}

/* What only a store sets is not taken from a record that came out of one. */
static void clear_fields(gv_incoming *in, uint8_t flags)
{
    static const uint32_t no_size = 0;
    memcpy(&in->own, &no_size, sizeof no_size);
    for (size_t i = 0; i < in->kind->count; i++) {
        const gv_field *field = &in->kind->fields[i];
        if (field->flags & flags)
            memset(gv_field_at(&in->own, field), 0, field->type == GV_FIELD_FLAG ? sizeof(int32_t) : sizeof(int64_t));
    }
}

static bool settle(gv_incoming *in, gavat *g, bool any_json, gavat_time now)
{
    const gv_record_kind *kind = in->kind;
    clear_fields(in, GV_FIELD_OUT);
    if (!fix_identity(in, now))
        return false;
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (!(field->flags & GV_FIELD_OUT) && !check_field(in, g, field, now, any_json && kind->uid))
            return false;
    }
    if (kind == &gv_sales_kind && !gv_sale_status_known(in->own.sale.payment_status))
        return gv_incoming_refuse(in, GAVAT_EINVAL, "payment_status must be pending, completed, failed or refunded");
    if (gv_record_measure(kind, &in->own) - kind->size > g->most_record)
        return refuse_size(in, g);
    return true;
}

static void begin(gv_incoming *in, const gv_record_kind *kind)
{
    memset(in, 0, sizeof *in);
    in->kind = kind;
}

bool gv_incoming_take(gv_incoming *in, gavat *g, const gv_record_kind *kind, const void *record, bool any_json)
{
    begin(in, kind);
    const char *name = kind->shape.name;
    if (!record)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "the %s is NULL: make one with gavat_%s_init()", name, name);
    uint32_t size;
    memcpy(&size, record, sizeof size);
    if (!size)
        return gv_incoming_refuse(in, GAVAT_EINVAL, "the %s has size 0: make it with gavat_%s_init(), or out of a "
                                  "result with gavat_%s_copy()", name, name, name);
    memcpy(&in->own, record, size < kind->size ? size : kind->size);
    clear_fields(in, GV_FIELD_KEPT);
    return settle(in, g, any_json, gv_now(g));
}

bool gv_incoming_read(gv_incoming *in, gavat *g, const gv_record_kind *kind, gv_slice object)
{
    begin(in, kind);
    return gv_read_object(in, object) && settle(in, g, true, gv_now(g));
}

bool gv_incoming_restore(gv_incoming *in, gavat *g, const gv_record_kind *kind, gv_slice object)
{
    begin(in, kind);
    return gv_read_object(in, object) && settle(in, g, true, GV_TIME_MAX);
}

void gv_incoming_free(gv_incoming *in)
{
    gv_arena_free(&in->scratch);
}
