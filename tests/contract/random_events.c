/* Random operations, by seed, on a store and on a plain model beside it (model.h): every answer must be the same, in
 * the same order. Writes are mostly not waited for; a read that is not of one user waits for all of them first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "player.h"
#include <inttypes.h>

#define SEEDS 5
#define FULL 100000             /* operations of all seeds together */

static gavat_time tell_time(void *user)
{
    (void)user;
    return NOW;
}

/* Writes: the model first, then the store, whose answer is looked at later. */

static gavat_op *write_op(player *p, gavat_status wanted)
{
    if (p->pending_count == PENDING)
        settle(p);
    p->wanted[p->pending_count] = wanted;
    return p->pending[p->pending_count++] = held(p->g);
}

static void make_text(player *p, char out[100])
{
    *out = '\0';
    for (size_t i = 0, count = 1 + below(&p->random, 4); i < count; i++)
        snprintf(out + strlen(out), 20, "%s%s", i ? " " : "", PICK(p, words));
}

/* A new row, or one that is there already, with other contents. */
static model_row make_row(player *p, model_kind kind)
{
    model_row row = {.time = random_time(p)};
    const model_table *table = &p->m.tables[kind];
    snprintf(row.uid, sizeof row.uid, "0193a5c2-7f10-7abc-8def-%012zx", below(&p->random, 100000));
    snprintf(row.user, sizeof row.user, "%s", PICK(p, users));
    snprintf(row.bot, sizeof row.bot, "%s", PICK(p, bots));
    if (table->count && chance(p, 8)) {
        const model_row *old = &table->rows[below(&p->random, table->count)];
        row = *old;
        if (chance(p, 3))
            row.time = random_time(p);
        if (chance(p, 3) && kind != MODEL_SALES)
            snprintf(row.user, sizeof row.user, "%s", PICK(p, users));
    }
    snprintf(row.type, sizeof row.type, "%s", PICK(p, types));
    make_text(p, row.text);
    return row;
}

static void fill_event(player *p, model_row *row, gavat_event *event)
{
    snprintf(row->level, sizeof row->level, "%s", PICK(p, levels));
    row->username[0] = '\0';
    if (chance(p, 2))
        snprintf(row->username, sizeof row->username, "%s", PICK(p, names));
    *event = an_event(row->user, row->type, row->text, 0);
    event->uid = row->uid;
    event->timestamp = row->time;
    event->level = strcmp(row->level, "INFO") == 0 && chance(p, 2) ? NULL : row->level;
    event->username = *row->username ? row->username : NULL;
}

static void log_event(player *p)
{
    gavat_event event;
    model_row row = make_row(p, MODEL_EVENTS);
    fill_event(p, &row, &event);
    if (chance(p, 50)) {
        event.type = "a type that is longer than the fifty characters it may have";
        gavat_log_event(write_op(p, GAVAT_EINVAL), &event);
        return;
    }
    model_add(&p->m, MODEL_EVENTS, &row);
    gavat_log_event(write_op(p, GAVAT_OK), &event);
}

static void log_sale(player *p)
{
    char amount[40];
    model_row row = make_row(p, MODEL_SALES);
    row.cents = (int64_t)below(&p->random, 100000) - 20000;
    row.notes[0] = '\0';
    snprintf(row.status, sizeof row.status, "%s", PICK(p, statuses));
    snprintf(row.currency, sizeof row.currency, "%s", PICK(p, currencies));
    uint64_t cents = (uint64_t)(row.cents < 0 ? -row.cents : row.cents);
    snprintf(amount, sizeof amount, "%s%" PRIu64 ".%02" PRIu64, row.cents < 0 ? "-" : "", cents / 100, cents % 100);
    gavat_sale sale = a_sale(row.user, row.type, amount, 0);
    sale.uid = row.uid;
    sale.created_at = row.time;
    sale.bot_username = row.bot;
    sale.product_name = row.text;
    sale.currency = row.currency;
    sale.payment_status = row.status;
    model_add(&p->m, MODEL_SALES, &row);
    gavat_log_sale(write_op(p, GAVAT_OK), &sale);
}

static void log_message(player *p)
{
    model_row row = make_row(p, MODEL_MESSAGES);
    row.flag = chance(p, 4) ? -1 : 1;
    row.ms = chance(p, 3) ? 0 : 1 + (int64_t)below(&p->random, 500);
    gavat_message message = a_message(row.bot, row.type, row.text, 0);
    message.uid = row.uid;
    message.timestamp = row.time;
    message.target_id = row.user;
    message.success = row.flag;
    message.response_time_ms = row.ms;
    model_add(&p->m, MODEL_MESSAGES, &row);
    gavat_log_message(write_op(p, GAVAT_OK), &message);
}

static void set_session(player *p)
{
    char extra[200] = "{";
    model_row row = {.time = random_time(p)};
    snprintf(row.user, sizeof row.user, "%s", PICK(p, users));
    if (chance(p, 2))
        snprintf(row.username, sizeof row.username, "%s", PICK(p, names));
    if (chance(p, 2))
        snprintf(row.type, sizeof row.type, "%s", PICK(p, types));
    for (int key = 0; key < 8; key++) {
        if (!chance(p, 6))
            continue;
        row.keys[row.key_count] = key;
        row.values[row.key_count++] = (int)below(&p->random, 1000);
        snprintf(extra + strlen(extra), 20, "%s\"k%d\":%d", row.key_count > 1 ? "," : "", key,
                 row.values[row.key_count - 1]);
    }
    strcat(extra, "}");
    gavat_session session = a_session(row.user);
    session.last_activity = row.time;
    session.username = *row.username ? row.username : NULL;
    session.bot_type = *row.type ? row.type : NULL;
    session.extra_data = row.key_count ? extra : NULL;
    if (!model_session(&p->m, row.user))
        settle(p);              /* ids of new ones break ties: order is promised within a user only */
    model_set_session(&p->m, &row);
    gavat_set_session(write_op(p, GAVAT_OK), &session);
}

