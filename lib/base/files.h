/* files.h: the file calls of the library, through one table, so that tests can make the n-th one fail. Blocking:
 * never on the loop's thread. Any other thread. Every function returns 0 or a negative errno; EINTR is retried. */
#ifndef GV_BASE_FILES_H
#define GV_BASE_FILES_H
#include "text.h"
#include <sys/stat.h>
#include <sys/types.h>

typedef struct gv_file_calls {          /* the system's, unless a test replaced them */
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *data, size_t length);
    ssize_t (*write)(int fd, const void *data, size_t length);
    int (*sync)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*close)(int fd);
} gv_file_calls;
extern gv_file_calls gv_file_hook;

/* -EFBIG past limit. Adds to out, all or nothing. */
int gv_file_read_all(const char *path, size_t limit, gv_text *out);
int gv_file_read(int fd, char *data, size_t room, size_t *length);      /* one read; length 0: the end */
int gv_file_read_end(int fd, size_t limit, gv_text *out);       /* what is left of an open one; half of it when it fails */
int gv_file_open(const char *path, int flags, mode_t mode, int *fd);            /* O_CLOEXEC is added */
/* Short writes are continued. *done: how far it came, also when it broke off; may be NULL. */
int gv_file_write_all(int fd, const char *data, size_t length, size_t *done);
int gv_file_sync(int fd);
int gv_file_rename(const char *from, const char *to);
int gv_file_unlink(const char *path);
void gv_file_close(int fd);
int gv_file_make_parents(const char *path);                     /* the folders above path, as mkdir -p */
/* Against the working directory, added to out. path need not exist; empty: -EINVAL. */
int gv_file_make_absolute(const char *path, gv_text *out);
const char *gv_errno_name(int number);                                          /* "ENOSPC"; "" when unknown */
#endif
