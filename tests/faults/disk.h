/* disk.h: every file call of SQLite failing in turn, once or from then on, in all the ways that a disk has. cmocka's header comes before this
 * one. */
#ifndef GAVATCORE_TEST_DISK_H
#define GAVATCORE_TEST_DISK_H
#include "shim.h"
#include <gavatcore.h>

/* A case for each kind of fault, which runs once for each call that may fail; once arms the fault (shim_arm), works, heals and looks at what
 * there is. Gives main's exit code. */
int disk_run(const char *name, void (*once)(const shim_fault *fault));

/* The files as they lie, without the memory that the processes share: what a recovery would make of them, below folder. False: none yet. */
bool disk_crash(const char *path, const char *folder, char copy[320]);

/* A refusal by the disk names the file, SQLite's code and what to do, and is neither taken for damage nor for a foreign file. */
void disk_check_error(const gavat_op *op, const char *path);
#endif
