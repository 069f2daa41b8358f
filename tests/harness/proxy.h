/* proxy.h: a TCP proxy between a test and a server, that hurts the wire when it is told to. It listens on a port of its own on loopback and
 * runs on a thread of its own; what is set holds from the moment in which the call returns. All calls from any thread. cmocka's header comes
 * before this one: what cannot be set up fails the case.
 *
 *     char url[600];
 *     proxy *wire = start_proxy_for(server_url, 5432, url, sizeof url);       // the URL, leading through the proxy
 *     … open a client on url …
 *     proxy_cut(wire, PROXY_DOWN, 17, false);         // the 18th byte of the next answer is not delivered, and the connection is closed
 *     proxy_set(wire, PROXY_BLACK_HOLE);
 *     stop_proxy(wire); */
#ifndef GAVATCORE_TEST_PROXY_H
#define GAVATCORE_TEST_PROXY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct proxy proxy;

typedef enum proxy_mode {
    PROXY_PASS,         /* what comes is forwarded */
    PROXY_STALL,        /* connections are taken, and all stay open, but nothing is read or forwarded; it is when PASS comes back */
    /* As a cable that is pulled: connections that are there are silent from now on, for good (also after another mode is set; nobody hears
     * that the other side has closed), and new ones hang in connect(). Those may come through when the mode changes, at the kernel's next
     * try, which is after 1, 3, 7 … s. */
    PROXY_BLACK_HOLE,
    PROXY_REFUSE        /* new connections are refused, as by a host without a server; those that are there go on */
} proxy_mode;

typedef enum proxy_way { PROXY_UP, PROXY_DOWN } proxy_way;      /* to the server; to the client */

/* host: a name or an address. Passes. */
proxy *start_proxy(const char *host, int port);
/* To the first host of this URL; out: the URL with the proxy in place of all hosts. */
proxy *start_proxy_for(const char *url, int default_port, char *out, size_t room);
void stop_proxy(proxy *self);                           /* closes all; NULL is accepted */
int proxy_port(const proxy *self);                      /* on 127.0.0.1 */

void proxy_set(proxy *self, proxy_mode mode);
/* Of the bytes that are forwarded that way from now on, over all connections, so many; then the connection that carried the last of them is
 * closed on both sides (reset: with a TCP reset), at exactly that byte. 0: in place of the next byte. Once; a new call replaces an old one. */
void proxy_cut(proxy *self, proxy_way way, uint64_t bytes, bool reset);
void proxy_forget_cut(proxy *self);
void proxy_delay(proxy *self, proxy_way way, unsigned milliseconds);    /* what comes from now on */
void proxy_drop(proxy *self, bool reset);               /* close the connections that are there, the silent ones too */

uint64_t proxy_bytes(proxy *self, proxy_way way);       /* forwarded since the start */
uint64_t proxy_accepted(proxy *self);                   /* connections since the start, also such as the server refused */
uint64_t proxy_open(proxy *self);                       /* connections now */
uint64_t proxy_cuts(proxy *self);                       /* done: each ended one connection */
#endif
