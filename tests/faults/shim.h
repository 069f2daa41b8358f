/* shim.h: SQLite's default file system with faults: the n-th file call fails, or it and all after it. Everything else goes to the
 * system's. Calls are counted over all threads and files. */
#ifndef GAVATCORE_TEST_SHIM_H
#define GAVATCORE_TEST_SHIM_H
#include <stdbool.h>

enum {
    SHIM_OPEN = 1,
    SHIM_READ = 2,
    SHIM_WRITE = 4,
    SHIM_TRUNCATE = 8,
    SHIM_SYNC = 16,
    SHIM_SIZE = 32,
    SHIM_LOCK = 64,
    SHIM_SHARED = 128,          /* the memory beside a log: mapping and locking it */
    SHIM_DELETE = 256,
    SHIM_ALL = 511
};
enum { SHIM_NOTHING, SHIM_HALF, SHIM_WHOLE };   /* what a write that fails leaves on the disk */

typedef struct shim_fault {
    unsigned calls;             /* SHIM_…: which count */
    unsigned long at;           /* the n-th of them, from 1; 0: none */
    bool on_and_on;             /* all after it too */
    bool full;                  /* a write says that the disk is full, instead of an error */
    int leaves;
} shim_fault;

void shim_install(void);                        /* once, before SQLite is used */
void shim_arm(const shim_fault *fault);         /* counts from 0 */
unsigned long shim_heal(void);                  /* no more faults; how many there were */
unsigned long shim_counted(void);               /* calls since it was armed */
void shim_read_only(bool on);                   /* from now on files open for reading only, as on a disk mounted so */
#endif
