/* json_number.h: JSON numbers compared by what they are worth, exactly, however many digits they have. */
#ifndef GV_BASE_JSON_NUMBER_H
#define GV_BASE_JSON_NUMBER_H
#include "text.h"

/* *order: below, equal to or above 0 as a is less than, equal to or greater than b. Infinity is greater than every
 * other number. False: one of them is NaN or no number. Exponents past 10^17 count as one. Any thread. */
bool gv_json_number_compare(gv_slice a, gv_slice b, int *order);
/* The nearest double of a number's text, ended by NUL, whatever the host program's locale. Any thread. */
double gv_json_number_to_double(const char *digits);
#endif
