/* What other programs may leave in the file of a state store, and do to it while it is used. Stores of SQLite only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include <sqlite3.h>
#include <unistd.h>

/* The file of the case's store; the case is skipped where there is none. */
static const char *file_of(void **state)
{
    const fresh *f = *state;
    if (strncmp(f->url, "sqlite:///", 10) != 0)
        skip();
    return f->url + 10;
}

static void run_sql(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static int64_t count_of(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return count;
}

static void expect_text(gavat *g, const char *key, const char *wanted, int line)
{
    gavat_op *op = held(g);
    gavat_get_state(op, "u", key);
    expect_status(op, GAVAT_OK, __FILE__, line);
    _assert_string_equal(gavat_op_text(op, NULL), wanted, __FILE__, line);
    gavat_op_unref(op);
}

static void values_of_any_type_are_read_as_text(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    run_sql(file, "INSERT INTO gavat_state (user_id, key, value, expires) VALUES ('u', 'number', 42, NULL), ('u', 'real', 1.5, NULL), "
                  "('u', 'blob', x'6162', NULL), ('u', 'none', NULL, NULL), ('u', 'when', 'v', 'soon'), ('u', 'counter:n', 7, NULL), "
                  "('u', 'far', 'v', 9223372036854775807), ('u', 'past', 'v', -5), ('u', 'a:b:c', 'odd', NULL)");
    expect_text(g, "number", "42", __LINE__);
    expect_text(g, "real", "1.5", __LINE__);
    expect_text(g, "blob", "ab", __LINE__);
    expect_text(g, "none", "", __LINE__);
    expect_text(g, "when", "v", __LINE__);
    expect_text(g, "far", "v", __LINE__);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "past");
    gavat_op *add = held(g), *list = held(g), *clear = held(g);
    RUN(add, add_counter, "u", "n", 1, 0);
    assert_int_equal(gavat_op_number(add), 8);
    RUN(list, list_state, "u");
    assert_int_equal(gavat_op_count(list), 8);
    assert_string_equal(gavat_op_state(list, 0)->key, "a:b:c");
    RUN(clear, clear_state, "u");
    assert_int_equal(gavat_op_number(clear), 8);
    gavat_op_unref(add);
    gavat_op_unref(list);
    gavat_op_unref(clear);
}

static void a_value_of_another_shape_is_refused_and_left_alone(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, push_list, "u", "l", "item", 0);
    run_sql(file, "INSERT INTO gavat_state (user_id, key, value, length, head) VALUES ('u', 'list:t', 'text', NULL, NULL), "
                  "('u', 'list', NULL, 1, 0), ('u', 'counter:l', NULL, 1, 0), ('u', 'counter:t', '1x', NULL, NULL), "
                  "('u', 'counter:z', '007', NULL, NULL), ('u', 'limit:t', 'text', NULL, NULL), ('u', 'cooldown:t', 'text', NULL, NULL)");
    int64_t before = count_of(file, "SELECT sum(length(key) + coalesce(length(value), 0)) FROM gavat_state");
    DO(g, GAVAT_EINVAL, get_state, "u", "list");
    DO(g, GAVAT_EINVAL, compare_and_set_state, "u", "list", NULL, "v", 0);
    DO(g, GAVAT_EINVAL, add_counter, "u", "l", 1, 0);
    DO(g, GAVAT_EINVAL, add_counter, "u", "t", 1, 0);
    DO(g, GAVAT_EINVAL, add_counter, "u", "z", 1, 0);
    DO(g, GAVAT_EINVAL, get_counter, "u", "t");
    DO(g, GAVAT_EINVAL, try_limit, "u", "t", 1, 1000, 0);
    DO(g, GAVAT_EINVAL, push_list, "u", "t", "v", 0);
    DO(g, GAVAT_EINVAL, get_list, "u", "t", 0, -1);
    assert_int_equal(count_of(file, "SELECT sum(length(key) + coalesce(length(value), 0)) FROM gavat_state"), before);
    gavat_op *check = held(g), *reset = held(g);
    RUN(check, check_cooldown, "u", "t");       /* without expiry it is none, as its TTL on Redis would say */
    assert_int_equal(gavat_op_number(check), 0);
    RUN(reset, reset_counter, "u", "t");
    assert_int_equal(gavat_op_number(reset), 0);
    DO(g, GAVAT_OK, set_state, "u", "list", "now a text", 0);
    expect_text(g, "list", "now a text", __LINE__);
    gavat_op_unref(check);
    gavat_op_unref(reset);
}

