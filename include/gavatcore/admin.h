/* admin.h: what an operator needs: metrics, health, schema, spool, rejects, advice, retention, a person's data.
 * Results are JSON records (gavat_op_json) unless said otherwise. "Long work": no deadline unless set, reports progress
 * (gavat_op_set_progress), stops at the next batch when cancelled. dry_run 1: says what it would do and changes nothing. */
#ifndef GAVATCORE_ADMIN_H
#define GAVATCORE_ADMIN_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Counts, latencies, queues, pools, spool of this client since gavat_new, in gavat_op_text. No round trip. */
typedef int32_t gavat_metrics_format;
enum { GAVAT_METRICS_JSON = 1 };
GAVAT_API void gavat_get_metrics(gavat_op *op, gavat_metrics_format format);

/* One record per store: state, reason, since; gavat_op_number: the worst gavat_health. As last seen, no round trip. */
typedef int32_t gavat_health;
enum { GAVAT_HEALTH_UP = 0, GAVAT_HEALTH_DEGRADED = 1, GAVAT_HEALTH_DOWN = 2 };
GAVAT_API void gavat_get_health(gavat_op *op);

/* fn at each change. area: "events", "profiles", "state"; reason: a sentence. Set before gavat_open, or on the loop's thread. */
typedef void (*gavat_health_fn)(gavat *g, const char *area, gavat_health health, const char *reason, void *user);
GAVAT_API void gavat_set_health(gavat *g, gavat_health_fn fn, void *user);

/* The doctor: one record per check: store, check, result (ok, warn, fail), figure, advice. gavat_op_number: how many failed.
 * OK also when a store is away: that is a finding. Ten to twenty trips per store. */
GAVAT_API void gavat_check_stores(gavat_op *op);

/* The settings in force: one record each: key, value (passwords replaced), source, default, allowed, help.
 * No round trip. */
GAVAT_API void gavat_get_settings(gavat_op *op);

/* Versions and steps: one record per store with what is there and what is missing. */
GAVAT_API void gavat_get_schema(gavat_op *op);

/* Create or upgrade what every store needs, each step once, also with several callers at a time; one record per step. Long work.
 * ESCHEMA: the store is newer than this library can read; EREJECTED: a right is missing, the error gives the statement. */
GAVAT_API void gavat_upgrade_schema(gavat_op *op, int32_t dry_run);

/* The statements that upgrade_schema would use on an empty events store, gavat_op_text. No round trip. */
GAVAT_API void gavat_get_schema_sql(gavat_op *op);

/* Events on PostgreSQL have a spool on the local disk (GAVAT_EVENTS_SPOOL): writes wait there while the server is away, and what the
 * store refused for good is kept beside them. Without one these calls end ENOTSUP.
 * The spool: entries, bytes, oldest, path, rejects, in one record. gavat_op_number: entries. Reads the local file. */
GAVAT_API void gavat_get_spool(gavat_op *op);

/* Forward until the spool is empty. Long work; EUNAVAIL: the store is away, entries stay. gavat_op_number: forwarded. */
GAVAT_API void gavat_flush_spool(gavat_op *op);

/* Records that the store refused, oldest first, with its code and reason; a page of limit (0: 100). */
GAVAT_API void gavat_get_rejects(gavat_op *op, uint32_t limit, const char *cursor);

/* Send them again; those that land leave the list. gavat_op_number: landed. Long work. */
GAVAT_API void gavat_retry_rejects(gavat_op *op);

/* Write them to a new file as JSON lines; EIO where it exists. drop: delete them for good. gavat_op_number: how many. */
GAVAT_API void gavat_export_rejects(gavat_op *op, const char *path);
GAVAT_API void gavat_drop_rejects(gavat_op *op);

/* Delete events older than before: whole partitions at once, the rest in slices. gavat_op_number: how many. Long work. */
GAVAT_API void gavat_prune_events(gavat_op *op, gavat_time before);

#ifdef __cplusplus
}
#endif
#endif
