/* output.h: records to stdout or a file, as a table, JSON or CSV, out of the JSON text that the library gives for
 * each. Numbers keep the digits they came with. */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H
#include "json.h"
#include "options.h"
#include "table.h"
#include <stdio.h>

typedef struct ctl_output {
    FILE *file;
    ctl_format format;
    bool single; /* one record: JSON is an object, not an array */
    bool failed;
    uint64_t count, skipped;
    char *names; /* the columns' names, each ended by NUL */
    const char *columns[CTL_MOST_COLUMNS];
    size_t column_count;
    ctl_table table;
    ctl_buffer line;
} ctl_output;

/* columns: "id,uid,…" for CSV; shown: those of the table, NULL the same. file NULL: stdout in the format of call. */
void ctl_output_begin(ctl_output *out, const ctl_call *call, const char *columns, const char *shown);
void ctl_output_file(ctl_output *out, FILE *file, ctl_format format, const char *columns);
void ctl_output_record(ctl_output *out, const char *json, size_t length);
bool ctl_output_page(ctl_output *out); /* what there is goes out now; false: nothing more can be written */
int ctl_output_end(ctl_output *out);   /* the exit code: 4 where records were skipped */
void ctl_output_drop(ctl_output *out); /* ends it without a word: nothing was found out */

/* All records of an op; those that its store could not read are told on stderr. One made here. */
void ctl_output_op(ctl_output *out, const gavat_op *op);
int ctl_output_one(const ctl_call *call, const char *columns, const char *json);

/* One answer: bare, or where -o asks for a record in its column, json there. */
int ctl_output_bare(const ctl_call *call, const char *column, const char *text, const char *json);

/* Of a write: its record, printed only where -o asks for one; its uid, bare unless -o asks for a record. */
int ctl_output_result(const ctl_call *call, const char *columns, const char *json);
int ctl_output_uid(const ctl_call *call, const char *uid);

/* A bare text to stdout; a line of data, on a terminal with its control bytes escaped. */
void ctl_print(const char *data, size_t length);
void ctl_print_line(const char *data, size_t length);

/* Write out what is pending: code, or 1 after an error was told. A reader that went away is no error. */
int ctl_finish_stdout(int code);
#endif
