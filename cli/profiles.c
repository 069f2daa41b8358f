#include "profiles.h"
#include "page.h"
#include "tell.h"
#include <string.h>


/* What every write of one profile ends with: its new revision, told and, where -o asks for it, printed. */
static int finish_write(ctl_session *session, gavat_op *op, const char *name)
{
    int code = ctl_session_write(session, op, false);
    if (!code) {
        long long revision = gavat_op_number(op);
        ctl_buffer json = {0};
        ctl_note(session->call, "profile %s: revision %lld", name, revision);
        ctl_add_text(&json, "{\"username\":");
        ctl_add_json(&json, name, strlen(name));
        ctl_add_format(&json, ",\"revision\":%lld}", revision);
        code = ctl_output_result(session->call, "username,revision", json.data);
        ctl_free(&json);
    } else if (gavat_op_status(op) == GAVAT_ECONFLICT) {
        ctl_hint("nothing was changed: look at what is there with \"gavatctl profiles get %s\", then put it with the "
                 "revision that it shows",
                 name);
    }
    gavat_op_unref(op);
    return code;
}

static int run_put(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        const char *name = ctl_get_argument(call, 0), *json = ctl_get_argument(call, 1);
        gavat_op *op = ctl_session_op(&session);
        if (ctl_get_text(call, "if-revision"))
            gavat_put_profile_if_revision(op, name, json, ctl_get_integer(call, "if-revision", -1));
        else
            gavat_put_profile(op, name, json);
        code = finish_write(&session, op, name);
    }
    return ctl_session_end(&session, code);
}

static int run_delete(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_can_confirm(call);
    if (code)
        return code;
    code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        const char *name = ctl_get_argument(call, 0);
        code = ctl_confirm(call, "Delete the profile %s from %s?", name,
                           gavat_config_get(session.config, "MONGODB_URI"));
        if (!code) {
            gavat_op *op = ctl_session_op(&session);
            gavat_delete_profile(op, name);
            code = ctl_session_write(&session, op, false);
            if (!code)
                ctl_note(call, "profile %s: deleted", name);
            gavat_op_unref(op);
        }
    }
    return ctl_session_end(&session, code);
}

/* One value: a text without quotes, unless -o asks for JSON. */
static int print_value(const ctl_call *call, const char *json, const char *path)
{
    size_t length = 0;
    ctl_buffer text = {0};
    const char *value = gavat_json_find(json, path, &length);
    if (!value) {
        ctl_error("%s has no %s", ctl_get_argument(call, 0), path);
        ctl_hint("\"gavatctl profiles get %s\" shows what it has", ctl_get_argument(call, 0));
        return 1;
    }
    if (call->format_given && (call->format == CTL_ARRAY || call->format == CTL_LINES))
        ctl_add(&text, value, length);
    else
        ctl_json_plain(&text, (ctl_slice){value, length});
    ctl_add_text(&text, "\n");
    ctl_print(text.data, text.length);
    ctl_free(&text);
    return 0;
}

/* A row for each field of the document. */
static int print_fields(const ctl_call *call, const char *json, size_t length)
{
    ctl_output out;
    ctl_walk walk;
    ctl_slice key, value;
    ctl_buffer row = {0};
    ctl_output_begin(&out, call, "field,value", NULL);
    for (bool more = ctl_walk_begin(&walk, (ctl_slice){json, length}); more && ctl_walk_next(&walk, &key, &value);) {
        ctl_clear(&row);
        ctl_add_text(&row, "{\"field\":");
        ctl_add(&row, key.data, key.length);
        ctl_add_text(&row, ",\"value\":");
        ctl_add(&row, value.data, value.length);
        ctl_add_text(&row, "}");
        ctl_output_record(&out, row.data, row.length);
    }
    ctl_free(&row);
    return ctl_output_end(&out);
}

