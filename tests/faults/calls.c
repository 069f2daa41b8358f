#include "calls.h"
#include "base/files.h"
#include <errno.h>
#include <sys/stat.h>

static gv_file_calls real;
static call_fault armed;        /* changed while no call is under way */

static bool fails(unsigned call)
{
    if (!fuse_hits(call))
        return false;
    errno = armed.error;
    return true;
}

static int open_file(const char *path, int flags, mode_t mode)
{
    return fails(CALL_OPEN) ? -1 : real.open(path, flags, mode);
}

static ssize_t read_file(int fd, void *data, size_t length)
{
    return fails(CALL_READ) ? -1 : real.read(fd, data, length);
}

/* The half goes well, as a short write; what comes after it fails. */
static ssize_t write_file(int fd, const void *data, size_t length)
{
    static _Thread_local bool cut;
    if (cut) {
        cut = false;
        errno = armed.error;
        return -1;
    }
    if (!fails(CALL_WRITE))
        return real.write(fd, data, length);
    if (!armed.half || length < 2)
        return -1;
    cut = true;
    return real.write(fd, data, length / 2);
}

static int sync_file(int fd)
{
    struct stat found;
    bool folder = fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
    return fails(folder ? CALL_FOLDER_SYNC : CALL_SYNC) ? -1 : real.sync(fd);
}

static int rename_file(const char *from, const char *to)
{
    return fails(CALL_RENAME) ? -1 : real.rename(from, to);
}

static int unlink_file(const char *path)
{
    return fails(CALL_UNLINK) ? -1 : real.unlink(path);
}

static int make_folder_call(const char *path, mode_t mode)
{
    return fails(CALL_MKDIR) ? -1 : real.mkdir(path, mode);
}

void calls_install(void)
{
    real = gv_file_hook;
    gv_file_hook = (gv_file_calls){open_file, read_file, write_file, sync_file, rename_file, unlink_file, make_folder_call, real.close};
}

void calls_arm(const call_fault *fault)
{
    armed = *fault;
    fuse_arm(&fault->which);
}
