#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "player.h"
#include <inttypes.h>

const char *const player_users[8] = {"u0", "u1", "u2", "ali", "ALİ", "u_5", "%", "-100"};
const char *const player_bots[3] = {"bot", "bot_şen", "BotGamma"};
const char *const player_types[4] = {"dm_received", "spam", "NOTE", "şikâyet"};
const char *const player_levels[3] = {"INFO", "ERROR", "WARNING"};
const char *const player_names[2] = {"ayşe", "oğuz"};
const char *const player_statuses[4] = {"pending", "completed", "failed", "refunded"};
const char *const player_currencies[2] = {"TRY", "EUR"};
const char *const player_words[12] = {"elma", "ARMUT", "Çilek", "şeker", "IĞDIR", "izmir", "100%", "a_b", "x", "'tek'",
                                      "\"çift\"", "yol\\"};
const char *const player_keywords[21] = {"elma", "armut", "CILEK", "Şeker", "ığdır", "İZMİR", "%", "_", "x", "'", "\"",
                                         "\\", "ma ar", "dm_", "note",
                                       "e", "ir", "100% a", "yok", "spam", ""};

bool chance(player *p, size_t one_in)
{
    return below(&p->random, one_in) == 0;
}

gavat_time random_time(player *p)
{
    return T0 + (int64_t)below(&p->random, SPAN) * SECOND + (chance(p, 3) ? (int64_t)below(&p->random, 3) : 0);
}

void settle(player *p)
{
    for (size_t i = 0; i < p->pending_count; i++) {
        expect_status(p->pending[i], p->wanted[i], __FILE__, __LINE__);
        gavat_op_unref(p->pending[i]);
    }
    p->pending_count = 0;
}

static const model_row **select_rows(player *p, model_kind kind, const gavat_filter *filter, const char *keyword,
                                     size_t *count)
{
    if (p->room < p->m.tables[kind].count + 1) {
        p->room = p->m.tables[kind].count * 2 + 1;
        p->selected = realloc(p->selected, p->room * sizeof *p->selected);
        assert_non_null(p->selected);
    }
    *count = model_select(&p->m, kind, filter, keyword, p->selected);
    return p->selected;
}

static gavat_filter make_filter(player *p, model_kind kind)
{
    gavat_filter filter = gavat_filter_init();
    filter.user_id = chance(p, 2) ? PICK(p, users) : NULL;
    filter.type = chance(p, 4) ? PICK(p, types) : NULL;
    filter.since = chance(p, 5) ? random_time(p) : 0;
    filter.until = chance(p, 5) ? random_time(p) : 0;
    filter.limit = (uint32_t)(chance(p, 4) ? 1 + below(&p->random, 5) : 1 + below(&p->random, 120));
    if (kind == MODEL_EVENTS) {
        filter.username = chance(p, 6) ? PICK(p, names) : NULL;
        filter.level = chance(p, 5) ? PICK(p, levels) : NULL;
    } else if (kind == MODEL_SALES) {
        filter.status = chance(p, 4) ? PICK(p, statuses) : NULL;
        filter.bot_username = chance(p, 5) ? PICK(p, bots) : NULL;
    } else if (kind == MODEL_MESSAGES) {
        filter.bot_username = chance(p, 3) ? PICK(p, bots) : NULL;
        filter.success = chance(p, 4) ? (chance(p, 2) ? 1 : -1) : 0;
    } else {
        filter.is_active = chance(p, 3) ? (chance(p, 2) ? 1 : -1) : 0;
    }
    return filter;
}

static void same_text(const char *got, const char *wanted)
{
    if (strcmp(got ? got : "", wanted) != 0)
        fail_msg("\"%s\" instead of \"%s\"", got ? got : "NULL", wanted);
}

static void compare_session(const gavat_session *session, const model_row *row)
{
    char extra[200] = "{";
    same_text(session->user_id, row->user);
    same_text(session->username, row->username);
    same_text(session->bot_type, row->type);
    assert_int_equal(session->last_activity, row->time);
    assert_int_equal(session->is_active, row->flag);
    for (int i = 0; i < row->key_count; i++)
        snprintf(extra + strlen(extra), 24, "%s\"k%d\": %d", i ? ", " : "", row->keys[i], row->values[i]);
    strcat(extra, "}");
    same_text(session->extra_data, extra);
}

static void compare_record(const gavat_op *op, size_t i, model_kind kind, const model_row *row)
{
    if (kind == MODEL_EVENTS) {
        const gavat_event *event = gavat_op_event(op, i);
        same_text(event->uid, row->uid);
        same_text(event->user_id, row->user);
        same_text(event->message, row->text);
        same_text(event->type, row->type);
        same_text(event->level, row->level);
        same_text(event->username, row->username);
        assert_int_equal(event->timestamp, row->time);
    } else if (kind == MODEL_SALES) {
        const gavat_sale *sale = gavat_op_sale(op, i);
        same_text(sale->uid, row->uid);
        same_text(sale->product_name, row->text);
        same_text(sale->payment_status, row->status);
        same_text(sale->notes, row->notes);
        same_text(sale->currency, row->currency);
    } else if (kind == MODEL_MESSAGES) {
        const gavat_message *message = gavat_op_message(op, i);
        same_text(message->uid, row->uid);
        same_text(message->message_content, row->text);
        same_text(message->target_id, row->user);
        assert_int_equal(message->success, row->flag);
        assert_int_equal(message->response_time_ms, row->ms);
    } else {
        compare_session(gavat_op_session(op, i), row);
    }
}