static void damaged_lists_give_what_is_left_of_them(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    for (int i = 0; i < 6; i++) {
        char value[2] = {(char)('a' + i), 0};
        DO(g, GAVAT_OK, push_list, "u", "l", value, 0);
    }
    run_sql(file, "DELETE FROM gavat_state_items WHERE value IN ('c', 'f')");
    gavat_op *op = held(g), *push = held(g), *all = held(g);
    RUN(op, get_list, "u", "l", 0, -1);
    assert_int_equal(gavat_op_count(op), 4);
    assert_string_equal(gavat_op_state(op, 0)->value, "e");
    run_sql(file, "UPDATE gavat_state SET length = -3");
    RUN(push, push_list, "u", "l", "g", 0);
    assert_int_equal(gavat_op_number(push), 1);
    run_sql(file, "UPDATE gavat_state SET length = 9223372036854775807");
    DO(g, GAVAT_OK, get_list, "u", "l", 0, -1);
    DO(g, GAVAT_OK, push_list, "u", "l", "h", 3);
    RUN(all, get_list, "u", "l", 0, -1);
    assert_in_range(gavat_op_count(all), 2, 3);
    assert_string_equal(gavat_op_state(all, 0)->value, "h");
    DO(g, GAVAT_OK, clear_state, "u");
    assert_int_equal(count_of(file, "SELECT count(*) FROM gavat_state_items"), 0);
    gavat_op_unref(op);
    gavat_op_unref(push);
    gavat_op_unref(all);
}

static void items_go_with_their_list_whoever_deletes_it(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, push_list, "u", "l", "one", 0);
    DO(g, GAVAT_OK, push_list, "v", "l", "two", 0);
    run_sql(file, "DELETE FROM gavat_state WHERE user_id = 'u'");
    assert_int_equal(count_of(file, "SELECT count(*) FROM gavat_state_items"), 1);
    DO(g, GAVAT_OK, clear_state, "v");
    assert_int_equal(count_of(file, "SELECT count(*) FROM gavat_state_items"), 0);
}

/* Reads go on while another process writes; a write that ran out of time was not done, and says so. */
static void a_locked_file_is_waited_for_and_still_read(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    sqlite3 *db = NULL;
    DO(g, GAVAT_OK, set_state, "u", "k", "old", 0);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    expect_text(g, "k", "old", __LINE__);
    gavat_op *late = held(g), *patient = held(g);
    gavat_op_set_timeout(late, 300);
    gavat_set_state(late, "u", "k", "late", 0);
    expect_status(late, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
    assert_int_equal(gavat_op_error(late)->flags & GAVAT_ERROR_MAYBE_APPLIED, 0);
    gavat_set_state(patient, "u", "k", "new", 0);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_status(patient, GAVAT_OK, __FILE__, __LINE__);
    expect_text(g, "k", "new", __LINE__);
    gavat_op_unref(late);
    gavat_op_unref(patient);
}

/* closed refuses, open allows; what is wrong with the arguments never does. */
static void a_store_that_cannot_be_asked_decides_as_the_setting_says(void **state)
{
    static const char *const settings[][3] = {{NULL}, {"GAVAT_WITHOUT_STATE", "open", NULL}};
    const char *file = file_of(state);
    for (int i = 0; i < 2; i++) {
        gavat *g = reopen(state, settings[i]);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
        sqlite3_busy_timeout(db, 5000);
        assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        gavat_op *limit = held(g), *cooldown = held(g), *wrong = held(g), *set = held(g);
        gavat_op_set_timeout(limit, 200);
        gavat_op_set_timeout(cooldown, 200);
        gavat_op_set_timeout(set, 200);
        gavat_try_limit(limit, "u", "a", 1, 1000, 0);
        gavat_try_cooldown(cooldown, "u", "a", 1000);
        gavat_set_state(set, "u", "k", "v", 0);
        gavat_try_limit(wrong, "u", "a", 0, 1000, 0);
        expect_status(limit, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
        expect_status(cooldown, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
        expect_status(set, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
        expect_status(wrong, GAVAT_EINVAL, __FILE__, __LINE__);
        assert_int_equal(gavat_op_decision(limit)->allowed, i);
        assert_int_equal(gavat_op_decision(cooldown)->allowed, i);
        assert_int_equal(gavat_op_decision(set)->allowed, 0);
        assert_int_equal(gavat_op_decision(wrong)->allowed, 0);
        gavat_op_unref(limit);
        gavat_op_unref(cooldown);
        gavat_op_unref(set);
        gavat_op_unref(wrong);
        assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
    }
}

static void what_another_process_writes_is_seen_at_once(void **state)
{
    const fresh *f = *state;
    file_of(state);
    gavat *g = f->g, *other = open_client(f->url, NULL);
    for (int i = 0; i < 20; i++) {
        gavat_op *one = held(g), *two = held(other);
        RUN(one, add_counter, "u", "n", 1, 0);
        RUN(two, add_counter, "u", "n", 1, 0);
        assert_int_equal(gavat_op_number(one), 2 * i + 1);
        assert_int_equal(gavat_op_number(two), 2 * i + 2);
        gavat_op_unref(one);
        gavat_op_unref(two);
    }
    close_client(other);
}

static void say_nothing(int32_t level, const char *area, const char *text, void *user)
{
    (void)level;
    (void)area;
    (void)text;
    (void)user;
}

static void a_file_that_was_replaced_is_opened_anew(void **state)
{
    const char *file = file_of(state);
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 0);
    gavat_set_log(g, GAVAT_LOG_ERROR, say_nothing, NULL);
    assert_int_equal(unlink(file), 0);
    DO(g, GAVAT_ENOTFOUND, get_state, "u", "k");
    DO(g, GAVAT_OK, set_state, "u", "k", "w", 0);
    assert_int_equal(count_of(file, "SELECT count(*) FROM gavat_state"), 1);
    expect_text(g, "k", "w", __LINE__);
}

static void expect_no_open(const fresh *f, gavat_status status, const char *words)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "off");
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", f->url);
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, status, __FILE__, __LINE__);
    expect_words(op, words, __FILE__, __LINE__);
    gavat_op_unref(op);
    close_client(g);
}

