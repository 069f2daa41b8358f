/* commands.h: the groups, one line each; the order is that of the help. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H
#include "options.h"

extern const ctl_group ctl_init, ctl_doctor, ctl_events, ctl_textlog, ctl_sales, ctl_messages, ctl_sessions, ctl_profiles, ctl_state,
    ctl_cooldown, ctl_counter, ctl_list_group, ctl_limit, ctl_dm, ctl_migrate, ctl_export_group, ctl_import_group,
    ctl_schema, ctl_spool, ctl_bench, ctl_config, ctl_completion, ctl_help;

/* Rows that several files share or fill in. */
extern const ctl_option ctl_import_arguments[], ctl_import_options[], ctl_export_arguments[];
int ctl_run_prune(const ctl_call *call);
extern const ctl_option ctl_prune_options[];

/* The options of every list. */
#define CTL_OPTION_SINCE {.name = "since", .kind = CTL_TIME, .value = "TIME", .help = "not older than TIME"}
#define CTL_OPTION_UNTIL {.name = "until", .kind = CTL_TIME, .value = "TIME", .help = "older than TIME"}
#define CTL_OPTION_LIMIT                                                                                               \
    {.name = "limit",                                                                                                  \
     .kind = CTL_INTEGER,                                                                                              \
     .value = "N",                                                                                                     \
     .least = 1,                                                                                                       \
     .most = INT64_C(1000000000),                                                                                      \
     .help = "at most N records (100)"}
#define CTL_OPTION_ALL {.name = "all", .kind = CTL_FLAG, .help = "every record, however many there are"}
#define CTL_OPTION_USER {.name = "user", .kind = CTL_WORD, .value = "USER", .help = "only of this user id"}
#endif
