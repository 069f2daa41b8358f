#include "dotenv.h"

#include "memory.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_key_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '.' || c == '-');
}

static gv_slice skip(gv_slice text, size_t count)
{
    gv_slice rest = {text.data + count, text.length - count};
    return rest;
}

static gv_slice skip_blanks(gv_slice text)
{
    while (text.length > 0 && is_blank(text.data[0]))
        text = skip(text, 1);
    return text;
}

static gv_slice trim(gv_slice text)
{
    text = skip_blanks(text);
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* The next line without its end; the end of the text needs none. */
static gv_slice take_line(gv_slice *text)
{
    const char *end = memchr(text->data, '\n', text->length);
    gv_slice line = {text->data, end ? (size_t)(end - text->data) : text->length};
    *text = skip(*text, line.length + (end ? 1 : 0));
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    return line;
}

static const char *read_key(gv_slice *line, gv_text *key)
{
    if (line->length > 7 && memcmp(line->data, "export", 6) == 0 && is_blank(line->data[6])) {
        gv_slice rest = skip_blanks(skip(*line, 6));
        if (rest.length > 0 && rest.data[0] != '=')     /* else it is a key of that name */
            *line = rest;
    }
    size_t length = 0;
    while (length < line->length && is_key_char(line->data[length], length == 0))
        length++;
    gv_slice rest = skip_blanks(skip(*line, length));
    if (rest.length == 0)
        return "a setting is KEY=VALUE: the '=' is missing";
    if (rest.data[0] != '=')
        return "a key is made of letters, digits, '_', '-' and '.', then comes '='";
    if (length == 0)
        return "the key in front of '=' is missing";
    gv_text_add(key, line->data, length);
    *line = skip(rest, 1);
    return NULL;
}

/* Behind the closing quote only a comment can stand. */
static const char *check_rest(gv_slice rest)
{
    gv_slice after = skip_blanks(rest);
    if (after.length == 0 || (after.data[0] == '#' && after.data > rest.data))
        return NULL;
    return "text follows the closing quote";
}

static const char *read_quoted(gv_slice text, gv_text *value)
{
    const char quote = text.data[0];
    for (size_t i = 1; i < text.length; i++) {
        char c = text.data[i];
        if (c == quote)
            return check_rest(skip(text, i + 1));
        if (c == '\\' && quote == '"' && i + 1 < text.length) {
            char next = text.data[++i];
            if (next == 'n')
                c = '\n';
            else if (next == 't')
                c = '\t';
            else if (next == '\\' || next == '"' || next == '$')
                c = next;
            else
                i--;            /* any other backslash stands for itself */
        }
        gv_text_addc(value, c);
    }
    return "a quote is not closed in its line";
}

static const char *read_value(gv_slice text, gv_text *value)
{
    gv_slice rest = trim(text);
    if (rest.length > 0 && (rest.data[0] == '"' || rest.data[0] == '\''))
        return read_quoted(rest, value);
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '#' && i > 0 && is_blank(text.data[i - 1])) {
            text.length = i;
            break;
        }
    }
    rest = trim(text);
    gv_text_add(value, rest.data, rest.length);
    return NULL;
}

const char *gv_dotenv_read(gv_slice text, gv_dotenv_fn fn, void *user, size_t *line)
{
    const char *why = NULL;
    gv_text key = {0}, value = {0};
    bool more = true;
    size_t number = 0;
    if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = skip(text, 3);
    while (more && !why && text.length > 0) {
        gv_slice rest = trim(take_line(&text));
        number++;
        if (rest.length == 0 || rest.data[0] == '#')
            continue;
        gv_text_clear(&key);
        gv_text_clear(&value);
        if (memchr(rest.data, '\0', rest.length))
            why = "a NUL byte stands in the line";
        if (!why)
            why = read_key(&rest, &key);
        if (!why)
            why = read_value(rest, &value);
        if (!why && (key.failed || value.failed))
            why = "memory is out";
        if (!why)
            more = fn(gv_text_get(&key), gv_text_get(&value), number, user);
    }
    gv_text_free(&key);
    gv_text_free(&value);
    if (why && line)
        *line = number;
    return why;
}
