/* The five integration suites of the original system, by their names, and a day of a bot: one program that uses all areas of one
 * client at once. It takes only URLs (tests/harness/client.h), so it runs as it is on any mix of stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include <pthread.h>
#include <string.h>

#define HOUR_MS 3600000

/* 1. SQL logs: what is logged is listed and found, whatever the case of its letters. */
static void sql_logs(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = gavat_event_init();
    event.user_id = "test_user_123";
    event.type = "dm_received";
    event.message = "Test mesajı ALINDI";
    event.context = "{\"chat\": {\"id\": -1001234567890123}}";
    gavat_op *op = held(g);
    RUN(op, log_event, &event);
    assert_true(gavat_op_reached(op) >= GAVAT_REACHED_LOCAL);
    gavat_op_unref(op);
    log_one(g, "test_user_456", "somebody else", 1);

    gavat_filter filter = gavat_filter_init();
    filter.user_id = "test_user_123";
    filter.limit = 5;
    op = held(g);
    RUN(op, get_events, &filter);
    assert_records(op, "Test mesajı ALINDI");
    assert_string_equal(gavat_op_event(op, 0)->level, "INFO");
    assert_json(op, 0, "context.chat.id", "-1001234567890123");
    gavat_op_unref(op);
    op = held(g);
    RUN(op, search_events, "MESAJI alındı", &filter);
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, search_events, "mes%", &filter);        /* a keyword is taken literally */
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
}

/* 2. Profiles: what is put is got, a field is changed, the rest stays. */
static void profiles(void **state)
{
    gavat *g = client_of(state);
    gavat_op *op = held(g);
    RUN(op, put_profile, "test_bot_123",
        "{\"display_name\": \"Test Bot\", \"type\": \"bot\", \"reply_mode\": \"hybrid\", \"autospam\": true, "
        "\"services_menu\": \"Test hizmet menüsü\", \"user_id\": 7123456789, \"gpt\": {\"temperature\": 0.70}}");
    assert_int_equal(gavat_op_number(op), 1);
    gavat_op_unref(op);

    op = held(g);
    RUN(op, get_profile, "test_bot_123");
    assert_json(op, 0, "display_name", "Test Bot");
    assert_json(op, 0, "gpt.temperature", keeps_digits(state) ? "0.70" : "0.7");
    gavat_time created = gavat_op_profile(op, 0)->created_at;
    gavat_op_unref(op);

    DO(g, GAVAT_OK, patch_profile, "test_bot_123", "{\"reply_mode\": \"manualplus\"}", NULL, 0);
    op = held(g);
    RUN(op, get_profile_by_user_id, "7123456789");
    assert_json(op, 0, "reply_mode", "manualplus");
    assert_json(op, 0, "services_menu", "Test hizmet menüsü");
    assert_int_equal(gavat_op_profile(op, 0)->revision, 2);
    assert_int_equal(gavat_op_profile(op, 0)->created_at, created);
    gavat_op_unref(op);

    op = held(g);
    RUN(op, search_profiles, "TEST BOT", NULL);
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    DO(g, GAVAT_ECONFLICT, put_profile_if_revision, "test_bot_123", "{\"type\": \"bot\"}", 1);
    DO(g, GAVAT_OK, delete_profile, "test_bot_123");
    DO(g, GAVAT_ENOTFOUND, get_profile, "test_bot_123");
}

