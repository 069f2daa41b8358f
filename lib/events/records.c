#include "records.h"
#include "../base/memory.h"

#define FIELD(record, name, member, type, most, flags, fallback)                                                       \
    {#name, type, (uint16_t)offsetof(gavat_##record, member), most, flags, fallback}
#define ID(record) FIELD(record, id, id, GV_FIELD_ID, 0, GV_FIELD_OUT, NULL)
#define UID(record) FIELD(record, uid, uid, GV_FIELD_UID, 36, 0, NULL)
#define TIME(record, name) FIELD(record, name, name, GV_FIELD_TIME, 0, 0, NULL)
#define OBJECT(record, name) FIELD(record, name, name, GV_FIELD_JSON, 0, 0, "{}")
#define TEXT(record, name, most) FIELD(record, name, name, GV_FIELD_TEXT, most, 0, NULL)
#define NEEDED(record, name, member, most) FIELD(record, name, member, GV_FIELD_TEXT, most, GV_FIELD_REQUIRED, NULL)
#define FIELDS(list) .fields = list, .count = sizeof(list) / sizeof(list)[0]

/* The lengths are those of the original's columns: storage.md's limits hold on every backend. */
static const gv_field event_fields[] = {
    ID(event),
    NEEDED(event, user_id, user_id, 100),
    TEXT(event, username, 100),
    NEEDED(event, event_type, type, 50),
    TEXT(event, message, 0),
    OBJECT(event, context),
    FIELD(event, level, level, GV_FIELD_TEXT, 20, 0, "INFO"),
    TIME(event, timestamp),
    UID(event),
};

static const gv_field sale_fields[] = {
    ID(sale),
    NEEDED(sale, user_id, user_id, 100),
    TEXT(sale, customer_id, 100),
    TEXT(sale, bot_username, 100),
    NEEDED(sale, product_type, product_type, 50),
    TEXT(sale, product_name, 200),
    FIELD(sale, amount, amount, GV_FIELD_MONEY, 0, GV_FIELD_REQUIRED, NULL),
    FIELD(sale, currency, currency, GV_FIELD_TEXT, 10, 0, "TRY"),
    TEXT(sale, payment_method, 50),
    FIELD(sale, payment_status, payment_status, GV_FIELD_TEXT, 20, 0, "pending"),
    TEXT(sale, payment_reference, 200),
    TEXT(sale, notes, 0),
    OBJECT(sale, extra_data),
    TIME(sale, created_at),
    FIELD(sale, updated_at, updated_at, GV_FIELD_TIME, 0, GV_FIELD_KEPT, NULL),
    UID(sale),
};

static const gv_field message_fields[] = {
    ID(message),
    NEEDED(message, bot_username, bot_username, 100),
    NEEDED(message, message_type, message_type, 20),
    TEXT(message, target_type, 20),
    TEXT(message, target_id, 100),
    TEXT(message, target_name, 200),
    TEXT(message, message_content, 0),
    TEXT(message, message_id, 100),
    FIELD(message, success, success, GV_FIELD_FLAG, 0, 0, "1"),
    TEXT(message, error_message, 0),
    FIELD(message, response_time_ms, response_time_ms, GV_FIELD_INTEGER, 0, 0, NULL),
    OBJECT(message, extra_data),
    TIME(message, timestamp),
    UID(message),
};

static const gv_field session_fields[] = {
    ID(session),
    NEEDED(session, user_id, user_id, 100),
    TEXT(session, username, 100),
    TEXT(session, session_token, 200),
    TEXT(session, bot_type, 50),
    FIELD(session, is_active, is_active, GV_FIELD_FLAG, 0, GV_FIELD_KEPT, NULL),
    TIME(session, last_activity),
    TIME(session, created_at),
    OBJECT(session, extra_data),
};

static void print_event(const void *record, gv_text *out)
{
    gv_record_print(&gv_events_kind, record, out);
}

static void print_sale(const void *record, gv_text *out)
{
    gv_record_print(&gv_sales_kind, record, out);
}

static void print_message(const void *record, gv_text *out)
{
    gv_record_print(&gv_messages_kind, record, out);
}

static void print_session(const void *record, gv_text *out)
{
    gv_record_print(&gv_sessions_kind, record, out);
}

const gv_record_kind gv_events_kind = {
    .shape = {"event", print_event},
    .table = "event_logs",
    FIELDS(event_fields),
    .size = sizeof(gavat_event),
    .owner = &event_fields[1],
    .time = &event_fields[7],
    .uid = &event_fields[8],
};

const gv_record_kind gv_sales_kind = {
    .shape = {"sale", print_sale},
    .table = "sale_logs",
    FIELDS(sale_fields),
    .size = sizeof(gavat_sale),
    .owner = &sale_fields[1],
    .time = &sale_fields[13],
    .uid = &sale_fields[15],
};

const gv_record_kind gv_messages_kind = {
    .shape = {"message", print_message},
    .table = "message_records",
    FIELDS(message_fields),
    .size = sizeof(gavat_message),
    .owner = &message_fields[1],
    .time = &message_fields[12],
    .uid = &message_fields[13],
};

const gv_record_kind gv_sessions_kind = {
    .shape = {"session", print_session},
    .table = "user_sessions",
    FIELDS(session_fields),
    .size = sizeof(gavat_session),
    .owner = &session_fields[1],
    .time = &session_fields[6],
};

_Static_assert(sizeof sale_fields / sizeof sale_fields[0] <= GV_FIELDS_MOST, "the longest kind fits");

static bool is_text(const gv_field *field)
{
    return field->type == GV_FIELD_UID || field->type == GV_FIELD_TEXT || field->type == GV_FIELD_JSON
           || field->type == GV_FIELD_MONEY;
}

size_t gv_record_measure(const gv_record_kind *kind, const void *record)
{
    size_t size = kind->size;
    for (size_t i = 0; i < kind->count; i++) {
        const char *text = is_text(&kind->fields[i]) ? gv_field_text(record, &kind->fields[i]) : NULL;
        if (text && !gv_add_size(size, strlen(text) + 1, &size))
            return SIZE_MAX;    /* more than any bound: whoever asks for that much is refused */
    }
    return size;
}

void gv_record_copy(const gv_record_kind *kind, void *memory, const void *record)
{
    char *at = (char *)memory + kind->size;
    memcpy(memory, record, kind->size);
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        const char *text = is_text(field) ? gv_field_text(record, field) : NULL;
        if (!text)
            continue;
        size_t bytes = strlen(text) + 1;
        *(const char **)gv_field_at(memory, field) = memcpy(at, text, bytes);
        at += bytes;
    }
}

const char *gv_money_text(double number, const char *exact, char text[GV_DECIMAL_ROOM])
{
    gv_decimal ignored;
    if (exact && gv_decimal_parse(gv_slice_of(exact), &ignored)) {
        double same = gv_decimal_to_double(gv_slice_of(exact));
        if (!(same < number) && !(same > number))
            return exact;
    }
    return gv_decimal_from_double(number, text) ? text : NULL;
}
