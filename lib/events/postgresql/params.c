/* params.c: parameters of statements in PostgreSQL's binary form, one value or an array for each column. */
#include "postgresql.h"
#include "../../base/fold.h"

/* Types by number, as in the server's pg_type: fixed for good. */
enum { BOOL = 16, INT8 = 20, INT4 = 23, TEXT = 25, FLOAT8 = 701, TIMESTAMPTZ = 1184, UUID = 2950 };

static Oid array_of(Oid type)
{
    static const Oid arrays[][2] = {{BOOL, 1000}, {INT8, 1016}, {INT4, 1007}, {TEXT, 1009}, {FLOAT8, 1022}, {TIMESTAMPTZ, 1185}, {UUID, 2951}};
    size_t i = 0;
    while (arrays[i][0] != type)
        i++;
    return arrays[i][1];
}

static void put_number(unsigned char *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
}

void gv_pg_params_free(gv_pg_params *params)
{
    gv_text_free(&params->arrays);
}

static void add(gv_pg_params *params, Oid type, const char *value, size_t length)
{
    int i = params->count++;
    params->types[i] = type;
    params->values[i] = value;
    params->offsets[i] = SIZE_MAX;
    params->lengths[i] = (int)length;
    params->formats[i] = 1;
    params->failed |= length > INT32_MAX;
}

static void add_number(gv_pg_params *params, Oid type, bool given, uint64_t number, unsigned bytes)
{
    unsigned char *slot = params->slots[params->count];
    put_number(slot, number, bytes);
    add(params, type, given ? (const char *)slot : NULL, bytes);
}

void gv_pg_add_text(gv_pg_params *params, const char *text)
{
    add(params, TEXT, text, text ? strlen(text) : 0);
}

void gv_pg_add_slice(gv_pg_params *params, gv_slice text)
{
    add(params, TEXT, text.data, text.length);
}

void gv_pg_add_raw_time(gv_pg_params *params, bool given, int64_t time)
{
    add_number(params, TIMESTAMPTZ, given, (uint64_t)time, 8);
}

void gv_pg_add_time(gv_pg_params *params, gavat_time time)
{
    gv_pg_add_raw_time(params, time != 0, time - GV_PG_EPOCH);
}

void gv_pg_add_int8(gv_pg_params *params, bool given, int64_t number)
{
    add_number(params, INT8, given, (uint64_t)number, 8);
}

void gv_pg_add_flag(gv_pg_params *params, int32_t flag)
{
    add_number(params, BOOL, flag != 0, flag > 0, 1);
}

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Canonical text. */
static void read_uid(const char *uid, unsigned char out[16])
{
    for (unsigned i = 0; i < 16; uid += 2) {
        if (*uid == '-')
            uid++;
        out[i++] = (unsigned char)(hex_value(uid[0]) << 4 | hex_value(uid[1]));
    }
}

void gv_pg_add_uid(gv_pg_params *params, const char *uid)
{
    unsigned char *slot = params->slots[params->count];
    if (uid)
        read_uid(uid, slot);
    add(params, UUID, uid ? (const char *)slot : NULL, 16);
}

/* --- arrays --- */

static void put_bytes(gv_pg_params *params, const void *data, size_t length)
{
    gv_text_add(&params->arrays, data, length);
}

static void put_int4(gv_pg_params *params, uint32_t number)
{
    unsigned char bytes[4];
    put_number(bytes, number, 4);
    put_bytes(params, bytes, 4);
}

void gv_pg_begin_array(gv_pg_params *params, Oid type, size_t count)
{
    int i = params->count;
    add(params, array_of(type), NULL, 0);
    params->offsets[i] = params->arrays.length;
    const uint32_t head[] = {1, 1, (uint32_t)type, (uint32_t)count, 1};         /* dimensions, may hold NULL, type, length, from 1 */
    for (size_t k = 0; k < sizeof head / sizeof *head; k++)
        put_int4(params, head[k]);
}

static void put_scalar(gv_pg_params *params, bool given, uint64_t number, unsigned bytes)
{
    unsigned char data[12];
    put_number(data, given ? bytes : UINT32_MAX, 4);
    put_number(data + 4, number, bytes);
    put_bytes(params, data, given ? 4 + bytes : 4);
}

void gv_pg_put_int8(gv_pg_params *params, int64_t number)
{
    put_scalar(params, true, (uint64_t)number, 8);
}

void gv_pg_put_text(gv_pg_params *params, gv_slice text)
{
    params->failed |= text.length > INT32_MAX;
    put_int4(params, text.data ? (uint32_t)text.length : UINT32_MAX);
    if (text.data)
        put_bytes(params, text.data, text.length);
}

