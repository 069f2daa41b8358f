/* Pages: newest first with a tie-break, bounded in rows and bytes, no row twice and none missed, and what filters
 * select. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <pthread.h>

static gavat_filter by_user(const char *user)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = user;
    return filter;
}

/* Read all pages; seen[n] counts the rows with message "n". Gives the number of pages. */
static size_t read_all(gavat *g, gavat_filter filter, unsigned *seen, size_t room)
{
    size_t pages = 0;
    gavat_time last = INT64_MAX;
    gavat_op *before = NULL;
    for (bool more = true; more; pages++) {
        gavat_op *op = held(g);
        RUN(op, get_events, &filter);
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            const gavat_event *event = gavat_op_event(op, i);
            size_t n = strtoul(event->message, NULL, 10);
            assert_true(n < room);
            assert_true(event->timestamp <= last);
            seen[n]++;
            last = event->timestamp;
        }
        filter.cursor = gavat_op_cursor(op);
        more = filter.cursor != NULL;
        gavat_op_unref(before);
        before = op;            /* the cursor is its */
        assert_true(pages < 10000);
    }
    gavat_op_unref(before);
    return pages;
}

static void import_numbered(gavat *g, size_t count, int64_t per_second)
{
    gavat_batch *batch = gavat_batch_new(g);
    for (size_t i = 0; i < count; i++) {
        char message[24];
        snprintf(message, sizeof message, "%zu", i);
        gavat_event event = an_event(i % 3 ? "u" : "v", "note", message, (int64_t)i / per_second);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
    }
    DO(g, GAVAT_OK, import_batch, batch);
    gavat_batch_free(batch);
}

static void each_once(const unsigned *seen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i] != 1)
            fail_msg("row %zu was seen %u times", i, seen[i]);
}

static void newest_come_first(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "b", 2);
    log_one(g, "u", "a", 1);
    log_one(g, "u", "c", 3);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "c b a");
    gavat_op_unref(op);
}

static void equal_times_are_ordered_by_uid(void **state)
{
    gavat *g = client_of(state);
    static const char *const uids[] = {"0193a5c2-7f10-7abc-8def-0123456789ac", "0193a5c2-7f10-7abc-8def-0123456789aa",
                                       "0193a5c2-7f10-7abc-8def-0123456789ab"};
    static const char *const names[] = {"c", "a", "b"};
    for (int i = 0; i < 3; i++) {
        gavat_event event = an_event("u", "t", names[i], 7);
        event.uid = uids[i];
        DO(g, GAVAT_OK, log_event, &event);
    }
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_records(op, "c b a");
    gavat_op_unref(op);
}

static void without_a_limit_a_page_is_the_newest_hundred(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 130, 1);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 100);
    assert_string_equal(gavat_op_event(op, 0)->message, "129");
    assert_string_equal(gavat_op_event(op, 99)->message, "30");
    assert_non_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}

static void an_empty_store_gives_an_empty_page(void **state)
{
    gavat_op *op = held(client_of(state));
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 0);
    assert_null(gavat_op_cursor(op));
    gavat_op_unref(op);
}

static void a_page_that_ends_with_the_rows_has_no_cursor(void **state)
{
    gavat *g = client_of(state);
    gavat_filter filter = gavat_filter_init();
    import_numbered(g, 10, 1);
    filter.limit = 10;
    gavat_op *op = held(g), *less = held(g);
    RUN(op, get_events, &filter);
    assert_int_equal(gavat_op_count(op), 10);
    assert_null(gavat_op_cursor(op));
    filter.limit = 9;
    RUN(less, get_events, &filter);
    assert_non_null(gavat_op_cursor(less));
    gavat_op_unref(op);
    gavat_op_unref(less);
}

