#include "json_number.h"
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

#define EXPONENT_MOST INT64_C(1000000000000000000)

/* 0.DIGITS * 10^exponent, the first digit not 0. */
typedef struct number {
    bool negative, infinite, zero;
    const char *digits, *end;           /* with the point in between */
    int64_t exponent;
} number;

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static int64_t read_exponent(const char *at, const char *end)
{
    int64_t exponent = 0;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; is_digit(at, end) && exponent < EXPONENT_MOST / 10; at++)
        exponent = exponent * 10 + (*at - '0');
    if (is_digit(at, end))
        exponent = EXPONENT_MOST;
    return negative ? -exponent : exponent;
}

static bool read_number(gv_slice text, number *n)
{
    const char *at = text.data, *end = at + text.length;
    bool point = false;
    *n = (number){.zero = true};
    n->negative = at < end && *at == '-';
    at += n->negative;
    n->infinite = at < end && *at == 'I';
    n->zero = !n->infinite;
    if (n->infinite)
        return true;
    if (!is_digit(at, end))
        return false;
    for (; is_digit(at, end) || (at < end && *at == '.'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (n->zero && *at != '0') {
            n->zero = false;
            n->digits = at;
        }
        if (n->zero)
            n->exponent -= point;
        else
            n->exponent += !point;
    }
    n->end = at;
    if (at < end && (*at == 'e' || *at == 'E'))
        n->exponent += read_exponent(at + 1, end);
    return true;
}

/* Behind the last digit: 0. */
static char next_digit(const char **at, const char *end)
{
    if (*at < end && **at == '.')
        ++*at;
    return *at < end ? *(*at)++ : '0';
}

static int compare_digits(const number *a, const number *b)
{
    const char *one = a->digits, *two = b->digits;
    while (one < a->end || two < b->end) {
        char x = next_digit(&one, a->end), y = next_digit(&two, b->end);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int compare_sizes(const number *a, const number *b)
{
    if (a->infinite || b->infinite)
        return a->infinite - b->infinite;
    if (a->zero || b->zero)
        return b->zero - a->zero;
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    return compare_digits(a, b);
}

bool gv_json_number_compare(gv_slice a, gv_slice b, int *order)
{
    number one, two;
    if (!read_number(a, &one) || !read_number(b, &two))
        return false;
    if (one.zero && two.zero)
        *order = 0;
    else if (one.zero)
        *order = two.negative ? 1 : -1;
    else if (two.zero)
        *order = one.negative ? -1 : 1;
    else if (one.negative != two.negative)
        *order = one.negative ? -1 : 1;
    else
        *order = one.negative ? compare_sizes(&two, &one) : compare_sizes(&one, &two);
    return true;
}

static locale_t plain_locale;
static pthread_once_t locale_once = PTHREAD_ONCE_INIT;

static void make_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double gv_json_number_to_double(const char *digits)
{
    pthread_once(&locale_once, make_locale);
    return plain_locale ? strtod_l(digits, NULL, plain_locale) : strtod(digits, NULL);
}
