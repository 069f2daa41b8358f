/* Events on PostgreSQL, what only a server does: records that it refuses, other writers, statements that grow stale, locks, connections that are
 * ended, the original's own tables. Needs a server in TEST_EVENTS_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 1000
#define LEAST(a, b) ((a) < (b) ? (a) : (b))

static void sql(void **state, const char *statement)
{
    on_server(((fresh *)*state)->url, statement, NULL, 0);
}

static long long number(void **state, const char *statement)
{
    char text[100];
    on_server(((fresh *)*state)->url, statement, text, sizeof text);
    return strtoll(text, NULL, 10);
}

/* --- many at once --- */

typedef struct tally {
    atomic_int good, refused, other;
    int sent;
    char said[300];
} tally;

static void count(gavat_op *op, void *user)
{
    tally *of = user;
    gavat_status status = gavat_op_status(op);
    if (status != GAVAT_OK)
        snprintf(of->said, sizeof of->said, "%s", gavat_op_error(op)->message);
    atomic_fetch_add(status == GAVAT_OK ? &of->good : status == GAVAT_EREJECTED ? &of->refused : &of->other, 1);       /* last: it is waited for */
}

static void send_many(gavat *g, tally *of, int from, int to, const char *user)
{
    for (int i = from; i < to; i++) {
        char message[40];
        snprintf(message, sizeof message, "row %d.", i);
        gavat_event event = an_event(user, "note", message, i);
        gavat_op *op = gavat_op_new_wait(g, count, of, 10000);
        assert_non_null(op);
        gavat_log_event(op, &event);
    }
    of->sent += to - from;
}

static void flush(gavat *g)
{
    gavat_op *op = held(g);
    gavat_flush(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
}

static bool all_counted(void *user)
{
    const tally *of = user;
    return of->good + of->refused + of->other == of->sent;
}

static void records_that_a_check_refuses_are_found_and_the_others_land(void **state)
{
    gavat *g = client_of(state);
    tally of = {.good = 0};
    sql(state, "ALTER TABLE event_logs ADD CHECK (message NOT LIKE 'row %7.' OR message NOT SIMILAR TO 'row (7|107|217|307|407|587|997).');"
        "CREATE SEQUENCE statements;"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''statements''); RETURN NULL; END';"
        "CREATE TRIGGER note BEFORE INSERT ON event_logs FOR EACH STATEMENT EXECUTE FUNCTION note()");
    send_many(g, &of, 0, MANY, "u");
    assert_true(wait_until(all_counted, &of));
    assert_int_equal(of.good, MANY - 7);
    assert_int_equal(of.refused, 7);
    assert_int_equal(of.other, 0);
    assert_non_null(strstr(of.said, "check constraint"));
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), MANY - 7);
    assert_true(number(state, "SELECT last_value FROM statements") <= 150);
}

static void an_import_names_what_a_check_refuses(void **state)
{
    gavat *g = client_of(state);
    gavat_batch *batch = gavat_batch_new(g);
    uint64_t index = 0;
    sql(state, "ALTER TABLE event_logs ADD CHECK (message <> 'bad')");
    for (int i = 0; i < 2500; i++) {
        gavat_event event = an_event("u", "note", i == 1234 || i == 2001 ? "bad" : "good", i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    gavat_op *op = held(g);
    RUN(op, import_batch, batch);
    assert_int_equal(gavat_op_number(op), 2498);
    assert_non_null(strstr(gavat_op_rejected(op, 0, &index), "23514"));
    assert_int_equal(index, 1234);
    assert_non_null(gavat_op_rejected(op, 1, &index));
    assert_int_equal(index, 2001);
    assert_null(gavat_op_rejected(op, 2, NULL));
    gavat_op_unref(op);
    DO(g, GAVAT_EREJECTED, commit_batch, batch);
    gavat_batch_free(batch);
}

static void another_unique_index_is_no_reason_to_swallow_a_record(void **state)
{
    gavat *g = client_of(state);
    sql(state, "CREATE UNIQUE INDEX ON event_logs_before (message)");
    log_one(g, "u", "once", 1);
    gavat_event event = an_event("v", "note", "once", 2);
    DO(g, GAVAT_EREJECTED, log_event, &event);
    DO(g, GAVAT_EREJECTED, log_event, &event);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), 1);
}

