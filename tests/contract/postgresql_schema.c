/* What the events area makes of a database: months of partitions, an upgrade beside writers, the original's tables taken over. Needs a server in
 * TEST_EVENTS_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <pthread.h>

#define MONTH (31 * DAY)

static const char *url_of(void **state)
{
    return ((fresh *)*state)->url;
}

static void sql(void **state, const char *statement)
{
    on_server(url_of(state), statement, NULL, 0);
}

static long long number(void **state, const char *statement)
{
    char text[100];
    on_server(url_of(state), statement, text, sizeof text);
    return strtoll(text, NULL, 10);
}

static long long partitions(void **state, const char *table)
{
    char text[200];
    snprintf(text, sizeof text, "SELECT count(*) FROM pg_inherits WHERE inhparent = '%s'::regclass", table);
    return number(state, text);
}

/* --- months --- */

static void new_tables_have_a_partition_for_each_month_ahead(void **state)
{
    static const char *const year[] = {"GAVAT_POSTGRES_PARTITIONS", "12", NULL};
    client_of(state);
    const char *tables[] = {"event_logs", "sale_logs", "message_records"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(partitions(state, tables[i]), 3);      /* what was before, this month, the next */
    assert_int_equal(number(state, "SELECT count(*) FROM pg_class WHERE relname = to_char(now() AT TIME ZONE 'UTC', '\"event_logs\"_YYYYMM') "
                            "AND relnamespace = current_schema()::regnamespace"), 1);
    sql(state, "DROP TABLE event_logs, sale_logs, message_records, user_sessions, gavat_schema, gavat_schema_steps");
    reopen(state, year);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(partitions(state, tables[i]), 14);
}

static gavat_time next_year;

static gavat_time ahead(void *user)
{
    (void)user;
    return next_year;
}

static gavat_time now_of(void **state)
{
    return number(state, "SELECT extract(epoch FROM now())::bigint") * SECOND;
}

static void log_at(gavat *g, const char *message, gavat_time time)
{
    gavat_event event = an_event("u", "note", message, 0);
    event.timestamp = time;
    DO(g, GAVAT_OK, log_event, &event);
}

static void a_month_that_has_none_gets_its_partition_by_the_first_record(void **state)
{
    next_year = now_of(state) + 400 * DAY;
    set_clock_of_next(ahead);
    sql(state, "INSERT INTO event_logs (user_id, event_type, message) VALUES ('o', 'note', 'now')");
    ((fresh *)*state)->g = reopen(state, (const char *const[]){"GAVAT_POSTGRES_PARTITIONS", "0", NULL});
    gavat *g = client_of(state);
    long long before = partitions(state, "event_logs");
    log_at(g, "next year", next_year);
    log_at(g, "after it", next_year + 1);
    assert_int_equal(partitions(state, "event_logs"), before + 1);
    assert_int_equal(partitions(state, "sale_logs"), 3);
    gavat_batch *batch = gavat_batch_new(g);
    gavat_sale sale = a_sale("u", "vip", "1", 0);
    gavat_message message = a_message("b", "dm", "m", 0);
    gavat_session session = a_session("u");
    sale.created_at = next_year;
    message.timestamp = next_year;
    assert_int_equal(gavat_batch_add_sale(batch, &sale), GAVAT_OK);
    assert_int_equal(gavat_batch_add_message(batch, &message), GAVAT_OK);
    assert_int_equal(gavat_batch_add_session(batch, &session), GAVAT_OK);
    DO(g, GAVAT_OK, commit_batch, batch);
    gavat_batch_free(batch);
    assert_int_equal(partitions(state, "sale_logs"), 4);
    assert_int_equal(partitions(state, "message_records"), 4);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "after it next year now");
    gavat_op_unref(op);
}

