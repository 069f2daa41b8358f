/* records.c: JSON files with records of one kind: data/analytics/DAY.json, logs/characters/ID_events.jsonl, data/message_logs.json. A
 * file that was cut gives the records that are whole. */
#include "reading.h"
#include "../base/json.h"
#include <errno.h>

#define DEPTH 200               /* of nesting that is let through to the store's own check */

/* The next item of an array whose text need not be whole: from *at on, past blanks and commas. False: there is none. An item that is cut
 * goes to the end. */
static bool next_item(const char **at, const char *end, gv_slice *item)
{
    const char *c = *at;
    while (c < end && strchr(" \t\r\n,", *c))
        c++;
    *at = c;
    if (c == end || *c == ']')
        return false;
    const char *start = c;
    unsigned depth = 0;
    bool text = false;
    for (; c < end; c++) {
        if (text) {
            text = *c != '"';
            c += *c == '\\' && c + 1 < end;
        } else if (*c == '"') {
            text = true;
        } else if (*c == '{' || *c == '[') {
            depth++;
        } else if (depth && (*c == '}' || *c == ']')) {
            depth--;
        } else if (!depth && (*c == ',' || *c == ']')) {
            break;
        }
    }
    *item = gv_json_trim((gv_slice){start, (size_t)(c - start)});
    *at = c;
    return true;
}

static gv_slice member(gv_slice object, const char *key)
{
    return gv_json_member(object, key, strlen(key));
}

/* A text, or the digits of a number, in out. False: it is neither, or empty; or memory is out. */
static bool plain(gv_reading *r, gv_slice value, gv_text *out)
{
    gv_json_type type = value.data ? gv_json_type_of(value) : GV_JSON_NONE;
    gv_text_clear(out);
    if (type == GV_JSON_NUMBER) {
        gv_text_add(out, value.data, value.length);
    } else if (type == GV_JSON_STRING) {
        size_t length = gv_json_unescape(value, NULL, 0);
        char *room = gv_alloc(length + 1);
        if (room)
            gv_text_add(out, room, gv_json_unescape(value, room, length));
        else
            out->failed = true;
        gv_free(room);
    }
    if (out->failed)
        r->failed = -ENOMEM;
    return out->length > 0;
}

/* The same as a member of the record. */
static bool add_plain(gv_reading *r, const char *key, gv_slice value)
{
    if (!plain(r, value, &r->scratch))
        return false;
    gv_found_text(r, key, (gv_slice){r->scratch.data, r->scratch.length});
    return true;
}

/* The record is there but for its end; its content without white space makes it what it is. */
static bool end(gv_reading *r, gv_source *source, uint64_t line, const char *kind, gavat_time time, gv_slice item)
{
    gv_found_time(r, "timestamp", time);
    gv_text_clear(&r->scratch);
    gv_json_to_compact(&r->scratch, item);
    if (r->scratch.failed)
        r->failed = -ENOMEM;
    return !r->failed && gv_found_end(r, source, line, kind, time, (gv_slice){r->scratch.data, r->scratch.length});
}

/* An object with a time. NULL, or why it is none. */
static const char *look(gv_reading *r, gv_source *source, gv_slice item, gavat_time *time)
{
    size_t at;
    if (gv_json_check(item, DEPTH, GV_JSON_SURROGATES, &at))
        return at == item.length ? "it is cut" : "it is not JSON";
    if (gv_json_type_of(item) != GV_JSON_OBJECT)
        return "it is no object";
    if (!plain(r, member(item, "timestamp"), &r->scratch))
        return "it has no timestamp";
    return gv_reading_time(r, source, (gv_slice){r->scratch.data, r->scratch.length}, time) ? NULL : "its timestamp is no time";
}

typedef struct shape {          /* what the fields of an event are called */
    const char *user, *type, *details;
} shape;

static bool read_event(gv_reading *r, gv_source *source, uint64_t line, gv_slice item, const shape *names)
{
    gavat_time time = 0;
    const char *wrong = look(r, source, item, &time);
    if (!wrong) {
        gv_found_begin(r);
        if (!add_plain(r, "user_id", member(item, names->user)))
            wrong = names->user;
        else if (!add_plain(r, "event_type", member(item, names->type)))
            wrong = names->type;
        if (wrong)
            return !r->failed && gv_found_reject(r, source, line, "it has no %s", wrong);
        gv_found_details(r, source, "context", member(item, names->details));
        return end(r, source, line, "event", time, item);
    }
    return !r->failed && gv_found_reject(r, source, line, "%s", wrong);
}

