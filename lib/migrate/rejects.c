#include "rejects.h"
#include <errno.h>
#include <inttypes.h>

#define NAMED 100               /* in the op's result */

/* "logs/u.log line 3: …", "gavatcore.db events row 4: …", "data/profiles/a.json: …". */
static bool name_it(gavat_op *op, const gv_source *source, uint64_t line, const char *why)
{
    char sentence[GV_SOURCE_WHY + 320];
    gv_result *result = gv_op_result(op);
    if (line)
        snprintf(sentence, sizeof sentence, "%.250s%s%s %s %" PRIu64 ": %s", source->path, source->table ? " " : "",
                 source->table ? source->table : "", source->table ? "row" : "line", line, why);
    else
        snprintf(sentence, sizeof sentence, "%.250s: %s", source->path, why);
    return result && gv_result_reject(result, line, sentence);
}

static bool write_it(gv_rejects *rejects, const gv_source *source, uint64_t line, const char *why)
{
    gv_text json = {0};
    gv_text_adds(&json, "{\"file\":");
    gv_text_add_json(&json, source->path, strlen(source->path));
    if (source->table)
        gv_text_addf(&json, ",\"table\":\"%s\"", source->table);
    gv_text_addf(&json, ",\"line\":%" PRIu64 ",\"reason\":", line);
    gv_text_add_json(&json, why, strlen(why));
    gv_text_adds(&json, "}\n");
    if (!rejects->file)
        rejects->file = fopen(rejects->path, "we");
    if (!rejects->file || (!json.failed && fwrite(json.data, 1, json.length, rejects->file) != json.length))
        rejects->failed = errno;
    bool good = !json.failed;
    gv_text_free(&json);
    return good;
}

bool gv_rejects_add(gv_rejects *rejects, const gv_source *source, uint64_t line, const char *why)
{
    bool good = rejects->count++ >= NAMED || name_it(rejects->op, source, line, why);
    if (rejects->path && !rejects->failed)
        good = write_it(rejects, source, line, why) && good;
    return good;
}

int gv_rejects_end(gv_rejects *rejects)
{
    if (rejects->file && fclose(rejects->file) != 0 && !rejects->failed)
        rejects->failed = errno;
    rejects->file = NULL;
    return rejects->failed;
}
