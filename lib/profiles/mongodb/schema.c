/* schema.c: the indexes: those of the original. The one that keeps usernames apart is what every write relies on; the others make reads quick and
 * are made behind everybody's back. */
#include "mongodb.h"
#include "../../core/check.h"
#include <inttypes.h>
#include <stdio.h>

typedef struct index {
    const char *name, *fields[3];
    bool unique;
} index_row;

static const index_row indexes[] = {
    {"username_1", {"username"}, true},
    {"user_id_1", {"user_id"}, false},
    {"type_1", {"type"}, false},
    {"created_at_1", {"created_at"}, false},
    {"type_1_autospam_1_is_active_1", {"type", "autospam", "is_active"}, false},
};
#define INDEXES (sizeof indexes / sizeof *indexes)

/* --- which are there --- */

static bool is_row(const bson_t *found, const index_row *row)
{
    bson_iter_t at, key;
    size_t count = 0;
    if (!bson_iter_init_find(&at, found, "key") || !bson_iter_recurse(&at, &key))
        return false;
    for (; bson_iter_next(&key); count++)
        if (count >= 3 || !row->fields[count] || strcmp(row->fields[count], bson_iter_key(&key)) != 0)
            return false;
    bool unique = bson_iter_init_find(&at, found, "unique") && bson_iter_as_bool(&at);
    bool partial = bson_has_field(found, "partialFilterExpression") || bson_has_field(found, "sparse") || bson_has_field(found, "collation");
    return count && (count == 3 || !row->fields[count]) && (!row->unique || (unique && !partial));
}

/* A collection that is not there has none. */
static bool look(gv_mongo_place *place, bool there[INDEXES], gv_mongo_said *said)
{
    const bson_t *found;
    bson_error_t error;
    memset(there, 0, INDEXES * sizeof *there);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(place->profiles, NULL);
    while (mongoc_cursor_next(cursor, &found))
        for (size_t i = 0; i < INDEXES; i++)
            there[i] = there[i] || is_row(found, &indexes[i]);
    bool good = !mongoc_cursor_error(cursor, &error) || error.code == 26;      /* NamespaceNotFound */
    if (!good)
        gv_mongo_fail_driver(place, said, &error, false, "reading the indexes");
    mongoc_cursor_destroy(cursor);
    return good;
}

/* --- making them --- */

static bool make(gv_mongo_place *place, const index_row *row, gv_mongo_said *said)
{
    bson_t command = BSON_INITIALIZER, list, one, key, reply;
    bson_error_t error;
    bool good = BSON_APPEND_UTF8(&command, "createIndexes", GV_MONGO_COLLECTION) && BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &list)
                && BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &one) && BSON_APPEND_UTF8(&one, "name", row->name)
                && BSON_APPEND_DOCUMENT_BEGIN(&one, "key", &key);
    for (size_t i = 0; good && i < 3 && row->fields[i]; i++)
        good = BSON_APPEND_INT32(&key, row->fields[i], 1);
    good = good && bson_append_document_end(&one, &key) && (!row->unique || BSON_APPEND_BOOL(&one, "unique", true))
           && bson_append_document_end(&list, &one) && bson_append_array_end(&command, &list);
    if (!good) {
        gv_mongo_fail(said, GAVAT_ENOMEM, "no memory for an index");
        bson_destroy(&command);
        return false;
    }
    good = mongoc_client_write_command_with_opts(place->client, place->self->database, &command, NULL, &reply, &error);
    bson_destroy(&reply);
    bson_destroy(&command);
    if (good || error.code == 85 || error.code == 86)   /* one like it, by another name or with other options */
        return true;
    gv_mongo_fail_driver(place, said, &error, false, "making an index");
    return false;
}

/* Without it two writers could make two documents of one name, and nobody would see that another one wrote. */
bool gv_mongo_ensure_unique(gv_mongo_place *place, gv_mongo_said *said)
{
    bool there[INDEXES];
    gv_mongo_said own = {.status = GAVAT_OK};
    if (!look(place, there, said))
        return false;
    bool good = there[0] || (make(place, &indexes[0], &own) && look(place, there, said) && there[0]);
    if (good) {
        atomic_store(&place->self->unique, true);
        return true;
    }
    if (own.status == GAVAT_EUNAVAIL || said->status != GAVAT_OK) {
        *said = said->status != GAVAT_OK ? *said : own;
        return false;
    }
    gv_mongo_fail(said, GAVAT_ESCHEMA, "profiles: the collection has no unique index on username, and it could not be made (%.200s): mend what "
                  "is there twice, then run gavatctl schema upgrade", own.status != GAVAT_OK ? own.why : "another one is in its place");
    return false;
}

void gv_mongo_index(gv_worker *worker)
{
    gv_mongo *self = worker->self;
    gv_mongo_place place = {.self = self};
    bson_error_t error;
    bool there[INDEXES], made = false;
    while (!made && !gv_worker_stopping(worker)) {
        gv_mongo_said said = {.status = GAVAT_OK};
        made = atomic_load(&self->unique) && gv_mongo_reach(&place, true, &error) && look(&place, there, &said);
        for (size_t i = 0; made && i < INDEXES && !gv_worker_stopping(worker); i++)
            if (!there[i] && !make(&place, &indexes[i], &said))
                gv_log(self->store->client, GAVAT_LOG_WARN, "profiles", "the index %s could not be made: %s", indexes[i].name, said.why);
        if (!made)
            gv_worker_wait(worker, 500);
    }
    gv_mongo_leave(&place);
}