static void records_of_many_months_land_however_many_partitions_lack(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    sql(state, "DROP TABLE event_logs_before");
    for (int i = 0; i < 300; i++) {
        gavat_event event = an_event("u", "note", "m", 0);
        event.timestamp = T0 + i % 10 * MONTH + i;
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    gavat_op *op = held(g), *read = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 300);
    assert_null(gavat_op_rejected(op, 0, NULL));
    assert_int_equal(partitions(state, "event_logs"), 12);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 1000;
    RUN(read, get_events, &filter);
    assert_int_equal(gavat_op_count(read), 300);
    gavat_op_unref(op);
    gavat_op_unref(read);
    gavat_batch_free(batch);
}

/* A table of that name which an administrator detached is his: the month gets one by another name. */
static void a_detached_month_is_let_be(void **state)
{
    gavat *g = client_of(state);
    log_at(g, "kept", now_of(state));
    sql(state, "DO $$ DECLARE t text := to_char(now() AT TIME ZONE 'UTC', '\"event_logs\"_YYYYMM'); "
        "BEGIN EXECUTE 'ALTER TABLE event_logs DETACH PARTITION ' || t; EXECUTE 'ALTER TABLE ' || t || ' RENAME TO kept'; "
        "EXECUTE 'CREATE TABLE ' || t || ' AS SELECT * FROM kept'; END $$");
    log_at(g, "new", now_of(state));
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "new");
    assert_int_equal(number(state, "SELECT count(*) FROM kept"), 1);
    gavat_op_unref(op);
}

static void a_role_that_may_not_make_it_says_so(void **state)
{
    char text[500], *name = ((fresh *)*state)->name;
    next_year = now_of(state) + 400 * DAY;
    set_clock_of_next(ahead);
    snprintf(text, sizeof text, "CREATE ROLE %s LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA %s TO %s; "
             "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %s", name, name, name, name, name);
    sql(state, text);
    snprintf(text, sizeof text, "postgresql://%s:x%s", name, strchr(url_of(state), '@'));
    gavat *g = open_client(text, NULL);
    gavat_event event = an_event("u", "note", "m", 0);
    gavat_op *op = held(g), *now = held(g), *health = held(g);
    RUN(now, log_event, &event);
    event.timestamp = next_year;
    gavat_log_event(op, &event);
    expect_status(op, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    expect_words(op, "lacks a right", __FILE__, __LINE__);
    gavat_op_unref(op);
    gavat_op_unref(now);
    gavat_op_unref(health);
    close_client(g);
    snprintf(text, sizeof text, "DROP OWNED BY %s; DROP ROLE %s", name, name);
    sql(state, text);
}

/* --- prune --- */

/* Ten rows in each of six months of 2026, each with a partition. */
static void fill_months(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    sql(state, "DROP TABLE event_logs_before");
    for (int i = 0; i < 60; i++) {
        char message[10];
        snprintf(message, sizeof message, "%d", i / 10 + 1);
        gavat_event event = an_event("u", "note", message, 0);
        event.timestamp = T0 + (i / 10) * 2629800 * SECOND + (i % 10) * DAY + DAY;      /* a twelfth of a year */
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
}

static void expect_pruned(gavat *g, gavat_time before, int64_t gone)
{
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 15000);
    RUN(op, prune_events, before);
    assert_int_equal(gavat_op_number(op), gone);
    gavat_op_unref(op);
}

static void months_that_are_over_go_with_their_partitions(void **state)
{
    gavat *g = client_of(state);
    fill_months(state);
    sql(state, "CREATE TABLE deleted (n int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO deleted VALUES (1); RETURN NULL; END'; "
        "CREATE TRIGGER note AFTER DELETE ON event_logs FOR EACH ROW EXECUTE FUNCTION note()");
    assert_int_equal(partitions(state, "event_logs"), 8);
    expect_pruned(g, T0 + 95 * DAY, 33);        /* to April 6th: three months and three rows */
    assert_int_equal(partitions(state, "event_logs"), 5);
    assert_int_equal(number(state, "SELECT count(*) FROM deleted"), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), 27);
    assert_int_equal(number(state, "SELECT count(*) FROM pg_class WHERE relname LIKE 'event\\_logs\\_2026%' AND relkind = 'r' "
                            "AND relnamespace = current_schema()::regnamespace"), 5);
    expect_pruned(g, T0 + 95 * DAY, 0);
    log_at(g, "again", T0);     /* its month is made anew */
    assert_int_equal(partitions(state, "event_logs"), 6);
    expect_pruned(g, T0 + 40 * DAY, 1);
}

