/* state_memory.c: every allocation of the library and of SQLite failing in turn over all calls of the state area, on a file and in memory. Each
 * op ends, well or with a clear error; nothing acknowledged is missing afterwards; nothing leaks; and with memory back the same client works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "starve.h"
#include "tally.h"

struct stage {
    gavat *g;
    char folder[256], path[300], url[320];
    tally book;
};

static void open_it(stage *s)
{
    const char *const settings[] = {"POSTGRES_URL", "off", "MONGODB_URI", "off", "REDIS_URL", s->url, "GAVAT_TIMEOUT", "10s", NULL};
    s->g = starve_open(settings);
}

static void close_it(stage *s)
{
    starve_close(s->g);
    s->g = NULL;
}

static void put(stage *s, const char *kinds)
{
    for (; *kinds; kinds++)
        send_and_note_mark(s->g, &s->book, *kinds);
}

static void live_and_die(stage *s)
{
    close_it(s);
    open_it(s);
    if (s->g)
        put(s, "s");
    close_it(s);
}

static void write_marks(stage *s)
{
    put(s, "sclt");
    put(s, "lcst");
}

static void use_keys(stage *s)
{
    TRY(s->g, set_state, "ş", "key", "{\"adım\": 1}", 60000);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_state(op, "ş", "key");
    if (gavat_op_wait(op) == GAVAT_OK && strcmp(gavat_op_text(op, NULL), "{\"adım\": 1}") != 0)
        fail_msg("a value of \"%s\" is called good", gavat_op_text(op, NULL));
    starve_read(op);
    TRY(s->g, compare_and_set_state, "ş", "fresh", NULL, "1", 0);
    TRY(s->g, set_state, NULL, "list", "a", 0);
    op = gavat_op_new_held(s->g);
    gavat_list_state(op, s->book.user);
    if (gavat_op_wait(op) == GAVAT_OK && gavat_op_count(op) != 5)
        fail_msg("%zu keys instead of 5 are called good", gavat_op_count(op));
    starve_read(op);
    TRY(s->g, scan_state, 3, NULL);
    TRY(s->g, delete_state, "ş", "key");
    TRY(s->g, clear_state, "ş");
    TRY(s->g, clear_state, NULL);
}

static void use_rules(stage *s)
{
    TRY(s->g, set_cooldown, "u", "dm", 60000);
    TRY(s->g, check_cooldown, "u", "dm");
    TRY(s->g, clear_cooldown, "u", "dm");
    TRY(s->g, get_counter, s->book.user, "sum");
    TRY(s->g, reset_counter, "u", "n");
    TRY(s->g, try_limit, "u", "search", 3, 60000, 0);
    TRY(s->g, push_list, "u", "l", "bir", 2);
    TRY(s->g, push_list, "u", "l", "iki", 1);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_list(op, s->book.user, "all", 0, -1);
    if (gavat_op_wait(op) == GAVAT_OK && gavat_op_count(op) != 1)
        fail_msg("%zu items instead of 1 are called good", gavat_op_count(op));
    starve_read(op);
}

static void use_conversations(stage *s)
{
    for (gavat_transition t = GAVAT_USER_RESPONDED; t <= GAVAT_RESUME; t++)
        TRY(s->g, apply_conversation, "bot", "ş", t);
    TRY(s->g, permit_message, "bot", "ş");
    TRY(s->g, note_sent, "bot", "ş", "481");
    TRY(s->g, observe_outgoing, "bot", "ş", "481");
    TRY(s->g, observe_outgoing, "bot", "ş", "482");
    TRY(s->g, set_state, "dm:bot:vip", "conversation_state", "{\"phase\": \"vip\", \"x\": [1]}", 0);
    TRY(s->g, apply_conversation, "bot", "vip", GAVAT_BOT_SENT);
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_conversation(op, "bot", "kept");
    if (gavat_op_wait(op) == GAVAT_OK && gavat_op_conversation(op, 0)->auto_message_count != 1)
        fail_msg("a conversation that was lost is called good");
    starve_read(op);
    op = gavat_op_new_held(s->g);
    gavat_get_conversations(op, "bot", 2, NULL);
    starve_read(op);
    TRY(s->g, get_due_conversations, NULL, 0, NULL);
}

static void look_after(stage *s)
{
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_check_stores(op);
    starve_read(op);
    op = gavat_op_new_held(s->g);
    gavat_get_schema(op);
    starve_finish(op);
    TRY(s->g, upgrade_schema, 1);
    TRY(s->g, upgrade_schema, 0);
}

static stage *begin(void)
{
    stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    make_folder(s->folder);
    snprintf(s->path, sizeof s->path, "%s/state.db", s->folder);
    snprintf(s->url, sizeof s->url, "sqlite:///%s", s->path);
    snprintf(s->book.user, sizeof s->book.user, "user");
    open_it(s);
    put(s, "sclt");
    TRY(s->g, set_state, s->book.user, "kept", "kept", 0);
    TRY(s->g, apply_conversation, "bot", "kept", GAVAT_BOT_SENT);
    return s;
}

static void end(stage *s)
{
    if (!s->g)
        open_it(s);
    for (const char *kind = "sclt"; *kind; kind++)
        if (!mark_until_ok(s->g, &s->book, *kind, 5))
            fail_msg("the client does not recover");
    close_it(s);
    check_tally(s->path, &s->book);
    tally_free(&s->book);
    drop_folder(s->folder);
    free(s);
}

static const starve_area on_file = {begin, end};

static stage *begin_in_memory(void)
{
    stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->url, sizeof s->url, "memory:");
    snprintf(s->book.user, sizeof s->book.user, "user");
    open_it(s);
    put(s, "c");
    return s;
}

/* What was acknowledged in memory is there as long as its client is. */
static void end_in_memory(stage *s)
{
    if (!mark_until_ok(s->g, &s->book, 'c', 5))
        fail_msg("the client does not recover");
    long long least = 0, doubts = 0;
    for (size_t i = 0; i < s->book.count; i++) {
        least += s->book.marks[i].kind == 'c' && s->book.marks[i].status == GAVAT_OK;
        doubts += s->book.marks[i].kind == 'c' && s->book.marks[i].status != GAVAT_OK && s->book.marks[i].flags;
    }
    gavat_op *op = gavat_op_new_held(s->g);
    gavat_get_counter(op, "user", "sum");
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    if (gavat_op_number(op) < least || gavat_op_number(op) > least + doubts)
        fail_msg("the counter is %lld instead of %lld to %lld", (long long)gavat_op_number(op), least, least + doubts);
    gavat_op_unref(op);
    close_it(s);
    tally_free(&s->book);
    free(s);
}

static const starve_area in_memory = {begin_in_memory, end_in_memory};

STARVE(out_of_memory_while_opening_and_closing, on_file, live_and_die)
STARVE(out_of_memory_while_writing, on_file, write_marks)
STARVE(out_of_memory_over_keys, on_file, use_keys)
STARVE(out_of_memory_over_rules, on_file, use_rules)
STARVE(out_of_memory_over_conversations, on_file, use_conversations)
STARVE(out_of_memory_while_looking_after_the_store, on_file, look_after)
STARVE(out_of_memory_in_memory, in_memory, write_marks)

int main(void)
{
    starve_install();
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(out_of_memory_while_opening_and_closing),
        cmocka_unit_test(out_of_memory_while_writing),
        cmocka_unit_test(out_of_memory_over_keys),
        cmocka_unit_test(out_of_memory_over_rules),
        cmocka_unit_test(out_of_memory_over_conversations),
        cmocka_unit_test(out_of_memory_while_looking_after_the_store),
        cmocka_unit_test(out_of_memory_in_memory),
    };
    return cmocka_run_group_tests_name("state_memory", cases, NULL, NULL);
}
