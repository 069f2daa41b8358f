/* lock.c: the folder, held open, and the lock between processes. A folder that was replaced under its name is seen before each batch: a sync
 * of the old one would promise what the new one does not hold. */
#include "files.h"
#include "../../base/files.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the lock file: who holds the first one writes; who holds the second one waits. */
enum { WRITES, WAITS };

static int lock_byte(int fd, int byte, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int status;
    do
        status = fcntl(fd, F_OFD_SETLK, &lock);
    while (status < 0 && errno == EINTR);
    if (status == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

void gv_files_let_go(gv_files *self)
{
    if (self->lock_fd >= 0)
        gv_file_close(self->lock_fd);
    if (self->folder_fd >= 0)
        gv_file_close(self->folder_fd);
    self->lock_fd = self->folder_fd = -1;
    self->locked = self->waits = false;
}

/* Whether what is open is what has this name now. */
static bool is_same(int fd, const char *path)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int gv_files_ready(gv_files *self, gv_place *place)
{
    const char *path = gv_place_own(place, GV_FILES_LOCK);
    if (!path)
        return -ENOMEM;
    if (self->folder_fd >= 0 && is_same(self->folder_fd, self->folder) && is_same(self->lock_fd, path))
        return 0;
    gv_files_let_go(self);
    int error = gv_file_open(self->folder, O_RDONLY | O_DIRECTORY, 0, &self->folder_fd);
    if (error) {
        self->folder_fd = -1;
        return error;
    }
    error = gv_file_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666, &self->lock_fd);
    if (error) {
        self->lock_fd = -1;
        gv_files_let_go(self);
    }
    return error;
}

int gv_files_try_lock(gv_files *self)
{
    if (self->locked)
        return 0;
    int error = lock_byte(self->lock_fd, WRITES, F_WRLCK);
    self->locked = error == 0;
    if (error == -EAGAIN && !self->waits)
        self->waits = lock_byte(self->lock_fd, WAITS, F_WRLCK) == 0;
    return error;
}

bool gv_files_lock_wanted(gv_files *self)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WAITS, .l_len = 1};
    return fcntl(self->lock_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void gv_files_unlock(gv_files *self)
{
    if (self->locked)
        lock_byte(self->lock_fd, WRITES, F_UNLCK);
    if (self->waits)
        lock_byte(self->lock_fd, WAITS, F_UNLCK);
    self->locked = self->waits = false;
}

/* Its own name is made durable too. */
int gv_files_make_folder(gv_files *self)
{
    gv_text inside = {0};
    int fd, error = -ENOMEM;
    gv_text_addf(&inside, "%s/..", self->folder);
    if (!inside.failed)
        error = gv_file_make_parents(gv_text_get(&inside));
    if (!error && gv_file_open(gv_text_get(&inside), O_RDONLY | O_DIRECTORY, 0, &fd) == 0) {
        gv_file_sync(fd);       /* not every file system can: the folder itself is there */
        gv_file_close(fd);
    }
    gv_text_free(&inside);
    return error;
}
