/* An echo bot on stdin and stdout that works as a real one does, with no server: its settings are a profile, what happens
 * is logged as events and messages, each user has a session, and the conversation decides whether it may answer.
 *
 *     42 merhaba           the user 42 writes
 *     > 42 Buyrun          a person writes to 42 on the bot's account, and so takes over
 *     /pause 42            no answers until /resume 42
 *
 * Try: printf '42 merhaba\n42 orada misin\n' | ./echo_bot; then: gavatctl dm show echo 42. Calls whose answer the bot
 * needs are waited for; the others go on by themselves, in order, and complain when they fail. */
#include <stdio.h>
#include <string.h>
#include <gavatcore.h>

#define BOT "echo"
static const char first_profile[] = "{\"type\": \"bot\", \"display_name\": \"Echo\", \"reply_mode\": \"auto\", "
                                    "\"greeting\": \"you said: \", \"menu\": \"Menu: 1. help  2. a person, please\"}";

static void tell_error(const gavat_op *op, const char *what)
{
    if (gavat_op_status(op) != GAVAT_OK)
        fprintf(stderr, "%s: %s\n", what, gavat_op_error(op)->message);
}

static void complain(gavat_op *op, void *what)
{
    tell_error(op, what);
}

static gavat_op *go_on(gavat *g, const char *what)      /* an op that is not waited for */
{
    return gavat_op_new_wait(g, complain, (void *)what, 10000);
}

static gavat_status wait_for(gavat_op *op, const char *what)
{
    gavat_status status = gavat_op_wait(op);
    tell_error(op, what);
    return status;
}

/* A field of the bot's profile, which people may change while it runs: with gavatctl profiles set echo greeting "Hi, ". */
static void read_profile(gavat *g, const char *field, char *out, size_t room)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_profile(op, BOT);
    if (gavat_op_wait(op) == GAVAT_ENOTFOUND) {         /* the first start */
        gavat_put_profile(go_on(g, "put profile"), BOT, first_profile);
        gavat_json_copy(first_profile, field, out, room);
    } else {
        tell_error(op, "get profile");
        gavat_json_copy(gavat_op_count(op) ? gavat_op_profile(op, 0)->json : "{}", field, out, room);
    }
    gavat_op_unref(op);
}

/* Ids of the bot's own making can be registered before a message is sent. */
static gavat_status next_id(gavat *g, char out[24])
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_add_counter(op, BOT, "messages", 1, 0);
    gavat_status status = wait_for(op, "count");
    snprintf(out, 24, "%lld", (long long)gavat_op_number(op));
    gavat_op_unref(op);
    return status;
}

static void send_text(gavat *g, const char *user, const char *text)
{
    char id[24];
    if (next_id(g, id) != GAVAT_OK)
        return;
    gavat_note_sent(go_on(g, "note sent"), BOT, user, id);
    printf("to %s: %s\n", user, text);                  /* what a real bot would send */

    gavat_message m = gavat_message_init();
    m.bot_username = BOT;
    m.message_type = "dm";
    m.target_type = "user";
    m.target_id = user;
    m.message_id = id;
    m.message_content = text;
    gavat_log_message(go_on(g, "log message"), &m);
    gavat_apply_conversation(go_on(g, "bot sent"), BOT, user, GAVAT_BOT_SENT);
    gavat_observe_outgoing(go_on(g, "observe"), BOT, user, id);         /* the account shows it, as it shows a person's */
}

static void answer(gavat *g, const char *user, const char *text)
{
    char mode[32] = "", greeting[200] = "", menu[200] = "", out[1500];
    read_profile(g, "reply_mode", mode, sizeof mode);
    if (strcmp(mode, "manual") == 0)
        return;

    gavat_op *op = gavat_op_new_held(g);
    gavat_permit_message(op, BOT, user);
    wait_for(op, "permit");
    gavat_decision may = *gavat_op_decision(op);        /* not allowed where the op failed */
    gavat_op_unref(op);
    if (!may.allowed) {
        printf("%s: no answer (%s)\n", user, gavat_reason_name(may.reason));
        return;
    }
    read_profile(g, "greeting", greeting, sizeof greeting);
    snprintf(out, sizeof out, "%s%s", greeting, text);
    send_text(g, user, out);
    if (may.advice == GAVAT_ADVICE_MENU) {
        read_profile(g, "menu", menu, sizeof menu);
        send_text(g, user, menu);
        gavat_apply_conversation(go_on(g, "menu sent"), BOT, user, GAVAT_MENU_SENT);
    }
}

static void on_message(gavat *g, const char *user, const char *text)
{
    gavat_event e = gavat_event_init();
    e.user_id = user;
    e.type = "dm_received";
    e.message = text;
    gavat_log_event(go_on(g, "log event"), &e);

    gavat_session s = gavat_session_init();
    s.user_id = user;
    s.bot_type = BOT;
    gavat_set_session(go_on(g, "session"), &s);

    gavat_apply_conversation(go_on(g, "user responded"), BOT, user, GAVAT_USER_RESPONDED);
    answer(g, user, text);
}

/* A message that the bot did not send shows up on its account. */
static void on_outgoing(gavat *g, const char *user)
{
    static unsigned count;
    char id[24];
    snprintf(id, sizeof id, "p%u", ++count);
    gavat_op *op = gavat_op_new_held(g);
    gavat_observe_outgoing(op, BOT, user, id);
    if (wait_for(op, "observe") == GAVAT_OK && gavat_op_number(op))
        printf("%s: a person has taken over, the phase is %s\n", user, gavat_op_conversation(op, 0)->phase);
    gavat_op_unref(op);
}

static void on_line(gavat *g, char *line)
{
    char user[101], text[1001] = "";
    if (sscanf(line, "/pause %100s", user) == 1)
        gavat_apply_conversation(go_on(g, "pause"), BOT, user, GAVAT_PAUSE);
    else if (sscanf(line, "/resume %100s", user) == 1)
        gavat_apply_conversation(go_on(g, "resume"), BOT, user, GAVAT_RESUME);
    else if (sscanf(line, "> %100s %1000[^\n]", user, text) >= 1)
        on_outgoing(g, user);
    else if (sscanf(line, "%100s %1000[^\n]", user, text) == 2)
        on_message(g, user, text);
    else
        fprintf(stderr, "a line is USER TEXT, > USER TEXT, /pause USER or /resume USER\n");
}

int main(void)
{
    gavat *g;
    char line[1200];
    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);                         /* where the stores are; without it files below ./data */
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        gavat_config_free(cfg);
        return 2;
    }
    gavat_config_free(cfg);

    gavat_op *op = gavat_op_new_held(g);
    gavat_open(op);
    gavat_status status = wait_for(op, "open");
    gavat_op_unref(op);
    while (status == GAVAT_OK && fgets(line, sizeof line, stdin))
        on_line(g, line);

    if (gavat_close_wait(g, 5000) != GAVAT_OK)          /* lets what is under way come to its end */
        status = GAVAT_ETIMEDOUT;
    gavat_unref(g);
    return status == GAVAT_OK ? 0 : 1;
}
