/* rows.c: values out of a result in binary form. */
#include "postgresql.h"

enum { BOOL = 16, INT2 = 21, INT4 = 23, FLOAT4 = 700, FLOAT8 = 701, JSONB = 3802 };

static uint64_t number_at(const char *data, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)data[i];
    return number;
}

bool gv_pg_is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column);
}

gv_slice gv_pg_text(const PGresult *result, int row, int column)
{
    gv_slice text = {NULL, 0};
    if (PQgetisnull(result, row, column))
        return text;
    text.data = PQgetvalue(result, row, column);
    text.length = (size_t)PQgetlength(result, row, column);
    if (PQftype(result, column) == JSONB && text.length) {      /* a version stands first */
        text.data++;
        text.length--;
    }
    return text;
}

const char *gv_pg_string(const PGresult *result, int row, int column)
{
    return gv_pg_text(result, row, column).data;        /* libpq ends each value by a NUL */
}

int64_t gv_pg_integer(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return 0;
    int bytes = PQgetlength(result, row, column);
    uint64_t number = number_at(PQgetvalue(result, row, column), bytes);
    if (bytes == 4)
        return (int32_t)(uint32_t)number;
    return bytes == 2 ? (int16_t)(uint16_t)number : bytes <= 8 ? (int64_t)number : 0;
}

double gv_pg_double(const PGresult *result, int row, int column)
{
    double number = 0;
    if (PQgetisnull(result, row, column))
        return 0;
    const char *data = PQgetvalue(result, row, column);
    if (PQftype(result, column) == FLOAT8) {
        uint64_t bits = number_at(data, 8);
        memcpy(&number, &bits, sizeof number);
    } else if (PQftype(result, column) == FLOAT4) {
        uint32_t bits = (uint32_t)number_at(data, 4);
        float single;
        memcpy(&single, &bits, sizeof single);
        number = (double)single;
    } else {
        number = (double)gv_pg_integer(result, row, column);
    }
    return number;
}

/* Before year 1, after 9999 and the infinities: a value that cannot be told costs that value. */
gavat_time gv_pg_time(const PGresult *result, int row, int column, gavat_time none)
{
    int64_t time = gv_pg_integer(result, row, column);
    if (PQgetisnull(result, row, column) || time > INT64_C(253402300799999999) - GV_PG_EPOCH || time < INT64_C(-62135596800000000) - GV_PG_EPOCH)
        return none;
    return time + GV_PG_EPOCH;
}

const char *gv_pg_money(const PGresult *result, int row, int column, char text[GV_DECIMAL_ROOM])
{
    if (PQgetisnull(result, row, column))
        return NULL;
    return gv_money_text(gv_pg_double(result, row, column), gv_pg_string(result, row, column + 1), text);
}

void gv_pg_uid(const PGresult *result, int row, int column, char out[37])
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\0';
    if (PQgetisnull(result, row, column) || PQgetlength(result, row, column) != 16)
        return;
    const unsigned char *data = (const unsigned char *)PQgetvalue(result, row, column);
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[data[i] >> 4];
        *at++ = digits[data[i] & 15];
    }
    *at = '\0';
}

/* Into the record's own piece of memory, *at moved on; NULL for NULL. */
static const char *put(char **at, const char *data, size_t length)
{
    if (!data)
        return NULL;
    char *text = memcpy(*at, data, length);
    text[length] = '\0';
    *at += length + 1;
    return text;
}

/* 0 is not given, -1 is 0; what no record may have costs this value. */
static int64_t read_integer(const PGresult *result, int row, int column)
{
    int64_t number = gv_pg_integer(result, row, column);
    if (PQgetisnull(result, row, column) || number < 0)
        return 0;
    return number ? number : -1;
}

static void read_field(const gv_field *field, void *record, char **at, const PGresult *result, int row, int *column)
{
    void *to = gv_field_at(record, field);
    int place = (*column)++;
    gv_slice text;
    char scratch[GV_DECIMAL_ROOM];
    const char *money;
    switch (field->type) {
    case GV_FIELD_ID:
        *(int64_t *)to = gv_pg_integer(result, row, place);
        break;
    case GV_FIELD_INTEGER:
        *(int64_t *)to = read_integer(result, row, place);
        break;
    case GV_FIELD_TIME:
        *(gavat_time *)to = gv_pg_time(result, row, place, 0);
        break;
    case GV_FIELD_FLAG:
        *(int32_t *)to = PQgetisnull(result, row, place) ? 0 : gv_pg_integer(result, row, place) ? 1 : -1;
        break;
    case GV_FIELD_UID:
        gv_pg_uid(result, row, place, scratch);
        *(const char **)to = put(at, *scratch ? scratch : NULL, strlen(scratch));
        break;
    case GV_FIELD_MONEY:
        money = gv_pg_money(result, row, place, scratch);
        *(const char **)to = put(at, money, money ? strlen(money) : 0);
        ++*column;
        break;
    default:
        text = gv_pg_text(result, row, place);
        *(const char **)to = put(at, text.data, text.length);
    }
}

void *gv_pg_record(gv_arena *arena, const gv_record_kind *kind, const PGresult *result, int row)
{
    size_t room = kind->size;
    int columns = PQnfields(result), column = 0;
    for (int i = 0; i < columns; i++)   /* a value is no longer as text, but for a uid and an amount */
        room += (size_t)PQgetlength(result, row, i) + 1;
    char *record = gv_arena_alloc(arena, room + 2 * GV_DECIMAL_ROOM), *at = record + kind->size;
    for (size_t i = 0; record && i < kind->count; i++)
        read_field(&kind->fields[i], record, &at, result, row, &column);
    return record;
}