/* --- gavatctl schema --- */

static bool say(gavat_op *op, const char *json)
{
    gv_text text = {0};
    gv_text_adds(&text, json);
    gv_result *result = gv_op_result(op);
    bool good = !text.failed && result && gv_result_add_json(result, &text);
    if (!good)
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&text);
    return good;
}

void gv_mongo_describe(gv_mongo_place *place, gavat_op *op)
{
    bool there[INDEXES], all = true;
    gv_mongo_said said = {.status = GAVAT_OK};
    gv_text json = {0};
    if (!look(place, there, &said)) {
        gv_mongo_said_to(&said, op);
        return;
    }
    for (size_t i = 0; i < INDEXES; i++)
        all = all && there[i];
    gv_text_addf(&json, "{\"store\":\"profiles\",\"version\":%d,\"wanted\":1,\"steps\":[", all);
    for (size_t i = 0, count = 0; i < INDEXES; i++)
        if (!there[i])
            gv_text_addf(&json, "%s\"index %s\"", count++ ? "," : "", indexes[i].name);
    gv_text_addf(&json, "],\"state\":\"%s\"}", all ? "up to date" : "to be upgraded");
    if (say(op, gv_text_get(&json)))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    gv_text_free(&json);
}

void gv_mongo_upgrade(gv_mongo_place *place, gavat_op *op)
{
    const gv_upgrade_request *request = op->request;
    bool there[INDEXES], dry = request->dry_run != 0;
    gv_mongo_said said = {.status = GAVAT_OK};
    char json[200];
    bool good = look(place, there, &said);
    for (size_t i = 0; good && i < INDEXES; i++) {
        if (there[i])
            continue;
        good = dry || (i == 0 ? gv_mongo_ensure_unique(place, &said) : make(place, &indexes[i], &said));
        snprintf(json, sizeof json, "{\"store\":\"profiles\",\"step\":\"index %s\",\"result\":\"%s\"}", indexes[i].name, dry ? "would do" : "done");
        if (good && !say(op, json))
            return;
    }
    if (good)
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_mongo_said_to(&said, op);
}

/* --- gavatctl doctor --- */

static void check_server(gv_mongo_place *place, gavat_op *op, const mongoc_server_description_t *server)
{
    char figure[400];
    bson_iter_t at;
    const char *type = mongoc_server_description_type(server), *host = mongoc_server_description_host(server)->host_and_port;
    const bson_t *hello = mongoc_server_description_hello_response(server);
    int64_t wire = bson_iter_init_find(&at, hello, "maxWireVersion") ? bson_iter_as_int64(&at) : 0;
    bool old = wire < 9, alone = strcmp(type, "Standalone") == 0;
    snprintf(figure, sizeof figure, "%s at %s", type, host);
    gv_check_add(op, "server", old ? "fail" : "ok", figure, old ? "it is older than MongoDB 4.4: upgrade it" : "");
    gv_check_add(op, "replicas", alone ? "warn" : "ok", alone ? "none" : place->majority ? "writes wait for most of them" : "writes do not wait for them",
                 alone ? "a standalone server loses what its disk loses, and is away while it restarts: run a replica set" : "");
}

static void check_indexes(gv_mongo_place *place, gavat_op *op)
{
    bool there[INDEXES], all = true;
    gv_mongo_said said = {.status = GAVAT_OK};
    char missing[200] = "";
    if (!look(place, there, &said)) {
        gv_check_add(op, "indexes", "fail", said.why, "check the rights of the user");
        return;
    }
    for (size_t i = 0; i < INDEXES; i++) {
        size_t used = strlen(missing);
        if (!there[i])
            snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "missing: ", indexes[i].name);
        all = all && there[i];
    }
    gv_check_add(op, "indexes", !there[0] ? "fail" : all ? "ok" : "warn", all ? "all are there" : missing,
                 all ? "" : "run gavatctl schema upgrade");
}

void gv_mongo_check(gv_mongo_place *place, gavat_op *op)
{
    bson_error_t error;
    char figure[40];
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    mongoc_server_description_t *server = place->client ? mongoc_client_select_server(place->client, true, NULL, &error) : NULL;
    if (!server) {
        gv_check_add(op, "server", "fail", place->client ? error.message : "its name cannot be looked up", "check that MongoDB runs, and MONGODB_URI");
        return;
    }
    check_server(place, op, server);
    mongoc_server_description_destroy(server);
    check_indexes(place, op);
    int64_t count = mongoc_collection_estimated_document_count(place->profiles, NULL, NULL, NULL, &error);
    snprintf(figure, sizeof figure, "%" PRId64, count);
    gv_check_add(op, "profiles", count < 0 ? "fail" : "ok", count < 0 ? error.message : figure, count < 0 ? "check the rights of the user" : "");
}
