/* connection.c: rounds of statements over one connection, and the statements that it keeps prepared. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../base/memory.h"
#include <stdio.h>

#define QUIET (-1)              /* tag of a command whose result nobody asks for */
#define TIMEOUT_LEAST 1024      /* milliseconds */

/* --- sending --- */

static void doom(gv_pg_connection *connection)
{
    connection->doomed = true;
    gv_pg_hand_out(connection->self);
}

static void add_command(gv_pg_job *job, gv_pg_statement *prepares, int tag)
{
    gv_pg_round *round = &job->round;
    if (round->count == round->room) {
        size_t room = round->room * 2;
        gv_pg_command *larger = gv_resize(round->commands == round->own ? NULL : round->commands, room * sizeof *larger);
        if (!larger) {
            doom(job->on);
            return;
        }
        if (round->commands == round->own)
            memcpy(larger, round->own, sizeof round->own);
        round->commands = larger;
        round->room = room;
    }
    round->commands[round->count++] = (gv_pg_command){prepares, tag};
}

static void send_plain(gv_pg_job *job, const char *sql)
{
    add_command(job, NULL, QUIET);
    if (!PQsendQueryParams(job->on->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
        doom(job->on);
}

/* Behind a pooler a session is everybody's: what is set there ends with the transaction. Not SET LOCAL, of which the server's log says each time
 * that no transaction was begun. */
static void set_timeout_here(gv_pg_job *job, uint64_t milliseconds)
{
    char sql[80];
    snprintf(sql, sizeof sql, "SELECT set_config('statement_timeout', '%llu', true)", (unsigned long long)milliseconds);
    send_plain(job, sql);
}

/* The server gives up a little after the caller has: in powers of two, so that it is seldom set anew. */
static void set_timeout(gv_pg_job *job)
{
    gv_pg_connection *connection = job->on;
    uint64_t now = gv_clock_steady(), wanted = 0;
    if (job->due) {
        uint64_t left = job->due > now ? (job->due - now) / 1000000 : 1;
        for (wanted = TIMEOUT_LEAST; wanted < left && wanted < INT32_MAX / 2; wanted *= 2)
            ;
    }
    if (connection->self->unnamed) {
        if (wanted)
            set_timeout_here(job, wanted);
        return;
    }
    if (connection->timeout_ms == wanted)
        return;
    char sql[64];
    snprintf(sql, sizeof sql, "SET statement_timeout = %llu", (unsigned long long)wanted);
    connection->timeout_ms = wanted;
    send_plain(job, sql);
}

static void begin_round(gv_pg_job *job)
{
    gv_pg_round *round = &job->round;
    if (round->begun)
        return;
    round->begun = true;
    round->failed = false;
    round->count = round->at = 0;
    round->parts = 0;
    if (!round->commands) {
        round->commands = round->own;
        round->room = GV_PG_COMMANDS;
    }
    set_timeout(job);
}

/* NULL: it cannot be kept. */
static gv_pg_statement *find_statement(gv_pg_job *job, const char *sql)
{
    gv_pg_connection *connection = job->on;
    gv_pg_statement *oldest = NULL;
    connection->uses++;
    for (size_t i = 0; i < GV_PG_STATEMENTS; i++) {
        gv_pg_statement *kept = &connection->statements[i];
        if (kept->sql && strcmp(kept->sql, sql) == 0) {
            kept->used = connection->uses;
            return kept;
        }
        if (kept->state != GV_PG_SENT && (!oldest || kept->used < oldest->used))
            oldest = kept;
    }
    char *copy = oldest ? gv_copy_text(sql) : NULL;
    if (!copy)
        return NULL;
    if (oldest->state == GV_PG_THERE) {
        char forget[80];
        snprintf(forget, sizeof forget, "DEALLOCATE %s", oldest->name);
        send_plain(job, forget);
    }
    gv_free(oldest->sql);
    *oldest = (gv_pg_statement){.sql = copy, .used = connection->uses};
    return oldest;
}

void gv_pg_resolve(const gv_pg_params *params, const char *values[GV_PG_PARAMS], int lengths[GV_PG_PARAMS])
{
    for (int i = 0; i < params->count; i++) {
        bool inside = params->offsets[i] != SIZE_MAX;
        values[i] = inside ? gv_text_get(&params->arrays) + params->offsets[i] : params->values[i];
        lengths[i] = params->lengths[i];
        if (!inside || lengths[i])
            continue;
        size_t end = params->arrays.length;     /* an array reaches to the next one */
        for (int k = i + 1; k < params->count && end == params->arrays.length; k++)
            if (params->offsets[k] != SIZE_MAX)
                end = params->offsets[k];
        lengths[i] = (int)(end - params->offsets[i]);
    }
}

static void send_command(gv_pg_job *job, const char *sql, const gv_pg_params *params, int tag, bool keep)
{
    const char *values[GV_PG_PARAMS];
    int lengths[GV_PG_PARAMS];
    gv_pg_connection *connection = job->on;
    begin_round(job);
    if (params->failed || params->arrays.length > INT32_MAX) {
        doom(connection);
        return;
    }
    gv_pg_resolve(params, values, lengths);
    gv_pg_statement *statement = keep && !connection->self->unnamed ? find_statement(job, sql) : NULL;
    if (statement && statement->state == GV_PG_NOT_THERE) {
        /* A name says which statement it is: a pooler that nobody noticed cannot make it run another one's. */
        snprintf(statement->name, sizeof statement->name, "gavat_%016llx_%llu", (unsigned long long)gv_slice_hash(gv_slice_of(sql)),
                 (unsigned long long)++connection->names);
        statement->state = GV_PG_SENT;
        add_command(job, statement, QUIET);
        if (!PQsendPrepare(connection->pg, statement->name, sql, params->count, params->types))
            doom(connection);
    }
    add_command(job, NULL, tag);
    int sent = statement ? PQsendQueryPrepared(connection->pg, statement->name, params->count, values, lengths, params->formats, 1)
                         : PQsendQueryParams(connection->pg, sql, params->count, params->types, values, lengths, params->formats, 1);
    if (!sent)
        doom(connection);
}

void gv_pg_send(gv_pg_job *job, const char *sql, const gv_pg_params *params, int tag)
{
    send_command(job, sql, params, tag, true);
}

void gv_pg_send_once(gv_pg_job *job, const char *sql, const gv_pg_params *params, int tag)
{
    send_command(job, sql, params, tag, false);
}

/* A sync in the midst of a round. */
static void part(gv_pg_job *job)
{
    if (!job->round.count)
        return;
    if (PQpipelineSync(job->on->pg))
        job->round.parts++;
    else
        doom(job->on);
}

void gv_pg_send_alone(gv_pg_job *job, const char *sql, unsigned lock_seconds)
{
    char limit[64];
    gv_pg_connection *connection = job->on;
    bool limited = lock_seconds && !connection->self->unnamed;  /* behind a pooler it would stay in somebody's session */
    begin_round(job);
    snprintf(limit, sizeof limit, "SET lock_timeout = '%us'", lock_seconds);
    if (limited)
        send_plain(job, limit);
    part(job);
    add_command(job, NULL, QUIET);
    if (!sql || !PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
        doom(connection);
    if (!limited)
        return;
    part(job);
    send_plain(job, "RESET lock_timeout");
}

static void flush(gv_pg_connection *connection)
{
    int left = PQflush(connection->pg);
    if (left < 0)
        doom(connection);
    else
        gv_pg_watch_socket(connection, left ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

void gv_pg_sync(gv_pg_job *job)
{
    gv_pg_connection *connection = job->on;
    begin_round(job);
    gv_list_append(&connection->rounds, &job->round.link);
    connection->round_count++;
    connection->heavy_count += job->heavy;
    job->sent = true;
    if (!PQpipelineSync(connection->pg))
        doom(connection);
    else
        flush(connection);
}

/* --- receiving --- */

static void end_round(gv_pg_connection *connection, gv_pg_job *job, const gv_pg_failure *lost)
{
    gv_pg_round *round = &job->round;
    gv_pg_failure failure = lost ? *lost : round->failure;
    bool failed = lost || round->failed;
    gv_list_remove(&round->link);
    connection->round_count--;
    connection->heavy_count -= job->heavy;
    if (round->commands != round->own)
        gv_free(round->commands);
    round->commands = NULL;
    round->begun = false;
    if (failed)
        connection->timeout_ms = UINT64_MAX;    /* a SET is undone with its transaction */
    else
        gv_pg_note_answer(connection->self);
    job->ended(job, failed ? &failure : NULL);
}

void gv_pg_end_rounds(gv_pg_connection *connection, const gv_pg_failure *failure)
{
    gv_link *link;
    while ((link = gv_list_first(&connection->rounds)))
        end_round(connection, GV_CONTAINER(link, gv_pg_job, round.link), failure);
}

void gv_pg_forget_statements(gv_pg_connection *connection)
{
    for (size_t i = 0; i < GV_PG_STATEMENTS; i++) {
        gv_free(connection->statements[i].sql);
        connection->statements[i] = (gv_pg_statement){0};
    }
}

static void note_prepared(gv_pg_statement *statement, bool there)
{
    if (statement->state == GV_PG_SENT)
        statement->state = there ? GV_PG_THERE : GV_PG_NOT_THERE;
}

/* One result of the oldest round. True: it was the round's last. */
static bool take_result(gv_pg_job *job, const PGresult *result)
{
    gv_pg_round *round = &job->round;
    const gv_pg_command *command = round->at < round->count ? &round->commands[round->at] : NULL;
    gv_pg_statement *prepares = command ? command->prepares : NULL;
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        if (!round->parts)
            return true;
        round->parts--;
        return false;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        if (prepares)
            note_prepared(prepares, true);
        else if (command && command->tag != QUIET && job->result && !round->failed)
            job->result(job, command->tag, result);
        return false;
    default:
        if (prepares)
            note_prepared(prepares, false);
        if (!round->failed && PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
            round->failed = true;
            memset(&round->failure, 0, sizeof round->failure);
            gv_pg_describe(&round->failure, result, job->on->pg);
            round->failure.tag = command ? command->tag : QUIET;
        }
        return false;
    }
}

/* False: the connection is gone. */
static bool take_results(gv_pg_connection *connection)
{
    gv_link *link;
    bool nothing = false;
    while ((link = gv_list_first(&connection->rounds)) && !PQisBusy(connection->pg)) {
        gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, round.link);
        PGresult *result = PQgetResult(connection->pg);
        if (!result) {
            if (nothing)
                return true;    /* not to be had yet */
            nothing = true;
            job->round.at++;
            continue;
        }
        nothing = false;
        bool last = take_result(job, result);
        PQclear(result);
        if (PQstatus(connection->pg) == CONNECTION_BAD) {
            gv_pg_lose(connection, job->round.failed ? &job->round.failure : NULL);
            return false;
        }
        if (last)
            end_round(connection, job, NULL);
    }
    return true;
}

void gv_pg_receive(gv_pg_connection *connection, bool readable)
{
    if (readable && !PQconsumeInput(connection->pg)) {
        take_results(connection);       /* what the server said before it went */
        if (connection->state == GV_PG_READY)
            gv_pg_lose(connection, NULL);
        return;
    }
    if (take_results(connection) && connection->state == GV_PG_READY)
        flush(connection);
    gv_pg_hand_out(connection->self);
}
