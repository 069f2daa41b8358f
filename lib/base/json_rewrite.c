#include "json.h"

#include <stdint.h>

#include "json_scan.h"
#include "memory.h"
#include "utf8.h"

/* Copies in runs: what is the same in the result waits between from and at, and goes over in one piece. The result
 * gathers on the stack first: Turkish text has an escape every few bytes, too many for adding each to a gv_text. */
typedef struct rewriter {
    gv_text *out;
    const char *from, *at, *end;
    size_t used;
    char buffer[1024];
} rewriter;

static void begin(rewriter *r, gv_text *out, gv_slice value)
{
    value = gv_json_trim(value);
    const char *start = value.data ? value.data : "";
    r->out = out;
    r->from = r->at = start;
    r->end = start + value.length;
    r->used = 0;
}

static void spill(rewriter *r)
{
    gv_text_add(r->out, r->buffer, r->used);
    r->used = 0;
}

/* At least so many bytes, at most 1024, can be written at the result. */
static char *make_room(rewriter *r, size_t length)
{
    if (length > sizeof r->buffer - r->used)
        spill(r);
    return r->buffer + r->used;
}

static void flush(rewriter *r)
{
    size_t length = (size_t)(r->at - r->from);
    if (length > sizeof r->buffer) {
        spill(r);
        gv_text_add(r->out, r->from, length);
    } else if (length > 0) {
        memcpy(make_room(r, length), r->from, length);
        r->used += length;
    }
    r->from = r->at;
}

static void skip(rewriter *r, size_t count)
{
    r->at += count;
    r->from = r->at;
}

static void drop_white(rewriter *r)
{
    flush(r);
    r->at = r->from = gv_json_skip_white(r->at, r->end);
}

