/* process.h: this program once more, as a process of its own: main finds the words in argv[1], argv[2], argv[3]. cmocka's header comes
 * before this one. */
#ifndef GAVATCORE_TEST_PROCESS_H
#define GAVATCORE_TEST_PROCESS_H
#include <stddef.h>
#include <sys/types.h>

pid_t process_start(const char *what, const char *path, const char *more);
void process_end(pid_t child);                          /* waits for it; it must have gone well */
void process_kill(pid_t child, size_t microseconds);    /* kill -9 after so long; it must not have ended before */

/* A process that holds the lock of an SQLite file for so many milliseconds; back once it has it. main gives its words "lock", path, span to
 * process_hold_lock. */
pid_t process_lock(const char *path, const char *span);
int process_hold_lock(const char *path, const char *span);
#endif
