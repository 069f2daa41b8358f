#include "json.h"
#include "width.h"
#include <gavatcore.h>
#include <string.h>

#define MOST_LEVELS 200

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

static const char *skip_digits(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at == from ? NULL : at;
}

static const char *skip_number(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    at = at < end && *at == '0' ? at + 1 : skip_digits(at, end);
    if (at && at < end && *at == '.')
        at = skip_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* The four digits behind \u; -1 when they are not there. */
static int32_t read_unit(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"';) {
        size_t size = 1;
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\') {
            if (++at == end || !strchr("\"\\/bfnrtu", *at) || (*at == 'u' && read_unit(at + 1, end) < 0))
                return NULL;
            at += *at == 'u' ? 5 : 1;
            continue;
        }
        if (ctl_decode(at, (size_t)(end - at), &size) < 0)
            return NULL;
        at += size;
    }
    return at < end ? at + 1 : NULL;
}

typedef struct scan {
    const char *end;
    bool strict; /* no bare NaN and Infinity, which old records have */
} scan;

static const char *skip_value(const char *at, const scan *s, int levels);

static const char *skip_members(const char *at, const scan *s, int levels)
{
    const char *end = s->end;
    bool object = *at == '{';
    char closing = object ? '}' : ']';
    at = skip_blanks(at + 1, end);
    if (at < end && *at == closing)
        return at + 1;
    while (at && at < end) {
        if (object) {
            at = *at == '"' ? skip_string(at, end) : NULL;
            at = at ? skip_blanks(at, end) : NULL;
            if (!at || at == end || *at++ != ':')
                return NULL;
        }
        at = skip_value(at, s, levels);
        at = at ? skip_blanks(at, end) : NULL;
        if (!at || at == end)
            return NULL;
        if (*at == closing)
            return at + 1;
        if (*at++ != ',')
            return NULL;
        at = skip_blanks(at, end);
    }
    return NULL;
}

static const char *skip_bare(const char *at, const scan *s)
{
    const char *word = skip_word(at, s->end, "NaN");
    word = word ? word : skip_word(at, s->end, "Infinity");
    return word ? word : skip_word(at, s->end, "-Infinity");
}

/* The place behind a value; NULL where there is none. */
static const char *skip_value(const char *at, const scan *s, int levels)
{
    const char *end = s->end, *bare = NULL;
    at = skip_blanks(at, end);
    if (at == end || levels == 0)
        return NULL;
    switch (*at) {
    case '{':
    case '[':
        return skip_members(at, s, levels - 1);
    case '"':
        return skip_string(at, end);
    case 't':
        return skip_word(at, end, "true");
    case 'f':
        return skip_word(at, end, "false");
    case 'n':
        return skip_word(at, end, "null");
    default:
        bare = s->strict ? NULL : skip_bare(at, s);
        return bare ? bare : skip_number(at, end);
    }
}

bool ctl_json_valid(ctl_slice json)
{
    scan s = {.end = json.data + json.length, .strict = true};
    const char *at = skip_value(json.data, &s, MOST_LEVELS);
    return at && skip_blanks(at, s.end) == s.end;
}

bool ctl_walk_begin(ctl_walk *walk, ctl_slice json)
{
    const char *end = json.data + json.length;
    const char *at = skip_blanks(json.data, end);
    if (at == end || (*at != '{' && *at != '['))
        return false;
    *walk = (ctl_walk){.at = at + 1, .end = end, .array = *at == '[', .first = true};
    return true;
}

bool ctl_walk_next(ctl_walk *walk, ctl_slice *key, ctl_slice *value)
{
    const char *at = skip_blanks(walk->at, walk->end), *from = NULL;
    if (at == walk->end || *at == '}' || *at == ']')
        return false;
    if (!walk->first)
        at = skip_blanks(at + 1, walk->end);
    walk->first = false;
    *key = (ctl_slice){"", 0};
    if (!walk->array) {
        from = at;
        at = at < walk->end && *at == '"' ? skip_string(at, walk->end) : NULL;
        if (!at)
            return false;
        *key = (ctl_slice){from, (size_t)(at - from)};
        at = skip_blanks(at, walk->end);
        if (at == walk->end || *at++ != ':')
            return false;
    }
    from = skip_blanks(at, walk->end);
    at = skip_value(from, &(scan){.end = walk->end}, MOST_LEVELS);
    if (!at)
        return false;
    *value = (ctl_slice){from, (size_t)(at - from)};
    walk->at = at;
    return true;
}

static void add_point(ctl_buffer *out, uint32_t point)
{
    char bytes[4];
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size; i-- > 1; point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3F));
    bytes[0] = (char)(lead[size] | point);
    ctl_add(out, bytes, size);
}

/* at stands behind the backslash; gives the place behind the escape. */
static const char *add_escape(ctl_buffer *out, const char *at, const char *end)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (*at != 'u') {
        const char *place = strchr(from, *at);
        ctl_add(out, place ? to + (place - from) : at, 1);
        return at + 1;
    }
    int32_t unit = read_unit(at + 1, end), low = -1;
    at += 5;
    if (unit >= 0xD800 && unit < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u')
        low = read_unit(at + 2, end);
    if (low >= 0xDC00 && low < 0xE000) {
        add_point(out, 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
        return at + 6;
    }
    add_point(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : (uint32_t)unit);
    return at;
}

void ctl_json_plain(ctl_buffer *out, ctl_slice value)
{
    if (value.length == 4 && memcmp(value.data, "null", 4) == 0)
        return;
    if (value.length < 2 || value.data[0] != '"') {
        ctl_add(out, value.data, value.length);
        return;
    }
    const char *at = value.data + 1, *end = value.data + value.length - 1;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        ctl_add(out, at, (size_t)((slash ? slash : end) - at));
        at = slash ? add_escape(out, slash + 1, end) : end;
    }
}

static void add_newline(ctl_buffer *out, unsigned level)
{
    ctl_add_text(out, "\n");
    ctl_add_repeat(out, ' ', (size_t)level * 2);
}

void ctl_json_indent(ctl_buffer *out, ctl_slice value, unsigned level)
{
    ctl_walk walk;
    ctl_slice key, member;
    bool any = false;
    if (!ctl_walk_begin(&walk, value)) {
        ctl_add(out, value.data, value.length);
        return;
    }
    ctl_add_text(out, walk.array ? "[" : "{");
    for (; ctl_walk_next(&walk, &key, &member); any = true) {
        ctl_add_text(out, any ? "," : "");
        add_newline(out, level + 1);
        ctl_add(out, key.data, key.length);
        ctl_add_text(out, key.length ? ": " : "");
        ctl_json_indent(out, member, level + 1);
    }
    if (any)
        add_newline(out, level);
    ctl_add_text(out, walk.array ? "]" : "}");
}

ctl_slice ctl_json_member(const char *record, const char *key)
{
    size_t length = 0;
    const char *value = gavat_json_find(record, key, &length);
    return value ? (ctl_slice){value, length} : (ctl_slice){"", 0};
}
