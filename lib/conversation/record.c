#include "record.h"
#include "../base/clock.h"
#include "../base/json.h"
#include <inttypes.h>
#include <stdio.h>

/* Ours, written only while it is true: the Python bots carry fields along that they do not know. */
#define HELD "paused_until_resume"
#define WORD_MOST 100           /* bytes of a phase */

typedef enum kind { TIME, FLAG, COUNT, WORD } kind;
typedef struct field {
    const char *name;
    size_t length;
    kind kind;
    size_t offset;
} field;

#define FIELD(name, kind) {#name, sizeof #name - 1, kind, offsetof(gavat_conversation, name)}
static const field fields[] = {         /* in the order of the Python bots */
    FIELD(last_bot_message, TIME),
    FIELD(user_responded, FLAG),
    FIELD(conversation_active, FLAG),
    FIELD(last_user_message, TIME),
    FIELD(phase, WORD),
    FIELD(manual_intervention_time, TIME),
    FIELD(followup_count, COUNT),
    FIELD(last_manual_check, TIME),
    FIELD(auto_message_count, COUNT),
    FIELD(menu_sent, FLAG),
    FIELD(manual_mode_active, FLAG),
    FIELD(last_manual_message, TIME),
    FIELD(auto_messages_paused, FLAG),
};
#define FIELDS (sizeof fields / sizeof *fields)

gv_dm gv_dm_initial(void)
{
    gv_dm c = {.is = {.phase = GV_DM_INITIAL}};
    return c;
}

/* digits * 10^exponent as a whole number, rounded to the nearest. */
static int64_t scale_digits(uint64_t digits, int64_t exponent, int64_t most)
{
    unsigned rest = 0;
    for (; exponent < 0 && (digits || rest); exponent++) {
        rest = (unsigned)(digits % 10);
        digits /= 10;
    }
    digits += rest >= 5;
    for (; exponent > 0 && digits && digits <= (uint64_t)most; exponent--)
        if (__builtin_mul_overflow(digits, 10, &digits))
            return most;
    return digits > (uint64_t)most ? most : (int64_t)digits;
}

bool gv_dm_read_number(gv_slice text, int scale, int64_t most, int64_t *number)
{
    const char *at = text.data, *end = text.data + text.length;
    uint64_t digits = 0;
    int64_t exponent = scale, power = 0;
    bool point = false, negative = false, less = at < end && *at == '-';
    for (at += less; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
        } else if (digits < UINT64_C(1000000000000000000)) {    /* all of an int64; more than a double has */
            digits = digits * 10 + (uint64_t)(*at - '0');
            exponent -= point;
        } else {
            exponent += !point;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        negative = at < end && *at == '-';
        for (at += at < end && (*at == '-' || *at == '+'); at < end && *at >= '0' && *at <= '9'; at++)
            if (power < 100000)
                power = power * 10 + (*at - '0');
    }
    *number = scale_digits(digits, exponent + (negative ? -power : power), most);
    return text.length > 0 && at == end && !(less && digits);
}

void gv_dm_write_time(gv_text *out, gavat_time time)
{
    char text[32], *end = text + sizeof text, *at = end;
    if (time <= 0) {
        gv_text_addc(out, '0');
        return;
    }
    for (int i = 0; i < 6; i++, time /= 10) {
        if (at == end && time % 10 == 0 && i < 5)
            continue;
        *--at = (char)('0' + time % 10);
    }
    *--at = '.';
    do
        *--at = (char)('0' + time % 10);
    while (time /= 10);
    gv_text_add(out, at, (size_t)(end - at));
}

/* A key that is not ours is kept, so it is looked for in its plain form: "phase" may be spelled with escapes. FIELDS: none of ours. Most
 * come in order: guess is looked at first. */
static size_t find_field(gv_slice key, size_t guess, bool *held)
{
    char name[40];
    *held = false;
    if (guess < FIELDS && key.length == fields[guess].length + 2 && memcmp(key.data + 1, fields[guess].name, fields[guess].length) == 0)
        return guess;
    size_t i = 0, length = gv_json_unescape(key, name, sizeof name);
    gv_slice plain = {name, length <= sizeof name ? length : 0};
    *held = gv_slice_is(plain, HELD);
    while (i < FIELDS && (plain.length != fields[i].length || memcmp(name, fields[i].name, plain.length) != 0))
        i++;
    return i;
}

static gavat_status read_phase(const char **phase, gv_slice value, gv_arena *arena)
{
    static const char *const known[] = {GV_DM_INITIAL, GV_DM_ACTIVE, GV_DM_ENGAGED, GV_DM_MANUAL};
    char word[WORD_MOST];
    size_t length = gv_json_unescape(value, word, sizeof word);
    if (gv_json_type_of(value) != GV_JSON_STRING || !length || length > sizeof word || memchr(word, '\0', length))
        return GAVAT_ECORRUPT;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!gv_slice_is((gv_slice){word, length}, known[i]))
            continue;
        *phase = known[i];
        return GAVAT_OK;
    }
    *phase = gv_arena_copy(arena, word, length);
    return *phase ? GAVAT_OK : GAVAT_ENOMEM;
}

