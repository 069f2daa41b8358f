#include "stop.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
    atomic_bool stopped;
    int wake; /* eventfd, readable from the first signal on; -1: none */
    pthread_mutex_t lock;
    gavat_op *op;
} state = {.wake = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void stop_now(void)
{
    uint64_t one = 1;
    atomic_store(&state.stopped, true);
    if (write(state.wake, &one, sizeof one) < 0)
        _exit(130);
    pthread_mutex_lock(&state.lock);
    gavat_op_cancel(state.op);
    pthread_mutex_unlock(&state.lock);
}

static void *take_signals(void *unused)
{
    sigset_t set;
    int number = 0;
    (void)unused;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    while (sigwait(&set, &number) == 0) {
        if (atomic_load(&state.stopped))
            _exit(130);
        stop_now();
    }
    return NULL;
}

bool ctl_stop_start(void)
{
    sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    state.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state.wake < 0 || pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    if (pthread_create(&thread, NULL, take_signals, NULL) != 0)
        return false;
    pthread_detach(thread);
    return true;
}

bool ctl_stopped(void)
{
    return atomic_load(&state.stopped);
}

void ctl_stop_watch(gavat_op *op)
{
    pthread_mutex_lock(&state.lock);
    state.op = op;
    if (op && atomic_load(&state.stopped))
        gavat_op_cancel(op);
    pthread_mutex_unlock(&state.lock);
}

ssize_t ctl_read(int file, void *data, size_t room)
{
    struct pollfd wait[2] = {{.fd = file, .events = POLLIN}, {.fd = state.wake, .events = POLLIN}};
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (ctl_stopped()) {
            errno = EINTR;
            return -1;
        }
        if (!wait[0].revents)
            continue;
        ssize_t length = read(file, data, room);
        if (length >= 0 || (errno != EINTR && errno != EAGAIN))
            return length;
    }
}

void ctl_pause(int ms)
{
    struct pollfd wait = {.fd = state.wake, .events = POLLIN};
    poll(&wait, 1, ms);
}
