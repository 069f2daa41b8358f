/* Profiles on MongoDB, what only it does: types, the original's own collection, other writers. Needs a server in TEST_PROFILES_URLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"
#include <mongoc/mongoc.h>

typedef struct raw {            /* the driver, beside the library */
    mongoc_client_t *client;
    mongoc_collection_t *profiles;
} raw;

static raw open_raw(void **state)
{
    raw r;
    const char *url = ((fresh *)*state)->url;
    mongoc_uri_t *uri = mongoc_uri_new(url);
    r.client = mongoc_client_new_from_uri(uri);
    r.profiles = mongoc_client_get_collection(r.client, mongoc_uri_get_database(uri), "profiles");
    mongoc_uri_destroy(uri);
    return r;
}

static void close_raw(raw *r)
{
    mongoc_collection_destroy(r->profiles);
    mongoc_client_destroy(r->client);
}

static bson_t *parse(const char *json)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (!document)
        fail_msg("%s", error.message);
    return document;
}

static void insert(raw *r, const bson_t *document)
{
    bson_error_t error;
    if (!mongoc_collection_insert_one(r->profiles, document, NULL, NULL, &error))
        fail_msg("%s", error.message);
}

static bson_t *find(raw *r, const char *name)
{
    const bson_t *found;
    bson_t *filter = BCON_NEW("username", BCON_UTF8(name)), *copy = NULL;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(r->profiles, filter, NULL, NULL);
    if (mongoc_cursor_next(cursor, &found))
        copy = bson_copy(found);
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    assert_non_null(copy);
    return copy;
}

static bool is_counted(const char *key)
{
    return strcmp(key, "updated_at") == 0 || strcmp(key, "revision") == 0 || strcmp(key, "revised_at") == 0;
}

/* Every field of before but those is in after, in the same place and of the same type and bytes. */
static void expect_kept(const bson_t *before, const bson_t *after)
{
    bson_iter_t was, is;
    assert_true(bson_iter_init(&was, before) && bson_iter_init(&is, after));
    while (bson_iter_next(&was)) {
        bson_t left = BSON_INITIALIZER, right = BSON_INITIALIZER;
        assert_true(bson_iter_next(&is));
        assert_string_equal(bson_iter_key(&was), bson_iter_key(&is));
        if (!is_counted(bson_iter_key(&was))) {
            bson_append_iter(&left, NULL, 0, &was);
            bson_append_iter(&right, NULL, 0, &is);
            assert_true(bson_equal(&left, &right));
        }
        bson_destroy(&left);
        bson_destroy(&right);
    }
}

/* A field that is new changes nothing else, type by type; nor do two, which are written another way. */
static void patch_and_compare(gavat *g, raw *r, const char *name)
{
    bson_t *before = find(r, name);
    DO(g, GAVAT_OK, patch_profile, name, "{\"zz\":1}", NULL, 0);
    bson_t *once = find(r, name);
    expect_kept(before, once);
    DO(g, GAVAT_OK, patch_profile, name, "{\"zy\":1,\"zx\":2}", NULL, 0);
    bson_t *twice = find(r, name);
    expect_kept(once, twice);
    bson_destroy(before);
    bson_destroy(once);
    bson_destroy(twice);
}

static void the_original_collection_stays_as_it_is(void **state)
{
    char path[600], *line = NULL;
    size_t room = 0, read = 0, named = 0;
    raw r = open_raw(state);
    gavat *g = client_of(state);
    snprintf(path, sizeof path, "%s/tests/data/original/mongodb.profiles.ejson", getenv("TEST_SOURCE_DIR"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; getline(&line, &room, file) > 0; read++) {
        bson_t *document = parse(line);
        bson_iter_t at;
        insert(&r, document);
        if (bson_iter_init_find(&at, document, "username") && BSON_ITER_HOLDS_UTF8(&at)) {
            const char *name = bson_iter_utf8(&at, NULL);
            gavat_op *op = get_profile(g, name);
            expect_status(op, GAVAT_OK, __FILE__, __LINE__);
            assert_json(op, 0, "username", name);
            gavat_op_unref(op);
            patch_and_compare(g, &r, name);
            named++;
        }
        bson_destroy(document);
    }
    fclose(file);
    free(line);
    gavat_op *list = held(g);
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.limit = 1000;
    RUN(list, get_profiles, &filter);
    assert_int_equal(gavat_op_count(list), named);
    assert_true(read >= named && named > 0);
    gavat_op_unref(list);
    close_raw(&r);
}

static void types_are_given_as_what_they_stand_for(void **state)
{
    raw r = open_raw(state);
    gavat *g = client_of(state);
    bson_t *document = parse(
        "{\"username\":\"t\",\"i\":{\"$numberLong\":\"5\"},\"d\":{\"$numberDouble\":\"5.0\"},\"z\":{\"$numberDouble\":\"-0.0\"},"
        "\"n\":{\"$numberDouble\":\"NaN\"},\"dec\":{\"$numberDecimal\":\"1.50\"},\"o\":{\"$oid\":\"6b0455deaf9646b305785502\"},"
        "\"at\":{\"$date\":{\"$numberLong\":\"1795446238573\"}},\"b\":{\"$binary\":{\"base64\":\"AAEC/w==\",\"subType\":\"00\"}},"
        "\"big\":{\"$numberDouble\":\"1e+22\"},\"s\":{\"$numberDouble\":\"0.000012\"},\"h\":{\"$numberDouble\":\"123456.789\"}}");
    insert(&r, document);
    bson_destroy(document);
    gavat_op *op = get_profile(g, "t");
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_json(op, 0, "i", "5");
    assert_json(op, 0, "d", "5.0");
    assert_json(op, 0, "z", "-0.0");
    assert_json(op, 0, "n", "NaN");
    assert_json(op, 0, "dec", "1.50");
    assert_json(op, 0, "o", "6b0455deaf9646b305785502");
    assert_json(op, 0, "at", "2026-11-23T15:03:58.573000Z");
    assert_json(op, 0, "b.$binary.base64", "AAEC/w==");
    assert_json(op, 0, "big", "1e+22");
    assert_json(op, 0, "s", "1.2e-05");
    assert_json(op, 0, "h", "123456.789");
    assert_int_equal(gavat_op_profile(op, 0)->revision, 0);
    gavat_op_unref(op);
    patch_and_compare(g, &r, "t");
    close_raw(&r);
}

/* What a program that knows nothing of revisions leaves behind. */
static void another_writer_is_noticed(void **state)
{
    raw r = open_raw(state);
    gavat *g = client_of(state);
    bson_error_t error;
    int64_t revision = put_profile(g, "a", "{\"n\":1}");
    bson_t *filter = parse("{\"username\":\"a\"}");
    bson_t *other = parse("{\"username\":\"a\",\"n\":2,\"updated_at\":{\"$date\":{\"$numberLong\":\"1795446238573\"}}}");
    assert_true(mongoc_collection_replace_one(r.profiles, filter, other, NULL, NULL, &error));
    DO(g, GAVAT_ECONFLICT, put_profile_if_revision, "a", "{\"n\":3}", revision);
    assert_field(g, "a", "n", "2");
    assert_true(put_profile(g, "a", "{\"n\":4}") > revision + 1);
    assert_field(g, "a", "n", "4");
    bson_destroy(filter);
    bson_destroy(other);
    close_raw(&r);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_original_collection_stays_as_it_is),
        cmocka_unit_test(types_are_given_as_what_they_stand_for),
        cmocka_unit_test(another_writer_is_noticed),
    };
    return run_on_mongodb("mongodb", cases, sizeof cases / sizeof *cases);
}
