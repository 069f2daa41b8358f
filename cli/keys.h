/* keys.h: what the groups of the state area share: whose key it is and what it is called, and how its answers are told. */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H
#include "commands.h"
#include "output.h"
#include "session.h"
#include "tell.h"

/* The first two arguments, USER and what the group calls its keys. ctl_user is NULL with --global: nobody's, as the
 * library has it. */
#define CTL_ARGUMENT_OWNER                                                                                             \
    {.name = "USER", .kind = CTL_TEXT, .instead = "global", .help = "user id; --global in its place: of nobody"}
#define CTL_OPTION_GLOBAL                                                                                              \
    {.name = "global", .kind = CTL_FLAG, .help = "of nobody, for all: stands in place of USER"}
#define CTL_OPTION_EXPIRE(text) {.name = "expire", .kind = CTL_DURATION, .value = "DURATION", .help = text}
extern const ctl_option ctl_global_option[]; /* of commands that have no other */
const char *ctl_user(const ctl_call *call);
const char *ctl_key(const ctl_call *call);

/* A note: "counter visits of 42: …". */
void ctl_tell_key(const ctl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Answers of ctl_run_op: the op's records; its number, bare or as {"value":…}. */
int ctl_answer_records(ctl_session *session, const gavat_op *op);
int ctl_answer_number(ctl_session *session, const gavat_op *op);

/* The decision of try: 0 allowed, 1 refused; a note says when it will be allowed. print: as a record too. */
int ctl_answer_decision(ctl_session *session, const gavat_op *op, bool print);
#define CTL_DECISION_COLUMNS "allowed,reason,advice,remaining,retry_after_ms"
#define CTL_DECISION_SHOWN "allowed,remaining,retry_after_ms"
#endif
