#include "fuse.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fuse armed;
static unsigned long counted, failed;

void fuse_arm(const fuse *which)
{
    pthread_mutex_lock(&lock);
    armed = *which;
    counted = failed = 0;
    pthread_mutex_unlock(&lock);
}

bool fuse_hits(unsigned call)
{
    pthread_mutex_lock(&lock);
    bool hit = false;
    if (armed.at && armed.calls & call) {
        counted++;
        hit = armed.on_and_on ? counted >= armed.at : counted == armed.at;
        failed += hit;
    }
    pthread_mutex_unlock(&lock);
    return hit;
}

unsigned long fuse_heal(void)
{
    pthread_mutex_lock(&lock);
    armed.at = 0;
    unsigned long faults = failed;
    pthread_mutex_unlock(&lock);
    return faults;
}

unsigned long fuse_counted(void)
{
    pthread_mutex_lock(&lock);
    unsigned long calls = counted;
    pthread_mutex_unlock(&lock);
    return calls;
}