/* As Python writes this UTF-16 unit inside a string. */
static size_t print_unit(uint32_t unit, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    char letter = unit < 0x7f ? gv_json_letter(unit) : 0;
    if (letter) {
        out[0] = '\\';
        out[1] = letter;
        return 2;
    }
    if (unit >= 0x20 && unit < 0x7f) {
        out[0] = (char)unit;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        out[2 + i] = hex[unit >> (12 - 4 * i) & 15];
    return 6;
}

static void rewrite_code(rewriter *r)
{
    uint32_t code;
    size_t bytes = gv_utf8_decode(r->at, (size_t)(r->end - r->at), &code);
    if (bytes == 0) {
        bytes = 1;
        code = 0xfffd;
    }
    flush(r);
    char *text = make_room(r, 12);
    if (code < 0x10000) {
        r->used += print_unit(code, text);
    } else {
        print_unit(0xd7c0 + (code >> 10), text);
        print_unit(0xdc00 | (code & 0x3ff), text + 6);
        r->used += 12;
    }
    skip(r, bytes);
}

static void rewrite_escape(rewriter *r)
{
    char text[6];
    uint32_t unit;
    if (r->end - r->at < 2) {
        r->at = r->end;
        return;
    }
    if (r->at[1] == '/') {
        flush(r);
        skip(r, 1);     /* the slash itself begins the next run */
        r->at++;
        return;
    }
    if (!gv_json_unit(r->at, r->end, &unit)) {
        r->at += 2;
        return;
    }
    size_t length = print_unit(unit, text);
    if (length == 6 && memcmp(text, r->at, 6) == 0) {
        r->at += 6;
        return;
    }
    flush(r);
    memcpy(make_room(r, length), text, length);
    r->used += length;
    skip(r, 6);
}

static void rewrite_string(rewriter *r)
{
    r->at++;
    while (r->at < r->end) {
        r->at = gv_json_plain(r->at, r->end);
        if (r->at == r->end)
            return;
        if (*r->at == '"') {
            r->at++;
            return;
        }
        if (*r->at == '\\')
            rewrite_escape(r);
        else
            rewrite_code(r);
    }
}

/* Behind a comma or a colon: one space, whatever was there. */
static void put_space(rewriter *r)
{
    const char *at = r->at, *end = r->end;
    if (end - at >= 2 && at[0] == ' ' && !gv_json_is_white(at[1])) {
        r->at++;
        return;
    }
    drop_white(r);
    *make_room(r, 1) = ' ';
    r->used++;
}

void gv_json_to_ascii(gv_text *out, gv_slice value)
{
    rewriter r;
    begin(&r, out, value);
    while (r.at < r.end) {
        char c = *r.at;
        if (c == '"') {
            rewrite_string(&r);
        } else if (gv_json_is_white(c)) {
            drop_white(&r);
        } else {
            r.at++;
            if (c == ',' || c == ':')
                put_space(&r);
        }
    }
    flush(&r);
    spill(&r);
}

void gv_json_to_compact(gv_text *out, gv_slice value)
{
    rewriter r;
    begin(&r, out, value);
    while (r.at < r.end) {
        if (*r.at == '"')
            r.at = gv_json_skip_string(r.at, r.end);
        else if (gv_json_is_white(*r.at))
            drop_white(&r);
        else
            r.at++;
    }
    flush(&r);
    spill(&r);
}

typedef struct member {
    gv_slice key, value;
    uint64_t hash;
    struct member *next;        /* of the same chain */
} member;

typedef struct members {
    member *list, **chains;
    size_t count, mask;
} members;

/* Of the key as it reads, so that "a" and "\u0061" are one. */
static uint64_t hash_key(gv_slice key)
{
    const char *at = key.data + 1, *end = key.data + key.length;
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
    uint32_t code;
    while (gv_json_next_code(&at, end, &code)) {
        hash = (hash ^ code) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool same_key(gv_slice a, gv_slice b)
{
    if (a.length == b.length && memcmp(a.data, b.data, a.length) == 0)
        return true;
    const char *at = a.data + 1, *other = b.data + 1;
    uint32_t code, code2;
    for (;;) {
        bool more = gv_json_next_code(&at, a.data + a.length, &code);
        if (more != gv_json_next_code(&other, b.data + b.length, &code2))
            return false;
        if (!more)
            return true;
        if (code != code2)
            return false;
    }
}

static size_t count_members(gv_slice object)
{
    gv_slice key, value;
    size_t count = 0;
    gv_json_walk walk = gv_json_enter(object);
    while (walk.object && gv_json_next(&walk, &key, &value))
        count++;
    return count;
}

/* Room for so many members and twice as many chains, in one block that begins with the list. */
static bool make_members(members *all, size_t most)
{
    size_t chains = 8, list_size, chains_size, size;
    while (chains < most && chains <= SIZE_MAX / 4)
        chains *= 2;
    if (!gv_multiply_size(most, sizeof(member), &list_size) ||
        !gv_multiply_size(chains, sizeof(member *), &chains_size) || !gv_add_size(list_size, chains_size, &size))
        return false;
    all->list = gv_alloc_zero(size);
    if (!all->list)
        return false;
    all->chains = (member **)(void *)(all->list + most);
    all->count = 0;
    all->mask = chains - 1;
    return true;
}

static void set_member(members *all, gv_slice key, gv_slice value)
{
    uint64_t hash = hash_key(key);
    member **chain = &all->chains[hash & all->mask];
    for (member *m = *chain; m; m = m->next) {
        if (m->hash == hash && same_key(m->key, key)) {
            m->value = value;
            return;
        }
    }
    member *added = &all->list[all->count++];
    *added = (member){key, value, hash, *chain};
    *chain = added;
}

static void set_members(members *all, gv_slice object)
{
    gv_slice key, value;
    gv_json_walk walk = gv_json_enter(object);
    while (walk.object && gv_json_next(&walk, &key, &value))
        set_member(all, key, value);
}

void gv_json_merge(gv_text *out, gv_slice base, gv_slice over)
{
    members all;
    size_t most;
    if (out->failed)
        return;
    if (!gv_add_size(count_members(base), count_members(over), &most) || !make_members(&all, most)) {
        out->failed = true;
        return;
    }
    set_members(&all, base);
    set_members(&all, over);
    gv_text_addc(out, '{');
    for (size_t i = 0; i < all.count; i++) {
        if (i > 0)
            gv_text_add(out, ", ", 2);
        gv_json_to_ascii(out, all.list[i].key);
        gv_text_add(out, ": ", 2);
        gv_json_to_ascii(out, all.list[i].value);
    }
    gv_text_addc(out, '}');
    gv_free(all.list);
}
