/* Sales: exact money, the legal steps of a status, and what a sale carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"

/* Logs it and gives its uid. */
static void log_sale(gavat *g, const gavat_sale *sale, char uid[37])
{
    gavat_op *op = held(g);
    RUN(op, log_sale, sale);
    snprintf(uid, 37, "%s", gavat_op_uid(op));
    gavat_op_unref(op);
}

static void a_sale_comes_back_with_every_field(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "149.90", 1);
    sale.currency = "EUR";
    sale.payment_status = "completed";
    sale.customer_id = "c1";
    sale.bot_username = "bot_şen";
    sale.product_name = "Yıllık Üyelik";
    sale.payment_method = "iban";
    sale.payment_reference = "REF-1";
    sale.notes = "not";
    sale.extra_data = "{\"a\":[1,2]}";
    char uid[37];
    log_sale(g, &sale, uid);
    gavat_op *op = held(g);
    RUN(op, get_sales, NULL);
    const gavat_sale *got = gavat_op_sale(op, 0);
    assert_string_equal(got->uid, uid);
    assert_string_equal(got->amount, "149.90");
    assert_string_equal(got->currency, "EUR");
    assert_string_equal(got->payment_status, "completed");
    assert_string_equal(got->customer_id, "c1");
    assert_string_equal(got->bot_username, "bot_şen");
    assert_string_equal(got->product_name, "Yıllık Üyelik");
    assert_string_equal(got->payment_method, "iban");
    assert_string_equal(got->payment_reference, "REF-1");
    assert_string_equal(got->notes, "not");
    assert_string_equal(got->extra_data, "{\"a\": [1, 2]}");
    assert_int_equal(got->created_at, T0 + SECOND);
    assert_int_equal(got->updated_at, 0);
    gavat_op_unref(op);
}

static void a_sale_is_pending_and_in_lira_unless_said(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 1);
    gavat_op *op = held(g);
    DO(g, GAVAT_OK, log_sale, &sale);
    RUN(op, get_sales, NULL);
    assert_string_equal(gavat_op_sale(op, 0)->currency, "TRY");
    assert_string_equal(gavat_op_sale(op, 0)->payment_status, "pending");
    assert_string_equal(gavat_op_sale(op, 0)->extra_data, "{}");
    assert_null(gavat_op_sale(op, 0)->notes);
    gavat_op_unref(op);
}

static void amounts_keep_their_text(void **state)
{
    static const char *const amounts[] = {"149.90", "0", "0.10", "-5.00", "1", "100.0", "123456789012345678.12345678",
                                          "0.00000001", "999999999999999999", "0.3", "1.10"};
    gavat *g = client_of(state);
    size_t count = sizeof amounts / sizeof *amounts;
    for (size_t i = 0; i < count; i++) {
        gavat_sale sale = a_sale("u", "vip", amounts[i], (int64_t)i);
        DO(g, GAVAT_OK, log_sale, &sale);
    }
    gavat_op *op = held(g);
    RUN(op, get_sales, NULL);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(gavat_op_sale(op, count - 1 - i)->amount, amounts[i]);
        assert_json(op, count - 1 - i, "amount", amounts[i]);
    }
    gavat_op_unref(op);
}

static void an_amount_that_is_not_decimal_text_is_refused(void **state)
{
    static const char *const amounts[] = {"", "1,50", "abc", "1e3", " 1", "1 ", ".5", "5.", "0x10", "NaN", "inf", "--1",
                                          "1.2.3",
                                          "1234567890123456789", "1.123456789", "١"};
    gavat *g = client_of(state);
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        gavat_sale sale = a_sale("u", "vip", amounts[i], 1);
        REFUSE(g, "amount", log_sale, &sale);
    }
    gavat_sale sale = a_sale("u", "vip", NULL, 1);
    REFUSE(g, "amount", log_sale, &sale);
}

