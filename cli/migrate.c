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

/* The records alone: what the op names as rejected is told by each command in its own way. */
static int print_records(const ctl_call *call, const gavat_op *op)
{
    ctl_output out;
    const char *record;
    size_t length;
    ctl_output_begin(&out, call, call->command->columns, call->command->shown);
    for (size_t i = 0; (record = gavat_op_json(op, i, &length)) != NULL; i++)
        ctl_output_record(&out, record, length);
    return ctl_output_end(&out);
}

static int in_session(const ctl_call *call, ctl_depth depth, int (*work)(ctl_session *session))
{
    ctl_session session;
    int code = ctl_session_start(&session, call, depth);
    if (!code)
        code = work(&session);
    return ctl_session_end(&session, code);
}

static gavat_migration wish(const ctl_call *call)
{
    gavat_migration migration = gavat_migration_init();
    migration.directory = ctl_get_argument(call, 0);
    migration.zone = ctl_get_text(call, "zone");
    migration.only = ctl_get_text(call, "only");
    migration.backup = ctl_get_text(call, "backup");
    migration.rejects = ctl_get_text(call, "rejects");
    migration.resume = ctl_get_flag(call, "resume") ? 1 : 0;
    migration.dry_run = ctl_get_flag(call, "dry-run") ? 1 : 0;
    migration.max_errors = (uint32_t)ctl_get_integer(call, "max-errors", 0);
    return migration;
}

/* That records would be rejected is what a plan is asked for: no fault of its own. */
static int plan(ctl_session *session)
{
    const ctl_call *call = session->call;
    ctl_progress progress;
    const char *why;
    gavat_migration migration = wish(call);
    ctl_progress_start(&progress, call, "read", "records");
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    gavat_plan_migration(op, &migration);
    int code = ctl_session_wait(session, op);
    ctl_progress_clear(&progress);
    if (!code) {
        code = print_records(call, op);
        for (size_t i = 0; (why = gavat_op_rejected(op, i, NULL)) != NULL; i++)
            ctl_note(call, "would be rejected: %s", why);
        ctl_progress_end(&progress, (uint64_t)gavat_op_number(op), "; nothing was written");
    }
    gavat_op_unref(op);
    return code;
}

static int run_plan(const ctl_call *call)
{
    return in_session(call, CTL_SETTINGS, plan);
}

static int migrate(ctl_session *session)
{
    const ctl_call *call = session->call;
    ctl_progress progress;
    ctl_buffer more = {0};
    gavat_migration migration = wish(call);
    ctl_progress_start(&progress, call, "migrated", "records");
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    gavat_run_migration(op, &migration);
    int code = ctl_session_wait(session, op);
    ctl_progress_clear(&progress);
    if (!code) {
        code = ctl_session_print(session, op, NULL, false);
        ctl_add_format(&more, ", run %s", gavat_op_text(op, NULL));
        if (migration.rejects && code == 4)
            ctl_add_format(&more, "; the rejected ones are in %s", migration.rejects);
        ctl_progress_end(&progress, (uint64_t)gavat_op_number(op), more.data);
        ctl_free(&more);
    }
    gavat_op_unref(op);
    return code;
}

static int run_migration(const ctl_call *call)
{
    return ctl_get_flag(call, "dry-run") ? run_plan(call) : in_session(call, CTL_OPEN, migrate);
}

/* A fault that was found is the answer: exit 1. */
static int verify(ctl_session *session)
{
    const ctl_call *call = session->call;
    ctl_progress progress;
    const char *why;
    ctl_progress_start(&progress, call, "compared", "records");
    gavat_op *op = ctl_session_op(session);
    gavat_op_set_progress(op, show_progress, &progress);
    gavat_verify_migration(op, ctl_get_argument(call, 0));
    int code = ctl_session_wait(session, op);
    ctl_progress_clear(&progress);
    if (!code) {
        code = print_records(call, op);
        for (size_t i = 0; (why = gavat_op_rejected(op, i, NULL)) != NULL; i++)
            ctl_error("%s", why);
        if (!code && gavat_op_number(op)) {
            ctl_hint("%lld records are not as the files have them; `gavatctl migrate run DIR` brings in what is missing",
                     (long long)gavat_op_number(op));
            code = 1;
        }
    }
    gavat_op_unref(op);
    return code;
}