static void what_was_before_the_first_month_goes_row_by_row(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 20; i++)
        log_one(g, "u", "m", i);
    expect_pruned(g, T0 + 10 * SECOND, 10);
    expect_pruned(g, now_of(state) - 62 * DAY, 10);
    assert_int_equal(partitions(state, "event_logs"), 3);
}

/* Another prune was cut off: its table is marked. One without the mark is somebody's archive. */
static void a_prune_that_was_cut_off_is_taken_up(void **state)
{
    gavat *g = client_of(state);
    fill_months(state);
    sql(state, "COMMENT ON TABLE event_logs_202601 IS 'gavatcore: being pruned'; ALTER TABLE event_logs DETACH PARTITION event_logs_202601; "
        "ALTER TABLE event_logs DETACH PARTITION event_logs_202602");
    expect_pruned(g, T0 + 61 * DAY, 10);
    assert_int_equal(number(state, "SELECT (to_regclass('event_logs_202601') IS NULL)::int"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs_202602"), 10);
}

static void *read_long(void *url)
{
    on_server(url, "BEGIN; SELECT count(*) FROM event_logs; SELECT pg_sleep(3.5); COMMIT", NULL, 0);
    return NULL;
}

static bool is_read(void *user)
{
    return number(user, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3.5)%' AND pid <> pg_backend_pid()") > 0;
}

static void a_long_reader_is_waited_for_and_holds_nobody_up(void **state)
{
    pthread_t reader;
    gavat *g = client_of(state);
    fill_months(state);
    assert_int_equal(pthread_create(&reader, NULL, read_long, (void *)(uintptr_t)url_of(state)), 0);
    assert_true(wait_until(is_read, state));
    gavat_op *op = held(g);
    gavat_op_set_timeout(op, 15000);
    gavat_prune_events(op, T0 + 31 * DAY);
    for (int i = 0; i < 20; i++) {
        gavat_op *one = held(g);
        gavat_event event = an_event("u", "note", "beside", 0);
        event.timestamp = now_of(state);
        gavat_op_set_timeout(one, 1000);
        RUN(one, log_event, &event);
        gavat_op_unref(one);
    }
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(op), 10);
    assert_int_equal(partitions(state, "event_logs"), 7);
    gavat_op_unref(op);
    pthread_join(reader, NULL);
}

/* --- upgrades --- */

/* A library with a later schema has been here and says that ours may stay. */
static void two_versions_of_the_library_share_a_database(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 1);
    sql(state, "UPDATE gavat_schema SET version = 99, oldest_reader = 1; "
        "ALTER TABLE event_logs ADD COLUMN mood text DEFAULT 'good', ADD COLUMN extra jsonb; CREATE INDEX ON event_logs (mood); "
        "ALTER TABLE sale_logs ADD COLUMN rebate numeric; INSERT INTO gavat_schema_steps VALUES ('events', 'column event_logs.mood', 'f00')");
    log_one(g, "u", "b", 2);
    g = reopen(state, NULL);
    log_one(g, "u", "c", 3);
    gavat_sale sale = a_sale("u", "vip", "5", 1);
    DO(g, GAVAT_OK, log_sale, &sale);
    gavat_op *op = held(g), *schema = held(g), *done = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "c b a");
    RUN(done, upgrade_schema, 0);
    assert_int_equal(gavat_op_count(done), 0);
    assert_int_equal(number(state, "SELECT version FROM gavat_schema"), 99);
    gavat_get_schema(schema);
    expect_status(schema, GAVAT_OK, __FILE__, __LINE__);
    assert_json(schema, 0, "version", "99");
    assert_json(schema, 0, "state", "up to date");
    gavat_op_unref(op);
    gavat_op_unref(schema);
    gavat_op_unref(done);
}

