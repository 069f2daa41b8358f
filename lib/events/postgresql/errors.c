/* errors.c: SQLSTATEs in the library's words, and what can be done about them. */
#include "postgresql.h"
#include <stdio.h>

#define TRIES 10

typedef struct gv_pg_code {
    const char *state;          /* the first letters; the longer ones come first */
    gavat_status status;
    bool again;
    const char *advice;
} gv_pg_code;

static const gv_pg_code codes[] = {
    {"22", GAVAT_EREJECTED, false, "the store refuses this record"},
    {"23", GAVAT_EREJECTED, false, "the store refuses this record"},
    {"44", GAVAT_EREJECTED, false, "the store refuses this record"},
    {"P0", GAVAT_EREJECTED, false, "the store refuses this record"},
    {"40", GAVAT_EUNAVAIL, true, "it collided with another transaction: try again"},
    {"55", GAVAT_EUNAVAIL, true, "what it needs is locked by another transaction: try again"},
    {"53100", GAVAT_EIO, true, "the server's disk is full: free some space there, then try again"},
    {"53300", GAVAT_EUNAVAIL, true, "the server has no connection left: raise its max_connections, or lower GAVAT_POSTGRES_CONNECTIONS"},
    {"53", GAVAT_EUNAVAIL, true, "the server is short of memory or space: try again"},
    {"57014", GAVAT_ETIMEDOUT, true, "the server ended the statement, for its time was up: give it more time, or narrow what it selects"},
    {"57", GAVAT_EUNAVAIL, true, "the server is being shut down or started: try again"},
    {"08001", GAVAT_EUNAVAIL, true, "the server cannot be reached: check that it runs, and the host and port in the URL"},
    {"08", GAVAT_EUNAVAIL, true, "the connection was lost: check that the server runs, then try again"},
    {"25006", GAVAT_EUNAVAIL, true, "the server is read-only: name the primary, or several hosts, in the URL"},
    {"25", GAVAT_EUNAVAIL, true, "the server refuses the transaction: try again"},
    {"28", GAVAT_EUNAVAIL, false, "the server refuses the login: check user, password and the server's pg_hba.conf"},
    {"3D", GAVAT_EUNAVAIL, false, "there is no such database: create it (createdb), or correct the URL"},
    {"42501", GAVAT_EUNAVAIL, false, "the role lacks a right: grant it, see the page on PostgreSQL"},
    {"42", GAVAT_ESCHEMA, false, "the tables are not as expected: run gavatctl schema status, then gavatctl init"},
    {"3F", GAVAT_ESCHEMA, false, "the schema of the search_path does not exist: create it, then run gavatctl init"},
    {"0A", GAVAT_ESCHEMA, true, "the tables were changed meanwhile: try again"},
    {"26", GAVAT_ESCHEMA, true, "the server forgot a prepared statement: try again"},
    {"54", GAVAT_EREJECTED, false, "the record is too large for the store"},
    {"XX001", GAVAT_ECORRUPT, false, "the server reports damaged data: restore a backup"},
    {"XX002", GAVAT_ECORRUPT, false, "the server reports a damaged index: REINDEX it"},
    {"", GAVAT_EIO, false, "the server reports an error that is not expected here: look at its log"},
};

static const gv_pg_code *find_code(const char *state)
{
    size_t i = 0;
    while (strncmp(state, codes[i].state, strlen(codes[i].state)) != 0)
        i++;
    return &codes[i];
}

gavat_status gv_pg_status(const gv_pg_failure *failure)
{
    return failure->lost ? GAVAT_EUNAVAIL : find_code(failure->state)->status;
}

bool gv_pg_is_refusal(const gv_pg_failure *failure)
{
    return !failure->lost && find_code(failure->state)->status == GAVAT_EREJECTED;
}

bool gv_pg_is_passing(const gv_pg_failure *failure)
{
    return !failure->lost && strncmp(failure->state, "40", 2) == 0;
}

bool gv_pg_is_stale(const gv_pg_failure *failure)
{
    static const char *const states[] = {"0A000", "26000", "42P05"};
    for (size_t i = 0; !failure->lost && i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], failure->state) == 0)
            return true;
    return false;
}

bool gv_pg_is_final(const gv_pg_failure *failure)
{
    return strncmp(failure->state, "28", 2) == 0 || strncmp(failure->state, "3D", 2) == 0;
}

bool gv_pg_again(gv_pg_job *job, const gv_pg_failure *failure, bool harmless)
{
    if (job->self->closing || (job->wanted && !job->wanted(job)) || ++job->tries > TRIES)
        return false;
    if (failure->lost) {
        job->on = NULL;
        return harmless;
    }
    if (gv_pg_is_stale(failure)) {
        gv_pg_forget_statements(job->on);
        if (job->tries > 2)
            job->self->unnamed = true;
        return true;
    }
    return gv_pg_is_passing(failure);
}

static void copy_line(char *out, size_t room, const char *text)
{
    size_t length = 0;
    for (; *text && length + 1 < room; text++)
        out[length++] = *text == '\n' || *text == '\t' ? ' ' : *text;
    while (length && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
}

void gv_pg_describe(gv_pg_failure *failure, const PGresult *result, PGconn *pg)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *text = primary ? primary : result ? PQresultErrorMessage(result) : pg ? PQerrorMessage(pg) : "";
    snprintf(failure->state, sizeof failure->state, "%s", state ? state : "");
    /* A CHECK names itself, a missing partition only its table: so in any language. */
    failure->no_partition = strcmp(failure->state, "23514") == 0 && !PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME)
                            && PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    copy_line(failure->text, sizeof failure->text, *text ? text : "the server said nothing");
}

void gv_pg_fail(gavat_op *op, const gv_pg_failure *failure, uint32_t flags, const char *doing)
{
    const gv_pg_code *known = find_code(failure->lost && !*failure->state ? "08" : failure->state);
    gavat_status status = failure->lost && known->status == GAVAT_EIO ? GAVAT_EUNAVAIL : known->status;
    if (failure->lost || known->again)
        flags |= GAVAT_ERROR_RETRY;
    gv_op_fail(op, status, flags, failure->state, "events: %s (%s, while %s %s)", known->advice, failure->text, doing, op->store->shown);
}

char *gv_pg_reason(const gv_pg_failure *failure, char *out, size_t room)
{
    snprintf(out, room, "%s (%s, %s)", find_code(failure->state)->advice, failure->state, failure->text);
    return out;
}
