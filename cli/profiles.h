/* profiles.h: what the files of the group profiles share. */
#ifndef CTL_PROFILES_H
#define CTL_PROFILES_H
#include "commands.h"

#define CTL_PROFILE_COLUMNS "username,type,display_name,is_active,autospam,user_id,revision,updated_at"

int ctl_profiles_import(const ctl_call *call);
#endif
