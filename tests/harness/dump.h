/* dump.h: the INSERT lines of a PostgreSQL dump as rows of texts. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_DUMP_H
#define GAVATCORE_TEST_DUMP_H
#include <stddef.h>
#include <stdint.h>

#define DUMP_COLUMNS 20

typedef struct dump_row {
    char table[40];
    size_t count;
    char *values[DUMP_COLUMNS];         /* the first is the id; NULL: SQL NULL */
} dump_row;

typedef struct dump {
    char *text;                         /* the values lie in it */
    size_t count;
    dump_row *rows;
} dump;

dump *dump_read(const char *path);      /* fails the case when the file is not as expected */
void dump_free(dump *all);
const dump_row *dump_find(const dump *all, const char *table, int64_t id);      /* NULL: not there */
size_t dump_count(const dump *all, const char *table);
#endif
