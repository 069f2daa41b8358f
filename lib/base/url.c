#include "url.h"

#define URL_BYTES 4096
#define NOWHERE SIZE_MAX

typedef struct host_part {
    gv_slice name;
    uint16_t port;
} host_part;

/* Where the pieces of a URL lie in its text, not decoded. Data is NULL where a piece is missing. */
typedef struct parts {
    gv_slice scheme, authority, user, password, path, query;
    host_part hosts[GV_URL_HOSTS];
    size_t host_count;
} parts;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

static gv_slice cut(gv_slice text, size_t from, size_t to)
{
    gv_slice piece = {text.data + from, to - from};
    return piece;
}

static size_t find(gv_slice text, size_t from, char c)
{
    const char *at = from < text.length ? memchr(text.data + from, c, text.length - from) : NULL;
    return at ? (size_t)(at - text.data) : NOWHERE;
}

static size_t find_last(gv_slice text, char c)
{
    const char *at = text.length ? memrchr(text.data, c, text.length) : NULL;
    return at ? (size_t)(at - text.data) : NOWHERE;
}

/* The place behind the first "://". */
static size_t find_authority(gv_slice text)
{
    const char *at = text.length ? memmem(text.data, text.length, "://", 3) : NULL;
    return at ? (size_t)(at - text.data) + 3 : NOWHERE;
}

static const char *check_escapes(gv_slice text)
{
    for (size_t i = find(text, 0, '%'); i != NOWHERE; i = find(text, i + 3, '%')) {
        if (text.length - i < 3 || hex_value(text.data[i + 1]) < 0 || hex_value(text.data[i + 2]) < 0)
            return "a '%' must be followed by two hex digits (write '%25' for the sign itself)";
        if (text.data[i + 1] == '0' && text.data[i + 2] == '0')
            return "'%00' cannot stand in a URL";
    }
    return NULL;
}

/* Of text that passed check_escapes. */
static const char *decode(gv_arena *arena, gv_slice text)
{
    char *out = gv_arena_copy(arena, text.data, text.length);
    if (!out)
        return NULL;
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        out[length++] = c;
    }
    out[length] = '\0';
    return out;
}

static const char *read_port(gv_slice text, uint16_t *port)
{
    uint32_t value = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.data[i]) || value > UINT16_MAX)
            return "a port is not a number from 1 to 65535 (in a password write '%2F' for '/' and '%3F' for '?')";
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (value == 0 || value > UINT16_MAX)
        return "a port is not a number from 1 to 65535";
    *port = (uint16_t)value;
    return NULL;
}

static bool is_address(gv_slice text)
{
    size_t zone = find(text, 0, '%');
    if (find(text, 0, ':') >= zone)
        return false;
    for (size_t i = 0; i < text.length && i < zone; i++) {
        if (hex_value(text.data[i]) < 0 && text.data[i] != ':' && text.data[i] != '.')
            return false;
    }
    return true;
}

static const char *read_host(gv_slice text, host_part *host)
{
    size_t colon;
    host->port = 0;
    if (text.length > 0 && text.data[0] == '[') {
        size_t close = find(text, 0, ']');
        if (close == NOWHERE)
            return "a '[' is not closed";
        host->name = cut(text, 1, close);
        if (!is_address(host->name))
            return "'[…]' does not hold an IPv6 address";
        colon = close + 1;
        if (colon == text.length)
            return check_escapes(host->name);
        if (text.data[colon] != ':')
            return "only a port can follow an address in '[…]'";
    } else {
        colon = find(text, 0, ':');
        host->name = cut(text, 0, colon == NOWHERE ? text.length : colon);
        if (host->name.length == 0)
            return "a host is empty";
        for (size_t i = 0; i < host->name.length; i++) {
            if (strchr(" []@\\\"<>", host->name.data[i]))
                return "a host holds a character that does not belong there";
        }
        if (colon == NOWHERE)
            return check_escapes(host->name);
        if (find(text, colon + 1, ':') != NOWHERE)
            return "a host holds more than one ':' (an IPv6 address stands in '[…]')";
    }
    const char *why = read_port(cut(text, colon + 1, text.length), &host->port);
    return why ? why : check_escapes(host->name);
}

static const char *read_hosts(gv_slice text, parts *out)
{
    for (size_t from = 0; text.length > 0 && from <= text.length;) {
        size_t comma = find(text, from, ',');
        size_t to = comma == NOWHERE ? text.length : comma;
        if (out->host_count == GV_URL_HOSTS)
            return "more than 32 hosts";
        const char *why = read_host(cut(text, from, to), &out->hosts[out->host_count]);
        if (why)
            return why;
        out->host_count++;
        from = to + 1;
    }
    return NULL;
}

