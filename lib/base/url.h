/* url.h: store URLs: scheme://[user[:password]@]host[:port][,host…][/path][?key=value&…] and scheme:///path. No URL
 * library reads lists of hosts. Bounds: 4,096 bytes. */
#ifndef GV_BASE_URL_H
#define GV_BASE_URL_H
#include "arena.h"
#include "text.h"

#define GV_URL_HOSTS 32
typedef struct gv_url_host {
    const char *name;           /* percent-decoded; an IPv6 address without its brackets */
    uint16_t port;              /* 0: not given */
} gv_url_host;
typedef struct gv_url {         /* texts live in the arena given to gv_url_parse */
    const char *scheme;         /* lower case, "postgresql+asyncpg" as it came */
    const char *user, *password;        /* percent-decoded; NULL: not given, for the user also "" (":password@host") */
    gv_url_host hosts[GV_URL_HOSTS];
    size_t host_count;          /* 0 for scheme:///path, scheme:path, scheme://user@/path */
    const char *path;           /* what follows the '/' behind the authority, without that '/', not decoded:
                                   "sqlite:///./a.db" gives "./a.db", "sqlite:////a.db" gives "/a.db"; "" when there
                                   is none. "memory:" has path "" */
    const char *query;          /* behind '?', raw; NULL: none */
} gv_url;

/* NULL when text is a URL; else why not: a static phrase. Never quotes the text (it may hold a password). */
const char *gv_url_parse(gv_arena *arena, const char *text, gv_url *url);

/* The text with each password replaced by ***: in the authority, and the values of keys that end in password, passwd,
 * passphrase, pwd, secret, token or are pass, key, authMechanismProperties. What is in doubt is hidden: in text that
 * is not a URL everything from the first "://" (from the start, when there is none or a "user:" may stand in front of
 * it) to the last '@', what follows "://…:" without an '@', and everything behind password= and the like; also the
 * '@' of a path or query may end a password that holds a '/' or '?', so a URL with a ':' somewhere before such an '@'
 * is treated as not being one. Adds to out. */
void gv_url_redact(gv_text *out, const char *text);

/* One value of the query, percent-decoded, in arena, of duplicates the last; NULL: not there, or memory is out. */
const char *gv_url_query(gv_arena *arena, const gv_url *url, const char *key);
#endif
