/* logs.c: a user's text log, read forward: a header line and the lines without one that follow it are one event of the type "log". The
 * identity of a record is its header line, so that lines which a running program adds behind it do not make it another one. */
#include "../base/files.h"
#include "../base/json.h"
#include "../events/textlog/textlog.h"
#include "reading.h"
#include <errno.h>
#include <fcntl.h>

#define BLOCK 65536
#define HEADER GV_TEXT_SCAN_HEADER

typedef struct log {
    gv_reading *reading;
    gv_source *source;
    uint64_t line;              /* that is being read */
    char start[HEADER + 1];     /* its first bytes, and its line end where that is among them */
    size_t start_length;
    bool headed;                /* start was looked at */

    bool open;                  /* a record is being gathered */
    uint64_t record_line;
    char time[19], level[HEADER];
    size_t level_length;
    gv_text text;               /* as it came, without the last line end */
    size_t first_line;          /* of text: where its first line ends; SIZE_MAX: not yet */
    bool too_long, carriage;
} log_file;

/* "\r\n" becomes "\n", in place; one at the very end was cut from its "\n" already. */
static void unify_ends(log_file *log)
{
    gv_text *text = &log->text;
    size_t to = 0;
    if (!text->length || !memchr(text->data, '\r', text->length))
        return;
    for (size_t from = 0; from < text->length; from++)
        if (text->data[from] != '\r' || (from + 1 < text->length && text->data[from + 1] != '\n'))
            text->data[to++] = text->data[from];
    log->carriage = to < text->length;
    text->data[text->length = to] = '\0';
}

static bool end_record(log_file *log)
{
    gv_reading *r = log->reading;
    gavat_time time;
    bool converted;
    if (!log->open)
        return true;
    log->open = false;
    gv_slice when = {log->time, sizeof log->time};
    if (log->too_long)
        return gv_found_reject(r, log->source, log->record_line, "longer than %zu bytes (GAVAT_MAX_RECORD)", r->most_record);
    if (log->text.failed) {
        r->failed = -ENOMEM;
        return false;
    }
    if (!gv_reading_time(r, log->source, when, &time))
        return gv_found_reject(r, log->source, log->record_line, "there is no such time: %.19s", log->time);
    unify_ends(log);
    if (log->text.length && memchr(log->text.data, '\0', log->text.length))
        return gv_found_reject(r, log->source, log->record_line, "it holds a NUL byte");
    size_t first = log->first_line < log->text.length ? log->first_line : log->text.length;
    gv_text_clear(&r->scratch);
    gv_text_addf(&r->scratch, "%.19s%c%.*s%c", log->time, 0, (int)log->level_length, log->level, 0);
    gv_text_add(&r->scratch, gv_text_get(&log->text), first);
    const char *wrong = gv_text_to_utf8(&log->text, &converted);
    if (wrong && *wrong)
        return gv_found_reject(r, log->source, log->record_line, "%s", wrong);
    if (wrong || r->scratch.failed) {
        r->failed = -ENOMEM;
        return false;
    }
    if (converted)
        gv_reading_odd(log->source, GV_ODD_LATIN5);
    if (log->carriage)
        gv_reading_odd(log->source, GV_ODD_CARRIAGE);
    gv_found_begin(r);
    gv_found_text(r, "user_id", gv_slice_of(log->source->stream));
    gv_found_text(r, "event_type", gv_slice_of("log"));
    gv_found_text(r, "level", (gv_slice){log->level, log->level_length});
    gv_found_text(r, "message", (gv_slice){gv_text_get(&log->text), log->text.length});
    gv_found_time(r, "timestamp", time);
    return gv_found_end(r, log->source, log->record_line, "event", time, (gv_slice){r->scratch.data, r->scratch.length});
}

static void begin_record(log_file *log, const gv_text_entry *entry)
{
    log->open = true;
    log->record_line = log->line;
    memcpy(log->time, entry->time.data, sizeof log->time);
    memcpy(log->level, entry->level.data, entry->level.length);
    log->level_length = entry->level.length;
    log->first_line = SIZE_MAX;
    log->too_long = log->carriage = false;
    gv_text_clear(&log->text);
    log->text.failed = false;
}

