#include "commands.h"
#include "output.h"
#include "progress.h"
#include "session.h"
#include "tell.h"

static void show_progress(gavat_op *op, const gavat_progress *done, void *user)
{
    (void)op;
    ctl_progress_show(user, done->done, done->done, done->total);
}

/* That records would be rejected is what a plan is asked for: no fault of its own. */
static int print_plan(const ctl_call *call, const gavat_op *op)
{
    ctl_output out;
    const char *record, *why;
    size_t length;
    ctl_output_begin(&out, call, call->command->columns, call->command->shown);
    for (size_t i = 0; (record = gavat_op_json(op, i, &length)) != NULL; i++)
        ctl_output_record(&out, record, length);
    int code = ctl_output_end(&out);
    for (size_t i = 0; (why = gavat_op_rejected(op, i, NULL)) != NULL; i++)
        ctl_note(call, "would be rejected: %s", why);
    return code;
}

static int plan(ctl_session *session)
{
    const ctl_call *call = session->call;
    ctl_progress progress;
    gavat_migration migration = gavat_migration_init();
    migration.directory = ctl_get_argument(call, 0);
    migration.zone = ctl_get_text(call, "zone");
    migration.only = ctl_get_text(call, "only");
    ctl_progress_start(&progress, call, "read", "records");
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    gavat_plan_migration(op, &migration);
    int code = ctl_session_wait(session, op);
    ctl_progress_clear(&progress);
    if (!code) {
        code = print_plan(call, op);
        ctl_progress_end(&progress, (uint64_t)gavat_op_number(op), "; nothing was written");
    }
    gavat_op_unref(op);
    return code;
}

static int run_plan(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_SETTINGS);
    if (!code)
        code = plan(&session);
    return ctl_session_end(&session, code);
}

static const ctl_option directory[] = {
    {.name = "DIR", .kind = CTL_FILE, .help = "the folder that holds logs/, data/, dm_conversation_state.json, …"},
    {0},
};

static const ctl_option plan_options[] = {
    {.name = "zone", .kind = CTL_TEXT, .value = "ZONE", .help = "the zone of the times in the files, such as Europe/Istanbul (UTC)"},
    {.name = "only",
     .kind = CTL_TEXT,
     .value = "SOURCES",
     .help = "logs,analytics,characters,messages,profiles,personas,states,cooldowns,database (all)"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "plan",
     .summary = "what the files of the Python system hold; writes nothing",
     .about = "Reads every file as the migration would: how many records, where they would go, what is odd about them, what would be "
              "rejected and why.",
     .examples = "gavatctl migrate plan /srv/bots --zone Europe/Istanbul\n"
                 "gavatctl migrate plan . --only logs,profiles -o json\n",
     .arguments = directory,
     .options = plan_options,
     .columns = "source,table,kind,target,records,rejected,oddities",
     .run = run_plan},
    {0},
};

const ctl_group ctl_migrate = {"migrate", "from the files and databases of the Python system", commands, 0};
