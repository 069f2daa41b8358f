/* states.c: dm_conversation_state.json, {"bot:user": state}, and cooldowns.json, {"bot:user": when it ends}. A state gets the 24 h that a
 * conversation lives after its last change, a cooldown what is left of it. */
#include "reading.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/json_indent.h"
#include "../base/json_number.h"
#include <errno.h>
#include <inttypes.h>

#define DEPTH 200
#define CENTURY INT64_C(3155760000000)  /* milliseconds: the longest expiry of the state area */

static const gv_json_style python = {.comma = {", ", 2}, .colon = {": ", 2}};   /* as json.dumps(ensure_ascii=False) writes */

typedef bool read_pair(gv_reading *reading, gv_source *source, uint64_t line, gv_slice key, gv_slice value);

/* Each member of the object that the file is. */
static bool read_members(gv_reading *r, gv_source *source, read_pair *read)
{
    gv_text text = {0};
    bool go_on;
    if (gv_reading_load(r, source, &text, &go_on)) {
        gv_slice object = {text.data, text.length}, raw, value;
        size_t at = 0;
        const char *wrong = gv_json_check(object, DEPTH, GV_JSON_SURROGATES, &at);
        if (wrong)
            go_on = gv_found_reject(r, source, 0, "it is not JSON at byte %zu: %s", at, wrong);
        else if (gv_json_type_of(gv_json_trim(object)) != GV_JSON_OBJECT)
            go_on = gv_found_reject(r, source, 0, "it is no object");
        uint64_t line = 0;
        for (gv_json_walk walk = gv_json_enter(wrong ? (gv_slice){"", 0} : gv_json_trim(object));
             go_on && gv_json_next(&walk, &raw, &value);) {
            size_t length = gv_json_unescape(raw, NULL, 0);
            char *key = gv_alloc(length + 1);
            if (!key) {
                r->failed = -ENOMEM;
                go_on = false;
                break;
            }
            go_on = read(r, source, ++line, (gv_slice){key, gv_json_unescape(raw, key, length)}, value);
            gv_free(key);
        }
    }
    gv_text_free(&text);
    return go_on;
}

/* "dm:BOT:USER" of "BOT:USER"; another key is a user of its own. */
static void add_user(gv_reading *r, gv_slice key)
{
    gv_text_clear(&r->scratch);
    if (memchr(key.data, ':', key.length))
        gv_text_adds(&r->scratch, "dm:");
    gv_text_add(&r->scratch, key.data, key.length);
    gv_found_text(r, "user", (gv_slice){gv_text_get(&r->scratch), r->scratch.length});
}

static bool add_state(gv_reading *r, gv_source *source, uint64_t line, gv_slice user, const char *key, gv_slice value, int64_t expire_ms)
{
    char number[24];
    gv_found_begin(r);
    add_user(r, user);
    gv_found_text(r, "key", gv_slice_of(key));
    gv_found_text(r, "value", value);
    snprintf(number, sizeof number, "%" PRId64, expire_ms);
    gv_found_json(r, "expire_ms", gv_slice_of(number));
    return gv_found_end(r, source, line, "state", 0, (gv_slice){NULL, 0});
}

static bool read_state(gv_reading *r, gv_source *source, uint64_t line, gv_slice key, gv_slice value)
{
    if (!memchr(key.data, ':', key.length))
        return gv_found_reject(r, source, line, "the key is not of the form \"bot:user\"");
    if (gv_json_type_of(value) != GV_JSON_OBJECT)
        return gv_found_reject(r, source, line, "the state is no object");
    gv_text text = {0};
    gv_json_print(&text, value, &python);
    bool go_on = !text.failed
                 && add_state(r, source, line, key, "conversation_state", (gv_slice){text.data, text.length},
                              gv_config_number(r->client->config, GV_SET_DM_STATE_TTL));
    if (text.failed)
        r->failed = -ENOMEM;
    gv_text_free(&text);
    return go_on;
}

bool gv_read_states(gv_reading *reading, gv_source *source)
{
    return read_members(reading, source, read_state);
}

/* Epoch seconds; a boolean is a number for Python, as which the original took it. False: none. */
static bool read_seconds(gv_slice value, double *seconds)
{
    char text[64];
    gv_json_type type = gv_json_type_of(value);
    if (type == GV_JSON_TRUE || type == GV_JSON_FALSE) {
        *seconds = type == GV_JSON_TRUE;
        return true;
    }
    if (type != GV_JSON_NUMBER || value.length >= sizeof text)
        return false;
    memcpy(text, value.data, value.length);
    text[value.length] = '\0';
    *seconds = gv_json_number_to_double(text);
    return true;
}

static bool read_cooldown(gv_reading *r, gv_source *source, uint64_t line, gv_slice key, gv_slice value)
{
    double seconds;
    if (!read_seconds(value, &seconds))
        return gv_found_reject(r, source, line, "it does not end at a number of seconds since 1970");
    double left = seconds * 1e3 - (double)(gv_now(r->client) / 1000);
    if (left < 1) {
        gv_reading_odd(source, GV_ODD_EXPIRED);
        return true;
    }
    if (left > (double)CENTURY)
        return gv_found_reject(r, source, line, "it ends more than a hundred years from now");
    char text[28];
    gv_time_to_rfc((gavat_time)(seconds * 1e6), text);
    text[26] = '\0';            /* as the original writes it: UTC without a zone, six digits */
    return add_state(r, source, line, key, "cooldown:dm", gv_slice_of(text), (int64_t)left);
}

bool gv_read_cooldowns(gv_reading *reading, gv_source *source)
{
    return read_members(reading, source, read_cooldown);
}
