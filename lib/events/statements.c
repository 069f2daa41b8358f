#include "statements.h"

const char *gv_insert_sql(const gv_record_kind *kind)
{
    if (kind == &gv_events_kind)
        return "INSERT INTO event_logs (user_id, username, event_type, message, context, level, timestamp, uid) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (user_id, timestamp, uid) DO NOTHING";
    if (kind == &gv_sales_kind)
        return "INSERT INTO sale_logs (user_id, customer_id, bot_username, product_type, product_name, amount, amount_text, currency, "
               "payment_method, payment_status, payment_reference, notes, extra_data, created_at, updated_at, uid) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
               "ON CONFLICT (user_id, created_at, uid) DO NOTHING";
    if (kind == &gv_messages_kind)
        return "INSERT INTO message_records (bot_username, message_type, target_type, target_id, target_name, message_content, "
               "message_id, success, error_message, response_time_ms, extra_data, timestamp, uid) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
               "ON CONFLICT (bot_username, timestamp, uid) DO NOTHING";
    return "INSERT INTO user_sessions (user_id, username, session_token, bot_type, is_active, last_activity, created_at, extra_data) "
           "VALUES (?1, ?2, ?3, ?4, ?8, ?5, ?6, ?7)";
}

void gv_add_columns(gv_text *out, const gv_record_kind *kind)
{
    for (size_t i = 0; i < kind->count; i++) {
        const gv_field *field = &kind->fields[i];
        gv_text_addf(out, "%s%s", i ? ", " : "", field->name);
        if (field->type == GV_FIELD_MONEY)
            gv_text_addf(out, ", %s_text", field->name);
    }
}

unsigned gv_indexed_by(const gv_query *query)
{
    if (query->kind == &gv_messages_kind && query->by[GV_BY_BOT])
        return GV_BY_BOT;
    return query->by[GV_BY_USER] ? GV_BY_USER : GV_BY_COUNT;
}

/* Rows behind the position: time, then uid with its NULLs last, then id, all descending. */
static void add_position(gv_text *out, const gv_query *query, const char *time, bool has_uid, char mark)
{
    const gv_position *after = &query->after;
    bool null_time = after->type == 'n';
    if (!null_time)
        gv_text_addf(out, " AND %s <= %c%d AND (%s < %c%d OR ", time, mark, GV_BOUND_TIME, time, mark, GV_BOUND_TIME);
    else
        gv_text_adds(out, " AND (");
    if (!has_uid)
        gv_text_addf(out, "id < %c%d)", mark, GV_BOUND_ID);
    else if (after->uid)
        gv_text_addf(out, "uid < %c%d OR uid IS NULL OR (uid = %c%d AND id < %c%d))", mark, GV_BOUND_UID, mark, GV_BOUND_UID, mark,
                     GV_BOUND_ID);
    else
        gv_text_addf(out, "(uid IS NULL AND id < %c%d))", mark, GV_BOUND_ID);
}

void gv_add_page_sql(gv_text *out, const gv_query *query, const char *from, char phase, char mark)
{
    const gv_record_kind *kind = query->kind;
    const char *time = kind->time->name;
    bool has_uid = kind->uid != NULL;
    unsigned by = gv_indexed_by(query);
    gv_text_adds(out, "SELECT ");
    gv_add_columns(out, kind);
    gv_text_addf(out, ", %s FROM %s WHERE %s IS %s", time, from, time, phase == 'n' ? "NULL" : "NOT NULL");
    if (by < GV_BY_COUNT)
        gv_text_addf(out, " AND %s = %c%d", gv_filter_field(kind, by)->name, mark, GV_BOUND_OWNER);
    if (query->since)
        gv_text_addf(out, " AND %s >= %c%d", time, mark, GV_BOUND_SINCE);
    if (query->until)
        gv_text_addf(out, " AND %s < %c%d", time, mark, GV_BOUND_UNTIL);
    if (query->after.type && (query->after.type == 'n') == (phase == 'n'))
        add_position(out, query, time, has_uid, mark);
}

void gv_add_page_order(gv_text *out, const gv_record_kind *kind)
{
    gv_text_addf(out, " ORDER BY %s DESC%s, id DESC", kind->time->name, kind->uid ? ", uid DESC NULLS LAST" : "");
}
