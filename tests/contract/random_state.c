/* Random operations, by seed, on a store of state and on a plain model beside it: every answer must be the same. The clock is the
 * test's: it moves between operations, on by anything from a microsecond to a day, and now and then back. Writes are mostly not
 * waited for; the clock waits for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../harness/client.h"
#include "state_model.h"
#include <inttypes.h>

#define SEEDS 4
#define FULL 120000             /* operations of all seeds together */
#define PENDING 40
#define PICK(w, list) ((list)[below(&(w)->random, sizeof(list) / sizeof *(list))])

static const char *const users[] = {NULL, "a", "a:b", "%", "_", "A", "dm:x:y", "ş"};
static const char *const names[] = {"k", "K", "n", "ü", "_"};
static const char *const values[] = {"", "1", "42", "-7", "v", "{\"a\": 1}", "ı\n\"", "9223372036854775807"};
static const int64_t spans[] = {0, 1, 2, 1000, 60000, 86400000};

typedef struct world {
    gavat *g;
    uint64_t random;
    model model;
    struct {
        gavat_op *op;
        gavat_status status;
        int64_t number;         /* INT64_MIN: not looked at */
        bool decides;
        gavat_decision decision;
    } pending[PENDING];
    size_t pending_count;
} world;

/* --- the store --- */

static void check_pending(world *w)
{
    for (size_t i = 0; i < w->pending_count; i++) {
        gavat_op *op = w->pending[i].op;
        expect_status(op, w->pending[i].status, __FILE__, __LINE__);
        if (w->pending[i].number != INT64_MIN)
            assert_int_equal(gavat_op_number(op), w->pending[i].number);
        if (w->pending[i].decides) {
            const gavat_decision *got = gavat_op_decision(op), *wanted = &w->pending[i].decision;
            assert_int_equal(got->allowed, wanted->allowed);
            assert_int_equal(got->reason, wanted->reason);
            assert_int_equal(got->remaining, wanted->remaining);
            assert_int_equal(got->retry_after_ms, wanted->retry_after_ms);
        }
        gavat_op_unref(op);
    }
    w->pending_count = 0;
}

static gavat_op *write_op(world *w, gavat_status status, int64_t number)
{
    if (w->pending_count == PENDING)
        check_pending(w);
    size_t i = w->pending_count++;
    w->pending[i].op = held(w->g);
    w->pending[i].status = status;
    w->pending[i].number = number;
    w->pending[i].decides = false;
    return w->pending[i].op;
}

static gavat_op *decide_op(world *w, gavat_decision decision)
{
    gavat_op *op = write_op(w, GAVAT_OK, INT64_MIN);
    w->pending[w->pending_count - 1].decides = true;
    w->pending[w->pending_count - 1].decision = decision;
    return op;
}

static const char *key_of(char out[24], const char *prefix, const char *name)
{
    snprintf(out, 24, "%s%s", prefix, name);
    return out;
}

static void play_keys(world *w, const char *user, const char *name)
{
    const char *value = PICK(w, values), *expected = below(&w->random, 3) ? PICK(w, values) : NULL;
    int64_t span = PICK(w, spans);
    entry *e = find(&w->model, user, name);
    gavat_op *op;
    switch (below(&w->random, 4)) {
    case 0:
        put(&w->model, user, name, value, span);
        gavat_set_state(write_op(w, GAVAT_OK, 0), user, name, value, span);
        break;
    case 1:
        gavat_delete_state(write_op(w, e ? GAVAT_OK : GAVAT_ENOTFOUND, INT64_MIN), user, name);
        if (e)
            forget(&w->model, e);
        break;
    case 2:
        if (e && below(&w->random, 2))
            expected = e->value;
        if (!below(&w->random, 4))
            value = NULL;
        bool equal = e ? expected && strcmp(expected, e->value) == 0 : !expected;
        gavat_compare_and_set_state(write_op(w, equal ? GAVAT_OK : GAVAT_ECONFLICT, INT64_MIN), user, name, expected, value, span);
        if (equal && value)
            put(&w->model, user, name, value, span);
        else if (equal && e)
            forget(&w->model, e);
        break;
    default:
        op = held(w->g);
        gavat_get_state(op, user, name);
        expect_status(op, e ? GAVAT_OK : GAVAT_ENOTFOUND, __FILE__, __LINE__);
        if (e) {
            assert_string_equal(gavat_op_text(op, NULL), e->value);
            assert_int_equal(gavat_op_state(op, 0)->expire_ms, (left_of(e) + 999) / 1000);
        }
        gavat_op_unref(op);
    }
}

