/* migration.h: what the calls of migrate.h share: their request, and the thread that each of them has to itself. */
#ifndef GV_MIGRATE_MIGRATION_H
#define GV_MIGRATE_MIGRATION_H
#include "reading.h"

/* The op's request is a gavat_migration with its texts behind it. On the thread; each finishes the op. */
void gv_plan_run(gavat_op *op);
#endif
