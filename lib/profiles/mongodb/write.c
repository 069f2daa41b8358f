/* write.c: what a batch writes. What is counted in its documents is read by one find; then one unordered bulk writes them, each guarded by what was
 * read. Whose guard found something else is read again. A worker's thread. */
#include "mongodb.h"

#define NOT_THERE "there is no profile of this name"
#define DUPLICATE 11000
#define IMMUTABLE 66

static bool is_patch(const gv_mongo_item *item)
{
    return item->deed == GV_ITEM_PATCH && !item->done;
}

static bool is_counted(const gv_mongo_item *item)
{
    return (item->deed == GV_ITEM_PUT || item->deed == GV_ITEM_DELETE) && !item->done;
}

static bool is_write(const gv_mongo_item *item)
{
    return is_patch(item) || is_counted(item);
}

static bool any(const gv_mongo_items *items, gv_mongo_pick pick)
{
    for (size_t i = 0; i < items->count; i++)
        if (pick(&items->list[i]))
            return true;
    return false;
}

static void settle(gv_mongo_item *item, const gv_mongo_said *said)
{
    item->said = *said;
    item->done = true;
}

static void settle_all(gv_mongo_items *items, gv_mongo_pick pick, const gv_mongo_said *said)
{
    for (size_t i = 0; i < items->count; i++)
        if (pick(&items->list[i]))
            settle(&items->list[i], said);
}

static void fail_memory(gv_mongo_item *item)
{
    gv_mongo_said said = {.status = GAVAT_OK};
    gv_mongo_fail(&said, GAVAT_ENOMEM, "no memory for the profile");
    settle(item, &said);
}

static void fail_value(gv_mongo_item *item, const char *why)
{
    gv_mongo_said said = {.status = GAVAT_OK};
    if (!*why) {
        fail_memory(item);
        return;
    }
    gv_mongo_fail(&said, GAVAT_EREJECTED, "%s: nothing was written", why);
    settle(item, &said);
}

/* Of a document that one of ours wrote less than a second ago, later than that: dates have milliseconds only. */
static gavat_time time_of_write(const gv_mongo_place *place, const gv_mongo_meta *stored)
{
    bson_iter_t at;
    gavat_time now = gv_now(place->self->store->client);
    if (!stored->revision || !bson_iter_init_find(&at, stored->kept, "updated_at") || !BSON_ITER_HOLDS_DATE_TIME(&at))
        return now;
    int64_t before = bson_iter_date_time(&at);
    return now / 1000 <= before && now / 1000 > before - 1000 ? (before + 1) * 1000 : now;
}

/* --- what is there --- */

/* What a patch may make of a document. Older ones of other writers may be larger and deeper already. */
static const char *patched_fault(const gv_mongo_place *place, gv_slice before, gv_slice made)
{
    const unsigned flags = GV_JSON_NAN | GV_JSON_SURROGATES;
    const size_t most = place->self->store->client->most_record;
    if (made.length > most && made.length > before.length)
        return "the profile would become larger than GAVAT_MAX_RECORD";
    if (gv_json_check(made, GV_JSON_DEPTH, flags, NULL) && !gv_json_check(before, GV_JSON_DEPTH, flags, NULL))
        return "the profile would be nested deeper than 100";
    return NULL;
}

/* Where the server would order new members by itself, the document as it is to be, and what it must still be. False: no memory. */
static bool make_whole(gv_mongo_item *item, const bson_t *document, gv_json_changes changes)
{
    char why[GV_JSON_WHY];
    bool sorts = false;
    bson_t *whole = bson_new();
    bool good = gv_bson_patched(whole, document, changes, item->made, item->now, &sorts, why);
    if (good && sorts) {
        item->whole = whole;
        item->seen = bson_copy(document);
        return true;
    }
    bson_destroy(whole);
    if (good || !*why)
        return good;
    fail_value(item, why);
    return true;
}

