/* driver.h: sqlite3.h by hand, with the pragmas of the library. What fails ends the program. */
#ifndef GV_BENCH_DRIVER_H
#define GV_BENCH_DRIVER_H
#include <sqlite3.h>

sqlite3 *driver_open(const char *path, const char *synchronous, int cache_mib);     /* path NULL: in memory */
void driver_run(sqlite3 *db, const char *sql);
sqlite3_stmt *driver_prepare(sqlite3 *db, const char *sql);
#endif
