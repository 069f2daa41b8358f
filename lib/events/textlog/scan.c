/* scan.c: one file of the text log, read backwards in blocks. Only what an entry begins with is looked at; its message
 * is fetched when somebody asks for it, so that a line of many megabytes costs no memory. */
#include "textlog.h"

#include "../../base/files.h"
#include "../../base/utf8.h"

#include <errno.h>
#include <unistd.h>

#define TIME_LENGTH 19
#define MARK "\xef\xbb\xbf"     /* a byte order mark */
#define PIECE 16384

/* Exactly so many bytes; -ESTALE: the file has become shorter. */
static int read_at(int fd, int64_t at, char *data, size_t length)
{
    if (lseek(fd, (off_t)at, SEEK_SET) < 0)
        return -errno;
    while (length > 0) {
        ssize_t count = gv_file_hook.read(fd, data, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -ESTALE;
        data += count;
        length -= (size_t)count;
    }
    return 0;
}

/* "YYYY-MM-DDTHH:MM:SS", of digits; no such date need exist. */
static bool is_time(const char *text)
{
    static const char form[TIME_LENGTH + 1] = "0000-00-00T00:00:00";
    for (size_t i = 0; i < TIME_LENGTH; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

bool gv_text_log_header(gv_slice line, gv_text_entry *entry, size_t *length)
{
    const char *at = line.data;
    size_t start = TIME_LENGTH + 4, end = start;        /* of the level */
    if (line.length <= start || at[0] != '[' || !is_time(at + 1) || memcmp(at + TIME_LENGTH + 1, "] [", 3) != 0)
        return false;
    while (end < line.length && at[end] != ']' && at[end] != '\n')
        end++;
    if (end == start || end == line.length || at[end] != ']')
        return false;
    size_t after = end + 1;
    bool blank = after < line.length && at[after] == ' ';
    bool ends = after == line.length || at[after] == '\n'
                || (at[after] == '\r' && after + 1 < line.length && at[after + 1] == '\n');
    if (!blank && !ends)
        return false;
    entry->time = (gv_slice){at + 1, TIME_LENGTH};
    entry->level = (gv_slice){at + start, end - start};
    *length = after + blank;
    return true;
}

typedef struct pass {
    gv_text_scan *scan;
    int64_t from, end;          /* end: of the entry that the next line start may begin */
    bool every_line;            /* there are no headers here: each line is an entry */
} pass;

/* A line begins at `at`. False: `found` has said stop. */
static bool look(pass *p, int64_t at)
{
    gv_text_scan *scan = p->scan;
    size_t skip = (size_t)(at - scan->block_at), length = 0;
    gv_slice line = {scan->block + skip, scan->block_length - skip};
    gv_text_entry entry = {.end = p->end};
    if ((int64_t)line.length > p->end - at)
        line.length = (size_t)(p->end - at);
    size_t mark = at == 0 && line.length >= 3 && memcmp(line.data, MARK, 3) == 0 ? 3 : 0;
    line.data += mark;
    line.length -= mark;
    if (line.length > GV_TEXT_SCAN_HEADER - 3)          /* the same wherever the blocks begin */
        line.length = GV_TEXT_SCAN_HEADER - 3;
    if (!p->every_line && !gv_text_log_header(line, &entry, &length))
        return true;
    entry.text = at + (int64_t)(mark + length);
    p->end = at;
    return scan->found(scan, &entry);
}

/* The next block, before the one that is there, whose beginning stays behind it: a header may go over from one to the
 * other. */
static int read_block(gv_text_scan *scan, int64_t start, size_t length)
{
    size_t kept = scan->block_length < GV_TEXT_SCAN_HEADER ? scan->block_length : GV_TEXT_SCAN_HEADER;
    memmove(scan->block + length, scan->block, kept);
    scan->block_at = start;
    scan->block_length = 0;
    int status = read_at(scan->fd, start, scan->block, length);
    if (status == 0)
        scan->block_length = length + kept;
    return status;
}

static int run(pass *p)
{
    gv_text_scan *scan = p->scan;
    int64_t top = p->end;
    scan->block_length = 0;
    for (int64_t at = top; at > p->from;) {
        size_t length = at - p->from < GV_TEXT_SCAN_BLOCK ? (size_t)(at - p->from) : GV_TEXT_SCAN_BLOCK;
        if (!scan->go_on(scan->user))
            return 0;
        at -= (int64_t)length;
        int status = read_block(scan, at, length);
        if (status < 0)
            return status;
        const char *end;
        while ((end = memrchr(scan->block, '\n', length)) != NULL) {
            length = (size_t)(end - scan->block);
            int64_t begins = at + (int64_t)length + 1;
            if (begins < top && !look(p, begins))
                return 0;
        }
        if (at == p->from && !look(p, at))
            return 0;
    }
    return 1;
}

int gv_text_scan_run(gv_text_scan *scan)
{
    pass p = {scan, scan->from, scan->to, false};
    int status = run(&p);
    if (status <= 0 || p.end == scan->from)
        return status;
    pass rest = {scan, scan->from, p.end, true};        /* what stands before the first header */
    return run(&rest);
}

/* --- messages --- */

/* A character that the cut went through is left out. */
static void drop_part(gv_text *out)
{
    uint32_t code;
    for (size_t back = 1; back <= 3 && back <= out->length; back++) {
        size_t start = out->length - back;
        if (((unsigned char)out->data[start] & 0xc0) == 0x80)
            continue;
        if ((unsigned char)out->data[start] >= 0xc0 && gv_utf8_decode(out->data + start, back, &code) == 0) {
            out->length = start;
            out->data[start] = '\0';
        }
        return;
    }
}

/* "\r\n" becomes "\n", in place. */
static void unify_ends(gv_text *out)
{
    if (!out->length || !memchr(out->data, '\r', out->length))
        return;
    size_t to = 0;
    for (size_t from = 0; from < out->length; from++)
        if (out->data[from] != '\r' || from + 1 == out->length || out->data[from + 1] != '\n')
            out->data[to++] = out->data[from];
    out->length = to;
    out->data[to] = '\0';
}

static int add_bytes(gv_text_scan *scan, int64_t at, size_t length, gv_text *out)
{
    char piece[PIECE];
    int64_t held = at - scan->block_at;
    if (held >= 0 && (uint64_t)held + length <= scan->block_length) {
        gv_text_add(out, scan->block + held, length);
        return 0;
    }
    for (size_t part; length > 0 && !out->failed; at += (int64_t)part, length -= part) {
        part = length < PIECE ? length : PIECE;
        int status = read_at(scan->fd, at, piece, part);
        if (status < 0)
            return status;
        gv_text_add(out, piece, part);
    }
    return 0;
}

int gv_text_scan_load(gv_text_scan *scan, const gv_text_entry *entry, size_t most, gv_text *out)
{
    uint64_t length = entry->end > entry->text ? (uint64_t)(entry->end - entry->text) : 0;
    bool cut = length > (uint64_t)most + 2;             /* two more may be the line's end */
    gv_text_clear(out);
    int status = add_bytes(scan, entry->text, cut ? most : (size_t)length, out);
    if (status < 0)
        return status;
    if (out->failed)
        return -ENOMEM;
    unify_ends(out);
    if (!cut && out->length && out->data[out->length - 1] == '\n')
        out->data[--out->length] = '\0';
    if (out->length > most) {
        out->data[out->length = most] = '\0';
        cut = true;
    }
    if (cut)
        drop_part(out);
    return 0;
}
