/* connect.c: from a name to a socket, without blocking, and back. */
#include "redis.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE UINT64_C(2000000000)   /* nanoseconds for one address, its greeting included */
#define BROKEN UINT64_C(1000000000)     /* down for so long: ops are not kept waiting any more */
#define BACKOFF_LEAST 25                /* milliseconds, doubled by each failure */
#define BACKOFF_MOST 1000

struct gv_redis_socket {
    uv_poll_t poll;
    gv_redis *self;
    gv_redis_node *node;        /* NULL: let go of */
    int fd;
    bool writable;              /* is waited for */
};

struct gv_redis_lookup {
    uv_getaddrinfo_t request;
    gv_redis *self;
    gv_redis_node *node;        /* NULL: nobody waits for it any more */
};

static void dial(gv_redis_node *node);

/* --- the socket's handle --- */

static void on_socket_closed(uv_handle_t *handle)
{
    gv_redis_socket *socket = handle->data;
    gv_redis *self = socket->self;
    close(socket->fd);
    gv_free(socket);
    gv_redis_handle_closed(self);
}

static void drop_socket(gv_redis_node *node)
{
    gv_redis_socket *socket = node->socket;
    if (!socket)
        return;
    node->socket = NULL;
    socket->node = NULL;
    uv_poll_stop(&socket->poll);
    shutdown(socket->fd, SHUT_RDWR);
    uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
}

int gv_redis_descriptor(const gv_redis_node *node)
{
    return node->socket->fd;
}

/* --- losing it --- */

static void hang_up(gv_redis_node *node)
{
    drop_socket(node);
    if (node->lookup) {
        node->lookup->node = NULL;
        uv_cancel((uv_req_t *)&node->lookup->request);
        node->lookup = NULL;
    }
    if (node->reader)
        redisReaderFree(node->reader);
    node->reader = NULL;
    gv_text_free(&node->out);
    node->out_at = 0;
    node->state = GV_REDIS_DOWN;
    node->doomed = node->leaving = node->unread = false;
    node->greetings = 0;
}

static void set_back(gv_redis_node *node)
{
    uint64_t now = gv_clock_steady();
    uint32_t doubled = node->backoff_ms ? node->backoff_ms * 2 : BACKOFF_LEAST;
    node->backoff_ms = doubled < BACKOFF_MOST ? doubled : BACKOFF_MOST;
    uint64_t jitter = (now / 1000 * UINT64_C(2654435761) + node->port) % (node->backoff_ms / 2 + 1);
    node->retry_at = now + UINT64_C(1000000) * (node->backoff_ms / 2 + jitter);
}

static void note_down(gv_redis *self, const gv_redis_failure *failure)
{
    uint64_t now = gv_clock_steady();
    self->why = *failure;
    if (!self->down_since)
        self->down_since = now;
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, failure->text);
    if (!failure->final && now - self->down_since < BROKEN)
        return;
    if (!self->broken)
        gv_log(self->store->client, GAVAT_LOG_ERROR, "state", "%s cannot be reached: calls fail at once until it is there again (%s)",
               self->store->shown, failure->text);
    self->broken = true;
    gv_redis_fail_waiting(self, failure);
}

static void end_sent(gv_redis_node *node, const gv_redis_failure *failure)
{
    gv_link *link;
    gv_list ended;
    gv_list_init(&ended);
    gv_list_move(&ended, &node->sent);
    node->sent_count = 0;
    while ((link = gv_list_take(&ended))) {
        gv_redis_call *call = GV_CONTAINER(link, gv_redis_call, link);
        call->kind->fail(call, failure);
    }
}

/* The attempt to connect came to nothing: the next address, or later again. */
static void connect_failed(gv_redis_node *node, const gv_redis_failure *failure)
{
    gv_redis *self = node->self;
    gv_redis_failure kept = *failure;
    unsigned address = node->address + 1, count = node->address_count;
    hang_up(node);
    end_sent(node, &kept);
    if (!kept.final && !*kept.code && address < count && !self->closing) {
        node->address = address;
        dial(node);
        return;
    }
    set_back(node);
    note_down(self, &kept);
    if (self->opening && strcmp(kept.code, "LOADING") != 0)
        gv_redis_opened(self, &kept);
    gv_redis_hand_out(self);
}

void gv_redis_lose(gv_redis_node *node, const gv_redis_failure *failure)
{
    gv_redis *self = node->self;
    gv_redis_failure kept = *failure;
    if (node->state != GV_REDIS_READY) {
        connect_failed(node, failure);
        return;
    }
    kept.lost = true;
    hang_up(node);
    if (!self->closing)
        gv_log(self->store->client, GAVAT_LOG_WARN, "state", "the connection to %s was lost: %s", self->store->shown, kept.text);
    set_back(node);
    node->retry_at = gv_clock_steady();         /* the first attempt at once */
    if (!self->closing)
        note_down(self, &kept);
    end_sent(node, &kept);
    gv_redis_hand_out(self);
}

void gv_redis_give_up(gv_redis_node *node)
{
    gv_redis_failure failure = {.status = GAVAT_EUNAVAIL, .flags = GAVAT_ERROR_RETRY, .text = "the server does not answer"};
    connect_failed(node, &failure);
}

void gv_redis_close_node(gv_redis_node *node)
{
    gv_redis_failure failure = {.status = GAVAT_EUNAVAIL, .lost = true, .text = "the client is being closed"};
    hang_up(node);
    end_sent(node, &failure);
}

bool gv_redis_connecting_late(const gv_redis_node *node, uint64_t now)
{
    bool connecting = node->state == GV_REDIS_RESOLVING || node->state == GV_REDIS_CONNECTING || node->state == GV_REDIS_GREETING;
    return connecting && now - node->started > PATIENCE;
}

