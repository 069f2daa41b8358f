#include "json.h"

#include "json_path.h"
#include "json_scan.h"
#include "utf8.h"

static gv_slice slice_between(const char *from, const char *to)
{
    return (gv_slice){from, (size_t)(to - from)};
}

gv_slice gv_json_trim(gv_slice text)
{
    if (!text.data)
        return (gv_slice){NULL, 0};
    const char *end = text.data + text.length, *at = gv_json_skip_white(text.data, end);
    while (end > at && gv_json_is_white(end[-1]))
        end--;
    return slice_between(at, end);
}

gv_json_type gv_json_type_of(gv_slice value)
{
    value = gv_json_trim(value);
    if (value.length == 0)
        return GV_JSON_NONE;
    switch (value.data[0]) {
    case '{': return GV_JSON_OBJECT;
    case '[': return GV_JSON_ARRAY;
    case '"': return GV_JSON_STRING;
    case 't': return GV_JSON_TRUE;
    case 'f': return GV_JSON_FALSE;
    case 'n': return GV_JSON_NULL;
    case 'N':
    case 'I':
    case '-': return GV_JSON_NUMBER;
    default: return value.data[0] >= '0' && value.data[0] <= '9' ? GV_JSON_NUMBER : GV_JSON_NONE;
    }
}

const char *gv_json_skip_string(const char *at, const char *end)
{
    at++;
    while (at < end) {
        at = gv_json_quote(at, end);
        if (at == end)
            return end;
        if (*at == '"')
            return at + 1;
        at += end - at > 1 ? 2 : 1;
    }
    return end;
}

static const char *skip_nested(const char *at, const char *end)
{
    size_t level = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') {
            at = gv_json_skip_string(at, end);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            level++;
        else if ((c == '}' || c == ']') && --level == 0)
            return at;
    }
    return end;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at == end)
        return end;
    if (*at == '"')
        return gv_json_skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_nested(at, end);
    while (at < end && !gv_json_is_white(*at) && *at != ',' && *at != '}' && *at != ']')
        at++;
    return at;
}

gv_json_walk gv_json_enter(gv_slice value)
{
    value = gv_json_trim(value);
    gv_json_type type = gv_json_type_of(value);
    if (type != GV_JSON_OBJECT && type != GV_JSON_ARRAY)
        return (gv_json_walk){NULL, NULL, false};
    return (gv_json_walk){value.data + 1, value.data + value.length, type == GV_JSON_OBJECT};
}

/* The key and its colon; false: no key here. */
static bool walk_key(gv_json_walk *walk, gv_slice *key)
{
    const char *at = walk->at, *end = walk->end;
    if (*at != '"')
        return false;
    const char *behind = gv_json_skip_string(at, end);
    *key = slice_between(at, behind);
    at = gv_json_skip_white(behind, end);
    if (at == end || *at != ':')
        return false;
    walk->at = gv_json_skip_white(at + 1, end);
    return true;
}

bool gv_json_next(gv_json_walk *walk, gv_slice *key, gv_slice *item)
{
    if (!walk->at)
        return false;
    const char *end = walk->end;
    walk->at = gv_json_skip_white(walk->at, end);
    if (walk->at == end)
        return false;
    *key = (gv_slice){"", 0};
    if (walk->object && !walk_key(walk, key))
        return false;
    const char *behind = skip_value(walk->at, end);
    if (behind == walk->at)
        return false;
    *item = slice_between(walk->at, behind);
    walk->at = gv_json_skip_white(behind, end);
    if (walk->at < end && *walk->at == ',')
        walk->at++;
    return true;
}

