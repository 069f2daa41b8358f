#include "commands.h"

const ctl_group *const ctl_groups[] = {
    &ctl_init,  &ctl_doctor,   &ctl_events,  &ctl_textlog,    &ctl_sales, &ctl_messages, &ctl_sessions,   &ctl_profiles,
    &ctl_state, &ctl_cooldown, &ctl_counter, &ctl_list_group, &ctl_limit, &ctl_dm,       &ctl_migrate, &ctl_export_group, &ctl_import_group, &ctl_schema,     &ctl_spool, &ctl_bench,
    &ctl_config, &ctl_completion, &ctl_help, NULL,
};

const ctl_option ctl_common[] = {
    {.name = "config", .letter = 'c', .kind = CTL_FILE, .value = "FILE", .help = "settings file of KEY=VALUE lines"},
    {.name = "events", .kind = CTL_WORD, .value = "URL", .help = "the events store for this call"},
    {.name = "profiles", .kind = CTL_WORD, .value = "URL", .help = "the profiles store for this call"},
    {.name = "state", .kind = CTL_WORD, .value = "URL", .help = "the state store for this call"},
    {.name = "output",
     .letter = 'o',
     .kind = CTL_CHOICE,
     .value = "FORMAT",
     .choices = "table|json|jsonl|csv",
     .help = "table, json, jsonl or csv (a terminal: table, else jsonl)"},
    {.name = "timeout", .kind = CTL_DURATION, .value = "DURATION", .help = "time for each store operation (10s)"},
    {.name = "quiet", .letter = 'q', .kind = CTL_FLAG, .help = "errors only on stderr"},
    {.name = "verbose", .letter = 'v', .kind = CTL_FLAG, .help = "also what the library logs"},
    {.name = "yes", .letter = 'y', .kind = CTL_FLAG, .help = "do not ask before a destructive command"},
    {.name = "no-color", .kind = CTL_FLAG, .help = "no colour on a terminal (also NO_COLOR)"},
    {.name = "help", .letter = 'h', .kind = CTL_FLAG, .help = "this help"},
    {.name = "version", .letter = 'V', .kind = CTL_FLAG, .help = "the version"},
    {0},
};
