#include "keys.h"

#define COLUMNS "user,key,value,expire_ms"
#define SHOWN "key,value,expire_ms"

static void set(gavat_op *op, const ctl_call *call)
{
    const char *user = ctl_user(call), *key = ctl_key(call), *value = ctl_get_argument(call, 2);
    int64_t expire_ms = ctl_get_duration(call, "expire");
    if (ctl_get_text(call, "if") || ctl_get_flag(call, "if-absent"))
        gavat_compare_and_set_state(op, user, key, ctl_get_text(call, "if"), value, expire_ms);
    else
        gavat_set_state(op, user, key, value, expire_ms);
}

static int tell_set(ctl_session *session, const gavat_op *op)
{
    const char *expire = ctl_get_text(session->call, "expire");
    (void)op;
    ctl_tell_key(session->call, "set%s%s", expire ? " for " : "", expire ? expire : "");
    return 0;
}

static int run_set(const ctl_call *call)
{
    if (ctl_get_text(call, "if") && ctl_get_flag(call, "if-absent"))
        return ctl_usage(call, "--if OLD wants a value to be there, --if-absent none: give one of them");
    return ctl_run_op(call);
}

static void get(gavat_op *op, const ctl_call *call)
{
    gavat_get_state(op, ctl_user(call), ctl_key(call));
}

/* The value as it is stored: what a script wants. The record where -o asks for one. */
static int show_value(ctl_session *session, const gavat_op *op)
{
    size_t length = 0;
    const char *value = gavat_op_text(op, &length);
    if (session->call->format_given)
        return ctl_session_print(session, op, NULL, true);
    ctl_print_line(value, length);
    return 0;
}

static void delete_it(gavat_op *op, const ctl_call *call)
{
    gavat_delete_state(op, ctl_user(call), ctl_key(call));
}

static int tell_deleted(ctl_session *session, const gavat_op *op)
{
    (void)op;
    ctl_tell_key(session->call, "deleted");
    return 0;
}

static void list(gavat_op *op, const ctl_call *call)
{
    gavat_list_state(op, ctl_user(call));
}

/* Asked with the number of keys that there are; 0: go on. */
static int confirm_clear(ctl_session *session)
{
    const ctl_call *call = session->call;
    const char *user = ctl_user(call);
    gavat_op *op = ctl_session_op(session);
    gavat_list_state(op, user);
    int code = ctl_session_wait(session, op);
    if (!code)
        code = ctl_confirm(call, "Delete %zu %s%s from %s?", gavat_op_count(op), user ? "keys of " : "global keys",
                           user ? user : "", gavat_config_get(session->config, "REDIS_URL"));
    gavat_op_unref(op);
    return code;
}

static int clear(ctl_session *session)
{
    char json[48];
    const ctl_call *call = session->call;
    gavat_op *op = ctl_session_op(session);
    gavat_clear_state(op, ctl_user(call));
    int code = ctl_session_wait(session, op);
    if (!code) {
        long long count = gavat_op_number(op);
        ctl_note(call, "deleted %lld key%s", count, count == 1 ? "" : "s");
        snprintf(json, sizeof json, "{\"deleted\":%lld}", count);
        code = ctl_output_result(call, "deleted", json);
    }
    gavat_op_unref(op);
    return code;
}

static int run_clear(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_can_confirm(call);
    if (code)
        return code;
    code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code && !call->yes)
        code = confirm_clear(&session);
    if (!code)
        code = clear(&session);
    return ctl_session_end(&session, code);
}

#define KEY {.name = "KEY", .kind = CTL_TEXT, .help = "name of the key, without colons"}

static const ctl_option owner_arguments[] = {CTL_ARGUMENT_OWNER, {0}};
static const ctl_option key_arguments[] = {CTL_ARGUMENT_OWNER, KEY, {0}};

static const ctl_option set_arguments[] = {
    CTL_ARGUMENT_OWNER,
    KEY,
    {.name = "VALUE", .kind = CTL_TEXT, .help = "any text, kept as it is; - reads it from stdin"},
    {0},
};

static const ctl_option set_options[] = {
    CTL_OPTION_GLOBAL,
    CTL_OPTION_EXPIRE("how long it lives (for ever)"),
    {.name = "if", .kind = CTL_WORD, .value = "OLD", .help = "only where the value is OLD"},
    {.name = "if-absent", .kind = CTL_FLAG, .help = "only where there is none"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "set",
     .summary = "Store a value under a key",
     .arguments = set_arguments,
     .options = set_options,
     .run = run_set,
     .submit = set,
     .answer = tell_set,
     .about = "What was there is replaced, its expiry too. With --if or --if-absent it is one step, and where "
              "something else is there nothing is changed and the exit code is 1.",
     .examples = "gavatctl state set 42 lang tr\ngavatctl state set 42 menu '{\"step\": 2}' --expire 1h\n"
                 "gavatctl state set 42 lang en --if tr\ngavatctl state set --global paused yes"},
    {.name = "get",
     .summary = "Print the value of a key",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = ctl_run_op,
     .submit = get,
     .answer = show_value,
     .about = "The value alone, as it is stored; -o prints the record, with how long it has left to live.",
     .examples = "gavatctl state get 42 lang\ngavatctl state get 42 menu -o json"},
    {.name = "delete",
     .summary = "Delete a key",
     .arguments = key_arguments,
     .options = ctl_global_option,
     .run = ctl_run_op,
     .submit = delete_it,
     .answer = tell_deleted,
     .examples = "gavatctl state delete 42 lang"},
    {.name = "list",
     .summary = "List the keys of exactly one user",
     .arguments = owner_arguments,
     .options = ctl_global_option,
     .columns = COLUMNS,
     .shown = SHOWN,
     .run = ctl_run_op,
     .submit = list,
     .answer = ctl_answer_records,
     .about = "Cooldowns, counters, lists and limits are among them.",
     .examples = "gavatctl state list 42\ngavatctl state list --global"},
    {.name = "clear",
     .summary = "Delete all keys of exactly one user",
     .arguments = owner_arguments,
     .options = ctl_global_option,
     .columns = "deleted",
     .run = run_clear,
     .about = "Cooldowns, counters, lists and limits are among them. Asks first; --yes does not.",
     .examples = "gavatctl state clear 42\ngavatctl state clear 42 --yes"},
    {0},
};

const ctl_group ctl_state = {
    .name = "state", .summary = "Set, get, list and delete keys of users",
    .commands = commands, .stores = CTL_STATE};
