#include "json_indent.h"

#include "json_scan.h"
#include "utf8.h"

const gv_json_style gv_json_indent_2 = {
    .lines = true, .margin = {"", 0}, .unit = {"  ", 2}, .comma = {", ", 2}, .colon = {": ", 2},
};

static void add_slice(gv_text *out, gv_slice slice)
{
    gv_text_add(out, slice.data, slice.length);
}

static void add_code(gv_text *out, uint32_t code)
{
    char bytes[4];
    char letter = code < 0x7f ? gv_json_letter(code) : 0;
    size_t count = gv_utf8_encode(code, bytes);
    if (letter)
        gv_text_add(out, (char[]){'\\', letter}, 2);
    else if (code < 0x20 || count == 0)
        gv_text_addf(out, "\\u%04x", (unsigned)code);
    else
        gv_text_add(out, bytes, count);
}

/* The raw string at at; behind it. */
static const char *print_string(gv_text *out, const char *at, const char *end)
{
    const char *behind = gv_json_skip_string(at, end);
    const char *escape = memchr(at, '\\', (size_t)(behind - at));
    uint32_t code;
    while (escape) {
        gv_text_add(out, at, (size_t)(escape - at));
        at = escape;
        if (!gv_json_next_code(&at, behind, &code))
            break;
        add_code(out, code);
        escape = memchr(at, '\\', (size_t)(behind - at));
    }
    gv_text_add(out, at, (size_t)(behind - at));
    return behind;
}

static void print_break(gv_text *out, const gv_json_style *style, size_t level)
{
    if (!style->lines)
        return;
    gv_text_addc(out, '\n');
    add_slice(out, style->margin);
    for (size_t i = 0; i < level; i++)
        add_slice(out, style->unit);
}

/* The bracket, comma or colon at at; behind it. */
static const char *print_mark(gv_text *out, const char *at, const char *end, const gv_json_style *style, size_t *level)
{
    const char *next = gv_json_skip_white(at + 1, end);
    switch (*at) {
    case '{':
    case '[':
        gv_text_addc(out, *at);
        if (next < end && (*next == '}' || *next == ']')) {
            gv_text_addc(out, *next);
            return next + 1;
        }
        print_break(out, style, ++*level);
        return next;
    case '}':
    case ']':
        *level -= *level > 0;
        print_break(out, style, *level);
        gv_text_addc(out, *at);
        return next;
    case ',':
        if (style->lines)
            gv_text_addc(out, ',');
        else
            add_slice(out, style->comma);
        print_break(out, style, *level);
        return next;
    default:
        add_slice(out, style->colon);
        return next;
    }
}

void gv_json_print(gv_text *out, gv_slice value, const gv_json_style *style)
{
    value = gv_json_trim(value);
    const char *at = value.length ? value.data : "", *end = at + value.length;
    size_t level = 0;
    while (at < end) {
        if (*at == '"') {
            at = print_string(out, at, end);
        } else if (memchr("{[]},:", *at, 6)) {
            at = print_mark(out, at, end, style, &level);
        } else if (gv_json_is_white(*at)) {
            at++;
        } else {
            const char *from = at;
            while (at < end && !gv_json_is_white(*at) && !memchr("{[]},:\"", *at, 7))
                at++;
            gv_text_add(out, from, (size_t)(at - from));
        }
    }
}