static bool read_flag(gv_slice value, int32_t *flag)
{
    gv_json_type type = gv_json_type_of(value);
    *flag = type == GV_JSON_TRUE;
    return type == GV_JSON_TRUE || type == GV_JSON_FALSE;
}

static gavat_status read_field(gv_dm *c, const field *f, gv_slice value, gv_arena *arena)
{
    void *at = (char *)&c->is + f->offset;
    bool good = false;
    if (gv_json_type_of(value) == GV_JSON_NULL)
        return GAVAT_OK;
    switch (f->kind) {
    case WORD: return read_phase(&c->is.phase, value, arena);
    case FLAG: good = read_flag(value, at); break;
    case TIME: good = gv_dm_read_number(value, 6, GV_TIME_MAX, at); break;
    case COUNT: good = gv_dm_read_number(value, 0, INT64_MAX, at); break;
    }
    return good ? GAVAT_OK : GAVAT_ECORRUPT;
}

gavat_status gv_dm_read(gv_dm *out, gv_slice value, gv_arena *arena, char *why)
{
    gv_slice key, item, values[FIELDS] = {{NULL, 0}};
    size_t where = 0;
    *out = gv_dm_initial();
    const char *wrong = gv_json_check(value, GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, &where);
    if (!wrong && gv_json_type_of(value) != GV_JSON_OBJECT)
        wrong = "it is no object";
    if (wrong) {
        snprintf(why, GV_DM_WHY, "at byte %zu: %s", where, wrong);
        return GAVAT_ECORRUPT;
    }
    gv_json_walk walk = gv_json_enter(value);
    for (size_t next = 0; gv_json_next(&walk, &key, &item);) {
        bool held;
        size_t i = find_field(key, next, &held);
        if (i < FIELDS)
            values[i] = item;   /* of duplicates the last, as Python reads them */
        next = i < FIELDS ? i + 1 : next;
        if (held)
            out->held = gv_json_type_of(item) == GV_JSON_TRUE;
        else if (i == FIELDS)
            out->source = value;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        gavat_status status = values[i].data ? read_field(out, &fields[i], values[i], arena) : GAVAT_OK;
        if (status == GAVAT_ECORRUPT)
            snprintf(why, GV_DM_WHY, "%s is not what it should be", fields[i].name);
        if (status != GAVAT_OK)
            return status;
    }
    /* Nothing but `pause` stops a conversation that no person is in. */
    out->held = (out->held || !out->is.manual_mode_active) && out->is.auto_messages_paused;
    return GAVAT_OK;
}

static void write_count(gv_text *out, int64_t count)
{
    if (count < 10)
        gv_text_addc(out, (char)('0' + count));
    else
        gv_text_addf(out, "%" PRId64, count);
}

static void write_value(const gv_dm *c, const field *f, gv_text *out)
{
    const void *at = (const char *)&c->is + f->offset;
    switch (f->kind) {
    case TIME: gv_dm_write_time(out, *(const gavat_time *)at); break;
    case FLAG: gv_text_adds(out, *(const int32_t *)at ? "true" : "false"); break;
    case COUNT: write_count(out, *(const int64_t *)at); break;
    case WORD: gv_text_add_json(out, c->is.phase, strlen(c->is.phase)); break;
    }
}

void gv_dm_write(const gv_dm *c, gv_text *out)
{
    gv_slice key, item;
    for (size_t i = 0; i < FIELDS; i++) {
        gv_text_adds(out, i ? ", \"" : "{\"");
        gv_text_add(out, fields[i].name, fields[i].length);
        gv_text_add(out, "\": ", 3);
        write_value(c, &fields[i], out);
    }
    gv_json_walk walk = gv_json_enter(c->source);
    while (gv_json_next(&walk, &key, &item)) {
        bool held;
        if (find_field(key, FIELDS, &held) < FIELDS || held)
            continue;
        gv_text_adds(out, ", ");
        gv_text_add(out, key.data, key.length);
        gv_text_adds(out, ": ");
        gv_text_add(out, item.data, item.length);
    }
    gv_text_adds(out, c->held ? ", \"" HELD "\": true}" : "}");
}

static void print_member(const gavat_conversation *c, const field *f, gv_text *out)
{
    const void *at = (const char *)c + f->offset;
    char text[28];
    gv_text_addf(out, ",\"%s\":", f->name);
    switch (f->kind) {
    case FLAG: gv_text_adds(out, *(const int32_t *)at ? "true" : "false"); return;
    case COUNT: gv_text_addf(out, "%" PRId64, *(const int64_t *)at); return;
    case WORD: gv_text_add_json(out, c->phase, strlen(c->phase)); return;
    case TIME: break;
    }
    if (!*(const gavat_time *)at) {
        gv_text_adds(out, "null");
        return;
    }
    gv_time_to_rfc(*(const gavat_time *)at, text);
    gv_text_addf(out, "\"%s\"", text);
}

void gv_dm_print(const void *conversation, gv_text *out)
{
    const gavat_conversation *c = conversation;
    gv_text_adds(out, "{\"bot\":");
    gv_text_add_json(out, c->bot, strlen(c->bot));
    gv_text_adds(out, ",\"user\":");
    gv_text_add_json(out, c->user, strlen(c->user));
    for (size_t i = 0; i < FIELDS; i++)
        print_member(c, &fields[i], out);
    gv_text_addc(out, '}');
}
