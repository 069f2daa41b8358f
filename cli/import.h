/* import.h: records of a kind into their store: in batches of which a few are under way, what is refused into a file,
 * the rest counted. */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H
#include "lines.h"
#include "options.h"

typedef struct ctl_import ctl_import;
typedef struct ctl_import_kind {
    const char *name; /* "event", as gavat_batch_add_json takes it */
    const char *noun; /* "events" */
    /* Gives the records of a source that is no JSON lines; true: this was one. NULL: there is no such source. */
    bool (*read)(ctl_import *import, const char *path);
    size_t argument; /* which one names the source: 0 the first */
} ctl_import_kind;

/* The whole command. */
int ctl_import_run(const ctl_call *call, const ctl_import_kind *kind);

/* For read: the next record, or the next that cannot be one; false: stop. at of whole: for the bar. */
bool ctl_import_add(ctl_import *import, const char *json, size_t length);
bool ctl_import_refuse(ctl_import *import, const char *reason);
void ctl_import_show(ctl_import *import, uint64_t at, uint64_t whole);
void ctl_import_number(ctl_import *import, uint64_t line); /* of the next record, where lines count */
ctl_lines *ctl_import_lines(ctl_import *import);            /* of the source, for a read of another form */
const ctl_call *ctl_import_call(const ctl_import *import);
void ctl_import_fail(ctl_import *import, int code); /* the source broke off, and that was told */
#endif