static void a_file_of_somebody_else_or_of_a_newer_library_is_left_alone(void **state)
{
    fresh *f = *state;
    const char *file = file_of(state);
    close_client(f->g);
    f->g = NULL;
    run_sql(file, "UPDATE gavat_schema SET version = 9, oldest_reader = 9");
    expect_no_open(f, GAVAT_ESCHEMA, "newer library");
    run_sql(file, "UPDATE gavat_schema SET version = 9, oldest_reader = 1");
    f->g = open_client(f->url, NULL);
    DO(f->g, GAVAT_OK, set_state, "u", "k", "v", 0);
    close_client(f->g);
    f->g = NULL;
    run_sql(file, "DROP TABLE gavat_state; CREATE TABLE gavat_state (name TEXT)");
    expect_no_open(f, GAVAT_ESCHEMA, "gavat_state");
    assert_int_equal(count_of(file, "SELECT count(*) FROM gavat_state"), 0);
}

static void the_doctor_and_the_schema_speak_of_the_store(void **state)
{
    gavat *g = client_of(state);
    if (strncmp(((const fresh *)*state)->url, "redis", 5) == 0)
        skip();                 /* its doctor speaks of the server */
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 0);
    gavat_op *doctor = held(g), *schema = held(g), *upgrade = held(g);
    gavat_check_stores(doctor);
    expect_status(doctor, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_number(doctor), 0);
    bool keys = false;
    for (size_t i = 0; i < gavat_op_count(doctor); i++) {
        char check[40], figure[200];
        assert_json(doctor, i, "store", "state");
        gavat_json_copy(gavat_op_json(doctor, i, NULL), "check", check, sizeof check);
        gavat_json_copy(gavat_op_json(doctor, i, NULL), "figure", figure, sizeof figure);
        keys = keys || (strcmp(check, "keys") == 0 && strcmp(figure, "1") == 0);
    }
    assert_true(keys);
    gavat_get_schema(schema);
    expect_status(schema, GAVAT_OK, __FILE__, __LINE__);
    assert_json(schema, 0, "state", "up to date");
    gavat_upgrade_schema(upgrade, 0);
    expect_status(upgrade, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(upgrade), 0);
    gavat_op_unref(doctor);
    gavat_op_unref(schema);
    gavat_op_unref(upgrade);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(values_of_any_type_are_read_as_text),
        cmocka_unit_test(a_value_of_another_shape_is_refused_and_left_alone),
        cmocka_unit_test(damaged_lists_give_what_is_left_of_them),
        cmocka_unit_test(items_go_with_their_list_whoever_deletes_it),
        cmocka_unit_test(a_locked_file_is_waited_for_and_still_read),
        cmocka_unit_test(a_store_that_cannot_be_asked_decides_as_the_setting_says),
        cmocka_unit_test(what_another_process_writes_is_seen_at_once),
        cmocka_unit_test(a_file_that_was_replaced_is_opened_anew),
        cmocka_unit_test(a_file_of_somebody_else_or_of_a_newer_library_is_left_alone),
        cmocka_unit_test(the_doctor_and_the_schema_speak_of_the_store),
    };
    return run_on_state("state_foreign", cases, sizeof cases / sizeof *cases);
}
