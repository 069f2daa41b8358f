#include "../base/json.h"
#include "../base/sha256.h"
#include "sender.h"
#include <inttypes.h>

static void add(gv_text *out, const void *record, const gv_field *field)
{
    const char *text;
    gv_decimal amount;
    char canonical[GV_DECIMAL_ROOM];
    switch (field->type) {
    case GV_FIELD_TIME:
    case GV_FIELD_INTEGER:
    case GV_FIELD_ID:
        gv_text_addf(out, "%" PRId64, *(const int64_t *)gv_field_at(record, field));
        break;
    case GV_FIELD_FLAG:
        gv_text_addc(out, *(const int32_t *)gv_field_at(record, field) > 0 ? '1' : '0');
        break;
    case GV_FIELD_UID:
    case GV_FIELD_TEXT:
    case GV_FIELD_JSON:
    case GV_FIELD_MONEY:
        text = gv_field_text(record, field);
        if (!text) {
            gv_text_addc(out, '-');
        } else if (field->type == GV_FIELD_MONEY && gv_decimal_parse(gv_slice_of(text), &amount)) {
            gv_decimal_print(amount, canonical);
            gv_text_adds(out, canonical);
        } else if (field->type == GV_FIELD_JSON && !gv_json_check(gv_slice_of(text), GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL)) {
            gv_json_to_ascii(out, gv_slice_of(text));
        } else {
            gv_text_addc(out, '"');
            gv_text_adds(out, text);
        }
    }
    gv_text_addc(out, '\0');
}

uint64_t gv_record_digest(const gv_record_kind *kind, const void *record, gv_text *scratch)
{
    unsigned char bytes[32];
    uint64_t digest;
    gv_text_clear(scratch);
    gv_text_adds(scratch, kind->shape.name);
    gv_text_addc(scratch, '\0');
    for (size_t i = 0; i < kind->count; i++)
        if (!(kind->fields[i].flags & GV_FIELD_OUT))
            add(scratch, record, &kind->fields[i]);
    if (scratch->failed)
        return 0;
    gv_sha256((gv_slice){scratch->data, scratch->length}, bytes);
    memcpy(&digest, bytes, sizeof digest);
    return digest | !digest;
}
