/* Events behind a pooler in transaction mode: it is noticed, and nothing is left in a session that belongs to everybody. Needs one in
 * TEST_EVENTS_URLS, marked #pooled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"

static long long number(void **state, const char *statement)
{
    char text[100];
    on_server(((fresh *)*state)->url, statement, text, sizeof text);
    return strtoll(text, NULL, 10);
}

/* Work of every kind, with a deadline. */
static void work(gavat *g, int from)
{
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < 50; i++) {
        gavat_event event = an_event("u", "note", "ışık", from + i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    gavat_session session = a_session("u");
    gavat_op *sale = held(g), *found = held(g);
    gavat_sale one = a_sale("u", "vip", "1", from);
    DO(g, GAVAT_OK, import_batch, batch);
    DO(g, GAVAT_OK, commit_batch, batch);
    DO(g, GAVAT_OK, set_session, &session);
    RUN(sale, log_sale, &one);
    DO(g, GAVAT_OK, update_sale_status, gavat_op_uid(sale), "completed", NULL);
    RUN(found, search_events, "isik", NULL);
    assert_int_equal(gavat_op_count(found), 100 < from + 50 ? 100 : from + 50);
    DO(g, GAVAT_OK, get_event_stats, NULL, NULL);
    gavat_op_unref(sale);
    gavat_op_unref(found);
    gavat_batch_free(batch);
}

static void nothing_is_left_in_the_sessions(void **state)
{
    gavat *g = client_of(state), *h = open_client(((fresh *)*state)->url, NULL);
    for (int i = 0; i < 4; i++)
        work(i % 2 ? g : h, 50 * i);
    for (int i = 0; i < 20; i++) {      /* of whatever session the pooler gives */
        assert_int_equal(number(state, "SELECT count(*) FROM pg_prepared_statements"), 0);
        assert_int_equal(number(state, "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'"), 0);
        assert_int_equal(number(state, "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"), 0);
        assert_int_equal(number(state, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"), 0);
    }
    close_client(h);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), 200);
}

static void a_statement_still_ends_soon_after_its_caller(void **state)
{
    static const char *const no_spool[] = {"GAVAT_EVENTS_SPOOL", "off", NULL};  /* it would take what is given up */
    gavat *g = reopen(state, no_spool);
    gavat_op *op = held(g);
    on_server(((fresh *)*state)->url, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
              "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'; "
              "CREATE TRIGGER slow BEFORE INSERT ON event_logs FOR EACH ROW EXECUTE FUNCTION slow()", NULL, 0);
    gavat_event event = an_event("u", "note", "m", 1);
    gavat_op_set_timeout(op, 200);
    gavat_log_event(op, &event);
    assert_int_equal(gavat_op_wait(op), GAVAT_ETIMEDOUT);
    on_server(((fresh *)*state)->url, "SET statement_timeout = '9s'; DROP TRIGGER slow ON event_logs; RESET statement_timeout", NULL, 0);
    log_one(g, "u", "after", 2);
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nothing_is_left_in_the_sessions),
        cmocka_unit_test(a_statement_still_ends_soon_after_its_caller),
    };
    return run_on_pooler("postgresql_pooler", cases, sizeof cases / sizeof *cases);
}
