#include "profiles.h"
#include "page.h"
#include "tell.h"
#include <string.h>

#define SHOWN "username,type,display_name,is_active,autospam,revision,updated_at"

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

/* {"PATH":VALUE,…}: a value that is JSON as it stands, any other as a text. */
static void add_pairs(ctl_buffer *out, const ctl_call *call)
{
    for (size_t i = 1; i + 1 < call->argument_count; i += 2) {
        const char *path = call->arguments[i], *value = call->arguments[i + 1];
        size_t length = strlen(value);
        ctl_add_text(out, i == 1 ? "{" : ",");
        ctl_add_json(out, path, strlen(path));
        ctl_add_text(out, ":");
        if (ctl_json_valid((ctl_slice){value, length}))
            ctl_add(out, value, length);
        else
            ctl_add_json(out, value, length);
    }
    ctl_add_text(out, "}");
}

static int patch(const ctl_call *call, const char *set, size_t unset_count)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        const char *name = ctl_get_argument(call, 0);
        gavat_op *op = ctl_session_op(&session);
        gavat_patch_profile(op, name, set, unset_count ? call->arguments + 1 : NULL, unset_count);
        code = finish_write(&session, op, name);
    }
    return ctl_session_end(&session, code);
}

static int run_set(const ctl_call *call)
{
    ctl_buffer set = {0};
    add_pairs(&set, call);
    int code = patch(call, set.data, 0);
    ctl_free(&set);
    return code;
}

static int run_unset(const ctl_call *call)
{
    return patch(call, NULL, call->argument_count - 1);
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
    const char *id = ctl_get_text(call, "user-id");
    if (!name == !id)
        return ctl_usage(call, id ? "--user-id stands in place of NAME" : "NAME or --user-id is missing");
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        size_t length = 0;
        gavat_op *op = ctl_session_op(&session);
        if (id)
            gavat_get_profile_by_user_id(op, id);
        else
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

void ctl_get_profile_page(gavat_op *op, void *query, uint32_t limit, const char *cursor)
{
    ctl_profile_query *q = query;
    q->filter.limit = limit;
    q->filter.cursor = cursor;
    if (q->keyword)
        gavat_search_profiles(op, q->keyword, &q->filter);
    else
        gavat_get_profiles(op, &q->filter);
}

ctl_profile_query ctl_make_profile_query(const ctl_call *call)
{
    ctl_profile_query query = {gavat_profile_filter_init(), NULL};
    query.filter.type = ctl_get_text(call, "type");
    query.filter.is_active = ctl_get_switch(call, "active");
    query.filter.autospam = ctl_get_switch(call, "autospam");
    query.filter.where = ctl_get_text(call, "where");
    return query;
}

static int run_list(const ctl_call *call)
{
    ctl_profile_query query = ctl_make_profile_query(call);
    query.keyword = ctl_get_argument(call, 0);
    return ctl_list(call, ctl_get_profile_page, &query);
}

static int run_stats(const ctl_call *call)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_OPEN);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_profile_stats(op);
        code = ctl_session_show(&session, op, NULL, false);
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
    {.name = "NAME", .kind = CTL_WORD, .optional = true, .help = "username"},
    {.name = "PATH", .kind = CTL_WORD, .optional = true, .help = "only this part, such as gpt.models.0"},
    {0},
};

static const ctl_option get_options[] = {
    {.name = "user-id", .kind = CTL_WORD, .value = "ID", .help = "the profile with this user_id, in place of NAME"},
    {0},
};

static const ctl_option set_arguments[] = {
    NAME,
    {.name = "PATH", .repeats = true, .kind = CTL_WORD, .help = "what to set, such as reply_mode or gpt.temperature"},
    {.name = "VALUE",
     .repeats = true,
     .kind = CTL_TEXT,
     .help = "JSON such as 0.7, true, null, '\"42\"', '[1, 2]'; what is no JSON is a text; - reads stdin"},
    {0},
};

static const ctl_option unset_arguments[] = {
    NAME,
    {.name = "PATH", .repeats = true, .kind = CTL_WORD, .help = "what to take out, such as gpt.temperature"},
    {0},
};

#define FILTERS                                                                                                        \
    {.name = "type", .kind = CTL_WORD, .value = "TYPE", .help = "only of this type"},                                  \
    {.name = "active", .kind = CTL_SWITCH, .help = "only where is_active is true; =no: where it is not"},              \
    {.name = "autospam", .kind = CTL_SWITCH, .help = "only where autospam is true; =no: where it is not"},             \
    {.name = "where",                                                                                                  \
        .kind = CTL_JSON,                                                                                              \
        .value = "JSON",                                                                                               \
        .help = "only where fields have these values, or keep to = != < <= > >="}

static const ctl_option list_options[] = {FILTERS, CTL_OPTION_LIMIT, CTL_OPTION_ALL, {0}};
static const ctl_option export_options[] = {FILTERS, {0}};

static const ctl_option import_arguments[] = {
    {.name = "DIR|FILE", .kind = CTL_FILE, .help = "a folder of NAME.json files, or JSON lines; - reads stdin"},
    {0},
};

static const ctl_option export_arguments[] = {
    {.name = "DIR|-", .kind = CTL_FILE, .help = "a new folder, for NAME.json files; - writes JSON lines to stdout"},
    {0},
};

