/* connect.c: from a URL to a connection in pipeline mode, without blocking, and back. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../base/uuid.h"
#include <stdio.h>

#define PATIENCE UINT64_C(10000000000)  /* nanoseconds for one attempt */
#define PATIENCE_EACH UINT64_C(2500000000)      /* … when there are other addresses: the next attempt begins with another one */
#define BROKEN UINT64_C(3000000000)     /* down for so long: ops are not kept waiting any more */
#define BACKOFF_LEAST 50                /* milliseconds, doubled by each failure */
#define BACKOFF_MOST 5000
#define VERSION_LEAST 120000

struct gv_pg_watch {
    uv_poll_t poll;
    gv_pg *self;
    gv_pg_connection *connection;       /* NULL: let go of */
    int fd;
};

struct gv_pg_lookup {
    uv_getaddrinfo_t request;
    gv_pg_connection *connection;       /* NULL: nobody waits for it any more */
    const char *hosts, *ports;          /* what is left of the lists */
    char host[256], port[8];
    gv_text names, addresses, numbers;  /* lists as long as each other */
    size_t count;
    gv_pg_failure failure;              /* of the last name that was not found */
};

static void step(gv_pg_connection *connection);
static void ignore_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static void dial(gv_pg_connection *connection, const gv_pg_lookup *lookup);

/* --- the socket's handle --- */

static void on_watch_closed(uv_handle_t *handle)
{
    gv_pg_watch *watch = handle->data;
    gv_pg *self = watch->self;
    gv_free(watch);
    gv_pg_handle_closed(self);
}

/* Before libpq closes the socket. */
static void drop_watch(gv_pg_connection *connection)
{
    gv_pg_watch *watch = connection->watch;
    if (!watch)
        return;
    connection->watch = NULL;
    watch->connection = NULL;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    gv_pg_watch *watch = poll->data;
    gv_pg_connection *connection = watch->connection;
    if (!connection)
        return;
    if (connection->state == GV_PG_CONNECTING)
        step(connection);
    else if (connection->state == GV_PG_READY)
        gv_pg_receive(connection, status < 0 || events & UV_READABLE);
}

void gv_pg_watch_socket(gv_pg_connection *connection, int events)
{
    int fd = PQsocket(connection->pg);
    if (connection->watch && connection->watch->fd != fd)
        drop_watch(connection);
    gv_pg_watch *watch = connection->watch;
    if (!watch) {
        watch = gv_alloc_zero(sizeof *watch);
        if (!watch || fd < 0 || uv_poll_init(connection->self->store->client->loop, &watch->poll, fd)) {
            gv_free(watch);
            connection->doomed = true;
            gv_pg_hand_out(connection->self);
            return;
        }
        watch->poll.data = watch;
        watch->self = connection->self;
        watch->connection = connection;
        watch->fd = fd;
        connection->watch = watch;
        connection->self->handles++;
    }
    uv_poll_start(&watch->poll, events, on_socket);
}

/* --- losing it --- */

static unsigned count_ready(const gv_pg *self)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < self->connection_count; i++)
        ready += self->connections[i].state == GV_PG_READY;
    return ready;
}

static void hang_up(gv_pg_connection *connection)
{
    drop_watch(connection);
    if (connection->lookup) {
        connection->lookup->connection = NULL;
        uv_cancel((uv_req_t *)&connection->lookup->request);
        connection->lookup = NULL;
    }
    PQfinish(connection->pg);
    connection->pg = NULL;
    connection->state = GV_PG_DOWN;
    connection->doomed = false;
    connection->timeout_ms = UINT64_MAX;
    gv_pg_forget_statements(connection);
}

static void set_back(gv_pg_connection *connection)
{
    uint32_t doubled = connection->backoff_ms ? connection->backoff_ms * 2 : BACKOFF_LEAST;
    uint64_t now = gv_clock_steady();
    connection->backoff_ms = doubled < BACKOFF_MOST ? doubled : BACKOFF_MOST;
    uint64_t jitter = (now / 1000 * UINT64_C(2654435761) + connection->number) % (connection->backoff_ms / 2 + 1);
    connection->retry_at = now + UINT64_C(1000000) * (connection->backoff_ms / 2 + jitter);
}

