#include "clock.h"

#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define FIRST_DAY 306                   /* of year 1, counted as days_from_date does */
#define TIME_MIN (-719162 * DAY)        /* 0001-01-01T00:00:00Z */

int64_t gv_clock_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

uint64_t gv_clock_steady(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Years are counted from March, so that the leap day is the last of its year and months follow one formula: month m
 * (0 = March) begins on day (153 m + 2) / 5. The count of days starts at 0000-03-01, which is 719468 days before
 * 1970. */
static uint32_t days_from_date(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t from_march = month > 2 ? month - 3 : month + 9;
    uint32_t whole = month > 2 ? year : year - 1;
    return whole * 365 + whole / 4 - whole / 100 + whole / 400 + (153 * from_march + 2) / 5 + day - 1;
}

static void date_from_days(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint32_t era = days / 146097, rest = days % 146097;
    uint32_t years = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    uint32_t of_year = rest - (years * 365 + years / 4 - years / 100);
    uint32_t from_march = (5 * of_year + 2) / 153;
    *day = of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + years + (*month <= 2);
}

static void put_digits(char *out, size_t count, uint32_t value)
{
    while (count > 0) {
        out[--count] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* The 26 characters that both forms share. */
static void print_time(int64_t time, char separator, char *out)
{
    if (time < TIME_MIN)
        time = TIME_MIN;
    if (time > GV_TIME_MAX)
        time = GV_TIME_MAX;
    uint64_t since = (uint64_t)(time - TIME_MIN);
    uint64_t of_day = since % (uint64_t)DAY;
    uint32_t seconds = (uint32_t)(of_day / (uint64_t)SECOND);
    uint32_t year, month, day;
    date_from_days((uint32_t)(since / (uint64_t)DAY) + FIRST_DAY, &year, &month, &day);

    put_digits(out, 4, year);
    out[4] = out[7] = '-';
    put_digits(out + 5, 2, month);
    put_digits(out + 8, 2, day);
    out[10] = separator;
    put_digits(out + 11, 2, seconds / 3600);
    out[13] = out[16] = ':';
    put_digits(out + 14, 2, seconds / 60 % 60);
    put_digits(out + 17, 2, seconds % 60);
    out[19] = '.';
    put_digits(out + 20, 6, (uint32_t)(of_day % (uint64_t)SECOND));
}

void gv_time_to_rfc(int64_t time, char out[28])
{
    print_time(time, 'T', out);
    out[26] = 'Z';
    out[27] = '\0';
}

void gv_time_to_sql(int64_t time, char out[27])
{
    print_time(time, ' ', out);
    out[26] = '\0';
}

void gv_time_to_sql_bound(int64_t time, char out[27])
{
    size_t length = 26;
    gv_time_to_sql(time, out);
    while (out[length - 1] == '0' && length > 20)
        length--;
    out[length == 20 ? 19 : length] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_char(gv_slice *text, char c)
{
    if (text->length == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->length--;
    return true;
}

static bool take_number(gv_slice *text, size_t digits, uint32_t *value)
{
    if (text->length < digits)
        return false;
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->data[i]))
            return false;
        *value = *value * 10 + (uint32_t)(text->data[i] - '0');
    }
    text->data += digits;
    text->length -= digits;
    return true;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(gv_slice *text, int64_t *time)
{
    uint32_t year, month, day;
    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) ||
        !take_char(text, '-') || !take_number(text, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *time = ((int64_t)days_from_date(year, month, day) - 719468) * DAY;
    return true;
}

static bool read_fraction(gv_slice *text, int64_t *micros)
{
    static const int64_t scale[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    size_t digits = 0;
    *micros = 0;
    for (; text->length > 0 && is_digit(text->data[0]); digits++) {
        if (digits < 6)
            *micros = *micros * 10 + (text->data[0] - '0');
        text->data++;
        text->length--;
    }
    *micros *= scale[digits < 6 ? digits : 6];
    return digits <= 9;
}

/* HH:MM[:SS[.fraction]] */
static bool read_clock(gv_slice *text, int64_t *time)
{
    uint32_t hour, minute, second = 0;
    int64_t micros = 0;
    if (!take_number(text, 2, &hour) || !take_char(text, ':') || !take_number(text, 2, &minute))
        return false;
    if (take_char(text, ':')) {
        if (!take_number(text, 2, &second))
            return false;
        if (take_char(text, '.') && !read_fraction(text, &micros))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    if (second == 60) {
        second = 59;
        micros = SECOND - 1;
    }
    *time += (int64_t)(hour * 3600 + minute * 60 + second) * SECOND + micros;
    return true;
}

/* Nothing, 'Z', or +HH, +HHMM, +HH:MM: subtracted, for local time is ahead of UTC by it. */
static bool read_offset(gv_slice *text, int64_t *time)
{
    if (text->length == 0 || take_char(text, 'Z'))
        return true;
    uint32_t hour, minute = 0;
    bool ahead = take_char(text, '+');
    if (!ahead && !take_char(text, '-'))
        return false;
    if (!take_number(text, 2, &hour))
        return false;
    bool colon = take_char(text, ':');
    if ((colon || text->length > 0) && !take_number(text, 2, &minute))
        return false;
    if (hour > 23 || minute > 59)
        return false;
    int64_t offset = (int64_t)(hour * 3600 + minute * 60) * SECOND;
    *time += ahead ? -offset : offset;
    return true;
}

bool gv_time_parse(gv_slice text, int64_t *time)
{
    int64_t value;
    if (!text.data || !read_date(&text, &value))
        return false;
    if ((take_char(&text, 'T') || take_char(&text, ' ')) && !read_clock(&text, &value))
        return false;
    if (!read_offset(&text, &value) || text.length > 0 || value < TIME_MIN || value > GV_TIME_MAX)
        return false;
    *time = value;
    return true;
}

/* The milliseconds of the unit at the front of text, which is taken; 0: none. */
static int64_t take_unit(gv_slice *text)
{
    if (text->length >= 2 && text->data[0] == 'm' && text->data[1] == 's') {
        text->data += 2;
        text->length -= 2;
        return 1;
    }
    if (take_char(text, 's'))
        return 1000;
    if (take_char(text, 'm'))
        return 60 * 1000;
    if (take_char(text, 'h'))
        return 3600 * 1000;
    if (take_char(text, 'd'))
        return 24 * 3600 * 1000;
    if (take_char(text, 'w'))
        return 7 * 24 * 3600 * 1000;
    return 0;
}

static bool take_count(gv_slice *text, int64_t *count)
{
    if (text->length == 0 || !is_digit(text->data[0]))
        return false;
    *count = 0;
    while (text->length > 0 && is_digit(text->data[0])) {
        if (__builtin_mul_overflow(*count, 10, count) || __builtin_add_overflow(*count, text->data[0] - '0', count))
            return false;
        text->data++;
        text->length--;
    }
    return true;
}

bool gv_duration_parse(gv_slice text, int64_t unit, int64_t *milliseconds)
{
    int64_t sum = 0, count, part, last = INT64_MAX;
    if (!text.data || !take_count(&text, &count))
        return false;
    if (text.length == 0) {
        if (unit == 0 || __builtin_mul_overflow(count, unit, &sum))
            return false;
        *milliseconds = sum;
        return true;
    }
    for (;;) {
        int64_t size = take_unit(&text);
        if (size == 0 || size >= last)          /* from the largest unit to the smallest: "1m1m" is a slip */
            return false;
        last = size;
        if (__builtin_mul_overflow(count, size, &part) || __builtin_add_overflow(sum, part, &sum))
            return false;
        if (text.length == 0)
            break;
        if (!take_count(&text, &count))
            return false;
    }
    *milliseconds = sum;
    return true;
}
