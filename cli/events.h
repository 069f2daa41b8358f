/* events.h: commands of the events group that have a file of their own. */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H
#include "options.h"

int ctl_events_tail(const ctl_call *call);
#endif