static void note_down(gv_pg *self, const gv_pg_failure *failure)
{
    if (count_ready(self))
        return;
    uint64_t now = gv_clock_steady();
    self->why = *failure;
    if (!self->down_since)
        self->down_since = now;
    gv_pg_say_health(self, failure->text);
    if (!gv_pg_is_final(failure) && now - self->down_since < BROKEN)
        return;
    self->broken = true;
    gv_pg_fail_all(self, failure);
}

void gv_pg_lose(gv_pg_connection *connection, const gv_pg_failure *failure)
{
    gv_pg *self = connection->self;
    gv_pg_failure lost = {.lost = true};
    if (failure)
        lost = *failure;
    else
        gv_pg_describe(&lost, NULL, connection->pg);
    lost.lost = true;
    hang_up(connection);
    if (!self->closing)
        gv_log(self->store->client, GAVAT_LOG_WARN, "events", "a connection to %s was lost: %s", self->store->shown, lost.text);
    set_back(connection);
    gv_pg_end_rounds(connection, &lost);
    if (!self->closing)
        note_down(self, &lost);
    gv_pg_hand_out(self);
}

/* --- connecting --- */

static void connect_failed(gv_pg_connection *connection, const gv_pg_failure *failure)
{
    gv_pg *self = connection->self;
    bool starting = strcmp(failure->state, "57P03") == 0 || (failure->silent && self->silent < connection->addresses);
    hang_up(connection);
    set_back(connection);
    note_down(self, failure);
    if (connection->number && connection->number < self->lanes && self->connections[0].state == GV_PG_READY && !connection->job) {
        gv_list_move(&self->connections[0].lane, &connection->lane);    /* one lane is what there is */
        self->lanes = 1;
    }
    if (self->opening && !self->opening->on && connection->number == 0 && !starting && !gv_pg_cover_opening(self, failure))
        self->opening->drop(self->opening, failure);
    gv_pg_hand_out(self);
}

static void connected(gv_pg_connection *connection)
{
    gv_pg *self = connection->self;
    gv_pg_failure failure = {0};
    int version = PQserverVersion(connection->pg);
    if (version < VERSION_LEAST) {
        snprintf(failure.state, sizeof failure.state, "3D000");
        snprintf(failure.text, sizeof failure.text, "the server has version %d; 12 or later is needed", version / 10000);
        connect_failed(connection, &failure);
        return;
    }
    if (PQsetnonblocking(connection->pg, 1) || !PQenterPipelineMode(connection->pg)) {
        gv_pg_describe(&failure, NULL, connection->pg);
        connect_failed(connection, &failure);
        return;
    }
    connection->state = GV_PG_READY;
    connection->backoff_ms = 0;
    if (self->down_since)
        gv_log(self->store->client, GAVAT_LOG_INFO, "events", "%s is there again", self->store->shown);
    self->down_since = 0;
    self->broken = self->stalled = false;
    if (!self->opening) {
        gv_pg_say_health(self, "");
        gv_spool_wake(self->store->client);
    }
    gv_pg_watch_socket(connection, UV_READABLE);
    gv_pg_hand_out(self);
}

