/* scan.c: the threads that look through the collection: pages, searches, totals, a user's profile by its id. The server narrows down what is
 * certain; what matches in the end is settled by the same code as on files, so the answers are the same. One document in memory at a time,
 * besides what the driver has fetched and what the page holds. */
#include "mongodb.h"
#include "../match.h"
#include "../stats.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define REJECTED_MOST 1000      /* are named */
#define FETCH 500               /* documents of a trip, where all may be looked at */

typedef struct scan {
    gv_mongo_place place;
    gv_match match;

    /* Of the op at hand. */
    gavat_op *op;
    mongoc_cursor_t *cursor;
    bool ended;                 /* the cursor has given its last */
    const bson_t *document;
    const char *name;           /* of it; in the document */
    gv_bson_told told;
    gv_arena scratch;
    gv_mongo_said said;
    size_t rejected;
} scan;

static void fail_memory(scan *s)
{
    gv_mongo_fail(&s->said, GAVAT_ENOMEM, "no memory for the profiles");
}

static bool failed(const scan *s)
{
    return s->said.status != GAVAT_OK;
}

/* filter and options are destroyed. good: they are whole. */
static void find(scan *s, bson_t *filter, bson_t *options, bool good)
{
    s->ended = false;
    s->cursor = good ? mongoc_collection_find_with_opts(s->place.profiles, filter, options, NULL) : NULL;
    bson_destroy(filter);
    bson_destroy(options);
    if (!s->cursor)
        fail_memory(s);
}

/* False: there is none, or it failed: end_find says so. */
static bool fetch(scan *s)
{
    s->ended = s->ended || !mongoc_cursor_next(s->cursor, &s->document);
    return !s->ended;
}

static void end_find(scan *s)
{
    bson_error_t error;
    if (s->cursor && !failed(s) && mongoc_cursor_error(s->cursor, &error))
        gv_mongo_fail_driver(&s->place, &s->said, &error, false, "reading the profiles");
    mongoc_cursor_destroy(s->cursor);
    s->cursor = NULL;
}

static void reject(scan *s, const bson_t *document)
{
    bson_iter_t at;
    char sentence[300];
    gv_text id = {0};
    gv_result *result = gv_op_result(s->op);
    if (s->rejected >= REJECTED_MOST)
        return;
    if (bson_iter_init_find(&at, document, "_id") && BSON_ITER_HOLDS_OID(&at)) {
        char text[25];
        bson_oid_to_string(bson_iter_oid(&at), text);
        gv_text_adds(&id, text);
    } else if (bson_iter_init_find(&at, document, "_id") && BSON_ITER_HOLDS_UTF8(&at)) {
        gv_text_adds(&id, bson_iter_utf8(&at, NULL));
    }
    snprintf(sentence, sizeof sentence, "the document with _id %.200s has no username that could be one", gv_text_get(&id));
    gv_text_free(&id);
    if (!result || !gv_result_reject(result, s->rejected++, sentence))
        fail_memory(s);
}

/* Those that no username can ask for are named once: on the first page. */
static void reject_nameless(scan *s)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, type, is, fields;
    bool good = BSON_APPEND_DOCUMENT_BEGIN(&filter, "username", &is) && BSON_APPEND_DOCUMENT_BEGIN(&is, "$not", &type)
                && BSON_APPEND_UTF8(&type, "$type", "string") && bson_append_document_end(&is, &type) && bson_append_document_end(&filter, &is)
                && BSON_APPEND_DOCUMENT_BEGIN(&options, "projection", &fields) && BSON_APPEND_INT32(&fields, "_id", 1)
                && bson_append_document_end(&options, &fields) && BSON_APPEND_INT64(&options, "limit", REJECTED_MOST);
    find(s, &filter, &options, good);
    while (s->cursor && !failed(s) && fetch(s))
        reject(s, s->document);
    end_find(s);
}

/* The next document, as callers get it, in place.view. False: that was the last, or it failed. */
static bool next_document(scan *s)
{
    while (!failed(s) && gv_op_wanted(s->op) && fetch(s)) {
        uint32_t length;
        s->name = gv_mongo_name_of(s->document, &length);
        if (!s->name) {
            reject(s, s->document);
            continue;
        }
        if (gv_mongo_view(&s->place, s->document, s->name, &s->told))
            return true;
        fail_memory(s);
    }
    return false;
}

