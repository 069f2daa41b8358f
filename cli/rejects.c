#include "rejects.h"
#include "json.h"
#include "tell.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ctl_rejects_start(ctl_rejects *rejects, const char *given, const char *source)
{
    ctl_buffer path = {0};
    *rejects = (ctl_rejects){0};
    size_t length = strlen(source);
    while (length > 1 && source[length - 1] == '/')
        length--;
    if (given)
        ctl_add_text(&path, given);
    else if (strcmp(source, "-") == 0)
        ctl_add_text(&path, "import.rejects.jsonl");
    else
        ctl_add_format(&path, "%.*s.rejects.jsonl", (int)length, source);
    rejects->path = path.data;
}

void ctl_rejects_add(ctl_rejects *rejects, uint64_t line, const char *reason, const char *record, size_t length)
{
    ctl_buffer *out = &rejects->line;
    rejects->count++;
    if (rejects->fault)
        return;
    if (!rejects->file && !(rejects->file = fopen(rejects->path, "we"))) {
        rejects->fault = errno;
        return;
    }
    ctl_clear(out);
    ctl_add_format(out, "{\"line\":%llu,\"reason\":", (unsigned long long)line);
    ctl_add_json(out, reason, strlen(reason));
    ctl_add_text(out, ",\"record\":");
    if (!record)
        ctl_add_text(out, "null");
    else if (ctl_json_valid((ctl_slice){record, length}))
        ctl_add(out, record, length);
    else
        ctl_add_json(out, record, length);
    ctl_add_text(out, "}\n");
    errno = 0;
    if (fwrite(out->data, 1, out->length, rejects->file) != out->length)
        rejects->fault = errno ? errno : EIO;
}

bool ctl_rejects_end(ctl_rejects *rejects)
{
    if (rejects->file && fclose(rejects->file) != 0 && !rejects->fault)
        rejects->fault = errno;
    if (rejects->fault) {
        ctl_error("cannot write the rejected records to %s: %s", rejects->path, strerror(rejects->fault));
        ctl_hint("--rejects FILE writes them elsewhere");
    }
    bool good = !rejects->fault;
    free(rejects->path);
    ctl_free(&rejects->line);
    return good;
}