/* The escape at at; how many bytes it takes. */
static size_t read_escape(const char *at, const char *end, uint32_t *code)
{
    uint32_t low;
    if (end - at < 2) {
        *code = 0xfffd;
        return 1;
    }
    switch (at[1]) {
    case 'b': *code = '\b'; return 2;
    case 'f': *code = '\f'; return 2;
    case 'n': *code = '\n'; return 2;
    case 'r': *code = '\r'; return 2;
    case 't': *code = '\t'; return 2;
    case 'u': break;
    default:
        *code = (unsigned char)at[1] < 0x80 ? (uint32_t)at[1] : 0xfffd;
        return 2;
    }
    if (!gv_json_unit(at, end, code)) {
        *code = 0xfffd;
        return 2;
    }
    if ((*code & 0xfc00) != 0xd800 || !gv_json_unit(at + 6, end, &low) || (low & 0xfc00) != 0xdc00)
        return 6;
    *code = 0x10000 + ((*code & 0x3ff) << 10 | (low & 0x3ff));
    return 12;
}

bool gv_json_next_code(const char **at, const char *end, uint32_t *code)
{
    const char *from = *at;
    if (from >= end || *from == '"')
        return false;
    if (*from == '\\') {
        *at = from + read_escape(from, end, code);
        return true;
    }
    size_t bytes = gv_utf8_decode(from, (size_t)(end - from), code);
    if (bytes == 0) {
        *code = 0xfffd;
        bytes = 1;
    }
    *at = from + bytes;
    return true;
}

static size_t put(char *out, size_t room, size_t length, const char *data, size_t count)
{
    if (length < room)
        memcpy(out + length, data, count < room - length ? count : room - length);
    return length + count;
}

size_t gv_json_unescape(gv_slice string, char *out, size_t room)
{
    if (string.length == 0 || string.data[0] != '"')
        return 0;
    const char *at = string.data + 1, *end = string.data + string.length;
    size_t length = 0;
    uint32_t code;
    for (;;) {
        const char *stop = gv_json_plain(at, end);
        length = put(out, room, length, at, (size_t)(stop - at));
        at = stop;
        if (!gv_json_next_code(&at, end, &code))
            return length;
        char bytes[4];
        size_t count = gv_utf8_encode(code, bytes);
        if (count == 0)
            count = gv_utf8_encode(0xfffd, bytes);
        length = put(out, room, length, bytes, count);
    }
}

static bool key_is(gv_slice raw, const char *key, size_t key_length)
{
    const char *at = raw.data + 1, *end = raw.data + raw.length;
    if (raw.length == key_length + 2 && !memchr(raw.data, '\\', raw.length))
        return memcmp(at, key, key_length) == 0;
    if (raw.length < key_length + 2 || !memchr(raw.data, '\\', raw.length))
        return false;
    size_t matched = 0;
    uint32_t code;
    while (gv_json_next_code(&at, end, &code)) {
        char bytes[4];
        size_t count = gv_utf8_encode(code, bytes);
        if (count == 0 || key_length - matched < count || memcmp(key + matched, bytes, count) != 0)
            return false;
        matched += count;
    }
    return matched == key_length;
}

gv_slice gv_json_member(gv_slice object, const char *key, size_t key_length)
{
    gv_slice found = {NULL, 0}, name, item;
    gv_json_walk walk = gv_json_enter(object);
    if (!walk.object)
        return found;
    while (gv_json_next(&walk, &name, &item)) {
        if (key_is(name, key, key_length))
            found = item;
    }
    return found;
}

static gv_slice item_at(gv_slice array, gv_slice part)
{
    size_t place;
    gv_slice key, item;
    gv_json_walk walk = gv_json_enter(array);
    if (!gv_json_path_place(part, &place))
        return (gv_slice){NULL, 0};
    while (gv_json_next(&walk, &key, &item)) {
        if (place-- == 0)
            return item;
    }
    return (gv_slice){NULL, 0};
}

gv_slice gv_json_at(gv_slice value, const char *path)
{
    value = gv_json_trim(value);
    if (value.length == 0)
        return (gv_slice){NULL, 0};
    if (!path || !*path)
        return value;
    for (;;) {
        const char *dot = strchrnul(path, '.');
        size_t length = (size_t)(dot - path);
        bool array = gv_json_type_of(value) == GV_JSON_ARRAY;
        value = array ? item_at(value, (gv_slice){path, length}) : gv_json_member(value, path, length);
        if (!value.data || !*dot)
            return value;
        path = dot + 1;
    }
}
