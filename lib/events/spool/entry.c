/* entry.c: a write as it waits in the spool: JSON that people can read, and that the next version of the library can. */
#include "../../base/clock.h"
#include "../../base/json.h"
#include "../../base/uuid.h"
#include "../calls.h"
#include "spool.h"
#include <stdio.h>

#define DEPTH (GV_JSON_DEPTH + 4)       /* a record, in a unit of work */

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};

static void add_member(gv_text *out, const char *key, const char *text)
{
    gv_text_addf(out, "%c\"%s\":", out->length ? ',' : '{', key);
    if (text)
        gv_text_add_json(out, text, strlen(text));
    else
        gv_text_adds(out, "null");
}

static void print_update(const gv_update_request *request, gv_text *out)
{
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)request->id);
    add_member(out, "sale", request->uid ? request->uid : id);
    add_member(out, "status", request->status);
    add_member(out, "notes", request->notes);
    gv_text_addc(out, '}');
}

static void print_unit(const gavat_batch *batch, gv_text *out)
{
    gv_text_adds(out, "{\"records\":[");
    for (size_t i = 0; i < batch->count; i++) {
        const gv_batch_record *record = batch->entries[i].record;
        gv_text_addf(out, "%s{\"kind\":\"%s\",\"record\":", i ? "," : "", record->kind->shape.name);
        gv_record_print(record->kind, record->record, out);
        gv_text_addc(out, '}');
    }
    gv_text_adds(out, "]}");
}

void gv_entry_print(const gavat_op *op, gv_text *out)
{
    const gv_session_request *session = op->request;
    const gv_log_request *log = op->request;
    char before[28];
    switch (op->kind->place) {
    case GV_UPDATE_SALE:
        print_update(op->request, out);
        break;
    case GV_CLOSE_SESSION:
        add_member(out, "user_id", session->user_id);
        gv_text_addc(out, '}');
        break;
    case GV_EXPIRE_SESSIONS:
        gv_time_to_rfc(session->before, before);
        add_member(out, "before", before);
        gv_text_addc(out, '}');
        break;
    case GV_COMMIT:
        print_unit(op->batch, out);
        break;
    default:
        gv_record_print(log->kind, log->record, out);
    }
}

gavat_time gv_entry_time(const gavat_op *op)
{
    switch (op->kind->place) {
    case GV_UPDATE_SALE:
        return ((const gv_update_request *)op->request)->now;
    case GV_CLOSE_SESSION: case GV_EXPIRE_SESSIONS:
        return ((const gv_session_request *)op->request)->now;
    case GV_COMMIT:
        return gv_now(op->client) - (int64_t)((gv_clock_steady() - op->submitted) / 1000);
    default:
        return ((const gv_log_request *)op->request)->now;
    }
}

/* --- back --- */

static bool spoil(gavat_batch *batch, gv_entry *entry, const char *why)
{
    entry->unreadable = entry->refused = true;
    entry->reason = gv_arena_printf(&batch->arena, "what was kept of this write cannot be read: %s", why);
    return entry->reason;
}

/* The member as plain text in the arena; NULL with *there false: null or not there. False: no memory. */
static bool read_text(gavat_batch *batch, gv_slice object, const char *key, const char **text)
{
    gv_slice value = gv_json_member(object, key, strlen(key));
    *text = NULL;
    if (!value.data || gv_json_type_of(value) != GV_JSON_STRING)
        return true;
    char *out = gv_arena_alloc(&batch->arena, value.length + 1);
    if (out)
        gv_json_unescape(value, out, value.length);
    *text = out;
    return out;
}

static bool read_update(gavat_batch *batch, gv_entry *entry, gv_slice object)
{
    gv_update_request *update = &entry->update;
    const char *sale;
    char uid[GV_UUID_ROOM];
    if (!read_text(batch, object, "sale", &sale) || !read_text(batch, object, "status", &update->status)
        || !read_text(batch, object, "notes", &update->notes))
        return false;
    update->now = entry->at;
    if (!sale || !gv_sale_status_known(update->status))
        return spoil(batch, entry, "it is no change of a sale's status");
    if (gv_uuid_parse(sale, uid))
        return (update->uid = gv_arena_copy_text(&batch->arena, uid));
    for (; *sale >= '0' && *sale <= '9' && update->id < INT64_MAX / 10 - 1; sale++)
        update->id = update->id * 10 + (*sale - '0');
    return (!*sale && update->id) || spoil(batch, entry, "it names no sale");
}

static bool read_session(gavat_batch *batch, gv_entry *entry, gv_slice object)
{
    const char *before;
    gv_session_request *session = &entry->session;
    if (!read_text(batch, object, "user_id", &session->user_id) || !read_text(batch, object, "before", &before))
        return false;
    session->now = entry->at;
    if (entry->place == GV_CLOSE_SESSION)
        return session->user_id || spoil(batch, entry, "it names no user");
    session->user_id = NULL;
    return (before && gv_time_parse(gv_slice_of(before), &session->before)) || spoil(batch, entry, "it has no time");
}

