#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server.h"
#include <stdio.h>
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
#else
void on_server(const char *url, const char *sql, char *out, size_t room)
{
    (void)url;
    (void)out;
    (void)room;
    fail_msg("built without libpq: %s", sql);
}
#endif

static void run(const char *url, const char *begin, const char *name, const char *end)
{
    char sql[200];
    if (strncmp(url, "postgres", 8) != 0)
        return;
    snprintf(sql, sizeof sql, "%s%s%s", begin, name, end);
    on_server(url, sql, NULL, 0);
}

void make_schema(const char *url, const char *name)
{
    run(url, "CREATE SCHEMA ", name, "");
}

void drop_schema(const char *url, const char *name)
{
    run(url, "DROP SCHEMA ", name, " CASCADE");
}
