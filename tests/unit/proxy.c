#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* A client and a server, driven by turns; the proxy works beside them. */
typedef struct pair {
    proxy *wire;
    int listener, client, server;
} pair;

static int stream(void)
{
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static int knock(int port, int flags)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = flags ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0) : stream();
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static int take(const pair *p)
{
    struct timeval patience = {.tv_sec = 5};
    int fd = accept(p->listener, NULL, NULL);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void join(pair *p)
{
    p->client = knock(proxy_port(p->wire), 0);
    assert_true(p->client >= 0);
    p->server = take(p);
}

static void part(pair *p)
{
    close(p->client);
    close(p->server);
}

static int set_up(void **state)
{
    static pair p;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    p.listener = stream();
    assert_int_equal(bind(p.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p.listener, 10), 0);
    getsockname(p.listener, (struct sockaddr *)&at, &length);
    p.wire = start_proxy("127.0.0.1", ntohs(at.sin_port));
    join(&p);
    *state = &p;
    return 0;
}

static int take_down(void **state)
{
    pair *p = *state;
    part(p);
    stop_proxy(p->wire);
    close(p->listener);
    return 0;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All of it arrives, and nothing else before it. */
static void hear(int fd, const char *text)
{
    char got[256];
    assert_int_equal(recv(fd, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static bool is_over(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static bool is_silent(int fd, int milliseconds)
{
    struct pollfd seen = {.fd = fd, .events = POLLIN};
    return poll(&seen, 1, milliseconds) == 0;
}

static void it_passes_and_counts(void **state)
{
    pair *p = *state;
    say(p->client, "hello");
    hear(p->server, "hello");
    say(p->server, "good day");
    hear(p->client, "good day");
    assert_int_equal(proxy_bytes(p->wire, PROXY_UP), 5);
    assert_int_equal(proxy_bytes(p->wire, PROXY_DOWN), 8);
    assert_int_equal(proxy_accepted(p->wire), 1);
    assert_int_equal(proxy_open(p->wire), 1);
    say(p->client, "last");
    shutdown(p->client, SHUT_WR);
    hear(p->server, "last");
    assert_true(is_over(p->server));
    say(p->server, "words");            /* one way may end before the other */
    hear(p->client, "words");
    close(p->server);
    assert_true(is_over(p->client));
    p->server = -1;
}

static void much_goes_through_while_nobody_reads(void **state)
{
    pair *p = *state;
    size_t sent = 0, got = 0, wanted = 8000000;
    static unsigned char bytes[65536];
    while (sent < wanted || got < sent) {
        ssize_t n = sent < wanted ? send(p->client, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
        sent += n > 0 ? (size_t)n : 0;
        if (n < 0)
            n = recv(p->server, bytes, sizeof bytes, 0);
        else
            continue;
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    assert_int_equal(proxy_bytes(p->wire, PROXY_UP), sent);
}

static void it_cuts_at_exactly_that_byte(void **state)
{
    pair *p = *state;
    for (unsigned bytes = 0; bytes < 8; bytes++) {
        char head[8] = "";
        proxy_cut(p->wire, bytes % 2 ? PROXY_UP : PROXY_DOWN, bytes, bytes % 3 == 0);
        int from = bytes % 2 ? p->client : p->server, to = bytes % 2 ? p->server : p->client;
        say(to, "other way");
        hear(from, "other way");
        say(from, "0123456");
        memcpy(head, "0123456", bytes);
        if (bytes)
            hear(to, head);
        assert_true(is_over(to));
        assert_true(is_over(from));
        assert_int_equal(proxy_cuts(p->wire), bytes + 1);
        part(p);
        join(p);
        say(p->client, "again");        /* once */
        hear(p->server, "again");
    }
}

static void it_delays(void **state)
{
    pair *p = *state;
    struct timespec begin, end;
    proxy_delay(p->wire, PROXY_DOWN, 100);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    say(p->server, "late");
    hear(p->client, "late");
    clock_gettime(CLOCK_MONOTONIC, &end);
    double passed = (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
    assert_true(passed > 99);
    proxy_delay(p->wire, PROXY_DOWN, 0);
    say(p->server, "soon");
    hear(p->client, "soon");
}

static void it_stalls_and_goes_on(void **state)
{
    pair *p = *state;
    proxy_set(p->wire, PROXY_STALL);
    say(p->client, "held");
    assert_true(is_silent(p->server, 100));
    int other = knock(proxy_port(p->wire), 0), left = knock(proxy_port(p->wire), 0);
    assert_true(other >= 0 && left >= 0);
    close(left);
    proxy_set(p->wire, PROXY_PASS);
    hear(p->server, "held");
    int taken = take(p);
    say(other, "new");
    hear(taken, "new");
    close(other);
    close(taken);
}

static void a_black_hole_takes_all_and_says_nothing(void **state)
{
    pair *p = *state;
    proxy_set(p->wire, PROXY_BLACK_HOLE);
    int hangs = knock(proxy_port(p->wire), SOCK_NONBLOCK);
    struct pollfd done = {.fd = hangs, .events = POLLOUT};
    say(p->client, "lost");
    say(p->server, "too");
    assert_int_equal(poll(&done, 1, 200), 0);
    assert_true(is_silent(p->server, 0));
    assert_true(is_silent(p->client, 0));
    proxy_set(p->wire, PROXY_PASS);
    say(p->client, "still lost");
    assert_true(is_silent(p->server, 100));
    close(hangs);
    pair fresh = *p;
    join(&fresh);
    say(fresh.client, "seen");
    hear(fresh.server, "seen");
    part(&fresh);
    proxy_drop(p->wire, false);
    assert_true(is_over(p->client));
}

static void it_refuses_and_takes_again(void **state)
{
    pair *p = *state;
    proxy_set(p->wire, PROXY_REFUSE);
    assert_int_equal(knock(proxy_port(p->wire), 0), -1);
    say(p->client, "those that are there");
    hear(p->server, "those that are there");
    proxy_set(p->wire, PROXY_PASS);
    pair fresh = *p;
    join(&fresh);
    part(&fresh);
    close(p->listener);                 /* and so does the server itself */
    int refused = knock(proxy_port(p->wire), 0);
    assert_true(is_over(refused));
    close(refused);
}

static void it_takes_the_place_of_hosts_in_a_url(void **state)
{
    static const char *const urls[][3] = {
        {"postgresql://u:p@ss@127.0.0.1:4321/db?x=a@b", "postgresql://u:p@ss@", "/db?x=a@b"},
        {"redis://localhost", "redis://", ""},
        {"mongodb://u:p@[::1]:9,other:7/?a=b", "mongodb://u:p@", "/?a=b"}};
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char url[200];
        proxy *wire = start_proxy_for(urls[i][0], 4321, url, sizeof url);
        size_t head = strlen(urls[i][1]);
        assert_memory_equal(url, urls[i][1], head);
        assert_memory_equal(url + head, "127.0.0.1:", 10);
        char *end;
        assert_int_equal(strtol(url + head + 10, &end, 10), proxy_port(wire));
        assert_string_equal(end, urls[i][2]);
        stop_proxy(wire);
    }
    stop_proxy(NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(it_passes_and_counts, set_up, take_down),
        cmocka_unit_test_setup_teardown(much_goes_through_while_nobody_reads, set_up, take_down),
        cmocka_unit_test_setup_teardown(it_cuts_at_exactly_that_byte, set_up, take_down),
        cmocka_unit_test_setup_teardown(it_delays, set_up, take_down),
        cmocka_unit_test_setup_teardown(it_stalls_and_goes_on, set_up, take_down),
        cmocka_unit_test_setup_teardown(a_black_hole_takes_all_and_says_nothing, set_up, take_down),
        cmocka_unit_test_setup_teardown(it_refuses_and_takes_again, set_up, take_down),
        cmocka_unit_test(it_takes_the_place_of_hosts_in_a_url),
    };
    return cmocka_run_group_tests_name("proxy", cases, NULL, NULL);
}
