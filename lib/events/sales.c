/* sales.c: the public calls for sales, and the steps that a sale's status may take. */
#include "calls.h"
#include "../base/utf8.h"
#include "../base/uuid.h"
#include "../core/client.h"

extern const gv_batch_kind gv_batch_sale;

bool gv_sale_status_known(const char *status)
{
    static const char *const words[] = {"pending", "completed", "failed", "refunded"};
    for (size_t i = 0; status && i < sizeof words / sizeof *words; i++)
        if (strcmp(status, words[i]) == 0)
            return true;
    return false;
}

bool gv_sale_step_legal(const char *from, const char *to)
{
    static const char *const steps[][2] = {
        {"pending", "completed"}, {"pending", "failed"}, {"failed", "pending"}, {"completed", "refunded"},
    };
    if (!gv_sale_status_known(to))
        return false;
    if (!gv_sale_status_known(from) || strcmp(from, to) == 0)
        return true;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(from, steps[i][0]) == 0 && strcmp(to, steps[i][1]) == 0)
            return true;
    return false;
}

bool gv_sale_may_step(gavat_op *op, int found, const char *from, const char *to)
{
    if (found == 0)
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "there is no sale with this id: list them with gavatctl sales list");
    else if (found > 1)
        gv_op_fail(op, GAVAT_ECONFLICT, 0, "", "more than one sale has this uid: name it by its integer id");
    else if (!gv_sale_step_legal(from, to))
        gv_op_fail(op, GAVAT_ECONFLICT, 0, "", "a sale that is %s cannot become %s; allowed: pending to completed or failed, failed to "
                   "pending, completed to refunded", from, to);
    else
        return true;
    return false;
}

void gavat_log_sale(gavat_op *op, const gavat_sale *sale)
{
    gv_call_store(op, GV_LOG_SALE, &gv_sales_kind, sale);
}

/* A uid, or an integer id as text. */
static bool read_sale(const char *sale, char uid[GV_UUID_ROOM], int64_t *id)
{
    uid[0] = '\0';
    *id = 0;
    if (gv_uuid_parse(sale, uid))
        return true;
    for (; sale && *sale; sale++) {
        if (*sale < '0' || *sale > '9')
            return false;
        if (__builtin_mul_overflow(*id, 10, id) || __builtin_add_overflow(*id, *sale - '0', id))
            return false;
    }
    return *id > 0;
}

/* False: refused. */
static bool check_notes(gavat_op *op, const char *notes)
{
    if (!notes)
        return true;
    size_t length = strlen(notes), most = op->client->most_record;
    if (length > most)
        gv_op_refuse(op, GAVAT_EINVAL, "notes are longer than %zu bytes (GAVAT_MAX_RECORD)", most);
    else if (!gv_utf8_valid(notes, length))
        gv_op_refuse(op, GAVAT_EINVAL, "notes are not valid UTF-8");
    else
        return true;
    return false;
}

void gavat_update_sale_status(gavat_op *op, const char *sale, const char *status, const char *notes)
{
    char uid[GV_UUID_ROOM];
    int64_t id;
    if (!gv_op_begin(op, &gv_events_ops[GV_UPDATE_SALE]))
        return;
    if (!read_sale(sale, uid, &id)) {
        gv_op_refuse(op, GAVAT_EINVAL, "sale must be a uid, or an integer id above 0 as text");
        return;
    }
    if (!gv_sale_status_known(status)) {
        gv_op_refuse(op, GAVAT_EINVAL, "status must be pending, completed, failed or refunded");
        return;
    }
    if (!check_notes(op, notes))
        return;
    size_t texts = gv_call_sum(sizeof uid + gv_call_room(status), gv_call_room(notes));
    gv_update_request *request = gv_op_request(op, gv_call_sum(sizeof *request, texts));
    if (!request)
        return;
    char *at = (char *)(request + 1);
    request->uid = id ? NULL : gv_call_put(&at, uid);
    request->id = id;
    request->status = gv_call_put(&at, status);
    request->notes = gv_call_put(&at, notes);
    request->now = gv_now(op->client);
    gv_op_submit(op);
}

void gavat_get_sales(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_GET_SALES, &gv_sales_kind, filter, NULL, NULL);
}

void gavat_get_sale_stats(gavat_op *op, const gavat_filter *filter)
{
    gv_call_query(op, GV_SALE_STATS, &gv_sales_kind, filter, NULL, NULL);
}

const gavat_sale *gavat_op_sale(const gavat_op *op, size_t i)
{
    return gv_call_record(op, &gv_sales_kind, i);
}

gavat_status gavat_batch_add_sale(gavat_batch *batch, const gavat_sale *sale)
{
    return gv_call_add(batch, &gv_sales_kind, sale);
}

static bool add_json(gavat_batch *batch, gv_slice object)
{
    return gv_call_add_json(batch, &gv_sales_kind, object);
}

const gv_batch_kind gv_batch_sale = {"sale", GV_EVENTS, add_json};
