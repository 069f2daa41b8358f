/* client.h: settings, and the life of a client: new, open, close, unref.
 * One client serves any number of threads; a process may hold several, each with settings of its own. */
#ifndef GAVATCORE_CLIENT_H
#define GAVATCORE_CLIENT_H
#include "op.h"
#ifdef __cplusplus
extern "C" {
#endif
struct uv_loop_s;

/* Settings: string keys, as in the settings reference. Not shared between threads. A wrong key, value or file leaves the first
 * error in the object, and gavat_new then refuses it, so checking once, at gavat_new, is enough. NULL is accepted everywhere. */
GAVAT_API GAVAT_CHECK gavat_config *gavat_config_new(void);     /* NULL: no memory. Empty, it means the embedded defaults */
GAVAT_API void gavat_config_free(gavat_config *cfg);

/* Set one value; a later call replaces an earlier one, value NULL goes back to the default. EINVAL: unknown key or bad value. */
GAVAT_API gavat_status gavat_config_set(gavat_config *cfg, const char *key, const char *value);

/* Take the settings found in the environment, or in a file of KEY=VALUE lines (reads it in the call; EIO). */
GAVAT_API gavat_status gavat_config_load_env(gavat_config *cfg);
GAVAT_API gavat_status gavat_config_load_file(gavat_config *cfg, const char *path);

/* The value in force, passwords replaced; NULL for an unknown key. Valid until the next call with cfg. */
GAVAT_API const char *gavat_config_get(const gavat_config *cfg, const char *key);

/* Why the first set, load or gavat_new with cfg failed: a sentence with key, file and line; "" when none did. */
GAVAT_API const char *gavat_config_error(const gavat_config *cfg);

/* Make a client, with one reference for the caller. No I/O; cfg is copied. loop NULL: the library runs a loop on a thread of
 * its own. Otherwise call on that loop's thread; the client keeps the loop alive until it is closed. Do not fork afterwards.
 * EINVAL, ENOTSUP (driver not in this build), ENOMEM: see gavat_config_error; *out is then NULL. */
GAVAT_API GAVAT_CHECK gavat_status gavat_new(gavat **out, struct uv_loop_s *loop, const gavat_config *cfg);

/* References, any thread; ops hold one too. Close before the last unref: an unref that finds the client open logs an error and
 * closes it with 5 s. Accessors of ops and unref work after close. NULL is accepted. */
GAVAT_API gavat *gavat_ref(gavat *g);
GAVAT_API void gavat_unref(gavat *g);

/* Connect, create what an empty store needs, upgrade embedded stores. Ops submitted earlier wait for it, each within its own
 * deadline. OK, also when a store that is away is covered by the spool or a declared rule; gavat_op_text is JSON,
 * {"events":"up","state":"degraded",…}, the records are the steps that were taken to create or upgrade, as gavat_upgrade_schema gives them. EUNAVAIL, ESCHEMA. Either way the client goes on trying. A few trips per store. */
GAVAT_API void gavat_open(gavat_op *op);

/* Ends when every op submitted before it has its outcome; one that went to the spool counts. No round trip of its own. */
GAVAT_API void gavat_flush(gavat_op *op);

/* End the client: nothing new is admitted, what is under way gets timeout_ms (0: 10 s), the rest ends ECLOSED. Uses an op
 * reserved by gavat_new, so it cannot fail. done (may be NULL) is the client's last callback: status OK or ETIMEDOUT (work was
 * cut off), gavat_op_text is JSON {"committed":n,"spooled":n,"failed":n,"unknown":n}. A second call does nothing. */
GAVAT_API void gavat_close(gavat *g, gavat_done_fn done, void *user, uint32_t timeout_ms);

/* The same, blocking, also for a close already begun; joins the library's thread. Returns what done would see. EDEADLK on the
 * loop's thread: use gavat_close and go on running the loop. */
GAVAT_API gavat_status gavat_close_wait(gavat *g, uint32_t timeout_ms);

/* The gavat_set_… below: before gavat_open, or on the loop's thread. fn NULL takes it away. */

/* fn is called once after gavat_op_new has refused, when half of the bounds is free again. */
typedef void (*gavat_room_fn)(gavat *g, void *user);
GAVAT_API void gavat_set_room(gavat *g, gavat_room_fn fn, void *user);

/* Log lines up to level, one sentence without newline, without passwords and values. Default: warnings to stderr. */
enum { GAVAT_LOG_ERROR = 0, GAVAT_LOG_WARN = 1, GAVAT_LOG_INFO = 2, GAVAT_LOG_DEBUG = 3 };
typedef void (*gavat_log_fn)(int32_t level, const char *area, const char *text, void *user);
GAVAT_API void gavat_set_log(gavat *g, int32_t level, gavat_log_fn fn, void *user);

/* Another wall clock, for tests: uids, timestamps, TTLs, cooldowns, limits and conversations follow it; deadlines do not.
 * fn is called from several threads. */
typedef gavat_time (*gavat_clock_fn)(void *user);
GAVAT_API void gavat_set_clock(gavat *g, gavat_clock_fn fn, void *user);

#ifdef __cplusplus
}
#endif
#endif