static void a_narrower_column_refuses_and_does_not_cut(void **state)
{
    gavat *g = client_of(state);
    tally of = {.good = 0};
    sql(state, "ALTER TABLE event_logs ALTER message TYPE varchar(7)");
    send_many(g, &of, 95, 105, "u");
    assert_true(wait_until(all_counted, &of));
    assert_int_equal(of.good, 5);
    assert_int_equal(of.refused, 5);
}

/* --- others on the same tables --- */

static bool all_folded(void *user)
{
    return number(user, "SELECT count(*) FROM event_logs WHERE folded IS NULL") == 0;
}

static void rows_of_another_program_are_found_and_folded_later(void **state)
{
    gavat *g = client_of(state);
    gavat_op *op = held(g);
    sql(state, "INSERT INTO event_logs (user_id, event_type, message, context, level) SELECT 'o', 'eski', 'IŞIK ' || n, '{}', 'INFO' "
        "FROM generate_series(1, 700) n");
    RUN(op, search_events, "isik 69", NULL);
    assert_int_equal(gavat_op_count(op), 11);
    gavat_op_unref(op);
    g = reopen(state, NULL);
    assert_true(wait_until(all_folded, state));
    op = held(g);
    RUN(op, search_events, "isik 69", NULL);
    assert_int_equal(gavat_op_count(op), 11);
    assert_null(gavat_op_event(op, 0)->uid);
    gavat_op_unref(op);
}

static void tables_that_are_changed_under_us_go_on_working(void **state)
{
    gavat *g = client_of(state);
    gavat_op *op = held(g);
    for (int i = 0; i < 3; i++) {
        log_one(g, "u", "before", i);
        DO(g, GAVAT_OK, get_events, NULL);
    }
    sql(state, "ALTER TABLE event_logs ALTER user_id TYPE text; ALTER TABLE event_logs ADD COLUMN more text");
    log_one(g, "u", "after", 5);
    RUN(op, get_events, NULL);
    assert_records(op, "after before before before");
    gavat_op_unref(op);
}

static void sessions_set_by_two_clients_lose_no_key(void **state)
{
    gavat *g = client_of(state), *h = open_client(((fresh *)*state)->url, NULL);
    gavat_op *op = held(g);
    for (int i = 0; i < 100; i++) {
        char extra[40];
        snprintf(extra, sizeof extra, "{\"k%d\": %d}", i, i);
        gavat_session session = a_session("u");
        session.extra_data = extra;
        gavat_op *one = gavat_op_new_wait(i % 2 ? g : h, NULL, NULL, 10000);
        gavat_set_session(one, &session);
    }
    flush(g);
    flush(h);
    RUN(op, get_session, "u");
    for (int i = 0; i < 100; i++) {
        char path[40], wanted[10];
        snprintf(path, sizeof path, "extra_data.k%d", i);
        snprintf(wanted, sizeof wanted, "%d", i);
        assert_json(op, 0, path, wanted);
    }
    gavat_op_unref(op);
    close_client(h);
}

typedef struct opener {
    pthread_t thread;
    const char *url;
    gavat *g;
} opener;

static void *open_one(void *user)
{
    opener *self = user;
    self->g = open_client(self->url, NULL);
    return NULL;
}

