/* make_fold_table: prints lib/base/fold_table.c from utf8proc's data, the same bytes for the same utf8proc. The rule
 * for one code point: casefold in full (ß to ss), decompose canonically, drop marks (Mn and Me), dotless ı to i; where
 * no mark went away the decomposition is undone, so Hangul syllables stay whole. This is repeated until nothing
 * changes. Fails when the result is not stable or grows past GV_FOLD_GROWTH. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "../../lib/base/fold.h"
#include "../../lib/base/fold_table.h"

enum { CODES = 0x110000, MOST_BLOCKS = 256, MOST_BYTES = 65536, MOST_CODES = 16 };

typedef struct folded {
    int32_t codes[MOST_CODES];
    size_t count;
} folded;

typedef struct table {
    uint8_t blocks[CODES >> GV_FOLD_SHIFT];
    uint16_t places[MOST_BLOCKS][GV_FOLD_BLOCK];
    uint8_t bytes[MOST_BYTES];
    size_t block_count, byte_count;
    uint32_t limit, version;
} table;

static void stop(const char *why, uint32_t code)
{
    fprintf(stderr, "make_fold_table: U+%04X: %s\n", (unsigned)code, why);
    exit(1);
}

static bool is_mark(int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

static size_t decompose(int32_t code, int options, int32_t out[MOST_CODES])
{
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(code, out, MOST_CODES, (utf8proc_option_t)options, &boundary);
    if (count < 0 || count > MOST_CODES)
        stop("it decomposes too far", (uint32_t)code);
    return (size_t)count;
}

static void append(folded *to, int32_t code)
{
    if (to->count == MOST_CODES)
        stop("it folds to too many", (uint32_t)code);
    to->codes[to->count++] = code == 0x131 ? 'i' : code;
}

static void fold_once(int32_t code, folded *to)
{
    int32_t cased[MOST_CODES], parts[MOST_CODES];
    size_t count = decompose(code, UTF8PROC_CASEFOLD, cased);
    for (size_t i = 0; i < count; i++) {
        size_t part_count = decompose(cased[i], UTF8PROC_DECOMPOSE, parts), kept = 0;
        for (size_t j = 0; j < part_count; j++) {
            if (!is_mark(parts[j]))
                parts[kept++] = parts[j];
        }
        if (kept == part_count) {
            append(to, cased[i]);
            continue;
        }
        for (size_t j = 0; j < kept; j++)
            append(to, parts[j]);
    }
}

static folded fold_code(uint32_t code)
{
    folded now = {{(int32_t)code}, 1};
    for (int round = 0; round < 8; round++) {
        folded next = {{0}, 0};
        for (size_t i = 0; i < now.count; i++)
            fold_once(now.codes[i], &next);
        if (next.count == now.count && memcmp(next.codes, now.codes, now.count * sizeof now.codes[0]) == 0)
            return now;
        now = next;
    }
    stop("it does not come to rest", code);
    return now;
}

static size_t print_utf8(const folded *from, uint8_t *out)
{
    size_t length = 0;
    for (size_t i = 0; i < from->count; i++)
        length += (size_t)utf8proc_encode_char(from->codes[i], out + length);
    return length;
}

/* Where the sequence lies; the same one is stored once. */
static uint16_t store(table *t, uint32_t code, const uint8_t *utf8, size_t length)
{
    for (size_t at = 1; at < t->byte_count; at += 1u + t->bytes[at]) {
        if (t->bytes[at] == length && memcmp(t->bytes + at + 1, utf8, length) == 0)
            return (uint16_t)at;
    }
    size_t at = t->byte_count;
    if (at + 1 + length > MOST_BYTES)
        stop("the sequences are too many", code);
    t->bytes[at] = (uint8_t)length;
    memcpy(t->bytes + at + 1, utf8, length);
    t->byte_count += 1 + length;
    return (uint16_t)at;
}

static void mix(table *t, uint32_t value)
{
    t->version = (t->version ^ value) * 16777619u;
}

static uint16_t place_of(table *t, uint32_t code)
{
    uint8_t own[4], utf8[4 * MOST_CODES];
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    folded result = fold_code(code);
    size_t own_length = (size_t)utf8proc_encode_char((int32_t)code, own), length = print_utf8(&result, utf8);
    if (length > own_length * GV_FOLD_GROWTH)
        stop("it grows past GV_FOLD_GROWTH", code);
    if (length == own_length && memcmp(own, utf8, length) == 0)
        return 0;
    t->limit = ((code >> GV_FOLD_SHIFT) + 1) << GV_FOLD_SHIFT;
    mix(t, code);
    mix(t, (uint32_t)length);
    for (size_t i = 0; i < length; i++)
        mix(t, utf8[i]);
    return store(t, code, utf8, length);
}

static void fill(table *t)
{
    t->byte_count = 1;
    t->version = 2166136261u;
    for (uint32_t block = 0; block < CODES >> GV_FOLD_SHIFT; block++) {
        uint16_t places[GV_FOLD_BLOCK];
        for (uint32_t i = 0; i < GV_FOLD_BLOCK; i++)
            places[i] = place_of(t, (block << GV_FOLD_SHIFT) + i);
        size_t same = 0;
        while (same < t->block_count && memcmp(t->places[same], places, sizeof places) != 0)
            same++;
        if (same == t->block_count) {
            if (same == MOST_BLOCKS)
                stop("the blocks are too many", block << GV_FOLD_SHIFT);
            memcpy(t->places[t->block_count++], places, sizeof places);
        }
        t->blocks[block] = (uint8_t)same;
    }
}

/* One number and its comma; a new line where it would pass the margin. */
static void print_number(unsigned value, size_t *column)
{
    char text[16];
    size_t length = (size_t)snprintf(text, sizeof text, "%u,", value);
    if (*column + length > 112) {
        fputs("\n    ", stdout);
        *column = 0;
    }
    fputs(text, stdout);
    *column += length;
}

static void print_bytes(const char *name, const uint8_t *bytes, size_t count)
{
    size_t column = 0;
    printf("\nconst uint8_t %s[] = {\n    ", name);
    for (size_t i = 0; i < count; i++)
        print_number(bytes[i], &column);
    puts("\n};");
}

static void print_table(const table *t)
{
    printf("/* Generated by tests/fold/make_fold_table.c from utf8proc %s, Unicode %s: a change here is lost.\n"
           " * gv_fold_version %u: a sum over all foldings, so that it changes when one of them does. */\n",
           utf8proc_version(), utf8proc_unicode_version(), t->version & 0x7fffffffu);
    puts("#include \"fold_table.h\"\n\n#include \"fold.h\"\n");
    printf("const unsigned gv_fold_version = %u;\n", t->version & 0x7fffffffu);
    printf("const uint32_t gv_fold_limit = 0x%x;\n", (unsigned)t->limit);
    print_bytes("gv_fold_blocks", t->blocks, t->limit >> GV_FOLD_SHIFT);
    print_bytes("gv_fold_bytes", t->bytes, t->byte_count);
    puts("\nconst uint16_t gv_fold_places[][GV_FOLD_BLOCK] = {");
    for (size_t block = 0; block < t->block_count; block++) {
        size_t column = 0;
        fputs("    {", stdout);
        for (size_t i = 0; i < GV_FOLD_BLOCK; i++)
            print_number(t->places[block][i], &column);
        puts("},");
    }
    puts("};");
}

int main(void)
{
    static table t;
    fill(&t);
    print_table(&t);
    return fflush(stdout) == 0 ? 0 : 1;
}