/* The same patch on the text that was read: what is wrong with it is said as everywhere, before the server sees it. */
static bool try_patch(gv_mongo_place *place, gv_mongo_item *item, const bson_t *document)
{
    gv_document read;
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY] = "";
    size_t at;
    const gv_profile_request *request = item->request;
    gv_text_clear(&place->text);
    gv_text_clear(&place->merged);
    if (!gv_bson_to_text(&place->text, document))
        return false;
    gv_slice text = {gv_text_get(&place->text), place->text.length};
    if (gv_document_read(text, &read, &at))
        return true;            /* deeper than we read: the server judges */
    bool made = gv_json_read_patch(&arena, request->json, request->unset, request->unset_count, &changes, why)
                && gv_json_apply(&place->merged, text, changes, why);
    const char *wrong = made ? patched_fault(place, text, (gv_slice){gv_text_get(&place->merged), place->merged.length}) : why;
    bool good = wrong || make_whole(item, document, changes);
    gv_arena_free(&arena);
    if (!wrong)
        return good;
    if (!*wrong)
        return false;
    gv_mongo_said said = {.status = GAVAT_OK};
    gv_mongo_fail(&said, GAVAT_EINVAL, "%s: nothing was changed", wrong);
    settle(item, &said);
    return true;
}

static void take_in(gv_mongo_place *place, gv_mongo_items *items, const bson_t *document)
{
    uint32_t length;
    const char *name = gv_mongo_name_of(document, &length);
    gv_mongo_item *item = name ? gv_mongo_items_find(items, NULL, name, length) : NULL;
    if (!item || !is_write(item))
        return;
    if (!gv_mongo_meta_read(&item->meta, document)) {
        fail_memory(item);
        return;
    }
    item->now = time_of_write(place, &item->meta);
    item->made = gv_next_revision(item->meta.revision, item->meta.counted, item->now);
    if (item->deed == GV_ITEM_PATCH && !try_patch(place, item, document))
        fail_memory(item);
}

/* What was read, before it is read again or is no longer needed. */
static void forget(const gv_mongo_place *place, gv_mongo_item *item)
{
    gv_mongo_meta_free(&item->meta);
    bson_destroy(item->seen);
    bson_destroy(item->whole);
    item->seen = item->whole = NULL;
    item->now = gv_now(place->self->store->client);
    item->made = 1;
}

/* False: they are settled. */
static bool look(gv_mongo_place *place, gv_mongo_items *items, gv_mongo_pick pick, const bson_t *fields)
{
    const bson_t *document;
    bson_error_t error;
    gv_mongo_said said = {.status = GAVAT_OK};
    if (!any(items, pick))
        return true;
    for (size_t i = 0; i < items->count; i++)
        if (pick(&items->list[i]))
            forget(place, &items->list[i]);
    mongoc_cursor_t *cursor = gv_mongo_find_items(place, items, pick, fields);
    while (cursor && mongoc_cursor_next(cursor, &document))
        take_in(place, items, document);
    if (!cursor)
        gv_mongo_fail(&said, GAVAT_ENOMEM, "no memory for the profiles");
    else if (mongoc_cursor_error(cursor, &error))
        gv_mongo_fail_driver(place, &said, &error, false, "reading before writing");
    if (cursor)
        mongoc_cursor_destroy(cursor);
    if (said.status != GAVAT_OK)
        settle_all(items, pick, &said);
    return said.status == GAVAT_OK;
}

/* Those that are not to be written after what was read. */
static void decide(gv_mongo_item *item)
{
    gv_mongo_said said = {.status = GAVAT_OK, .number = 0};
    const gv_mongo_meta *meta = &item->meta;
    if (!meta->kept && item->deed != GV_ITEM_PUT) {
        gv_mongo_fail(&said, GAVAT_ENOTFOUND, NOT_THERE);
    } else if (item->deed == GV_ITEM_PUT && item->wanted != GV_ANY_REVISION) {
        int64_t stored = meta->kept ? meta->revision : -1;
        if (stored == item->wanted)
            return;
        said.number = stored;
        if (!meta->kept)
            gv_mongo_fail(&said, GAVAT_ECONFLICT, "there is no profile of this name: it was deleted, or never written; nothing was written");
        else
            gv_mongo_fail(&said, GAVAT_ECONFLICT, "the stored revision is %lld, not %lld: someone else wrote; read it again, then decide. "
                          "Nothing was written", (long long)stored, (long long)item->wanted);
    } else {
        return;
    }
    settle(item, &said);
}

/* --- the bulk --- */

typedef struct sending {
    gv_mongo_place *place;
    gv_mongo_items *items;
    mongoc_bulk_operation_t *bulk;
    gv_mongo_item *sent[GV_MONGO_BATCH];        /* in the order of the bulk */
    uint32_t count;
} sending;