static void paging_gives_every_row_once(void **state)
{
    static const uint32_t limits[] = {1, 7, 64, 299, 300, 1000};
    gavat *g = client_of(state);
    import_numbered(g, 300, 1);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        unsigned seen[300] = {0};
        gavat_filter filter = gavat_filter_init();
        filter.limit = limits[i];
        assert_int_equal(read_all(g, filter, seen, 300), (300 + limits[i] - 1) / limits[i]);
        each_once(seen, 300);
    }
}

static void paging_through_equal_times_gives_every_row_once(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 300, 150);       /* two times for all */
    for (uint32_t limit = 1; limit < 60; limit += 7) {
        unsigned seen[300] = {0};
        gavat_filter filter = gavat_filter_init();
        filter.limit = limit;
        read_all(g, filter, seen, 300);
        each_once(seen, 300);
    }
}

static void paging_of_one_user_gives_his_rows_once(void **state)
{
    gavat *g = client_of(state);
    unsigned seen[300] = {0};
    gavat_filter filter = by_user("v");
    import_numbered(g, 300, 50);
    filter.limit = 11;
    read_all(g, filter, seen, 300);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(seen[i], i % 3 == 0);
}

typedef struct writer {
    gavat *g;
    pthread_t thread;
    int good;
} writer;

/* New rows, before, between and behind those that are read. */
static void *insert_meanwhile(void *user)
{
    writer *w = user;
    for (int i = 0; i < 120; i++) {
        gavat_event event = an_event(i % 2 ? "u" : "v", "late", "300", i * 3);
        gavat_op *op = gavat_op_new_held(w->g);
        gavat_log_event(op, &event);
        w->good += gavat_op_wait(op) == GAVAT_OK;
        gavat_op_unref(op);
    }
    return NULL;
}

static void paging_misses_no_row_while_others_are_inserted(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 300, 2);
    writer w = {.g = g};
    assert_int_equal(pthread_create(&w.thread, NULL, insert_meanwhile, &w), 0);
    for (int i = 0; i < 5; i++) {
        unsigned seen[301] = {0};
        gavat_filter filter = gavat_filter_init();
        filter.limit = 9;
        read_all(g, filter, seen, 301);
        each_once(seen, 300);
    }
    pthread_join(w.thread, NULL);
    assert_int_equal(w.good, 120);
}

static void a_page_ends_at_its_bytes(void **state)
{
    gavat *g = client_of(state);
    char *long_text = repeat("x", 10000);
    for (int i = 0; i < 20; i++)
        log_one(g, "u", long_text, i);
    gavat_filter filter = gavat_filter_init();
    filter.max_bytes = 50000;
    gavat_op *op = held(g);
    RUN(op, get_events, &filter);
    assert_in_range(gavat_op_count(op), 3, 6);
    assert_non_null(gavat_op_cursor(op));
    size_t all = 0, last = 1;
    gavat_op *before = op;
    while (last > 0) {
        last = gavat_op_count(before);
        all += last;
        filter.cursor = gavat_op_cursor(before);
        if (!filter.cursor)
            break;
        gavat_op *next = held(g);
        RUN(next, get_events, &filter);
        gavat_op_unref(before);
        before = next;
    }
    assert_int_equal(all, 20);
    gavat_op_unref(before);
    free(long_text);
}

static void a_record_longer_than_the_page_is_a_page(void **state)
{
    gavat *g = client_of(state);
    char *long_text = repeat("ş", 100000);
    log_one(g, "u", long_text, 1);
    log_one(g, "u", "short", 2);
    gavat_filter filter = gavat_filter_init();
    filter.max_bytes = 1;
    gavat_op *op = held(g), *next = held(g);
    RUN(op, get_events, &filter);
    assert_records(op, "short");
    filter.cursor = gavat_op_cursor(op);
    RUN(next, get_events, &filter);
    assert_int_equal(gavat_op_count(next), 1);
    assert_string_equal(gavat_op_event(next, 0)->message, long_text);
    assert_null(gavat_op_cursor(next));
    gavat_op_unref(op);
    gavat_op_unref(next);
    free(long_text);
}

