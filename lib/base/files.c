#include "files.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE 16384

static int open_file(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

gv_file_calls gv_file_hook = {open_file, read, write, fsync, rename, unlink, mkdir, close};

int gv_file_open(const char *path, int flags, mode_t mode, int *fd)
{
    int got;
    do {
        got = gv_file_hook.open(path, flags | O_CLOEXEC, mode);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    *fd = got;
    return 0;
}

int gv_file_read(int fd, char *data, size_t room, size_t *length)
{
    ssize_t got;
    do {
        got = gv_file_hook.read(fd, data, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    *length = (size_t)got;
    return 0;
}

int gv_file_read_end(int fd, size_t limit, gv_text *out)
{
    char piece[PIECE];
    for (size_t total = 0, length = 0;; total += length) {
        int status = gv_file_read(fd, piece, sizeof piece, &length);
        if (status < 0 || length == 0)
            return status;
        if (length > limit - total)
            return -EFBIG;
        gv_text_add(out, piece, length);
        if (out->failed)
            return -ENOMEM;
    }
}

int gv_file_read_all(const char *path, size_t limit, gv_text *out)
{
    int fd = -1;
    size_t before = out->length;
    int status = gv_file_open(path, O_RDONLY, 0, &fd);
    if (status < 0)
        return status;
    status = gv_file_read_end(fd, limit, out);
    gv_file_close(fd);
    if (status < 0 && out->length > before) {   /* half a file is of no use to the caller */
        out->length = before;
        out->data[before] = '\0';
    }
    return status;
}

int gv_file_write_all(int fd, const char *data, size_t length, size_t *done)
{
    size_t own;
    if (!done)
        done = &own;
    for (*done = 0; *done < length;) {
        ssize_t count = gv_file_hook.write(fd, data + *done, length - *done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        *done += (size_t)count;
    }
    return 0;
}

int gv_file_sync(int fd)
{
    int status;
    do {
        status = gv_file_hook.sync(fd);
    } while (status < 0 && errno == EINTR);
    return status < 0 ? -errno : 0;
}

int gv_file_rename(const char *from, const char *to)
{
    int status;
    do {
        status = gv_file_hook.rename(from, to);
    } while (status < 0 && errno == EINTR);
    return status < 0 ? -errno : 0;
}

int gv_file_unlink(const char *path)
{
    int status;
    do {
        status = gv_file_hook.unlink(path);
    } while (status < 0 && errno == EINTR);
    return status < 0 ? -errno : 0;
}

/* Never again after EINTR: on Linux the number is free by then and may already be another thread's file. */
void gv_file_close(int fd)
{
    gv_file_hook.close(fd);
}

static int make_folder(const char *path)
{
    int status, error;
    do {
        status = gv_file_hook.mkdir(path, 0777);
    } while (status < 0 && errno == EINTR);
    if (status == 0)
        return 0;
    error = errno;
    struct stat found;
    if (stat(path, &found) == 0)        /* some systems answer EROFS or EACCES for a folder that is there */
        return S_ISDIR(found.st_mode) ? 0 : -ENOTDIR;
    return -error;
}

int gv_file_make_parents(const char *path)
{
    int status = 0;
    char *copy = gv_copy_text(path);
    if (!copy)
        return -ENOMEM;
    for (char *at = copy; status == 0 && (at = strchr(at, '/')) != NULL; at++) {
        if (at == copy || at[-1] == '/')
            continue;
        *at = '\0';
        status = make_folder(copy);
        *at = '/';
    }
    gv_free(copy);
    return status;
}

int gv_file_make_absolute(const char *path, gv_text *out)
{
    char folder[PATH_MAX];
    if (path[0] == '\0')
        return -EINVAL;
    if (path[0] != '/') {
        if (!getcwd(folder, sizeof folder))
            return -errno;
        while (path[0] == '.' && path[1] == '/') {
            for (path++; *path == '/';)
                path++;
        }
        gv_text_adds(out, folder);
        if (strcmp(folder, "/") != 0)
            gv_text_addc(out, '/');
    }
    gv_text_adds(out, path);
    return out->failed ? -ENOMEM : 0;
}

const char *gv_errno_name(int number)
{
#define NAME(error) {error, #error}
    static const struct {
        int number;
        const char *name;
    } names[] = {
        NAME(E2BIG), NAME(EACCES), NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT), NAME(EAGAIN),
        NAME(EALREADY), NAME(EBADF), NAME(EBADMSG), NAME(EBUSY), NAME(ECANCELED), NAME(ECHILD),
        NAME(ECONNABORTED), NAME(ECONNREFUSED), NAME(ECONNRESET), NAME(EDEADLK), NAME(EDESTADDRREQ),
        NAME(EDOM), NAME(EDQUOT), NAME(EEXIST), NAME(EFAULT), NAME(EFBIG), NAME(EHOSTUNREACH), NAME(EILSEQ),
        NAME(EINPROGRESS), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISCONN), NAME(EISDIR), NAME(ELOOP),
        NAME(EMFILE), NAME(EMLINK), NAME(EMSGSIZE), NAME(ENAMETOOLONG), NAME(ENETDOWN), NAME(ENETRESET),
        NAME(ENETUNREACH), NAME(ENFILE), NAME(ENOBUFS), NAME(ENODEV), NAME(ENOENT), NAME(ENOEXEC),
        NAME(ENOLCK), NAME(ENOMEM), NAME(ENOPROTOOPT), NAME(ENOSPC), NAME(ENOSYS), NAME(ENOTCONN),
        NAME(ENOTDIR), NAME(ENOTEMPTY), NAME(ENOTSOCK), NAME(ENOTSUP), NAME(ENOTTY), NAME(ENXIO),
        NAME(EOVERFLOW), NAME(EPERM), NAME(EPIPE), NAME(EPROTO), NAME(EPROTONOSUPPORT), NAME(EPROTOTYPE),
        NAME(ERANGE), NAME(EROFS), NAME(ESPIPE), NAME(ESRCH), NAME(ESTALE), NAME(ETIMEDOUT), NAME(ETXTBSY),
        NAME(EXDEV),
    };
#undef NAME
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    return "";
}
