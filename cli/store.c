#include "commands.h"
#include "output.h"
#include "session.h"
#include "tell.h"

static void show_state(ctl_output *out, const char *record)
{
    ctl_slice store = ctl_json_member(record, "store");
    ctl_slice version = ctl_json_member(record, "version");
    ctl_slice state = ctl_json_member(record, "state");
    ctl_buffer json = {0};
    if (!store.length || !state.length)
        return;
    ctl_add_text(&json, "{\"store\":");
    ctl_add(&json, store.data, store.length);
    ctl_add_text(&json, ",\"step\":\"schema ");
    ctl_add(&json, version.data, version.length);
    ctl_add_text(&json, "\",\"result\":");
    ctl_add(&json, state.data, state.length);
    ctl_add_text(&json, "}");
    ctl_output_record(out, json.data, json.length);
    ctl_free(&json);
}

/* The steps that were taken, by opening too, which makes an embedded store; where there were none, before tells how the stores are. */
static int show_steps(const ctl_call *call, const gavat_op *opened, const gavat_op *op, const gavat_op *before)
{
    ctl_output out;
    ctl_output_begin(&out, call, call->command->columns, NULL);
    ctl_output_op(&out, opened);
    ctl_output_op(&out, op);
    bool quiet = out.count == 0;
    for (size_t i = 0; quiet && i < gavat_op_count(before); i++) {
        const char *record = gavat_op_json(before, i, NULL);
        if (record)
            show_state(&out, record);
    }
    if (!out.count)
        ctl_note(call, "nothing to do: every store is up to date");
    return ctl_output_end(&out);
}

/* Create or upgrade; each step is a record. */
static int upgrade(const ctl_call *call, bool dry, bool init)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_TRY);
    if (!code) {
        gavat_op *before = ctl_session_op(&session), *op = ctl_session_op(&session);
        if (init) {
            gavat_get_schema(before);
            code = ctl_session_wait(&session, before);
        }
        if (!code) {
            gavat_upgrade_schema(op, dry);
            code = ctl_session_wait(&session, op);
        }
        if (!code)
            code = show_steps(call, session.opened, op, before);
        gavat_op_unref(before);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_init(const ctl_call *call)
{
    return upgrade(call, false, true);
}

static int run_upgrade(const ctl_call *call)
{
    return upgrade(call, ctl_get_flag(call, "dry-run"), false);
}

static int run_status(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_TRY);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_schema(op);
        code = ctl_session_show(&session, op, NULL, false);
    }
    return ctl_session_end(&session, code);
}

static int run_sql(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_SETTINGS);
    if (!code) {
        size_t length = 0;
        gavat_op *op = ctl_session_op(&session);
        gavat_get_schema_sql(op);
        code = ctl_session_wait(&session, op);
        const char *text = code ? "" : gavat_op_text(op, &length);
        ctl_print(text, length);
        if (length && text[length - 1] != '\n')
            ctl_print("\n", 1);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_doctor(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_TRY);
    if (!code) {
        gavat_op *op = gavat_op_ref(ctl_session_op(&session));
        gavat_check_stores(op);
        code = ctl_session_show(&session, op, NULL, false);
        int64_t faults = code ? 0 : gavat_op_number(op);
        if (faults) {
            ctl_error("%lld check%s failed: the advice beside %s says what to do", (long long)faults,
                      faults == 1 ? "" : "s", faults == 1 ? "it" : "them");
            code = 1;
        }
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static const ctl_option upgrade_options[] = {
    {.name = "dry-run", .kind = CTL_FLAG, .help = "say what would be done, change nothing"},
    {0},
};

static const ctl_command init_commands[] = {
    {.name = "",
     .summary = "Create or upgrade what each configured store needs",
     .columns = "store,step,result",
     .run = run_init,
     .about = "Says what it did; a second time there is nothing left to do.",
     .examples = "gavatctl init"},
    {0},
};

static const ctl_command doctor_commands[] = {
    {.name = "",
     .summary = "Check settings and stores, and say what to do",
     .columns = "store,check,result,figure,advice",
     .run = run_doctor,
     .about = "Exit code 1 where something is wrong.",
     .examples = "gavatctl doctor\ngavatctl doctor -o json --timeout 2s"},
    {0},
};

static const ctl_command schema_commands[] = {
    {.name = "status",
     .summary = "Show the version of each store's schema",
     .columns = "store,version,wanted,state,steps",
     .run = run_status,
     .examples = "gavatctl schema status"},
    {.name = "upgrade",
     .summary = "Bring each store's schema up to date",
     .options = upgrade_options,
     .columns = "store,step,result",
     .run = run_upgrade,
     .examples = "gavatctl schema upgrade --dry-run\ngavatctl schema upgrade"},
    {.name = "sql",
     .summary = "Print the statements that create the events store",
     .run = run_sql,
     .examples = "gavatctl schema sql > schema.sql"},
    {0},
};

const ctl_group ctl_init = {
    .name = "init", .summary = "Create or upgrade what each configured store needs",
    .commands = init_commands, .stores = CTL_STORES};
const ctl_group ctl_doctor = {
    .name = "doctor", .summary = "Check settings and stores, and say what to do",
    .commands = doctor_commands, .stores = CTL_STORES};
const ctl_group ctl_schema = {
    .name = "schema", .summary = "Show and upgrade the schemas of the stores",
    .commands = schema_commands, .stores = CTL_STORES};
