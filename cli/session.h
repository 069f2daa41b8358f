/* session.h: a client for one call: settings in their order (option, environment, settings file, default), open,
 * wait, close. Used by the main thread. */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H
#include "options.h"

typedef struct ctl_session {
    const ctl_call *call;
    gavat *client;
    gavat_config *config;
    char *file; /* the settings file that was read; NULL: none */
    gavat_op *opened; /* of gavat_open; NULL: settings only */
    const char *const *changes; /* settings and their values on top of all; NULL: none */
} ctl_session;

/* The settings that options of every call set: {.option = NULL} ends them. */
typedef struct ctl_override {
    const char *option, *setting;
    unsigned store; /* whose URL it is; 0: no store's */
} ctl_override;
extern const ctl_override ctl_overrides[];

/* How far to go: settings and client only, or its stores open too. TRY: stores that do not open are no fault. */
typedef enum ctl_depth { CTL_SETTINGS, CTL_OPEN, CTL_TRY } ctl_depth;

/* 0, or the exit code after the error was told. Either way ctl_session_end. */
int ctl_session_start(ctl_session *session, const ctl_call *call, ctl_depth depth);
int ctl_session_end(ctl_session *session, int code); /* gives code; 130 when the person stopped it */

/* A second client that differs from the call's in these settings: {"MONGODB_URI", "file://copy", …, NULL}. As above. */
int ctl_session_beside(ctl_session *session, const ctl_call *call, const char *const *changes);

/* A held op; submit it, then wait: Ctrl-C cancels it. Wait gives 0, or the exit code after the error was told. */
gavat_op *ctl_session_op(ctl_session *session);
int ctl_session_wait(ctl_session *session, gavat_op *op);

/* The run of a command that is one op: session, its submit, wait, its answer. The exit code. */
int ctl_run_op(const ctl_call *call);

/* Waits, prints the op's records with the command's columns, or columns when not NULL, and unrefs it. The exit code. */
int ctl_session_show(ctl_session *session, gavat_op *op, const char *columns, bool single);
int ctl_session_print(ctl_session *session, const gavat_op *op, const char *columns, bool single); /* once it has ended */

/* Waits for a write and tells where it landed if that is not the store; the exit code. With print, its uid goes to
 * stdout; when the outcome is not known the person hears how to send it again safely. */
int ctl_session_write(ctl_session *session, gavat_op *op, bool print);
#endif