/* Whatever lies in the array that text is, item by item. */
static bool read_array(gv_reading *r, gv_source *source, gv_slice text,
                       bool (*read)(gv_reading *, gv_source *, uint64_t, gv_slice))
{
    const char *at = text.data, *end_of_file = text.data + text.length;
    gv_slice item;
    while (at < end_of_file && strchr(" \t\r\n", *at))
        at++;
    if (at == end_of_file)
        return true;
    if (*at != '[')
        return gv_found_reject(r, source, 0, "it is no array");
    at++;
    for (uint64_t line = 1; next_item(&at, end_of_file, &item); line++)
        if (!read(r, source, line, item))
            return false;
    return at < end_of_file || gv_found_reject(r, source, 0, "the array has no end: the file is cut");
}

static bool read_action(gv_reading *r, gv_source *source, uint64_t line, gv_slice item)
{
    static const shape names = {"user", "action", "details"};
    return read_event(r, source, line, item, &names);
}

bool gv_read_analytics(gv_reading *reading, gv_source *source)
{
    gv_text text = {0};
    bool go_on;
    if (gv_reading_load(reading, source, &text, &go_on))
        go_on = read_array(reading, source, (gv_slice){text.data, text.length}, read_action);
    gv_text_free(&text);
    return go_on;
}

bool gv_read_characters(gv_reading *reading, gv_source *source)
{
    static const shape names = {"character_id", "event_type", "metadata"};
    gv_text text = {0};
    bool go_on;
    if (gv_reading_load(reading, source, &text, &go_on)) {
        const char *at = text.data, *end_of_file = text.data + text.length;
        for (uint64_t line = 1; go_on && at < end_of_file; line++) {
            const char *newline = memchr(at, '\n', (size_t)(end_of_file - at));
            gv_slice item = gv_json_trim((gv_slice){at, (size_t)((newline ? newline : end_of_file) - at)});
            if (item.length)
                go_on = read_event(reading, source, line, item, &names);
            at = newline ? newline + 1 : end_of_file;
        }
    }
    gv_text_free(&text);
    return go_on;
}

/* "dm" goes to a user, "group" to a group; another chat's target has no type. */
static void add_target_type(gv_reading *r, gv_slice chat)
{
    if (gv_slice_is(chat, "\"dm\"") || gv_slice_is(chat, "\"private\""))
        gv_found_text(r, "target_type", gv_slice_of("user"));
    else if (gv_slice_is(chat, "\"group\"") || gv_slice_is(chat, "\"supergroup\""))
        gv_found_text(r, "target_type", gv_slice_of("group"));
}

static bool read_message(gv_reading *r, gv_source *source, uint64_t line, gv_slice item)
{
    gavat_time time = 0;
    const char *wrong = look(r, source, item, &time);
    if (wrong)
        return !r->failed && gv_found_reject(r, source, line, "%s", wrong);
    gv_found_begin(r);
    if (!add_plain(r, "bot_username", member(item, "bot_name")))
        return !r->failed && gv_found_reject(r, source, line, "it has no bot_name");
    if (!add_plain(r, "message_type", member(item, "chat_type")))
        return !r->failed && gv_found_reject(r, source, line, "it has no chat_type");
    add_target_type(r, member(item, "chat_type"));
    add_plain(r, "target_id", member(item, "user_id"));
    add_plain(r, "message_content", member(item, "content"));
    add_plain(r, "message_id", member(item, "id"));
    return end(r, source, line, "message", time, item);
}

bool gv_read_messages(gv_reading *reading, gv_source *source)
{
    gv_text text = {0};
    bool go_on;
    if (gv_reading_load(reading, source, &text, &go_on)) {
        const char *list = memmem(text.data, text.length, "\"messages\"", 10);
        list = list ? memchr(list, '[', text.length - (size_t)(list - text.data)) : NULL;
        if (list)
            go_on = read_array(reading, source, (gv_slice){list, text.length - (size_t)(list - text.data)}, read_message);
        else
            go_on = gv_found_reject(reading, source, 0, "it has no list \"messages\"");
    }
    gv_text_free(&text);
    return go_on;
}
