/* calls.h: the library's own file calls with faults (lib/base/files.h); SQLite's are in shim.h. */
#ifndef GAVATCORE_TEST_CALLS_H
#define GAVATCORE_TEST_CALLS_H
#include "fuse.h"

enum {
    CALL_OPEN = 1,
    CALL_READ = 2,
    CALL_WRITE = 4,
    CALL_SYNC = 8,
    CALL_FOLDER_SYNC = 16,
    CALL_RENAME = 32,
    CALL_UNLINK = 64,
    CALL_MKDIR = 128,
    CALL_ALL = 255
};

typedef struct call_fault {
    fuse which;
    int error;                  /* errno of calls that fail */
    bool half;                  /* a write that fails has written the half before */
} call_fault;

void calls_install(void);                       /* once, before the library is used */
void calls_arm(const call_fault *fault);
#endif
