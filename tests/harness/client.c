#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "server.h"
#include <ftw.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define CASES_MOST 100

static const struct area {
    const char *setting, *variable, *urls;
} areas[] = {
    {"POSTGRES_URL", "TEST_EVENTS_URLS", "sqlite:///{folder}/events.db"},
    {"MONGODB_URI", "TEST_PROFILES_URLS", "file://{folder}/profiles"},
    {"REDIS_URL", "TEST_STATE_URLS", "sqlite:///{folder}/state.db memory:"},
};
#define AREAS (sizeof areas / sizeof *areas)

static const struct area *area = &areas[0];     /* the one at hand */
static char patterns[AREAS][512] = {"sqlite:///{folder}/events.db"};      /* the URLs at hand, as they were given */
static bool all;                                /* of all areas, not only of the one at hand */
static char form[20];                           /* behind '#' in the URL at hand: plain, adopted, of the tables; pooled; "": as they are made */
static gavat_clock_fn clock_fn;
static char spool_path[300];                    /* in the case's folder; "": outside of a case */

void make_folder(char out[256])
{
    const char *parent = getenv("TMPDIR");
    snprintf(out, 256, "%s/gavat-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(out))
        fail_msg("no folder %s", out);
}

static int drop_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void drop_folder(const char *folder)
{
    if (*folder)
        nftw(folder, drop_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void append(char *out, size_t room, const char *text, size_t length)
{
    size_t used = strlen(out);
    assert_true(used + length < room);
    memcpy(out + used, text, length);
    out[used + length] = '\0';
}

/* pattern with its {words} replaced. */
static void make_url(const fresh *f, const char *pattern, char out[512])
{
    out[0] = '\0';
    for (const char *at = pattern; *at;) {
        if (strncmp(at, "{folder}", 8) == 0) {
            append(out, 512, f->folder, strlen(f->folder));
            at += 8;
        } else if (strncmp(at, "{name}", 6) == 0) {
            append(out, 512, f->name, strlen(f->name));
            at += 6;
        } else if (strncmp(at, "{database}", 10) == 0) {
            char number[16];
            find_database(pattern, number);
            append(out, 512, number, strlen(number));
            at += 10;
        } else {
            append(out, 512, at++, 1);
        }
    }
}

static void turn_all_on(fresh *f)
{
    make_url(f, patterns[1], f->profiles);
    make_url(f, patterns[2], f->state);
    snprintf(f->logs, sizeof f->logs, "%s/logs", f->folder);
    const char *settings[] = {areas[1].setting, f->profiles, areas[2].setting, f->state, "GAVAT_TEXT_LOG_DIR", f->logs, NULL};
    memcpy(f->settings, settings, sizeof settings);
}

gavat *open_client(const char *url, const char *const *settings)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    for (size_t i = 0; i < AREAS; i++)
        gavat_config_set(cfg, areas[i].setting, &areas[i] == area ? url : "off");
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "20s");
    gavat_config_set(cfg, "GAVAT_POSTGRES_PARTITIONS", strcmp(form, "plain") == 0 ? "0" : "1");        /* few, they are made for each case */
    gavat_config_set(cfg, "GAVAT_EVENTS_SPOOL", *spool_path ? spool_path : "off");
    for (; settings && *settings; settings += 2)
        gavat_config_set(cfg, settings[0], settings[1]);
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fail_msg("gavat_new: %s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    if (clock_fn)
        gavat_set_clock(g, clock_fn, NULL);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    return g;
}

void upgrade(const char *url)
{
    gavat *g = NULL;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, areas[0].setting, url);
    gavat_config_set(cfg, "GAVAT_TIMEOUT", "20s");
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    gavat_set_log(g, GAVAT_LOG_ERROR, NULL, NULL);
    gavat_op *open = held(g);
    gavat_open(open);
    gavat_op_wait(open);
    gavat_op_unref(open);
    DO(g, GAVAT_OK, upgrade_schema, 0);
    close_client(g);
}

void set_clock_of_next(gavat_clock_fn fn)
{
    clock_fn = fn;
}

void close_client(gavat *g)
{
    if (g && gavat_close_wait(g, 30000) != GAVAT_OK)
        fail_msg("the client did not close in time");
    gavat_unref(g);
}

gavat *reopen(void **state, const char *const *settings)
{
    fresh *f = *state;
    gavat *old = f->g;
    f->g = NULL;
    close_client(old);
    f->g = open_client(f->url, settings ? settings : f->settings);
    return f->g;
}

int open_fresh(void **state)
{
    static unsigned count;
    fresh *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *state = f;
    make_folder(f->folder);
    snprintf(spool_path, sizeof spool_path, "%s/spool.db", f->folder);
    snprintf(f->name, sizeof f->name, "t%d_%u", (int)getpid(), ++count);
    make_url(f, patterns[area - areas], f->url);
    make_schema(f->url, f->name);
    if (strcmp(form, "adopted") == 0) {
        load_original(f->url, f->name, false);
        upgrade(f->url);
    }
    if (all)
        turn_all_on(f);
    f->g = open_client(f->url, f->settings);
    return 0;
}

int close_fresh(void **state)
{
    fresh *f = *state;
    clock_fn = NULL;
    spool_path[0] = '\0';
    close_client(f->g);
    drop_schema(f->url, f->name);
    drop_folder(f->folder);
    free(f);
    return 0;
}

/* The nth of an area's URLs into its pattern, or its last one. False: it has no nth. */
static bool choose(size_t which, size_t n)
{
    const char *urls = getenv(areas[which].variable);
    urls = urls && *urls ? urls : areas[which].urls;
    for (size_t found = 0;; found++) {
        urls += strspn(urls, " ");
        size_t whole = strcspn(urls, " "), length = strcspn(urls, " #");
        if (whole == 0)
            return false;
        if (length >= sizeof patterns[which])
            fail_msg("%s: the URL is too long", areas[which].variable);
        memcpy(patterns[which], urls, length);
        patterns[which][length] = '\0';
        snprintf(form, sizeof form, "%.*s", whole > length ? (int)(whole - length - 1) : 0, urls + length + (whole > length));
        if (found == n)
            return true;
        urls += whole;
    }
}

static int run_group(const char *name, const struct CMUnitTest *cases, size_t count)
{
    static struct CMUnitTest own[CASES_MOST];
    if (count > CASES_MOST)
        return 1;
    for (size_t i = 0; i < count; i++) {
        own[i] = cases[i];
        own[i].setup_func = open_fresh;
        own[i].teardown_func = close_fresh;
    }
    return _cmocka_run_group_tests(name, own, count, NULL, NULL);
}

/* In another form it is the same store once more: what shows most, unless it is the only one. */
static bool is_wanted(const char *name, size_t n)
{
    static const char *const always[] = {"random_events", "events_batches", "events_sales"};
    size_t count = strcmp(form, "pooled") == 0 ? 1 : sizeof always / sizeof *always;
    if (!*form || n == 0 || at_scale(10) == 10)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, always[i]) == 0)
            return true;
    return false;
}

