/* meta.c: what is counted in a document: by it a writer sees that somebody else wrote meanwhile. Any thread. */
#include "mongodb.h"

static const char *const fields[] = {"_id", "username", "created_at", "updated_at", "revision", "revised_at"};
static const char *const guarded[] = {"updated_at", "revision", "revised_at"};

static bson_t *projection;
static pthread_once_t projection_once = PTHREAD_ONCE_INIT;

static void make_projection(void)
{
    projection = bson_new();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        BSON_APPEND_INT32(projection, fields[i], 1);
}

const bson_t *gv_mongo_meta_fields(void)
{
    pthread_once(&projection_once, make_projection);
    return projection;
}

static bool same(const bson_iter_t *a, const bson_iter_t *b)
{
    uint32_t length, other;
    if (bson_iter_type(a) != bson_iter_type(b))
        return false;
    if (bson_iter_type(a) == BSON_TYPE_DATE_TIME)
        return bson_iter_date_time(a) == bson_iter_date_time(b);
    if (bson_iter_type(a) != BSON_TYPE_UTF8)
        return false;
    const char *text = bson_iter_utf8(a, &length), *second = bson_iter_utf8(b, &other);
    return length == other && memcmp(text, second, length) == 0;
}

bool gv_mongo_revision_of(const bson_t *document, int64_t *counted, int64_t *revision)
{
    bson_iter_t at, revised, updated;
    *counted = *revision = 0;
    if (!bson_iter_init_find(&at, document, "revision") || !BSON_ITER_HOLDS_INT(&at))
        return false;
    int64_t number = bson_iter_as_int64(&at);
    *counted = number < 0 || number > INT64_MAX / 2 ? 0 : number;       /* no counting comes there */
    if (bson_iter_init_find(&revised, document, "revised_at") && bson_iter_init_find(&updated, document, "updated_at")
        && same(&revised, &updated))
        *revision = *counted;
    return *revision != 0;
}

bool gv_mongo_meta_read(gv_mongo_meta *meta, const bson_t *document)
{
    bson_iter_t at;
    gv_mongo_meta_free(meta);
    meta->kept = bson_new();
    for (bool more = bson_iter_init(&at, document); more && bson_iter_next(&at);)
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (i != 1 && strcmp(bson_iter_key(&at), fields[i]) == 0 && !bson_append_iter(meta->kept, NULL, 0, &at))
                return false;
    gv_mongo_revision_of(meta->kept, &meta->counted, &meta->revision);
    return true;
}

void gv_mongo_meta_free(gv_mongo_meta *meta)
{
    bson_destroy(meta->kept);
    meta->kept = NULL;
    meta->counted = meta->revision = 0;
}

/* $eq: a value that is a pattern is compared too, not matched. */
bool gv_mongo_meta_guard(const gv_mongo_meta *meta, bson_t *filter)
{
    bool good = true;
    for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++) {
        bson_t condition;
        bson_iter_t at;
        good = good && BSON_APPEND_DOCUMENT_BEGIN(filter, guarded[i], &condition);
        if (!good)
            return false;
        if (bson_iter_init_find(&at, meta->kept, guarded[i]))
            good = bson_append_iter(&condition, "$eq", 3, &at);
        else
            good = BSON_APPEND_BOOL(&condition, "$exists", false);
        good = bson_append_document_end(filter, &condition) && good;
    }
    return good;
}