static void sums_are_exact(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < 1000; i++) {
        gavat_sale sale = a_sale("u", i % 2 ? "vip" : "show", i % 2 ? "0.10" : "149.90", i);
        assert_int_equal(gavat_batch_add_sale(batch, &sale), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
    gavat_op *op = held(g);
    RUN(op, get_sale_stats, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_json(op, 0, "currency", "TRY");
    assert_json(op, 0, "count", "1000");
    assert_json(op, 0, "amount", "75000.00");
    assert_json(op, 0, "by_type.vip.amount", "50.00");
    assert_json(op, 0, "by_type.show.amount", "74950.00");
    gavat_op_unref(op);
}

static void sums_beyond_a_double_are_exact(void **state)
{
    static const char *const amounts[] = {"9007199254740993", "0.01", "0.01", "900000000000000000", "-0.03"};
    gavat *g = client_of(state);
    for (int i = 0; i < 5; i++) {
        gavat_sale sale = a_sale("u", "vip", amounts[i], i);
        DO(g, GAVAT_OK, log_sale, &sale);
    }
    gavat_op *op = held(g);
    RUN(op, get_sale_stats, NULL);
    assert_json(op, 0, "amount", "909007199254740992.99");
    gavat_op_unref(op);
}

static void only_legal_steps_of_a_status_are_taken(void **state)
{
    static const char *const words[] = {"pending", "completed", "failed", "refunded"};
    static const bool legal[4][4] = {{true, true, true, false}, {false, true, false, true}, {true, false, true, false},
                                     {false, false, false, true}};
    gavat *g = client_of(state);
    for (int from = 0; from < 4; from++)
        for (int to = 0; to < 4; to++) {
            gavat_sale sale = a_sale("u", "vip", "1", from * 4 + to);
            char uid[37];
            sale.payment_status = words[from];
            log_sale(g, &sale, uid);
            DO(g, legal[from][to] ? GAVAT_OK : GAVAT_ECONFLICT, update_sale_status, uid, words[to], NULL);
            gavat_op *op = held(g);
            RUN(op, get_sales, NULL);
            assert_string_equal(gavat_op_sale(op, 0)->payment_status, words[legal[from][to] ? to : from]);
            gavat_op_unref(op);
        }
}

static void a_status_is_updated_by_uid_and_by_id(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 1);
    char uid[37], id[32];
    log_sale(g, &sale, uid);
    gavat_op *op = held(g), *done = held(g);
    RUN(op, get_sales, NULL);
    snprintf(id, sizeof id, "%lld", (long long)gavat_op_sale(op, 0)->id);
    DO(g, GAVAT_OK, update_sale_status, id, "failed", "kart reddedildi");
    DO(g, GAVAT_OK, update_sale_status, uid, "pending", NULL);
    RUN(done, get_sales, NULL);
    assert_string_equal(gavat_op_sale(done, 0)->payment_status, "pending");
    assert_string_equal(gavat_op_sale(done, 0)->notes, "kart reddedildi");      /* NULL leaves them */
    assert_true(gavat_op_sale(done, 0)->updated_at > T0);
    assert_int_equal(gavat_op_sale(done, 0)->created_at, T0 + SECOND);
    gavat_op_unref(op);
    gavat_op_unref(done);
}

static void a_sale_that_is_not_there_is_not_found(void **state)
{
    gavat *g = client_of(state);
    DO(g, GAVAT_ENOTFOUND, update_sale_status, "0193a5c2-7f10-7abc-8def-0123456789ab", "completed", NULL);
    DO(g, GAVAT_ENOTFOUND, update_sale_status, "4711", "completed", NULL);
}

static void an_unknown_status_or_sale_is_refused(void **state)
{
    static const char *const sales[] = {"", "0", "-1", "abc", "12x", "99999999999999999999", "0193a5c2-7f10-7abc-8def"};
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 1);
    for (size_t i = 0; i < sizeof sales / sizeof *sales; i++)
        REFUSE(g, "sale", update_sale_status, sales[i], "completed", NULL);
    REFUSE(g, "sale", update_sale_status, NULL, "completed", NULL);
    REFUSE(g, "status", update_sale_status, "1", "paid", NULL);
    REFUSE(g, "status", update_sale_status, "1", "COMPLETED", NULL);
    REFUSE(g, "status", update_sale_status, "1", "", NULL);
    REFUSE(g, "status", update_sale_status, "1", NULL, NULL);
    REFUSE(g, "notes", update_sale_status, "1", "completed", "\xff");
    sale.payment_status = "paid";
    REFUSE(g, "payment_status", log_sale, &sale);
}