static const char *read_authority(gv_slice text, parts *out)
{
    size_t at = find_last(text, '@');           /* the last one: people forget to write '%40' in passwords */
    out->authority = text;
    if (at == NOWHERE)
        return read_hosts(text, out);
    size_t colon = find(cut(text, 0, at), 0, ':');
    if (colon != NOWHERE)
        out->password = cut(text, colon + 1, at);
    out->user = cut(text, 0, colon == NOWHERE ? at : colon);
    const char *why = check_escapes(cut(text, 0, at));
    return why ? why : read_hosts(cut(text, at + 1, text.length), out);
}

static const char *read_scheme(gv_slice text, parts *out)
{
    size_t colon = find(text, 0, ':');
    if (colon == NOWHERE || colon == 0 || !is_letter(text.data[0]))
        return "it must begin with a scheme, as 'sqlite:' or 'postgresql:'";
    for (size_t i = 0; i < colon; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
            return "it must begin with a scheme, as 'sqlite:' or 'postgresql:'";
    }
    out->scheme = cut(text, 0, colon);
    return NULL;
}

/* NULL, or why text is not a URL. Allocates nothing. */
static const char *split(gv_slice text, parts *out)
{
    memset(out, 0, sizeof *out);
    if (text.length > URL_BYTES)
        return "longer than 4096 bytes";
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return "it holds a control character";
    }
    const char *why = read_scheme(text, out);
    if (why)
        return why;
    size_t rest = out->scheme.length + 1, query = find(text, rest, '?');
    size_t end = query == NOWHERE ? text.length : query;
    if (query != NOWHERE) {
        out->query = cut(text, query + 1, text.length);
        why = check_escapes(out->query);
    }
    if (end - rest < 2 || memcmp(text.data + rest, "//", 2) != 0) {
        out->path = cut(text, rest, end);
        return why;
    }
    rest += 2;
    size_t slash = find(text, rest, '/');
    if (slash > end)
        slash = end;
    out->path = cut(text, slash < end ? slash + 1 : end, end);
    return why ? why : read_authority(cut(text, rest, slash), out);
}

static bool keep(const char *text, bool *failed)
{
    *failed = *failed || !text;
    return text != NULL;
}

const char *gv_url_parse(gv_arena *arena, const char *text, gv_url *url)
{
    parts found;
    bool failed = false;
    memset(url, 0, sizeof *url);
    if (!text)
        return "it is empty";
    const char *why = split(gv_slice_of(text), &found);
    if (why)
        return why;
    char *scheme = gv_arena_copy(arena, found.scheme.data, found.scheme.length);
    if (keep(scheme, &failed)) {
        for (char *c = scheme; *c; c++)
            *c = lower(*c);
    }
    url->scheme = scheme;
    if (found.user.length > 0)
        keep(url->user = decode(arena, found.user), &failed);
    if (found.password.data)
        keep(url->password = decode(arena, found.password), &failed);
    for (size_t i = 0; i < found.host_count; i++) {
        keep(url->hosts[i].name = decode(arena, found.hosts[i].name), &failed);
        url->hosts[i].port = found.hosts[i].port;
    }
    url->host_count = found.host_count;
    keep(url->path = gv_arena_copy(arena, found.path.data, found.path.length), &failed);
    if (found.query.data)
        keep(url->query = gv_arena_copy(arena, found.query.data, found.query.length), &failed);
    if (failed)
        memset(url, 0, sizeof *url);
    return failed ? "memory is out" : NULL;
}

/* key[=value] with an escaped key. */
static bool has_key(gv_slice pair, size_t equals, const char *key)
{
    size_t end = equals == NOWHERE ? pair.length : equals, at = 0;
    for (; *key && at < end; key++, at++) {
        char c = pair.data[at];
        if (c == '%' && end - at >= 3) {
            c = (char)(hex_value(pair.data[at + 1]) * 16 + hex_value(pair.data[at + 2]));
            at += 2;
        }
        if (c != *key)
            return false;
    }
    return *key == '\0' && at == end;
}

const char *gv_url_query(gv_arena *arena, const gv_url *url, const char *key)
{
    gv_slice query = gv_slice_of(url->query), value = {NULL, 0};
    for (size_t from = 0; from < query.length;) {
        size_t to = find(query, from, '&');
        if (to == NOWHERE)
            to = query.length;
        gv_slice pair = cut(query, from, to);
        size_t equals = find(pair, 0, '=');
        if (pair.length > 0 && has_key(pair, equals, key))
            value = cut(pair, equals == NOWHERE ? pair.length : equals + 1, pair.length);
        from = to + 1;
    }
    return value.data ? decode(arena, value) : NULL;
}

