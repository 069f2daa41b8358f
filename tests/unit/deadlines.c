#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "core/deadlines.h"

#define TICK UINT64_C(1000000)

enum { MOST = 400 };

/* The wheel, and beside it the plain list of what it holds. */
typedef struct model {
    gv_deadlines wheel;
    gv_deadline entries[MOST];
    bool in[MOST];
    uint64_t now;
} model;

static uint64_t earliest(const model *m)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < MOST; i++)
        if (m->in[i] && m->entries[i].due && m->entries[i].due < best)
            best = m->entries[i].due;
    return best;
}

/* Spans from one tick to weeks, so that every level is met. */
static uint64_t random_span(uint64_t *random)
{
    return (below(random, 1000) + 1) * TICK >> below(random, 8) << below(random, 22);
}

static void add(model *m, uint64_t *random)
{
    unsigned i = (unsigned)below(random, MOST);
    if (m->in[i])
        return;
    m->in[i] = true;
    m->entries[i].due = below(random, 20) ? m->now + random_span(random) : 0;
    gv_deadlines_add(&m->wheel, &m->entries[i]);
}

static void drop(model *m, uint64_t *random)
{
    unsigned i = (unsigned)below(random, MOST);
    gv_list_remove(&m->entries[i].link);
    m->in[i] = false;
}

/* What is taken is due; what is not taken is not due by a whole tick. */
static void take(model *m)
{
    gv_list due;
    gv_link *link;
    gv_list_init(&due);
    gv_deadlines_take(&m->wheel, m->now, &due);
    while ((link = gv_list_take(&due))) {
        gv_deadline *entry = GV_CONTAINER(link, gv_deadline, link);
        assert_true(entry->due && entry->due <= m->now);
        assert_true(m->in[entry - m->entries]);
        m->in[entry - m->entries] = false;
    }
    assert_true(earliest(m) > m->now - m->now % TICK);
}

static void the_wheel_gives_what_a_plain_list_would(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->now = below(&random, 1000000) * TICK + 12345;
    gv_deadlines_init(&m->wheel, m->now);
    for (size_t i = 0; i < at_scale(2000000); i++) {
        size_t what = below(&random, 10);
        if (what < 5)
            add(m, &random);
        else if (what < 8)
            drop(m, &random);
        else {
            uint64_t next = gv_deadlines_next(&m->wheel), first = earliest(m);
            if (first != UINT64_MAX)
                assert_true(next <= first + TICK && next > m->now - m->now % TICK);
            m->now = what == 8 && next != UINT64_MAX && next > m->now ? next : m->now + random_span(&random) / 16;
            take(m);
        }
    }
    free(m);
}

static void looking_when_told_finds_each_within_a_tick(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    gv_deadlines wheel;
    gv_deadline entry = {{NULL, NULL}, 0};
    uint64_t now = 77 * TICK;
    gv_deadlines_init(&wheel, now);
    assert_true(gv_deadlines_next(&wheel) == UINT64_MAX);
    for (size_t i = 0; i < at_scale(100000); i++) {
        gv_list due;
        unsigned looks = 0;
        gv_list_init(&due);
        entry.due = now + 1 + random_span(&random);
        gv_deadlines_add(&wheel, &entry);
        while (gv_list_empty(&due)) {
            uint64_t next = gv_deadlines_next(&wheel);
            assert_true(next != UINT64_MAX && ++looks <= 100);
            now = next > now ? next : now;
            gv_deadlines_take(&wheel, now, &due);
        }
        assert_true(now >= entry.due && now < entry.due + TICK);
        gv_list_remove(&entry.link);
    }
}

static void everything_can_be_taken_at_once(void **state)
{
    (void)state;
    gv_deadlines wheel;
    gv_deadline entries[5] = {0};
    const uint64_t due[] = {0, TICK, 100 * TICK, 100000 * TICK, UINT64_C(5000000000) * TICK};
    gv_list all;
    unsigned count = 0;
    gv_list_init(&all);
    gv_deadlines_init(&wheel, 0);
    for (unsigned i = 0; i < 5; i++) {
        entries[i].due = due[i];
        gv_deadlines_add(&wheel, &entries[i]);
    }
    gv_deadlines_take_all(&wheel, &all);
    while (gv_list_take(&all))
        count++;
    assert_int_equal(count, 5);
    gv_deadlines_take_all(&wheel, &all);
    assert_true(gv_list_empty(&all));
}

static void an_entry_that_is_late_already_comes_with_the_next_tick(void **state)
{
    (void)state;
    gv_deadlines wheel;
    gv_deadline entry = {{NULL, NULL}, 5 * TICK};
    gv_list due;
    gv_list_init(&due);
    gv_deadlines_init(&wheel, 1000 * TICK);
    gv_deadlines_add(&wheel, &entry);
    gv_deadlines_take(&wheel, 1001 * TICK, &due);
    assert_ptr_equal(gv_list_first(&due), &entry.link);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_wheel_gives_what_a_plain_list_would),
        cmocka_unit_test(looking_when_told_finds_each_within_a_tick),
        cmocka_unit_test(everything_can_be_taken_at_once),
        cmocka_unit_test(an_entry_that_is_late_already_comes_with_the_next_tick),
    };
    return cmocka_run_group_tests_name("deadlines", cases, NULL, NULL);
}
