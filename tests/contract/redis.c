/* State on Redis: what the Python bots left there, scripts that the server forgot, connections that break, a server that is emptied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include "../harness/proxy.h"
#include <time.h>
#ifdef GV_WITH_REDIS
#include <hiredis/hiredis.h>

/* A connection of the test's own to the database of the case; the case is skipped where the store is no Redis. */
static redisContext *beside(void **state)
{
    const fresh *f = *state;
    char host[64], password[64];
    int port, database;
    if (sscanf(f->url, "redis://:%63[^@]@%63[^:]:%d/%d", password, host, &port, &database) != 4)
        skip();
    redisContext *redis = redisConnect(host, port);
    assert_non_null(redis);
    assert_int_equal(redis->err, 0);
    freeReplyObject(redisCommand(redis, "AUTH %s", password));
    freeReplyObject(redisCommand(redis, "SELECT %d", database));
    return redis;
}

static int64_t ask(redisContext *redis, const char *command)
{
    redisReply *reply = redisCommand(redis, command);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply->str);
    int64_t number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : (int64_t)reply->elements;
    freeReplyObject(reply);
    return number;
}

/* --- what the Python bots left --- */

typedef struct left {
    char key[300], type[20], value[4000];
    int64_t ttl_ms;
} left;

static bool read_left(FILE *file, left *out)
{
    static char line[20000];
    if (!fgets(line, sizeof line, file))
        return false;
    gavat_json_copy(line, "key", out->key, sizeof out->key);
    gavat_json_copy(line, "type", out->type, sizeof out->type);
    assert_in_range(gavat_json_copy(line, "value", out->value, sizeof out->value), 0, sizeof out->value - 1);
    char ttl[24];
    gavat_json_copy(line, "ttl_ms", ttl, sizeof ttl);
    out->ttl_ms = strtoll(ttl, NULL, 10);
    return true;
}

