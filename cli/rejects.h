/* rejects.h: the file of records that could not be stored: one JSON object a line, {line, reason, record}. It is
 * made with the first record; a file of that name from an earlier run is replaced then. */
#ifndef CTL_REJECTS_H
#define CTL_REJECTS_H
#include "buffer.h"
#include <stdio.h>

typedef struct ctl_rejects {
    char *path;
    FILE *file; /* NULL until there is a record */
    uint64_t count;
    int fault; /* errno of the first failed write; 0: none */
    ctl_buffer line;
} ctl_rejects;

/* given: the file, NULL: SOURCE.rejects.jsonl, for "-" import.rejects.jsonl. */
void ctl_rejects_start(ctl_rejects *rejects, const char *given, const char *source);

/* record: the line as it came; it stands in the file as JSON when it is, else as a string. NULL: it was too long to
 * keep. */
void ctl_rejects_add(ctl_rejects *rejects, uint64_t line, const char *reason, const char *record, size_t length);

/* False when the file could not be written: the error was told. */
bool ctl_rejects_end(ctl_rejects *rejects);
#endif
