/* connect.c: the driver's pool, which server does the work, and what the driver's errors mean. */
#include "mongodb.h"
#include "../../base/clock.h"
#include <inttypes.h>
#include <stdio.h>

#define DATABASE "gavatcore"
#define SELECT_MOST 5000        /* ms that an op waits for a server, half its time at most: then it can still be told why */

static pthread_once_t driver_once = PTHREAD_ONCE_INIT;

/* The host program may use the driver too: it is never cleaned up. */
static void start_driver(void)
{
    mongoc_init();
}

/* --- the URI --- */

static bool set_number(gv_mongo *self, const char *option, int64_t number)
{
    if (mongoc_uri_get_option_as_int32(self->uri, option, -1) >= 0)
        return true;
    return mongoc_uri_set_option_as_int32(self->uri, option, number > INT32_MAX ? INT32_MAX : (int32_t)number);
}

/* What the URI leaves open: how long the driver may wait, so that no thread is lost for ever; that an acknowledged write stays. */
static bool fill_in(gv_mongo *self)
{
    int64_t timeout = gv_config_number(self->store->client->config, GV_SET_TIMEOUT);
    int64_t half = timeout / 2 < SELECT_MOST ? timeout / 2 : SELECT_MOST;
    const mongoc_write_concern_t *given = mongoc_uri_get_write_concern(self->uri);
    bool good = set_number(self, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, half < 100 ? 100 : half)
                && set_number(self, MONGOC_URI_CONNECTTIMEOUTMS, SELECT_MOST)
                && set_number(self, MONGOC_URI_SOCKETTIMEOUTMS, timeout < 1000 ? 1000 : timeout)
                && mongoc_uri_set_option_as_int32(self->uri, MONGOC_URI_MAXPOOLSIZE, (int32_t)self->workers * 2 + 4);
    self->own_concern = !mongoc_uri_has_option(self->uri, MONGOC_URI_W) && !mongoc_uri_has_option(self->uri, MONGOC_URI_JOURNAL);
    if (!good || !self->own_concern)
        return good;
    mongoc_write_concern_t *concern = mongoc_write_concern_copy(given);
    mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_uri_set_write_concern(self->uri, concern);
    mongoc_write_concern_destroy(concern);
    return true;
}

gavat_status gv_mongo_prepare_uri(gv_mongo *self, gavat_config *cfg)
{
    const char *key = gv_settings[gv_areas[GV_PROFILES].setting].key;
    const char *set = gv_config_text(self->store->client->config, GV_SET_MONGODB_DB);
    bson_error_t error;
    pthread_once(&driver_once, start_driver);
    self->workers = (unsigned)gv_config_number(self->store->client->config, GV_SET_MONGODB_WORKERS);
    self->uri = mongoc_uri_new_with_error(self->store->url, &error);
    if (!self->uri)         /* its sentence may quote the URI */
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: it is no MongoDB URI: write mongodb://[user:password@]host[:port]/[database][?options], "
                              "with what is special in user and password percent-encoded", key);
    const char *named = mongoc_uri_get_database(self->uri);
    self->database = gv_arena_copy_text(&self->store->arena, *set ? set : named && *named ? named : DATABASE);
    if (!mongoc_write_concern_is_acknowledged(mongoc_uri_get_write_concern(self->uri)))
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s: with w=0 the server acknowledges nothing: leave it away, or write w=majority", key);
    if (!self->database || !fill_in(self))
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for %s", key);
    return GAVAT_OK;
}

/* --- a client of the pool --- */

/* Made by whoever comes first: an SRV name is looked up there, which takes its time. */
static mongoc_client_pool_t *take_pool(gv_mongo *self, bson_error_t *error)
{
    pthread_mutex_lock(&self->lock);
    while (self->making && !self->pool)
        pthread_cond_wait(&self->ready, &self->lock);
    mongoc_client_pool_t *pool = self->pool;
    self->making = !pool;
    pthread_mutex_unlock(&self->lock);
    if (pool)
        return pool;
    pool = mongoc_client_pool_new_with_error(self->uri, error);
    if (pool) {
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
        if (!mongoc_uri_get_appname(self->uri))
            mongoc_client_pool_set_appname(pool, "gavatcore");
    }
    pthread_mutex_lock(&self->lock);
    self->pool = pool;
    self->making = false;
    pthread_cond_broadcast(&self->ready);
    pthread_mutex_unlock(&self->lock);
    return pool;
}

static bool enter(gv_mongo_place *place, bson_error_t *error)
{
    mongoc_client_pool_t *pool = take_pool(place->self, error);
    if (!pool)
        return false;
    place->client = mongoc_client_pool_pop(pool);
    place->profiles = mongoc_client_get_collection(place->client, place->self->database, GV_MONGO_COLLECTION);
    return true;
}