static bool is_key_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '%';
}

/* Whether the key that ends before text[end] ends in word (or is word), case and percent-escapes aside: compared from
 * behind. */
static bool ends_in(gv_slice text, size_t end, const char *word, bool whole)
{
    for (size_t left = strlen(word); left > 0; left--) {
        if (end == 0)
            return false;
        char c = text.data[end - 1];
        size_t step = 1;
        if (end >= 3 && text.data[end - 3] == '%' && hex_value(text.data[end - 2]) >= 0 && hex_value(c) >= 0) {
            c = (char)(hex_value(text.data[end - 2]) * 16 + hex_value(c));
            step = 3;
        }
        if (lower(c) != word[left - 1])
            return false;
        end -= step;
    }
    return !whole || end == 0 || !is_key_char(text.data[end - 1]);
}

/* The place behind the next "password=" or the like. */
static size_t find_secret(gv_slice text, size_t from)
{
    static const struct {
        const char *word;
        bool whole;
    } keys[] = {{"password", false}, {"passwd", false}, {"passphrase", false}, {"pwd", false}, {"secret", false},
                {"token", false}, {"pass", true}, {"key", true}, {"authmechanismproperties", true}};
    for (size_t at = find(text, from, '='); at != NOWHERE; at = find(text, at + 1, '=')) {
        size_t end = at;
        while (end > from && text.data[end - 1] == ' ')
            end--;
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            if (ends_in(text, end, keys[i].word, keys[i].whole))
                return at + 1;
        }
    }
    return NOWHERE;
}

/* The values of a query end at '&'. */
static void add_query(gv_text *out, gv_slice text)
{
    size_t from = 0, secret;
    while ((secret = find_secret(text, from)) != NOWHERE) {
        gv_text_add(out, text.data + from, secret - from);
        gv_text_adds(out, "***");
        from = find(text, secret, '&');
        if (from == NOWHERE)
            return;
    }
    gv_text_add(out, text.data + from, text.length - from);
}

/* Text of unknown form that holds no '@': a secret value is taken to reach to the end. False: it was cut there. */
static bool add_words(gv_text *out, gv_slice text)
{
    size_t secret = find_secret(text, 0), scheme = find_authority(text);
    size_t colon = scheme == NOWHERE ? NOWHERE : find(text, scheme, ':');
    size_t end = colon == NOWHERE ? NOWHERE : colon + 1;        /* "redis://user:password" without its host */
    if (secret < end)
        end = secret;
    gv_text_add(out, text.data, end == NOWHERE ? text.length : end);
    if (end != NOWHERE)
        gv_text_adds(out, "***");
    return end == NOWHERE;
}

/* What may be shown in front of a password: words up to "://", unless they could be a user and the start of a
 * password. */
static size_t shown_length(gv_slice text, size_t at)
{
    size_t scheme = find_authority(cut(text, 0, at));
    if (scheme == NOWHERE)
        return 0;
    for (size_t i = find(text, 0, ':'); i < scheme - 3; i = find(text, i + 1, ':')) {
        if (text.data[i + 1] != ' ')
            return 0;
    }
    return scheme;
}

static void add_unknown(gv_text *out, gv_slice text)
{
    size_t at = find_last(text, '@');
    if (at != NOWHERE) {
        if (!add_words(out, cut(text, 0, shown_length(text, at))))
            return;
        gv_text_adds(out, "***");
        text = cut(text, at, text.length);
    }
    add_words(out, text);
}

/* An '@' behind the authority may be the end of a password with a '/' or '?' in it: "redis://user:12/34@host" reads
 * as a port. */
static bool is_ambiguous(gv_slice text, const parts *found)
{
    size_t at = find_last(text, '@');
    if (at == NOWHERE)
        return false;
    if (!found->authority.data)
        return true;
    size_t from = (size_t)(found->authority.data - text.data);
    return at >= from + found->authority.length && find(text, from, ':') < at;
}

void gv_url_redact(gv_text *out, const char *text)
{
    parts found;
    gv_slice all = gv_slice_of(text);
    if (all.length == 0)
        return;
    if (split(all, &found) || is_ambiguous(all, &found)) {
        add_unknown(out, all);
        return;
    }
    size_t from = 0;
    if (found.password.data) {
        gv_text_add(out, text, (size_t)(found.password.data - text));
        gv_text_adds(out, "***");
        from = (size_t)(found.password.data - text) + found.password.length;
    }
    size_t tail = found.authority.data ? (size_t)(found.authority.data - text) + found.authority.length : 0;
    gv_text_add(out, text + from, tail - from);
    add_query(out, cut(all, tail, all.length));
}
