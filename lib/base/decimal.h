/* decimal.h: exact money. A decimal text has an optional sign, up to 18 digits before the point and up to 8 after it;
 * no exponent, no blanks, a digit on both sides of the point. Sums are kept in 10^-8 units in 128 bits: room for
 * 10^11 records of the largest amount. */
#ifndef GV_BASE_DECIMAL_H
#define GV_BASE_DECIMAL_H
#include "text.h"

#define GV_DECIMAL_ROOM 48
__extension__ typedef __int128 gv_decimal;      /* in 10^-8 units */

bool gv_decimal_parse(gv_slice text, gv_decimal *value);                /* false: not a decimal text */
void gv_decimal_print(gv_decimal value, char out[GV_DECIMAL_ROOM]);     /* at least two places: "149.90" */
/* The nearest double of a checked text, whatever the locale; 0 for another text. */
double gv_decimal_to_double(gv_slice text);
/* A double of an old database as decimal text: the shortest text of at most 15 significant digits and 8 places that
 * is nearest to it (a tie goes to the even digit; there is no -0), in the form of gv_decimal_print; false: NaN,
 * infinite, or past 18 digits. */
bool gv_decimal_from_double(double value, char out[GV_DECIMAL_ROOM]);
#endif