/* 3. State: a value with an expiry, a cooldown that runs, a counter, a list; clearing a user clears nobody else. */
static void state_management(void **state)
{
    gavat *g = client_of(state);
    const char *kept = "{\"phase\": \"initial_contact\", \"auto_message_count\": 2}";
    DO(g, GAVAT_OK, set_state, "dm:test_bot_123:test_user_456", "conversation", kept, HOUR_MS);
    gavat_op *op = held(g);
    RUN(op, get_state, "dm:test_bot_123:test_user_456", "conversation");
    assert_string_equal(gavat_op_text(op, NULL), kept);
    assert_in_range(gavat_op_state(op, 0)->expire_ms, HOUR_MS - 60000, HOUR_MS);
    gavat_op_unref(op);

    DO(g, GAVAT_OK, set_cooldown, "test_user_456", "spam", 60000);
    op = held(g);
    RUN(op, check_cooldown, "test_user_456", "spam");
    assert_in_range(gavat_op_number(op), 1, 60000);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, try_cooldown, "test_user_456", "spam", 60000);
    assert_int_equal(gavat_op_decision(op)->allowed, 0);
    assert_in_range(gavat_op_decision(op)->retry_after_ms, 1, 60000);
    gavat_op_unref(op);

    DO(g, GAVAT_OK, add_counter, "test_user_456", "messages", 5, 0);
    op = held(g);
    RUN(op, add_counter, "test_user_456", "messages", -2, 0);
    assert_int_equal(gavat_op_number(op), 3);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, push_list, "test_user_456", "recent", "one", 2);
    DO(g, GAVAT_OK, push_list, "test_user_456", "recent", "iki 🤖", 2);
    op = held(g);
    RUN(op, get_list, "test_user_456", "recent", 0, -1);
    assert_int_equal(gavat_op_count(op), 2);
    assert_string_equal(gavat_op_state(op, 0)->value, "iki 🤖");
    gavat_op_unref(op);

    DO(g, GAVAT_OK, set_state, "test_user_4567", "note", "stays", 0);
    op = held(g);
    RUN(op, clear_state, "test_user_456");
    assert_int_equal(gavat_op_number(op), 3);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, get_state, "test_user_4567", "note");
    DO(g, GAVAT_OK, get_state, "dm:test_bot_123:test_user_456", "conversation");
}

/* 4. Log utils: one call lands in the store and in the user's text log, and is read back from both. */
static void log_utils(void **state)
{
    gavat *g = client_of(state);
    gavat_event event = gavat_event_init();
    event.user_id = "test_integration_user";
    event.type = "integration_test";
    event.message = "Entegrasyon testi log mesajı";
    event.level = "WARNING";
    DO(g, GAVAT_OK, log_event, &event);
    gavat_op *op = held(g);
    RUN(op, get_text_log, "test_integration_user", "ENTEGRASYON", 5);
    assert_int_equal(gavat_op_count(op), 1);
    assert_json(op, 0, "message", "Entegrasyon testi log mesajı");
    assert_json(op, 0, "level", "WARNING");
    gavat_op_unref(op);
    gavat_filter filter = gavat_filter_init();
    filter.user_id = "test_integration_user";
    op = held(g);
    RUN(op, get_events, &filter);
    assert_records(op, "Entegrasyon testi log mesajı");
    gavat_op_unref(op);
}

/* 5. DM handler state: the conversation of a bot and a user, over to a person and back. */
static void dm_handler_state(void **state)
{
    gavat *g = client_of(state);
    const char *bot = "integration_bot", *user = "integration_user";
    gavat_op *op = held(g);
    RUN(op, get_conversation, bot, user);
    assert_string_equal(gavat_op_conversation(op, 0)->phase, "initial_contact");
    assert_int_equal(gavat_op_conversation(op, 0)->conversation_active, 0);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, apply_conversation, bot, user, GAVAT_BOT_SENT);
    assert_int_equal(gavat_op_conversation(op, 0)->auto_message_count, 1);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, apply_conversation, bot, user, GAVAT_USER_RESPONDED);
    assert_string_equal(gavat_op_conversation(op, 0)->phase, "active_conversation");
    gavat_op_unref(op);

    op = held(g);
    RUN(op, permit_message, bot, user);
    assert_int_equal(gavat_op_decision(op)->allowed, 1);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, note_sent, bot, user, "100");
    op = held(g);
    RUN(op, observe_outgoing, bot, user, "100");
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, observe_outgoing, bot, user, "101");        /* nobody registered it: a person is writing */
    assert_int_equal(gavat_op_number(op), 1);
    assert_string_equal(gavat_op_conversation(op, 0)->phase, "manual_engaged");
    assert_int_equal(gavat_op_conversation(op, 0)->auto_messages_paused, 1);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, permit_message, bot, user);
    assert_int_equal(gavat_op_decision(op)->allowed, 0);
    assert_int_equal(gavat_op_decision(op)->reason, GAVAT_REASON_PAUSED);
    gavat_op_unref(op);
    DO(g, GAVAT_OK, apply_conversation, bot, user, GAVAT_RESUME);
    op = held(g);
    RUN(op, get_conversations, bot, 10, NULL);
    assert_int_equal(gavat_op_count(op), 1);
    assert_string_equal(gavat_op_conversation(op, 0)->phase, "active_conversation");
    gavat_op_unref(op);
}

