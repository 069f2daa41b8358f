/* The original's own tables on PostgreSQL, taken over where they lie, with its program at work on them. Needs a server in TEST_EVENTS_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "original.h"
#include "server.h"
#include <pthread.h>
#include <stdatomic.h>

static const char *url_of(void **state)
{
    return ((fresh *)*state)->url;
}

static void sql(void **state, const char *statement)
{
    on_server(url_of(state), statement, NULL, 0);
}

static const char *ask(void **state, const char *statement)
{
    static char text[500];
    on_server(url_of(state), statement, text, sizeof text);
    return text;
}

static long long number(void **state, const char *statement)
{
    return strtoll(ask(state, statement), NULL, 10);
}

/* In place of our tables the original's, with its rows, as it left them. */
static void put_original(void **state)
{
    fresh *f = *state;
    close_client(f->g);
    f->g = NULL;
    sql(state, "DROP TABLE event_logs, sale_logs, message_records, user_sessions, gavat_schema, gavat_schema_steps");
    load_original(f->url, f->name, true);
}

static gavat *adopt(void **state)
{
    upgrade(url_of(state));
    ((fresh *)*state)->g = open_client(url_of(state), NULL);
    return client_of(state);
}

static long long invalid(void **state)
{
    return number(state, "SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE NOT i.indisvalid "
                  "AND c.relnamespace = current_schema()::regnamespace");
}

/* Of the tables: a rewritten one has another. */
static const char files_sql[] =
    "SELECT string_agg(pg_relation_filenode(oid)::text, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' "
    "AND relname IN ('event_logs', 'sale_logs', 'message_records', 'user_sessions') AND relnamespace = current_schema()::regnamespace";

static void every_row_and_value_is_as_in_the_dump(void **state)
{
    put_original(state);
    char before[500];
    snprintf(before, sizeof before, "%s", ask(state, files_sql));
    gavat *g = adopt(state);
    expect_original_rows(g);
    expect_original_sums(g);
    assert_string_equal(before, ask(state, files_sql));
    assert_int_equal(invalid(state), 0);
}

/* As SQLAlchemy sends them: all columns of its own but the id, and without those that it leaves to the database. */
static void the_originals_inserts_go_on_and_are_found(void **state)
{
    put_original(state);
    gavat *g = adopt(state);
    sql(state, "INSERT INTO event_logs (user_id, username, event_type, message, context, level) "
        "VALUES ('onun', NULL, 'dm_received', 'IŞIKLI eski usul', '{}', 'INFO') RETURNING event_logs.id, event_logs.timestamp");
    sql(state, "INSERT INTO sale_logs (user_id, customer_id, bot_username, product_type, product_name, amount, currency, payment_method, "
        "payment_status, payment_reference, notes, extra_data, updated_at) VALUES ('onun', NULL, NULL, 'vip', NULL, 0.1, 'TRY', NULL, 'pending', "
        "NULL, NULL, '{}', NULL) RETURNING sale_logs.id, sale_logs.created_at");
    sql(state, "INSERT INTO message_records (bot_username, message_type, target_type, target_id, target_name, message_content, message_id, "
        "success, error_message, response_time_ms, extra_data) VALUES ('onun', 'dm', NULL, NULL, NULL, 'm', NULL, false, NULL, 0, '{}')");
    sql(state, "INSERT INTO user_sessions (user_id, username, session_token, bot_type, is_active, extra_data) "
        "VALUES ('onun', NULL, NULL, NULL, true, '{\"k\": 1}')");
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "onun";
    gavat_op *events = held(g), *sales = held(g), *found = held(g), *session = held(g);
    RUN(events, get_events, &filter);
    assert_records(events, "IŞIKLI eski usul");
    assert_int_equal(gavat_op_event(events, 0)->id, 601);
    RUN(found, search_events, "isikli", NULL);
    assert_true(gavat_op_count(found) >= 1);
    assert_string_equal(gavat_op_event(found, 0)->message, "IŞIKLI eski usul");
    RUN(sales, get_sales, &filter);
    assert_string_equal(gavat_op_sale(sales, 0)->amount, "0.10");
    DO(g, GAVAT_OK, update_sale_status, "81", "completed", NULL);
    assert_string_equal(ask(state, "SELECT payment_status FROM sale_logs WHERE id = 81"), "completed");
    gavat_session more = a_session("onun");
    more.extra_data = "{\"y\": 2}";
    DO(g, GAVAT_OK, set_session, &more);
    RUN(session, get_session, "onun");
    assert_string_equal(gavat_op_session(session, 0)->extra_data, "{\"k\": 1, \"y\": 2}");
    gavat_op *ops[] = {events, sales, found, session};
    for (int i = 0; i < 4; i++)
        gavat_op_unref(ops[i]);
}

