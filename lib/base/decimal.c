#include "decimal.h"

#include "memory.h"

__extension__ typedef unsigned __int128 wide;

#define PLACES 8
#define UNITS UINT64_C(100000000)       /* of 10^-8 in one */
#define WHOLE_DIGITS 18
#define DOUBLE_DIGITS 15                /* of any decimal text that survives the way into a double and back */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool gv_decimal_parse(gv_slice text, gv_decimal *value)
{
    size_t at = 0, whole = 0, places = 0;
    gv_decimal sum = 0;
    if (!text.data || text.length == 0)
        return false;
    bool negative = text.data[0] == '-';
    if (negative || text.data[0] == '+')
        at++;
    for (; at < text.length && is_digit(text.data[at]); at++) {
        if (++whole > WHOLE_DIGITS)
            return false;
        sum = sum * 10 + (text.data[at] - '0');
    }
    if (whole == 0)
        return false;
    if (at < text.length) {
        if (text.data[at++] != '.')
            return false;
        for (; at < text.length && is_digit(text.data[at]); at++) {
            if (++places > PLACES)
                return false;
            sum = sum * 10 + (text.data[at] - '0');
        }
        if (places == 0 || at < text.length)
            return false;
    }
    for (; places < PLACES; places++)
        sum *= 10;
    *value = negative ? -sum : sum;
    return true;
}

static wide magnitude_of(gv_decimal value)
{
    return value < 0 ? (wide)0 - (wide)value : (wide)value;
}

void gv_decimal_print(gv_decimal value, char out[GV_DECIMAL_ROOM])
{
    char digits[GV_DECIMAL_ROOM];       /* the last one first */
    size_t count = 0, length = 0, cut = 0;
    for (wide rest = magnitude_of(value); rest > 0 || count <= PLACES; rest /= 10)
        digits[count++] = (char)('0' + (int)(rest % 10));
    while (cut < PLACES - 2 && digits[cut] == '0')
        cut++;
    if (value < 0)
        out[length++] = '-';
    while (count > cut) {
        out[length++] = digits[--count];
        if (count == PLACES)
            out[length++] = '.';
    }
    out[length] = '\0';
}

/* Integers only, so no locale and no double rounding. The quotient keeps at least 64 bits and, in its lowest one,
 * whether anything was left over; the compiler's conversion then rounds once, and the division by a power of two is
 * exact. */
double gv_decimal_to_double(gv_slice text)
{
    gv_decimal value;
    if (!gv_decimal_parse(text, &value) || value == 0)
        return 0.0;
    wide units = magnitude_of(value);
    unsigned shift = 0;
    if (units >> 53 == 0) {             /* both are exact as doubles: the division rounds once */
        double quick = (double)(uint64_t)units / (double)UNITS;
        return value < 0 ? -quick : quick;
    }
    while (units >> 126 == 0) {
        units <<= 1;
        shift++;
    }
    wide quotient = units / UNITS;
    if (units % UNITS != 0)
        quotient |= 1;
    double result = (double)quotient / (double)((wide)1 << shift);
    return value < 0 ? -result : result;
}

/* dividend / divisor to the nearest, a tie to the even one. */
static wide divide_round(wide dividend, wide divisor)
{
    wide quotient = dividend / divisor, rest = dividend % divisor;
    if (rest > divisor - rest || (rest == divisor - rest && quotient % 2 == 1))
        quotient++;
    return quotient;
}

/* value = mantissa * 2^exponent, exactly. False: NaN or infinite. */
static bool split_double(double value, bool *negative, uint64_t *mantissa, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int field = (int)(bits >> 52 & 0x7ff);
    *negative = bits >> 63 != 0;
    *mantissa = bits & ((UINT64_C(1) << 52) - 1);
    *exponent = (field ? field : 1) - 1075;
    if (field)
        *mantissa |= UINT64_C(1) << 52;
    return field != 0x7ff;
}

bool gv_decimal_from_double(double value, char out[GV_DECIMAL_ROOM])
{
    bool negative;
    uint64_t mantissa;
    int exponent;
    if (!split_double(value, &negative, &mantissa, &exponent) || exponent > 7)     /* 2^52 * 2^8 is past 18 digits */
        return false;
    wide units = (wide)mantissa * UNITS;        /* below 2^80; with the exponent, below 2^87 */
    wide limit = (wide)UNITS * UINT64_C(1000000000000000000);
    if (exponent >= 0)
        units <<= exponent;
    unsigned shift = exponent < 0 ? (unsigned)-exponent : 0;
    if (shift > 84) {           /* below a half of the last place */
        units = 0;
        shift = 0;
    }
    /* The size of the last digit that counts: 10^-8, or more when the whole part leaves fewer than 8 of the 15
     * digits. */
    wide step = 1;
    for (wide whole = (units >> shift) / UNITS, most = 10000000; whole >= most; most *= 10)
        step *= 10;
    units = divide_round(units, step << shift) * step;
    if (units >= limit)
        return false;
    gv_decimal_print(negative ? -(gv_decimal)units : (gv_decimal)units, out);
    return true;
}
