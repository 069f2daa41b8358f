/* proxy.c: one thread, one poll() a turn. The lock is held by the thread for all of a turn but its wait, and by each call, so that a call takes
 * effect between two turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 256
#define CHUNK 16384
#define HELD 1048576            /* bytes kept of one way; then nothing more is read */
#define BACKLOG 128
#define FILLERS 8

typedef struct chunk {
    struct chunk *next;
    uint64_t due;               /* nanoseconds, steady: not forwarded before that */
    size_t at, end;
    unsigned char bytes[CHUNK];
} chunk;

typedef struct flow {           /* one way of a pair: read from ends[way], written to ends[!way] */
    chunk *first, *last;
    size_t held;
    bool ended, told;           /* nothing more comes; the other side knows it */
} flow;

typedef struct pair {
    bool used, connecting, silent;
    bool deaf[2];               /* the socket has nothing but an error to tell, and not now */
    int ends[2];                /* client, server */
    flow flows[2];
} pair;

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    struct sockaddr_storage target;
    socklen_t target_length;
    int port, keeper, listener, wake[2];        /* keeper holds the port while nobody listens */
    int fillers[FILLERS];       /* -1: none; they fill the queue of a listener that takes nobody */
    proxy_mode mode;
    unsigned delay[2];
    bool stopping, cut_armed, cut_reset;
    proxy_way cut_way;
    uint64_t cut_left, bytes[2], accepted, cuts;
    pair pairs[PAIRS];
};

