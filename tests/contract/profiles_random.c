/* profiles_random.c: random operations by seed, many in flight, on the store and on a plain model beside it: every answer is compared, to
 * the letter. Below it: revisions that guard against lost updates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "profiles.h"
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

enum { NAMES = 24, FIELDS = 10, KEYS = 9, PENDING = 64, KEPT_CREATED = KEYS, KEPT_UPDATED, KEPT_REVISION };

static const char *const keys[KEYS] = {"type", "is_active", "autospam", "user_id", "display_name", "gpt", "f0", "f1", "ş"};
static const char *const values[KEYS][4] = {
    {"\"bot\"", "\"user\"", "\"İç\"", "null"}, {"true", "false", "1", "\"true\""}, {"true", "false", "null", "true"},
    {"\"7\"", "7", "\"8\"", "-9"}, {"\"Işık\"", "\"sahin\"", "\"ŞAHİN\"", "\"x\""},
    {"{\"t\":0.50,\"m\":[1,2]}", "{\"t\":1e2}", "{}", "{\"t\":{\"u\":\"v\"}}"},
    {"0", "-0", "9007199254740993", "1.50"}, {"\"\"", "\"\\\"\\\\\\n\"", "[[],{}]", "\"a/b\""}, {"1", "2", "3", "4"},
};

/* How a store that keeps numbers, not their digits, gives them back. */
static const char *const numbers[][2] = {
    {"{\"t\":0.50,\"m\":[1,2]}", "{\"t\":0.5,\"m\":[1,2]}"}, {"{\"t\":1e2}", "{\"t\":100.0}"}, {"-0", "0"}, {"1.50", "1.5"}};
static bool digits;             /* the store at hand keeps them */

static const char *read_back(const char *value)
{
    for (size_t i = 0; !digits && i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i][0], value) == 0)
            return numbers[i][1];
    return value;
}

typedef struct row {
    bool there;
    int64_t revision;
    size_t count;
    unsigned key[FIELDS + 4];           /* of keys, or KEPT_…; in their order behind username */
    const char *value[FIELDS + 4];
} row;

typedef struct game {
    gavat *g;
    uint64_t random;
    row rows[NAMES];
    gavat_op *ops[PENDING];
    gavat_status status[PENDING];
    int64_t number[PENDING];
    char *document[PENDING];            /* a get's answer, times apart; NULL: none */
    size_t pending;
} game;

static void name_of(size_t i, char out[32])
{
    static const char *const some[] = {"bot", "ŞenBot", "a/b", "@x y"};
    snprintf(out, 32, "%s%zu", some[i % 4], i);
}

static size_t find(const row *r, unsigned key)
{
    size_t at = 0;
    while (at < r->count && r->key[at] != key)
        at++;
    return at;
}

static void drop(row *r, unsigned key)
{
    size_t at = find(r, key);
    if (at == r->count)
        return;
    r->count--;
    memmove(&r->key[at], &r->key[at + 1], (r->count - at) * sizeof *r->key);
    memmove(&r->value[at], &r->value[at + 1], (r->count - at) * sizeof *r->value);
}

static void set(row *r, unsigned key, const char *value)
{
    size_t at = find(r, key);
    if (at == r->count)
        r->key[r->count++] = key;
    r->value[at] = value;
}

/* Random fields; text: the document. */
static void make(game *m, row *r, char *text)
{
    char *at = text + sprintf(text, "{");
    r->count = 0;
    for (size_t i = below(&m->random, 7); i > 0; i--) {
        unsigned key = (unsigned)below(&m->random, KEYS);
        if (find(r, key) == r->count)
            set(r, key, values[key][below(&m->random, 4)]);
    }
    for (size_t i = 0; i < r->count; i++)
        at += sprintf(at, "%s\"%s\":%s", i ? "," : "", keys[r->key[i]], r->value[i]);
    sprintf(at, "}");
    set(r, KEPT_CREATED, "");
    set(r, KEPT_UPDATED, "");
    set(r, KEPT_REVISION, "");
}

