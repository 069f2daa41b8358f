#include "json.h"

#include <stdbool.h>
#include <stdint.h>

#include "json_scan.h"
#include "utf8.h"

typedef struct checker {
    const char *at, *end;
    const char *why;
    unsigned level, depth, flags;
    bool value_next;                            /* a value must begin here; else one has just ended */
    uint64_t objects[GV_JSON_DEPTH_MOST / 64];  /* one bit a level: 1 object, 0 array */
    gv_json_pairs *pairs;                       /* NULL: not wanted */
    gv_json_pair pair;                          /* the member of the outermost object at hand; key.data NULL: none */
} checker;

static bool refuse(checker *c, const char *at, const char *why)
{
    c->at = at;
    c->why = why;
    return false;
}

static bool in_object(const checker *c)
{
    unsigned top = c->level - 1;
    return c->objects[top / 64] >> (top % 64) & 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gv_json_unit(const char *at, const char *end, uint32_t *unit)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return false;
    uint32_t value = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *unit = value;
    return true;
}

/* Behind the escape at at; NULL: refused. */
static const char *check_escape(checker *c, const char *at)
{
    uint32_t unit, low;
    if (c->end - at < 2) {
        refuse(c, at, "a string is not closed");
        return NULL;
    }
    if (at[1] != 'u') {
        if (at[1] != '\0' && strchr("\"\\/bfnrt", at[1]))
            return at + 2;
        refuse(c, at, "there is no such escape");
        return NULL;
    }
    if (!gv_json_unit(at, c->end, &unit)) {
        refuse(c, at, "\\u needs four hexadecimal digits");
        return NULL;
    }
    if ((unit & 0xf800) != 0xd800)
        return at + 6;
    if (unit < 0xdc00 && gv_json_unit(at + 6, c->end, &low) && (low & 0xfc00) == 0xdc00)
        return at + 12;
    if (c->flags & GV_JSON_SURROGATES)
        return at + 6;
    refuse(c, at, "a surrogate stands alone");
    return NULL;
}

static bool check_string(checker *c)
{
    const char *at = c->at + 1, *end = c->end;
    for (;;) {
        at = gv_json_plain(at, end);
        if (at == end)
            return refuse(c, at, "a string is not closed");
        unsigned char byte = (unsigned char)*at;
        uint32_t code;
        if (byte == '"') {
            c->at = at + 1;
            return true;
        }
        if (byte == '\\') {
            at = check_escape(c, at);
            if (!at)
                return false;
        } else if (byte < 0x20) {
            return refuse(c, at, "a control byte in a string must be escaped");
        } else if (byte >= 0xc2 && byte < 0xe0 && end - at > 1 && (at[1] & 0xc0) == 0x80) {
            at += 2;
        } else {
            size_t bytes = gv_utf8_decode(at, (size_t)(end - at), &code);
            if (bytes == 0)
                return refuse(c, at, "the text is not UTF-8");
            at += bytes;
        }
    }
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end))
        at++;
    return at;
}

static bool check_word(checker *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return refuse(c, c->at, "a value must begin here");
    if ((word[0] == 'N' || word[0] == 'I') && !(c->flags & GV_JSON_NAN))
        return refuse(c, c->at, "NaN and Infinity are not JSON");
    c->at += length;
    return true;
}

static bool check_number(checker *c)
{
    const char *at = c->at, *end = c->end;
    if (*at == '-')
        at++;
    if (at < end && *at == 'I') {
        c->at = at;
        return check_word(c, "Infinity");
    }
    if (!is_digit(at, end))
        return refuse(c, at, "a number needs a digit here");
    if (*at == '0' && is_digit(at + 1, end))
        return refuse(c, at, "a number must not begin with 0");
    at = skip_digits(at, end);
    if (at < end && *at == '.') {
        if (!is_digit(++at, end))
            return refuse(c, at, "a number needs a digit here");
        at = skip_digits(at, end);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (!is_digit(at, end))
            return refuse(c, at, "a number needs a digit here");
        at = skip_digits(at, end);
    }
    c->at = at;
    return true;
}

static void skip_white(checker *c)
{
    c->at = gv_json_skip_white(c->at, c->end);
}