static bool make_document(gv_mongo_item *item, bson_t *document)
{
    char why[GV_JSON_WHY];
    bool good = item->whole ? bson_concat(document, item->whole)
                            : gv_bson_make(document, item->json, item->name, &item->meta, item->now, why);
    if (!good && item->whole)
        why[0] = '\0';
    if (!good)
        fail_value(item, why);
    else if (document->len > GV_MONGO_LARGEST - 64)     /* the driver adds an _id */
        fail_value(item, "the profile takes more than the 16 MiB that MongoDB holds in a document");
    return good && !item->done;
}

/* The selector of what was read. */
static bool make_guard(const gv_mongo_item *item, bson_t *filter)
{
    return BSON_APPEND_UTF8(filter, "username", item->name) && gv_mongo_meta_guard(&item->meta, filter);
}

static void note(sending *s, gv_mongo_item *item, bool good)
{
    if (!good) {
        fail_memory(item);
        return;
    }
    item->place = s->count;
    s->sent[s->count++] = item;
}

/* Gone meanwhile: it is made anew, as it would have been a moment later. Changed meanwhile: the index on username says so. */
static void add_put(sending *s, gv_mongo_item *item)
{
    bson_t document = BSON_INITIALIZER, filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    bson_error_t error;
    if (make_document(item, &document)) {
        bool good;
        BSON_APPEND_BOOL(&options, "validate", false);  /* it was checked; keys may be empty */
        if (item->meta.kept) {
            BSON_APPEND_BOOL(&options, "upsert", true);
            good = make_guard(item, &filter)
                   && mongoc_bulk_operation_replace_one_with_opts(s->bulk, &filter, &document, &options, &error);
        } else {
            good = mongoc_bulk_operation_insert_with_opts(s->bulk, &document, &options, &error);
        }
        note(s, item, good);
    }
    bson_destroy(&document);
    bson_destroy(&filter);
    bson_destroy(&options);
}

/* With upsert a guard that finds nothing is told by its place in the bulk: the document that would be made is one that the server refuses, since its
 * _id could not be both. */
static void add_patch(sending *s, gv_mongo_item *item)
{
    bson_t update = BSON_INITIALIZER, filter = BSON_INITIALIZER, options = BSON_INITIALIZER, insert;
    bson_iter_t id;
    bson_error_t error;
    char why[GV_JSON_WHY];
    bool good = gv_bson_patch(&update, item->request, item->made, item->now, why) && bson_iter_init_find(&id, item->meta.kept, "_id")
                && bson_append_iter(&filter, "_id", 3, &id) && make_guard(item, &filter);
    good = good && BSON_APPEND_DOCUMENT_BEGIN(&update, "$setOnInsert", &insert) && BSON_APPEND_UTF8(&insert, "_id", "none")
           && bson_append_document_end(&update, &insert);
    if (!good && *why) {
        fail_value(item, why);
    } else {
        BSON_APPEND_BOOL(&options, "validate", false);
        BSON_APPEND_BOOL(&options, "upsert", true);
        note(s, item, good && mongoc_bulk_operation_update_one_with_opts(s->bulk, &filter, &update, &options, &error));
    }
    bson_destroy(&update);
    bson_destroy(&filter);
    bson_destroy(&options);
}

static void add_delete(sending *s, gv_mongo_item *item)
{
    bson_t filter = BSON_INITIALIZER;
    bson_error_t error;
    note(s, item, BSON_APPEND_UTF8(&filter, "username", item->name)
                  && mongoc_bulk_operation_remove_one_with_opts(s->bulk, &filter, NULL, &error));
    bson_destroy(&filter);
}

/* Whether this error of one write means that its document is to be read again. */
static bool is_raced(const bson_iter_t *error, uint32_t code)
{
    bson_iter_t at, key;
    if (code == IMMUTABLE)
        return true;
    if (code != DUPLICATE)
        return false;
    if (!bson_iter_recurse(error, &at) || !bson_iter_find(&at, "keyPattern") || !bson_iter_recurse(&at, &key) || !bson_iter_next(&key))
        return true;
    return strcmp(bson_iter_key(&key), "username") == 0 || strcmp(bson_iter_key(&key), "_id") == 0;
}