/* What gavat_op_json gives, with C and U in place of the times. */
static void print(const row *r, const char *name, char *text)
{
    char *at = text + sprintf(text, "{\"username\":\"%s\"", name);
    for (size_t i = 0; i < r->count; i++) {
        if (r->key[i] == KEPT_REVISION)
            at += sprintf(at, ",\"revision\":%" PRId64, r->revision);
        else if (r->key[i] >= KEYS)
            at += sprintf(at, ",\"%s\":%c", r->key[i] == KEPT_CREATED ? "created_at" : "updated_at", r->key[i] == KEPT_CREATED ? 'C' : 'U');
        else
            at += sprintf(at, ",\"%s\":%s", keys[r->key[i]], read_back(r->value[i]));
    }
    sprintf(at, "}");
}

static void expect_document(const gavat_op *op, size_t i, const char *wanted)
{
    const gavat_profile *profile = gavat_op_profile(op, i);
    char got[2000], created[28], updated[28], full[2100] = "";
    assert_non_null(profile);
    gavat_format_time(profile->created_at, created);
    gavat_format_time(profile->updated_at, updated);
    snprintf(got, sizeof got, "%s", gavat_op_json(op, i, NULL));
    for (const char *at = wanted; *at; at++) {
        size_t used = strlen(full);
        if ((*at == 'C' || *at == 'U') && at[-1] == ':')
            snprintf(full + used, sizeof full - used, "\"%s\"", *at == 'C' ? created : updated);
        else
            snprintf(full + used, sizeof full - used, "%c", *at);
    }
    assert_string_equal(got, full);
}

static void settle(game *m)
{
    for (size_t i = 0; i < m->pending; i++) {
        gavat_op *op = m->ops[i];
        expect_status(op, m->status[i], __FILE__, __LINE__);
        if (m->number[i] != INT64_MIN)
            assert_int_equal(gavat_op_number(op), m->number[i]);
        if (m->document[i])
            expect_document(op, 0, m->document[i]);
        free(m->document[i]);
        gavat_op_unref(op);
    }
    m->pending = 0;
}

/* An op whose answer is known already. */
static gavat_op *expect(game *m, gavat_status status, int64_t number, const char *document)
{
    if (m->pending == PENDING)
        settle(m);
    gavat_op *op = held(m->g);
    m->ops[m->pending] = op;
    m->status[m->pending] = status;
    m->number[m->pending] = number;
    m->document[m->pending++] = document ? strdup(document) : NULL;
    return op;
}

static void play_put(game *m, row *r, const char *name)
{
    char text[1000];
    row made = *r;
    make(m, &made, text);
    made.there = true;
    made.revision = r->there ? r->revision + 1 : 1;
    int64_t stored = r->there ? r->revision : -1, wanted = stored + (int64_t)below(&m->random, 3) - 1;
    if (below(&m->random, 2)) {
        gavat_put_profile(expect(m, GAVAT_OK, made.revision, NULL), name, text);
        *r = made;
    } else if (wanted < -1) {
        gavat_put_profile_if_revision(expect(m, GAVAT_EINVAL, INT64_MIN, NULL), name, text, wanted);
    } else {
        bool fits = wanted == stored;
        gavat_put_profile_if_revision(expect(m, fits ? GAVAT_OK : GAVAT_ECONFLICT, fits ? made.revision : stored, NULL), name, text, wanted);
        *r = fits ? made : *r;
    }
}

