/* stop.h: Ctrl-C. SIGINT and SIGTERM are taken by a thread of their own: the first asks the work to stop and cancels
 * the op at hand, the second ends the program at once with 130. */
#ifndef CTL_STOP_H
#define CTL_STOP_H
#include <gavatcore.h>
#include <stdbool.h>
#include <sys/types.h>

/* Before any other thread is made: they inherit that these signals are blocked. SIGPIPE is ignored from here on. */
bool ctl_stop_start(void);
bool ctl_stopped(void);

/* The op that Ctrl-C cancels; NULL: none. The caller keeps a reference while it is set. */
void ctl_stop_watch(gavat_op *op);

/* read(2) that ends when the person stops: -1 with errno EINTR. */
ssize_t ctl_read(int file, void *data, size_t room);

/* Sleeps, but not past a stop. */
void ctl_pause(int ms);
#endif
