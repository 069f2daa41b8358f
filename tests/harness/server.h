/* server.h: a schema of its own for each case, on a server that several cases share. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_SERVER_H
#define GAVATCORE_TEST_SERVER_H
#include <stdbool.h>

/* Of a URL with {name} in place of a schema: made, and dropped with all that is in it. Nothing is done for stores without a server. */
void make_schema(const char *url, const char *name);
void drop_schema(const char *url, const char *name);

/* The original's tables into that schema, with its rows or empty. */
void load_original(const char *url, const char *name, bool rows);

/* Run a statement there, beside the library; the first value of what it gives, as text, into out ("" for none; NULL: not wanted). */
void on_server(const char *url, const char *sql, char *out, size_t room);

/* The same on the events store of this URL, be it a server or a file: as another program would do it. */
void beside_store(const char *url, const char *sql);

/* A connection that stays, for what is to be left open: a transaction, a lock. */
typedef struct visitor visitor;
visitor *visit_server(const char *url);
void visitor_does(visitor *own, const char *sql);
void visitor_leaves(visitor *own);

#define TEST_REDIS_DATABASES 4096       /* as tests/harness/redis.sh starts it */
/* For {database} in the URL of a Redis: the number of one that no other case uses, emptied. */
void find_database(const char *pattern, char out[16]);
#endif