static void several_clients_may_find_the_database_empty_at_once(void **state)
{
    opener openers[4];
    sql(state, "DROP TABLE event_logs, sale_logs, message_records, user_sessions, gavat_schema");
    for (int i = 0; i < 4; i++) {
        openers[i] = (opener){.url = ((fresh *)*state)->url};
        assert_int_equal(pthread_create(&openers[i].thread, NULL, open_one, &openers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(openers[i].thread, NULL);
    for (int i = 0; i < 4; i++) {
        log_one(openers[i].g, "u", "m", i);
        close_client(openers[i].g);
    }
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), 4);
}

/* --- faults --- */

static void connections_that_the_server_ends_lose_nothing(void **state)
{
    fresh *f = *state;
    tally of = {.good = 0};
    int rows = (int)at_scale(20000);
    char url[600], end[200];
    snprintf(url, sizeof url, "%.500s&application_name=%s", f->url, f->name);
    snprintf(end, sizeof end, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '%s' "
             "AND pid <> pg_backend_pid()", f->name);
    gavat *g = open_client(url, NULL);
    for (int i = 0; i < rows; i += rows / 10) {
        send_many(g, &of, i, LEAST(i + rows / 10, rows), i % 3 ? "u" : "v");
        sql(state, end);
    }
    assert_true(wait_until(all_counted, &of));
    close_client(g);
    if (of.good != rows)
        fail_msg("%d of %d: %s", of.good, rows, of.said);
    assert_int_equal(number(state, "SELECT count(*) FROM event_logs"), rows);
    assert_int_equal(number(state, "SELECT count(DISTINCT message) FROM event_logs"), rows);
}

static void *hold_lock(void *user)
{
    opener *self = user;
    on_server(self->url, "BEGIN; LOCK TABLE event_logs IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1.5); COMMIT", NULL, 0);
    return NULL;
}

static void a_lock_holds_up_its_own_ops_only_and_not_for_good(void **state)
{
    static const char *const two[] = {"GAVAT_POSTGRES_CONNECTIONS", "4", "GAVAT_EVENTS_SPOOL", "off", NULL};
    gavat *g = reopen(state, two);
    gavat_op *late = held(g), *op = held(g);
    log_one(g, "u", "before", 1);
    pthread_t holder;
    opener self = {.url = ((fresh *)*state)->url};
    assert_int_equal(pthread_create(&holder, NULL, hold_lock, &self), 0);
    for (int i = 0; number(state, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
                           "AND relation = to_regclass('event_logs')") == 0 && i < 1000; i++)
        ;
    gavat_event event = an_event("u", "note", "late", 2);
    gavat_op_set_timeout(late, 300);
    gavat_log_event(late, &event);
    assert_int_equal(gavat_op_wait(late), GAVAT_ETIMEDOUT);
    assert_true(gavat_op_error(late)->flags & GAVAT_ERROR_MAYBE_APPLIED);
    DO(g, GAVAT_OK, get_sales, NULL);
    pthread_join(holder, NULL);
    log_one(g, "u", "after", 3);
    RUN(op, get_events, NULL);
    assert_string_equal(gavat_op_event(op, 0)->message, "after");
    gavat_op_unref(late);
    gavat_op_unref(op);
}

static void a_read_only_database_is_told(void **state)
{
    gavat *g = client_of(state);
    char url[600];
    log_one(g, "u", "a", 1);
    snprintf(url, sizeof url, "%.500s%s", ((fresh *)*state)->url, "%20-cdefault_transaction_read_only%3Don");
    static const char *const alone[] = {"GAVAT_EVENTS_SPOOL", "off", NULL};
    gavat *reader = open_client(url, alone);
    gavat_event event = an_event("u", "note", "b", 2);
    gavat_op *op = held(reader), *seen = held(reader);
    gavat_log_event(op, &event);
    expect_status(op, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    expect_words(op, "read-only", __FILE__, __LINE__);
    assert_string_equal(gavat_op_error(op)->native, "25006");
    RUN(seen, get_events, NULL);
    assert_records(seen, "a");
    gavat_op_unref(op);
    gavat_op_unref(seen);
    close_client(reader);
}

static void expect_no_opening(const char *url, gavat_status status, const char *words)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", url);
    gavat_config_set(cfg, "GAVAT_EVENTS_SPOOL", "off");
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, status, __FILE__, __LINE__);
    expect_words(op, words, __FILE__, __LINE__);
    assert_null(strstr(gavat_op_error(op)->message, "geheim"));
    DO(g, status, get_events, NULL);
    gavat_op_unref(op);
    close_client(g);
}

static void what_keeps_it_from_opening_is_said(void **state)
{
    const char *host = strchr(((fresh *)*state)->url, '@');
    char url[600];
    snprintf(url, sizeof url, "postgresql://nobody:geheim%s", host);
    expect_no_opening(url, GAVAT_EUNAVAIL, "login");
    snprintf(url, sizeof url, "%.*s/nowhere", (int)strcspn(strstr(((fresh *)*state)->url, "//") + 2, "/") + 13, ((fresh *)*state)->url);
    expect_no_opening(url, GAVAT_EUNAVAIL, "no such database");
    expect_no_opening("postgresql://u:geheim@127.0.0.1:1/d", GAVAT_EUNAVAIL, "cannot be reached");
    expect_no_opening("postgresql://u:geheim@nowhere.invalid/d", GAVAT_EUNAVAIL, "nowhere.invalid");
}