static int run_verify(const ctl_call *call)
{
    return in_session(call, CTL_OPEN, verify);
}

static int list(ctl_session *session)
{
    gavat_op *op = ctl_session_op(session);
    gavat_get_migrations(op);
    return ctl_session_show(session, op, NULL, false);
}

static int run_status(const ctl_call *call)
{
    return in_session(call, CTL_SETTINGS, list);
}

static const ctl_option directory[] = {
    {.name = "DIR", .kind = CTL_FILE, .help = "the folder that holds logs/, data/, dm_conversation_state.json, …"},
    {0},
};

static const ctl_option run_name[] = {
    {.name = "RUN", .optional = true, .kind = CTL_TEXT, .help = "a run's name, as `migrate status` says it (the last one)"},
    {0},
};

#define ZONE {.name = "zone", .kind = CTL_TEXT, .value = "ZONE", .help = "the zone of the times in the files, such as Europe/Istanbul (UTC)"}
#define ONLY                                                                                                                               \
    {.name = "only",                                                                                                                       \
     .kind = CTL_TEXT,                                                                                                                     \
     .value = "SOURCES",                                                                                                                   \
     .help = "logs,analytics,characters,messages,profiles,personas,states,cooldowns,database (all)"}

static const ctl_option plan_options[] = {ZONE, ONLY, {0}};

static const ctl_option run_options[] = {
    ZONE,
    ONLY,
    {.name = "dry-run", .kind = CTL_FLAG, .help = "the same report, nothing written"},
    {.name = "backup", .kind = CTL_FILE, .value = "DIR", .help = "a new folder for copies of what is replaced"},
    {.name = "resume", .kind = CTL_FLAG, .help = "go on with a run that was stopped or killed"},
    {.name = "max-errors", .kind = CTL_INTEGER, .value = "N", .least = 1, .most = UINT32_MAX, .help = "stop after N rejected records"},
    {.name = "rejects", .kind = CTL_FILE, .value = "FILE", .help = "write rejected records there, one JSON object a line"},
    {0},
};

/* The events are old: they are no lines of today's text logs, and those may be the files that are read. */
static const char *const without_text_log[] = {"GAVAT_TEXT_LOG_DIR", "", NULL};

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
    {.name = "run",
     .summary = "bring them into the stores that are configured",
     .about = "What it replaces is kept first. Stopped or killed it goes on with --resume, and adds nothing twice; a store that is away is "
              "waited for, for a minute.",
     .examples = "gavatctl migrate run /srv/bots --zone Europe/Istanbul --backup ./before --rejects rejects.jsonl\n"
                 "gavatctl migrate run /srv/bots --resume\n",
     .arguments = directory,
     .options = run_options,
     .columns = "source,table,kind,target,records,rejected,landed,present,oddities",
     .settings = without_text_log,
     .run = run_migration},
    {.name = "verify",
     .summary = "prove that every record of the files is in the stores",
     .about = "Reads the files of a run once more, and the stores; exit 1 where something is missing, differs, or is there twice.",
     .examples = "gavatctl migrate verify\ngavatctl migrate verify 20261125-050920-762478 -o json\n",
     .arguments = run_name,
     .columns = "source,table,records,equal,missing,different,extra,digest,stored",
     .run = run_verify},
    {.name = "status",
     .summary = "the runs so far",
     .examples = "gavatctl migrate status\ngavatctl migrate status -o json\n",
     .columns = "run,directory,state,began,ended,sources",
     .shown = "run,directory,state,began,ended",
     .run = run_status},
    {0},
};

const ctl_group ctl_migrate = {"migrate", "from the files and databases of the Python system", commands, CTL_STORES};