static const ctl_option watch_options[] = {
    {.name = "from", .kind = CTL_WORD, .value = "TOKEN", .help = "go on behind this token of an earlier watch (from now)"},
    {.name = "limit",
     .kind = CTL_INTEGER,
     .value = "N",
     .least = 1,
     .most = INT64_C(1000000000),
     .help = "end after N changes"},
    {0},
};

static const ctl_option search_arguments[] = {
    {.name = "TEXT",
     .kind = CTL_TEXT,
     .help = "a part of the username, display_name or telegram_handle; case and accents do not count"},
    {0},
};

/* What goes in or out whole is what is stored. */
static const char *const no_defaults[] = {"GAVAT_PROFILE_DEFAULTS", "", NULL};

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
     .options = get_options,
     .columns = CTL_PROFILE_COLUMNS,
     .run = run_get,
     .about = "A part that is a text is printed bare; -o json prints it with quotes.",
     .examples = "gavatctl profiles get bot1 -o json\ngavatctl profiles get bot1 gpt.models.0\n"
                 "gavatctl profiles get --user-id 5019"},
    {.name = "set",
     .summary = "Change parts of a profile, all of them or none",
     .arguments = set_arguments,
     .columns = "username,revision",
     .run = run_set,
     .about = "The rest of the document stays as it is. A VALUE that reads as JSON is taken as JSON, so 42 is a number "
              "and '\"42\"' a text; any other is a text.",
     .examples = "gavatctl profiles set bot1 reply_mode manual gpt.temperature 0.7\n"
                 "gavatctl profiles set bot1 engaging_messages '[\"Selam\", \"Nasılsın?\"]'"},
    {.name = "unset",
     .summary = "Take parts out of a profile, all of them or none",
     .arguments = unset_arguments,
     .columns = "username,revision",
     .run = run_unset,
     .examples = "gavatctl profiles unset bot1 gpt.temperature phone"},
    {.name = "delete",
     .summary = "Delete a profile",
     .arguments = name_argument,
     .run = run_delete,
     .about = "Asks first; where there is no terminal to ask on it needs --yes.",
     .examples = "gavatctl profiles delete bot1\ngavatctl profiles delete bot1 --yes"},
    {.name = "list",
     .summary = "List profiles by username",
     .options = list_options,
     .columns = CTL_PROFILE_COLUMNS,
     .shown = SHOWN,
     .run = run_list,
     .about = "Documents that cannot be read are named on stderr and left out, and the exit code is 4.",
     .examples = "gavatctl profiles list --type bot --active\n"
                 "gavatctl profiles list --autospam=no --where '{\"reply_mode\": \"manual\"}'\n"
                 "gavatctl profiles list --where '{\"gpt.temperature\": {\">=\": 0.5, \"<\": 1}}' --all -o csv"},
    {.name = "search",
     .summary = "List profiles whose name contains a text",
     .arguments = search_arguments,
     .options = list_options,
     .columns = CTL_PROFILE_COLUMNS,
     .shown = SHOWN,
     .run = run_list,
     .examples = "gavatctl profiles search isik\ngavatctl profiles search @bot --active"},
    {.name = "stats",
     .summary = "Count profiles by type",
     .columns = "type,count,active,autospam",
     .run = run_stats,
     .examples = "gavatctl profiles stats"},
    {.name = "watch",
     .summary = "Print each change as a line of JSON until Ctrl-C",
     .options = watch_options,
     .columns = "username,change,revision,token,profile",
     .run = ctl_profiles_watch,
     .about = "A line has the username, the change (put or delete), the revision, a token and the profile; several "
              "changes of one profile in a row may come as one. --from goes on behind the token of an earlier line. "
              "Where the store does not know it any more (with files: one of another run) a line with the change reset "
              "comes first, then every profile as it is, so that nothing is missed.",
     .examples = "gavatctl profiles watch\ngavatctl profiles watch --from TOKEN --limit 100"},
    {.name = "import",
     .summary = "Put profiles out of a folder, or out of JSON lines",
     .arguments = import_arguments,
     .options = ctl_import_options,
     .columns = "read,stored,rejected,rejects_file",
     .settings = no_defaults,
     .run = ctl_profiles_import,
     .about = "In a folder the name of a file is the username; a line names its own. Profiles of the same name are "
              "replaced. What cannot be stored goes to DIR.rejects.jsonl or FILE.rejects.jsonl (stdin: "
              "import.rejects.jsonl) with its reason, and the exit code is 4.",
     .examples = "gavatctl profiles import data/profiles\ngavatctl profiles export - | gavatctl --profiles "
                 "file://copy profiles import -"},
    {.name = "export",
     .summary = "Write profiles to a new folder, or as JSON lines to stdout",
     .arguments = export_arguments,
     .options = export_options,
     .columns = CTL_PROFILE_COLUMNS,
     .settings = no_defaults,
     .run = ctl_profiles_export,
     .about = "The folder appears under its name only when it is complete, and is a profile store itself, as the "
              "Python system keeps it. To stdout goes JSON lines unless -o says csv or json.",
     .examples = "gavatctl profiles export backup/profiles\ngavatctl profiles export - --type bot | gzip > "
                 "bots.jsonl.gz"},
    {0},
};

const ctl_group ctl_profiles = {
    .name = "profiles", .summary = "Keep bot and user profiles, JSON documents by username",
    .commands = commands, .stores = CTL_PROFILES};