/* A key and its colon. */
static bool check_key(checker *c)
{
    skip_white(c);
    if (c->at == c->end)
        return refuse(c, c->at, "an object is not closed");
    if (*c->at != '"')
        return refuse(c, c->at, "a key must be in quotes");
    const char *key = c->at;
    if (!check_string(c))
        return false;
    if (c->level == 1 && c->pairs)
        c->pair.key = (gv_slice){key, (size_t)(c->at - key)};
    skip_white(c);
    if (c->at == c->end || *c->at != ':')
        return refuse(c, c->at, "a colon must follow the key");
    c->at++;
    return true;
}

static bool check_open(checker *c, bool object)
{
    if (c->level >= c->depth)
        return refuse(c, c->at, "the nesting is too deep");
    uint64_t bit = UINT64_C(1) << (c->level % 64), *word = &c->objects[c->level / 64];
    *word = object ? *word | bit : *word & ~bit;
    c->level++;
    c->at++;
    skip_white(c);
    if (c->at < c->end && *c->at == (object ? '}' : ']')) {
        c->level--;
        c->at++;
        return true;
    }
    c->value_next = true;
    return !object || check_key(c);
}

static bool check_begin(checker *c)
{
    skip_white(c);
    if (c->at == c->end)
        return refuse(c, c->at, c->level == 0 ? "there is no value" : "a value is missing");
    c->value_next = false;
    if (c->level == 1)
        c->pair.value.data = c->at;
    switch (*c->at) {
    case '{': return check_open(c, true);
    case '[': return check_open(c, false);
    case '"': return check_string(c);
    case 't': return check_word(c, "true");
    case 'f': return check_word(c, "false");
    case 'n': return check_word(c, "null");
    case 'N': return check_word(c, "NaN");
    case 'I': return check_word(c, "Infinity");
    case '-': return check_number(c);
    default: return is_digit(c->at, c->end) ? check_number(c) : refuse(c, c->at, "a value must begin here");
    }
}

/* Behind a value inside an object or an array. */
static bool check_after(checker *c)
{
    bool object = in_object(c);
    skip_white(c);
    if (c->at == c->end)
        return refuse(c, c->at, object ? "an object is not closed" : "an array is not closed");
    if (*c->at == ',') {
        c->at++;
        c->value_next = true;
        return !object || check_key(c);
    }
    if (*c->at != (object ? '}' : ']'))
        return refuse(c, c->at, "a comma or a closing bracket must follow the value");
    c->level--;
    c->at++;
    return true;
}

/* A value has ended: that of the member at hand? */
static void note_pair(checker *c)
{
    if (c->level != 1 || c->value_next || !c->pair.key.data)
        return;
    gv_json_pairs *pairs = c->pairs;
    c->pair.value.length = (size_t)(c->at - c->pair.value.data);
    if (pairs->count < pairs->room)
        pairs->list[pairs->count] = c->pair;
    pairs->count++;
    c->pair.key.data = NULL;
}

static bool check_text(checker *c)
{
    if (c->end - c->at >= 3 && memcmp(c->at, "\xef\xbb\xbf", 3) == 0)
        return refuse(c, c->at, "the text begins with a byte order mark");
    c->value_next = true;
    while (c->value_next || c->level > 0) {
        if (!(c->value_next ? check_begin(c) : check_after(c)))
            return false;
        if (c->pairs)
            note_pair(c);
    }
    skip_white(c);
    return c->at == c->end || refuse(c, c->at, "something follows the value");
}

const char *gv_json_check(gv_slice text, unsigned depth, unsigned flags, size_t *at)
{
    return gv_json_check_pairs(text, depth, flags, at, NULL);
}

const char *gv_json_check_pairs(gv_slice text, unsigned depth, unsigned flags, size_t *at, gv_json_pairs *pairs)
{
    checker c;
    c.pairs = pairs;
    c.pair.key.data = NULL;
    if (pairs)
        pairs->count = 0;
    c.at = text.data ? text.data : "";
    c.end = c.at + (text.data ? text.length : 0);
    c.why = NULL;
    c.level = 0;
    c.depth = depth < GV_JSON_DEPTH_MOST ? depth : GV_JSON_DEPTH_MOST;
    c.flags = flags;
    const char *start = c.at;
    bool fine = check_text(&c);
    if (at)
        *at = (size_t)(c.at - start);
    return fine ? NULL : c.why;
}