static bool read_record(gavat_batch *batch, gv_entry *entry, const gv_record_kind *kind, gv_slice object)
{
    gv_incoming in;
    bool good = gv_incoming_restore(&in, batch->client, kind, object), kept = true;
    if (good)
        kept = (entry->records[entry->count++] = gv_call_keep(&batch->arena, &in));
    else
        kept = in.status != GAVAT_ENOMEM && spoil(batch, entry, in.why);
    gv_incoming_free(&in);
    return kept;
}

static bool make_room(gavat_batch *batch, gv_entry *entry, size_t count)
{
    size_t bytes;
    entry->records = gv_multiply_size(count, sizeof *entry->records, &bytes) ? gv_arena_alloc(&batch->arena, bytes) : NULL;
    return entry->records;
}

static bool read_unit(gavat_batch *batch, gv_entry *entry, gv_slice object)
{
    gv_slice list = gv_json_member(object, "records", 7), key, item;
    gv_json_walk walk = gv_json_enter(list);
    size_t count = 0;
    while (gv_json_next(&walk, &key, &item))
        count++;
    if (!make_room(batch, entry, count + 1))
        return false;
    walk = gv_json_enter(list);
    while (!entry->unreadable && gv_json_next(&walk, &key, &item)) {
        const char *name;
        const gv_record_kind *kind = NULL;
        if (!read_text(batch, item, "kind", &name))
            return false;
        for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
            if (strcmp(kinds[i]->shape.name, name) == 0)
                kind = kinds[i];
        gv_slice record = gv_json_member(item, "record", 6);
        if (!kind || gv_json_type_of(record) != GV_JSON_OBJECT)
            return spoil(batch, entry, "a record of the unit is of no known kind");
        if (!read_record(batch, entry, kind, record))
            return false;
    }
    return true;
}

static bool find_place(gv_slice call, gv_events_place *place)
{
    static const gv_events_place places[] = {GV_LOG_EVENT, GV_LOG_SALE, GV_LOG_MESSAGE, GV_SET_SESSION, GV_UPDATE_SALE, GV_CLOSE_SESSION,
                                             GV_EXPIRE_SESSIONS};
    *place = GV_COMMIT;
    if (gv_slice_is(call, gv_commit_events.name))
        return true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        *place = places[i];
        if (gv_slice_is(call, gv_events_ops[*place].name))
            return true;
    }
    return false;
}

static bool read_payload(gavat_batch *batch, gv_entry *entry, gv_slice payload)
{
    const gv_record_kind *kind = &gv_events_kind;
    const char *wrong = gv_json_check(payload, DEPTH, GV_JSON_SURROGATES, NULL);
    if (!wrong && gv_json_type_of(payload) != GV_JSON_OBJECT)
        wrong = "not an object";
    if (wrong)
        return spoil(batch, entry, wrong);
    switch (entry->place) {
    case GV_UPDATE_SALE:
        return read_update(batch, entry, payload);
    case GV_CLOSE_SESSION: case GV_EXPIRE_SESSIONS:
        return read_session(batch, entry, payload);
    case GV_COMMIT:
        return read_unit(batch, entry, payload);
    case GV_LOG_SALE:
        kind = &gv_sales_kind;
        break;
    case GV_LOG_MESSAGE:
        kind = &gv_messages_kind;
        break;
    case GV_SET_SESSION:
        kind = &gv_sessions_kind;
        break;
    default:
        break;
    }
    return make_room(batch, entry, 1) && read_record(batch, entry, kind, payload);
}

bool gv_entry_read(gavat_batch *batch, int64_t sequence, gv_slice call, gavat_time at, gv_slice ticket, gv_slice payload)
{
    char uid[GV_UUID_ROOM];
    gv_entry *entry = gv_arena_alloc(&batch->arena, sizeof *entry);
    char *text = gv_arena_copy(&batch->arena, ticket.data ? ticket.data : "", ticket.length);
    if (!entry || !text || gv_batch_append(batch, entry) != GAVAT_OK)
        return false;
    entry->sequence = sequence;
    entry->at = at;
    entry->ticket = text;
    if (!find_place(call, &entry->place))
        return spoil(batch, entry, "it is of a kind that this library does not know");
    if (!gv_uuid_parse(text, uid))
        return spoil(batch, entry, "it has no uid");
    return read_payload(batch, entry, gv_json_trim(payload));
}

void gv_forward_refuse(gavat_op *op, size_t i, const char *code, const char *reason)
{
    gv_entry *entry = gv_forward_entry(op, i);
    const char *copy = gv_arena_copy_text(&op->batch->arena, reason);
    entry->refused = true;
    snprintf(entry->code, sizeof entry->code, "%s", code ? code : "");
    entry->reason = copy ? copy : "refused; there was no memory for the reason";
}
