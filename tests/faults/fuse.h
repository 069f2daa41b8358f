/* fuse.h: which of many calls fails: the n-th of some kinds, or it and all after it. Counted over all threads; one fuse a program. */
#ifndef GAVATCORE_TEST_FUSE_H
#define GAVATCORE_TEST_FUSE_H
#include <stdbool.h>

typedef struct fuse {
    unsigned calls;             /* one bit a kind: which count */
    unsigned long at;           /* the n-th of them, from 1; 0: none */
    bool on_and_on;             /* all after it too */
} fuse;

void fuse_arm(const fuse *which);               /* counts from 0 */
bool fuse_hits(unsigned call);                  /* this call is to fail */
unsigned long fuse_heal(void);                  /* no more faults; how many there were */
unsigned long fuse_counted(void);               /* calls since it was armed */
#endif
