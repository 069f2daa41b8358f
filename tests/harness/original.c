#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "dump.h"
#include "original.h"

void original_path(char out[500], const char *name)
{
    const char *source = getenv("TEST_SOURCE_DIR");
    snprintf(out, 500, "%s/tests/data/original/%s", source ? source : ".", name);
}

/* The fields of one record in the order of the dump's columns; "\1" stands for a time. Flags as the dump has them. */
static size_t fields_of(const gavat_op *op, size_t i, int64_t *id, const char *fields[DUMP_COLUMNS])
{
    const gavat_event *event = gavat_op_event(op, i);
    const gavat_sale *sale = gavat_op_sale(op, i);
    const gavat_message *message = gavat_op_message(op, i);
    const gavat_session *session = gavat_op_session(op, i);
    static char number[24];
    if (event) {
        const char *all[] = {event->user_id, event->username, event->type, event->message, event->context, event->level,
                             "\1"};
        memcpy(fields, all, sizeof all);
        *id = event->id;
        return 7;
    }
    if (sale) {
        const char *all[] = {sale->user_id, sale->customer_id, sale->bot_username, sale->product_type,
                             sale->product_name, sale->amount, sale->currency, sale->payment_method,
                             sale->payment_status, sale->payment_reference, sale->notes, sale->extra_data, "\1", "\1"};
        memcpy(fields, all, sizeof all);
        *id = sale->id;
        return 14;
    }
    if (message) {
        const char *success = message->success > 0 ? "true" : message->success < 0 ? "false" : NULL;
        snprintf(number, sizeof number, "%lld", (long long)(message->response_time_ms > 0
                                                            ? message->response_time_ms : 0));
        const char *all[] = {message->bot_username, message->message_type, message->target_type, message->target_id,
                             message->target_name, message->message_content, message->message_id, success,
                             message->error_message, message->response_time_ms ? number : NULL, message->extra_data, "\1"};
        memcpy(fields, all, sizeof all);
        *id = message->id;
        return 12;
    }
    const char *active = session->is_active > 0 ? "true" : session->is_active < 0 ? "false" : NULL;
    const char *all[] = {session->user_id, session->username, session->session_token, session->bot_type, active, "\1",
                         "\1", session->extra_data};
    memcpy(fields, all, sizeof all);
    *id = session->id;
    return 8;
}

/* Of amounts a double's fifteen digits. */
static bool same(const char *got, const char *wanted, bool money)
{
    char a[40], b[40];
    if (got && strcmp(got, "\1") == 0)
        return true;
    if (!got || !wanted)
        return got == wanted;
    if (!money)
        return strcmp(got, wanted) == 0;
    snprintf(a, sizeof a, "%.15g", strtod(got, NULL));
    snprintf(b, sizeof b, "%.15g", strtod(wanted, NULL));
    return strcmp(a, b) == 0;
}

static void compare_row(const dump *all, const char *table, const gavat_op *op, size_t i)
{
    int64_t id = 0;
    const char *fields[DUMP_COLUMNS];
    size_t count = fields_of(op, i, &id, fields);
    const dump_row *row = dump_find(all, table, id);
    if (!row)
        fail_msg("%s %lld is not in the dump", table, (long long)id);
    assert_int_equal(row->count, count + 1);
    for (size_t k = 0; k < count; k++)
        if (!same(fields[k], row->values[k + 1], gavat_op_sale(op, i) && k == 5))
            fail_msg("%s %lld, column %zu: \"%s\" instead of \"%s\"", table, (long long)id, k + 2, fields[k]
                     ? fields[k] : "NULL",
                     row->values[k + 1] ? row->values[k + 1] : "NULL");
}

typedef void query_fn(gavat_op *op, const gavat_filter *filter);

static void compare_table(gavat *g, const dump *all, const char *table, query_fn *query, size_t count)
{
    size_t found = 0;
    char cursor[500];
    gavat_filter filter = gavat_filter_init();
    filter.limit = 37;
    for (bool more = true; more;) {
        gavat_op *op = held(g);
        query(op, &filter);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        for (size_t i = 0; i < gavat_op_count(op); i++, found++)
            compare_row(all, table, op, i);
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        filter.cursor = cursor;
        gavat_op_unref(op);
    }
    assert_int_equal(found, count);
    assert_int_equal(dump_count(all, table), count);
}

void expect_original_rows(gavat *g)
{
    char path[500];
    original_path(path, "postgresql.sql");
    dump *all = dump_read(path);
    compare_table(g, all, "event_logs", gavat_get_events, 600);
    compare_table(g, all, "sale_logs", gavat_get_sales, 80);
    compare_table(g, all, "message_records", gavat_get_messages, 195);
    compare_table(g, all, "user_sessions", gavat_get_sessions, 34);
    dump_free(all);
}

__extension__ typedef __int128 wide;

/* In hundred-millionths. */
static wide units_of(const char *text)
{
    wide units = 0;
    int digits = -1;
    bool negative = *text == '-';
    for (text += negative; *text; text++) {
        assert_true((*text >= '0' && *text <= '9') || *text == '.');
        if (*text == '.') {
            digits = 0;
            continue;
        }
        units = units * 10 + (*text - '0');
        digits += digits >= 0;
    }
    for (digits = digits < 0 ? 0 : digits; digits < 8; digits++)
        units *= 10;
    return negative ? -units : units;
}

void expect_original_sums(gavat *g)
{
    char path[500], currency[20], text[60];
    original_path(path, "postgresql.sql");
    dump *all = dump_read(path);
    gavat_op *op = held(g);
    RUN(op, get_sale_stats, NULL);
    size_t counted = 0;
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        wide sum = 0;
        gavat_json_copy(gavat_op_json(op, i, NULL), "currency", currency, sizeof currency);
        for (size_t k = 0; k < all->count; k++) {
            const dump_row *row = &all->rows[k];
            if (strcmp(row->table, "sale_logs") != 0 || strcmp(row->values[7] ? row->values[7] : "null", currency) != 0)
                continue;
            snprintf(text, sizeof text, "%.8f", strtod(row->values[6], NULL));
            sum += units_of(text);
            counted++;
        }
        gavat_json_copy(gavat_op_json(op, i, NULL), "amount", text, sizeof text);
        assert_true(units_of(text) == sum);
    }
    assert_int_equal(counted, 80);
    gavat_op_unref(op);
    dump_free(all);
}