static void take_error(sending *s, const bson_iter_t *told)
{
    bson_iter_t at;
    bson_error_t error = {.domain = MONGOC_ERROR_SERVER, .message = "refused"};
    uint32_t length, index = UINT32_MAX;
    for (bool more = bson_iter_recurse(told, &at); more && bson_iter_next(&at);) {
        if (strcmp(bson_iter_key(&at), "index") == 0)
            index = (uint32_t)bson_iter_as_int64(&at);
        else if (strcmp(bson_iter_key(&at), "code") == 0)
            error.code = (uint32_t)bson_iter_as_int64(&at);
        else if (strcmp(bson_iter_key(&at), "errmsg") == 0 && BSON_ITER_HOLDS_UTF8(&at))
            bson_strncpy(error.message, bson_iter_utf8(&at, &length), sizeof error.message);
    }
    if (index >= s->count || !s->sent[index])
        return;
    gv_mongo_item *item = s->sent[index];
    s->sent[index] = NULL;
    if (is_raced(told, error.code))
        return;                 /* once more */
    gv_mongo_said said = {.status = GAVAT_OK};
    gv_mongo_fail_driver(s->place, &said, &error, false, "writing");
    if (error.code == 28 || error.code == 2) {
        gv_mongo_fail(&said, GAVAT_EINVAL, "%.300s: nothing was changed", error.message);
    }
    settle(item, &said);
}

static bool has_items(const bson_t *reply, const char *key, bson_iter_t *items)
{
    bson_iter_t at;
    return bson_iter_init_find(&at, reply, key) && BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, items);
}

/* The first of the write concern's complaints; it holds for all that were written. */
static bool concern_error(const bson_t *reply, bson_error_t *error)
{
    bson_iter_t items, at;
    uint32_t length;
    if (!has_items(reply, "writeConcernErrors", &items) || !bson_iter_next(&items))
        return false;
    *error = (bson_error_t){.domain = MONGOC_ERROR_WRITE_CONCERN, .code = 64, .message = "the write concern was not reached"};
    for (bool more = bson_iter_recurse(&items, &at); more && bson_iter_next(&at);) {
        if (strcmp(bson_iter_key(&at), "code") == 0)
            error->code = (uint32_t)bson_iter_as_int64(&at);
        else if (strcmp(bson_iter_key(&at), "errmsg") == 0 && BSON_ITER_HOLDS_UTF8(&at))
            bson_strncpy(error->message, bson_iter_utf8(&at, &length), sizeof error->message);
    }
    return true;
}

static void take_answer(sending *s, bool good, const bson_t *reply, const bson_error_t *error)
{
    bson_iter_t items;
    bson_error_t concern;
    gv_mongo_said said = {.status = GAVAT_OK};
    bool told = has_items(reply, "writeErrors", &items), any_error = false;
    while (told && bson_iter_next(&items)) {
        any_error = true;
        take_error(s, &items);
    }
    if (concern_error(reply, &concern))
        gv_mongo_fail_driver(s->place, &said, &concern, true, "writing");
    else if (!good && (!any_error || error->domain == MONGOC_ERROR_STREAM || error->domain == MONGOC_ERROR_SERVER_SELECTION))
        gv_mongo_fail_driver(s->place, &said, error, true, "writing");
    for (uint32_t i = 0; i < s->count; i++) {
        gv_mongo_item *item = s->sent[i];
        if (!item)
            continue;
        said.number = said.status == GAVAT_OK ? item->deed == GV_ITEM_DELETE ? 0 : item->made : 0;
        settle(item, &said);
    }
}

static bool in_bulk(const gv_mongo_item *item)
{
    return is_write(item) && !item->whole && (item->wanted == GV_ANY_REVISION || !item->meta.kept);
}

static void add_all(sending *s, bool (*wanted)(const gv_mongo_item *), void (*add)(sending *, gv_mongo_item *))
{
    for (size_t i = 0; i < s->items->count; i++)
        if (in_bulk(&s->items->list[i]) && wanted(&s->items->list[i]))
            add(s, &s->items->list[i]);
}

static bool is_insert(const gv_mongo_item *item)
{
    return item->deed == GV_ITEM_PUT && !item->meta.kept;
}

static bool is_replace(const gv_mongo_item *item)
{
    return item->deed == GV_ITEM_PUT && item->meta.kept;
}

