/* textlog.c: the public calls that read the text log mirror. Any thread: arguments are checked and copied. */
#include "textlog.h"

#include "../../base/fold.h"
#include "../../base/memory.h"
#include "../../core/client.h"

#define LIMIT 100               /* entries, when none is given */
#define LIMIT_MOST 100000
#define USER_MOST 1024          /* bytes */

static const gv_kind get_kind = {"get_text_log", GV_TEXT_LOG, GV_TEXT_LOG_GET, 0, NULL};
extern const gv_kind gv_check_text_log;         /* backends.c */
const gv_kind gv_check_text_log = {"check_stores", GV_TEXT_LOG, GV_TEXT_LOG_CHECK, 0, NULL};
static const gv_kind stats_kind = {"get_text_log_stats", GV_TEXT_LOG, GV_TEXT_LOG_STATS, 0, NULL};

/* False: refused. */
static bool check(gavat_op *op, const char *user)
{
    if (!op->client->stores[GV_TEXT_LOG].backend)
        gv_op_refuse(op, GAVAT_EINVAL, "%s: set GAVAT_TEXT_LOG_DIR to the folder of the text logs first",
                     op->kind->name);
    else if (!user || !*user)
        gv_op_refuse(op, GAVAT_EINVAL, "%s: user is missing", op->kind->name);
    else if (strlen(user) > USER_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "%s: user is longer than %d bytes", op->kind->name, USER_MOST);
    else
        return true;
    return false;
}

static void submit(gavat_op *op, const char *user, const gv_text *keyword, uint32_t limit)
{
    size_t length = strlen(user) + 1;
    char *memory = gv_op_request(op, sizeof(gv_text_log_request) + length + keyword->length);
    if (!memory)
        return;
    gv_text_log_request *request = (gv_text_log_request *)(void *)memory;
    char *texts = memory + sizeof *request;
    memcpy(texts, user, length);
    if (keyword->length)
        memcpy(texts + length, keyword->data, keyword->length);
    request->user = texts;
    request->keyword = (gv_slice){texts + length, keyword->length};
    request->limit = limit;
    gv_op_submit(op);
}

void gavat_get_text_log(gavat_op *op, const char *user, const char *keyword, uint32_t limit)
{
    if (!gv_op_begin(op, &get_kind) || !check(op, user))
        return;
    gv_text folded = {0};
    size_t most = op->client->most_record;
    if (limit > LIMIT_MOST) {
        gv_op_refuse(op, GAVAT_EINVAL, "get_text_log: limit %u is too much, at most %d", (unsigned)limit, LIMIT_MOST);
        return;
    }
    if (keyword && strnlen(keyword, most + 1) > most) {
        gv_op_refuse(op, GAVAT_EINVAL,
                     "get_text_log: the keyword is longer than any message (GAVAT_MAX_RECORD, %zu)", most);
        return;
    }
    if (keyword)
        gv_fold_add(&folded, gv_slice_of(keyword));
    if (folded.failed)
        gv_op_refuse(op, GAVAT_ENOMEM, "get_text_log: no memory for the keyword");
    else
        submit(op, user, &folded, limit ? limit : LIMIT);
    gv_text_free(&folded);
}

void gavat_get_text_log_stats(gavat_op *op, const char *user)
{
    const gv_text none = {0};
    if (gv_op_begin(op, &stats_kind) && check(op, user))
        submit(op, user, &none, 0);
}