static gv_slice view_of(const scan *s)
{
    return (gv_slice){gv_text_get(&s->place.view), s->place.view.length};
}

/* The document at hand becomes a record. */
static void keep(scan *s)
{
    gv_result *result = gv_op_result(s->op);
    gavat_profile *profile = result ? gv_arena_alloc(&result->arena, sizeof *profile) : NULL;
    if (profile) {
        profile->username = gv_arena_copy_text(&result->arena, s->name);
        profile->json = gv_arena_copy(&result->arena, gv_text_get(&s->place.view), s->place.view.length);
        profile->json_length = s->place.view.length;
        profile->revision = s->told.revision;
        profile->created_at = s->told.created;
        profile->updated_at = s->told.updated;
    }
    if (!profile || !profile->username || !profile->json || !gv_result_add(result, profile))
        fail_memory(s);
    else
        result->shape = &gv_profile_shape;
}

/* --- pages --- */

/* Whether a text is a value's own, and not how callers see a date or an id. */
static bool is_own_text(gv_slice value)
{
    return value.length > 2 && value.data[1] != '-' && (value.data[1] < '0' || value.data[1] > '9') && value.length != 26;
}

/* What the server can tell as exactly as we can. Only words and truth values; what is left out, match.c settles. */
static bool append_where(bson_t *all, gv_json_query where, uint32_t *place)
{
    char why[GV_JSON_WHY], digits[16];
    bool good = true;
    for (size_t i = 0; good && i < where.count; i++) {
        const gv_json_condition *condition = &where.list[i];
        gv_json_type type = gv_json_type_of(condition->value);
        bool exact = type == GV_JSON_TRUE || type == GV_JSON_FALSE || (type == GV_JSON_STRING && is_own_text(condition->value));
        if (condition->is != GV_JSON_EQUAL || !exact)
            continue;
        const char *key;
        bson_t one;
        size_t length = bson_uint32_to_string((*place)++, &key, digits, sizeof digits);
        good = bson_append_document_begin(all, key, (int)length, &one)
               && gv_bson_append_json(&one, condition->path.data, condition->path.length, condition->value, why);
        good = bson_append_document_end(all, &one) && good;
    }
    return good;
}

static bool append_flag(bson_t *filter, const char *key, int32_t wanted)
{
    return !wanted || BSON_APPEND_BOOL(filter, key, wanted > 0);
}

static bool make_filter(const scan *s, bson_t *filter)
{
    const gv_profile_query *query = s->match.query;
    bson_t name, all;
    uint32_t place = 0;
    bool good = BSON_APPEND_DOCUMENT_BEGIN(filter, "username", &name);
    good = good && (query->after ? BSON_APPEND_UTF8(&name, "$gt", query->after) : BSON_APPEND_UTF8(&name, "$gte", ""))
           && bson_append_document_end(filter, &name);
    if (!good || s->place.self->defaults.changes.count)         /* a default may be what matches */
        return good;
    good = (!query->type || BSON_APPEND_UTF8(filter, "type", query->type)) && append_flag(filter, "is_active", query->is_active)
           && append_flag(filter, "autospam", query->autospam);
    bson_init(&all);
    good = good && append_where(&all, s->match.where, &place) && (!place || BSON_APPEND_ARRAY(filter, "$and", &all));
    bson_destroy(&all);
    return good;
}

static bool append_order(bson_t *options)
{
    bson_t order;
    return BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &order) && BSON_APPEND_INT32(&order, "username", 1)
           && bson_append_document_end(options, &order);
}

