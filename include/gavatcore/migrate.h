/* migrate.h: moving data: the legacy files of the original into the configured stores.
 * All long work: no deadline unless set; progress by gavat_op_set_progress. */
#ifndef GAVATCORE_MIGRATE_H
#define GAVATCORE_MIGRATE_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct gavat_migration {
    uint32_t size;
    int32_t dry_run;            /* 1: the same report, nothing written */
    int32_t resume;             /* 1: go on with the last run of this directory */
    uint32_t max_errors;        /* stop after so many rejected records; 0: never */
    const char *directory;      /* required: the legacy files */
    const char *backup;         /* new directory for what is overwritten, with a manifest; NULL: none, rollback is then limited */
    const char *zone;           /* of the times in text logs: "Europe/Istanbul"; NULL: UTC */
    const char *only;           /* sources, comma between: "logs,analytics,characters,messages,profiles,personas,states,cooldowns,database" */
    const char *rejects;        /* file for refused records, JSON lines with file, line, reason; NULL: beside the backup, or none */
} gavat_migration;
GAVAT_INIT(migration)

/* Read the files only, each as the migration would: one JSON record per source: source, table (of a database), kind, target, records,
 * rejected, oddities. gavat_op_number: how many records; gavat_op_rejected: the first 100 that would be rejected, why, and their lines.
 * Touches no store; of the record only directory, zone, only and max_errors count. EINVAL: no such zone, an unknown word in `only`; EIO: the
 * directory cannot be read. */
GAVAT_API void gavat_plan_migration(gavat_op *op, const gavat_migration *migration);

#ifdef __cplusplus
}
#endif
#endif
