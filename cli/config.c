#include "commands.h"
#include "output.h"
#include "session.h"
#include "tell.h"
#include <string.h>

static bool is_ignored(const char *record)
{
    ctl_slice ignored = ctl_json_member(record, "ignored");
    return ignored.length == 4 && memcmp(ignored.data, "true", 4) == 0;
}

static void add_member(ctl_buffer *out, const char *key, ctl_slice value)
{
    ctl_add_format(out, "%s\"%s\":", out->length ? "," : "{", key);
    ctl_add(out, value.length ? value.data : "null", value.length ? value.length : 4);
}

/* What the library calls "set" was an option of this call. */
static ctl_slice name_source(const char *record, ctl_buffer *memory)
{
    char source[16], key[32];
    gavat_json_copy(record, "source", source, sizeof source);
    gavat_json_copy(record, "key", key, sizeof key);
    for (const ctl_override *row = ctl_overrides; strcmp(source, "set") == 0 && row->option; row++) {
        if (strcmp(key, row->setting) != 0)
            continue;
        ctl_add_format(memory, "\"option --%s\"", row->option);
        return (ctl_slice){memory->data, memory->length};
    }
    return ctl_json_member(record, "source");
}

static bool is_default(const char *record)
{
    char source[16];
    gavat_json_copy(record, "source", source, sizeof source);
    return strcmp(source, "default") == 0;
}

static void show_setting(ctl_output *out, const char *record)
{
    ctl_buffer json = {0}, memory = {0};
    if (is_ignored(record))
        return;
    add_member(&json, "key", ctl_json_member(record, "key"));
    add_member(&json, "value", ctl_json_member(record, "value"));
    add_member(&json, "source", name_source(record, &memory));
    add_member(&json, "default", ctl_json_member(record, "default"));
    add_member(&json, "allowed", ctl_json_member(record, "allowed"));
    add_member(&json, "help", ctl_json_member(record, "help"));
    ctl_add_text(&json, "}");
    ctl_output_record(out, json.data, json.length);
    ctl_free(&json);
    ctl_free(&memory);
}

/* Only what was given somewhere. The value of a name that is not ours stays unseen: it may be another program's
 * secret. */
static void check_setting(ctl_output *out, const char *record)
{
    static const char good[] = "\"ok\"", ignored[] = "\"ignored\"";
    ctl_buffer json = {0}, memory = {0};
    bool other = is_ignored(record);
    if (!other && is_default(record))
        return;
    add_member(&json, "key", ctl_json_member(record, "key"));
    add_member(&json, "result", other ? (ctl_slice){ignored, sizeof ignored - 1} : (ctl_slice){good, sizeof good - 1});
    add_member(&json, "source", other ? ctl_json_member(record, "source") : name_source(record, &memory));
    if (other)
        ctl_add_text(&json, ",\"ignored\":true");
    ctl_add_text(&json, "}");
    ctl_output_record(out, json.data, json.length);
    ctl_free(&json);
    ctl_free(&memory);
}

static int print_settings(const ctl_call *call, void (*print)(ctl_output *out, const char *record), bool tell)
{
    ctl_session session;
    int code = ctl_session_start(&session, call, CTL_SETTINGS);
    if (!code) {
        gavat_op *op = ctl_session_op(&session);
        gavat_get_settings(op);
        code = ctl_session_wait(&session, op);
        if (!code) {
            ctl_output out;
            ctl_output_begin(&out, call, call->command->columns, call->command->shown);
            for (size_t i = 0; i < gavat_op_count(op); i++) {
                const char *record = gavat_op_json(op, i, NULL);
                if (record)
                    print(&out, record);
            }
            code = ctl_output_end(&out);
            if (!code && tell)
                ctl_note(call, "the settings are good; settings file: %s", session.file ? session.file : "none");
        }
        gavat_op_unref(op);
    }
    return ctl_session_end(&session, code);
}

static int run_show(const ctl_call *call)
{
    return print_settings(call, show_setting, false);
}

static int run_check(const ctl_call *call)
{
    return print_settings(call, check_setting, true);
}

static const ctl_command commands[] = {
    {.name = "show",
     .summary = "Print each setting, its value and where it came from",
     .columns = "key,value,source,default,allowed,help",
     .shown = "key,value,source",
     .run = run_show,
     .about = "Passwords are replaced by ***.",
     .examples = "gavatctl config show\ngavatctl config show -c staging.env -o json"},
    {.name = "check",
     .summary = "Check the settings, and list names that are not ours",
     .columns = "key,result,source",
     .run = run_check,
     .about = "Exit code 2 and the reason where a setting is wrong.",
     .examples = "gavatctl config check -c config_db.env"},
    {0},
};

const ctl_group ctl_config = {
    .name = "config", .summary = "Show and check the settings",
    .commands = commands, .stores = CTL_STORES};
