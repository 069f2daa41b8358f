/* profiles.h: what the files of the group profiles share. */
#ifndef CTL_PROFILES_H
#define CTL_PROFILES_H
#include "commands.h"

#define CTL_PROFILE_COLUMNS "username,type,display_name,is_active,autospam,user_id,revision,updated_at"

typedef struct ctl_profile_query {
    gavat_profile_filter filter;
    const char *keyword; /* NULL: not a search */
} ctl_profile_query;

/* Out of the options --type --active --autospam --where; its pages, for ctl_pager. */
ctl_profile_query ctl_make_profile_query(const ctl_call *call);
void ctl_get_profile_page(gavat_op *op, void *query, uint32_t limit, const char *cursor);

int ctl_profiles_import(const ctl_call *call);
int ctl_profiles_export(const ctl_call *call);
int ctl_profiles_watch(const ctl_call *call);
#endif
