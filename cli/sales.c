#include "commands.h"
#include "page.h"
#include "tell.h"

#define COLUMNS                                                                                                        \
    "id,uid,user_id,customer_id,bot_username,product_type,product_name,amount,currency,payment_method,payment_status," \
    "payment_reference,notes,extra_data,created_at,updated_at"

static int run_log(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_sale sale = gavat_sale_init();
        sale.user_id = ctl_get_argument(call, 0);
        sale.product_type = ctl_get_argument(call, 1);
        sale.amount = ctl_get_argument(call, 2);
        sale.created_at = ctl_get_time(call, "at");
        sale.uid = ctl_get_text(call, "uid");
        sale.currency = ctl_get_text(call, "currency");
        sale.payment_status = ctl_get_text(call, "status");
        sale.customer_id = ctl_get_text(call, "customer");
        sale.bot_username = ctl_get_text(call, "bot");
        sale.product_name = ctl_get_text(call, "product");
        sale.payment_method = ctl_get_text(call, "method");
        sale.payment_reference = ctl_get_text(call, "reference");
        sale.notes = ctl_get_text(call, "notes");
        sale.extra_data = ctl_get_text(call, "extra");
        gavat_op *op = ctl_session_op(&session);
        gavat_log_sale(op, &sale);
        code = ctl_session_write(&session, op, true);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static void get_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_filter *filter = query;
    filter->limit = limit;
    filter->cursor = cursor;
    gavat_get_sales(op, filter);
}

static int run_list(const ctl_call *call)
{
    gavat_filter filter = ctl_make_filter(call);
    return ctl_list(call, get_page, &filter);
}

static int run_status(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        const char *sale = ctl_get_argument(call, 0), *status = ctl_get_argument(call, 1);
        gavat_op *op = ctl_session_op(&session);
        gavat_update_sale_status(op, sale, status, ctl_get_text(call, "notes"));
        code = ctl_session_write(&session, op, false);
        if (!code)
            ctl_note(call, "sale %s: %s", sale, status);
        else if (gavat_op_status(op) == GAVAT_ECONFLICT)
            ctl_hint(
                "pending may become completed or failed, failed may become pending, completed may become refunded");
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_stats(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_filter filter = ctl_make_filter(call);
        gavat_op *op = ctl_session_op(&session);
        gavat_get_sale_stats(op, &filter);
        code = ctl_session_show(&session, op, NULL, false);
    }
    return ctl_session_end(&session, code);
}

#define STATUSES "pending|completed|failed|refunded"

static const ctl_option log_arguments[] = {
    {.name = "USER", .kind = CTL_TEXT, .help = "user id"},
    {.name = "TYPE", .kind = CTL_TEXT, .help = "product type, such as vip"},
    {.name = "AMOUNT", .kind = CTL_TEXT, .help = "a decimal number with a point: 149.90"},
    {0},
};

static const ctl_option log_options[] = {
    {.name = "currency", .kind = CTL_WORD, .value = "CODE", .choices = "TRY|EUR|USD", .help = "currency (TRY)"},
    {.name = "customer", .kind = CTL_WORD, .value = "ID", .help = "customer id"},
    {.name = "bot", .kind = CTL_WORD, .value = "BOT", .help = "the bot that sold"},
    {.name = "product", .kind = CTL_TEXT, .value = "NAME", .help = "product name"},
    {.name = "method", .kind = CTL_WORD, .value = "METHOD", .help = "payment method"},
    {.name = "reference", .kind = CTL_WORD, .value = "TEXT", .help = "payment reference"},
    {.name = "notes", .kind = CTL_TEXT, .value = "TEXT", .help = "notes; - reads stdin"},
    {.name = "status", .kind = CTL_CHOICE, .value = "STATUS", .choices = STATUSES, .help = "payment status (pending)"},
    {.name = "extra", .kind = CTL_JSON, .value = "JSON", .help = "more about it, a JSON object; - reads stdin"},
    {.name = "at", .kind = CTL_TIME, .value = "TIME", .help = "when it was made (now)"},
    {.name = "uid",
     .kind = CTL_WORD,
     .value = "UUID",
     .help = "its id (a new one); the same uid and time is stored once"},
    {0},
};

#define FILTERS                                                                                                        \
    CTL_OPTION_USER,                                                                                                   \
        {.name = "status", .kind = CTL_WORD, .value = "STATUS", .choices = STATUSES, .help = "only with this status"}, \
        {.name = "type", .kind = CTL_WORD, .value = "TYPE", .help = "only of this product type"},                      \
        {.name = "bot", .kind = CTL_WORD, .value = "BOT", .help = "only of this bot"}, CTL_OPTION_SINCE,               \
        CTL_OPTION_UNTIL

static const ctl_option list_options[] = {FILTERS, CTL_OPTION_LIMIT, CTL_OPTION_ALL, {0}};
static const ctl_option stats_options[] = {FILTERS, {0}};

static const ctl_option status_arguments[] = {
    {.name = "SALE", .kind = CTL_TEXT, .help = "uid, or integer id"},
    {.name = "STATUS", .kind = CTL_CHOICE, .choices = STATUSES, .help = "pending, completed, failed or refunded"},
    {0},
};

static const ctl_option status_options[] = {
    {.name = "notes",
     .kind = CTL_TEXT,
     .value = "TEXT",
     .help = "notes, in place of those that are there; - reads stdin"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "log",
     .summary = "Store one sale and print its uid",
     .arguments = log_arguments,
     .options = log_options,
     .columns = "uid",
     .run = run_log,
     .examples = "gavatctl sales log 42 vip 149.90 --bot yayincilara --method papara"},
    {.name = "list",
     .summary = "List sales, newest first",
     .options = list_options,
     .columns = COLUMNS,
     .shown = "id,created_at,user_id,product_type,product_name,amount,currency,payment_status,bot_username,uid",
     .run = run_list,
     .examples = "gavatctl sales list --status pending --since 7d"},
    {.name = "status",
     .summary = "Change the payment status of a sale",
     .arguments = status_arguments,
     .options = status_options,
     .run = run_status,
     .about = "pending may become completed or failed, failed may become pending, completed may become refunded.",
     .examples = "gavatctl sales status 01890a5d-ac96-774b-bcce-b302099a8057 completed\n"
                 "gavatctl sales status 17 failed --notes \"card refused\""},
    {.name = "stats",
     .summary = "Add up sales by currency",
     .options = stats_options,
     .columns = "currency,count,amount,by_status,by_type",
     .run = run_stats,
     .examples = "gavatctl sales stats --since 30d"},
    {0},
};

const ctl_group ctl_sales = {
    .name = "sales", .summary = "Log sales, list them, change their status, add them up",
    .commands = commands, .stores = CTL_EVENTS};
