/* lines.h: the lines of a file or of stdin, one at a time, in bounded memory. */
#ifndef CTL_LINES_H
#define CTL_LINES_H
#include "buffer.h"

#define CTL_MOST_LINE ((size_t)4 << 20)

typedef struct ctl_lines {
    int file;
    char *part; /* what was read and not yet given out: from .. to */
    size_t from, to;
    ctl_buffer line; /* a line that came in several parts */
    uint64_t number; /* of the line given last, from 1 */
    uint64_t bytes;  /* taken so far */
    uint64_t size;   /* of the file; 0: not known */
    bool raw;        /* a CR before the end of a line belongs to it */
} ctl_lines;

/* path "-": stdin. False: errno says why. */
bool ctl_lines_open(ctl_lines *lines, const char *path);
void ctl_lines_close(ctl_lines *lines);

typedef enum ctl_line { CTL_LINE, CTL_LINE_LONG, CTL_LINE_END, CTL_LINE_FAULT } ctl_line;

/* The next line without its end, valid until the next call. LONG: it has more than CTL_MOST_LINE bytes and was
 * skipped; text is its beginning. FAULT: reading failed (errno), or the person stopped it (EINTR). A BOM at the very
 * start is skipped. */
ctl_line ctl_lines_next(ctl_lines *lines, const char **text, size_t *length);
#endif
