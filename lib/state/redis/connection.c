/* connection.c: calls into the socket, replies out of it. One turn of the loop takes no longer than a budget for each. */
#include "redis.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define BUDGET UINT64_C(1500000)        /* nanoseconds of a turn, for writing and for reading */
#define LOOK 32                         /* calls between two looks at the clock */
#define DEPTH 8192                      /* calls under way */
#define BUFFER ((size_t)4 << 20)        /* bytes not yet written: no more is added */
#define CHUNK 65536

static void doom(gv_redis_node *node, const char *why)
{
    if (node->doomed)
        return;
    node->doomed = true;
    node->why = (gv_redis_failure){.status = GAVAT_EUNAVAIL, .flags = GAVAT_ERROR_RETRY};
    snprintf(node->why.text, sizeof node->why.text, "%s", why);
    gv_redis_hand_out(node->self);
}

/* --- writing --- */

void gv_redis_send(gv_redis_node *node, gv_redis_call *call)
{
    char head[16];
    gv_redis *self = node->self;
    gv_text_clear(&self->scratch);
    gv_redis_words words = {.self = self, .text = &self->scratch};
    call->kind->write(call, &words);
    int length = snprintf(head, sizeof head, "*%zu\r\n", words.count);
    size_t before = node->out.length;
    gv_text_add(&node->out, head, (size_t)length);
    gv_text_add(&node->out, gv_text_get(&self->scratch), self->scratch.length);
    if (self->scratch.failed || node->out.failed) {
        if (node->out.data)
            node->out.length = before;
        gv_text_free(&self->scratch);
        doom(node, "no memory to write to the server");
    }
    call->node = node;
    call->sent_at = gv_clock_steady();
    gv_list_append(&node->sent, &call->link);
    node->sent_count++;
}

void gv_redis_flush(gv_redis_node *node)
{
    while (!node->doomed && node->out_at < node->out.length) {
        ssize_t sent = send(gv_redis_descriptor(node), node->out.data + node->out_at, node->out.length - node->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (sent < 0) {
            doom(node, strerror(errno));
            return;
        }
        node->out_at += (size_t)sent;
    }
    bool left = node->out_at < node->out.length;
    if (!left) {
        gv_text_clear(&node->out);
        node->out_at = 0;
    }
    gv_redis_watch(node, left);
}

static bool can_send(const gv_redis_node *node)
{
    return !node->doomed && !node->leaving && node->sent_count < DEPTH && node->out.length < BUFFER;
}

static gv_link *take_next(gv_redis_node *node)
{
    gv_link *link = gv_list_take(&node->again);
    return link ? link : gv_list_take(&node->waiting);
}

void gv_redis_write(gv_redis_node *node)
{
    gv_link *link;
    uint64_t until = gv_clock_steady() + BUDGET;
    for (size_t i = 1; can_send(node) && (link = take_next(node)); i++) {
        gv_redis_call *call = GV_CONTAINER(link, gv_redis_call, link);
        if (gv_redis_must_wait(call)) {
            gv_list_append(&node->self->parked, link);
            continue;
        }
        if (call->op && !call->taken && !gv_op_take(call->op)) {
            gv_redis_finish(call);
            continue;
        }
        call->taken = true;
        if (!call->slow.next && gv_redis_is_slow(call))
            gv_list_append(&node->self->slow, &call->slow);
        gv_redis_send(node, call);
        if (i % LOOK == 0 && gv_clock_steady() > until) {
            gv_redis_hand_out(node->self);
            break;
        }
    }
    if (!node->doomed)
        gv_redis_flush(node);
}

/* --- reading --- */

/* Not the call's business: true, and the call is under way again, or the connection is lost. */
static bool take_error(gv_redis_node *node, gv_redis_call *call, const redisReply *reply)
{
    gv_redis_failure failure;
    if (node->state == GV_REDIS_READY && gv_redis_is_error(reply, "NOSCRIPT") && !call->whole) {
        call->whole = true;
        gv_redis_resubmit(call);
        return true;
    }
    gv_redis_describe(&failure, reply);
    if (failure.lost && node->state == GV_REDIS_READY) {
        gv_redis_resubmit(call);        /* it was refused: not done */
        node->leaving = true;
        node->why = failure;
        return true;
    }
    if (node->state == GV_REDIS_READY && !gv_redis_is_error(reply, "WRONGTYPE")) {
        call->kind->fail(call, &failure);
        return true;
    }
    return false;
}

static void take_reply(gv_redis_node *node, const redisReply *reply)
{
    gv_link *link = gv_list_take(&node->sent);
    if (!link) {
        doom(node, "the server says what it was not asked");
        return;
    }
    gv_redis_call *call = GV_CONTAINER(link, gv_redis_call, link);
    node->sent_count--;
    if (reply->type == REDIS_REPLY_ERROR && take_error(node, call, reply))
        return;
    call->kind->reply(call, reply);
}

void gv_redis_take_replies(gv_redis_node *node)
{
    uint64_t until = gv_clock_steady() + BUDGET;
    node->unread = false;
    for (size_t i = 1; node->reader && !node->doomed; i++) {
        void *reply = NULL;
        if (redisReaderGetReply(node->reader, &reply) != REDIS_OK) {
            doom(node, "what the server says is not understood");
            return;
        }
        if (!reply)
            break;
        take_reply(node, reply);
        freeReplyObject(reply);
        if (i % LOOK == 0 && gv_clock_steady() > until) {
            node->unread = true;
            gv_redis_hand_out(node->self);
            return;
        }
    }
    if (node->leaving && !node->sent_count)
        node->doomed = true;
}

void gv_redis_receive(gv_redis_node *node)
{
    static _Thread_local char chunk[CHUNK];
    if (node->unread || node->doomed)
        return;                 /* what is there comes first */
    ssize_t got = recv(gv_redis_descriptor(node), chunk, sizeof chunk, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        doom(node, got ? strerror(errno) : "the server closed the connection");
        return;
    }
    node->heard_at = gv_clock_steady();
    if (redisReaderFeed(node->reader, chunk, (size_t)got) != REDIS_OK) {
        doom(node, "no memory for what the server says");
        return;
    }
    gv_redis_take_replies(node);
}