static FILE *open_left(void)
{
    char path[500];
    snprintf(path, sizeof path, "%s/tests/data/original/redis.jsonl", getenv("TEST_SOURCE_DIR") ? getenv("TEST_SOURCE_DIR") : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

static void store_left(redisContext *redis, const left *at)
{
    char item[4000], place[16];
    if (strcmp(at->type, "list") != 0) {
        freeReplyObject(redisCommand(redis, "SET %s %s", at->key, at->value));
    } else {
        for (int i = 0; snprintf(place, sizeof place, "%d", i), gavat_json_copy(at->value, place, item, sizeof item) >= 0; i++)
            freeReplyObject(redisCommand(redis, "RPUSH %s %s", at->key, item));
    }
    if (at->ttl_ms > 0)
        freeReplyObject(redisCommand(redis, "PEXPIRE %s %lld", at->key, (long long)at->ttl_ms));
}

/* "USER:KEY" of a key, in the texts given. */
static void split_left(const left *at, char user[300], char key[300])
{
    static const char *const kinds[] = {":cooldown:", ":counter:", ":list:"};
    const char *rest = at->key + strlen("gavatcore:user:"), *colon = strrchr(rest, ':');
    if (strncmp(at->key, "gavatcore:global:", 17) == 0) {
        user[0] = '\0';
        snprintf(key, 300, "%s", at->key + 17);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        if (strstr(rest, kinds[i]))
            colon = strstr(rest, kinds[i]);
    snprintf(user, 300, "%.*s", (int)(colon - rest), rest);
    snprintf(key, 300, "%s", colon + 1);
}

static void expect_left(gavat *g, const left *at)
{
    char user[300], key[300];
    split_left(at, user, key);
    gavat_op *op = held(g), *all = held(g);
    RUN(all, list_state, *user ? user : NULL);
    const gavat_state *found = NULL;
    for (size_t i = 0; i < gavat_op_count(all); i++)
        if (strcmp(gavat_op_state(all, i)->key, key) == 0)
            found = gavat_op_state(all, i);
    if (!found)
        fail_msg("%s is not among the keys of %s", key, user);
    if (at->ttl_ms > 0)
        assert_in_range(found->expire_ms, at->ttl_ms - 20000, at->ttl_ms);
    else
        assert_int_equal(found->expire_ms, 0);
    if (strncmp(key, "counter:", 8) == 0) {
        RUN(op, get_counter, *user ? user : NULL, key + 8);
        assert_int_equal(gavat_op_number(op), strtoll(at->value, NULL, 10));
    } else if (strncmp(key, "cooldown:", 9) == 0) {
        RUN(op, check_cooldown, *user ? user : NULL, key + 9);
        assert_int_equal(gavat_op_number(op) > 0, at->ttl_ms > 0);
    } else if (strncmp(key, "list:", 5) == 0) {
        char item[4000];
        RUN(op, get_list, *user ? user : NULL, key + 5, 0, -1);
        assert_in_range(gavat_json_copy(at->value, "0", item, sizeof item), 0, sizeof item);
        assert_string_equal(gavat_op_state(op, 0)->value, item);
    } else if (!strchr(key, ':')) {
        assert_string_equal(found->value, at->value);
        RUN(op, get_state, *user ? user : NULL, key);
        assert_string_equal(gavat_op_text(op, NULL), at->value);
    }
    gavat_op_unref(op);
    gavat_op_unref(all);
}

static void what_the_python_bots_left_is_read_listed_and_expires(void **state)
{
    redisContext *redis = beside(state);
    static left at;
    ask(redis, "FLUSHDB");
    FILE *file = open_left();
    while (read_left(file, &at))
        store_left(redis, &at);
    gavat *g = reopen(state, NULL);
    rewind(file);
    size_t count = 0;
    for (; read_left(file, &at); count++)
        expect_left(g, &at);
    assert_int_equal(count, 84);
    fclose(file);
    redisFree(redis);
}

static void what_others_write_later_comes_into_the_index_by_an_upgrade(void **state)
{
    redisContext *redis = beside(state);
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_state, "u", "ours", "v", 0);
    freeReplyObject(redisCommand(redis, "SET gavatcore:user:u:theirs 1"));
    DO(g, GAVAT_OK, upgrade_schema, 0);
    gavat_op *op = held(g), *clear = held(g);
    RUN(op, list_state, "u");
    assert_int_equal(gavat_op_count(op), 2);
    RUN(clear, clear_state, "u");
    assert_int_equal(gavat_op_number(clear), 2);
    assert_int_equal(ask(redis, "DBSIZE"), 1);          /* the marker */
    gavat_op_unref(op);
    gavat_op_unref(clear);
    redisFree(redis);
}

/* The index goes with the last of its keys, and lives as long as the one that lives longest. */
static void an_index_does_not_outlive_its_keys(void **state)
{
    redisContext *redis = beside(state);
    gavat *g = client_of(state);
    DO(g, GAVAT_OK, set_state, "u", "a", "v", 50000);
    DO(g, GAVAT_OK, set_state, "u", "b", "v", 90000);
    DO(g, GAVAT_OK, set_state, "u", "c", "v", 10000);
    assert_in_range(ask(redis, "PTTL gavatcore:index:user:u"), 80000, 90000);
    DO(g, GAVAT_OK, set_state, "u", "a", "v", 0);
    assert_int_equal(ask(redis, "PTTL gavatcore:index:user:u"), -1);
    DO(g, GAVAT_OK, set_state, "u", "a", "v", 1000);
    assert_in_range(ask(redis, "PTTL gavatcore:index:user:u"), 80000, 90000);
    DO(g, GAVAT_OK, delete_state, "u", "a");
    DO(g, GAVAT_OK, delete_state, "u", "b");
    DO(g, GAVAT_OK, delete_state, "u", "c");
    assert_int_equal(ask(redis, "EXISTS gavatcore:index:user:u"), 0);
    redisFree(redis);
}

/* --- what the server forgets --- */

static void forgotten_scripts_are_sent_again(void **state)
{
    redisContext *redis = beside(state);
    gavat *g = client_of(state);
    gavat_op *ops[200];
    for (int i = 0; i < 200; i++) {
        ops[i] = held(g);
        if (i == 100)
            ask(redis, "PING"), freeReplyObject(redisCommand(redis, "SCRIPT FLUSH"));
        gavat_add_counter(ops[i], "u", "n", 1, 0);
    }
    for (int i = 0; i < 200; i++) {
        expect_status(ops[i], GAVAT_OK, __FILE__, __LINE__);
        gavat_op_unref(ops[i]);
    }
    gavat_op *op = held(g);
    RUN(op, get_counter, "u", "n");
    assert_int_equal(gavat_op_number(op), 200);
    gavat_op_unref(op);
    redisFree(redis);
}

/* --- the wire --- */

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void a_cut_at_any_byte_counts_nothing_twice(void **state)
{
    char url[600];
    redisContext *redis = beside(state);
    proxy *wire = start_proxy_for(((fresh *)*state)->url, 6379, url, sizeof url);
    gavat *g = open_client(url, NULL);
    int64_t done = 0, unknown = 0;
    for (uint64_t byte = 0; byte < 120; byte += 7) {
        for (int way = 0; way < 2; way++) {
            proxy_cut(wire, way ? PROXY_DOWN : PROXY_UP, byte, byte % 2);
            gavat_op *ops[4], *get = held(g);
            for (int i = 0; i < 4; i++)
                gavat_add_counter(ops[i] = held(g), "u", "n", 1, 0);
            gavat_get_counter(get, "u", "n");
            expect_status(get, GAVAT_OK, __FILE__, __LINE__);
            for (int i = 0; i < 4; i++) {
                gavat_status status = gavat_op_wait(ops[i]);
                done += status == GAVAT_OK;
                unknown += status != GAVAT_OK && gavat_op_error(ops[i])->flags & GAVAT_ERROR_MAYBE_APPLIED;
                gavat_op_unref(ops[i]);
            }
            gavat_op_unref(get);
            proxy_forget_cut(wire);
        }
    }
    gavat_op *op = held(g);
    RUN(op, get_counter, "u", "n");
    assert_in_range(gavat_op_number(op), done, done + unknown);
    assert_true(unknown > 0);
    gavat_op_unref(op);
    close_client(g);
    stop_proxy(wire);
    redisFree(redis);
}

static void a_silent_link_is_noticed_and_ops_end_in_time(void **state)
{
    char url[600];
    redisContext *redis = beside(state);
    proxy *wire = start_proxy_for(((fresh *)*state)->url, 6379, url, sizeof url);
    gavat *g = open_client(url, NULL);
    DO(g, GAVAT_OK, set_state, "u", "k", "v", 0);
    proxy_set(wire, PROXY_BLACK_HOLE);
    gavat_op *late = held(g), *get = held(g), *try = held(g);
    int64_t began = milliseconds();
    gavat_op_set_timeout(late, 300);
    gavat_set_state(late, "u", "k", "w", 0);
    gavat_get_state(get, "u", "k");
    expect_status(late, GAVAT_ETIMEDOUT, __FILE__, __LINE__);
    assert_true(gavat_op_error(late)->flags & GAVAT_ERROR_MAYBE_APPLIED);
    assert_in_range(milliseconds() - began, 280, 600);
    expect_status(get, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    assert_in_range(milliseconds() - began, 1000, 6000);
    began = milliseconds();
    gavat_try_cooldown(try, "u", "a", 1000);            /* by now the breaker is open */
    expect_status(try, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    assert_int_equal(gavat_op_decision(try)->allowed, 0);
    assert_in_range(milliseconds() - began, 0, 200);
    proxy_set(wire, PROXY_PASS);
    proxy_drop(wire, true);
    gavat_status status = GAVAT_EUNAVAIL;
    for (int i = 0; i < 200 && status != GAVAT_OK; i++) {
        gavat_op *again = held(g);
        gavat_get_state(again, "u", "k");
        status = gavat_op_wait(again);
        gavat_op_unref(again);
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    assert_int_equal(status, GAVAT_OK);
    gavat_op_unref(late);
    gavat_op_unref(get);
    gavat_op_unref(try);
    close_client(g);
    stop_proxy(wire);
    redisFree(redis);
}

static void a_wrong_password_is_told_at_once(void **state)
{
    redisContext *redis = beside(state);
    gavat *g = NULL;
    char url[600];
    const char *at = strchr(((fresh *)*state)->url, '@');
    snprintf(url, sizeof url, "redis://:secret%s", at);
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "off");
    gavat_config_set(cfg, "MONGODB_URI", "off");
    gavat_config_set(cfg, "REDIS_URL", url);
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_EUNAVAIL, __FILE__, __LINE__);
    expect_words(op, "password", __FILE__, __LINE__);
    assert_null(strstr(gavat_op_error(op)->message, "secret"));
    gavat_op_unref(op);
    close_client(g);
    redisFree(redis);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_the_python_bots_left_is_read_listed_and_expires),
        cmocka_unit_test(what_others_write_later_comes_into_the_index_by_an_upgrade),
        cmocka_unit_test(an_index_does_not_outlive_its_keys),
        cmocka_unit_test(forgotten_scripts_are_sent_again),
        cmocka_unit_test(a_cut_at_any_byte_counts_nothing_twice),
        cmocka_unit_test(a_silent_link_is_noticed_and_ops_end_in_time),
        cmocka_unit_test(a_wrong_password_is_told_at_once),
    };
    return run_on_state("redis", cases, sizeof cases / sizeof *cases);
}
#else
int main(void)
{
    puts("1..1\nok 1 - redis # SKIP built without hiredis");
    return 0;
}
#endif