static void play_cooldown(world *w, const char *user, const char *name)
{
    char key[24];
    entry *e = find(&w->model, user, key_of(key, "cooldown:", name));
    int64_t wait = e ? (left_of(e) + 999) / 1000 : 0, span = spans[1 + below(&w->random, 5)];
    switch (below(&w->random, 4)) {
    case 0:
        gavat_set_cooldown(write_op(w, GAVAT_OK, INT64_MIN), user, name, span);
        put(&w->model, user, key, "", span);
        break;
    case 1:
        gavat_check_cooldown(write_op(w, GAVAT_OK, wait), user, name);
        break;
    case 2:
        gavat_clear_cooldown(write_op(w, GAVAT_OK, e != NULL), user, name);
        if (e)
            forget(&w->model, e);
        break;
    default:
        gavat_try_cooldown(decide_op(w, (gavat_decision){.allowed = !wait, .reason = wait ? GAVAT_REASON_COOLDOWN : GAVAT_REASON_NONE,
                                                         .retry_after_ms = wait}), user, name, span);
        if (wait)
            settle_expiry(e);
        else
            put(&w->model, user, key, "", span);
    }
}

static void play_counter(world *w, const char *user, const char *name)
{
    char key[24], text[24];
    entry *e = find(&w->model, user, key_of(key, "counter:", name));
    int64_t value = e ? strtoll(e->value, NULL, 10) : 0, amount = (int64_t)below(&w->random, 2000) - 1000, span = PICK(w, spans), sum;
    if (!below(&w->random, 20))
        amount = below(&w->random, 2) ? INT64_MAX : INT64_MIN;
    switch (below(&w->random, 5)) {
    case 0:
        gavat_get_counter(write_op(w, GAVAT_OK, value), user, name);
        break;
    case 1:
        gavat_reset_counter(write_op(w, GAVAT_OK, value), user, name);
        if (e)
            forget(&w->model, e);
        break;
    default:
        if (__builtin_add_overflow(value, amount, &sum)) {
            gavat_add_counter(write_op(w, GAVAT_EINVAL, INT64_MIN), user, name, amount, span);
            return;
        }
        gavat_add_counter(write_op(w, GAVAT_OK, sum), user, name, amount, span);
        snprintf(text, sizeof text, "%" PRId64, sum);
        if (!e)
            put(&w->model, user, key, text, span);
        settle_expiry(e);
        if (e)
            snprintf(e->value, sizeof e->value, "%s", text);
    }
}

static void check_range(world *w, const char *user, const char *name, const entry *e)
{
    int64_t start = (int64_t)below(&w->random, 20) - 10, stop = (int64_t)below(&w->random, 20) - 10, count = e ? e->item_count : 0;
    gavat_op *op = held(w->g);
    RUN(op, get_list, user, name, start, stop);
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        bool in = i >= (start < 0 ? start + count : start) && i <= (stop < 0 ? stop + count : stop);
        if (in)
            assert_string_equal(gavat_op_state(op, at++)->value, e->items[i]);
    }
    assert_int_equal(gavat_op_count(op), at);
    gavat_op_unref(op);
}

static void play_list(world *w, const char *user, const char *name)
{
    char key[24];
    entry *e = find(&w->model, user, key_of(key, "list:", name));
    if (!below(&w->random, 3)) {
        check_range(w, user, name, e);
        return;
    }
    const char *value = PICK(w, values);
    uint32_t most = (uint32_t)below(&w->random, ITEMS) + 1;
    if (!e) {
        e = make(&w->model, user, key);
        e->list = true;
    }
    memmove(e->items[1], e->items[0], sizeof e->items - sizeof e->items[0]);
    snprintf(e->items[0], sizeof e->items[0], "%s", value);
    e->item_count = e->item_count + 1 > (int)most ? (int)most : e->item_count + 1;
    gavat_push_list(write_op(w, GAVAT_OK, e->item_count), user, name, value, most);
}

/* As a bucket: it leaks all the time, each permit pours `every` in, and it must not overflow. */
static void play_limit(world *w, const char *user, const char *name)
{
    char key[24], text[24];
    entry *e = find(&w->model, user, key_of(key, "limit:", name));
    int64_t count = (int64_t)below(&w->random, 4) + 1, period = spans[2 + below(&w->random, 3)], burst = (int64_t)below(&w->random, 4);
    int64_t every = (period * 1000 + count - 1) / count, size = every * (burst ? burst : count);
    int64_t kept = e ? strtoll(e->value, NULL, 10) : 0, level = kept > now() ? kept - now() : 0;
    level = level > size ? size : level;
    bool allowed = level + every <= size;
    gavat_decision decision = {.allowed = allowed, .reason = allowed ? GAVAT_REASON_NONE : GAVAT_REASON_WINDOW};
    if (allowed)
        level += every;
    decision.remaining = allowed ? (size - level) / every : 0;
    decision.retry_after_ms = allowed ? 0 : (level + every - size + 999) / 1000;
    gavat_try_limit(decide_op(w, decision), user, name, (uint32_t)count, period, (uint32_t)burst);
    if (!allowed && now() + level == kept) {
        settle_expiry(e);
        return;
    }
    snprintf(text, sizeof text, "%" PRId64, now() + level);
    put(&w->model, user, key, text, (level + 999) / 1000);
}

/* --- all of it --- */

static int compare_entries(const void *a, const void *b)
{
    const entry *one = *(entry *const *)a, *two = *(entry *const *)b;
    int order = strcmp(one->user, two->user);
    return order ? order : strcmp(one->key, two->key);
}

