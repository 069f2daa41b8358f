/* tell.h: what is said to the person, on stderr. Control characters of what is quoted are escaped. */
#ifndef CTL_TELL_H
#define CTL_TELL_H
#include "options.h"
#include <stdarg.h>

/* "gavatctl: …", "hint: …", and a plain line that -q silences. One line each. */
void ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ctl_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
void ctl_note(const ctl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ctl_tell(const char *before, const char *format, va_list list) __attribute__((format(printf, 2, 0)));

/* 0 when the person agreed, or said --yes; else the exit code after it was told. Asks only where stdin and stderr
 * are a terminal; ctl_can_confirm refuses elsewhere, before any work, and says how to go on. */
int ctl_can_confirm(const ctl_call *call);
int ctl_confirm(const ctl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exit code for an op that ended badly, after telling its error and what to do next. */
int ctl_fail(const ctl_call *call, const gavat_error *error);
int ctl_exit_code(gavat_status status);
#endif