/* The first address takes connections and says nothing. */
static void a_host_that_does_not_answer_is_passed_over(void **state)
{
    fresh *f = *state;
    char url[600];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(silent, 50), 0);
    getsockname(silent, (struct sockaddr *)&at, &length);
    const char *host = strchr(f->url, '@') + 1;
    snprintf(url, sizeof url, "%.*s127.0.0.1:%d,%.400s", (int)(host - f->url), f->url, (int)ntohs(at.sin_port), host);
    gavat *g = open_client(url, NULL);
    log_one(g, "u", "m", 1);
    close_client(g);
    close(silent);
}

/* --- schema --- */

static void older_tables_are_only_changed_when_told_to(void **state)
{
    fresh *f = *state;
    sql(state, "DROP TABLE gavat_schema; ALTER TABLE event_logs DROP COLUMN uid, DROP COLUMN folded; "
        "INSERT INTO event_logs (user_id, event_type, message) VALUES ('o', 'eski', 'IŞIK')");
    close_client(f->g);
    f->g = NULL;
    expect_no_opening(f->url, GAVAT_ESCHEMA, "gavatctl init");
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", f->url);
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    f->g = g;
    gavat_op *open = held(g), *dry = held(g), *done = held(g), *after = held(g), *op = held(g);
    gavat_open(open);
    expect_status(open, GAVAT_ESCHEMA, __FILE__, __LINE__);
    RUN(dry, upgrade_schema, 1);
    assert_true(gavat_op_count(dry) >= 4);
    assert_json(dry, 0, "result", "would do");
    RUN(done, upgrade_schema, 0);
    assert_int_equal(gavat_op_count(done), gavat_op_count(dry));
    gavat_get_schema(after);
    expect_status(after, GAVAT_OK, __FILE__, __LINE__);
    assert_json(after, 0, "state", "up to date");
    log_one(g, "u", "ışık", 1);
    RUN(op, search_events, "isik", NULL);
    assert_records(op, "IŞIK ışık");
    gavat_op *ops[] = {open, dry, done, after, op};
    for (int i = 0; i < 5; i++)
        gavat_op_unref(ops[i]);
}

static void tables_of_a_newer_library_and_of_strangers_are_let_be(void **state)
{
    fresh *f = *state;
    sql(state, "UPDATE gavat_schema SET version = 99, oldest_reader = 99");
    close_client(f->g);
    f->g = NULL;
    expect_no_opening(f->url, GAVAT_ESCHEMA, "newer library");
    sql(state, "UPDATE gavat_schema SET version = 99, oldest_reader = 1");
    close_client(open_client(f->url, NULL));
    sql(state, "DROP TABLE gavat_schema, sale_logs; CREATE TABLE sale_logs (id integer, user_id text)");
    expect_no_opening(f->url, GAVAT_ESCHEMA, "not of the shape");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(records_that_a_check_refuses_are_found_and_the_others_land),
        cmocka_unit_test(an_import_names_what_a_check_refuses),
        cmocka_unit_test(another_unique_index_is_no_reason_to_swallow_a_record),
        cmocka_unit_test(a_narrower_column_refuses_and_does_not_cut),
        cmocka_unit_test(rows_of_another_program_are_found_and_folded_later),
        cmocka_unit_test(tables_that_are_changed_under_us_go_on_working),
        cmocka_unit_test(sessions_set_by_two_clients_lose_no_key),
        cmocka_unit_test(several_clients_may_find_the_database_empty_at_once),
        cmocka_unit_test(connections_that_the_server_ends_lose_nothing),
        cmocka_unit_test(a_lock_holds_up_its_own_ops_only_and_not_for_good),
        cmocka_unit_test(a_read_only_database_is_told),
        cmocka_unit_test(what_keeps_it_from_opening_is_said),
        cmocka_unit_test(a_host_that_does_not_answer_is_passed_over),
        cmocka_unit_test(older_tables_are_only_changed_when_told_to),
        cmocka_unit_test(tables_of_a_newer_library_and_of_strangers_are_let_be),
    };
    return run_on_postgresql("postgresql", cases, sizeof cases / sizeof *cases);
}