/* 6. A day: many bots on as many threads, each turn in all areas. Nothing is lost, in none of them. */
enum { BOTS = 8, TURNS = 25 };
typedef struct bot {
    gavat *g;
    char name[16];
    unsigned denied;
} bot;

static void turn(bot *b, int n)
{
    char text[64], id[16];
    snprintf(text, sizeof text, "merhaba %d", n);
    snprintf(id, sizeof id, "%d", n);
    gavat_message message = gavat_message_init();
    message.bot_username = b->name;
    message.message_type = "dm";
    message.message_content = text;
    message.message_id = id;
    DO(b->g, GAVAT_OK, log_message, &message);
    DO(b->g, GAVAT_OK, apply_conversation, b->name, "ali", GAVAT_USER_RESPONDED);
    gavat_op *op = held(b->g);
    RUN(op, permit_message, b->name, "ali");
    b->denied += !gavat_op_decision(op)->allowed;
    gavat_op_unref(op);
    DO(b->g, GAVAT_OK, apply_conversation, b->name, "ali", GAVAT_BOT_SENT);
    DO(b->g, GAVAT_OK, add_counter, b->name, "turns", 1, 0);
    snprintf(text, sizeof text, "{\"turns\": %d, \"last\": {\"id\": \"%s\"}}", n, id);
    DO(b->g, GAVAT_OK, patch_profile, b->name, text, NULL, 0);
    log_one(b->g, b->name, text, n);
}

static void *live(void *user)
{
    bot *b = user;
    DO(b->g, GAVAT_OK, put_profile, b->name, "{\"type\": \"bot\"}");
    for (int n = 1; n <= TURNS; n++)
        turn(b, n);
    return NULL;
}

static void expect_day(gavat *g, const bot *b)
{
    gavat_op *op = held(g);
    RUN(op, get_profile, b->name);
    assert_json(op, 0, "turns", "25");
    assert_json(op, 0, "last.id", "25");
    assert_int_equal(gavat_op_profile(op, 0)->revision, TURNS + 1);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_counter, b->name, "turns");
    assert_int_equal(gavat_op_number(op), TURNS);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_conversation, b->name, "ali");
    assert_int_equal(gavat_op_conversation(op, 0)->auto_message_count, TURNS);
    gavat_op_unref(op);
    assert_int_equal(b->denied, TURNS - 1);         /* the first permit starts the cooldown */
    gavat_filter filter = gavat_filter_init();
    filter.bot_username = b->name;
    op = held(g);
    RUN(op, get_messages, &filter);
    assert_int_equal(gavat_op_count(op), TURNS);
    gavat_op_unref(op);
    filter = gavat_filter_init();
    filter.user_id = b->name;
    op = held(g);
    RUN(op, get_events, &filter);
    assert_int_equal(gavat_op_count(op), TURNS);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_text_log, b->name, NULL, 100);
    assert_int_equal(gavat_op_count(op), TURNS);
    gavat_op_unref(op);
}

static void a_day_of_many_bots(void **state)
{
    static bot bots[BOTS];
    pthread_t threads[BOTS];
    gavat *g = client_of(state);
    for (int i = 0; i < BOTS; i++) {
        bots[i] = (bot){.g = g};
        snprintf(bots[i].name, sizeof bots[i].name, "bot%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, live, &bots[i]), 0);
    }
    for (int i = 0; i < BOTS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < BOTS; i++)
        expect_day(g, &bots[i]);
    gavat_op *op = held(g);
    gavat_get_health(op);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    for (size_t i = 0; i < gavat_op_count(op); i++)
        assert_json(op, i, "state", "up");
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(sql_logs),         cmocka_unit_test(profiles),
        cmocka_unit_test(state_management), cmocka_unit_test(log_utils),
        cmocka_unit_test(dm_handler_state), cmocka_unit_test(a_day_of_many_bots),
    };
    return run_on_all("the whole system", cases, sizeof cases / sizeof *cases);
}
