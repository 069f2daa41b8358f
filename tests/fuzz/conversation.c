/* Fuzz target: the stored values of a conversation: its state, its permits, its message ids. Whatever the bytes are, nothing reads outside;
 * what is read and written again reads as the same, and is what Python's json reads. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/clock.h"
#include "../../lib/base/json.h"
#include "../../lib/conversation/ids.h"
#include "../../lib/conversation/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))
#define NOW INT64_C(1795440000000000)
#define HOUR (INT64_C(3600) * 1000000)

static const gv_dm_rules rules = {.cooldown = 300000000, .window = HOUR, .manual_timeout = 24 * HOUR, .grace = 30000000, .after_initial = HOUR,
                                  .after_active = 6 * HOUR, .after_person = 4 * HOUR, .after_user = 6 * HOUR, .after_manual = 12 * HOUR,
                                  .window_messages = 3, .menu_after = 3, .max_followups = 3};

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

static bool is_equal(const gv_text *a, const gv_text *b)
{
    return a->length == b->length && memcmp(gv_text_get(a), gv_text_get(b), a->length) == 0;
}

static void try_state(gv_slice value)
{
    gv_dm c, again;
    char why[GV_DM_WHY] = "";
    gv_arena arena = {0};
    gv_text once = {0}, twice = {0};
    gavat_status status = gv_dm_read(&c, value, &arena, why);
    EXPECT(status == GAVAT_OK || (status == GAVAT_ECORRUPT && *why && memchr(why, '\0', sizeof why)));
    if (status == GAVAT_OK) {
        gv_dm_write(&c, &once);
        EXPECT(!gv_json_check(slice_of(&once), GV_JSON_DEPTH_MOST, GV_JSON_NAN | GV_JSON_SURROGATES, NULL));
        EXPECT(gv_dm_read(&again, slice_of(&once), &arena, why) == GAVAT_OK);
        gv_dm_write(&again, &twice);
        EXPECT(is_equal(&once, &twice));
        for (gavat_transition t = GAVAT_USER_RESPONDED; t <= GAVAT_RESUME; t++) {
            gv_dm_settle(&c, &rules, NOW);
            EXPECT(c.is.last_user_message <= NOW && c.is.last_bot_message <= NOW && c.is.manual_intervention_time <= NOW);
            gv_dm_due(&c, &rules);
            gv_dm_apply(&c, t, NOW);
            EXPECT(!c.held || c.is.auto_messages_paused);
        }
    }
    gv_text_free(&once);
    gv_text_free(&twice);
    gv_arena_free(&arena);
}

static void try_permits(gv_slice value)
{
    gv_dm c = gv_dm_initial();
    gv_dm_permits permits;
    gv_arena arena = {0};
    gv_text once = {0}, twice = {0};
    gavat_status status = gv_dm_permits_read(&permits, value, &arena, NOW, rules.window, rules.grace);
    EXPECT(status == GAVAT_OK || status == GAVAT_ECORRUPT);
    if (status == GAVAT_OK) {
        gavat_decision decision = gv_dm_permit(&c, &permits, &rules, NOW, 0);
        EXPECT(decision.allowed == (decision.retry_after_ms == 0) && decision.retry_after_ms <= 3600000);
        gv_dm_times_add(&permits.given, NOW);
        gv_dm_times_drop_first(&permits.waiting);
        gv_dm_permits_write(&permits, &once);
        EXPECT(gv_dm_permits_read(&permits, slice_of(&once), &arena, NOW, rules.window, rules.grace) == GAVAT_OK);
        EXPECT(permits.given.at[permits.given.count - 1] == NOW);
        gv_dm_permits_write(&permits, &twice);          /* without the last one of before, if it was old */
        EXPECT(gv_dm_permits_read(&permits, slice_of(&twice), &arena, NOW, rules.window, rules.grace) == GAVAT_OK);
        gv_text_clear(&once);
        gv_dm_permits_write(&permits, &once);
        EXPECT(is_equal(&once, &twice));
    }
    gv_text_free(&once);
    gv_text_free(&twice);
    gv_arena_free(&arena);
}

static void try_ids(gv_slice value)
{
    gv_dm_whose whose;
    gv_text once = {0}, twice = {0};
    if (!gv_dm_ids_find(value, "a\"b", NOW, &whose))
        return;
    gv_dm_ids_write(&once, value, "a\"b", NOW, GV_DM_OTHERS);
    EXPECT(gv_dm_ids_find(slice_of(&once), "a\"b", NOW, &whose) && whose == GV_DM_OTHERS);
    gv_dm_ids_write(&twice, slice_of(&once), "a\"b", NOW, GV_DM_OTHERS);
    EXPECT(is_equal(&once, &twice));
    gv_text_free(&once);
    gv_text_free(&twice);
}

static void try_number(gv_slice value)
{
    int64_t number;
    if (gv_dm_read_number(value, 6, GV_TIME_MAX, &number))
        EXPECT(number >= 0 && number <= GV_TIME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gv_slice value = {(const char *)data, size};
    if (!size)
        return 0;
    try_state(value);
    try_permits(value);
    try_ids(value);
    try_number(value);
    return 0;
}
