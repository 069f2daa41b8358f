/* calls.c: the public calls for the spool and its rejects. Any thread. */
#include "../../base/files.h"
#include "../../core/request.h"
#include "spool.h"

#define LIMIT 100
#define LIMIT_MOST 100000

extern const gv_kind gv_check_spool;            /* backends.c */
const gv_kind gv_check_spool = {"check_stores", GV_SPOOL, GV_SPOOL_CHECK, 0, NULL};

static const gv_kind kinds[GV_SPOOL_PLACES] = {
    [GV_SPOOL_GET] = {"get_spool", GV_SPOOL, GV_SPOOL_GET, 0, NULL},
    [GV_SPOOL_FLUSH] = {"flush_spool", GV_SPOOL, GV_SPOOL_FLUSH, GV_LONG, NULL},
    [GV_SPOOL_LIST] = {"get_rejects", GV_SPOOL, GV_SPOOL_LIST, 0, NULL},
    [GV_SPOOL_RETRY] = {"retry_rejects", GV_SPOOL, GV_SPOOL_RETRY, GV_LONG, NULL},
    [GV_SPOOL_EXPORT] = {"export_rejects", GV_SPOOL, GV_SPOOL_EXPORT, GV_LONG, NULL},
    [GV_SPOOL_DROP] = {"drop_rejects", GV_SPOOL, GV_SPOOL_DROP, 0, NULL},
};

/* False: refused, or nothing to do. */
static bool begin(gavat_op *op, unsigned place)
{
    if (!gv_op_begin(op, &kinds[place]))
        return false;
    if (op->client->stores[GV_SPOOL].backend)
        return true;
    gv_op_refuse(op, GAVAT_ENOTSUP, "%s: there is no spool: it stands before events on PostgreSQL only, and GAVAT_EVENTS_SPOOL may turn it off",
                 op->kind->name);
    return false;
}

void gavat_get_spool(gavat_op *op)
{
    if (begin(op, GV_SPOOL_GET))
        gv_op_submit(op);
}

void gavat_flush_spool(gavat_op *op)
{
    if (begin(op, GV_SPOOL_FLUSH))
        gv_op_submit(op);
}

void gavat_get_rejects(gavat_op *op, uint32_t limit, const char *cursor)
{
    int64_t after = 0;
    if (!begin(op, GV_SPOOL_LIST))
        return;
    for (const char *at = cursor ? cursor : ""; *at; at++)
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(after, 10, &after) || __builtin_add_overflow(after, *at - '0', &after)) {
            gv_op_refuse(op, GAVAT_EINVAL, "get_rejects: this is not a cursor that it gave");
            return;
        }
    if (limit > LIMIT_MOST) {
        gv_op_refuse(op, GAVAT_EINVAL, "get_rejects: limit %u is too much, at most %d", (unsigned)limit, LIMIT_MOST);
        return;
    }
    gv_spool_page *page = gv_op_request(op, sizeof *page);
    if (!page)
        return;
    page->limit = limit ? limit : LIMIT;
    page->after = after;
    gv_op_submit(op);
}

void gavat_retry_rejects(gavat_op *op)
{
    if (begin(op, GV_SPOOL_RETRY))
        gv_op_submit(op);
}

void gavat_export_rejects(gavat_op *op, const char *path)
{
    gv_text absolute = {0};
    if (!begin(op, GV_SPOOL_EXPORT))
        return;
    if (!path || !*path) {
        gv_op_refuse(op, GAVAT_EINVAL, "export_rejects: path is missing");
        return;
    }
    if (gv_file_make_absolute(path, &absolute)) {
        gv_op_refuse(op, GAVAT_ENOMEM, "export_rejects: no memory for the path");
        gv_text_free(&absolute);
        return;
    }
    gv_spool_page *page = gv_op_request(op, gv_call_sum(sizeof *page, absolute.length + 1));
    if (page) {
        char *at = (char *)(page + 1);
        page->path = gv_call_put(&at, gv_text_get(&absolute));
        gv_op_submit(op);
    }
    gv_text_free(&absolute);
}

void gavat_drop_rejects(gavat_op *op)
{
    if (begin(op, GV_SPOOL_DROP))
        gv_op_submit(op);
}