static void our_rows_are_rows_of_the_originals(void **state)
{
    put_original(state);
    gavat *g = adopt(state);
    gavat_event event = an_event("bizim", "dm", "Çığ 🎉", 1);
    gavat_sale sale = a_sale("bizim", "vip", "149.90", 1);
    gavat_message message = a_message("bizim", "dm", "m", 1);
    gavat_session session = a_session("bizim");
    event.context = "{\"ş\":[1,1.0,{\"e\":\"😀\"}]}";
    DO(g, GAVAT_OK, log_event, &event);
    DO(g, GAVAT_OK, log_sale, &sale);
    DO(g, GAVAT_OK, log_message, &message);
    DO(g, GAVAT_OK, set_session, &session);
    assert_string_equal(ask(state, "SELECT id || '|' || message || '|' || level || '|' || context FROM event_logs WHERE user_id = 'bizim'"),
                        "601|Çığ 🎉|INFO|{\"\\u015f\": [1, 1.0, {\"e\": \"\\ud83d\\ude00\"}]}");
    assert_string_equal(ask(state, "SELECT amount || currency || payment_status || extra_data FROM sale_logs WHERE user_id = 'bizim'"),
                        "149.9TRYpending{}");
    assert_string_equal(ask(state, "SELECT success || extra_data::text FROM message_records WHERE bot_username = 'bizim'"), "true{}");
    assert_string_equal(ask(state, "SELECT is_active || extra_data::text FROM user_sessions WHERE user_id = 'bizim'"), "true{}");
}

static void a_sequence_that_lags_is_set_past_the_largest_id(void **state)
{
    put_original(state);
    sql(state, "SELECT setval('event_logs_id_seq', 17), setval('user_sessions_id_seq', 1, false)");
    gavat *g = adopt(state);
    log_one(g, "u", "m", 1);
    sql(state, "INSERT INTO event_logs (user_id, event_type) VALUES ('onun', 'dm')");
    gavat_session session = a_session("yeni");
    DO(g, GAVAT_OK, set_session, &session);
    assert_int_equal(number(state, "SELECT max(id) FROM event_logs"), 602);
    assert_int_equal(number(state, "SELECT last_value FROM sale_logs_id_seq"), 80);
}

/* What a build that was cut off leaves behind. */
static void a_broken_index_is_built_anew(void **state)
{
    put_original(state);
    adopt(state);
    sql(state, "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('gavat_event_logs_identity'::regclass, "
        "'gavat_event_logs_search'::regclass)");
    assert_int_equal(invalid(state), 2);
    gavat *g = adopt(state);
    assert_int_equal(invalid(state), 0);
    log_one(g, "u", "m", 1);
    expect_original_sums(g);
}

/* The line of doctor by this name: its columns, blanks between. */
static void expect_line(gavat *g, const char *name, const char *state, const char *words)
{
    gavat_op *op = held(g);
    char text[600];
    gavat_check_stores(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const char *json = gavat_op_json(op, i, NULL);
        gavat_json_copy(json, "check", text, sizeof text);
        if (strcmp(text, name) != 0)
            continue;
        assert_json(op, i, "result", state);
        if (!strstr(json, words))
            fail_msg("no \"%s\" in %s", words, json);
        gavat_op_unref(op);
        return;
    }
    fail_msg("doctor says nothing of %s", name);
}

static void the_ids_of_32_bits_are_watched(void **state)
{
    put_original(state);
    gavat *g = adopt(state);
    expect_line(g, "ids", "ok", "0 %");
    sql(state, "SELECT setval('message_records_id_seq', 1073741824)");
    expect_line(g, "ids", "warn", "50 % used in message_records");
    sql(state, "ALTER SEQUENCE message_records_id_seq AS bigint; ALTER TABLE message_records ALTER id TYPE bigint");
    expect_line(g, "ids", "ok", "0 %");
}