/* scheme: how the URLs begin that count, and in which form; "", NULL: all of them. */
static int run_on(const struct area *at, const char *scheme, const char *wanted, const char *name, const struct CMUnitTest *cases, size_t count)
{
    int failed = 0;
    bool ran = false;
    area = at;
    for (size_t n = 0; choose((size_t)(area - areas), n); n++) {
        char group[600];
        if (strncmp(patterns[area - areas], scheme, strlen(scheme)) != 0 || (wanted ? strcmp(form, wanted) != 0 : !is_wanted(name, n)))
            continue;
        ran = true;
        snprintf(group, sizeof group, "%s on %s %s", name, patterns[area - areas], form);
        failed += run_group(group, cases, count);
    }
    if (!ran)
        print_message("1..1\nok 1 - %s # SKIP there is no such store in %s\n", name, at->variable);
    return failed;
}

int run_on_all(const char *name, const struct CMUnitTest *cases, size_t count)
{
    int failed = 0;
    area = &areas[0];
    all = true;
    for (size_t n = 0;; n++) {
        bool more = false;
        for (size_t i = 0; i < AREAS; i++)
            more = choose(i, n) || more;
        if (!more)
            return failed;
        char group[1700];
        snprintf(group, sizeof group, "%s on %s, %s, %s", name, patterns[0], patterns[1], patterns[2]);
        failed += run_group(group, cases, count);
    }
}

int run_on_events(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[0], "", NULL, name, cases, count);
}

int run_on_postgresql(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[0], "postgres", "", name, cases, count);
}

int run_on_pooler(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[0], "postgres", "pooled", name, cases, count);
}

int run_on_profiles(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[1], "", NULL, name, cases, count);
}

int run_on_files(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[1], "file:", NULL, name, cases, count);
}

int run_on_mongodb(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[1], "mongodb", NULL, name, cases, count);
}

bool keeps_digits(void **state)
{
    const fresh *f = *state;
    return strncmp(f->url, "mongodb", 7) != 0 && strncmp(f->profiles, "mongodb", 7) != 0;
}

