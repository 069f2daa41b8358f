/* record_json.c: a record as JSON. What lies in old rows and is not JSON, NaN say, is printed as a string of its text:
 * the output is always JSON, on one line. */
#include "records.h"
#include "../base/clock.h"
#include "../base/decimal.h"
#include "../base/json.h"
#include <inttypes.h>

#define DEPTH 1000              /* whoever reads the record finds it one level down, and Python stops near there */

static void print_string(const char *text, gv_text *out)
{
    gv_text_add_json(out, text, strlen(text));
}

static void print_json(const char *text, gv_text *out)
{
    gv_slice value = gv_slice_of(text);
    if (gv_json_check(value, DEPTH, GV_JSON_SURROGATES, NULL))
        print_string(text, out);
    else if (strpbrk(text, "\r\n"))
        gv_json_to_compact(out, value);
    else
        gv_text_add(out, value.data, value.length);
}

static void print_money(const char *text, gv_text *out)
{
    gv_slice value = gv_slice_of(text);
    char canonical[GV_DECIMAL_ROOM];
    gv_decimal amount;
    bool decimal = gv_decimal_parse(value, &amount);
    if (decimal && !gv_json_check(value, 1, 0, NULL)) {
        gv_text_add(out, value.data, value.length);
    } else if (decimal) {       /* "+5" and "007" are no JSON numbers */
        gv_decimal_print(amount, canonical);
        gv_text_adds(out, canonical);
    } else {
        print_string(text, out);
    }
}

static void print_text(const void *record, const gv_field *field, gv_text *out)
{
    const char *text = gv_field_text(record, field);
    if (!text)
        gv_text_adds(out, "null");
    else if (field->type == GV_FIELD_JSON)
        print_json(text, out);
    else if (field->type == GV_FIELD_MONEY)
        print_money(text, out);
    else
        print_string(text, out);
}

static void print_time(gavat_time time, gv_text *out)
{
    char text[28];
    gv_time_to_rfc(time, text);
    print_string(text, out);
}

static void print_value(const void *record, const gv_field *field, gv_text *out)
{
    const void *at = gv_field_at(record, field);
    switch (field->type) {
    case GV_FIELD_UID:
    case GV_FIELD_TEXT:
    case GV_FIELD_JSON:
    case GV_FIELD_MONEY:
        print_text(record, field, out);
        return;
    case GV_FIELD_FLAG: {
        int32_t flag = *(const int32_t *)at;
        gv_text_adds(out, flag > 0 ? "true" : flag < 0 ? "false" : "null");
        return;
    }
    case GV_FIELD_ID:
    case GV_FIELD_INTEGER:
    case GV_FIELD_TIME:
        break;
    }
    int64_t number = *(const int64_t *)at;
    if (!number)
        gv_text_adds(out, "null");
    else if (field->type == GV_FIELD_TIME)
        print_time(number, out);
    else
        gv_text_addf(out, "%" PRId64, field->type == GV_FIELD_INTEGER && number < 0 ? 0 : number);
}

static void print_member(const void *record, const gv_field *field, gv_text *out)
{
    gv_text_addc(out, field->type == GV_FIELD_ID ? '{' : ',');
    print_string(field->name, out);
    gv_text_addc(out, ':');
    print_value(record, field, out);
}

void gv_record_print(const gv_record_kind *kind, const void *record, gv_text *out)
{
    print_member(record, &kind->fields[0], out);
    if (kind->uid)
        print_member(record, kind->uid, out);
    for (size_t i = 1; i < kind->count; i++)
        if (&kind->fields[i] != kind->uid)
            print_member(record, &kind->fields[i], out);
    gv_text_addc(out, '}');
}