static void since_is_inside_and_until_is_not(void **state)
{
    gavat *g = client_of(state);
    for (int i = 1; i <= 5; i++) {
        char message[2] = {(char)('0' + i), 0};
        log_one(g, "u", message, i);
    }
    gavat_filter filter = gavat_filter_init();
    filter.since = T0 + 2 * SECOND;
    filter.until = T0 + 4 * SECOND;
    gavat_op *op = held(g), *one = held(g), *none = held(g);
    RUN(op, get_events, &filter);
    assert_records(op, "3 2");
    filter.since = T0 + 3 * SECOND;
    filter.until = filter.since + 1;
    RUN(one, get_events, &filter);
    assert_records(one, "3");
    filter.until = filter.since;
    RUN(none, get_events, &filter);
    assert_int_equal(gavat_op_count(none), 0);
    gavat_op_unref(op);
    gavat_op_unref(one);
    gavat_op_unref(none);
}

/* 16 events: user, name, type and level by the bits of their number. */
static void log_all_combinations(gavat *g)
{
    for (int i = 0; i < 16; i++) {
        char message[16];
        snprintf(message, sizeof message, "%d", i);
        gavat_event event = an_event(i & 1 ? "u1" : "u0", i & 2 ? "t1" : "t0", message, i);
        event.username = i & 4 ? "n1" : "n0";
        event.level = i & 8 ? "ERROR" : "INFO";
        DO(g, GAVAT_OK, log_event, &event);
    }
}

static void filters_combine_freely(void **state)
{
    gavat *g = client_of(state);
    log_all_combinations(g);
    for (int wanted = 0; wanted < 16; wanted++)
        for (int given = 0; given < 32; given++) {
            char expected[400] = "";
            gavat_filter filter = gavat_filter_init();
            filter.user_id = given & 1 ? (wanted & 1 ? "u1" : "u0") : NULL;
            filter.type = given & 2 ? (wanted & 2 ? "t1" : "t0") : NULL;
            filter.username = given & 4 ? (wanted & 4 ? "n1" : "n0") : NULL;
            filter.level = given & 8 ? (wanted & 8 ? "ERROR" : "INFO") : NULL;
            filter.since = given & 16 ? T0 + 3 * SECOND : 0;
            filter.until = given & 16 ? T0 + 12 * SECOND : 0;
            for (int i = 15; i >= 0; i--)
                if (((i ^ wanted) & given & 15) == 0 && (!(given & 16) || (i >= 3 && i < 12)))
                    snprintf(expected + strlen(expected), 16, "%s%d", *expected ? " " : "", i);
            gavat_op *op = held(g);
            RUN(op, get_events, &filter);
            assert_records(op, expected);
            gavat_op_unref(op);
        }
}

static void filters_match_exactly(void **state)
{
    static const char *const users[] = {"Ali", "ali", "ali ", "al", "%", "a_i", "", "ALİ"};
    gavat *g = client_of(state);
    log_one(g, "ali", "1", 1);
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        gavat_filter filter = by_user(users[i]);
        gavat_op *op = held(g);
        RUN(op, get_events, &filter);
        assert_records(op, i == 1 ? "1" : "");
        gavat_op_unref(op);
    }
}

static void a_smaller_and_older_filter_is_taken(void **state)
{
    gavat *g = client_of(state);
    log_one(g, "u", "a", 1);
    gavat_filter filter = by_user("somebody else");
    filter.size = (uint32_t)offsetof(gavat_filter, user_id);
    gavat_op *op = held(g);
    RUN(op, get_events, &filter);
    assert_records(op, "a");
    gavat_op_unref(op);
}