static void add_text(log_file *log, const char *data, size_t length)
{
    if (log->too_long || !log->open)
        return;
    if (length > log->reading->most_record || log->text.length > log->reading->most_record - length)
        log->too_long = true;
    else
        gv_text_add(&log->text, data, length);
}

/* The beginning of a line is there, or the whole of it. False: stop. */
static bool head(log_file *log, bool whole)
{
    gv_text_entry entry;
    size_t skip = log->line == 1 && log->start_length >= 3 && memcmp(log->start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, length;
    gv_slice line = {log->start + skip, log->start_length - skip};
    log->headed = true;
    log->start[log->start_length] = '\n';
    if (skip)
        gv_reading_odd(log->source, GV_ODD_MARK);
    if (gv_text_log_header((gv_slice){line.data, line.length + whole}, &entry, &length)) {
        if (!end_record(log))
            return false;
        begin_record(log, &entry);
        add_text(log, line.data + length, line.length - length);
        return true;
    }
    if (log->open) {
        if (log->first_line == SIZE_MAX)
            log->first_line = log->text.length;
        gv_reading_odd(log->source, GV_ODD_CONTINUED);
        add_text(log, "\n", 1);
        add_text(log, line.data, line.length);
        return true;
    }
    bool blank = whole && (line.length == 0 || (line.length == 1 && line.data[0] == '\r'));
    return blank || gv_found_reject(log->reading, log->source, log->line, "no header stands before it");
}

/* Bytes of a line; ends: its line end follows. False: stop. */
static bool feed(log_file *log, const char *data, size_t length, bool ends)
{
    if (!log->headed) {
        size_t part = HEADER - log->start_length;
        part = part < length ? part : length;
        memcpy(log->start + log->start_length, data, part);
        log->start_length += part;
        data += part;
        length -= part;
        if (!ends && log->start_length < HEADER)
            return true;
        if (!head(log, ends && !length))
            return false;
    }
    add_text(log, data, length);
    if (ends) {
        log->line++;
        log->start_length = 0;
        log->headed = false;
    }
    return true;
}

/* A last line without its end that is the beginning of a header. */
static bool is_cut_header(const char *line, size_t length)
{
    static const char form[] = "[0000-00-00T00:00:00] [";
    if (length == 0 || length >= sizeof form - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
            return false;
    return true;
}

static bool read_all(log_file *log, int fd)
{
    char *block = gv_alloc(BLOCK);
    size_t length = 1;
    bool go_on = block != NULL;
    if (!block)
        log->reading->failed = -ENOMEM;
    while (go_on && length) {
        int status = gv_file_read(fd, block, BLOCK, &length);
        if (status < 0) {
            go_on = gv_found_reject(log->reading, log->source, log->line, "the file cannot be read further (%s)", gv_errno_name(-status));
            break;
        }
        const char *at = block, *end = block + length, *newline;
        while (go_on && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
            go_on = feed(log, at, (size_t)(newline - at), true);
            at = newline + 1;
        }
        if (go_on)
            go_on = feed(log, at, (size_t)(end - at), false);
    }
    gv_free(block);
    if (go_on && !log->headed && is_cut_header(log->start, log->start_length))
        go_on = end_record(log) && gv_found_reject(log->reading, log->source, log->line, "cut inside its header");
    else if (go_on && (log->headed || log->start_length))
        go_on = feed(log, "", 0, true);
    return go_on && end_record(log);
}

bool gv_read_log(gv_reading *reading, gv_source *source)
{
    log_file log = {.reading = reading, .source = source, .line = 1};
    const char *path = gv_reading_path(reading, source);
    int fd;
    if (!path)
        return false;
    int status = gv_file_open(path, O_RDONLY, 0, &fd);
    if (status < 0)
        return gv_found_reject(reading, source, 0, "the file cannot be read (%s)", gv_errno_name(-status));
    bool go_on = read_all(&log, fd);
    if (!source->records && !source->rejected)
        gv_reading_odd(source, GV_ODD_EMPTY);
    gv_file_close(fd);
    gv_text_free(&log.text);
    return go_on;
}
