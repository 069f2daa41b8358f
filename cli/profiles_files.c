/* profiles_files.c: profiles in, as JSON lines. */
#include "import.h"
#include "profiles.h"

int ctl_profiles_import(const ctl_call *call)
{
    static const ctl_import_kind kind = {.name = "profile", .noun = "profiles"};
    return ctl_import_run(call, &kind);
}
