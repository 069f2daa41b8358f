/* pages.c: the walks over all conversations. */
#include "steps.h"

/* "dm:BOT:USER"; a bot holds no ':', a user may. False: another key that begins like one. */
static bool split(const char *part, gv_slice *bot, gv_slice *user)
{
    const char *colon = strncmp(part, "dm:", 3) == 0 ? strchr(part + 3, ':') : NULL;
    if (!colon || colon == part + 3 || !colon[1])
        return false;
    *bot = (gv_slice){part + 3, (size_t)(colon - part) - 3};
    *user = gv_slice_of(colon + 1);
    return true;
}

static gavat_status read(gv_dm *c, const gv_walk_item *item, const gv_dm_rules *rules, gavat_time now, gv_arena *arena, char *why)
{
    gavat_status status = gv_dm_read(c, (gv_slice){item->value, item->length}, arena, why);
    if (status == GAVAT_OK)
        gv_dm_settle(c, rules, now);
    return status;
}

static gavat_time due(const void *arguments, gavat_time now, const gv_walk_item *item)
{
    gv_dm c;
    gv_slice bot, user;
    char why[GV_DM_WHY];
    gv_arena arena = {0};
    gavat_time time = 0;
    if (split(item->user, &bot, &user) && read(&c, item, arguments, now, &arena, why) == GAVAT_OK)
        time = gv_dm_due(&c, arguments);
    gv_arena_free(&arena);
    return time <= now ? time : 0;
}

static bool reject(gavat_op *op, const gv_walk_item *item, const char *why)
{
    gv_text text = {0};
    gv_result *result = gv_op_result(op);
    gv_text_addf(&text, "the key " GV_DM_STATE_KEY " of %s cannot be read, %s", item->user, why);
    bool good = result && !text.failed && gv_result_reject(result, result->count + result->rejected_count, gv_text_get(&text));
    gv_text_free(&text);
    return good;
}

static bool add(gavat_op *op, const void *arguments, gavat_time now, const gv_walk_item *item)
{
    gv_dm c;
    gv_slice bot, user;
    char why[GV_DM_WHY];
    gv_arena arena = {0};
    if (!split(item->user, &bot, &user))
        return true;
    gavat_status status = read(&c, item, arguments, now, &arena, why);
    bool good = status == GAVAT_OK ? gv_dm_add(op, &c.is, bot, user) : status == GAVAT_ECORRUPT && reject(op, item, why);
    gv_arena_free(&arena);
    return good;
}

const gv_walk_rule gv_dm_list_rule = {"get_conversations", GV_DM_STATE_KEY, NULL, add};
const gv_walk_rule gv_dm_due_rule = {"get_due_conversations", GV_DM_STATE_KEY, due, add};