static uint64_t steady(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int plain_socket(int family)
{
    int on = 1, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        fail_msg("the proxy has no socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* --- pairs --- */

static void close_end(int *fd, bool reset)
{
    struct linger none = {.l_onoff = 1};
    if (*fd >= 0 && reset)
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pair(pair *at, bool reset)
{
    for (int i = 0; i < 2; i++) {
        close_end(&at->ends[i], reset);
        while (at->flows[i].first) {
            chunk *first = at->flows[i].first;
            at->flows[i].first = first->next;
            free(first);
        }
    }
    memset(at, 0, sizeof *at);
}

static void take_client(proxy *self)
{
    int on = 1, fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    pair *at = self->pairs;
    if (fd < 0)
        return;
    while (at < self->pairs + PAIRS && at->used)
        at++;
    self->accepted++;
    if (at == self->pairs + PAIRS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *at = (pair){.used = true, .connecting = true, .ends = {fd, plain_socket(self->target.ss_family)}};
    if (connect(at->ends[1], (struct sockaddr *)&self->target, self->target_length) && errno != EINPROGRESS)
        close_pair(at, true);
}

/* --- bytes --- */

static void read_some(const proxy *self, pair *at, proxy_way way)
{
    flow *of = &at->flows[way];
    chunk *new = malloc(sizeof *new);
    ssize_t got = new ? recv(at->ends[way], new->bytes, CHUNK, 0) : -1;
    if (got > 0) {
        new->next = NULL;
        new->due = steady() + UINT64_C(1000000) * self->delay[way];
        new->at = 0;
        new->end = (size_t)got;
        *(of->first ? &of->last->next : &of->first) = new;
        of->last = new;
        of->held += (size_t)got;
        return;
    }
    bool again = got < 0 && (errno == EAGAIN || errno == EINTR);
    free(new);
    if (got == 0)
        of->ended = true;
    else if (!again)
        close_pair(at, true);
}

/* True: the cut was due, and the pair is gone. */
static bool cut_now(proxy *self, pair *at, proxy_way way)
{
    if (!self->cut_armed || self->cut_way != way || self->cut_left)
        return false;
    self->cut_armed = false;
    self->cuts++;
    close_pair(at, self->cut_reset);
    return true;
}

static void write_some(proxy *self, pair *at, proxy_way way)
{
    flow *of = &at->flows[way];
    while (of->first && of->first->due <= steady()) {
        chunk *head = of->first;
        size_t size = head->end - head->at;
        if (cut_now(self, at, way))
            return;
        if (self->cut_armed && self->cut_way == way && size > self->cut_left)
            size = self->cut_left;
        ssize_t sent = send(at->ends[!way], head->bytes + head->at, size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            close_pair(at, true);
            return;
        }
        head->at += (size_t)sent;
        of->held -= (size_t)sent;
        self->bytes[way] += (uint64_t)sent;
        if (self->cut_armed && self->cut_way == way)
            self->cut_left -= (uint64_t)sent;
        if (sent && cut_now(self, at, way))
            return;
        if (head->at == head->end) {
            of->first = head->next;
            free(head);
        }
    }
    if (!of->first && of->ended && !of->told) {
        of->told = true;
        shutdown(at->ends[!way], SHUT_WR);
    }
    if (at->flows[0].told && at->flows[1].told)
        close_pair(at, false);
}

/* --- a turn --- */

static short events_of(const proxy *self, const pair *at, int end)
{
    const flow *in = &at->flows[end], *out = &at->flows[!end];
    short events = 0;
    if (end == 1 && at->connecting)
        return POLLOUT;
    if (self->mode == PROXY_STALL)
        return 0;
    if (!in->ended && in->held < HELD)
        events |= POLLIN;
    if (out->first && out->first->due <= steady() && !at->connecting)
        events |= POLLOUT;
    return events;
}

static void serve(proxy *self, pair *at, const struct pollfd *seen)
{
    int wrong = 0;
    socklen_t length = sizeof wrong;
    if (at->connecting && seen[1].revents) {
        at->connecting = false;
        getsockopt(at->ends[1], SOL_SOCKET, SO_ERROR, &wrong, &length);
        if (wrong) {
            close_pair(at, true);
            return;
        }
    }
    for (int end = 0; end < 2; end++)
        if (seen[end].revents & (POLLERR | POLLHUP) && (self->mode == PROXY_STALL || at->flows[end].ended))
            at->deaf[end] = true;
    for (int end = 0; end < 2 && at->used && self->mode != PROXY_STALL; end++)
        if (seen[end].revents & (POLLIN | POLLERR | POLLHUP) && !at->flows[end].ended)
            read_some(self, at, (proxy_way)end);
    for (int way = 0; way < 2 && at->used && !at->connecting && self->mode != PROXY_STALL; way++)
        write_some(self, at, (proxy_way)way);
}

/* Milliseconds until something that is held is due, rounded up; -1: nothing is. */
static int patience(const proxy *self)
{
    uint64_t now = steady(), least = UINT64_MAX;
    for (const pair *at = self->pairs; at < self->pairs + PAIRS && self->mode != PROXY_STALL; at++)
        for (int way = 0; way < 2 && at->used && !at->silent; way++)
            if (at->flows[way].first && at->flows[way].first->due > now && at->flows[way].first->due - now < least)
                least = at->flows[way].first->due - now;
    return least == UINT64_MAX ? -1 : (int)((least + 999999) / 1000000);
}

static void *run(void *user)
{
    proxy *self = user;
    struct pollfd fds[2 + 2 * PAIRS];
    unsigned char byte;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        bool taking = self->listener >= 0 && self->mode != PROXY_BLACK_HOLE;
        fds[0] = (struct pollfd){.fd = self->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = taking ? self->listener : -1, .events = POLLIN};
        for (int i = 0; i < 2 * PAIRS; i++) {
            const pair *at = &self->pairs[i / 2];
            bool heard = at->used && !at->silent && !at->deaf[i % 2];
            fds[2 + i] = (struct pollfd){.fd = heard ? at->ends[i % 2] : -1, .events = heard ? events_of(self, at, i % 2) : 0};
        }
        int wait = patience(self);
        pthread_mutex_unlock(&self->lock);
        poll(fds, 2 + 2 * PAIRS, wait);
        pthread_mutex_lock(&self->lock);
        if (fds[0].revents && read(self->wake[0], &byte, 1) == 1)
            continue;           /* a call has changed what to look at */
        for (int i = 0; i < PAIRS; i++)
            if (self->pairs[i].used && !self->pairs[i].silent)
                serve(self, &self->pairs[i], &fds[2 + 2 * i]);
        if (fds[1].revents && self->listener == fds[1].fd && self->mode != PROXY_BLACK_HOLE)
            take_client(self);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* --- calls --- */

static void leave(proxy *self)
{
    if (write(self->wake[1], "", 1) != 1)
        fail_msg("the proxy cannot be woken");
    pthread_mutex_unlock(&self->lock);
}

static int bind_port(int port)
{
    int on = 1, fd = plain_socket(AF_INET);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at))
        fail_msg("the proxy cannot bind port %d: %s", port, strerror(errno));
    return fd;
}

/* The kernel drops those who knock when the queue of a listener is full: filled with connections of ours. */
static void fill_queue(proxy *self)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)self->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listen(self->listener, 0);
    for (int i = 0; i < FILLERS; i++) {
        self->fillers[i] = plain_socket(AF_INET);
        struct pollfd done = {.fd = self->fillers[i], .events = POLLOUT};
        if (connect(self->fillers[i], (struct sockaddr *)&at, sizeof at) && poll(&done, 1, 30) == 0)
            return;
    }
}

static void open_door(proxy *self, proxy_mode mode)
{
    for (int i = 0; i < FILLERS; i++)
        close_end(&self->fillers[i], false);
    if (self->listener >= 0 && (self->mode == PROXY_BLACK_HOLE || mode == PROXY_REFUSE)) {
        shutdown(self->listener, SHUT_RDWR);    /* at once: a close waits while the thread polls it */
        close_end(&self->listener, false);
    }
    if (self->listener < 0 && mode != PROXY_REFUSE) {
        self->listener = bind_port(self->port);
        listen(self->listener, BACKLOG);
    }
    if (mode == PROXY_BLACK_HOLE)
        fill_queue(self);
}

void proxy_set(proxy *self, proxy_mode mode)
{
    pthread_mutex_lock(&self->lock);
    open_door(self, mode);
    self->mode = mode;
    for (pair *at = self->pairs; at < self->pairs + PAIRS; at++) {
        at->silent |= at->used && mode == PROXY_BLACK_HOLE;
        at->deaf[0] = at->deaf[1] = false;
    }
    leave(self);
}

void proxy_cut(proxy *self, proxy_way way, uint64_t bytes, bool reset)
{
    pthread_mutex_lock(&self->lock);
    self->cut_armed = true;
    self->cut_way = way;
    self->cut_left = bytes;
    self->cut_reset = reset;
    leave(self);
}

void proxy_forget_cut(proxy *self)
{
    pthread_mutex_lock(&self->lock);
    self->cut_armed = false;
    leave(self);
}

void proxy_delay(proxy *self, proxy_way way, unsigned milliseconds)
{
    pthread_mutex_lock(&self->lock);
    self->delay[way] = milliseconds;
    leave(self);
}

void proxy_drop(proxy *self, bool reset)
{
    pthread_mutex_lock(&self->lock);
    for (pair *at = self->pairs; at < self->pairs + PAIRS; at++)
        if (at->used)
            close_pair(at, reset);
    leave(self);
}

static uint64_t look_at(proxy *self, const uint64_t *number)
{
    pthread_mutex_lock(&self->lock);
    uint64_t seen = *number;
    pthread_mutex_unlock(&self->lock);
    return seen;
}

uint64_t proxy_bytes(proxy *self, proxy_way way)
{
    return look_at(self, &self->bytes[way]);
}

uint64_t proxy_accepted(proxy *self)
{
    return look_at(self, &self->accepted);
}

uint64_t proxy_cuts(proxy *self)
{
    return look_at(self, &self->cuts);
}

uint64_t proxy_open(proxy *self)
{
    uint64_t open = 0;
    pthread_mutex_lock(&self->lock);
    for (const pair *at = self->pairs; at < self->pairs + PAIRS; at++)
        open += at->used;
    pthread_mutex_unlock(&self->lock);
    return open;
}

int proxy_port(const proxy *self)
{
    return self->port;
}

proxy *start_proxy(const char *host, int port)
{
    proxy *self = calloc(1, sizeof *self);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct sockaddr_in at;
    socklen_t length = sizeof at;
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    assert_non_null(self);
    if (getaddrinfo(host, service, &hints, &found))
        fail_msg("the proxy does not find %s", host);
    memcpy(&self->target, found->ai_addr, found->ai_addrlen);
    self->target_length = found->ai_addrlen;
    freeaddrinfo(found);
    self->keeper = bind_port(0);
    assert_int_equal(getsockname(self->keeper, (struct sockaddr *)&at, &length), 0);
    self->port = ntohs(at.sin_port);
    self->listener = -1;
    for (int i = 0; i < FILLERS; i++)
        self->fillers[i] = -1;
    open_door(self, PROXY_PASS);
    assert_int_equal(pipe2(self->wake, O_CLOEXEC), 0);
    pthread_mutex_init(&self->lock, NULL);
    assert_int_equal(pthread_create(&self->thread, NULL, run, self), 0);
    return self;
}

proxy *start_proxy_for(const char *url, int default_port, char *out, size_t room)
{
    const char *begin = strstr(url, "://");
    char host[256];
    assert_non_null(begin);
    begin += 3;
    size_t length = strcspn(begin, "/?");
    for (const char *at = begin; (at = memchr(at, '@', length - (size_t)(at - begin)));)
        length -= (size_t)(++at - begin), begin = at;
    bool bracket = *begin == '[';
    size_t name = bracket ? strcspn(++begin, "]") : strcspn(begin, ":,/?");
    const char *rest = begin + name + bracket, *end = rest + strcspn(rest, "/?");
    snprintf(host, sizeof host, "%.*s", (int)name, begin);
    proxy *self = start_proxy(host, *rest == ':' ? atoi(rest + 1) : default_port);
    int made = snprintf(out, room, "%.*s127.0.0.1:%d%s", (int)(begin - bracket - url), url, self->port, end);
    assert_true(made > 0 && (size_t)made < room);
    return self;
}

void stop_proxy(proxy *self)
{
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    leave(self);
    pthread_join(self->thread, NULL);
    for (pair *at = self->pairs; at < self->pairs + PAIRS; at++)
        if (at->used)
            close_pair(at, false);
    for (int i = 0; i < FILLERS; i++)
        close_end(&self->fillers[i], false);
    close_end(&self->listener, false);
    close(self->keeper);
    close(self->wake[0]);
    close(self->wake[1]);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