static void check_state(const gavat_state *state, const entry *e)
{
    assert_non_null(state);
    assert_string_equal(state->user ? state->user : "", e->user);
    assert_string_equal(state->key, e->key);
    assert_int_equal(state->expire_ms, (left_of(e) + 999) / 1000);
    if (!e->list && strncmp(e->key, "cooldown:", 9) != 0)
        assert_string_equal(state->value, e->value);
    if (e->list) {
        char item[40];
        for (int i = 0; i < e->item_count; i++) {
            char path[16];
            snprintf(path, sizeof path, "%d", i);
            assert_true(gavat_json_copy(state->value, path, item, sizeof item) >= 0);
            assert_string_equal(item, e->items[i]);
        }
    }
}

/* Of those not yet seen: the order is the store's. */
static size_t find_place(const gavat_state *state, entry *const *entries, size_t from, size_t count)
{
    for (size_t i = from; i < count; i++)
        if (strcmp(entries[i]->user, state->user ? state->user : "") == 0 && strcmp(entries[i]->key, state->key) == 0)
            return i;
    fail_msg("%s %s is not to be here, or for the second time", state->user ? state->user : "", state->key);
    return from;
}

static void check_all(world *w)
{
    entry *sorted[KEYS];
    char cursor[2000] = "";
    size_t at = 0;
    for (size_t i = 0; i < w->model.count; i++)
        sorted[i] = &w->model.entries[i];
    for (bool more = true; more;) {
        gavat_op *op = held(w->g);
        RUN(op, scan_state, (uint32_t)below(&w->random, 30) + 1, *cursor ? cursor : NULL);
        for (size_t i = 0; i < gavat_op_count(op); i++, at++) {
            assert_true(at < w->model.count);
            size_t place = find_place(gavat_op_state(op, i), sorted, at, w->model.count);
            check_state(gavat_op_state(op, i), sorted[place]);
            entry *seen = sorted[place];
            sorted[place] = sorted[at];
            sorted[at] = seen;
        }
        more = gavat_op_cursor(op) != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        gavat_op_unref(op);
    }
    assert_int_equal(at, w->model.count);
}

static void check_user(world *w, const char *user)
{
    entry *sorted[KEYS];
    size_t count = 0;
    for (size_t i = 0; i < w->model.count; i++)
        if (strcmp(w->model.entries[i].user, user ? user : "") == 0)
            sorted[count++] = &w->model.entries[i];
    qsort(sorted, count, sizeof *sorted, compare_entries);
    gavat_op *op = held(w->g);
    RUN(op, list_state, user);
    assert_int_equal(gavat_op_count(op), count);
    for (size_t i = 0; i < count; i++)
        check_state(gavat_op_state(op, i), sorted[i]);
    gavat_op_unref(op);
}

static void clear_user(world *w, const char *user)
{
    int64_t gone = 0;
    for (size_t i = 0; i < w->model.count;)
        if (strcmp(w->model.entries[i].user, user ? user : "") == 0) {
            forget(&w->model, &w->model.entries[i]);
            gone++;
        } else {
            i++;
        }
    gavat_clear_state(write_op(w, GAVAT_OK, gone), user);
}

static void move_clock(world *w)
{
    static const int64_t steps[] = {1, 1, 999, 1000, 1000000, 1000000, 60000000, 86400000000, -1000, -3600000000};
    gavat_time then = now() + PICK(w, steps);
    check_pending(w);
    atomic_store(&now_is, then < w->model.last_expiry ? w->model.last_expiry : then);
    drop_expired(&w->model);
}

static void play(world *w)
{
    const char *user = PICK(w, users), *name = PICK(w, names);
    size_t dice = below(&w->random, 1000);
    if (dice < 200)
        move_clock(w);
    else if (dice < 210)
        check_user(w, user);
    else if (dice < 214)
        clear_user(w, user);
    else if (dice < 216)
        check_all(w);
    else if (dice < 450)
        play_keys(w, user, name);
    else if (dice < 600)
        play_cooldown(w, user, name);
    else if (dice < 750)
        play_counter(w, user, name);
    else if (dice < 880)
        play_list(w, user, name);
    else
        play_limit(w, user, name);
}

static void random_operations_answer_as_the_model(void **state)
{
    static world w;
    size_t ops = at_scale(FULL) / SEEDS;
    fresh *f = *state;
    atomic_store(&now_is, T0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        memset(&w, 0, sizeof w);        /* not the clock: what has expired before may still be there if it goes back */
        set_clock_of_next(tell_time);
        w.g = reopen(state, NULL);
        w.random = test_seed() + seed;
        for (size_t i = 0; i < ops; i++) {
            play(&w);
            if (i % (ops / 3 + 1) == ops / 3 && strncmp(f->url, "sqlite", 6) == 0) {
                check_pending(&w);
                w.g = reopen(state, NULL);
            }
        }
        check_pending(&w);
        check_all(&w);
        for (size_t i = 0; i < sizeof users / sizeof *users; i++)
            clear_user(&w, users[i]);
        check_pending(&w);
        check_all(&w);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(random_operations_answer_as_the_model),
    };
    return run_on_state("random_state", cases, sizeof cases / sizeof *cases);
}