/* libpq keeps no SQLSTATE of a connection that failed. In another language than English all of them count as a server that cannot be reached. */
static const char *state_of(const char *text)
{
    static const char *const known[][2] = {
        {"password authentication failed", "28P01"}, {"no password supplied", "28P01"}, {"pg_hba.conf", "28000"}, {"role \"", "28000"},
        {"is not permitted to log in", "28000"}, {"permission denied for database", "28000"}, {"database \"", "3D000"},
        {"starting up", "57P03"}, {"too many clients", "53300"}, {"remaining connection slots", "53300"},
        {"too many connections", "53300"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(text, known[i][0]))
            return known[i][1];
    return "08001";
}

/* libpq may close its socket here and open another one, by the same number too: it must not be watched meanwhile. */
static void step(gv_pg_connection *connection)
{
    gv_pg_failure failure = {0};
    if (connection->watch)
        uv_poll_stop(&connection->watch->poll);
    switch (PQconnectPoll(connection->pg)) {
    case PGRES_POLLING_READING:
        gv_pg_watch_socket(connection, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        gv_pg_watch_socket(connection, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        connected(connection);
        break;
    default:
        gv_pg_describe(&failure, NULL, connection->pg);
        snprintf(failure.state, sizeof failure.state, "%s", state_of(failure.text));
        connect_failed(connection, &failure);
    }
}

/* --- looking up names --- */

static const char *option(const gv_pg *self, const char *key)
{
    for (const gv_pg_option *at = self->options; at->key; at++)
        if (strcmp(at->key, key) == 0)
            return at->value;
    return NULL;
}

static void add_address(gv_pg_lookup *lookup, const char *address)
{
    const char *comma = lookup->count++ ? "," : "";
    gv_text_addf(&lookup->names, "%s%s", comma, lookup->host);
    gv_text_addf(&lookup->addresses, "%s%s", comma, address);
    gv_text_addf(&lookup->numbers, "%s%s", comma, lookup->port);
}

/* The next piece of a list. */
static void take_piece(const char **list, char *out, size_t room)
{
    size_t length = strcspn(*list, ",");
    snprintf(out, room, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
}

static void look_up_next(gv_pg_lookup *lookup);

static void free_lookup(gv_pg_lookup *lookup)
{
    gv_text_free(&lookup->names);
    gv_text_free(&lookup->addresses);
    gv_text_free(&lookup->numbers);
    gv_free(lookup);
}

/* The first so many items of a list behind the others. */
static void rotate(gv_text *list, size_t items)
{
    gv_text turned = {0};
    const char *rest = gv_text_get(list);
    for (; items && strchr(rest, ','); items--)
        rest = strchr(rest, ',') + 1;
    size_t first = (size_t)(rest - gv_text_get(list));
    gv_text_adds(&turned, rest);
    if (first) {
        gv_text_addc(&turned, ',');
        gv_text_add(&turned, gv_text_get(list), first - 1);
    }
    turned.failed |= list->failed;
    gv_text_free(list);
    *list = turned;
}

/* An address that swallows all is not waited for again and again: each attempt that got no answer moves the beginning on. */
static void turn_lists(gv_pg_lookup *lookup)
{
    size_t items = lookup->connection->self->silent % lookup->count;
    gv_text *lists[] = {&lookup->names, &lookup->addresses, &lookup->numbers};
    for (size_t i = 0; i < 3; i++)
        rotate(lists[i], items);
    lookup->connection->addresses = (unsigned)lookup->count;
}

static void looked_up(gv_pg_lookup *lookup)
{
    gv_pg_connection *connection = lookup->connection;
    connection->lookup = NULL;
    if (lookup->count)
        turn_lists(lookup);
    if (lookup->count && !lookup->names.failed && !lookup->addresses.failed && !lookup->numbers.failed)
        dial(connection, lookup);
    else
        connect_failed(connection, &lookup->failure);
    free_lookup(lookup);
}

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    gv_pg_lookup *lookup = request->data;
    char text[64];
    if (lookup->connection && status) {
        snprintf(lookup->failure.state, sizeof lookup->failure.state, "08001");
        snprintf(lookup->failure.text, sizeof lookup->failure.text, "the host %s was not found: %s", lookup->host, uv_strerror(status));
    }
    for (struct addrinfo *at = found; lookup->connection && at; at = at->ai_next)
        if (at->ai_family == AF_INET6 ? !uv_ip6_name((struct sockaddr_in6 *)(void *)at->ai_addr, text, sizeof text)
                                      : !uv_ip4_name((struct sockaddr_in *)(void *)at->ai_addr, text, sizeof text))
            add_address(lookup, text);
    uv_freeaddrinfo(found);
    if (lookup->connection)
        look_up_next(lookup);
    else
        free_lookup(lookup);
}

static void look_up_next(gv_pg_lookup *lookup)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    unsigned char bytes[16];
    while (*lookup->hosts) {
        take_piece(&lookup->hosts, lookup->host, sizeof lookup->host);
        if (*lookup->ports)
            take_piece(&lookup->ports, lookup->port, sizeof lookup->port);
        if (*lookup->host == '/' || *lookup->host == '@' || !*lookup->host) {
            add_address(lookup, "");
        } else if (!uv_inet_pton(AF_INET, lookup->host, bytes) || !uv_inet_pton(AF_INET6, lookup->host, bytes)) {
            add_address(lookup, lookup->host);
        } else {
            lookup->request.data = lookup;
            if (!uv_getaddrinfo(lookup->connection->self->store->client->loop, &lookup->request, on_addresses, lookup->host, NULL, &hints))
                return;
        }
    }
    looked_up(lookup);
}

/* --- dialling --- */

static bool has_several(const char *list)
{
    return list && strchr(list, ',');
}

/* lookup NULL: libpq finds its way itself. */
static void dial(gv_pg_connection *connection, const gv_pg_lookup *lookup)
{
    gv_pg *self = connection->self;
    const char *keys[80], *values[80];
    const char *const defaults[][2] = {
        {"fallback_application_name", "gavatcore"}, {"gssencmode", "disable"}, {"keepalives_idle", "30"}, {"keepalives_interval", "10"},
        {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"},
        {"target_session_attrs", has_several(option(self, "host")) ? "read-write" : NULL}};
    const char *const ours[][2] = {
        {"host", lookup ? gv_text_get(&lookup->names) : option(self, "host")},
        {"hostaddr", lookup ? gv_text_get(&lookup->addresses) : option(self, "hostaddr")},
        {"port", lookup ? gv_text_get(&lookup->numbers) : option(self, "port")}, {"client_encoding", "UTF8"}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (defaults[i][1] && !option(self, defaults[i][0]))
            keys[count] = defaults[i][0], values[count++] = defaults[i][1];
    for (const gv_pg_option *at = self->options; at->key && count < 70; at++)
        if (strcmp(at->key, "host") != 0 && strcmp(at->key, "hostaddr") != 0 && strcmp(at->key, "port") != 0
            && strcmp(at->key, "client_encoding") != 0)
            keys[count] = at->key, values[count++] = at->value;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ours[i][1])
            keys[count] = ours[i][0], values[count++] = ours[i][1];
    keys[count] = values[count] = NULL;
    connection->state = GV_PG_CONNECTING;
    connection->pg = PQconnectStartParams(keys, values, 0);
    gv_pg_failure failure = {.state = "08001"};
    if (connection->pg && PQstatus(connection->pg) != CONNECTION_BAD) {
        PQsetNoticeProcessor(connection->pg, ignore_notice, NULL);      /* libpq's own prints them */
        gv_pg_watch_socket(connection, UV_WRITABLE);
        return;
    }
    gv_pg_describe(&failure, NULL, connection->pg);
    snprintf(failure.state, sizeof failure.state, "08001");
    connect_failed(connection, &failure);
}

void gv_pg_want(gv_pg_connection *connection)
{
    gv_pg *self = connection->self;
    uint64_t now = gv_clock_steady();
    if (connection->state != GV_PG_DOWN || self->closing || now < connection->retry_at)
        return;
    connection->started = now;
    connection->addresses = 1;
    connection->state = GV_PG_RESOLVING;
    const char *hosts = option(self, "host"), *ports = option(self, "port");
    if (!hosts || option(self, "hostaddr")) {
        dial(connection, NULL);
        return;
    }
    gv_pg_lookup *lookup = gv_alloc_zero(sizeof *lookup);
    if (!lookup) {
        connection->state = GV_PG_DOWN;
        set_back(connection);
        return;
    }
    connection->lookup = lookup;
    lookup->connection = connection;
    lookup->hosts = hosts;
    lookup->ports = ports ? ports : "";
    look_up_next(lookup);
}

void gv_pg_close_connection(gv_pg_connection *connection)
{
    gv_pg_failure failure = {.lost = true, .text = "the client is being closed"};
    hang_up(connection);
    gv_pg_end_rounds(connection, &failure);
}

bool gv_pg_connecting_late(const gv_pg_connection *connection, uint64_t now)
{
    uint64_t patience = connection->state == GV_PG_CONNECTING && connection->addresses > 1 ? PATIENCE_EACH : PATIENCE;
    return (connection->state == GV_PG_RESOLVING || connection->state == GV_PG_CONNECTING) && now - connection->started > patience;
}

void gv_pg_give_up(gv_pg_connection *connection)
{
    gv_pg_failure failure = {.state = "08001", .text = "the server did not answer", .silent = true};
    connection->self->silent++;
    connect_failed(connection, &failure);
}