/* --- connecting --- */

static void fail_errno(gv_redis_node *node, const char *doing, int code)
{
    gv_redis_failure failure = {.status = GAVAT_EUNAVAIL, .flags = GAVAT_ERROR_RETRY};
    snprintf(failure.text, sizeof failure.text, "%s %s:%u: %s", doing, node->host, node->port, strerror(code));
    gv_redis_lose(node, &failure);
}

static void connected(gv_redis_node *node)
{
    int code = 0, one = 1;
    socklen_t size = sizeof code;
    getsockopt(node->socket->fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code) {
        fail_errno(node, "connecting to", code);
        return;
    }
    setsockopt(node->socket->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(node->socket->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    node->reader = redisReaderCreate();
    if (!node->reader) {
        fail_errno(node, "connecting to", ENOMEM);
        return;
    }
    node->state = GV_REDIS_GREETING;
    gv_redis_watch(node, false);
    gv_redis_greet(node);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    gv_redis_socket *socket = poll->data;
    gv_redis_node *node = socket->node;
    if (!node)
        return;
    if (node->state == GV_REDIS_CONNECTING) {
        connected(node);
        return;
    }
    if (events & UV_WRITABLE)
        gv_redis_flush(node);
    if (status < 0 || events & UV_READABLE)
        gv_redis_receive(node);
    gv_redis_hand_out(socket->self);
}

void gv_redis_watch(gv_redis_node *node, bool writable)
{
    gv_redis_socket *socket = node->socket;
    bool connecting = node->state == GV_REDIS_CONNECTING;
    if (!connecting && uv_is_active((uv_handle_t *)&socket->poll) && socket->writable == writable)
        return;
    socket->writable = writable;
    uv_poll_start(&socket->poll, connecting ? UV_WRITABLE : writable ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_socket);
}

static void dial(gv_redis_node *node)
{
    const struct sockaddr_storage *address = &node->addresses[node->address];
    socklen_t size = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    node->state = GV_REDIS_CONNECTING;
    node->started = gv_clock_steady();
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    gv_redis_socket *made = fd >= 0 ? gv_alloc_zero(sizeof *made) : NULL;
    if (!made || uv_poll_init(node->self->store->client->loop, &made->poll, fd)) {
        int code = fd < 0 ? errno : ENOMEM;
        gv_free(made);
        if (fd >= 0)
            close(fd);
        fail_errno(node, "a socket for", code);
        return;
    }
    made->poll.data = made;
    made->self = node->self;
    made->node = node;
    made->fd = fd;
    node->socket = made;
    node->self->handles++;
    if (connect(fd, (const struct sockaddr *)address, size) && errno != EINPROGRESS) {
        fail_errno(node, "connecting to", errno);
        return;
    }
    gv_redis_watch(node, true);
}

static void add_address(gv_redis_node *node, const void *given, size_t size)
{
    const struct sockaddr *address = given;
    if (node->address_count == GV_REDIS_ADDRESSES)
        return;
    struct sockaddr_storage *kept = &node->addresses[node->address_count++];
    memcpy(kept, address, size);
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)kept)->sin6_port = htons(node->port);
    else
        ((struct sockaddr_in *)(void *)kept)->sin_port = htons(node->port);
}

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    gv_redis_lookup *lookup = request->data;
    gv_redis *self = lookup->self;
    gv_redis_node *node = lookup->node;
    for (struct addrinfo *at = found; node && at; at = at->ai_next)
        if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
            add_address(node, at->ai_addr, at->ai_addrlen);
    uv_freeaddrinfo(found);
    gv_free(lookup);
    if (node) {
        gv_redis_failure failure = {.status = GAVAT_EUNAVAIL, .flags = GAVAT_ERROR_RETRY};
        node->lookup = NULL;
        snprintf(failure.text, sizeof failure.text, "the host %s was not found: %s", node->host, status ? uv_strerror(status) : "no address");
        if (node->address_count)
            dial(node);
        else
            connect_failed(node, &failure);
    }
    gv_redis_handle_closed(self);
}

static void look_up(gv_redis_node *node)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    gv_redis_lookup *lookup = gv_alloc_zero(sizeof *lookup);
    if (!lookup) {
        fail_errno(node, "looking up", ENOMEM);
        return;
    }
    lookup->request.data = lookup;
    lookup->self = node->self;
    lookup->node = node;
    int code = uv_getaddrinfo(node->self->store->client->loop, &lookup->request, on_addresses, node->host, NULL, &hints);
    if (code) {
        gv_free(lookup);
        fail_errno(node, "looking up", -code);
        return;
    }
    node->lookup = lookup;
    node->self->handles++;
}

void gv_redis_want(gv_redis_node *node)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    uint64_t now = gv_clock_steady();
    if (node->state != GV_REDIS_DOWN || node->self->closing || now < node->retry_at)
        return;
    node->state = GV_REDIS_RESOLVING;
    node->started = now;
    node->address = node->address_count = 0;
    if (!uv_ip4_addr(node->host, node->port, &four))
        add_address(node, &four, sizeof four);
    else if (!uv_ip6_addr(node->host, node->port, &six))
        add_address(node, &six, sizeof six);
    if (node->address_count)
        dial(node);
    else
        look_up(node);
}

void gv_redis_greeted(gv_redis_node *node)
{
    gv_redis *self = node->self;
    node->state = GV_REDIS_READY;
    node->backoff_ms = 0;
    if (self->down_since)
        gv_log(self->store->client, GAVAT_LOG_INFO, "state", "%s is there again", self->store->shown);
    self->down_since = 0;
    self->broken = false;
    gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
    if (self->opening)
        gv_redis_opened(self, NULL);
    gv_redis_hand_out(self);
}
