#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "original.h"
#include "server.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef GV_WITH_POSTGRESQL
#include <libpq-fe.h>

static void ignore(void *user, const char *message)
{
    (void)user;
    (void)message;
}

void on_server(const char *url, const char *sql, char *out, size_t room)
{
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("the test's server: %s", PQerrorMessage(pg));
    PQsetNoticeProcessor(pg, ignore, NULL);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    if (out)
        snprintf(out, room, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
}

struct visitor {
    PGconn *pg;
};

visitor *visit_server(const char *url)
{
    visitor *own = malloc(sizeof *own);
    assert_non_null(own);
    own->pg = PQconnectdb(url);
    if (PQstatus(own->pg) != CONNECTION_OK)
        fail_msg("the test's server: %s", PQerrorMessage(own->pg));
    PQsetNoticeProcessor(own->pg, ignore, NULL);
    return own;
}

void visitor_does(visitor *own, const char *sql)
{
    PGresult *result = PQexec(own->pg, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(own->pg));
}

void visitor_leaves(visitor *own)
{
    PQfinish(own->pg);
    free(own);
}
#else
visitor *visit_server(const char *url)
{
    on_server(url, "", NULL, 0);
    return NULL;
}

void visitor_does(visitor *own, const char *sql)
{
    (void)own;
    on_server("", sql, NULL, 0);
}

void visitor_leaves(visitor *own)
{
    (void)own;
}

void on_server(const char *url, const char *sql, char *out, size_t room)
{
    (void)url;
    (void)out;
    (void)room;
    fail_msg("built without libpq: %s", sql);
}
#endif

#ifdef GV_WITH_REDIS
#include <hiredis/hiredis.h>

void find_database(const char *pattern, char out[16])
{
    char host[64], password[64] = "";
    int port;
    snprintf(out, 16, "0");
    if (sscanf(pattern, "redis://:%63[^@]@%63[^:]:%d", password, host, &port) != 3)
        return;
    redisContext *redis = redisConnect(host, port);
    if (!redis || redis->err)
        fail_msg("the test's Redis: %s", redis ? redis->errstr : "no memory");
    freeReplyObject(redisCommand(redis, "AUTH %s", password));
    redisReply *next = redisCommand(redis, "INCR databases");
    if (!next || next->type != REDIS_REPLY_INTEGER)
        fail_msg("the test's Redis: %s", next && next->str ? next->str : redis->errstr);
    int number = (int)(1 + (next->integer - 1) % (TEST_REDIS_DATABASES - 1));
    snprintf(out, 16, "%d", number);
    freeReplyObject(next);
    freeReplyObject(redisCommand(redis, "SELECT %d", number));
    freeReplyObject(redisCommand(redis, "FLUSHDB"));
    redisFree(redis);
}
#else
void find_database(const char *pattern, char out[16])
{
    (void)pattern;
    snprintf(out, 16, "0");
}
#endif

void beside_store(const char *url, const char *sql)
{
    static const char scheme[] = "sqlite:///";
    sqlite3 *plain = NULL;
    char *wrong = NULL;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        on_server(url, sql, NULL, 0);
        return;
    }
    assert_int_equal(sqlite3_open(url + sizeof scheme - 1, &plain), SQLITE_OK);
    sqlite3_busy_timeout(plain, 5000);
    if (sqlite3_exec(plain, sql, NULL, NULL, &wrong) != SQLITE_OK)
        fail_msg("%s: %s", sql, wrong);
    sqlite3_close(plain);
}

/* Behind a pooler, which takes no search_path, a database stands for the schema; this is the server's first one. */
static bool is_database(const char *url, char first[600])
{
    if (strstr(url, "options="))
        return false;
    snprintf(first, 600, "%.*s/postgres", (int)(strrchr(url, '/') - url), url);
    return true;
}

void make_schema(const char *url, const char *name)
{
    char sql[200], first[600];
    if (strncmp(url, "postgres", 8) != 0)
        return;
    bool database = is_database(url, first);
    snprintf(sql, sizeof sql, database ? "CREATE DATABASE %s TEMPLATE gavat_template" : "CREATE SCHEMA %s", name);
    on_server(database ? first : url, sql, NULL, 0);
}

void drop_schema(const char *url, const char *name)
{
    char sql[200], first[600];
    if (strncmp(url, "postgres", 8) != 0)
        return;
    bool database = is_database(url, first);
    snprintf(sql, sizeof sql, database ? "DROP DATABASE %s WITH (FORCE)" : "DROP SCHEMA %s CASCADE", name);
    on_server(database ? first : url, sql, NULL, 0);
}

/* The dump with its schema's name replaced, without what only psql understands. */
static char *read_original(const char *name)
{
    char path[500], line[65536], *text = NULL;
    size_t length = 0;
    original_path(path, "postgresql.sql");
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    while (fgets(line, sizeof line, file)) {
        char *at = line, *found;
        if (*line == '\\')
            continue;
        text = realloc(text, length + 2 * sizeof line);
        assert_non_null(text);
        for (; *line != '\t' && (found = strstr(at, "public.")); at = found + strlen("public."))
            length += (size_t)sprintf(text + length, "%.*s%s.", (int)(found - at), at, name);
        length += (size_t)sprintf(text + length, "%s", at);
    }
    fclose(file);
    return text;
}

void load_original(const char *url, const char *name, bool rows)
{
    static char sql[400];
    char *text = read_original(name);
    on_server(url, text, NULL, 0);
    free(text);
    snprintf(sql, sizeof sql, "TRUNCATE %s.event_logs, %s.sale_logs, %s.message_records, %s.user_sessions RESTART IDENTITY", name, name, name, name);
    if (!rows)
        on_server(url, sql, NULL, 0);
}