static void get_page(scan *s)
{
    const gv_profile_query *query = s->op->request;
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    size_t count = 0;
    gv_result *result = gv_op_result(s->op);
    char why[GV_JSON_WHY];
    s->match.query = query;
    if (!result || !gv_json_read_query(&s->scratch, query->where, &s->match.where, why)) {
        fail_memory(s);
        return;
    }
    if (!query->after)
        reject_nameless(s);
    bool good = make_filter(s, &filter) && append_order(&options)
                && BSON_APPEND_INT32(&options, "batchSize", query->limit < FETCH ? (int32_t)query->limit + 1 : FETCH);
    find(s, &filter, &options, good);
    const char *last = NULL;
    while (s->cursor && count < query->limit && (!count || result->arena.bytes < query->max_bytes) && next_document(s)) {
        last = NULL;
        if (!gv_match_query(&s->match, view_of(s)))
            continue;
        keep(s);
        count++;
        last = !failed(s) ? ((const gavat_profile *)result->records[result->count - 1])->username : NULL;
    }
    if (last && gv_op_wanted(s->op) && fetch(s)) {
        result->cursor = gv_profile_cursor(&result->arena, last);
        if (!result->cursor)
            fail_memory(s);
    }
    end_find(s);
}

/* --- by id --- */

/* The id as text, and as the numbers that print so. */
static bool append_ids(bson_t *ids, const char *user_id)
{
    char *end;
    bson_oid_t oid;
    bool good = BSON_APPEND_UTF8(ids, "0", user_id);
    errno = 0;
    int64_t number = strtoll(user_id, &end, 10);
    if (!*end && !errno)
        good = good && BSON_APPEND_INT64(ids, "1", number);
    else if (!gv_json_check(gv_slice_of(user_id), 1, 0, NULL) && gv_json_type_of(gv_slice_of(user_id)) == GV_JSON_NUMBER) {
        char why[GV_JSON_WHY];
        good = good && gv_bson_append_json(ids, "1", 1, gv_slice_of(user_id), why);
    } else if (bson_oid_is_valid(user_id, strlen(user_id))) {
        bson_oid_init_from_string(&oid, user_id);
        good = good && BSON_APPEND_OID(ids, "1", &oid);
    }
    return good;
}

static bool has_default(const gv_mongo *self, const char *key)
{
    for (size_t i = 0; i < self->defaults.changes.count; i++)
        if (gv_slice_is(self->defaults.changes.list[i].key, key))
            return true;
    return false;
}

static bool get_by_id(scan *s)
{
    const gv_profile_request *request = s->op->request;
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, condition, ids;
    bool good = append_order(&options), found = false;
    if (!has_default(s->place.self, "user_id"))
        good = good && BSON_APPEND_DOCUMENT_BEGIN(&filter, "user_id", &condition) && BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &ids)
               && append_ids(&ids, request->username) && bson_append_array_end(&condition, &ids) && bson_append_document_end(&filter, &condition);
    find(s, &filter, &options, good);
    while (s->cursor && !found && next_document(s))
        found = gv_match_user_id(&s->match, view_of(s), request->username);
    if (found)
        keep(s);
    end_find(s);
    return found;
}

/* --- totals --- */

static bson_t *totals_pipeline(void)
{
    static const char json[] =
        "{\"pipeline\":[{\"$match\":{\"username\":{\"$gte\":\"\"}}},{\"$group\":{"
        "\"_id\":{\"$cond\":[{\"$eq\":[{\"$type\":\"$type\"},\"string\"]},\"$type\",null]},\"count\":{\"$sum\":1},"
        "\"active\":{\"$sum\":{\"$cond\":[{\"$eq\":[\"$is_active\",true]},1,0]}},"
        "\"autospam\":{\"$sum\":{\"$cond\":[{\"$eq\":[\"$autospam\",true]},1,0]}}}}]}";
    bson_error_t error;
    return bson_new_from_json((const uint8_t *)json, sizeof json - 1, &error);
}

static int64_t number_of(const bson_t *document, const char *key)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, document, key) ? bson_iter_as_int64(&at) : 0;
}

static bool count_group(gv_profile_stats *stats, const bson_t *group)
{
    bson_iter_t at;
    uint32_t length;
    gv_text type = {0};
    if (bson_iter_init_find(&at, group, "_id") && BSON_ITER_HOLDS_UTF8(&at)) {
        const char *text = bson_iter_utf8(&at, &length);
        gv_text_add_json(&type, text, length);
    } else {
        gv_text_adds(&type, "null");
    }
    bool good = !type.failed && gv_profile_stats_count(stats, (gv_slice){type.data, type.length}, number_of(group, "count"),
                                                       number_of(group, "active"), number_of(group, "autospam"));
    gv_text_free(&type);
    return good;
}

