/* Search: the table of keywords, with and without an index, and paging through what was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "search_keywords.h"

static const char *const no_index[] = {"GAVAT_EVENTS_SEARCH_INDEX", "off", NULL};

static void log_rows(gavat *g)
{
    for (size_t i = 0; i < SEARCH_ROWS; i++) {
        char level[2] = {search_rows[i].name, 0};
        gavat_event event = an_event(i % 2 ? "odd" : "even", search_rows[i].type, search_rows[i].message, (int64_t)i);
        event.level = level;    /* the row's name */
        DO(g, GAVAT_OK, log_event, &event);
    }
}

static void find_names(gavat *g, const char *keyword, gavat_filter *filter, char *names, size_t room)
{
    gavat_op *op = held(g);
    RUN(op, search_events, keyword, filter);
    size_t count = gavat_op_count(op);
    assert_true(count < room);
    for (size_t i = 0; i < count; i++)
        names[i] = gavat_op_event(op, i)->level[0];
    names[count] = '\0';
    gavat_op_unref(op);
}

static void look_up_all(gavat *g)
{
    size_t wrong = 0;
    for (size_t i = 0; i < SEARCH_KEYWORDS; i++) {
        char names[64];
        find_names(g, search_keywords[i].keyword, NULL, names, sizeof names);
        if (strcmp(names, search_keywords[i].names) == 0)
            continue;
        print_error("\"%s\" found \"%s\" instead of \"%s\"\n", search_keywords[i].keyword, names,
                    search_keywords[i].names);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void every_keyword_finds_its_rows_at_once(void **state)
{
    gavat *g = client_of(state);
    log_rows(g);
    look_up_all(g);
}

/* An index, where there is one, has caught up: the doctor would say so; here a pause and a new client do. */
static void every_keyword_finds_its_rows_later(void **state)
{
    gavat *g = client_of(state);
    log_rows(g);
    for (int i = 0; i < 3; i++) {
        look_up_all(g);
        g = reopen(state, NULL);
    }
}

static void every_keyword_finds_its_rows_without_an_index(void **state)
{
    gavat *g = reopen(state, no_index);
    log_rows(g);
    look_up_all(g);
}

static void rows_logged_without_the_index_are_found_with_it(void **state)
{
    gavat *g = reopen(state, no_index);
    log_rows(g);
    g = reopen(state, NULL);
    look_up_all(g);
    g = reopen(state, NULL);
    look_up_all(g);
}

static void a_search_is_narrowed_by_the_filter(void **state)
{
    gavat *g = client_of(state);
    char names[64];
    gavat_filter filter = gavat_filter_init();
    log_rows(g);
    filter.user_id = "odd";     /* b d f h j l n p r t */
    find_names(g, "z", &filter, names, sizeof names);
    assert_string_equal(names, "ljdb");
    filter.type = "note";
    find_names(g, "z", &filter, names, sizeof names);
    assert_string_equal(names, "ljd");
    filter.since = T0 + 9 * SECOND;
    find_names(g, "z", &filter, names, sizeof names);
    assert_string_equal(names, "lj");
    filter.until = T0 + 11 * SECOND;
    find_names(g, "z", &filter, names, sizeof names);
    assert_string_equal(names, "j");
    filter.level = "l";
    find_names(g, "z", &filter, names, sizeof names);
    assert_string_equal(names, "");
}

/* Page on until there is no cursor; a page may hold less than its limit, or nothing. */
static size_t count_found(gavat *g, const char *keyword, uint32_t limit)
{
    size_t found = 0;
    char cursor[500];
    gavat_time last = INT64_MAX;
    gavat_filter filter = gavat_filter_init();
    filter.limit = limit;
    for (;;) {
        gavat_op *op = held(g);
        RUN(op, search_events, keyword, &filter);
        assert_true(gavat_op_count(op) <= limit);
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            assert_true(gavat_op_event(op, i)->timestamp < last);
            last = gavat_op_event(op, i)->timestamp;
        }
        found += gavat_op_count(op);
        bool more = gavat_op_cursor(op) != NULL;
        if (more)
            snprintf(cursor, sizeof cursor, "%s", gavat_op_cursor(op));
        gavat_op_unref(op);
        if (!more)
            return found;
        filter.cursor = cursor;
    }
}

static void import_words(gavat *g, int count)
{
    static const char *const words[] = {"elma armut", "ARMUT kiraz", "kiraz üzüm", "zx"};
    gavat_batch *batch = gavat_batch_new(g);
    for (int i = 0; i < count; i++) {
        char message[64];
        snprintf(message, sizeof message, "%s %d", words[i % 4], i);
        gavat_event event = an_event("u", "note", message, i);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
}

static void paging_through_a_search_finds_every_row_once(void **state)
{
    gavat *g = client_of(state);
    import_words(g, 4000);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(count_found(g, "armut", 150), 2000);
        assert_int_equal(count_found(g, "kıraz", 999), 2000);
        assert_int_equal(count_found(g, "elma", 1000), 1000);
        assert_int_equal(count_found(g, "zx", 70), 1000);
        assert_int_equal(count_found(g, "z", 3000), 3000);
        assert_int_equal(count_found(g, "elma armut 396", 10), 4);         /* 396, 3960, 3964, 3968 */
        assert_int_equal(count_found(g, "nar", 10), 0);
        g = reopen(state, NULL);
    }
}

static void rows_are_found_again_after_all_were_pruned(void **state)
{
    gavat *g = client_of(state);
    import_words(g, 100);
    assert_int_equal(count_found(g, "elma", 100), 25);
    g = reopen(state, NULL);
    assert_int_equal(count_found(g, "elma", 100), 25);
    DO(g, GAVAT_OK, prune_events, T0 + DAY);
    assert_int_equal(count_found(g, "elma", 100), 0);
    log_one(g, "u", "yeni elma", 1);
    log_one(g, "u", "yeni nar", 2);
    assert_int_equal(count_found(g, "elma", 100), 1);
    assert_int_equal(count_found(g, "nar", 100), 1);
    g = reopen(state, NULL);
    assert_int_equal(count_found(g, "elma", 100), 1);
    assert_int_equal(count_found(g, "armut", 100), 0);
}

static void a_keyword_of_a_thousand_characters_is_taken_one_more_is_not(void **state)
{
    gavat *g = client_of(state);
    char *longest = repeat("ş", 1000), *longer = repeat("ş", 1001), *text = repeat("Ş", 1500);
    log_one(g, "u", text, 1);
    assert_int_equal(count_found(g, longest, 10), 1);
    REFUSE(g, "keyword", search_events, longer, NULL);
    free(longest);
    free(longer);
    free(text);
}

static void a_bad_keyword_is_refused(void **state)
{
    gavat *g = client_of(state);
    REFUSE(g, "keyword", search_events, NULL, NULL);
    REFUSE(g, "UTF-8", search_events, "\xc5", NULL);
    REFUSE(g, "UTF-8", search_events, "a\xff" "b", NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_keyword_finds_its_rows_at_once),
        cmocka_unit_test(every_keyword_finds_its_rows_later),
        cmocka_unit_test(every_keyword_finds_its_rows_without_an_index),
        cmocka_unit_test(rows_logged_without_the_index_are_found_with_it),
        cmocka_unit_test(a_search_is_narrowed_by_the_filter),
        cmocka_unit_test(paging_through_a_search_finds_every_row_once),
        cmocka_unit_test(rows_are_found_again_after_all_were_pruned),
        cmocka_unit_test(a_keyword_of_a_thousand_characters_is_taken_one_more_is_not),
        cmocka_unit_test(a_bad_keyword_is_refused),
    };
    return run_on_events("events_search", cases, sizeof cases / sizeof *cases);
}
