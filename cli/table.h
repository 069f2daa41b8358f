/* table.h: rows of cells that line up. Rows gather until they are printed; widths found so far are kept for the next
 * page. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H
#include "buffer.h"
#include <stdio.h>

#define CTL_MOST_COLUMNS 24
typedef struct ctl_table {
    size_t columns;
    size_t widths[CTL_MOST_COLUMNS];
    bool left[CTL_MOST_COLUMNS];  /* a cell that is no number stood there */
    bool loose[CTL_MOST_COLUMNS]; /* one that is neither number nor time: only these are cut while they can be */
    bool headed;
    bool colour;
    size_t screen;    /* cells a line may have; 0: any number */
    ctl_buffer cells; /* each ended by NUL: they hold no control bytes */
    size_t rows;
} ctl_table;

void ctl_table_begin(ctl_table *table, size_t columns, bool colour, size_t screen);
void ctl_table_cell(ctl_table *table, const char *shown, size_t length, bool number);
void ctl_table_print(ctl_table *table, const char *const *names, FILE *file);
void ctl_table_free(ctl_table *table);
#endif