static void ask_page(gavat_op *op, model_kind kind, const gavat_filter *filter, const char *keyword)
{
    if (keyword)
        gavat_search_events(op, keyword, filter);
    else if (kind == MODEL_EVENTS)
        gavat_get_events(op, filter);
    else if (kind == MODEL_SALES)
        gavat_get_sales(op, filter);
    else if (kind == MODEL_MESSAGES)
        gavat_get_messages(op, filter);
    else
        gavat_get_sessions(op, filter);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
}

/* Some pages, one after the other. */
void read_pages(player *p, model_kind kind, const char *keyword)
{
    char cursor[500];
    size_t count, seen = 0;
    gavat_filter filter = make_filter(p, kind);
    const char *owner = kind == MODEL_MESSAGES ? filter.bot_username : filter.user_id;
    if (!owner || keyword)
        settle(p);
    const model_row **rows = select_rows(p, kind, &filter, keyword, &count);
    for (int page = 0; page < 4; page++) {
        gavat_op *op = held(p->g);
        ask_page(op, kind, &filter, keyword);
        size_t got = gavat_op_count(op), left = count - seen;
        if (keyword)
            assert_true(got <= filter.limit && got <= left);
        else
            assert_int_equal(got, left < filter.limit ? left : filter.limit);
        for (size_t i = 0; i < got; i++)
            compare_record(op, i, kind, rows[seen + i]);
        seen += got;
        bool more = gavat_op_cursor(op) != NULL;
        assert_true(more || seen == count);     /* the page behind the last row may be empty: the cursor tells */
        snprintf(cursor, sizeof cursor, "%s", more ? gavat_op_cursor(op) : "");
        filter.cursor = cursor;
        gavat_op_unref(op);
        if (!more)
            break;
    }
}

void read_session(player *p)
{
    const char *user = PICK(p, users);
    const model_row *row = model_session(&p->m, user);
    gavat_op *op = held(p->g);
    gavat_get_session(op, user);
    expect_status(op, row ? GAVAT_OK : GAVAT_ENOTFOUND, __FILE__, __LINE__);
    if (row)
        compare_session(gavat_op_session(op, 0), row);
    gavat_op_unref(op);
}

static void number_is(const gavat_op *op, size_t i, const char *path, int64_t wanted)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, wanted);
    assert_json(op, i, path, text);
}

void total_sales(player *p)
{
    settle(p);
    size_t count, with = 0;
    gavat_filter filter = make_filter(p, MODEL_SALES);
    const model_row **rows = select_rows(p, MODEL_SALES, &filter, NULL, &count);
    gavat_op *op = held(p->g);
    RUN(op, get_sale_stats, &filter);
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        char currency[16], text[40];
        int64_t cents = 0, sales = 0;
        gavat_json_copy(gavat_op_json(op, i, NULL), "currency", currency, sizeof currency);
        for (size_t k = 0; k < count; k++)
            if (strcmp(rows[k]->currency, currency) == 0) {
                cents += rows[k]->cents;
                sales++;
            }
        uint64_t size = (uint64_t)(cents < 0 ? -cents : cents);
        snprintf(text, sizeof text, "%s%" PRIu64 ".%02" PRIu64, cents < 0 ? "-" : "", size / 100, size % 100);
        assert_json(op, i, "amount", text);
        number_is(op, i, "count", sales);
        with += (size_t)sales;
    }
    assert_int_equal(with, count);
    gavat_op_unref(op);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void total_messages(player *p)
{
    settle(p);
    size_t count, known = 0, failed = 0;
    gavat_filter filter = make_filter(p, MODEL_MESSAGES);
    const model_row **rows = select_rows(p, MODEL_MESSAGES, &filter, NULL, &count);
    int64_t *times = malloc((count + 1) * sizeof *times);
    assert_non_null(times);
    for (size_t i = 0; i < count; i++) {
        failed += rows[i]->flag < 0;
        if (rows[i]->ms)
            times[known++] = rows[i]->ms;
    }
    qsort(times, known, sizeof *times, by_number);
    gavat_op *op = held(p->g);
    RUN(op, get_message_stats, &filter);
    number_is(op, 0, "total", (int64_t)count);
    number_is(op, 0, "failed", (int64_t)failed);
    number_is(op, 0, "successful", (int64_t)(count - failed));
    if (known) {
        number_is(op, 0, "response_time_p50", times[(known * 50 + 99) / 100 - 1]);
        number_is(op, 0, "response_time_p95", times[(known * 95 + 99) / 100 - 1]);
    }
    gavat_op_unref(op);
    free(times);
}

void total_events(player *p)
{
    settle(p);
    size_t count;
    gavat_filter filter = make_filter(p, MODEL_EVENTS);
    select_rows(p, MODEL_EVENTS, &filter, NULL, &count);
    gavat_op *op = held(p->g);
    RUN(op, get_event_stats, NULL, &filter);
    number_is(op, 0, "total", (int64_t)count);
    gavat_op_unref(op);
}