int run_on_state(const char *name, const struct CMUnitTest *cases, size_t count)
{
    return run_on(&areas[2], "", NULL, name, cases, count);
}

gavat_op *held(gavat *g)
{
    gavat_op *op = gavat_op_new_held(g);
    if (!op)
        fail_msg("gavat_op_new_held gave no op");
    return op;
}

void expect_status(gavat_op *op, gavat_status status, const char *file, int line)
{
    gavat_status got = gavat_op_wait(op);
    if (got == status)
        return;
    const gavat_error *error = gavat_op_error(op);
    print_error("%s:%d: %s instead of %s: %s %s\n", file, line, gavat_status_name(got), gavat_status_name(status),
                error->message, error->native);
    _fail(file, line);
}

void expect_words(gavat_op *op, const char *words, const char *file, int line)
{
    const gavat_error *error = gavat_op_error(op);
    if (strstr(error->message, words))
        return;
    print_error("%s:%d: no \"%s\" in \"%s\"\n", file, line, words, error->message);
    _fail(file, line);
}

gavat_event an_event(const char *user, const char *type, const char *message, int64_t second)
{
    gavat_event event = gavat_event_init();
    event.user_id = user;
    event.type = type;
    event.message = message;
    event.timestamp = T0 + second * SECOND;
    return event;
}

gavat_sale a_sale(const char *user, const char *type, const char *amount, int64_t second)
{
    gavat_sale sale = gavat_sale_init();
    sale.user_id = user;
    sale.product_type = type;
    sale.amount = amount;
    sale.created_at = T0 + second * SECOND;
    return sale;
}

gavat_message a_message(const char *bot, const char *type, const char *content, int64_t second)
{
    gavat_message message = gavat_message_init();
    message.bot_username = bot;
    message.message_type = type;
    message.message_content = content;
    message.timestamp = T0 + second * SECOND;
    return message;
}

gavat_session a_session(const char *user)
{
    gavat_session session = gavat_session_init();
    session.user_id = user;
    return session;
}

void log_one(gavat *g, const char *user, const char *message, int64_t second)
{
    gavat_event event = an_event(user, "note", message, second);
    DO(g, GAVAT_OK, log_event, &event);
}

static const char *name_of(const gavat_op *op, size_t i)
{
    const gavat_event *event = gavat_op_event(op, i);
    const gavat_sale *sale = gavat_op_sale(op, i);
    const gavat_message *message = gavat_op_message(op, i);
    const gavat_session *session = gavat_op_session(op, i);
    const char *name = event ? event->message : sale ? sale->product_name : message ? message->message_content
                       : session ? session->user_id : NULL;
    return name ? name : "-";
}

void expect_records(const gavat_op *op, const char *wanted, const char *file, int line)
{
    char got[4000] = "";
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        append(got, sizeof got, " ", i > 0);
        append(got, sizeof got, name_of(op, i), strlen(name_of(op, i)));
    }
    if (strcmp(got, wanted) == 0)
        return;
    print_error("%s:%d: records \"%s\" instead of \"%s\"\n", file, line, got, wanted);
    _fail(file, line);
}

void expect_json(const gavat_op *op, size_t i, const char *path, const char *wanted, const char *file, int line)
{
    char got[2000];
    const char *json = gavat_op_json(op, i, NULL);
    if (json && gavat_json_copy(json, path, got, sizeof got) >= 0 && strcmp(got, wanted) == 0)
        return;
    print_error("%s:%d: no %s = %s in %s\n", file, line, path, wanted, json ? json : "no record");
    _fail(file, line);
}

char *repeat(const char *piece, size_t n)
{
    size_t length = strlen(piece);
    char *text = malloc(length * n + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * length, piece, length);
    text[length * n] = '\0';
    return text;
}

void save_file(const char *path, const char *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

bool wait_until(bool (*done)(void *user), void *user)
{
    const struct timespec pause = {0, 20 * 1000 * 1000};
    for (int i = 0; i < 500; i++) {
        if (done(user))
            return true;
        nanosleep(&pause, NULL);
    }
    return done(user);
}

size_t at_scale(size_t full)
{
    const char *scale = getenv("TEST_SCALE");
    return scale && strcmp(scale, "full") == 0 ? full : (full + 9) / 10;
}

uint64_t test_seed(void)
{
    static bool said;
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given && *given ? strtoull(given, NULL, 10) : 20261123;
    if (!said)
        print_message("# TEST_SEED=%" PRIu64 "\n", seed);
    said = true;
    return seed;
}

uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

size_t below(uint64_t *state, size_t bound)
{
    return (size_t)(next_random(state) % bound);
}
