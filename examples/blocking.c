/* The blocking way, for a program without a loop: each call makes a held op, waits for it, reads it, gives it back. */
#include <stdio.h>
#include <gavatcore.h>

/* Wait, say what went wrong, give the op back. Returns its status. */
static gavat_status finish(gavat_op *op, const char *what)
{
    gavat_status status = gavat_op_wait(op);
    if (status != GAVAT_OK)
        fprintf(stderr, "%s: %s: %s\n", what, gavat_status_name(status), gavat_op_error(op)->message);
    gavat_op_unref(op);
    return status;
}

static gavat_status log_sale(gavat *g)
{
    gavat_sale sale = gavat_sale_init();
    sale.user_id = "1001";
    sale.product_type = "vip_membership";
    sale.product_name = "Aylık üyelik";
    sale.amount = "149.90";                             /* money is text: no cent is lost */
    sale.bot_username = "botalfa";

    gavat_op *op = gavat_op_new_held(g);
    gavat_log_sale(op, &sale);
    char uid[37] = "";
    snprintf(uid, sizeof uid, "%s", gavat_op_uid(op));  /* known before the sale is stored: what a retry would carry */
    gavat_status status = finish(op, "log_sale");
    if (status != GAVAT_OK)
        return status;
    printf("sale %s is stored\n", uid);

    op = gavat_op_new_held(g);
    gavat_update_sale_status(op, uid, "completed", "paid by card");
    return finish(op, "update_sale_status");
}

static gavat_status print_sales(gavat *g)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "1001";
    filter.limit = 10;

    gavat_op *op = gavat_op_new_held(g);
    gavat_get_sales(op, &filter);
    if (gavat_op_wait(op) == GAVAT_OK) {
        const gavat_sale *sale;
        for (size_t i = 0; (sale = gavat_op_sale(op, i)); i++)
            printf("%s  %s %s  %s\n", sale->product_name, sale->amount, sale->currency, sale->payment_status);
    }
    return finish(op, "get_sales");
}

static gavat_status touch_session(gavat *g)
{
    gavat_session session = gavat_session_init();
    session.user_id = "1001";
    session.username = "ayse";
    session.bot_type = "client";
    session.extra_data = "{\"step\": \"menu\"}";          /* merged by key into what is there */

    gavat_op *op = gavat_op_new_held(g);
    gavat_set_session(op, &session);
    gavat_status status = finish(op, "set_session");
    if (status != GAVAT_OK)
        return status;

    op = gavat_op_new_held(g);
    gavat_get_session(op, "1001");
    if (gavat_op_wait(op) == GAVAT_OK)
        printf("%s\n", gavat_op_json(op, 0, NULL));
    return finish(op, "get_session");
}

int main(void)
{
    gavat *g;
    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);                         /* POSTGRES_URL, GAVAT_…; without them files below ./data */
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK) {         /* loop NULL: the library runs one on a thread of its own */
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        gavat_config_free(cfg);
        return 2;
    }
    gavat_config_free(cfg);

    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    gavat_status status = finish(op, "open");
    if (status == GAVAT_OK)
        status = log_sale(g);
    if (status == GAVAT_OK)
        status = print_sales(g);
    if (status == GAVAT_OK)
        status = touch_session(g);

    gavat_status closed = gavat_close_wait(g, 5000);
    gavat_unref(g);
    return status == GAVAT_OK && closed == GAVAT_OK ? 0 : 1;
}