static void play_patch(game *m, row *r, const char *name)
{
    char text[1000], *at = text + sprintf(text, "{");
    unsigned used[2] = {KEYS, KEYS};
    const char *unset[2];
    size_t sets = below(&m->random, 3), unsets = below(&m->random, 3);
    row made = *r;
    for (size_t i = 0; i < sets; i++) {
        unsigned key = (unsigned)below(&m->random, KEYS);
        if (key == used[0])
            continue;
        used[i] = key;
        const char *value = values[key][below(&m->random, 4)];
        at += sprintf(at, "%s\"%s\":%s", at[-1] == '{' ? "" : ",", keys[key], value);
        set(&made, key, value);
    }
    sprintf(at, "}");
    size_t count = 0;
    for (size_t i = 0; i < unsets; i++) {
        unsigned key = (unsigned)below(&m->random, KEYS);
        if (key == used[0] || key == used[1] || (count && strcmp(unset[0], keys[key]) == 0))
            continue;
        unset[count++] = keys[key];
        drop(&made, key);
    }
    made.revision++;
    gavat_patch_profile(expect(m, r->there ? GAVAT_OK : GAVAT_ENOTFOUND, r->there ? made.revision : INT64_MIN, NULL), name, text, unset, count);
    if (r->there)
        *r = made;
}

static void play_get(game *m, const row *r, const char *name)
{
    char text[2000];
    print(r, name, text);
    gavat_get_profile(expect(m, r->there ? GAVAT_OK : GAVAT_ENOTFOUND, INT64_MIN, r->there ? text : NULL), name);
}

static const char *value_of(const row *r, unsigned key)
{
    size_t at = find(r, key);
    return at < r->count ? r->value[at] : "";
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool matches(const row *r, const gavat_profile_filter *filter, bool search)
{
    char type[20];
    snprintf(type, sizeof type, "\"%s\"", filter->type ? filter->type : "");
    if (!r->there || (filter->type && strcmp(value_of(r, 0), type) != 0))
        return false;
    if (filter->is_active && strcmp(value_of(r, 1), filter->is_active > 0 ? "true" : "false") != 0)
        return false;
    if (filter->where && strcmp(value_of(r, 8), "2") != 0 && strcmp(value_of(r, 8), "3") != 0)
        return false;
    const char *display = value_of(r, 4);
    return !search || strstr(display, "ahin") || strstr(display, "AHİN");
}

/* All pages of a random query. */
static void play_list(game *m)
{
    char texts[NAMES][32], cursor[200] = "";
    const char *wanted[NAMES];
    size_t count = 0, seen = 0;
    bool search = below(&m->random, 3) == 0;
    gavat_profile_filter filter = gavat_profile_filter_init();
    filter.type = below(&m->random, 2) ? "bot" : NULL;
    filter.is_active = (int32_t)below(&m->random, 3) - 1;
    filter.where = below(&m->random, 3) ? NULL : "{\"ş\":{\">=\":2,\"<\":4.0}}";
    filter.limit = (uint32_t)below(&m->random, 9) + 1;
    settle(m);
    for (size_t i = 0; i < NAMES; i++) {
        name_of(i, texts[i]);
        if (matches(&m->rows[i], &filter, search))
            wanted[count++] = texts[i];
    }
    qsort(wanted, count, sizeof *wanted, compare_names);
    for (bool more = true; more;) {
        gavat_op *op = held(m->g);
        filter.cursor = *cursor ? cursor : NULL;
        if (search)
            gavat_search_profiles(op, "şahin", &filter);
        else
            gavat_get_profiles(op, &filter);
        expect_status(op, GAVAT_OK, __FILE__, __LINE__);
        for (size_t i = 0; i < gavat_op_count(op); i++, seen++) {
            assert_true(seen < count);
            assert_string_equal(gavat_op_profile(op, i)->username, wanted[seen]);
        }
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    }
    assert_int_equal(seen, count);
}

static void play_many(game *m)
{
    char names[3][32], texts[3][1000];
    const char *users[3] = {names[0], names[1], names[2]}, *jsons[3] = {texts[0], texts[1], texts[2]};
    bool remove = below(&m->random, 2);
    int64_t done = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t which = below(&m->random, NAMES);
        row *r = &m->rows[which];
        name_of(which, names[i]);
        done += !remove || r->there;
        if (!remove) {
            make(m, r, texts[i]);
            r->revision = r->there ? r->revision + 1 : 1;
        }
        r->there = !remove;
    }
    gavat_op *op = expect(m, GAVAT_OK, done, NULL);
    if (remove)
        gavat_delete_profiles(op, users, 3);
    else
        gavat_put_profiles(op, users, jsons, 3);
}

