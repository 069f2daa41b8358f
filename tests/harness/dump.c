#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dump.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSERT "\nINSERT INTO public."

static char *read_file(const char *path)
{
    size_t length = 0, room = 0, got;
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be opened", path);
    do {
        room += 1 << 16;
        text = realloc(text, room + 1);
        assert_non_null(text);
        got = fread(text + length, 1, room - length, file);
        length += got;
    } while (got > 0);
    fclose(file);
    text[length] = '\0';
    return text;
}

/* From behind the opening quote; the text is unquoted where it lies. Gives where the value ends. */
static char *read_quoted(char *at)
{
    char *out = at;
    for (;; at++) {
        if (*at == '\'' && at[1] == '\'')
            at++;
        else if (*at == '\'')
            break;
        assert_true(*at);
        *out++ = *at;
    }
    *out = '\0';                /* at the closing quote, or before it */
    return at + 1;
}

/* One value; *at moves to the comma or bracket behind it, and *mark is that, for the text may be ended by a NUL put
 * there. */
static char *read_value(char **at, char *mark)
{
    char *value = *at, *end;
    if (*value == '\'') {
        end = read_quoted(++value);
        *mark = *end;
    } else {
        end = value + strcspn(value, ",)");
        *mark = *end;
        *end = '\0';
        if (strcmp(value, "NULL") == 0)
            value = NULL;
    }
    *at = end + 1;
    return value;
}

/* From behind the opening bracket to behind the closing one. */
static char *read_row(dump *all, const char *table, char *at)
{
    char mark = ',';
    all->rows = realloc(all->rows, (all->count + 1) * sizeof *all->rows);
    assert_non_null(all->rows);
    dump_row *row = &all->rows[all->count++];
    memset(row, 0, sizeof *row);
    snprintf(row->table, sizeof row->table, "%s", table);
    while (mark == ',') {
        assert_true(row->count < DUMP_COLUMNS);
        row->values[row->count++] = read_value(&at, &mark);
        at += mark == ',' && *at == ' ';
    }
    assert_int_equal(mark, ')');
    return at;
}

dump *dump_read(const char *path)
{
    dump *all = calloc(1, sizeof *all);
    assert_non_null(all);
    all->text = read_file(path);
    char *at = all->text;
    while ((at = strstr(at, INSERT))) {
        char table[40];
        at += strlen(INSERT);
        size_t length = strcspn(at, " ");
        assert_true(length < sizeof table);
        memcpy(table, at, length);
        table[length] = '\0';
        at = strchr(at, '(');
        while (at && *at == '(') {
            at = read_row(all, table, at + 1);
            at += *at == ',' ? 3 : 0;   /* comma, newline, tab */
        }
    }
    return all;
}

void dump_free(dump *all)
{
    free(all->text);
    free(all->rows);
    free(all);
}

const dump_row *dump_find(const dump *all, const char *table, int64_t id)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->rows[i].table, table) == 0 && strtoll(all->rows[i].values[0], NULL, 10) == id)
            return &all->rows[i];
    return NULL;
}

size_t dump_count(const dump *all, const char *table)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += strcmp(all->rows[i].table, table) == 0;
    return count;
}