static bool is_delete(const gv_mongo_item *item)
{
    return item->deed == GV_ITEM_DELETE;
}

/* One kind after another: each is one command. */
static void send_bulk(gv_mongo_place *place, gv_mongo_items *items)
{
    bson_t options = BSON_INITIALIZER, reply;
    bson_error_t error;
    sending s = {.place = place, .items = items};
    if (!any(items, in_bulk))
        return;
    BSON_APPEND_BOOL(&options, "ordered", false);
    s.bulk = mongoc_collection_create_bulk_operation_with_opts(place->profiles, &options);
    bson_destroy(&options);
    add_all(&s, is_insert, add_put);
    add_all(&s, is_replace, add_put);
    add_all(&s, is_patch, add_patch);
    add_all(&s, is_delete, add_delete);
    if (s.count) {
        bool good = mongoc_bulk_operation_execute(s.bulk, &reply, &error) != 0;
        take_answer(&s, good, &reply, &error);
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(s.bulk);
}

/* {$expr: {$eq: ["$$ROOT", {$literal: document}]}} */
static bool append_same(bson_t *filter, const bson_t *document)
{
    bson_t is, both, literal;
    return BSON_APPEND_DOCUMENT_BEGIN(filter, "$expr", &is) && BSON_APPEND_ARRAY_BEGIN(&is, "$eq", &both)
           && BSON_APPEND_UTF8(&both, "0", "$$ROOT") && BSON_APPEND_DOCUMENT_BEGIN(&both, "1", &literal)
           && BSON_APPEND_DOCUMENT(&literal, "$literal", document) && bson_append_document_end(&both, &literal)
           && bson_append_array_end(&is, &both) && bson_append_document_end(filter, &is);
}

/* A write that must not make anew what was deleted meanwhile goes alone: the answer is of it only. Where a document is written whole for a patch, no
 * change of anyone's since it was read may be lost. */
static void send_guarded(gv_mongo_place *place, gv_mongo_item *item)
{
    bson_t document = BSON_INITIALIZER, filter = BSON_INITIALIZER, options = BSON_INITIALIZER, reply;
    bson_iter_t at;
    bson_error_t error, concern;
    gv_mongo_said said = {.status = GAVAT_OK};
    BSON_APPEND_BOOL(&options, "validate", false);
    if (make_document(item, &document)) {
        if (!make_guard(item, &filter) || (item->seen && !append_same(&filter, item->seen))) {
            fail_memory(item);
        } else {
            bool good = mongoc_collection_replace_one(place->profiles, &filter, &document, &options, &reply, &error);
            bool matched = bson_iter_init_find(&at, &reply, "matchedCount") && bson_iter_as_int64(&at) > 0;
            if (concern_error(&reply, &concern))
                gv_mongo_fail_driver(place, &said, &concern, true, "writing");
            else if (!good)
                gv_mongo_fail_driver(place, &said, &error, true, "writing");
            said.number = said.status == GAVAT_OK ? item->made : 0;
            if (matched || said.status != GAVAT_OK)
                settle(item, &said);
            bson_destroy(&reply);
        }
    }
    bson_destroy(&document);
    bson_destroy(&filter);
    bson_destroy(&options);
}

void gv_mongo_write(gv_mongo_place *place, gv_mongo_items *items)
{
    gv_mongo_said said = {.status = GAVAT_OK};
    if (any(items, is_write) && !atomic_load(&place->self->unique) && !gv_mongo_ensure_unique(place, &said))
        settle_all(items, is_write, &said);
    for (unsigned tries = 0; any(items, is_write) && tries < GV_MONGO_TRIES; tries++) {
        look(place, items, is_counted, gv_mongo_meta_fields());
        look(place, items, is_patch, NULL);
        for (size_t i = 0; i < items->count; i++)
            if (is_write(&items->list[i]))
                decide(&items->list[i]);
        for (size_t i = 0; i < items->count; i++)
            if (is_write(&items->list[i]) && !in_bulk(&items->list[i]))
                send_guarded(place, &items->list[i]);
        send_bulk(place, items);
    }
    gv_mongo_fail(&said, GAVAT_EBUSY, "others write this profile all the time: nothing was written; try again");
    said.flags = GAVAT_ERROR_RETRY;
    settle_all(items, is_write, &said);
    for (size_t i = 0; i < items->count; i++)
        forget(place, &items->list[i]);
}