static void a_cursor_outlives_its_row_and_its_client(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 20, 1);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 5;
    gavat_op *op = held(g), *next = held(g);
    RUN(op, get_events, &filter);
    char cursor[500];
    snprintf(cursor, sizeof cursor, "%s", gavat_op_cursor(op));
    gavat_op_unref(op);
    gavat_op_unref(next);
    g = reopen(state, NULL);
    DO(g, GAVAT_OK, prune_events, T0 + 3 * SECOND);
    next = held(g);
    filter.cursor = cursor;
    RUN(next, get_events, &filter);
    assert_records(next, "14 13 12 11 10");
    gavat_op_unref(next);
}

static void a_cursor_of_another_kind_is_refused(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 5, 1);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 2;
    gavat_op *op = held(g);
    RUN(op, get_events, &filter);
    filter.cursor = gavat_op_cursor(op);
    REFUSE(g, "cursor", get_sales, &filter);
    REFUSE(g, "cursor", get_messages, &filter);
    REFUSE(g, "cursor", get_sessions, &filter);
    REFUSE(g, "cursor", get_event_stats, NULL, &filter);
    gavat_op_unref(op);
}

static void a_made_up_cursor_is_refused(void **state)
{
    static const char *const cursors[] = {"", "x", "!!!!", "MWV0dQ", "1", "%s", "ş", "' OR 1=1 --"};
    gavat *g = client_of(state);
    gavat_filter filter = gavat_filter_init();
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        filter.cursor = cursors[i];
        REFUSE(g, "cursor", get_events, &filter);
        REFUSE(g, "cursor", search_events, "x", &filter);
    }
}

/* Each letter changed, each end cut: refused, or a page; never anything else. */
static void a_damaged_cursor_does_no_harm(void **state)
{
    gavat *g = client_of(state);
    import_numbered(g, 5, 1);
    gavat_filter filter = gavat_filter_init();
    filter.limit = 2;
    gavat_op *op = held(g);
    RUN(op, get_events, &filter);
    size_t length = strlen(gavat_op_cursor(op));
    char cursor[500];
    filter.cursor = cursor;
    for (size_t i = 0; i < 2 * length; i++) {
        snprintf(cursor, sizeof cursor, "%s", gavat_op_cursor(op));
        if (i < length)
            cursor[i] = cursor[i] == 'A' ? 'z' : 'A';
        else
            cursor[i - length] = '\0';
        gavat_op *damaged = held(g);
        gavat_get_events(damaged, &filter);
        gavat_status status = gavat_op_wait(damaged);
        assert_true(status == GAVAT_OK || status == GAVAT_EINVAL);
        gavat_op_unref(damaged);
    }
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(newest_come_first),
        cmocka_unit_test(equal_times_are_ordered_by_uid),
        cmocka_unit_test(without_a_limit_a_page_is_the_newest_hundred),
        cmocka_unit_test(an_empty_store_gives_an_empty_page),
        cmocka_unit_test(a_page_that_ends_with_the_rows_has_no_cursor),
        cmocka_unit_test(paging_gives_every_row_once),
        cmocka_unit_test(paging_through_equal_times_gives_every_row_once),
        cmocka_unit_test(paging_of_one_user_gives_his_rows_once),
        cmocka_unit_test(paging_misses_no_row_while_others_are_inserted),
        cmocka_unit_test(a_page_ends_at_its_bytes),
        cmocka_unit_test(a_record_longer_than_the_page_is_a_page),
        cmocka_unit_test(since_is_inside_and_until_is_not),
        cmocka_unit_test(filters_combine_freely),
        cmocka_unit_test(filters_match_exactly),
        cmocka_unit_test(a_smaller_and_older_filter_is_taken),
        cmocka_unit_test(a_cursor_outlives_its_row_and_its_client),
        cmocka_unit_test(a_cursor_of_another_kind_is_refused),
        cmocka_unit_test(a_made_up_cursor_is_refused),
        cmocka_unit_test(a_damaged_cursor_does_no_harm),
    };
    return run_on_events("events_pages", cases, sizeof cases / sizeof *cases);
}