static void play(game *m)
{
    char name[32];
    size_t which = below(&m->random, NAMES), way = below(&m->random, 100);
    row *r = &m->rows[which];
    name_of(which, name);
    if (way < 30) {
        play_put(m, r, name);
    } else if (way < 55) {
        play_patch(m, r, name);
    } else if (way < 85) {
        play_get(m, r, name);
    } else if (way < 94) {
        gavat_delete_profile(expect(m, r->there ? GAVAT_OK : GAVAT_ENOTFOUND, INT64_MIN, NULL), name);
        r->there = false;
    } else if (way < 98) {
        play_many(m);
    } else {
        play_list(m);
    }
}

static void random_operations_are_those_of_the_model(void **state)
{
    static game m;
    memset(&m, 0, sizeof m);
    m.g = client_of(state);
    digits = keeps_digits(state);
    m.random = test_seed();
    for (size_t i = 0, count = at_scale(100000); i < count; i++) {
        play(&m);
        if (i % (count / 3) == 1) {     /* what is there outlives the client */
            settle(&m);
            m.g = reopen(state, NULL);
        }
    }
    settle(&m);
}

/* --- revisions --- */

enum { WRITERS = 64, ROUNDS = 5 };

typedef struct writer {
    pthread_t thread;
    gavat *g;
    unsigned conflicts;
} writer;

/* Read, add one, put if nobody else has meanwhile; again until it went well. */
static void *count_up(void *user)
{
    writer *w = user;
    for (unsigned done = 0; done < ROUNDS;) {
        char json[64], count[16] = "";
        gavat_op *get = gavat_op_new_held(w->g), *put = gavat_op_new_held(w->g);
        gavat_get_profile(get, "shared");
        if (gavat_op_wait(get) != GAVAT_OK)
            abort();
        const gavat_profile *profile = gavat_op_profile(get, 0);
        gavat_json_copy(profile->json, "count", count, sizeof count);
        snprintf(json, sizeof json, "{\"count\":%d}", atoi(count) + 1);
        gavat_put_profile_if_revision(put, "shared", json, profile->revision);
        gavat_status status = gavat_op_wait(put);
        if (status != GAVAT_OK && status != GAVAT_ECONFLICT)
            abort();
        done += status == GAVAT_OK;
        w->conflicts += status == GAVAT_ECONFLICT;
        gavat_op_unref(get);
        gavat_op_unref(put);
    }
    return NULL;
}

static void no_update_is_lost_under_64_writers(void **state)
{
    static writer writers[WRITERS];
    gavat *g = client_of(state), *other = open_client(((fresh *)*state)->url, NULL);
    char wanted[16];
    put_profile(g, "shared", "{\"count\":0}");
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i].g = i % 2 ? g : other;       /* as two processes would: each with a lock of its own */
        assert_int_equal(pthread_create(&writers[i].thread, NULL, count_up, &writers[i]), 0);
    }
    unsigned conflicts = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        conflicts += writers[i].conflicts;
    }
    snprintf(wanted, sizeof wanted, "%d", WRITERS * ROUNDS);
    assert_field(g, "shared", "count", wanted);
    assert_true(conflicts > 0);
    close_client(other);
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);        /* it is the answers that count here, not the disk */
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(random_operations_are_those_of_the_model),
        cmocka_unit_test(no_update_is_lost_under_64_writers),
    };
    return run_on_profiles("profiles_random", cases, sizeof cases / sizeof *cases);
}
