/* folder.h: a folder of profiles, and what lies in it, looked at without the library's store. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_FOLDER_H
#define GAVATCORE_TEST_FOLDER_H
#include "base/json.h"
#include <gavatcore.h>

/* A client on it alone, opened; most_ops: GAVAT_MAX_OPS. */
gavat *folder_open(const char *folder, const char *most_ops);
/* The file of this username; false: there is none. One that is no whole JSON fails the case. */
bool folder_read(const char *folder, const char *username, gv_text *text);
/* Every file is one of a profile, but for the lock and, unless all is at rest, the one that is being written. */
void folder_check(const char *folder, bool at_rest);
#endif