static void put_uid(gv_pg_params *params, const char *uid)
{
    unsigned char bytes[16];
    put_int4(params, uid ? 16 : UINT32_MAX);
    if (!uid)
        return;
    read_uid(uid, bytes);
    put_bytes(params, bytes, 16);
}

/* --- records --- */

static uint64_t bits_of(const char *money)
{
    uint64_t bits;
    double number = gv_decimal_to_double(gv_slice_of(money));
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static uint64_t positive(int64_t number)        /* -1 stands for 0 */
{
    return number > 0 ? (uint64_t)number : 0;
}

static Oid type_of(const gv_field *field)
{
    switch (field->type) {
    case GV_FIELD_UID: return UUID;
    case GV_FIELD_MONEY: return FLOAT8;
    case GV_FIELD_TIME: return TIMESTAMPTZ;
    case GV_FIELD_INTEGER: return INT4;
    case GV_FIELD_FLAG: return BOOL;
    default: return TEXT;
    }
}

static void put_field(gv_pg_params *params, const gv_field *field, const void *record)
{
    const void *at = gv_field_at(record, field);
    switch (field->type) {
    case GV_FIELD_UID:
        put_uid(params, gv_field_text(record, field));
        break;
    case GV_FIELD_MONEY:
        put_scalar(params, true, bits_of(gv_field_text(record, field)), 8);
        break;
    case GV_FIELD_TIME:
        put_scalar(params, *(const gavat_time *)at != 0, (uint64_t)(*(const gavat_time *)at - GV_PG_EPOCH), 8);
        break;
    case GV_FIELD_INTEGER:
        put_scalar(params, *(const int64_t *)at != 0, positive(*(const int64_t *)at), 4);
        break;
    case GV_FIELD_FLAG:
        put_scalar(params, true, *(const int32_t *)at > 0, 1);
        break;
    default:
        gv_pg_put_text(params, gv_slice_of(gv_field_text(record, field)));
    }
}

static void add_field(gv_pg_params *params, const gv_field *field, const void *record)
{
    const void *at = gv_field_at(record, field);
    switch (field->type) {
    case GV_FIELD_UID:
        gv_pg_add_uid(params, gv_field_text(record, field));
        break;
    case GV_FIELD_MONEY:
        add_number(params, FLOAT8, true, bits_of(gv_field_text(record, field)), 8);
        break;
    case GV_FIELD_TIME:
        gv_pg_add_time(params, *(const gavat_time *)at);
        break;
    case GV_FIELD_INTEGER:
        add_number(params, INT4, *(const int64_t *)at != 0, positive(*(const int64_t *)at), 4);
        break;
    case GV_FIELD_FLAG:
        add_number(params, BOOL, true, *(const int32_t *)at > 0, 1);
        break;
    default:
        gv_pg_add_text(params, gv_field_text(record, field));
    }
}

#define MARK 4                  /* characters; no letters, so that the trigrams do not hold it */

static char mark_at(unsigned i)
{
    return (char)(0x10 | (gv_fold_version >> (4 * i) & 0xf));
}

void gv_pg_add_stale_sql(gv_text *out)
{
    gv_text_addf(out, "left(coalesce(folded, ''), %d) <> E'", MARK);
    for (unsigned i = 0; i < MARK; i++)
        gv_text_addf(out, "\\x%02x", (unsigned)mark_at(i));
    gv_text_addc(out, '\'');
}

/* Message and type stand apart: a keyword that reaches over the mark is looked at again, as every row that is found. */
void gv_pg_fold_record(gv_text *out, const char *message, const char *type)
{
    for (unsigned i = 0; i < MARK; i++)
        gv_text_addc(out, mark_at(i));
    gv_fold_add(out, gv_slice_of(message ? message : ""));
    gv_text_addc(out, '\n');
    gv_fold_add(out, gv_slice_of(type ? type : ""));
}

static void put_folded(gv_pg_params *params, const gavat_event *event, gv_text *scratch)
{
    gv_text_clear(scratch);
    gv_pg_fold_record(scratch, event->message, event->type);
    params->failed |= scratch->failed;
    gv_pg_put_text(params, (gv_slice){gv_text_get(scratch), scratch->length});
}

void gv_pg_add_records(gv_pg_params *params, const gv_record_kind *kind, const gv_pg_item *items, size_t count, bool folded)
{
    size_t rows = 0;
    for (size_t k = 0; k < count; k++)
        rows += items[k].kind == kind;
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (field->flags & GV_FIELD_OUT)
            continue;
        gv_pg_begin_array(params, type_of(field), rows);
        for (size_t k = 0; k < count; k++)
            if (items[k].kind == kind)
                put_field(params, field, items[k].record);
        if (field->type != GV_FIELD_MONEY)
            continue;
        gv_pg_begin_array(params, TEXT, rows);
        for (size_t k = 0; k < count; k++)
            if (items[k].kind == kind)
                gv_pg_put_text(params, gv_slice_of(gv_field_text(items[k].record, field)));
    }
    if (folded && kind == &gv_events_kind) {
        gv_text scratch = {0};
        gv_pg_begin_array(params, TEXT, rows);
        for (size_t k = 0; k < count; k++)
            if (items[k].kind == kind)
                put_folded(params, items[k].record, &scratch);
        gv_text_free(&scratch);
    }
    params->failed |= params->arrays.failed;
}

