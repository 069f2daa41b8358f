/* plain.h: a store looked at by plain SQLite on the system's own files, without the library. What fails, fails the case. */
#ifndef GAVATCORE_TEST_PLAIN_H
#define GAVATCORE_TEST_PLAIN_H
#include <sqlite3.h>

sqlite3 *open_plain(const char *path);
void check_sound(sqlite3 *db);                                  /* PRAGMA integrity_check */
long long ask_file(const char *path, const char *sql);          /* one number; there must be one */
char *ask_text(const char *path, const char *sql);              /* one text, "" for NULL; the caller's (free) */
#endif
