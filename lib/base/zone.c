#include "zone.h"

#include "files.h"

#include <errno.h>

#define FOLDER "/usr/share/zoneinfo/"
#define SYSTEM "/etc/localtime"
#define FILE_MOST 262144
#define NAME_MOST 255
#define DAY 86400
#define RULE_HOURS 167          /* most hours of a rule's time of day, either way */

typedef struct rule {           /* a day of the year, and the time at which the clocks change there */
    char form;                  /* 'M' month, week, weekday; 'J' day 1 … 365, no leap day counted; '0' day 0 … 365 */
    int32_t month, week, day;
    int32_t time;               /* seconds of the local clock before the change */
} rule;

typedef struct footer {         /* what holds behind the last transition of the table */
    bool given, changes;        /* changes: daylight saving time comes and goes */
    int32_t standard, daylight; /* seconds east */
    rule start, end;
} footer;

struct gv_zone {
    size_t count;
    const int64_t *times;       /* transitions, ascending */
    const int32_t *offsets;     /* from there on */
    int32_t first;              /* before all of them */
    footer footer;
};

/* A reader that stays inside its text: past the end everything is 0 and failed is set. */
typedef struct reader {
    const unsigned char *at, *end;
    bool failed;
} reader;

static const unsigned char *take(reader *in, size_t count)
{
    if ((size_t)(in->end - in->at) < count) {
        in->failed = true;
        in->at = in->end;
        return NULL;
    }
    in->at += count;
    return in->at - count;
}

