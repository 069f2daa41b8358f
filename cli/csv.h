/* csv.h: records out of CSV (RFC 4180), as JSON objects: the first line names the fields. In bounded memory. */
#ifndef CTL_CSV_H
#define CTL_CSV_H
#include "lines.h"

typedef struct ctl_csv {
    ctl_lines *lines;
    ctl_buffer names; /* the fields' names, each ended by NUL */
    size_t columns;
    ctl_buffer record, cell, json;
    uint64_t number; /* of the line that the record at hand begins on */
} ctl_csv;

/* lines stand at the header, and are read by nobody else from here on. CTL_LINE, or what came instead of a header. */
ctl_line ctl_csv_start(ctl_csv *csv, ctl_lines *lines);
void ctl_csv_free(ctl_csv *csv);

/* The next record; *json is valid until the next call. *why: it is none, and json NULL. An empty cell is a field that is not given; the
 * others are what their fields are: numbers, true or false, JSON, else texts. LONG: it was longer than a line may be. */
ctl_line ctl_csv_next(ctl_csv *csv, const char **json, size_t *length, const char **why);
#endif