static void a_step_that_was_made_in_another_form_is_told(void **state)
{
    gavat *g = client_of(state);
    gavat_op *before = held(g), *after = held(g);
    gavat_get_schema(before);
    expect_status(before, GAVAT_OK, __FILE__, __LINE__);
    assert_json(before, 0, "changed", "[]");
    sql(state, "UPDATE gavat_schema_steps SET checksum = 'f00' WHERE step = 'index event_logs (timestamp)'");
    gavat_get_schema(after);
    expect_status(after, GAVAT_OK, __FILE__, __LINE__);
    assert_json(after, 0, "changed", "[\"index event_logs (timestamp)\"]");
    gavat_op_unref(before);
    gavat_op_unref(after);
}

static void a_search_index_comes_later_partition_by_partition(void **state)
{
    static const char *const off[] = {"GAVAT_EVENTS_SEARCH_INDEX", "off", NULL};
    sql(state, "DROP TABLE event_logs, sale_logs, message_records, user_sessions, gavat_schema, gavat_schema_steps");
    gavat *g = reopen(state, off);
    log_one(g, "u", "IŞIK", 1);
    log_at(g, "ışıl", now_of(state));
    assert_int_equal(number(state, "SELECT count(*) FROM pg_class WHERE relname = 'gavat_event_logs_search' "
                            "AND relnamespace = current_schema()::regnamespace"), 0);
    g = reopen(state, NULL);
    gavat_op *done = held(g), *op = held(g);
    RUN(done, upgrade_schema, 0);
    assert_int_equal(gavat_op_count(done), 2);
    assert_int_equal(number(state, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'gavat_event_logs_search'::regclass"), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid "
                            "WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace"), 0);
    RUN(op, search_events, "isi", NULL);
    assert_records(op, "ışıl IŞIK");
    gavat_op_unref(done);
    gavat_op_unref(op);
}

static bool none_stale(void *user)
{
    return number(user, "SELECT count(*) FROM event_logs WHERE folded LIKE E'\\x1f\\x1e%' OR folded IS NULL") == 0;
}

static void what_another_table_of_folding_folded_is_found_and_folded_anew(void **state)
{
    gavat *g = client_of(state);
    for (int i = 0; i < 20; i++)
        log_one(g, "u", "IŞIK", i);
    sql(state, "UPDATE event_logs SET folded = E'\\x1f\\x1e\\x1d\\x1cother words' WHERE extract(second FROM timestamp)::int % 2 = 0");
    gavat_op *op = held(g), *again = held(g);
    RUN(op, search_events, "isik", NULL);
    assert_int_equal(gavat_op_count(op), 20);
    g = reopen(state, NULL);
    assert_true(wait_until(none_stale, state));
    gavat_op_unref(again);
    again = held(g);
    RUN(again, search_events, "isik", NULL);
    assert_int_equal(gavat_op_count(again), 20);
    gavat_op_unref(op);
    gavat_op_unref(again);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(new_tables_have_a_partition_for_each_month_ahead),
        cmocka_unit_test(a_month_that_has_none_gets_its_partition_by_the_first_record),
        cmocka_unit_test(records_of_many_months_land_however_many_partitions_lack),
        cmocka_unit_test(a_detached_month_is_let_be),
        cmocka_unit_test(a_role_that_may_not_make_it_says_so),
        cmocka_unit_test(months_that_are_over_go_with_their_partitions),
        cmocka_unit_test(what_was_before_the_first_month_goes_row_by_row),
        cmocka_unit_test(a_prune_that_was_cut_off_is_taken_up),
        cmocka_unit_test(a_long_reader_is_waited_for_and_holds_nobody_up),
        cmocka_unit_test(two_versions_of_the_library_share_a_database),
        cmocka_unit_test(a_step_that_was_made_in_another_form_is_told),
        cmocka_unit_test(a_search_index_comes_later_partition_by_partition),
        cmocka_unit_test(what_another_table_of_folding_folded_is_found_and_folded_anew),
    };
    return run_on_postgresql("postgresql_schema", cases, sizeof cases / sizeof *cases);
}
