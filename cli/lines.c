#include "lines.h"
#include "stop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ((size_t)64 << 10)
#define LONG_SHOWN 200

bool ctl_lines_open(ctl_lines *lines, const char *path)
{
    struct stat info;
    *lines = (ctl_lines){.file = STDIN_FILENO};
    if (strcmp(path, "-") != 0)
        lines->file = open(path, O_RDONLY | O_CLOEXEC);
    if (lines->file < 0)
        return false;
    if (fstat(lines->file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        lines->size = (uint64_t)info.st_size;
    lines->part = ctl_alloc(PART);
    return true;
}

void ctl_lines_close(ctl_lines *lines)
{
    if (lines->file > STDERR_FILENO)
        close(lines->file);
    free(lines->part);
    ctl_free(&lines->line);
}

/* 1: there is more, 0: the end, -1: a fault. */
static int refill(ctl_lines *lines)
{
    ssize_t length = ctl_read(lines->file, lines->part, PART);
    if (length < 0)
        return -1;
    lines->from = 0;
    lines->to = (size_t)length;
    if (!lines->bytes && length >= 3 && memcmp(lines->part, "\xEF\xBB\xBF", 3) == 0)
        lines->from = 3;
    lines->bytes += (uint64_t)length;
    return length > 0;
}

static ctl_line give(ctl_lines *lines, const char *data, size_t size, bool over, const char **text, size_t *length)
{
    lines->number++;
    if (over && size > LONG_SHOWN)
        size = LONG_SHOWN;
    if (!over && !lines->raw && size && data[size - 1] == '\r')
        size--;
    *text = size ? data : "";
    *length = size;
    return over ? CTL_LINE_LONG : CTL_LINE;
}

ctl_line ctl_lines_next(ctl_lines *lines, const char **text, size_t *length)
{
    bool over = false, any = false;
    ctl_clear(&lines->line);
    for (;;) {
        if (lines->from == lines->to) {
            int more = refill(lines);
            if (more < 0)
                return CTL_LINE_FAULT;
            if (!more)
                return any ? give(lines, lines->line.data, lines->line.length, over, text, length) : CTL_LINE_END;
            continue;
        }
        const char *at = lines->part + lines->from;
        const char *end = memchr(at, '\n', lines->to - lines->from);
        size_t size = end ? (size_t)(end - at) : lines->to - lines->from;
        lines->from += size + (end ? 1 : 0);
        if (end && !any)
            return give(lines, at, size, false, text, length);
        any = true;
        over = over || lines->line.length + size > CTL_MOST_LINE;
        if (!over)
            ctl_add(&lines->line, at, size);
        if (end)
            return give(lines, lines->line.data, lines->line.length, over, text, length);
    }
}