void gv_mongo_leave(gv_mongo_place *place)
{
    if (place->profiles)
        mongoc_collection_destroy(place->profiles);
    if (place->client)
        mongoc_client_pool_push(place->self->pool, place->client);
    gv_text_free(&place->text);
    gv_text_free(&place->merged);
    gv_text_free(&place->view);
}

bool gv_mongo_reach(gv_mongo_place *place, bool to_write, bson_error_t *error)
{
    if (!place->client && !enter(place, error))
        return false;
    mongoc_server_description_t *server = mongoc_client_select_server(place->client, to_write, NULL, error);
    if (!server)
        return false;
    const mongoc_write_concern_t *concern = mongoc_uri_get_write_concern(place->self->uri);
    bool alone = strcmp(mongoc_server_description_type(server), "Standalone") == 0;
    place->majority = !alone && mongoc_write_concern_get_wmajority(concern);
    mongoc_server_description_destroy(server);
    return true;
}

/* --- errors --- */

void gv_mongo_fail(gv_mongo_said *said, gavat_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(said->why, sizeof said->why, format, args);
    va_end(args);
    said->status = status;
    said->native[0] = '\0';
    said->flags = 0;
}

void gv_mongo_said_to(const gv_mongo_said *said, gavat_op *op)
{
    gv_op_fail(op, said->status, said->flags, said->native, "%s", said->why);
    op->staged.number = said->number;
}

void gv_mongo_note_well(gv_mongo *self)
{
    if (atomic_exchange(&self->unwell, false))
        gv_store_set_health(self->store, GAVAT_HEALTH_UP, "");
}

static void note_down(gv_mongo *self, const char *why)
{
    atomic_store(&self->unwell, true);
    gv_store_set_health(self->store, GAVAT_HEALTH_DOWN, why);
}

/* A server that cannot do it now, but another one, or this one later, will. */
static bool is_passing(uint32_t code)
{
    static const uint32_t codes[] = {6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 63, 150, 133};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

typedef struct meaning {
    gavat_status status;
    uint32_t flags;
    const char *advice;
    bool unsent;
} meaning;

static meaning of_server(uint32_t code)
{
    meaning m = {GAVAT_EREJECTED, 0, "the server refuses it", false};
    if (is_passing(code))
        m = (meaning){GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "the servers change their roles, or one goes down: try again", false};
    else if (code == 13 || code == 18)
        m = (meaning){GAVAT_EUNAVAIL, 0, "the user may not: give it the role readWrite on the database", true};
    else if (code == 50)
        m = (meaning){GAVAT_ETIMEDOUT, GAVAT_ERROR_RETRY, "the server took too long", false};
    else if (code == 64 || code == 100)
        m = (meaning){GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "too few of the replicas have it: check the replica set", false};
    else if (code == 14031)
        m = (meaning){GAVAT_EIO, GAVAT_ERROR_RETRY, "the server's disk is full: make room on it", true};
    else if (code == 121)
        m = (meaning){GAVAT_EREJECTED, 0, "the validation rules of the collection refuse the document", true};
    return m;
}

static meaning of_driver(const bson_error_t *error)
{
    switch (error->domain) {
    case MONGOC_ERROR_SERVER_SELECTION:
        return (meaning){GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "check that MongoDB runs, and MONGODB_URI", true};
    case MONGOC_ERROR_STREAM:
        return (meaning){GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "the connection was lost: check MongoDB and the network", false};
    case MONGOC_ERROR_CLIENT:
        return (meaning){GAVAT_EUNAVAIL, 0, "check user, password and authSource of MONGODB_URI", true};
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_COMMAND:
    case MONGOC_ERROR_QUERY:
    case MONGOC_ERROR_WRITE_CONCERN:
        return of_server(error->code);
    case MONGOC_ERROR_CURSOR: return (meaning){GAVAT_EUNAVAIL, GAVAT_ERROR_RETRY, "try again", true};
    default: return (meaning){GAVAT_EREJECTED, 0, "MongoDB cannot hold it", true};
    }
}

void gv_mongo_fail_driver(gv_mongo_place *place, gv_mongo_said *said, const bson_error_t *error, bool sent, const char *what)
{
    meaning m = of_driver(error);
    gv_mongo_fail(said, m.status, "profiles: %s on MongoDB failed: %.300s (%s)", what, error->message, m.advice);
    said->flags = m.flags;
    if (sent && !m.unsent)
        said->flags |= GAVAT_ERROR_MAYBE_APPLIED;
    if (error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_COMMAND || error->domain == MONGOC_ERROR_QUERY
        || error->domain == MONGOC_ERROR_WRITE_CONCERN)
        snprintf(said->native, sizeof said->native, "%" PRIu32, error->code);
    if (m.status == GAVAT_EUNAVAIL)
        note_down(place->self, said->why);
}
