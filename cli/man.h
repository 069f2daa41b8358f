/* man.h: the manual page of the program. */
#ifndef CTL_MAN_H
#define CTL_MAN_H
#include "options.h"

/* gavatctl(1) to stdout, in the language of man(7). */
void ctl_print_man(void);
#endif
