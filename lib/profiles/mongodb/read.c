/* read.c: documents by their names: as many as a batch asks for in one find. A worker's thread. */
#include "mongodb.h"

#define NOT_THERE "there is no profile of this name"

static bool append_names(bson_t *filter, const gv_mongo_items *items, gv_mongo_pick pick)
{
    bson_t condition, names;
    char digits[16];
    const char *key;
    uint32_t place = 0;
    bool good = BSON_APPEND_DOCUMENT_BEGIN(filter, "username", &condition) && BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &names);
    for (size_t i = 0; good && i < items->count; i++) {
        if (!pick(&items->list[i]))
            continue;
        size_t length = bson_uint32_to_string(place++, &key, digits, sizeof digits);
        good = bson_append_utf8(&names, key, (int)length, items->list[i].name, -1);
    }
    return good && bson_append_array_end(&condition, &names) && bson_append_document_end(filter, &condition);
}

/* A find of one goes as such, which the server answers at once. */
mongoc_cursor_t *gv_mongo_find_items(gv_mongo_place *place, const gv_mongo_items *items, gv_mongo_pick pick, const bson_t *fields)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    size_t count = 0;
    const char *only = NULL;
    for (size_t i = 0; i < items->count; i++) {
        if (!pick(&items->list[i]))
            continue;
        only = items->list[i].name;
        count++;
    }
    bool good = !fields || BSON_APPEND_DOCUMENT(&options, "projection", fields);
    if (count == 1)
        good = good && BSON_APPEND_UTF8(&filter, "username", only) && BSON_APPEND_INT64(&options, "limit", 1)
               && BSON_APPEND_BOOL(&options, "singleBatch", true);
    else
        good = good && append_names(&filter, items, pick);
    mongoc_cursor_t *cursor = good ? mongoc_collection_find_with_opts(place->profiles, &filter, &options, NULL) : NULL;
    bson_destroy(&filter);
    bson_destroy(&options);
    return cursor;
}

const char *gv_mongo_name_of(const bson_t *document, uint32_t *length)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, "username") || !BSON_ITER_HOLDS_UTF8(&at))
        return NULL;
    const char *name = bson_iter_utf8(&at, length);
    return *length && strlen(name) == *length ? name : NULL;
}

bool gv_mongo_view(gv_mongo_place *place, const bson_t *document, const char *username, gv_bson_told *told)
{
    gv_document read, merged;
    char why[GV_JSON_WHY];
    size_t at;
    const gv_json_changes defaults = place->self->defaults.changes;
    gv_text_clear(&place->view);
    if (!defaults.count)
        return gv_bson_view(&place->view, document, username, told);
    gv_text_clear(&place->text);
    gv_text_clear(&place->merged);
    if (!gv_bson_view(&place->view, document, username, told) || !gv_bson_to_text(&place->text, document))
        return false;
    if (gv_document_read((gv_slice){gv_text_get(&place->text), place->text.length}, &read, &at))
        return true;            /* deeper than anything is merged: it goes as it is */
    if (!gv_json_apply(&place->merged, read.text, defaults, why))
        return false;
    if (gv_document_read((gv_slice){gv_text_get(&place->merged), place->merged.length}, &merged, &at))
        return true;
    gv_text_clear(&place->view);
    gv_document_view(&place->view, &merged, username);
    return !place->view.failed;
}

gavat_profile *gv_mongo_record(gv_mongo_place *place, gv_arena *arena, const bson_t *document, const char *username)
{
    gv_bson_told told;
    gavat_profile *profile = gv_mongo_view(place, document, username, &told) ? gv_arena_alloc(arena, sizeof *profile) : NULL;
    if (!profile)
        return NULL;
    profile->username = gv_arena_copy_text(arena, username);
    profile->json = gv_arena_copy(arena, gv_text_get(&place->view), place->view.length);
    profile->json_length = place->view.length;
    profile->revision = told.revision;
    profile->created_at = told.created;
    profile->updated_at = told.updated;
    return profile->username && profile->json ? profile : NULL;
}

static bool is_get(const gv_mongo_item *item)
{
    return item->deed == GV_ITEM_GET && !item->done;
}

static void take_in(gv_mongo_place *place, gv_mongo_items *items, const bson_t *document)
{
    uint32_t length;
    const char *name = gv_mongo_name_of(document, &length);
    gv_mongo_item *item = name ? gv_mongo_items_find(items, NULL, name, length) : NULL;
    for (; item; item = gv_mongo_items_find(items, item, name, length)) {
        if (!is_get(item))
            continue;
        gv_result *result = gv_op_result(item->op);
        item->profile = result ? gv_mongo_record(place, &result->arena, document, item->name) : NULL;
        if (!item->profile)
            gv_mongo_fail(&item->said, GAVAT_ENOMEM, "no memory for the profile");
        item->done = true;
    }
}

void gv_mongo_read(gv_mongo_place *place, gv_mongo_items *items)
{
    const bson_t *document;
    bson_error_t error;
    gv_mongo_said said = {.status = GAVAT_OK};
    bool any = false;
    for (size_t i = 0; i < items->count; i++)
        any = any || is_get(&items->list[i]);
    if (!any)
        return;
    mongoc_cursor_t *cursor = gv_mongo_find_items(place, items, is_get, NULL);
    while (cursor && mongoc_cursor_next(cursor, &document))
        take_in(place, items, document);
    if (!cursor)
        gv_mongo_fail(&said, GAVAT_ENOMEM, "no memory for the question");
    else if (mongoc_cursor_error(cursor, &error))
        gv_mongo_fail_driver(place, &said, &error, false, "reading");
    else
        gv_mongo_fail(&said, GAVAT_ENOTFOUND, NOT_THERE);
    if (cursor)
        mongoc_cursor_destroy(cursor);
    for (size_t i = 0; i < items->count; i++) {
        gv_mongo_item *item = &items->list[i];
        if (!is_get(item))
            continue;
        item->said = said;
        item->done = true;
    }
}