/* On the server; but defaults, which it does not know, may say what a document is. */
static void add_totals(scan *s, gv_profile_stats *stats)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, name;
    if (s->place.self->defaults.changes.count) {
        bool good = BSON_APPEND_DOCUMENT_BEGIN(&filter, "username", &name) && BSON_APPEND_UTF8(&name, "$gte", "")
                    && bson_append_document_end(&filter, &name);
        find(s, &filter, &options, good);
        while (s->cursor && next_document(s))
            if (!gv_profile_stats_add(stats, view_of(s)))
                fail_memory(s);
    } else {
        bson_t *pipeline = totals_pipeline();
        s->ended = false;
        s->cursor = pipeline ? mongoc_collection_aggregate(s->place.profiles, MONGOC_QUERY_NONE, pipeline, NULL, NULL) : NULL;
        bson_destroy(pipeline);
        if (!s->cursor)
            fail_memory(s);
        while (s->cursor && !failed(s) && fetch(s))
            if (!count_group(stats, s->document))
                fail_memory(s);
    }
    end_find(s);
}

static void count_all(scan *s)
{
    gv_profile_stats stats = {.types = NULL};
    reject_nameless(s);
    if (!failed(s))
        add_totals(s, &stats);
    gv_result *result = gv_op_result(s->op);
    if (!failed(s) && (!result || !gv_profile_stats_print(&stats, result)))
        fail_memory(s);
    s->op->staged.number = stats.count;
    gv_profile_stats_free(&stats);
}

/* --- ops --- */

static void serve(scan *s, gavat_op *op)
{
    bool found = true;
    s->op = op;
    s->name = NULL;
    s->rejected = 0;
    s->said = (gv_mongo_said){.status = GAVAT_OK};
    switch (op->kind->place) {
    case GV_GET_PROFILE_BY_ID: found = get_by_id(s); break;
    case GV_PROFILE_STATS: count_all(s); break;
    case GV_CHECK_PROFILES: gv_mongo_check(&s->place, op); return;
    case GV_SCHEMA_PROFILES: gv_mongo_describe(&s->place, op); return;
    case GV_UPGRADE_PROFILES: gv_mongo_upgrade(&s->place, op); return;
    default: get_page(s);
    }
    gv_arena_free(&s->scratch);
    if (s->match.text.failed || s->match.folded.failed)
        fail_memory(s);
    if (failed(s)) {
        gv_op_drop_result(op);
        gv_mongo_said_to(&s->said, op);
    } else if (!found) {
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "no profile has this user_id");
    } else {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
        gv_mongo_note_well(s->place.self);
    }
}

/* The doctor looks for itself whether there is a server. */
static void take(scan *s, gavat_op *op)
{
    bson_error_t error;
    gv_mongo_said said = {.status = GAVAT_OK};
    bool check = op->kind->place == GV_CHECK_PROFILES;
    if (s->place.self->defaults.refusal[0])
        gv_mongo_fail(&said, GAVAT_EINVAL, "%s", s->place.self->defaults.refusal);
    else if (!gv_mongo_reach(&s->place, op->kind->flags & GV_WRITE, &error) && !check)
        gv_mongo_fail_driver(&s->place, &said, &error, false, "reaching a server");
    if (gv_op_take(op)) {
        if (said.status == GAVAT_OK)
            serve(s, op);
        else
            gv_mongo_said_to(&said, op);
    }
    gv_op_finish(op);
}

void gv_mongo_scan(gv_worker *worker)
{
    scan s = {.place.self = worker->self};
    gv_list ops;
    gv_link *link;
    gv_list_init(&ops);
    while (gv_worker_wait(worker, UINT32_MAX) || !gv_worker_stopping(worker))
        if (gv_worker_take(worker, &ops, 1) && (link = gv_list_take(&ops)))
            take(&s, GV_CONTAINER(link, gavat_op, link));
    gv_match_free(&s.match);
    gv_mongo_leave(&s.place);
}
