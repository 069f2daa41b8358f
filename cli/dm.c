#include "keys.h"
#include "page.h"
#include <string.h>

#define COLUMNS                                                                                                        \
    "bot,user,phase,last_bot_message,last_user_message,user_responded,conversation_active,followup_count,"             \
    "auto_message_count,menu_sent,manual_mode_active,auto_messages_paused,manual_intervention_time,"                   \
    "last_manual_message,last_manual_check"
#define SHOWN                                                                                                          \
    "bot,user,phase,last_user_message,last_bot_message,user_responded,followup_count,auto_message_count,"              \
    "auto_messages_paused"
#define TRANSITIONS "user_responded|bot_sent|manual_intervention|menu_sent|followup_sent|pause|resume|reset"

static const char *bot_of(const ctl_call *call)
{
    return ctl_get_argument(call, 0);
}

static const char *user_of(const ctl_call *call)
{
    return ctl_get_argument(call, 1);
}

static int show_one(ctl_session *session, const gavat_op *op)
{
    return ctl_session_print(session, op, NULL, true);
}

static void show(gavat_op *op, const ctl_call *call)
{
    gavat_get_conversation(op, bot_of(call), user_of(call));
}

static gavat_transition transition_of(const char *word)
{
    static const struct {
        const char *word;
        gavat_transition transition;
    } all[] = {
        {"user_responded", GAVAT_USER_RESPONDED}, {"bot_sent", GAVAT_BOT_SENT},
        {"manual_intervention", GAVAT_MANUAL_INTERVENTION}, {"menu_sent", GAVAT_MENU_SENT},
        {"followup_sent", GAVAT_FOLLOWUP_SENT}, {"pause", GAVAT_PAUSE},
        {"resume", GAVAT_RESUME}, {"reset", GAVAT_RESET},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(word, all[i].word) == 0)
            return all[i].transition;
    return 0;
}

static void apply(gavat_op *op, const ctl_call *call)
{
    gavat_apply_conversation(op, bot_of(call), user_of(call), transition_of(ctl_get_argument(call, 2)));
}

static void permit(gavat_op *op, const ctl_call *call)
{
    gavat_permit_message(op, bot_of(call), user_of(call));
}

static int tell_decision(ctl_session *session, const gavat_op *op)
{
    return ctl_answer_decision(session, op, true);
}

static void sent(gavat_op *op, const ctl_call *call)
{
    gavat_note_sent(op, bot_of(call), user_of(call), ctl_get_argument(call, 2));
}

static int tell_sent(ctl_session *session, const gavat_op *op)
{
    (void)op;
    ctl_tell_key(session->call, "message %s is the bot's own", ctl_get_argument(session->call, 2));
    return 0;
}

static void outgoing(gavat_op *op, const ctl_call *call)
{
    gavat_observe_outgoing(op, bot_of(call), user_of(call), ctl_get_argument(call, 2));
}

static int tell_whose(ctl_session *session, const gavat_op *op)
{
    bool person = gavat_op_number(op);
    const gavat_conversation *c = gavat_op_conversation(op, 0);
    int code = ctl_output_bare(session->call, "whose", person ? "person" : "own", person ? "\"person\"" : "\"own\"");
    if (person && !code)
        ctl_tell_key(session->call, "a person has written, the phase is %s", c ? c->phase : "");
    return code;
}

static void get_all(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_get_conversations(op, ctl_get_text(query, "bot"), limit, cursor);
}

static void get_due(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    gavat_get_due_conversations(op, ctl_get_text(query, "bot"), limit, cursor);
}

static int run_list(const ctl_call *call)
{
    return ctl_list(call, get_all, (void *)(uintptr_t)call);
}

static int run_due(const ctl_call *call)
{
    return ctl_list(call, get_due, (void *)(uintptr_t)call);
}

#define PAIR                                                                                                           \
    {.name = "BOT", .kind = CTL_TEXT, .help = "the bot's username, without colons"},                                   \
    {.name = "USER", .kind = CTL_TEXT, .help = "user id"}

static const ctl_option pair_arguments[] = {PAIR, {0}};

static const ctl_option apply_arguments[] = {
    PAIR,
    {.name = "TRANSITION", .kind = CTL_CHOICE, .choices = TRANSITIONS, .help = "what has happened, or pause, resume, reset"},
    {0},
};

static const ctl_option message_arguments[] = {
    PAIR,
    {.name = "MESSAGE_ID", .kind = CTL_TEXT, .help = "id of the message, any text"},
    {0},
};

static const ctl_option list_options[] = {
    {.name = "bot", .kind = CTL_WORD, .value = "BOT", .help = "only of this bot"},
    CTL_OPTION_LIMIT,
    CTL_OPTION_ALL,
    {0},
};

static const ctl_command commands[] = {
    {.name = "show",
     .summary = "Print the state of a conversation",
     .arguments = pair_arguments,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = ctl_run_op,
     .submit = show,
     .answer = show_one,
     .about = "As it is now; of those who have never talked, the initial one.",
     .examples = "gavatctl dm show mybot 42\ngavatctl dm show mybot 42 -o json"},
    {.name = "apply",
     .summary = "Apply a transition, and print the state after it",
     .arguments = apply_arguments,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = ctl_run_op,
     .submit = apply,
     .answer = show_one,
     .about = "pause stops automatic messages until resume, which also ends a person's turn; reset is as if they had "
              "never talked, also where what is stored is damaged.",
     .examples = "gavatctl dm apply mybot 42 user_responded\ngavatctl dm apply mybot 42 pause"},
    {.name = "permit",
     .summary = "Ask whether the bot may send now, and spend the permit",
     .arguments = pair_arguments,
     .columns = CTL_DECISION_COLUMNS,
     .run = ctl_run_op,
     .submit = permit,
     .answer = tell_decision,
     .about = "Cooldown, window, phase, pause and menu in one step. A permit is spent when it is given; exit code 1 when "
              "refused.",
     .examples = "gavatctl dm permit mybot 42 && send-message mybot 42"},
    {.name = "sent",
     .summary = "Register a message as the bot's own",
     .arguments = message_arguments,
     .run = ctl_run_op,
     .submit = sent,
     .answer = tell_sent,
     .about = "For a day, so that outgoing does not take it for a person's.",
     .examples = "gavatctl dm sent mybot 42 48151623"},
    {.name = "outgoing",
     .summary = "Say whether an outgoing message is the bot's own or a person's",
     .arguments = message_arguments,
     .columns = "whose",
     .run = ctl_run_op,
     .submit = outgoing,
     .answer = tell_whose,
     .about = "Prints own or person. A person's hands the conversation over to them, in the same step; the same id again "
              "changes nothing.",
     .examples = "gavatctl dm outgoing mybot 42 48151623"},
    {.name = "due",
     .summary = "List conversations whose follow-up is due, longest due first",
     .options = list_options,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = run_due,
     .examples = "gavatctl dm due --bot mybot"},
    {.name = "list",
     .summary = "List conversations, by bot and user",
     .options = list_options,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = run_list,
     .examples = "gavatctl dm list --bot mybot --all -o csv"},
    {0},
};

const ctl_group ctl_dm = {
    .name = "dm", .summary = "Conversations of bots and users: state, permits, follow-ups",
    .commands = commands, .stores = CTL_STATE};
