#include "value.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)

bool ctl_parse_integer(const char *text, int64_t least, int64_t most, int64_t *out)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (!*text)
        return false;
    int64_t value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value))
            return false;
        int digit = *text - '0';
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    if (value < least || value > most)
        return false;
    *out = value;
    return true;
}

static int64_t unit_length(const char **text)
{
    char letter = **text;
    if (letter == 'm' && (*text)[1] == 's') {
        *text += 2;
        return 1;
    }
    ++*text;
    switch (letter) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 3600 * 1000;
    case 'd':
        return 24 * 3600 * 1000;
    default:
        return 0;
    }
}

bool ctl_parse_duration(const char *text, int64_t *out)
{
    int64_t total = 0;
    if (!*text)
        return false;
    while (*text) {
        int64_t value = 0, length = 0;
        if (*text < '0' || *text > '9')
            return false;
        for (; *text >= '0' && *text <= '9'; text++) {
            if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *text - '0', &value))
                return false;
        }
        if (!*text || !(length = unit_length(&text)))
            return false;
        if (__builtin_mul_overflow(value, length, &value) || __builtin_add_overflow(total, value, &total))
            return false;
    }
    if (total > INT64_MAX / 1000)
        return false;
    *out = total;
    return true;
}

bool ctl_parse_rate(const char *text, uint32_t *count, int64_t *period_ms)
{
    char number[16], one[16];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : 0;
    int64_t value = 0;
    if (!length || length >= sizeof number)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    if (!ctl_parse_integer(number, 1, UINT32_MAX, &value))
        return false;
    const char *period = slash + 1;
    if ((*period < '0' || *period > '9') && strlen(period) <= 2) { /* "/s" is "/1s" */
        snprintf(one, sizeof one, "1%s", period);
        period = one;
    }
    *count = (uint32_t)value;
    return ctl_parse_duration(period, period_ms) && *period_ms > 0;
}

static bool take_digits(const char **text, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return false;
        *out = *out * 10 + (**text - '0');
    }
    return true;
}

static bool take(const char **text, char byte)
{
    if (**text != byte)
        return false;
    ++*text;
    return true;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar; years begin in March, so that the leap day comes last. */
static int64_t count_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t from_march = (month + 9) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

static bool take_date(const char **text, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = 0, day = 0;
    if (!take_digits(text, 4, &year) || !take(text, '-') || !take_digits(text, 2, &month) || !take(text, '-') ||
        !take_digits(text, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (leap && month == 2))
        return false;
    *days = count_days(year, month, day);
    return true;
}

/* ".123456": further digits are dropped. */
static bool take_fraction(const char **text, int64_t *micros)
{
    int64_t scale = SECOND / 10;
    if (!take(text, '.'))
        return true;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; ++*text, scale /= 10)
        *micros += (**text - '0') * scale;
    return true;
}

static bool take_clock(const char **text, int64_t *micros)
{
    int hour = 0, minute = 0, second = 0;
    if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute))
        return false;
    if (take(text, ':') && !take_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *micros = ((int64_t)hour * 3600 + minute * 60 + second) * SECOND;
    return take_fraction(text, micros);
}

/* "Z", "+03:00" or nothing: UTC. */
static bool take_zone(const char **text, int64_t *micros)
{
    int hours = 0, minutes = 0;
    if (!**text || take(text, 'Z') || take(text, 'z'))
        return true;
    bool east = take(text, '+');
    if (!east && !take(text, '-'))
        return false;
    if (!take_digits(text, 2, &hours) || !take(text, ':') || !take_digits(text, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    int64_t offset = ((int64_t)hours * 60 + minutes) * 60 * SECOND;
    *micros -= east ? offset : -offset;
    return true;
}

bool ctl_parse_time(const char *text, gavat_time *out)
{
    int64_t back = 0, days = 0, micros = 0;
    if (ctl_parse_duration(text, &back)) {
        *out = ctl_now() - back * 1000;
        return *out > 0;
    }
    if (!take_date(&text, &days))
        return false;
    if (take(&text, 'T') || take(&text, 't') || take(&text, ' ')) {
        if (!take_clock(&text, &micros) || !take_zone(&text, &micros))
            return false;
    }
    int64_t time = days * 86400 * SECOND + micros;
    if (*text || time < 0)
        return false;
    *out = time ? time : 1; /* 0 means "not given" */
    return true;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

int64_t ctl_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t ctl_ticks(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