void gv_pg_add_record(gv_pg_params *params, const gv_record_kind *kind, const void *record, bool folded)
{
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (field->flags & GV_FIELD_OUT)
            continue;
        add_field(params, field, record);
        if (field->type == GV_FIELD_MONEY)
            gv_pg_add_text(params, gv_field_text(record, field));
    }
    if (!folded || kind != &gv_events_kind)
        return;
    const gavat_event *event = record;
    size_t start = params->arrays.length;
    gv_pg_fold_record(&params->arrays, event->message, event->type);
    add(params, TEXT, NULL, params->arrays.length - start);
    params->offsets[params->count - 1] = start;
    params->failed |= params->arrays.failed;
}

/* --- INSERT --- */

static void add_names(gv_text *out, const gv_record_kind *kind, bool folded)
{
    bool first = true;
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (field->flags & GV_FIELD_OUT)
            continue;
        gv_text_addf(out, "%s%s", first ? "" : ", ", field->name);
        if (field->type == GV_FIELD_MONEY)
            gv_text_addf(out, ", %s_text", field->name);
        first = false;
    }
    if (folded && kind == &gv_events_kind)
        gv_text_adds(out, ", folded");
}

static const char *cast_of(Oid type)
{
    switch (type) {
    case UUID: return "uuid[]";
    case FLOAT8: return "float8[]";
    case TIMESTAMPTZ: return "timestamptz[]";
    case INT4: return "int4[]";
    case BOOL: return "bool[]";
    default: return "text[]";   /* never varchar(n)[], which cuts silently */
    }
}

/* many: "$1::text[], …"; else "$1, $2, …". */
static void add_places(gv_text *out, const gv_record_kind *kind, bool many, bool folded)
{
    int place = 0;
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (field->flags & GV_FIELD_OUT)
            continue;
        gv_text_addf(out, "%s$%d", place ? ", " : "", place + 1);
        gv_text_addf(out, many ? "::%s" : field->type == GV_FIELD_JSON ? "::json" : "", cast_of(type_of(field)));
        place++;
        if (field->type == GV_FIELD_MONEY)
            gv_text_addf(out, ", $%d%s", ++place, many ? "::text[]" : "");
    }
    if (folded && kind == &gv_events_kind)
        gv_text_addf(out, ", $%d%s", place + 1, many ? "::text[]" : "");
}

/* The columns of unnest, JSON cast. */
static void add_values(gv_text *out, const gv_record_kind *kind, bool folded)
{
    bool first = true;
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        if (field->flags & GV_FIELD_OUT)
            continue;
        gv_text_addf(out, "%su.%s%s", first ? "" : ", ", field->name, field->type == GV_FIELD_JSON ? "::json" : "");
        if (field->type == GV_FIELD_MONEY)
            gv_text_addf(out, ", u.%s_text", field->name);
        first = false;
    }
    if (folded && kind == &gv_events_kind)
        gv_text_adds(out, ", u.folded");
}

void gv_pg_add_insert_sql(gv_text *out, const gv_record_kind *kind, bool many, bool folded)
{
    gv_text_addf(out, "INSERT INTO %s (", kind->table);
    add_names(out, kind, folded);
    if (many) {
        gv_text_adds(out, ") SELECT ");
        add_values(out, kind, folded);
        gv_text_adds(out, " FROM unnest(");
        add_places(out, kind, true, folded);
        gv_text_adds(out, ") AS u (");
        add_names(out, kind, folded);
    } else {
        gv_text_adds(out, ") VALUES (");
        add_places(out, kind, false, folded);
    }
    gv_text_addf(out, ") ON CONFLICT (%s, %s, %s) DO NOTHING", kind->owner->name, kind->time->name, kind->uid->name);
}