static int64_t take_number(reader *in, size_t bytes)
{
    const unsigned char *data = take(in, bytes);
    uint64_t value = 0;
    if (!data)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | data[i];
    return bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

/* --- the rules of a footer, in the form of POSIX: "EST5EDT,M3.2.0,M11.1.0" --- */

static bool skip_char(reader *in, char c)
{
    if (in->at == in->end || *in->at != (unsigned char)c)
        return false;
    in->at++;
    return true;
}

static bool is_digit(const reader *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static int32_t take_digits(reader *in, int32_t least, int32_t most)
{
    int32_t value = 0;
    if (!is_digit(in))
        in->failed = true;
    while (is_digit(in) && !in->failed) {
        value = value * 10 + (*in->at++ - '0');
        if (value > most)
            in->failed = true;
    }
    if (value < least)
        in->failed = true;
    return in->failed ? 0 : value;
}

static bool is_letter(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void skip_name(reader *in)
{
    const unsigned char *start = in->at;
    if (skip_char(in, '<')) {
        while (in->at < in->end && *in->at != '>')
            in->at++;
        if (!skip_char(in, '>'))
            in->failed = true;
        return;
    }
    while (in->at < in->end && is_letter(*in->at))
        in->at++;
    if (in->at - start < 3)
        in->failed = true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int32_t take_span(reader *in, int32_t most_hours)
{
    bool negative = skip_char(in, '-');
    if (!negative)
        skip_char(in, '+');
    int32_t seconds = take_digits(in, 0, most_hours) * 3600;
    if (!in->failed && skip_char(in, ':'))
        seconds += take_digits(in, 0, 59) * 60;
    if (!in->failed && skip_char(in, ':'))
        seconds += take_digits(in, 0, 59);
    return negative ? -seconds : seconds;
}

static rule take_rule(reader *in)
{
    rule found = {.form = '0', .time = 2 * 3600};
    if (skip_char(in, 'M')) {
        found.form = 'M';
        found.month = take_digits(in, 1, 12);
        in->failed = !skip_char(in, '.') || in->failed;
        found.week = take_digits(in, 1, 5);
        in->failed = !skip_char(in, '.') || in->failed;
        found.day = take_digits(in, 0, 6);
    } else if (skip_char(in, 'J')) {
        found.form = 'J';
        found.day = take_digits(in, 1, 365);
    } else {
        found.day = take_digits(in, 0, 365);
    }
    if (!in->failed && skip_char(in, '/'))
        found.time = take_span(in, RULE_HOURS);
    return found;
}

/* False: not of that form. */
static bool read_footer(reader in, footer *out)
{
    if (in.at == in.end)
        return true;            /* none: the last transition holds for ever */
    out->given = true;
    skip_name(&in);
    if (!in.failed)
        out->standard = -take_span(&in, 24);    /* POSIX counts westwards */
    if (in.failed || in.at == in.end)
        return !in.failed;
    out->changes = true;
    skip_name(&in);
    out->daylight = out->standard + 3600;
    if (!in.failed && in.at < in.end && *in.at != ',')
        out->daylight = -take_span(&in, 24);
    in.failed = in.failed || !skip_char(&in, ',');
    if (!in.failed)
        out->start = take_rule(&in);
    in.failed = in.failed || !skip_char(&in, ',');
    if (!in.failed)
        out->end = take_rule(&in);
    return !in.failed && in.at == in.end;
}

/* --- the file --- */

typedef struct counts {
    size_t utc_marks, standard_marks, leaps, times, types, letters;
} counts;

static bool read_header(reader *in, counts *found, unsigned char *version)
{
    const unsigned char *magic = take(in, 5);
    if (!magic || memcmp(magic, "TZif", 4) != 0 || !take(in, 15))
        return false;
    *version = magic[4];
    size_t *all[] = {&found->utc_marks, &found->standard_marks, &found->leaps,
                     &found->times, &found->types, &found->letters};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = (uint32_t)take_number(in, 4);
    return !in->failed && found->types > 0 && found->types <= 256;
}

/* width: bytes of a time, 4 in the first block and 8 in the second. Counts are 32 bits each, so their sum fits 64. */
static uint64_t measure(const counts *found, uint64_t width)
{
    return found->times * (width + 1) + found->types * UINT64_C(6) + found->letters + found->leaps * (width + 4)
           + found->standard_marks + found->utc_marks;
}

static int read_block(gv_arena *arena, reader in, const counts *found, size_t width, gv_zone *zone)
{
    int64_t *times = gv_arena_alloc(arena, found->times * sizeof *times);
    int32_t *offsets = gv_arena_alloc(arena, found->times * sizeof *offsets);
    if (!times || !offsets)
        return -ENOMEM;
    for (size_t i = 0; i < found->times; i++) {
        times[i] = take_number(&in, width);
        if (i > 0 && times[i] <= times[i - 1])
            return -EBADMSG;
    }
    const unsigned char *places = take(&in, found->times), *types = take(&in, found->types * 6);
    if (!places || !types)
        return -EBADMSG;
    for (size_t i = 0; i <= found->times; i++) {        /* the last one: what comes before all others */
        size_t place = i < found->times ? places[i] : 0;
        if (place >= found->types)
            return -EBADMSG;
        reader type = {types + place * 6, types + place * 6 + 4, false};
        int64_t offset = take_number(&type, 4);
        if (offset < -2 * DAY || offset > 2 * DAY)
            return -EBADMSG;
        *(i < found->times ? &offsets[i] : &zone->first) = (int32_t)offset;
    }
    zone->count = found->times;
    zone->times = times;
    zone->offsets = offsets;
    return 0;
}

/* The line of text at the end of the file. */
static bool find_footer(reader in, gv_zone *zone)
{
    if (!skip_char(&in, '\n'))
        return false;
    const unsigned char *end = in.at < in.end ? memchr(in.at, '\n', (size_t)(in.end - in.at)) : NULL;
    if (!end)
        return false;
    reader text = {in.at, end, false};
    return read_footer(text, &zone->footer);
}

int gv_zone_parse(gv_arena *arena, const char *data, size_t length, const gv_zone **out)
{
    if (!data)
        return -EBADMSG;
    reader in = {(const unsigned char *)data, (const unsigned char *)data + length, false};
    counts found = {0};
    unsigned char version;
    size_t width = 4;
    if (!read_header(&in, &found, &version))
        return -EBADMSG;
    if (version >= '2') {
        width = 8;
        if (measure(&found, 4) > (size_t)(in.end - in.at))
            return -EBADMSG;
        take(&in, (size_t)measure(&found, 4));
        if (!read_header(&in, &found, &version))
            return -EBADMSG;
    }
    uint64_t size = measure(&found, width);
    if (size > (size_t)(in.end - in.at))        /* before anything is allocated for it */
        return -EBADMSG;
    gv_zone *zone = gv_arena_alloc(arena, sizeof *zone);
    int status = zone ? read_block(arena, in, &found, width, zone) : -ENOMEM;
    if (status < 0)
        return status;
    take(&in, (size_t)size);
    if (width == 8 && !find_footer(in, zone))
        return -EBADMSG;
    *out = zone;
    return 0;
}

/* Relative, of plain characters, without ".." in it: nothing but zones can be opened. */
static bool is_zone_name(const char *name)
{
    size_t length = strlen(name);
    if (length > NAME_MOST || name[0] == '/' || name[length - 1] == '/' || strstr(name, ".."))
        return false;
    for (const char *at = name; *at; at++) {
        bool plain = is_letter((unsigned char)*at) || (*at >= '0' && *at <= '9') || strchr("/_+-.", *at);
        if (!plain)
            return false;
    }
    return true;
}

static int load_file(gv_arena *arena, const char *path, const gv_zone **zone)
{
    gv_text data = {0};
    int status = gv_file_read_all(path, FILE_MOST, &data);
    if (status == 0)
        status = gv_zone_parse(arena, gv_text_get(&data), data.length, zone);
    gv_text_free(&data);
    return status == -EISDIR || status == -EFBIG ? -EBADMSG : status;
}

int gv_zone_load(gv_arena *arena, const char *name, const gv_zone **zone)
{
    char path[sizeof FOLDER + NAME_MOST];
    if (name && *name) {
        if (!is_zone_name(name))
            return -ENOENT;
        memcpy(path, FOLDER, sizeof FOLDER - 1);
        memcpy(path + sizeof FOLDER - 1, name, strlen(name) + 1);
        int status = load_file(arena, path, zone);
        return status == -ENOTDIR ? -ENOENT : status;
    }
    int status = load_file(arena, SYSTEM, zone);
    if (status == 0 || status == -ENOMEM)
        return status;
    *zone = gv_arena_alloc(arena, sizeof **zone);       /* all zero: UTC */
    return *zone ? 0 : -ENOMEM;
}

/* --- offsets --- */

/* Days from 1970-01-01 to the first of a month; years are counted from March, so that the leap day comes last. */
static int64_t days_to_month(int64_t year, int32_t month)
{
    int64_t whole = month > 2 ? year : year - 1;
    int64_t from_march = month > 2 ? month - 3 : month + 9;
    int64_t era = (whole >= 0 ? whole : whole - 399) / 400, of_era = whole - era * 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5 - 719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day of a rule in a year, counted from 1970. */
static int64_t rule_day(const rule *r, int64_t year)
{
    int64_t january = days_to_month(year, 1);
    if (r->form == '0')
        return january + r->day;
    if (r->form == 'J')
        return january + r->day - 1 + (is_leap(year) && r->day >= 60);
    int64_t first = days_to_month(year, r->month);
    int64_t next = r->month == 12 ? days_to_month(year + 1, 1) : days_to_month(year, r->month + 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;        /* 1970-01-01 was a Thursday */
    int64_t day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * INT64_C(7);
    return day < next ? day : day - 7;                  /* week 5: the last one */
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
    int64_t year = 1970 + (days >= 0 ? days / 366 : days / 365 - 1);     /* never too late */
    while (days >= days_to_month(year + 1, 1))
        year++;
    return year;
}

/* The latest change up to the moment decides; a change of either kind may fall into the year before or after the one
 * it is counted in. Of two at the same second the start wins: so tzdata writes a summer time that never ends. */
static int32_t footer_offset(const footer *rules, int64_t seconds)
{
    if (!rules->changes)
        return rules->standard;
    int64_t year = year_of(seconds), latest = INT64_MIN;
    int32_t offset = rules->standard;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t start = rule_day(&rules->start, y) * DAY + rules->start.time - rules->standard;
        int64_t end = rule_day(&rules->end, y) * DAY + rules->end.time - rules->daylight;
        if (end <= seconds && end > latest) {
            latest = end;
            offset = rules->standard;
        }
        if (start <= seconds && start >= latest) {
            latest = start;
            offset = rules->daylight;
        }
    }
    return offset;
}

#define FAR INT64_C(3155760000000)      /* 100,000 years: the rules are not asked beyond */

int64_t gv_zone_offset(const gv_zone *zone, int64_t unix_seconds)
{
    size_t low = 0, high = zone->count;
    while (low < high) {                /* how many transitions are at or before it */
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= unix_seconds)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->footer.given && unix_seconds < FAR && unix_seconds > -FAR)
        return footer_offset(&zone->footer, unix_seconds);
    return low ? zone->offsets[low - 1] : zone->first;
}
