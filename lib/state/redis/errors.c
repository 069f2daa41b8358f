/* errors.c: what the server says when it refuses, and what that means for an op. */
#include "redis.h"
#include <stdio.h>

typedef struct known {
    const char *code;
    gavat_status status;
    bool again, lost, final;    /* lost: the connection is of no use any more */
    const char *advice;
} known;

static const known codes[] = {
    {"NOAUTH", GAVAT_EUNAVAIL, false, true, true, "it wants a password: write redis://user:password@host into REDIS_URL"},
    {"WRONGPASS", GAVAT_EUNAVAIL, false, true, true, "user or password are wrong: check REDIS_URL"},
    {"NOPERM", GAVAT_EUNAVAIL, false, false, false, "the user's ACL does not allow it: docs/redis.md lists the commands that are needed"},
    {"OOM", GAVAT_EIO, true, false, false, "its memory is full: raise maxmemory or let keys expire"},
    {"MISCONF", GAVAT_EIO, true, false, false, "it cannot save to its disk and takes no writes: look at its log"},
    {"READONLY", GAVAT_EUNAVAIL, true, true, false, "it is a replica now"},
    {"LOADING", GAVAT_EUNAVAIL, true, true, false, "it is still loading its data"},
    {"MASTERDOWN", GAVAT_EUNAVAIL, true, true, false, "it is a replica without its master"},
    {"CLUSTERDOWN", GAVAT_EUNAVAIL, true, false, false, "the cluster is down"},
    {"TRYAGAIN", GAVAT_EUNAVAIL, true, false, false, "the keys are being moved"},
    {"BUSY", GAVAT_EUNAVAIL, true, false, false, "another program's script keeps it busy"},
    {"NOREPLICAS", GAVAT_EUNAVAIL, true, false, false, "too few replicas are there for a write"},
    {"WRONGTYPE", GAVAT_EINVAL, false, false, false, "a list lies under this name: gavat_list_state shows it"},
};

static const known *find(const char *code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, code) == 0)
            return &codes[i];
    return NULL;
}

static void copy_line(char *out, size_t room, const char *text, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < room; i++)
        out[used++] = text[i] < ' ' && text[i] >= 0 ? ' ' : text[i];
    out[used] = '\0';
}

void gv_redis_describe(gv_redis_failure *failure, const redisReply *reply)
{
    size_t code = 0;
    *failure = (gv_redis_failure){.status = GAVAT_EIO};
    while (code < reply->len && code + 1 < sizeof failure->code && reply->str[code] >= 'A' && reply->str[code] <= 'Z')
        code++;
    copy_line(failure->code, sizeof failure->code, reply->str, code);
    copy_line(failure->text, sizeof failure->text, reply->str, reply->len);
    const known *is = find(failure->code);
    if (!is)
        return;
    failure->status = is->status;
    failure->flags = is->again ? GAVAT_ERROR_RETRY : 0;
    failure->lost = is->lost;
    failure->final = is->final;
}

bool gv_redis_is_error(const redisReply *reply, const char *code)
{
    size_t length = strlen(code);
    return reply->type == REDIS_REPLY_ERROR && reply->len >= length && memcmp(reply->str, code, length) == 0
           && (reply->len == length || reply->str[length] == ' ');
}

void gv_redis_fail(gavat_op *op, const gv_redis_failure *failure, uint32_t flags)
{
    const known *is = find(failure->code);
    if (failure->status == GAVAT_EINVAL && is)
        gv_op_fail(op, GAVAT_EINVAL, 0, failure->code, "state: %s", is->advice);
    else
        gv_op_fail(op, failure->status, failure->flags | flags, failure->code, "state: %s%s%s%s%s", op->store->shown, is ? ": " : "",
                   is ? is->advice : "", *failure->text ? ": " : "", failure->text);
}