/* A database of the administrator's, without pg_trgm, and a role that owns one schema in it. */
static void a_role_without_rights_of_its_own_is_enough(void **state)
{
    fresh *f = *state;
    char text[700], url[600];
    const char *host = strchr(f->url, '@'), *rest = strchr(host, '?');
    snprintf(text, sizeof text, "CREATE ROLE %s LOGIN PASSWORD 'x'", f->name);
    sql(state, text);
    snprintf(text, sizeof text, "CREATE DATABASE %s TEMPLATE template0", f->name);
    sql(state, text);
    snprintf(url, sizeof url, "%.*s/%s", (int)(strrchr(host, '/') - f->url), f->url, f->name);
    snprintf(text, sizeof text, "REVOKE ALL ON DATABASE %s FROM PUBLIC; GRANT CONNECT ON DATABASE %s TO %s; CREATE SCHEMA %s AUTHORIZATION %s",
             f->name, f->name, f->name, f->name, f->name);
    on_server(url, text, NULL, 0);
    snprintf(url, sizeof url, "postgresql://%s:x%.*s/%s%s", f->name, (int)(strrchr(host, '/') - host), host, f->name, rest);
    gavat *g = open_client(url, NULL);
    gavat_op *op = held(g);
    log_one(g, "u", "IŞIK", 1);
    RUN(op, search_events, "isik", NULL);
    assert_records(op, "IŞIK");
    expect_line(g, "search index", "warn", "CREATE EXTENSION pg_trgm");
    expect_line(g, "partitions", "ok", "1 months ahead");
    gavat_op_unref(op);
    close_client(g);
    snprintf(text, sizeof text, "DROP DATABASE %s WITH (FORCE)", f->name);
    sql(state, text);
    snprintf(text, sizeof text, "DROP ROLE %s", f->name);
    sql(state, text);
}

/* --- beside writers --- */

typedef struct writer {
    pthread_t thread;
    const char *url;
    atomic_bool enough;
    atomic_int rows;
} writer;

static void *write_on(void *user)
{
    writer *self = user;
    while (!self->enough) {
        on_server(self->url, "BEGIN; INSERT INTO event_logs (user_id, username, event_type, message, context, level) "
                  "VALUES ('onun', NULL, 'dm', 'beside', '{}', 'INFO'); SELECT pg_sleep(0.01); COMMIT", NULL, 0);
        self->rows++;
    }
    return NULL;
}

static void it_is_taken_over_while_the_original_writes(void **state)
{
    writer self = {.url = url_of(state)};
    put_original(state);
    assert_int_equal(pthread_create(&self.thread, NULL, write_on, &self), 0);
    gavat *g = adopt(state);
    int at = self.rows;
    for (int i = 0; self.rows < at + 3 && i < 1000000; i++)
        sql(state, "SELECT 1");
    self.enough = true;
    pthread_join(self.thread, NULL);
    gavat_op *op = held(g);
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "onun";
    filter.limit = 100000;
    RUN(op, get_events, &filter);
    assert_int_equal(gavat_op_count(op), self.rows);
    gavat_op_unref(op);
}

static void *hold(void *url)
{
    on_server(url, "BEGIN; INSERT INTO sale_logs (user_id, product_type, amount) VALUES ('onun', 'vip', 1); SELECT pg_sleep(2.5); COMMIT", NULL, 0);
    return NULL;
}

static bool is_held(void *user)
{
    return number(user, "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = to_regclass('sale_logs')") > 0;
}

/* The columns want a lock that this transaction stands in the way of: others must not queue up behind the wait. */
static void a_lock_is_asked_for_again_and_again(void **state)
{
    pthread_t holder;
    put_original(state);
    assert_int_equal(pthread_create(&holder, NULL, hold, (void *)(uintptr_t)url_of(state)), 0);
    assert_true(wait_until(is_held, state));
    gavat *g = adopt(state);
    pthread_join(holder, NULL);
    gavat_sale sale = a_sale("u", "vip", "2", 1);
    DO(g, GAVAT_OK, log_sale, &sale);
    assert_int_equal(number(state, "SELECT count(*) FROM sale_logs"), 82);
}

static void *upgrade_too(void *url)
{
    upgrade(url);
    return NULL;
}

static void two_upgrades_at_once_do_it_once(void **state)
{
    pthread_t other;
    put_original(state);
    assert_int_equal(pthread_create(&other, NULL, upgrade_too, (void *)(uintptr_t)url_of(state)), 0);
    gavat *g = adopt(state);
    pthread_join(other, NULL);
    assert_int_equal(invalid(state), 0);
    expect_original_rows(g);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_row_and_value_is_as_in_the_dump),
        cmocka_unit_test(the_originals_inserts_go_on_and_are_found),
        cmocka_unit_test(our_rows_are_rows_of_the_originals),
        cmocka_unit_test(a_sequence_that_lags_is_set_past_the_largest_id),
        cmocka_unit_test(a_broken_index_is_built_anew),
        cmocka_unit_test(the_ids_of_32_bits_are_watched),
        cmocka_unit_test(a_role_without_rights_of_its_own_is_enough),
        cmocka_unit_test(it_is_taken_over_while_the_original_writes),
        cmocka_unit_test(a_lock_is_asked_for_again_and_again),
        cmocka_unit_test(two_upgrades_at_once_do_it_once),
    };
    return run_on_postgresql("postgresql_original", cases, sizeof cases / sizeof *cases);
}
