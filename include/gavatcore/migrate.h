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
    const char *backup;         /* new directory for what is overwritten, with a manifest; NULL: none */
    const char *zone;           /* of the times in text logs: "Europe/Istanbul"; NULL: UTC */
    const char *only;           /* sources, comma between: "logs,analytics,characters,messages,profiles,personas,states,cooldowns,database" */
    const char *rejects;        /* file for refused records, JSON lines with file, line, reason; NULL: none */
} gavat_migration;
GAVAT_INIT(migration)

/* Read the files only, each as the migration would: one JSON record per source: source, table (of a database), kind, target, records,
 * rejected, oddities. gavat_op_number: how many records; gavat_op_rejected: the first 100 that would be rejected, why, and their lines.
 * Touches no store; of the record only directory, zone, only and max_errors count. EINVAL: no such zone, an unknown word in `only`; EIO: the
 * directory cannot be read. */
GAVAT_API void gavat_plan_migration(gavat_op *op, const gavat_migration *migration);

/* Migrate into the client's stores. The records are the plan's with landed and present (there already, or of an earlier run);
 * gavat_op_text is the run's name, gavat_op_number how many landed. What is replaced (profiles, keys of the state, sessions) is kept in the journal
 * (GAVAT_MIGRATIONS), and in backup, before anything is written. Refused records do not stop it: gavat_op_rejected gives the first 100, the rejects
 * file all. A store that is away is waited for, for a minute. Run again, and after a kill with resume, it adds nothing twice.
 * EIO at the backup: nothing has been changed. ECONFLICT: the last run of this directory is unfinished: resume it. EBUSY: another migration is
 * running. EREJECTED: max_errors was reached. Dry: the plan's report. */
GAVAT_API void gavat_run_migration(gavat_op *op, const gavat_migration *migration);

/* Compare each record of a run's files with the stores; run NULL: the last. One JSON record per source: records, equal, missing, different, extra,
 * and the sums of the digests of both sides, digest and stored. gavat_op_number: how many are missing, different or too many; OK also then;
 * gavat_op_rejected: the first 100 of them, with their places. Reads the files, and what the stores have of that time. Long work. */
GAVAT_API void gavat_verify_migration(gavat_op *op, const char *run);

/* The runs, newest first: one JSON record each: run, directory, state (running, stopped, done), began, ended, sources. "running" is also what a
 * killed one says. None: OK. Reads the journal. */
GAVAT_API void gavat_get_migrations(gavat_op *op);

#ifdef __cplusplus
}
#endif
#endif
