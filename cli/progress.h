/* progress.h: how far long work is: a bar with rate and time left on a terminal, a line every five seconds
 * elsewhere, nothing with -q; on stderr. One thread at a time. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H
#include "options.h"

typedef struct ctl_progress {
    const ctl_call *call;
    const char *doing; /* "imported" */
    const char *noun;  /* "events": a plural in s */
    bool terminal, drawn;
    int64_t began, shown; /* ticks */
} ctl_progress;

void ctl_progress_start(ctl_progress *progress, const ctl_call *call, const char *doing, const char *noun);

/* done records; at of whole (bytes or records) tells how much is left; whole 0: not known. */
void ctl_progress_show(ctl_progress *progress, uint64_t done, uint64_t at, uint64_t whole);
void ctl_progress_clear(ctl_progress *progress); /* takes the bar away: before any other line on stderr */

/* "imported 12 events in 1.5 s, 8 a second", then more (may be ""). Silent with -q. */
void ctl_progress_end(ctl_progress *progress, uint64_t done, const char *more);
#endif