static void steps_of_one_thread_apply_in_order_without_waiting(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 1);
    gavat_op *logged = held(g), *completed = held(g), *refunded = held(g), *op = held(g);
    gavat_log_sale(logged, &sale);
    gavat_update_sale_status(completed, gavat_op_uid(logged), "completed", NULL);
    gavat_update_sale_status(refunded, gavat_op_uid(logged), "refunded", NULL);
    RUN(op, get_sales, NULL);
    assert_int_equal(gavat_op_wait(logged), GAVAT_OK);
    assert_int_equal(gavat_op_wait(completed), GAVAT_OK);
    assert_int_equal(gavat_op_wait(refunded), GAVAT_OK);
    assert_string_equal(gavat_op_sale(op, 0)->payment_status, "refunded");
    gavat_op_unref(logged);
    gavat_op_unref(completed);
    gavat_op_unref(refunded);
    gavat_op_unref(op);
}

static void the_same_sale_lands_once_whatever_its_status_is_by_then(void **state)
{
    gavat *g = client_of(state);
    gavat_sale sale = a_sale("u", "vip", "1", 1);
    char uid[37];
    log_sale(g, &sale, uid);
    sale.uid = uid;
    DO(g, GAVAT_OK, update_sale_status, uid, "completed", NULL);
    DO(g, GAVAT_OK, log_sale, &sale);
    gavat_op *op = held(g);
    RUN(op, get_sales, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_string_equal(gavat_op_sale(op, 0)->payment_status, "completed");
    gavat_op_unref(op);
}

static void sales_are_filtered(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        gavat_sale sale = a_sale(i & 1 ? "u1" : "u0", i & 2 ? "t1" : "t0", "1", i);
        sale.bot_username = i & 4 ? "b1" : NULL;
        sale.payment_status = i < 3 ? "completed" : "pending";
        sale.product_name = name;
        DO(g, GAVAT_OK, log_sale, &sale);
    }
    gavat_filter filter = gavat_filter_init();
    gavat_op *user = held(g), *bot = held(g), *status = held(g), *all = held(g);
    filter.user_id = "u1";
    RUN(user, get_sales, &filter);
    assert_records(user, "7 5 3 1");
    filter.bot_username = "b1";
    RUN(bot, get_sales, &filter);
    assert_records(bot, "7 5");
    filter.bot_username = NULL;
    filter.status = "completed";
    RUN(status, get_sales, &filter);
    assert_records(status, "1");
    filter = gavat_filter_init();
    filter.type = "t0";
    filter.until = T0 + 5 * SECOND;
    RUN(all, get_sales, &filter);
    assert_records(all, "4 1 0");
    gavat_op_unref(user);
    gavat_op_unref(bot);
    gavat_op_unref(status);
    gavat_op_unref(all);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_sale_comes_back_with_every_field),
        cmocka_unit_test(a_sale_is_pending_and_in_lira_unless_said),
        cmocka_unit_test(amounts_keep_their_text),
        cmocka_unit_test(an_amount_that_is_not_decimal_text_is_refused),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(sums_beyond_a_double_are_exact),
        cmocka_unit_test(only_legal_steps_of_a_status_are_taken),
        cmocka_unit_test(a_status_is_updated_by_uid_and_by_id),
        cmocka_unit_test(a_sale_that_is_not_there_is_not_found),
        cmocka_unit_test(an_unknown_status_or_sale_is_refused),
        cmocka_unit_test(steps_of_one_thread_apply_in_order_without_waiting),
        cmocka_unit_test(the_same_sale_lands_once_whatever_its_status_is_by_then),
        cmocka_unit_test(sales_are_filtered),
    };
    return run_on_events("events_sales", cases, sizeof cases / sizeof *cases);
}