static int print_document(const ctl_call *call, const char *json, size_t length)
{
    ctl_buffer text = {0};
    if (call->format == CTL_TABLE)
        return print_fields(call, json, length);
    if (call->format == CTL_CSV)
        return ctl_output_one(call, CTL_PROFILE_COLUMNS, json);
    if (call->format == CTL_ARRAY)
        ctl_json_indent(&text, (ctl_slice){json, length}, 0);
    else
        ctl_add(&text, json, length);
    ctl_add_text(&text, "\n");
    ctl_print(text.data, text.length);
    ctl_free(&text);
    return 0;
}

static int run_get(const ctl_call *call)
{
    ctl_session session;
    const char *name = ctl_get_argument(call, 0), *path = ctl_get_argument(call, 1);
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        size_t length = 0;
        gavat_op *op = ctl_session_op(&session);
        gavat_get_profile(op, name);
        code = ctl_session_wait(&session, op);
        const char *json = code ? NULL : gavat_op_json(op, 0, &length);
        if (!code && !json)
            ctl_error("out of memory");
        if (!json)
            code = code ? code : 1;
        else
            code = path ? print_value(call, json, path) : print_document(call, json, length);
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

#define NAME {.name = "NAME", .kind = CTL_WORD, .help = "username, any text up to 100 characters"}

static const ctl_option name_argument[] = {NAME, {0}};

static const ctl_option put_arguments[] = {
    NAME,
    {.name = "JSON", .kind = CTL_JSON, .help = "the document, a JSON object; - reads stdin"},
    {0},
};

static const ctl_option put_options[] = {
    {.name = "if-revision",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = -1,
     .most = INT64_MAX,
     .help = "only if the stored revision is N; -1: only if there is none"},
    {0},
};

static const ctl_option get_arguments[] = {
    {.name = "NAME", .kind = CTL_WORD, .help = "username"},
    {.name = "PATH", .kind = CTL_WORD, .optional = true, .help = "only this part, such as gpt.models.0"},
    {0},
};

static const ctl_option import_arguments[] = {
    {.name = "FILE", .kind = CTL_FILE, .help = "JSON lines, each with its username; - reads stdin"},
    {0},
};

static const ctl_command commands[] = {
    {.name = "put",
     .summary = "Create a profile, or replace it as a whole",
     .arguments = put_arguments,
     .options = put_options,
     .columns = "username,revision",
     .run = run_put,
     .about = "created_at is kept; username, updated_at and revision are the library's. With --if-revision nothing is "
              "changed and the exit code is 1 when somebody else wrote in between.",
     .examples = "gavatctl profiles put bot1 '{\"type\": \"bot\", \"display_name\": \"Işık\", \"is_active\": true}'\n"
                 "gavatctl profiles put bot1 - < bot1.json\n"
                 "gavatctl profiles put bot1 '{\"type\": \"bot\"}' --if-revision 3"},
    {.name = "get",
     .summary = "Print a profile, or a part of it",
     .arguments = get_arguments,
     .columns = CTL_PROFILE_COLUMNS,
     .run = run_get,
     .about = "A part that is a text is printed bare; -o json prints it with quotes.",
     .examples = "gavatctl profiles get bot1 -o json\ngavatctl profiles get bot1 gpt.models.0"},
    {.name = "delete",
     .summary = "Delete a profile",
     .arguments = name_argument,
     .run = run_delete,
     .about = "Asks first; where there is no terminal to ask on it needs --yes.",
     .examples = "gavatctl profiles delete bot1\ngavatctl profiles delete bot1 --yes"},
    {.name = "import",
     .summary = "Put profiles out of JSON lines",
     .arguments = import_arguments,
     .options = ctl_import_options,
     .columns = "read,stored,rejected,rejects_file",
     .run = ctl_profiles_import,
     .about = "Profiles of the same name are replaced. What cannot be stored goes to FILE.rejects.jsonl (stdin: "
              "import.rejects.jsonl) with line number and reason, and the exit code is 4.",
     .examples = "gavatctl profiles import profiles.jsonl"},
    {0},
};

const ctl_group ctl_profiles = {
    .name = "profiles", .summary = "Keep bot and user profiles, JSON documents by username",
    .commands = commands, .stores = CTL_PROFILES};
