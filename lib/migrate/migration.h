/* migration.h: what the calls of migrate.h share: their request, and the thread that each of them has to itself. */
#ifndef GV_MIGRATE_MIGRATION_H
#define GV_MIGRATE_MIGRATION_H
#include "reading.h"

/* The op's request is a gavat_migration with its texts behind it, unless said otherwise. On the thread; each finishes the op. */
void gv_plan_run(gavat_op *op);
void gv_migration_run(gavat_op *op);
void gv_migration_verify(gavat_op *op);         /* the request is the run's name, NULL the last */
void gv_migrations_list(gavat_op *op);

/* zone and only out of a run's options, as the journal has them; in arena. False: no memory. */
bool gv_migration_options(gavat_migration *wanted, gv_arena *arena, const char *options);
#endif