static void update_sale(player *p)
{
    char uid[37] = "0193a5c2-7f10-7abc-8def-ffffffffffff";
    const model_table *table = &p->m.tables[MODEL_SALES];
    if (table->count && !chance(p, 10))
        memcpy(uid, table->rows[below(&p->random, table->count)].uid, sizeof uid);
    const char *status = PICK(p, statuses), *notes = chance(p, 2) ? PICK(p, words) : NULL;
    gavat_status wanted = model_update_sale(&p->m, uid, status, notes);
    gavat_update_sale_status(write_op(p, wanted), uid, status, notes);
}

static void close_one(player *p)
{
    const char *user = PICK(p, users);
    model_row *session = model_session(&p->m, user);
    if (session)
        session->flag = -1;
    gavat_close_session(write_op(p, session ? GAVAT_OK : GAVAT_ENOTFOUND), user);
}

static void expire(player *p)
{
    gavat_time before = T0 + (int64_t)below(&p->random, SPAN) * SECOND;
    settle(p);
    gavat_op *op = held(p->g);
    RUN(op, expire_sessions, (NOW - before) / 1000);
    assert_int_equal(gavat_op_number(op), model_expire(&p->m, before));
    gavat_op_unref(op);
}

static void prune(player *p)
{
    gavat_time before = T0 + (int64_t)below(&p->random, SPAN / 4) * SECOND;
    if (chance(p, 20))
        before = T0 + SPAN * SECOND;    /* all of them */
    settle(p);
    gavat_op *op = held(p->g);
    RUN(op, prune_events, before);
    assert_int_equal(gavat_op_number(op), model_prune(&p->m, before));
    gavat_op_unref(op);
}

static void send_batch(player *p)
{
    size_t count = 1 + below(&p->random, 30);
    gavat_batch *batch = gavat_batch_new(p->g);
    for (size_t i = 0; i < count; i++) {
        gavat_event event;
        model_row row = make_row(p, MODEL_EVENTS);
        fill_event(p, &row, &event);
        assert_int_equal(gavat_batch_add_event(batch, &event), GAVAT_OK);
        model_add(&p->m, MODEL_EVENTS, &row);
    }
    if (chance(p, 2))
        gavat_import_batch(write_op(p, GAVAT_OK), batch);
    else
        gavat_commit_batch(write_op(p, GAVAT_OK), batch);
    gavat_batch_free(batch);
}

static void write_some(player *p)
{
    size_t what = below(&p->random, 100);
    if (what < 45)
        log_event(p);
    else if (what < 58)
        log_sale(p);
    else if (what < 71)
        log_message(p);
    else if (what < 83)
        set_session(p);
    else if (what < 94)
        update_sale(p);
    else if (what < 98)
        close_one(p);
    else
        send_batch(p);
}

static void read_some(player *p)
{
    size_t what = below(&p->random, 100);
    if (what < 30)
        read_pages(p, MODEL_EVENTS, NULL);
    else if (what < 50)
        read_pages(p, MODEL_EVENTS, PICK(p, keywords));
    else if (what < 60)
        read_pages(p, MODEL_SALES, NULL);
    else if (what < 70)
        read_pages(p, MODEL_MESSAGES, NULL);
    else if (what < 80)
        read_pages(p, MODEL_SESSIONS, NULL);
    else if (what < 90)
        read_session(p);
    else if (what < 94)
        total_sales(p);
    else if (what < 97)
        total_messages(p);
    else
        total_events(p);
}

static void do_one(player *p)
{
    if (chance(p, 400))
        prune(p);
    else if (chance(p, 200))
        expire(p);
    else if (chance(p, 1000)) {
        settle(p);
        p->g = reopen(p->state, NULL);
    } else if (chance(p, 4))
        read_some(p);
    else
        write_some(p);
}

static void play(void **state, uint64_t number)
{
    set_clock_of_next(tell_time);
    player p = {.g = reopen(state, NULL), .state = state, .random = test_seed() + number * 1000003};
    size_t count = at_scale(FULL) / SEEDS;
    for (size_t i = 0; i < count; i++)
        do_one(&p);
    settle(&p);
    for (int i = 0; i < 50; i++)
        read_some(&p);
    model_free(&p.m);
    free(p.selected);
}

static void first_seed(void **state)
{
    play(state, 0);
}

static void second_seed(void **state)
{
    play(state, 1);
}

static void third_seed(void **state)
{
    play(state, 2);
}

static void fourth_seed(void **state)
{
    play(state, 3);
}

static void fifth_seed(void **state)
{
    play(state, 4);
}

int main(void)
{
    const struct CMUnitTest cases[SEEDS] = {
        cmocka_unit_test(first_seed),
        cmocka_unit_test(second_seed),
        cmocka_unit_test(third_seed),
        cmocka_unit_test(fourth_seed),
        cmocka_unit_test(fifth_seed),
    };
    return run_on_events("random_events", cases, SEEDS);
}
