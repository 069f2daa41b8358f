#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "process.h"
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t process_start(const char *what, const char *path, const char *more)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "process", what, path, more, (char *)NULL);
        _exit(2);
    }
    assert_true(child > 0);
    return child;
}

void process_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("the other process ended with %x", (unsigned)status);
}

void process_kill(pid_t child, size_t microseconds)
{
    int status;
    usleep((useconds_t)microseconds);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        fail_msg("the other process ended by itself: %d", WEXITSTATUS(status));
}

/* "locked" beside the file says when. */
int process_hold_lock(const char *path, const char *span)
{
    sqlite3 *db;
    char mark[360];
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return 3;
    snprintf(mark, sizeof mark, "%s.locked", path);
    FILE *file = fopen(mark, "w");
    if (!file || fclose(file))
        return 4;
    usleep((useconds_t)strtoul(span, NULL, 10) * 1000);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return sqlite3_close(db);
}

static bool is_there(void *path)
{
    return access(path, F_OK) == 0;
}

pid_t process_lock(const char *path, const char *span)
{
    char mark[360];
    snprintf(mark, sizeof mark, "%s.locked", path);
    unlink(mark);
    pid_t child = process_start("lock", path, span);
    assert_true(wait_until(is_there, mark));
    return child;
}
