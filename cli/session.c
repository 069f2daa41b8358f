#include "session.h"
#include "buffer.h"
#include "output.h"
#include "stop.h"
#include "tell.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Closing waits for work that is under way; by then a command has its answers. */
#define CLOSE_MS 5000

/* The first settings file that exists; NULL: none. */
static char *find_file(const ctl_call *call)
{
    const char *given = ctl_get_text(call, "config"), *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    ctl_buffer path = {0};
    if (given) {
        ctl_add_text(&path, given);
        return path.data;
    }
    ctl_add_text(&path, "./config_db.env");
    if (access(path.data, F_OK) == 0)
        return path.data;
    ctl_clear(&path);
    if (base && *base == '/')
        ctl_add_format(&path, "%s/gavatcore/config.env", base);
    else if (home && *home)
        ctl_add_format(&path, "%s/.config/gavatcore/config.env", home);
    if (path.length && access(path.data, F_OK) == 0)
        return path.data;
    ctl_clear(&path);
    ctl_add_text(&path, "/etc/gavatcore/config.env");
    if (access(path.data, F_OK) == 0)
        return path.data;
    ctl_free(&path);
    return NULL;
}

const ctl_override ctl_overrides[] = {
    {"events", "POSTGRES_URL", CTL_EVENTS},
    {"profiles", "MONGODB_URI", CTL_PROFILES},
    {"state", "REDIS_URL", CTL_STATE},
    {"timeout", "GAVAT_TIMEOUT", 0},
    {0},
};

static gavat_status set_options(const ctl_session *session)
{
    unsigned stores = session->call->group->stores;
    gavat_status status = GAVAT_OK;
    for (const ctl_override *row = ctl_overrides; row->option && status == GAVAT_OK; row++) {
        const char *text = ctl_get_text(session->call, row->option);
        ctl_buffer duration = {0};
        if (text && !row->store) {
            ctl_add_format(&duration, "%lldms", (long long)ctl_get_duration(session->call, row->option));
            text = duration.data;
        }
        if (row->store && !(row->store & stores))
            text = "off";
        if (text)
            status = gavat_config_set(session->config, row->setting, text);
        ctl_free(&duration);
    }
    return status;
}

static gavat_status set_pairs(const ctl_session *session, const char *const *pairs)
{
    gavat_status status = GAVAT_OK;
    for (; pairs && *pairs && status == GAVAT_OK; pairs += 2)
        status = gavat_config_set(session->config, pairs[0], pairs[1]);
    return status;
}

/* The file first: a later call replaces an earlier one. */
static gavat_status load(ctl_session *session)
{
    gavat_status status = GAVAT_OK;
    session->file = find_file(session->call);
    if (session->file)
        status = gavat_config_load_file(session->config, session->file);
    if (status == GAVAT_OK)
        status = gavat_config_load_env(session->config);
    if (status == GAVAT_OK)
        status = set_options(session);
    if (status == GAVAT_OK)
        status = set_pairs(session, session->call->command->settings);
    return status == GAVAT_OK ? set_pairs(session, session->changes) : status;
}

/* An error reaches the person through the op that it ended: log lines are for --verbose. */
static void tell_log(int32_t level, const char *area, const char *text, void *user)
{
    const ctl_call *call = user;
    (void)level;
    if (call->verbose)
        ctl_note(call, "%s: %s", area && *area ? area : "library", text);
}

static int start_client(ctl_session *session)
{
    session->config = gavat_config_new();
    gavat_status status = load(session);
    if (status == GAVAT_OK)
        status = gavat_new(&session->client, NULL, session->config);
    if (status != GAVAT_OK) {
        const char *why = gavat_config_error(session->config);
        ctl_error("%s", why && *why ? why : gavat_status_name(status));
        if (strcmp(session->call->group->name, "config") != 0)
            ctl_hint("\"gavatctl config check\" checks the settings, \"gavatctl config show\" lists them");
        return status == GAVAT_ENOMEM ? 1 : 2;
    }
    gavat_set_log(session->client, session->call->verbose ? GAVAT_LOG_INFO : GAVAT_LOG_ERROR, tell_log,
                  (void *)(uintptr_t)session->call);
    return 0;
}

static int start(ctl_session *session, ctl_depth depth)
{
    const ctl_call *call = session->call;
    int code = start_client(session);
    if (code || depth == CTL_SETTINGS)
        return code;
    int64_t from = ctl_ticks();
    if (call->verbose && session->file)
        ctl_note(call, "settings: %s", session->file);
    gavat_op *op = session->opened = ctl_session_op(session);
    gavat_open(op);
    if (depth == CTL_OPEN) {
        code = ctl_session_wait(session, op);
    } else {
        ctl_stop_watch(op);
        gavat_op_wait(op);
        ctl_stop_watch(NULL);
        code = ctl_stopped() ? 130 : 0;
    }
    if (!code && call->verbose)
        ctl_note(call, "opened in %lld ms: %s", (long long)((ctl_ticks() - from) / 1000), gavat_op_text(op, NULL));
    return code;
}

int ctl_session_start(ctl_session *session, const ctl_call *call, ctl_depth depth)
{
    *session = (ctl_session){.call = call};
    return start(session, depth);
}

int ctl_session_beside(ctl_session *session, const ctl_call *call, const char *const *changes)
{
    *session = (ctl_session){.call = call, .changes = changes};
    return start(session, CTL_OPEN);
}

int ctl_session_end(ctl_session *session, int code)
{
    gavat_op_unref(session->opened);
    if (session->client) {
        gavat_close_wait(session->client, CLOSE_MS);
        gavat_unref(session->client);
    }
    gavat_config_free(session->config);
    free(session->file);
    return ctl_stopped() ? 130 : code;
}

gavat_op *ctl_session_op(ctl_session *session)
{
    return gavat_op_new_held(session->client);
}

int ctl_session_wait(ctl_session *session, gavat_op *op)
{
    ctl_stop_watch(op);
    gavat_status status = gavat_op_wait(op);
    ctl_stop_watch(NULL);
    return status == GAVAT_OK ? 0 : ctl_fail(session->call, gavat_op_error(op));
}

int ctl_run_op(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        call->command->submit(op, call);
        code = ctl_session_wait(&session, op);
        if (!code && call->command->answer)
            code = call->command->answer(&session, op);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

int ctl_session_print(ctl_session *session, const gavat_op *op, const char *columns, bool single)
{
    const ctl_command *command = session->call->command;
    ctl_output out;
    ctl_output_begin(&out, session->call, columns ? columns : command->columns, columns ? NULL : command->shown);
    out.single = single && gavat_op_count(op) == 1;
    ctl_output_op(&out, op);
    if (!out.count && !out.skipped && out.format == CTL_TABLE)
        ctl_note(session->call, "no records");
    return ctl_output_end(&out);
}

int ctl_session_show(ctl_session *session, gavat_op *op, const char *columns, bool single)
{
    int code = ctl_session_wait(session, op);
    if (!code)
        code = ctl_session_print(session, op, columns, single);
    gavat_op_unref(op);
    return code;
}

int ctl_session_write(ctl_session *session, gavat_op *op, bool print)
{
    int code = ctl_session_wait(session, op);
    const char *uid = print ? gavat_op_uid(op) : NULL;
    if (code && uid && *uid && gavat_op_error(op)->flags & GAVAT_ERROR_MAYBE_APPLIED)
        ctl_hint("the same command with --uid %s is stored once, however often it is sent", uid);
    if (code)
        return code;
    if (gavat_op_reached(op) == GAVAT_REACHED_LOCAL)
        ctl_note(session->call, "the store is away: kept on this machine's disk, and forwarded when it is back");
    return uid && *uid ? ctl_output_uid(session->call, uid) : 0;
}
